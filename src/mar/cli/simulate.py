"""The command `mar simulate`."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from mar.cli.watch import watched


def simulate_command(
    directory: Annotated[Path, typer.Argument(help="Folder for the raw frames and their truth")],
    camera: Annotated[
        str, typer.Option(help="A built-in camera or the path of a camera file")
    ] = "t80cam-mini",
    fields: Annotated[int, typer.Option(min=0, help="Fields of the survey")] = 2,
    exposures: Annotated[int, typer.Option(min=0, help="Exposures per field and band")] = 3,
    bands: Annotated[str, typer.Option(help="Bands joined by commas, or all")] = "all",
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same night")] = 1,
    biases: Annotated[int, typer.Option(min=0, help="Bias frames")] = 11,
    flats: Annotated[int, typer.Option(min=0, help="Twilight flats per band")] = 9,
    date: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Night")] = datetime(2024, 3, 1),
    without: Annotated[
        list[str] | None,
        typer.Option(help="Switch an effect off, as cosmics or trails; a wrong name lists them all"),
    ] = None,
    fz: Annotated[bool, typer.Option("--fz", help="Write every frame compressed (.fits.fz)")] = False,
    mixed: Annotated[bool, typer.Option("--mixed", help="Write every other frame compressed")] = False,
) -> None:
    """Simulate a night of raw frames with known truth.

    The raw frames go to DIRECTORY/YYYYMMDD, the truth (catalogues, masks, flat fields) to DIRECTORY/TRUTH.
    """
    from mar.camera import load_camera
    from mar.simulate import Effects, simulate_night

    with watched("simulate") as progress:
        night = simulate_night(
            directory,
            load_camera(camera),
            fields=fields,
            exposures=exposures,
            bands="all" if bands == "all" else [word.strip() for word in bands.split(",")],
            seed=seed,
            biases=biases,
            flats=flats,
            effects=Effects().without(*(without or [])),
            compress="mixed" if mixed else "fz" if fz else "fits",
            day=date.date(),
            progress=progress,
        )
    typer.echo(f"{len(night.frames)} raw frames in {night.raw}")
    typer.echo(f"fields {', '.join(field.name for field in night.fields) or 'none'}")
    typer.echo(f"reference catalogue {night.reference}")
