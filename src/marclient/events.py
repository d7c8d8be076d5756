"""Server-sent events, as text/event-stream has them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Event:
    """One event; `id` tells where to go on after a break."""

    name: str
    data: str
    id: str


def events(lines: Iterable[str]) -> Iterator[Event]:
    """The events of a stream of lines; comments, which only keep the connection alive, are left out."""
    parts: dict[str, list[str]] = {}
    last = ""
    for line in lines:
        if not line:
            if "data" in parts or "event" in parts:
                last = parts.get("id", [last])[-1]
                yield Event(parts.get("event", ["message"])[-1], "\n".join(parts.get("data", [])), last)
            parts = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(":")
            parts.setdefault(name, []).append(value.removeprefix(" "))
