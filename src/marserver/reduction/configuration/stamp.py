"""The first line of a configuration file that the server wrote: its version, when, who and what.

It is a comment, and holds a checksum of what follows: so an edit by hand is seen.
"""

import hashlib
import json
import re
from dataclasses import asdict, dataclass

LINE = re.compile(r"# version ([0-9]{1,9}) (\{.*\})")


@dataclass(frozen=True)
class Stamp:
    """Which version of a file this is, and how it came to be."""

    version: int
    time: str  # ISO 8601, UTC
    user: str  # empty for an edit by hand
    action: str  # what was asked for: setItemConf, undoConf, set_conf ...
    detail: str = ""  # the item, the version gone back to, the file converted


def stamped(name: str, stamp: Stamp, body: str) -> str:
    """A file's text."""
    about = {key: value for key, value in asdict(stamp).items() if key != "version"}
    return f"# version {stamp.version} {json.dumps({**about, 'sha256': checksum(name, body)})}\n{body}"


def checksum(name: str, body: str) -> str:
    """Sixteen digits of the SHA-256 of name and text: a copy under another name is another file."""
    return hashlib.sha256(f"{name}\n{body}".encode("utf-8", "surrogateescape")).hexdigest()[:16]


def taken_apart(name: str, text: str) -> tuple[Stamp | None, str]:
    """The stamp, None where there is none or the rest was edited since, and the rest."""
    first, _, rest = text.partition("\n")
    match = LINE.fullmatch(first.rstrip("\r"))
    if match is None:
        return None, text
    try:
        about = json.loads(match[2])
        stamp = Stamp(int(match[1]), *(str(about[key]) for key in ("time", "user", "action", "detail")))
    except (ValueError, KeyError, RecursionError):
        return None, rest
    return (stamp if about.get("sha256") == checksum(name, rest) else None), rest
