"""Combine a stack of rows pixel by pixel, with the rejections of IRAF's imcombine.

Rows are worked on a few at a time, so that all their values stay in the cache: their order statistics are
found (`networks`), what loses nothing is combined block by block (`stack_whole`), and the few other pixels go
one by one (`stack_clip`). Threads take the next rows in turn.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from typing import NamedTuple

import numba
import numpy as np

from mar.kernels.networks import STRIDE, network_of, picker, stack_picker
from mar.kernels.stack_clip import add_lacking, combine_flagged
from mar.kernels.stack_gather import gather
from mar.kernels.stack_plan import Plan, Results, Task, plan_of
from mar.kernels.stack_rules import AVSIGCLIP, MINMAX, NONE, SIGCLIP
from mar.kernels.stack_whole import combine_whole, find_centres, find_squares, sum_rows

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
    n, ny, _ = plan.task.stack.shape
    work = _work(height * plan.blocks, n, len(plan.places))
    for y0 in starts:
        _combine_slab(plan, results, y0, min(ny, y0 + height), work)


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


def _combine_slab(plan: Plan, results: Results, y0: int, y1: int, work: Work) -> None:
    (stack, masks, scaling, method, rule), noise, _, at, _, by_frame, _, _, _, width = plan
    values, picked, squares, centre, found, lacking, flags = work
    common = np.ones(y1 - y0)
    incomplete = _pick(plan, y0, y1, work)
    if rule.kind == AVSIGCLIP:
        common, numbers = np.zeros(y1 - y0), np.zeros(y1 - y0, dtype=np.int64)
        about = width, stack.shape[2], common, numbers
        sum_rows(values, centre, squares, rule.weighted, noise, lacking, found, *about)
        if incomplete:
            add_lacking(values, rule.about_mean, noise, lacking, found, *about)
        common = np.sqrt(common / np.maximum(numbers - 1, 1))
    flagged = combine_whole(
        values,
        picked,
        centre,
        squares,
        method,
        rule,
        noise,
        at,
        common,
        lacking,
        found,
        width,
        y0,
        *results[:3],
        flags,
    )
    if results.rejected.size and rule.kind == MINMAX:
        flags[:], flagged = 1, 1
    if flagged:
        network = network_of(len(stack))
        combine_flagged(
            stack, masks, scaling, by_frame, network, method, rule, noise, common, flags, width, y0, *results
        )


def _pick(plan: Plan, y0: int, y1: int, work: Work) -> int:
    """Find what some rows are combined by; gives the number of blocks that lack values."""
    (stack, masks, scaling, _, rule), _, places, at, squares, _, straight, _, blocks, width = plan
    n, used, incomplete = len(stack), (y1 - y0) * blocks, 0
    if straight:
        factors, zeros = (1 / scaling.scales).astype(np.float32), scaling.zeros.astype(np.float32)
        pick = stack_picker(n, places, squares)
        straight = pick(stack, y0, y1, width, factors, zeros, work.picked, work.squares) == 0
        work.lacking[:] = False
    if not straight:
        incomplete = gather(stack, masks, y0, y1, scaling, width, work.values, work.found, work.lacking)
        picker(n, places)(work.values, used, width, work.picked)
    if rule.kind not in (NONE, MINMAX):
        find_centres(work.values, work.picked, at, rule.about_mean, width, work.centre[:used])
        if not straight and rule.kind in (AVSIGCLIP, SIGCLIP) and not rule.weighted:
            find_squares(work.values, work.centre[:used], width, work.squares)
    return incomplete
