"""What an operator says of a row: status, validity, comment, flag."""

from datetime import date
from typing import Any

from django.db import transaction

from marserver.archive.kinds import named
from marserver.archive.queries import Find, find
from marserver.audit.record import note
from marserver.errors import Invalid
from marserver.reduction.requests.blocks import FRAMES, PART_KIND, PARTS
from marserver.reduction.requests.changing import Asked, set_column, set_values
from marserver.reduction.requests.finding import held
from marserver.reduction.requests.outcome import Outcome

FRAME_STATUS = range(6)
BLOCK_STATUS = range(2)
READY = FRAME_STATUS[-1]


@transaction.atomic
def validate(kind: str, row_id: int, *, asked_by: str = "") -> Outcome:
    """Flip a row between valid and invalid; the parts of a flatblock or sciblock follow it."""
    kind, asked = named(kind).name, Asked(asked_by, "validate")
    row = held(kind, row_id)
    set_values(kind, row, asked, isvalid=not row.isvalid)
    if kind in PARTS:
        set_column(PART_KIND[kind], ids_of(getattr(row, PARTS[kind])), asked, "isvalid", row.isvalid)
    word = "valid" if row.isvalid else "invalid"
    value = int(row.isvalid) if kind == "individualfile" else row.isvalid
    return Outcome(f"{kind} {row_id} is now {word}", {"id": row_id, "isvalid": value})


def ids_of(rows: Any) -> list[int]:
    """The ids of linked rows."""
    return list(rows.values_list("pk", flat=True))


@transaction.atomic
def setstatus(kind: str, row_id: int, status: int, *, asked_by: str = "") -> Outcome:
    """Set the status of one row: 0-5 for frames, 0-1 for blocks and tiles."""
    kind = named(kind).name
    row = held(kind, row_id)
    check_status(status, FRAME_STATUS if kind == "individualfile" else BLOCK_STATUS)
    set_values(kind, row, Asked(asked_by, "setstatus"), status=status)
    return Outcome(f"{kind} {row_id} has status {status}", {"id": row_id, "newstatus": status, "count": 1})


def check_status(status: int, accepted: range) -> None:
    """Raises Invalid where a status is out of its range."""
    if status not in accepted:
        raise Invalid(f"status: {status} is not accepted; it is {accepted[0]} to {accepted[-1]} here")


@transaction.atomic
def setstatus_tiles(
    start: date, end: date, contains: str, flag: int, status: int, *, asked_by: str = ""
) -> Outcome:
    """Set the status of all valid tiles of these dates, field pattern and flag bits."""
    check_status(status, BLOCK_STATUS)
    tiles = ids_of(find("finaltiles", Find(dates=(start, end), contains=contains, flag=flag)))
    set_column("finaltiles", tiles, Asked(asked_by, "setstatus"), "status", status)
    return Outcome(f"{len(tiles)} tiles have status {status}", {"newstatus": status, "count": len(tiles)})


@transaction.atomic
def setsubstatus(kind: str, row_id: int, status: int, *, asked_by: str = "") -> Outcome:
    """Set the status of all frames of a block or tile, processed and raw, so that they are reduced again.

    The parts of a flatblock or sciblock, and a tile itself, are to be done again too, unless the status
    says that their frames are done.
    """
    kind, asked = named(kind).name, Asked(asked_by, "setsubstatus")
    check_status(status, FRAME_STATUS)
    row = held(kind, row_id)
    frames = set_back(kind, row, status, asked)
    count = len(frames)
    if changed := set_column("individualfile", frames, asked, "status", status):
        note(asked.by, asked.action, kind, row_id, after={"substatus": status, "frames": changed})
    values = {"id": row_id, "newstatus": status, "count": count}
    return Outcome(f"{count} frames of {kind} {row_id} have status {status}", values)


def set_back(kind: str, row: Any, status: int, asked: Asked) -> set[int]:
    """Set the status of parts, or of a tile; gives the ids of all frames below."""
    if kind == "finaltiles":
        set_values(kind, row, asked, status=int(status == READY))
        return linked_frames(row.composed_by)
    if kind not in PARTS:
        return linked_frames(getattr(row, FRAMES[kind]))
    part_kind, parts = PART_KIND[kind], getattr(row, PARTS[kind])
    # A flat is done once it is in its master (1), a science frame once it can be coadded (5)
    done = status >= 1 if part_kind == "flatbyfilter" else status == READY
    set_column(part_kind, ids_of(parts), asked, "status", int(done))
    return set().union(*(linked_frames(getattr(part, FRAMES[part_kind])) for part in parts.all()))


def linked_frames(frames: Any) -> set[int]:
    """The ids of linked frames, of what they were made from and of what was made from them."""
    linked = frames.values_list("pk", "raw_sci_id", "processed_id")
    return {one for triple in linked for one in triple if one is not None}


@transaction.atomic
def setcomment(kind: str, row_id: int, comment: str, *, asked_by: str = "") -> Outcome:
    """Set the comment of a row, at most 300 characters."""
    if len(comment) > 300:
        raise Invalid(f"comment: {len(comment)} characters are too many; 300 are accepted")
    kind = named(kind).name
    set_values(kind, held(kind, row_id), Asked(asked_by, "setcomment"), comments=comment)
    return Outcome(f"comment of {kind} {row_id} set", {"id": row_id, "comments": comment})


@transaction.atomic
def setflag(kind: str, row_id: int, flag: int, *, asked_by: str = "") -> Outcome:
    """Set the flag of a tile or field image: -1 not reviewed, 0 good, else bits up to 1023."""
    if flag not in range(-1, 1024):
        raise Invalid(f"flag: {flag} is not accepted; it is -1 or 0 to 1023")
    kind = named(kind).name
    set_values(kind, held(kind, row_id), Asked(asked_by, "setflag"), flag=flag)
    return Outcome(f"{kind} {row_id} has flag {flag}", {"id": row_id, "flag": flag})
