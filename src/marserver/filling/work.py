"""What the work of a night would have left: operations, their log, and who asked for what."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from mar.bands import SPLUS_BANDS
from marserver.archive import models
from marserver.audit.models import Change
from marserver.filling.tables import Row, Table
from marserver.jobs.models import Job, Level, LogLine, Status

FAILS_EACH = 40  # one operation of so many fails
USERS = ("alice", "bob", "carol")
STEPS = ("overscan, bias and flat", "masks", "astrometry and catalogue")
REASONS = ("master flat of {band}: no flats near {day}", "{block}: not solved, {number} stars of 7 needed")


class Work:
    """Operations of the nights, one after another, and the reviews of their tiles."""

    def __init__(self) -> None:
        self.jobs = Table(Job)
        self.lines = Table(LogLine, live=1)
        self.changes = Table(Change, before="{}", after="{}")
        self.pairs = Table(models.BandPair)

    def tables(self) -> list[Table]:
        """All of them."""
        return [self.jobs, self.lines, self.changes, self.pairs]

    def of_night(self, begin: datetime, blocks: Iterable[tuple[str, Row]], fields: Iterable[str]) -> None:
        """The scan of a night, its blocks, then its fields; each takes some minutes."""
        asked = [("scan_folder", "folder", f"RAW/{begin:%Y%m%d}", "")]
        asked += [(f"process_{kind}", kind, str(row["id"]), row.get("band", "")) for kind, row in blocks]
        asked += [("process_field", "finaltiles", field, "") for field in fields]
        for number, (function, kind, block, band) in enumerate(asked):
            self.operation(begin + timedelta(minutes=7 * number), function, kind, block, band)

    def operation(self, when: datetime, function: str, kind: str, block: str, band: str) -> None:
        """One operation that ended, with its log and who asked for it."""
        number = self.jobs.next_id
        failed, user = number % FAILS_EACH == 0, USERS[number % len(USERS)]
        reason = REASONS[number // FAILS_EACH % 2].format(
            band=band or SPLUS_BANDS[0], day=f"{when:%Y-%m-%d}", block=block, number=number % 7
        )
        job = self.jobs.add(
            function=function,
            kind=kind,
            target=" ".join(word for word in (kind, block, band) if word),
            block=block,
            band=band,
            params="{}",
            result="{}",
            user=user,
            status=Status.FAILED.value if failed else Status.DONE.value,
            attempts=1,
            queued_at=written(when),
            started_at=written(when, 1),
            ended_at=written(when, 300),
            outcome="failed" if failed else "done",
            error=reason if failed else "",
        )
        self.changes.add(time=written(when), user=user, action="process", kind=kind, target=block)
        for place, step in enumerate(STEPS):
            words = f"{function} {block}: {step}: {12.5 + number % 50:.2f} s"
            self.line(job, written(when, 60 * place + 2), Level.TIME, words)
        ends = (Level.CRITICAL, reason) if failed else (Level.INFO, f"{function} {block}: done")
        self.line(job, written(when, 300), *ends)

    def line(self, job: Row, when: str, level: Level, text: str) -> None:
        """A line of the log of an operation."""
        self.lines.add(job_id=job["id"], time=when, level=level.value, text=text)

    def review(self, tile: Row) -> None:
        """Somebody looked at a tile."""
        user = USERS[tile["id"] % len(USERS)]
        after = f'{{"flag": {tile["flag"]}}}'
        self.changes.add(
            time=tile["updated_at"],
            user=user,
            action="setflag",
            kind="finaltiles",
            target=str(tile["id"]),
            before='{"flag": -1}',
            after=after,
        )

    def compare(self, field: str) -> None:
        """Every pair of bands of a field against each other (mas)."""
        for number, second in enumerate(SPLUS_BANDS):
            for first in SPLUS_BANDS[:number]:
                spread = self.pairs.next_id * 37 % 101 / 10
                self.pairs.add(
                    field=field, first_band=first, second_band=second, east_mas=spread - 5,
                    north_mas=4 - spread / 2, rms_mas=12 + spread, error_mas=0.4, stars=900,
                )  # fmt: skip


def written(when: datetime, seconds: int = 0) -> str:
    """A moment as both databases take it, UTC."""
    return f"{when + timedelta(seconds=seconds):%Y-%m-%d %H:%M:%S.%f}"
