"""What every section of the configuration is: frozen, documented items with units and bounds."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


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


def item(default: Any, sentence: str, *, unit: str = "", unused: bool = False, **bounds: Any) -> Any:
    """An item: its default, one sentence, its unit and its bounds (gt, ge, lt, le ...).

    `unused` marks items that existing scripts set and that mean nothing here.
    """
    extra: dict[str, Any] = {"unit": unit} if unit else {}
    if unused:
        extra["unused"] = True
    return Field(default, description=sentence, json_schema_extra=extra or None, **bounds)
