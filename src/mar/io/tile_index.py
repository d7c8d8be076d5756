"""The index of a tile: what became of each frame's pixels, so that any pixel can be traced to its frames.

A FITS file: table FRAMES with a row per frame (NAME, CHECKSUM, NX, NY, its WCS cards, WEIGHT on every STEP-th
pixel of the tile, START of each tile row's runs), image RUNS with one number per run: 4 length + fate (see
mar.kernels.runs). A tile of four frames takes some 2 MB.
"""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.io.fits import Header

from mar.errors import BadImage
from mar.io.atomic import atomic
from mar.io.checksum import BLOCK

STEP = 128  #: pixels of the tile between the weights that are kept


@dataclass(frozen=True)
class IndexedFrame:
    """A frame of a tile as the index names it."""

    name: str
    checksum: str
    shape: tuple[int, int]  #: rows and columns
    wcs: Header  #: its WCS cards when the tile was made
    weight: np.ndarray  #: inverse variance at every STEP-th pixel of the tile, (my, mx) float32


class IndexWriter:
    """Gathers the runs of all frames in a scratch file, band of rows by band of rows."""

    def __init__(self, scratch: Path) -> None:
        scratch.parent.mkdir(parents=True, exist_ok=True)
        self._scratch = scratch
        self._file = scratch.open("wb+")
        self._starts: list[list[np.ndarray]] = []
        self._earlier: list[np.ndarray] = []
        self._length = 0

    def go_on_from(self, path: Path) -> list[IndexedFrame]:
        """Begin with what an earlier index holds; gives its frames. Raises BadImage."""
        with _opened(path) as (table, runs):
            self._earlier = [np.asarray(line["START"], np.int64) for line in table]
            self._append(np.asarray(runs.data, np.uint16))
            return [_frame(line) for line in table]

    def _append(self, runs: np.ndarray) -> None:
        # as FITS stores unsigned numbers: big-endian, less 32768
        self._file.write((runs ^ np.uint16(0x8000)).astype(">u2").tobytes())
        self._length += len(runs)

    def write_band(self, fates: Sequence[tuple[np.ndarray, np.ndarray]]) -> None:
        """Append for each frame the runs (uint16) of a band of rows and their number in each row."""
        if not self._starts:
            self._starts = [[] for _ in fates]
        for of_frame, (runs, counts) in zip(self._starts, fates, strict=True):
            of_frame.append(self._length + np.cumsum(counts) - counts)
            self._append(runs)

    def finish(self, path: Path, frames: Sequence[IndexedFrame], header: Header) -> None:
        """Write the index, with the WCS of the tile in `header`; frames of an earlier index come first."""
        starts = self._earlier + [np.concatenate(of_frame) for of_frame in self._starts]
        self._file.flush()
        self._file.seek(0)
        with atomic(path) as temporary:
            fits.HDUList([fits.PrimaryHDU(header=header), _table(frames, starts)]).writeto(temporary)
            with temporary.open("ab") as product:
                product.write(_runs_header(self._length).tostring().encode("ascii"))
                shutil.copyfileobj(self._file, product, 1 << 20)
                product.write(bytes(-2 * self._length % BLOCK))

    def close(self) -> None:
        """Remove the scratch file."""
        self._file.close()
        self._scratch.unlink(missing_ok=True)


@contextmanager
def index_writer(scratch: Path) -> Iterator[IndexWriter]:
    """An IndexWriter whose scratch file lives as long as the block."""
    writer = IndexWriter(scratch)
    try:
        yield writer
    finally:
        writer.close()


def _table(frames: Sequence[IndexedFrame], starts: Sequence[np.ndarray]) -> fits.BinTableHDU:
    texts = [frame.wcs.tostring(endcard=False, padding=False) for frame in frames]
    shape = frames[0].weight.shape
    columns = [
        fits.Column("NAME", f"{max(len(frame.name) for frame in frames)}A", array=[f.name for f in frames]),
        fits.Column("CHECKSUM", "10A", array=[frame.checksum for frame in frames]),
        fits.Column("NX", "J", unit="pixel", array=[frame.shape[1] for frame in frames]),
        fits.Column("NY", "J", unit="pixel", array=[frame.shape[0] for frame in frames]),
        fits.Column("WCS", f"{max(map(len, texts))}A", array=texts),
        fits.Column(
            "WEIGHT", f"{shape[0] * shape[1]}E", dim=f"({shape[1]},{shape[0]})",
            array=np.stack([frame.weight for frame in frames]),
        ),
        fits.Column("START", f"{len(starts[0])}K", array=np.stack(starts)),
    ]  # fmt: skip
    return fits.BinTableHDU.from_columns(columns, name="FRAMES")


def _runs_header(length: int) -> Header:
    cards = [("XTENSION", "IMAGE"), ("BITPIX", 16), ("NAXIS", 1), ("NAXIS1", length), ("PCOUNT", 0)]
    return Header([*cards, ("GCOUNT", 1), ("BZERO", 32768), ("BSCALE", 1), ("EXTNAME", "RUNS")])


def read_fates(path: Path, column: int, row: int) -> list[tuple[IndexedFrame, int]]:
    """Each frame of an index, and what became of it at a zero-based pixel; raises BadImage."""
    with _opened(path) as (table, runs):
        return [(_frame(line), _fate(runs, int(line["START"][row]), column)) for line in table]


@contextmanager
def _opened(path: Path) -> Iterator[tuple[fits.FITS_rec, fits.ImageHDU]]:
    """The table of the frames and the runs of an index; what cannot be read in the block raises BadImage."""
    try:
        with fits.open(path, memmap=False) as file:
            yield file["FRAMES"].data, file["RUNS"]
    except (OSError, KeyError, IndexError, ValueError, TypeError) as error:
        raise BadImage(f"{path.name} is not the index of a tile: {error}") from error


def _frame(line: fits.FITS_record) -> IndexedFrame:
    shape = int(line["NY"]), int(line["NX"])
    weight = np.asarray(line["WEIGHT"], np.float32)
    return IndexedFrame(line["NAME"], line["CHECKSUM"], shape, Header.fromstring(line["WCS"]), weight)


def _fate(runs: fits.ImageHDU, start: int, column: int) -> int:
    # the runs before this column are no more than its pixels
    stop = min(start + column + 1, runs.header["NAXIS1"])
    here = np.asarray(runs.section[start:stop]).astype(np.int64)
    return int(here[np.searchsorted(np.cumsum(here >> 2), column, side="right")] & 3)
