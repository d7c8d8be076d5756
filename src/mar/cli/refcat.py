"""`mar refcat`: the reference catalogues that astrometry and photometry rest on."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from mar.cli.watch import RootOption
from mar.refcat import refcat_folder

if TYPE_CHECKING:  # imported where the work begins
    from mar.refcat.packs import RefCat

app = typer.Typer(no_args_is_help=True, help="Reference catalogues (packs) for astrometry and photometry.")


def _packs(root: Path) -> "RefCat":
    from mar.refcat.packs import RefCat

    return RefCat(refcat_folder(root))


@app.command()
def add(
    file: Annotated[Path, typer.Argument(help="FITS table or FITS_LDAC with RA, DEC (deg) and a magnitude.")],
    name: Annotated[str | None, typer.Option(help="Name of the pack; the file's by default.")] = None,
    epoch: Annotated[
        float | None, typer.Option(help="Julian year of the positions, if FILE has none.")
    ] = None,
    root: RootOption = Path(),
) -> None:
    """Make a pack of FILE. Proper motions (mas/yr) and magnitudes MAG_<band> are kept."""
    pack = _packs(root).add(file, name, epoch)
    typer.echo(f"{pack.path}: {pack.stars} stars, epoch {pack.epoch:.3f}")


@app.command("list")
def list_packs(
    root: RootOption = Path(),
) -> None:
    """List the packs: stars, epoch, bands."""
    packs = _packs(root).packs()
    table = Table("pack", "stars", "epoch", "proper motions", "bands")
    for pack in packs:
        moving = "yes" if pack.proper_motions else "no"
        table.add_row(pack.name, str(pack.stars), f"{pack.epoch:.3f}", moving, " ".join(pack.bands))
    Console().print(table)


@app.command()
def verify(
    name: Annotated[str | None, typer.Argument(help="Pack to verify; all by default.")] = None,
    root: RootOption = Path(),
) -> None:
    """Check packs: readable, unchanged, sorted, positions on the sky. Exit code 1 where one is not sound."""
    catalogue = _packs(root)
    names = [name] if name else [pack.name for pack in catalogue.packs()]
    faults = {pack: catalogue.verify(pack) for pack in names}
    for pack, wrong in faults.items():
        typer.echo(f"{pack}: {'; '.join(wrong) or 'sound'}")
    if any(faults.values()):
        raise typer.Exit(1)
