"""Detect sources and measure them, as SExtractor does (Bertin & Arnouts 1996), with its names and units."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import sep
from astropy.table import Table, vstack

from mar.config.reduction import Reduction
from mar.errors import BadImage
from mar.kernels import windows
from mar.masks import Bit, empty_mask
from mar.steps.background import Background

EXCLUDED = Bit.BAD | Bit.COSMIC | Bit.TRAIL | Bit.HOLE
"""Pixels with these bits are never measured; saturated ones are, and their source is flagged."""

FLAG_BLENDED, FLAG_SATURATED, FLAG_TRUNCATED, FLAG_APERTURE, FLAG_OVERFLOW = 2, 4, 8, 16, 64
NO_MAGNITUDE = 99.0
KRON_FACTOR, KRON_LEAST = 2.5, 3.5
ROWS, OVERLAP = 1024, 192  # detection goes in bands of rows: memory hardly grows with the frame
_FILTER = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]], dtype=np.float32)
_DEGREES = 180.0 / np.pi


class _Strip(NamedTuple):
    """A band of rows, ready to be measured; `first` is the row of the frame that it starts at."""

    raw: np.ndarray  # as the frame has it, ADU
    subtracted: np.ndarray  # without its background
    data: np.ndarray  # the same, zero where excluded
    rms: np.ndarray
    mask: np.ndarray
    excluded: np.ndarray  # boolean
    first: int
    core: tuple[int, int]  # rows of the frame whose sources belong to this band


def detect(
    data: np.ndarray,
    mask: np.ndarray | None,
    background: Background,
    config: Reduction,
    *,
    gain: float,
    apertures_px: tuple[float, ...] = (5.0, 10.0),
) -> Table:
    """Detect and measure the sources of an image.

    `data` (ny, nx) float32 in ADU, not background-subtracted; `mask` (ny, nx) uint8; `gain` in e-/ADU;
    `apertures_px` are the diameters of FLUX_APER. Gives a table with SExtractor's names and units, positions
    counted from 1. Raises BadImage where a large part of the image is above the threshold.
    """
    strips = _strips(data, mask, background)
    tables = [_measure(strip, config, gain, apertures_px) for strip in strips]
    table = vstack(tables, join_type="exact", metadata_conflicts="silent")
    table["NUMBER"] = np.arange(1, len(table) + 1, dtype=np.int32)
    return table


def _strips(data: np.ndarray, mask: np.ndarray | None, background: Background) -> Iterator[_Strip]:
    mask = empty_mask(data.shape) if mask is None else mask
    subtracted, noise = background.subtracted_from(data), background.rms()
    for start in range(0, data.shape[0], ROWS):
        stop = min(data.shape[0], start + ROWS)
        rows = slice(max(0, start - OVERLAP), min(data.shape[0], stop + OVERLAP))
        bits = np.ascontiguousarray(mask[rows])
        excluded = ((bits & np.uint8(EXCLUDED)) != 0) | ~np.isfinite(subtracted[rows])
        here = np.where(excluded, np.float32(0.0), subtracted[rows])
        yield _Strip(
            data[rows], subtracted[rows], here, noise[rows], bits, excluded, rows.start, (start, stop)
        )


def _measure(strip: _Strip, config: Reduction, gain: float, apertures_px: tuple[float, ...]) -> Table:
    found, segments = _extract(strip, config)
    centre_row = found["y"] + strip.first + 0.5
    usable = (centre_row >= strip.core[0]) & (centre_row < strip.core[1])
    usable &= np.isfinite(found["a"]) & (found["b"] > 0)
    labels = np.flatnonzero(usable).astype(np.int32) + 1
    found = found[usable]
    columns: dict[str, tuple[np.ndarray, str]] = {"NUMBER": (labels, "")}
    columns |= _isophotal(strip, found)
    columns |= _photometry(strip, found, labels, segments, gain, config.cat_zeropoint, apertures_px)
    flags = columns.pop("_FLAGS")[0] | _extraction_flags(found["flag"])
    half_light = columns["FLUX_RADIUS"][0]
    windowed, bits = _windowed(strip, found, half_light, gain)
    columns |= windowed
    bits |= _isophotal_bits(strip.mask, segments, labels)
    flags |= np.where(bits & Bit.SATURATED, FLAG_SATURATED, 0)
    columns["FLAGS"] = flags.astype(np.int16), ""
    columns["IMAFLAGS_ISO"] = bits.astype(np.int16), ""
    return _table(columns)


def _extract(strip: _Strip, config: Reduction) -> tuple[np.ndarray, np.ndarray]:
    """The detections of a band, and the map (int32) of the pixels that belong to each."""
    threshold = config.cat_detect_thresh
    above = np.count_nonzero(strip.data > threshold * strip.rms)
    if above > 0.5 * strip.data.size:
        raise BadImage(
            f"{100 * above / strip.data.size:.0f} % of rows {strip.core[0] + 1}-{strip.core[1]} lie above "
            "the detection threshold: the background or its noise is wrong"
        )
    # sep keeps these two limits for the whole process: never lower them, another thread may count on them
    sep.set_extract_pixstack(max(sep.get_extract_pixstack(), 300_000, 2 * int(above)))
    sep.set_sub_object_limit(max(sep.get_sub_object_limit(), 8192))
    try:
        found, segments = sep.extract(
            strip.data,
            threshold,
            err=strip.rms,
            mask=strip.excluded,
            minarea=config.cat_detect_minarea,
            filter_kernel=_FILTER,
            filter_type="conv",
            segmentation_map=True,
        )
    except Exception as error:
        # sep has no exceptions of its own: where a limit is reached it raises a plain Exception, nothing else
        if type(error) is not Exception:
            raise
        raise BadImage(f"rows {strip.core[0] + 1}-{strip.core[1]} are too crowded: {error}") from error
    return found, segments


def _isophotal(strip: _Strip, found: np.ndarray) -> dict[str, tuple[np.ndarray, str]]:
    x, y = found["x"], found["y"]
    row = np.clip(np.rint(y).astype(int), 0, strip.data.shape[0] - 1)
    column = np.clip(np.rint(x).astype(int), 0, strip.data.shape[1] - 1)
    return {
        "X_IMAGE": (x + 1, "pixel"),
        "Y_IMAGE": (y + strip.first + 1, "pixel"),
        "A_IMAGE": (found["a"].astype(np.float32), "pixel"),
        "B_IMAGE": (found["b"].astype(np.float32), "pixel"),
        "THETA_IMAGE": (np.float32(_DEGREES) * found["theta"].astype(np.float32), "deg"),
        "ELLIPTICITY": ((1 - found["b"] / found["a"]).astype(np.float32), ""),
        "ELONGATION": ((found["a"] / found["b"]).astype(np.float32), ""),
        "ISOAREA_IMAGE": (found["npix"].astype(np.int32), "pixel2"),
        "FLUX_ISO": (found["flux"].astype(np.float32), "count"),
        "FLUX_MAX": (found["peak"].astype(np.float32), "count"),
        "BACKGROUND": ((strip.raw[row, column] - strip.subtracted[row, column]).astype(np.float32), "count"),
    }


def _photometry(
    strip: _Strip,
    found: np.ndarray,
    labels: np.ndarray,
    segments: np.ndarray,
    gain: float,
    zeropoint: float,
    apertures_px: tuple[float, ...],
) -> dict[str, tuple[np.ndarray, str]]:
    """Kron and aperture fluxes; pixels that belong to a neighbour are left out and made up for."""
    x, y, a, b = found["x"], found["y"], found["a"], found["b"]
    theta = np.clip(found["theta"], -np.pi / 2, np.pi / 2)
    alone = {"mask": strip.excluded, "seg_id": labels, "segmap": segments}
    kron, _ = sep.kron_radius(strip.data, x, y, a, b, theta, 6.0, **alone)
    kron = np.maximum(np.nan_to_num(KRON_FACTOR * kron), KRON_LEAST)
    flux, error, flag = sep.sum_ellipse(
        strip.data, x, y, a, b, theta, kron, err=strip.rms, gain=gain, subpix=5, **alone
    )
    radius, _ = sep.flux_radius(strip.data, x, y, 6.0 * a, 0.5, normflux=flux, mask=strip.excluded, subpix=5)
    around, around_error = _apertures(strip, x, y, gain, apertures_px)
    magnitude, magnitude_error = magnitudes(flux, error, zeropoint)
    aper_magnitude, aper_magnitude_error = magnitudes(around, around_error, zeropoint)
    return {
        "FLUX_AUTO": (flux.astype(np.float32), "count"),
        "FLUXERR_AUTO": (error.astype(np.float32), "count"),
        "MAG_AUTO": (magnitude, "mag"),
        "MAGERR_AUTO": (magnitude_error, "mag"),
        "KRON_RADIUS": (kron.astype(np.float32), ""),
        "FLUX_RADIUS": (np.nan_to_num(radius).astype(np.float32), "pixel"),
        "FLUX_APER": (around.astype(np.float32), "count"),
        "FLUXERR_APER": (around_error.astype(np.float32), "count"),
        "MAG_APER": (aper_magnitude, "mag"),
        "MAGERR_APER": (aper_magnitude_error, "mag"),
        "_FLAGS": (np.where(flag & sep.APER_TRUNC, FLAG_APERTURE, 0), ""),
    }


def _apertures(
    strip: _Strip, x: np.ndarray, y: np.ndarray, gain: float, apertures_px: tuple[float, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Fluxes and errors (n, k) in k circles about each source."""
    sums = [
        sep.sum_circle(strip.data, x, y, d / 2, err=strip.rms, gain=gain, subpix=5, mask=strip.excluded)
        for d in apertures_px
    ]
    return np.stack([flux for flux, _, _ in sums], axis=1), np.stack([error for _, error, _ in sums], axis=1)


