"""sciblock: the science frames of all bands at once, one scibyfilter each."""

from marserver.api.common import (
    Add,
    Create,
    Delete,
    GetByDates,
    Remove,
    SetComment,
    SetStatus,
    SetSubStatus,
    SetSuperflat,
    Validate,
    creates,
    edits,
    gets,
)
from marserver.api.processing import ProcessScience, processes
from marserver.api.resources import Resource

resource = Resource("sciblock", about="The science frames of all bands at once: one scibyfilter each")

gets(resource, GetByDates)
creates(resource, Create)
processes(resource, ProcessScience)
edits(resource, Add, Remove, SetComment, Validate, SetStatus, SetSubStatus, SetSuperflat, Delete)
