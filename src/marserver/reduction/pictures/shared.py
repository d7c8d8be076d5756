"""What several requests need is made once: the others wait, and it is kept as long as there is room."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Shared(Generic[Value]):
    """Values by key, the least used dropped first where their sizes add up to more than `room`."""

    def __init__(self, room: int, size: Callable[[Value], int] = lambda value: 1) -> None:
        self._room, self._size = room, size
        self._kept: OrderedDict[Hashable, Value] = OrderedDict()
        self._turns: dict[Hashable, threading.Lock] = {}
        self._lock = threading.Lock()
        self.used = 0  #: sizes of what is kept

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value of a key; where it is not kept one thread makes it, others wait. Raises as `make`."""
        found = self.peek(key)
        if found is not None:
            return found
        with self._lock:
            turn = self._turns.setdefault(key, threading.Lock())
        try:
            with turn:
                found = self.peek(key)
                return self._keep(key, make()) if found is None else found
        finally:
            with self._lock:
                self._turns.pop(key, None)

    def peek(self, key: Hashable) -> Value | None:
        """The value of a key if it is there."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def clear(self) -> None:
        """Keep nothing."""
        with self._lock:
            self._kept.clear()
            self.used = 0

    def _keep(self, key: Hashable, value: Value) -> Value:
        with self._lock:
            self.used += self._size(value) - (self._size(self._kept.pop(key)) if key in self._kept else 0)
            self._kept[key] = value
            while self.used > self._room and len(self._kept) > 1:
                self.used -= self._size(self._kept.popitem(last=False)[1])
        return value
