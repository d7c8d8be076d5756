"""Parts that some tests need and some machines lack: peer programs, PostgreSQL, a browser.

Without the part a test is skipped, with the reason; with MAR_TEST_REQUIRE=all it fails, so that continuous
integration cannot pass by leaving tests out.
"""

import os
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest


class Part(NamedTuple):
    """A part: the programs that stand for it (any of them), and how it is installed on Debian."""

    programs: tuple[str, ...]
    package: str
    folders: tuple[str, ...] = ()  #: glob patterns of folders looked into besides PATH


PARTS = {
    "iraf": Part(("irafcl",), "iraf"),
    "source-extractor": Part(("source-extractor", "sex"), "source-extractor"),
    "scamp": Part(("scamp",), "scamp"),
    "swarp": Part(("SWarp", "swarp"), "swarp"),
    "psfex": Part(("psfex",), "psfex"),
    "fpack": Part(("fpack",), "libcfitsio-bin"),
    "funpack": Part(("funpack",), "libcfitsio-bin"),
    "fitsverify": Part(("fitsverify",), "fitsverify"),
    "postgresql": Part(("initdb",), "postgresql", ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin")),
    "chromium": Part(("chromium", "chromium-browser", "google-chrome"), "chromium"),
}


def need(name: str) -> Path:
    """The program of a part; without it the test is skipped, or fails where MAR_TEST_REQUIRE is `all`."""
    part = PARTS[name]
    found = find(part)
    if found is None:
        missing(f"{name} is not installed (Debian package {part.package})")
    return found


def missing(reason: str) -> None:
    """End the test because of a missing part: skipped, or failed where MAR_TEST_REQUIRE is `all`."""
    if os.environ.get("MAR_TEST_REQUIRE") == "all":
        pytest.fail(f"{reason}, and MAR_TEST_REQUIRE=all asks for it", pytrace=False)
    pytest.skip(reason)


def find(part: Part) -> Path | None:
    """The first of the part's programs that the machine has, the newest version where there are several."""
    folders = [str(path) for pattern in part.folders for path in sorted(Path("/").glob(pattern[1:]))[::-1]]
    search = os.pathsep.join([os.environ.get("PATH", ""), *folders])
    paths = (shutil.which(program, path=search) for program in part.programs)
    return next((Path(path) for path in paths if path), None)
