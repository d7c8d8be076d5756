"""The configuration: typed, frozen, documented, and passed in, never global.

Sections and items carry the names that existing scripts use; `Config().scan.polydeg_x` is the item
`POLYDEG_X` of section `Scan`. A TOML file holds only what differs from the defaults.
"""

import hashlib
import json
import re
import tomllib
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mar.config.astrometry import Astrometry
from mar.config.base import Section, item
from mar.config.bias import Bias
from mar.config.coadd import Coadd
from mar.config.colour import Colour
from mar.config.cosmics import Cosmics
from mar.config.flat import Flat
from mar.config.fringe import Fringe, Superflat
from mar.config.fringeframe import FringeFrame
from mar.config.general import General
from mar.config.photometry import Photometry
from mar.config.psfex import PSFex, Sextractor
from mar.config.reduction import Reduction
from mar.config.repair import Repair
from mar.config.saturation import Saturation
from mar.config.scamp import Scamp
from mar.config.scan import Scan
from mar.config.swarp import Swarp
from mar.config.thumbs import Thumbs
from mar.config.trails import Trails
from mar.errors import BadConfig

__all__ = [
    "Config",
    "Section",
    "config_from_dict",
    "config_from_toml",
    "config_hash",
    "config_to_dict",
    "config_to_toml",
    "describe",
    "given_items",
    "given_to_toml",
    "item",
    "load_config",
]

# memory and time of tomllib grow with the square of a key's parts and more
DEEP_KEY = re.compile(
    r"""(?<![^\s.=,{}\[\]"'])(?:(?:"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+'|[^\s.=,{}\[\]"']++)[ \t]*+\.[ \t]*+){20}"""
)


class Config(BaseModel):
    """All sections; every item has a default."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    config: General = General()
    scan: Scan = Field(Scan(), alias="Scan")
    superflat: Superflat = Field(Superflat(), alias="Superflat")
    fringe: Fringe = Field(Fringe(), alias="Fringe")
    reduction: Reduction = Field(Reduction(), alias="Reduction")
    scamp: Scamp = Field(Scamp(), alias="Scamp")
    swarp: Swarp = Field(Swarp(), alias="Swarp")
    psfex: PSFex = Field(PSFex(), alias="PSFex")
    sextractor: Sextractor = Field(Sextractor(), alias="Sextractor")
    thumbs: Thumbs = Field(Thumbs(), alias="Thumbs")
    bias: Bias = Field(Bias(), alias="Bias")
    flat: Flat = Field(Flat(), alias="Flat")
    fringeframe: FringeFrame = Field(FringeFrame(), alias="FringeFrame")
    saturation: Saturation = Field(Saturation(), alias="Saturation")
    cosmics: Cosmics = Field(Cosmics(), alias="Cosmics")
    trails: Trails = Field(Trails(), alias="Trails")
    repair: Repair = Field(Repair(), alias="Repair")
    astrometry: Astrometry = Field(Astrometry(), alias="Astrometry")
    photometry: Photometry = Field(Photometry(), alias="Photometry")
    coadd: Coadd = Field(Coadd(), alias="Coadd")
    colour: Colour = Field(Colour(), alias="Colour")


def config_from_dict(values: dict[str, Any], origin: str = "configuration") -> Config:
    """A configuration from {section: {item: value}}; raises BadConfig, which names the item."""
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(str(part) for part in fault["loc"])
        raise BadConfig(f"{origin}: {place}: {fault['msg']}") from error


def config_to_dict(config: Config) -> dict[str, dict[str, Any]]:
    """{section: {item: value}} with the contract's names, as JSON values."""
    return config.model_dump(mode="json", by_alias=True)


def load_config(path: Path | None) -> Config:
    """The configuration of a TOML file, the defaults without one; raises BadConfig."""
    if path is None:
        return Config()
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadConfig(f"{path} cannot be read as TOML: {error}") from error
    return config_from_toml(text, str(path))


def config_from_toml(text: str, origin: str) -> Config:
    """The configuration of TOML text; raises BadConfig, which begins with the origin."""
    if DEEP_KEY.search(text):
        raise BadConfig(f"{origin} cannot be read as TOML: a key of so many parts names no item")
    try:
        values = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadConfig(f"{origin} cannot be read as TOML: {error}") from error
    return config_from_dict(values, origin)


def config_to_toml(config: Config) -> str:
    """The text of a TOML file with every item."""
    return tomli_w.dumps(config_to_dict(config))


def given_items(config: Config) -> dict[str, dict[str, Any]]:
    """{section: {item: value}} of the items that were given, whatever their defaults are."""
    return config.model_dump(mode="json", by_alias=True, exclude_unset=True)


def given_to_toml(config: Config) -> str:
    """The text of a TOML file with the items that were given."""
    return tomli_w.dumps(given_items(config))


def config_hash(config: Config) -> str:
    """Twelve hexadecimal digits that change whenever an item does."""
    text = json.dumps(config_to_dict(config), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def describe() -> dict[str, dict[str, dict[str, Any]]]:
    """{section: {item: {type, unit, sentence, default, unused, and bounds}}} of all items."""
    return {
        field.alias or name: _describe_section(type(field.default))
        for name, field in Config.model_fields.items()
    }


def _describe_section(section: type[Section]) -> dict[str, dict[str, Any]]:
    schema = section.model_json_schema(by_alias=True)
    return {name: _describe_item(about) for name, about in schema["properties"].items()}


def _describe_item(about: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in about.items() if key not in {"title", "description", "default"}}
    return {
        "type": about.get("type", "choice"),
        "unit": about.get("unit", ""),
        "sentence": about.get("description", ""),
        "default": about.get("default"),
        "unused": about.get("unused", False),
        "accepted": kept,
    }
