"""The queue, the log, the survey's progress and free queries."""

from typing import Any, cast

from marclient import rows
from marclient.answer import Answer
from marclient.asking import Caller, Time, body_of


class Group:
    """Paths that belong together."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller

    def ask(self, endpoint: str, **given: Any) -> Answer:
        """Post to one path."""
        return self.caller.call(endpoint, **body_of(**given))


class Queue(Group):
    """What waits, what runs, what ended, and what an operator may do to it."""

    def waiting(self, limit: int | None = None) -> list[rows.Waiting]:
        """The operations that wait, in order; all where no limit is given."""
        return cast(list[rows.Waiting], self.ask("get_queue", limit=limit).msg)

    def running(self) -> list[rows.Operation]:
        """The operations that run now, with how far they are."""
        return cast(list[rows.Operation], self.ask("get_process").values["operations"])

    def ended(self, nums: int | None = None) -> list[rows.Ended]:
        """Finished operations, newest first; 50 where the number is not given."""
        return cast(list[rows.Ended], self.ask("getOperations", nums=nums).msg)

    def scan_folder(self, path: str = "", *, contains: str | None = None) -> Answer:
        """Queue a scan of a folder below the data root; without a path the root itself."""
        return self.ask("scan_folder", path=path or None, contains=contains)

    def remove(self, id: int) -> Answer:
        """Take a waiting operation out of the queue."""
        return self.ask("removeQueue", id=id)

    def cancel(self, id: int) -> Answer:
        """Stop a running operation between or within frames."""
        return self.ask("cancel", id=id)

    def requeue(self, id: int) -> Answer:
        """Queue an ended operation again."""
        return self.ask("requeue", id=id)

    def setpriority(self, id: int, priority: int) -> Answer:
        """Move an operation that waits: higher goes first."""
        return self.ask("setpriority", id=id, priority=priority)

    def pause(self) -> Answer:
        """Start no further operation; what runs goes on."""
        return self.ask("pause")

    def resume(self) -> Answer:
        """Start operations again."""
        return self.ask("resume")

    def reset(self) -> Answer:
        """Stop what runs and restart the workers; what waits stays queued. Administrators only."""
        return self.ask("reset_thread")


class Logs(Group):
    """The log."""

    def get(
        self,
        *,
        operation: int | None = None,
        since: Time | None = None,
        level: str | None = None,
        limit: int | None = None,
    ) -> list[str]:
        """Lines, newest first: of one operation, or the live log."""
        answer = self.ask("get_logs", operation=operation, since=since, level=level, limit=limit)
        return list(answer.msg["main"])

    def clear(self) -> Answer:
        """Clear the live log; finished operations keep their lines."""
        return self.ask("clear_logs")


class Survey(Group):
    """How far the survey is, free queries, and the old paths of the colour image."""

    def progress(self) -> Answer:
        """The four numbers of the survey; more of them in `values["progress"]`."""
        return self.ask("getOperation")

    def changes(
        self,
        *,
        user: str | None = None,
        kind: str | None = None,
        since: Time | None = None,
        limit: int | None = None,
    ) -> list[dict[str, Any]]:
        """All changes, newest first. Administrators only."""
        return list(self.ask("get_changes", user=user, kind=kind, since=since, limit=limit).msg)

    def query(self, query: str, *, format: str | None = None) -> Answer:
        """Run one read-only statement; `msg` is the path of the file with its rows."""
        return self.ask("rawQuery", query=query, format=format)

    def colour_image(self, field: str, *, request_order: bool | None = None) -> Answer:
        """Path of the colour image of a field; `request_order` asks for it where there is none."""
        return self.ask("get_trilogy_image", field=field, request_order=request_order)

    def request_twelve(self, field: str) -> Answer:
        """Queue the colour image of a field."""
        return self.ask("request_twelve_im", field=field)


class Configuration(Group):
    """The configuration of the server; changes are for administrators."""

    def get(self) -> Answer:
        """The configuration in force; `values["schema"]` describes each item."""
        return self.ask("getConf")

    def set_item(self, section: str, item: str, value: Any) -> Answer:
        """Set one item; an empty text restores its default."""
        return self.ask("setItemConf", section=section, item=item, value=value)

    def use(self, config_name: str) -> Answer:
        """Switch to another file of CONFIG."""
        return self.ask("set_conf", config_name=config_name)

    def history(self, *, limit: int | None = None) -> list[dict[str, Any]]:
        """Versions of the configuration, newest first."""
        return list(self.ask("getConfHistory", limit=limit).msg)

    def undo(self, *, version: int | None = None) -> Answer:
        """Go back to a version; without it the one before the present one."""
        return self.ask("undoConf", version=version)
