"""The short answers on tiles."""

from collections.abc import Iterator
from typing import Any

from marserver.archive.models import FinalTile
from marserver.archive.moment import one_moment

FIELDS = ("id", "field", "band", "crval1", "crval2")
SHORT = ("id", "field", "file_path", "weight_path", "file_thumb", "weight_thumb")


def getfields() -> Iterator[dict[str, Any]]:
    """Field, band and centre (degrees) of all valid tiles."""
    tiles = FinalTile.objects.filter(isvalid=True).order_by("field", "band", "id").values_list(*FIELDS)
    with one_moment():
        for values in tiles.iterator(chunk_size=2000):
            yield dict(zip(FIELDS, values, strict=True))


def getshort(field: str, band: str) -> list[dict[str, Any]]:
    """Id, field, paths and thumbnails of the tile of a field and band."""
    rows = FinalTile.objects.filter(isvalid=True, field=field, band=band).order_by("id").values(*SHORT)
    return [{key: row[key] for key in SHORT} for row in rows]
