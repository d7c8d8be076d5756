"""Frames on one grid become one image: the mean of what agrees, weighted by how well each frame knows it."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future, wait
from typing import NamedTuple, TypeVar

import numpy as np

from mar.config.coadd import Coadd
from mar.kernels import clipped_mean
from mar.kernels.runs import encode_runs
from mar.steps.frame_rows import AHEAD
from mar.steps.grid import Grid
from mar.steps.resample import Cut, PlacedFrame

METHODS = {
    "clipped": clipped_mean.CLIPPED,
    "weighted": clipped_mean.WEIGHTED,
    "median": clipped_mean.MEDIAN,
}
MOST_ROWS = 64  # of a band: more do not stay in the processor's cache
SPAN = 128  # rows that the tilt of a frame adds to those of a band, about
PART = 16  # rows that a thread works on at a time
READING = 2  # frames whose rows are read while another one is resampled


Result = TypeVar("Result")


class TileRows(NamedTuple):
    """A band of rows of a tile."""

    value: np.ndarray  #: (rows, nx) float32, in the unit of the placed frames
    weight: np.ndarray  #: (rows, nx) float32, inverse variance of the value; 0 = no trustworthy value
    number: np.ndarray  #: (rows, nx) uint16, frames that went into it


class Runs(NamedTuple):
    """What became of a frame's pixels in a band of rows: see mar.kernels.runs."""

    runs: np.ndarray  #: (n,) uint16, row after row
    counts: np.ndarray  #: (rows,) int64, runs of each row


def _empty_rows(shape: tuple[int, ...]) -> TileRows:
    return TileRows(np.empty(shape, np.float32), np.empty(shape, np.float32), np.empty(shape, np.uint16))


def coadd(values: np.ndarray, weights: np.ndarray, config: Coadd, out: TileRows | None = None) -> TileRows:
    """Combine resampled rows (n, rows, nx) with their inverse variances, as configured.

    The clipped mean is that of Gruen et al. (2014): weights come from the sky alone and differ in nothing
    between a star's core and its wings, so the PSF of the tile is linear. The weights of values that were
    clipped become -inf in `weights`.
    """
    tile = out or _empty_rows(values.shape[1:])
    method = METHODS[config.method]
    clipped_mean.coadd(values, weights, method, config.clip_sigma, config.clip_fraction, *tile)
    return tile


def add(old: TileRows, new: TileRows) -> TileRows:
    """Two weighted means of different frames as one; a value without weight stays only where both are."""
    weight = old.weight + new.weight
    known = weight > 0
    share = np.divide(new.weight, weight, out=np.zeros_like(weight), where=known)
    nothing = np.where(old.value != 0, old.value, new.value)
    value = np.where(known, old.value + share * (new.value - old.value), nothing)
    return TileRows(value, weight, old.number + new.number)


class Stack:
    """The frames of a tile, combined band of rows by band of rows in memory that their number does not grow.

    Few frames keep the rows that the next band needs too; of many each band is read anew. The work is shared
    out to the threads of `pool`.
    """

    def __init__(self, frames: Sequence[PlacedFrame], grid: Grid, config: Coadd, pool: Executor) -> None:
        self._frames, self._config, self._pool = frames, config, pool
        self.height = band_rows(len(frames), grid, config.memory_mb)
        self._part = min(PART, self.height)
        shape = self.height // self._part, len(frames), self._part, grid.size
        self._values, self._weights = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        self._tiles = [_empty_rows((self.height, grid.size)) for _ in range(2)]
        for frame in frames:
            frame.rows.keep = kept(frames, config.memory_mb)

    def rows(self, y0: int, y1: int) -> tuple[TileRows, list[Runs]]:
        """The rows y0 <= y < y1 of the tile, at most `height`, and what became of each frame's pixels.

        The arrays hold until the next call but one.
        """
        parts = [(first, min(y1, first + self._part)) for first in range(y0, y1, self._part)]
        for index, (frame, cut) in enumerate(zip(self._frames, self._cuts(y0, y1), strict=True)):
            wait_for([self._pool.submit(self._fill, index, cut, *limits) for limits in enumerate(parts)])
            if not frame.rows.keep:
                frame.rows.forget()
        self._tiles.reverse()
        fates = wait_for([self._pool.submit(self._combine, *limits) for limits in enumerate(parts)])
        tile = TileRows(*(one[: y1 - y0] for one in self._tiles[0]))
        return tile, [_joined(of_frame) for of_frame in zip(*fates, strict=True)]

    def _fill(self, index: int, cut: Cut | None, part: int, rows: tuple[int, int]) -> None:
        values, weights = (
            of_all[part, index, : rows[1] - rows[0]] for of_all in (self._values, self._weights)
        )
        self._frames[index].fill(cut, rows[0], values, weights)

    def _combine(self, part: int, rows: tuple[int, int]) -> list[Runs]:
        of_tile = slice(part * self._part, (part + 1) * self._part)
        weights = self._weights[part]
        coadd(self._values[part], weights, self._config, TileRows(*(one[of_tile] for one in self._tiles[0])))
        return [runs_of(of_frame[: rows[1] - rows[0]]) for of_frame in weights]

    def _cuts(self, y0: int, y1: int) -> Iterator[Cut | None]:
        """Each frame's part; that of the next ones is read meanwhile."""
        waiting: deque[Future[Cut | None]] = deque()
        for frame in self._frames:
            waiting.append(self._pool.submit(frame.cut, y0, y1))
            if len(waiting) > READING:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def runs_of(weights: np.ndarray) -> Runs:
    """What became of a frame's pixels, from its weights (rows, nx) after the combination."""
    runs, counts = np.empty(weights.shape, np.uint16), np.empty(len(weights), np.int64)
    encode_runs(weights, runs, counts)
    return Runs(np.concatenate([row[:n] for row, n in zip(runs, counts, strict=True)]), counts)


def _joined(parts: Sequence[Runs]) -> Runs:
    return Runs(*(np.concatenate(of_parts) for of_parts in zip(*parts, strict=True)))


def wait_for(futures: Sequence[Future[Result]]) -> list[Result]:
    """The results of all of them; raises what the first that failed raised, once all have ended."""
    wait(futures)
    return [future.result() for future in futures]


def band_rows(n_frames: int, grid: Grid, memory_mb: int) -> int:
    """Rows per band (1 to MOST_ROWS) such that the resampled frames take at most `memory_mb`."""
    rows = int(np.clip(memory_mb * 1e6 / (8 * max(1, n_frames) * grid.size), 1, MOST_ROWS))
    return rows // PART * PART or rows


def kept(frames: Sequence[PlacedFrame], memory_mb: int) -> bool:
    """Whether the rows that all frames need for a band fit into twice `memory_mb`."""
    rows = MOST_ROWS + SPAN + 2 * AHEAD
    return sum(5e-6 * rows * frame.rows.shape[1] for frame in frames) <= 2 * memory_mb
