"""The tasks that make masters: bias, flats by filter, superflats."""

from typing import Any

from mar import run
from mar.errors import MarError, NotEnoughFrames
from mar.run.products import MasterFiles, MasterProducts
from marserver.archive.models import (
    BiasBlock,
    FlatByFilter,
    FlatsBlock,
    FrameType,
    IndividualFile,
    Superflat,
)
from marserver.archive.queries import containing, patterns
from marserver.jobs.work import Report, Work
from marserver.reduction.plan.masters import Shelf
from marserver.reduction.plan.parts import bias_of_flat, flats_to_do
from marserver.reduction.plan.scope import of_master, usable
from marserver.reduction.requests.blocks import between, valid_frames
from marserver.reduction.site import absolute
from marserver.reduction.tasks import record
from marserver.reduction.tasks.pace import Pace
from marserver.reduction.tasks.setup import Setup, setup_of


def process_biasblock(work: Work) -> Report:
    """Combine the valid bias frames of a block; its master and hot mask are recorded with status 1."""
    block = BiasBlock.objects.get(pk=work.params["id"])
    if block.status == 1:
        return Report(f"{block} was done already")
    setup = setup_of(work)
    frames, pace = usable(of_master(block)), Pace()
    with pace.of("frames", len(frames)):
        products = run.master_bias(
            paths(frames),
            setup.layout,
            setup.camera,
            setup.config,
            block.block_start_date,
            block.block_end_date,
            work.progress,
            last_good(block),
        )
    tell(work, products)
    record.master(block, frames, products, setup)
    return report(str(block), products, pace)


def process_flatbyfilter(work: Work) -> Report:
    """Combine the valid flats of one band; its master and cold mask are recorded with status 1."""
    block = FlatByFilter.objects.get(pk=work.params["id"])
    if block.status == 1:
        return Report(f"{block} was done already")
    setup, pace = setup_of(work), Pace()
    products = make_flat(work, block, setup, shelf_of(setup), pace)
    return report(str(block), products, pace)


def process_flatblock(work: Work) -> Report:
    """Combine the flats of each band that is to be done; a band that fails does not stop the others."""
    block = FlatsBlock.objects.get(pk=work.params["id"])
    setup = setup_of(work)
    failed: dict[str, str] = {}
    shelf, pace = shelf_of(setup), Pace()
    parts = flats_to_do(block, setup.camera.band_names)
    for part in parts:
        try:
            make_flat(work, part, setup, shelf, pace)
        except MarError as error:
            failed[part.band] = str(error)
            work.critical(f"{part}: {error}")
    if not failed:
        record.done(block, setup)
    done = block.flats_by_filter.filter(isvalid=True, status=1).count()
    return counted(str(block), done, failed, pace)


def shelf_of(setup: Setup) -> Shelf:
    """The masters that an operation may take."""
    return Shelf(setup.config.config.max_days)


def counted(what: str, done: int, failed: dict[str, str], pace: Pace) -> Report:
    """The report on a block of several bands; failed only where nothing was done."""
    words = f"{what}: {done} bands done, {len(failed)} failed"
    reasons = "; ".join(f"{band}: {reason}" for band, reason in failed.items())
    result = {"done": done, "failed": failed, "pace": pace.spent}
    return Report(words, result, error=reasons if failed and not done else "")


def make_flat(work: Work, block: FlatByFilter, setup: Setup, shelf: Shelf, pace: Pace) -> MasterProducts:
    """Make and record the master flat of one band; raises MissingMaster, NotEnoughFrames..."""
    work.band = block.band
    frames = usable(of_master(block))
    if not frames:
        raise NotEnoughFrames(f"{block} has no valid frame; validate some or add others")
    bias = bias_of_flat(frames, shelf).needed()
    with pace.of("frames", len(frames)):
        products = run.master_flat(
            paths(frames),
            block.band,
            master_files(bias),
            setup.layout,
            setup.camera,
            setup.config,
            block.block_start_date,
            block.block_end_date,
            work.progress,
            last_good(block),
        )
    tell(work, products)
    record.master(block, frames, products, setup, bias_used=bias)
    return products


def create_superflat(work: Work) -> Report:
    """Build the fringe frame of a superflat row from the processed frames of its dates and band."""
    block = Superflat.objects.get(pk=work.params["id"])
    if block.status == 1:
        return Report(f"{block} was done already")
    setup = setup_of(work)
    work.band = block.band
    frames, pace = fringe_frames(block, work.params.get("contains", ""), setup), Pace()
    with pace.of("frames", len(frames)):
        products = run.superflat(
            paths(frames),
            block.band,
            setup.layout,
            setup.camera,
            setup.config,
            block.block_start_date,
            block.block_end_date,
            work.progress,
        )
    tell(work, products)
    record.fringe(block, frames, products, setup)
    return report(str(block), products, pace)


def fringe_frames(block: Superflat, contains: str, setup: Setup) -> list[IndividualFile]:
    """The processed frames that a fringe frame is built from: of the fields that the configuration names.

    Where the request names files itself, these are taken, whatever their field.
    """
    wanted = between(
        valid_frames(FrameType.PROCESSED, block.band), block.block_start_date, block.block_end_date
    )
    wanted = wanted.filter(status__gte=1)
    if patterns(contains):
        return list(wanted.filter(containing("file_name", contains)).order_by("obs_date", "id"))
    fringe = setup.config.fringe
    frames = wanted.filter(containing("field", ",".join(fringe.file_patterns))).order_by("obs_date", "id")
    kept = [frame for frame in frames if not any(word in frame.field for word in fringe.exclude_patterns)]
    if not kept:
        raise NotEnoughFrames(
            f"{block}: no processed {block.band} frame of a field that Fringe.FILE_PATTERNS takes "
            f"({', '.join(fringe.file_patterns)}); change the patterns or name the files by contains"
        )
    return kept


def paths(frames: list[IndividualFile]) -> list[Any]:
    """Where the frames stand."""
    return [absolute(frame.file_path) for frame in frames]


def master_files(block: BiasBlock | FlatByFilter) -> MasterFiles:
    """The master of a block and its mask."""
    return MasterFiles(
        absolute(block.master_path or ""), absolute(block.mask_path) if block.mask_path else None
    )


def last_good(block: BiasBlock | FlatByFilter) -> MasterFiles | None:
    """The last good master before that of a block: valid, made, of the same band, and of no later days."""
    others: Any = type(block).objects.exclude(pk=block.pk)
    good = others.filter(isvalid=True, status=1, block_end_date__lte=block.block_end_date)
    made = good.filter(master_path__isnull=False)
    if isinstance(block, FlatByFilter):
        made = made.filter(band=block.band)
    last = made.order_by("-block_end_date", "-pk").first()
    return None if last is None else master_files(last)


def tell(work: Work, products: MasterProducts) -> None:
    """Log what was left out, what was compared, and what an operator should look at."""
    for dropped in products.dropped:
        work.warn(f"{dropped.path.name} left out: {dropped.reason}")
    for remark in products.remarks:
        work.info(remark)
    for warning in products.warnings:
        work.warn(warning)


def report(what: str, products: MasterProducts, pace: Pace) -> Report:
    """The report on one master."""
    dropped = {one.path.name: one.reason for one in products.dropped}
    words = f"{what}: {products.master.name} of {len(products.used)} frames, {len(dropped)} left out"
    result = {"done": len(products.used), "failed": dropped, "warnings": products.warnings}
    return Report(words, {**result, "pace": pace.spent})
