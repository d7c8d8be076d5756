"""Cosmic rays: found by their sharp edges with L.A.Cosmic (van Dokkum 2001, PASP 113, 1420), and marked only.

The program is `astroscrappy` (McCully et al. 2018), in overlapping bands of rows. Its fast, separable
medians take some cores of sharp stars for cosmic rays, so each track that it finds is looked at once more
with the full medians of the paper.
"""

from collections.abc import Iterator

import astroscrappy
import numpy as np
from scipy import ndimage

from mar.camera import Camera
from mar.config.cosmics import Cosmics
from mar.frame import Frame, recorded
from mar.kernels.contrast import laplacian_contrast
from mar.masks import Bit
from mar.steps.background import Background, estimate

REACH_PX = 12  # how far one round of L.A.Cosmic looks: medians of 9 of medians of 5, two growths, the repair
TOUCHING = np.ones((3, 3), dtype=bool)


@recorded("MAR COSMICS")
def mark_cosmics(frame: Frame, camera: Camera, config: Cosmics, sky: Background | None = None) -> Frame:
    """Set bit COSMIC where a cosmic ray hit; the pixels keep their values.

    `frame` is in ADU, overscan-free, with its sky; bad and saturated pixels must be marked before. `sky`
    saves the measurement where it is known. Header: MAR COSMICS NPIX, the number of pixels marked.
    """
    found = find_cosmics(frame, camera, config, sky)
    mask = frame.own_mask()
    np.bitwise_or(mask, np.uint8(Bit.COSMIC), out=mask, where=found)
    return frame.replace(mask=mask).with_cards(
        {"MAR COSMICS NPIX": (int(found.sum()), "Pixels hit by cosmic rays")}
    )


def find_cosmics(frame: Frame, camera: Camera, config: Cosmics, sky: Background | None = None) -> np.ndarray:
    """Boolean (ny, nx): pixels hit by cosmic rays. It does not depend on the height of the bands."""
    sky = sky or estimate(frame.data, frame.mask, config.sky_mesh)
    level = sky.level()
    found = np.zeros(frame.data.shape, dtype=bool)
    for rows, wide in _bands(frame.data.shape[0], config):
        part = frame.replace(
            data=np.ascontiguousarray(frame.data[wide], dtype=np.float32),
            mask=None if frame.mask is None else frame.mask[wide],
        )
        hit = _find_in_band(part, level[wide], camera, config, sky.rms_adu)
        found[rows] = hit[rows.start - wide.start :][: rows.stop - rows.start]
    return found


def _bands(ny: int, config: Cosmics) -> Iterator[tuple[slice, slice]]:
    """Rows of each band, and the wider rows that decide about them."""
    margin = REACH_PX * config.iterations
    for y in range(0, ny, config.band_rows):
        rows = slice(y, min(ny, y + config.band_rows))
        yield rows, slice(max(0, rows.start - margin), min(ny, rows.stop + margin))


def _find_in_band(
    band: Frame, level: np.ndarray, camera: Camera, config: Cosmics, noise_adu: float
) -> np.ndarray:
    left_out = _left_out(band, config)
    # the sky goes in as a background of known noise: no figure of the band's own then sets a limit
    hit, _ = astroscrappy.detect_cosmics(
        band.data,
        inmask=left_out,
        inbkg=level,
        gain=camera.gain,
        readnoise=camera.read_noise_e,
        satlevel=np.inf,
        sigclip=config.sigclip,
        sigfrac=config.sigfrac,
        objlim=config.objlim,
        niter=config.iterations,
    )
    hit &= ~left_out
    return _without_stars(hit, band.data - level, config.starlim, noise_adu)


def _left_out(band: Frame, config: Cosmics) -> np.ndarray:
    """Bad pixels, and saturated ones with their surroundings, whose edges are as sharp as cosmic rays."""
    saturated = band.bits(Bit.SATURATED)
    if config.grow_saturated and saturated.any():
        saturated = ndimage.binary_dilation(saturated, TOUCHING, iterations=config.grow_saturated)
    return saturated | band.bits(Bit.BAD)


def _without_stars(hit: np.ndarray, residual: np.ndarray, starlim: float, noise_adu: float) -> np.ndarray:
    """Keep the tracks with a pixel sharper than any star."""
    tracks, number = ndimage.label(hit, TOUCHING)
    if number == 0:
        return hit
    ys, xs = np.nonzero(hit)
    sharp = laplacian_contrast(residual, ys, xs, 0.01 * noise_adu) > starlim
    kept = np.zeros(number + 1, dtype=bool)
    kept[tracks[ys[sharp], xs[sharp]]] = True
    return kept[tracks]
