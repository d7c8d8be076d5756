"""Masters from raw frames, fringe frames from processed ones."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import date
from pathlib import Path

from mar.camera import Camera
from mar.config import Config
from mar.errors import BadImage, MarError
from mar.exposure import read_exposure
from mar.frame import set_cards
from mar.io.fits import ImageReader, open_image, read_mask, stem, write_image
from mar.io.names import Layout
from mar.kernels.threads import side_by_side
from mar.progress import Progress, silent
from mar.recipes.master_bias import master_bias as combine_bias
from mar.recipes.master_flat import master_flat as combine_flat
from mar.recipes.stacking import Master, StackFrame
from mar.run.products import Dropped, MasterFiles, MasterProducts
from mar.run.provenance import provenance
from mar.run.thumbs import write_mask_thumb, write_thumb
from mar.steps.master_rows import MasterRows


def open_master(files: MasterFiles, opened: ExitStack) -> MasterRows:
    """A master and its mask, to be read in bands of rows as long as `opened`; raises BadImage."""
    image = opened.enter_context(open_image(files.master))
    mask = opened.enter_context(open_image(files.mask)) if files.mask else None
    said = str(image.header.get("OVERSCAN", ""))
    return MasterRows(files.master.name, image, mask, lambda: image.checksum, said)


def master_bias(
    raws: Sequence[Path],
    layout: Layout,
    camera: Camera,
    config: Config,
    start: date,
    end: date,
    progress: Progress = silent,
    last: MasterFiles | None = None,
) -> MasterProducts:
    """The master bias of those days (`start` and `end` name it) and its hot-pixel mask.

    It is compared with the `last` good one. Frames that cannot be used are dropped with the reason. Raises
    NotEnoughFrames where too few are left.
    """
    with ExitStack() as files:
        frames, readers, dropped = _open(raws, camera, files)
        before, trouble = _open_last(last, files)
        master = combine_bias(frames, camera, config.scan, config.bias, last=before, progress=progress)
        inputs = _used(master, readers)
    place = layout.master_bias(start, end), layout.hot_mask(start, end)
    return _write(master, raws, dropped, place, (start, end), inputs, layout, config, trouble)


def master_flat(
    raws: Sequence[Path],
    band: str,
    bias: MasterFiles,
    layout: Layout,
    camera: Camera,
    config: Config,
    start: date,
    end: date,
    progress: Progress = silent,
    last: MasterFiles | None = None,
) -> MasterProducts:
    """The master flat of a band and its cold-pixel mask; as `master_bias`."""
    with ExitStack() as files:
        frames, readers, dropped = _open(raws, camera, files)
        before, trouble = _open_last(last, files)
        level = files.enter_context(open_image(bias.master))
        master = combine_flat(
            frames,
            band,
            level,
            camera,
            config.scan,
            config.flat,
            bias_mask=read_mask(bias.mask) if bias.mask else None,
            bias_name=f"{bias.master.name} {level.checksum}",
            last=before,
            progress=progress,
        )
        inputs = _used(master, readers) | {bias.master.name: level.checksum}
    place = layout.master_flat(band, start, end), layout.cold_mask(band, start, end)
    return _write(master, raws, dropped, place, (start, end), inputs, layout, config, trouble)


def _open_last(last: MasterFiles | None, files: ExitStack) -> tuple[MasterRows | None, list[str]]:
    """The last good master, or a warning where it cannot be read."""
    if last is None:
        return None, []
    try:
        return open_master(last, files), []
    except BadImage as error:
        return None, [f"not compared with the last master: {error}"]


def superflat(
    processed: Sequence[Path],
    band: str,
    layout: Layout,
    camera: Camera,
    config: Config,
    start: date,
    end: date,
    progress: Progress = silent,
) -> MasterProducts:
    """The fringe frame of a band from processed frames and their masks; as `master_bias`."""
    from mar.recipes.superflat import superflat as combine_superflat  # no other master needs what it loads

    with ExitStack() as files:
        frames, readers, dropped = _open(processed, camera, files, layout)
        master = combine_superflat(
            frames,
            band,
            config.fringe,
            config.fringeframe,
            amplifiers=[amplifier.trimmed for amplifier in camera.amplifiers],
            progress=progress,
        )
        inputs = _used(master, readers)
    place = layout.superflat(band, start, end), None
    return _write(master, processed, dropped, place, (start, end), inputs, layout, config)


def _open(
    paths: Sequence[Path], camera: Camera, files: ExitStack, layout: Layout | None = None
) -> tuple[list[StackFrame], dict[str, ImageReader], list[Dropped]]:
    """Frames of a stack that stay open as long as `files`, their readers by name, and those left out.

    With a layout the frames are processed ones, and their masks are opened beside them.
    """
    frames, readers, dropped = [], {}, []
    for path in paths:
        try:
            reader = files.enter_context(open_image(path))
            exposure = read_exposure(reader.header, camera, stem(path))
            mask = None
            if layout is not None:
                mask = files.enter_context(open_image(layout.bpmask(stem(path).removeprefix("proc_"))))
        except MarError as error:
            dropped.append(Dropped(path, str(error)))
            continue
        frames.append(StackFrame(stem(path), reader, exposure.exptime_s, mask, exposure.pointing))
        readers[stem(path)] = reader
    return frames, readers, dropped


def _used(master: Master, readers: dict[str, ImageReader]) -> dict[str, str]:
    used = [readers[name] for name in master.used]
    checksums = side_by_side(lambda reader: reader.checksum, used)
    return {reader.path.name: checksum for reader, checksum in zip(used, checksums, strict=True)}


def _write(
    master: Master,
    paths: Sequence[Path],
    dropped: list[Dropped],
    place: tuple[Path, Path | None],
    days: tuple[date, date],
    inputs: dict[str, str],
    layout: Layout,
    config: Config,
    trouble: Sequence[str] = (),
) -> MasterProducts:
    """Write the mask before the master: whoever finds a master finds its mask. Thumbnails go beside them."""
    by_name = {stem(path): path for path in paths}
    path, mask_path = place
    header = master.frame.header.copy()
    set_cards(
        header,
        {"START_DATE": (days[0].isoformat(), "first day"), "END_DATE": (days[1].isoformat(), "last day")},
    )
    set_cards(header, provenance(config, inputs, layout.job))
    thumb, mask_thumb = layout.thumb(path), None
    with ThreadPoolExecutor(2) as beside:
        drawn = [beside.submit(write_thumb, thumb, master.frame.data, config.thumbs)]
        if mask_path is not None:
            mask, mask_thumb = master.frame.own_mask(), layout.thumb(mask_path)
            drawn.append(beside.submit(write_mask_thumb, mask_thumb, mask, config.thumbs))
            set_cards(header, {"MASK_NAME": (mask_path.name, "mask beside it")})
            write_image(mask_path, mask, header)
        checksum = write_image(path, master.frame.data, header)
        for one in drawn:
            one.result()
    statistics = master.statistics
    return MasterProducts(
        path,
        mask_path,
        thumb,
        mask_thumb,
        {
            "modeavg": statistics.mode,
            "medianavg": statistics.median,
            "noiseavg": statistics.noise,
            "medianrms": statistics.median_rms,
            "noiserms": statistics.noise_rms,
        },
        checksum,
        [by_name[name] for name in master.used],
        dropped + [Dropped(by_name[one.name], one.reason) for one in master.dropped],
        [*master.warnings, *trouble],
        list(master.remarks),
    )
