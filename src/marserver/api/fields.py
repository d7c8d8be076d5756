"""The kinds of parameter: what a client may send for each, and how it is described.

Numbers may come as decimal strings. Each kind has its sentence for a wrong value, its schema, an example.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from marserver.archive.kinds import named
from marserver.errors import Invalid
from marserver.reduction import site
from marserver.reduction.code import WORDS

LARGEST = 2**63 - 1
BANDS_HERE = "x-bands"  # in a schema: to be published with the bands of this camera
DECIMAL = re.compile(r"-?[0-9]{1,19}")
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, eq=False)
class Kind:
    """How one kind of parameter is read and how it is published."""

    read: Callable[[Any], Any]
    schema: dict[str, Any]
    example: Any
    about: str  # what it means, where the parameter does not say more itself

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self.read, handler(source))

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**self.schema, "description": self.about, "examples": [self.example]}


def wrong(sentence: str) -> PydanticCustomError:
    """A refusal of one value; the parameter's name is put before it."""
    return PydanticCustomError("wrong", "{sentence}", {"sentence": sentence})


def number(least: int, most: int, decimal: str, words: str, example: int = 1) -> Kind:
    """Whole numbers between two bounds, never booleans.

    `decimal` is the pattern of the same as text in the published schema.
    """

    def read(value: Any) -> int:
        if isinstance(value, str) and DECIMAL.fullmatch(value):
            value = int(value)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise wrong(f"must be {words}")
        return value

    forms = [{"type": "integer", "minimum": least, "maximum": most}, {"type": "string", "pattern": decimal}]
    return Kind(read, {"anyOf": forms}, example, words)


def text(most: int, example: str, about: str, least: int = 1) -> Kind:
    """Text of a limited length; `least` is only published, as empty text counts as not given."""

    def read(value: Any) -> str:
        if not isinstance(value, str):
            raise wrong("must be text")
        if len(value) > most:
            raise wrong(f"must be at most {most} characters")
        return value

    schema = {"type": "string", "minLength": least, "maxLength": most, "pattern": "^[^\\u0000]*$"}
    return Kind(read, schema, example, about)


def one_of(*words: str, about: str) -> Kind:
    """One of some words."""

    def read(value: Any) -> str:
        if value not in words:
            raise wrong(f"must be one of {', '.join(words)}")
        return str(value)

    return Kind(read, {"enum": list(words)}, words[0], about)


def key_of(kind: str) -> Kind:
    """What rows of a kind may be sorted by."""
    keys = [key for key, _ in named(kind).columns]
    about = "a key of the row, - before it for descending"
    return one_of("-id", *keys, *(f"-{key}" for key in keys if key != "id"), about=about)


def band(value: Any) -> str:
    """The name of a band of this camera, or another spelling of it."""
    if not isinstance(value, str):
        raise wrong("must be text")
    try:
        return site.band_name(value)
    except Invalid as error:
        raise wrong(str(error).removeprefix("band: ")) from None


def yes_or_no(value: Any) -> bool:
    """0, 1, false or true; as numbers, JSON booleans or text."""
    if isinstance(value, str):
        value = {"0": 0, "1": 1, "false": 0, "true": 1}.get(value.lower())
    if not isinstance(value, int | float) or value not in (0, 1):
        raise wrong("must be 0, 1, false or true")
    return bool(value)


def day(value: Any) -> date:
    """A day written YYYY-MM-DD."""
    if not isinstance(value, str) or not DAY.fullmatch(value):
        raise wrong("must be a day YYYY-MM-DD")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise wrong(f"{value} is not a day of the calendar") from None


def moment(value: Any) -> datetime:
    """A time in ISO 8601; UTC where it does not say."""
    try:
        time = datetime.fromisoformat(value)
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise wrong("must be a time like 2024-03-01T23:50:00Z") from None


def execution_code(value: Any) -> str:
    """The steps to run, in the order in which they run; blanks or commas between the words."""
    if not isinstance(value, str):
        raise wrong("must be text")
    given = value.replace(",", " ").split()
    unknown = [word for word in given if word not in WORDS]
    if unknown:
        raise wrong(f"has the unknown word {unknown[0][:40]!r}; accepted: {' '.join(WORDS)}")
    return " ".join(word for word in WORDS if word in given)


def folder(value: Any) -> str:
    """A path that a file system can have."""
    if not isinstance(value, str):
        raise wrong("must be text")
    if len(value) > 1000 or any(len(name.encode()) > 255 for name in value.split("/")):
        raise wrong("is too long for a path")
    return value


