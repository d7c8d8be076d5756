"""The door to FITS images: read by bands of rows, write whole or not at all."""

from mar.io.atomic import atomic, write_bytes
from mar.io.headers import read_header
from mar.io.reading import ImageReader, open_image, read_frame, read_image, read_mask, stem
from mar.io.writing import RowWriter, replace_header, scratch_rows, write_image

__all__ = [
    "ImageReader",
    "RowWriter",
    "atomic",
    "open_image",
    "read_frame",
    "read_header",
    "read_image",
    "read_mask",
    "replace_header",
    "scratch_rows",
    "stem",
    "write_bytes",
    "write_image",
]
