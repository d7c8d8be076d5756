"""The scan: every FITS frame not yet known becomes an individualfile; the others are reported."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import islice
from os import fstat
from pathlib import Path
from typing import BinaryIO

from django.db import transaction

from mar.camera import Camera
from mar.errors import BadHeader, BadImage, MarError
from mar.exposure import Exposure, cards_read, read_exposure
from mar.io.fits import ImageReader, open_image, stem
from mar.io.headers import find_image_in
from mar.progress import Progress, silent
from marserver.archive.models import FrameType, IndividualFile
from marserver.reduction.folders import Found, walk
from marserver.reduction.paths import open_below

logger = logging.getLogger(__name__)
FILES_AT_ONCE = 500
LONGEST_NAME = 300
GROWING_S = 2.0  # a file changed so recently may still be on its way


@dataclass
class Scanned:
    """What a scan found."""

    new: int = 0
    known: int = 0
    refused: list[str] = field(default_factory=list)

    def sentence(self) -> str:
        """In words."""
        return f"{self.new} new frames, {self.known} known, {len(self.refused)} refused"


def scan(
    root: Path,
    folder: str,
    camera: Camera,
    contains: str = "",
    progress: Progress = silent,
    tell: Callable[[str], object] = logger.warning,
) -> Scanned:
    """Register the frames below a folder of the data root, committed some hundreds at a time.

    A file that is not taken leaves a reason in `refused`, told at once, and may be scanned again.
    """
    scanned = Scanned()
    progress("looking for files", 0, 0)
    files = list(walk(root, folder, contains))
    for number, batch in enumerate(pieces(files, FILES_AT_ONCE)):
        progress("reading headers", number * FILES_AT_ONCE, len(files))
        told = len(scanned.refused)
        take(root, batch, camera, scanned)
        for reason in scanned.refused[told:]:
            tell(reason)
    progress("reading headers", len(files), len(files))
    return scanned


def pieces(files: Iterable[Found], size: int) -> Iterator[list[Found]]:
    """The files, some at a time."""
    left = iter(files)
    while some := list(islice(left, size)):
        yield some


def take(root: Path, files: list[Found], camera: Camera, scanned: Scanned) -> None:
    """Register some files in one transaction."""
    names = {found.path: name_of(found.path, camera) for found in files}
    known = known_paths(names.values())
    fresh: dict[str, IndividualFile] = {}
    for found in files:
        name = names[found.path]
        before = known.get(name) or (fresh[name].file_path if name in fresh else "")
        reason = found.refused or refusal(root, before, found.path)
        if reason:
            scanned.refused.append(reason)
        elif before:
            scanned.known += 1
            follow(root, name, before, found.path)
        else:
            try:
                fresh[name] = row_of(found.path, name, read_raw(root, found.path, camera))
            except MarError as error:
                scanned.refused.append(with_path(found.path, str(error)))
    if fresh:
        with transaction.atomic():
            IndividualFile.objects.bulk_create(fresh.values(), ignore_conflicts=True)
    scanned.new += len(fresh)


def with_path(path: str, reason: str) -> str:
    """A reason that names the whole path once."""
    name = Path(path).name
    return f"{path}: {reason.removeprefix(f'{name}: ').removeprefix(f'{stem(path)}: ')}"


def name_of(path: str, camera: Camera) -> str:
    """What tells a frame from all others: its name, or its path where the camera's names come again."""
    name = stem(path)
    return name if camera.unique_name == "name" else (Path(path).parent / name).as_posix()


def known_paths(names: Iterable[str]) -> dict[str, str]:
    """The paths of frames already known, by name."""
    return dict(IndividualFile.objects.filter(file_name__in=names).values_list("file_name", "file_path"))


def refusal(root: Path, before: str, path: str) -> str:
    """Why a file with a known name is refused, or nothing: the same frame is no reason."""
    if not before or same_frame(before, path) or same_pixels(root, before, path):
        return ""
    return f"{path}: another file of that name is known as {before}; rename one of them"


def same_frame(before: str, path: str) -> bool:
    """Whether two paths are one frame, compressed or not."""
    return before.removesuffix(".fz") == path.removesuffix(".fz")


def same_pixels(root: Path, before: str, path: str) -> bool:
    """Whether two files hold the same pixels: a copy is not another frame."""
    try:
        with image_of(root, before) as one, image_of(root, path) as other:
            return one.shape == other.shape and one.checksum == other.checksum
    except (BadImage, OSError):
        return False


def image_of(root: Path, path: str) -> AbstractContextManager[ImageReader]:
    """A file of the data root as an open image."""
    return open_image(root / path, open_below(root, path))


def follow(root: Path, name: str, before: str, path: str) -> None:
    """Take the present path of a known frame that was compressed or moved since."""
    if before != path and not (root / before).exists():
        IndividualFile.objects.filter(file_name=name).update(file_path=path)


def read_raw(root: Path, path: str, camera: Camera) -> Exposure:
    """What a raw file holds; raises BadHeader, and BadImage where it is truncated, growing or misshapen."""
    try:
        with open_below(root, path) as file:
            return read_opened(file, Path(path), camera)
    except OSError as error:
        raise BadImage(f"{Path(path).name}: cannot be read: {error.strerror or error}") from error


def read_opened(file: BinaryIO, path: Path, camera: Camera) -> Exposure:
    """The same of an open file."""
    image = find_image_in(file, path, cards_read(camera))
    if time.time() - fstat(file.fileno()).st_mtime < GROWING_S and still_growing(file):
        raise BadImage(f"{path.name}: still growing; scan again when it is complete")
    if image.shape != camera.raw_shape:
        rows, columns = image.shape
        raise BadImage(
            f"{path.name}: {columns} x {rows} pixels; a raw frame of {camera.name} has "
            f"{camera.raw_columns} x {camera.raw_rows}"
        )
    return read_exposure(image.stored, camera, stem(path))


def still_growing(file: BinaryIO) -> bool:
    """Whether a file changes its size within a moment."""
    before = fstat(file.fileno()).st_size
    time.sleep(0.02)
    return fstat(file.fileno()).st_size != before


def row_of(path: str, name: str, exposure: Exposure) -> IndividualFile:
    """The row of a raw frame."""
    if exposure.type == FrameType.SCI and not exposure.field:
        raise BadHeader(f"{exposure.name}: no OBJECT; a science frame needs the name of its field")
    if len(name) > LONGEST_NAME:
        raise BadHeader(f"{exposure.name}: its path has more than {LONGEST_NAME} characters; move it")
    return IndividualFile(
        file_name=name,
        file_path=path,
        file_type=exposure.type.value,
        obs_date=exposure.date_obs,
        night=exposure.night,
        field=exposure.field,
        band=exposure.band,
        exptime=exposure.exptime_s,
        crval1=exposure.ra_deg,
        crval2=exposure.dec_deg,
    )
