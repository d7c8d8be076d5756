"""Rows into a file, one after another, in constant memory: CSV, JSON or VOTable."""

import csv
import io
import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Protocol

from marserver.sandbox.cells import Cell
from marserver.sandbox.votable import Votable, widened

Row = Sequence[Cell]


@dataclass(frozen=True)
class Most:
    """How much a file may hold."""

    rows: int
    bytes: int


@dataclass(frozen=True)
class Written:
    """How many rows a file holds, and whether there were more."""

    rows: int
    truncated: bool


class Sheet(Protocol):
    """One form of file, as text."""

    def head(self) -> str: ...

    def line(self, row: Row) -> str: ...

    def foot(self, truncated: bool) -> str: ...


class Csv:
    """A line with the names, then the rows; nothing stands for NULL."""

    def __init__(self, columns: Sequence[str]) -> None:
        self.columns = columns
        self.buffer = io.StringIO(newline="")
        self.writer = csv.writer(self.buffer, lineterminator="\n")

    def head(self) -> str:
        """The names."""
        return self.line(self.columns)

    def line(self, row: Row) -> str:
        """One row."""
        self.writer.writerow(row)
        text = self.buffer.getvalue()
        self.buffer.seek(0)
        self.buffer.truncate()
        return text

    def foot(self, truncated: bool) -> str:
        """Nothing."""
        return ""


class Json:
    """`{"columns": [...], "rows": [[...], ...], "truncated": false}`."""

    def __init__(self, columns: Sequence[str]) -> None:
        self.columns = columns
        self.between = ""

    def head(self) -> str:
        """The names."""
        return f'{{"columns":{encoded(self.columns)},"rows":['

    def line(self, row: Row) -> str:
        """One row."""
        between, self.between = self.between, ","
        return f"{between}\n{encoded(row)}"

    def foot(self, truncated: bool) -> str:
        """The end of the rows, and whether there were more."""
        return f'\n],"truncated":{encoded(truncated)}}}\n'


encoded = json.JSONEncoder(separators=(",", ":")).encode  # json.dumps makes an encoder for each row


def save(file: IO[bytes], form: str, columns: Sequence[str], rows: Iterator[Row], most: Most) -> Written:
    """Write the rows in a form (csv, json, votable), as many as there may be."""
    if form != "votable":
        return fill(file, (Csv if form == "csv" else Json)(columns), rows, most)
    with tempfile.TemporaryFile() as spool:
        # The types of a VOTable stand before its rows, so the rows are seen twice
        seen = Kept(columns)
        first = fill(spool, seen, rows, most)
        spool.seek(0)
        again = (json.loads(line) for line in spool)
        second = fill(file, Votable(columns, seen.kinds), again, most, first.truncated)
    return second


def fill(file: IO[bytes], sheet: Sheet, rows: Iterator[Row], most: Most, cut: bool = False) -> Written:
    """Write one sheet; `cut` tells that the rows were cut before."""
    head = sheet.head().encode()
    file.write(head)
    count, size = 0, len(head)
    truncated = cut
    for row in rows:
        line = sheet.line(row).encode("utf-8", "replace")
        if count >= most.rows or size + len(line) > most.bytes:
            truncated = True
            break
        file.write(line)
        count, size = count + 1, size + len(line)
    file.write(sheet.foot(truncated).encode())
    return Written(count, truncated)


class Kept:
    """Rows put aside as lines of JSON, while the type of each column is found."""

    def __init__(self, columns: Sequence[str]) -> None:
        self.kinds: list[str] = [""] * len(columns)

    def head(self) -> str:
        """Nothing."""
        return ""

    def line(self, row: Row) -> str:
        """One row."""
        self.kinds = [widened(kind, value) for kind, value in zip(self.kinds, row, strict=True)]
        return encoded(row) + "\n"

    def foot(self, truncated: bool) -> str:
        """Nothing."""
        return ""
