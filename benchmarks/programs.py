"""The peers as commands: IRAF's imcombine, the Astromatic programs, fpack; for benchmarks and tests.

Each function writes what its program needs in a folder and gives the command; `run` runs it.
"""

import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

# Of a line of IRAF's command language
_LONGEST_LINE = 2000


class Command(NamedTuple):
    """A program ready to be run."""

    argv: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str] = {}

    def environ(self) -> dict[str, str]:
        """The whole environment of the process."""
        return {**os.environ, **self.environment}


class PeerFailed(Exception):
    """A peer program ended with an error; the message ends with its last words."""


def find(*names: str) -> str | None:
    """The first of these programs that the machine has."""
    return next((path for path in map(shutil.which, names) if path), None)


def run(command: Command, timeout_s: float = 600) -> str:
    """Run a peer and give what it printed; raises PeerFailed."""
    done = subprocess.run(
        command.argv,
        cwd=command.folder,
        env=command.environ(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=timeout_s,
        text=True,
        check=False,
    )
    if done.returncode:
        raise PeerFailed(f"{command.argv[0]} ended with {done.returncode}: {done.stdout[-1000:]}")
    return done.stdout


def imcombine(folder: Path, frames: Iterable[Path], output: Path, **options: object) -> Command:
    """IRAF's imcombine on FITS files, headless; options by imcombine's own names."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "frames.lst").write_text("".join(f"{path}\n" for path in frames))
    given = ", ".join(f"{key}={_iraf(value)}" for key, value in options.items())
    call = f'imcombine ("@frames.lst", "{output}", {given})'
    if len(call) > _LONGEST_LINE:
        raise ValueError("IRAF cuts command lines that long: choose a shorter folder")
    script = folder / "combine.cl"
    script.write_text(f"images\nimmatch\n{call}\nlogout\n")
    # IRAF keeps its parameters in ~/.iraf: a home of its own leaves the user's alone
    environment = {"HOME": str(folder), "TERM": "dumb", "USER": os.environ.get("USER", "mar")}
    return Command(("irafcl", "-f", script.name), folder, environment)


def _iraf(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f'"{value}"' if isinstance(value, str) else repr(value)


def source_extractor(
    folder: Path, image: Path, catalog: Path, columns: Sequence[str], **options: object
) -> Command:
    """source-extractor with its default 3x3 filter; options by its own names."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "columns.param").write_text("".join(f"{name}\n" for name in columns))
    (folder / "default.conv").write_text("CONV NORM\n1 2 1\n2 4 2\n1 2 1\n")
    settings = {
        "CATALOG_NAME": catalog,
        "CATALOG_TYPE": "FITS_1.0",
        "PARAMETERS_NAME": "columns.param",
        "FILTER_NAME": "default.conv",
        "VERBOSE_TYPE": "QUIET",
        **options,
    }
    (folder / "empty.sex").write_text("")
    program = find("source-extractor", "sex") or "source-extractor"
    return Command((program, str(image), "-c", "empty.sex", *_settings(settings)), folder)


def scamp(folder: Path, catalogs: Sequence[Path], **options: object) -> Command:
    """scamp against a reference catalogue on disk, without plots; options by its own names."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = {"CHECKPLOT_TYPE": "NONE", "WRITE_XML": "N", "VERBOSE_TYPE": "NORMAL", **options}
    (folder / "empty.scamp").write_text("")
    names = [str(path) for path in catalogs]
    return Command((find("scamp") or "scamp", *names, "-c", "empty.scamp", *_settings(settings)), folder)


def psfex(folder: Path, catalogs: Sequence[Path], **options: object) -> Command:
    """psfex on FITS_LDAC catalogues with VIGNET, figures in psfex.xml; options by its own names."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = {
        "CHECKPLOT_TYPE": "NONE",
        "CHECKIMAGE_TYPE": "NONE",
        "WRITE_XML": "Y",
        "XML_NAME": "psfex.xml",
        "VERBOSE_TYPE": "QUIET",
        **options,
    }
    (folder / "empty.psfex").write_text("")
    names = [str(path) for path in catalogs]
    program = find("psfex", "PSFEx") or "psfex"
    return Command((program, *names, "-c", "empty.psfex", *_settings(settings)), folder)


def swarp(folder: Path, images: Sequence[Path], output: Path, **options: object) -> Command:
    """swarp into one image and its weight; options by its own names."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = {
        "IMAGEOUT_NAME": output,
        "WEIGHTOUT_NAME": output.with_suffix(".weight.fits"),
        "WRITE_XML": "N",
        "VERBOSE_TYPE": "QUIET",
        **options,
    }
    (folder / "empty.swarp").write_text("")
    names = [str(path) for path in images]
    program = find("SWarp", "swarp") or "SWarp"
    return Command((program, *names, "-c", "empty.swarp", *_settings(settings)), folder)


def _settings(settings: Mapping[str, object]) -> list[str]:
    return [word for key, value in settings.items() for word in (f"-{key}", str(value))]


def fpack(folder: Path, image: Path, *options: str) -> Command:
    """fpack, which leaves `image` and writes `image`.fz beside it."""
    return Command(("fpack", *options, str(image)), folder)


def funpack(folder: Path, image: Path, output: Path) -> Command:
    """funpack of `image` into `output`."""
    return Command(("funpack", "-O", str(output), str(image)), folder)


def fitsverify(folder: Path, image: Path) -> Command:
    """fitsverify of `image`; it ends with an error where it finds one, or something to warn of."""
    return Command(("fitsverify", str(image)), folder)
