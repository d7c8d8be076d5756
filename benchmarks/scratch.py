"""Where a benchmark works, and what moving bytes alone takes."""

import argparse
import atexit
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from programs import Command

COPY = """
import sys
buffer = bytearray(1 << 24)
for path in sys.argv[3:]:
    with open(path, "rb", buffering=0) as file:
        while file.readinto(buffer):
            pass
left = int(sys.argv[2])
with open(sys.argv[1], "wb", buffering=0) as file:
    while left > 0:
        left -= file.write(memoryview(buffer)[:left])
"""


def folder(arguments: argparse.Namespace) -> Path:
    """The folder of a run, the same for all its works: `--root`, or one that is removed at the end."""
    if getattr(arguments, "root", None) is None:
        arguments.root = tempfile.mkdtemp(prefix="mar-pixels-")
        atexit.register(shutil.rmtree, arguments.root)
    made = Path(arguments.root).resolve()
    made.mkdir(parents=True, exist_ok=True)
    return made


def copy(root: Path, written: int, read: Sequence[Path]) -> Command:
    """Reads files and writes so many bytes: the limit of any program that does so."""
    words = (str(root / "written.bin"), str(written), *map(str, read))
    return Command((sys.executable, "-c", COPY, *words), root)
