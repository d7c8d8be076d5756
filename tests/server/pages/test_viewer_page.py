"""The image viewer: what the server answers is held against the FITS read by astropy."""

import io
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from django.test import Client
from nights import frame
from PIL import Image
from pixels import SHAPE, bias, noise, processed, put, sky_header, tile

from mar.errors import BadImage
from mar.io.tile_index import IndexedFrame, index_writer
from mar.kernels.runs import CLIPPED, USED
from mar.masks import Bit
from mar.steps.pyramid import description
from marserver.archive.models import FieldImage, IndividualFile
from marserver.reduction.pictures import overview, picture
from marserver.reduction.pictures.shared import Shared
from marserver.web import viewer_answers

pytestmark = pytest.mark.django_db

FULL = 11  # 2^11 pixels hold the longer side


@pytest.fixture(autouse=True)
def _nothing_kept():
    for kept in (picture.bands, picture.pictures, picture.overviews, picture.limits):
        kept.clear()


def pixels(response) -> np.ndarray:
    assert response.status_code == 200, response.content
    assert response["Content-Type"] == "image/png"
    return np.asarray(Image.open(io.BytesIO(response.content)))


def stored(root, path) -> np.ndarray:
    """An image as astropy reads it, last row first."""
    with fits.open(root / path) as hdus:
        return next(hdu.data for hdu in hdus if hdu.data is not None)[::-1].astype(np.float64)


def grey(values, low, high):
    return np.floor(255 * np.clip((values - low) / (high - low), 0, 1) + 0.5)


@pytest.mark.parametrize("suffix", [".fits", ".fits.fz"])
@pytest.mark.parametrize(("x", "y"), [(0, 0), (2, 0), (1, 1)])
def test_a_tile_at_full_resolution_is_a_crop_of_the_file(browser, root, suffix, x, y):
    row = tile(root, suffix=suffix)
    shown = pixels(browser.get(f"/view/tile/{row.pk}/tile/{FULL}/{x}_{y}?low=80&high=120&stretch=linear"))
    crop = stored(root, row.file_path)[512 * y : 512 * (y + 1), 512 * x : 512 * (x + 1)]
    assert shown.shape == crop.shape
    assert np.abs(shown - grey(crop, 80, 120)).max() <= 1  # where float32 and float64 round apart


