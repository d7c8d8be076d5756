"""A resource: one path whose `type` chooses the operation, each with its body, its role and its one call."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Union

from django.http.response import HttpResponseBase
from ninja import NinjaAPI
from pydantic import BeforeValidator, Field

from marserver.accounts.models import Role
from marserver.api.answers import Good, Sentence
from marserver.api.bodies import Body
from marserver.api.envelope import answer
from marserver.api.guard import Asked, require
from marserver.api.posted import Posted
from marserver.api.schemas import REFUSALS
from marserver.errors import Invalid

Act = Callable[[Any, Any], Any]


@dataclass(frozen=True)
class Action:
    """What one type does and who may ask for it."""

    act: Act
    role: Role
    gives: type[Good]


class Resource:
    """One path under /reduction/, with its aliases."""

    def __init__(self, name: str, *aliases: str, about: str = "") -> None:
        self.kind = name
        self.names = (name, *aliases)
        self.about = about
        self.actions: dict[type[Body], Action] = {}

    def takes(
        self, body: type[Body], role: Role = Role.OPERATOR, gives: type[Good] = Sentence
    ) -> Callable[[Act], Act]:
        """Register the function that carries out this body; it gives a Reply or a whole response."""

        def register(act: Act) -> Act:
            self.actions[body] = Action(act, role, gives)
            return act

        return register

    def respond(self, request: Asked, body: Body) -> HttpResponseBase:
        """Guard, one call, answer."""
        action = self.actions[type(body)]
        require(request.auth, action.role)
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
        gives = tuple(dict.fromkeys(action.gives for action in self.actions.values()))
        return {
            "response": {200: Union[gives], **REFUSALS},  # noqa: UP007 - made from a tuple
            "operation_id": name,
            "summary": self.about if name == self.names[0] else f"The same as {self.names[0]}",
            "tags": [self.names[0]],
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


@cache
def type_of(body: type[Body]) -> str:
    """The word that chooses this body; empty on paths without types."""
    field = body.model_fields.get("type")
    return str(field.annotation.__args__[0]) if field is not None and field.annotation is not None else ""
