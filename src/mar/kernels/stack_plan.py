"""What is to be done with a stack, and what its pixels must be asked for."""

from typing import NamedTuple

import numpy as np

from mar.kernels.networks import BLOCK, STRAIGHT
from mar.kernels.stack_rules import (
    AVSIGCLIP,
    CCDCLIP,
    MEAN,
    MINMAX,
    NONE,
    PCLIP,
    SIGCLIP,
    Places,
    Rejection,
    Scaling,
    after_extremes,
    least_to_clip,
    noise_model,
    percentile_place,
)


class Task(NamedTuple):
    """A stack and what it is combined by."""

    stack: np.ndarray  #: (n, ny, nx) float32
    masks: np.ndarray  #: the same shape, uint8, or (n, ny, 0)
    scaling: Scaling
    method: int
    rule: Rejection


class Results(NamedTuple):
    """Where it goes to; all but `value` may be empty, of shape (0, 0)."""

    value: np.ndarray  #: (ny, nx) float32
    kept: np.ndarray  #: (ny, nx) uint16, how many values
    sigma: np.ndarray  #: (ny, nx) float32
    rejected: np.ndarray  #: (n, ny, nx) uint8


class Plan(NamedTuple):
    """How a task is done."""

    task: Task
    noise: np.ndarray  #: (n, 6), the noise model
    places: tuple[int, ...]  #: order statistics that whole pixels need
    at: Places
    squares: bool  #: the squared deviations from the median are needed too
    by_frame: bool  #: it matters which frame a value comes from
    straight: bool  #: order statistics and squares suffice for pixels that lack no value
    at_work: int  #: numbers of a pixel that are looked at again and again
    blocks: int  #: of a row
    width: int  #: of a block, pixels


def plan_of(task: Task, results: Results) -> Plan:
    """The plan of a task; a clipping that cannot reject anything of so few frames is left out."""
    n, _, nx = task.stack.shape
    kind = task.rule.kind
    if kind not in (NONE, MINMAX) and n < least_to_clip(n, kind, task.rule.nkeep):
        task = task._replace(rule=task.rule._replace(kind=NONE))
    weighted = task.rule.weighted and kind not in (NONE, MINMAX)
    by_frame = weighted or results.rejected.size > 0
    every_value = task.method == MEAN or results.sigma.size > 0
    squares = kind in (SIGCLIP, AVSIGCLIP) and not (weighted or task.rule.about_mean)
    straight = (
        n <= STRAIGHT
        and task.masks.shape[2] == 0
        and not (weighted or every_value or (task.rule.about_mean and kind not in (NONE, MINMAX)))
    )
    places, at = _places(n, task.rule, every_value)
    blocks = -(-nx // BLOCK)
    noise = noise_model(task.rule, task.scaling)
    at_work = min(n, len(places) + 2) if straight else n
    return Plan(task, noise, places, at, squares, by_frame, straight, at_work, blocks, -(-nx // blocks))


def _places(n: int, rule: Rejection, every_value: bool) -> tuple[tuple[int, ...], Places]:
    """Order statistics that whole pixels need, and where each is among them."""
    first, last = 0, n - 1
    if rule.kind == MINMAX:
        first, last = after_extremes(n, n, rule.low, rule.high, rule.nkeep)
    lower, upper = (first + last) // 2, (first + last + 1) // 2
    sigma = percentile_place(n, rule.pclip) if rule.kind == PCLIP else lower
    wanted = {lower, upper, sigma}
    if rule.kind not in (NONE, MINMAX):
        wanted |= {0, n - 1}
    if rule.kind in (AVSIGCLIP, CCDCLIP):
        wanted |= {min(1, n - 1), (n - 2) // 2, (n + 1) // 2, max(0, n - 2)}
    if rule.kind == MINMAX and every_value:
        wanted |= set(range(first, last + 1))
    places = tuple(sorted(wanted))
    index = {place: k for k, place in enumerate(places)}
    lowest, highest = index.get(0, 0), index.get(n - 1, 0)
    return places, Places(
        lowest,
        index[lower],
        index[upper],
        highest,
        index[sigma],
        index.get(first, 0),
        last - first + 1,
        *(index.get(place, 0) for place in (1, (n - 2) // 2, (n + 1) // 2, n - 2)),
    )
