"""A large image is read and written in bands of rows, by as many threads as numba may use."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numba

Result = TypeVar("Result")


def in_bands(work: Callable[[int, int], Result], y0: int, y1: int, height: int) -> Iterator[Result]:
    """What `work(first, end)` gives for one band of rows after the other, in their order."""
    bands = [(first, min(y1, first + height)) for first in range(y0, y1, height)]
    if len(bands) < 2:
        yield from (work(*band) for band in bands)
        return
    with ThreadPoolExecutor(min(len(bands), numba.get_num_threads())) as pool:
        yield from pool.map(lambda band: work(*band), bands)
