"""What a run gave back, written into the archive; each record is one transaction."""

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils.timezone import now

from mar.io.fits import read_header, stem
from mar.run.products import ColourProducts, Dropped, MasterProducts, ScienceProducts, TileProducts
from mar.steps import band_consistency
from marserver.archive.kinds import KINDS
from marserver.archive.models import (
    BandPair,
    BiasBlock,
    FieldImage,
    FinalTile,
    FlatByFilter,
    FlatsBlock,
    FrameType,
    IndividualFile,
    Sci,
    SciBlock,
    SciByFilter,
    Superflat,
)
from marserver.audit.record import note
from marserver.reduction.code import COADD
from marserver.reduction.site import relative
from marserver.reduction.tasks.setup import Setup

KIND_OF = {kind.model: kind.name for kind in KINDS.values()}
# Products are made again: the job tells it where nothing else changes
NOTED = ("status", "failed_step", "error", "flag", "job")
ASTROMETRY = tuple(field.name for field in Sci._meta.concrete_fields if field.name.startswith("ast_"))
STATISTICS = ("modeavg", "medianavg", "noiseavg", "medianrms", "noiserms")


def number(value: float | None) -> float | None:
    """A number as the database keeps it: unknown is null, never NaN."""
    return None if value is None or not math.isfinite(value) else float(value)


def statistics(values: Mapping[str, float]) -> dict[str, float | None]:
    """The five statistics as columns."""
    return {name: number(values.get(name)) for name in STATISTICS}


def astrometry(values: Mapping[str, float]) -> dict[str, float | None]:
    """The figures of an astrometric solution as columns."""
    return {name: number(values.get(name)) for name in ASTROMETRY}


def inputs_of(frames: Iterable[IndividualFile]) -> list[dict[str, str]]:
    """The inputs of a product, with their checksums where known."""
    return [{"path": frame.file_path, "checksum": frame.checksum} for frame in frames]


def checksums_in(product: Path) -> dict[str, str]:
    """The inputs that a product's header names, with their checksums; raises BadImage."""
    header = read_header(product)
    lines = [str(header[f"MAR IN{number}"]) for number in range(1, int(header.get("MAR NINPUT", 0)) + 1)]
    return dict(line.rsplit(" ", 1) for line in lines)


def change(row: Any, **values: Any) -> None:
    """Set columns of a row and save just these."""
    for name, value in values.items():
        setattr(row, name, value)
    row.save(update_fields=list(values))


@transaction.atomic
def change_noted(row: Any, setup: Setup, **values: Any) -> None:
    """The same, and the audit keeps how far the row came and what failed."""
    before = stands(row)
    change(row, **values)
    write_down(row, setup, before)


def stands(row: Any) -> dict[str, Any]:
    """What the audit keeps of a row, as it is in the database now; nothing where there is no row yet."""
    rows = type(row).objects.select_for_update(no_key=True).filter(pk=row.pk)
    return rows.values(*noted_columns(row)).first() or {}


def stands_by(model: type[FinalTile | FieldImage], **words: str) -> dict[str, Any]:
    """The same of the product of a field; nothing where it is the first one."""
    row = model.objects.filter(**words).first()
    return stands(row) if row is not None else {}


def noted_columns(row: Any) -> list[str]:
    """The columns that the audit keeps when a job changes them."""
    return [field.name for field in row._meta.concrete_fields if field.name in NOTED]


def write_down(row: Any, setup: Setup, before: dict[str, Any]) -> None:
    """Note what a job has changed of a row; nothing where that is nothing."""
    now_is = {name: getattr(row, name) for name in noted_columns(row)}
    after = {name: value for name, value in now_is.items() if before.get(name, "") != value}
    if after:
        old = {name: value for name, value in before.items() if name in after}
        note(setup.user, setup.function, KIND_OF[type(row)], row.pk, old, {**after, "job": setup.job})


def by_path(frames: Iterable[IndividualFile], paths: Iterable[Path]) -> list[IndividualFile]:
    """Those of the frames that a run names by path."""
    named = {relative(path) for path in paths}
    return [frame for frame in frames if frame.file_path in named]


def note_dropped(
    frames: Iterable[IndividualFile], dropped: Iterable[Dropped], step: str, setup: Setup
) -> None:
    """Write the reason beside each frame that was left out."""
    reasons = {relative(one.path): one.reason for one in dropped}
    for frame in frames:
        if frame.file_path in reasons:
            change_noted(frame, setup, failed_step=step, error=reasons[frame.file_path])


