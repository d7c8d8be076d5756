"""Raw frames without their overscan, bias and flat, read and written in bands of rows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mar.camera import Camera
from mar.config.scan import Scan
from mar.errors import BadImage
from mar.frame import Frame
from mar.kernels.levels import apply_masters
from mar.kernels.threads import side_by_side
from mar.masks import Bit
from mar.progress import Progress
from mar.recipes.stacking import Dropped, StackFrame
from mar.steps.assemble import trim_rows
from mar.steps.master_rows import MasterRows
from mar.steps.overscan import EVEN_GAIN, OverscanModel, measure_overscan
from mar.steps.rows import ArrayRows, bands

BAND = 1 << 17  # pixels at a time: those of the frame and of both masters stay in the processor's cache


def detrend(raw: Frame, camera: Camera, bias: MasterRows, flat: MasterRows, config: Scan) -> Frame:
    """Overscan, trim, bias and flat in one pass over the pixels, the masters read in bands of rows.

    Bit for bit what `subtract_overscan`, `subtract_bias` and `divide_flat` give one after the other, with
    their cards. Raises BadImage where a master is of another shape or was made with another AMPLIFIER_GAIN,
    and as `measure_overscan`.
    """
    reader = ArrayRows(raw.data)
    model = measure_overscan(reader, camera, config, raw.label or "the frame")
    for master in (bias, flat):
        _check_master(master, model)
    data, mask = np.empty(camera.shape, np.float32), np.empty(camera.shape, np.uint8)

    def work(band: tuple[int, int]) -> None:
        y0, y1 = band
        rows, marked = model.rows(reader, y0, y1, data[y0:y1]), mask[y0:y1]
        marked[...] = 0 if raw.mask is None else trim_rows(ArrayRows(raw.mask), camera, y0, y1)
        apply_masters(rows, bias.pixels.rows(y0, y1), flat.pixels.rows(y0, y1), np.uint8(Bit.BAD), marked)
        for bits in (bias.bits(y0, y1), flat.bits(y0, y1)):
            if bits is not None:
                marked |= bits

    for _ in side_by_side(work, bands(camera.shape[0], max(1, BAND // camera.shape[1]))):
        pass
    said = {
        f"MAR {word}": f"{one.label} {one.checksum}".strip() or "done"
        for word, one in (("BIAS", bias), ("FLAT", flat))
    }
    return raw.replace(data=data, mask=mask).with_cards({**model.cards(), **said})


def _check_master(master: MasterRows, model: OverscanModel) -> None:
    for rows in (master.pixels, master.mask):
        if rows is not None and tuple(rows.shape) != model.camera.shape:
            raise BadImage(
                f"{master.label or 'the master'} is {tuple(rows.shape)} (rows, columns), but trimmed frames "
                f"of {model.camera.name} are {model.camera.shape}: it is of another camera"
            )
    if master.overscan and (EVEN_GAIN in master.overscan) != (EVEN_GAIN in model.said):
        raise BadImage(
            f"{master.label or 'the master'} was made with another Scan.AMPLIFIER_GAIN than is asked for now "
            f"(its OVERSCAN is {master.overscan!r}); make it again"
        )


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


def overscan_warnings(frames: Sequence[Detrended], config: Scan) -> list[str]:
    """What an operator should know of the overscan of a stack: strips that are missing, and drifts left."""
    lacking = {
        f"overscan: {amplifier.id} has no {' '.join(level.missing)}": None
        for frame in frames
        for amplifier, level in zip(frame.model.camera.amplifiers, frame.model.levels, strict=True)
        if level.missing
    }
    drifts = {frame.frame.name: max(level.left.drift for level in frame.model.levels) for frame in frames}
    high = [name for name, drift in drifts.items() if drift > config.warn_drift]
    if not high:
        return list(lacking)
    worst = max(high, key=drifts.__getitem__)
    return [
        *lacking,
        f"the overscan model leaves a drift of more than {config.warn_drift:g} ADU rms in {len(high)} of "
        f"{len(frames)} frames, {drifts[worst]:.2f} ADU in {worst}; see Scan.FITFUNCTION_X",
    ]
