"""What the tests of attacks on rawQuery share: all rows as a fingerprint, and what a refusal is."""

import pytest
from django.apps import apps
from django.db import connection

from marserver.archive.models import FinalTile
from marserver.audit.record import note

# Half a megabyte after 16 rounds, half a gigabyte after 26
DOUBLED = "WITH RECURSIVE r(n, t) AS (SELECT 1, 'aaaaaaaaaaaaaaaa' UNION ALL SELECT n + 1, t || t FROM r"


def lines(text):
    """The statements of a list."""
    return [line for line in text.strip("\n").split("\n") if line]


@pytest.fixture(autouse=True)
def something_to_lose(alice, root):
    """A tile and a line of the audit."""
    FinalTile.objects.create(field="HYDRA", band="R", flag=0)
    note("alice", "setflag", "finaltiles", 1, {"flag": -1}, {"flag": 0})


def fingerprint():
    """All rows of all tables, and the names of the tables."""
    told = {}
    for model in apps.get_models():
        rows = model._default_manager.order_by("pk").values_list()
        told[model._meta.db_table] = [tuple(map(str, row)) for row in rows]
    told.pop("accounts_token", None)  # a token's use is written down
    told["tables"] = sorted(connection.introspection.table_names())
    return told


def is_refused(call, query):
    """The query gets 400 with a sentence, and nothing changed; gives the sentence."""
    before = fingerprint()
    answer = call("rawQuery", query=query)
    assert call.status == 400, answer
    assert answer["status"] is False
    assert answer["msg"].startswith("query: ")
    assert fingerprint() == before
    return answer["msg"]
