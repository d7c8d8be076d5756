"""Order statistics of many pixels at once: sorting networks over the frames of a stack.

Every exchange of a network is one vector operation over neighbouring pixels. For up to NAMED frames a kernel
is written for just that number and just the places asked for: the frames of a pixel are then variables of
their own, stay in registers, and exchanges that no asked place depends on are left out.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import cast

import numpy as np

from mar.kernels.jit import jit

BLOCK = 2048  # pixels of a block
STRIDE = BLOCK + 16  # not a power of two: frames of a pixel would share one set of the cache
NAMED = 25  # frames
STRAIGHT = 13  # frames that can be read straight from a stack: beyond, the compiler does not vectorise

Picker = Callable[[np.ndarray, int, int, np.ndarray], None]
"""pick(values (blocks, n, STRIDE), blocks, width, picked (blocks, places, STRIDE)), `values` left alone."""

StackPicker = Callable[[np.ndarray, int, int, int, np.ndarray, np.ndarray, np.ndarray, np.ndarray], int]
"""pick(stack (n, ny, nx), y0, y1, width, factors (n,), zeros (n,), picked, squares): the same from a stack.

A value v of frame i enters as v x factors[i] - zeros[i], all float32. Gives how many pixels have a value that
is not finite; if any, what was picked is worth nothing. `squares` (blocks, STRIDE) are those of the
deviations from the median, summed; left alone unless they were asked for.
"""


@lru_cache(maxsize=64)
def sorting_network(n: int) -> tuple[tuple[int, int], ...]:
    """Pairs of places that sort n values when exchanged in turn: Batcher's odd-even merge sort."""
    pairs = []
    size = 1
    while size < n:
        step = size
        while step:
            for start in range(step % size, n - step, 2 * step):
                for low in range(start, min(start + step, n - step)):
                    if low // (2 * size) == (low + step) // (2 * size):
                        pairs.append((low, low + step))
            step //= 2
        size *= 2
    return tuple(pairs)


@lru_cache(maxsize=64)
def network_of(n: int) -> np.ndarray:
    """The pairs of `sorting_network` as data, (exchanges, 2) int64."""
    return np.array(sorting_network(n), dtype=np.int64).reshape(-1, 2)


@lru_cache(maxsize=256)
def picker(n: int, places: tuple[int, ...]) -> Picker:
    """A kernel that puts the values at these places of the ascending order of n frames into `picked`."""
    if n <= NAMED:
        return _written_for(n, places)
    network = network_of(n)
    wanted = np.array(places, dtype=np.int64)

    def pick(values: np.ndarray, blocks: int, width: int, picked: np.ndarray) -> None:
        _pick_by_network(values, blocks, width, network, wanted, picked)

    return pick


def _written_for(n: int, places: tuple[int, ...]) -> Picker:
    name = _name("pick", n, places)
    lines = [f"def {name}(values, blocks, width, picked):", "    for b in range(blocks):"]
    # flat, so that the compiler sees by the fixed strides that no two frames overlap
    lines += ["        rows, into = values[b].reshape(-1), picked[b].reshape(-1)"]
    lines += ["        for x in range(width):"]
    lines += [f"            v{i} = rows[{i * STRIDE} + x]" for i in range(n)]
    lines += _network_lines(n, places)
    return cast(Picker, _compiled(name, lines))


