"""Gaia DR3 by cone (Gaia Collaboration, Vallenari et al. 2023, A&A 674, A1), through astroquery."""

import numpy as np
from astropy.table import Table

from mar.errors import BadConfig, NoReference, ReferenceUnreachable
from mar.refcat.stars import Cone

EPOCH = 2016.0
ERROR_MAS = 0.2  # of a typical star, systematic errors included
_BANDS = {
    "phot_g_mean_mag": "MAG_GAIA_G",
    "phot_bp_mean_mag": "MAG_GAIA_BP",
    "phot_rp_mean_mag": "MAG_GAIA_RP",
}
_QUERY = (
    "SELECT ra, dec, pmra, pmdec, parallax, {bands} FROM gaiadr3.gaia_source "
    "WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE({ra:.8f}, {dec:.8f}, {radius:.8f})) "
    "AND phot_g_mean_mag < {faintest:.3f}"
)


def gaia_name(cone: Cone) -> str:
    """What the pack of a cone is called: the same name for the same field."""
    return f"gaia_dr3_{cone.ra_deg % 360:.3f}{cone.dec_deg:+.3f}_{cone.radius_deg:.3f}"


def ask_gaia(cone: Cone, faintest: float) -> Table:
    """The stars of a cone brighter than `faintest` (G), of epoch 2016.

    Raises ReferenceUnreachable where the service does not answer (try again later), NoReference where it has
    no star there, BadConfig where astroquery is not installed.
    """
    try:
        from astroquery.gaia import Gaia
    except ImportError as error:
        raise BadConfig(
            "Gaia is asked through astroquery, which is not installed: `pip install 'mar[gaia]'`, "
            "or add a catalogue that you have with `mar refcat add FILE`"
        ) from error
    query = _QUERY.format(
        bands=", ".join(_BANDS),
        ra=cone.ra_deg,
        dec=cone.dec_deg,
        radius=cone.radius_deg,
        faintest=faintest,
    )
    try:
        answer = Gaia.launch_job_async(query, verbose=False).get_results()
    except (OSError, TimeoutError, ValueError) as error:  # of requests, of the service, of its answer
        raise ReferenceUnreachable(f"the Gaia archive does not answer: {error}; try again later") from error
    if len(answer) == 0:
        raise NoReference(
            f"Gaia DR3 has no star brighter than {faintest:g} within {cone.radius_deg:.3f} deg of RA "
            f"{cone.ra_deg:.4f} DEC {cone.dec_deg:+.4f}"
        )
    return _named(answer)


def _named(answer: Table) -> Table:
    table = Table()
    for name in ("ra", "dec", "pmra", "pmdec", "parallax"):
        table[name.upper()] = _numbers(answer[name])
    for name, band in _BANDS.items():
        table[band] = _numbers(answer[name]).astype("f4")
    table["MAG"] = table["MAG_GAIA_G"]
    return table


def _numbers(column: np.ndarray) -> np.ndarray:
    return np.asarray(np.ma.filled(np.ma.asarray(column, dtype=float), np.nan), dtype=float)
