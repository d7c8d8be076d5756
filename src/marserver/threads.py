"""The threads in which requests are worked on. They stay, each with its connection to the database.

The one that was used last is taken first: its connection has what is asked for most in its cache.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connections

free: list[ThreadPoolExecutor] = []  # each of one thread; touched by the event loop only


def take() -> ThreadPoolExecutor:
    """A thread that is free; a new one where none is."""
    return free.pop() if free else ThreadPoolExecutor(1, thread_name_prefix="request")


def give_back(thread: ThreadPoolExecutor) -> None:
    """The next request may have it."""
    free.append(thread)


def within(thread: ThreadPoolExecutor, work: Callable[[], Any]) -> Awaitable[Any]:
    """What the work gives, done in this thread."""
    return asyncio.get_running_loop().run_in_executor(thread, work)


async def anywhere(work: Callable[[], Any]) -> Any:
    """What the work gives, done in any thread."""
    thread = take()
    try:
        return await within(thread, work)
    finally:
        give_back(thread)


def end_threads() -> None:
    """Close the database connections of the free threads and end them."""
    while free:
        thread = free.pop()
        thread.submit(connections.close_all).result()
        thread.shutdown()
