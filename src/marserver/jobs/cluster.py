"""The Dask cluster: a local one of ours, or a scheduler elsewhere."""

import logging
from collections.abc import Callable
from typing import Any

import dask
from dask.system import CPU_COUNT
from distributed import Client, LocalCluster
from distributed.client import wait
from distributed.scheduler import KilledWorker
from distributed.system import MEMORY_LIMIT

__all__ = ["Cluster", "KilledWorker"]

SETTINGS = {
    # Calls that a dead process held fail at once: the engine tries them again, each alone
    "distributed.scheduler.allowed-failures": 0,
    # Nothing is kept in the workers, so there is nothing to spill; a paused worker would never go on
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.comm.timeouts.connect": "30s",
}


FRAME_BYTES = 3 << 30  # what the reduction of a full-size frame may take


def room() -> int:
    """How many frames this machine has processors and memory for, at least one."""
    return max(1, min(CPU_COUNT, MEMORY_LIMIT // FRAME_BYTES))


class Cluster:
    """Processes that call functions; started at the first call."""

    def __init__(self, address: str, processes: int) -> None:
        self.address = address
        self.processes = processes
        self._client: Client | None = None
        self._local: LocalCluster | None = None

    @property
    def client(self) -> Client:
        """The connection to the scheduler."""
        if self._client is None:
            dask.config.set(SETTINGS)
            if not self.address:
                self._local = start_local(self.processes)
            self._client = Client(self._local or self.address, set_as_default=False)
        return self._client

    def size(self) -> int:
        """How many calls run at once: one for each thread of the cluster, at least one."""
        if not self.address:
            return self.processes
        return max(1, sum(self.client.nthreads().values()))

    def submit(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        """Begin one call; gives its future."""
        return self.client.submit(function, *arguments, pure=False)

    def completed(self, futures: list[Any], timeout_s: float) -> list[Any]:
        """The futures that have ended, after at most some seconds."""
        try:
            with self.client.as_current():
                return list(wait(futures, timeout=timeout_s, return_when="FIRST_COMPLETED").done)
        except TimeoutError:
            return []

    def drop(self, futures: list[Any]) -> None:
        """Stop calls that are no longer wanted; on our own cluster also in the middle of a frame."""
        self.client.cancel(futures, force=True)
        if self._local is not None:
            self.client.restart(wait_for_workers=False)

    def close(self) -> None:
        """End our own cluster, or leave the other one."""
        if self._client is not None:
            self._client.close()
        if self._local is not None:
            self._local.close()
        self._client = self._local = None


def start_local(processes: int) -> LocalCluster:
    """A cluster of processes on this machine, one frame at a time in each."""
    threads = max(1, CPU_COUNT // processes)
    return LocalCluster(
        n_workers=processes,
        threads_per_worker=1,
        processes=True,
        dashboard_address="127.0.0.1:0",  # any free port: several servers may share a machine
        silence_logs=logging.ERROR,
        preload="marserver.jobs.process",
        env={"NUMBA_NUM_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)},
    )
