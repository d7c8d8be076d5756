"""What rawQuery must not do: nothing is changed, nothing hidden is told, nobody else is held up."""

import json
import time

import pytest
from attacks import DOUBLED, fingerprint, is_refused, lines, something_to_lose  # noqa: F401 - a fixture
from query_role import query_role  # noqa: F401 - a fixture

from marserver.accounts.models import User
from marserver.sandbox import results, runner, statement, turns
from marserver.sandbox.task import Bounds, Task, TooMuch

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("query_role")]

# Every statement that is no single reading one, on any database
OTHER_STATEMENTS = """
DELETE FROM files_finaltiles
UPDATE files_finaltiles SET flag = 7
INSERT INTO files_finaltiles (field) VALUES ('x')
DROP TABLE files_finaltiles
CREATE TABLE stolen AS SELECT * FROM accounts_user
ALTER TABLE files_finaltiles RENAME TO gone
TRUNCATE files_finaltiles
VACUUM
EXPLAIN SELECT 1
EXPLAIN ANALYZE DELETE FROM files_finaltiles
VALUES (1)
TABLE files_finaltiles
BEGIN
COMMIT
ATTACH DATABASE '/tmp/x' AS x
PRAGMA query_only = OFF
PRAGMA table_info(accounts_user)
COPY files_finaltiles TO PROGRAM 'touch /tmp/rawquery-was-here'
COPY (SELECT 1) TO '/tmp/rawquery-was-here'
DO $$ BEGIN DELETE FROM files_finaltiles; END $$
CALL anything()
SET ROLE mar
RESET ALL
SHOW ALL
LISTEN x
LOCK TABLE files_finaltiles
GRANT ALL ON files_finaltiles TO PUBLIC
(SELECT 1)
;SELECT 1
SELECTED
WITHOUT
/* SELECT */ DELETE FROM files_finaltiles
-- SELECT 1
/* SELECT 1
/* /* */ SELECT 1 */ DELETE FROM files_finaltiles
\u00a0SELECT 1
\ufeffSELECT 1
\u0405ELECT 1
"""
SECOND_STATEMENTS = """
SELECT 1; SELECT 2
SELECT 1; DELETE FROM files_finaltiles
SELECT 1; DELETE FROM files_finaltiles; --
SELECT 1;; DROP TABLE files_finaltiles
SELECT '1'; COMMIT; DELETE FROM files_finaltiles
SELECT 1 /* ; */ ; UPDATE files_finaltiles SET flag = 7
WITH x AS (SELECT 1) SELECT 1; ATTACH DATABASE ':memory:' AS y
"""
WRITES = """
WITH x AS (DELETE FROM files_finaltiles RETURNING id) SELECT * FROM x
WITH x AS (UPDATE files_finaltiles SET flag = 7 RETURNING id) SELECT * FROM x
WITH x AS (INSERT INTO files_finaltiles (field, band) VALUES ('x', 'y') RETURNING id) SELECT * FROM x
WITH x AS (SELECT 1) DELETE FROM files_finaltiles
WITH x AS (SELECT 1) UPDATE files_finaltiles SET flag = 7
WITH x AS (SELECT 1) INSERT INTO files_finaltiles (field, band) SELECT 'x', 'y' FROM x
WITH x AS (SELECT 1) INSERT INTO accounts_user (username) VALUES ('mallory')
SELECT * INTO stolen FROM files_finaltiles
SELECT * FROM files_finaltiles FOR UPDATE
"""
HIDDEN_TABLES = """
SELECT * FROM accounts_user
SELECT count(*) FROM accounts_user
SELECT 1 FROM Accounts_User
SELECT 1 FROM "accounts_user"
SELECT password FROM accounts_user
SELECT * FROM accounts_token
SELECT * FROM accounts_loginfailure
SELECT * FROM django_session
SELECT * FROM django_migrations
SELECT count(*) FROM files_loglines
SELECT 1 WHERE EXISTS (SELECT 1 FROM accounts_user)
SELECT (SELECT count(*) FROM accounts_token)
SELECT 1 WHERE 'x' IN (SELECT password FROM accounts_user)
WITH files_finaltiles AS (SELECT password FROM accounts_user) SELECT * FROM files_finaltiles
WITH files_finaltiles AS (SELECT count(*) FROM accounts_user) SELECT * FROM files_finaltiles
SELECT a.* FROM files_finaltiles t, accounts_user a
SELECT 1 FROM files_finaltiles t LEFT JOIN accounts_user a ON a.id = t.id
SELECT 1 UNION SELECT 1 FROM accounts_user
SELECT checksum FROM files_finaltiles
SELECT inputs FROM files_individualfiles
SELECT params FROM files_operations
"""


@pytest.mark.parametrize("query", lines(OTHER_STATEMENTS))
def test_only_select_and_with_are_taken(call, query):
    assert "SELECT or WITH" in is_refused(call, query)


@pytest.mark.parametrize("query", lines(SECOND_STATEMENTS + WRITES + HIDDEN_TABLES))
def test_writes_second_statements_and_hidden_tables_are_refused(call, query):
    is_refused(call, query)


