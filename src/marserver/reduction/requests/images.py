"""The colour image of a field: asking for it, and where it is."""

from django.db import transaction

from marserver.archive.models import FieldImage
from marserver.errors import Conflict, NotFound
from marserver.jobs import queue
from marserver.reduction import site
from marserver.reduction.plan.tiles import bands_done
from marserver.reduction.requests.fields import what_there_is
from marserver.reduction.requests.finding import known
from marserver.reduction.requests.outcome import Outcome
from marserver.reduction.requests.process import enqueue, queued


def process_fieldimage(
    *,
    image_id: int | None = None,
    field: str = "",
    partial: bool = False,
    asked_by: str = "",
    action: str = "process",
) -> Outcome:
    """Queue the colour image of a field, named by itself or by the id of its image.

    Raises NotFound; Conflict with the missing bands unless `partial`, and where it is queued or running.
    """
    order = order_of(image_id, field, partial, asked_by)
    check_bands(order.block, partial)
    images = FieldImage.objects.filter(field=order.block).values_list("pk", flat=True)
    with transaction.atomic():
        return queued(enqueue(order, action, "fieldimage", list(images)), field=order.block)


def order_of(image_id: int | None, field: str, partial: bool, asked_by: str) -> queue.Order:
    """The operation that is asked for; raises NotFound where no tile of the field is done."""
    if image_id is not None:
        image: FieldImage = known("fieldimage", image_id)
        field = image.field
    if not bands_done(field):
        raise NotFound(f"no tile of {field} is done; process its bands first ({what_there_is(field)})")
    params = {"field": field, "partial": partial}
    return queue.Order("process_fieldimage", "fieldimage", field, params=params, user=asked_by)


def check_bands(field: str, partial: bool) -> None:
    """Raises Conflict with the missing bands, unless some may be missing."""
    missing = bands_missing(field)
    if missing and not partial:
        raise Conflict(
            f"{field} has no tile of {', '.join(missing)}; process them first, or ask with partial: true"
        )


def bands_missing(field: str) -> list[str]:
    """The bands of the camera of which a field has no good tile."""
    there = bands_done(field)
    return [band for band in site.camera().band_names if band not in there]


def path_of_colour(field: str) -> str | None:
    """Path of the colour image of a field; None where there is none, or only an invalid one."""
    images = FieldImage.objects.filter(field=field, isvalid=True, file_path__isnull=False)
    return images.values_list("file_path", flat=True).first()


def get_trilogy_image(field: str) -> str:
    """Path of the colour image of a field; raises NotFound, which says how to ask for it."""
    path = path_of_colour(field)
    if path is not None:
        return path
    if FieldImage.objects.filter(field=field, isvalid=False).exists():
        raise NotFound(f"the colour image of {field} is invalid; validate it (fieldimage) to get it")
    how = "ask for it with request_order: true, or request_twelve_im"
    raise NotFound(f"{field} has no colour image; {how if bands_done(field) else what_there_is(field)}")


def request_colour(field: str, action: str, *, asked_by: str = "") -> Outcome:
    """Queue the colour image of a field whose bands are all there; `action` is the path that asked."""
    return process_fieldimage(field=field, asked_by=asked_by, action=action)
