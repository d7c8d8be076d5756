"""The query role for tests of rawQuery: on PostgreSQL set up as an administrator would, on SQLite nothing."""

import os
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from django.db import connection

from marserver.sandbox.role import SCHEMA, Setup, script

ROLE = f"mar_query_test_{os.getpid()}"  # roles belong to the whole server: one for each process of the tests


def setup() -> Setup:
    """The test database as the administrator's command would see it."""
    described = connection.settings_dict
    return Setup(database=described["NAME"], owner=described["USER"], role=ROLE)


def url(role: str = ROLE) -> str:
    """The login of a role at the test database."""
    described = connection.settings_dict
    host = described["OPTIONS"].get("host") or described["HOST"]
    return f"postgresql://{role}@/{described['NAME']}?host={quote(host, safe='')}"


def run(sql: str) -> None:
    """A script of several statements, as psql runs it."""
    with connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.fixture
def query_role(transactional_db, settings) -> Iterator[None]:
    """rawQuery may be called."""
    if connection.vendor != "postgresql":
        yield
        return
    run(script(setup()))
    settings.MAR_QUERY_URL = url()
    yield
    run(f"DROP SCHEMA {SCHEMA} CASCADE; DROP OWNED BY {ROLE}; DROP ROLE {ROLE}")
