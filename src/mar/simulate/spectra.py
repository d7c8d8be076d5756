"""Colours of stars, galaxies and of the night sky, from the wavelength of a filter alone."""

import numpy as np

REFERENCE_NM = 625.8  # magnitudes are drawn at the R of the survey, colours are relative to it

# Dark sky at a good site: wavelength in nm, AB mag/arcsec2
_SKY_NM = np.array([350.0, 380.0, 430.0, 480.0, 515.0, 560.0, 626.0, 660.0, 770.0, 861.0, 890.0, 1000.0])
_SKY_MAG = np.array([22.3, 22.6, 22.5, 22.1, 21.8, 21.5, 21.0, 20.9, 20.0, 19.6, 19.2, 18.6])


def colours(temperature_k: np.ndarray, wavelength_nm: float) -> np.ndarray:
    """AB magnitude at `wavelength_nm` less that in R of bodies of that temperature.

    A black body, and below 420 nm the blanketing by metal lines of cool stars.
    """
    blanketing = np.where(temperature_k < 7500, 0.35, 0.05) * np.clip((420 - wavelength_nm) / 40, 0, 1)
    return _black_body(temperature_k, wavelength_nm) - _black_body(temperature_k, REFERENCE_NM) + blanketing


def _black_body(temperature_k: np.ndarray, wavelength_nm: float) -> np.ndarray:
    """AB magnitude of Planck's law, up to a constant."""
    exponent = 1.4388e7 / (wavelength_nm * np.asarray(temperature_k, dtype=float))
    return -2.5 * (-3 * np.log10(wavelength_nm) - np.log10(np.expm1(exponent)))


def dark_sky_mag(wavelength_nm: float) -> float:
    """Surface brightness of the moonless sky, AB mag/arcsec2."""
    return float(np.interp(wavelength_nm, _SKY_NM, _SKY_MAG))


def moonlight_mag(wavelength_nm: float, v_mag: float) -> float:
    """Surface brightness of scattered moonlight that has `v_mag` mag/arcsec2 in V."""
    sun = colours(np.array([5772.0]), wavelength_nm)[0] - colours(np.array([5772.0]), 550.0)[0]
    scattering = 2.5 * 1.3 * np.log10(wavelength_nm / 550)
    return float(v_mag + sun + scattering)
