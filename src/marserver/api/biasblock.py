"""biasblock: a set of bias frames, and the master and hot-pixel mask made from it."""

from marserver.api.common import (
    Add,
    Create,
    Delete,
    GetByDates,
    Remove,
    SetComment,
    SetStatus,
    SetSubStatus,
    Validate,
    creates,
    edits,
    gets,
)
from marserver.api.processing import Process, processes
from marserver.api.registering import registers
from marserver.api.resources import Resource

resource = Resource("biasblock", about="Bias frames, and the master and hot-pixel mask made from them")

gets(resource, GetByDates)
creates(resource, Create)
processes(resource, Process)
edits(resource, Add, Remove, SetComment, Validate, SetStatus, SetSubStatus, Delete)
registers(resource)
