"""Pixels become the bytes of a PNG."""

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont


def png_bytes(pixels: np.ndarray, compression: int = 6) -> bytes:
    """A PNG of grey (ny, nx) or colour (ny, nx, 3) uint8 pixels whose first row is the top one."""
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, "PNG", compress_level=compression)
    return target.getvalue()


def shrunk(pixels: np.ndarray, longer_side: int) -> np.ndarray:
    """The picture made smaller, so that its longer side is at most `longer_side` pixels."""
    picture = Image.fromarray(pixels)
    picture.thumbnail((longer_side, longer_side), Image.Resampling.BOX)
    return np.asarray(picture)


def with_caption(pixels: np.ndarray, lines: Sequence[str]) -> np.ndarray:
    """A copy of a colour picture with lines of white text at its lower left."""
    picture = Image.fromarray(pixels)
    height = max(10, pixels.shape[0] // 40)
    font = ImageFont.load_default(height)
    draw = ImageDraw.Draw(picture)
    for number, line in enumerate(reversed(lines), start=1):
        place = (height // 2, pixels.shape[0] - number * round(1.4 * height))
        draw.text(
            place, line, fill="white", font=font, stroke_width=max(1, height // 12), stroke_fill="black"
        )
    return np.asarray(picture)
