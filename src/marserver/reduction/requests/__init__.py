"""Everything that can be asked of the server: one function per action.

Each checks the request against the database, changes rows or queues work, and answers an Outcome;
what cannot be done raises one of the errors of `marserver.reduction.errors`.
"""

from marserver.reduction.requests.blocks import add, create, delete, remove
from marserver.reduction.requests.control import (
    cancel,
    clear_logs,
    get_logs,
    get_operations,
    get_process,
    get_queue,
    pause,
    remove_queue,
    requeue,
    resume,
    set_priority,
)
from marserver.reduction.requests.finding import get, known
from marserver.reduction.requests.folder import scan_folder
from marserver.reduction.requests.outcome import Outcome
from marserver.reduction.requests.process import process, process_field, process_fieldimage, process_tile
from marserver.reduction.requests.remarks import (
    setcomment,
    setflag,
    setstatus,
    setstatus_tiles,
    setsubstatus,
    validate,
)
from marserver.reduction.requests.superflats import create_superflat, setsuperflat, setsuperflat_tile
from marserver.reduction.requests.survey import get_conf, get_operation
from marserver.reduction.requests.tiles import getfields, getshort

__all__ = [
    "Outcome",
    "add",
    "cancel",
    "clear_logs",
    "create",
    "create_superflat",
    "delete",
    "get",
    "get_conf",
    "get_logs",
    "get_operation",
    "get_operations",
    "get_process",
    "get_queue",
    "getfields",
    "getshort",
    "known",
    "pause",
    "process",
    "process_field",
    "process_fieldimage",
    "process_tile",
    "remove",
    "remove_queue",
    "requeue",
    "resume",
    "scan_folder",
    "set_priority",
    "setcomment",
    "setflag",
    "setstatus",
    "setstatus_tiles",
    "setsubstatus",
    "setsuperflat",
    "setsuperflat_tile",
    "validate",
]
