"""A processed frame on disk: its mask, its catalogue, and the frame itself, which is written last."""

from pathlib import Path

import numpy as np
from astropy.io.fits import Header

from mar.camera import Camera
from mar.config import Config
from mar.exposure import read_exposure
from mar.frame import Frame, set_cards
from mar.io.catalogs import write_catalog
from mar.io.fits import read_header, replace_header, write_bytes, write_image
from mar.io.names import Layout
from mar.run.measure import Measured
from mar.run.products import ScienceProducts
from mar.run.provenance import provenance
from mar.run.thumbs import write_thumb
from mar.steps import moon, statistics

STATUS_CARD = "MAR STATUS"
INPUT_CARD = "MAR IN"


def processed_path(raw: Path, name: str, layout: Layout, camera: Camera, config: Config) -> Path:
    """Where the processed frame of a raw one stands; raises BadImage, BadHeader."""
    exposure = read_exposure(read_header(raw), camera, name)
    return layout.processed(name, exposure.band or "", exposure.night, config.config.fpack_processed)


def pixels_status(header: Header) -> int:
    """How far the pixels of a processed frame came: 1 detrended, 2 without fringes, 3 masked."""
    return int(header.get(STATUS_CARD, 0))


def finish_pixels(
    frame: Frame, status: int, inputs: dict[str, str], job: str, camera: Camera, config: Config
) -> Frame:
    """Add the cards that describe the pixels: status, statistics, moon, provenance."""
    exposure = frame.exposure
    assert exposure is not None  # read with its camera
    return (
        frame.with_cards(
            {STATUS_CARD: (status, "steps done on the pixels"), "BUNIT": ("adu", "unit of the pixels")}
        )
        .with_cards(statistics.cards(frame.data, camera, frame.mask))
        .with_cards(moon.moon_of(exposure, camera.site).cards() if exposure.ra_deg is not None else {})
        .with_cards(provenance(config, inputs, job))
    )


def write_processed(
    measured: Measured, raw_name: str, status: int, new_pixels: bool, layout: Layout, config: Config
) -> ScienceProducts:
    """Write mask, catalogue, residual plot and, last, the frame: whoever finds it finds the others too.

    Without `new_pixels` those on disk stay as they are: compressing them again would add noise.
    """
    frame = measured.frame
    exposure = frame.exposure
    assert exposure is not None  # read with its camera
    product = layout.processed(raw_name, exposure.band or "", exposure.night, config.config.fpack_processed)
    bpmask = layout.bpmask(raw_name)
    header = _kept(frame.header, config)
    set_cards(header, {"MAR MASK": (bpmask.name, "mask beside it")})
    write_image(bpmask, frame.own_mask(), header)
    catalog = residuals = None
    if measured.sources is not None:
        catalog = layout.frame_catalog(raw_name)
        write_catalog(catalog, measured.sources, header)
    if measured.plot:
        residuals = layout.residuals(raw_name)
        write_bytes(residuals, measured.plot)
    if new_pixels:
        checksum = write_image(product, frame.data, header)
    else:
        checksum = frame.checksum
        replace_header(product, header)
    remove_other_spelling(product)
    thumb = layout.thumb(product)
    write_thumb(thumb, frame.data, config.thumbs)
    return ScienceProducts(
        status,
        product,
        bpmask,
        catalog,
        residuals,
        thumb,
        statistics=statistics_of(header),
        moonmean=_number(header, "MOONMILL"),
        crval1=_number(header, "CRVAL1"),
        crval2=_number(header, "CRVAL2"),
        checksum=checksum,
        inputs=inputs_in(header),
        astrometry=astrometry_of(header),
    )


def _kept(header: Header, config: Config) -> Header:
    kept = header.copy()
    for card in config.config.remove_from_ind_header:
        kept.remove(card.removeprefix("HIERARCH "), ignore_missing=True, remove_all=True)
    return kept


def remove_other_spelling(product: Path) -> None:
    """After a change of FPACK_PROCESSED or FPACK_TILES no older product of the other spelling may stay."""
    other = product.with_suffix("") if product.suffix == ".fz" else product.with_name(f"{product.name}.fz")
    other.unlink(missing_ok=True)


def statistics_of(header: Header) -> dict[str, float]:
    """The five statistics by the names of the archive, from the cards of a product."""
    cards = {
        "modeavg": "NCMODE",
        "medianavg": "NCMIDPT",
        "noiseavg": "NCNOISE",
        "medianrms": "NCMIDRMS",
        "noiserms": "NCNOIRMS",
    }
    return {
        name: float(header[f"MAR QC {card}"]) for name, card in cards.items() if f"MAR QC {card}" in header
    }


def astrometry_of(header: Header) -> dict[str, float]:
    """How good the astrometric solution of a frame is, by the names of the archive; those that are known.

    Of frames that were solved together the rms to the reference is that of all of them.
    """
    if header.get("ASTROMETRY") != "SUCCESS":
        return {}
    cards = {
        "ast_stars": "NSTARS",
        "ast_east": "DEAST",
        "ast_north": "DNORTH",
        "ast_chi2": "CHI2",
        "ast_error": "ERR",
        "ast_chance": "CHANCE",
    }
    found = {name: header.get(f"MAR AST {card}") for name, card in cards.items()}
    found["ast_joint"] = header.get("MAR AST JOINT", 1)
    found["ast_rms"] = _per_axis(header, "REF") or _per_axis(header, "RMS")
    found["ast_internal_rms"] = _per_axis(header, "INT")
    return {name: float(value) for name, value in found.items() if value is not None}


def _per_axis(header: Header, name: str) -> float | None:
    """The rms of both axes as one of an axis, mas."""
    both = [header.get(f"MAR AST {name}{axis}") for axis in (1, 2)]
    return None if None in both else float(np.hypot(*both) / np.sqrt(2))


def _number(header: Header, card: str) -> float | None:
    value = header.get(card)
    return float(value) if value is not None and np.isfinite(value) else None


def inputs_in(header: Header) -> dict[str, str]:
    """The inputs that the header of a product names, with their checksums."""
    lines = [str(header[f"{INPUT_CARD}{n}"]) for n in range(1, int(header.get("MAR NINPUT", 0)) + 1)]
    return dict(line.rsplit(" ", 1) for line in lines)
