"""Work on several things at once, in threads: arrays and files are worked on outside the interpreter."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numba

Item = TypeVar("Item")
Result = TypeVar("Result")


def side_by_side(work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """What `work` gives for each item, in their order; as many threads as numba may use."""
    with ThreadPoolExecutor(numba.get_num_threads()) as pool:
        yield from pool.map(work, items)