@pytest.mark.parametrize("down", [1, 2, 3, 11])
def test_smaller_levels_are_means_of_blocks(browser, root, down):
    row = tile(root)
    shown = pixels(browser.get(f"/view/tile/{row.pk}/tile/{FULL - down}/0_0?low=80&high=120"))
    step, values = 2**down, stored(root, row.file_path)
    ny, nx = (-(-length // step) for length in SHAPE)
    naive = [
        [values[step * y : step * (y + 1), step * x : step * (x + 1)].mean() for x in range(nx)]
        for y in range(ny)
    ]
    assert shown.shape == (min(512, ny), min(512, nx))
    # blocks at the edge count as whole ones from the second mean on: they may differ by a little
    inner = np.s_[: SHAPE[0] // step or 1, : min(512, SHAPE[1] // step or 1)]
    assert np.abs(shown - grey(np.array(naive), 80, 120)[:512, :512])[inner].max() <= (1 if down < 11 else 3)


def test_up_is_up_and_left_is_left(browser, root):
    data = np.zeros((40, 60), np.float32)
    data[39, 0] = 1  # FITS pixel x 1, y 40: left above
    row = tile(root)
    put(root, row.file_path, data)
    shown = pixels(browser.get(f"/view/tile/{row.pk}/tile/6/0_0?low=0&high=1"))
    assert shown[0, 0] == 255
    assert shown.sum() == 255


def test_pixels_without_a_value_are_black_and_left_out_of_means(browser, root):
    data = noise()
    data[-4:, :4] = np.nan
    data[-8, 0] = np.nan
    row = tile(root)
    put(root, row.file_path, data)
    shown = pixels(browser.get(f"/view/tile/{row.pk}/tile/{FULL - 2}/0_0?low=0&high=200"))
    assert shown[0, 0] == 0
    assert shown[1, 0] == grey(np.nanmean(data[-8:-4, :4].astype(np.float64)), 0, 200)


@pytest.mark.parametrize(
    ("curve", "formula"),
    [
        ("sqrt", np.sqrt),
        ("asinh", lambda t: np.arcsinh(10 * t) / np.arcsinh(10)),
        ("log", lambda t: np.log(1 + 1000 * t) / np.log(1001)),
    ],
)
def test_curves(browser, root, curve, formula):
    row = tile(root)
    shown = pixels(browser.get(f"/view/tile/{row.pk}/tile/{FULL}/0_0?low=80&high=120&stretch={curve}"))
    part = np.clip((stored(root, row.file_path)[:512, :512] - 80) / 40, 0, 1)
    assert np.abs(shown - np.floor(255 * formula(part) + 0.5)).max() <= 1


def test_a_mask_is_shown_by_bits_and_every_marked_pixel_survives_zooming_out(browser, root):
    row = processed(root)
    path = f"/view/frame/{row.pk}/mask/{FULL}/0_1"
    both = pixels(browser.get(f"{path}?bits=255"))
    down = SHAPE[0] - 512  # rows of the lower tiles
    assert (both[down - 10, :, 3] > 0).all()  # the trail
    assert both[down - 2, 2, 3] > 0
    trail = pixels(browser.get(f"{path}?bits={int(Bit.TRAIL)}"))
    assert trail[down - 2, 2, 3] == 0
    assert (trail[..., 3] > 0).sum() == 512
    far = pixels(browser.get(f"/view/frame/{row.pk}/mask/{FULL - 4}/0_0?bits={int(Bit.COSMIC)}"))
    assert (far[..., 3] > 0).sum() == 1


def test_value_bits_and_sky_of_a_pixel(browser, root):
    row = processed(root)
    answer = browser.get(f"/view/frame/{row.pk}/value?x=3.2&y=1.8").json()
    with fits.open(root / row.file_path) as hdus:
        value, header = hdus[1].data[1, 2], hdus[1].header
    assert (answer["x"], answer["y"]) == (3, 2)
    assert answer["value"] == pytest.approx(float(value), rel=1e-6)
    assert answer["bits"] == ["saturated", "cosmic"]
    ra, dec = WCS(header).wcs_pix2world(3.2, 1.8, 1)
    assert (answer["ra"], answer["dec"]) == (pytest.approx(ra, abs=1e-6), pytest.approx(dec, abs=1e-6))


def test_the_lattice_gives_the_sky_also_across_ra_0(browser, root):
    row = tile(root)
    lattice = browser.get(f"/view/tile/{row.pk}/info").json()["lattice"]
    to = np.array(lattice["to"]).reshape(17, 17, 3)
    x, y = np.meshgrid(lattice["x"], lattice["y"])
    ra, dec = np.radians(WCS(sky_header()).wcs_pix2world(x, y, 1))
    assert np.ptp(ra) > 6  # it does cross
    naive = np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=-1)
    assert np.abs(to - naive).max() < 1e-9


def test_a_turned_frame_is_placed_on_a_tile_by_the_sky(browser, root):
    frame_, on = processed(root, turn_deg=3.0), tile(root)
    place = browser.get(f"/view/frame/{frame_.pk}/info?on=tile-{on.pk}").json()["placed"]
    assert place["width"] == pytest.approx(SHAPE[1], abs=0.1)
    assert place["x"] == pytest.approx(0, abs=0.1)
    assert abs(place["degrees"]) == pytest.approx(3.0, abs=0.01)
    # a corner, turned about the middle as the browser does it, lies where astropy says
    turn = np.exp(1j * np.radians(place["degrees"]))
    middle = complex(place["x"] + place["width"] / 2, place["y"] + SHAPE[0] / 2)
    corner = middle + turn * complex(-SHAPE[1] / 2, SHAPE[0] / 2)  # displayed: left below
    sky = WCS(sky_header(3.0)).wcs_pix2world(0.5, 0.5, 1)
    x, y = WCS(sky_header()).wcs_world2pix(*sky, 1)
    assert corner.real == pytest.approx(x - 0.5, abs=0.1)
    assert corner.imag == pytest.approx(SHAPE[0] + 0.5 - y, abs=0.1)


def test_bands_of_a_field_lie_on_each_other(browser, root):
    one, other = tile(root, "R"), tile(root, "G")
    place = browser.get(f"/view/tile/{other.pk}/info?on=tile-{one.pk}").json()["placed"]
    assert place == pytest.approx({"x": 0, "y": 0, "width": SHAPE[1], "degrees": 0}, abs=1e-4)


def test_sources_in_view_are_told_brightest_first(browser, root):
    row = tile(root)
    path = f"/view/tile/{row.pk}/catalogue?which=sources&x0=0&y0=0&y1=700"
    assert browser.get(f"{path}&x1=2000").json() == {
        "count": 3,
        "marks": [[500.0, 300.0, 15.0], [10.0, 10.0, 20.0], [1090.0, 690.0, None]],
    }
    assert browser.get(f"{path}&x1=100").json()["count"] == 1


def test_without_reference_stars_it_is_said(browser, root):
    answer = browser.get(f"/view/tile/{tile(root).pk}/catalogue?which=reference&x0=0&x1=9&y0=0&y1=9")
    assert answer.status_code == 404
    assert "no reference pack" in answer.json()["msg"]


def test_frames_that_cover_a_pixel_are_named_where_the_tile_has_no_index(browser, root):
    row, there = tile(root), processed(root)
    away = frame("proc_away", "PROCESSED")
    away.file_path = put(root, "PROCESSED/R/away.fits", noise(2), sky_header(ra=40))
    away.save()
    row.composed_by.set([there, away])
    answer = browser.get(f"/view/tile/{row.pk}/origin?x=550&y=350&zoom=2").content.decode()
    assert "proc_a" in answer
    assert "proc_away" not in answer
    assert f'href="/view/frame/{there.pk}?x=' in answer


def test_the_index_of_a_tile_tells_what_became_of_a_pixel_of_each_frame(browser, root):
    row, made = tile(root), processed(root)
    ny, nx = SHAPE
    counts = np.ones(ny, np.int64)
    used, clipped = (np.full(ny, 4 * nx + fate, np.uint16) for fate in (USED, CLIPPED))
    weight = np.full((7, 10), 0.25, np.float32)
    frames = [
        IndexedFrame(name, "1", SHAPE, sky_header(3.0), weight) for name in ("proc_a", "proc_forgotten")
    ]
    with index_writer(root / "TMP/runs") as writer:
        writer.write_band([(used, counts), (clipped, counts)])
        writer.finish(root / "TILES/F1/F1_R_swpframes.fits", frames, sky_header())
    answer = browser.get(f"/view/tile/{row.pk}/origin?x=550&y=350").content.decode()
    assert f'href="/view/frame/{made.pk}?x=' in answer
    assert "0.2500" in answer
    assert "rejected" in answer
    assert "without an index" not in answer


def test_limits_pass_by_what_has_no_data(browser, root):
    data = noise()
    data[:400] = 0
    row = tile(root)
    put(root, row.file_path, data)
    limits = browser.get(f"/view/tile/{row.pk}/info").json()["limits"]
    low, high = np.percentile(data[400:], [0.5, 99.5])
    assert limits["99 %"] == [pytest.approx(low, abs=0.5), pytest.approx(high, abs=0.5)]
    assert limits["zscale"][0] > 50


def test_an_image_made_again_is_shown_anew(browser, root):
    row = bias(root)
    path = f"/view/bias/{row.pk}/tile/7/0_0?low=0&high=200"
    before = pixels(browser.get(path))
    put(root, row.master_path, noise(4, (301, 200)))
    assert not np.array_equal(before, pixels(browser.get(path)))


def test_overviews_are_kept_and_the_oldest_removed(browser, root, monkeypatch):
    row = tile(root)
    path = f"/view/tile/{row.pk}/tile/5/0_0?low=80&high=120"
    first = pixels(browser.get(path))
    (kept,) = overview.folder().iterdir()
    picture.overviews.clear()
    monkeypatch.setattr(overview, "make", lambda *args: pytest.fail("it was made again"))
    assert np.array_equal(pixels(browser.get(path)), first)
    monkeypatch.undo()
    overview.prune(overview.folder(), kept.stat().st_size)
    assert kept.exists()
    overview.prune(overview.folder(), kept.stat().st_size - 1)
    assert not kept.exists()


def test_a_broken_overview_is_made_again(browser, root):
    row = tile(root)
    path = f"/view/tile/{row.pk}/tile/5/0_0?low=80&high=120"
    first = pixels(browser.get(path))
    (kept,) = overview.folder().iterdir()
    kept.write_bytes(b"\x93NUMPY nonsense")
    picture.overviews.clear()
    assert np.array_equal(pixels(browser.get(path)), first)


def test_a_raw_frame_is_shown_without_its_overscan(browser, small_site, root):
    from marserver.reduction import site

    camera = site.camera()
    raw = np.random.default_rng(2).integers(900, 1100, camera.raw_shape).astype(np.uint16)
    row = frame("raw-1")
    row.file_path = put(root, "20240301/raw-1.fits", raw)
    row.save()
    whole = browser.get(f"/view/frame/{row.pk}/info").json()
    cut = browser.get(f"/view/trimmed/{row.pk}/info").json()
    assert (whole["height"], whole["width"]) == camera.raw_shape
    assert (cut["height"], cut["width"]) == camera.shape
    upper = camera.amplifiers[-1]
    y, x = upper.trimmed.y0, upper.trimmed.x0
    value = browser.get(f"/view/trimmed/{row.pk}/value?x={x + 1}&y={y + 1}").json()["value"]
    assert value == raw[upper.science.y0, upper.science.x0]


def test_colour_images_have_the_sky_of_their_tiles_and_the_pyramid_beside_them(browser, root):
    tile(root)
    small = SHAPE[0] // 2, SHAPE[1] // 2  # measured in the pixels of the tiles all the same
    Image.fromarray(np.zeros((*small, 3), np.uint8)).save(root / "TILES/F1/F1.png")
    image = FieldImage.objects.create(field="F1", file_path="TILES/F1/F1.png")
    about = browser.get(f"/view/image/{image.pk}/info").json()
    assert (about["width"], about["height"]) == SHAPE[::-1]
    assert about["lattice"]
    assert about["media"] == "/media/TILES/F1/F1.png"
    (root / "TILES/F1/F1.dzi").write_text("<Image/>")
    assert browser.get(f"/view/image/{image.pk}/info").json()["media"] == "/media/TILES/F1/F1.dzi"
    (root / "TILES/F1/F1.dzi").write_text(description((4000, 3000, 3), "jpg"))
    about = browser.get(f"/view/image/{image.pk}/info").json()
    assert (about["width"], about["height"]) == (3000, 4000)  # the PNG is smaller
    assert browser.get(f"/view/image/{image.pk}").status_code == 200
    assert browser.get(f"/view/image/{image.pk}/value?x=1&y=1").status_code == 404


REFUSED = {
    "tile/99/0_0?low=1&high=2": 404,
    "tile/11/9_9?low=1&high=2": 404,
    "tile/11/99999999999999999999_0?low=1&high=2": 404,
    "tile/11/0_0": 400,
    "tile/11/0_0?low=nan&high=2": 400,
    "tile/11/0_0?low=2&high=1": 400,
    "tile/11/0_0?low=-1e300&high=1e300": 400,
    "tile/11/0_0?low=1&high=2&stretch=x": 400,
    "mask/11/0_0?bits=1": 404,
    "mask/11/0_0?bits=1e9": 400,
    "value?x=inf&y=1": 400,
    "value?x=0&y=1": 404,
    "value?x=1e6&y=1": 404,
    "value": 400,
    "catalogue?x0=1&x1=2&y0=1": 400,
    "catalogue?x0=1&x1=2&y0=1&y1=2&which=x": 400,
    "origin?x=5000&y=1": 404,
    "info?on=tile-": 404,
    "info?on=tile-99999999999999999999999": 404,
}


def test_what_cannot_be_is_refused_in_a_sentence(browser, root):
    row = tile(root)
    answers = {rest: browser.get(f"/view/tile/{row.pk}/{rest}") for rest in REFUSED}
    assert {rest: answer.status_code for rest, answer in answers.items()} == REFUSED
    assert all(answer.json()["msg"] for answer in answers.values())


def test_when_too_much_is_asked_it_is_told_to_come_again(browser, root, monkeypatch):
    row = tile(root)
    monkeypatch.setattr(viewer_answers, "room", threading.BoundedSemaphore(1))
    with viewer_answers.room:
        answer = browser.get(f"/view/tile/{row.pk}/info")
    assert (answer.status_code, answer["Retry-After"]) == (503, "2")
    assert browser.get(f"/view/tile/{row.pk}/info").status_code == 200


def test_what_many_ask_for_is_made_once_and_bounded():
    shared, made = Shared(100, len), []

    def make():
        made.append(threading.get_ident())
        time.sleep(0.05)
        return "x" * 60

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: shared.get("one", make), range(16)))
    assert found == ["x" * 60] * 16
    assert len(made) == 1
    shared.get("two", lambda: "y" * 60)
    assert (shared.peek("one"), shared.used) == (None, 60)


