"""Light profiles as sums of Gaussians, so that a galaxy and the seeing convolve exactly.

The method is that of Hogg & Lang 2013 (PASP 125, 719); the weights are fitted here.
"""

from functools import lru_cache

import numpy as np
from scipy.optimize import nnls
from scipy.special import gammaincinv


@lru_cache(maxsize=32)
def sersic_gaussians(index: float) -> tuple[np.ndarray, np.ndarray]:
    """Weights (sum 1) and variances of the profile exp(-b r^(1/n)) with half-light radius 1."""
    b = gammaincinv(2 * index, 0.5)
    reach = 8.0 if index > 2 else 5.0
    radii = np.geomspace(0.01, reach, 400)
    return _fit(radii, np.exp(-b * radii ** (1 / index)), np.geomspace(0.02, reach / 2, 10))


@lru_cache(maxsize=32)
def moffat_gaussians(beta: float) -> tuple[np.ndarray, np.ndarray]:
    """Weights (sum 1) and variances of the Moffat profile (1 + r^2)^-beta with alpha 1."""
    radii = np.geomspace(0.01, 12, 400)
    return _fit(radii, (1 + radii**2) ** -beta, np.geomspace(0.3, 4, 7))


def _fit(radii: np.ndarray, profile: np.ndarray, sigmas: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    variances = sigmas**2
    basis = np.exp(-0.5 * radii[:, None] ** 2 / variances) / (2 * np.pi * variances)
    weight = radii  # the flux in a ring of equal logarithmic width goes as r^2
    amplitudes, _ = nnls(basis * weight[:, None], profile * weight)
    kept = amplitudes > 1e-4 * amplitudes.sum()
    return amplitudes[kept] / amplitudes[kept].sum(), variances[kept]
