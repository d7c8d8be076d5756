"""One night: what was observed, which masters hold it, what is missing and how it is made."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse

from marserver.accounts.models import Role
from marserver.archive import nights
from marserver.archive.models import FrameType
from marserver.archive.nights import Counted
from marserver.reduction import site
from marserver.reduction.plan.judging import Choice
from marserver.reduction.plan.masters import Shelf
from marserver.web.calendar import blocks_between, day_of
from marserver.web.lists import BLOCKS
from marserver.web.lists import bands as bands_here
from marserver.web.pages import page, show


@dataclass
class Needed:
    """A master that the science frames of a night need, and what there is."""

    kind: str  #: biasblock or flatbyfilter
    band: str  #: empty for bias
    days: list[date]  #: of the frames (UTC)
    choices: list[Choice] = field(default_factory=list)
    frames: int = 0  #: valid frames of this night that could make it

    @property
    def blocks(self) -> list[Any]:
        """The blocks that are taken, one for all days or several."""
        return list({choice.block.pk: choice.block for choice in self.choices if choice.block}.values())

    @property
    def missing(self) -> list[Choice]:
        """The days that have none."""
        return [choice for choice in self.choices if choice.block is None]

    @property
    def waits(self) -> Any:
        """A valid block of these days that is not processed yet, or None."""
        for choice in self.missing:
            for one in sorted(choice.judged):
                valid, done, band, _, near = one.keeps
                if valid and band and near and not done:
                    return one.block
        return None

    @property
    def what(self) -> str:
        """In words."""
        return "bias" if self.kind == "biasblock" else f"flat for {self.band}"


@page
def night(request: HttpRequest, day: str) -> HttpResponse:
    """GET /night/2024-03-01."""
    asked = day_of(day)
    if asked is None or len(day) != 10:
        raise Http404("a night is written as 2024-03-01")
    seen = nights.observed(asked)
    days = sorted({one.day for one in seen}) or [asked]
    first, last = days[0], days[-1]
    before, after = nights.neighbours(asked)
    flats_here = flats(seen)
    content: dict[str, Any] = {
        "night": asked,
        "first": first,
        "last": last,
        "before": before,
        "after": after,
        "types": by_type(seen),
        "bands": bands_here(),
        "rows": by_field(seen),
        "flats": [flats_here[band] for band in bands_here()],
        "needed": masters(seen),
        "blocks": [
            (kind, title, rows)
            for kind, title in BLOCKS.items()
            if (rows := blocks_between(kind, first, last))
        ],
        "failed": nights.failed_in(asked),
        "may_change": request.user.may(Role.OPERATOR),  # type: ignore[union-attr]
    }
    content["science_waits"] = content["rows"] and not any(
        kind.startswith("sci") for kind, *_ in content["blocks"]
    )
    return show(request, "calendar", "web/calendar/night.html", **content)


def by_type(seen: list[Counted]) -> list[tuple[str, dict[str, int]]]:
    """Sums of each type of frames."""
    sums: dict[str, dict[str, int]] = {}
    for one in seen:
        sum_ = sums.setdefault(one.file_type, defaultdict(int))
        for key in ("frames", "valid", "ready", "failed"):
            sum_[key] += getattr(one, key)
    return [(file_type, dict(sum_)) for file_type, sum_ in sums.items()]


def by_field(seen: list[Counted]) -> list[tuple[str, list[int]]]:
    """Each field with its valid science frames in each band."""
    found: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for one in seen:
        if one.file_type == FrameType.SCI:
            found[one.field][one.band] += one.valid
    return [(name, [row[band] for band in bands_here()]) for name, row in sorted(found.items())]


def flats(seen: list[Counted]) -> dict[str, int]:
    """Valid flats of each band."""
    sums: dict[str, int] = defaultdict(int)
    for one in seen:
        if one.file_type == FrameType.FLAT:
            sums[one.band] += one.valid
    return sums


def masters(seen: list[Counted]) -> list[Needed]:
    """Bias, and the flat of each band with valid science frames, by the rule of the reduction."""
    days: dict[str, set[date]] = defaultdict(set)
    for one in seen:
        if one.file_type == FrameType.SCI and one.valid:
            days[one.band].add(one.day)
    every = sorted(set().union(*days.values()))
    if not every:
        return []
    shelf, here = Shelf(site.config().config.max_days, every), flats(seen)
    biases = sum(one.valid for one in seen if one.file_type == FrameType.BIAS)
    bias = Needed("biasblock", "", every, [shelf.bias(day) for day in every], biases)
    wanted = [
        Needed(
            "flatbyfilter",
            band,
            sorted(days[band]),
            [shelf.flat(band, day) for day in sorted(days[band])],
            here[band],
        )
        for band in bands_here()
        if band in days
    ]
    return [bias, *wanted]
