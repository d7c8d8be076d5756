"""The overscan level of one amplifier, from its strips."""

from typing import NamedTuple

import numpy as np

from mar.camera import Amplifier, Camera, Section
from mar.config.scan import Scan
from mar.errors import BadConfig, BadImage
from mar.steps.overscan_lines import Line, fit_line, superpixels
from mar.steps.overscan_strips import clean_strip
from mar.steps.rows import Rows, bands

BAND = 64  # rows read at a time: they stay in the cache until the strips are taken
DRIFT_PARTS = 16  # a drift is looked for on this many parts of a strip


class AmplifierLevel(NamedTuple):
    """The level to subtract from one amplifier's science section."""

    along_y: np.ndarray  #: (rows of the section,) float32, ADU
    along_x: np.ndarray  #: (columns of the section,) float32, ADU, to be added to it
    mean: float  #: of the whole section, ADU
    drift: float  #: rms that the model leaves along the x strips once noise is taken off, ADU


class Strip(NamedTuple):
    """The pixels of one overscan or prescan strip."""

    name: str  #: OVSCX, PRSCX, OVSCY or PRSCY
    section: Section  #: raw coordinates
    rows: np.ndarray  #: as they lie in the image
    pixels: np.ndarray  #: the same (positions along the strip, across)
    start: int  #: raw coordinate of the first position
    across: np.ndarray  #: raw coordinates across


class Strips(NamedTuple):
    """All strips in use, by the amplifier's id."""

    x: dict[str, list[Strip]]
    y: dict[str, list[Strip]]


def strips_of(raw: Rows, camera: Camera, config: Scan) -> Strips:
    """Read the strips that the configuration asks for; raises BadConfig where the camera lacks one."""
    wanted_x, wanted_y = _wanted(config)
    x = {a.id: [_empty(a, name) for name in wanted_x] for a in camera.amplifiers}
    y = {a.id: [_empty(a, name) for name in wanted_y] for a in camera.amplifiers}
    every = [strip for strips in (*x.values(), *y.values()) for strip in strips]
    for y0, y1 in bands(camera.raw_shape[0], BAND):
        here = [strip for strip in every if strip.section.y0 < y1 and strip.section.y1 > y0]
        if not here:
            continue
        rows = raw.rows(y0, y1)
        for strip in here:
            section = strip.section
            first, last = max(y0, section.y0), min(y1, section.y1)
            found = rows[first - y0 : last - y0, section.x0 : section.x1]
            strip.rows[first - section.y0 : last - section.y0] = found
    return Strips(x, y)


def _wanted(config: Scan) -> tuple[list[str], list[str]]:
    """Names of the strips in use, of x and of y."""
    overscan, prescan = config.cor and config.use_overscan, config.cor and config.use_prescan
    x = [config.ovsc_iden_x] * (overscan and config.use_overscan_x and config.xcorrect)
    x += [config.prsc_iden_x] * (prescan and config.use_prescan_x and config.xcorrect)
    y = [config.ovsc_iden_y] * (overscan and config.use_overscan_y)
    y += [config.prsc_iden_y] * (prescan and config.use_prescan_y)
    return [str(name) for name in dict.fromkeys(x)], [str(name) for name in dict.fromkeys(y)]


def _empty(amplifier: Amplifier, name: str) -> Strip:
    sections = {
        "OVSCX": amplifier.overscan_x,
        "PRSCX": amplifier.prescan_x,
        "OVSCY": amplifier.overscan_y,
        "PRSCY": amplifier.prescan_y,
    }
    section = sections[name]
    if section is None:
        raise BadConfig(f"{amplifier.id} has no strip {name}; turn it off in section Scan")
    rows = np.empty(section.shape, dtype=np.float32)
    ys, xs = np.arange(section.y0, section.y1), np.arange(section.x0, section.x1)
    if name.endswith("X"):
        return Strip(name, section, rows, rows, section.y0, xs)
    return Strip(name, section, rows, rows.T, section.x0, ys)


def no_level(amplifier: Amplifier) -> AmplifierLevel:
    """Nothing to subtract."""
    ny, nx = amplifier.science.shape
    return AmplifierLevel(np.zeros(ny, dtype=np.float32), np.zeros(nx, dtype=np.float32), 0.0, 0.0)


def measure_amplifier(
    amplifier: Amplifier, of_x: list[Strip], of_y: list[Strip], config: Scan
) -> AmplifierLevel:
    """Model the level along y from the x strips and along x from the y strips.

    Where both are used, what `direction` names is measured first, and taken off the other strips before
    these are measured. Raises BadImage where a strip has no usable pixel.
    """
    line_y: Line = _zero
    line_x: Line = _zero
    if config.direction == "x":
        line_y, drift = _line(amplifier, of_x, line_x, _along_y(config))
        line_x, _ = _line(amplifier, of_y, line_y, _along_x(config))
    else:
        line_x, _ = _line(amplifier, of_y, line_y, _along_x(config))
        line_y, drift = _line(amplifier, of_x, line_x, _along_y(config))
    science = amplifier.science
    along_y = line_y(np.arange(science.y0, science.y1)).astype(np.float32)
    along_x = line_x(np.arange(science.x0, science.x1)).astype(np.float32)
    mean = float(along_y.mean(dtype=np.float64) + along_x.mean(dtype=np.float64))
    return AmplifierLevel(along_y, along_x, mean, drift)


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


def _line(amplifier: Amplifier, strips: list[Strip], known: Line, choices: Choices) -> tuple[Line, float]:
    """Level as a function of position along the strips, and the drift that it leaves there.

    `known` is the level already modelled across the strips; each is cleaned on its own, for an overscan
    and a prescan may differ in level.
    """
    if not strips:
        return _zero, 0.0
    start = max(strip.start for strip in strips)
    stop = min(strip.start + len(strip.pixels) for strip in strips)
    clean = np.hstack(
        [
            clean_strip(
                strip.pixels[start - strip.start : stop - strip.start] - known(strip.across),
                fix_columns=choices.fix_columns,
                method=choices.method,
                fix_pixels=choices.fix_pixels,
            )
            for strip in strips
        ]
    )
    points = superpixels(clean, start, choices.superpixel)
    if len(points.level) == 0:
        raise BadImage(f"the overscan of {amplifier.id} has no usable pixel")
    line = fit_line(points, choices.function, choices.degree)
    return line, _drift(clean - line(np.arange(start, stop))[:, None])


def _drift(left: np.ndarray) -> float:
    """Rms of what is left in 16 parts of a strip, less what its noise alone would give."""
    parts = superpixels(left, 0, max(1, len(left) // DRIFT_PARTS))
    good = left[np.isfinite(left)]
    expected = float(np.mean(good.var() / parts.weight))
    return float(np.sqrt(max(0.0, float(np.mean(parts.level**2)) - expected)))
