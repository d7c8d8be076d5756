"""The tasks that reduce science frames, up to the tiles of their fields.

Each frame is recorded as soon as it is finished, so a job that begins again takes up where it was. A frame
that fails is recorded with its reason; the others go on. A block is done (status 1) once every valid frame of
it is ready and coadded.
"""

import traceback
from dataclasses import dataclass, field
from typing import Any

from mar import run
from mar.errors import MarError
from mar.progress import silent
from mar.run.products import ScienceMasters
from marserver.archive.models import FinalTile, FrameStatus, IndividualFile, SciBlock, SciByFilter
from marserver.jobs.engine import ProcessDied, Result
from marserver.jobs.work import Report, Work
from marserver.reduction.code import COADD
from marserver.reduction.plan import scope
from marserver.reduction.plan.frames import Outlook, Wanted, outlooks
from marserver.reduction.plan.scope import Entry, in_band_order
from marserver.reduction.plan.tiles import places
from marserver.reduction.site import absolute
from marserver.reduction.tasks import record
from marserver.reduction.tasks.images import make_tiles, solve_together
from marserver.reduction.tasks.masters import master_files
from marserver.reduction.tasks.pace import Pace
from marserver.reduction.tasks.setup import Setup, setup_of


def process_scibyfilter(work: Work) -> Report:
    """Reduce the frames of one band's block and coadd them."""
    block = SciByFilter.objects.get(pk=work.params["id"])
    setup = setup_of(work)
    tally = reduce(work, setup, scope.of_scibyfilter(block))
    settle(block, setup)
    return tally.report(str(block))


def process_sciblock(work: Work) -> Report:
    """Reduce the frames of all bands of a block and coadd them; done parts are passed by."""
    block = SciBlock.objects.get(pk=work.params["id"])
    setup = setup_of(work)
    parts = in_band_order(block.sci_by_filter.filter(isvalid=True), setup.camera.band_names)
    tally = reduce(work, setup, scope.of_sciblock(block, setup.camera.band_names))
    for part in parts:
        settle(part, setup)
    if all(part.status == 1 for part in parts):
        record.done(block, setup)
    return tally.report(str(block))


def process_finaltiles(work: Work) -> Report:
    """Reduce all raw frames of a field and band, and coadd them."""
    name, band = work.params["field"], work.params["band"]
    tally = reduce(work, setup_of(work), scope.of_field(name, band))
    return tally.report(f"{name} {band}")


def process_field(work: Work) -> Report:
    """Reduce all raw frames of a field in all bands, and coadd them."""
    name = work.params["field"]
    tally = reduce(work, setup_of(work), scope.of_field(name))
    return tally.report(name)


def frames_of(block: SciByFilter) -> list[IndividualFile]:
    """The valid raw frames of a block."""
    return scope.usable(scope.of_scibyfilter(block))


def settle(block: SciByFilter, setup: Setup) -> None:
    """Mark a block as done where every valid frame is ready and its tile is made."""
    frames = frames_of(block)
    fields = {frame.field for frame in frames}
    tiles = FinalTile.objects.filter(field__in=fields, band=block.band, status=1)
    ready = all(frame.status >= FrameStatus.READY for frame in frames)
    if frames and ready and set(tiles.values_list("field", flat=True)) == fields:
        record.done(block, setup)


@dataclass
class Tally:
    """What became of the frames and tiles of a job."""

    done: int = 0
    passed_by: int = 0  # had been done before
    failed: dict[str, str] = field(default_factory=dict)  # name of the frame, reason
    later: str = ""  # why some of these should be tried again later
    tiles: int = 0
    failed_tiles: dict[str, str] = field(default_factory=dict)
    pace: Pace = field(default_factory=Pace)

    def report(self, what: str) -> Report:
        """In words; the job counts as failed where nothing came of it."""
        words = f"{what}: {self.done} frames done, {self.passed_by} done before, {len(self.failed)} failed"
        if self.tiles or self.failed_tiles:
            words += f"; {self.tiles} tiles made, {len(self.failed_tiles)} failed"
        nothing = not (self.done or self.passed_by or self.tiles)
        reasons = {**self.failed, **self.failed_tiles}
        result = {
            "done": self.done, "before": self.passed_by, "failed": self.failed,
            "tiles": self.tiles, "failed_tiles": self.failed_tiles, "pace": self.pace.spent,
        }  # fmt: skip
        error = "; ".join(f"{name}: {reason}" for name, reason in list(reasons.items())[:5])
        return Report(words, result, error=error if nothing and reasons else "", later=self.later)