# What a database may carry out as it changes nothing that lasts
READING = ("SELECT 1", ";SELECT 1", "/* SELECT 1", "EXPLAIN SELECT", "VALUES", "TABLE", "SHOW", "--")
PASSING = ("SET ROLE mar", "RESET ALL", "BEGIN", "COMMIT", "LISTEN x")


@pytest.mark.parametrize("query", lines(OTHER_STATEMENTS))
def test_the_connection_itself_lets_nothing_through(call, query, monkeypatch):
    """As if nobody had looked at the words: what is no reading statement then fails, or reads."""
    monkeypatch.setattr(statement, "check_start", lambda query: None)
    monkeypatch.setattr(statement, "check_words", lambda query: None)
    before = fingerprint()
    answer = call("rawQuery", query=query)
    harmless = query.strip("( \u00a0\ufeff").startswith(READING) or query in PASSING
    assert call.status == 400 or harmless, answer
    assert fingerprint() == before


BOMBS = {
    "recursion": "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r",
    "recursion without rows": "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r)"
    " SELECT n FROM r WHERE n < 0",
    "cross join": "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 1000)"
    " SELECT count(*) FROM r a, r b, r c, r d, r e",
    "sort": "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 1000)"
    " SELECT a.n FROM r a, r b, r c, r d ORDER BY a.n * b.n * c.n % 7",
    "doubling": f"{DOUBLED} WHERE n < 40) SELECT max(length(t)) FROM r",
}


@pytest.mark.parametrize("query", BOMBS.values(), ids=BOMBS.keys())
def test_a_bomb_is_400_in_its_time(call, query, settings):
    settings.MAR_QUERY_SECONDS = 2
    began = time.monotonic()
    is_refused(call, query)
    assert time.monotonic() - began < 12


LONG = {
    "a sum": "SELECT 1" + " + 1" * 24_990,
    "parentheses": "SELECT " + "(" * 49_000 + "1" + ")" * 49_000,
    "unions": "SELECT 1" + " UNION SELECT 1" * 6_600,
    "NOT": "SELECT " + "NOT " * 24_000 + "1",
    "blanks": " " * 99_999 + "X",
    "comment": "/*" + "*" * 99_990,
    "comments": "/**/" * 24_999 + "X",
    "columns": "SELECT " + "1," * 49_000 + "1",
    "quotes": "SELECT '" + "''" * 49_990,
    "dollars": "SELECT " + "$a$" * 33_001,
    "slashes": "SELECT " + "/*" * 49_990,
    "names": "SELECT " + "a." * 49_990 + "a",
}


@pytest.mark.parametrize("query", LONG.values(), ids=LONG.keys())
def test_a_hundred_thousand_characters_are_answered_in_time(call, query):
    """PostgreSQL carries some of them out."""
    began, before = time.monotonic(), fingerprint()
    call("rawQuery", query=query)
    assert call.status in (200, 400)
    assert fingerprint() == before
    assert time.monotonic() - began < 10


def test_more_characters_are_400(call):
    assert "100000" in is_refused_by_parameter(call, "SELECT '" + "x" * 100_000 + "'")


@pytest.mark.parametrize("query", ["SELECT 1\x00; DELETE FROM files_finaltiles", "SELECT '\ud800'"])
def test_what_is_no_text_is_400(call, query):
    is_refused_by_parameter(call, query)


def is_refused_by_parameter(call, query):
    answer = call.post("rawQuery", json.dumps({"query": query}))
    assert call.status == 400
    return answer["msg"]


def test_the_hash_of_a_password_is_nowhere(call, alice, root):
    """Whatever the tables of the archive show, it is not this."""
    digest = User.objects.get(pk=alice.pk).password
    for form in ("csv", "json"):
        for name in ("files_operations", "files_finaltiles"):
            path = root / call("rawQuery", query=f"SELECT * FROM {name}", format=form)["msg"]
            assert digest not in path.read_text()


def test_a_row_of_many_bytes_does_not_reach_the_server(call, settings):
    settings.MAR_QUERY_SECONDS = 20
    is_refused(call, f"{DOUBLED} WHERE n < 25) SELECT t, t, t, t FROM r WHERE n = 25")


def test_the_process_of_a_query_knows_no_secret(monkeypatch, tmp_path):
    monkeypatch.setenv("MAR_SECRET_KEY", "secret")
    monkeypatch.setenv("MAR_DATABASE_URL", "postgresql://mar:secret@db/mar")
    assert "secret" not in " ".join(runner.environment(tmp_path).values())


def test_a_process_that_dies_is_a_refusal(tmp_path, monkeypatch):
    program = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    monkeypatch.setattr(runner, "COMMAND", (runner.COMMAND[0], "-c", program))
    with pytest.raises(TooMuch):
        runner.run(Task("sqlite", "x", "SELECT 1", "csv", str(tmp_path / "x"), Bounds(1, 1, 1)))


def test_other_requests_go_on_while_a_query_runs(call, call_as, bob, alice, root, settings):
    """Its turn is given back when it ends, also when it fails."""
    settings.MAR_QUERY_SECONDS = 1
    call("rawQuery", query=BOMBS["recursion"])
    assert call.status == 400
    with turns.turn(root / results.FOLDER, results.folder_of(root, alice.pk), 1):
        assert call("get_queue")["msg"] == []
