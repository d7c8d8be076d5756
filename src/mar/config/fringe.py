"""Sections `Superflat` and `Fringe`."""

from pydantic import AliasChoices

from mar.config.base import Section, item


class Superflat(Section):
    """Whether fringes are subtracted."""

    cf_superflat_correction: bool = item(True, "Subtract fringes in the bands of Fringe.FILTERS")


class Fringe(Section):
    """How the fringe frame is built and used."""

    file_patterns: tuple[str, ...] = item(
        ("SPLUS", "MC", "STRIPE82", "HYDRA"),
        "Fields that a fringe frame is built from: substrings of the field",
    )
    exclude_patterns: tuple[str, ...] = item(
        ("GAL", "SHORTS"),
        "Fields that a fringe frame is never built from",
        validation_alias=AliasChoices("EXCLUDE_PATTERS", "EXCLUDE_PATTERNS"),
        serialization_alias="EXCLUDE_PATTERS",
    )
    filters: tuple[str, ...] = item(("Z",), "Bands with fringes")
    smoothsize: int = item(7, "Width of the filter that smooths the fringe frame", unit="pixel", ge=1)
    blockavgx: int = item(4, "Columns averaged before the amplitude is fitted", unit="pixel", ge=1)
    blockavgy: int = item(4, "Rows averaged before the amplitude is fitted", unit="pixel", ge=1)
