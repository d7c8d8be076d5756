"""How good the products are: tiles and masters over time, the bands of a field, one tile, one night."""

from datetime import UTC, date, datetime, time
from typing import Any

from django.db.models import Avg, Count, Max, Min
from django.http import Http404, HttpRequest, HttpResponse

from mar.io.names import Layout
from marserver.archive.models import (
    BandPair,
    BiasBlock,
    FinalTile,
    FlatByFilter,
    FrameType,
    IndividualFile,
    Sci,
)
from marserver.archive.models.tiles import FARTHEST
from marserver.kept import Kept
from marserver.reduction import site
from marserver.web.lists import bands
from marserver.web.pages import page, show

MOST_POINTS = 3000
MOST_WORST = 15
KEPT_S = 30.0  # every tile is read for the means
MOST_TILES = 300
FIGURES = {
    "fwhm": "FWHM, arcsec",
    "ellipticity": "Ellipticity",
    "depth": "Depth, mag",
    "zeropoint": "Zero point, mag",
    "astrometric_rms": "Astrometry, arcsec",
    "noiseavg": "Noise, ADU/s",
}
BEST_IS_HIGH = ("depth", "zeropoint")
TOO_FAR_MAS = (20, 55)  # between bands: worth a look, wrong


@page
def quality(request: HttpRequest) -> HttpResponse:
    """GET /quality?band=R&figure=fwhm."""
    band = request.GET.get("band", "")
    figure = request.GET.get("figure", "fwhm")
    figure = figure if figure in FIGURES else "fwhm"
    tiles = good_tiles().filter(band=band) if band else good_tiles()
    content: dict[str, Any] = {
        "band": band,
        "bands": bands(),
        "figure": figure,
        "figures": FIGURES.items(),
        "summary": kept_summary(),
        "points": points(tiles, figure),
        "worst": worst(tiles, figure),
        "pairs": widest_pairs(),
        "masters": masters(band),
    }
    return show(request, "quality", "web/quality/page.html", **content)


def good_tiles() -> Any:
    """The tiles that are done and valid."""
    return FinalTile.objects.filter(status=1, isvalid=True)


def summary() -> list[dict[str, Any]]:
    """The means of each band, and their extremes, in the order of the camera."""
    by_band = good_tiles().order_by().values("band")
    rows = by_band.annotate(
        tiles=Count("pk"),
        fwhm_mean=Avg("fwhm"),
        fwhm_worst=Max("fwhm"),
        depth_mean=Avg("depth"),
        depth_worst=Min("depth"),
        ellipticity_mean=Avg("ellipticity"),
        astrometry_mean=Avg("astrometric_rms"),
        zeropoint_mean=Avg("zeropoint"),
    )
    found = {row["band"]: row for row in rows}
    return [found[band] for band in bands() if band in found]


kept_summary = Kept(summary, lambda: KEPT_S)


def points(tiles: Any, figure: str) -> list[dict[str, Any]]:
    """One figure of the newest tiles against the time of their first frame."""
    known = tiles.filter(date__isnull=False, **{f"{figure}__isnull": False}).order_by("-date", "-pk")
    rows = known.values_list("date", figure, "field", "band")[:MOST_POINTS]
    return [
        {"x": when.timestamp(), "y": value, "name": f"{field} {band}"} for when, value, field, band in rows
    ]


def worst(tiles: Any, figure: str) -> list[dict[str, Any]]:
    """The tiles with the worst values of a figure."""
    order = figure if figure in BEST_IS_HIGH else f"-{figure}"
    known = tiles.filter(**{f"{figure}__isnull": False}).order_by(order, "pk")[:MOST_WORST]
    return [{"tile": tile, "value": getattr(tile, figure)} for tile in known]


def widest_pairs() -> list[BandPair]:
    """The pairs of bands that lie farthest from each other."""
    known = BandPair.objects.filter(east_mas__isnull=False, north_mas__isnull=False)
    return list(known.annotate(offset=FARTHEST).order_by("-offset", "pk")[:MOST_WORST])


def masters(band: str) -> dict[str, list[dict[str, Any]]]:
    """Level and noise of the master biases, and of the master flats of a band, against their first day."""
    biases = BiasBlock.objects.filter(status=1, isvalid=True)
    flats = FlatByFilter.objects.filter(status=1, isvalid=True, band=band)
    kinds: dict[str, tuple[Any, str]] = {
        "Bias level, ADU": (biases, "modeavg"),
        "Bias noise, ADU": (biases, "noiseavg"),
    }
    if band:
        kinds |= {f"Flat of {band}, noise": (flats, "noiseavg")}
    return {title: of_masters(rows, name) for title, (rows, name) in kinds.items()}


def of_masters(rows: Any, name: str) -> list[dict[str, Any]]:
    """One figure of master frames."""
    known = rows.filter(**{f"{name}__isnull": False}).order_by("-block_start_date", "-pk")
    found = known.values_list("block_start_date", name, "pk")[:MOST_POINTS]
    return [{"x": seconds(day), "y": value, "name": f"block {number}"} for day, value, number in found]


def seconds(day: date) -> float:
    """The beginning of a day as a plot has it."""
    return (day - date(1970, 1, 1)).days * 86400.0


