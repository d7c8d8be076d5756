"""sciblock: the science frames of all bands at once, one scibyfilter each."""

from marserver.api.common import (
    Add,
    Create,
    Delete,
    GetByDates,
    ProcessScience,
    Remove,
    SetComment,
    SetStatus,
    SetSubStatus,
    SetSuperflat,
    Validate,
    creates,
    edits,
    gets,
    processes,
)
from marserver.api.resources import Resource

resource = Resource("sciblock", about="The science frames of all bands at once: one scibyfilter each")

gets(resource, GetByDates)
creates(resource, Create)
processes(resource, ProcessScience)
edits(resource, Add, Remove, SetComment, Validate, SetStatus, SetSubStatus, SetSuperflat, Delete)
