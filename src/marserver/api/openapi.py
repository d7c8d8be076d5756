"""The published contract: OpenAPI 3.1 as JSON, and a page that shows it without any help from the network."""

from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from marserver.api.envelope import encode, reply
from marserver.api.fields import BANDS_HERE
from marserver.api.main import api
from marserver.reduction import site

PAGE_POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'"


@cache
def schema() -> dict[str, Any]:
    """The whole description."""
    whole = {**api.get_openapi_schema(path_prefix="/reduction/"), "servers": [{"url": "/"}]}
    for methods in whole["paths"].values():
        for operation in methods.values():
            allow_nothing(operation, whole["components"]["schemas"])
    return dict(with_bands(whole))


def allow_nothing(operation: dict[str, Any], known: dict[str, Any]) -> None:
    """No body at all and null count as {}: say so where {} is accepted."""
    if "requestBody" not in operation:
        return
    content = operation["requestBody"]["content"]["application/json"]
    body = known.get(content["schema"].get("$ref", "").rpartition("/")[2], {"required": ["type"]})
    if not body.get("required"):
        operation["requestBody"]["required"] = False
        content["schema"] = {"anyOf": [content["schema"], {"type": "null"}]}


def with_bands(part: Any) -> Any:
    """The same description, the bands of this camera named where a band is meant."""
    if isinstance(part, list):
        return [with_bands(one) for one in part]
    if not isinstance(part, dict):
        return part
    named = {key: with_bands(value) for key, value in part.items() if key != BANDS_HERE}
    return named | {"enum": spellings()} if BANDS_HERE in part else named


def spellings() -> list[str]:
    """The bands of this camera and their other names."""
    return [name for band in site.camera().filters for name in (band.name, *band.aliases)]


@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    """GET /reduction/openapi.json, no token needed."""
    return reply(schema())


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """GET /reduction/docs: every path and type with its parameters and an example."""
    response = render(
        request, "api/docs.html", {"paths": [shown(*item) for item in schema()["paths"].items()]}
    )
    response["Content-Security-Policy"] = PAGE_POLICY
    return response


def shown(path: str, methods: dict[str, Any]) -> dict[str, Any]:
    """One path for the page."""
    method, operation = next(iter(methods.items()))
    return {
        "method": method.upper(),
        "path": path,
        "summary": operation["summary"],
        "description": operation.get("description", ""),
        "types": [shown_type(body) for body in bodies(operation)],
    }


def bodies(operation: dict[str, Any]) -> list[dict[str, Any]]:
    """The schemas that a path accepts."""
    if "requestBody" not in operation:
        return []
    wanted = operation["requestBody"]["content"]["application/json"]["schema"]
    wanted = wanted["anyOf"][0] if "anyOf" in wanted else wanted
    names = [one["$ref"].rpartition("/")[2] for one in wanted.get("oneOf", [wanted])]
    return [schema()["components"]["schemas"][name] for name in names]


def shown_type(body: dict[str, Any]) -> dict[str, Any]:
    """One type for the page: its parameters, which of them are needed, and an example."""
    required = set(body.get("required", []))
    properties = [(name, part) for name, part in body["properties"].items() if name != "type"]
    word = body["properties"].get("type", {}).get("const", "")
    return {
        "type": word,
        "about": body.get("description", ""),
        "sets": [one["title"] for one in body.get("oneOf", [])],
        "parameters": [
            {"name": name, "required": name in required, "about": part.get("description", "")}
            for name, part in properties
        ],
        "example": encode(body["examples"][0]),
    }
