"""Kernels side by side: they hold no lock of the interpreter, so Python's threads share the processors."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numba

Item = TypeVar("Item")
Result = TypeVar("Result")


def side_by_side(work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """What `work` gives for each item, in their order and as it comes; as many threads as numba may use."""
    with ThreadPoolExecutor(numba.get_num_threads()) as pool:
        yield from pool.map(work, items)


def in_threads(work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """The same, all of it."""
    return list(side_by_side(work, items))


def bands(length: int, size: int) -> list[tuple[int, int]]:
    """(0, size), (size, 2 size) ... up to `length`."""
    return [(start, min(length, start + size)) for start in range(0, length, size)]
