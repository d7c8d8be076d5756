"""Gnomonic projection: the sky seen on a plane that touches it (Calabretta & Greisen 2002, TAN)."""

import numpy as np


def to_plane(
    ra_deg: np.ndarray, dec_deg: np.ndarray, ra0_deg: float, dec0_deg: float
) -> tuple[np.ndarray, np.ndarray]:
    """Standard coordinates (degrees; xi to the east, eta to the north) about the point of contact.

    NaN for positions on the other half of the sky.
    """
    dra, dec, dec0 = np.radians(ra_deg - ra0_deg), np.radians(dec_deg), np.radians(dec0_deg)
    cos_distance = np.sin(dec) * np.sin(dec0) + np.cos(dec) * np.cos(dec0) * np.cos(dra)
    depth = np.where(cos_distance > 0, cos_distance, np.nan)
    xi = np.cos(dec) * np.sin(dra) / depth
    eta = (np.sin(dec) * np.cos(dec0) - np.cos(dec) * np.sin(dec0) * np.cos(dra)) / depth
    return np.degrees(xi), np.degrees(eta)


def from_plane(
    xi_deg: np.ndarray, eta_deg: np.ndarray, ra0_deg: float, dec0_deg: float
) -> tuple[np.ndarray, np.ndarray]:
    """RA (0 to 360) and DEC in degrees of standard coordinates in degrees."""
    xi, eta, dec0 = np.radians(xi_deg), np.radians(eta_deg), np.radians(dec0_deg)
    toward = np.cos(dec0) - eta * np.sin(dec0)
    ra = ra0_deg + np.degrees(np.arctan2(xi, toward))
    dec = np.arctan2(np.sin(dec0) + eta * np.cos(dec0), np.hypot(xi, toward))
    return ra % 360, np.degrees(dec)
