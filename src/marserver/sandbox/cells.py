"""Values of a database as they stand in a file: numbers, text, nothing; the same from both databases."""

import json
import math
import re
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

Cell = None | bool | int | float | str

# How SQLite keeps a time (UTC)
KEPT_TIME = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d{1,6})?)", re.ASCII)


def cell(value: Any) -> Cell:
    """A value as text or number: times in ISO 8601 with Z, what is no number as nothing."""
    kind = type(value)
    if value is None or kind is int:
        return value
    if kind is str:
        # The length alone tells nearly all texts from times, a million rows have many texts
        kept = KEPT_TIME.fullmatch(value) if 19 <= len(value) <= 26 else None
        return f"{kept[1]}T{kept[2]}Z" if kept else str(value)
    if kind is bool:
        return int(value)
    return number(value) if kind is float or kind is Decimal else written(value)


def number(value: float | Decimal) -> int | float | None:
    """A number as JSON has it; whole ones of any size stay whole, NaN and infinity become nothing."""
    if not math.isfinite(value):
        return None
    if isinstance(value, Decimal) and value == value.to_integral_value() and abs(value) < 2**63:
        return int(value)
    return float(value)


def written(value: Any) -> str:
    """Everything that is neither number nor text."""
    if isinstance(value, datetime):
        utc = value.astimezone(UTC) if value.tzinfo else value
        return utc.replace(tzinfo=None).isoformat() + "Z"
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    if isinstance(value, list | tuple | dict):
        return json.dumps(value, default=written)
    return str(value)
