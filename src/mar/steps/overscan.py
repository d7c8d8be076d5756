"""Subtract the electronic level that the overscan shows, trim, and put the amplifiers together.

The level is measured once per frame from its strips (`measure_overscan`); the model then corrects any band of
rows, so that a whole frame and a frame read in bands go the same way.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from astropy.io.fits import Header

from mar.camera import Amplifier, Camera
from mar.config.scan import Scan
from mar.frame import CardValue, Frame
from mar.kernels.levels import subtract_levels
from mar.steps.assemble import Piece, check_raw_shape, pieces, trim
from mar.steps.overscan_level import AmplifierLevel, measure_amplifier, strips_of
from mar.steps.rows import ArrayRows, Rows

EVEN_GAIN = "even gain"  #: in the card OVERSCAN where amplifiers were brought to the camera's gain


@dataclass(frozen=True)
class OverscanModel:
    """The overscan level of one raw frame."""

    camera: Camera
    levels: tuple[AmplifierLevel, ...]  #: one per amplifier of the camera
    factors: np.ndarray  #: float32, by which each amplifier is multiplied
    said: str  #: what was done, for the header

    def rows(self, raw: Rows, y0: int, y1: int, out: np.ndarray | None = None) -> np.ndarray:
        """The rows y0 <= y < y1 of the trimmed frame, float32 ADU, in `out` where given."""
        if out is None:
            out = np.empty((y1 - y0, self.camera.shape[1]), dtype=np.float32)
        for here in self._side_by_side:
            first, last = max(y0, here.piece.y0), min(y1, here.piece.y1)
            if first < last:
                rows = np.ascontiguousarray(raw.rows(first + here.piece.shift, last + here.piece.shift))
                along_y = here.along_y[:, first - here.piece.y0 : last - here.piece.y0]
                into = out[first - y0 : last - y0]
                subtract_levels(rows, here.begin, here.to, along_y, here.along_x, here.factors, into)
        return out

    @cached_property
    def _side_by_side(self) -> list["_SideBySide"]:
        return [_side_by_side(self, piece) for piece in pieces(self.camera, 0, self.camera.shape[0])]

    def cards(self) -> dict[str, CardValue | tuple[CardValue, str]]:
        """Header cards: what was done, and of each amplifier its level and what was left, in ADU."""
        cards: dict[str, CardValue | tuple[CardValue, str]] = {"OVERSCAN": (self.said, "overscan correction")}
        for amplifier, level, factor in zip(self.camera.amplifiers, self.levels, self.factors, strict=True):
            word = f"MAR OVSC {amplifier.id}"
            cards[f"{word} LEVEL"] = (round(level.mean, 4), "[ADU] overscan")
            cards[f"{word} RESID"] = (round(level.left.pixels, 4), "[ADU] rms of pixels")
            cards[f"{word} DRIFT"] = (round(level.left.drift, 4), "[ADU] rms left along")
            if level.bad_columns:
                cards[f"{word} BADCOL"] = (level.bad_columns, "columns left out")
            if level.missing:
                cards[f"{word} MISSING"] = (" ".join(level.missing), "not there")
            if factor != 1:
                cards[f"{word} GAIN"] = (round(float(factor), 6), "multiplied by")
        return cards


class _SideBySide(NamedTuple):
    """Amplifiers that the same rows cross, as the kernel takes them."""

    piece: Piece  #: all of their rows
    begin: np.ndarray  #: (a, 3), first column, the one behind the last, and where in `along_x` each begins
    to: np.ndarray  #: (a,), first trimmed column
    along_y: np.ndarray  #: (a, rows) float32, ADU
    along_x: np.ndarray  #: float32, ADU, of one amplifier after the other
    factors: np.ndarray  #: (a,) float32


def _side_by_side(model: OverscanModel, piece: Piece) -> _SideBySide:
    chosen = list(piece.amplifiers)
    sections = [model.camera.amplifiers[index] for index in chosen]
    widths = [one.science.x1 - one.science.x0 for one in sections]
    begin = [
        (one.science.x0, one.science.x1, before)
        for one, before in zip(sections, np.cumsum([0, *widths]), strict=False)
    ]
    rows = [
        model.levels[index].along_y[piece.y0 - one.trimmed.y0 :][: piece.y1 - piece.y0]
        for index, one in zip(chosen, sections, strict=True)
    ]
    return _SideBySide(
        piece,
        np.array(begin, dtype=np.int64),
        np.array([one.trimmed.x0 for one in sections], dtype=np.int64),
        np.ascontiguousarray(rows, dtype=np.float32),
        np.concatenate([model.levels[index].along_x for index in chosen]),
        model.factors[chosen],
    )


def measure_overscan(raw: Rows, camera: Camera, config: Scan, label: str = "the frame") -> OverscanModel:
    """The overscan model of a raw frame of which only the rows that hold strips are read, in bands.

    Raises BadImage on a frame of another shape or without a usable overscan pixel, and BadConfig where the
    camera has no strip of the kind that the configuration asks for.
    """
    check_raw_shape(raw.shape, camera, label)
    strips = strips_of(raw, camera, config)
    levels = tuple(measure_amplifier(one, strips[one.id], config) for one in camera.amplifiers)
    factors = [_factor(amplifier, camera, config) for amplifier in camera.amplifiers]
    said = _said({name for level in levels for name in level.used}, config)
    return OverscanModel(camera, levels, np.array(factors, dtype=np.float32), said)


def _factor(amplifier: Amplifier, camera: Camera, config: Scan) -> float:
    return amplifier.gain / camera.gain if config.amplifier_gain else 1.0


def subtract_overscan(raw: Frame, camera: Camera, config: Scan) -> Frame:
    """Subtract the overscan of each amplifier and trim to the science sections, in camera order.

    Gives float32 ADU of the camera's trimmed shape; a mask is trimmed with it. The product says in `OVERSCAN`
    what was done, and of each amplifier the level, and the noise and the drift that the model left, in ADU.
    Raises BadImage and BadConfig as `measure_overscan`.
    """
    reader = ArrayRows(raw.data)
    model = measure_overscan(reader, camera, config, raw.label or "the frame")
    mask = None if raw.mask is None else trim(raw.mask, camera)
    data = model.rows(reader, 0, camera.shape[0])
    return raw.replace(data=data, mask=mask).with_cards(model.cards())


def summary(header: Header, camera: Camera) -> str:
    """What the overscan model left in a frame, from its cards, in one line for the log."""
    pixels, drifts = _of_amplifiers(header, camera, "RESID"), _of_amplifiers(header, camera, "DRIFT")
    if not pixels or not drifts:
        return f"overscan: {header.get('OVERSCAN', 'not done')}"
    worst = max(drifts, key=drifts.__getitem__)
    return (
        f"overscan: {header['OVERSCAN']}; rms of its pixels {min(pixels.values()):.2f} to "
        f"{max(pixels.values()):.2f} ADU, drift left {drifts[worst]:.2f} ADU at most ({worst})"
    )


def warnings_of(header: Header, camera: Camera, config: Scan) -> list[str]:
    """What an operator should look at, from a frame's cards: strips that are missing, and drifts."""
    lacking = _of_amplifiers(header, camera, "MISSING")
    drifts = _of_amplifiers(header, camera, "DRIFT")
    said = [f"overscan: {name} has no {words}" for name, words in lacking.items()]
    high = [f"{name} {drift:.2f}" for name, drift in drifts.items() if drift > config.warn_drift]
    if high:
        said.append(f"the overscan model leaves a drift in {', '.join(high)} ADU rms; see Scan.FITFUNCTION_X")
    return said


def _of_amplifiers(header: Header, camera: Camera, word: str) -> dict[str, Any]:
    """A card of each amplifier that has it."""
    cards = {amplifier.id: f"MAR OVSC {amplifier.id} {word}" for amplifier in camera.amplifiers}
    return {name: header[card] for name, card in cards.items() if card in header}


def _said(strips: set[str], config: Scan) -> str:
    """Such as `OVSCX polynomial 1`."""
    words = []
    for axis, function, degree in (
        ("X", config.fitfunction_x, config.polydeg_x),
        ("Y", config.fitfunction_y, config.polydeg_y),
    ):
        names = sorted(name for name in strips if name.endswith(axis))
        if names:
            model = f"{function} {degree}" if function == "polynomial" else function
            words.append(f"{'+'.join(names)} {model}")
    return ", ".join(words or ["trimmed only"]) + (f", {EVEN_GAIN}" if config.amplifier_gain else "")
