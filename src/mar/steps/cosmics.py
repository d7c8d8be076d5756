"""Cosmic rays: found by their sharp edges with L.A.Cosmic (van Dokkum 2001, PASP 113, 1420), and marked only.

L.A.Cosmic takes some cores of sharp stars and many blends of crowded fields for cosmic rays. So each pixel
that it finds is held against the stars of the same frame: it stays if it is sharper than they are, or touches
one that is.
"""

import numpy as np

from mar.camera import Camera
from mar.config.cosmics import Cosmics
from mar.frame import Frame, recorded
from mar.kernels.left_out import LeftOut
from mar.kernels.mesh import Sky
from mar.kernels.sharpness import Sharpness, look_over, sharper_than_stars
from mar.kernels.threads import bands, in_threads
from mar.masks import UNUSABLE, Bit, empty_mask
from mar.steps.background import Cubics
from mar.steps.lacosmic import find_hits, rule_of
from mar.steps.rows import ArrayRows
from mar.steps.sky_mesh import sky_cells

BAND, TOGETHER = 64, 1 << 15  # rows and pixels that a thread looks at together
SOME, MARGIN = 8, 0.06  # of so many bands one tells what the neighbours of stars hold, but for so much
SKY_SAMPLE = 1024  # pixels of a cell that the sky is measured from: its error is 3 % of the noise of a pixel
SKY_FILTER = 3  # cells of the median filter
BRIGHT = 30.0  # sigma of the sky's noise: peaks that tell how sharp stars are
SHARPEST, BINS = 0.25, 50  # of what neighbours hold; no star has less
FEW_PEAKS = 30  # fewer do not tell it
WITHOUT_STARS = 0.45  # what neighbours hold of a star of FWHM 2 pixels
AGREEING = 3.0  # sigmas by which a pixel must be sharper


@recorded("MAR COSMICS")
def mark_cosmics(frame: Frame, camera: Camera, config: Cosmics) -> Frame:
    """Set bit COSMIC where a cosmic ray hit; the pixels keep their values.

    `frame` is in ADU, overscan-free, with its sky; bad and saturated pixels must be marked before. Header:
    MAR COSMICS NPIX, the number of pixels marked.
    """
    hits = np.flatnonzero(find_cosmics(frame, camera, config))
    mask = frame.own_mask()
    mask.flat[hits] |= np.uint8(Bit.COSMIC)
    return frame.replace(mask=mask).with_cards({"MAR COSMICS NPIX": (hits.size, "Pixels hit by cosmic rays")})


def find_cosmics(frame: Frame, camera: Camera, config: Cosmics) -> np.ndarray:
    """Boolean (ny, nx): pixels hit by cosmic rays."""
    image = np.ascontiguousarray(frame.data, dtype=np.float32)
    mask = empty_mask(image.shape) if frame.mask is None else np.ascontiguousarray(frame.mask)
    sky, level_adu, noise_adu = _sky_of(image, mask, config)
    # bad pixels, and saturated ones with their surroundings, whose edges are as sharp as cosmic rays
    left_out = LeftOut(mask, Bit.BAD.value, Bit.SATURATED.value, config.grow_saturated)
    rule = rule_of(config.sigclip, config.sigfrac, config.objlim, camera.gain, camera.read_noise_e)
    loose = _loosest(camera, config, level_adu, noise_adu)
    (ys, xs), held = _look_over(image, sky, left_out, loose, BRIGHT * noise_adu)
    sharp = _beside_stars(loose, held)._replace(sigmas=AGREEING)

    def sure(ys: np.ndarray, xs: np.ndarray) -> np.ndarray:
        return sharper_than_stars(image, sky, ys, xs, sharp)

    chosen = np.empty(ys.size, dtype=bool)

    def choose(part: tuple[int, int]) -> None:
        chosen[slice(*part)] = sure(ys[slice(*part)], xs[slice(*part)])

    in_threads(choose, bands(ys.size, TOGETHER))
    return find_hits(image, sky, left_out, rule, config.iterations, sure, (ys[chosen], xs[chosen]))


def neighbours_of_stars(counts: np.ndarray) -> float:
    """What the neighbours of a star's brightest pixel hold of its height, in the sharpest stars.

    `counts` (BINS,) are those of the bright peaks of the image. The mode: hits of cosmic rays scatter widely,
    stars do not, and those centred on a pixel, the sharpest, are the most alike.
    """
    total = counts.astype(float)
    total[: int(SHARPEST * BINS)] = 0
    if total.sum() < FEW_PEAKS:
        return WITHOUT_STARS
    smooth = np.convolve(total, [1, 2, 3, 2, 1], mode="same")
    return (float(np.argmax(smooth)) + 0.5) / BINS


def _loosest(camera: Camera, config: Cosmics, level_adu: float, noise_adu: float) -> Sharpness:
    """Sharper than a star that is all but flat: whatever the stars are, no hit is without such a pixel."""
    read_variance = camera.read_noise_e**2
    photons = (max(level_adu, 0.0) * camera.gain + read_variance) / camera.gain**2
    return Sharpness(
        straight=config.sharpness,
        diagonal=config.sharpness,
        sigmas=0.0,
        least=config.least_peak,
        gain=camera.gain,
        read_variance=read_variance,
        # in a crowded field the level of the sky is uncertain: by one sigma of its scatter, not by AGREEING
        confusion=max(noise_adu**2 - photons, 0.0) / AGREEING**2,
    )


def _sky_of(image: np.ndarray, mask: np.ndarray, config: Cosmics) -> tuple[Sky, float, float]:
    """The sky, its typical level, and how much one of its pixels scatters about it (ADU)."""
    readers = ArrayRows(image), ArrayRows(mask)
    cells = sky_cells(*readers, int(UNUSABLE), config.sky_mesh, SKY_FILTER, sample=SKY_SAMPLE)
    level = Cubics.through(cells.y, cells.x, cells.level, cells.shape)
    return Sky(level.knots, level.rows), float(np.median(cells.level)), float(np.median(cells.rms))


def _beside_stars(loose: Sharpness, held: float) -> Sharpness:
    """Sharper than stars whose neighbours hold that part of their height."""
    return loose._replace(straight=loose.straight * held, diagonal=loose.diagonal * held**2)


def _look_over(
    image: np.ndarray, sky: Sky, left_out: LeftOut, loose: Sharpness, bright_adu: float
) -> tuple[tuple[np.ndarray, np.ndarray], float]:
    """Rows and columns of what could be sharper than the stars, and what the neighbours of stars hold.

    A few bands of rows tell that nearly; so in the others the cores of stars need not be listed. Should these
    tell that the stars are flatter, all is looked over with that in mind.
    """

    def look(which: list[tuple[int, int]], rule: Sharpness) -> tuple[list[np.ndarray], np.ndarray]:
        def one(band: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
            counts = np.zeros(BINS, dtype=np.int64)
            return look_over(image, sky, left_out, *band, rule, bright_adu, counts), counts

        found = in_threads(one, which)
        return [places for places, _ in found], np.sum([counts for _, counts in found], axis=0)

    whole = bands(image.shape[0], BAND)
    others = [band for n, band in enumerate(whole) if n % SOME]
    first, counts = look(whole[::SOME], loose)
    nearly = min(neighbours_of_stars(counts) + MARGIN, 1.0)
    found, more = look(others, _beside_stars(loose, nearly)) if others else ([], 0)
    held = neighbours_of_stars(counts + more)
    if held > nearly:
        found, _ = look(others, _beside_stars(loose, held))
    ys, xs = np.concatenate(first + found).T
    return (ys, xs), held
