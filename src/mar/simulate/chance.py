"""Random numbers that depend on the seed and on what they are for, never on the order of the calls."""

from zlib import crc32

import numpy as np


def chance(seed: int, *words: str | int) -> np.random.Generator:
    """A generator of its own for the thing that `words` name."""
    return np.random.default_rng([seed, *(crc32(str(word).encode()) for word in words)])
