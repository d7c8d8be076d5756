"""Frames, tiles and colour images."""

from typing import cast

from marclient import rows
from marclient.answer import Answer
from marclient.asking import Day
from marclient.blocks import Remarked


class Frames(Remarked):
    """individualfile: raw frames found by a scan, and processed science frames."""

    def get(
        self,
        *,
        id: int | None = None,
        start: Day | None = None,
        end: Day | None = None,
        contains: str | None = None,
        valid: bool | None = None,
        error: bool | None = None,
        limit: int | None = None,
        offset: int | None = None,
        order: str | None = None,
    ) -> list[rows.Frame]:
        """Frames by id, by days (both included) or by parts of names; `error` keeps those that failed."""
        given = {"start": start, "end": end, "contains": contains, "valid": valid, "error": error}
        answer = self.ask("get", id=id, **given, limit=limit, offset=offset, order=order)
        return cast(list[rows.Frame], answer.msg)

    def setstatus(self, id: int, status: int) -> Answer:
        """Set how far the reduction of a frame came: 0 raw ... 5 ready to coadd."""
        return self.ask("setstatus", id=id, status=status)


class Tiles(Remarked):
    """finaltiles: coadded images, one per field and band."""

    def get(
        self,
        *,
        id: int | None = None,
        start: Day | None = None,
        end: Day | None = None,
        field: str | None = None,
        band: str | None = None,
        contains: str | None = None,
        flag: int | None = None,
        valid: bool | None = None,
        limit: int | None = None,
        offset: int | None = None,
        order: str | None = None,
    ) -> list[rows.Tile]:
        """Tiles by id, days, field, field and band, or parts of the field.

        `flag` keeps rows that have all its bits.
        """
        where = {"start": start, "end": end, "field": field, "band": band, "contains": contains}
        given = {"flag": flag, "valid": valid, "limit": limit, "offset": offset, "order": order}
        return cast(list[rows.Tile], self.ask("get", id=id, **where, **given).msg)

    def getfields(self) -> list[rows.Tile]:
        """Field, band and centre of all tiles."""
        return cast(list[rows.Tile], self.ask("getfields").msg)

    def getshort(self, field: str, band: str) -> list[rows.Tile]:
        """Id, field, paths and thumbnails of the tile of a field and band."""
        return cast(list[rows.Tile], self.ask("getshort", field=field, band=band).msg)

    def process(
        self,
        *,
        id: int | None = None,
        field: str | None = None,
        band: str | None = None,
        code: str | None = None,
        status: int | None = None,
        plan: bool | None = None,
    ) -> Answer:
        """Queue the reduction of all frames of a tile's field and band; `status` first sets theirs back."""
        return self.ask("process", id=id, field=field, band=band, code=code, status=status, plan=plan)

    def processfield(
        self, field: str, *, code: str | None = None, status: int | None = None, plan: bool | None = None
    ) -> Answer:
        """Queue the same for all bands of a field."""
        return self.ask("processfield", field=field, code=code, status=status, plan=plan)

    def setstatus(
        self,
        status: int,
        *,
        id: int | None = None,
        start: Day | None = None,
        end: Day | None = None,
        contains: str | None = None,
        flag: int | None = None,
    ) -> Answer:
        """Set the status of one tile, or of all of these days, field pattern and flag bits."""
        where = {"start": start, "end": end, "contains": contains, "flag": flag}
        return self.ask("setstatus", id=id, **where, status=status)

    def setsubstatus(self, id: int, status: int) -> Answer:
        """Set the status of all frames that a tile is composed of, and of the tile."""
        return self.ask("setsubstatus", id=id, status=status)

    def setsuperflat(self, field: str, band: str, superflatid: int) -> Answer:
        """Link a superflat to every frame of a field and band; a negative id unlinks."""
        return self.ask("setsuperflat", field=field, band=band, superflatid=superflatid)

    def setflag(self, id: int, flag: int) -> Answer:
        """Review a tile: 0 good, bits for what is wrong, -1 not reviewed."""
        return self.ask("setflag", id=id, flag=flag)


class FieldImages(Remarked):
    """fieldimage: the 12-band colour image of a field."""

    def get(
        self,
        *,
        id: int | None = None,
        start: Day | None = None,
        end: Day | None = None,
        field: str | None = None,
        contains: str | None = None,
        valid: bool | None = None,
        limit: int | None = None,
        offset: int | None = None,
        order: str | None = None,
    ) -> list[rows.FieldImage]:
        """Images by id, by the days of their last change, by field or parts of the field's name."""
        given = {"start": start, "end": end, "field": field, "contains": contains, "valid": valid}
        answer = self.ask("get", id=id, **given, limit=limit, offset=offset, order=order)
        return cast(list[rows.FieldImage], answer.msg)

    def process(
        self,
        *,
        id: int | None = None,
        field: str | None = None,
        partial: bool | None = None,
        plan: bool | None = None,
    ) -> Answer:
        """Queue the image; `partial` makes it also where bands are missing."""
        return self.ask("process", id=id, field=field, partial=partial, plan=plan)

    def setflag(self, id: int, flag: int) -> Answer:
        """Review an image: 0 good, bits for what is wrong, -1 not reviewed."""
        return self.ask("setflag", id=id, flag=flag)
