"""Cameras are data: where each amplifier lies, what the header cards are called, which filters there are."""

import re
import tomllib
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self

import tomli_w
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from mar.bands import Band
from mar.errors import BadCamera, BadHeader

_FITS_SECTION = re.compile(r"\s*\[\s*(\d+)\s*:\s*(\d+)\s*,\s*(\d+)\s*:\s*(\d+)\s*\]\s*")


class Section(NamedTuple):
    """A rectangle of pixels: zero-based and half-open, as Python slices are."""

    x0: int
    x1: int
    y0: int
    y1: int

    @classmethod
    def from_fits(cls, text: str) -> "Section":
        """From `[x1:x2,y1:y2]`, one-based and inclusive; raises BadCamera."""
        match = _FITS_SECTION.fullmatch(text)
        if match is None:
            raise BadCamera(f"{text!r} is not a section; write it as [x1:x2,y1:y2]")
        x1, x2, y1, y2 = map(int, match.groups())
        if not (1 <= x1 <= x2 and 1 <= y1 <= y2):
            raise BadCamera(f"section {text!r} is empty or turned round; sections start at 1 and grow")
        return cls(x1 - 1, x2, y1 - 1, y2)

    def to_fits(self) -> str:
        """As `[x1:x2,y1:y2]`, one-based and inclusive."""
        return f"[{self.x0 + 1}:{self.x1},{self.y0 + 1}:{self.y1}]"

    @property
    def slices(self) -> tuple[slice, slice]:
        """To index an image (ny, nx) with."""
        return slice(self.y0, self.y1), slice(self.x0, self.x1)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.y1 - self.y0, self.x1 - self.x0

    def inside(self, shape: tuple[int, int]) -> bool:
        """Whether it lies within an image of that shape (ny, nx)."""
        return self.y1 <= shape[0] and self.x1 <= shape[1]


def _section(value: Any) -> Any:
    """Text is a FITS section; an empty text means that there is no such section."""
    if isinstance(value, str):
        return Section.from_fits(value) if value.strip() else None
    return value


