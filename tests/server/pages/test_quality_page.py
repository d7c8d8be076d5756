"""The pages of quality."""

from datetime import UTC, datetime

import pytest
from nights import many

from marserver.archive.models import BandPair, BiasBlock, FinalTile

pytestmark = pytest.mark.django_db
NOON = datetime(2024, 3, 1, 12, tzinfo=UTC)


def tile(band="R", **more):
    values = {"field": "HYDRA", "status": 1, "date": NOON, "fwhm": 1.2, "depth": 21.0, **more}
    return FinalTile.objects.create(band=band, **values)


def text(browser, path, status=200):
    response = browser.get(path)
    assert response.status_code == status
    return response.content.decode()


def test_an_empty_survey_says_so(browser):
    assert "No tile yet" in text(browser, "/quality")


def test_means_worst_tiles_and_masters_are_shown(browser):
    tile(fwhm=1.0)
    tile(field="FORNAX", fwhm=3.0)
    BiasBlock.objects.create(
        block_start_date="2024-03-01", block_end_date="2024-03-01", status=1, modeavg=0.1, noiseavg=3.3
    )
    page = text(browser, "/quality")
    assert "2.00" in page  # the mean of the band
    assert page.index("FORNAX R") < page.index("HYDRA R")  # the worst first
    assert '"y": 3.3' in page


@pytest.mark.parametrize("count", [1, 30])
def test_the_page_takes_the_same_queries_however_many_tiles(browser, count, django_assert_max_num_queries):
    for number in range(count):
        tile(field=f"F{number}")
    with django_assert_max_num_queries(12):
        browser.get("/quality?band=R&figure=depth")


def test_bands_are_held_against_each_other_with_the_sign_of_the_pair(browser):
    tile("G"), tile("R"), tile("Z")
    BandPair.objects.create(
        field="HYDRA", first_band="G", second_band="R", east_mas=60.0, north_mas=0.0, rms_mas=9.0, stars=99
    )
    page = text(browser, "/quality/field/HYDRA")
    assert "east 60.0, north 0.0, rms 9.0 mas, 99 stars" in page
    assert "east -60.0" in page
    assert "60.0 !" in page
    assert "HYDRA" in text(browser, "/quality")


def test_a_tile_shows_the_plots_that_are_there(browser, root):
    row = tile()
    assert "No plots" in text(browser, f"/quality/tile/{row.pk}")
    plot = root / "TILES" / "HYDRA" / "HYDRA_R_quality.png"
    plot.parent.mkdir(parents=True)
    plot.touch()
    assert "/media/TILES/HYDRA/HYDRA_R_quality.png" in text(browser, f"/quality/tile/{row.pk}")


def test_a_night_shows_its_processed_frames_only(browser):
    many(3, "PROCESSED", band="R", modeavg=100.0)
    page = text(browser, "/quality/night/2024-03-01")
    assert "3 processed frames" in page
    assert "Nothing of this night" in text(browser, "/quality/night/2024-03-09")


def test_names_cannot_end_the_script_that_holds_them(browser):
    tile(field="</script><b>")
    page = text(browser, "/quality")
    assert "</script><b>" not in page


@pytest.mark.parametrize(
    "path", ["/quality/field/NOWHERE", "/quality/tile/9", "/quality/night/9999-99-99", "/quality/night/x"]
)
def test_what_is_not_there_is_404(browser, path):
    assert browser.get(path).status_code == 404


def test_the_last_night_of_all_does_no_harm(browser):
    assert browser.get("/quality/night/9999-12-31").status_code in (200, 404)
    assert browser.get("/quality/night/0001-01-01").status_code in (200, 404)
    assert browser.get("/quality?figure=password&band=nowhere").status_code == 200
    assert browser.get("/quality?figure=password&band=%00").status_code == 400


@pytest.mark.parametrize("count", [1, 12])
def test_a_night_shows_the_tiles_of_its_frames(browser, count, django_assert_max_num_queries):
    frames = many(count, "PROCESSED")
    for number, one in enumerate(frames):
        tile(field=f"F{number}", fwhm=1.5).composed_by.add(one)
    tile(field="OTHER")
    with django_assert_max_num_queries(7):
        page = text(browser, f"/quality/night/{frames[0].night}")
    assert page.count("1.50") == count
    assert "OTHER" not in page
