"""Reading a master that somebody else made: every card is checked before it is believed."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path, PurePosixPath

import numpy as np
from astropy.io.fits import Header

from mar.camera import Camera
from mar.config.thumbs import Thumbs
from mar.errors import BadHeader, BadImage
from mar.io.fits import ImageReader, open_image
from mar.steps.statistics import Statistics, measure
from mar.steps.thumbs import mask_thumbnail_png, thumbnail_png
from marserver.reduction import site
from marserver.reduction.paths import is_kept_back, open_below

MASTER_TYPE = {"biasblock": "BIAS", "flatbyfilter": "FLAT", "superflat": "FRINGE"}
WITH_BAND = ("FLAT", "FRINGE")
WITH_MASK = ("BIAS", "FLAT")
CARDS = ("NCMODE", "NCMIDPT", "NCNOISE", "NCMIDRMS", "NCNOIRMS")
COLUMNS = ("modeavg", "medianavg", "noiseavg", "medianrms", "noiserms")
DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}(T.*)?")
MOST_INPUTS = 10_000


@dataclass(frozen=True)
class MasterCards:
    """What the header of a master says, checked."""

    start: date
    end: date
    band: str = ""
    mask_name: str = ""


@dataclass(frozen=True)
class MasterFile:
    """A master that a block may be made of; paths are relative to the data root."""

    path: str
    mask_path: str | None
    start: date
    end: date
    band: str
    statistics: dict[str, float | None]
    checksum: str
    thumb: bytes
    mask_thumb: bytes
    inputs: list[dict[str, str]] = field(default_factory=list)
    config_hash: str = ""
    version: str = ""


def read_master_file(kind: str, path: str, camera: Camera, thumbs: Thumbs) -> MasterFile:
    """The master at a path below the data root, and the mask beside it.

    Raises BadHeader, which names the card, and BadImage where the file is damaged or of another shape.
    """
    with image_at(path) as image:
        cards = read_cards(image.header, MASTER_TYPE[kind], camera, PurePosixPath(path).name)
        check_shape(image, camera)
        mask, mask_path = None, None
        if cards.mask_name:
            mask_path = PurePosixPath(path).with_name(cards.mask_name).as_posix()
            mask = mask_beside(mask_path, camera)
        data = image.rows(0, image.shape[0])
        if not np.isfinite(data).any():
            raise BadImage(f"{image.path.name}: no pixel has a value")
        header, checksum = image.header, image.checksum
    return MasterFile(
        path,
        mask_path,
        cards.start,
        cards.end,
        cards.band,
        statistics_of(header, data, mask),
        checksum,
        thumbnail_png(data, thumbs),
        b"" if mask is None else mask_thumbnail_png(mask, thumbs),
        inputs_in(header),
        text(header, "MAR CONFIG")[:64],
        text(header, "MAR VERSION")[:64],
    )


@contextmanager
def image_at(path: str) -> Iterator[ImageReader]:
    """A file of the data root as an open image; raises BadImage."""
    name = PurePosixPath(path).name
    try:
        file = open_below(site.root(), path)
    except OSError as error:
        raise BadImage(f"{name}: cannot be read: {error.strerror or error}") from error
    with file, open_image(Path(name), file) as image:
        yield image


def mask_beside(path: str, camera: Camera) -> np.ndarray:
    """The mask beside a master, (ny, nx) uint8; raises BadHeader where it is not there, and BadImage."""
    name = PurePosixPath(path).name
    if is_kept_back(path) or not os.path.lexists(site.root() / path):
        raise BadHeader(f"MASK_NAME = {name!r}: there is no such file beside the master; put it there")
    with image_at(path) as image:
        check_shape(image, camera)
        values = image.rows(0, image.shape[0])
    if values.dtype != np.uint8:
        if not np.isin(np.unique(values), np.arange(256)).all():
            raise BadImage(f"{name}: a mask holds whole numbers from 0 to 255, the sum of its bits")
        values = values.astype(np.uint8)
    return values


def check_shape(image: ImageReader, camera: Camera) -> None:
    """Raise BadImage unless an image has the size of a trimmed frame of the camera."""
    if image.shape != camera.shape:
        rows, columns = camera.shape
        raise BadImage(
            f"{image.path.name}: {image.shape[1]} x {image.shape[0]} pixels; a master of {camera.name} has "
            f"{columns} x {rows}"
        )


def read_cards(header: Header, kind: str, camera: Camera, name: str) -> MasterCards:
    """The cards that every master must have; raises BadHeader, which names the card and what is accepted."""
    said = text(header, "MASTER_TYPE")
    if said != kind:
        raise BadHeader(f"{name}: {given('MASTER_TYPE', said)}; it must be {kind} to be registered here")
    start, end = day(header, "START_DATE", name), day(header, "END_DATE", name)
    if start > end:
        raise BadHeader(f"{name}: START_DATE {start} is after END_DATE {end}")
    return MasterCards(
        start,
        end,
        band(header, camera, name) if kind in WITH_BAND else "",
        mask_name(header, name) if kind in WITH_MASK else "",
    )


def text(header: Header, card: str) -> str:
    """A card as text, empty where it is not there."""
    return str(header.get(card, "")).strip()


def given(card: str, said: str) -> str:
    """A card and what it says, in words."""
    return f"{card} = {said[:80]!r}" if said else f"{card} is missing"


def day(header: Header, card: str, name: str) -> date:
    """The day that a card gives."""
    said = text(header, card)
    try:
        return date.fromisoformat(said[:10] if DAY.fullmatch(said) else "")
    except ValueError:
        raise BadHeader(f"{name}: {given(card, said)}; it must be a day YYYY-MM-DD") from None


def band(header: Header, camera: Camera, name: str) -> str:
    """The band that the header gives, as the camera calls it."""
    said = text(header, "BAND")
    try:
        return camera.band(said).name
    except BadHeader:
        bands = ", ".join(camera.band_names)
        raise BadHeader(f"{name}: {given('BAND', said)}; it must be one of {bands}") from None


def mask_name(header: Header, name: str) -> str:
    """The name of the mask beside the master: a name only, never a path."""
    said = text(header, "MASK_NAME")
    plain = said.isprintable() and not set(said) & set("/\\") and not said.startswith(".")
    if not said or not plain or len(said) > 200:
        raise BadHeader(
            f"{name}: {given('MASK_NAME', said)}; it must be the name of the mask beside the master"
        )
    return said


def statistics_of(header: Header, data: np.ndarray, mask: np.ndarray | None) -> dict[str, float | None]:
    """The five statistics: the header's where it has all of them, else measured."""
    said = [header.get(f"MAR QC {card}") for card in CARDS]
    numbers = [float(value) for value in said if isinstance(value, int | float)]
    statistics = Statistics(*numbers) if len(numbers) == len(CARDS) else measure(data, mask)
    return {
        column: float(value) if np.isfinite(value) else None
        for column, value in zip(COLUMNS, statistics, strict=True)
    }


def inputs_in(header: Header) -> list[dict[str, str]]:
    """The inputs that a master of ours names, with their checksums; none where it does not."""
    inputs = []
    for number in range(1, MOST_INPUTS + 1):
        path, _, checksum = text(header, f"MAR IN{number}").rpartition(" ")
        if not path:
            break
        inputs.append({"path": path, "checksum": checksum})
    return inputs
