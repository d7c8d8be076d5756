"""flatblock: the flats of all bands at once, one flatbyfilter each."""

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
from marserver.api.resources import Resource

resource = Resource("flatblock", about="The flats of all bands at once: one flatbyfilter each")

gets(resource, GetByDates)
creates(resource, Create)
processes(resource, Process)
edits(resource, Add, Remove, SetComment, Validate, SetStatus, SetSubStatus, Delete)
