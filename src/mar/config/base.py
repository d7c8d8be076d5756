"""What every section of the configuration is: frozen, documented items with units and bounds."""

import unicodedata
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

LARGEST = 2**63 - 1  # of whole numbers in TOML and in databases
MOST_CHARACTERS = 1000
MOST_MEMBERS = 1000


class Section(BaseModel):
    """A section of the configuration. Item `POLYDEG_X` is the attribute `polydeg_x`."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        populate_by_name=True,
        alias_generator=str.upper,
        allow_inf_nan=False,
        validate_default=True,
    )

    @field_validator("*")
    @classmethod
    def is_storable(cls, value: Any) -> Any:
        """Whether files and databases keep the value as it is."""
        fault = fault_of(value)
        if fault:
            raise PydanticCustomError("not_storable", "{fault}", {"fault": fault})
        return value


def fault_of(value: Any) -> str:
    """Why a value cannot be kept in files and databases, or nothing."""
    if isinstance(value, tuple):
        if len(value) > MOST_MEMBERS:
            return f"more than {MOST_MEMBERS} members"
        return next(filter(None, map(fault_of, value)), "")
    if isinstance(value, int) and abs(value) > LARGEST:
        return f"beyond {LARGEST}"
    if isinstance(value, str) and len(value) > MOST_CHARACTERS:
        return f"text of more than {MOST_CHARACTERS} characters"
    if isinstance(value, str) and any(unicodedata.category(one) in ("Cc", "Cs") for one in value):
        return "text with control characters"
    return ""


def item(default: Any, sentence: str, *, unit: str = "", unused: bool = False, **bounds: Any) -> Any:
    """An item: its default, one sentence, its unit and its bounds (gt, ge, lt, le ...).

    `unused` marks items that existing scripts set and that mean nothing here.
    """
    extra: dict[str, Any] = {"unit": unit} if unit else {}
    if unused:
        extra["unused"] = True
    return Field(default, description=sentence, json_schema_extra=extra or None, **bounds)
