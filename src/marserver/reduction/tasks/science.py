"""The tasks that reduce science frames, up to the tiles of their fields.

Each frame is recorded as soon as it is finished, so a job that begins again takes up where it was. A frame
that fails is recorded with its reason; the others go on. A block is done (status 1) once every valid frame of
it is ready and coadded.
"""

import traceback
from dataclasses import dataclass, field
from typing import Any

from mar import run
from mar.errors import MarError, MissingMaster
from mar.progress import silent
from mar.run.products import ScienceMasters
from marserver.archive.models import (
    BiasBlock,
    FinalTile,
    FlatByFilter,
    FrameStatus,
    IndividualFile,
    SciBlock,
    SciByFilter,
    Superflat,
)
from marserver.jobs.engine import ProcessDied, Result
from marserver.jobs.work import Report, Work
from marserver.reduction import plan
from marserver.reduction.code import target_status
from marserver.reduction.requests.process import raw_frames
from marserver.reduction.site import absolute
from marserver.reduction.tasks import record
from marserver.reduction.tasks.images import make_tiles
from marserver.reduction.tasks.masters import in_band_order, master_files
from marserver.reduction.tasks.setup import Setup, setup_of


def process_scibyfilter(work: Work) -> Report:
    """Reduce the frames of one band's block and coadd them."""
    block = SciByFilter.objects.get(pk=work.params["id"])
    setup = setup_of(work)
    tally = reduce(work, setup, frames_of(block))
    settle(block)
    return tally.report(str(block))


def process_sciblock(work: Work) -> Report:
    """Reduce the frames of all bands of a block and coadd them; done parts are passed by."""
    block = SciBlock.objects.get(pk=work.params["id"])
    setup = setup_of(work)
    parts = in_band_order(block.sci_by_filter.filter(isvalid=True), setup)
    tally = reduce(work, setup, [frame for part in parts if part.status == 0 for frame in frames_of(part)])
    for part in parts:
        settle(part)
    if all(part.status == 1 for part in parts):
        record.change(block, status=1)
    return tally.report(str(block))


def process_finaltiles(work: Work) -> Report:
    """Reduce all raw frames of a field and band, and coadd them."""
    name, band = work.params["field"], work.params["band"]
    tally = reduce(work, setup_of(work), list(raw_frames(name, band).order_by("obs_date", "id")))
    return tally.report(f"{name} {band}")


def process_field(work: Work) -> Report:
    """Reduce all raw frames of a field in all bands, and coadd them."""
    name = work.params["field"]
    tally = reduce(work, setup_of(work), list(raw_frames(name).order_by("band", "obs_date", "id")))
    return tally.report(name)


def frames_of(block: SciByFilter) -> list[IndividualFile]:
    """The valid raw frames of a block."""
    return list(block.scies.filter(isvalid=True).order_by("obs_date", "id"))


def settle(block: SciByFilter) -> None:
    """Mark a block as done where every valid frame is ready and its tile is made."""
    frames = frames_of(block)
    fields = {frame.field for frame in frames}
    tiles = FinalTile.objects.filter(field__in=fields, band=block.band, status=1)
    ready = all(frame.status >= FrameStatus.READY for frame in frames)
    if frames and ready and set(tiles.values_list("field", flat=True)) == fields:
        record.change(block, status=1)


@dataclass
class Tally:
    """What became of the frames and tiles of a job."""

    done: int = 0
    passed_by: int = 0  # had been done before
    failed: dict[str, str] = field(default_factory=dict)  # name of the frame, reason
    tiles: int = 0
    failed_tiles: dict[str, str] = field(default_factory=dict)

    def report(self, what: str) -> Report:
        """In words; the job counts as failed where nothing came of it."""
        words = f"{what}: {self.done} frames done, {self.passed_by} done before, {len(self.failed)} failed"
        if self.tiles or self.failed_tiles:
            words += f"; {self.tiles} tiles made, {len(self.failed_tiles)} failed"
        nothing = not (self.done or self.passed_by or self.tiles)
        reasons = {**self.failed, **self.failed_tiles}
        result = {
            "done": self.done, "before": self.passed_by, "failed": self.failed,
            "tiles": self.tiles, "failed_tiles": self.failed_tiles,
        }  # fmt: skip
        error = "; ".join(f"{name}: {reason}" for name, reason in list(reasons.items())[:5])
        return Report(words, result, error=error if nothing and reasons else "")


