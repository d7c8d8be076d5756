"""Django's code under ASGI in threads that stay, each with its database connection.

Django itself starts a thread for every request, and with it opens a connection to the database: that costs
more than a small request itself. Here a request takes a free thread and gives it back at its end.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from asgiref.sync import ThreadSensitiveContext
from django.core.handlers.asgi import ASGIHandler
from django.db import connections

MOST_THREADS = 64  # requests that are worked on at the same time; others wait for their turn

free: list[ThreadPoolExecutor] = []  # each of one thread; touched by the event loop only


class PooledHandler(ASGIHandler):
    """Django's handler; all synchronous code of a request runs in one thread of the pool."""

    def __init__(self) -> None:
        super().__init__()
        self.turns = asyncio.Semaphore(MOST_THREADS)

    async def __call__(
        self, scope: dict[str, Any], receive: Callable[[], Any], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        """Answer one request."""
        async with self.turns:
            thread = free.pop() if free else ThreadPoolExecutor(1, thread_name_prefix="request")
            try:
                async with ThreadSensitiveContext(executor=thread):
                    await self.handle(scope, receive, send)
            finally:
                free.append(thread)


def end_threads() -> None:
    """Close the database connections of the free threads and end them."""
    while free:
        thread = free.pop()
        thread.submit(connections.close_all).result()
        thread.shutdown()
