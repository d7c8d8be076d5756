"""Subtract the electronic level that the overscan shows, trim, and put the amplifiers together.

The level is measured once per frame from its strips (`measure_overscan`); the model then corrects any band of
rows, so that a whole frame and a frame read in bands go the same way.
"""

from dataclasses import dataclass

import numpy as np

from mar.camera import Amplifier, Camera
from mar.config.scan import Scan
from mar.frame import CardValue, Frame
from mar.kernels.levels import subtract_level
from mar.steps.assemble import check_raw_shape, pieces, trim
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
    warn_drift: float  #: ADU

    def rows(self, raw: Rows, y0: int, y1: int, out: np.ndarray | None = None) -> np.ndarray:
        """The rows y0 <= y < y1 of the trimmed frame, float32 ADU, in `out` where given."""
        if out is None:
            out = np.empty((y1 - y0, self.camera.shape[1]), dtype=np.float32)
        for piece in pieces(self.camera, y0, y1):
            rows = np.ascontiguousarray(raw.rows(piece.y0 + piece.shift, piece.y1 + piece.shift))
            for index in piece.amplifiers:
                amplifier, level = self.camera.amplifiers[index], self.levels[index]
                first = piece.y0 - amplifier.trimmed.y0
                along_y = level.along_y[first : first + len(rows)]
                at = piece.y0 - y0, amplifier.trimmed.x0
                subtract_level(
                    rows, amplifier.science.x0, along_y, level.along_x, self.factors[index], out, *at
                )
        return out

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

    def remarks(self) -> list[str]:
        """What an operator should know: strips that are missing, and drifts that the model leaves."""
        named = list(zip((amplifier.id for amplifier in self.camera.amplifiers), self.levels, strict=True))
        lacking = [
            f"{name} has no {' '.join(level.missing)} ({' '.join(level.used) or 'nothing'} used)"
            for name, level in named
            if level.missing
        ]
        drifting = [
            f"{name} {level.left.drift:.2f}" for name, level in named if level.left.drift > self.warn_drift
        ]
        said = ["overscan: " + ", ".join(lacking)] if lacking else []
        if drifting:
            said.append(f"overscan ({self.said}) leaves a drift, ADU rms: {', '.join(drifting)}")
        return said


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
    return OverscanModel(camera, levels, np.array(factors, dtype=np.float32), said, config.warn_drift)


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
