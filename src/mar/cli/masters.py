"""`mar bias`, `mar flat`, `mar superflat`: masters from frames on disk."""

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mar.cli.watch import (
    DONE_IN_PART,
    CameraOption,
    ConfigOption,
    RootOption,
    out,
    setup,
    tell_dropped,
    tell_warnings,
    watched,
)
from mar.errors import MarError, NotEnoughFrames

if TYPE_CHECKING:  # imported where the work begins
    from mar.camera import Camera
    from mar.run import MasterProducts

app = typer.Typer()

FilesArgument = Annotated[list[Path], typer.Argument(help="FITS files, .fits or .fits.fz.", exists=True)]
StartOption = Annotated[
    datetime | None,
    typer.Option("--start", formats=["%Y-%m-%d"], help="First day (UTC); the frames' by default."),
]
EndOption = Annotated[
    datetime | None,
    typer.Option("--end", formats=["%Y-%m-%d"], help="Last day (UTC); the frames' by default."),
]
BandOption = Annotated[str, typer.Option("--band", help="Filter.")]


@app.command()
def bias(
    files: FilesArgument,
    start: StartOption = None,
    end: EndOption = None,
    root: RootOption = Path(),
    camera: CameraOption = "t80cam",
    config: ConfigOption = None,
) -> None:
    """Combine raw bias frames into a master bias (ADU) and its hot-pixel mask."""
    from mar import run
    from mar.cli.masters_at import last_bias

    work = setup(root, camera, config)
    days = _days(files, work.camera, start, end)
    last = last_bias(work.layout, *days)
    with watched("bias") as progress:
        products = run.master_bias(files, work.layout, work.camera, work.config, *days, progress, last)
    _tell(products)


@app.command()
def flat(
    files: FilesArgument,
    band: BandOption,
    bias: Annotated[Path | None, typer.Option(help="Master bias; by default the one of that date.")] = None,
    start: StartOption = None,
    end: EndOption = None,
    root: RootOption = Path(),
    camera: CameraOption = "t80cam",
    config: ConfigOption = None,
) -> None:
    """Combine twilight flats of one band into a master flat (median 1) and its cold-pixel mask."""
    from mar import run
    from mar.cli.masters_at import bias_for, last_flat

    work = setup(root, camera, config)
    name = work.camera.band(band).name
    days = _days(files, work.camera, start, end)
    master = run.MasterFiles(bias) if bias else bias_for(work.layout, days[0])
    last = last_flat(work.layout, name, *days)
    with watched(f"flat {name}") as progress:
        products = run.master_flat(
            files, name, master, work.layout, work.camera, work.config, *days, progress, last
        )
    _tell(products)


@app.command()
def superflat(
    files: FilesArgument,
    band: BandOption,
    start: StartOption = None,
    end: EndOption = None,
    root: RootOption = Path(),
    camera: CameraOption = "t80cam",
    config: ConfigOption = None,
) -> None:
    """Build the fringe frame of a band from processed frames of different pointings."""
    from mar import run

    work = setup(root, camera, config)
    name = work.camera.band(band).name
    days = _days(files, work.camera, start, end)
    with watched(f"superflat {name}") as progress:
        products = run.superflat(files, name, work.layout, work.camera, work.config, *days, progress)
    _tell(products)


def _days(
    files: list[Path], camera: "Camera", start: datetime | None, end: datetime | None
) -> tuple[date, date]:
    """The days asked for, else those of the frames that can be read."""
    from mar.exposure import read_exposure
    from mar.io.fits import read_header, stem

    if start and end:
        return start.date(), end.date()
    found = []
    for path in files:
        try:
            found.append(read_exposure(read_header(path), camera, stem(path)).date_obs.date())
        except MarError:
            continue  # the combination itself names it and its reason
    if not found:
        raise NotEnoughFrames(
            "none of the files tells its date; give --start and --end, and see their headers"
        )
    return (start.date() if start else min(found)), (end.date() if end else max(found))


def _tell(products: "MasterProducts") -> None:
    tell_dropped(products.dropped)
    for remark in products.remarks:
        out.print(remark, highlight=False, soft_wrap=True)
    tell_warnings(products.warnings)
    figures = products.statistics
    out.print(f"{products.master} of {len(products.used)} frames", soft_wrap=True)
    out.print(f"mode {figures['modeavg']:.4g}, noise {figures['noiseavg']:.4g}", highlight=False)
    if products.dropped:
        raise typer.Exit(DONE_IN_PART)
