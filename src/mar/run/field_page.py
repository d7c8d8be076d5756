"""The page of plots of a field: how its bands lie to each other, how sharp and how deep they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy.io.fits import Header

from mar.io.catalogs import read_catalog
from mar.io.names import Layout
from mar.run.drawing import BLUE, FAINT, GREEN, INK, label, new_figure, numbers, write_figure
from mar.steps.band_consistency import BandPair, Offsets, band_offsets, band_pairs, star_places, vector_map
from mar.steps.rough import rough_from_header

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Pairs = Mapping[tuple[str, str], Offsets]
_COLUMNS = 6  # of the vector maps


@dataclass(frozen=True)
class FieldQuality:
    """The page of a field, and the figures of its pairs of bands."""

    page: Path
    pairs: list[BandPair]


def measure_field(field: str, tiles: Mapping[str, Header], layout: Layout) -> FieldQuality:
    """Compare the catalogues of a field's tiles (band -> header), and draw the page.

    A band whose catalogue is not there has no pairs. Raises BadImage where one cannot be read.
    """
    stars = {}
    for band, header in tiles.items():
        catalogue = layout.tile_catalog(field, band)
        if catalogue.exists():
            stars[band] = star_places(read_catalog(catalogue), (header["CRVAL1"], header["CRVAL2"]))
    offsets = band_offsets(stars)
    pairs = band_pairs(offsets)
    page = _draw(layout.field_page(field), field, tiles, offsets, pairs)
    return FieldQuality(page, pairs)


def _draw(
    path: Path,
    field: str,
    tiles: Mapping[str, Header],
    offsets: Pairs,
    pairs: Sequence[BandPair],
) -> Path:
    bands = list(tiles)
    rows = -(-len(bands) // _COLUMNS)
    figure = new_figure(14, 9 + 2.6 * rows, f"{field}: {len(bands)} bands")
    halves: Any = figure.subfigures(2, 1, height_ratios=[8.5, 2.6 * rows])
    upper, lower = halves
    left, right = upper.subfigures(1, 2, width_ratios=[2, 1])
    _matrix(left.subplots(), bands, pairs)
    width, deep = right.subplots(2, 1)
    sharp = {
        band: _card(header, "MAR PRO FWHMMEAN") * _scale_arcsec(header) for band, header in tiles.items()
    }
    depth = {band: _card(header, "MAR PHO DEPTH") for band, header in tiles.items()}
    _board(width, sharp, "FWHM", "arcsec", BLUE, 0.0)
    known = [value for value in depth.values() if np.isfinite(value)]
    _board(deep, depth, "depth, 5 sigma", "mag", GREEN, min(known, default=1.0) - 1)
    lower.suptitle("where each band lies off the others, medians in cells", color=INK, fontsize=11)
    _maps(lower.subplots(rows, _COLUMNS, squeeze=False).ravel(), bands, offsets)
    return write_figure(path, figure)


def _card(header: Header, key: str) -> float:
    value = header.get(key)
    return float(value) if isinstance(value, int | float) else float("nan")


def _scale_arcsec(header: Header) -> float:
    return rough_from_header(header, (header["NAXIS2"], header["NAXIS1"])).scale_arcsec


def _matrix(axes: "Axes", bands: Sequence[str], pairs: Sequence[BandPair]) -> None:
    """Above the diagonal the length of the median offset, below it the scatter of single stars."""
    cells = np.full((len(bands), len(bands)), np.nan)
    scatter = cells.copy()
    for pair in pairs:
        a, b = sorted((bands.index(pair.first), bands.index(pair.second)))
        cells[a, b], scatter[b, a] = pair.offset_mas, pair.rms_mas
    numbers(axes, cells, ".1f", low=0.0)
    for (row, column), value in np.ndenumerate(scatter):
        if np.isfinite(value):
            axes.text(column, row, f"{value:.0f}", ha="center", va="center", color=FAINT, fontsize=9)
    known = cells[np.isfinite(cells)]
    middle = f", median {np.median(known):.1f} mas" if known.size else ""
    label(axes, f"median offset of two bands{middle} (below the diagonal: rms of single stars) [mas]")
    axes.set_xticks(range(len(bands)), bands)
    axes.set_yticks(range(len(bands)), bands)


def _board(axes: "Axes", values: Mapping[str, float], what: str, unit: str, colour: str, low: float) -> None:
    """A bar for each band, with its number."""
    known = {band: value for band, value in values.items() if np.isfinite(value)}
    label(axes, what, "", f"{what} [{unit}]")
    bars = axes.bar(list(values), [known.get(band, low) - low for band in values], bottom=low, color=colour)
    axes.bar_label(
        bars, [f"{known[band]:.2f}" if band in known else "?" for band in values], color=INK, fontsize=7
    )
    axes.tick_params(axis="x", rotation=60)


def _maps(axes: Sequence["Axes"], bands: Sequence[str], offsets: Pairs) -> None:
    """The vectors of each band over the field, all to one scale; east is to the left."""
    maps = {band: vector_map(band, offsets) for band in bands}
    lengths = [np.hypot(*one.shifts_mas.T) for one in maps.values()]
    typical = float(np.median(np.concatenate(lengths))) if any(map(len, lengths)) else 1.0
    typical = max(typical, 0.1)
    for panel, band in zip(axes, bands, strict=False):
        label(panel, band, "east [arcmin]", "north [arcmin]", aspect="equal")
        panel.invert_xaxis()
        there = maps[band]
        if len(there.places_deg):
            x, y = 60 * there.places_deg.T
            east, north = there.shifts_mas.T
            drawn = panel.quiver(x, y, -east, north, scale=typical * 16, width=0.008, color=BLUE)
            panel.quiverkey(drawn, 0.66, 1.07, typical, f"{typical:.2g} mas", labelpos="E", labelcolor=INK)
            panel.margins(0.2)
    for panel in axes[len(bands) :]:
        panel.set_axis_off()
