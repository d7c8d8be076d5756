"""Plots beside the products."""

import io

import numpy as np

from mar.steps.astrometry import Solution


def residual_plot(solution: Solution, title: str) -> bytes:
    """PNG of the astrometric residuals: vectors over the chip, and east against north."""
    from matplotlib.figure import Figure  # slow to import, and most of `mar` draws nothing

    figure = Figure(figsize=(11, 5))
    chip, scatter = figure.subplots(1, 2)
    east, north = np.asarray(solution.residual_mas).T
    length = max(float(np.median(np.hypot(east, north))), 1.0)
    arrows = chip.quiver(solution.x, solution.y, east, north, angles="xy", scale=length * 20, width=0.002)
    chip.quiverkey(arrows, 0.9, 1.03, length, f"{length:.0f} mas")
    chip.set(title=title, xlabel="x [pixel]", ylabel="y [pixel]", aspect="equal")
    scatter.plot(east, north, ".", ms=3)
    scatter.axhline(0, color="grey", lw=0.5)
    scatter.axvline(0, color="grey", lw=0.5)
    said = f"rms {solution.rms_mas[0]:.1f}, {solution.rms_mas[1]:.1f} mas, {solution.stars} stars"
    scatter.set(title=said, xlabel="east [mas]", ylabel="north [mas]", aspect="equal")
    picture = io.BytesIO()
    figure.savefig(picture, dpi=80, format="png")
    return picture.getvalue()
