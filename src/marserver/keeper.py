"""Keeps the worker running beside the server: started again if it dies, stopped when the server ends."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 0.2
ASK_EVERY_S = 2.0
LEAVE_WITHIN_S = 60.0
SHORT_LIFE_S = 10.0
LONGEST_PAUSE_S = 30.0


def worker_command(root: Path) -> list[str]:
    """The worker as a process of its own, which ends when its parent is gone."""
    return [sys.executable, "-m", "marserver.cli", "worker", "--root", str(root), "--with-parent"]


class Keeper:
    """One child process that is meant to run as long as this one."""

    def __init__(
        self, command: list[str], pause_s: float = 1.0, is_late: Callable[[int], bool] | None = None
    ) -> None:
        self.command = command
        self.pause_s = pause_s
        self.is_late = is_late or (lambda pid: False)  # whether a process should be another one by now
        self.stopping = threading.Event()
        self.child: subprocess.Popen[bytes] | None = None
        self.thread = threading.Thread(target=self.keep, name="keeper", daemon=True)

    def start(self) -> None:
        """Start the child and watch it."""
        self.thread.start()

    def keep(self) -> None:
        """Start the child again whenever it ends by itself, after a pause that grows while it keeps dying."""
        pause = self.pause_s
        while not self.stopping.is_set():
            began = time.monotonic()
            self.child = self.spawn()
            self.watch(self.child)
            if self.stopping.is_set():
                return
            close_pipe(self.child)
            logger.error("the worker ended with code %s; it is started again", self.child.returncode)
            lived = time.monotonic() - began
            pause = self.pause_s if lived > SHORT_LIFE_S else min(2 * pause, LONGEST_PAUSE_S)
            self.stopping.wait(pause)

    def watch(self, child: subprocess.Popen[bytes]) -> None:
        """Wait until the child has ended or is to be stopped; one that hangs after a reset is killed."""
        asked = time.monotonic()
        while child.poll() is None and not self.stopping.wait(LOOK_EVERY_S):
            if time.monotonic() - asked > ASK_EVERY_S:
                asked = time.monotonic()
                if self.is_late(child.pid):
                    logger.error("the worker does not start again by itself and is killed")
                    child.kill()

    def spawn(self) -> subprocess.Popen[bytes]:
        """Start the child: in its own session, so that Ctrl-C reaches it through us only.

        Its standard input is a pipe that closes when this process is gone, however it went.
        """
        return subprocess.Popen(self.command, stdin=subprocess.PIPE, start_new_session=True)

    def stop(self) -> None:
        """Ask the child to leave and wait for it; it is killed where it does not, which loses nothing."""
        self.stopping.set()
        self.thread.join()
        child = self.child
        if child is None:
            return
        child.terminate()
        try:
            child.wait(LEAVE_WITHIN_S)
        except subprocess.TimeoutExpired:
            logger.error("the worker did not leave within %.0f s and is killed", LEAVE_WITHIN_S)
            child.kill()
            child.wait()
        close_pipe(child)


def close_pipe(child: subprocess.Popen[bytes]) -> None:
    """Let go of the pipe to a child that has ended."""
    if child.stdin is not None:
        child.stdin.close()


def leave_with_parent() -> None:
    """Ask this process to end as soon as its standard input closes: the parent is gone."""

    def watch() -> None:
        while os.read(0, 1024):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent", daemon=True).start()
