"""Detect sources and measure them, as SExtractor does (Bertin & Arnouts 1996), with its names and units."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from astropy.table import Table

from mar.config.reduction import Reduction
from mar.errors import BadImage
from mar.kernels import deblend, measuring
from mar.kernels.cleaning import eaten_by
from mar.kernels.detection import FIRST, RUN_FIELDS, STOP, find_runs, join_runs, rows_of
from mar.kernels.threads import bands, in_threads
from mar.masks import Bit
from mar.steps.background import Background

EXCLUDED = Bit.BAD | Bit.COSMIC | Bit.TRAIL | Bit.HOLE
"""Pixels with these bits are never measured; saturated ones are, and their source is flagged."""

FLAG_CROWDED, FLAG_BLENDED, FLAG_SATURATED, FLAG_TRUNCATED, FLAG_APERTURE = 1, 2, 4, 8, 16
FLAG_OVERFLOW = 64  # of source-extractor's own catalogues: its deblending gave up; ours does not
NO_MAGNITUDE = 99.0
KRON = (2.5, 3.5)  # factor and least radius of the Kron ellipse, axes
APERTURES_PX = (5.0, 10.0)  # diameters of FLUX_APER
LEVELS, CONTRAST = 32, 0.005  # of the deblending
BAND_ROWS = 256
AT_ONCE = 256  # groups or objects that one thread works on
_DEGREES = 180.0 / np.pi

Columns = dict[str, tuple[np.ndarray, str]]


@dataclass(frozen=True)
class _Sky:
    """An image and its sky as the kernels want them."""

    data: np.ndarray  # (ny, nx) float32
    mask: np.ndarray  # (ny, nx) uint8, or (0, 0)
    levels: np.ndarray
    noises: np.ndarray
    knots: np.ndarray
    least_noise: float

    @classmethod
    def of(cls, data: np.ndarray, mask: np.ndarray | None, background: Background, local: bool) -> "_Sky":
        pixels = np.ascontiguousarray(data, dtype=np.float32)
        bits = np.zeros((0, 0), np.uint8) if mask is None else np.ascontiguousarray(mask)
        levels, noises = background.levels, background.noises.rows
        if not local:
            noises = np.zeros_like(noises)
            noises[:, 3] = background.rms_adu  # the constant term of the cubics
        return cls(pixels, bits, levels.rows, noises, levels.knots, 0.5 * background.rms_adu)


@dataclass(frozen=True)
class _Segments:
    """The pixels above the threshold, as runs of rows, and the objects that they belong to."""

    runs: np.ndarray  # (n, 3): row, first column, column after the last
    starts: np.ndarray  # first run of each row
    offsets: np.ndarray  # first pixel of each run
    owner: np.ndarray  # number of the object of each pixel, from 1; 0 where there is none
    objects: np.ndarray  # (m, deblend.FIELDS)
    numbers: np.ndarray  # what `owner` calls them


def detect(
    data: np.ndarray,
    mask: np.ndarray | None,
    background: Background,
    config: Reduction,
    *,
    gain: float,
    apertures_px: Sequence[float] = APERTURES_PX,
    local_noise: bool = False,
) -> Table:
    """Detect and measure the sources of an image.

    `data` (ny, nx) float32 in ADU, not background-subtracted; `mask` (ny, nx) uint8; `gain` in e-/ADU;
    `apertures_px` are the diameters of FLUX_APER; threshold and errors rest on one noise for the whole frame,
    or with `local_noise` on that of the place, for images that are deeper in some parts. Gives a table with
    SExtractor's names and units, positions counted from 1, in the order of the sources' first pixels. Raises
    BadImage where a large part of the image is above the threshold.
    """
    sky = _Sky.of(data, mask, background, local_noise)
    segments = _segments(sky, config)
    radii = np.asarray(apertures_px, dtype=float) / 2
    found = np.empty((len(segments.objects), measuring.APERTURES + 2 * len(radii)))

    def measure(part: tuple[int, int]) -> None:
        chosen = slice(*part)
        measuring.measure_objects(
            sky.data,
            sky.mask,
            int(EXCLUDED),
            sky.levels,
            sky.noises,
            sky.least_noise,
            sky.knots,
            segments.runs,
            segments.starts,
            segments.offsets,
            segments.owner,
            segments.objects[chosen],
            segments.numbers[chosen],
            float(gain),
            radii,
            KRON,
            found[chosen],
        )

    in_threads(measure, bands(len(found), AT_ONCE))
    return _table(_columns(segments.objects, found, gain, config.cat_zeropoint, len(radii)))


def _segments(sky: _Sky, config: Reduction) -> _Segments:
    """Find the pixels above the threshold, group, deblend and clean them."""
    ny = len(sky.data)
    parts = in_threads(lambda rows: _runs_of(sky, config, rows), bands(ny, BAND_ROWS))
    runs, pixels = (np.concatenate(kind) for kind in zip(*parts, strict=True))
    starts = rows_of(runs, ny)
    groups = join_runs(runs, starts)
    offsets = np.append(0, np.cumsum(runs[:, STOP] - runs[:, FIRST], dtype=np.int64))
    owner = np.zeros(len(pixels), np.int32)
    objects = _split(sky, config, runs, offsets, pixels, groups, owner)
    # from a number within the group to one within the frame
    before = np.searchsorted(objects[:, deblend.GROUP], np.arange(groups.max(initial=0) + 2))
    owner = np.where(owner > 0, owner + np.repeat(before[groups], np.diff(offsets)), 0).astype(np.int32)
    return _cleaned(_Segments(runs, starts, offsets, owner, objects, np.arange(1, len(objects) + 1)))


def _runs_of(sky: _Sky, config: Reduction, rows: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    size = (rows[1] - rows[0]) * sky.data.shape[1]
    runs = np.empty(((size + rows[1] - rows[0]) // 2 + 1, RUN_FIELDS), np.int32)
    pixels = np.empty((size, 3), np.float32)  # room for any; what is not filled takes no memory
    count, filled = find_runs(
        sky.data,
        sky.mask,
        int(EXCLUDED),
        sky.levels,
        sky.noises,
        sky.knots,
        sky.least_noise,
        config.cat_detect_thresh,
        *rows,
        runs,
        pixels,
    )
    if filled > 0.5 * size:
        raise BadImage(
            f"{100 * filled / size:.0f} % of rows {rows[0] + 1}-{rows[1]} lie above the detection threshold: "
            "the background or its noise is wrong"
        )
    return runs[:count].copy(), pixels[:filled].copy()


def _split(
    sky: _Sky,
    config: Reduction,
    runs: np.ndarray,
    offsets: np.ndarray,
    pixels: np.ndarray,
    groups: np.ndarray,
    owner: np.ndarray,
) -> np.ndarray:
    """The objects of all groups; `owner` gets their numbers within their group."""
    order = np.argsort(groups, kind="stable")
    count = int(groups.max(initial=-1)) + 1
    starts = np.searchsorted(groups[order], np.arange(count + 1))

    areas = np.append(0, np.cumsum(np.diff(offsets)[order]))[starts]

    def split(part: tuple[int, int]) -> np.ndarray:
        most = (areas[part[1]] - areas[part[0]]) // deblend.LEAST_BRANCH + part[1] - part[0]
        found = np.empty((most, deblend.FIELDS))
        count = deblend.split_groups(
            runs,
            offsets,
            pixels,
            order,
            starts,
            *part,
            config.cat_detect_minarea,
            LEVELS,
            CONTRAST,
            sky.mask,
            int(Bit.SATURATED),
            sky.data.shape,
            owner,
            found,
        )
        return found[:count].copy()

    parts = in_threads(split, bands(count, AT_ONCE))
    return np.concatenate([np.empty((0, deblend.FIELDS)), *parts])


def _cleaned(segments: _Segments) -> _Segments:
    """Without the objects that are only the wings of a brighter one: their pixels and light are its own."""
    objects = segments.objects
    eater = eaten_by(objects, np.argsort(objects[:, deblend.Y], kind="stable"))
    kept = eater == np.arange(len(objects))
    for k in (deblend.NPIX, deblend.NABOVE, deblend.FLUX_ISO):
        objects[:, k] = np.bincount(eater, weights=objects[:, k], minlength=len(objects))
    owner = np.append(0, eater + 1).astype(np.int32)[segments.owner]
    return _Segments(
        segments.runs, segments.starts, segments.offsets, owner, objects[kept], segments.numbers[kept]
    )


def _columns(
    objects: np.ndarray, found: np.ndarray, gain: float, zeropoint: float, apertures: int
) -> Columns:
    """SExtractor's columns and their units."""
    circles = found[:, measuring.APERTURES :].reshape(len(found), apertures, 2)
    bits = objects[:, deblend.BITS].astype(int) | found[:, measuring.WINDOW_BITS].astype(int)
    noise = found[:, measuring.NOISE]
    iso = objects[:, deblend.FLUX_ISO]
    iso_error = np.sqrt(objects[:, deblend.NPIX] * noise**2 + np.maximum(iso, 0) / gain)
    columns: Columns = {"NUMBER": (np.arange(1, len(objects) + 1, dtype=np.int32), "")}
    columns |= _shapes(objects)
    columns |= _light("ISO", iso, iso_error, zeropoint)
    columns |= {
        "FLUX_MAX": (_single(objects[:, deblend.PEAK]), "count"),
        "BACKGROUND": (_single(found[:, measuring.LEVEL]), "count"),
    }
    columns |= _light("AUTO", found[:, measuring.AUTO], found[:, measuring.AUTO_ERROR], zeropoint)
    columns |= {
        "KRON_RADIUS": (_single(found[:, measuring.KRON]), ""),
        "FLUX_RADIUS": (_single(found[:, measuring.HALF_LIGHT]), "pixel"),
    }
    columns |= _light("APER", circles[..., 0], circles[..., 1], zeropoint)
    columns |= _windowed(found)
    columns |= {
        "FWHM_IMAGE": (_single(objects[:, deblend.FWHM]), "pixel"),
        "FLAGS": (_flags(objects, found, bits), ""),
        "IMAFLAGS_ISO": (bits.astype(np.int16), ""),
    }
    return columns


