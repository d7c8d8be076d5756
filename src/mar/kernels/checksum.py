"""The checksum of FITS data units. Twin: tests.naive_files.datasum."""

import numpy as np

from mar.kernels.jit import jit


@jit
def sum_big_endian(words: np.ndarray, total: int) -> int:
    """Add 32-bit words, read big-endian, to `total` with end-around carry (ones' complement).

    `words` is (n,) uint32 as it lies in memory of a little-endian machine. Source: FITS standard 4.0,
    appendix J.
    """
    sum64 = np.uint64(total)
    for i in range(words.size):
        w = np.uint64(words[i])
        high = ((w << np.uint64(24)) & np.uint64(0xFF000000)) | ((w << np.uint64(8)) & np.uint64(0xFF0000))
        low = ((w >> np.uint64(8)) & np.uint64(0xFF00)) | (w >> np.uint64(24))
        sum64 += high | low
    while sum64 >> np.uint64(32):
        sum64 = (sum64 & np.uint64(0xFFFFFFFF)) + (sum64 >> np.uint64(32))
    return int(sum64)
