"""The overscan level of one amplifier, from its strips."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from mar.camera import Amplifier, Camera, Section
from mar.config.scan import Scan
from mar.errors import BadConfig, BadImage
from mar.kernels.strips_of_counts import take_strips
from mar.steps.overscan_lines import Line, Residuals, fit_line, profile, residuals, superpixels, together
from mar.steps.overscan_strips import clean_strip
from mar.steps.rows import Rows, bands

AT_ONCE = 1 << 18  # pixels read at a time: they stay in the cache until the strips are taken


class AmplifierLevel(NamedTuple):
    """The level to subtract from one amplifier's science section, and what it was taken from."""

    along_y: np.ndarray  #: (rows of the section,) float32, ADU
    along_x: np.ndarray  #: (columns of the section,) float32, ADU, to be added to it
    mean: float  #: of the whole section, ADU
    left: Residuals = Residuals(0.0, 0.0)  #: what the model leaves along the x strips, or the y strips alone
    used: tuple[str, ...] = ()  #: names of the strips
    missing: tuple[str, ...] = ()  #: those asked for that the camera lacks
    bad_columns: int = 0  #: of the strips, left out
    bad_pixels: int = 0


class Strip(NamedTuple):
    """The pixels of one overscan or prescan strip."""

    name: str  #: OVSCX, PRSCX, OVSCY or PRSCY
    section: Section  #: raw coordinates
    pixels: np.ndarray  #: (across, positions along the strip) float32
    start: int  #: raw coordinate of the first position
    across: np.ndarray  #: raw coordinates across


class Strips(NamedTuple):
    """The strips of one amplifier that are used, and the names of those that it lacks."""

    x: list[Strip]
    y: list[Strip]
    missing: tuple[str, ...] = ()


