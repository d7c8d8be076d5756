"""The database itself refuses to alter or delete what the audit holds."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

REASON = "the audit is append-only"
SQLITE = [
    f"CREATE TRIGGER changes_keep_{word.lower()} BEFORE {word} ON files_changes "
    f"BEGIN SELECT RAISE(ABORT, '{REASON}'); END"
    for word in ("UPDATE", "DELETE")
]
POSTGRESQL = [
    "CREATE FUNCTION files_changes_keep() RETURNS trigger LANGUAGE plpgsql AS "
    f"$$ BEGIN RAISE EXCEPTION '{REASON}'; END $$",
    "CREATE TRIGGER changes_keep BEFORE UPDATE OR DELETE ON files_changes "
    "FOR EACH ROW EXECUTE FUNCTION files_changes_keep()",
]
UNDO_SQLITE = ["DROP TRIGGER changes_keep_update", "DROP TRIGGER changes_keep_delete"]
UNDO_POSTGRESQL = ["DROP TRIGGER changes_keep ON files_changes", "DROP FUNCTION files_changes_keep()"]


def guard(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    """Put the triggers in place."""
    for statement in SQLITE if editor.connection.vendor == "sqlite" else POSTGRESQL:
        editor.execute(statement)


def unguard(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    """Take them away again."""
    for statement in UNDO_SQLITE if editor.connection.vendor == "sqlite" else UNDO_POSTGRESQL:
        editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]
    operations = [migrations.RunPython(guard, unguard)]