def test_what_could_not_be_made_is_tried_again():
    shared = Shared(100, len)
    with pytest.raises(BadImage):
        shared.get("one", lambda: (_ for _ in ()).throw(BadImage("not yet")))
    assert shared.get("one", lambda: "x") == "x"


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../outside.fits", "CONFIG/secret_key", "TILES/gone.fits", None]
)
def test_files_that_are_not_there_or_not_to_be_shown_are_a_clear_page(browser, root, path):
    row = tile(root)
    (root.parent / "outside.fits").write_bytes(b"secret")
    row.file_path = path
    row.save()
    page = browser.get(f"/view/tile/{row.pk}", headers={"Accept": "text/html"})
    assert page.status_code == 404
    assert "cannot be shown" in page.content.decode()
    assert browser.get(f"/view/tile/{row.pk}/info").status_code == 404


def test_a_link_out_of_what_may_be_shown_is_not_followed(browser, root):
    row = tile(root)
    (root / row.file_path).rename(root.parent / "outside.fits")
    (root / row.file_path).symlink_to(root.parent / "outside.fits")
    assert browser.get(f"/view/tile/{row.pk}/info").status_code == 404
    (root / "TMP").mkdir(exist_ok=True)
    (root.parent / "outside.fits").rename(root / "TMP/hidden.fits")
    (root / row.file_path).unlink()
    (root / row.file_path).symlink_to(root / "TMP/hidden.fits")
    assert browser.get(f"/view/tile/{row.pk}/info").status_code == 404


