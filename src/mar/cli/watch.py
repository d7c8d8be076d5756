"""Progress bars, and what every command of the library shares."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from mar.progress import Progress

if TYPE_CHECKING:  # `mar --help` must be quick: what does the work is imported where it begins
    from mar.camera import Camera
    from mar.config import Config
    from mar.io.names import Layout
    from mar.run import Dropped

DONE_IN_PART = 1
"""Exit code: products were made, but some frames were left out or failed (2 is for what was refused)."""

RootOption = Annotated[
    Path, typer.Option("--root", envvar="MAR_ROOT", help="Data root: products go to its folders.")
]
CameraOption = Annotated[
    str, typer.Option("--camera", envvar="MAR_CAMERA", help="A built-in name or the path of a camera file.")
]
ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="Configuration file (TOML); defaults without one.")
]

out = Console()
err = Console(stderr=True)


@dataclass(frozen=True)
class Setup:
    """What a command works with."""

    layout: "Layout"
    camera: "Camera"
    config: "Config"


def setup(root: Path, camera: str, config: Path | None) -> Setup:
    """Read camera and configuration, make the folders, and send the log to the terminal."""
    from rich.logging import RichHandler

    from mar.camera import load_camera
    from mar.config import load_config
    from mar.io.names import Layout
    from mar.refcat import refcat_folder

    logging.basicConfig(
        level="WARNING", handlers=[RichHandler(console=err, show_path=False)], format="%(message)s"
    )
    layout = Layout(root.resolve(), refcat_folder(root.resolve()))
    layout.make_folders()
    return Setup(layout, load_camera(camera), load_config(config))


@contextmanager
def watched(what: str) -> Iterator[Progress]:
    """A progress bar, on a terminal, that follows the steps of one product."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn(f"{what} [dim]{{task.description}}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Bar(*columns, console=err, transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda step, done, total: bar.update(
            task, description=step, completed=done, total=total or None
        )


def tell_dropped(dropped: "list[Dropped]") -> None:
    """Name every frame that was left out, with its reason."""
    for frame in dropped:
        err.print(
            f"[yellow]left out[/yellow] {frame.path.name}: {frame.reason}", highlight=False, soft_wrap=True
        )


def tell_warnings(warnings: list[str]) -> None:
    """Print the warnings."""
    for warning in warnings:
        err.print(f"[yellow]warning[/yellow] {warning}", highlight=False, soft_wrap=True)
