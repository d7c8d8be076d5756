"""The page of plots of a tile: how the stars lie on the reference, and the PSF over the chip."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mar.run.drawing import AMBER, BLUE, FAINT, INK, LINE, label, new_figure, numbers, write_figure
from mar.run.tile_figures import TileFigures
from mar.steps.grid import Grid
from mar.steps.quality import PsfMap
from mar.steps.residuals import Residuals

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ARROWS = 1500
LONGEST = 8  # arrow, in medians


def write_tile_page(path: Path, title: str, figures: TileFigures, grid: Grid) -> Path:
    """Draw the page of a tile; what could not be measured is left empty."""
    psf, residuals, shape, scale_arcsec = figures.psf, figures.residuals, grid.shape, grid.pixel_scale_arcsec
    figure = new_figure(12, 10, title)
    (arrows, scatter), (width, roundness) = figure.subplots(2, 2)
    _arrows(arrows, residuals, shape)
    _scatter(scatter, residuals)
    chip = psf.map if psf.map is not None else PsfMap(*(np.full((1, 1), np.nan) for _ in PsfMap._fields))
    numbers(width, chip.fwhm_px[::-1] * scale_arcsec, ".2f", 11)
    _whiskers(roundness, chip)
    said = f"FWHM, median {psf.fwhm_moffat_px * scale_arcsec:.2f} arcsec, {psf.n_stars} stars"
    _as_chip(width, chip.fwhm_px.shape, shape, f"{said} [arcsec]")
    _as_chip(roundness, chip.e1.shape, shape, f"ellipticity (a - b) / (a + b), mean {psf.ellipticity:.3f}")
    return write_figure(path, figure)


def _arrows(axes: "Axes", residuals: Residuals, shape: tuple[int, int]) -> None:
    """Vectors over the chip; east is to the left, as the tile is."""
    label(axes, "stars minus reference", "x [pixel]", "y [pixel]", aspect="equal")
    axes.set(xlim=(0, shape[1]), ylim=(0, shape[0]))
    stars = residuals.matched
    if stars is None or not len(stars):
        return
    size = np.hypot(residuals.east_mas, residuals.north_mas)
    length = max(float(np.median(size)), 0.1)
    short = np.flatnonzero(size < LONGEST * length)
    some = short[np.linspace(0, len(short) - 1, min(len(short), MOST_ARROWS)).astype(int)]
    left_out = len(size) - len(short)
    axes.set_title(f"stars minus reference ({left_out} longer ones not drawn)", color=INK, fontsize=11)
    drawn = axes.quiver(
        np.asarray(stars["XWIN_IMAGE"])[some], np.asarray(stars["YWIN_IMAGE"])[some],
        -residuals.east_mas[some], residuals.north_mas[some], scale=length * 25, width=0.002, color=BLUE,
    )  # fmt: skip
    axes.quiverkey(drawn, 0.88, -0.09, length, f"{length:.3g} mas", labelpos="E", labelcolor=INK)


def _scatter(axes: "Axes", residuals: Residuals) -> None:
    """Each axis against magnitude."""
    label(axes, "stars minus reference, per axis", "MAG_AUTO [mag]", "residual [mas]")
    stars = residuals.matched
    if stars is None or not len(stars):
        return
    magnitude = np.asarray(stars["MAG_AUTO"], dtype=float)
    for name, values, colour, middle in (
        ("east", residuals.east_mas, BLUE, residuals.offset_mas[0]),
        ("north", residuals.north_mas, AMBER, residuals.offset_mas[1]),
    ):
        axes.plot(magnitude, values, ".", ms=3, color=colour, label=f"{name}, median {middle:+.1f} mas")
    axes.axhline(0, color=FAINT, lw=0.8)
    most = 2 * float(np.percentile(np.abs([residuals.east_mas, residuals.north_mas]), 95)) or 1.0
    axes.set(ylim=(-most, most))
    axes.set_title(f"stars minus reference, rms {residuals.rms_mas:.1f} mas per axis, {len(stars)} stars",
                   color=INK, fontsize=11)  # fmt: skip
    axes.legend(frameon=False, labelcolor=INK)


def _whiskers(axes: "Axes", chip: PsfMap) -> None:
    """A line along the major axis in each cell, and its ellipticity as a number."""
    size = np.hypot(chip.e1, chip.e2)
    axes.set(xlim=(-0.5, size.shape[1] - 0.5), ylim=(size.shape[0] - 0.5, -0.5))
    angle = np.arctan2(chip.e2, chip.e1) / 2
    for row, column in zip(*np.nonzero(np.isfinite(size)), strict=True):
        y, e = len(size) - 1 - row, size[row, column]
        half = 0.4 * min(1.0, e / 0.1)  # of a cell; a tenth is a long line
        dx, dy = half * np.cos(angle[row, column]), half * np.sin(angle[row, column])
        axes.plot([column - dx, column + dx], [y + dy, y - dy], color=BLUE, lw=3, solid_capstyle="round")
        axes.text(column, y + 0.42, f"{e:.3f}", ha="center", va="bottom", color=INK, fontsize=10)


def _as_chip(axes: "Axes", cells: tuple[int, ...], shape: tuple[int, int], title: str) -> None:
    """Ticks of cells in pixels of the chip, whose first row is the lowest."""
    label(axes, title, "x [pixel]", "y [pixel]")
    ny, nx = cells
    axes.set_xticks(np.arange(nx + 1) - 0.5, [f"{shape[1] * n // nx}" for n in range(nx + 1)])
    axes.set_yticks(np.arange(ny + 1) - 0.5, [f"{shape[0] * (ny - n) // ny}" for n in range(ny + 1)])
    axes.grid(color=LINE)
    axes.set_axisbelow(False)
