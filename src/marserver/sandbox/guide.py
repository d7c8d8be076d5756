"""What `mar admin query-role` prints: the SQL with what to do with it, as comments."""

from urllib.parse import quote

from django.conf import settings
from django.db import connection

from mar.errors import BadConfig
from marserver.sandbox.role import Setup, script
from marserver.sandbox.scram import verifier

NO_NEED = "rawQuery needs a role of its own on PostgreSQL only, and MAR_DATABASE_URL names no such database"
GUIDE = """\
-- The role, schema and views of MAR's rawQuery. A superuser runs this in MAR's own database, after its first
-- start and again whenever this command prints something else; it does no harm to run it twice:
--   mar admin query-role | psql -v ON_ERROR_STOP=1 -d {database}
-- {password}
-- The server is then started with
--   MAR_QUERY_URL={url}
"""
ASK = r"Then give the role a password (a role without one cannot log in), in psql: \password {role}"
GIVEN = "The password stands below as a SCRAM verifier only."


def guide(role: str, password: str = "") -> str:
    """The SQL for the database of MAR_DATABASE_URL. Raises BadConfig where it is not PostgreSQL."""
    if connection.vendor != "postgresql":
        raise BadConfig(NO_NEED)
    described = connection.settings_dict
    setup = Setup(
        database=str(described["NAME"]),
        owner=str(described["USER"]),
        verifier=verifier(password) if password else "",
        role=role,
        seconds=settings.MAR_QUERY_SECONDS,
        at_once=settings.MAR_QUERY_AT_ONCE,
    )
    words = {
        "database": one_line(setup.database),
        "password": GIVEN if password else ASK.format(role=one_line(role)),
        "url": address(setup),
    }
    return GUIDE.format(**words) + script(setup)


def address(setup: Setup) -> str:
    """MAR_QUERY_URL without its password."""
    described = connection.settings_dict
    host, port = str(described["HOST"] or ""), str(described["PORT"] or "")
    place = quote(host, safe="") + (f":{port}" if port else "")
    beside = described["OPTIONS"].get("host", "")
    where = f"?host={quote(str(beside), safe='')}" if beside else ""
    return (
        f"postgresql://{quote(setup.role, safe='')}:PASSWORD@{place}/{quote(setup.database, safe='')}{where}"
    )


def one_line(name: str) -> str:
    """A name within a comment of one line."""
    return " ".join(name.split())
