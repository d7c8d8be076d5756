"""Equal parts of the sky in the nested order of HEALPix (Gorski et al. 2005, ApJ 622, 759)."""

from functools import cache

import numpy as np

from mar.refcat.stars import Cone, unit_vectors

_RING = np.array([2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4])  # of the southern corner of each base pixel
_TURN = np.array([1, 3, 5, 7, 0, 2, 4, 6, 1, 3, 5, 7])  # its longitude, in units of 45 degrees


def pixels_of(ra_deg: np.ndarray, dec_deg: np.ndarray, order: int) -> np.ndarray:
    """Numbers (int64) of the pixels that hold these positions; there are 12 * 4**order."""
    side = 1 << order
    z = np.sin(np.radians(np.asarray(dec_deg, dtype=float)))
    quarter = (np.asarray(ra_deg, dtype=float) % 360) / 90 % 4
    belt, bx, by = _in_the_belt(z, quarter, side)
    cap, cx, cy = _in_a_cap(z, np.asarray(dec_deg, dtype=float), quarter, side)
    low = np.abs(z) <= 2 / 3
    base, x, y = np.where(low, belt, cap), np.where(low, bx, cx), np.where(low, by, cy)
    return base * side**2 + _spread(x) + 2 * _spread(y)


def _in_the_belt(z: np.ndarray, quarter: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rising = np.floor(side * (0.5 + quarter - 0.75 * z)).astype(np.int64)
    falling = np.floor(side * (0.5 + quarter + 0.75 * z)).astype(np.int64)
    right, left = rising // side, falling // side
    base = np.where(right == left, (right & 3) + 4, np.where(right < left, right & 3, (left & 3) + 8))
    return base, falling % side, side - 1 - rising % side


def _in_a_cap(
    z: np.ndarray, dec_deg: np.ndarray, quarter: np.ndarray, side: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    column = np.minimum(quarter.astype(np.int64), 3)
    within = quarter - column
    # sqrt(3 (1 - |z|)) without the loss of digits near the poles
    colatitude = np.radians(90 - np.abs(dec_deg))
    height = side * np.sqrt(6.0) * np.abs(np.sin(colatitude / 2))
    first = np.minimum((within * height).astype(np.int64), side - 1)
    second = np.minimum(((1 - within) * height).astype(np.int64), side - 1)
    north = z >= 0
    x = np.where(north, side - 1 - second, first)
    y = np.where(north, side - 1 - first, second)
    return np.where(north, column, column + 8), x, y


def _spread(bits: np.ndarray) -> np.ndarray:
    """Every bit moved to twice its place."""
    spread = np.zeros_like(bits)
    for k in range(30):
        spread |= (bits & (1 << k)) << k
    return spread


@cache
def centres(order: int) -> np.ndarray:
    """Directions (12 * 4**order, 3) of the middles of all pixels."""
    side = 1 << order
    y, x = np.divmod(np.arange(side**2), side)
    number = _spread(x) + 2 * _spread(y)
    vectors = np.empty((12 * side**2, 3))
    for base in range(12):
        ring = _RING[base] * side - x - y - 1
        along = np.minimum(np.minimum(ring, 4 * side - ring), side)  # of the pixels in a quarter of the ring
        cap = 1 - (along / side) ** 2 / 3
        z = np.where(ring < side, cap, np.where(ring > 3 * side, -cap, (2 * side - ring) * 2 / (3 * side)))
        turn = (_TURN[base] * along + x - y) / along
        vectors[base * side**2 + number] = unit_vectors(45.0 * turn, np.degrees(np.arcsin(z)))
    return vectors


def pixels_near(cone: Cone, order: int) -> np.ndarray:
    """All pixels that may hold a part of a cone, and perhaps some beside it, in rising order."""
    middle = unit_vectors(np.asarray(cone.ra_deg), np.asarray(cone.dec_deg))
    chord = np.linalg.norm(centres(order) - middle, axis=1)
    reach = min(np.pi, np.radians(cone.radius_deg) + _largest_radius(order))
    return np.flatnonzero(chord <= 2 * np.sin(reach / 2) + 1e-12)


def _largest_radius(order: int) -> float:
    """Greatest distance (radian) of a corner from the middle of its pixel: those where belt and cap meet."""
    side = 1 << order
    edge = unit_vectors(np.array(45 / side), np.degrees(np.arcsin(np.array(2 / 3))))
    above = unit_vectors(np.array(0.0), np.degrees(np.arcsin(np.array(1 - (1 - 1 / side) ** 2 / 3))))
    return float(2 * np.arcsin(np.linalg.norm(edge - above) / 2))
