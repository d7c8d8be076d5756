"""What all benchmarks share: arguments, rounds of ours and peers in turn, memory, machine, table, bars."""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from processes import Memory, watched
from programs import Command

PACKAGES = ("mar", "numpy", "numba", "astropy", "sep", "astroscrappy", "Django", "distributed")


@dataclass(frozen=True)
class Bar:
    """What a figure of targets must hold."""

    what: str
    value: float | None  #: None: it could not be measured
    limit: float
    above: bool = False  #: the value must be above the limit, not below
    unit: str = ""

    @property
    def held(self) -> bool:
        """Whether it holds; what could not be measured does not."""
        if self.value is None:
            return False
        return self.value > self.limit if self.above else self.value < self.limit


@dataclass
class Figures:
    """What one work of a benchmark gave."""

    work: str
    seconds: dict[str, float] = field(default_factory=dict)  #: by stage or program, medians
    peak_gb: dict[str, float] = field(default_factory=dict)  #: by process
    bars: list[Bar] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


Work = Callable[[argparse.Namespace], Figures]


def main(
    description: str,
    works: Mapping[str, Work],
    *,
    scale: float = 8,
    extra: Callable[[argparse.ArgumentParser], None] | None = None,
) -> int:
    """Run a benchmark's works as its arguments say; gives the exit code."""
    arguments = _parser(description, works, scale, extra).parse_args()
    given = {key: value for key, value in vars(arguments).items() if value is not None}
    figures = [works[name](arguments) for name in works if name in (arguments.only or works)]
    report = {
        "benchmark": Path(sys.argv[0]).name,
        "arguments": given,
        "machine": machine(),
        "works": [asdict(one) | {"held": [bar.held for bar in one.bars]} for one in figures],
    }
    show(report["machine"], figures)
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(report, indent=1, default=str) + "\n", "utf-8")
    missed = [bar for one in figures for bar in one.bars if not bar.held]
    return 1 if arguments.check and missed else 0


def _parser(
    description: str,
    works: Mapping[str, Work],
    scale: float,
    extra: Callable[[argparse.ArgumentParser], None] | None,
) -> argparse.ArgumentParser:
    listed = "\n".join(f"  {name:<12} {_first_line(work)}" for name, work in works.items())
    parser = argparse.ArgumentParser(
        description=description,
        epilog=f"works:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", metavar="WORK", action="append", choices=list(works), help="only this work")
    parser.add_argument(
        "--scale", metavar="N", type=float, default=scale, help=f"1 is the full camera; default {scale:g}"
    )
    parser.add_argument("--rounds", metavar="N", type=int, default=3, help="measured rounds of each program")
    parser.add_argument("--json", metavar="FILE", help="write the figures there")
    parser.add_argument("--check", action="store_true", help="exit with 1 where a bar is missed")
    if extra is not None:
        extra(parser)
    return parser


def _first_line(work: Work) -> str:
    return (work.__doc__ or "").partition("\n")[0]


@dataclass(frozen=True)
class Run:
    """One run of a program."""

    seconds: float
    memory: Memory


def measured(command: Command) -> Run:
    """Run a program and measure it, its children included; raises CalledProcessError."""
    began = time.perf_counter()
    process = subprocess.Popen(
        command.argv,
        cwd=command.folder,
        env=command.environ(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with watched(process.pid) as memory:
        code = process.wait()
    seconds = time.perf_counter() - began
    if code:
        raise subprocess.CalledProcessError(code, command.argv)
    return Run(seconds, memory)


def in_turn(commands: Mapping[str, Callable[[], Command]], rounds: int) -> dict[str, Run]:
    """Each program once to warm up, then all of them in turn; the median of each, and its largest memory."""
    runs: dict[str, list[Run]] = {name: [] for name in commands}
    for number in range(rounds + 1):
        for name, prepare in commands.items():
            run = measured(prepare())
            if number:
                runs[name].append(run)
    return {name: _typical(found) for name, found in runs.items()}


def _typical(runs: Sequence[Run]) -> Run:
    return Run(
        statistics.median(run.seconds for run in runs),
        max((run.memory for run in runs), key=lambda memory: memory.largest_gb),
    )


def machine() -> dict[str, Any]:
    """Processor, memory and versions."""
    return {
        "processor": _first("/proc/cpuinfo", "model name") or platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(float((_first("/proc/meminfo", "MemTotal") or "0").split()[0]) / 2**20, 1),
        "load": round(os.getloadavg()[0], 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        **{name: _version(name) for name in PACKAGES},
    }


def _first(path: str, key: str) -> str | None:
    """The value of the first `key : value` line of a file."""
    try:
        lines = Path(path).read_text("utf-8").splitlines()
    except OSError:
        return None
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), None)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def show(about: Mapping[str, Any], figures: Sequence[Figures]) -> None:
    """Print machine, seconds, memory, bars and remarks."""
    console = Console(soft_wrap=True)
    console.print(", ".join(f"{key} {value}" for key, value in about.items()), style="dim")
    for one in figures:
        if one.seconds:
            _print_numbers(console, f"{one.work}: seconds", one.seconds, "{:.2f}")
        if one.peak_gb:
            _print_numbers(console, f"{one.work}: peak memory, GB", one.peak_gb, "{:.2f}")
        if one.bars:
            _print_bars(console, one)
        for remark in one.remarks:
            console.print(f"{one.work}: {remark}")


def _print_numbers(console: Console, title: str, numbers: Mapping[str, float], style: str) -> None:
    table = Table("", "", title=title, title_justify="left", show_header=False)
    for name, number in numbers.items():
        table.add_row(name, style.format(number))
    console.print(table)


def _print_bars(console: Console, figures: Figures) -> None:
    table = Table("figure", "value", "bar", "", title=f"{figures.work}: bars", title_justify="left")
    for bar in figures.bars:
        value = "not measured" if bar.value is None else f"{bar.value:.4g} {bar.unit}"
        sign = ">" if bar.above else "<"
        table.add_row(bar.what, value, f"{sign} {bar.limit:g} {bar.unit}", "held" if bar.held else "MISSED")
    console.print(table)
