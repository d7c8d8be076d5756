"""The tasks that make tiles and colour images."""

from statistics import median

from mar import run
from mar.errors import MarError, NotEnoughFrames
from marserver.archive.models import FinalTile, FrameStatus, FrameType, IndividualFile
from marserver.errors import Conflict
from marserver.jobs.work import Report, Work
from marserver.reduction.plan.tiles import bands_done, good_tiles, nothing_ready, ready
from marserver.reduction.requests.images import process_fieldimage as ask_for_image
from marserver.reduction.site import absolute
from marserver.reduction.tasks import record
from marserver.reduction.tasks.masters import paths
from marserver.reduction.tasks.pace import Pace
from marserver.reduction.tasks.setup import Setup, setup_of

CENTRE_BAND = "R"  # the tiles of a field are centred where its R frames point
Centre = tuple[float, float]


def make_tile(work: Work, setup: Setup, field: str, band: str) -> FinalTile:
    """Coadd all valid frames of a field and band that are ready, and record the tile.

    Raises NotEnoughFrames where none is ready, and what the coadd raises.
    """
    work.band = band
    frames = ready_frames(field, band)
    if not frames:
        raise NotEnoughFrames(nothing_ready(field, band))
    with work.timed(f"tile {field} {band}"):
        try:
            products = run.tile(
                paths(frames),
                field,
                band,
                centre_of(field, band),
                setup.layout,
                setup.camera,
                setup.config,
                work.progress,
            )
        except NotEnoughFrames as error:
            record.no_tile(frames, error.left_out, setup)
            raise
    for dropped in products.dropped:
        work.warn(f"{dropped.path.name} left out of {field} {band}: {dropped.reason}")
    tile = record.tile(field, band, frames, products, setup)
    queue_colour_image(work, setup, field)
    return tile


def solve_together(work: Work, setup: Setup, wanted: list[tuple[str, str]]) -> None:
    """Solve the frames of each field together, in all bands whose tiles are wanted.

    Frames that cannot be keep their own solutions, and the log tells why. No other operation is on these
    tiles, so no other one reads these frames while their headers are written again.
    """
    if not setup.config.astrometry.joint:
        return
    for field in dict.fromkeys(field for field, _ in wanted):
        frames = [frame for name, band in wanted if name == field for frame in ready_frames(field, band)]
        if len(frames) < 2:
            continue
        work.check()
        with work.timed(f"{len(frames)} frames of {field} together"):
            solved = run.tie_together(paths(frames), setup.layout, setup.camera, setup.config)
        record.together(frames, solved)


def ready_frames(field: str, band: str) -> list[IndividualFile]:
    """The processed frames of a field and band that are ready to coadd, raw ones valid too."""
    return list(ready().filter(field=field, band=band).order_by("obs_date", "id"))


def centre_of(field: str, band: str) -> Centre | None:
    """Where the tiles of a field are centred (degrees), the same for all bands.

    A tile that exists decides, one of R first; else the R frames; else those of this band.
    """
    tiles = FinalTile.objects.filter(field=field, status=1, crval1__isnull=False, crval2__isnull=False)
    tile = tiles.filter(band=CENTRE_BAND).first() or tiles.order_by("id").first()
    if tile is not None and tile.crval1 is not None and tile.crval2 is not None:
        return tile.crval1, tile.crval2
    return middle(field, CENTRE_BAND) or middle(field, band)


def middle(field: str, band: str) -> Centre | None:
    """Where the frames of a field and band point (degrees): solved ones first, else as their headers say."""
    frames = IndividualFile.objects.filter(field=field, band=band, isvalid=True, crval1__isnull=False)
    solved = frames.filter(file_type=FrameType.PROCESSED, status__gte=FrameStatus.SOLVED)
    some = solved if solved.exists() else frames.filter(file_type=FrameType.SCI)
    points = [
        (ra, dec) for ra, dec in some.values_list("crval1", "crval2") if ra is not None and dec is not None
    ]
    if not points:
        return None
    first = points[0][0]  # right ascensions are compared around it: a field may lie across 0 h
    ra = median((ra - first + 180.0) % 360.0 - 180.0 for ra, _ in points)
    return (first + ra) % 360.0, median(dec for _, dec in points)


def queue_colour_image(work: Work, setup: Setup, field: str) -> None:
    """After the last band's tile of a field its colour image is made by itself."""
    if not set(setup.camera.band_names) <= bands_done(field):
        return
    try:
        done = ask_for_image(field=field, asked_by=work.job.user)
        work.info(f"all bands of {field} are done: {done.msg}")
    except Conflict:  # it waits already, and will take the new tile
        pass


def process_fieldimage(work: Work) -> Report:
    """Make the colour image of a field from the tiles that are done."""
    setup = setup_of(work)
    field = work.params["field"]
    tiles = list(good_tiles().filter(field=field))
    pace = Pace()
    with pace.of("images", 1):
        products = run.colour_image(
            {tile.band: absolute(tile.file_path or "") for tile in tiles},
            field,
            setup.layout,
            setup.camera,
            setup.config,
            bool(work.params.get("partial")),
            work.progress,
        )
    record.colour(field, tiles, products, setup)
    result = {"missing": products.missing, "pace": pace.spent}
    return Report(f"{field}: {products.image.name} of {len(tiles)} bands", result)


def make_tiles(work: Work, setup: Setup, wanted: list[tuple[str, str]]) -> dict[str, str]:
    """Coadd tiles one after another; gives the reasons of those that failed, by field and band."""
    failed: dict[str, str] = {}
    for number, (field, band) in enumerate(wanted):
        work.progress("coadd", number, len(wanted))
        try:
            make_tile(work, setup, field, band)
        except MarError as error:
            failed[f"{field} {band}"] = str(error)
            work.critical(f"tile {field} {band}: {error}")
    return failed
