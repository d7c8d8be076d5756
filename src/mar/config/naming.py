"""Names of sections and items as clients send them, and the nearest ones to what there is not."""

import difflib
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from mar.config import describe
from mar.errors import BadConfig

READ_ONLY = "Instrument"
OTHER_SPELLINGS = {("Fringe", "EXCLUDE_PATTERNS"): "EXCLUDE_PATTERS"}


@cache
def items() -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
    """What `describe` gives, made once; not to be changed."""
    return describe()


def section_name(section: str) -> str:
    """The same name, where it is a section that can be set; raises BadConfig with those there are."""
    if section == READ_ONLY:
        raise BadConfig(f"{READ_ONLY} is read only: it is the camera, a file of its own")
    if section not in items():
        hint = nearest(section, items())
        raise BadConfig(f"no section {section[:60]!r}{hint}; there are {', '.join(items())}")
    return section


def item_name(section: str, item: str) -> str:
    """The item's own spelling; raises BadConfig with the items of the section."""
    known = items()[section]
    name = OTHER_SPELLINGS.get((section, item), item)
    if name not in known:
        hint = nearest(item, known)
        raise BadConfig(f"{section} has no item {item[:60]!r}{hint}; there are {', '.join(known)}")
    return name


def nearest(word: str, names: Iterable[str]) -> str:
    """`, did you mean X?` where a name looks like the word."""
    by_lower = {name.lower(): name for name in names}
    found = difflib.get_close_matches(word.lower()[:60], by_lower, n=1, cutoff=0.6)
    return f", did you mean {by_lower[found[0]]}?" if found else ""