@lru_cache(maxsize=256)
def stack_picker(n: int, places: tuple[int, ...], squares: bool) -> StackPicker:
    """A kernel that does so straight from the rows of a stack of n frames, STRAIGHT at most.

    With `squares` the places must hold the two in the middle.
    """
    name = _name("pick_squares" if squares else "pick_rows", n, places)
    lines = [
        f"def {name}(stack, y0, y1, width, factors, zeros, picked, squares):",
        "    nx, b, bad = stack.shape[2], 0, 0",
    ]
    lines += [f"    f{i}, z{i} = factors[{i}], zeros[{i}]" for i in range(n)]
    lines += ["    for y in range(y0, y1):", "        for start in range(0, nx, width):"]
    lines += ["            stop = min(nx, start + width)", "            into = picked[b].reshape(-1)"]
    lines += ["            square = squares[b]"]
    lines += [f"            r{i} = stack[{i}, y, start:stop]" for i in range(n)]
    lines += ["            for x in range(stop - start):"]
    lines += [f"                v{i} = u{i} = r{i}[x] * f{i} - z{i}" for i in range(n)]
    finite = " and ".join(f"(abs(v{i}) < INFINITE)" for i in range(n))
    lines += [f"                bad += 0 if {finite} else 1"]
    lines += ["    " + line for line in _network_lines(n, places)]
    if squares:
        lines += [f"                c = HALF * (v{(n - 1) // 2} + v{n // 2})"]
        terms = [f"(u{i} - c) * (u{i} - c)" for i in range(n)]
        lines += [f"                square[x] = {' + '.join(terms)}"]
    lines += ["            b += 1", "    return bad"]
    return cast(StackPicker, _compiled(name, lines))


def _name(what: str, n: int, places: tuple[int, ...]) -> str:
    return f"{what}_{n}_{'_'.join(map(str, places)) if len(places) < n else 'all'}"


def _network_lines(n: int, places: tuple[int, ...]) -> list[str]:
    """The exchanges of one pixel's values v0, v1..., each a variable of its own, and what is put `into`."""
    lines = []
    for low, high, wants_low, wants_high in _pruned(sorting_network(n), places):
        lines.append(f"            a, other = v{low}, v{high}")
        # so written it becomes one instruction, and infinity goes up
        lines += [f"            v{low} = a if a < other else other"] * wants_low
        lines += [f"            v{high} = other if a < other else a"] * wants_high
    return lines + [f"            into[{k * STRIDE} + x] = v{place}" for k, place in enumerate(places)]


def _compiled(name: str, lines: list[str]) -> object:
    made: dict[str, Callable[..., object]] = {}
    known = {"__name__": __name__, "INFINITE": np.float32(np.inf), "HALF": np.float32(0.5)}
    # as if it stood in this file: so numba caches it, and compiles it again when this file changes
    exec(compile("\n".join(lines) + "\n", __file__, "exec"), known, made)
    return jit(made[name])


def _pruned(
    network: tuple[tuple[int, int], ...], places: tuple[int, ...]
) -> list[tuple[int, int, bool, bool]]:
    """The exchanges that the places depend on, and which of their two results are needed."""
    needed, kept = set(places), []
    for low, high in reversed(network):
        if low in needed or high in needed:
            kept.append((low, high, low in needed, high in needed))
            needed |= {low, high}
    return kept[::-1]


@jit
def _exchange(low: np.ndarray, high: np.ndarray) -> None:
    """Put the smaller value of each pixel into `low`, the larger one into `high`."""
    for x in range(low.size):
        a, b = low[x], high[x]
        low[x] = a if a < b else b
        high[x] = b if a < b else a


@jit
def sort_rows(values: np.ndarray, count: int, network: np.ndarray) -> None:
    """Sort the first `count` pixels of `values` (n, at least count), each by itself, in place."""
    for k in range(network.shape[0]):
        _exchange(values[network[k, 0], :count], values[network[k, 1], :count])


@jit
def _pick_by_network(
    values: np.ndarray, blocks: int, width: int, network: np.ndarray, wanted: np.ndarray, picked: np.ndarray
) -> None:
    """The same for any number of frames: the exchanges are data, and their results go through memory."""
    ordered = np.empty(values.shape[1:], dtype=np.float32)
    for block in range(blocks):
        ordered[:, :width] = values[block, :, :width]
        sort_rows(ordered, width, network)
        for k in range(wanted.size):
            picked[block, k, :width] = ordered[wanted[k], :width]
