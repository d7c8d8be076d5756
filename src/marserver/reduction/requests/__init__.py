"""Everything that can be asked of the server: one function per action.

Each checks the request against the database, changes rows or queues work, and answers an Outcome;
what cannot be done raises one of the errors of `marserver.reduction.errors`.
"""

from marserver.reduction.requests.blocks import add, create, delete, remove
from marserver.reduction.requests.configuration import (
    conf_history,
    get_conf,
    set_conf,
    set_item,
    undo_conf,
)
from marserver.reduction.requests.control import (
    cancel,
    clear_logs,
    pause,
    remove_queue,
    requeue,
    reset,
    resume,
    set_priority,
    state,
)
from marserver.reduction.requests.fields import process_field, process_tile
from marserver.reduction.requests.finding import get, known
from marserver.reduction.requests.folder import scan_folder
from marserver.reduction.requests.histories import get_changes, history
from marserver.reduction.requests.images import (
    get_trilogy_image,
    path_of_colour,
    process_fieldimage,
    request_colour,
)
from marserver.reduction.requests.outcome import Outcome
from marserver.reduction.requests.plans import plan_block, plan_field, plan_fieldimage, plan_tile
from marserver.reduction.requests.process import process
from marserver.reduction.requests.queries import Busy, raw_query
from marserver.reduction.requests.register import register
from marserver.reduction.requests.remarks import (
    setcomment,
    setflag,
    setstatus,
    setstatus_tiles,
    setsubstatus,
    validate,
)
from marserver.reduction.requests.showing import (
    get_logs,
    get_operations,
    get_process,
    get_queue,
    queue_now,
)
from marserver.reduction.requests.superflats import create_superflat, setsuperflat, setsuperflat_tile
from marserver.reduction.requests.survey import get_operation
from marserver.reduction.requests.tiles import getfields, getshort

__all__ = [
    "Busy",
    "Outcome",
    "add",
    "cancel",
    "clear_logs",
    "conf_history",
    "create",
    "create_superflat",
    "delete",
    "get",
    "get_changes",
    "get_conf",
    "get_logs",
    "get_operation",
    "get_operations",
    "get_process",
    "get_queue",
    "get_trilogy_image",
    "getfields",
    "getshort",
    "history",
    "known",
    "path_of_colour",
    "pause",
    "plan_block",
    "plan_field",
    "plan_fieldimage",
    "plan_tile",
    "process",
    "process_field",
    "process_fieldimage",
    "process_tile",
    "queue_now",
    "raw_query",
    "register",
    "remove",
    "remove_queue",
    "request_colour",
    "requeue",
    "reset",
    "resume",
    "scan_folder",
    "set_conf",
    "set_item",
    "set_priority",
    "setcomment",
    "setflag",
    "setstatus",
    "setstatus_tiles",
    "setsubstatus",
    "setsuperflat",
    "setsuperflat_tile",
    "state",
    "undo_conf",
    "validate",
]
