"""Blocks of bias, flat and science frames, and fringe frames."""

from typing import Generic, TypeVar, cast

from marclient import rows
from marclient.answer import Answer
from marclient.asking import Day, Path

Row = TypeVar("Row")


class Remarked(Path):
    """A path whose rows can be commented and flipped between valid and invalid."""

    def setcomment(self, id: int, comment: str) -> Answer:
        """Set the comment of a row, at most 300 characters; an empty one clears it."""
        return self.ask("setcomment", id=id, comment=comment)

    def validate(self, id: int) -> Answer:
        """Flip a row between valid and invalid; `values["isvalid"]` tells which it now is."""
        return self.ask("validate", id=id)


class BlockPath(Remarked, Generic[Row]):
    """What every kind of block can do."""

    def get(
        self,
        *,
        id: int | None = None,
        start: Day | None = None,
        end: Day | None = None,
        valid: bool | None = None,
        limit: int | None = None,
        offset: int | None = None,
        order: str | None = None,
    ) -> list[Row]:
        """Blocks by id, or by days (both included)."""
        given = {"start": start, "end": end, "valid": valid, "limit": limit, "offset": offset, "order": order}
        return cast(list[Row], self.ask("get", id=id, **given).msg)

    def process(self, id: int, *, code: str | None = None, plan: bool | None = None) -> Answer:
        """Queue the making of the products; with `plan`, only tell what would be done."""
        return self.ask("process", id=id, code=code, plan=plan)

    def add(self, id: int, objid: int) -> Answer:
        """Put a frame, or a part, into a block."""
        return self.ask("add", id=id, objid=objid)

    def remove(self, id: int, objid: int) -> Answer:
        """Take a frame, or a part, out of a block."""
        return self.ask("remove", id=id, objid=objid)

    def setstatus(self, id: int, status: int) -> Answer:
        """Set the status of a block: 0 to do, 1 done."""
        return self.ask("setstatus", id=id, status=status)

    def setsubstatus(self, id: int, status: int) -> Answer:
        """Set the status of all frames below a block, so that those steps run again."""
        return self.ask("setsubstatus", id=id, status=status)

    def delete(self, id: int) -> Answer:
        """Delete a block that was never processed."""
        return self.ask("delete", id=id)


class ManyBands(BlockPath[Row]):
    """A block made from all frames of some days: bias, or all bands at once."""

    def create(self, start: Day, end: Day, *, contains: str | None = None, band: str | None = None) -> Answer:
        """Make a block of the valid frames of these days; `band` is accepted and ignored."""
        return self.ask("create", start=start, end=end, contains=contains, band=band)


class OneBand(BlockPath[Row]):
    """A block of one band."""

    def create(self, start: Day, end: Day, band: str, *, contains: str | None = None) -> Answer:
        """Make a block of the valid frames of these days and this band."""
        return self.ask("create", start=start, end=end, band=band, contains=contains)


class Registered(Path):
    """A path that takes in masters made earlier."""

    def register(self, filepath: str) -> Answer:
        """Take in a master made earlier, named by its path below the data root."""
        return self.ask("register", filepath=filepath)


class ScienceProcess(BlockPath[Row]):
    """What blocks of science frames can do besides."""

    def process(
        self, id: int, *, code: str | None = None, plan: bool | None = None, only: str | None = None
    ) -> Answer:
        """Queue the reduction of the frames and the making of their tiles.

        `only="failed"` takes those that failed; with `plan`, the answer only tells what would be done.
        """
        return self.ask("process", id=id, code=code, plan=plan, only=only)

    def setsuperflat(self, id: int, superflatid: int) -> Answer:
        """Link a superflat to all frames of its band; a negative id unlinks."""
        return self.ask("setsuperflat", id=id, superflatid=superflatid)


class BiasBlocks(ManyBands[rows.BiasBlock], Registered):
    """biasblock."""


class FlatsByFilter(OneBand[rows.FlatByFilter], Registered):
    """flatbyfilter."""


class FlatBlocks(ManyBands[rows.FlatBlock]):
    """flatblock."""


class SciesByFilter(OneBand[rows.SciByFilter], ScienceProcess[rows.SciByFilter]):
    """scibyfilter."""


class SciBlocks(ManyBands[rows.SciBlock], ScienceProcess[rows.SciBlock]):
    """sciblock."""


class Superflats(Remarked):
    """superflat: fringe frames."""

    def get(
        self,
        *,
        id: int | None = None,
        start: Day | None = None,
        end: Day | None = None,
        band: str | None = None,
        valid: bool | None = None,
        limit: int | None = None,
        offset: int | None = None,
        order: str | None = None,
    ) -> list[rows.Superflat]:
        """Fringe frames by id, or by days (both included), of one band where it is given."""
        given = {"start": start, "end": end, "band": band, "valid": valid}
        answer = self.ask("get", id=id, **given, limit=limit, offset=offset, order=order)
        return cast(list[rows.Superflat], answer.msg)

    def create(self, start: Day, end: Day, band: str, *, contains: str | None = None) -> Answer:
        """Queue the fringe frame of a band from the processed frames of these days."""
        return self.ask("create", start=start, end=end, band=band, contains=contains)

    def register(self, filepath: str) -> Answer:
        """Take in a fringe frame made earlier, named by its path below the data root."""
        return self.ask("register", filepath=filepath)
