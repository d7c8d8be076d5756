"""What a `process` would do: the same checks and choices, and nothing changed."""

from collections.abc import Callable
from typing import Any

from mar.config import Config
from mar.errors import MarError
from marserver.archive.models import BiasBlock, FlatByFilter, FlatsBlock, SciBlock, SciByFilter
from marserver.errors import Conflict
from marserver.jobs import queue
from marserver.reduction import code as execution
from marserver.reduction import site
from marserver.reduction.plan import answer, scope
from marserver.reduction.plan.answer import Plan
from marserver.reduction.plan.frames import Wanted, outlooks
from marserver.reduction.plan.masters import Shelf
from marserver.reduction.plan.parts import bias_of_flat, flats_to_do
from marserver.reduction.plan.scope import Entry
from marserver.reduction.plan.tiles import bands_done, colours, tiles
from marserver.reduction.requests import fields, images
from marserver.reduction.requests.finding import known
from marserver.reduction.requests.outcome import Outcome
from marserver.reduction.requests.process import check_ready, order_of

Planner = Callable[[Any, queue.Order, str], Plan]


def plan_block(kind: str, row_id: int, *, code: str = "", only: str = "") -> Outcome:
    """What `process` of a block would do; raises NotFound, Invalid as that does."""
    order = order_of(kind, row_id, code, only, "")
    block = known(order.kind, row_id)
    refused = refusal(order, lambda: check_ready(order.kind, block, only))
    return told(PLANNERS[order.kind](block, order, refused), f"{order.kind} {row_id}")


def plan_tile(
    *,
    tile_id: int | None = None,
    field: str = "",
    band: str = "",
    code: str = "",
    status: int | None = None,
) -> Outcome:
    """What `process` of a tile would do; raises NotFound, Invalid as that does."""
    return plan_frames(fields.order_of_tile(tile_id, field, band, code, status, ""))


def plan_field(field: str, *, code: str = "", status: int | None = None) -> Outcome:
    """What `processfield` would do; raises NotFound, Invalid as that does."""
    return plan_frames(fields.order_of_field(field, code, status, ""))


def plan_frames(order: queue.Order) -> Outcome:
    """What an operation on a field would do."""
    field, band, status = order.params["field"], order.params["band"], order.params["status"]
    refused = refusal(order, lambda: fields.check_valid(field, band))
    undone = frozenset([band] if band else site.camera().band_names) if status is not None else frozenset()
    plan = of_science(scope.of_field(field, band), order, refused, undone)
    return told(plan, f"{field} {band}".rstrip())


def plan_fieldimage(*, image_id: int | None = None, field: str = "", partial: bool = False) -> Outcome:
    """What `process` of a colour image would do; raises NotFound as that does."""
    order = images.order_of(image_id, field, partial, "")
    there, missing = bands_done(order.block), images.bands_missing(order.block)
    refused = refusal(order, lambda: images.check_bands(order.block, partial))
    bands = [band for band in site.camera().band_names if band in there]
    return told(answer.of_colour(order.block, bands, missing, refused), f"colour image of {order.block}")


def told(plan: Plan, what: str) -> Outcome:
    """The answer to `plan: true`."""
    return Outcome(plan.sentence(what), {"plan": plan.told()})


def refusal(order: queue.Order, check: Callable[[], None]) -> str:
    """Why an operation would not be queued now; empty where it would."""
    try:
        check()
    except Conflict as error:
        return str(error)
    other = queue.on_target(order.target)
    return queue.already(other) if other is not None else ""


def configuration() -> Config:
    """The configuration in force; raises Conflict where its file cannot be used."""
    try:
        return site.config()
    except MarError as error:
        raise Conflict(f"no plan without a configuration: {error}") from error


def shelf() -> Shelf:
    """The masters of the archive, matched as the configuration in force says."""
    return Shelf(configuration().config.max_days)


def of_bias(block: BiasBlock, order: queue.Order, refused: str) -> Plan:
    """The plan of a master bias."""
    return answer.of_master(order.function, [(scope.of_master(block), None)], refused)


def of_flat(block: FlatByFilter, order: queue.Order, refused: str) -> Plan:
    """The plan of one band's master flat."""
    return answer.of_master(order.function, [with_bias(block, shelf())], refused)


def of_flats(block: FlatsBlock, order: queue.Order, refused: str) -> Plan:
    """The plan of the master flats of all bands."""
    bands = site.camera().band_names
    here, todo = shelf(), flats_to_do(block, bands)
    others = scope.in_band_order(block.flats_by_filter.exclude(pk__in=[part.pk for part in todo]), bands)
    kept = [
        Entry(one.frame, one.dropped or scope.closed(part))
        for part in others
        for one in scope.of_master(part)
    ]
    return answer.of_master(order.function, [with_bias(part, here) for part in todo], refused, kept)


def with_bias(block: FlatByFilter, here: Shelf) -> tuple[list[Entry], Any]:
    """The frames of a flat and its bias; none where no frame is valid."""
    entries = scope.of_master(block)
    frames = scope.usable(entries)
    return entries, bias_of_flat(frames, here) if frames else None


def of_scibyfilter(block: SciByFilter, order: queue.Order, refused: str) -> Plan:
    """The plan of one band's science block."""
    return of_science(scope.of_scibyfilter(block), order, refused)


def of_sciblock(block: SciBlock, order: queue.Order, refused: str) -> Plan:
    """The plan of the science block of all bands."""
    return of_science(scope.of_sciblock(block, site.camera().band_names), order, refused)


def of_science(
    entries: list[Entry], order: queue.Order, refused: str, undone: frozenset[str] = frozenset()
) -> Plan:
    """The plan of a reduction of science frames; `undone` bands of the field are first set to do."""
    wanted = Wanted(
        execution.parse(order.code), configuration(), order.params.get("only", ""), order.params.get("status")
    )
    some = outlooks(entries, wanted)
    made = tiles(some, wanted)
    coloured = colours(made, site.camera().band_names, undone)
    return answer.of_science(order.function, order.code, some, made, coloured, refused)


PLANNERS: dict[str, Planner] = {
    "biasblock": of_bias,
    "flatbyfilter": of_flat,
    "flatblock": of_flats,
    "scibyfilter": of_scibyfilter,
    "sciblock": of_sciblock,
}
