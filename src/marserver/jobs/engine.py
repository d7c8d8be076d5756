"""What runs frames side by side: a local Dask cluster, any Dask scheduler, threads, or nothing at all.

`MAR_ENGINE` chooses: empty for a local cluster, `tcp://host:8786` for a scheduler, `threads` or `inline` for
tests and tiny machines. The engine starts when it is first used and is kept warm.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, Protocol

from django.conf import settings

from marserver.jobs.cluster import Cluster, KilledWorker, room

LISTEN_EVERY_S = 0.5
Check = Callable[[], None]


@dataclass(frozen=True)
class Result:
    """What became of one call: its value, or the error that ended it."""

    value: Any = None
    error: Exception | None = None


class ProcessDied(Exception):
    """The process that ran a call died, twice."""

    def __init__(self) -> None:
        super().__init__("the process that worked on it died twice; perhaps it ran out of memory")


class Engine(Protocol):
    """Runs the same function on many things."""

    def map(
        self, function: Callable[..., Any], calls: Mapping[Any, tuple[Any, ...]], check: Check
    ) -> Iterator[tuple[Any, Result]]:
        """Call `function` with the arguments of each key; give (key, result) as they are completed.

        `check` is asked between results; what it raises stops the rest and is passed on.
        """

    def close(self) -> None:
        """Let go of processes and threads."""


def attempted(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Result:
    """The result of one call; an error of one frame is its result, not the end of its block."""
    try:
        return Result(function(*arguments))
    except Exception as error:  # noqa: BLE001  as a process pool does: the error travels to the one who asked
        return Result(error=error)


class Inline:
    """One after another, in this thread."""

    def map(
        self, function: Callable[..., Any], calls: Mapping[Any, tuple[Any, ...]], check: Check
    ) -> Iterator[tuple[Any, Result]]:
        """Call one after another."""
        for key, arguments in calls.items():
            check()
            yield key, attempted(function, arguments)

    def close(self) -> None:
        """Nothing to let go of."""


class Threads:
    """Side by side in threads of this process."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.pool = ThreadPoolExecutor(count, thread_name_prefix="frames")

    def map(
        self, function: Callable[..., Any], calls: Mapping[Any, tuple[Any, ...]], check: Check
    ) -> Iterator[tuple[Any, Result]]:
        """Call in threads; no more at once than there are, so that a stop leaves little behind."""
        left = list(calls.items())[::-1]
        begun: dict[Future[Result], Any] = {}
        try:
            while left or begun:
                check()
                while left and len(begun) < self.count:
                    key, arguments = left.pop()
                    begun[self.pool.submit(attempted, function, arguments)] = key
                for future in wait(begun, LISTEN_EVERY_S, FIRST_COMPLETED).done:
                    yield begun.pop(future), future.result()
        finally:
            wait(begun)

    def close(self) -> None:
        """End the threads."""
        self.pool.shutdown()


class Distributed:
    """Side by side in the processes of a Dask cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    def map(
        self, function: Callable[..., Any], calls: Mapping[Any, tuple[Any, ...]], check: Check
    ) -> Iterator[tuple[Any, Result]]:
        """Call in the cluster; a process that dies fails its own call only, after a second try."""
        suspects: dict[Any, tuple[Any, ...]] = {}
        for key, result in self.side_by_side(function, calls, check):
            if isinstance(result.error, KilledWorker):
                suspects[key] = calls[key]
            else:
                yield key, result
        # One of them killed the process that the others waited for: alone, only that one fails
        for suspect, arguments in suspects.items():
            for key, result in self.side_by_side(function, {suspect: arguments}, check):
                yield key, Result(error=ProcessDied()) if isinstance(result.error, KilledWorker) else result

    def side_by_side(
        self, function: Callable[..., Any], calls: Mapping[Any, tuple[Any, ...]], check: Check
    ) -> Iterator[tuple[Any, Result]]:
        """Call in the cluster, no more at once than it has room for."""
        left = list(calls.items())[::-1]
        begun: dict[Any, Any] = {}
        try:
            while left or begun:
                check()
                while left and len(begun) < self.cluster.size():
                    key, arguments = left.pop()
                    begun[self.cluster.submit(function, arguments)] = key
                for future in self.cluster.completed(list(begun), LISTEN_EVERY_S):
                    error = future.exception()
                    yield begun.pop(future), Result(error=error) if error else Result(future.result())
        finally:
            if begun:
                self.cluster.drop(list(begun))

    def close(self) -> None:
        """End the local cluster, or leave the other one."""
        self.cluster.close()


def open_engine(choice: str, processes: int = 0) -> Engine:
    """The engine of a `MAR_ENGINE` value; `processes` 0 takes what processors and memory have room for."""
    count = processes or room()
    if choice == "inline":
        return Inline()
    if choice == "threads":
        return Threads(count)
    return Distributed(Cluster(choice, count))


_kept: dict[int, Engine] = {}  # at most one: processes asked for, and what runs them


def shared_engine(processes: int = 0) -> Engine:
    """The engine of this process, started once and kept warm; another one for another number of processes."""
    if processes not in _kept:
        close_shared_engine()
        _kept[processes] = open_engine(settings.MAR_ENGINE, processes)
    return _kept[processes]


def close_shared_engine() -> None:
    """End the engine of this process, if it was ever started."""
    while _kept:
        _kept.popitem()[1].close()
