"""`mar science`, `mar tile`, `mar colour`: from raw science frames to images of the sky."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mar.cli.watch import (
    DONE_IN_PART,
    CameraOption,
    ConfigOption,
    RootOption,
    Setup,
    err,
    out,
    setup,
    tell_dropped,
    tell_warnings,
    watched,
)
from mar.errors import BadConfig, MarError, MissingMaster, NotEnoughFrames
from mar.progress import Progress

if TYPE_CHECKING:  # imported where the work begins
    from mar.run import ScienceMasters, ScienceProducts

app = typer.Typer()

STEPS = ("ov", "sf", "mc", "am")


@app.command()
def science(
    files: Annotated[list[Path], typer.Argument(help="Raw science frames, .fits or .fits.fz.", exists=True)],
    code: Annotated[
        str,
        typer.Option(
            help="Steps: ov overscan + bias + flat, sf fringe, mc masks, am astrometry + catalogue."
        ),
    ] = "ov sf mc am",
    status: Annotated[
        int, typer.Option(min=0, max=5, help="Where the frames stand: 0 raw ... 5 ready to coadd.")
    ] = 0,
    bias: Annotated[Path | None, typer.Option(help="Master bias; by default the one of that date.")] = None,
    flat: Annotated[
        Path | None, typer.Option(help="Master flat; by default the one of that date and band.")
    ] = None,
    fringe: Annotated[
        Path | None, typer.Option(help="Fringe frame; by default the one of that date and band.")
    ] = None,
    root: RootOption = Path(),
    camera: CameraOption = "t80cam",
    config: ConfigOption = None,
) -> None:
    """Reduce raw science frames to processed frames, masks and catalogues."""
    from mar.run import MasterFiles, ScienceMasters

    work = setup(root, camera, config)
    steps = _steps(code)
    given = ScienceMasters(MasterFiles(bias) if bias else None, MasterFiles(flat) if flat else None, fringe)
    failed = 0
    for path in files:
        with watched(path.name) as progress:
            products = _reduce(path, given, status, steps, work, progress)
        failed += bool(products.error)
        _tell(path, products)
    if failed:
        err.print(f"{failed} of {len(files)} frames failed")
        raise typer.Exit(DONE_IN_PART)


def _steps(code: str) -> frozenset[str]:
    words = code.replace(",", " ").split()
    for word in words:
        if word not in STEPS:
            raise BadConfig(f"unknown step {word!r}; accepted are {' '.join(STEPS)}")
    return frozenset(words or STEPS)


def _reduce(
    path: Path, given: "ScienceMasters", status: int, steps: frozenset[str], work: Setup, progress: Progress
) -> "ScienceProducts":
    from mar import run

    try:
        masters = _masters(path, given, work)
    except MarError as error:
        return run.ScienceProducts(status, failed_step="ov", error=str(error))
    return run.science(path, masters, status, steps, work.layout, work.camera, work.config, progress)


def _masters(path: Path, given: "ScienceMasters", work: Setup) -> "ScienceMasters":
    """The masters given, and for the rest those of the frame's date on disk."""
    from mar.cli.masters_at import bias_for, flat_for, superflat_for
    from mar.exposure import read_exposure
    from mar.io.fits import read_header, stem
    from mar.run import ScienceMasters

    exposure = read_exposure(read_header(path), work.camera, stem(path))
    if exposure.band is None:
        raise MissingMaster(f"{path.name} is a bias; science frames are wanted")
    day, band = exposure.date_obs.date(), exposure.band
    return ScienceMasters(
        given.bias or bias_for(work.layout, day),
        given.flat or flat_for(work.layout, band, day),
        given.fringe or superflat_for(work.layout, band, day),
    )


def _tell(path: Path, products: "ScienceProducts") -> None:
    if products.error:
        err.print(
            f"[red]{path.name}[/red] failed at {products.failed_step}: {products.error}", soft_wrap=True
        )
    tell_warnings(products.warnings)
    if products.processed:
        out.print(f"{products.processed} status {products.status}", soft_wrap=True, highlight=False)


@app.command()
def tile(
    files: Annotated[list[Path], typer.Argument(help="Processed frames of one field and band.", exists=True)],
    field: Annotated[str, typer.Option(help="Field; that of the first frame by default.")] = "",
    band: Annotated[str, typer.Option(help="Band; that of the first frame by default.")] = "",
    ra: Annotated[float | None, typer.Option(help="Centre, right ascension in degrees.")] = None,
    dec: Annotated[float | None, typer.Option(help="Centre, declination in degrees.")] = None,
    add: Annotated[
        bool, typer.Option("--add", help="Add FILES to the tile that there is, of weighted means.")
    ] = False,
    root: RootOption = Path(),
    camera: CameraOption = "t80cam",
    config: ConfigOption = None,
) -> None:
    """Coadd processed frames to a tile (adu/s) with weight and count maps and a catalogue.

    With --add further frames go into an earlier tile, whose own frames are not needed again.
    """
    from mar import run
    from mar.exposure import read_exposure
    from mar.io.fits import read_header, stem

    if (ra is None) != (dec is None):
        raise BadConfig("a centre needs both --ra and --dec")
    if add and ra is not None:
        raise BadConfig("--add keeps the centre of the tile; leave out --ra and --dec")
    work = setup(root, camera, config)
    first = read_exposure(read_header(files[0]), work.camera, stem(files[0]))
    name, filter_name = field or first.field, work.camera.band(band or first.band or "").name
    centre = None if ra is None or dec is None else (ra, dec)
    with watched(f"tile {name} {filter_name}") as progress:
        products = run.tile(
            files, name, filter_name, centre, work.layout, work.camera, work.config, progress, add
        )
    tell_dropped(products.dropped)
    out.print(f"{products.tile} of {products.ncombine} frames", soft_wrap=True)
    figures = {
        "FWHM": (products.fwhm, "arcsec"),
        "depth": (products.depth, "mag"),
        "zero point": (products.zeropoint, "mag"),
        "astrometry": (products.astrometric_rms, "arcsec rms"),
    }
    out.print(
        ", ".join(f"{name} {value:.3f} {unit}" for name, (value, unit) in figures.items() if value),
        highlight=False,
    )
    if products.dropped:
        raise typer.Exit(DONE_IN_PART)


@app.command()
def colour(
    field: Annotated[str, typer.Argument(help="Field whose tiles are in the data root.")],
    partial: Annotated[bool, typer.Option("--partial", help="Make it also where bands are missing.")] = False,
    root: RootOption = Path(),
    camera: CameraOption = "t80cam",
    config: ConfigOption = None,
) -> None:
    """Mix the tiles of a field into its colour image (PNG)."""
    from mar import run

    work = setup(root, camera, config)
    places = {
        band: next(
            filter(Path.exists, (work.layout.tile(field, band, packed) for packed in (True, False))), None
        )
        for band in work.camera.band_names
    }
    tiles = {band: path for band, path in places.items() if path}
    if not tiles:
        raise NotEnoughFrames(
            f"no tile of {field!r} in {work.layout.root / 'TILES'}; make them with `mar tile`"
        )
    with watched(f"colour {field}") as progress:
        products = run.colour_image(tiles, field, work.layout, work.camera, work.config, partial, progress)
    out.print(str(products.image), soft_wrap=True)
