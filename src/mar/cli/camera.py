"""`mar camera`: look at a camera file, or make one from the existing system's."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:  # imported where the work begins
    from mar.camera import Camera

app = typer.Typer(no_args_is_help=True, help="Camera files: geometry, header cards, filters, site.")


@app.command()
def show(
    camera: Annotated[
        str, typer.Argument(help="A built-in name or the path of a camera file (TOML).")
    ] = "t80cam",
    plot: Annotated[Path | None, typer.Option(help="Also draw the raw frame into this PNG.")] = None,
) -> None:
    """Print a camera, and draw how its outputs lie in the raw frame."""
    from mar.camera import load_camera

    described = load_camera(camera)
    out = Console()
    out.print(_summary(described))
    out.print(_outputs(described))
    out.print(_grid(described))
    if plot is not None:
        draw(described, plot)
        out.print(f"drawn into {plot}")


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="YAML configuration of the existing system.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Camera file to write (TOML).")],
    name: Annotated[str, typer.Option(help="Name of the camera; the file's by default.")] = "",
) -> None:
    """Make a camera file from the `Instrument` section of a YAML configuration."""
    from mar.camera import camera_to_toml
    from mar.legacy import import_camera

    camera = import_camera(file, name or output.stem)
    output.write_text(camera_to_toml(camera), "utf-8")
    Console().print(
        f"{output}: {len(camera.outputs)} outputs, raw {camera.raw_columns} x {camera.raw_rows} pixels"
    )


@app.command("list")
def list_() -> None:
    """Name the cameras that come with MAR."""
    from mar.camera import builtin_cameras, load_camera

    for name in builtin_cameras():
        camera = load_camera(name)
        Console().print(
            f"{name}: raw {camera.raw_columns} x {camera.raw_rows}, {len(camera.outputs)} outputs"
        )


def _summary(camera: "Camera") -> Table:
    table = Table(title=camera.name, show_header=False)
    rows, columns = camera.shape
    table.add_row("raw frame", f"{camera.raw_columns} x {camera.raw_rows} pixels")
    table.add_row("trimmed frame", f"{columns} x {rows} pixels")
    table.add_row("pixel scale", f"{camera.pixel_scale_arcsec} arcsec/pixel")
    table.add_row("gain, read noise", f"{camera.gain} e-/ADU, {camera.read_noise_e} e-")
    table.add_row("saturation", f"{camera.saturation_adu:.0f} ADU")
    table.add_row("filters", " ".join(camera.band_names))
    site = camera.site
    table.add_row(
        "site",
        f"{site.name} ({site.latitude_deg:+.4f}, {site.longitude_deg:+.4f} deg, {site.height_m:.0f} m)",
    )
    return table


def _outputs(camera: "Camera") -> Table:
    table = Table()
    for name in ("output", "science", "prescan x", "overscan x", "prescan y", "overscan y"):
        table.add_column(name, overflow="fold")
    for output in camera.outputs:
        strips = (output.prescan_x, output.overscan_x, output.prescan_y, output.overscan_y)
        table.add_row(
            output.id, output.science.to_fits(), *(strip.to_fits() if strip else "-" for strip in strips)
        )
    return table


def _grid(camera: "Camera") -> Table:
    """The outputs as they lie in the trimmed frame, top row first as on a display."""
    table = Table(title="trimmed frame, y upwards", show_header=False, show_lines=True)
    for row in reversed(camera.order):
        table.add_row(*row)
    return table


def draw(camera: "Camera", path: Path) -> None:
    """Draw the sections of the raw frame into a PNG."""
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    colours = {
        "science": "#4c78a8",
        "prescan_x": "#f58518",
        "overscan_x": "#e45756",
        "prescan_y": "#72b7b2",
        "overscan_y": "#54a24b",
    }
    figure = Figure(figsize=(10, 10 * camera.raw_rows / camera.raw_columns))
    axes = figure.add_subplot(
        xlim=(0, camera.raw_columns), ylim=(0, camera.raw_rows), title=f"{camera.name}, raw frame"
    )
    axes.set_xlabel("x [pixel]")
    axes.set_ylabel("y [pixel]")
    for output in camera.outputs:
        for name, colour in colours.items():
            section = getattr(output, name)
            if section is not None:
                height, width = section.shape
                axes.add_patch(
                    Rectangle((section.x0, section.y0), width, height, fc=colour, ec="white", lw=0.5)
                )
        centre_y, centre_x = (
            (output.science.y0 + output.science.y1) / 2,
            (output.science.x0 + output.science.x1) / 2,
        )
        axes.text(centre_x, centre_y, output.id, ha="center", va="center", color="white")
    axes.legend(
        handles=[Rectangle((0, 0), 1, 1, fc=colour, label=name) for name, colour in colours.items()],
        loc="upper center",
        ncol=5,
        bbox_to_anchor=(0.5, -0.08),
    )
    figure.savefig(path, dpi=100, bbox_inches="tight")
