"""The rows that `get` answers, key by key; times are ISO 8601 UTC text, paths relative to the data root."""

from typing import Any, TypedDict


class Statistics(TypedDict, total=False):
    """The five statistics of an image, in its own counts."""

    modeavg: float | None
    medianavg: float | None
    noiseavg: float | None
    medianrms: float | None
    noiserms: float | None


class Sci(TypedDict, total=False):
    """What went into a processed frame and what came out beside it."""

    id: int
    individual_catalog: str | None
    masterFlatUsed_id: int | None
    masterBiasUsed_id: int | None
    sciraw_id: int
    masterBiasUsed: int | None
    masterFlatUsed: int | None
    sextractorOut: list[str]
    scampOut: list[str]
    swarpOut: list[str]
    ast_stars: int | None  # in the astrometric solution
    ast_rms: float | None  # mas per axis, to the reference
    ast_internal_rms: float | None  # mas per axis, to the other frames of a common solution
    ast_east: float | None  # arcsec, true minus rough pointing
    ast_north: float | None
    ast_chi2: float | None
    ast_error: float | None  # mas, formal, of a position
    ast_chance: float | None  # log10 of the false-alarm probability
    ast_joint: int | None  # frames solved together; 1 is alone


class Frame(Statistics, total=False):
    """A raw frame, or a processed science frame."""

    id: int
    obsDate: str
    field: str
    file_type: str  # BIAS, FLAT, SCI or PROCESSED
    exptime: float | None  # seconds
    band: str | None
    file_name: str
    file_path: str
    ovfile: str | None
    ovthumb: str | None
    thumb: str | None
    moonmean: float | None
    bpmask: str | None
    superflat_id: int | None
    superFlatId: int | None
    superFlatPath: str | None
    superFlatThumb: str | None
    processedDate: str | None
    comments: str
    status: int  # 0 raw ... 5 ready to coadd
    isvalid: int  # 1 or 0
    raw_sci_id: int | None
    processed_id: int | None
    sci_id: int | None
    crval1: float | None  # degrees
    crval2: float | None
    night: str
    failed_step: str
    error: str
    sci: "list[Sci]"
    scies: "list[Frame]"
    processed: "list[Frame]"


class Tile(Statistics, total=False):
    """The coadded image of a field and band."""

    id: int
    field: str
    band: str
    file_path: str | None
    weight_path: str | None
    file_thumb: str | None
    weight_thumb: str | None
    date: str | None  # of its earliest frame
    status: int
    flag: int  # -1 not reviewed, 0 good, else bits
    comments: str
    isvalid: bool
    updated_at: str
    crval1: float | None  # degrees
    crval2: float | None
    ncombine: int | None
    zeropoint: float | None  # mag of 1 ADU/s
    fwhm: float | None  # arcsec
    ellipticity: float | None
    depth: float | None  # mag, 5 sigma
    astrometric_rms: float | None  # arcsec per axis
    composedBy: list[Frame]


class Block(TypedDict, total=False):
    """What all blocks have; the days are those asked for, both included."""

    id: int
    blockStartDate: str
    blockEndDate: str
    comments: str
    status: int  # 0 to do, 1 done
    isvalid: bool


class Master(Block, Statistics, total=False):
    """A block with its master and mask."""

    masterPath: str | None
    masterThumb: str | None
    maskPath: str | None
    maskThumb: str | None


class BiasBlock(Master, total=False):
    """Bias frames, and the master and hot-pixel mask made from them."""

    bias: list[Frame]


class FlatByFilter(Master, total=False):
    """One band's flats, and the master and cold-pixel mask made from them."""

    band: str
    flats: list[Frame]


class FlatBlock(Block, total=False):
    """The flats of all bands at once."""

    flatsByFilter: list[FlatByFilter]


class SciByFilter(Block, total=False):
    """One band's science frames, their processed frames and tiles."""

    band: str
    scies: list[Frame]
    processed: list[Frame]
    finaltiles: list[Tile]


class SciBlock(Block, total=False):
    """The science frames of all bands at once."""

    sciByFilter: list[SciByFilter]


class Superflat(Block, total=False):
    """A fringe frame."""

    band: str
    superFlatPath: str | None
    superFlatThumb: str | None
    files: list[str]


class FieldImage(TypedDict, total=False):
    """The 12-band colour image of a field."""

    id: int
    field: str
    file_path: str | None
    flag: int
    updated_at: str
    comments: str
    isvalid: bool


class Operation(TypedDict):
    """A running operation; seconds for `elapsed` and `remaining`."""

    id: int
    function: str
    target: str
    step: str
    band: str
    done: int
    total: int
    elapsed: float
    remaining: float | None


class Waiting(TypedDict):
    """An operation that waits."""

    id: int
    function: str
    block: str
    code: str
    user: str
    priority: int
    queued_at: str
    not_before: str | None  # put off until then


class Ended(TypedDict):
    """A finished operation."""

    id: int
    operation: str
    endDate: str
    logPath: str | None
    started: str | None
    seconds: float | None
    outcome: str
    user: str
    error: str


Row = dict[str, Any]