@page
def of_field(request: HttpRequest, field: str) -> HttpResponse:
    """GET /quality/field/<field>: its bands beside each other and against each other."""
    tiles = list(FinalTile.objects.filter(field=field, isvalid=True))
    if not tiles:
        raise Http404(f"field {field} has no tile")
    order = {band: number for number, band in enumerate(bands())}
    tiles.sort(key=lambda tile: order.get(tile.band, len(order)))
    pairs = {(one.first_band, one.second_band): one for one in BandPair.objects.filter(field=field)}
    names = [tile.band for tile in tiles]
    content: dict[str, Any] = {
        "field": field,
        "tiles": tiles,
        "names": names,
        "matrix": [(lower, [cell(pairs, lower, upper) for upper in names]) for lower in names],
        "pairs": len(pairs),
        "plot": there(Layout(site.root()).field_page(field)),
        "limits": TOO_FAR_MAS,
    }
    return show(request, "quality", "web/quality/field.html", **content)


def cell(pairs: dict[tuple[str, str], BandPair], lower: str, upper: str) -> dict[str, Any] | None:
    """One pair of the matrix, the offset of `upper` from `lower`; None where it is not known."""
    pair, sign = pairs.get((lower, upper)), 1
    if pair is None:
        pair, sign = pairs.get((upper, lower)), -1
    if pair is None or pair.east_mas is None or pair.north_mas is None:
        return None
    east, north = sign * pair.east_mas, sign * pair.north_mas
    size = (east**2 + north**2) ** 0.5
    word = "bad" if size >= TOO_FAR_MAS[1] else "warn" if size >= TOO_FAR_MAS[0] else "good"
    return {
        "size": size,
        "east": east,
        "north": north,
        "rms": pair.rms_mas,
        "stars": pair.stars,
        "word": word,
    }


@page
def of_tile(request: HttpRequest, row_id: int) -> HttpResponse:
    """GET /quality/tile/3: the plots of a tile and of its frames."""
    tile = FinalTile.objects.filter(pk=row_id).first()
    if tile is None:
        raise Http404(f"no tile {row_id}")
    frames = list(tile.composed_by.order_by("obs_date").select_related("sci"))
    content: dict[str, Any] = {
        "tile": tile,
        "plot": there(Layout(site.root()).tile_page(tile.field, tile.band)),
        "frames": [(frame, plots_of(frame.sci)) for frame in frames],
    }
    return show(request, "quality", "web/quality/tile.html", **content)


def plots_of(sci: Sci | None) -> list[str]:
    """The pictures that the astrometry of a frame left."""
    return [path for path in (sci.scamp_out if sci else []) if path.endswith(".png")]


@page
def of_night(request: HttpRequest, day: str) -> HttpResponse:
    """GET /quality/night/<date>: level and noise of the processed frames of a night."""
    try:
        night = date.fromisoformat(day)
    except ValueError:
        raise Http404(f"{day} is no date; they are written as 2024-03-01") from None
    moments = around(night)
    found = IndividualFile.objects.filter(
        file_type=FrameType.PROCESSED, isvalid=True, night=night, obs_date__range=moments
    ).order_by("obs_date")
    rows = found.values_list("obs_date", "modeavg", "noiseavg", "moonmean", "file_name", "band")[:MOST_POINTS]
    columns = {"Sky level, ADU": 1, "Noise, ADU": 2, "Moon": 3}
    series = {title: against_time(rows, column) for title, column in columns.items()}
    content: dict[str, Any] = {"night": night, "series": series, "frames": len(rows)}
    content["tiles"] = [
        (tile, there(Layout(site.root()).tile_page(tile.field, tile.band))) for tile in tiles_of(night)
    ]
    return show(request, "quality", "web/quality/night.html", **content)


def tiles_of(night: date) -> list[FinalTile]:
    """The tiles that hold frames of a night, in the order of fields and of the camera's bands."""
    frames = IndividualFile.objects.filter(
        file_type=FrameType.PROCESSED, night=night, obs_date__range=around(night)
    )
    members = FinalTile.composed_by.through.objects.filter(individualfile__in=frames)
    found = good_tiles().filter(pk__in=members.values("finaltile"))[:MOST_TILES]
    order = {band: number for number, band in enumerate(bands())}
    return sorted(found, key=lambda tile: (tile.field, order.get(tile.band, len(order))))


def around(night: date) -> tuple[datetime, datetime]:
    """Moments between which all frames of a night are, for the index of times."""
    days = night.toordinal()
    return midnight(max(days - 1, 1)), midnight(min(days + 2, date.max.toordinal()))


def midnight(day: int) -> datetime:
    """The beginning of a day, UTC."""
    return datetime.combine(date.fromordinal(day), time.min, tzinfo=UTC)


def against_time(rows: Any, column: int) -> list[dict[str, Any]]:
    """One column of rows that begin with a time and hold a name behind their figures."""
    return [
        {"x": row[0].timestamp(), "y": row[column], "name": row[4]} for row in rows if row[column] is not None
    ]


def there(path: Any) -> str:
    """A file of the data root as a path relative to it; nothing where it is not there."""
    return str(path.relative_to(site.root())) if path.is_file() else ""
