"""Reference catalogues: packs of stars on disk, for astrometry and photometry."""

import os
from pathlib import Path


def refcat_folder(root: Path) -> Path:
    """Where packs live: $MAR_REFCAT, else REFCAT below the data root."""
    chosen = os.environ.get("MAR_REFCAT", "")
    return Path(chosen) if chosen else root / "REFCAT"
