"""Which frames an operation looks at, and why some of them are not for it."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from marserver.archive.models import FlatByFilter, FrameType, IndividualFile, SciBlock, SciByFilter

# Lists of inputs may be long, and no choice depends on them
HEAVY = ("inputs", "processed__inputs", "superflat__inputs", "superflat__files")


class Entry(NamedTuple):
    """A frame of a block or field, and why it is left out; empty where it is not."""

    frame: IndividualFile
    dropped: str = ""


def loaded(frames: Any) -> Any:
    """Frames in the order of time, with what a choice needs to know of each, in one query."""
    return frames.select_related("processed", "superflat").defer(*HEAVY).order_by("obs_date", "id")


def entry(frame: IndividualFile, band: str = "", dropped: str = "") -> Entry:
    """One frame of a block of this band."""
    if not frame.isvalid:
        return Entry(frame, "it is invalid")
    if band and frame.band != band:
        return Entry(frame, f"its band is {frame.band or 'unknown'}, not {band}")
    return Entry(frame, dropped)


def of_master(block: Any) -> list[Entry]:
    """The frames of a biasblock or flatbyfilter."""
    held = block.flats if isinstance(block, FlatByFilter) else block.bias
    return [
        entry(frame, getattr(block, "band", "")) for frame in held.defer("inputs").order_by("obs_date", "id")
    ]


def usable(entries: Iterable[Entry]) -> list[IndividualFile]:
    """Those that are not left out."""
    return [one.frame for one in entries if not one.dropped]


def of_scibyfilter(block: SciByFilter) -> list[Entry]:
    """The frames of one band's block."""
    return [entry(frame, block.band) for frame in loaded(block.scies)]


def of_sciblock(block: SciBlock, bands: Sequence[str]) -> list[Entry]:
    """The frames of all parts of a block, band by band; a frame of several parts counts once."""
    parts = in_band_order(block.sci_by_filter.all(), bands)
    held = SciByFilter.scies.through.objects.filter(scibyfilter__in=[part.pk for part in parts])
    links = list(held.values_list("scibyfilter_id", "individualfile_id"))
    frames = {
        frame.pk: frame
        for frame in loaded(IndividualFile.objects.filter(pk__in=held.values("individualfile_id")))
    }
    found: dict[int, Entry] = {}
    for part in parts:
        here = {frame_id for part_id, frame_id in links if part_id == part.pk}
        for frame in (one for key, one in frames.items() if key in here):
            if frame.pk not in found or found[frame.pk].dropped:
                found[frame.pk] = entry(frame, part.band, closed(part))
    return list(found.values())


def closed(part: Any) -> str:
    """Why a part of a block is passed by; empty where it is not."""
    if not part.isvalid:
        return f"its block {part} is invalid"
    return f"its block {part} is done (status 1)" if part.status == 1 else ""


def of_field(field: str, band: str = "") -> list[Entry]:
    """The raw science frames of a field, and of one band where it is given."""
    frames = IndividualFile.objects.filter(file_type=FrameType.SCI, field=field)
    if band:
        return [entry(frame) for frame in loaded(frames.filter(band=band))]
    return [entry(frame) for frame in loaded(frames).order_by("band", "obs_date", "id")]


def in_band_order(parts: Any, bands: Sequence[str]) -> list[Any]:
    """The parts of a block in the order of the camera's filters."""
    order = {band: place for place, band in enumerate(bands)}
    return sorted(parts, key=lambda part: (order.get(part.band, len(order)), part.pk))
