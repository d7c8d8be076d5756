"""`mar solve`, `mar together`: where images point, from the stars on them."""

from pathlib import Path
from typing import Annotated

import typer

from mar.cli.watch import CameraOption, ConfigOption, RootOption, out, setup


def solve_command(
    file: Annotated[
        Path, typer.Argument(help="FITS image, .fits or .fits.fz; it is not changed.", exists=True)
    ],
    ra: Annotated[
        float | None, typer.Option(help="Right ascension of the middle (deg); the header's.")
    ] = None,
    dec: Annotated[float | None, typer.Option(help="Declination of the middle (deg); the header's.")] = None,
    scale: Annotated[float | None, typer.Option(help="Pixel scale (arcsec); the header's.", min=1e-3)] = None,
    radius: Annotated[
        float | None,
        typer.Option(help="How far the position may be off (deg); 5 arcmin or 20 pixels.", min=1e-4),
    ] = None,
    angle: Annotated[
        float, typer.Option(help="How far the orientation may be off (deg).", min=0.01, max=180)
    ] = 180,
    bin_pixels: Annotated[
        int, typer.Option("--bin", help="Bin before detection; 2 for a Bayer mosaic.", min=1, max=64)
    ] = 1,
    degree: Annotated[int, typer.Option(help="Degree of the distortion.", min=1, max=5)] = 3,
    pack: Annotated[str, typer.Option(help="Reference pack, or a pattern such as gaia*; all.")] = "",
    epoch: Annotated[
        float | None, typer.Option(help="Julian year of the image; the header's DATE-OBS.")
    ] = None,
    write: Annotated[Path | None, typer.Option(help="Write a copy of the image with the solution.")] = None,
    wcs: Annotated[Path | None, typer.Option(help="Write the header alone, with the solution.")] = None,
    root: RootOption = Path(),
) -> None:
    """Solve FILE: match its stars with the reference packs and fit its world coordinates (TPV)."""
    from mar.refcat import refcat_folder
    from mar.run.solve import Wishes, solve_file, write_solved

    wishes = Wishes(ra, dec, scale, radius, angle, bin_pixels, degree, pack, epoch)
    solved = solve_file(file, refcat_folder(root), wishes)
    write_solved(file, solved, write, wcs)
    found = solved.solution
    middle = f"RA {found.centre[0]:.5f} DEC {found.centre[1]:+.5f}"
    east, north = found.offset_arcsec
    if solved.left_out:
        out.print(
            f"{file.name}: the distortion of its {solved.left_out} header was not used, ours is in its place",
            highlight=False,
            soft_wrap=True,
        )
    for line in (
        f"{file.name}: {middle}, {found.wcs.scale_arcsec:.4f} arcsec/pixel",
        f"{found.stars} stars of {solved.sources} sources match {found.catalogue}, degree {found.degree}",
        f"rms {found.rms_mas[0] / 1000:.3f} {found.rms_mas[1] / 1000:.3f} arcsec, chi2 {found.chi2:.2f}",
        f"false-alarm probability 10^{found.log10_chance:.0f}",
        f"pointing was off by {east:.1f} arcsec east, {north:.1f} north",
    ):
        out.print(line, highlight=False, soft_wrap=True)


def together_command(
    files: Annotated[
        list[Path], typer.Argument(help="Processed frames of one field, any bands.", exists=True)
    ],
    root: RootOption = Path(),
    camera: CameraOption = "t80cam",
    config: ConfigOption = None,
) -> None:
    """Solve processed frames of a field together and write the common solution into them."""
    from mar.run.together import together

    work = setup(root, camera, config)
    found = together(files, work.layout, work.camera, work.config)
    (inner, _), (outer, _) = found.internal_mas, found.reference_mas
    out.print(
        f"{len(files)} frames, {found.stars} stars, rms {inner:.1f} mas, {outer:.1f} to the reference",
        highlight=False,
        soft_wrap=True,
    )
