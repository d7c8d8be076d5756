"""What may be looked at: kinds of images, the files of one, and what it is compared with."""

from dataclasses import dataclass
from typing import Any

from django.db import models

from marserver.archive.models import (
    BiasBlock,
    FieldImage,
    FinalTile,
    FlatByFilter,
    FrameType,
    IndividualFile,
    Superflat,
)
from marserver.errors import NotFound

MOST_COMPANIONS = 40
LARGEST_ID = 2**63 - 1


@dataclass(frozen=True)
class Shown:
    """An image that may be looked at; paths are relative to the data root."""

    kind: str
    id: int
    title: str
    path: str | None
    row: models.Model
    mask: str | None = None
    catalogue: str | None = None
    trimmed: bool = False
    page: str = ""  #: name of the URL of the page about it

    @property
    def key(self) -> str:
        """How the address of a page names it."""
        return f"{self.kind}-{self.id}"


def shown(kind: str, row_id: int) -> Shown:
    """The image of a kind and id; masters may be called as their blocks. Raises NotFound."""
    kind = ALIASES.get(kind, kind)
    if kind not in KINDS:
        raise NotFound(f"nothing of kind {kind} can be looked at; there are {', '.join(KINDS)}")
    model, describe = KINDS[kind]
    row = (
        model._default_manager.select_related(*JOINED.get(model, ())).filter(pk=row_id).first()
        if row_id <= LARGEST_ID
        else None
    )
    if row is None:
        raise NotFound(f"there is no {kind} {row_id}")
    found: Shown = describe(kind, row)
    return found


def _frame(kind: str, row: Any) -> Shown:
    words = "processed" if row.file_type == FrameType.PROCESSED else f"raw {row.file_type.lower()}"
    catalogue = row.sci.individual_catalog if row.sci else None
    return Shown(
        kind, row.pk, f"{row.file_name} ({words})", row.file_path, row, row.bpmask, catalogue, page="frame"
    )


def _trimmed(kind: str, row: Any) -> Shown:
    title = f"{row.file_name} (raw, without overscan)"
    return Shown(kind, row.pk, title, row.file_path, row, trimmed=True, page="frame")


def _tile(kind: str, row: Any) -> Shown:
    title = f"{row.field} {row.band}"
    return Shown(kind, row.pk, title, row.file_path, row, catalogue=row.catalog_path, page="tile")


def _weight(kind: str, row: Any) -> Shown:
    title = f"{row.field} {row.band} weight"
    return Shown(kind, row.pk, title, row.weight_path, row, catalogue=row.catalog_path, page="tile")


def _count(kind: str, row: Any) -> Shown:
    title = f"{row.field} {row.band} frames per pixel"
    return Shown(kind, row.pk, title, row.count_path, row, page="tile")


def _bias(kind: str, row: Any) -> Shown:
    return Shown(kind, row.pk, f"Master bias {_days(row)}", row.master_path, row, row.mask_path)


def _flat(kind: str, row: Any) -> Shown:
    return Shown(kind, row.pk, f"Master flat {row.band} {_days(row)}", row.master_path, row, row.mask_path)


def _master_mask(kind: str, row: Any) -> Shown:
    band = f"{row.band} " if kind == "flatmask" else ""
    return Shown(kind, row.pk, f"Mask of {kind.removesuffix('mask')} {band}{_days(row)}", row.mask_path, row)


def _superflat(kind: str, row: Any) -> Shown:
    return Shown(kind, row.pk, f"Fringe frame {row.band} {_days(row)}", row.super_flat_path, row)


def _image(kind: str, row: Any) -> Shown:
    return Shown(kind, row.pk, f"{row.field} in colour", row.file_path, row, page="image")


def _days(row: Any) -> str:
    return f"{row.block_start_date} to {row.block_end_date}"


KINDS: dict[str, tuple[type[models.Model], Any]] = {
    "frame": (IndividualFile, _frame),
    "trimmed": (IndividualFile, _trimmed),
    "tile": (FinalTile, _tile),
    "weight": (FinalTile, _weight),
    "count": (FinalTile, _count),
    "bias": (BiasBlock, _bias),
    "flat": (FlatByFilter, _flat),
    "biasmask": (BiasBlock, _master_mask),
    "flatmask": (FlatByFilter, _master_mask),
    "superflat": (Superflat, _superflat),
    "image": (FieldImage, _image),
}
OWN = {"bias": ("biasmask",), "flat": ("flatmask",), "biasmask": ("bias",), "flatmask": ("flat",)}
ALIASES = {"biasblock": "bias", "flatbyfilter": "flat"}
JOINED: dict[type[models.Model], tuple[str, ...]] = {IndividualFile: ("sci",)}


def companions(one: Shown) -> list[Shown]:
    """What an image is worth comparing with: other bands, before and after, other frames of the field."""
    row: Any = one.row
    if one.kind in ("tile", "weight", "count"):
        found = (
            FinalTile.objects.filter(field=row.field, isvalid=True).exclude(pk=row.pk).order_by("band", "pk")
        )
        own = [_of(kind, row) for kind in ("tile", "weight", "count") if kind != one.kind]
        return [_of(one.kind, other) for other in found[:MOST_COMPANIONS]] + own
    if one.kind in ("frame", "trimmed"):
        return _beside_frame(one, row)
    if one.kind == "image":
        return [_of("tile", tile) for tile in FinalTile.objects.filter(field=row.field, isvalid=True)]
    return _beside_master(one, row)


def _beside_frame(one: Shown, row: Any) -> list[Shown]:
    """Before or after, then the frames of the same field, band and type.

    The processed frame is compared with what is left of the raw one without its overscan.
    """
    frames = IndividualFile.objects.select_related("sci")
    if row.file_type == FrameType.PROCESSED:
        first = [_of("trimmed", raw) for raw in frames.filter(pk=row.raw_sci_id or 0)]
    elif one.trimmed:
        first = [_of("frame", made) for made in frames.filter(pk=row.processed_id or 0)]
    else:
        first = []
    alike = frames.filter(field=row.field, band=row.band, file_type=row.file_type, isvalid=True)
    near = alike.exclude(pk=row.pk).order_by("obs_date", "pk") if row.field else alike.none()
    return first + [_of(one.kind, other) for other in near[:MOST_COMPANIONS]]


def _beside_master(one: Shown, row: Any) -> list[Shown]:
    """Its mask, or the master of a mask; then masters of the same band on other days."""
    alike = type(row)._default_manager.filter(isvalid=True, status=1).exclude(pk=row.pk)
    if hasattr(row, "band"):
        alike = alike.filter(band=row.band)
    own = [_of(kind, row) for kind in OWN.get(one.kind, ())]
    found = alike.order_by("-block_start_date", "pk")[:MOST_COMPANIONS]
    return own + [_of(one.kind, other) for other in found]


def _of(kind: str, row: models.Model) -> Shown:
    found: Shown = KINDS[kind][1](kind, row)
    return found
