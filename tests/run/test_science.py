"""One science frame: from where it stands, as far as asked for; a bad one says why and breaks nothing."""

import numpy as np
import pytest
from astropy.io import fits
from PIL import Image

from mar import run
from mar.config import config_from_dict
from mar.errors import NotEnoughFrames
from mar.io.fits import read_frame, read_header, read_image, read_mask, stem, write_image


@pytest.fixture
def raw(masters_made):
    return masters_made.raws()[0]


def pixels(path):
    return read_image(path)[0]


def test_the_product_tells_how_it_was_made(masters_made, frames_made, raw):
    header = read_header(frames_made[stem(raw)].processed)
    inputs = dict(str(header[f"MAR IN{n}"]).split() for n in range(1, header["MAR NINPUT"] + 1))
    made = masters_made
    for path in (raw, made.bias.master, made.flats["R"].master):
        assert inputs[path.name] == read_frame(path).checksum
    assert header["ASTROMETRY"] == "SUCCESS"
    assert header["MAR STATUS"] == 3
    assert header["MAR BIAS"].startswith(made.bias.master.name)
    for card in (
        "MAR QC NCMODE",
        "MAR QC OUT16 NCNOISE",
        "OVERSCAN",
        "MOONMILL",
        "MAR PRO FWHMMEAN",
        "MAR CONFIG",
    ):
        assert card in header
    assert not {"BZERO", "BSCALE"} & set(header)


def test_steps_one_by_one_give_the_pixels_of_all_at_once(masters_made, frames_made, fresh, raw):
    status = 0
    for step, after in (("ov", 1), ("sf", 2), ("mc", 3), ("am", 5)):
        uncompressed = config_from_dict({"config": {"FPACK_PROCESSED": False}})
        products = masters_made.science(raw, status, step, fresh, config=uncompressed)
        assert (products.status, products.error) == (after, "")
        status = products.status
    whole = masters_made.science(raw, layout=fresh, config=uncompressed)
    np.testing.assert_array_equal(pixels(products.processed), pixels(whole.processed))
    stepwise = frames_made[stem(raw)]
    np.testing.assert_array_equal(read_mask(products.bpmask), read_mask(stepwise.bpmask))


def test_a_frame_that_is_set_back_does_not_lose_its_bias_twice(masters_made, fresh, raw):
    first = masters_made.science(raw, 0, "ov sf mc", fresh)
    before = pixels(first.processed)
    again = masters_made.science(raw, 1, "sf mc", fresh)
    assert (again.status, again.error) == (3, "")
    np.testing.assert_array_equal(pixels(again.processed), before)


def test_astrometry_again_changes_no_pixel(masters_made, fresh, raw):
    first = masters_made.science(raw, layout=fresh)
    before = pixels(first.processed)
    again = masters_made.science(raw, 3, "am", fresh)
    assert (again.status, again.error, again.checksum) == (5, "", first.checksum)
    assert not again.later
    figures = again.astrometry
    assert 0 < figures["ast_rms"] < 30
    assert figures["ast_stars"] > 50
    assert figures["ast_chance"] < -20
    assert {"ast_east", "ast_north", "ast_chi2", "ast_error"} < set(figures)
    assert (figures["ast_joint"], figures.get("ast_internal_rms")) == (1, None)
    np.testing.assert_array_equal(pixels(again.processed), before)
    assert read_header(again.processed)["CRVAL1"] == pytest.approx(first.crval1, abs=1e-6)


def test_steps_that_are_done_do_not_run_again(masters_made, frames_made, raw):
    product = frames_made[stem(raw)].processed
    before = product.stat().st_mtime_ns
    assert masters_made.science(raw, 5, "ov sf mc am").status == 5
    assert product.stat().st_mtime_ns == before


def test_later_steps_need_the_first(masters_made, fresh, raw):
    products = masters_made.science(raw, 0, "mc am", fresh)
    assert (products.status, products.failed_step) == (0, "mc")
    assert "needs ov first" in products.error


def test_a_frame_without_flat_fails_and_writes_nothing(masters_made, fresh, raw):
    products = masters_made.science(raw, layout=fresh, masters=masters_made.masters(flat=None))
    assert (products.status, products.failed_step) == (0, "ov")
    assert "no master flat" in products.error
    assert not list(fresh.root.glob("PROCESSED/*/*/*"))
    assert not list(fresh.root.glob("**/*.tmp"))


def test_a_sky_without_reference_stars_leaves_a_frame_that_says_failed(masters_made, fresh, raw):
    for pack in fresh.reference.iterdir():
        pack.unlink()
    products = masters_made.science(raw, layout=fresh)
    assert (products.status, products.failed_step) == (3, "am")
    assert "mar refcat add" in products.error
    assert products.later, "a pack may be there later"
    assert products.astrometry == {}
    header = read_header(products.processed)
    assert header["ASTROMETRY"] == "FAILED"
    assert "CRVAL1" not in header
    with pytest.raises(NotEnoughFrames, match="no astrometric solution"):
        run.tile([products.processed], "F", "R", None, fresh, masters_made.camera, masters_made.config)


def truncated(raw, folder):
    path = folder / "truncated.fits"
    path.write_bytes(raw.read_bytes()[:-500_000])
    return path


def with_header(raw, folder, name, change):
    data, header = read_image(raw)
    change(header)
    write_image(folder / name, data, header)
    return folder / name


def text_file(raw, folder):
    path = folder / "text.fits"
    path.write_text("dear diary")
    return path


def too_small(raw, folder):
    data, header = read_image(raw)
    write_image(folder / "small.fits", data[:100], header)
    return folder / "small.fits"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (truncated, "truncated"),
        (text_file, "not a FITS file"),
        (too_small, "100"),
        (lambda raw, folder: with_header(raw, folder, "a.fits", lambda h: h.remove("FILTER")), "no filter"),
        (lambda raw, folder: with_header(raw, folder, "b.fits", lambda h: h.remove("DATE-OBS")), "no date"),
    ],
)
def test_a_bad_frame_fails_with_its_reason_and_writes_nothing(
    masters_made, fresh, raw, tmp_path, spoil, said
):
    products = masters_made.science(spoil(raw, tmp_path), layout=fresh)
    assert (products.status, products.failed_step) == (0, "ov")
    assert said in products.error
    assert not list(fresh.root.glob("PROCESSED/*/*/*"))


def test_compressed_raw_frames_give_the_same_product(masters_made, fresh, raw, tmp_path):
    data, header = read_image(raw)
    packed = tmp_path / f"{raw.name}.fz"
    write_image(packed, data, header)
    from_packed = pixels(masters_made.science(packed, code="ov sf mc", layout=fresh).processed)
    from_plain = pixels(masters_made.science(raw, code="ov sf mc", layout=fresh).processed)
    np.testing.assert_array_equal(from_packed, from_plain)


def test_the_page_of_a_tile_lies_beside_it(tile_made):
    field_band = tile_made.tile.name.partition("_swp")[0]
    page = tile_made.tile.with_name(f"{field_band}_quality.png")
    with Image.open(page) as picture:
        ink = np.asarray(picture.convert("L")) < 200
    ny, nx = ink.shape
    for panel in (ink[: ny // 2, : nx // 2], ink[: ny // 2, nx // 2 :], ink[ny // 2 :, nx // 2 :]):
        assert panel[60:-60, 100:-60].sum() > 300  # arrows, points, whiskers


def test_products_are_standard_fits(frames_made, tile_made):
    for path in (next(iter(frames_made.values())).processed, tile_made.tile, tile_made.weight):
        with fits.open(path, checksum=True) as hdus:
            hdus.verify("exception")
