"""Which other origins browsers may call from: those of MAR_CORS_ORIGINS, never with credentials."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

METHODS = "GET, HEAD, POST, OPTIONS"
HEADERS = "Authorization, Content-Type, If-None-Match, Range"
EXPOSED = "Accept-Ranges, Content-Disposition, Content-Length, Content-Range, ETag, Retry-After"


class CorsMiddleware:
    """Answers preflights of the allowed origins and marks their answers; others get neither."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        origin = request.headers.get("Origin", "")
        allowed = origin != "" and origin in settings.MAR_CORS_ORIGINS
        response = preflight() if allowed and is_preflight(request) else self.get_response(request)
        if settings.MAR_CORS_ORIGINS:
            patch_vary_headers(response, ["Origin"])
        if allowed:
            response["Access-Control-Allow-Origin"] = origin
            response["Access-Control-Expose-Headers"] = EXPOSED
        return response


def is_preflight(request: HttpRequest) -> bool:
    """Whether the browser only asks what it may do."""
    return request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers


def preflight() -> HttpResponse:
    """What an allowed origin may send; valid for ten minutes."""
    allowed = {
        "Access-Control-Allow-Methods": METHODS,
        "Access-Control-Allow-Headers": HEADERS,
        "Access-Control-Max-Age": "600",
    }
    return HttpResponse(status=204, headers=allowed)
