"""The one place where numba's options are chosen.

A kernel takes arrays and numbers only, holds no lock of the interpreter while it runs, and is compiled once
per machine: the result is cached beside the source, or in `NUMBA_CACHE_DIR`. A cached kernel is compiled
again when its own file changes, but not when a kernel of another file that it calls does: keep what belongs
together in one file. Fast-math is off on purpose, because kernels tell NaN from numbers; only
`summing_jit` lets sums be added in another order.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Kernel = TypeVar("Kernel", bound=Callable[..., Any])

_OPTIONS: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy"}

rows_in_parallel = numba.prange
"""`for y in rows_in_parallel(ny)`: the rows of a `parallel_jit` kernel, shared among the threads."""


def jit(kernel: Kernel) -> Kernel:
    """Compile a kernel for one thread (several Python threads may run it at once)."""
    return cast(Kernel, numba.njit(**_OPTIONS)(kernel))


def summing_jit(kernel: Kernel) -> Kernel:
    """As `jit`, but sums may be added in any order, several at a time; NaN stays NaN."""
    return cast(Kernel, numba.njit(fastmath={"reassoc"}, **_OPTIONS)(kernel))


def parallel_jit(kernel: Kernel) -> Kernel:
    """Compile a kernel whose `rows_in_parallel` loops are shared among numba's threads.

    It takes several times longer to compile than `jit`, so use it only where the loop is long.
    """
    return cast(Kernel, numba.njit(parallel=True, **_OPTIONS)(kernel))
