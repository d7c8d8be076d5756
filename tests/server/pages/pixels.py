"""Small images on the sky, in a data root and in the archive."""

from pathlib import Path

import numpy as np
from astropy.io.fits import Header
from astropy.table import Table
from nights import DAY, frame

from mar.io.catalogs import write_catalog
from mar.io.fits import write_image
from marserver.archive.models import BiasBlock, FinalTile

SHAPE = 700, 1100  # rows and columns: some tiles of the viewer each way


def sky_header(turn_deg=0.0, ra=0.01, dec=-25.0, shape=SHAPE) -> Header:
    """A tangent plane of 0.55 arcsec, turned; RA 0 lies within the image."""
    turn, scale = np.radians(turn_deg), 0.55 / 3600
    cards = {
        "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CUNIT1": "deg", "CUNIT2": "deg",
        "CRVAL1": ra, "CRVAL2": dec, "CRPIX1": (shape[1] + 1) / 2, "CRPIX2": (shape[0] + 1) / 2,
        "CD1_1": -scale * np.cos(turn), "CD1_2": scale * np.sin(turn),
        "CD2_1": scale * np.sin(turn), "CD2_2": scale * np.cos(turn), "BUNIT": "adu/s",
    }  # fmt: skip
    return Header(cards)


def noise(seed=1, shape=SHAPE) -> np.ndarray:
    """Pixels that all differ."""
    return np.random.default_rng(seed).normal(100, 10, shape).astype(np.float32)


def put(root: Path, path: str, data: np.ndarray, header: Header | None = None) -> str:
    """Write an image below the root; gives its path."""
    place = root / path
    place.parent.mkdir(parents=True, exist_ok=True)
    write_image(place, data, Header() if header is None else header)
    return path


def tile(root: Path, band="R", seed=1, suffix=".fits", **more) -> FinalTile:
    """A tile of F1 with noise, and its catalogue of three sources."""
    path = put(root, f"TILES/F1/F1_{band}_swp{suffix}", noise(seed), sky_header())
    catalogue = f"TILES/F1/F1_{band}_swp.cat"
    places = {
        "X_IMAGE": [10.0, 500.0, 1090.0],
        "Y_IMAGE": [10.0, 300.0, 690.0],
        "MAG_AUTO": [20.0, 15.0, 99.0],
    }
    write_catalog(root / catalogue, Table(places))
    return FinalTile.objects.create(
        field="F1", band=band, file_path=path, catalog_path=catalogue, status=1, **more
    )


def processed(root: Path, name="proc_a", turn_deg=3.0, **more):
    """A processed frame of F1; its mask has a saturated and hit pixel (x 3, y 2), and a trail in row 10."""
    header = sky_header(turn_deg)
    path = put(root, f"PROCESSED/R/{name}.fits.fz", noise(7), header)
    mask = np.zeros(SHAPE, np.uint8)
    mask[1, 2] = 2 + 4
    mask[9] = 8
    bpmask = put(root, f"PROCESSED/BPMASK/{name}.fits.fz", mask)
    found = frame(name, "PROCESSED", bpmask=bpmask, **more)
    found.file_path = path
    found.save()
    return found


def bias(root: Path) -> BiasBlock:
    """A master bias without coordinates."""
    path = put(root, "MASTERS/BIAS/b.fits", noise(3, (300, 200)))
    return BiasBlock.objects.create(block_start_date=DAY, block_end_date=DAY, status=1, master_path=path)
