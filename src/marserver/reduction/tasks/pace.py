"""How long things took, kept in the result of an operation so that later ones can be estimated."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Pace:
    """For frames, tiles and images: how many there were, and the seconds that they took together."""

    def __init__(self) -> None:
        self.spent: dict[str, tuple[int, float]] = {}

    @contextmanager
    def of(self, what: str, count: int) -> Iterator[None]:
        """Time some of them; what is stopped or fails as a whole does not count."""
        begun = time.monotonic()
        yield
        if count:
            number, seconds = self.spent.get(what, (0, 0.0))
            self.spent[what] = number + count, round(seconds + time.monotonic() - begun, 3)