def test_unknown_images_are_a_clear_page_and_damaged_ones_are_said(browser, root):
    for path in ("/view/tile/77", "/view/nothing/1", "/view/tile/99999999999999999999999"):
        page = browser.get(path, headers={"Accept": "text/html"})
        assert (page.status_code, "cannot be shown" in page.content.decode()) == (404, True)
    row = tile(root)
    (root / row.file_path).write_text("no FITS")
    answer = browser.get(f"/view/tile/{row.pk}/info")
    assert answer.status_code == 422
    assert "F1_R_swp.fits" in answer.json()["msg"]


def test_the_page_says_what_it_can_show_and_takes_few_queries(
    browser_of, bob, root, django_assert_max_num_queries
):
    one = tile(root)
    for band in ("U", "G", "I"):
        tile(root, band)
    browser = browser_of(bob)
    with django_assert_max_num_queries(5):
        page = browser.get(f"/view/tile/{one.pk}").content.decode()
    assert page.count('name="blink"') == 3
    assert "style=" not in page.split("<mar-viewer")[1].split("</mar-viewer>")[0]
    with django_assert_max_num_queries(3):
        browser.get(f"/view/tile/{one.pk}/tile/5/0_0?low=1&high=2")


def test_before_and_after_are_offered(browser, root):
    raw = frame("a")
    raw.file_path = put(root, "20240301/a.fits", noise(5), None)
    made = processed(root, raw_sci=raw)
    raw.processed = made
    raw.save()
    assert f'value="trimmed-{raw.pk}"' in browser.get(f"/view/frame/{made.pk}").content.decode()
    assert "Before and after" in browser.get(f"/view/frame/{raw.pk}").content.decode()
    together = browser.get(f"/view/frame/{raw.pk}?blink={made.pk}")["Location"]
    assert together == f"/view/trimmed/{raw.pk}?blink=frame-{made.pk}"
    assert f'value="frame-{made.pk}"' in browser.get(together).content.decode()
    assert IndividualFile.objects.count() == 2


