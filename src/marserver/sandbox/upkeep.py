"""The views of PostgreSQL across migrations; nothing happens where the query role was never set up."""

from django.db import connections, transaction

from marserver.sandbox.role import SCHEMA
from marserver.sandbox.views import all_views, quoted


def drop_views(using: str) -> None:
    """Drop every view of the query schema."""
    if not is_set_up(using):
        return
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        cursor.execute("SELECT viewname FROM pg_views WHERE schemaname = %s", [SCHEMA])
        for (name,) in cursor.fetchall():
            cursor.execute(f"DROP VIEW {SCHEMA}.{quoted(name)}")


def make_views(using: str) -> None:
    """Make the views as this version has them."""
    if not is_set_up(using):
        return
    drop_views(using)
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        cursor.execute("SELECT current_schema()")
        (schema,) = cursor.fetchone()
        for view in all_views():
            select = view.select(quoted(schema), "postgresql")
            cursor.execute(f"CREATE VIEW {SCHEMA}.{quoted(view.name)} AS {select}")


def is_set_up(using: str) -> bool:
    """Whether this is a PostgreSQL database with a query schema of ours."""
    if connections[using].vendor != "postgresql":
        return False
    with connections[using].cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_namespace WHERE nspname = %s AND pg_has_role(nspowner, 'USAGE')", [SCHEMA]
        )
        return cursor.fetchone() is not None
