"""How strong the simulated effects are: frozen, documented numbers with their units."""

from pydantic import BaseModel, ConfigDict, Field

from mar.simulate.trails import Kind

EXPOSURES_S = {
    "U": 227.0,
    "F378": 220.0,
    "F395": 118.0,
    "F410": 59.0,
    "F430": 57.0,
    "G": 33.0,
    "F515": 61.0,
    "R": 40.0,
    "F660": 290.0,
    "I": 46.0,
    "F861": 80.0,
    "Z": 56.0,
}


class Conditions(BaseModel):
    """The night, the telescope and the chip in numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seeing_arcsec: float = Field(1.5, gt=0, description="Median FWHM of a star, arcsec")
    seeing_scatter: float = Field(0.08, ge=0, description="Relative scatter of the FWHM between frames")
    moffat_beta: float = Field(3.0, gt=1, description="Exponent of the Moffat profile of a star")
    ellipticity: float = Field(0.03, ge=0, lt=0.5, description="1 - b/a of a star, typical of a frame")
    rotation_deg: float = Field(0.6, description="Position angle of the chip, degrees")
    distortion_px: float = Field(3.0, description="Displacement by the optics in the corner, pixels")
    pointing_error_arcsec: float = Field(15.0, ge=0, description="Scatter of the true pointing, arcsec")
    dither_arcsec: float = Field(20.0, ge=0, description="Step of the dither pattern, arcsec")
    transparency_scatter: float = Field(0.03, ge=0, description="Light that thin clouds take, typical")
    density: float | None = Field(
        None, gt=0, description="Stars per area relative to a high galactic latitude; None: by field size"
    )
    faintest_mag: float = Field(22.0, description="Faintest star or galaxy painted, R magnitude")
    reference_mag: float = Field(18.5, description="Limit of the reference catalogue, R magnitude")
    proper_motion_mas: float = Field(8.0, ge=0, description="Proper motion per axis, rms, mas/yr")
    cosmic_rate: float = Field(0.15, ge=0, description="Cosmic-ray tracks per Mpixel and second")
    cosmic_floor: float = Field(10.0, ge=0, description="Tracks per Mpixel in even the shortest exposure")
    trail_fraction: float = Field(0.15, ge=0, le=1, description="Frames with a satellite, beside every third")
    trail_kind: Kind = Field("satellite", description="What leaves the trails")
    fringe_amplitude: float = Field(0.02, ge=0, description="Amplitude of the fringes relative to the sky")
    bias_adu: float = Field(1000.0, description="Bias level, ADU")
    drift_adu: float = Field(4.0, ge=0, description="Change of the bias level along the rows, ADU")
    flat_adu: float = Field(24000.0, gt=0, description="Mean level of a twilight flat, ADU")
    exposure_s: dict[str, float] = Field(default_factory=lambda: dict(EXPOSURES_S))

    def exptime_of(self, band: str) -> float:
        """Exposure time in `band`, seconds; 60 where the band is not in the table."""
        return self.exposure_s.get(band, 60.0)
