"""Attacks of rawQuery on SQLite: the file itself, its catalogue, functions that reach out or fill memory."""

import threading
import time

import pytest
from attacks import DOUBLED, is_refused, lines, something_to_lose  # noqa: F401 - a fixture
from django.db import connection

from mar.errors import BadConfig
from marserver.archive.models import FinalTile
from marserver.sandbox import runner
from marserver.sandbox.guide import guide
from marserver.sandbox.task import Bounds, NotSetUp, Refused, Task

if connection.vendor != "sqlite":
    pytest.skip("attacks on SQLite", allow_module_level=True)

pytestmark = pytest.mark.django_db(transaction=True)

ENDLESS = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r"
ATTACKS = """
SELECT * FROM main.accounts_user
SELECT count(*) FROM main.accounts_user
SELECT rowid FROM accounts_user
SELECT 1 FROM accounts_user NOT INDEXED
SELECT 'x' IN accounts_user
SELECT checksum FROM main.files_finaltiles
SELECT job FROM main.files_individualfile
SELECT sql FROM sqlite_master
SELECT count(*) FROM sqlite_master
SELECT * FROM sqlite_schema
SELECT * FROM main.sqlite_master
SELECT * FROM sqlite_temp_master
SELECT * FROM sqlite_sequence
SELECT * FROM pragma_table_info('accounts_user')
SELECT count(*) FROM pragma_database_list
SELECT * FROM pragma_journal_mode
SELECT * FROM dbstat
SELECT count(*) FROM sqlite_stmt
SELECT load_extension('/tmp/x.so')
SELECT writefile('/tmp/rawquery-was-here', 'x')
SELECT readfile('/etc/passwd')
SELECT edit('x')
SELECT fts3_tokenizer('simple')
SELECT sqlite_version()
SELECT sqlite_compileoption_get(0)
SELECT last_insert_rowid()
SELECT hex(randomblob(900000000))
SELECT zeroblob(900000000)
SELECT printf('%.900000000d', 1)
SELECT format('%*d', 900000000, 1)
SELECT * FROM fts5
"""


LONGEST = DOUBLED.replace("'a", "'aaaaaaaaaaaaaaa")  # 983,040 characters in the 16th row
BOMBS = {
    "one function": f"{LONGEST} WHERE n < 16) SELECT instr(t, substr(t, 1, length(t) / 2) || 'b') FROM r",
    "list": "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r)"
    " SELECT json_group_array(n) FROM r",
    "text": "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT group_concat(n) FROM r",
}


@pytest.mark.parametrize("query", lines(ATTACKS))
def test_sqlite_refuses(call, query):
    is_refused(call, query)


def test_writers_go_on_while_a_query_reads(call, root, settings):
    settings.MAR_QUERY_SECONDS = 3
    thread = threading.Thread(
        target=lambda: (asked.append(call("rawQuery", query=ENDLESS)), connection.close())
    )
    asked: list[dict] = []
    thread.start()
    time.sleep(1)
    FinalTile.objects.create(field="HYDRA", band="G")
    thread.join()
    assert "3 seconds" in asked[0]["msg"]


def test_a_file_that_is_no_database_is_refused(tmp_path):
    (tmp_path / "x").write_text("no database" * 1000)
    task = Task("sqlite", str(tmp_path / "x"), "SELECT 1", "csv", str(tmp_path / "y"), Bounds(5, 10, 10_000))
    with pytest.raises(NotSetUp):
        runner.run(task)


@pytest.mark.parametrize(
    "query",
    ["ATTACH '{}/new' AS x", "VACUUM INTO '{}/new'", "CREATE TABLE t (a)", "PRAGMA journal_mode=DELETE"],
)
def test_the_authorizer_stands_by_itself(tmp_path, query):
    database = connection.settings_dict["NAME"]
    task = Task("sqlite", database, query.format(tmp_path), "csv", str(tmp_path / "y"), Bounds(5, 10, 10_000))
    with pytest.raises(Refused):
        runner.run(task)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("query", BOMBS.values(), ids=BOMBS.keys())
def test_a_bomb_is_400_in_its_time(call, query, settings):
    settings.MAR_QUERY_SECONDS = 2
    began = time.monotonic()
    is_refused(call, query)
    assert time.monotonic() - began < 12


def test_there_is_no_role_to_set_up():
    with pytest.raises(BadConfig, match="on PostgreSQL only"):
        guide("mar_query")
