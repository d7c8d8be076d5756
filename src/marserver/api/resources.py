"""A resource: one path whose `type` chooses the operation, each with its body, its role and its one call."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Union

from django.http.response import HttpResponseBase
from ninja import NinjaAPI
from pydantic import BeforeValidator, Field

from marserver.accounts.models import Role
from marserver.api.bodies import Body
from marserver.api.envelope import answer, refusal
from marserver.api.guard import Asked, require
from marserver.api.posted import Posted
from marserver.api.schemas import REFUSALS, Answer
from marserver.errors import Invalid

Act = Callable[[Any, Any], Any]


@dataclass(frozen=True)
class Action:
    """What one type does and who may ask for it."""

    act: Act | None  # None: not done yet, answers 501
    role: Role


class Resource:
    """One path under /reduction/, with its aliases."""

    def __init__(self, name: str, *aliases: str, about: str = "") -> None:
        self.kind = name
        self.names = (name, *aliases)
        self.about = about
        self.actions: dict[type[Body], Action] = {}

    def takes(self, body: type[Body], role: Role = Role.OPERATOR) -> Callable[[Act], Act]:
        """Register the function that carries out this body; it gives a Reply or a whole response."""

        def register(act: Act) -> Act:
            self.actions[body] = Action(act, role)
            return act

        return register

    def not_yet(self, *bodies: type[Body], role: Role = Role.OPERATOR) -> None:
        """Bodies that are known and checked, but answered with 501."""
        for body in bodies:
            self.actions[body] = Action(None, role)

    def respond(self, request: Asked, body: Body) -> HttpResponseBase:
        """Guard, one call, answer."""
        action = self.actions[type(body)]
        require(request.auth, action.role)
        if action.act is None:
            return refusal(501, f"{name_of(body)} of {self.names[0]} is not done yet in this version")
        result = action.act(request, body)
        if isinstance(result, HttpResponseBase):
            return result
        return answer(**result)

    def join(self, api: NinjaAPI) -> None:
        """Put the resource and its aliases on the API."""
        for name in self.names:
            api.post(f"/{name}", **self.described(name))(self.view(name))

    def described(self, name: str) -> dict[str, Any]:
        """What OpenAPI tells of the path."""
        waiting = [body for body, action in self.actions.items() if action.act is None]
        answers: dict[int, Any] = {200: Answer, **REFUSALS}
        if not waiting:
            answers.pop(501)
        summary = self.about if name == self.names[0] else f"The same as {self.names[0]}"
        later = ", ".join(sorted(str(type_of(body) or self.names[0]) for body in waiting))
        description = f"Not done yet, answers 501: {later}" if later else ""
        return {
            "response": answers,
            "operation_id": name,
            "summary": summary,
            "description": description,
            "tags": [self.names[0]],
            "openapi_extra": {"x-not-yet": sorted(str(type_of(body) or "") for body in waiting)}
            if waiting
            else {},
        }

    def view(self, name: str) -> Callable[..., HttpResponseBase]:
        """The function that ninja calls, its one parameter the union of the bodies."""

        def view(request: Asked, body: Any) -> HttpResponseBase:
            return self.respond(request, body)

        parameters = [
            inspect.Parameter("request", inspect.Parameter.POSITIONAL_OR_KEYWORD),
            inspect.Parameter(
                "body",
                inspect.Parameter.POSITIONAL_OR_KEYWORD,
                annotation=self.union(),
                default=Posted(...),
            ),
        ]
        view.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        view.__name__ = name
        return view

    def union(self) -> Any:
        """All bodies, told apart by `type`."""
        bodies = tuple(self.actions)
        if len(bodies) == 1:
            return bodies[0]
        known = BeforeValidator(self.with_known_type)
        return Annotated[Union[bodies], Field(discriminator="type"), known]  # noqa: UP007 - made from a tuple

    def with_known_type(self, sent: dict[str, Any]) -> dict[str, Any]:
        """The body as it came; raises Invalid, with the accepted types, where its type is none of them."""
        types = [type_of(body) for body in self.actions]
        if "type" not in sent:
            raise Invalid(f"missing parameter 'type'; accepted types: {', '.join(types)}")
        if sent["type"] not in types:
            raise Invalid(f"unknown type {str(sent['type'])[:60]!r}; accepted types: {', '.join(types)}")
        return sent


def type_of(body: type[Body]) -> str:
    """The word that chooses this body; empty on paths without types."""
    field = body.model_fields.get("type")
    return str(field.annotation.__args__[0]) if field is not None and field.annotation is not None else ""


def name_of(body: Body) -> str:
    """How a body is named in a sentence."""
    return f"type {type_of(type(body))}" if type_of(type(body)) else "this operation"
