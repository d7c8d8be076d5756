"""What the server says when all is well."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Answer:
    """`msg` is a sentence or rows; `values` are the members beside it."""

    msg: Any
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> int:
        """The id of the row that was made or changed; KeyError where the answer has none."""
        return int(self.values["id"])

    @property
    def job(self) -> int:
        """The id of the operation that was queued; KeyError where none was."""
        return int(self.values["job"])
