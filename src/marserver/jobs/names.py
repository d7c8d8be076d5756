"""The name of a worker: from it another one tells whether it still lives."""

import os
import socket
from pathlib import Path


def own_name() -> str:
    """Host, process namespace and process of this worker: tells whether it still lives."""
    return f"{beginning(os.getpid())}{birth(os.getpid())}"


def beginning(pid: int) -> str:
    """How the name of a worker process on this machine begins."""
    return f"{socket.gethostname()}:{namespace()}:{pid}:"


def namespace() -> str:
    """The space in which process numbers count; containers may share a host's name."""
    link = Path("/proc/self/ns/pid")
    return str(link.readlink()) if link.exists() else ""


def birth(pid: int) -> str:
    """When a process began, in the kernel's count; process numbers are used again. Empty where unknown."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""


def is_alive(name: str, own: str) -> bool:
    """Whether another worker may still live; one on another machine always may."""
    host, space, pid, born = name.rsplit(":", 3) if name.count(":") > 2 else (name, "", "", "")
    mine = own.rsplit(":", 3)
    if [host, space] != mine[:2] or not space or not born:
        return True
    return birth(int(pid)) == born