def test_a_master_is_called_as_its_block_too_and_leads_to_it(browser, root):
    row = bias(root)
    page = browser.get(f"/view/biasblock/{row.pk}").content.decode()
    assert f'href="/blocks/biasblock/{row.pk}"' in page
    assert f'data-url="/view/bias/{row.pk}"' in page


def test_dark_stars_on_a_bright_sky(browser, root):
    path = f"/view/tile/{tile(root).pk}/tile/5/0_0?low=80&high=120"
    assert np.array_equal(pixels(browser.get(path + "&invert=1")), 255 - pixels(browser.get(path)))


def test_nothing_is_shown_without_a_login(root, db):
    row = tile(root)
    assert Client().get(f"/view/tile/{row.pk}")["Location"].startswith("/login?next=")
    part = Client().get(f"/view/tile/{row.pk}/tile/5/0_0?low=1&high=2", headers={"HX-Request": "true"})
    assert part.status_code == 401


def test_the_mask_of_a_master_is_an_image_and_leads_to_its_block(browser, root):
    row = bias(root)
    mask = np.zeros((300, 200), np.uint8)
    mask[4, 5] = 1
    row.mask_path = put(root, "MASTERS/BIAS/b_mask.fits", mask)
    row.save()
    page = browser.get(f"/view/biasmask/{row.pk}").content.decode()
    assert f'href="/blocks/biasblock/{row.pk}"' in page
    info = browser.get(f"/view/biasmask/{row.pk}/info").json()
    assert info["limits"]["zscale"] == [0, 1]
    assert browser.get(f"/view/biasmask/{row.pk}/value?x=6&y=5").json()["value"] == 1
    assert browser.get(f"/view/bias/{row.pk}/info").json()["mask"] is True
    assert info["mask"] is False


def test_bits_are_offered_where_only_what_it_is_blinked_with_has_a_mask(browser, root):
    made = processed(root)
    other = processed(root, "proc_b")
    other.bpmask = None
    other.save()
    page = browser.get(f"/view/frame/{other.pk}").content.decode()
    assert 'name="bit"' in page
    made.delete()
    assert 'name="bit"' not in browser.get(f"/view/frame/{other.pk}").content.decode()


def test_a_thumbnail_is_made_of_the_file(browser, root):
    row = processed(root)
    answer = browser.get(f"/view/frame/{row.pk}/thumb")
    with Image.open(io.BytesIO(answer.content)) as image:
        assert image.size == (-(-1100 // 4), -(-700 // 4))
        low, high = image.getextrema()
        assert low < 100 < high
    assert f'src="/view/frame/{row.pk}/thumb"' in browser.get(f"/frames/{row.pk}").content.decode()
    (root / row.file_path).unlink()
    assert browser.get(f"/view/frame/{row.pk}/thumb").status_code == 404
    assert "/thumb" not in browser.get(f"/frames/{row.pk}").content.decode()
