"""Which objects would not have been found without the wings of a brighter neighbour (SExtractor's CLEAN)."""

import numpy as np

from mar.kernels.deblend import ABCOR, CXX, CXY, CYY, FLUX, MTHRESHOLD, NPIX, THRESHOLD, A, B, X, Y
from mar.kernels.jit import jit

ZONE = 20.0  # major axes of the brighter object that its wings are followed to


@jit
def eaten_by(objects: np.ndarray, by_row: np.ndarray) -> np.ndarray:
    """Index (n,) of the brighter object whose wings explain each object, itself where there is none.

    `objects` (n, FIELDS), `by_row` their indices in order of Y. The wings are a Moffat profile of exponent 1
    through threshold and flux; they explain an object where they exceed what its pixels of the least
    area rise above the threshold. Of several the brightest wing counts; who is eaten eats for the eater.
    """
    n = objects.shape[0]
    eater = np.arange(n)
    light = np.zeros(n)
    for j in range(n):
        bright = objects[j]
        area = np.pi * bright[A] * bright[B]
        height = bright[FLUX] / (2.0 * area * bright[ABCOR])
        steep = (height / bright[THRESHOLD] - 1.0) * area / bright[NPIX]
        zone = ZONE * bright[A]
        low, high = 0, n
        while low < high:  # the first object within the zone
            middle = (low + high) // 2
            if objects[by_row[middle], Y] < bright[Y] - zone:
                low = middle + 1
            else:
                high = middle
        for k in range(low, n):
            i = by_row[k]
            if objects[i, Y] > bright[Y] + zone:
                break
            dx, dy = objects[i, X] - bright[X], objects[i, Y] - bright[Y]
            if objects[i, FLUX] >= bright[FLUX] or dx * dx + dy * dy > zone * zone:
                continue
            far = bright[CXX] * dx * dx + bright[CYY] * dy * dy + bright[CXY] * dx * dy
            wing = height / (1.0 + steep * far)
            if steep * far > 0.0 and wing > objects[i, MTHRESHOLD] and wing > light[i]:
                light[i], eater[i] = wing, j
    for i in range(n):
        while eater[eater[i]] != eater[i]:
            eater[i] = eater[eater[i]]
    return eater
