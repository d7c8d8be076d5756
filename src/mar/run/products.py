"""What a run gives back: the files that it wrote and the figures that the archive keeps."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # what is measured need not be loaded with what tells of it
    from mar.steps.band_consistency import BandPair


@dataclass(frozen=True)
class Dropped:
    """A frame that was left out, and why."""

    path: Path
    reason: str


@dataclass(frozen=True)
class MasterFiles:
    """A master and the mask made with it."""

    master: Path
    mask: Path | None = None


@dataclass(frozen=True)
class ScienceMasters:
    """The masters of one science frame; None where no step asks for them."""

    bias: MasterFiles | None = None
    flat: MasterFiles | None = None
    fringe: Path | None = None


@dataclass(frozen=True)
class MasterProducts:
    """A new master."""

    master: Path
    mask: Path | None
    thumb: Path
    mask_thumb: Path | None
    statistics: dict[str, float]  #: modeavg, medianavg, noiseavg, medianrms, noiserms
    checksum: str
    used: list[Path] = field(default_factory=list)
    dropped: list[Dropped] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)  #: for the log


@dataclass(frozen=True)
class ScienceProducts:
    """A science frame as far as it came; `error` says what stopped it, empty when nothing did."""

    status: int
    processed: Path | None = None
    bpmask: Path | None = None
    catalog: Path | None = None
    residuals: Path | None = None
    thumb: Path | None = None
    statistics: dict[str, float] = field(default_factory=dict)
    moonmean: float | None = None
    crval1: float | None = None
    crval2: float | None = None
    checksum: str = ""
    inputs: dict[str, str] = field(default_factory=dict)  #: file name -> checksum
    astrometry: dict[str, float] = field(default_factory=dict)  #: see mar.run.processed.astrometry_of
    failed_step: str = ""
    error: str = ""
    later: bool = False  #: what failed may go well later, with nothing changed
    remarks: list[str] = field(default_factory=list)  #: for the log
    warnings: list[str] = field(default_factory=list)  #: what an operator should look at


@dataclass(frozen=True)
class TileProducts:
    """A coadded tile."""

    tile: Path
    weight: Path
    count: Path
    catalog: Path
    thumb: Path
    weight_thumb: Path
    statistics: dict[str, float]
    crval1: float
    crval2: float
    date: datetime
    ncombine: int
    zeropoint: float | None
    fwhm: float | None  #: arcsec
    ellipticity: float | None
    depth: float | None  #: 5 sigma, mag
    astrometric_rms: float | None  #: arcsec, per axis
    checksum: str
    used: list[Path] = field(default_factory=list)
    dropped: list[Dropped] = field(default_factory=list)


@dataclass(frozen=True)
class ColourProducts:
    """A colour image."""

    image: Path
    preview: Path
    missing: list[str]
    pyramid: Path | None = None  #: .dzi of the picture at full size
    page: Path | None = None  #: plots of the field's quality
    pairs: "list[BandPair]" = field(default_factory=list)  #: how its bands lie to each other
