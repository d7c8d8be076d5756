"""How parameters become a body: names as the server knows them, days as text, what is not given left out."""

from datetime import date, datetime
from typing import Any, Protocol

from marclient.answer import Answer

Day = date | str  # a day, or text like "2024-03-01"
Time = datetime | str  # a time, or text like "2024-03-01T23:50:00Z"

NAMES = {"start": "startDate", "end": "endDate"}


class Caller(Protocol):
    """What the paths need of a client."""

    def call(self, endpoint: str, **body: Any) -> Answer: ...


def body_of(**given: Any) -> dict[str, Any]:
    """The body of a request."""
    return {NAMES.get(name, name): plain(value) for name, value in given.items() if value is not None}


def plain(value: Any) -> Any:
    """A value as JSON has it; a list of patterns is joined by commas."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return ",".join(str(one) for one in value)
    return value


class Path:
    """One path below /reduction/."""

    def __init__(self, caller: Caller, name: str) -> None:
        self.caller = caller
        self.name = name

    def ask(self, action: str, **given: Any) -> Answer:
        """Post one type with its parameters."""
        return self.caller.call(self.name, type=action, **body_of(**given))

    def history(self, id: int) -> list[dict[str, Any]]:
        """Who changed this row, when, and its values before and after; newest first."""
        return list(self.ask("history", id=id).msg)
