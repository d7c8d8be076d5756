"""scibyfilter: one band's science frames, their processed frames and tiles."""

from marserver.api.common import (
    Add,
    CreateOfBand,
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

resource = Resource("scibyfilter", about="One band's science frames, their processed frames and tiles")

gets(resource, GetByDates)
creates(resource, CreateOfBand)
processes(resource, ProcessScience)
edits(resource, Add, Remove, SetComment, Validate, SetStatus, SetSubStatus, SetSuperflat, Delete)
