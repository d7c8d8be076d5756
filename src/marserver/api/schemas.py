"""Refusals, and the answers of auth/..., as OpenAPI describes them."""

from typing import Any, Literal

from pydantic import BaseModel, Field


class Refusal(BaseModel):
    """An error."""

    status: Literal[False]
    msg: str = Field(description="what is wrong and what is accepted")


REFUSALS: dict[int, Any] = dict.fromkeys((400, 401, 403, 404, 405, 409, 413, 429), Refusal)


class Whoami(BaseModel):
    """A user as clients know them."""

    id: int = Field(examples=[1])
    username: str = Field(examples=["alice"])
    first_name: str = Field(examples=["Alice"])
    email: str = Field(examples=["alice@example.org"])


class Registered(BaseModel):
    """A new user and a token for them."""

    user: Whoami
    token: str = Field(
        description="to be sent with every request; it is shown only here",
        examples=["TTGKxKQJppZ4T0LVwt0Cv1tPiNA69KUykXdmgWvYYJ4"],
    )


class LoggedIn(Registered):
    """A login: send the token as `Authorization: Bearer <token>`."""

    expiry: str = Field(
        description="when the token expires unless it is used (ISO 8601, UTC)",
        examples=["2024-03-02T09:50:00.000000Z"],
    )
