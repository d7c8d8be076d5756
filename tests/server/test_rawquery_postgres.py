"""Attacks of rawQuery on PostgreSQL, with the words looked at and without: then the role alone must hold."""

import base64
import time

import pytest
from attacks import is_refused, lines, something_to_lose  # noqa: F401 - a fixture
from django.db import connection
from live import wait_until
from query_role import query_role, run, setup, url  # noqa: F401 - query_role is a fixture

from marserver.sandbox import statement, upkeep
from marserver.sandbox.apps import come_back, step_aside
from marserver.sandbox.guide import guide
from marserver.sandbox.role import script
from marserver.sandbox.scram import verifier
from marserver.sandbox.views import all_views

if connection.vendor != "postgresql":
    pytest.skip("attacks on PostgreSQL: tests/on_postgres.py runs them", allow_module_level=True)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("query_role")]

ATTACKS = """
SELECT * FROM public.accounts_user
SELECT * FROM public.files_finaltiles
SELECT rolname, rolpassword FROM pg_authid
SELECT * FROM pg_shadow
SELECT passwd FROM pg_catalog.pg_shadow
SELECT * FROM pg_user_mapping
SELECT pg_read_file('/etc/passwd')
SELECT pg_read_binary_file('/etc/passwd')
SELECT pg_ls_dir('.')
SELECT pg_stat_file('/etc/passwd')
SELECT lo_import('/etc/passwd')
SELECT lo_export(1, '/tmp/rawquery-was-here')
SELECT pg_reload_conf()
SELECT pg_rotate_logfile()
SELECT pg_switch_wal()
SELECT pg_create_restore_point('x')
SELECT * FROM dblink('dbname=postgres', 'SELECT 1') AS t(a int)
SELECT nextval('public.files_finaltiles_id_seq')
SELECT nextval('files_finaltiles_id_seq')
SELECT setval('public.files_finaltiles_id_seq', 1)
SELECT query_to_xml('SELECT * FROM public.accounts_user', true, true, '')
SELECT query_to_xml('DELETE FROM public.files_finaltiles', true, true, '')
SELECT query_to_xml('ALTER ROLE CURRENT_USER SET statement_timeout = 0', true, true, '')
SELECT table_to_xml('public.accounts_user', true, true, '')
SELECT set_config('role', 'mar', false), query_to_xml('SELECT * FROM public.accounts_user', true, true, '')
SELECT set_config('session_authorization', 'mar', false)
SELECT set_config('transaction_read_only', 'off', false), query_to_xml('SELECT 1', true, true, '')
SELECT set_config('temp_file_limit', '-1', false)
SELECT set_config('log_statement', 'none', false)
SELECT ts_stat('SELECT to_tsvector(password) FROM public.accounts_user')
SELECT * FROM ts_stat('SELECT to_tsvector(password) FROM public.accounts_user')
WITH x AS (SELECT * FROM public.files_finaltiles FOR UPDATE) SELECT 1 FROM x
SELECT 'public.accounts_user'::regclass, count(*) FROM public.accounts_user
SELECT currtid2('public.accounts_user', '(0,1)')
SELECT has_table_privilege('public.accounts_user', 'x')
SELECT * FROM files_finaltiles WHERE id = CAST((SELECT password FROM public.accounts_user LIMIT 1) AS integer)
"""


# What the role itself may do and only the words keep away; the transaction is never committed

KEPT_BY_WORDS = """
SELECT pg_sleep(1)
SELECT pg_advisory_lock(1)
SELECT PG_ADVISORY_LOCK(1)
SELECT "pg_sleep"(1)
SELECT U&"\\0070g_sleep"(1)
SELECT pg_catalog.pg_backend_pid()
SELECT pg_catalog.pg_terminate_backend(1)
SELECT /* x */ pg_sleep /* y */ (1)
SELECT 'it''s', pg_sleep(1), 'x'
SELECT E'\\'', pg_sleep(1), '\\''
SELECT $a$ ' $a$, pg_sleep(1), $b$ ' $b$
SELECT '--', pg_sleep(1) --'
SELECT lo_from_bytea(0, 'x')
SELECT lo_create(0)
SELECT repeat('x', 1000000000)
SELECT current_setting('data_directory')
SELECT query_to_xml('SELECT 1', true, true, '')
SELECT pg_notify('x', 'y')
SELECT * FROM pg_stat_activity
SELECT * FROM pg_roles
SELECT * FROM information_schema.tables
SELECT $a$ x
"""


BOMBS = {
    "series": "SELECT count(*) FROM generate_series(1, 1000000000000) AS s(n)",
    "list": "SELECT array_agg(n) FROM generate_series(1, 1000000000000) AS s(n)",
    "long text": "SELECT string_agg('abcdefgh', '') FROM generate_series(1, 1000000000) AS s(n)",
}


@pytest.mark.parametrize("query", lines(ATTACKS + KEPT_BY_WORDS))
def test_postgres_refuses(call, query):
    is_refused(call, query)


@pytest.mark.parametrize("query", lines(ATTACKS))
def test_the_role_itself_refuses(call, query, monkeypatch):
    monkeypatch.setattr(statement, "check_words", lambda query: None)
    told = is_refused(call, query)
    assert "may not be used here" not in told


@pytest.mark.parametrize("query", ["SELECT lo_from_bytea(0, 'x')", "SELECT lo_create(0)"])
def test_even_what_the_role_may_do_is_never_committed(call, query, monkeypatch):
    monkeypatch.setattr(statement, "check_words", lambda query: None)
    call("rawQuery", query=query)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_largeobject_metadata")
        assert cursor.fetchone() == (0,)


