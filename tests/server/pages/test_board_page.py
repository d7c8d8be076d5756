"""The board: fields by bands, a field, the survey above it."""

import re
from datetime import timedelta
from math import radians, sin

import pytest
from django.test import Client
from nights import BANDS, DAY, frame, noon

from marserver.archive import fields
from marserver.archive.cells import State, cells_of
from marserver.archive.models import FinalTile, IndividualFile
from marserver.web.board_cells import Scale
from marserver.web.board_sky import HEIGHT, WIDTH, project, sky

pytestmark = pytest.mark.django_db


def tile(name, band="R", **more):
    """A tile that is done."""
    values = {"status": 1, "date": noon(), "crval1": 10.0, "crval2": -30.0, **more}
    return FinalTile.objects.create(field=name, band=band, **values)


def one_of_each():
    """A field whose bands are in every state."""
    frame("raw", band="U", fld="S1")
    frame("gone", band="Z", fld="S1", isvalid=False)
    frame("done", band="G", fld="S1", status=5)
    frame("proc", "PROCESSED", band="G", fld="S1", status=5)
    frame("bad", band="I", fld="S1", failed_step="am", error="no stars")
    frame("bad-but-coadded", band="R", fld="S1", failed_step="am", error="no stars")
    tile("S1", "R", depth=21.5, fwhm=1.2)
    tile("S1", "F378", flag=3, comments="trail <b>")
    tile("S1", "F395", status=0)
    frame("again", band="F395", fld="S1")


def states_of(name):
    return {cell.band: cell.state for cell in cells_of([name], BANDS)[name]}


def shown(browser, query=""):
    """The text of the page, and of each field's row its cells' classes."""
    page = browser.get("/" + query).content.decode()
    rows = re.findall(r'<tr data-field="([^"]*)">(.*?)</tr>', page, re.S)
    return page, {name: re.findall(r'class="cell (\w+)" data-band="(\w+)"', row) for name, row in rows}


def test_each_cell_has_its_state():
    one_of_each()
    states = states_of("S1")
    assert states["U"] == State.RAW
    assert states["Z"] == State.NOTHING
    assert states["G"] == State.PROCESSED
    assert states["I"] == State.FAILED
    assert states["R"] == State.TILE
    assert states["F378"] == State.FLAGGED
    assert states["F395"] == State.RAW  # its tile is to be made again


def test_an_invalid_tile_does_not_count():
    tile("S1", isvalid=False)
    assert states_of("S1")["R"] == State.NOTHING


def test_the_page_shows_states_by_style_mark_and_words(browser):
    one_of_each()
    page, rows = shown(browser)
    assert ("flagged", "F378") in rows["S1"]
    assert ("failed", "I") in rows["S1"]
    assert ">F</a>" in page
    assert "S1 F378: tile with a flag; seeing, trailed" in page
    assert "trail &lt;b&gt;" in page
    assert f'href="/tiles/{FinalTile.objects.get(band="R").pk}"' in page
    assert 'href="/frames?field=S1&amp;band=U"' in page


def test_depth_is_a_scale_with_its_figures(browser):
    tile("S1", depth=20.0)
    tile("S2", depth=22.0)
    tile("S3")
    page, rows = shown(browser, "?show=depth&band=R")
    assert rows == {"S1": [("step0", "R")], "S2": [("step6", "R")], "S3": [("none", "R")]}
    assert "22.00 mag" in page


def test_a_scale_of_equal_values_has_one_colour():
    assert Scale(1.0, 1.0).step(1.0) == 3
    assert [Scale(0.0, 7.0).step(value) for value in (0.0, 3.5, 7.0)] == [0, 3, 6]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("?field=hyd", ["HYDRA"]),
        ("?state=failed", ["BAD"]),
        ("?state=raw", ["BAD", "WAITS"]),
        ("?state=raw&band=U", ["WAITS"]),
        ("?state=tile", ["HYDRA", "WHOLE"]),
        ("?state=flagged", ["FLAGGED"]),
        ("?state=processed", []),
        ("?incomplete=1", ["BAD", "FLAGGED", "HYDRA", "WAITS"]),
        ("?order=-bands", ["WHOLE", "FLAGGED", "HYDRA", "BAD", "WAITS"]),
        ("?order=-newest", ["FLAGGED", "HYDRA", "WHOLE", "BAD", "WAITS"]),
        ("?order=bands&incomplete=1", ["BAD", "WAITS", "FLAGGED", "HYDRA"]),
        ("?order=ra&state=tile", ["WHOLE", "HYDRA"]),
        ("?order=nonsense&band=Q&state=odd&page=x", ["BAD", "FLAGGED", "HYDRA", "WAITS", "WHOLE"]),
    ],
)
def test_fields_are_filtered_and_sorted(browser, query, names):
    for band in BANDS:
        tile("WHOLE", band, crval1=5.0)
    tile("HYDRA")
    tile("FLAGGED", flag=1)
    frame("w", band="U", fld="WAITS")
    frame("b", band="R", fld="BAD", failed_step="am")
    frame("c", band="G", fld="BAD")
    assert list(shown(browser, query)[1]) == names


