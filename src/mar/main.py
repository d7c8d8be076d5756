"""The one command `mar`, assembled from the commands of the packages that are installed."""

import sys
from importlib.metadata import entry_points

import typer

from mar.errors import MarError


def main() -> None:
    """Run `mar`; a named error becomes one line on standard error and exit code 2."""
    app = typer.Typer(
        name="mar",
        help="Multiband Astronomical Reduction: raw CCD nights to masters, tiles and colour images.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for point in sorted(entry_points(group="mar.commands"), key=lambda point: point.name != "library"):
        app.add_typer(point.load())
    try:
        app()
    except MarError as error:
        typer.secho(f"mar: {error}", fg="red", err=True)
        sys.exit(2)
