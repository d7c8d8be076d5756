"""What takes long to count and may be some seconds old: counted by one who asks, kept for the others."""

import threading
import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from django.conf import settings

MOST_KEPT = 50
Value = TypeVar("Value")


class Kept(Generic[Value]):
    """`Kept(count, seconds)(*what)`: `count(*what)`, as it was at most some seconds ago.

    While one counts again, the others get the value of before, where there is one: twenty pages that ask by
    themselves cost what one costs. `seconds` is asked each time; each data root has values of its own.
    """

    def __init__(self, count: Callable[..., Value], seconds: Callable[[], float]) -> None:
        self.count, self.seconds = count, seconds
        self.found: dict[Hashable, tuple[float, Value]] = {}
        self.counting = threading.Lock()

    def __call__(self, *what: Hashable) -> Value:
        """The value."""
        key = str(settings.MAR_ROOT), what
        before = self.found.get(key)
        if before is not None and (self.is_fresh(before) or self.counting.locked()):
            return before[1]
        with self.counting:
            there = self.found.get(key)
            if there is None or not self.is_fresh(there):  # else another one counted while we waited
                if len(self.found) >= MOST_KEPT:
                    self.found.clear()
                there = self.found[key] = time.monotonic(), self.count(*what)
            return there[1]

    def is_fresh(self, found: tuple[float, Value]) -> bool:
        """Whether it was counted just now."""
        return time.monotonic() - found[0] <= self.seconds()
