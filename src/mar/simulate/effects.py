"""Which effects of a real camera and a real sky are simulated; each can be switched off."""

from dataclasses import dataclass, fields, replace
from typing import Self

from mar.errors import BadConfig


@dataclass(frozen=True)
class Effects:
    """One switch for each effect; all on unless told otherwise."""

    offsets: bool = True  #: each amplifier has its own bias level, and it moves from frame to frame
    drift: bool = True  #: the bias level changes along the rows while the chip is read
    structure: bool = True  #: two-dimensional pattern of the bias below the image
    hot_pixels: bool = True
    cold_pixels: bool = True
    bad_columns: bool = True
    vignetting: bool = True
    dust: bool = True
    pixel_response: bool = True  #: each pixel has its own sensitivity
    sky: bool = True
    stars: bool = True
    galaxies: bool = True
    proper_motion: bool = True
    distortion: bool = True
    rotation: bool = True
    pointing_error: bool = True
    dither: bool = True
    seeing: bool = True  #: the seeing differs from frame to frame
    ellipticity: bool = True
    transparency: bool = True  #: thin clouds dim some frames
    cosmics: bool = True
    trails: bool = True
    bleeding: bool = True
    fringes: bool = True
    moon: bool = True
    shot_noise: bool = True
    read_noise: bool = True

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """The words that `without` and `only` know."""
        return tuple(field.name for field in fields(cls))

    @classmethod
    def only(cls, *names: str) -> Self:
        """Nothing but the effects named; raises BadConfig for an unknown word."""
        _check_names(names, cls.names())
        return cls(**{name: name in names for name in cls.names()})

    def without(self, *names: str) -> Self:
        """These effects, less those named; raises BadConfig for an unknown word."""
        _check_names(names, self.names())
        return replace(self, **dict.fromkeys(names, False))


def _check_names(asked: tuple[str, ...], known: tuple[str, ...]) -> None:
    unknown = [name for name in asked if name not in known]
    if unknown:
        raise BadConfig(f"no effect {', '.join(unknown)}; the simulator knows {', '.join(known)}")
