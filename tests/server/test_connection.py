"""PostgreSQL's connections: they are asked less often, and what ends one between two requests is noticed."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import InterfaceError, connection, connections
from live import answer_of, connect, request, running_server
from tests.server.conftest import token_of

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL only: SQLite has no server"),
]

END_THE_OTHERS = """
SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


def value(query):
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchone()[0]


def end_the_others():
    """What a restart of the server does to every connection but this thread's own; gives how many."""

    def run():
        try:
            return value(END_THE_OTHERS)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run).result(timeout=20)


@pytest.fixture
def asked(monkeypatch):
    """How often a connection was asked whether it still is one."""
    times = []
    wrapper = type(connections["default"])
    is_usable = wrapper.is_usable
    monkeypatch.setattr(wrapper, "is_usable", lambda self: times.append(1) or is_usable(self))
    return times


def new_request():
    """What Django does with a connection when a request begins."""
    connection.close_if_unusable_or_obsolete()


def test_a_connection_in_use_is_not_asked_whether_it_lives(asked):
    before = value("SELECT pg_backend_pid()")
    new_request()
    assert value("SELECT pg_backend_pid()") == before
    assert asked == []


def test_one_that_was_long_unused_is_asked(asked):
    before = value("SELECT pg_backend_pid()")
    connection.heard -= 3600
    new_request()
    assert value("SELECT pg_backend_pid()") == before
    assert asked == [1]


def test_one_that_was_ended_is_replaced_before_the_first_query(asked):
    before = value("SELECT pg_backend_pid()")
    assert end_the_others() >= 1
    new_request()
    assert value("SELECT pg_backend_pid()") != before
    assert asked == [1]


def test_no_request_fails_when_all_connections_are_ended_between_two(alice, root):
    """By id, of a list, and of the queue: all these begin with a prepared query."""
    token = token_of(alice)
    connection.close()  # this thread's own, which makes no requests
    questions = [
        request("get_queue", token),
        request("individualfile", token, type="get", startDate="2024-03-01", endDate="2024-03-02"),
        request("finaltiles", token, type="get", field="F1", band="R"),
    ]
    with running_server() as url:
        line = connect(url)
        for question in questions * 3:
            line.sendall(question)
            assert answer_of(line)[0] == 200
            assert end_the_others() >= 1
        line.close()


def test_a_prepared_query_is_planned_once():
    connection.close()
    for _ in range(3):
        with connection.prepared_cursor() as cursor:
            cursor.execute("SELECT %s::integer + 1", [1])
            assert cursor.fetchall() == [(2,)]
    assert value("SELECT count(*) FROM pg_prepared_statements") == 1


def test_a_query_between_flowing_rows_is_refused_instead_of_waiting_for_ever():
    with connection.flowing_cursor() as cursor:
        cursor.execute("SELECT generate_series(1, %s)", [100_000])
        rows = iter(cursor)
        assert next(rows) == (1,)
        with pytest.raises(InterfaceError, match="still to be taken"):
            value("SELECT 1")
        rows.close()
    assert value("SELECT 1") == 1