def _single(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float32)


def _shapes(objects: np.ndarray) -> Columns:
    a, b = objects[:, deblend.A], np.maximum(objects[:, deblend.B], 1e-6)
    return {
        "X_IMAGE": (objects[:, deblend.X] + 1, "pixel"),
        "Y_IMAGE": (objects[:, deblend.Y] + 1, "pixel"),
        "A_IMAGE": (_single(a), "pixel"),
        "B_IMAGE": (_single(b), "pixel"),
        "THETA_IMAGE": (_single(_DEGREES * objects[:, deblend.THETA]), "deg"),
        "ELLIPTICITY": (_single(1 - b / a), ""),
        "ELONGATION": (_single(a / b), ""),
        "ISOAREA_IMAGE": (objects[:, deblend.NABOVE].astype(np.int32), "pixel2"),
    }


def _light(kind: str, flux: np.ndarray, error: np.ndarray, zeropoint: float) -> Columns:
    magnitude, magnitude_error = magnitudes(flux, error, zeropoint)
    return {
        f"FLUX_{kind}": (_single(flux), "count"),
        f"FLUXERR_{kind}": (_single(error), "count"),
        f"MAG_{kind}": (magnitude, "mag"),
        f"MAGERR_{kind}": (magnitude_error, "mag"),
    }


