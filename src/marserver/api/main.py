"""The API under /reduction/: all resources, and what becomes of errors."""

import logging

from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from mar.errors import BadConfig
from marserver.api import (
    auth,
    biasblock,
    changes,
    configuration,
    fieldimage,
    finaltiles,
    flatblock,
    flatbyfilter,
    follow,
    images,
    individualfile,
    queue,
    rawquery,
    sciblock,
    scibyfilter,
    superflat,
    survey,
    users,
)
from marserver.api.envelope import refusal
from marserver.api.guard import BearerToken
from marserver.errors import Refused

logger = logging.getLogger(__name__)

RESOURCES = (
    individualfile.resource,
    finaltiles.resource,
    biasblock.resource,
    flatbyfilter.resource,
    flatblock.resource,
    scibyfilter.resource,
    sciblock.resource,
    superflat.resource,
    fieldimage.resource,
    *queue.resources,
    changes.resource,
    *configuration.resources,
    survey.resource,
    rawquery.resource,
    *images.resources,
    *users.resources,
)

api = NinjaAPI(
    title="MAR",
    version="1",
    description="Reduction of survey images. Paths take POST with a JSON object; `type` chooses what to do.",
    auth=BearerToken(),
    openapi_url=None,
    docs_url=None,
    urls_namespace="reduction",
)
auth.join(api)
follow.join(api)
for resource in RESOURCES:
    resource.join(api)


@api.exception_handler(Refused)
def refused(request: HttpRequest, error: Refused) -> HttpResponse:
    """Whatever the server refuses, with its sentence."""
    return refusal(error.status, str(error))


@api.exception_handler(BadConfig)
def bad_configuration(request: HttpRequest, error: BadConfig) -> HttpResponse:
    """The configuration in force cannot be read, as somebody edited it by hand."""
    return refusal(409, f"{error}; correct the file in CONFIG, or go back by undoConf or set_conf")


@api.exception_handler(AuthenticationError)
def unknown_user(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    """No token, or one that no longer counts."""
    return refusal(401, "no valid token: log in at auth/login and send it as Authorization: Bearer <token>")


@api.exception_handler(ValidationError)
def invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """What no body has told by itself."""
    first = error.errors[0]
    return refusal(400, f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}")


@api.exception_handler(HttpError)
def http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    """What ninja refuses by itself."""
    return refusal(error.status_code, str(error))


@api.exception_handler(Http404)
def not_found(request: HttpRequest, error: Http404) -> HttpResponse:
    """What Django does not find."""
    return refusal(404, str(error) or "not found")


@api.exception_handler(RequestDataTooBig)
def too_big(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
    """More than any request needs."""
    return refusal(413, "the body is too large")


@api.exception_handler(Exception)
def failed(request: HttpRequest, error: Exception) -> HttpResponse:
    """A fault of ours: the log has the traceback, the answer has not."""
    logger.error("%s %s failed", request.method, request.path, exc_info=error)
    return refusal(500, "the server failed on this request; its log says why")
