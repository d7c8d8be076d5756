"""rawQuery: one reading statement, its rows in a file of the user's own."""

import csv
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import pytest
from astropy.io.votable import parse, validate
from django.db import connection
from query_role import query_role  # noqa: F401 - a fixture

from marserver.archive.kinds import ALL
from marserver.archive.models import BiasBlock, FinalTile, IndividualFile, Superflat
from marserver.jobs.models import Job
from marserver.reduction import requests
from marserver.sandbox import results, turns
from marserver.sandbox.views import all_views

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("query_role")]

OBSERVED = datetime(2024, 3, 1, 23, 50, 0, 120000, tzinfo=UTC)


@pytest.fixture
def frames(root):
    """Two biases in a block, and a tile."""
    made = [
        IndividualFile.objects.create(
            obs_date=OBSERVED,
            night=date(2024, 3, 1),
            file_type="BIAS",
            exptime=30.5,
            file_name=f"bias-{n}",
            file_path=f"raw/bias-{n}.fits",
        )
        for n in (1, 2)
    ]
    block = BiasBlock.objects.create(block_start_date=date(2024, 3, 1), block_end_date=date(2024, 3, 2))
    block.bias.set(made)
    FinalTile.objects.create(field="HYDRA", band="R", fwhm=1.25, ncombine=7)
    return made


def ask(call, query, **more):
    """The good answer to a query."""
    answer = call("rawQuery", query=query, **more)
    assert call.status == 200, answer
    return answer


def table_of(root, answer):
    """The rows of the CSV, names first."""
    with (root / answer["msg"]).open(newline="") as file:
        return list(csv.reader(file))


def numbers(most):
    """A query of so many rows."""
    if connection.vendor == "postgresql":
        return f"SELECT n FROM generate_series(1, {most}) AS s(n)"
    return f"WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s LIMIT {most}) SELECT n FROM s"


def test_the_answer_is_the_path_of_a_csv_with_columns_and_count(call, root, frames):
    query = "SELECT file_name, exptime FROM files_individualfiles ORDER BY file_name"
    answer = ask(call, query)
    assert table_of(root, answer) == [["file_name", "exptime"], ["bias-1", "30.5"], ["bias-2", "30.5"]]
    assert answer["columns"] == ["file_name", "exptime"]
    assert answer["query"] == query
    assert (answer["rows"], answer["truncated"]) == (2, False)


def test_the_file_lies_in_the_users_own_folder_under_a_random_name(call, call_as, alice, bob, root):
    first, second = (ask(call, "SELECT 1 AS a")["msg"] for _ in range(2))
    assert first != second
    assert first.startswith(f"TMP/queries/{alice.pk}/")
    assert ask(call_as(bob), "SELECT 1 AS a")["msg"].startswith(f"TMP/queries/{bob.pk}/")


@pytest.mark.parametrize("view", all_views(), ids=lambda view: view.name)
def test_every_table_has_the_columns_of_the_contract(call, root, view):
    answer = ask(call, f"SELECT * FROM {view.name}")
    assert answer["columns"] == [column.key for column in view.columns]
    assert table_of(root, answer) == [answer["columns"]]


def test_the_columns_are_the_keys_of_a_row():
    shown = {view.name: [column.key for column in view.columns] for view in all_views()}
    for kind in ALL:
        assert shown[kind.model._meta.db_table] == [key for key, _ in kind.columns]
    assert shown["files_individualfile"] == shown["files_individualfiles"]
    assert {"files_biasblock_bias", "files_sciblock_scibyfilter", "files_operations"} <= set(shown)


def test_values_are_those_of_get(call, root, frames):
    """Times, dates, numbers and nothing: the same text that a get has."""
    [got] = call("individualfile", type="get", id=frames[0].pk)["msg"]
    names, row = table_of(root, ask(call, f"SELECT * FROM files_individualfile WHERE id = {frames[0].pk}"))
    shown = dict(zip(names, row, strict=True))
    assert shown["obsDate"] == got["obsDate"] == "2024-03-01T23:50:00.120000Z"
    assert shown["night"] == "2024-03-01"
    assert shown["isvalid"] == "1"
    for name in names:
        assert shown[name] == ("" if got[name] is None else str(got[name]))


def test_booleans_are_numbers_and_may_stand_alone_in_a_condition(call, root, frames):
    answer = ask(call, "SELECT isvalid FROM files_biasblock WHERE isvalid AND isvalid = true")
    assert table_of(root, answer) == [["isvalid"], ["1"]]
    assert table_of(root, ask(call, "SELECT 1 FROM files_individualfile WHERE isvalid = 1"))[1:] == [
        ["1"],
        ["1"],
    ]