def test_names_of_calibrations_are_no_fields():
    frame("flat", "FLAT", fld="skyflat")
    frame("flat2", "FLAT", fld="skyflat", band="U")
    frame("s", fld="S1", crval1=12.0, crval2=-1.0)
    (one,) = fields.all_fields(BANDS)
    assert (one.name, one.ra, one.dec) == ("S1", 12.0, -1.0)


def test_a_page_holds_a_hundred_fields_and_leads_to_the_next(browser):
    FinalTile.objects.bulk_create(
        FinalTile(field=f"S{number:03d}", band="R", status=1) for number in range(205)
    )
    page, rows = shown(browser)
    assert (len(rows), next(iter(rows))) == (100, "S000")
    assert 'href="?page=2"' in page
    page, rows = shown(browser, "?page=3&state=tile")
    assert list(rows) == ["S200", "S201", "S202", "S203", "S204"]
    assert 'href="?state=tile&amp;page=2"' in page
    assert ">Next<" not in page


@pytest.mark.parametrize("count", [2, 90])
def test_the_board_takes_as_many_queries_for_a_field_as_for_many(browser, count, django_assert_num_queries):
    IndividualFile.objects.bulk_create(
        IndividualFile(
            file_name=f"{number}-{band}", file_path="", file_type="SCI", obs_date=noon(), night=DAY,
            field=f"S{number:03d}", band=band,
        )
        for number in range(count)
        for band in BANDS
    )  # fmt: skip
    with django_assert_num_queries(
        7
    ):  # login 2, names, tiles and failures of all; frames and tiles of the page
        browser.get("/")


def test_an_empty_survey_says_what_to_do(browser):
    assert "Scan a folder" in browser.get("/").content.decode()
    assert browser.get("/board/survey").status_code == 200


def test_the_survey_in_figures_over_time_and_on_the_sky(browser):
    tile("S1", date=noon())
    tile("S2", date=noon(DAY + timedelta(days=3)))
    tile("S3", date=noon(DAY + timedelta(days=3)), isvalid=False)
    page = browser.get("/board/survey").content.decode()
    first = noon().timestamp()
    assert f"[[{first}, 1], [{first + 3 * 86400}, 2]]" in page
    assert '"S1", 1, "begun"' in page


def test_the_poles_and_the_middle_of_the_sky_are_where_they_belong():
    assert project(0, 0) == (WIDTH / 2, HEIGHT / 2)
    assert project(0, 90) == (WIDTH / 2, 0)
    assert project(123, -90) == (WIDTH / 2, HEIGHT)
    east, west = project(90, 0), project(270, 0)
    assert east[0] < WIDTH / 2 < west[0]  # right ascension grows to the left
    assert east[0] + west[0] == pytest.approx(WIDTH)


def test_a_square_of_the_sky_is_as_large_anywhere():
    """Hammer-Aitoff keeps areas; 20 degrees are wide enough for places rounded to a tenth."""

    def scale(ra, dec, side=20):
        corners = [project(ra + x, dec + y) for x, y in ((0, 0), (side, 0), (side, side), (0, side))]
        pairs = zip(corners, corners[1:] + corners[:1], strict=True)
        drawn = abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in pairs)) / 2
        return drawn / (radians(side) * (sin(radians(dec + side)) - sin(radians(dec))))

    assert scale(100, 40) == pytest.approx(scale(0, 0), rel=0.05)


def test_fields_without_a_place_are_not_on_the_map():
    assert sky([fields.Field("S1", None, None)], 12).fields == []


def test_a_field_shows_its_bands_nights_and_tiles(browser):
    one_of_each()
    page = browser.get("/field/S1").content.decode()
    assert "2 of 12 bands" in page
    assert 'href="/night/2024-03-01"' in page
    assert "Process all bands" in page
    assert browser.get("/field/nowhere").status_code == 404


def test_a_viewer_is_offered_no_change(browser_of, bob):
    one_of_each()
    client = browser_of(bob)
    assert "Operators flag" in client.get("/").content.decode()
    assert "Process all bands" not in client.get("/field/S1").content.decode()


@pytest.mark.parametrize("path", ["/", "/board/survey", "/field/S1"])
def test_the_board_needs_a_login(root, path):
    assert Client().get(path)["Location"].startswith("/login?next=")
    assert Client().get(path, headers={"HX-Request": "true"}).status_code == 401


def test_a_user_logs_in_to_the_board_and_out(root, alice):
    browser = Client()
    response = browser.post("/login", {"username": "alice", "password": "alice-password"})
    assert response["Location"] == "/"
    assert browser.get("/").status_code == 200
    assert browser.post("/logout").status_code == 302
    assert browser.get("/").status_code == 302


def test_what_comes_from_files_is_not_taken_for_markup(browser):
    tile("<script>", comments="<script>")
    page, _ = shown(browser)
    assert "&lt;script&gt;" in page
    assert "<script>" not in page
