"""Where the image of a FITS file lies, and its header without what only describes the storage."""

import logging
import os
import re
import stat
import warnings
from collections.abc import Iterator, Set
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from astropy.io.fits import Card, Header
from astropy.io.fits.verify import VerifyError
from astropy.utils.exceptions import AstropyUserWarning

from mar.errors import BadImage
from mar.io.checksum import BLOCK

logger = logging.getLogger(__name__)

_STORAGE = re.compile(
    r"SIMPLE|XTENSION|BITPIX|NAXIS\d*|EXTEND|BZERO|BSCALE|BLANK|PCOUNT|GCOUNT|TFIELDS|THEAP|CHECKSUM|DATASUM|EXTNAME"
    r"|(TTYPE|TFORM|TUNIT|TDIM)\d+"
    r"|Z(IMAGE|TENSION|SIMPLE|BITPIX|NAXIS\d*|TILE\d+|CMPTYPE|NAME\d+|VAL\d+|QUANTIZ|DITHER0|BLANK|PCOUNT|GCOUNT"
    r"|EXTEND|HECKSUM|DATASUM|SCALE|ZERO|MASKCMP)|MAR FZ .*"
)

# a card as the standard writes it: whatever matches is understood by astropy, which takes long to say so
_VALUE = rb"(?:'(?:[ -&(-~]|'')*'|[+-]?[0-9]+(?:\.[0-9]*)?(?:E[+-]?[0-9]+)?|[TF])"
PLAIN = re.compile(
    rb"(?:(?=.{8}= )[A-Z0-9_-]+ *|HIERARCH (?:[A-Z0-9_-]+ )+)= *" + _VALUE + rb" *(?:/[ -~]*)?"
    rb"|(?:COMMENT |HISTORY |        )[ -~]*"
)
_CARD = 80
_END = b"END".ljust(_CARD)

Wanted = Set[str]
"""Keywords in capitals, without HIERARCH."""


@dataclass(frozen=True)
class ImageUnit:
    """The header-data unit that holds the image of a file."""

    index: int
    stored: Header  #: header as stored
    start: int  #: bytes before the header
    offset: int  #: bytes before the data
    size: int  #: bytes of data, without filling
    compressed: bool

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the image."""
        prefix = "ZNAXIS" if self.compressed else "NAXIS"
        return int(self.stored[f"{prefix}2"]), int(self.stored[f"{prefix}1"])


def open_regular(path: Path) -> BinaryIO:
    """A file open for reading; raises BadImage where it cannot be read or is no file.

    A pipe of a FITS file's name is opened without waiting for a writer, and then refused.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise BadImage(f"{path.name}: cannot be read: {error.strerror or error}") from error
    file = os.fdopen(descriptor, "rb")
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return file
    file.close()
    raise BadImage(f"{path.name}: cannot be read: it is a pipe or a device, not a file")


def find_image(path: Path) -> ImageUnit:
    """The first two-dimensional image of a file, tile-compressed or not.

    Raises BadImage when the file is missing, is not FITS, holds no image or is truncated.
    """
    with open_regular(path) as file:
        return find_image_in(file, path)


def find_image_in(file: BinaryIO, path: Path, only: Wanted | None = None) -> ImageUnit:
    """The same of an open file; `path` is how it is named in errors.

    Of cards that do not describe the storage, those that are not `only` wanted may be left out: reading all
    takes longer than anything else of a frame whose pixels nobody asks for.
    """
    try:
        file.seek(0)
        # odd bytes in a comment are no reason to refuse a frame, nor to warn for each
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AstropyUserWarning)
            return _first_image(file, path, only)
    except OSError as error:
        raise BadImage(f"{path.name}: cannot be read: {error.strerror or error}") from error
    except (VerifyError, ValueError, KeyError, TypeError) as error:
        raise BadImage(f"{path.name}: damaged FITS header: {error}") from error


