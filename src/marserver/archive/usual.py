"""The questions that come hundreds of times a second, by id and by field and band: each is written once."""

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from marserver.archive.kinds import named
from marserver.archive.queries import Find, is_no_id, matching
from marserver.archive.reading import AllColumns, Parts, columns_in
from marserver.prepared import Prepared, Slot

USUAL = (("id",), ("field", "band"), ("field",))


@dataclass(frozen=True)
class Usual:
    """What `find` gives for such a question."""

    kind: str
    valid: bool
    values: dict[str, Any]

    def values_list(self, columns: AllColumns, /) -> list[tuple[Any, ...]]:
        """These columns of the rows, also of what is joined to them: then a row comes once for each of it."""
        return written(self.kind, self.valid, tuple(self.values), columns.parts)(**self.values)


def usual(name: str, what: Find) -> Usual | None:
    """The question, where it is a usual one."""
    for conditions in USUAL:
        values = {condition: getattr(what, condition) for condition in conditions}
        if what == Find(valid=what.valid, **values) and not is_no_id(what.id) and all_given(values):
            return Usual(named(name).name, what.valid, values)
    return None


def all_given(values: dict[str, Any]) -> bool:
    """Whether each of these conditions is one."""
    return not any(value is None or value == "" for value in values.values())


@cache
def written(kind: str, valid: bool, conditions: tuple[str, ...], parts: Parts) -> Prepared:
    """The query, with slots for what is asked for."""
    slots: dict[str, Any] = {condition: Slot(condition) for condition in conditions}
    what = replace(Find(valid=valid), **slots)
    order = ["pk", *(f"{relation}__pk" for _, relation in parts if relation)]
    return Prepared(lambda: matching(named(kind), what).order_by(*order).values_list(columns_in(parts)))
