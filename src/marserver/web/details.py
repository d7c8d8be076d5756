"""One frame, tile, colour image or block: figures, pictures, provenance, history, what can be done."""

from typing import Any

from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse

from marserver.accounts.models import Role
from marserver.archive.kinds import named
from marserver.archive.models import (
    FieldImage,
    FinalTile,
    FrameStatus,
    FrameType,
    IndividualFile,
    Sci,
    SciByFilter,
    Superflat,
)
from marserver.archive.rows import Row
from marserver.errors import NotFound
from marserver.reduction import requests
from marserver.reduction.code import COADD
from marserver.reduction.pictures.files import is_there
from marserver.web.asking import one, plain_rows
from marserver.web.lists import BLOCKS, flag_names
from marserver.web.pages import page, show

STEPS = {
    "ov": "overscan, bias and flat",
    "sf": "fringes",
    "mc": "masks",
    "am": "astrometry and catalogue",
    COADD: "coadd",
}
MOST_ROWS = 1000
MOST_USERS = 200
USED_AS = {"biasblock": "master_bias_used", "flatbyfilter": "master_flat_used"}
# Where a frame is a member: the relation of the frame, and the kind of the block
MEMBERS = (
    ("biasblocks", "biasblock"),
    ("flatbyfilters", "flatbyfilter"),
    ("scibyfilters", "scibyfilter"),
    ("processed_in", "scibyfilter"),
)


@page
def frame(request: HttpRequest, row_id: int) -> HttpResponse:
    """GET /frames/12."""
    row = row_of("individualfile", row_id)
    found: Any = IndividualFile.objects.get(pk=row_id)
    other = found.processed_id or found.raw_sci_id
    content = {
        "row": row,
        "sci": (row.get("sci") or [None])[0],
        "is_there": is_there(found.file_path),
        "other": one("individualfile", other) if other else None,
        "blocks": members(found),
        "tiles": plain_rows("finaltiles", found.finaltiles.order_by("pk")[:MOST_ROWS]),
        "states": [(value, words) for value, words in FrameStatus.choices],
        "left_out": row["failed_step"] == COADD,
        "is_science": row["file_type"] in (FrameType.SCI, FrameType.PROCESSED),
    }
    return detail(request, "frames", "web/details/frame.html", "individualfile", found, content)


def members(frame: Any) -> list[tuple[str, Row]]:
    """The blocks that hold a frame, with their kinds."""
    found = []
    for relation, kind in MEMBERS:
        found += [
            (kind, row) for row in plain_rows(kind, getattr(frame, relation).order_by("pk")[:MOST_ROWS])
        ]
    return found


@page
def tile(request: HttpRequest, row_id: int) -> HttpResponse:
    """GET /tiles/3."""
    row = row_of("finaltiles", row_id)
    found = FinalTile.objects.get(pk=row_id)
    blocks = SciByFilter.objects.filter(finaltiles=found).order_by("-pk")[:20]
    same_field = FinalTile.objects.filter(field=found.field, isvalid=True).order_by("band")
    content = {
        "row": row,
        "frames": row.get("composedBy", []),
        "left_out": plain_rows("individualfile", left_out(found)),
        "colour": FieldImage.objects.filter(field=found.field, isvalid=True).first(),
        "bands": plain_rows("finaltiles", same_field),
        "names": flag_names(),
        "superflats": superflats(found.band),
        "blocks": plain_rows("scibyfilter", blocks),
    }
    return detail(request, "tiles", "web/details/tile.html", "finaltiles", found, content)


def left_out(tile: FinalTile) -> Any:
    """The processed frames that a tile is better without."""
    frames = IndividualFile.objects.filter(field=tile.field, band=tile.band, file_type=FrameType.PROCESSED)
    return frames.filter(failed_step=COADD).order_by("obs_date", "id")[:MOST_ROWS]


