"""What the process of a statement is told, and what it may come back with."""

from dataclasses import dataclass, field

MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Bounds:
    """How much a statement may take."""

    seconds: float
    rows: int
    bytes: int  # of the file
    memory: int = 768 * MEGABYTE  # of the process, libraries included
    heap: int = 128 * MEGABYTE  # of SQLite within it
    scratch: int = 512 * MEGABYTE  # of each of SQLite's temporary files


@dataclass(frozen=True)
class Task:
    """One statement and where it runs; everything a child process needs to know."""

    vendor: str  # sqlite or postgresql
    target: str  # path of the database, or URL of the query role
    query: str
    form: str  # csv, json, votable
    file: str  # where the rows go
    bounds: Bounds
    views: dict[str, str] = field(default_factory=dict)  # SQLite: name and SELECT of each view
    reads: list[tuple[str, str]] = field(default_factory=list)  # SQLite: tables and columns below the views


class Stopped(Exception):
    """The statement did not end well; the kind tells whose business that is."""

    kind = ""


class Refused(Stopped):
    """The database does not carry it out; its message is for the user."""

    kind = "refused"


class TooLong(Stopped):
    """It took more time than it may."""

    kind = "too long"


class TooMuch(Stopped):
    """It took more memory or disk than it may."""

    kind = "too much"


class NotSetUp(Stopped):
    """The connection itself cannot be used; the message is for the log."""

    kind = "not set up"


class TooMany(Stopped):
    """The database takes no more connections of this role now."""

    kind = "too many"


KINDS: dict[str, type[Stopped]] = {one.kind: one for one in (Refused, TooLong, TooMuch, NotSetUp, TooMany)}
