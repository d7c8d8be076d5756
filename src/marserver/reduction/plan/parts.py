"""Which parts of a flatblock are made, and with which bias."""

from collections.abc import Sequence

from marserver.archive.models import FlatByFilter, FlatsBlock, IndividualFile
from marserver.reduction.plan.judging import Choice
from marserver.reduction.plan.masters import Shelf, day_of
from marserver.reduction.plan.scope import in_band_order


def flats_to_do(block: FlatsBlock, bands: Sequence[str]) -> list[FlatByFilter]:
    """The valid parts that are not done, band by band."""
    return in_band_order(block.flats_by_filter.filter(isvalid=True, status=0), bands)


def bias_of_flat(frames: list[IndividualFile], shelf: Shelf) -> Choice:
    """The bias of a master flat: that of its middle frame's date, one master for all of them."""
    return shelf.bias(day_of(frames[len(frames) // 2]))