def _first_image(file: BinaryIO, path: Path, only: Wanted | None) -> ImageUnit:
    if file.read(9) != b"SIMPLE  =":
        raise BadImage(f"{path.name}: not a FITS file")
    end, index = file.seek(0, 2), 0
    offset = file.seek(0)
    while offset < end:
        start = offset
        stored = (only and _wanted_header(file, only)) or _whole_header(file)
        offset = -(-file.tell() // BLOCK) * BLOCK
        unit = ImageUnit(index, stored, start, offset, _data_size(stored), bool(stored.get("ZIMAGE", False)))
        if unit.compressed or (stored.get("NAXIS") == 2 and "TFIELDS" not in stored):
            if min(unit.shape) < 1 or unit.size < 1:
                raise BadImage(f"{path.name}: an image of {unit.shape} (rows, columns) holds no pixel")
            if offset + unit.size > end:
                raise BadImage(f"{path.name}: truncated: {end - offset} of {unit.size} bytes of data")
            return unit
        offset += -(-unit.size // BLOCK) * BLOCK
        file.seek(offset)
        index += 1
    raise BadImage(f"{path.name}: holds no two-dimensional image")


def _whole_header(file: BinaryIO) -> Header:
    """The header that begins here, without what is damaged."""
    start = file.tell()
    stored = Header.fromfile(file, endcard=True, padding=False)
    end = file.tell()
    file.seek(start)
    plain = all(map(PLAIN.fullmatch, _cards(file.read(_CARD * len(stored)))))
    file.seek(end)
    return stored if plain else _sound(stored)


def _wanted_header(file: BinaryIO, only: Wanted) -> Header | None:
    """The wanted cards of the header that begins here; None, and nothing read, unless all are plain."""
    start = file.tell()
    kept: list[bytes] = []
    while block := file.read(BLOCK):
        for card in _cards(block):
            if card == _END:
                return Header.fromstring(b"".join(kept))
            if not PLAIN.fullmatch(card):
                file.seek(start)
                return None
            keyword = card.partition(b"=")[0].decode().rstrip().removeprefix("HIERARCH ")
            if keyword in only or _STORAGE.fullmatch(keyword):
                kept.append(card)
    file.seek(start)
    return None


def _cards(text: bytes) -> Iterator[bytes]:
    return (text[place : place + _CARD] for place in range(0, len(text), _CARD))


def _sound(header: Header) -> Header:
    """The cards that can be understood; a damaged one that only describes is left out, and said.

    Raises VerifyError for one that describes the storage: without it the pixels cannot be found.
    """
    kept = []
    for card in header.cards:
        try:
            card.value  # noqa: B018  parsed when asked for
        except VerifyError:
            if _STORAGE.fullmatch(card.keyword):
                raise
            logger.warning("damaged header card %s is left out", card.keyword)
        else:
            kept.append(card)
    return Header(kept)


def _data_size(header: Header) -> int:
    axes = int(header.get("NAXIS", 0))
    if axes == 0:
        return 0
    pixels = 1
    for axis in range(1, axes + 1):
        pixels *= int(header[f"NAXIS{axis}"])
    return abs(int(header["BITPIX"])) // 8 * (int(header.get("PCOUNT", 0)) + pixels)


def describing(stored: Header, shape: tuple[int, int]) -> Header:
    """The cards that describe the observation, with NAXIS cards of the image and no other storage card."""
    axes = [Card("NAXIS", 2), Card("NAXIS1", shape[1]), Card("NAXIS2", shape[0])]
    kept = [card for card in stored.cards if not _STORAGE.fullmatch(card.keyword)]
    return Header([*axes, *kept])


def redescribed(stored: Header, header: Header) -> Header:
    """The storage cards of `stored` with the describing cards of `header`."""
    storage = [card for card in stored.cards if _STORAGE.fullmatch(card.keyword)]
    return Header([*storage, *(card for card in header.cards if not _STORAGE.fullmatch(card.keyword))])


def read_header(path: Path, file: BinaryIO | None = None) -> Header:
    """The header of the image in `path`, NAXIS1 and NAXIS2 those of the image; raises BadImage.

    Where `file` is given it is read, and stays open; `path` then only names it in errors.
    """
    unit = find_image(path) if file is None else find_image_in(file, path)
    return describing(unit.stored, unit.shape)