def setting(value: Any) -> Any:
    """A value of the configuration: text, number, true or false, a list of them, or a list of lists."""
    rows = value if isinstance(value, list) else [value]
    parts = [part for row in rows for part in (row if isinstance(row, list) else [row])]
    if not all(isinstance(part, str | int | float | bool) for part in parts):
        raise wrong("must be text, a number, true or false, or a list of them")
    return value


CODE_PATTERN = "^((ov|sf|mc|am|co)([ ,]+(ov|sf|mc|am|co))*)?$"
SCALARS: list[dict[str, Any]] = [{"type": "string"}, {"type": "number"}, {"type": "boolean"}]
ROW: dict[str, Any] = {"type": "array", "items": {"anyOf": SCALARS}}
SETTING_SCHEMA = {"anyOf": [*SCALARS, {"type": "array", "items": {"anyOf": [*SCALARS, ROW]}}]}

Whole = Annotated[int, number(0, LARGEST, "^[0-9]{1,18}$", "a whole number from 0 to 2^63-1")]
Signed = Annotated[int, number(-LARGEST, LARGEST, "^-?[0-9]{1,18}$", "a whole number; negative unlinks")]
Priority = Annotated[int, number(-32768, 32767, "^-?[0-9]{1,4}$", "a whole number, -32768 to 32767")]
Flag = Annotated[
    int, number(-1, 1023, "^(-1|[0-9]{1,3})$", "-1 (not reviewed), 0 (good) or bits up to 1023", 0)
]
FrameStatus = Annotated[int, number(0, 5, "^[0-5]$", "a frame's status, 0 to 5")]
BlockStatus = Annotated[int, number(0, 1, "^[01]$", "0 (to do) or 1 (done)")]
YesNo = Annotated[
    bool, Kind(yes_or_no, {"enum": [0, 1, True, False, "0", "1", "true", "false"]}, 1, "0, 1, false or true")
]
Day = Annotated[date, Kind(day, {"type": "string", "format": "date"}, "2024-03-01", "a day YYYY-MM-DD (UTC)")]
Moment = Annotated[
    datetime,
    Kind(moment, {"type": "string", "format": "date-time"}, "2024-03-01T23:50:00Z", "a time (ISO 8601)"),
]
Code = Annotated[
    str,
    Kind(
        execution_code,
        {"type": "string", "pattern": CODE_PATTERN, "maxLength": 200},
        "ov sf mc am co",
        "steps to run, any of ov sf mc am co; without it all",
    ),
]
Folder = Annotated[
    str, Kind(folder, {"type": "string", "maxLength": 60}, "raw/2024-03-01", "a folder below the data root")
]
Setting = Annotated[Any, Kind(setting, SETTING_SCHEMA, "1", "the new value; empty restores the default")]
OnlyFailed = Annotated[str, one_of("failed", about="failed: only the frames that failed")]
LogLevel = Annotated[str, one_of("INFO", "WARN", "CRITICAL", "TIME", about="lines of this level only")]
FilePath = Annotated[
    str, text(500, "MASTERS/BIAS/masterbias20240301-20240302.fits", "path below the data root")
]
FileName = Annotated[str, text(200, "mar.toml", "name of a file of CONFIG")]
QueryForm = Annotated[str, one_of("csv", "json", "votable", about="form of the file")]
Sql = Annotated[str, text(100_000, "SELECT field, band FROM files_finaltiles", "one statement")]
SectionName = Annotated[str, text(100, "config", "a section of the configuration")]
Word = Annotated[str, text(100, "MAX_DAYS", "an item of its section")]
Band = Annotated[str, Kind(band, {"type": "string", BANDS_HERE: True}, "R", "a band of the camera")]
AnyBand = Annotated[str, text(30, "R", "a band; ignored where the block holds all bands or none")]
FieldName = Annotated[str, text(200, "STRIPE82-0001", "name of a field: OBJECT, its blanks as -")]
Comment = Annotated[str, text(300, "moonlight in the corner", "the comment; an empty one clears it", least=0)]
Patterns = Annotated[str, text(2000, "STRIPE82,HYDRA", "parts of names, separated by commas")]
UserName = Annotated[str, text(150, "alice", "name of an account")]
Email = Annotated[str, text(254, "alice@example.org", "address of the user")]
Password = Annotated[str, text(1000, "correct horse battery staple", "the password")]
