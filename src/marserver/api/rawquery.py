"""rawQuery: one read-only statement; the answer is a file."""

from pydantic import Field

from marserver.accounts.models import Role
from marserver.api.bodies import Body
from marserver.api.fields import Sql
from marserver.api.resources import Resource


class Query(Body):
    """One reading statement."""

    query: Sql = Field(description="one statement starting with SELECT or WITH")


resource = Resource("rawQuery", about="One read-only statement; the answer is the path of a CSV file")
resource.not_yet(Query, role=Role.VIEWER)