@page
def image(request: HttpRequest, row_id: int) -> HttpResponse:
    """GET /images/2: a colour image."""
    row = row_of("fieldimage", row_id)
    found: Any = named("fieldimage").objects.get(pk=row_id)
    tiles = FinalTile.objects.filter(field=row["field"], isvalid=True).order_by("band")
    content = {"row": row, "tiles": plain_rows("finaltiles", tiles), "names": flag_names()}
    return detail(request, "images", "web/details/image.html", "fieldimage", found, content)


@page
def block(request: HttpRequest, kind: str, row_id: int) -> HttpResponse:
    """GET /blocks/biasblock/4."""
    if kind not in BLOCKS:
        raise Http404(f"no kind of blocks is named {kind}; there are {', '.join(BLOCKS)}")
    row = row_of(kind, row_id)
    found: Any = named(kind).objects.get(pk=row_id)
    content = {
        "row": row,
        "title": BLOCKS[kind],
        "frames": row.get("bias") or row.get("flats") or row.get("scies") or [],
        "parts": row.get("flatsByFilter") or row.get("sciByFilter") or [],
        "part_kind": {"flatblock": "flatbyfilter", "sciblock": "scibyfilter"}.get(kind, ""),
        "processed": row.get("processed", []),
        "tiles": row.get("finaltiles", []),
        "superflats": superflats(row.get("band")) if kind in ("scibyfilter", "sciblock") else [],
        "is_science": kind in ("scibyfilter", "sciblock"),
        "users": users_of(kind, row_id),
        "most_users": MOST_USERS,
    }
    return detail(request, "blocks", "web/details/block.html", kind, found, content)


def users_of(kind: str, row_id: int) -> list[Any]:
    """The science frames that were reduced with a master, the first of them."""
    frames = IndividualFile.objects.order_by("pk").only("pk", "file_name", "field", "band")
    if kind == "superflat":
        return list(frames.filter(superflat=row_id)[:MOST_USERS])
    if kind not in USED_AS:
        return []
    raw = Sci.objects.filter(**{USED_AS[kind]: row_id}).order_by("pk").values("sciraw")[:MOST_USERS]
    return list(frames.filter(pk__in=[one["sciraw"] for one in raw]))


def inputs_of(found: Any) -> list[tuple[str, str, int | None]]:
    """What a product was made from: path, checksum, and the id of the frame where it is one."""
    inputs = getattr(found, "inputs", None) or []
    names = {one["path"]: one["path"].rpartition("/")[2].partition(".fits")[0] for one in inputs}
    known = IndividualFile.objects.filter(file_name__in=list(names.values())[:MOST_ROWS])
    ids = dict(known.values_list("file_name", "pk")) if names else {}
    return [(one["path"], one.get("checksum", ""), ids.get(names[one["path"]])) for one in inputs]


def detail(
    request: HttpRequest, place: str, template: str, kind: str, found: Model, content: dict[str, Any]
) -> HttpResponse:
    """A page with what all rows have: how it was made, its history, what the user may do."""
    shared: dict[str, Any] = {
        "kind": kind,
        "made": {
            name: getattr(found, name, None)
            for name in ("config_hash", "version", "job", "checksum", "count_path", "catalog_path")
        },
        "inputs": inputs_of(found),
        "changes": requests.history(kind, found.pk),
        "steps": STEPS.items(),
        "may_change": request.user.may(Role.OPERATOR),  # type: ignore[union-attr]
    }
    return show(request, place, template, **shared, **content)


def row_of(kind: str, row_id: int) -> Row:
    """A row with all that hangs below it. Raises Http404."""
    row = one(kind, row_id)
    if row is None:
        raise Http404(str(NotFound(f"no {kind} {row_id}")))
    return row


def superflats(band: str | None) -> list[Row]:
    """The valid fringe frames of a band, the newest first."""
    rows = Superflat.objects.filter(isvalid=True, status=1)
    return plain_rows("superflat", (rows.filter(band=band) if band else rows).order_by("-pk")[:50])
