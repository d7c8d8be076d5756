"""Which frames a pixel of a tile comes from."""

from dataclasses import dataclass
from typing import Any

from mar.errors import MarError
from mar.run.inspection import index_of, inspect
from marserver.archive.models import FinalTile, IndividualFile
from marserver.errors import NotFound
from marserver.reduction import site
from marserver.reduction.pictures.files import is_there
from marserver.reduction.pictures.picture import picture
from marserver.reduction.pictures.sky import to_pixels, to_sky, wcs_of


@dataclass(frozen=True)
class FromFrame:
    """What a frame has to do with a pixel of a tile; x and y are FITS pixels of the frame."""

    id: int | None
    name: str
    x: float
    y: float
    weight: float | None
    fate: str


def frames_of_pixel(tile: FinalTile, x: int, y: int) -> tuple[bool, list[FromFrame]]:
    """Whether the index of the tile told it, and the frames; raises NotFound, BadImage.

    A tile without an index is answered by the frames that it was made from whose pixels cover the place.
    """
    path = site.relative(index_of(site.absolute(str(tile.file_path))))
    if is_there(path):
        return True, _from_index(tile, x, y)
    return False, _from_coordinates(tile, x, y)


def _from_index(tile: FinalTile, x: int, y: int) -> list[FromFrame]:
    found = inspect(site.absolute(str(tile.file_path)), x, y)
    names = [frame.name.removesuffix(".fz").removesuffix(".fits") for frame in found.frames]
    ids = dict(IndividualFile.objects.filter(file_name__in=names).values_list("file_name", "pk"))
    return [
        FromFrame(ids.get(name), name, frame.x, frame.y, frame.weight, frame.fate)
        for name, frame in zip(names, found.frames, strict=True)
    ]


def _from_coordinates(tile: FinalTile, x: int, y: int) -> list[FromFrame]:
    wcs = wcs_of(picture(tile.file_path))
    if wcs is None:
        return []
    ra, dec = to_sky(wcs, [float(x)], [float(y)])
    covering = []
    for frame in tile.composed_by.order_by("obs_date", "pk"):
        place = _place(frame, ra, dec)
        if place is not None:
            covering.append(FromFrame(frame.pk, frame.file_name, *place, None, "covers it"))
    return covering


def _place(frame: IndividualFile, ra: Any, dec: Any) -> tuple[float, float] | None:
    """Where in a frame a place on the sky is; None outside it and where its file cannot be read."""
    try:
        image = picture(frame.file_path)
    except (NotFound, MarError):
        return None
    wcs = wcs_of(image)
    if wcs is None:
        return None
    (x,), (y,) = to_pixels(wcs, ra, dec)
    inside = 0.5 <= x <= image.shape[1] + 0.5 and 0.5 <= y <= image.shape[0] + 0.5
    return (float(x), float(y)) if inside else None
