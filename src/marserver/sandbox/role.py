"""The SQL that sets the query role of PostgreSQL up: a login that may read the views and nothing else."""

from collections.abc import Iterator
from dataclasses import dataclass

from marserver.sandbox.views import all_views, quoted

SCHEMA = "mar_query"
EXTRA_CONNECTIONS = 4  # beyond the queries at once: sessions that are just ending


@dataclass(frozen=True)
class Setup:
    """What the SQL needs to know."""

    database: str
    owner: str  # the role of MAR_DATABASE_URL, which owns the tables
    verifier: str = ""  # of the password, as `scram` makes it; without one the role keeps what it has
    role: str = "mar_query"
    schema: str = "public"  # of the tables
    seconds: int = 30
    at_once: int = 4


def script(setup: Setup) -> str:
    """Everything, to be run by a superuser with psql; running it again does no harm."""
    lines = ["BEGIN;", *role(setup), *rights(setup), *views(setup), "COMMIT;"]
    return "\n".join(lines) + "\n"


def role(setup: Setup) -> Iterator[str]:
    """The login and its limits; a session cannot lift what only a superuser sets."""
    name = quoted(setup.role)
    password = f" PASSWORD {text(setup.verifier)}" if setup.verifier else ""
    yield f"""\
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {text(setup.role)}) THEN
    CREATE ROLE {name};
  END IF;
END $$;
ALTER ROLE {name} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS NOINHERIT
  CONNECTION LIMIT {setup.at_once + EXTRA_CONNECTIONS}{password};"""
    settings = {
        "default_transaction_read_only": "on",
        "statement_timeout": f"'{setup.seconds}s'",
        "lock_timeout": "'2s'",
        "idle_in_transaction_session_timeout": f"'{setup.seconds + 5}s'",
        "temp_file_limit": "'1GB'",
        "search_path": quoted(SCHEMA),
    }
    for key, value in settings.items():
        yield f"ALTER ROLE {name} SET {key} = {value};"


def rights(setup: Setup) -> Iterator[str]:
    """Nobody but the owner makes tables in this database; the role sees one schema."""
    database, owner = quoted(setup.database), quoted(setup.owner)
    name, tables = quoted(setup.role), quoted(setup.schema)
    yield f"""\
REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE {database} TO {owner};
GRANT CONNECT ON DATABASE {database} TO {name};
REVOKE CREATE ON SCHEMA {tables} FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA {tables} TO {owner};
REVOKE ALL ON ALL TABLES IN SCHEMA {tables} FROM {name};
REVOKE ALL ON ALL SEQUENCES IN SCHEMA {tables} FROM {name};
REVOKE ALL ON SCHEMA {tables} FROM {name};
CREATE SCHEMA IF NOT EXISTS {SCHEMA} AUTHORIZATION {owner};
ALTER SCHEMA {SCHEMA} OWNER TO {owner};
REVOKE ALL ON SCHEMA {SCHEMA} FROM PUBLIC;
GRANT USAGE ON SCHEMA {SCHEMA} TO {name};
SET LOCAL ROLE {owner};
ALTER DEFAULT PRIVILEGES IN SCHEMA {SCHEMA} GRANT SELECT ON TABLES TO {name};"""


def views(setup: Setup) -> Iterator[str]:
    """The views, made anew; they read with the rights of their owner."""
    for view in all_views():
        name = f"{SCHEMA}.{quoted(view.name)}"
        yield f"DROP VIEW IF EXISTS {name};"
        yield f"CREATE VIEW {name} AS {view.select(quoted(setup.schema), 'postgresql')};"


def text(value: str) -> str:
    """A text as SQL has it."""
    return "'" + value.replace("'", "''") + "'"