def reduce(work: Work, setup: Setup, entries: list[Entry]) -> Tally:
    """Reduce frames as far as the execution code says, then coadd their fields."""
    tally = Tally()
    wanted = Wanted(setup.code, setup.config, work.params.get("only", ""))
    planned = outlooks(entries, wanted)
    tally.passed_by = sum(one.done_before for one in planned) if setup.code - {COADD} else 0
    reduce_frames(work, setup, planned, tally)
    where = places(planned, wanted)
    with tally.pace.of("tiles", len(where)):
        solve_together(work, setup, where)
        tally.failed_tiles = make_tiles(work, setup, where)
    tally.tiles = len(where) - len(tally.failed_tiles)
    return tally


def reduce_frames(work: Work, setup: Setup, planned: list[Outlook], tally: Tally) -> None:
    """Reduce frames side by side; each is recorded as soon as it is finished."""
    for one in planned:
        if one.fails:
            fail(work, setup, tally, one.frame, one.steps[0], one.fails)
    todo = {one.frame.pk: one for one in planned if one.runs}
    tell_fringes(work, setup, [one for one in todo.values() if fringes_stay(one)])
    calls = {key: arguments(one, setup) for key, one in todo.items()}
    work.progress("frames", 0, len(calls))
    engine = work.engine(setup.config.config.processes)
    with tally.pace.of("frames", len(calls)):
        for number, (key, result) in enumerate(engine.map(run.science, calls, work.check)):
            work.band = todo[key].frame.band or ""
            finish(work, setup, tally, todo[key], result)
            work.progress("frames", number + 1, len(calls))


def fringes_stay(one: Outlook) -> bool:
    """Whether there is no superflat for a frame that should lose its fringes."""
    return "sf" in one.steps and one.superflat is not None and one.superflat.block is None


def tell_fringes(work: Work, setup: Setup, without: list[Outlook]) -> None:
    """Say which frames keep their fringes, because there is no superflat for them."""
    for band in setup.config.fringe.filters:
        number = sum(one.frame.band == band for one in without)
        if number:
            work.warn(f"no superflat for {number} frames of {band}: their fringes stay; create or link one")


def arguments(one: Outlook, setup: Setup) -> tuple[Any, ...]:
    """What a science run is called with; everything can be sent to another process."""
    what = absolute(one.frame.file_path), files_of(one), one.status, setup.code
    return *what, setup.layout, setup.camera, setup.config, silent, one.frame.file_name


def files_of(one: Outlook) -> ScienceMasters:
    """Where the masters of a frame stand; bias and flat only together."""
    bias, flat, superflat = blocks_of(one)
    return ScienceMasters(
        master_files(bias) if bias else None,
        master_files(flat) if flat else None,
        absolute(superflat.super_flat_path) if superflat else None,
    )


def blocks_of(one: Outlook) -> tuple[Any, Any, Any]:
    """The bias and flat block of a frame, None where one is missing, and its superflat."""
    bias, flat, superflat = (
        choice.block if choice is not None else None for choice in (one.bias, one.flat, one.superflat)
    )
    return (bias, flat, superflat) if bias and flat else (None, None, superflat)


def finish(work: Work, setup: Setup, tally: Tally, one: Outlook, result: Result) -> None:
    """Record what became of one frame."""
    raw = one.frame
    if result.error is not None:
        fail(work, setup, tally, raw, "run", explained(work, result.error))
        return
    products = result.value
    record.science(raw, products, setup, *blocks_of(one))
    for remark in products.remarks:
        work.info(f"{raw.file_name}: {remark}")
    for warning in products.warnings:
        work.warn(f"{raw.file_name}: {warning}")
    if products.error:
        tally.failed[raw.file_name] = products.error
        tally.later = tally.later or (products.error if products.later else "")
        work.critical(f"{raw.file_name} failed at {products.failed_step}: {products.error}")
    else:
        tally.done += 1
        work.info(f"{raw.file_name}: status {products.status}")


def explained(work: Work, error: Exception) -> str:
    """Why a frame failed, in words; the log gets the traceback of what nobody foresaw."""
    if isinstance(error, ProcessDied | MarError):
        return str(error)
    work.critical("".join(traceback.format_exception(error)))
    return f"{type(error).__name__}: {error}"


def fail(work: Work, setup: Setup, tally: Tally, raw: IndividualFile, step: str, error: str) -> None:
    """Record a frame that could not even be tried, or whose process died."""
    record.failure(raw, step, error, setup)
    tally.failed[raw.file_name] = error
    work.critical(f"{raw.file_name} failed at {step}: {error}")
