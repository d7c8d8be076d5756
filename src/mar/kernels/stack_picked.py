"""Rows of a stack whose order statistics are found: their centres, noise, values, and those clipped."""

import numpy as np

from mar.kernels.jit import jit
from mar.kernels.stack_clip import add_lacking, combine_flagged
from mar.kernels.stack_rules import AVSIGCLIP, MINMAX, NONE, SIGCLIP, Places, Rejection, Scaling
from mar.kernels.stack_whole import combine_whole, find_centres, find_squares, sum_rows


@jit
def combine_picked(
    stack: np.ndarray,
    masks: np.ndarray,
    scaling: Scaling,
    by_frame: bool,
    straight: bool,
    network: np.ndarray,
    method: int,
    rule: Rejection,
    noise: np.ndarray,
    at: Places,
    incomplete: int,
    values: np.ndarray,
    picked: np.ndarray,
    squares: np.ndarray,
    centre: np.ndarray,
    found: np.ndarray,
    lacking: np.ndarray,
    flags: np.ndarray,
    width: int,
    y0: int,
    y1: int,
    value: np.ndarray,
    count: np.ndarray,
    sigma: np.ndarray,
    rejected: np.ndarray,
) -> None:
    """Combine the rows y0 <= y < y1 from what `picked` holds of them; all results but `value` may be empty.

    With `straight` that and `squares` are all there is, of pixels that lack nothing; else `values` hold the
    rows, and in `incomplete` blocks some are `lacking`.
    """
    kind, nx = rule.kind, stack.shape[2]
    blocks = (nx + width - 1) // width
    common = np.ones(y1 - y0)
    if straight:
        lacking[:] = False
    if kind != NONE and kind != MINMAX:
        centres = centre[: (y1 - y0) * blocks]
        find_centres(values, picked, at, rule.about_mean, width, centres)
        if not straight and kind in (AVSIGCLIP, SIGCLIP) and not rule.weighted:
            find_squares(values, centres, width, squares)
    if kind == AVSIGCLIP:
        common[:] = 0.0
        numbers = np.zeros(y1 - y0, dtype=np.int64)
        sum_rows(values, centre, squares, rule.weighted, noise, lacking, found, width, nx, common, numbers)
        if incomplete > 0:
            add_lacking(values, rule.about_mean, noise, lacking, found, width, nx, common, numbers)
        for r in range(common.size):
            common[r] = np.sqrt(common[r] / max(numbers[r] - 1, 1))
    flagged = combine_whole(
        values, picked, centre, squares, method, rule, noise, at, common, lacking, found, width, y0,
        value, count, sigma, flags,
    )  # fmt: skip
    if rejected.size > 0 and kind == MINMAX:
        flags[:] = 1
        flagged = 1
    if flagged > 0:
        combine_flagged(
            stack, masks, picked, at, scaling, by_frame, network, method, rule, noise, common, flags, width,
            y0, value, count, sigma, rejected,
        )  # fmt: skip