def magnitudes(flux: np.ndarray, error: np.ndarray, zeropoint: float) -> tuple[np.ndarray, np.ndarray]:
    """Magnitudes and their errors; 99 where the flux is not positive, as SExtractor writes."""
    positive = flux > 0
    safe = np.where(positive, flux, 1.0)
    magnitude = np.where(positive, zeropoint - 2.5 * np.log10(safe), NO_MAGNITUDE)
    spread = np.where(positive, 2.5 / np.log(10) * error / safe, NO_MAGNITUDE)
    return magnitude.astype(np.float32), spread.astype(np.float32)


def _windowed(
    strip: _Strip, found: np.ndarray, half_light_px: np.ndarray, gain: float
) -> tuple[dict[str, tuple[np.ndarray, str]], np.ndarray]:
    """Centroids under a Gaussian window as wide as the source, with errors; and the mask bits beneath."""
    sigma = np.clip(np.nan_to_num(2.0 / 2.35 * half_light_px), 0.5, 20.0).astype(float)
    x, y, _ = sep.winpos(strip.data, found["x"], found["y"], sigma, mask=strip.excluded)
    # a window that wandered off to a neighbour tells nothing
    lost = ~(np.hypot(x - found["x"], y - found["y"]) < 2 * sigma)
    x, y = np.where(lost, found["x"], x), np.where(lost, found["y"], y)
    figures = np.empty((len(x), windows.FIGURES))
    windows.measure_windows(
        strip.data, strip.rms, strip.mask, int(EXCLUDED), x, y, sigma, float(gain), figures
    )
    xx, yy, xy = (figures[:, key] for key in (windows.ERRX2, windows.ERRY2, windows.ERRXY))
    mean, half = (xx + yy) / 2, np.hypot((xx - yy) / 2, xy)
    columns = {
        "XWIN_IMAGE": (x + 1, "pixel"),
        "YWIN_IMAGE": (y + strip.first + 1, "pixel"),
        "ERRAWIN_IMAGE": (np.sqrt(mean + half).astype(np.float32), "pixel"),
        "ERRBWIN_IMAGE": (np.sqrt(np.maximum(mean - half, 0)).astype(np.float32), "pixel"),
        "ERRTHETAWIN_IMAGE": ((0.5 * _DEGREES * np.arctan2(2 * xy, xx - yy)).astype(np.float32), "deg"),
        "SNR_WIN": (figures[:, windows.SNR].astype(np.float32), ""),
        "FWHM_IMAGE": (figures[:, windows.FWHM].astype(np.float32), "pixel"),
    }
    return columns, figures[:, windows.BITS].astype(np.int64)


def _extraction_flags(flag: np.ndarray) -> np.ndarray:
    """SExtractor's flags from sep's."""
    return (
        np.where(flag & sep.OBJ_MERGED, FLAG_BLENDED, 0)
        | np.where(flag & sep.OBJ_TRUNC, FLAG_TRUNCATED, 0)
        | np.where(flag & sep.OBJ_DOVERFLOW, FLAG_OVERFLOW, 0)
    )


def _isophotal_bits(mask: np.ndarray, segments: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """OR of the mask over the pixels of each source."""
    inside = (mask != 0) & (segments > 0)
    bits = np.zeros(max(int(segments.max(initial=0)), int(labels.max(initial=0))) + 1, dtype=np.int64)
    np.bitwise_or.at(bits, segments[inside], mask[inside].astype(np.int64))
    return bits[labels]


def _table(columns: dict[str, tuple[np.ndarray, str]]) -> Table:
    table = Table()
    for name, (values, unit) in columns.items():
        table[name] = values
        if unit:
            table[name].unit = unit
    return table