def test_tables_can_be_joined_by_the_link_tables(call, root, frames):
    query = """
        SELECT b.id, count(*) AS n FROM files_biasblock b
        JOIN files_biasblock_bias l ON l.biasblock_id = b.id
        JOIN files_individualfiles f ON f.id = l.individualfile_id
        GROUP BY b.id
    """
    assert table_of(root, ask(call, query))[1][1] == "2"


def test_the_superflat_of_a_frame_is_shown(call, root, frames):
    day = date(2024, 3, 1)
    flat = Superflat.objects.create(
        band="Z", block_start_date=day, block_end_date=day, super_flat_path="s.fits"
    )
    IndividualFile.objects.filter(pk=frames[0].pk).update(superflat=flat)
    query = 'SELECT "superFlatPath" FROM files_individualfiles ORDER BY id'
    assert table_of(root, ask(call, query)) == [["superFlatPath"], ["s.fits"], [""]]


def test_operations_are_shown(call, root):
    Job.objects.create(
        function="scan_folder", kind="folder", target="x", block="raw", user="alice", queued_at=OBSERVED
    )
    query = 'SELECT function, "user", queued, "endDate" FROM files_operations'
    assert table_of(root, ask(call, query))[1] == ["scan_folder", "alice", "2024-03-01T23:50:00.120000Z", ""]


def test_names_of_columns_may_come_twice(call, root):
    answer = ask(call, "SELECT 1 AS a, 2 AS a")
    assert answer["columns"] == ["a", "a"]
    assert table_of(root, answer) == [["a", "a"], ["1", "2"]]


@pytest.mark.parametrize(
    "query",
    [
        "select 1 as a",
        "  \n\tSELECT 1 AS a ;  ",
        "-- a comment\nSELECT 1 AS a",
        "/* one */ /* two */ SELECT 1 AS a -- end",
        "WITH x AS (SELECT 1 AS a) SELECT a FROM x",
        "with recursive x(a) as (select 1 union all select a + 1 from x where a < 1) select a from x",
        "SELECT 1 AS a UNION SELECT 1",
        "SELECT count(*) AS a FROM (SELECT 1) AS files",
    ],
)
def test_one_reading_statement_in_any_dress(call, root, query):
    assert table_of(root, ask(call, query)) == [["a"], ["1"]]


def test_text_of_any_script_and_marks_of_csv_survive(call, root):
    word = 'Ω "ö", 日\n;'
    answer = ask(call, f"SELECT '{word}' AS \"naïve\"")
    assert table_of(root, answer) == [["naïve"], [word]]


def test_words_that_a_spreadsheet_calculates_are_left_as_they_are(call, root):
    assert table_of(root, ask(call, "SELECT '=1+1' AS a, -2 AS b"))[1] == ["=1+1", "-2"]


def test_json_has_columns_rows_and_true_types(call, root, frames):
    query = "SELECT id, field, exptime, band FROM files_individualfiles ORDER BY id"
    answer = ask(call, query, format="json")
    assert answer["msg"].endswith(".json")
    rows = [[frame.pk, "", 30.5, None] for frame in frames]
    content = json.loads((root / answer["msg"]).read_text())
    assert content == {"columns": ["id", "field", "exptime", "band"], "rows": rows, "truncated": False}


VOTABLE = """
    SELECT id, exptime, field, id AS number, 'a < b & \u00e9' AS words, NULL AS missing
    FROM files_individualfiles
    UNION ALL SELECT NULL, NULL, NULL, 1, NULL, NULL
"""


def test_votable_has_names_types_and_units(call, root, frames):
    path = root / ask(call, VOTABLE, format="votable")["msg"]
    table = parse(path, verify="exception").get_first_table()
    assert [one.name for one in table.fields] == ["id", "exptime", "field", "number", "words", "missing"]
    assert [one.datatype for one in table.fields[:3]] == ["long", "double", "unicodeChar"]
    assert table.fields[1].unit == "s"
    assert list(table.array["c1"].mask) == [False, False, True]
    assert table.array["c5"][0] == "a < b & \u00e9"
    assert table.array["c2"][0] == 30.5


@pytest.mark.filterwarnings("ignore::astropy.io.votable.exceptions.W33")
def test_votable_keeps_names_that_come_twice(call, root):
    path = root / ask(call, "SELECT 1 AS a, 2 AS a", format="votable")["msg"]
    assert path.read_text().count('name="a"') == 2
    assert [row.tolist() for row in parse(path).get_first_table().array] == [(1, 2)]


def test_votable_keeps_to_its_standard(call, root, frames, capsys):
    path = root / ask(call, VOTABLE, format="votable")["msg"]
    assert validate(str(path)) is True, capsys.readouterr().out


