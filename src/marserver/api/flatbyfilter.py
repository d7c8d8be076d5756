"""flatbyfilter: one band's flats, and the master and cold-pixel mask made from them."""

from marserver.api.common import (
    Add,
    CreateOfBand,
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

resource = Resource("flatbyfilter", "flatblockbyfilter", about="One band's flats, and what is made from them")

gets(resource, GetByDates)
creates(resource, CreateOfBand)
processes(resource, Process)
edits(resource, Add, Remove, SetComment, Validate, SetStatus, SetSubStatus, Delete)
registers(resource)
