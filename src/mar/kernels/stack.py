"""Combine a stack of rows pixel by pixel, with the rejections of IRAF's imcombine.

Rows are worked on a few at a time, so that all their values stay in the cache: their order statistics are
found (`networks`), what loses nothing is combined block by block (`stack_whole`), what loses one value by the
statistics next to those, and the few other pixels by all their values (`stack_clip`). Threads take the next
rows in turn.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from typing import NamedTuple

import numba
import numpy as np

from mar.kernels.networks import STRIDE, network_of, picker, stack_picker
from mar.kernels.stack_gather import gather
from mar.kernels.stack_picked import combine_picked
from mar.kernels.stack_plan import Plan, Results, Task, plan_of

CACHED = 2**20  # bytes of values at a time


class Work(NamedTuple):
    """What a thread needs for the rows that it works on."""

    values: np.ndarray  #: (blocks, n, STRIDE) float32
    picked: np.ndarray  #: (blocks, places, STRIDE) float32
    squares: np.ndarray  #: (blocks, STRIDE) float32
    centre: np.ndarray  #: (blocks, STRIDE) float32
    found: np.ndarray  #: (blocks, STRIDE) int32
    lacking: np.ndarray  #: (blocks,) bool
    flags: np.ndarray  #: (blocks, STRIDE) uint8


def combine_rows(task: Task, results: Results, threads: int = 0) -> None:
    """Combine a stack into `results`; `threads` of 0 are as many as numba may use.

    Pixels that are not finite, or whose mask is not zero, take no part; where none is left, value and sigma
    are NaN.
    """
    _, ny, nx = task.stack.shape
    plan = plan_of(task, results)
    height = max(1, min(ny, CACHED // (4 * plan.at_work * nx)))
    starts = range(0, ny, height)
    threads = min(len(starts), threads or numba.get_num_threads())
    if threads <= 1:
        _combine_some(plan, results, starts, height)
        return
    queue = iter(starts)  # handing out is one step of the interpreter, so threads may share it
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(_combine_some, repeat(plan, threads), repeat(results), repeat(queue), repeat(height)))


def _combine_some(plan: Plan, results: Results, starts: Iterable[int], height: int) -> None:
    """Combine rows from each start on, as long as there are any."""
    (stack, masks, scaling, method, rule), noise, _, at, _, by_frame, _, _, blocks, width = plan
    n, ny, _ = stack.shape
    work, network = _work(height * blocks, n, len(plan.places)), network_of(n)
    factors, zeros = (1 / scaling.scales).astype(np.float32), scaling.zeros.astype(np.float32)
    for y0 in starts:
        y1 = min(ny, y0 + height)
        straight = plan.straight and _pick_straight(plan, y0, y1, work, factors, zeros)
        incomplete = 0 if straight else _gather_and_pick(plan, y0, y1, work)
        # one call for all the rest: each call from Python into a kernel unpacks all of its arrays
        combine_picked(
            stack, masks, scaling, by_frame, straight, network, method, rule, noise, at, incomplete, *work,
            width, y0, y1, *results,
        )  # fmt: skip


def _work(blocks: int, n: int, places: int) -> Work:
    return Work(
        np.zeros((blocks, n, STRIDE), dtype=np.float32),
        np.zeros((blocks, places, STRIDE), dtype=np.float32),
        np.zeros((blocks, STRIDE), dtype=np.float32),
        np.zeros((blocks, STRIDE), dtype=np.float32),
        np.zeros((blocks, STRIDE), dtype=np.int32),
        np.zeros(blocks, dtype=np.bool_),
        np.zeros((blocks, STRIDE), dtype=np.uint8),
    )


def _pick_straight(plan: Plan, y0: int, y1: int, work: Work, factors: np.ndarray, zeros: np.ndarray) -> bool:
    """Find what some rows are combined by, from the stack itself; False where a pixel lacks a value."""
    pick = stack_picker(len(plan.task.stack), plan.places, plan.squares)
    return pick(plan.task.stack, y0, y1, plan.width, factors, zeros, work.picked, work.squares) == 0


def _gather_and_pick(plan: Plan, y0: int, y1: int, work: Work) -> int:
    """The same of any pixels; gives the number of blocks that lack values."""
    (stack, masks, scaling, _, _), width = plan.task, plan.width
    incomplete = gather(stack, masks, y0, y1, scaling, width, work.values, work.found, work.lacking)
    picker(len(stack), plan.places)(work.values, (y1 - y0) * plan.blocks, width, work.picked)
    return incomplete
