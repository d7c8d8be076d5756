"""What an operator says of a row: status, validity, comment, flag."""

from datetime import date
from typing import Any

from django.db import transaction

from marserver.archive.kinds import named
from marserver.archive.models import FinalTile, IndividualFile
from marserver.archive.queries import Find, find
from marserver.errors import Invalid
from marserver.reduction.requests.blocks import FRAMES, PART_KIND, PARTS
from marserver.reduction.requests.finding import known
from marserver.reduction.requests.outcome import Outcome

FRAME_STATUS = range(6)
BLOCK_STATUS = range(2)


def validate(kind: str, row_id: int) -> Outcome:
    """Flip a row between valid and invalid; the parts of a flatblock or sciblock follow it."""
    kind = named(kind).name
    with transaction.atomic():
        row = known(kind, row_id)
        row.isvalid = not row.isvalid
        row.save(update_fields=["isvalid"])
        if kind in PARTS:
            getattr(row, PARTS[kind]).update(isvalid=row.isvalid)
    word = "valid" if row.isvalid else "invalid"
    value = int(row.isvalid) if kind == "individualfile" else row.isvalid
    return Outcome(f"{kind} {row_id} is now {word}", {"id": row_id, "isvalid": value})


def setstatus(kind: str, row_id: int, status: int) -> Outcome:
    """Set the status of one row: 0-5 for frames, 0-1 for blocks and tiles."""
    kind = named(kind).name
    row = known(kind, row_id)
    check_status(status, FRAME_STATUS if kind == "individualfile" else BLOCK_STATUS)
    row.status = status
    row.save(update_fields=["status"])
    return Outcome(f"{kind} {row_id} has status {status}", {"id": row_id, "status": status, "count": 1})


def check_status(status: int, accepted: range) -> None:
    """Raises Invalid where a status is out of its range."""
    if status not in accepted:
        raise Invalid(f"status: {status} is not accepted; it is {accepted[0]} to {accepted[-1]} here")


def setstatus_tiles(start: date, end: date, contains: str, flag: int, status: int) -> Outcome:
    """Set the status of all valid tiles of these dates, field pattern and flag bits."""
    check_status(status, BLOCK_STATUS)
    tiles = find("finaltiles", Find(dates=(start, end), contains=contains, flag=flag))
    count = FinalTile.objects.filter(pk__in=tiles.values("pk")).update(status=status)
    return Outcome(f"{count} tiles have status {status}", {"status": status, "count": count})


def setsubstatus(kind: str, row_id: int, status: int) -> Outcome:
    """Set the status of all frames of a block or tile, processed and raw, so that they are reduced again.

    The parts of a flatblock or sciblock, and a tile itself, are to be done again too unless status is 5.
    """
    kind = named(kind).name
    check_status(status, FRAME_STATUS)
    with transaction.atomic():
        count = set_back(kind, known(kind, row_id), status)
    values = {"id": row_id, "status": status, "count": count}
    return Outcome(f"{count} frames of {kind} {row_id} have status {status}", values)


def set_back(kind: str, row: Any, status: int) -> int:
    """Set the status of the frames below a row; gives how many."""
    if kind in PARTS:
        parts = list(getattr(row, PARTS[kind]).all())
        getattr(row, PARTS[kind]).update(status=int(status == FRAME_STATUS[-1]))
        return sum(set_back(PART_KIND[kind], part, status) for part in parts)
    if kind == "finaltiles":
        row.status = int(status == FRAME_STATUS[-1])
        row.save(update_fields=["status"])
        return set_frames(row.composed_by, status)
    return set_frames(getattr(row, FRAMES[kind]), status)


def set_frames(frames: Any, status: int) -> int:
    """Set the status of linked frames, of what they were made from and of what was made from them."""
    linked = frames.values_list("pk", "raw_sci_id", "processed_id")
    ids = {one for triple in linked for one in triple if one is not None}
    return in_pieces(sorted(ids), status)


def in_pieces(ids: list[int], status: int) -> int:
    """Set the status of frames by id, some hundreds at once: a database takes only so many values."""
    pieces = (ids[start : start + 500] for start in range(0, len(ids), 500))
    return sum(IndividualFile.objects.filter(pk__in=piece).update(status=status) for piece in pieces)


def setcomment(kind: str, row_id: int, comment: str) -> Outcome:
    """Set the comment of a row, at most 300 characters."""
    if len(comment) > 300:
        raise Invalid(f"comment: {len(comment)} characters are too many; 300 are accepted")
    row = known(kind, row_id)
    row.comments = comment
    row.save(update_fields=["comments"])
    return Outcome(f"comment of {kind} {row_id} set", {"id": row_id, "comments": comment})


def setflag(kind: str, row_id: int, flag: int) -> Outcome:
    """Set the flag of a tile or field image: -1 not reviewed, 0 good, else bits up to 1023."""
    if flag not in range(-1, 1024):
        raise Invalid(f"flag: {flag} is not accepted; it is -1 or 0 to 1023")
    row = known(kind, row_id)
    row.flag = flag
    row.save(update_fields=["flag"])
    return Outcome(f"{kind} {row_id} has flag {flag}", {"id": row_id, "flag": flag})
