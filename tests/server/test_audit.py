"""The audit: who, when, what, before and after; nothing in it can be altered."""

import pytest
from django.db import DatabaseError, connection, transaction

from marserver.audit.models import Change
from marserver.audit.record import Changed, history, note, note_all

pytestmark = pytest.mark.django_db


def test_the_changes_of_an_object_are_shown_newest_first():
    note("alice", "setflag", "finaltiles", 7, {"flag": -1}, {"flag": 2})
    note("carol", "setcomment", "finaltiles", 7, {"comments": ""}, {"comments": "moon"})
    note("alice", "setflag", "finaltiles", 8, {"flag": -1}, {"flag": 0})
    shown = history("finaltiles", 7)
    assert [(one["user"], one["action"]) for one in shown] == [("carol", "setcomment"), ("alice", "setflag")]
    assert shown[1]["before"] == {"flag": -1}
    assert shown[1]["after"] == {"flag": 2}
    assert shown[0]["time"].endswith("Z")


def test_many_objects_take_few_queries(django_assert_max_num_queries):
    changes = [Changed(number, {"status": 5}, {"status": 0}) for number in range(1200)]
    with django_assert_max_num_queries(10):
        note_all("alice", "setsubstatus", "individualfile", changes)
    assert len(history("individualfile", 1199)) == 1


def test_what_is_written_cannot_be_altered():
    note("alice", "setflag", "finaltiles", 7)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Change.objects.update(user="mallory")


def test_what_is_written_cannot_be_deleted():
    if connection.vendor == "sqlite":
        from importlib import import_module

        guard = import_module("marserver.audit.migrations.0002_append_only")
        with connection.cursor() as cursor:
            cursor.execute(guard.SQLITE[1])  # the test database goes without it otherwise
    note("alice", "setflag", "finaltiles", 7)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Change.objects.filter(user="alice").delete()