def strips_of(raw: Rows, camera: Camera, config: Scan) -> dict[str, Strips]:
    """Read the strips that the configuration asks for, by the amplifier's id.

    Where the camera lacks one, `missing_strip` says what is done; raises BadConfig where that is to refuse.
    """
    room, wanted = _Room(camera), _wanted(config)
    found = {
        amplifier.id: _strips(amplifier, *wanted, config.missing_strip, room)
        for amplifier in camera.amplifiers
    }
    places = np.array(room.places, dtype=np.int64).reshape(-1, 7)
    for y0, y1 in bands(camera.raw_shape[0], max(1, AT_ONCE // camera.raw_shape[1])):
        here = places[(places[:, 2] < y1) & (places[:, 3] > y0)]
        if len(here):
            take_strips(np.ascontiguousarray(raw.rows(y0, y1)), y0, here, room.pixels)
    return found


class _Room:
    """Where the pixels of all strips of a frame lie, one strip behind the other."""

    def __init__(self, camera: Camera) -> None:
        size = sum(
            section.shape[0] * section.shape[1]
            for amplifier in camera.amplifiers
            for section in _sections(amplifier).values()
        )
        self.pixels = np.empty(size, dtype=np.float32)  # what is not used takes no memory
        self.places: list[tuple[int, ...]] = []  #: of the strips, as `take_strips` wants them
        self._used = 0

    def take(self, section: Section, along_y: bool) -> np.ndarray:
        """Room for a strip, (across, positions along it)."""
        ny, nx = section.shape
        begin, self._used = self._used, self._used + ny * nx
        self.places.append((*section, begin, *((1, ny) if along_y else (nx, 1))))
        return self.pixels[begin : self._used].reshape((nx, ny) if along_y else (ny, nx))


def _wanted(config: Scan) -> tuple[list[str], list[str]]:
    """Names of the strips in use, of x and of y."""
    overscan, prescan = config.cor and config.use_overscan, config.cor and config.use_prescan
    x = [config.ovsc_iden_x] * (overscan and config.use_overscan_x and config.xcorrect)
    x += [config.prsc_iden_x] * (prescan and config.use_prescan_x and config.xcorrect)
    y = [config.ovsc_iden_y] * (overscan and config.use_overscan_y)
    y += [config.prsc_iden_y] * (prescan and config.use_prescan_y)
    return [str(name) for name in dict.fromkeys(x)], [str(name) for name in dict.fromkeys(y)]


def _strips(amplifier: Amplifier, x: list[str], y: list[str], policy: str, room: _Room) -> Strips:
    there = _sections(amplifier)
    missing = tuple(name for name in (*x, *y) if name not in there)
    of_x, of_y = (
        [_strip(name, there[name], room) for name in _there(amplifier, names, there, policy)]
        for names in (x, y)
    )
    return Strips(of_x, of_y, missing)


def _there(amplifier: Amplifier, wanted: list[str], there: Mapping[str, Section], policy: str) -> list[str]:
    """Which strips of one direction are used where some of those wanted may be missing."""
    found = [name for name in wanted if name in there]
    missing = [name for name in wanted if name not in there]
    if not missing or policy == "allownotuse":
        return found
    if policy == "useone":
        others = [name for name in there if name[-1] == wanted[0][-1]]
        if others:
            return found or others
    raise BadConfig(
        f"{amplifier.id} has no strip {missing[0]}; turn it off in section Scan, or let MISSING_STRIP be "
        f"{'allownotuse' if policy == 'useone' else 'useone or allownotuse'}"
    )


def _sections(amplifier: Amplifier) -> dict[str, Section]:
    """The strips that an amplifier has."""
    sections = {
        "OVSCX": amplifier.overscan_x,
        "PRSCX": amplifier.prescan_x,
        "OVSCY": amplifier.overscan_y,
        "PRSCY": amplifier.prescan_y,
    }
    return {name: section for name, section in sections.items() if section is not None}


def _strip(name: str, section: Section, room: _Room) -> Strip:
    along_y = name.endswith("X")
    ys, xs = np.arange(section.y0, section.y1), np.arange(section.x0, section.x1)
    pixels = room.take(section, along_y)
    return Strip(name, section, pixels, *((section.y0, xs) if along_y else (section.x0, ys)))


def measure_amplifier(amplifier: Amplifier, strips: Strips, config: Scan) -> AmplifierLevel:
    """Model the level along y from the x strips and along x from the y strips.

    Where both are used, what `direction` names is measured first, and taken off the other strips before
    these are measured. Raises BadImage where a strip has no usable pixel.
    """
    if config.direction == "x":
        of_x = _line(amplifier, strips.x, _zero, _along_y(config))
        of_y = _line(amplifier, strips.y, of_x.line, _along_x(config))
    else:
        of_y = _line(amplifier, strips.y, _zero, _along_x(config))
        of_x = _line(amplifier, strips.x, of_y.line, _along_y(config))
    science = amplifier.science
    along_y = of_x.line(np.arange(science.y0, science.y1)).astype(np.float32)
    along_x = of_y.line(np.arange(science.x0, science.x1)).astype(np.float32)
    return AmplifierLevel(
        along_y,
        along_x,
        float(along_y.mean(dtype=np.float64) + along_x.mean(dtype=np.float64)),
        (of_x if strips.x else of_y).left,
        tuple(strip.name for strip in (*strips.x, *strips.y)),
        strips.missing,
        of_x.bad_columns + of_y.bad_columns,
        of_x.bad_pixels + of_y.bad_pixels,
    )


def _zero(at: np.ndarray) -> np.ndarray:
    return np.zeros(len(at))


class Choices(NamedTuple):
    """The configuration of one direction."""

    superpixel: int
    function: str
    degree: int
    fix_columns: bool
    method: str
    fix_pixels: bool


def _along_y(config: Scan) -> Choices:
    return Choices(
        config.ovsc_npixels_x,
        config.fitfunction_x,
        config.polydeg_x,
        config.overscan_fix_bad_pixels_columns_x,
        config.overscan_interpolation_method_x,
        config.overscan_correct_ind_pixels_x,
    )


def _along_x(config: Scan) -> Choices:
    return Choices(
        config.ovsc_npixels_y,
        config.fitfunction_y,
        config.polydeg_y,
        config.overscan_fix_bad_pixels_columns_y,
        config.overscan_interpolation_method_y,
        config.overscan_correct_ind_pixels_y,
    )


class _Measured(NamedTuple):
    """The level along the strips of one direction."""

    line: Line
    left: Residuals = Residuals(0.0, 0.0)
    bad_columns: int = 0
    bad_pixels: int = 0


def _line(amplifier: Amplifier, strips: list[Strip], known: Line, choices: Choices) -> _Measured:
    """Level as a function of position along the strips.

    `known` is the level already modelled across the strips; each is cleaned on its own, for an overscan
    and a prescan may differ in level.
    """
    if not strips:
        return _Measured(_zero)
    start = max(strip.start for strip in strips)
    stop = min(strip.start + strip.pixels.shape[1] for strip in strips)
    cleaned = [
        clean_strip(
            strip.pixels[:, start - strip.start : stop - strip.start],
            known(strip.across),
            fix_columns=choices.fix_columns,
            method=choices.method,
            fix_pixels=choices.fix_pixels,
        )
        for strip in strips
    ]
    whole = together([profile(one.values, start) for one in cleaned])
    points = superpixels(whole, choices.superpixel)
    if len(points.level) == 0:
        raise BadImage(f"the overscan of {amplifier.id} has no usable pixel")
    line = fit_line(points, choices.function, choices.degree)
    return _Measured(
        line,
        residuals(whole, line),
        sum(one.bad_columns for one in cleaned),
        sum(one.bad_pixels for one in cleaned),
    )
