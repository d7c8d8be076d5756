"""Processed frames of one field and band become a tile with its weight and count maps and its catalogue."""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import numpy as np
from astropy.io.fits import Header
from astropy.table import Table

from mar.camera import Camera
from mar.config import Config
from mar.errors import MarError, NotEnoughFrames
from mar.exposure import read_exposure
from mar.frame import set_cards
from mar.io import tile_index
from mar.io.catalogs import read_catalog, write_catalog
from mar.io.fits import ImageReader, RowWriter, open_image, scratch_rows, stem, write_image
from mar.io.names import Layout
from mar.io.tile_index import IndexedFrame, IndexWriter, index_writer
from mar.masks import Bit
from mar.progress import Progress, silent
from mar.recipes.tile import FrameInput, TilePlan, TileWriters, plan_tile, write_tile
from mar.recipes.tile_header import DroppedFrame, dropped_in, joined_header, tell_dropped
from mar.refcat.packs import julian_year
from mar.run.earlier_tile import EarlierTile, open_earlier
from mar.run.inspection import index_of
from mar.run.processed import inputs_in, remove_other_spelling, statistics_of
from mar.run.products import Dropped, TileProducts
from mar.run.provenance import provenance
from mar.run.thumbs import write_thumb
from mar.run.tile_figures import TileFigures, measure_tile
from mar.run.tile_page import write_tile_page
from mar.steps.flux_scale import good_stars
from mar.steps.grid import Grid, field_grid, wcs_cards
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
    add: bool = False,
) -> TileProducts:
    """Coadd processed frames onto the field's grid around `centre` (RA, DEC in degrees).

    Without a centre it is where the first frame points. Frames that cannot be used are dropped with the
    reason. With `add` they go into the tile that there is, of weighted means, whose frames are not read
    again. Raises NotEnoughFrames where none is left, BadConfig where the tile takes no further frame.
    """
    with ExitStack() as files:
        earlier = open_earlier(frames, field, band, layout, config, files) if add else None
        inputs, images, dropped = _open(frames, layout, camera, config, files)
        if not inputs:
            left_out = {stem(one.path): one.reason for one in dropped}
            raise NotEnoughFrames(f"no frame of {field} {band} can be used: {_said(dropped)}", left_out)
        grid = earlier.grid if earlier else _grid(centre, inputs[0], camera, config)
        maps = _maps(field, band, grid, layout, files)
        index = files.enter_context(index_writer(layout.scratch / f".{os.getpid()}-{field}_{band}.runs.tmp"))
        indexed = index.go_on_from(earlier.index) if earlier and earlier.index else []
        plan = _plan(inputs, dropped, grid, earlier, camera, config, progress)
        coadded = write_tile(
            plan, TileWriters(*maps, index), progress, base=earlier.maps if earlier else None
        )
        by_name = {stem(path): path for path in frames}
        used = [by_name[one.name] for one in plan.used]
        # asked for only now: the bytes that passed meanwhile have been added up
        checksums = {one.name: images[one.name].checksum for one in plan.used}
        earliest = min(one.exposure.date_obs for one in inputs if by_name[one.exposure.name] in used)
        earliest = min(earliest, earlier.date) if earlier else earliest
        dropped += [Dropped(by_name[one.name], one.reason) for one in plan.dropped]
        header = joined_header(earlier.header, plan.header) if earlier else plan.header
        set_cards(header, {"OBJECT": (field, "field"), "FILTER": (band, "band")})
        before = [one for one in dropped_in(earlier.header) if one.name not in by_name] if earlier else []
        tell_dropped(header, before + [DroppedFrame(stem(one.path), one.reason) for one in dropped])
        made_of = inputs_in(earlier.header) if earlier else {}
        made_of |= {by_name[name].name: checksum for name, checksum in checksums.items()}
        set_cards(header, provenance(config, made_of, layout.job))
        progress("measure", 0, 1)
        with ThreadPoolExecutor(1) as aside:
            beside = aside.submit(_write_beside, field, band, maps, header.copy(), layout, config, files)
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
            written = beside.result()
        set_cards(header, figures.cards)
        _write_index(
            index, indexed, plan, inputs, checksums, earlier, layout.tile(field, band, False), config
        )
        write_tile_page(layout.tile_page(field, band), f"{field} {band}", figures, grid)
        products = _write(field, band, maps, written, header, figures, layout, config)
    progress("measure", 1, 1)
    return TileProducts(
        *products.paths,
        statistics=statistics_of(header),
        crval1=float(header["CRVAL1"]),
        crval2=float(header["CRVAL2"]),
        date=earliest,
        ncombine=int(header["NCOMBINE"]),
        zeropoint=figures.zeropoint,
        fwhm=figures.fwhm,
        ellipticity=figures.ellipticity,
        depth=figures.depth,
        astrometric_rms=figures.astrometric_rms,
        checksum=products.checksum,
        used=used,
        dropped=dropped,
    )


