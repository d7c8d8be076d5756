"""Paths in, products out: the only place above the steps that opens and writes files.

The commands and the server's workers call the same functions; their arguments can be pickled. What one of
them needs is loaded when it is first asked for: a master waits for no astrometry and no plots.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mar.run.products import (
    ColourProducts,
    Dropped,
    MasterFiles,
    MasterProducts,
    ScienceMasters,
    ScienceProducts,
    TileProducts,
)

if TYPE_CHECKING:
    from mar.run.colour import colour_image
    from mar.run.field_tile import tile
    from mar.run.inspection import Contribution, Inspected, inspect
    from mar.run.masters import master_bias, master_flat, superflat
    from mar.run.science_frame import science
    from mar.run.together import tie_together

# no module bears the name of what is asked for here: once loaded it would stand in its place
_WHERE = {
    "colour_image": "colour",
    "tile": "field_tile",
    "Contribution": "inspection",
    "Inspected": "inspection",
    "inspect": "inspection",
    "master_bias": "masters",
    "master_flat": "masters",
    "superflat": "masters",
    "science": "science_frame",
    "tie_together": "together",
}

__all__ = [
    "ColourProducts",
    "Contribution",
    "Dropped",
    "Inspected",
    "MasterFiles",
    "MasterProducts",
    "ScienceMasters",
    "ScienceProducts",
    "TileProducts",
    "colour_image",
    "inspect",
    "master_bias",
    "master_flat",
    "science",
    "superflat",
    "tie_together",
    "tile",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
    globals()[name] = found
    return found
