"""What the recipes of all masters share: frames in, a stack combined band by band, a master out."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numba
import numpy as np
from astropy.io.fits import Header

from mar.camera import Section
from mar.config.combining import Combining
from mar.errors import NotEnoughFrames
from mar.frame import Frame, set_cards
from mar.kernels.threads import side_by_side
from mar.progress import Progress
from mar.steps.combine import Rejection, combine
from mar.steps.rows import Rows, bands
from mar.steps.statistics import Statistics

CACHED_MB, LARGEST_MB = 3, 8  # of a thread's band
LEAST_ROWS = 4  # of it, up to the larger size: of many frames the calls would take longer than the pixels
SAMPLE_ROWS = 64  # rows of a frame on which its level is measured
SAMPLE_STEP = 4  # every so many pixels of them


class StackFrame(NamedTuple):
    """One frame of a stack; its pixels are read in bands of rows."""

    name: str
    rows: Rows
    exptime_s: float = 0.0
    mask: Rows | None = None
    pointing: tuple[float, float] | None = None  #: right ascension and declination, degrees


class Dropped(NamedTuple):
    """A frame that was left out, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Master:
    """A master made from a stack."""

    frame: Frame  #: pixels, mask and the cards of the combination
    statistics: Statistics
    used: tuple[str, ...]
    dropped: tuple[Dropped, ...] = ()
    warnings: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()  #: for the log


class Part(NamedTuple):
    """A part of the image and what brings its frames to one level: v / scale - zero."""

    section: Section
    scales: np.ndarray  #: (n,)
    zeros: np.ndarray  #: (n,), scaled ADU


FillBand = Callable[[int, int, np.ndarray], None]
"""fill(y0, y1, stack): put those rows of every frame into stack (n, y1 - y0, nx) float32 ADU."""


def combine_in_bands(
    fill: FillBand,
    shape: tuple[int, int, int],
    config: Combining,
    rejection: Rejection,
    progress: Progress,
    *,
    parts: Sequence[Part] = (),
) -> np.ndarray:
    """The combined image (ny, nx) float32 of a stack of `shape` (n, ny, nx) that is never whole in memory.

    `parts` cover the image, each with the levels of its frames; without any they are combined as they are.
    Each thread works on a band of its own, small enough to stay in the cache from reading to the result.
    """
    n, ny, nx = shape
    height = band_height(shape, config.stack_mb)
    value = np.empty((ny, nx), dtype=np.float32)
    parts = parts or [Part(Section(0, nx, 0, ny), np.ones(n), np.zeros(n))]
    own = threading.local()

    def one(band: tuple[int, int]) -> int:
        y0, y1 = band
        if not hasattr(own, "buffer"):
            own.buffer = np.empty(n * height * nx, dtype=np.float32)
        rows = own.buffer[: n * (y1 - y0) * nx].reshape(n, y1 - y0, nx)
        fill(y0, y1, rows)
        for (x0, x1, first, last), scales, zeros in parts:
            here = slice(max(first, y0), min(last, y1))
            if here.start < here.stop:
                combine(
                    rows[:, here.start - y0 : here.stop - y0, x0:x1],
                    config.method,
                    rejection,
                    scales=scales,
                    zeros=zeros,
                    want=frozenset(),
                    threads=1,
                    out=value[here, x0:x1],
                )
        return y1

    for y1 in side_by_side(one, bands(ny, height)):
        progress("combine", y1, ny)
    return value


def band_height(shape: tuple[int, int, int], stack_mb: int) -> int:
    """Rows of a stack of `shape` (n, ny, nx) that a thread has in memory at a time."""
    n, ny, nx = shape
    allowed, cached, largest = (
        int(mb * 2**20) // (4 * n * nx) for mb in (stack_mb / numba.get_num_threads(), CACHED_MB, LARGEST_MB)
    )
    return max(1, min(ny, allowed, max(cached, min(LEAST_ROWS, largest))))


def rejection_of(config: Combining, gain: float, read_noise_e: float) -> Rejection:
    """The rejection that a section of the configuration asks for, with the camera's noise."""
    return Rejection(
        config.rejection,
        config.low_sigma,
        config.high_sigma,
        config.nkeep,
        config.nlow,
        config.nhigh,
        read_noise_e,
        gain,
        config.sensitivity,
        config.centre,
        config.rounds,
        config.pclip,
        config.sigscale,
    )


def sample(rows: Callable[[int, int], np.ndarray], ny: int, section: Section | None = None) -> np.ndarray:
    """Every fourth pixel of 64 rows spread evenly over an image of ny rows, or over a section of it."""
    y0, y1, columns = 0, ny, slice(None, None, SAMPLE_STEP)
    if section is not None:
        y0, y1, columns = section.y0, section.y1, slice(section.x0, section.x1, SAMPLE_STEP)
    chosen = np.unique(np.linspace(y0, y1 - 1, min(y1 - y0, SAMPLE_ROWS)).astype(int))
    return np.concatenate([rows(y, y + 1)[0, columns] for y in map(int, chosen)])


def check_enough(used: int, dropped: Sequence[Dropped], least: int, what: str) -> None:
    """Raise NotEnoughFrames, with the reasons of those dropped, where too few frames are left."""
    if used >= least:
        return
    reasons = "".join(f"; {name}: {reason}" for name, reason in dropped)
    raise NotEnoughFrames(f"{used} usable {what} of {used + len(dropped)}, {least} are needed{reasons}")


def few(used: int, wanted: int, what: str) -> list[str]:
    """A warning where there are fewer frames than wanted."""
    return [f"only {used} usable {what}; {wanted} or more are wanted"] if used < wanted else []


def stack_cards(header: Header, kind: str, frames: Sequence[StackFrame], band: str = "") -> None:
    """Write into `header` what kind of master it is and the frames that it was made from."""
    set_cards(header, {"MASTER_TYPE": (kind, "kind of master"), "NCOMBINE": (len(frames), "frames combined")})
    if band:
        set_cards(header, {"BAND": (band, "filter")})
    for number, frame in enumerate(frames, start=1):
        set_cards(header, {f"COMB_{number}": frame.name, f"EXP_{number}": (frame.exptime_s, "[s]")})
