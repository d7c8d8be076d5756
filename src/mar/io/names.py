"""Every folder and product name below the data root."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

FOLDERS = (
    "MASTERS/BIAS",
    "MASTERS/FLATS",
    "MASTERS/FRINGE",
    "PROCESSED",
    "PROCESSED/BPMASK",
    "SEXTRACTOR",
    "SCAMP",
    "SWARP",
    "THUMBS",
    "TILES",
    "LOGS",
    "CONFIG",
    "REFCAT",
    "TMP",
)
PRODUCT_FOLDERS = tuple(dict.fromkeys(folder.split("/")[0] for folder in FOLDERS))
"""Folders that a scan passes by."""


@dataclass(frozen=True)
class Layout:
    """The data root, and where each product stands in it."""

    root: Path
    packs: Path | None = None  #: folder of reference catalogues, where it is not in the root
    job: str = ""  #: operation that products are made for, as their headers tell it

    def make_folders(self) -> None:
        """Make every folder that is not there yet."""
        for folder in FOLDERS:
            (self.root / folder).mkdir(parents=True, exist_ok=True)

    def relative(self, path: Path) -> str:
        """A path as the database holds it: relative to the root."""
        return path.relative_to(self.root).as_posix()

    @property
    def scratch(self) -> Path:
        """Folder of files that no one misses."""
        return self.root / "TMP"

    @property
    def reference(self) -> Path:
        """Folder of reference catalogues."""
        return self.packs or self.root / "REFCAT"

    def master_bias(self, start: date, end: date) -> Path:
        """Master bias of those days."""
        return self.root / "MASTERS" / "BIAS" / f"masterbias{_days(start, end)}.fits"

    def hot_mask(self, start: date, end: date) -> Path:
        """Hot-pixel mask beside the master bias."""
        return self.root / "MASTERS" / "BIAS" / f"hotmask{_days(start, end)}.fits"

    def master_flat(self, band: str, start: date, end: date) -> Path:
        """Master flat of a band."""
        return self.root / "MASTERS" / "FLATS" / band / f"masterflat{_days(start, end)}.fits"

    def cold_mask(self, band: str, start: date, end: date) -> Path:
        """Cold-pixel mask beside the master flat."""
        return self.root / "MASTERS" / "FLATS" / band / f"coldmask{_days(start, end)}.fits"

    def superflat(self, band: str, start: date, end: date) -> Path:
        """Fringe frame of a band."""
        return self.root / "MASTERS" / "FRINGE" / f"superflat_{band}{_days(start, end)}.fits"

    def processed(self, raw_name: str, band: str, night: date, compressed: bool) -> Path:
        """Processed frame of a raw one."""
        folder = self.root / "PROCESSED" / band / night.strftime("%Y%m%d")
        return folder / f"proc_{raw_name}.fits{'.fz' if compressed else ''}"

    def bpmask(self, raw_name: str) -> Path:
        """Mask of a processed frame."""
        return self.root / "PROCESSED" / "BPMASK" / f"bpmask_proc_{raw_name}.fits.fz"

    def frame_catalog(self, raw_name: str) -> Path:
        """Catalogue of a processed frame."""
        return self.root / "SEXTRACTOR" / f"proc_{raw_name}.cat"

    def residuals(self, raw_name: str) -> Path:
        """Residual plot of the astrometric solution of a frame."""
        return self.root / "SCAMP" / f"proc_{raw_name}.png"

    def tile(self, field: str, band: str, compressed: bool, kind: str = "") -> Path:
        """Tile of a field and band; `kind` is empty, `weight` or `count`."""
        return self.root / "TILES" / field / f"{field}_{band}_swp{kind}.fits{'.fz' if compressed else ''}"

    def tile_catalog(self, field: str, band: str) -> Path:
        """Catalogue of a tile."""
        return self.root / "TILES" / field / f"{field}_{band}_swp.cat"

    def tile_page(self, field: str, band: str) -> Path:
        """Plots of the quality of a tile."""
        return self.root / "TILES" / field / f"{field}_{band}_quality.png"

    def field_page(self, field: str) -> Path:
        """Plots of the quality of a field in all its bands."""
        return self.root / "TILES" / field / f"{field}_quality.png"

    def colour_image(self, field: str) -> Path:
        """Colour image of a field, small enough to be looked at whole."""
        return self.root / "TILES" / field / f"{field}.png"

    def pyramid(self, field: str) -> Path:
        """The same at full size, as a Deep Zoom image; its tiles are in `<field>_files` beside it."""
        return self.root / "TILES" / field / f"{field}.dzi"

    def thumb(self, product: Path) -> Path:
        """Thumbnail of a product."""
        inside = product.relative_to(self.root).parent.as_posix().replace("/", "-")
        return self.root / "THUMBS" / inside / f"{product.name.removesuffix('.fz').removesuffix('.fits')}.png"


def _days(start: date, end: date) -> str:
    return f"{start:%Y%m%d}-{end:%Y%m%d}"
