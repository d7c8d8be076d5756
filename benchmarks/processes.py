"""The memory of a process and all its children, watched from outside by /proc."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

_PROC = Path("/proc")
_KB_PER_GB = 2**20


@dataclass
class Memory:
    """Peaks while watched, GB (2^30 bytes)."""

    processes: dict[str, float] = field(default_factory=dict)  #: `name pid` -> its own peak, resident
    together_gb: float = 0.0  #: of all at one moment, shared pages counted once per process

    @property
    def largest_gb(self) -> float:
        """The peak of the largest process."""
        return max(self.processes.values(), default=0.0)

    def large(self, at_least_gb: float = 0.05) -> dict[str, float]:
        """The processes that count."""
        return {name: peak for name, peak in self.processes.items() if peak >= at_least_gb}


@contextmanager
def watched(pid: int, every_s: float = 0.05) -> Iterator[Memory]:
    """Watch a process tree until the block ends. The system keeps each peak, so that none falls between."""
    memory, ended = Memory(), threading.Event()

    def watch() -> None:
        while True:
            look(pid, memory)
            if ended.wait(every_s):
                return

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield memory
    finally:
        ended.set()
        thread.join()


def look(pid: int, memory: Memory) -> None:
    """Note what the tree below `pid` holds now."""
    together = 0.0
    for process in family(pid):
        status = _status(process)
        title = _title(process)
        if "VmHWM" not in status or title is None:
            continue  # ended meanwhile, or its program only begins
        name = f"{title} {process}"
        peak = _kb(status["VmHWM"]) / _KB_PER_GB
        memory.processes[name] = max(peak, memory.processes.get(name, 0.0))
        together += _kb(status["VmRSS"]) / _KB_PER_GB
    memory.together_gb = max(memory.together_gb, together)


def family(pid: int) -> list[int]:
    """A process and all its descendants that live now."""
    found = [pid]
    for parent in found:
        found.extend(_children(parent))
    return found


def _children(pid: int) -> list[int]:
    try:
        tasks = list((_PROC / str(pid) / "task").iterdir())
        return [int(word) for task in tasks for word in (task / "children").read_text().split()]
    except OSError:  # ended meanwhile
        return []


def _status(pid: int) -> dict[str, str]:
    try:
        lines = (_PROC / str(pid) / "status").read_text().splitlines()
    except OSError:
        return {}
    return {key: value for key, _, value in (line.partition(":") for line in lines)}


def _kb(text: str) -> float:
    return float(text.split()[0])


def _title(pid: int) -> str | None:
    """The words of a command line that tell processes of one program apart; None where there is none."""
    try:
        words = (_PROC / str(pid) / "cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return None
    if not words[0]:
        return None
    program = Path(words[0]).name
    hint = next((word for word in words[1:] if word and not word.startswith(("-", "/"))), "")
    return f"{program} {hint[:40]}".strip()
