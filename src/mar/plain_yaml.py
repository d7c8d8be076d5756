"""YAML of the existing system, read as plain data: nothing in a file can run, and none can grow in memory."""

import os
import stat
from pathlib import Path
from typing import Any

import yaml

from mar.errors import BadYaml

LARGEST_BYTES = 256 * 1024
MOST_NODES = 20_000  # counted as if every alias were written out
# what PyYAML lets slip for a value that its tag or its form does not allow
SLIPS = (ValueError, LookupError, AttributeError, TypeError, ArithmeticError, RecursionError)


class _PlainLoader(yaml.SafeLoader):
    """The safe loader; it also takes the tags of plain lists and tuples, and no other Python tag."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._nodes = 0
        self._size_of: dict[int, int] = {}  # nodes below each finished one, and itself

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Compose as ever, but count what aliases repeat."""
        before, alias = self._nodes, self.check_event(yaml.AliasEvent)
        node = super().compose_node(parent, index)
        if alias:
            self._count(self._size_of.get(id(node), MOST_NODES))  # one that holds itself has no end
        else:
            self._count(1)
            self._size_of[id(node)] = self._nodes - before
        return node

    def _count(self, nodes: int) -> None:
        self._nodes += nodes
        if self._nodes > MOST_NODES:
            raise yaml.YAMLError(f"it holds more than {MOST_NODES} values, its aliases written out")


def _sequence(loader: yaml.SafeLoader, node: yaml.SequenceNode) -> list[Any]:
    return loader.construct_sequence(node, deep=True)


for _tag in ("tag:yaml.org,2002:python/list", "tag:yaml.org,2002:python/tuple"):
    _PlainLoader.add_constructor(_tag, _sequence)


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file, plain data only; raises BadYaml."""
    try:
        text = read_small(path).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadYaml(f"{path}: cannot be read: {error}") from error
    return mapping(parse(text, path), "the file", path)


def read_small(path: Path, most: int = LARGEST_BYTES) -> bytes:
    """The bytes of a regular file, no link, of at most so many bytes; raises OSError."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError("it is not a regular file")
        content = file.read(most + 1)
    if len(content) > most:
        raise OSError(f"it is larger than {most // 1024} kB, which no configuration needs")
    return content


def parse(text: str, path: Path) -> Any:
    """What a YAML text says; raises BadYaml."""
    try:
        return yaml.load(text, Loader=_PlainLoader)
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise BadYaml(f"{path}: not plain YAML: {error.problem}{line}") from error
    except (yaml.YAMLError, *SLIPS) as error:
        raise BadYaml(f"{path}: not plain YAML: {error}") from error


def mapping(values: Any, what: str, path: Path) -> dict[str, Any]:
    """The same mapping; raises BadYaml for anything else."""
    if not isinstance(values, dict):
        raise BadYaml(f"{path}: {what} should hold `item: value` lines")
    return values
