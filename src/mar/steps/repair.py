"""Repair: cosmetic values for masked pixels, from the good pixels around them. The masks stay as they are."""

import numpy as np
from scipy.ndimage import distance_transform_edt, map_coordinates, median_filter

from mar.config.reduction import Reduction
from mar.config.repair import Repair
from mar.frame import Frame, recorded
from mar.kernels.boxes import box_statistics
from mar.kernels.repair import IDW, LINEAR, MEDIAN, group_areas, interpolate, runs_not_finite, runs_of
from mar.masks import UNUSABLE, Bit

METHODS = {"idw": IDW, "median": MEDIAN, "linear": LINEAR}
NOT_SKY = 255 & ~int(Bit.OBJECT)
SAMPLE = 40  # pixels of a mesh that are looked at, along each side
LEAST = 30  # usable ones that it needs
NO_MASK = np.zeros((0, 0), dtype=np.uint8)


@recorded("MAR REPAIR")
def repair_masked(frame: Frame, config: Repair, reduction: Reduction) -> Frame:
    """Give pixels with the bits PIXCOR_MASKVALUES the values of their surroundings; ADU in, ADU out.

    PIXCOR_MODE `morphology` leaves touching groups of more than PIXCOR_MAXAREA pixels alone; `pixels` looks
    at each pixel by itself. Left alone are also saturated pixels, and those whose surroundings are more
    than `core_sigma` above the sky: a star's core is not to be invented. Pixels that are not finite get the
    surroundings' value, else the sky's, in any case: the product holds no NaN. Header: MAR REPAIR NPIX.
    """
    image = np.ascontiguousarray(frame.data, dtype=np.float32)
    mask = NO_MASK if frame.mask is None else frame.mask
    bits = int(np.bitwise_or.reduce(np.array(reduction.pixcor_maskvalues or (0,), dtype=np.int64))) & 255
    asked = runs_of(mask, bits, int(Bit.SATURATED))
    if reduction.pixcor_mode == "morphology":
        asked = asked[group_areas(asked) <= reduction.pixcor_maxarea]
    lost = _pixels(runs_not_finite(image), image.shape[1])
    at = np.union1d(_pixels(asked, image.shape[1]), lost)
    data = image.copy()
    if at.size == 0:
        return frame.replace(data=data).with_cards(_count(0))
    ys, xs = np.divmod(at, image.shape[1])
    method = METHODS[reduction.pixcor_interpolator]
    values = interpolate(image, mask, bits | int(UNUSABLE), ys, xs, method, config.largest_radius)
    level, noise = _sky_at(image, mask, config.sky_mesh, ys, xs)
    replaced = values < level + config.core_sigma * noise  # False for NaN
    is_lost = np.isin(at, lost, assume_unique=True)
    values = np.where(is_lost & np.isnan(values), level, values)
    replaced |= is_lost
    data.ravel()[at[replaced]] = values[replaced]
    return frame.replace(data=data).with_cards(_count(int(replaced.sum())))


def _count(pixels: int) -> dict[str, tuple[int, str]]:
    return {"MAR REPAIR NPIX": (pixels, "Pixels with a repaired value")}


def _pixels(runs: np.ndarray, nx: int) -> np.ndarray:
    """The flat places of the pixels of runs (n, 3), ascending."""
    lengths = runs[:, 2] - runs[:, 1]
    begun = np.repeat(np.cumsum(lengths) - lengths, lengths)
    return np.repeat(runs[:, 0] * nx + runs[:, 1], lengths) + np.arange(lengths.sum()) - begun


def _sky_at(
    image: np.ndarray, mask: np.ndarray, mesh: int, ys: np.ndarray, xs: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Level and noise (ADU) of the sky at pixels (ys, xs), from the modes of meshes; 0 where there is none.

    A sample of each mesh is looked at, and a median over 3 x 3 meshes drops those with a bright object.
    """
    edges = [np.linspace(0, n, max(1, round(n / mesh)) + 1).round().astype(np.int64) for n in image.shape]
    boxes = np.empty((edges[0].size - 1, edges[1].size - 1, 3))
    box_statistics(image, mask, NOT_SKY, edges[0], edges[1], max(1, mesh // SAMPLE), LEAST, boxes)
    empty = ~np.isfinite(boxes[..., 0])
    if empty.all():
        return np.zeros(ys.size), np.zeros(ys.size)
    nearest = tuple(distance_transform_edt(empty, return_distances=False, return_indices=True))
    places = [
        (at + 0.5) * (e.size - 1) / n - 0.5 for at, e, n in zip((ys, xs), edges, image.shape, strict=True)
    ]
    maps = (median_filter(boxes[..., kind][nearest], 3, mode="nearest") for kind in (0, 2))
    level, noise = (map_coordinates(one, places, order=1, mode="nearest") for one in maps)
    return level, noise
