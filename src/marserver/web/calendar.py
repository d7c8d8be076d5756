"""The calendar: nights and blocks of all kinds; making blocks."""

from datetime import date, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.timezone import now

from marserver.accounts.models import Role
from marserver.archive import nights
from marserver.archive.kinds import KINDS
from marserver.errors import Invalid
from marserver.reduction.requests.blocks import FRAME_TYPE
from marserver.web.lists import BLOCKS
from marserver.web.lists import bands as bands_here
from marserver.web.pages import page, show

MOST_DAYS = 400  # of one question
MOST_BLOCKS = 1500  # of one kind
OF_A_BAND = ("flatbyfilter", "scibyfilter", "superflat")
TYPES = {"BIAS": "bias", "FLAT": "flats", "SCI": "science"}
SUPERFLAT_OF = "PROCESSED"  # the frames that a fringe frame is made from
PART_OF = {
    "flatbyfilter": "flatblocks",
    "scibyfilter": "sciblocks",
}  # parts are within the bar of their whole
SHORT = {
    "biasblock": "bias",
    "flatblock": "flats",
    "flatbyfilter": "flat",
    "sciblock": "science",
    "scibyfilter": "science",
    "superflat": "fringe",
}


@page
def calendar(request: HttpRequest) -> HttpResponse:
    """GET /calendar?date=2024-03&new=flatbyfilter&start=&end=&band=: `new` opens the form of a block."""
    last = nights.last_night()
    first_shown = day_of(request.GET.get("date", "")) or last or now().date()
    asked = {name: request.GET.get(name, "") for name in ("new", "start", "end", "band", "contains")}
    content: dict[str, Any] = {
        "last": last,
        "shown": first_shown,
        "kinds": BLOCKS.items(),
        "short": SHORT.items(),
        "of_a_band": OF_A_BAND,
        "bands": bands_here(),
        "asked": asked,
        "may_change": request.user.may(Role.OPERATOR),  # type: ignore[union-attr]
    }
    return show(request, "calendar", "web/calendar/page.html", **content)


@page
def events(request: HttpRequest) -> HttpResponse:
    """GET /calendar/events?start=&end=: nights and blocks as FullCalendar takes them."""
    first, last = day_of(request.GET.get("start", "")), day_of(request.GET.get("end", ""))
    if first is None or last is None or not 0 <= (last - first).days <= MOST_DAYS:
        return JsonResponse({"error": f"give start and end, at most {MOST_DAYS} days apart"}, status=400)
    found = [night_event(night, counts) for night, counts in nights.nights_between(first, last).items()]
    for kind in BLOCKS:
        found += [block_event(kind, *row) for row in blocks_between(kind, first, last)]
    return JsonResponse(found, safe=False)


def night_event(night: date, counts: dict[str, int]) -> dict[str, Any]:
    """A night with its numbers of frames."""
    words = ", ".join(f"{counts[key]} {word}" for key, word in TYPES.items() if key in counts)
    return {
        "title": words,
        "start": night.isoformat(),
        "allDay": True,
        "url": reverse("night", args=[night.isoformat()]),
        "classNames": ["night"],
        "order": 0,
    }


def blocks_between(kind: str, first: date, last: date) -> list[tuple[Any, ...]]:
    """Id, days, status and band of the valid blocks that touch some days; not the parts of larger ones."""
    rows = KINDS[kind].objects.filter(
        isvalid=True,
        block_start_date__lte=last,
        block_end_date__gte=first,
        block_start_date__gte=reach(first),
    )
    if kind in PART_OF:
        rows = rows.filter(**{f"{PART_OF[kind]}__isnull": True})
    band = ("band",) if kind in OF_A_BAND else ()
    columns = ("pk", "block_start_date", "block_end_date", "status", *band)
    return list(rows.order_by("block_start_date", "pk").values_list(*columns)[:MOST_BLOCKS])


def reach(first: date) -> date:
    """Where blocks are looked for that may reach a day; a fringe frame spans months."""
    return max(first, date.min + timedelta(days=MOST_DAYS)) - timedelta(days=MOST_DAYS)


def block_event(kind: str, key: int, start: date, end: date, status: int, band: str = "") -> dict[str, Any]:
    """A block as a bar over its days; the calendar's last day is the one after."""
    words = " ".join(word for word in (SHORT[kind], band, str(key)) if word)
    return {
        "title": f"{words} {'✓ done' if status else '○ to do'}",
        "start": start.isoformat(),
        "end": (end + timedelta(days=1)).isoformat() if end < date.max else end.isoformat(),
        "allDay": True,
        "url": reverse("block", args=[kind, key]),
        "classNames": [kind, "done" if status else "todo"],
        "order": 1 + list(BLOCKS).index(kind),
    }


@page
def count(request: HttpRequest) -> HttpResponse:
    """GET /calendar/count?kind=&start=&end=&band=&contains=: what a block would hold, before it is made."""
    given = {name: request.GET.get(name, "").strip() for name in ("kind", "start", "end", "band", "contains")}
    problem, found = "", {}
    first, last = day_of(given["start"]), day_of(given["end"])
    if given["kind"] not in BLOCKS:
        problem = "Choose a kind."
    elif first is None or last is None:
        problem = "Give the first and the last day."
    elif first > last:
        problem = "The first day is after the last one."
    elif given["kind"] in OF_A_BAND and given["band"] not in bands_here():
        problem = "Choose a band."
    else:
        file_type = FRAME_TYPE.get(given["kind"], SUPERFLAT_OF)
        wanted = (given["band"],) if given["kind"] in OF_A_BAND else (*bands_here(), None)
        try:
            found = nights.matching(file_type, first, last, wanted, given["contains"])
        except Invalid as error:
            problem = str(error)
    return show(request, "calendar", "web/calendar/count.html", problem=problem, **found)


def day_of(text: str) -> date | None:
    """A day, a month's first one for `2024-03`; None where it is none. FullCalendar sends times."""
    text = text[:10] if len(text) != 7 else f"{text}-01"
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 1900 < day.year < 3000 else None
