"""Writing a new version of a configuration file, and choosing another one; all of it inside `alone`.

A file itself is replaced first, kept among the versions next, noted in the audit last. A process that dies
between two of these leaves a whole file with its stamp, and the next change completes what is missing.
"""

from datetime import UTC, datetime
from typing import Any

from mar.config import Config, config_to_dict
from mar.errors import BadConfig
from mar.io.atomic import write_bytes
from mar.plain_yaml import LARGEST_BYTES
from marserver.audit.models import Change
from marserver.audit.record import note
from marserver.errors import Invalid
from marserver.reduction.configuration import names, versions
from marserver.reduction.configuration.present import Present, as_text, parsed, present
from marserver.reduction.configuration.stamp import Stamp, stamped, taken_apart

KIND = "configuration"
Values = dict[str, Any]


def settled_in_force() -> Present:
    """The file in force as `settled` gives it; a choice made by hand is noted too. Raises BadConfig."""
    name = names.in_force()
    note_choice("", "chosen by hand", name)
    return settled(name)


def settled(name: str) -> Present:
    """A file as it stands, an edit by hand made a version of its own. Raises BadConfig."""
    now = present(name)
    if now.version == 0:
        return now
    text = stamped(name, now.stamp, now.body)
    if now.edited:
        write(name, now.stamp, text)
    versions.keep(name, now.version, text)
    note_version(now, text)
    return present(name)


def note_version(now: Present, text: str) -> None:
    """Note a version where that is not done yet: it was made by hand, or by a process that died."""
    if Change.objects.filter(kind=KIND, target=now.name, after__version=now.version).exists():
        return
    last = max((number for number in versions.numbers(now.name) if number < now.version), default=0)
    before, after = differences(kept(now.name, last), text)
    values = {**before, "version": last}, {**after, "version": now.version}
    note(now.stamp.user, now.stamp.action, KIND, now.name, *values)


def renew(now: Present, body: str, user: str, action: str, detail: str = "", **more: Any) -> Stamp:
    """Write the next version of a settled file; `more` is noted beside the items that changed."""
    stamp = Stamp(now.version + 1, as_text(datetime.now(UTC)), user, action, detail)
    text = stamped(now.name, stamp, body)
    before, after = differences(now.text, text)
    write(now.name, stamp, text)
    values = {**before, "version": now.version}, {**after, **more, "version": stamp.version}
    note(user, action, KIND, now.name, *values)
    return stamp


def write(name: str, stamp: Stamp, text: str) -> None:
    """Put a new text in the place of the file, and keep it. Raises Invalid where it is too large."""
    content = text.encode("utf-8", "surrogateescape")
    if len(content) > LARGEST_BYTES:
        raise Invalid(f"{name} would be larger than {LARGEST_BYTES // 1024} kB")
    write_bytes(names.folder() / name, content)
    versions.keep(name, stamp.version, text)


def choose(name: str, user: str) -> None:
    """Put another file in force, and note it."""
    note_choice(user, "set_conf", name)
    names.choose(name)


def note_choice(user: str, action: str, name: str) -> None:
    """Note which file is in force, unless it is the one noted last."""
    rows = Change.objects.filter(kind=KIND, after__has_key="config_name").order_by("-id")
    last = rows.values_list("target", flat=True).first() or names.DEFAULT
    if last != name:
        note(user, action, KIND, name, {"config_name": last}, {"config_name": name})


def kept(name: str, number: int) -> str:
    """The text of a version; none for version 0 and for one that somebody removed."""
    try:
        return versions.text_of(name, number)
    except OSError:
        return ""


def body_of(name: str, number: int) -> str:
    """The text of a version without its stamp."""
    return taken_apart(name, kept(name, number))[1]


def differences(old: str, new: str) -> tuple[Values, Values]:
    """The items that differ, `Section.ITEM`, before and after; none where either text is no configuration."""
    try:
        before, after = flat(parsed(old, "")), flat(parsed(new, ""))
    except BadConfig:
        return {}, {}
    changed = [key for key in after if before[key] != after[key]]
    return {key: before[key] for key in changed}, {key: after[key] for key in changed}


def flat(config: Config) -> Values:
    """{`Section.ITEM`: value}."""
    sections = config_to_dict(config).items()
    return {f"{name}.{item}": value for name, items in sections for item, value in items.items()}