def reduce(work: Work, setup: Setup, frames: list[IndividualFile]) -> Tally:
    """Reduce frames as far as the execution code says, then coadd their fields."""
    tally = Tally()
    if work.params.get("only") == "failed":
        frames = [frame for frame in frames if frame.failed_step]
    target = target_status(setup.code)
    todo = [frame for frame in frames if status_of(frame) < target]
    tally.passed_by = len(frames) - len(todo) if target else 0
    reduce_frames(work, setup, todo, tally)
    if "co" in setup.code:
        wanted = list(dict.fromkeys((frame.field, frame.band or "") for frame in frames))
        tally.failed_tiles = make_tiles(work, setup, wanted)
        tally.tiles = len(wanted) - len(tally.failed_tiles)
    return tally


def status_of(raw: IndividualFile) -> int:
    """How far a frame came: an operator may have set back the raw or the processed row."""
    return min(raw.status, raw.processed.status) if raw.processed else raw.status


@dataclass(frozen=True)
class Chosen:
    """The calibrations of one frame."""

    bias: BiasBlock | None = None
    flat: FlatByFilter | None = None
    superflat: Superflat | None = None

    def files(self) -> ScienceMasters:
        """Where they stand."""
        return ScienceMasters(
            master_files(self.bias) if self.bias else None,
            master_files(self.flat) if self.flat else None,
            absolute(self.superflat.super_flat_path)
            if self.superflat and self.superflat.super_flat_path
            else None,
        )


def reduce_frames(work: Work, setup: Setup, frames: list[IndividualFile], tally: Tally) -> None:
    """Reduce frames side by side; each is recorded as soon as it is finished."""
    chosen: dict[int, Chosen] = {}
    for raw in frames:
        try:
            chosen[raw.pk] = choose(raw, setup)
        except MarError as error:
            fail(work, tally, raw, "ov", str(error))
    tell_fringes(work, setup, [raw for raw in frames if raw.pk in chosen and not chosen[raw.pk].superflat])
    by_id = {raw.pk: raw for raw in frames}
    calls = {key: arguments(by_id[key], some, setup) for key, some in chosen.items()}
    work.progress("frames", 0, len(calls))
    engine = work.engine(setup.config.config.processes)
    for number, (key, result) in enumerate(engine.map(run.science, calls, work.check)):
        work.band = by_id[key].band or ""
        finish(work, setup, tally, by_id[key], chosen[key], result)
        work.progress("frames", number + 1, len(calls))


def tell_fringes(work: Work, setup: Setup, without: list[IndividualFile]) -> None:
    """Say which frames keep their fringes, because there is no superflat for them."""
    if "sf" not in setup.code or not setup.config.superflat.cf_superflat_correction:
        return
    for band in setup.config.fringe.filters:
        number = sum(raw.band == band for raw in without)
        if number:
            work.warn(f"no superflat for {number} frames of {band}: their fringes stay; create or link one")


def choose(raw: IndividualFile, setup: Setup) -> Chosen:
    """The calibrations of a frame; raises MissingMaster where a step still to be done has none.

    A frame that has its flat behind it gets them too: its pixels may have to be made again from the raw ones.
    """
    days = setup.config.config.max_days
    superflat = plan.superflat_for(raw, days) if raw.band in setup.config.fringe.filters else None
    try:
        return Chosen(plan.bias_for(raw, days), plan.flat_for(raw, days), superflat)
    except MissingMaster:
        if status_of(raw) < FrameStatus.FLATTENED:
            raise
        return Chosen(superflat=superflat)


def arguments(raw: IndividualFile, chosen: Chosen, setup: Setup) -> tuple[Any, ...]:
    """What a science run is called with; everything can be sent to another process."""
    what = absolute(raw.file_path), chosen.files(), status_of(raw), setup.code
    return *what, setup.layout, setup.camera, setup.config, silent, raw.file_name


def finish(
    work: Work, setup: Setup, tally: Tally, raw: IndividualFile, chosen: Chosen, result: Result
) -> None:
    """Record what became of one frame."""
    if result.error is not None:
        fail(work, tally, raw, "run", explained(work, result.error))
        return
    products = result.value
    record.science(raw, products, setup, chosen.bias, chosen.flat, chosen.superflat)
    if products.error:
        tally.failed[raw.file_name] = products.error
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


def fail(work: Work, tally: Tally, raw: IndividualFile, step: str, error: str) -> None:
    """Record a frame that could not even be tried, or whose process died."""
    record.failure(raw, step, error)
    tally.failed[raw.file_name] = error
    work.critical(f"{raw.file_name} failed at {step}: {error}")
