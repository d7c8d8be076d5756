"""Start the process of a statement, wait for it, and tell how it ended."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from marserver.sandbox.task import KINDS, Task, TooLong, TooMuch

COMMAND = (sys.executable, "-P", "-m", "marserver.sandbox.child")
# Beyond the alarm that the process sets itself: its start, and the end of it
GRACE_S = 15.0
# The rest of the environment, which holds secrets, is not for that process
KEPT = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "SYSTEMROOT")
OUT_OF_TIME = (-signal.SIGALRM, -signal.SIGXCPU)


@dataclass(frozen=True)
class Result:
    """What a statement gave."""

    columns: list[str]
    rows: int
    truncated: bool


def run(task: Task) -> Result:
    """Carry out a task in a process of its own. Raises one of the kinds of Stopped."""
    try:
        done = subprocess.run(
            COMMAND,
            input=json.dumps(asdict(task)).encode(),
            capture_output=True,
            env=environment(Path(task.file).parent),
            timeout=task.bounds.seconds + GRACE_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise TooLong from None
    if done.returncode in OUT_OF_TIME:
        raise TooLong
    if done.returncode < 0:
        raise TooMuch
    if done.returncode > 0:
        raise RuntimeError(f"the process of a query failed: {done.stderr.decode(errors='replace')[-2000:]}")
    return result(json.loads(done.stdout))


def environment(folder: Path) -> dict[str, str]:
    """What the process sees: no secret, and temporary files go where the answer goes."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return {
        **kept,
        "SQLITE_TMPDIR": str(folder),
        "TMPDIR": str(folder),
        "PYTHONUTF8": "1",
        "HOME": str(folder),
    }


def result(told: dict[str, Any]) -> Result:
    """What the process answered; raises the Stopped that it tells of."""
    if "stopped" in told:
        raise KINDS[told["stopped"]](told["message"])
    return Result(**told)
