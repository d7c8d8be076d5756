"""Subtract the electronic level that the overscan shows, trim, and put the amplifiers together.

The level is measured once per frame from its strips (`measure_overscan`); the model then corrects any band of
rows, so that a whole frame and a frame read in bands go the same way.
"""

from dataclasses import dataclass

import numpy as np

from mar.camera import Camera
from mar.config.scan import Scan
from mar.frame import CardValue, Frame
from mar.kernels.levels import subtract_level
from mar.steps.assemble import check_raw_shape, pieces, trim
from mar.steps.overscan_level import AmplifierLevel, measure_amplifier, no_level, strips_of
from mar.steps.rows import ArrayRows, Rows


@dataclass(frozen=True)
class OverscanModel:
    """The overscan level of one raw frame."""

    camera: Camera
    levels: tuple[AmplifierLevel, ...]  #: one per amplifier of the camera
    said: str  #: what was done, for the header

    def rows(self, raw: Rows, y0: int, y1: int, out: np.ndarray | None = None) -> np.ndarray:
        """The rows y0 <= y < y1 of the trimmed frame, float32 ADU, in `out` where given."""
        if out is None:
            out = np.empty((y1 - y0, self.camera.shape[1]), dtype=np.float32)
        for piece in pieces(self.camera, y0, y1):
            rows = np.ascontiguousarray(raw.rows(piece.y0 + piece.shift, piece.y1 + piece.shift))
            for index in piece.amplifiers:
                science, trimmed = (
                    self.camera.amplifiers[index].science,
                    self.camera.amplifiers[index].trimmed,
                )
                level, first = self.levels[index], piece.y0 - trimmed.y0
                along_y = level.along_y[first : first + len(rows)]
                at = piece.y0 - y0, trimmed.x0
                subtract_level(rows, science.x0, along_y, level.along_x, out, *at)
        return out

    def cards(self) -> dict[str, CardValue | tuple[CardValue, str]]:
        """Header cards: what was done, and each amplifier's level and residual drift in ADU."""
        cards: dict[str, CardValue | tuple[CardValue, str]] = {"OVERSCAN": (self.said, "overscan correction")}
        for amplifier, level in zip(self.camera.amplifiers, self.levels, strict=True):
            cards[f"MAR OVSC {amplifier.id} LEVEL"] = (round(level.mean, 4), "[ADU] overscan")
            cards[f"MAR OVSC {amplifier.id} DRIFT"] = (round(level.drift, 4), "[ADU] rms left in y")
        return cards


def measure_overscan(raw: Rows, camera: Camera, config: Scan, label: str = "the frame") -> OverscanModel:
    """The overscan model of a raw frame of which only the rows that hold strips are read, in bands.

    Raises BadImage on a frame of another shape or without a usable overscan pixel, and BadConfig where the
    camera has no strip of the kind that the configuration asks for.
    """
    check_raw_shape(raw.shape, camera, label)
    strips = strips_of(raw, camera, config)
    levels, names = [], set()
    for amplifier in camera.amplifiers:
        of_x, of_y = strips.x[amplifier.id], strips.y[amplifier.id]
        names |= {strip.name for strip in (*of_x, *of_y)}
        if of_x or of_y:
            levels.append(measure_amplifier(amplifier, of_x, of_y, config))
        else:
            levels.append(no_level(amplifier))
    return OverscanModel(camera, tuple(levels), _said(names, config))


def subtract_overscan(raw: Frame, camera: Camera, config: Scan) -> Frame:
    """Subtract the overscan of each amplifier and trim to the science sections, in camera order.

    Gives float32 ADU of the camera's trimmed shape; a mask is trimmed with it. The product says in `OVERSCAN`
    what was done, and each amplifier's mean level and the drift that the model left along y, in ADU. Raises
    BadImage and BadConfig as `measure_overscan`.
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
    return ", ".join(words) or "trimmed only"
