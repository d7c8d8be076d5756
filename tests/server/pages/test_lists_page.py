"""The lists and pages of frames, tiles, colour images and blocks."""

import pytest
from nights import bias_master, frame, many

from marserver.archive.models import (
    BiasBlock,
    FieldImage,
    FinalTile,
    IndividualFile,
    Sci,
    SciBlock,
    SciByFilter,
)
from marserver.reduction import requests

pytestmark = pytest.mark.django_db
DAY = {"block_start_date": "2024-03-01", "block_end_date": "2024-03-02"}


def tile(**more):
    return FinalTile.objects.create(**{"field": "HYDRA", "band": "R", "status": 1, **more})


def text(browser, path, status=200):
    response = browser.get(path)
    assert response.status_code == status
    return response.content.decode()


@pytest.mark.parametrize("count", [5, 130])
def test_a_list_takes_the_same_queries_however_long(browser, count, django_assert_max_num_queries):
    many(count)
    with django_assert_max_num_queries(5):
        page = text(browser, "/frames")
    assert f"page 1, {min(count, 60)} rows" in page
    assert ("Next" in page) == (count > 60)


def test_frames_are_filtered_by_name_type_and_failure(browser):
    many(3)
    IndividualFile.objects.filter(file_name="bias-00001").update(failed_step="ov", error="no master")
    assert "bias-00002" in text(browser, "/frames?contains=00002")
    assert "bias-00001" not in text(browser, "/frames?contains=00002")
    assert "bias-00002" not in text(browser, "/frames?error=1")
    assert "failed at ov" in text(browser, "/frames?error=1")
    assert "No frame fits" in text(browser, "/frames?file_type=SCI")


def test_failed_frames_of_a_type(browser):
    many(2), many(2, "SCI")
    IndividualFile.objects.filter(file_name__endswith="1").update(failed_step="ov", error="no master")
    page = text(browser, "/frames?error=1&file_type=SCI")
    assert "sci-00001" in page
    assert not {word for word in ("sci-00000", "bias-00000", "bias-00001") if word in page}


def test_a_part_of_a_name_that_no_index_knows_is_asked_for_with_days(browser):
    many(1)
    assert "at least 3 characters" in text(browser, "/frames?contains=00")
    assert "bias-00000" in text(browser, "/frames?contains=00&start=2024-03-01")
    assert "at least 3" not in text(browser, "/tiles?contains=00")


def test_invalid_rows_are_shown_when_asked_for(browser):
    tile(field="FORNAX", isvalid=False)
    assert "FORNAX" not in text(browser, "/tiles")
    assert "FORNAX" in text(browser, "/tiles?valid=0")


@pytest.mark.parametrize(
    "query",
    ["start=yesterday", "start=2024-03-02&end=2024-03-01", "flag=many", "flag=99999", "order=password"],
)
def test_a_filter_that_makes_no_sense_is_told(browser, query):
    assert 'role="alert"' in text(browser, f"/tiles?{query}")


@pytest.mark.parametrize("query", ["page=0", "page=-1", "page=x", "page=99999999999999999999"])
def test_odd_addresses_do_no_harm(browser, query):
    tile()
    assert browser.get(f"/tiles?{query}").status_code == 200


def test_a_tile_names_the_frames_left_out_and_a_frame_how_it_was_solved(browser):
    made = tile(field="F1", band="R")
    sci = Sci.objects.create(
        sciraw=frame("raw"),
        ast_stars=234,
        ast_rms=8.13,
        ast_internal_rms=4.04,
        ast_chance=-291.0,
        ast_joint=6,
    )
    bad = frame("proc_raw", "PROCESSED", failed_step="co", error="clouds: 12 %", sci=sci)
    frame("proc_other", "PROCESSED")
    shown = text(browser, f"/tiles/{made.pk}")
    assert "clouds: 12 %" in shown
    assert "proc_other" not in shown
    shown = text(browser, f"/frames/{bad.pk}")
    for words in (
        "Left out of its tile.",
        "8.1 mas per axis",
        "4.0 to the other",
        "10^-291",
        "with 5 others",
    ):
        assert words in shown


