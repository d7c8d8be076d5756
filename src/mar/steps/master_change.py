"""How a new master differs from the last good one: the levels of its amplifiers, and single pixels."""

from dataclasses import dataclass

import numpy as np

from mar.camera import Amplifier, Camera
from mar.errors import BadImage
from mar.frame import CardValue
from mar.masks import Bit
from mar.steps.master_rows import MasterRows
from mar.steps.rows import bands

SAMPLE_ROWS = 256  # rows of the chip on which median and noise of the difference are measured
BAND = 64  # rows compared at a time


@dataclass(frozen=True)
class MasterChange:
    """A master less the last one."""

    last: str  #: name of the last master
    unit: str
    medians: dict[str, float]  #: median difference by the amplifier's id
    changed: float  #: part of the pixels that differ by more than `sigmas` of the difference's own noise
    sigmas: float

    def cards(self) -> dict[str, CardValue | tuple[CardValue, str]]:
        """Header cards: the last master, the median differences, and the part of pixels that changed."""
        unit = f"[{self.unit}] median difference" if self.unit else "median difference"
        return {
            "MAR LAST": (self.last, "compared with"),
            "MAR LAST CHANGED": (float(f"{self.changed:.4g}"), f"part beyond {self.sigmas:g} sigma"),
            **{f"MAR LAST {name} DIFF": (float(f"{m:.4g}"), unit) for name, m in self.medians.items()},
        }

    def summary(self) -> str:
        """The comparison in one line for the log."""
        low, high = min(self.medians.values()), max(self.medians.values())
        return (
            f"against {self.last}: median difference of the amplifiers {self._said(low)} to "
            f"{self._said(high)}, {100 * self.changed:.3g} % of the pixels changed by more than "
            f"{self.sigmas:g} sigma"
        )

    def warnings(self, most: float, most_changed: float) -> list[str]:
        """Sentences with the numbers where a level moved by more than `most` or too many pixels changed."""
        moved = [f"{name} {self._said(m)}" for name, m in self.medians.items() if not abs(m) <= most]
        said = []
        if moved:
            limit = self._said(most).lstrip("+")
            said.append(f"levels differ from {self.last} by more than {limit}: {', '.join(moved)}")
        if self.changed > most_changed:
            said.append(
                f"{100 * self.changed:.3g} % of the pixels differ from {self.last} by more than "
                f"{self.sigmas:g} sigma; {100 * most_changed:.3g} % are expected at most"
            )
        return said

    def _said(self, value: float) -> str:
        return f"{value:+.2f} {self.unit}" if self.unit else f"{100 * value:+.2f} %"


def compare_masters(
    data: np.ndarray, mask: np.ndarray, last: MasterRows, camera: Camera, sigmas: float, unit: str = "ADU"
) -> MasterChange:
    """Compare a new master (trimmed) with the last good one, amplifier by amplifier.

    The noise of an amplifier's difference is that of its central 68 %, so that what changed has no weight in
    it. Pixels that are bad in either mask, or no numbers, take no part. Raises BadImage where the last master
    is of another shape.
    """
    if tuple(last.pixels.shape) != data.shape:
        raise BadImage(f"{last.label} is {tuple(last.pixels.shape)} (rows, columns), not {data.shape}")
    spreads = _spreads(data, mask, last, camera)
    changed = compared = 0
    for y0, y1 in bands(len(data), BAND):
        whole = _difference(data, mask, last, y0, y1)
        for amplifier in camera.amplifiers:
            middle, noise = spreads[amplifier.id]
            off = np.abs(_part(whole, amplifier, y0, y1) - np.float32(middle))
            compared += int(np.isfinite(off).sum())
            changed += int((off > sigmas * noise).sum())
    medians = {name: middle for name, (middle, _) in spreads.items()}
    return MasterChange(last.label, unit, medians, changed / max(1, compared), sigmas)


def _spreads(
    data: np.ndarray, mask: np.ndarray, last: MasterRows, camera: Camera
) -> dict[str, tuple[float, float]]:
    """Median and noise of the difference in each amplifier, from some rows; NaN where nothing compares."""
    sampled: dict[str, list[np.ndarray]] = {amplifier.id: [] for amplifier in camera.amplifiers}
    for y in np.unique(np.linspace(0, len(data) - 1, SAMPLE_ROWS).astype(int)).tolist():
        row = _difference(data, mask, last, y, y + 1)
        for amplifier in camera.amplifiers:
            sampled[amplifier.id].append(_part(row, amplifier, y, y + 1).ravel())
    return {name: _spread(np.concatenate(rows)) for name, rows in sampled.items()}


def _spread(off: np.ndarray) -> tuple[float, float]:
    good = off[np.isfinite(off)]
    if good.size == 0:
        return float("nan"), float("nan")
    low, middle, high = np.quantile(good, [0.15865, 0.5, 0.84135])
    return float(middle), float(high - low) / 2


def _part(rows: np.ndarray, amplifier: Amplifier, y0: int, y1: int) -> np.ndarray:
    """What belongs to an amplifier of the trimmed rows y0 <= y < y1; nothing where it lies elsewhere."""
    area = amplifier.trimmed
    return rows[max(area.y0 - y0, 0) : max(min(area.y1, y1) - y0, 0), area.x0 : area.x1]


def _difference(data: np.ndarray, mask: np.ndarray, last: MasterRows, y0: int, y1: int) -> np.ndarray:
    """New less last in the rows y0 <= y < y1, float32; NaN where either is bad."""
    off: np.ndarray = data[y0:y1] - last.pixels.rows(y0, y1)
    bits = last.bits(y0, y1)
    bad = mask[y0:y1] if bits is None else mask[y0:y1] | bits
    off[bad & Bit.BAD != 0] = np.nan
    return off