@pytest.mark.parametrize("form", ["csv", "json", "votable"])
def test_more_rows_than_there_may_be_are_cut_and_told(call, root, settings, form):
    settings.MAR_QUERY_ROWS = 10
    answer = ask(call, numbers(11), format=form)
    assert (answer["rows"], answer["truncated"]) == (10, True)
    answer = ask(call, numbers(10), format=form)
    assert (answer["rows"], answer["truncated"]) == (10, False)


@pytest.mark.parametrize("form", ["csv", "json", "votable"])
def test_more_bytes_than_there_may_be_are_cut_and_told(call, root, settings, form):
    settings.MAR_QUERY_BYTES = 2000
    answer = ask(call, numbers(100_000), format=form)
    assert answer["truncated"] is True
    assert 10 < answer["rows"] < 1000
    content = (root / answer["msg"]).read_text()
    assert len(content) < 2100
    if form == "json":
        assert json.loads(content)["truncated"] is True
    if form == "votable":
        assert "OVERFLOW" in content
        assert len(parse(root / answer["msg"]).get_first_table().array) == answer["rows"]


def test_a_long_query_ends_at_its_time(call, settings):
    settings.MAR_QUERY_SECONDS = 1
    began = time.monotonic()
    answer = call("rawQuery", query=numbers(10**12).replace("SELECT n FROM s", "SELECT count(*) FROM s"))
    assert call.status == 400
    assert "1 seconds" in answer["msg"]
    assert time.monotonic() - began < 5


def test_nothing_is_left_of_a_query_that_fails(call, alice, root):
    call("rawQuery", query="SELECT no_such_column FROM files_finaltiles")
    assert call.status == 400
    assert [
        path.name for path in results.folder_of(root, alice.pk).glob("*") if ".turn-" not in path.name
    ] == []


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("SELECT nonsense FROM files_finaltiles", "nonsense"),
        ("SELECT 1 FROM no_such_table", "no_such_table"),
        ("SELECT FROM WHERE", "syntax error"),
        ("SELECT 1 +", "query: "),
        ("SELECT (1", "query: "),
    ],
)
def test_the_message_of_the_database_is_told(call, query, word):
    answer = call("rawQuery", query=query)
    assert call.status == 400
    assert word in answer["msg"]


@pytest.mark.parametrize("body", [{}, {"query": ""}, {"query": 1}, {"query": "SELECT 1", "format": "xls"}])
def test_wrong_parameters_are_refused(call, body):
    assert call("rawQuery", **body)["status"] is False
    assert call.status == 400


def test_old_answers_expire_when_a_new_query_starts(call, call_as, bob, root):
    old = root / ask(call_as(bob), "SELECT 1 AS a")["msg"]
    fresh = root / ask(call_as(bob), "SELECT 1 AS a")["msg"]
    day_ago = time.time() - 25 * 3600
    os.utime(old, (day_ago, day_ago))
    ask(call, "SELECT 1 AS a")
    assert not old.exists()
    assert fresh.exists()


def test_a_users_oldest_answers_make_room(call, alice, root, settings):
    settings.MAR_QUERY_BYTES = 1000
    paths = [root / ask(call, numbers(200))["msg"] for _ in range(8)]
    assert not paths[0].exists()
    assert paths[-1].exists()
    kept = sum(path.stat().st_size for path in paths if path.exists())
    assert kept <= results.FILES_WORTH * 1000


def test_a_third_query_of_a_user_waits(call, alice, root):
    queries = root / results.FOLDER
    own = results.folder_of(root, alice.pk)
    with turns.turn(queries, own, 9), turns.turn(queries, own, 9):
        answer = call("rawQuery", query="SELECT 1")
        assert call.status == 429
        assert call.response["Retry-After"] == "5"
        assert "2 of your queries" in answer["msg"]
    ask(call, "SELECT 1 AS a")


def test_queries_of_all_users_together_are_limited(call, bob, root, settings):
    settings.MAR_QUERY_AT_ONCE = 1
    with turns.turn(root / results.FOLDER, results.folder_of(root, bob.pk), 1):
        call("rawQuery", query="SELECT 1")
        assert call.status == 429
    ask(call, "SELECT 1 AS a")


def test_users_may_ask_side_by_side(root, alice, bob):
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda user: ask_in_thread(user.pk), (alice, bob)))
    assert [one.values["rows"] for one in done] == [1000, 1000]


def ask_in_thread(user_id):
    try:
        return requests.raw_query(numbers(1000), user_id=user_id)
    finally:
        connection.close()


def test_the_log_tells_who_and_how_long_and_nothing_of_the_rows(call, caplog):
    ask(call, "SELECT 'hidden' || 'word' AS a")
    [line] = [record.getMessage() for record in caplog.records if "rawQuery" in record.getMessage()]
    assert line.startswith("rawQuery of alice: 1 rows in ")
    assert "hidden" not in line


def test_a_viewer_may_ask(call_as, bob):
    ask(call_as(bob), "SELECT 1 AS a")