def test_a_flag_is_told_in_the_words_of_the_configuration(browser):
    tile(flag=5)
    assert "seeing, background" in text(browser, "/tiles")
    assert "HYDRA" in text(browser, "/tiles?flag=4")
    assert "No tile fits" in text(browser, "/tiles?flag=2")


def test_a_tile_shows_its_frames_and_what_operators_may_do(browser, browser_of, bob):
    row = tile(fwhm=1.23)
    frames = many(2, "PROCESSED", band="R")
    row.composed_by.add(*IndividualFile.objects.filter(file_name__in=[one.file_name for one in frames]))
    requests.setflag("finaltiles", row.pk, 4, asked_by="alice")
    page = text(browser, f"/tiles/{row.pk}")
    assert "1.23 arcsec" in page
    assert frames[0].file_name in page
    assert "What would be done?" in page
    assert "setflag" in page  # in its history
    assert "What would be done?" not in text(browser_of(bob), f"/tiles/{row.pk}")


@pytest.mark.parametrize("count", [2, 40])
def test_a_tile_takes_the_same_queries_however_many_frames(browser, count, django_assert_max_num_queries):
    row = tile()
    many(count, "PROCESSED", band="R")
    row.composed_by.add(*IndividualFile.objects.all())
    with django_assert_max_num_queries(16):
        browser.get(f"/tiles/{row.pk}")


def test_a_frame_tells_where_it_belongs(browser):
    many(1)
    frame = IndividualFile.objects.get()
    block = BiasBlock.objects.create(**DAY)
    block.bias.add(frame)
    page = text(browser, f"/frames/{frame.pk}")
    assert f"biasblock {block.pk}" in page


def test_blocks_show_their_parts(browser):
    part = SciByFilter.objects.create(band="R", **DAY)
    block = SciBlock.objects.create(**DAY)
    block.sci_by_filter.add(part)
    assert f"scibyfilter {part.pk}" in text(browser, f"/blocks/sciblock/{block.pk}")
    assert f"sciblock {block.pk}" in text(browser, "/blocks/sciblock")
    assert "Take in a master" in text(browser, "/blocks/biasblock")


def test_a_colour_image_shows_its_bands(browser):
    row = tile()
    image = FieldImage.objects.create(field="HYDRA", file_path="TILES/HYDRA/HYDRA.png")
    page = text(browser, f"/images/{image.pk}")
    assert f"/tiles/{row.pk}" in page
    assert "/media/TILES/HYDRA/HYDRA.png" in page
    assert "HYDRA" in text(browser, "/images")


@pytest.mark.parametrize(
    "path",
    ["/frames/9", "/tiles/9", "/images/9", "/blocks/biasblock/9", "/blocks/nothing", "/blocks/nothing/9"],
)
def test_what_is_not_there_is_404(browser, path):
    assert browser.get(path).status_code == 404


def test_what_a_master_was_used_for_and_a_product_was_made_from_are_links(browser):
    raw, made = frame("sci-1"), frame("proc-1", "PROCESSED")
    master = bias_master(inputs=[{"path": "20240301/sci-1.fits", "checksum": "12"}, {"path": "gone.fits"}])
    sci = Sci.objects.create(sciraw=raw, master_bias_used=master)
    made.sci, made.raw_sci = sci, raw
    made.save()
    page = text(browser, f"/blocks/biasblock/{master.pk}")
    assert "Used by 1 science frame<" in page
    assert page.count(f'href="/frames/{raw.pk}"') == 2
    assert "gone.fits" in page


def test_a_tile_leads_to_its_colour_image(browser):
    image, row = FieldImage.objects.create(field="HYDRA"), tile()
    assert f'href="/images/{image.pk}"' in text(browser, f"/tiles/{row.pk}")
