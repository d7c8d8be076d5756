"""Trim raw rows to the science sections and put them where they belong in the trimmed image."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from mar.camera import Amplifier, Camera
from mar.errors import BadImage
from mar.steps.rows import ArrayRows, Rows


class Piece(NamedTuple):
    """The part of a band of the trimmed image that comes from one band of raw rows."""

    y0: int  #: trimmed rows y0 <= y < y1
    y1: int
    shift: int  #: raw row - trimmed row
    amplifiers: tuple[int, ...]  #: indices of the amplifiers that it crosses


def pieces(camera: Camera, y0: int, y1: int) -> Iterator[Piece]:
    """Where the trimmed rows y0 <= y < y1 come from: upper amplifiers lie beyond the overscan rows."""
    found: dict[tuple[int, int, int], list[int]] = {}
    for index, amplifier in enumerate(camera.amplifiers):
        first, last = max(y0, amplifier.trimmed.y0), min(y1, amplifier.trimmed.y1)
        if first < last:
            shift = amplifier.science.y0 - amplifier.trimmed.y0
            found.setdefault((first, last, shift), []).append(index)
    for (first, last, shift), indices in found.items():
        yield Piece(first, last, shift, tuple(indices))


def place(
    rows: np.ndarray, piece: Piece, y0: int, amplifier: Amplifier, out: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """One amplifier's science pixels in the raw `rows` of a piece, and where in a band from y0 they go."""
    science, trimmed = amplifier.science, amplifier.trimmed
    return (
        rows[:, science.x0 : science.x1],
        out[piece.y0 - y0 : piece.y1 - y0, trimmed.x0 : trimmed.x1],
    )


def trim_rows(raw: Rows, camera: Camera, y0: int, y1: int) -> np.ndarray:
    """The rows y0 <= y < y1 of the trimmed image, values as they are."""
    out = None
    for piece in pieces(camera, y0, y1):
        rows = raw.rows(piece.y0 + piece.shift, piece.y1 + piece.shift)
        if out is None:
            out = np.empty((y1 - y0, camera.shape[1]), dtype=rows.dtype)
        for index in piece.amplifiers:
            source, target = place(rows, piece, y0, camera.amplifiers[index], out)
            target[...] = source
    if out is None:
        raise BadImage(f"{camera.name} has no rows {y0} to {y1}; a trimmed frame has {camera.shape[0]}")
    return out


def trim(raw: np.ndarray, camera: Camera) -> np.ndarray:
    """A raw image or mask trimmed to the camera's science sections; raises BadImage on another shape."""
    check_raw_shape(raw.shape, camera)
    return trim_rows(ArrayRows(raw), camera, 0, camera.shape[0])


def check_raw_shape(shape: tuple[int, ...], camera: Camera, label: str = "the frame") -> None:
    """Raise BadImage unless an image has the rows and columns of the camera's raw frames."""
    if tuple(shape) != camera.raw_shape:
        raise BadImage(
            f"{label} is {tuple(shape)} (rows, columns), but raw frames of {camera.name} are "
            f"{camera.raw_shape}; is it of another camera, or already trimmed?"
        )
