"""What each process of our own Dask cluster does first: leave Ctrl-C and the last words to the worker."""

import logging
import signal
from typing import Any


def dask_setup(worker: Any) -> None:
    """Ignore Ctrl-C, which a terminal sends to all processes: the worker ends this one when it is time.

    A process that is ended in the middle of a frame says nothing: the worker knows why.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