def magnitudes(flux: np.ndarray, error: np.ndarray, zeropoint: float) -> tuple[np.ndarray, np.ndarray]:
    """Magnitudes and their errors; 99 where the flux is not positive, as SExtractor writes."""
    positive = flux > 0
    safe = np.where(positive, flux, 1.0)
    magnitude = np.where(positive, zeropoint - 2.5 * np.log10(safe), NO_MAGNITUDE)
    spread = np.where(positive, 2.5 / np.log(10) * error / safe, NO_MAGNITUDE)
    return magnitude.astype(np.float32), spread.astype(np.float32)


def _windowed(found: np.ndarray) -> Columns:
    """Centroids under a Gaussian window as wide as the source, with the ellipse of their errors."""
    xx, yy, xy = (found[:, key] for key in (measuring.ERR_XX, measuring.ERR_YY, measuring.ERR_XY))
    mean, half = (xx + yy) / 2, np.hypot((xx - yy) / 2, xy)
    return {
        "XWIN_IMAGE": (found[:, measuring.X_WIN] + 1, "pixel"),
        "YWIN_IMAGE": (found[:, measuring.Y_WIN] + 1, "pixel"),
        "ERRAWIN_IMAGE": (_single(np.sqrt(mean + half)), "pixel"),
        "ERRBWIN_IMAGE": (_single(np.sqrt(np.maximum(mean - half, 0))), "pixel"),
        "ERRTHETAWIN_IMAGE": (_single(0.5 * _DEGREES * np.arctan2(2 * xy, xx - yy)), "deg"),
        "SNR_WIN": (_single(found[:, measuring.SNR]), ""),
    }


def _flags(objects: np.ndarray, found: np.ndarray, bits: np.ndarray) -> np.ndarray:
    told = (
        (FLAG_CROWDED, found[:, measuring.CROWDED]),
        (FLAG_BLENDED, objects[:, deblend.MERGED]),
        (FLAG_SATURATED, bits & Bit.SATURATED),
        (FLAG_TRUNCATED, objects[:, deblend.TRUNCATED]),
        (FLAG_APERTURE, found[:, measuring.CUT]),
    )
    flags = np.zeros(len(objects), np.int16)
    for flag, holds in told:
        flags[holds != 0] |= flag
    return flags


def _table(columns: Columns) -> Table:
    table = Table()
    for name, (values, unit) in columns.items():
        table[name] = values
        if unit:
            table[name].unit = unit
    return table
