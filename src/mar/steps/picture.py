"""Pixels of a picture: made smaller, written upon, and as the bytes of a PNG or JPEG."""

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mar.kernels.threads import bands, in_threads

_AT_ONCE = 2**22  # pixels


def png_bytes(pixels: np.ndarray, compression: int = 6) -> bytes:
    """A PNG of grey (ny, nx) or colour (ny, nx, 3) uint8 pixels whose first row is the top one."""
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, "PNG", compress_level=compression)
    return target.getvalue()


def jpeg_bytes(pixels: np.ndarray, quality: int) -> bytes:
    """A JPEG of colour pixels (ny, nx, 3); colours as fine as brightness, for the sake of stars."""
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, "JPEG", quality=quality, subsampling=0)
    return target.getvalue()


def reduced(pixels: np.ndarray, factor: int) -> np.ndarray:
    """The mean of blocks of factor x factor pixels (ny, nx, ...), those at the edges smaller; in threads."""
    ny, nx = pixels.shape[:2]
    small = np.empty((-(-ny // factor), -(-nx // factor), *pixels.shape[2:]), np.uint8)
    height = max(1, _AT_ONCE // (nx * factor))

    def reduce_band(band: tuple[int, int]) -> None:
        first, end = band
        part = Image.fromarray(pixels[first * factor : end * factor])
        small[first:end] = np.asarray(part.reduce(factor))

    in_threads(reduce_band, bands(len(small), height))
    return small


def shrunk(pixels: np.ndarray, longer_side: int) -> np.ndarray:
    """The picture made smaller by a whole number, so that its longer side is at most `longer_side` pixels."""
    factor = -(-max(pixels.shape[:2]) // longer_side)
    return reduced(pixels, factor) if factor > 1 else pixels


def write_caption(pixels: np.ndarray, lines: Sequence[str]) -> None:
    """Write lines of white text at the lower left of a colour picture (ny, nx, 3), in place.

    They are made as small as it takes to fit its width.
    """
    ny, nx = pixels.shape[:2]
    height = max(10, ny // 40)
    widest = max(ImageFont.load_default(height).getlength(line) for line in lines)
    height = max(6, min(height, int(height * 0.95 * nx / (widest + height))))
    font, step = ImageFont.load_default(height), round(1.4 * height)
    strip = pixels[max(0, ny - (len(lines) + 1) * step) :]  # a copy of all of it would not be small
    picture = Image.fromarray(strip)
    draw = ImageDraw.Draw(picture)
    for number, line in enumerate(reversed(lines), start=1):
        place = (height // 2, len(strip) - number * step)
        draw.text(
            place, line, fill="white", font=font, stroke_width=max(1, height // 12), stroke_fill="black"
        )
    strip[...] = np.asarray(picture)
