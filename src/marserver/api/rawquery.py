"""rawQuery: one read-only statement; the answer is a file."""

from typing import Any

from django.http import HttpResponse
from pydantic import Field

from marserver.accounts.models import Role
from marserver.api.answers import QueryFile
from marserver.api.bodies import Body
from marserver.api.common import outcome
from marserver.api.envelope import refusal
from marserver.api.fields import QueryForm, Sql
from marserver.api.guard import Asked
from marserver.api.resources import Resource
from marserver.reduction import requests


class Query(Body):
    """One reading statement."""

    query: Sql = Field(description="one statement starting with SELECT or WITH")
    format: QueryForm = Field("csv", description="of the file: csv, json or votable")


resource = Resource(
    "rawQuery", about="One read-only statement; the answer is the path of a file with its rows"
)


@resource.takes(Query, Role.VIEWER, gives=QueryFile)
def raw_query(request: Asked, body: Query) -> dict[str, Any] | HttpResponse:
    user = request.auth
    try:
        done = requests.raw_query(body.query, form=body.format, user_id=user.pk, asked_by=user.username)
    except requests.Busy as error:
        response = refusal(error.status, str(error))
        response["Retry-After"] = str(error.wait_s)
        return response
    return outcome(done)
