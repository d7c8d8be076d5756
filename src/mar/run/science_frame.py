"""One raw science frame becomes a processed frame, its mask and its catalogue, as far as asked for."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from mar.camera import Camera
from mar.config import Config
from mar.errors import BadHeader, MarError, StepFailed
from mar.frame import Frame
from mar.io.fits import read_frame, read_header, stem
from mar.io.names import Layout
from mar.progress import Progress, silent
from mar.recipes.science import Masters, mark_defects, remove_fringes, remove_signature
from mar.run.masters import open_master
from mar.run.measure import Measured, measure
from mar.run.processed import finish_pixels, pixels_status, processed_path, write_processed
from mar.run.products import ScienceMasters, ScienceProducts
from mar.run.provenance import inputs_of
from mar.steps.astrometry import without_solution
from mar.steps.overscan import summary, warnings_of

STATUS_AFTER = {"ov": 1, "sf": 2, "mc": 3, "am": 5}
PIXEL_STEPS = ("ov", "sf", "mc")


def science(
    raw: Path,
    masters: ScienceMasters,
    status: int,
    code: frozenset[str],
    layout: Layout,
    camera: Camera,
    config: Config,
    progress: Progress = silent,
    name: str = "",
) -> ScienceProducts:
    """Run the steps of `code` that `status` says are still to be done on one frame.

    `code` is any of ov, sf, mc, am. The pixels come from the processed frame where it is just at `status`,
    else from the raw one, whose earlier steps are done again. No MarError leaves here: a bad frame's products
    say at which step it failed and why, and its status is what was reached and saved. Products carry `name`,
    the file's own by default; give another one where file names come again.
    """
    steps = [step for step, after in STATUS_AFTER.items() if step in code and after > status]
    if not steps:
        return ScienceProducts(status)
    name = (name or stem(raw)).replace("/", "_")
    try:
        frame, pixel_steps = _begin(raw, name, status, steps, layout, camera, config)
        frame, inputs = _reduce(frame, pixel_steps, masters, camera, config, progress)
    except StepFailed as failed:
        return ScienceProducts(status, failed_step=failed.step, error=str(failed))
    reached = STATUS_AFTER[pixel_steps[-1]] if pixel_steps else min(status, 3)
    if pixel_steps:
        frame = finish_pixels(frame, reached, inputs, layout.job, camera, config)
    measured = Measured(frame)
    trouble: StepFailed | None = None
    if "am" in steps:
        try:
            progress("am", len(pixel_steps), len(pixel_steps) + 1)
            with _failing("am"):
                measured = measure(frame, layout, camera, config)
            reached = STATUS_AFTER["am"]
        except StepFailed as failed:
            measured, trouble = Measured(without_solution(frame)), failed
    products = write_processed(measured, name, reached, bool(pixel_steps), layout, config)
    if "ov" in pixel_steps:
        remarks, warnings = [summary(frame.header, camera)], warnings_of(frame.header, camera, config.scan)
        products = replace(products, remarks=remarks, warnings=warnings)
    progress("done", 1, 1)
    if trouble is not None:
        return replace(products, failed_step=trouble.step, error=str(trouble), later=trouble.later)
    return products


@contextmanager
def _failing(step: str) -> Iterator[None]:
    try:
        yield
    except MarError as error:
        raise StepFailed(step, error) from error


def _begin(
    raw: Path, name: str, status: int, steps: list[str], layout: Layout, camera: Camera, config: Config
) -> tuple[Frame, list[str]]:
    """The frame to start from, and the pixel steps to run on it."""
    with _failing(steps[0]):
        pixel_steps = [step for step in steps if step in PIXEL_STEPS]
        if status == 0:
            if "ov" not in steps:
                raise BadHeader(f"{name}: {' '.join(steps)} needs ov first; ask for it too")
            return read_frame(raw, camera), pixel_steps
        product = processed_path(raw, name, layout, camera, config)
        if product.exists() and pixels_status(read_header(product)) == min(status, 3):
            return read_frame(product, camera, layout.bpmask(name)), pixel_steps
        # the processed frame is further than asked for, or gone: only the raw one can give its pixels
        done = [step for step in PIXEL_STEPS if STATUS_AFTER[step] <= status]
        return read_frame(raw, camera), done + pixel_steps


def _reduce(
    frame: Frame,
    steps: list[str],
    masters: ScienceMasters,
    camera: Camera,
    config: Config,
    progress: Progress,
) -> tuple[Frame, dict[str, str]]:
    """Run pixel steps; gives the frame and its inputs with their checksums."""
    inputs = inputs_of(frame)
    for number, step in enumerate(steps):
        progress(step, number, len(steps) + 1)
        with _failing(step), ExitStack() as opened:
            used = _masters_for(step, masters, opened)
            frame = _run(step, frame, used, camera, config)
            inputs |= inputs_of(used.bias, used.flat, used.fringe)
    return frame, inputs


def _masters_for(step: str, files: ScienceMasters, opened: ExitStack) -> Masters:
    """The masters of this step, those of `ov` read in bands of rows as long as `opened`."""
    if step == "ov":
        return Masters(
            bias=open_master(files.bias, opened) if files.bias else None,
            flat=open_master(files.flat, opened) if files.flat else None,
        )
    return Masters(fringe=read_frame(files.fringe) if step == "sf" and files.fringe else None)


def _run(step: str, frame: Frame, masters: Masters, camera: Camera, config: Config) -> Frame:
    if step == "ov":
        return remove_signature(frame, camera, masters, config)
    if step == "sf":
        assert frame.exposure is not None  # read with its camera
        return remove_fringes(frame, frame.exposure.band or "", masters, config)
    return mark_defects(frame, camera, config)
