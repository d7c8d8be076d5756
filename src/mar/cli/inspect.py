"""The command `mar inspect`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from mar.cli.watch import out


def inspect_command(
    tile: Annotated[Path, typer.Argument(help="A tile, with its index beside it.", exists=True)],
    x: Annotated[int, typer.Argument(help="Column, as FITS and DS9 count: the first is 1.")],
    y: Annotated[int, typer.Argument(help="Row, likewise.")],
) -> None:
    """Tell which frames a pixel of a tile comes from, with what weight, and which were rejected there."""
    from mar import run

    found = run.inspect(tile, x, y)
    out.print(f"{tile.name} {x} {y}: {found.value:.6g} adu/s, weight {found.weight:.6g}", highlight=False)
    table = Table("frame", "x", "y", "weight", "", box=None)
    for frame in found.frames:
        where = ("", "") if frame.fate == "outside" else (f"{frame.x:.2f}", f"{frame.y:.2f}")
        table.add_row(frame.name, *where, f"{frame.weight:.6g}", frame.fate)
    out.print(table)