def test_a_lock_does_not_outlive_its_query(call, monkeypatch):
    monkeypatch.setattr(statement, "check_words", lambda query: None)
    call("rawQuery", query="SELECT pg_advisory_lock(4711)")
    assert call.status == 200
    with connection.cursor() as cursor:
        # pg_locks tells of all databases of the server, also of those of tests that run beside this one
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711")
        assert cursor.fetchone() == (0,)


def test_a_sleep_ends_at_the_time_limit(call, settings, monkeypatch):
    monkeypatch.setattr(statement, "check_words", lambda query: None)
    settings.MAR_QUERY_SECONDS = 1
    began = time.monotonic()
    query = "SELECT set_config('statement_timeout', '0', false), pg_sleep(60)"
    assert "1 seconds" in call("rawQuery", query=query)["msg"]
    assert call.status == 400
    assert time.monotonic() - began < 30
    # PostgreSQL looks once a second whether its client is still there
    wait_until(lambda: not running(), seconds=20)


def running() -> int:
    """How many statements of the query role the server is working on."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE usename LIKE 'mar_query_test%' AND state = 'active'"
        )
        return cursor.fetchone()[0]


def test_the_queries_of_other_roles_are_not_told(call, root, monkeypatch):
    monkeypatch.setattr(statement, "check_words", lambda query: None)
    answer = call("rawQuery", query="SELECT usename, query FROM pg_stat_activity WHERE query <> ''")
    told = (root / answer["msg"]).read_text().splitlines()[1:]
    assert told
    others = [line for line in told if not line.startswith("mar_query_test")]
    assert all("insufficient privilege" in line for line in others)


@pytest.mark.parametrize("might", ["superuser", "owner", "member"])
def test_a_role_that_may_more_is_not_used(call, settings, might, caplog):
    name = connection.settings_dict["USER"]
    if might == "owner":
        run(
            "CREATE ROLE mar_too_mighty LOGIN; CREATE TABLE mar_owned (a int);"
            "ALTER TABLE mar_owned OWNER TO mar_too_mighty"
        )
        name = "mar_too_mighty"
    if might == "member":
        run(f"CREATE ROLE mar_too_mighty LOGIN; GRANT {name} TO mar_too_mighty")
        name = "mar_too_mighty"
    settings.MAR_QUERY_URL = url(name)
    try:
        answer = call("rawQuery", query="SELECT 1")
    finally:
        run("DROP TABLE IF EXISTS mar_owned; DROP ROLE IF EXISTS mar_too_mighty")
    assert call.status == 409
    assert "mar admin query-role" in answer["msg"]
    assert "may do more" in caplog.text


def test_without_a_role_the_answer_says_how_to_make_one(call, settings):
    settings.MAR_QUERY_URL = ""
    answer = call("rawQuery", query="SELECT 1")
    assert call.status == 409
    assert "mar admin query-role" in answer["msg"]
    assert "MAR_QUERY_URL" in answer["msg"]


def test_a_login_that_fails_tells_the_log_and_not_the_user(call, settings, caplog):
    settings.MAR_QUERY_URL = url("nobody_of_this_name")
    answer = call("rawQuery", query="SELECT 1")
    assert call.status == 409
    assert "nobody_of_this_name" not in answer["msg"]
    assert "nobody_of_this_name" in caplog.text


@pytest.mark.parametrize("query", BOMBS.values(), ids=BOMBS.keys())
def test_a_bomb_is_400_in_its_time(call, query, settings):
    settings.MAR_QUERY_SECONDS = 2
    began = time.monotonic()
    is_refused(call, query)
    assert time.monotonic() - began < 12


def test_the_setup_may_run_again(call):
    run(script(setup()))
    call("rawQuery", query="SELECT 1 FROM files_finaltiles")
    assert call.status == 200


def test_the_command_prints_the_setup_of_this_database():
    told = guide("mar_query", "correct horse")
    assert "correct horse" not in told
    assert "SCRAM-SHA-256$4096:" in told
    assert f"MAR_QUERY_URL=postgresql://mar_query:PASSWORD@/{connection.settings_dict['NAME']}?host=" in told
    assert "\\password mar_query" in guide("mar_query")
    for view in all_views():
        assert f'CREATE VIEW mar_query."{view.name}"' in told


def test_a_password_is_kept_as_postgres_keeps_it():
    run("CREATE ROLE mar_scram PASSWORD 'correct horse'")
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT rolpassword FROM pg_authid WHERE rolname = 'mar_scram'")
            [kept] = cursor.fetchone()
    finally:
        run("DROP ROLE mar_scram")
    salt = base64.b64decode(kept.split("$")[1].partition(":")[2])
    assert verifier("correct horse", salt) == kept


def view_names():
    """The views of the query schema."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT viewname FROM pg_views WHERE schemaname = 'mar_query' ORDER BY 1")
        return [name for (name,) in cursor.fetchall()]


def test_the_views_step_aside_for_migrations_and_come_back(call):
    step_aside(using="default", plan=["a migration"])
    assert view_names() == []
    come_back(using="default", plan=["a migration"])
    assert view_names() == [view.name for view in all_views()]
    call("rawQuery", query="SELECT * FROM files_finaltiles")
    assert call.status == 200


def test_nothing_is_made_where_the_role_was_never_set_up():
    run("ALTER SCHEMA mar_query RENAME TO mar_query_away")
    try:
        upkeep.make_views("default")
        assert view_names() == []
    finally:
        run("ALTER SCHEMA mar_query_away RENAME TO mar_query")
