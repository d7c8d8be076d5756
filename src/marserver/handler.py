"""Django under ASGI: a request is worked on in one thread from its first line to its last.

Django's own ASGI handler goes back and forth between the event loop and a thread for each of its middlewares,
which costs more than a small request itself. Here there is one way there and one way back.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any

from django.core import signals
from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.base import BaseHandler
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import ResolverMatch, set_script_prefix

from marserver.api.envelope import refusal
from marserver.sending import Message, Receive, Send, followed, made_in, send_stream, send_whole
from marserver.threads import give_back, take, within

MOST_REQUESTS = 24  # worked on at the same time; others wait for their turn
MOST_PASSWORDS = 4  # checked at the same time: each takes a processor for a good while
MOST_STREAMS = 16  # long answers that are sent at the same time, beside the requests
WITH_PASSWORD = ("/reduction/auth/login", "/reduction/auth/register", "/reduction/auth/setpassword", "/login")
BUSY = "too many long answers are being sent; try again when one of them has ended"


class OneThreadHandler(BaseHandler):
    """Django's handler; small answers give their thread back before they are sent."""

    def __init__(self) -> None:
        super().__init__()
        self.load_middleware()
        self.turns = asyncio.Semaphore(MOST_REQUESTS)
        self.passwords = asyncio.Semaphore(MOST_PASSWORDS)
        self.streams = 0
        self.resolved: dict[str, ResolverMatch] = {}

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request; its body comes in one message (limits.py sees to that)."""
        body = (await receive()).get("body", b"")
        slow = str(scope["path"]).rstrip("/") in WITH_PASSWORD
        async with self.passwords if slow else self.turns:
            thread = take()
            response = await within(thread, lambda: self.answer(scope, body))
            if not response.streaming:
                give_back(thread)
        if isinstance(response, StreamingHttpResponse):
            response = await self.stream(thread, response, receive, send)
        if isinstance(response, HttpResponse):
            await send_whole(response, send)

    def answer(self, scope: Message, body: bytes) -> HttpResponseBase:
        """The response; one that is no stream is closed, it only has to be sent."""
        set_script_prefix(scope.get("root_path", ""))
        signals.request_started.send(sender=type(self), scope=scope)
        try:
            response = self.get_response(ASGIRequest(scope, BytesIO(body)))
        except UnicodeDecodeError:
            response = refusal(400, "the request's address cannot be read: it is no UTF-8")
        response._handler_class = type(self)  # type: ignore[attr-defined]
        if not response.streaming:
            response.close()
        return response

    def resolve_request(self, request: Any) -> ResolverMatch:
        """Where a path goes, remembered where no part of it varies: there are no more such than patterns."""
        found = self.resolved.get(request.path_info)
        if found is None or hasattr(request, "urlconf"):
            found = super().resolve_request(request)
            if not (found.args or found.kwargs):
                self.resolved[request.path_info] = found
        request.resolver_match = found
        return found

    async def stream(
        self, thread: ThreadPoolExecutor, response: StreamingHttpResponse, receive: Receive, send: Send
    ) -> HttpResponseBase:
        """Send a long answer and close it in its thread; gives a refusal where too many are being sent."""
        if hasattr(response, "every_s"):
            return await self.follow(thread, response, receive, send)
        refused = self.streams >= MOST_STREAMS
        self.streams += 1
        try:
            if not refused:
                await send_stream(response, made_in(thread, response), receive, send)
        finally:
            self.streams -= 1
            await within(thread, response.close)
            give_back(thread)
        return busy() if refused else response

    async def follow(
        self, thread: ThreadPoolExecutor, response: StreamingHttpResponse, receive: Receive, send: Send
    ) -> HttpResponseBase:
        """Send an answer that waits for news; it holds no thread while it waits."""
        give_back(thread)
        try:
            await send_stream(response, followed(response), receive, send)
        finally:
            response.close()
        return response


def busy() -> HttpResponse:
    """429: this server sends as many long answers as it may."""
    response = refusal(429, BUSY)
    response["Retry-After"] = "5"
    return response
