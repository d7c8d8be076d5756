"""Headers as the control system of the telescope writes them: numbers as text, HIERARCH, a rough WCS."""

from datetime import datetime, timedelta

from astropy.coordinates import Angle
from astropy.io.fits import Header

from mar.camera import Amplifier, Camera, Section
from mar.exposure import FrameType
from mar.simulate.glow import airmass, altitude_deg
from mar.simulate.records import Shot

_PREFIX = "HIERARCH T80S"
_ADU_MAX_E = 123500.0


def raw_header(shot: Shot, camera: Camera) -> Header:
    """The header of a raw frame, with the cards that the camera file names."""
    header = Header()
    header["ORIGIN"] = ("T80S", "Site name (in config)")
    header["TELESCOP"], header["INSTRUME"] = "T80S", camera.name
    header["AUTHOR"] = ("chimera", "author of the data")
    header["FILENAME"] = (f"{shot.name}.fits", "name of the file")
    header["BUNIT"] = ("adu", "physical units of the array values")
    _add_type(header, shot, camera)
    _add_times(header, shot, camera)
    header[camera.header.object[0]] = (_object(shot), "name of observed object")
    if shot.band:
        header[camera.header.filter[0]] = (shot.band, "Filter used for this observation")
    _add_site(header, camera)
    if shot.type is FrameType.SCI:
        _add_pointing(header, shot, camera)
        _add_rough_wcs(header, shot, camera)
    _add_detector(header, shot, camera)
    return header


def _object(shot: Shot) -> str:
    return {FrameType.BIAS: "bias", FrameType.FLAT: "skyflat"}.get(shot.type, shot.field)


def _add_type(header: Header, shot: Shot, camera: Camera) -> None:
    """Observers do not always set the type: every other frame is known by its file name only."""
    words = {FrameType.BIAS: camera.frames.bias[0], FrameType.FLAT: camera.frames.flat[0]}
    word, card = words.get(shot.type, "object"), camera.frames.cards[0]
    if card != "FILENAME" and ("FILENAME" not in camera.frames.cards or shot.number % 2 == 0):
        header[card] = word.upper()


def _add_times(header: Header, shot: Shot, camera: Camera) -> None:
    began, ended = shot.began, shot.began + timedelta(seconds=shot.exptime_s)
    local = timedelta(hours=camera.site.utc_offset_h)
    date_card = camera.header.date_obs[0]
    if date_card == "DATE-OBS" or not camera.header.time_obs:
        header[date_card] = (_iso(began), "Date exposure started")
    else:
        header[date_card] = began.date().isoformat()
        header[camera.header.time_obs[0]] = began.time().isoformat("milliseconds")
    if camera.header.local_time:
        span = f"{(began + local):%H:%M:%S} to {(ended + local):%H:%M:%S}"
        header[camera.header.local_time[0]] = (span, "local time of the exposure")
    exposure = camera.header.exptime
    header[exposure[0]] = (shot.exptime_s, "exposure time in seconds")
    for card in exposure[1:]:
        header[card] = (f" {shot.exptime_s} ", "Requested exposure time (sec)")


def _iso(moment: datetime) -> str:
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds")


def _add_site(header: Header, camera: Camera) -> None:
    site = camera.site
    header["LATITUDE"] = (Angle(site.latitude_deg, "deg").to_string(sep=":", precision=3), "Site latitude")
    header["LONGITUD"] = (Angle(site.longitude_deg, "deg").to_string(sep=":", precision=3), "Site longitude")
    header["ALTITUDE"] = (f"{site.height_m:.0f}", "Site altitude")
    header[f"{_PREFIX} TEL GEOELEV"] = f"{site.height_m:.0f}"
    header[f"{_PREFIX} TEL GEOLAT"] = f"{site.latitude_deg:.10f}"
    header[f"{_PREFIX} TEL GEOLON"] = f"{site.longitude_deg:.10f}"


