"""Plots beside the products."""

import io

import numpy as np

from mar.steps.astrometry import Solution


def residual_plot(solution: Solution, title: str) -> bytes:
    """PNG of the astrometric residuals: vectors over the chip, and each axis against the magnitude."""
    from matplotlib.figure import Figure  # slow to import, and most of `mar` draws nothing

    figure = Figure(figsize=(11, 5), layout="constrained")
    panels = figure.subplot_mosaic([["chip", "east"], ["chip", "north"]])
    chip = panels["chip"]
    east, north = np.asarray(solution.residual_mas).T
    length = max(float(np.median(np.hypot(east, north))), 1.0)
    arrows = chip.quiver(solution.x, solution.y, east, north, angles="xy", scale=length * 20, width=0.002)
    chip.quiverkey(arrows, 0.9, 1.03, length, f"{length:.0f} mas")
    chip.set(title=title, xlabel="x [pixel]", ylabel="y [pixel]", aspect="equal")
    for name, values, rms in zip(("east", "north"), (east, north), solution.rms_mas, strict=True):
        axis = panels[name]
        axis.plot(solution.magnitude, values, ".", ms=3)
        axis.axhline(0, color="grey", lw=0.5)
        axis.set(ylabel=f"{name} [mas]", title=f"rms {rms:.1f} mas, {solution.stars} stars")
    panels["north"].set_xlabel("magnitude of the reference star")
    picture = io.BytesIO()
    figure.savefig(picture, dpi=80, format="png")
    return picture.getvalue()