def _plan(
    inputs: Sequence[FrameInput],
    dropped: Sequence[Dropped],
    grid: Grid,
    earlier: EarlierTile | None,
    camera: Camera,
    config: Config,
    progress: Progress,
) -> TilePlan:
    """The plan of a tile; where no frame is left, the error has the reasons of all that were dropped."""
    stars = earlier.stars if earlier else None
    try:
        return plan_tile(inputs, grid, camera, config.coadd, config.swarp, progress, stars)
    except NotEnoughFrames as error:
        before = {stem(one.path): one.reason for one in dropped}
        raise NotEnoughFrames(str(error), before | error.left_out) from error


def _open(
    frames: Sequence[Path], layout: Layout, camera: Camera, config: Config, files: ExitStack
) -> tuple[list[FrameInput], dict[str, ImageReader], list[Dropped]]:
    inputs, images, dropped = [], {}, []
    for path in frames:
        raw_name = stem(path).removeprefix("proc_")
        try:
            image = files.enter_context(open_image(path))
            if image.header.get("ASTROMETRY") != "SUCCESS":
                raise NotEnoughFrames("it has no astrometric solution")
            mask = files.enter_context(open_image(layout.bpmask(raw_name)))
            exposure = read_exposure(image.header, camera, stem(path))
            catalogue = layout.frame_catalog(raw_name)
            table = _stars(catalogue, config) if catalogue.exists() else None
        except MarError as error:
            dropped.append(Dropped(path, str(error)))
            continue
        inputs.append(FrameInput(image, mask, image.header, exposure, table))
        images[exposure.name] = image
    return inputs, images, dropped


def _stars(catalogue: Path, config: Config) -> Table:
    """What the coadd needs of a frame's catalogue: a hundred whole ones would not be small."""
    stars = good_stars(read_catalog(catalogue), config.coadd.star_min_snr)
    return stars["ALPHA_J2000", "DELTA_J2000", "FLUX_AUTO", "FLUXERR_AUTO", "FWHM_IMAGE", "FLAGS"]


def _write_index(
    index: IndexWriter,
    before: list[IndexedFrame],
    plan: TilePlan,
    inputs: Sequence[FrameInput],
    checksums: Mapping[str, str],
    earlier: EarlierTile | None,
    tile: Path,
    config: Config,
) -> None:
    """Write the index, or remove an old one that does not know all frames."""
    if config.coadd.provenance and (earlier is None or before):
        now = _indexed(plan, {one.exposure.name: one.header for one in inputs}, checksums)
        index.finish(index_of(tile), before + now, plan.grid.header())
    else:
        index_of(tile).unlink(missing_ok=True)


def _indexed(
    plan: TilePlan, headers: Mapping[str, Header], checksums: Mapping[str, str]
) -> list[IndexedFrame]:
    return [
        IndexedFrame(
            one.name,
            checksums[one.name],
            placed.rows.shape,
            wcs_cards(headers[one.name]),
            placed.weights_over(tile_index.STEP),
        )
        for one, placed in zip(plan.used, plan.placed, strict=True)
    ]


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


def _write_beside(
    field: str,
    band: str,
    maps: tuple[RowWriter, RowWriter, RowWriter],
    header: Header,
    layout: Layout,
    config: Config,
    files: ExitStack,
) -> dict[Path, Path]:
    """Write weight and count where no one looks for them yet: product -> file that becomes it."""
    written = {}
    for kind, one in zip(("weight", "count"), maps[1:], strict=True):
        product = layout.tile(field, band, config.config.fpack_tiles, kind)
        waiting = layout.scratch / f".{os.getpid()}-{product.name}"
        files.callback(waiting.unlink, missing_ok=True)
        write_image(waiting, one.pixels, header)
        one.release()
        written[product] = waiting
    return written


class _Written(NamedTuple):
    paths: tuple[Path, Path, Path, Path, Path, Path]  #: tile, weight, count, catalogue, two thumbnails
    checksum: str


def _write(
    field: str,
    band: str,
    maps: tuple[RowWriter, RowWriter, RowWriter],
    written: Mapping[Path, Path],
    header: Header,
    figures: TileFigures,
    layout: Layout,
    config: Config,
) -> _Written:
    """Write the maps first and the tile last: whoever finds a tile finds its weights."""
    tile = layout.tile(field, band, config.config.fpack_tiles)
    catalogue = layout.tile_catalog(field, band)
    write_catalog(catalogue, figures.sources, header)
    weight, count = written
    for product, waiting in written.items():
        product.parent.mkdir(parents=True, exist_ok=True)
        waiting.replace(product)
    checksum = write_image(tile, maps[0].pixels, header)
    for path in (tile, weight, count):
        remove_other_spelling(path)
    thumb = write_thumb(layout.thumb(tile), maps[0].pixels, config.thumbs)
    weight_thumb = write_thumb(layout.thumb(weight), maps[1].pixels, config.thumbs)
    return _Written((tile, weight, count, catalogue, thumb, weight_thumb), checksum)
