"""The kinds of rows that a `get` answers: their tables, the keys of a row in order, and what hangs below."""

from dataclasses import dataclass
from typing import Any

from django.db import models

from marserver.archive.models import (
    BiasBlock,
    FieldImage,
    FinalTile,
    FlatByFilter,
    FlatsBlock,
    IndividualFile,
    Sci,
    SciBlock,
    SciByFilter,
    Superflat,
)

STATISTICS = "modeavg medianavg noiseavg medianrms noiserms"
DATES = "blockStartDate=block_start_date blockEndDate=block_end_date"


@dataclass(frozen=True)
class Nest:
    """Rows of another kind below a row: by a link table or by a column that holds their id."""

    key: str
    kind: str
    by: str  # name of the many-to-many field, or of the column
    deep: bool = False  # the nested rows carry their own nested rows
    joined: str = ""  # the relation, where at most one row hangs and is read in the same query

    def in_column(self, kind: "Kind") -> bool:
        """Whether the id of the lower row stands in a column of the upper one."""
        return self.by in dict(kind.columns).values()


@dataclass(frozen=True)
class Kind:
    """One kind of rows."""

    name: str
    model: type[models.Model]
    columns: tuple[tuple[str, str], ...]  # key of the row, attribute of the model
    nests: tuple[Nest, ...] = ()
    date: str = ""  # the attribute that a range of dates looks at
    contains: str = ""  # the attribute that `contains` looks at
    numeric: tuple[str, ...] = ()  # attributes whose true and false are answered as 1 and 0

    @property
    def objects(self) -> Any:
        """The table."""
        return self.model._default_manager


def columns(*words: str) -> tuple[tuple[str, str], ...]:
    """Keys and attributes from words like `key` or `key=attribute`."""
    pairs = (word.partition("=") for word in " ".join(words).split())
    return tuple((key, attribute or key) for key, _, attribute in pairs)


FRAME = columns(
    "id obsDate=obs_date field file_type exptime band file_name file_path ovfile ovthumb thumb",
    STATISTICS,
    "moonmean bpmask superflat_id superFlatId=superflat_id superFlatPath=superflat__super_flat_path",
    "superFlatThumb=superflat__super_flat_thumb processedDate=processed_date comments status isvalid",
    "raw_sci_id processed_id sci_id crval1 crval2 night failed_step error",
)
TILE = columns(
    "id field band file_path weight_path file_thumb weight_thumb",
    STATISTICS,
    "date status flag comments isvalid updated_at crval1 crval2",
    "ncombine zeropoint fwhm ellipticity depth astrometric_rms",
)
MASTER = (
    "masterPath=master_path masterThumb=master_thumb maskPath=mask_path maskThumb=mask_thumb",
    DATES,
    STATISTICS,
    "comments status isvalid",
)
SCI = columns(
    "id individual_catalog masterFlatUsed_id=master_flat_used_id masterBiasUsed_id=master_bias_used_id",
    "sciraw_id masterBiasUsed=master_bias_used_id masterFlatUsed=master_flat_used_id",
    "sextractorOut=sextractor_out scampOut=scamp_out swarpOut=swarp_out",
    "ast_stars ast_rms ast_internal_rms ast_east ast_north ast_chi2 ast_error ast_chance ast_joint",
)
FRAME_NESTS = (Nest("sci", "sci", "sci_id", joined="sci"),)

ALL = (
    Kind(
        "individualfile",
        IndividualFile,
        FRAME,
        (
            *FRAME_NESTS,
            Nest("scies", "individualfile", "raw_sci_id"),
            Nest("processed", "individualfile", "processed_id"),
        ),
        date="obs_date",
        contains="file_name",
        numeric=("isvalid",),
    ),
    Kind("sci", Sci, SCI),
    Kind(
        "finaltiles",
        FinalTile,
        TILE,
        (Nest("composedBy", "individualfile", "composed_by"),),
        date="date",
        contains="field",
    ),
    Kind(
        "biasblock",
        BiasBlock,
        columns("id", *MASTER),
        (Nest("bias", "individualfile", "bias"),),
        date="block_start_date",
    ),
    Kind(
        "flatbyfilter",
        FlatByFilter,
        columns("id band", *MASTER),
        (Nest("flats", "individualfile", "flats"),),
        date="block_start_date",
    ),
    Kind(
        "flatblock",
        FlatsBlock,
        columns("id", DATES, "status comments isvalid"),
        (Nest("flatsByFilter", "flatbyfilter", "flats_by_filter", deep=True),),
        date="block_start_date",
    ),
    Kind(
        "scibyfilter",
        SciByFilter,
        columns("id band", DATES, "status comments isvalid"),
        (
            Nest("scies", "individualfile", "scies"),
            Nest("processed", "individualfile", "processed"),
            Nest("finaltiles", "finaltiles", "finaltiles"),
        ),
        date="block_start_date",
    ),
    Kind(
        "sciblock",
        SciBlock,
        columns("id", DATES, "status comments isvalid"),
        (Nest("sciByFilter", "scibyfilter", "sci_by_filter", deep=True),),
        date="block_start_date",
    ),
    Kind(
        "superflat",
        Superflat,
        columns(
            "id band",
            DATES,
            "superFlatPath=super_flat_path superFlatThumb=super_flat_thumb files status comments isvalid",
        ),
        date="block_start_date",
    ),
    Kind(
        "fieldimage",
        FieldImage,
        columns("id field file_path flag updated_at comments isvalid"),
        date="updated_at",
        contains="field",
    ),
)
ALIASES = {"flatblockbyfilter": "flatbyfilter", "fieldimages": "fieldimage", "field": "fieldimage"}
KINDS = {kind.name: kind for kind in ALL}


def named(name: str) -> Kind:
    """The kind of this name or alias; KeyError where there is none."""
    return KINDS[ALIASES.get(name, name)]
