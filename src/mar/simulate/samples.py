"""Small simulated frames in memory, with their truth, for tests of single steps."""

from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
from astropy.io.fits import Header
from astropy.table import Table

from mar.camera import Camera, load_camera
from mar.exposure import FrameType, read_exposure
from mar.frame import Frame
from mar.simulate.conditions import Conditions
from mar.simulate.detector import Detector
from mar.simulate.effects import Effects
from mar.simulate.records import FrameTruth, Shot
from mar.simulate.simulator import Simulator
from mar.simulate.sky import SkyField, make_sources
from mar.simulate.truth import place_in_frame
from mar.simulate.wcs import TrueWcs

_CHIP = (
    "offsets",
    "drift",
    "structure",
    "hot_pixels",
    "cold_pixels",
    "bad_columns",
    "vignetting",
    "dust",
    "pixel_response",
)
_BEGAN = datetime(2024, 3, 2, 1, 0, tzinfo=UTC)


class RawSample(NamedTuple):
    """A raw frame and what is true of it."""

    raw: Frame
    truth: FrameTruth
    mask: np.ndarray  #: trimmed, bits SATURATED and COSMIC
    detector: Detector  #: its response, structure and defects


class SkyFrame(NamedTuple):
    """A science frame as it is once bias and flat are done, and what is true of it."""

    data: np.ndarray  #: (ny, nx) float32, ADU, sky included
    mask: np.ndarray  #: truth: bits SATURATED, COSMIC, TRAIL
    sources: Table  #: with X, Y (zero-based pixels) and FLUX (ADU)
    wcs: TrueWcs
    header: Header  #: of the raw frame, with a rough WCS about the middle
    sky_adu: float
    noise_adu: float  #: of a pixel of plain sky
    truth: FrameTruth
    camera: Camera  #: one amplifier without strips; gain and read noise


def simulate_raw(
    camera: Camera,
    level: float = 500.0,
    seed: int = 1,
    *,
    kind: FrameType = FrameType.SCI,
    band: str | None = None,
    exptime_s: float = 40.0,
    conditions: Conditions | None = None,
    effects: Effects | None = None,
    name: str = "",
    **switches: bool,
) -> RawSample:
    """A raw frame lit evenly with `level` ADU above the bias.

    By default each amplifier has its own bias level, read and photon noise and nothing else; further
    effects are switched by name: `simulate_raw(camera, drift=True, shot_noise=False)`. A bias takes no light.
    """
    effects = effects or Effects.only("offsets", "read_noise", "shot_noise")
    asked = {name for name in Effects.names() if getattr(effects, name)}
    asked = asked - {name for name, on in switches.items() if not on} | {
        n for n, on in switches.items() if on
    }
    simulator = Simulator(camera, conditions=conditions, effects=Effects.only(*asked), seed=seed)
    band = None if kind is FrameType.BIAS else band or camera.band_names[-1]
    word = {FrameType.BIAS: "bias", FrameType.FLAT: "skyflat"}.get(kind, "sample")
    exptime_s = 0.0 if kind is FrameType.BIAS else exptime_s
    shot = Shot(name or f"{word}-{seed}", kind, band, "SPLUS-s25s10", _BEGAN, exptime_s, 110.0, -25.0, 0)
    exposed = simulator.bias(shot) if kind is FrameType.BIAS else simulator.uniform(shot, level)
    exposure = read_exposure(exposed.header, camera, shot.name)
    frame = Frame(exposed.raw, exposed.header, None, exposure, f"{shot.name}.fits", "")
    return RawSample(frame, exposed.truth, exposed.mask, simulator.detector)


def simulate_sky_frame(
    shape: tuple[int, int] = (600, 600),
    seed: int = 1,
    *,
    band: str = "R",
    density: float = 8.0,
    exposure: int = 0,
    exptime_s: float | None = None,
    conditions: Conditions | None = None,
    effects: Effects | None = None,
) -> SkyFrame:
    """A science frame of a perfect chip: stars, galaxies, sky, cosmic rays, trail, saturation, noise.

    Frames of one seed show the same field; `exposure` tells its dithered exposures apart. `density` is that
    of the stars (see Conditions). Every third exposure (1, 4...) has a satellite trail.
    """
    camera = plain_camera(shape)
    conditions = (conditions or Conditions()).model_copy(update={"density": density})
    effects = (effects or Effects()).without(*_CHIP)
    simulator = Simulator(camera, conditions=conditions, effects=effects, seed=seed)
    field = SkyField("SPLUS-s25s10", 110.0, -25.0)
    step = conditions.dither_arcsec / 3600 * exposure if effects.dither else 0.0
    exptime_s = conditions.exptime_of(band) if exptime_s is None else exptime_s
    name = f"S20240302T0100{exposure:02d}_s25s10_{band}"
    shot = Shot(
        name,
        FrameType.SCI,
        band,
        field.name,
        _BEGAN,
        exptime_s,
        field.ra + step,
        field.dec + step / 2,
        exposure,
    )
    size = tuple((side * camera.pixel_scale_arcsec + 240) / 3600 for side in shape)
    sources = make_sources(field, (size[0], size[1]), camera.filters, conditions, effects, seed)
    exposed = simulator.science(shot, sources)
    truth = exposed.truth
    placed = place_in_frame(sources, truth)
    placed["FLUX"] = 10 ** (0.4 * ((truth.zeropoint or 0.0) - placed[f"MAG_{band}"])) * exptime_s
    noise = np.sqrt(truth.sky_adu / camera.gain + (camera.read_noise_e / camera.gain) ** 2)
    data = exposed.raw.astype(np.float32) - np.float32(conditions.bias_adu)
    assert truth.wcs is not None
    return SkyFrame(
        data, exposed.mask, placed, truth.wcs, exposed.header, truth.sky_adu, float(noise), truth, camera
    )


def plain_camera(shape: tuple[int, int]) -> Camera:
    """The filters, site and headers of t80cam with one amplifier of that shape and no strips."""
    ny, nx = shape
    values = load_camera("t80cam-mini").model_dump(by_alias=True)
    values |= {
        "name": "plain",
        "raw_columns": nx,
        "raw_rows": ny,
        "order": [["OUT1"]],
        "outputs": [{"id": "OUT1", "science": f"[1:{nx},1:{ny}]"}],
    }
    return Camera.model_validate(values)