def _add_pointing(header: Header, shot: Shot, camera: Camera) -> None:
    cards = camera.header
    if cards.ra and cards.dec:
        ra = Angle(shot.ra % 360, "deg").to_string(unit="hourangle", sep=":", precision=3, pad=True)
        dec = Angle(shot.dec, "deg").to_string(sep=":", precision=3, pad=True, alwayssign=True)
        header[cards.ra[0]] = (ra, "Right ascension of the observed object")
        header[cards.dec[0]] = (dec, "Declination of the observed object")
    altitude = altitude_deg(camera.site, shot.began, shot.ra, shot.dec)
    header["ALT"] = Angle(altitude, "deg").to_string(sep=":", precision=3, alwayssign=True)
    if cards.airmass:
        header[cards.airmass[0]] = (airmass(altitude), "air mass")
    header[f"{_PREFIX} TEL AIRM START"] = (f"{airmass(altitude):.5f}", "Airmass at start of exposure")
    header[f"{_PREFIX} TEL EL START"] = f" {altitude:.5f} "
    header[f"{_PREFIX} TEL TRAK STATUS"] = ("TRACKING GOOD", "Tracking status")


def _add_rough_wcs(header: Header, shot: Shot, camera: Camera) -> None:
    """A plain tangent plane about the middle of the raw frame, where the telescope was told to look."""
    rows, columns = camera.raw_shape
    scale = camera.pixel_scale_arcsec / 3600
    header["RADESYS"], header["EQUINOX"] = ("ICRS", "frame of reference"), 2000.0
    header["CTYPE1"], header["CTYPE2"] = "RA---TAN", "DEC--TAN"
    header["CUNIT1"], header["CUNIT2"] = "deg", "deg"
    header["CRVAL1"], header["CRVAL2"] = shot.ra % 360, shot.dec
    header["CRPIX1"], header["CRPIX2"] = (columns + 1) / 2, (rows + 1) / 2
    header["CD1_1"], header["CD1_2"] = (-scale if camera.east_left else scale), 0.0
    header["CD2_1"], header["CD2_2"] = 0.0, (scale if camera.north_up else -scale)


def _add_detector(header: Header, shot: Shot, camera: Camera) -> None:
    ny, nx = camera.shape
    det = f"{_PREFIX} DET"
    header[f"{_PREFIX} INS PIXSCALE"] = (f" {camera.pixel_scale_arcsec:.4f} ", "Pixel scale (arcsec)")
    header[f"{_PREFIX} INS TEMP"] = (" -110.0 ", "Instrument temperature")
    header[f"{det} NAME"] = ("e2v CCD290-99", "Name of detector system")
    header[f"{det} CCDS"] = (" 1      ", "Number of CCDs in the mosaic")
    header[f"{det} NX"], header[f"{det} NY"] = nx, ny
    header[f"{det} EXP TYPE"] = "DARK" if shot.type is FrameType.BIAS else "LIGHT"
    header[f"{det} READ SPEED"] = "1 MHz"
    header[f"{det} OUTPUTS"] = (f" {len(camera.amplifiers)} ", "Number of output ports used on chip")
    for amplifier in camera.amplifiers:
        _add_output(header, f"{det} {amplifier.id}", amplifier)


def _add_output(header: Header, word: str, amplifier: Amplifier) -> None:
    header[f"{word} ID"] = " 00     "
    header[f"{word} NX"] = f" {amplifier.science.shape[1]} "
    header[f"{word} NY"] = f" {amplifier.science.shape[0]} "
    header[f"{word} IMSC"] = f" {amplifier.science.to_fits()} "
    header[f"{word} PRSCX"] = _section(amplifier.prescan_x)
    header[f"{word} PRSCY"] = _section(amplifier.prescan_y)
    header[f"{word} OVSCX"] = _section(amplifier.overscan_x)
    header[f"{word} OVSCY"] = _section(amplifier.overscan_y)
    header[f"{word} GAIN"] = f" {amplifier.gain:.2f} "
    header[f"{word} RON"] = f" {amplifier.read_noise_e:.4f} "
    header[f"{word} SATUR"] = f" {_ADU_MAX_E} "


def _section(section: Section | None) -> str:
    return f" {section.to_fits()} " if section else ""