def note_used(frames: Iterable[IndividualFile], step: str, setup: Setup) -> None:
    """Take back the reason for which frames were left out of this step before."""
    for frame in frames:
        if frame.failed_step == step:
            change_noted(frame, setup, failed_step="", error="")


@transaction.atomic
def no_tile(frames: list[IndividualFile], left_out: Mapping[str, str], setup: Setup) -> None:
    """Frames of which no tile could be made, with the reasons by the names of their files."""
    dropped = [
        Dropped(Path(frame.file_path), left_out[stem(Path(frame.file_path))])
        for frame in frames
        if stem(Path(frame.file_path)) in left_out
    ]
    note_dropped(frames, dropped, COADD, setup)


@transaction.atomic
def master(
    block: BiasBlock | FlatByFilter,
    frames: list[IndividualFile],
    products: MasterProducts,
    setup: Setup,
    **more: Any,
) -> None:
    """A block whose master is made: status 1."""
    used = {Path(frame.file_path).name: frame for frame in by_path(frames, products.used)}
    sums = checksums_in(products.master)
    for name, frame in used.items():
        change_noted(
            frame,
            setup,
            status=max(frame.status, 1),
            failed_step="",
            error="",
            checksum=sums.get(name, frame.checksum),
        )
    note_dropped(frames, products.dropped, "combine", setup)
    change_noted(
        block,
        setup,
        status=1,
        master_path=relative(products.master),
        master_thumb=relative(products.thumb),
        mask_path=relative(products.mask),
        mask_thumb=relative(products.mask_thumb),
        checksum=products.checksum,
        inputs=[
            {"path": used[name].file_path if name in used else name, "checksum": checksum}
            for name, checksum in sums.items()
        ],
        **statistics(products.statistics),
        **setup.provenance,
        **more,
    )


@transaction.atomic
def fringe(block: Superflat, frames: list[IndividualFile], products: MasterProducts, setup: Setup) -> None:
    """A superflat that is made: status 1."""
    used = by_path(frames, products.used)
    change_noted(
        block,
        setup,
        status=1,
        super_flat_path=relative(products.master),
        super_flat_thumb=relative(products.thumb),
        files=[frame.file_path for frame in used],
        checksum=products.checksum,
        inputs=inputs_of(used),
        **setup.provenance,
    )


def done(block: SciByFilter | SciBlock | FlatsBlock, setup: Setup) -> None:
    """A block all of whose parts or frames are done: status 1."""
    change_noted(block, setup, status=1)


def failure(raw: IndividualFile, step: str, error: str, setup: Setup) -> None:
    """A frame that could not be reduced."""
    change_noted(raw, setup, failed_step=step, error=error)


@transaction.atomic
def science(
    raw: IndividualFile,
    products: ScienceProducts,
    setup: Setup,
    bias: BiasBlock | None,
    flat: FlatByFilter | None,
    superflat: Superflat | None,
) -> None:
    """A science frame as far as it came: the raw row, the processed one, and what belongs to both."""
    changes: dict[str, Any] = {
        "status": products.status,
        "failed_step": products.failed_step,
        "error": products.error,
    }
    checksum = products.inputs.get(Path(raw.file_path).name)
    if checksum:
        changes["checksum"] = checksum
    if products.processed is not None:
        processed = processed_row(raw, products, setup, superflat)
        changes["processed"] = processed
        sci_row(raw, processed, products, bias, flat)
        for block in SciByFilter.objects.filter(scies=raw):
            block.processed.add(processed)
    change_noted(raw, setup, **changes)


def processed_row(
    raw: IndividualFile, products: ScienceProducts, setup: Setup, superflat: Superflat | None
) -> IndividualFile:
    """The row of a processed frame, new or as it now is."""
    known = IndividualFile.objects.filter(raw_sci=raw, file_type=FrameType.PROCESSED).first()
    processed = known or IndividualFile(
        raw_sci=raw, file_type=FrameType.PROCESSED, file_name=processed_name(raw)
    )
    values = {
        "obs_date": raw.obs_date,
        "night": raw.night,
        "field": raw.field,
        "band": raw.band,
        "exptime": raw.exptime,
        "file_path": relative(products.processed),
        "bpmask": relative(products.bpmask),
        "thumb": relative(products.thumb),
        "crval1": number(products.crval1),
        "crval2": number(products.crval2),
        "moonmean": number(products.moonmean),
        "processed_date": now(),
        "status": products.status,
        "failed_step": products.failed_step,
        "error": products.error,
        "checksum": products.checksum,
        "inputs": [{"path": name, "checksum": sum_} for name, sum_ in products.inputs.items()],
        **statistics(products.statistics),
        **setup.provenance,
    }
    for name, value in values.items():
        setattr(processed, name, value)
    processed.superflat = superflat or processed.superflat
    before = stands(processed)
    processed.save()
    write_down(processed, setup, before)
    return processed


