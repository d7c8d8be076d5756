"""What a request answers."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Outcome:
    """A sentence for the operator, and the new values beside it."""

    msg: str
    values: dict[str, Any] = field(default_factory=dict)
