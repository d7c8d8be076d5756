"""Many clients at once: nothing that was accepted is lost, nothing fails, the database is not overrun."""

import pytest
from django.db import IntegrityError, connection
from live import running_server
from mixed import Crowd, lost, mix
from nights import many

from marserver import handler
from marserver.jobs import queue, steering

pytestmark = pytest.mark.django_db(transaction=True)
CLIENTS, SECONDS, FRAMES = 20, 10.0, 100


@pytest.fixture
def frames(db):
    return [frame.pk for frame in many(FRAMES, "SCI")]


def test_twenty_clients_lose_nothing(root, settings, alice, frames):
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    with running_server() as url:
        crowd = Crowd(url, "alice", "alice-password", root, frames)
        accepted = mix(crowd, CLIENTS, SECONDS)
    assert accepted.broken == []
    assert accepted.statuses[200] > 2 * CLIENTS
    assert accepted.comments
    assert accepted.queued
    assert accepted.removed
    assert lost(accepted, frames) == []


def test_an_operation_that_ends_while_it_stands_in_the_way_is_no_error(db, monkeypatch):
    order = queue.Order("scan_folder", "folder", "raw")
    standing = queue.enqueue(order)
    put = queue.put

    def put_and_end(order):
        try:
            return put(order)
        except IntegrityError:
            steering.remove(standing.pk)
            raise

    monkeypatch.setattr(queue, "put", put_and_end)
    assert queue.enqueue(order).pk != standing.pk


def test_a_server_takes_no_more_connections_than_a_database_has():
    """PostgreSQL gives 100 by default; a worker and other commands need some too."""
    assert handler.MOST_REQUESTS + handler.MOST_PASSWORDS + handler.MOST_STREAMS <= 44


def test_more_clients_than_threads_are_all_answered(root, settings, alice, frames, monkeypatch):
    monkeypatch.setattr(handler, "MOST_REQUESTS", 3)
    monkeypatch.setattr(handler, "MOST_PASSWORDS", 1)
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    with running_server() as url:
        accepted = mix(Crowd(url, "alice", "alice-password", root, frames), CLIENTS, 2.0)
        if connection.vendor == "postgresql":
            assert connections_of_server() <= 3 + 1
    assert accepted.broken == []
    assert lost(accepted, frames) == []


def connections_of_server() -> int:
    """How many connections others than this one have to the test's database."""
    with connection.cursor() as cursor:
        here = "datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        cursor.execute(f"SELECT count(*) FROM pg_stat_activity WHERE {here}")
        return cursor.fetchone()[0]
