"""An earlier tile, to which frames are added that were not there when it was made."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from astropy.io.fits import Header

from mar.config import Config
from mar.errors import BadConfig, NotEnoughFrames
from mar.io.catalogs import read_catalog
from mar.io.fits import ImageReader, open_image, stem
from mar.io.names import Layout
from mar.recipes.tile import StarFluxes, TileReaders
from mar.run.inspection import index_of
from mar.steps.grid import Grid, grid_of


@dataclass(frozen=True)
class EarlierTile:
    """A tile of weighted means with what stands beside it."""

    maps: TileReaders
    header: Header
    grid: Grid
    stars: StarFluxes | None  #: which its transparency is known by
    index: Path | None  #: which frames its pixels come from; None where it has none

    @property
    def date(self) -> datetime:
        """When its earliest frame was begun."""
        return datetime.fromisoformat(str(self.header["DATE-OBS"])).replace(tzinfo=UTC)


def open_earlier(
    frames: Sequence[Path], field: str, band: str, layout: Layout, config: Config, files: ExitStack
) -> EarlierTile:
    """The tile of a field and band that `frames` are to be added to, open as long as `files`.

    Raises NotEnoughFrames where there is none, BadConfig where its method needs all frames again or it holds
    one of them already.
    """
    tile, weight, count = (_map(field, band, kind, layout, files) for kind in ("", "weight", "count"))
    header = tile.header
    _check(tile.path.name, header, frames, config)
    index = index_of(tile.path)
    return EarlierTile(
        TileReaders(tile, weight, count),
        header,
        grid_of(header, tile.shape),
        _stars(header, layout.tile_catalog(field, band), layout),
        index if index.exists() else None,
    )


def _map(field: str, band: str, kind: str, layout: Layout, files: ExitStack) -> ImageReader:
    for packed in (True, False):
        path = layout.tile(field, band, packed, kind)
        if path.exists():
            return files.enter_context(open_image(path))
    name = layout.tile(field, band, False, kind).name
    raise NotEnoughFrames(f"there is no {name} to add frames to: make the tile of all its frames first")


def _stars(header: Header, catalogue: Path, layout: Layout) -> StarFluxes | None:
    """The stars of a frame of the tile, whose fluxes are measured as those of new frames; else the tile's."""
    for number in range(1, int(header["NCOMBINE"]) + 1):
        of_frame = layout.frame_catalog(str(header[f"COMB_{number}"]).removeprefix("proc_"))
        if of_frame.exists():
            exptime_s = float(header[f"EXP_{number}"]) / float(header[f"SCALE_{number}"])
            return StarFluxes(read_catalog(of_frame), exptime_s)
    return StarFluxes(read_catalog(catalogue), 1.0) if catalogue.exists() else None


def _check(name: str, header: Header, frames: Sequence[Path], config: Config) -> None:
    made, asked = str(header.get("MAR COADD METHOD", "")), config.coadd.method
    for method, whose in ((made, f"{name} is a {made} tile"), (asked, f"Coadd.METHOD is {asked}")):
        if method != "weighted":
            raise BadConfig(
                f"{whose}: this method needs all frames again, only the weighted mean does not; give them "
                "all, without --add"
            )
    known = {str(header[f"COMB_{number}"]) for number in range(1, int(header["NCOMBINE"]) + 1)}
    there = sorted(known & {stem(path) for path in frames})
    if there:
        raise BadConfig(f"{name} holds {', '.join(there)} already; give only frames that are new to it")
