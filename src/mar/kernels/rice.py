"""Rice coding of rows of integers, as FITS tile compression has it (RICE_1). Twin: tests.naive_files.

Source: Rice, Yeh and Miller 1993 (AIAA 93-4541); FITS standard 4.0, section 10.4.1. Differences of neighbours
are taken modulo 2**bits, so that whatever a row holds comes back without loss. Bits pass through a bag: an
integer whose last `held` bits are those not yet written, or read and not yet used.
"""

from typing import Any

import numpy as np

from mar.kernels.jit import jit

BLOCK = 32  #: pixels that share a number of low bits
SPARE = 8  #: bytes that must lie behind packed rows, for they are read four at a time

Whole = Any  #: int64 where it is compiled
_LEADING_ZEROS = np.array([8 - int(byte).bit_length() for byte in range(256)], dtype=np.int64)


def room(nx: int) -> int:
    """Bytes that a packed row of nx pixels never exceeds."""
    return 133 * (-(-nx // BLOCK)) + 8


@jit
def rice_encode(rows: np.ndarray, bits: int, packed: np.ndarray, ends: np.ndarray) -> None:
    """Pack rows (n, nx) int32 that hold integers of 8, 16 or 32 bits, one behind the other without a gap.

    `packed` is uint8 with `room(nx)` bytes for each row; `ends` (n,) int64 gets where each row ends.
    """
    few, raw = _widths(bits)
    n, nx = rows.shape
    mapped = np.empty(nx, np.uint32)
    place = 0
    for y in range(n):
        row = rows[y]
        _map(row, bits, mapped)
        first = np.int64(row[0]) & ((1 << bits) - 1)
        place, bag, held = _put(packed, place, 0, 0, first, bits)
        for x0 in range(0, nx, BLOCK):
            x1 = min(nx, x0 + BLOCK)
            total = np.int64(0)
            for x in range(x0, x1):
                total += np.int64(mapped[x])
            low = _low_bits(total, x1 - x0)
            if total == 0:
                place, bag, held = _put(packed, place, bag, held, 0, few)
            elif low >= raw:
                place, bag, held = _put(packed, place, bag, held, raw + 1, few)
                for x in range(x0, x1):
                    place, bag, held = _put(packed, place, bag, held, np.int64(mapped[x]), bits)
            else:
                place, bag, held = _put(packed, place, bag, held, low + 1, few)
                one, below = 1 << low, (1 << low) - 1
                for x in range(x0, x1):
                    value = np.int64(mapped[x])
                    zeros = value >> low
                    while zeros + low > 30:
                        step = zeros if zeros < 24 else 24
                        place, bag, held = _put(packed, place, bag, held, 0, step)
                        zeros -= step
                    place, bag, held = _put(packed, place, bag, held, one | (value & below), zeros + 1 + low)
        while held > 0:
            packed[place] = (bag >> (held - 8) if held >= 8 else bag << (8 - held)) & 255
            place += 1
            held -= 8
        ends[y] = place


@jit
def rice_decode(packed: np.ndarray, start: int, length: int, bits: int, block: int, row: np.ndarray) -> bool:
    """Unpack one row (nx,) int32 from `length` bytes of `packed`, which has SPARE bytes behind them.

    Integers of 8 bits have no sign, those of 16 and 32 have one. False where the bytes are damaged.
    """
    few, raw = _widths(bits)
    nx, stop = row.size, start + length
    mask, sign = (1 << bits) - 1, 1 << (bits - 1) if bits > 8 else 0
    if length < bits // 8:
        return False
    last, place = np.int64(0), start
    for _ in range(bits // 8):
        last, place = (last << 8) | np.int64(packed[place]), place + 1
    bag, held = 0, 0
    for x0 in range(0, nx, block):
        x1 = min(nx, x0 + block)
        place, bag, held = _refill(packed, place, stop, bag, held)
        held -= few
        low = ((bag >> held) & ((1 << few) - 1)) - 1
        if low > raw:
            return False
        below = (1 << max(low, 0)) - 1
        for x in range(x0, x1):
            value = 0
            if low >= 0:
                place, bag, held = _refill(packed, place, stop, bag, held)
            if low == raw:
                held -= bits
                value = (bag >> held) & mask
            elif low >= 0:
                zeros = _LEADING_ZEROS[(bag >> (held - 8)) & 255]
                while zeros == 8:
                    value, held = value + 8, held - 8
                    place, bag, held = _refill(packed, place, stop, bag, held)
                    if place > stop + 8:
                        return False
                    zeros = _LEADING_ZEROS[(bag >> (held - 8)) & 255]
                held -= zeros + 1 + low
                value = ((value + zeros) << low) | ((bag >> held) & below)
            last = (last + ((value >> 1) ^ -(value & 1))) & mask
            row[x] = (last ^ sign) - sign
        if place > stop + 8:
            return False
    return 8 * place - held <= 8 * stop


@jit
def _widths(bits: int) -> tuple[int, int]:
    """Bits that hold the number of low bits, and the number that stands for pixels stored as they are."""
    if bits == 8:
        return 3, 6
    if bits == 16:
        return 4, 14
    return 5, 25


@jit
def _map(row: np.ndarray, bits: int, mapped: np.ndarray) -> None:
    """Differences of neighbours as numbers without sign: 0, -1, 1, -2 ... become 0, 1, 2, 3 ..."""
    unused = np.int32(32 - bits)
    mask = np.uint32((1 << bits) - 1)
    mapped[0] = 0
    for x in range(1, row.size):
        difference = np.int32(np.int32(np.int32(row[x] - row[x - 1]) << unused) >> unused)
        folded = np.int32(difference << np.int32(1)) ^ np.int32(difference >> np.int32(31))
        mapped[x] = np.uint32(folded) & mask


@jit
def _low_bits(total: Whole, size: int) -> int:
    """How many low bits are written as they are: about the logarithm of half the mean."""
    half = int(max(0.0, (total - size // 2 - 1) / size)) >> 1
    low = 0
    while half > 0:
        half >>= 1
        low += 1
    return low


@jit
def _put(
    packed: np.ndarray, place: int, bag: Whole, held: Whole, value: Whole, width: Whole
) -> tuple[int, Whole, Whole]:
    """Put `width` bits, 32 at most, into the bag, and write its first four bytes when it has them."""
    bag, held = (bag << width) | value, held + width
    if held >= 32:
        held -= 32
        word = bag >> held
        packed[place] = (word >> 24) & 255
        packed[place + 1] = (word >> 16) & 255
        packed[place + 2] = (word >> 8) & 255
        packed[place + 3] = word & 255
        place += 4
    return place, bag, held


@jit
def _refill(packed: np.ndarray, place: int, stop: int, bag: Whole, held: Whole) -> tuple[int, Whole, Whole]:
    """Take four bytes more where fewer than 32 bits are left; far behind `stop` only zeros, and say so."""
    if held < 32:
        word = np.int64(0)
        if place < stop + 4:
            word = (
                (np.int64(packed[place]) << 24)
                | (np.int64(packed[place + 1]) << 16)
                | (np.int64(packed[place + 2]) << 8)
                | np.int64(packed[place + 3])
            )
        bag, held, place = (bag << 32) | word, held + 32, place + 4
    return place, bag, held
