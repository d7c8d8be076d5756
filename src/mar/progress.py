"""How long work tells how far it is."""

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called as progress(step, done, total); `done` counts from 0 to `total`."""


def silent(step: str, done: int, total: int) -> None:
    """Progress that nobody watches."""
