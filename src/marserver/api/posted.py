"""The door for bodies: bytes of a POST in, an object whose empty strings are gone out."""

import json
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from ninja import NinjaAPI
from ninja.params.models import BodyModel, Param

from marserver.errors import Invalid, Refused

# An empty comment clears it and an empty value restores the default; elsewhere it counts as not given
MEANT_EMPTY = {"comment", "value"}


class TooLarge(Refused):
    """The body is larger than any request needs to be."""

    status = 413


class PostedModel(BodyModel):
    """ninja's body model with the conventions of this API: nothing, blanks and null are {}."""

    @classmethod
    def get_request_data(cls, request: HttpRequest, api: NinjaAPI, path_params: Any) -> dict[str, Any]:
        """What ninja validates: the whole object under the view's one parameter."""
        return {cls.__read_from_single_attr__: read_body(request)}


class Posted(Param):  # type: ignore[misc]
    """Marks the parameter of a view that is the posted object."""

    _model = PostedModel

    @classmethod
    def _param_source(cls) -> str:
        return "body"


def read_body(request: HttpRequest) -> dict[str, Any]:
    """The posted JSON object without its empty strings. Raises Invalid or TooLarge."""
    try:
        content = request.body
    except RequestDataTooBig:
        raise TooLarge("the body is too large; no request needs more than 1 MB") from None
    posted = parse(content) if content.strip() else {}
    if posted is None:
        return {}
    if not isinstance(posted, dict):
        raise Invalid("the body must be a JSON object")
    check_text(posted)
    return {name: value for name, value in posted.items() if value != "" or name in MEANT_EMPTY}


def parse(content: bytes) -> Any:
    """Strict JSON; raises Invalid."""
    try:
        return json.loads(content, parse_constant=not_a_number)
    except (ValueError, RecursionError) as error:
        reason = error.msg if isinstance(error, json.JSONDecodeError) else "it cannot be read"
        raise Invalid(f"the body must be a JSON object: {reason}") from None


def not_a_number(word: str) -> None:
    """NaN and Infinity are no JSON."""
    raise ValueError(f"{word} is no JSON")


def check_text(posted: dict[str, Any]) -> None:
    """Raise Invalid for text that no database keeps: NUL characters and halves of surrogate pairs."""
    for name, value in posted.items():
        for part in (name, value):
            if isinstance(part, str) and ("\x00" in part or not is_unicode(part)):
                raise Invalid(f"{name!r} holds a character that is not text")


def is_unicode(value: str) -> bool:
    """Whether every character stands for itself."""
    return not any("\ud800" <= character <= "\udfff" for character in value)