SectionText = Annotated[Section, BeforeValidator(_section)]
OptionalSection = Annotated[Section | None, BeforeValidator(_section)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Output(_Part):
    """One readout amplifier as the camera file gives it; sections are in raw coordinates."""

    id: str
    science: SectionText
    prescan_x: OptionalSection = None
    overscan_x: OptionalSection = None
    prescan_y: OptionalSection = None
    overscan_y: OptionalSection = None
    gain: float | None = Field(None, gt=0, description="e-/ADU; the camera's where left out")
    read_noise: float | None = Field(None, ge=0, description="e-; the camera's where left out")
    saturation: float | None = Field(None, gt=0, description="ADU; the camera's where left out")
    bleeds_along: Literal["y", "x"] = Field("y", description="Axis along which charge is moved and bleeds")


class Amplifier(NamedTuple):
    """One amplifier, with its place in the raw and in the trimmed image."""

    id: str
    science: Section  #: raw coordinates, as the four strips
    prescan_x: Section | None
    overscan_x: Section | None
    prescan_y: Section | None
    overscan_y: Section | None
    trimmed: Section  #: its place in the trimmed image
    gain: float  #: e-/ADU
    read_noise_e: float
    saturation_adu: float
    bleeds_along: Literal["y", "x"] = "y"  #: y: along columns


class Site(_Part):
    """Where the telescope stands."""

    name: str
    latitude_deg: float = Field(alias="latitude", ge=-90, le=90)
    longitude_deg: float = Field(alias="longitude", ge=-180, le=360, description="East positive")
    height_m: float = Field(0.0, alias="height")
    utc_offset_h: float = Field(0.0, alias="utc_offset", description="Hours of local time ahead of UTC")


class HeaderMap(_Part):
    """Which cards hold what; those of a list are tried in order."""

    date_obs: tuple[str, ...]
    time_obs: tuple[str, ...] = ()
    local_time: tuple[str, ...] = ()
    exptime: tuple[str, ...]
    filter: tuple[str, ...]
    object: tuple[str, ...]
    ra: tuple[str, ...] = ()
    dec: tuple[str, ...] = ()
    airmass: tuple[str, ...] = ()


class FrameRules(_Part):
    """How a bias and a flat are told from a science frame."""

    cards: tuple[str, ...] = ("IMAGETYP", "FILENAME")
    bias: tuple[str, ...] = ("bias",)
    flat: tuple[str, ...] = ("flat",)
    zero_exposure_is_bias: bool = True


class Camera(_Part):
    """A camera: geometry, header cards, filters and site."""

    name: str
    raw_columns: int = Field(gt=0)
    raw_rows: int = Field(gt=0)
    pixel_scale_arcsec: float = Field(alias="pixel_scale", gt=0)
    gain: float = Field(gt=0, description="e-/ADU")
    read_noise_e: float = Field(alias="read_noise", ge=0)
    saturation_adu: float = Field(alias="saturation", gt=0)
    unique_name: Literal["name", "path"] = "name"
    north_up: bool = True
    east_left: bool = True
    order: tuple[tuple[str, ...], ...] = Field(description="Grid of outputs, lowest row first")
    site: Site
    header: HeaderMap
    frames: FrameRules = FrameRules()
    filters: tuple[Band, ...]
    outputs: tuple[Output, ...]

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        ids = [output.id for output in self.outputs]
        if sorted(ids) != sorted(id for row in self.order for id in row):
            raise ValueError("order must name each output exactly once")
        for output in self.outputs:
            strips = (output.prescan_x, output.overscan_x, output.prescan_y, output.overscan_y)
            for section in (output.science, *(strip for strip in strips if strip)):
                if not section.inside(self.raw_shape):
                    raise ValueError(f"{output.id}: {section.to_fits()} lies outside the raw image")
        for row in self.order:
            if len({self._output(id).science.shape[0] for id in row}) != 1:
                raise ValueError(f"outputs {', '.join(row)} stand in one row but differ in height")
        if len({sum(self._output(id).science.shape[1] for id in row) for row in self.order}) != 1:
            raise ValueError("the rows of outputs differ in width")
        return self

    def _output(self, id: str) -> Output:
        return next(output for output in self.outputs if output.id == id)

    @property
    def raw_shape(self) -> tuple[int, int]:
        """Rows and columns of a raw frame."""
        return self.raw_rows, self.raw_columns

    @cached_property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of a trimmed frame."""
        return (
            max(amplifier.trimmed.y1 for amplifier in self.amplifiers),
            max(amplifier.trimmed.x1 for amplifier in self.amplifiers),
        )

    @cached_property
    def amplifiers(self) -> tuple[Amplifier, ...]:
        """The amplifiers, lowest row first, each row from the left."""
        placed, y = [], 0
        for row in self.order:
            x = 0
            for output in map(self._output, row):
                rows, columns = output.science.shape
                placed.append(self._place(output, Section(x, x + columns, y, y + rows)))
                x += columns
            y += rows
        return tuple(placed)

    def _place(self, output: Output, trimmed: Section) -> Amplifier:
        return Amplifier(
            output.id,
            output.science,
            output.prescan_x,
            output.overscan_x,
            output.prescan_y,
            output.overscan_y,
            trimmed,
            self.gain if output.gain is None else output.gain,
            self.read_noise_e if output.read_noise is None else output.read_noise,
            self.saturation_adu if output.saturation is None else output.saturation,
            output.bleeds_along,
        )

    @property
    def band_names(self) -> tuple[str, ...]:
        """Names of the filters, in the order of the file."""
        return tuple(band.name for band in self.filters)

    def band(self, word: str) -> Band:
        """The filter that a header calls `word`; raises BadHeader."""
        for band in self.filters:
            if band.answers_to(word):
                return band
        raise BadHeader(f"{self.name} has no filter {word!r}; it has {', '.join(self.band_names)}")


def builtin_cameras() -> list[str]:
    """Names of the cameras that come with the package."""
    files = resources.files("mar.cameras").iterdir()
    return sorted(file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml"))


def load_camera(name_or_path: str | Path) -> Camera:
    """A built-in camera by its name, or a camera file (TOML) by its path; raises BadCamera."""
    return camera_from_text(_camera_text(name_or_path), str(name_or_path))


def camera_from_text(text: str, origin: str = "camera") -> Camera:
    """A camera from the text of its TOML file; `origin` names it in errors. Raises BadCamera."""
    try:
        return Camera.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise BadCamera(f"{origin} is not TOML: {error}") from error
    except ValidationError as error:
        raise BadCamera(f"{origin}: {_first_fault(error)}") from error


def camera_to_toml(camera: Camera) -> str:
    """The text of the camera's TOML file."""
    return tomli_w.dumps(_plain(camera))


def _plain(value: Any) -> Any:
    """Models and sections as TOML holds them; what is None is left out."""
    if isinstance(value, Section):
        return value.to_fits()
    if isinstance(value, BaseModel):
        fields = type(value).model_fields
        parts = {field.alias or name: getattr(value, name) for name, field in fields.items()}
        return {name: _plain(part) for name, part in parts.items() if part is not None}
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return value


def _camera_text(name_or_path: str | Path) -> str:
    if str(name_or_path) in builtin_cameras():
        return resources.files("mar.cameras").joinpath(f"{name_or_path}.toml").read_text("utf-8")
    try:
        return Path(name_or_path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        known = ", ".join(builtin_cameras())
        raise BadCamera(
            f"no camera {str(name_or_path)!r}: give the path of a file or one of {known}"
        ) from error


def _first_fault(error: ValidationError) -> str:
    fault = error.errors()[0]
    place = ".".join(str(part) for part in fault["loc"])
    return f"{place}: {fault['msg']}" if place else fault["msg"]
