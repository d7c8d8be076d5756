"""What the framework would answer by itself comes in the envelope too."""

from collections.abc import Callable
from http.client import responses

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from marserver.api.envelope import refusal

SENTENCES = {
    400: "the request cannot be understood",
    403: "not allowed",
    404: "there is nothing at {path}; /reduction/docs lists what there is",
    405: "{method} is not allowed at {path}; use {allow}",
    500: "the server failed on this request; its log says why",
}


class EnvelopeMiddleware:
    """Turns every bare error into the envelope, and takes `/reduction/x/` for `/reduction/x`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith("/reduction/"):
            request.path_info = request.path_info.rstrip("/")
        response = self.get_response(request)
        if response.status_code < 400 or not wants_envelope(request, response):
            return response
        return enveloped(request, response)


def wants_envelope(request: HttpRequest, response: HttpResponse) -> bool:
    """Whether this error still is a bare one, at a place or for a client that does not read pages."""
    if response.get("Content-Type", "").startswith("application/json"):
        return False
    if request.path_info.startswith(("/reduction", "/media/")):
        return True
    return "text/html" not in request.headers.get("Accept", "")


def enveloped(request: HttpRequest, bare: HttpResponse) -> HttpResponse:
    """The same status in the envelope, with the headers that belong to it."""
    status = bare.status_code
    sentence = SENTENCES.get(status, responses.get(status, "error").lower())
    words = {"path": request.path[:200], "method": request.method, "allow": bare.get("Allow", "another")}
    response = refusal(status, sentence.format(**words))
    for header in ("Allow", "Retry-After", "Content-Range"):
        if header in bare:
            response[header] = bare[header]
    return response
