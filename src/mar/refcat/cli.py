"""`mar refcat`: the reference catalogues that astrometry and photometry rest on."""

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from mar.errors import MarError
from mar.refcat.packs import RefCat

app = typer.Typer(no_args_is_help=True, help="Reference catalogues (packs) for astrometry and photometry.")


def refcat_folder(root: Path) -> Path:
    """Where packs live: $MAR_REFCAT, else REFCAT below the data root."""
    chosen = os.environ.get("MAR_REFCAT", "")
    return Path(chosen) if chosen else root / "REFCAT"


def _fail(error: MarError) -> typer.Exit:
    Console(stderr=True).print(f"[red]{error}[/red]", highlight=False)
    return typer.Exit(1)


def _default_root() -> Path:
    return Path(os.environ.get("MAR_ROOT", "."))


@app.command()
def add(
    file: Annotated[Path, typer.Argument(help="FITS table or FITS_LDAC with RA, DEC (deg) and a magnitude.")],
    name: Annotated[str | None, typer.Option(help="Name of the pack; the file's by default.")] = None,
    epoch: Annotated[
        float | None, typer.Option(help="Julian year of the positions, if FILE has none.")
    ] = None,
    root: Annotated[Path | None, typer.Option(help="Data root (default $MAR_ROOT or here).")] = None,
) -> None:
    """Make a pack of FILE. Proper motions (mas/yr) and magnitudes MAG_<band> are kept."""
    try:
        pack = RefCat(refcat_folder(root or _default_root())).add(file, name, epoch)
    except MarError as error:
        raise _fail(error) from error
    typer.echo(f"{pack.path}: {pack.stars} stars, epoch {pack.epoch:.3f}")


@app.command("list")
def list_packs(
    root: Annotated[Path | None, typer.Option(help="Data root (default $MAR_ROOT or here).")] = None,
) -> None:
    """List the packs: stars, epoch, bands."""
    try:
        packs = RefCat(refcat_folder(root or _default_root())).packs()
    except MarError as error:
        raise _fail(error) from error
    table = Table("pack", "stars", "epoch", "proper motions", "bands")
    for pack in packs:
        moving = "yes" if pack.proper_motions else "no"
        table.add_row(pack.name, str(pack.stars), f"{pack.epoch:.3f}", moving, " ".join(pack.bands))
    Console().print(table)


@app.command()
def verify(
    name: Annotated[str | None, typer.Argument(help="Pack to verify; all by default.")] = None,
    root: Annotated[Path | None, typer.Option(help="Data root (default $MAR_ROOT or here).")] = None,
) -> None:
    """Check packs: readable, unchanged, sorted, positions on the sky. Exit code 1 where one is not sound."""
    catalogue = RefCat(refcat_folder(root or _default_root()))
    try:
        names = [name] if name else [pack.name for pack in catalogue.packs()]
        faults = {pack: catalogue.verify(pack) for pack in names}
    except MarError as error:
        raise _fail(error) from error
    for pack, wrong in faults.items():
        typer.echo(f"{pack}: {'; '.join(wrong) or 'sound'}")
    if any(faults.values()):
        raise typer.Exit(1)
