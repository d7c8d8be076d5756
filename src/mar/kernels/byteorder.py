"""Stored numbers made native, in place or on the way. Twins: numpy's byteswap and astype."""

import numpy as np

from mar.kernels.jit import jit


@jit
def swap_counts(words: np.ndarray, flip: int) -> None:
    """Turn round the bytes of uint16 words (n,) in place, then the bits of `flip`."""
    turned = np.uint16(flip)
    for k in range(words.size):
        word = words[k]
        words[k] = np.uint16(np.uint16(word << np.uint16(8)) | np.uint16(word >> np.uint16(8))) ^ turned


@jit
def swap_words(words: np.ndarray) -> None:
    """Turn round the bytes of uint32 words (n,) in place."""
    for k in range(words.size):
        word = words[k]
        outer = np.uint32(word << np.uint32(24)) | np.uint32(word >> np.uint32(24))
        inner = np.uint32(np.uint32(word & np.uint32(0xFF00)) << np.uint32(8)) | np.uint32(
            np.uint32(word >> np.uint32(8)) & np.uint32(0xFF00)
        )
        words[k] = outer | inner


@jit
def swapped_counts(words: np.ndarray, flip: int, values: np.ndarray) -> None:
    """The same of uint16 words (n,) into float32 values (n,); the words stay."""
    turned = np.uint16(flip)
    for k in range(words.size):
        word = words[k]
        values[k] = np.float32(
            np.uint16(np.uint16(word << np.uint16(8)) | np.uint16(word >> np.uint16(8))) ^ turned
        )
