"""Slow, obvious twins of the kernels that pack rows of pixels: bits as text, one pixel at a time."""

import math

import numpy as np

BLANK, ZERO = -2147483647, -2147483646


def datasum(data):
    """The sum of 32-bit words with end-around carry, of bytes filled with zeros."""
    data = bytes(data) + bytes(-len(data) % 4)
    total = sum(int.from_bytes(data[k : k + 4], "big") for k in range(0, len(data), 4))
    while total >> 32:
        total = (total & 0xFFFFFFFF) + (total >> 32)
    return total


def rice(row, bits):
    """A row of integers as Rice code in blocks of 32: the bytes."""
    few, raw = {8: (3, 6), 16: (4, 14), 32: (5, 25)}[bits]
    code = _bits(int(row[0]) % 2**bits, bits)
    steps = [
        _folded(int(b) - int(a), bits) for a, b in zip(row[:1].tolist() + row[:-1].tolist(), row, strict=True)
    ]
    for start in range(0, len(steps), 32):
        block = steps[start : start + 32]
        low = int(max(0.0, (sum(block) - len(block) // 2 - 1) / len(block)) / 2).bit_length()
        if not any(block):
            code += _bits(0, few)
        elif low >= raw:
            code += _bits(raw + 1, few) + "".join(_bits(step, bits) for step in block)
        else:
            code += _bits(low + 1, few)
            code += "".join("0" * (step >> low) + "1" + _bits(step % 2**low, low) for step in block)
    code += "0" * (-len(code) % 8)
    return int(code, 2).to_bytes(len(code) // 8, "big")


def _bits(number, width):
    return f"{number:0{width}b}" if width else ""


def _folded(step, bits):
    """A difference modulo 2**bits: 0, -1, 1, -2 ... become 0, 1, 2, 3 ..."""
    step = (step + 2 ** (bits - 1)) % 2**bits - 2 ** (bits - 1)
    return 2 * step if step >= 0 else -2 * step - 1


def randoms():
    """The 10,000 random numbers of the FITS standard, appendix I, and the last seed."""
    seed, numbers = 1, []
    for _ in range(10000):
        seed = 16807 * seed % (2**31 - 1)
        numbers.append(np.float32(seed / (2**31 - 1)))
    return numbers, seed


def dither(y, nx):
    """The random numbers of the pixels of row y."""
    numbers, _ = randoms()
    seed, found = y % 10000, []
    place = int(float(numbers[seed]) * 500)
    for _ in range(nx):
        found.append(float(numbers[place]))
        place += 1
        if place == 10000:
            seed = (seed + 1) % 10000
            place = int(float(numbers[seed]) * 500)
    return found


def quantised(row, y, scale, zero):
    """A row of floats as integers, dithered so that zeros and NaN stay."""
    integers = []
    for value, random in zip(row.tolist(), dither(y, len(row)), strict=True):
        if math.isnan(value):
            integers.append(BLANK)
        else:
            integers.append(ZERO if value == 0 else round((value - zero) / scale + random - 0.5))
    return np.array(integers)


def restored(integers, y, scale, zero):
    """The floats that integers stand for."""
    values = []
    for integer, random in zip(integers.tolist(), dither(y, len(integers)), strict=True):
        value = (integer - random + 0.5) * scale + zero
        values.append(math.nan if integer == BLANK else 0.0 if integer == ZERO else value)
    return np.array(values, "f4")
