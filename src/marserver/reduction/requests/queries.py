"""rawQuery: one reading statement of a user, its rows into a file of the user's own."""

import logging
import time
from dataclasses import replace
from pathlib import Path

from django.conf import settings
from django.db import connection

from mar.io.atomic import atomic
from marserver.errors import Conflict, Invalid
from marserver.reduction import site
from marserver.reduction.requests.outcome import Outcome
from marserver.sandbox import results, runner, statement, turns
from marserver.sandbox.task import Bounds, NotSetUp, Refused, Stopped, Task, TooLong, TooMany, TooMuch
from marserver.sandbox.turns import Busy
from marserver.sandbox.views import all_views

__all__ = ["Busy", "raw_query"]

logger = logging.getLogger(__name__)

NOT_SET_UP = (
    "rawQuery has no role of its own on this PostgreSQL database: an administrator runs the SQL of "
    "`mar admin query-role` and sets MAR_QUERY_URL"
)
NO_LOGIN = {
    "sqlite": "the database cannot be opened for reading; the server's log says why",
    "postgresql": "the query role of MAR_QUERY_URL cannot be used, the server's log says why; "
    "`mar admin query-role` prints the SQL that sets it up",
}


def raw_query(query: str, *, form: str = "csv", user_id: int, asked_by: str = "") -> Outcome:
    """Carry out one statement that starts with SELECT or WITH; `msg` is the path of the file with its rows.

    Raises Invalid for everything else and where it takes too long or too much, Busy while too many
    statements run, Conflict where PostgreSQL has no query role yet.
    """
    statement.check_start(query)
    if connection.vendor == "postgresql":
        statement.check_words(query)
    target = where()
    root = site.root()
    results.forget_old(root, settings.MAR_QUERY_KEEP.total_seconds())
    folder = results.folder_of(root, user_id)
    with turns.turn(root / results.FOLDER, folder, settings.MAR_QUERY_AT_ONCE):
        results.make_room(folder, settings.MAR_QUERY_BYTES)
        path = results.new_file(folder, form)
        done = timed(task_for(query, target, form), path, asked_by)
    values = {"query": query, "columns": done.columns, "rows": done.rows, "truncated": done.truncated}
    return Outcome(str(site.relative(path)), values)


def where() -> str:
    """The path of SQLite's file or the URL of the query role. Raises Conflict where there is none."""
    if connection.vendor == "sqlite":
        return str(connection.settings_dict["NAME"])
    if not settings.MAR_QUERY_URL:
        raise Conflict(NOT_SET_UP)
    return str(settings.MAR_QUERY_URL)


def task_for(query: str, target: str, form: str) -> Task:
    """The statement with its limits, and on SQLite with the views."""
    bounds = Bounds(settings.MAR_QUERY_SECONDS, settings.MAR_QUERY_ROWS, settings.MAR_QUERY_BYTES)
    task = Task(connection.vendor, target, query, form, "", bounds)
    if connection.vendor != "sqlite":
        return task
    views = all_views()
    return replace(
        task,
        views={view.name: view.select("main", "sqlite") for view in views},
        reads=sorted({pair for view in views for pair in view.reads()}),
    )


def timed(task: Task, path: Path, asked_by: str) -> runner.Result:
    """Run it; the log keeps who asked, how long it took and how it went, not what it gave."""
    began, told = time.monotonic(), "refused"
    try:
        with atomic(path) as temporary:
            done = runner.run(replace(task, file=str(temporary)))
        told = f"{done.rows} rows{', truncated' if done.truncated else ''}"
        return done
    except Stopped as stopped:
        told = f"stopped: {stopped.kind}"
        raise answer_to(stopped) from None
    finally:
        logger.info("rawQuery of %s: %s in %.2f s", asked_by or "nobody", told, time.monotonic() - began)


def answer_to(stopped: Stopped) -> Exception:
    """What the user is told of a statement that did not end well."""
    match stopped:
        case Refused():
            return Invalid(f"query: {stopped}")
        case TooLong():
            return Invalid(f"query: took longer than the {settings.MAR_QUERY_SECONDS} seconds it may")
        case TooMuch():
            return Invalid("query: needs more memory or temporary disk than it may; ask for less at once")
        case TooMany():
            return Busy("the database takes no more queries")
        case NotSetUp():
            logger.error("rawQuery cannot read the database: %s", stopped)
            return Conflict(NO_LOGIN[connection.vendor])
    return stopped