def processed_name(raw: IndividualFile) -> str:
    """The name of a processed frame, in the folder's name where names alone are not unique."""
    name = Path(raw.file_name)
    return name.with_name(f"proc_{name.name}").as_posix()


def sci_row(
    raw: IndividualFile,
    processed: IndividualFile,
    products: ScienceProducts,
    bias: BiasBlock | None,
    flat: FlatByFilter | None,
) -> None:
    """What went into a processed frame; masters of an earlier run stay where this one needed none."""
    sci, _ = Sci.objects.get_or_create(sciraw=raw)
    catalog = relative(products.catalog)
    residuals = relative(products.residuals)
    change(
        sci,
        individual_catalog=catalog,
        master_bias_used=bias or sci.master_bias_used,
        master_flat_used=flat or sci.master_flat_used,
        sextractor_out=[catalog] if catalog else [],
        scamp_out=[residuals] if residuals else [],
        **astrometry(products.astrometry),
    )
    change(processed, sci=sci)


@transaction.atomic
def together(frames: Iterable[IndividualFile], solved: Mapping[Path, Mapping[str, float]]) -> None:
    """Processed frames that have a common solution: how good it is."""
    by_name = {relative(path): figures for path, figures in solved.items()}
    for frame in frames:
        if frame.file_path in by_name:
            Sci.objects.filter(sciraw=frame.raw_sci_id).update(**astrometry(by_name[frame.file_path]))


@transaction.atomic
def tile(
    field: str, band: str, frames: list[IndividualFile], products: TileProducts, setup: Setup
) -> FinalTile:
    """A tile that is made: status 1, not yet reviewed, linked to the frames and blocks it comes from."""
    used = by_path(frames, products.used)
    before = stands_by(FinalTile, field=field, band=band)
    row, _ = FinalTile.objects.update_or_create(
        field=field,
        band=band,
        defaults={
            "file_path": relative(products.tile),
            "weight_path": relative(products.weight),
            "count_path": relative(products.count),
            "catalog_path": relative(products.catalog),
            "file_thumb": relative(products.thumb),
            "weight_thumb": relative(products.weight_thumb),
            "date": min((frame.obs_date for frame in used), default=products.date),
            "status": 1,
            "flag": -1,
            "crval1": number(products.crval1),
            "crval2": number(products.crval2),
            "ncombine": products.ncombine,
            "zeropoint": number(products.zeropoint),
            "fwhm": number(products.fwhm),
            "ellipticity": number(products.ellipticity),
            "depth": number(products.depth),
            "astrometric_rms": number(products.astrometric_rms),
            "checksum": products.checksum,
            "inputs": inputs_of(used),
            **statistics(products.statistics),
            **setup.provenance,
        },
    )
    write_down(row, setup, before)
    row.composed_by.set(used)
    note_used(used, COADD, setup)
    note_dropped(frames, products.dropped, COADD, setup)
    blocks = SciByFilter.objects.filter(processed__in=[frame.pk for frame in used]).distinct()
    for block in blocks:
        block.finaltiles.add(row)
    paths = [path for path in (row.file_path, row.weight_path) if path]
    Sci.objects.filter(sciraw__in=[frame.raw_sci_id for frame in used]).update(swarp_out=paths)
    return row


@transaction.atomic
def colour(field: str, tiles: list[FinalTile], products: ColourProducts, setup: Setup) -> FieldImage:
    """A colour image that is made, and how the bands of its field lie to each other."""
    before = stands_by(FieldImage, field=field)
    row, _ = FieldImage.objects.update_or_create(
        field=field,
        defaults={
            "file_path": relative(products.image),
            "preview_path": relative(products.preview),
            "flag": -1,
            "inputs": [{"path": one.file_path, "checksum": one.checksum} for one in tiles],
            **setup.provenance,
        },
    )
    BandPair.objects.filter(field=field).delete()
    BandPair.objects.bulk_create(of_pair(field, one) for one in products.pairs)
    write_down(row, setup, before)
    return row


def of_pair(field: str, pair: band_consistency.BandPair) -> BandPair:
    """The row of a pair of bands; what is not known is null."""
    known = {name: number(getattr(pair, name)) for name in ("east_mas", "north_mas", "rms_mas", "error_mas")}
    return BandPair(field=field, first_band=pair.first, second_band=pair.second, stars=pair.stars, **known)
