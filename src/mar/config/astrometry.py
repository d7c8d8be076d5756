"""Section `Astrometry`: what the astrometric solution must show before it is believed."""

from mar.config.base import Section, item


class Astrometry(Section):
    """Guards of the astrometric solution, and errors of positions."""

    least_stars: int = item(3, "A solution needs at least this many matched stars", ge=3)
    log10_chance: float = item(-5.0, "log10 of the probability that the match is chance, at most", le=-2)
    least_fraction: float = item(0.3, "Least fraction of the sources or the stars that match", gt=0, lt=1)
    max_rms: float = item(0.5, "Greatest rms of the residuals per axis", unit="arcsec", gt=0)
    stars_per_term: float = item(3.0, "Stars for each coefficient; with fewer the degree is lowered", ge=1.5)
    source_floor: float = item(5.0, "Error of a centroid beside its photon noise", unit="mas", ge=0)
    reference_error: float = item(
        10.0, "Error of a reference star, if the catalogue has none", unit="mas", ge=0
    )
    max_distortion: float = item(0.05, "Greatest change of the pixel scale over the frame, relative", gt=0)
    joint: bool = item(True, "Solve the frames of a field, of all bands, together before its tiles are made")
