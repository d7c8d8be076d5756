"""However rows are taken from the database, at once, flowing or by a query written once, they are alike."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from nights import noon
from test_query_counts import DATES, block, science

from marserver.api.envelope import FROM_DATABASE, encoded
from marserver.archive.kinds import ALL
from marserver.archive.models import FinalTile, IndividualFile, Sci
from marserver.archive.queries import Find, find
from marserver.archive.rows import Nesting, stream
from marserver.archive.search import endings
from marserver.reduction import requests

pytestmark = pytest.mark.django_db

NAMES = [kind.name for kind in ALL if kind.name != "sci"]  # which only hangs on frames
ODD = 'a "quoted" \\ name\n\u00e9\u4e2d\U0001f52d'


@pytest.fixture
def archive():
    """Rows of each kind, with odd texts, numbers and times, and with nothing where there may be nothing."""
    for number in range(3):
        block(number)
    odd = {"modeavg": 1e22, "medianavg": -0.0, "noiseavg": 0.1 + 0.2, "medianrms": 5e-324, "noiserms": 1.0}
    IndividualFile.objects.filter(file_type="PROCESSED").update(
        **odd, comments=ODD, obs_date=noon(hours=5).replace(microsecond=120), error=ODD
    )
    FinalTile.objects.update(**odd, flag=5, zeropoint=None)
    Sci.objects.update(scamp_out=[ODD, "b"], swarp_out=[])


def text(rows):
    """The answer as it would be sent."""
    return encoded(list(rows))


@pytest.mark.parametrize("nesting", Nesting)
@pytest.mark.parametrize("name", NAMES)
def test_rows_are_the_same_at_once_and_flowing(archive, name, nesting):
    found = find(name, Find())
    at_once = text(stream(name, found, nesting, few=True))
    assert len(at_once) > 100
    assert text(stream(name, found, nesting, few=False)) == at_once
    assert encoded(list(stream(name, found, nesting, few=False)), FROM_DATABASE) == at_once


@pytest.mark.parametrize("name", NAMES)
def test_rows_by_id_are_those_of_a_list(archive, name):
    for row in list(stream(name, find(name, Find()))):
        assert text(requests.get(name, Find(id=row["id"]))) == text([row])


@pytest.mark.parametrize("what", [{"field": "FIELD-0001"}, {"field": "FIELD-0001", "band": "R"}])
def test_tiles_by_field_are_those_of_a_list(archive, what):
    every = stream("finaltiles", find("finaltiles", Find()))
    wanted = [row for row in every if row["field"] == "FIELD-0001"]
    assert len(wanted) == 1
    assert text(requests.get("finaltiles", Find(**what))) == text(wanted)


def test_an_invalid_row_is_found_only_where_it_is_asked_for():
    tile = science(0)[2]
    FinalTile.objects.update(isvalid=False)
    for what in ({"id": tile.pk}, {"field": tile.field}, {"field": tile.field, "band": "R"}):
        assert list(requests.get("finaltiles", Find(**what))) == []
        assert len(list(requests.get("finaltiles", Find(**what, valid=False)))) == 1


@pytest.mark.parametrize("number", [-1, 2**63, 10**30])
def test_an_id_that_no_row_can_have_is_not_asked_for(number):
    with CaptureQueriesContext(connection) as queries:
        assert list(requests.get("individualfile", Find(id=number))) == []
    assert len(queries) == 0


def test_a_list_that_can_hold_nothing_ends_at_once():
    assert list(requests.get("individualfile", Find(dates=DATES, contains="\0"))) == []


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("STRIPE82-0003", ["PE82", "0003"]),
        ("MC-0014_F660", ["0014", "F660"]),
        ("20160805", ["160805"]),
        ("raw", ["raw"]),
        ("a-b", []),
        ("%_\\", []),
    ],
)
def test_the_index_is_asked_for_the_ends_of_words(word, parts):
    assert endings(word) == parts


@pytest.mark.parametrize(
    "word", ["STRIPE82-0003", "RIPE82-0003", "82-0003", "E82%0003", "-", "0003_R", "003"]
)
def test_a_pattern_finds_exactly_the_names_that_hold_it(word):
    names = ["raw-STRIPE82-0003", "raw-0003-STRIPE82", "raw-TRIPE82-0003", "raw-82-0003_R", "raw-E82%0003"]
    IndividualFile.objects.bulk_create(
        IndividualFile(file_name=name, file_path="", file_type="SCI", obs_date=noon(hours=5), night=DATES[0])
        for name in names
    )
    found = {row["file_name"] for row in requests.get("individualfile", Find(contains=word))}
    assert found == {name for name in names if word in name}
