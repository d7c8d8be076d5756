"""Thumbnails beside the products."""

from pathlib import Path

import numpy as np

from mar.config.thumbs import Thumbs
from mar.io.fits import write_bytes
from mar.steps.thumbs import mask_thumbnail_png, thumbnail_png


def write_thumb(path: Path, data: np.ndarray, config: Thumbs) -> Path:
    """Write the thumbnail (PNG) of an image; gives its path."""
    write_bytes(path, thumbnail_png(data, config))
    return path


def write_mask_thumb(path: Path, mask: np.ndarray, config: Thumbs) -> Path:
    """Write the thumbnail (PNG) of a mask; gives its path."""
    write_bytes(path, mask_thumbnail_png(mask, config))
    return path
