"""Processed frames of one field and band become a tile with its weight and count maps and its catalogue."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import numpy as np
from astropy.io.fits import Header

from mar.camera import Camera
from mar.config import Config
from mar.errors import MarError, NotEnoughFrames
from mar.exposure import read_exposure
from mar.frame import set_cards
from mar.io.catalogs import read_catalog, write_catalog
from mar.io.fits import RowWriter, open_image, scratch_rows, stem, write_image
from mar.io.names import Layout
from mar.masks import Bit
from mar.progress import Progress, silent
from mar.recipes.tile import FrameInput, TileWriters, plan_tile, write_tile
from mar.refcat.packs import julian_year
from mar.run.processed import remove_other_spelling, statistics_of
from mar.run.products import Dropped, TileProducts
from mar.run.provenance import provenance
from mar.run.thumbs import write_thumb
from mar.run.tile_figures import TileFigures, measure_tile
from mar.steps.grid import Grid, field_grid
from mar.steps.rough import rough_from_header


def tile(
    frames: Sequence[Path],
    field: str,
    band: str,
    centre: tuple[float, float] | None,
    layout: Layout,
    camera: Camera,
    config: Config,
    progress: Progress = silent,
) -> TileProducts:
    """Coadd processed frames onto the field's grid around `centre` (RA, DEC in degrees).

    Without a centre it is where the first frame points. Frames that cannot be used are dropped with the
    reason. Raises NotEnoughFrames where none is left.
    """
    with ExitStack() as files:
        inputs, checksums, dropped = _open(frames, layout, camera, files)
        if not inputs:
            raise NotEnoughFrames(f"no frame of {field} {band} can be used: {_said(dropped)}")
        grid = _grid(centre, inputs[0], camera, config)
        maps = _maps(field, band, grid, layout, files)
        plan = plan_tile(inputs, grid, camera, config.coadd, config.swarp, progress)
        coadded = write_tile(plan, TileWriters(*maps), progress)
        for one in maps:
            one.release()
        by_name = {stem(path): path for path in frames}
        used = [by_name[one.name] for one in plan.used]
        earliest = min(one.exposure.date_obs for one in inputs if by_name[one.exposure.name] in used)
        header = plan.header
        set_cards(header, {"OBJECT": (field, "field"), "FILTER": (band, "band")})
        set_cards(header, provenance(config, {path.name: checksums[path] for path in used}, layout.job))
        progress("measure", 0, 1)
        figures = measure_tile(
            maps[0].pixels,
            _uncovered(maps[1]),
            coadded.median_noise,
            header,
            band,
            julian_year(earliest),
            layout,
            camera,
            config,
        )
        set_cards(header, figures.cards)
        written = _write(field, band, maps, header, figures, layout, config)
    progress("measure", 1, 1)
    return TileProducts(
        *written.paths,
        statistics=statistics_of(header),
        crval1=float(header["CRVAL1"]),
        crval2=float(header["CRVAL2"]),
        date=earliest,
        ncombine=len(used),
        zeropoint=figures.zeropoint,
        fwhm=figures.fwhm,
        ellipticity=figures.ellipticity,
        depth=figures.depth,
        astrometric_rms=figures.astrometric_rms,
        checksum=written.checksum,
        used=used,
        dropped=dropped + [Dropped(by_name[one.name], one.reason) for one in plan.dropped],
    )


def _open(
    frames: Sequence[Path], layout: Layout, camera: Camera, files: ExitStack
) -> tuple[list[FrameInput], dict[Path, str], list[Dropped]]:
    inputs, checksums, dropped = [], {}, []
    for path in frames:
        raw_name = stem(path).removeprefix("proc_")
        try:
            image = files.enter_context(open_image(path))
            if image.header.get("ASTROMETRY") != "SUCCESS":
                raise NotEnoughFrames("it has no astrometric solution")
            mask = files.enter_context(open_image(layout.bpmask(raw_name)))
            exposure = read_exposure(image.header, camera, stem(path))
            catalogue = layout.frame_catalog(raw_name)
            table = read_catalog(catalogue) if catalogue.exists() else None
        except MarError as error:
            dropped.append(Dropped(path, str(error)))
            continue
        inputs.append(FrameInput(image, mask, image.header, exposure, table))
        checksums[path] = image.checksum
    return inputs, checksums, dropped


def _said(dropped: Sequence[Dropped]) -> str:
    return "; ".join(f"{one.path.name}: {one.reason}" for one in dropped) or "none was given"


def _grid(centre: tuple[float, float] | None, first: FrameInput, camera: Camera, config: Config) -> Grid:
    if centre is None:
        pointing = rough_from_header(first.header, tuple(first.image.shape))
        centre = pointing.crval
    return field_grid(*centre, camera, config.coadd, config.swarp.image_size)


def _maps(
    field: str, band: str, grid: Grid, layout: Layout, files: ExitStack
) -> tuple[RowWriter, RowWriter, RowWriter]:
    """Scratch files of the tile, its weight and its count, which live as long as `files`."""

    def scratch(kind: str, dtype: str) -> RowWriter:
        return files.enter_context(scratch_rows(layout.scratch, f"{field}_{band}{kind}", grid.shape, dtype))

    return scratch("", "f4"), scratch("weight", "f4"), scratch("count", "u2")


def _uncovered(weight: RowWriter) -> np.ndarray:
    """Mask (uint8) of a tile: BAD where no frame gives weight."""
    mask = np.where(weight.pixels > 0, np.uint8(0), np.uint8(Bit.BAD))
    weight.release()
    return mask


class _Written(NamedTuple):
    paths: tuple[Path, Path, Path, Path, Path, Path]  #: tile, weight, count, catalogue, two thumbnails
    checksum: str


def _write(
    field: str,
    band: str,
    maps: tuple[RowWriter, RowWriter, RowWriter],
    header: Header,
    figures: TileFigures,
    layout: Layout,
    config: Config,
) -> _Written:
    """Write the maps first and the tile last: whoever finds a tile finds its weights."""
    packed = config.config.fpack_tiles
    tile, weight, count = (layout.tile(field, band, packed, kind) for kind in ("", "weight", "count"))
    catalogue = layout.tile_catalog(field, band)
    write_catalog(catalogue, figures.sources, header)
    write_image(count, maps[2].pixels, header)
    write_image(weight, maps[1].pixels, header)
    checksum = write_image(tile, maps[0].pixels, header)
    for path in (tile, weight, count):
        remove_other_spelling(path)
    thumb = write_thumb(layout.thumb(tile), maps[0].pixels, config.thumbs)
    weight_thumb = write_thumb(layout.thumb(weight), maps[1].pixels, config.thumbs)
    return _Written((tile, weight, count, catalogue, thumb, weight_thumb), checksum)
