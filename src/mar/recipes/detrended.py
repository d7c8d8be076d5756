"""Raw frames of a stack with their overscan models, and those that cannot be used."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mar.camera import Camera
from mar.config.scan import Scan
from mar.errors import BadImage
from mar.progress import Progress
from mar.recipes.side_by_side import side_by_side
from mar.recipes.stacking import Dropped, StackFrame
from mar.steps.overscan import OverscanModel, measure_overscan


@dataclass(frozen=True)
class Detrended:
    """A raw frame read through its overscan model: trimmed rows in float32 ADU."""

    frame: StackFrame
    model: OverscanModel

    def rows(self, y0: int, y1: int, out: np.ndarray | None = None) -> np.ndarray:
        """The trimmed rows y0 <= y < y1, overscan subtracted."""
        return self.model.rows(self.frame.rows, y0, y1, out)


def through_overscan(
    frames: Sequence[StackFrame], camera: Camera, config: Scan, progress: Progress
) -> tuple[list[Detrended], list[Dropped]]:
    """Measure the overscan of each frame; one that cannot be read is dropped with the reason."""
    good, dropped = [], []

    def measure(frame: StackFrame) -> Detrended | Dropped:
        try:
            return Detrended(frame, measure_overscan(frame.rows, camera, config, frame.name))
        except BadImage as error:
            return Dropped(frame.name, str(error))

    for number, found in enumerate(side_by_side(measure, frames), start=1):
        if isinstance(found, Dropped):
            dropped.append(found)
        else:
            good.append(found)
        progress("overscan", number, len(frames))
    return good, dropped
