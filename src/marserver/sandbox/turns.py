"""How many statements run at once: a turn is a locked file, so that all server processes count together."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from marserver.errors import Refused

OF_ONE_USER = 2
WAIT_S = 5


class Busy(Refused):
    """Too many statements run; `wait_s` is after how many seconds to ask again."""

    status = 429

    def __init__(self, sentence: str) -> None:
        super().__init__(f"{sentence}; try again in {WAIT_S} seconds")
        self.wait_s = WAIT_S


@contextmanager
def turn(folder: Path, user: Path, at_once: int) -> Iterator[None]:
    """A turn of this user, for as long as the block takes. Raises Busy."""
    with ExitStack() as held:
        if not take(held, user, OF_ONE_USER):
            raise Busy(f"{OF_ONE_USER} of your queries are running")
        if not take(held, folder, at_once):
            raise Busy(f"{at_once} queries are running")
        yield


def take(held: ExitStack, folder: Path, most: int) -> bool:
    """Lock one of so many files of a folder; false where all are taken."""
    for number in range(most):
        handle = os.open(folder / f".turn-{number}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            continue
        held.callback(os.close, handle)
        return True
    return False
