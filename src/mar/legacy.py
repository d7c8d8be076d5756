"""Cameras of the existing system: the `Instrument` section of its YAML configuration, read safely."""

import re
from pathlib import Path
from typing import Any

from mar.camera import Camera, Output, Section, load_camera
from mar.errors import BadCamera
from mar.plain_yaml import mapping, read_yaml

_OUTPUT_KEY = re.compile(r"(?:HIERARCH )?(?:\S+ )?DET (\S+) (IMSC|PRSCX|PRSCY|OVSCX|OVSCY)")
_STRIPS = {"PRSCX": "prescan_x", "OVSCX": "overscan_x", "PRSCY": "prescan_y", "OVSCY": "overscan_y"}


def import_camera(path: Path, name: str = "") -> Camera:
    """The camera that a YAML file of the existing system describes; raises BadCamera.

    Geometry, gain, read noise, saturation and scale come from the file; header cards, filters and site,
    which it does not hold, are those of T80Cam.
    """
    values = read_yaml(path)
    instrument = {**values, **mapping(values.get("Instrument", {}), "Instrument", path)}
    outputs = _outputs(instrument, path)
    grid = mapping(values.get("Scan", {}), "Scan", path).get("CCD_ORDER", instrument.get("CCD_ORDER"))
    sections = [section for output in outputs.values() for section in output.values()]
    t80cam = load_camera("t80cam")
    return _checked(
        path,
        {
            "name": name or path.stem,
            "raw_columns": max(section.x1 for section in sections),
            "raw_rows": max(section.y1 for section in sections),
            "pixel_scale": _number(instrument, "PIXSCALE", t80cam.pixel_scale_arcsec, path),
            "gain": _number(instrument, "MASTER_GAIN", t80cam.gain, path),
            "read_noise": _number(instrument, "MASTER_RNOISE", t80cam.read_noise_e, path),
            "saturation": _number(instrument, "SATURATE", t80cam.saturation_adu, path),
            "order": _order(grid, list(outputs), path),
            "site": t80cam.site,
            "header": t80cam.header,
            "frames": t80cam.frames,
            "filters": t80cam.filters,
            "outputs": [Output(id=id, **parts) for id, parts in outputs.items()],
        },
    )


def _outputs(instrument: dict[str, Any], path: Path) -> dict[str, dict[str, Section]]:
    found: dict[str, dict[str, Section]] = {}
    for key, value in instrument.items():
        match = _OUTPUT_KEY.fullmatch(str(key).strip())
        if match and str(value or "").strip():
            id, item = match.groups()
            found.setdefault(id, {})[_STRIPS.get(item, "science")] = Section.from_fits(str(value))
    for id, parts in found.items():
        if "science" not in parts:
            raise BadCamera(f"{path}: output {id} has no IMSC section")
    if not found:
        raise BadCamera(
            f"{path}: no output; lines like `HIERARCH MAR DET OUT1 IMSC: '[1:1024,1:1024]'` are needed"
        )
    return found


def _order(grid: Any, ids: list[str], path: Path) -> list[list[str]]:
    """CCD_ORDER numbers the outputs; their IDs end in those numbers or are the same text."""
    if not grid:
        if len(ids) == 1:
            return [ids]
        raise BadCamera(f"{path}: Scan.CCD_ORDER is missing: the grid of outputs, lowest row first")
    rows = grid if isinstance(grid[0], (list, tuple)) else [grid]
    return [[_id_of(str(entry), ids, path) for entry in row] for row in rows]


def _id_of(entry: str, ids: list[str], path: Path) -> str:
    for id in ids:
        if entry in (id, id.removeprefix("OUT")):
            return id
    raise BadCamera(f"{path}: CCD_ORDER names output {entry!r}; there are {', '.join(ids)}")


def _number(values: dict[str, Any], key: str, default: float, path: Path) -> float:
    try:
        return float(values.get(key, default))
    except (TypeError, ValueError) as error:
        raise BadCamera(f"{path}: {key} = {values[key]!r} is not a number") from error


def _checked(path: Path, values: dict[str, Any]) -> Camera:
    try:
        return Camera.model_validate(values)
    except ValueError as error:
        raise BadCamera(f"{path}: {error}") from error
