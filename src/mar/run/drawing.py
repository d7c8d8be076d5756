"""What the plots beside the products share: the colours of the house, and how a figure becomes a file.

matplotlib is imported where something is drawn, because that takes longer than most commands. Its state
(`pyplot`) is never used: figures are drawn by several workers at once.
"""

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mar.io.fits import write_bytes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

INK, FAINT, LINE, PAPER = "#16202e", "#52606f", "#d3dce7", "#ffffff"
BLUE, GREEN, AMBER, RED = "#0b57b0", "#2f9e63", "#e0a100", "#d0443a"
DOTS_PER_INCH = 80


def new_figure(width_inch: float, height_inch: float, title: str) -> "Figure":
    """An empty figure with a title."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_inch, height_inch), facecolor=PAPER, layout="constrained")
    figure.suptitle(title, color=INK, fontsize=14)
    return figure


def label(axes: "Axes", title: str, x: str = "", y: str = "", **more: Any) -> None:
    """Title and axis labels (with units) in the colours of the house."""
    axes.set(xlabel=x, ylabel=y, **more)
    axes.set_title(title, color=INK, fontsize=11)
    axes.tick_params(colors=FAINT, labelcolor=INK)
    for spine in axes.spines.values():
        spine.set_color(LINE)


def shades() -> "Colormap":
    """From paper to the blue of the house, for values where more is more."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("house", [PAPER, "#8cbcff", BLUE]).with_extremes(bad=LINE)


def numbers(axes: "Axes", values: np.ndarray, form: str, size: int = 9, low: float | None = None) -> None:
    """Cells (rows, columns) as a heat map from `low` up, with their numbers; NaN cells are grey and empty."""
    known = values[np.isfinite(values)]
    low = float(known.min()) if low is None and known.size else low or 0.0
    high = float(known.max()) if known.size and known.max() > low else low + 1.0
    axes.imshow(values, cmap=shades(), vmin=low, vmax=high + (high - low) * 0.15, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value):
            dark = value > low + 0.75 * (high - low)
            axes.text(
                column, row, format(value, form), ha="center", va="center", fontsize=size,
                color=PAPER if dark else INK,
            )  # fmt: skip


def write_figure(path: Path, figure: "Figure") -> Path:
    """Write a figure as PNG, whole or not at all; gives its path."""
    picture = io.BytesIO()
    figure.savefig(picture, dpi=DOTS_PER_INCH, format="png")
    write_bytes(path, picture.getvalue())
    return path
