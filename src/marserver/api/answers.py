"""What good answers hold, as OpenAPI describes it; rows are described from the archive's own columns."""

from typing import Any, Literal

from django.db import models
from pydantic import BaseModel, ConfigDict, Field, create_model

from marserver.archive.kinds import KINDS, Kind

OPERATION = {
    "id": (int, ...),
    "function": (str, ...),
    "target": (str, ...),
    "step": (str, ...),
    "band": (str, ...),
    "done": (int, ...),
    "total": (int, ...),
    "elapsed": (float, Field(description="seconds")),
    "remaining": (float | None, Field(description="seconds; null where it cannot be told yet")),
}
BESIDE = {
    "id": {"type": "integer", "description": "of the row that was made or changed"},
    "job": {"type": "integer", "description": "of the operation that was queued"},
    "count": {"type": "integer", "description": "how many rows it concerns"},
    "newstatus": {"type": ["integer", "string"], "description": "the status that was set"},
    "flag": {"type": "integer"},
    "comments": {"type": "string"},
    "plan": {"type": "object", "description": "what would be done"},
}


class Good(BaseModel):
    """A good answer."""

    status: Literal[True]


def with_beside(schema: dict[str, Any]) -> None:
    """The members that may stand beside a sentence."""
    schema["properties"].update(BESIDE)


class Sentence(Good):
    """A sentence, and the new values beside it."""

    model_config = ConfigDict(extra="allow", json_schema_extra=with_beside)
    msg: str


class Objects(Good):
    """A list of objects."""

    model_config = ConfigDict(extra="allow")
    msg: list[dict[str, Any]]


class Values(Good):
    """An object of values."""

    model_config = ConfigDict(extra="allow")
    msg: dict[str, Any]


class Change(BaseModel):
    """One change of one object."""

    model_config = ConfigDict(extra="allow")
    id: int
    time: str = Field(description="ISO 8601, UTC")
    user: str = Field(description="who asked; empty for the server itself")
    action: str
    before: dict[str, Any]
    after: dict[str, Any]


class Changes(Good):
    """Changes, newest first."""

    msg: list[Change]


class Lines(BaseModel):
    """Log lines, newest first: `2021-09-10T23:50:00Z LEVEL text`."""

    main: list[str]


class Log(Good):
    """The log."""

    msg: Lines


Operation = create_model("Operation", __doc__="A running operation.", **OPERATION)  # type: ignore[call-overload]


class RunningOperations(Good):
    """What the pipeline does now."""

    model_config = ConfigDict(extra="allow")
    msg: str = Field(description="`Available`, or one sentence")
    operations: list[Operation]


class Waits(BaseModel):
    """An operation that waits."""

    id: int
    function: str
    block: str
    code: str
    user: str
    priority: int
    queued_at: str
    not_before: str | None = None  # put off until then


class WaitingOperations(Good):
    """The operations that wait, in order."""

    model_config = ConfigDict(extra="allow")
    msg: list[Waits]


class Ended(BaseModel):
    """A finished operation."""

    id: int
    operation: str
    endDate: str  # noqa: N815 - as clients know it
    logPath: str | None = Field(description="a plain text file, served at /media/")  # noqa: N815
    started: str | None
    seconds: float | None
    outcome: str
    user: str
    error: str


class FinishedOperations(Good):
    """Finished operations, newest first."""

    msg: list[Ended]


class SurveyProgress(Good):
    """The four numbers of the survey, and more beside them."""

    model_config = ConfigDict(extra="allow")
    msg: dict[str, int]


class QueryFile(Good):
    """The file of a query."""

    model_config = ConfigDict(extra="allow")
    msg: str = Field(description="path of the file below the data root")
    query: str
    columns: list[str]
    rows: int
    truncated: bool


TYPES: dict[str, Any] = {
    "BooleanField": bool,
    "FloatField": float,
    "JSONField": list[str],
    "CharField": str,
    "TextField": str,
    "DateField": str,
    "DateTimeField": str,
}


def type_of_column(kind: Kind, attribute: str) -> Any:
    """The type of one column as JSON has it."""
    field: Any = None
    model: type[models.Model] = kind.model
    null = False
    for name in attribute.split("__"):
        field = model._meta.get_field(name.removesuffix("_id") if name.endswith("_id") else name)
        null = null or field.null
        model = field.related_model or model
    known = TYPES.get(field.get_internal_type(), int)
    if kind.name == "individualfile" and attribute == "isvalid":
        known = int
    return known | None if null else known


def flat_row(kind: Kind, name: str) -> type[BaseModel]:
    """A row of a kind without what hangs below it."""
    columns: dict[str, Any] = {key: (type_of_column(kind, attribute), ...) for key, attribute in kind.columns}
    return create_model(name, __doc__=f"A row of {kind.name}.", **columns)


def list_of(model: type[BaseModel]) -> Any:
    """The type of a list of these."""
    return list[model]  # type: ignore[valid-type]


def row_models() -> dict[str, type[BaseModel]]:
    """For each kind its rows with all that may hang below them, in arrays that are left out where empty."""
    made = {"sci": flat_row(KINDS["sci"], "Sci")}
    frame = with_arrays("Frame", flat_row(KINDS["individualfile"], "FrameColumns"), {"sci": made["sci"]})
    for name, kind in KINDS.items():
        if name != "sci":
            lower = {
                nest.key: frame if nest.kind == "individualfile" else made[nest.kind] for nest in kind.nests
            }
            made[name] = with_arrays(f"{title(name)}Row", flat_row(kind, title(name)), lower)
    return made


def with_arrays(name: str, row: type[BaseModel], lower: dict[str, type[BaseModel]]) -> type[BaseModel]:
    """A row with arrays of other rows below it."""
    arrays: dict[str, Any] = {key: (list_of(model), []) for key, model in lower.items()}
    return create_model(name, __base__=row, __doc__=row.__doc__, **arrays)


def title(name: str) -> str:
    """A kind's name in the schema."""
    return name[0].upper() + name[1:]


ROWS = row_models()


def rows_of(kind: str) -> type[Good]:
    """The answer of a `get`."""
    rows = list_of(ROWS[kind])
    return create_model(f"{title(kind)}Rows", __base__=Good, __doc__=f"Rows of {kind}.", msg=(rows, ...))
