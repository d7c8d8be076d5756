"""`mar refcat`: the reference catalogues that astrometry and photometry rest on."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from mar.cli.watch import RootOption
from mar.refcat import refcat_folder

if TYPE_CHECKING:  # imported where the work begins
    from mar.refcat.pack_file import Pack
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
    error: Annotated[float | None, typer.Option(help="Error of the positions per axis (mas).", min=0)] = None,
    root: RootOption = Path(),
) -> None:
    """Make a pack of FILE. Proper motions (mas/yr), parallaxes and magnitudes MAG_<band> are kept."""
    _tell(_packs(root).add(file, name, epoch, error))


@app.command("import-astrometry-net")
def import_index(
    files: Annotated[list[Path], typer.Argument(help="Index files of astrometry.net.", exists=True)],
    name: Annotated[str, typer.Option(help="Name of the pack.")] = "tycho2",
    epoch: Annotated[float, typer.Option(help="Julian year of the positions.")] = 2000.0,
    error: Annotated[float, typer.Option(help="Error of the positions per axis (mas).", min=0)] = 60.0,
    root: RootOption = Path(),
) -> None:
    """Make a whole-sky pack of the stars in index files, such as Debian's astrometry-data-tycho2."""
    from astropy.table import unique, vstack

    from mar.refcat.quad_index import read_index

    table = vstack([read_index(file) for file in files])
    if len(files) > 1:
        table = unique(table, keys=["RA", "DEC"])  # parts of the sky overlap
    origin = " ".join(file.name for file in files)[:60]
    _tell(_packs(root).add_table(table, name, origin, epoch, error))


@app.command()
def fetch(
    ra: Annotated[float, typer.Argument(help="Right ascension of the field (deg).", min=0, max=360)],
    dec: Annotated[float, typer.Argument(help="Declination of the field (deg).", min=-90, max=90)],
    radius: Annotated[float, typer.Option(help="Radius of the field (deg).", min=0.001, max=10)] = 1.2,
    faintest: Annotated[float, typer.Option(help="Faintest magnitude G.")] = 19.0,
    name: Annotated[str, typer.Option(help="Name of the pack; the place by default.")] = "",
    root: RootOption = Path(),
) -> None:
    """Fetch a field of Gaia DR3 once; ever after its pack serves without a network."""
    from mar.refcat.stars import Cone

    pack, fetched = _packs(root).fetch(Cone(ra, dec, radius), faintest, name)
    _tell(pack, "" if fetched else " (was there)")


def _tell(pack: "Pack", more: str = "") -> None:
    typer.echo(f"{pack.path}: {pack.stars} stars, epoch {pack.epoch:.3f}{more}")


@app.command("list")
def list_packs(
    root: RootOption = Path(),
) -> None:
    """List the packs: stars, epoch, bands, and what they were made of."""
    packs = _packs(root).packs()
    table = Table("pack", "stars", "epoch", "proper motions", "bands", "made of")
    for pack in packs:
        moving = "yes" if pack.proper_motions else "no"
        table.add_row(
            pack.name, str(pack.stars), f"{pack.epoch:.3f}", moving, " ".join(pack.bands), pack.origin
        )
    Console().print(table)


@app.command()
def verify(
    name: Annotated[str | None, typer.Argument(help="Pack to verify; all by default.")] = None,
    root: RootOption = Path(),
) -> None:
    """Check packs: readable, unchanged, in order, positions on the sky. Exit code 1 where one is not."""
    catalogue = _packs(root)
    names = [name] if name else [pack.name for pack in catalogue.packs()]
    faults = {pack: catalogue.verify(pack) for pack in names}
    for pack, wrong in faults.items():
        typer.echo(f"{pack}: {'; '.join(wrong) or 'sound'}")
    if any(faults.values()):
        raise typer.Exit(1)
