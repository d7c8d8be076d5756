"""The queue: scans, what waits, what runs, what ended, the log, and what an operator may do to them."""

from typing import Any

from pydantic import Field

from marserver.accounts.models import Role
from marserver.api import answers
from marserver.api.bodies import Body, Nothing
from marserver.api.common import CONTAINS, ById, outcome
from marserver.api.fields import Folder, LogLevel, Moment, Patterns, Priority, Whole
from marserver.api.guard import Asked
from marserver.api.resources import Resource
from marserver.reduction import requests

MOST_LINES = 10_000


class Scan(Body):
    """A folder below the data root."""

    path: Folder = Field("", description="a folder below the data root; without it the root itself")
    contains: Patterns = CONTAINS


class Logs(Body):
    """Which lines of the log."""

    operation: Whole | None = Field(None, description="lines of this operation; without it the live log")
    since: Moment | None = Field(None, description="lines from this time on (ISO 8601; UTC unless it says)")
    level: LogLevel = Field("", description="lines of this level only")
    limit: Whole = 1000


class Waiting(Body):
    """How many of the operations that wait."""

    limit: Whole | None = Field(None, description="at most so many; without it all")


class Finished(Body):
    """How many operations."""

    nums: Whole = 50


class SetPriority(ById):
    """Move an operation that waits."""

    priority: Priority


scan_folder = Resource("scan_folder", about="Queue a scan of a folder below the data root")
get_process = Resource("get_process", about="What the pipeline does now")
get_queue = Resource("get_queue", about="The operations that wait, in order")
get_logs = Resource("get_logs", about="The log, newest line first")
clear_logs = Resource("clear_logs", about="Clear the live log; operations keep their lines")
get_operations = Resource("getOperations", about="Finished operations, newest first")
remove_queue = Resource("removeQueue", about="Take a waiting operation out of the queue")
cancel = Resource("cancel", about="Stop a running operation between or within frames")
requeue = Resource("requeue", about="Queue an ended operation again")
set_priority = Resource("setpriority", about="Move an operation that waits")
pause = Resource("pause", about="Start no further operation; what runs goes on")
resume = Resource("resume", about="Start operations again")
reset_thread = Resource("reset_thread", "reset_threads", about="Stop what runs and restart the workers")

resources = (
    scan_folder,
    get_process,
    get_queue,
    get_logs,
    clear_logs,
    get_operations,
    remove_queue,
    cancel,
    requeue,
    set_priority,
    pause,
    resume,
    reset_thread,
)


@scan_folder.takes(Scan)
def scan(request: Asked, body: Scan) -> dict[str, Any]:
    return outcome(requests.scan_folder(body.path, contains=body.contains, asked_by=request.auth.username))


@get_process.takes(Nothing, Role.VIEWER, gives=answers.RunningOperations)
def running(request: Asked, body: Nothing) -> dict[str, Any]:
    sentence, operations = requests.get_process()
    return {"msg": sentence, "operations": operations, **requests.state()}


@get_queue.takes(Waiting, Role.VIEWER, gives=answers.WaitingOperations)
def waiting(request: Asked, body: Waiting) -> dict[str, Any]:
    waits, runs = requests.queue_now(body.limit)
    return {"msg": waits, "running": runs}


@get_logs.takes(Logs, Role.VIEWER, gives=answers.Log)
def lines(request: Asked, body: Logs) -> dict[str, Any]:
    return {"msg": requests.get_logs(body.operation, body.since, body.level, min(body.limit, MOST_LINES))}


@get_operations.takes(Finished, Role.VIEWER, gives=answers.FinishedOperations)
def finished(request: Asked, body: Finished) -> dict[str, Any]:
    return {"msg": requests.get_operations(min(body.nums, MOST_LINES))}


@clear_logs.takes(Nothing)
def clear(request: Asked, body: Nothing) -> dict[str, Any]:
    return outcome(requests.clear_logs(asked_by=request.auth.username))


@remove_queue.takes(ById)
def remove(request: Asked, body: ById) -> dict[str, Any]:
    return outcome(requests.remove_queue(body.id, asked_by=request.auth.username))


@cancel.takes(ById)
def stop(request: Asked, body: ById) -> dict[str, Any]:
    return outcome(requests.cancel(body.id, asked_by=request.auth.username))


@requeue.takes(ById)
def again(request: Asked, body: ById) -> dict[str, Any]:
    return outcome(requests.requeue(body.id, asked_by=request.auth.username))


@set_priority.takes(SetPriority)
def move(request: Asked, body: SetPriority) -> dict[str, Any]:
    return outcome(requests.set_priority(body.id, body.priority, asked_by=request.auth.username))


@pause.takes(Nothing)
def hold(request: Asked, body: Nothing) -> dict[str, Any]:
    return outcome(requests.pause(asked_by=request.auth.username))


@resume.takes(Nothing)
def go_on(request: Asked, body: Nothing) -> dict[str, Any]:
    return outcome(requests.resume(asked_by=request.auth.username))


@reset_thread.takes(Nothing, Role.ADMINISTRATOR)
def restart(request: Asked, body: Nothing) -> dict[str, Any]:
    return outcome(requests.reset(asked_by=request.auth.username))
