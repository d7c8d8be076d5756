"""Takes one exposure at a time: bias, twilight flat or science frame."""

import numpy as np
from astropy.table import Table

from mar.bands import Band
from mar.camera import Camera
from mar.masks import Bit, empty_mask
from mar.simulate.chance import chance
from mar.simulate.conditions import Conditions
from mar.simulate.cosmics import add_cosmics
from mar.simulate.detector import Detector
from mar.simulate.effects import Effects
from mar.simulate.fringes import fringe_pattern
from mar.simulate.glow import Moon, moon_at, sky_adu_s
from mar.simulate.headers import raw_header
from mar.simulate.paint import bleed_columns
from mar.simulate.readout import add_shot_noise, full_well_e, read_out
from mar.simulate.records import Exposed, FrameTruth, Shot
from mar.simulate.scene import Psf, draw_psf, paint_sources, plane
from mar.simulate.sky import at_epoch
from mar.simulate.trails import Trail, add_kind, draw_trail, told
from mar.simulate.wcs import TrueWcs, make_wcs

_ROWS_AT_A_TIME = 64  # so that the rows at work stay in the processor's cache
_MOON_GRADIENT = 0.10  # of the moonlight, from one side of the field to the other


class Simulator:
    """A camera at a telescope; the same seed gives the same frames, in whatever order they are taken."""

    def __init__(
        self,
        camera: Camera,
        *,
        conditions: Conditions | None = None,
        effects: Effects | None = None,
        seed: int = 1,
    ) -> None:
        self.camera = camera
        self.conditions = conditions or Conditions()
        self.effects = effects or Effects()
        self.seed = seed
        self.detector = Detector(camera, self.conditions, self.effects, seed)

    def bias(self, shot: Shot) -> Exposed:
        """A readout of the unexposed chip."""
        image = np.zeros(self.camera.shape, dtype=np.float32)
        self.detector.add_defect_charge(image, 0.0)
        return self._finish(shot, image, empty_mask(self.camera.shape), self._truth(shot))

    def flat(self, shot: Shot) -> Exposed:
        """An exposure of the twilight sky, with a faint gradient and a few stars."""
        rng = self._chance(shot, "light")
        level = self.conditions.flat_adu * rng.uniform(0.75, 1.25)
        direction = (rng.normal(), rng.normal())
        image = np.full(self.camera.shape, level * self.camera.gain, dtype=np.float32)
        if self.effects.sky:
            self._by_rows(image, lambda y0, y1: 1 + 0.002 * plane(self.camera.shape, direction, y0, y1))
        if self.effects.stars:
            self._paint_twilight_stars(image, level, rng)
        mask = self._detect(shot, image, empty_mask(self.camera.shape))
        return self._finish(shot, image, mask, self._truth(shot, sky_adu=level))

    def science(self, shot: Shot, sources: Table) -> Exposed:
        """An exposure of the night sky with these `sources`."""
        band = self._band(shot)
        rng = self._chance(shot, "light")
        psf = draw_psf(self.conditions, self.effects, self.camera.pixel_scale_arcsec, rng)
        dimming = (
            abs(rng.normal(0, self.conditions.transparency_scatter)) if self.effects.transparency else 0.0
        )
        zeropoint = band.zeropoint_adu_s + 2.5 * np.log10(1 - min(dimming, 0.5))
        wcs = self.true_wcs(shot)
        image = np.zeros(self.camera.shape, dtype=np.float32)
        self._paint_sources(image, shot, sources, wcs, zeropoint, psf)
        sky_adu, moon_adu = self._add_sky(image, shot, wcs)
        mask = empty_mask(self.camera.shape)
        trails = self._add_trails(image, mask, shot, sky_adu, psf)
        tracks = self._count_cosmics(shot)
        mask = self._detect(shot, image, mask, tracks)
        truth = self._truth(
            shot,
            sky_adu=sky_adu,
            moon_adu=moon_adu,
            zeropoint=zeropoint,
            fwhm_px=psf.fwhm_px,
            beta=psf.beta,
            ellipticity=float(np.hypot(psf.e1, psf.e2)),
            fringe_amplitude=self._fringe_amplitude(band),
            wcs=wcs,
            trails=tuple(told(trail, self.conditions.trail_kind) for trail in trails),
            cosmics=tracks,
        )
        return self._finish(shot, image, mask, truth)

    def uniform(self, shot: Shot, level_adu: float) -> Exposed:
        """A frame lit evenly with `level_adu` above the bias; no sky, no sources."""
        image = np.full(self.camera.shape, level_adu * self.camera.gain, dtype=np.float32)
        tracks = self._count_cosmics(shot)
        mask = self._detect(shot, image, empty_mask(self.camera.shape), tracks)
        return self._finish(shot, image, mask, self._truth(shot, sky_adu=level_adu, cosmics=tracks))

    def true_wcs(self, shot: Shot) -> TrueWcs:
        """Where the telescope really looked."""
        conditions, effects = self.conditions, self.effects
        east = north = 0.0
        if effects.pointing_error:
            of_field, of_frame = chance(self.seed, "pointing", shot.field), self._chance(shot, "pointing")
            east, north = of_field.normal(0, conditions.pointing_error_arcsec / 3600, 2)
            east, north = np.array([east, north]) + of_frame.normal(0, 1.0 / 3600, 2)
        return make_wcs(
            self.camera.shape,
            self.camera.pixel_scale_arcsec,
            (float(shot.ra + east / np.cos(np.radians(shot.dec))), float(shot.dec + north)),
            rotation_deg=conditions.rotation_deg if effects.rotation else 0.0,
            distortion_px=conditions.distortion_px if effects.distortion else 0.0,
            north_up=self.camera.north_up,
            east_left=self.camera.east_left,
        )

    def moon(self, shot: Shot) -> Moon | None:
        """The moon during the exposure; None where it is switched off."""
        if not self.effects.moon:
            return None
        return moon_at(self.camera.site, shot.began, shot.ra, shot.dec)

    def _paint_sources(
        self, image: np.ndarray, shot: Shot, sources: Table, wcs: TrueWcs, zeropoint: float, psf: Psf
    ) -> None:
        year = shot.began.year + shot.began.timetuple().tm_yday / 365.25
        x, y = wcs.sky_to_pixel(*at_epoch(sources, year))
        counts_adu = 10 ** (0.4 * (zeropoint - sources[f"MAG_{shot.band}"].data)) * shot.exptime_s
        sized = sources.copy(copy_data=False)
        sized["RE_PX"] = sources["RE"] / self.camera.pixel_scale_arcsec
        paint_sources(image, sized, x, y, counts_adu * self.camera.gain, psf)

    def _add_sky(self, image: np.ndarray, shot: Shot, wcs: TrueWcs) -> tuple[float, float]:
        """Add the sky with its gradients and fringes; gives its level and the moon's part in ADU."""
        if not self.effects.sky:
            return 0.0, 0.0
        band, moon, shape = self._band(shot), self.moon(shot), self.camera.shape
        sky, moonlight = sky_adu_s(band, self.camera.pixel_scale_arcsec**2, moon)
        sky, moonlight = sky * shot.exptime_s, moonlight * shot.exptime_s
        angle = np.radians(moon.angle_deg) if moon else 0.0
        to_moon = np.linalg.inv(np.array(wcs.cd)) @ [np.sin(angle), np.cos(angle)]
        amplitude = self._fringe_amplitude(band)
        for y0 in range(0, shape[0], _ROWS_AT_A_TIME):
            y1 = min(y0 + _ROWS_AT_A_TIME, shape[0])
            light = sky + moonlight * _MOON_GRADIENT * plane(shape, (to_moon[0], to_moon[1]), y0, y1)
            if amplitude:
                light = light * (1 + amplitude * fringe_pattern(shape, self.seed, y0, y1))
            image[y0:y1] += light * np.float32(self.camera.gain)
        return float(sky), float(moonlight)

    def _fringe_amplitude(self, band: Band) -> float:
        wanted = band.fringed and self.effects.fringes and self.effects.sky
        return self.conditions.fringe_amplitude if wanted else 0.0

    def _add_trails(
        self, image: np.ndarray, mask: np.ndarray, shot: Shot, sky_adu: float, psf: Psf
    ) -> list[Trail]:
        """Every third exposure has a satellite, and some others by chance."""
        rng = self._chance(shot, "trails")
        if not self.effects.trails:
            return []
        if shot.number % 3 != 1 and rng.uniform() > self.conditions.trail_fraction:
            return []
        noise = np.sqrt(sky_adu * self.camera.gain + self.camera.read_noise_e**2)
        trail = draw_trail(self.camera.shape, float(noise), psf.fwhm_px / 2.355, rng)
        add_kind(image, mask, self.conditions.trail_kind, trail, self.camera.read_noise_e, rng)
        return [trail]

    def _paint_twilight_stars(self, image: np.ndarray, level: float, rng: np.random.Generator) -> None:
        ny, nx = image.shape
        count = 4 + int(ny * nx / 4e6)
        stars = Table({"KIND": np.full(count, "star")})
        psf = Psf(self.conditions.seeing_arcsec / self.camera.pixel_scale_arcsec, 3.0, 0.0, 0.0)
        flux = level * 10 ** rng.uniform(-0.5, 0.8, count)
        paint_sources(image, stars, rng.uniform(0, nx, count), rng.uniform(0, ny, count), flux, psf)

    def _count_cosmics(self, shot: Shot) -> int:
        if not self.effects.cosmics:
            return 0
        mpix = self.camera.shape[0] * self.camera.shape[1] / 1e6
        rate = max(self.conditions.cosmic_rate * shot.exptime_s, self.conditions.cosmic_floor)
        return int(self._chance(shot, "cosmics").poisson(rate * mpix))

    def _detect(self, shot: Shot, image: np.ndarray, mask: np.ndarray, tracks: int = 0) -> np.ndarray:
        """Turn the light of `image` into charge, in place: sensitivity, noise, defects, tracks, bleeding."""
        band = self._band(shot) if shot.band else None
        self._by_rows(image, lambda y0, y1: self.detector.response(band, y0, y1))
        if self.effects.shot_noise:
            add_shot_noise(image, self._chance(shot, "shot noise"))
        self.detector.add_defect_charge(image, shot.exptime_s)
        add_cosmics(image, mask, tracks, self.camera.read_noise_e, self._chance(shot, "tracks"))
        if self.effects.bleeding and image.max() > (full := full_well_e(self.detector)):
            bleed_columns(image, np.float32(full), mask, np.uint8(Bit.SATURATED))
        return mask

    def _by_rows(self, image: np.ndarray, factor) -> None:  # type: ignore[no-untyped-def]
        for y0 in range(0, image.shape[0], _ROWS_AT_A_TIME):
            y1 = min(y0 + _ROWS_AT_A_TIME, image.shape[0])
            image[y0:y1] *= factor(y0, y1)

    def _finish(self, shot: Shot, image: np.ndarray, mask: np.ndarray, truth: FrameTruth) -> Exposed:
        raw, levels = read_out(image, mask, self.detector, shot.name, self._chance(shot, "read noise"))
        truth.bias_adu.update(levels)
        return Exposed(raw, raw_header(shot, self.camera), mask, truth)

    def _truth(self, shot: Shot, **known) -> FrameTruth:  # type: ignore[no-untyped-def]
        return FrameTruth(
            name=shot.name,
            type=shot.type.value,
            band=shot.band,
            field=shot.field,
            date_obs=shot.began.isoformat(),
            exptime_s=shot.exptime_s,
            **known,
        )

    def _band(self, shot: Shot) -> Band:
        return self.camera.band(shot.band or "")

    def _chance(self, shot: Shot, what: str) -> np.random.Generator:
        return chance(self.seed, what, shot.name)
