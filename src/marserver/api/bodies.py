"""What a request's body must be, and in words what is wrong with it.

A body is a small frozen model. Where a type takes one of several sets of parameters, `sets` names them; keys
in `free` may come with any of them. `hints` tell what else to do where a parameter is missing.
"""

from collections.abc import Iterator
from typing import Any, ClassVar, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    GetJsonSchemaHandler,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, ErrorDetails

from marserver.errors import Invalid

Sets = tuple[tuple[str, ...], ...]


class Body(BaseModel):
    """The base of all bodies: unknown parameters are refused, errors are sentences."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    sets: ClassVar[Sets] = ()
    free: ClassVar[frozenset[str]] = frozenset()
    hints: ClassVar[dict[str, str]] = {}

    @model_validator(mode="wrap")
    @classmethod
    def read(cls, sent: Any, read: ModelWrapValidatorHandler[Self]) -> Self:
        """Validate what was sent; raises Invalid naming the parameter and what is accepted."""
        for name, value in sent.items() if isinstance(sent, dict) else ():
            if value is None:
                raise Invalid(f"{str(name)[:60]} must not be null; leave it out where it is not given")
        try:
            body = read(sent)
        except ValidationError as error:
            raise Invalid(sentence(cls, first_fault(error.errors(include_url=False)))) from None
        check_sets(cls, set(sent))
        body.check()
        return body

    def check(self) -> None:
        """What one parameter says about another; raises Invalid."""

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """The published schema: the parameter sets and an example beside the parameters."""
        schema = handler.resolve_ref_schema(handler(core))
        required = schema.get("required", [])
        properties = {name: without_null(part) for name, part in schema.get("properties", {}).items()}
        schema["properties"] = {
            name: part if name in required else or_empty(part) for name, part in properties.items()
        }
        if cls.sets:
            schema["oneOf"] = [set_schema(cls, names) for names in cls.sets]
        schema["examples"] = [example(cls, properties)]
        return schema


class Nothing(Body):
    """No parameters."""


def wire_names(cls: type[Body]) -> Iterator[tuple[str, FieldInfo]]:
    """Each parameter by the name that clients use."""
    for name, field in cls.model_fields.items():
        yield field.serialization_alias or field.alias or name, field


def competing(cls: type[Body]) -> set[str]:
    """The parameters that tell one set from another."""
    return {name for names in cls.sets for name in names} - cls.free


def check_sets(cls: type[Body], given: set[str]) -> None:
    """Raise Invalid unless exactly one of the parameter sets was given."""
    given = {"contains" if name == "nameContains" else name for name in given}
    if not cls.sets or any(
        set(names) <= given and given & competing(cls) <= set(names) for names in cls.sets
    ):
        return
    chosen = ", ".join(sorted(given & competing(cls))) or "none of them"
    raise Invalid(f"give one of the parameter sets {alternatives(cls)} (given: {chosen})")


def alternatives(cls: type[Body]) -> str:
    """The parameter sets as the documents write them."""
    return "(" + " | ".join(", ".join(names) for names in cls.sets) + ")"


def accepted(cls: type[Body]) -> str:
    """The parameters of a body, required ones first, as the documents write them."""
    fields = [(name, field) for name, field in wire_names(cls) if name != "type"]
    required = [name for name, field in fields if field.is_required()]
    grouped = {name for names in cls.sets for name in names} - cls.free
    optional = [name for name, field in fields if not field.is_required() and name not in grouped]
    parts = ([alternatives(cls)] if cls.sets else []) + ([", ".join(required)] if required else [])
    words = " ".join(parts) + (f" \u2016 {', '.join(optional)}" if optional else "")
    return words.strip() or "no parameters"


def first_fault(faults: list[ErrorDetails]) -> ErrorDetails:
    """The fault to tell of: a parameter that nobody knows first, it may be the misspelt name of another."""
    return next((fault for fault in faults if fault["type"] == "extra_forbidden"), faults[0])


def sentence(cls: type[Body], error: ErrorDetails) -> str:
    """One validation error as a sentence that names the parameter."""
    name = str(error["loc"][0])[:60] if error["loc"] else "the body"
    match error["type"]:
        case "extra_forbidden":
            return f"unknown parameter {name!r}; accepted{for_type(cls)}: {accepted(cls)}"
        case "missing":
            hint = f"; {cls.hints[name]}" if name in cls.hints else ""
            return f"missing parameter {name!r}; accepted{for_type(cls)}: {accepted(cls)}{hint}"
        case "model_type" | "model_attributes_type":
            return "the body must be a JSON object"
    return f"{name}: {error['msg']}"


def for_type(cls: type[Body]) -> str:
    """` with type get`, where the body has a type."""
    field = cls.model_fields.get("type")
    return f" with type {field.annotation.__args__[0]}" if field is not None and field.annotation else ""


def set_schema(cls: type[Body], names: tuple[str, ...]) -> dict[str, Any]:
    """One parameter set as JSON schema: all of these, none of the others."""
    others = sorted(competing(cls) - set(names))
    schema: dict[str, Any] = {"title": ", ".join(names), **given(*names)}
    if others:
        schema["not"] = {"anyOf": [given(name) for name in others]}
    return schema


def given(*names: str) -> dict[str, Any]:
    """JSON schema of bodies that hold these parameters; an empty text counts as not given."""
    return {"required": list(names), "properties": {name: {"not": {"const": ""}} for name in names}}


def or_empty(part: dict[str, Any]) -> dict[str, Any]:
    """The schema of a parameter that may be left out, or be an empty text, which is the same."""
    if "const" in part or part.get("minLength") == 0:
        return part
    about = {key: value for key, value in part.items() if key in ("description", "examples")}
    kept = {key: value for key, value in part.items() if key not in about}
    forms = kept["anyOf"] if set(kept) == {"anyOf"} else [kept]
    return {**about, "anyOf": [*forms, {"const": ""}]}


def without_null(part: dict[str, Any]) -> dict[str, Any]:
    """A parameter's schema: it may be left out, but it is never null."""
    forms = [form for form in part.get("anyOf", []) if form != {"type": "null"}]
    kept = {key: value for key, value in part.items() if key not in ("anyOf", "default", "title")}
    if len(forms) == 1:
        return forms[0] | kept
    return kept | ({"anyOf": forms} if forms else {})


def example(cls: type[Body], properties: dict[str, Any]) -> dict[str, Any]:
    """A body that is accepted: the type, the first parameter set and what is required."""
    wanted = set(cls.sets[0]) if cls.sets else set()
    return {
        name: properties[name].get("const", properties[name].get("examples", [None])[0])
        for name, field in wire_names(cls)
        if name in wanted or field.is_required() or name == "type"
    }
