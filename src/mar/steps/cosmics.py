"""Cosmic rays: found by their sharp edges with L.A.Cosmic (van Dokkum 2001, PASP 113, 1420), and marked only.

The program is `astroscrappy` (McCully et al. 2018), in overlapping bands of rows. Its fast, separable
medians take some cores of sharp stars for cosmic rays, so each track that it finds is looked at once more
with the full medians of the paper.
"""

from typing import NamedTuple

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
NEAR_PX = 6  # how far from a track of the first round later rounds may find more of it
TOUCHING = np.ones((3, 3), dtype=bool)


Box = tuple[slice, slice]


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
    """Boolean (ny, nx): pixels hit by cosmic rays. It does not depend on the height of the bands.

    The first round looks at the whole frame, the later ones only around the tracks that it found: elsewhere
    nothing was cleaned, and they would see what the first one saw.
    """
    sky = sky or estimate(frame.data, frame.mask, config.sky_mesh)
    seen = _Seen(frame, sky.level(), sky.rms_adu, camera, config)
    ny, nx = frame.data.shape
    found = np.zeros((ny, nx), dtype=bool)
    for y in range(0, ny, config.band_rows):
        band = slice(y, min(ny, y + config.band_rows)), slice(0, nx)
        found[band] = _tracks_in(seen, band, REACH_PX, rounds=1)
    if config.iterations > 1:
        tracks, _ = ndimage.label(found, TOUCHING)
        for box in ndimage.find_objects(tracks):
            near = _grown(box, NEAR_PX, (ny, nx))
            found[near] |= _tracks_in(seen, near, 2 * REACH_PX, config.iterations)
    return found


class _Seen(NamedTuple):
    """What the search looks at."""

    frame: Frame
    level: np.ndarray
    noise_adu: float
    camera: Camera
    config: Cosmics


def _grown(box: Box, margin: int, shape: tuple[int, int]) -> Box:
    """The box with a margin on all sides, within an image of that shape."""
    (rows, columns), (ny, nx) = box, shape
    return (
        slice(max(0, rows.start - margin), min(ny, rows.stop + margin)),
        slice(max(0, columns.start - margin), min(nx, columns.stop + margin)),
    )


def _tracks_in(seen: _Seen, box: Box, margin: int, rounds: int) -> np.ndarray:
    """Boolean pixels of tracks within a box, found with so much of its surroundings in sight."""
    ny, nx = seen.frame.data.shape
    wide = _grown(box, margin, (ny, nx))
    part = seen.frame.replace(
        data=np.ascontiguousarray(seen.frame.data[wide], dtype=np.float32),
        mask=None if seen.frame.mask is None else seen.frame.mask[wide],
    )
    level = np.ascontiguousarray(seen.level[wide])
    left_out = _left_out(part, seen.config)
    # the sky goes in as a background of known noise: no figure of the part's own then sets a limit
    hit, _ = astroscrappy.detect_cosmics(
        part.data,
        inmask=left_out,
        inbkg=level,
        gain=seen.camera.gain,
        readnoise=seen.camera.read_noise_e,
        satlevel=np.inf,
        sigclip=seen.config.sigclip,
        sigfrac=seen.config.sigfrac,
        objlim=seen.config.objlim,
        niter=rounds,
    )
    hit &= ~left_out
    tracks = _without_stars(hit, part.data - level, seen.config.starlim, seen.noise_adu)
    y, x = box[0].start - wide[0].start, box[1].start - wide[1].start
    return tracks[y : y + box[0].stop - box[0].start, x : x + box[1].stop - box[1].start]


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
