"""individualfile: raw frames found by a scan, and processed science frames."""

from typing import ClassVar, Literal

from marserver.api.bodies import Sets
from marserver.api.common import CONTAINS, ById, Listed, SetComment, Validate, change, edits, gets
from marserver.api.fields import FrameStatus, Patterns, YesNo
from marserver.api.resources import Resource
from marserver.reduction import requests

resource = Resource("individualfile", about="Raw frames found by a scan, and processed science frames")


class GetFrames(Listed):
    """Frames by id, by dates or by name."""

    sets: ClassVar[Sets] = (("id",), ("startDate", "endDate"), ("contains",))
    free: ClassVar[frozenset[str]] = frozenset({"contains"})

    contains: Patterns = CONTAINS
    error: YesNo = False


class SetFrameStatus(ById):
    """Set how far the reduction of a frame is, 0 to 5, so that the later steps run again."""

    type: Literal["setstatus"]
    status: FrameStatus


gets(resource, GetFrames)
edits(resource, Validate, SetComment)
change(
    resource,
    SetFrameStatus,
    lambda kind, body, who: requests.setstatus(kind, body.id, body.status, asked_by=who),
)
