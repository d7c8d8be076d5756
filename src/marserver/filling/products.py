"""What a reduction would have left of a night: blocks, processed frames, tiles and colour images."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from mar.bands import SPLUS_BANDS
from marserver.archive import models
from marserver.filling.tables import Row, Table
from marserver.filling.work import Work

FAILED_EACH = 300  # one raw frame of so many fails
SUPERFLAT_DAYS = 100
FLAGS = (-1, 0, 0, 0, 1, 2, 3, 64)
STATISTICS = ("modeavg", "medianavg", "noiseavg", "medianrms", "noiserms")
KEPT = ("night", "obs_date", "field", "band", "exptime", "crval1", "crval2", *STATISTICS)


class Products:
    """Every table but that of the frames, and what is known of the nights before."""

    def __init__(self, frames: Table) -> None:
        self.frames = frames
        self.sci = Table(models.Sci, scamp_out="[]")
        self.bias = Table(models.BiasBlock, status=1)
        self.flat = Table(models.FlatByFilter, status=1)
        self.flats = Table(models.FlatsBlock, status=1)
        self.scibyfilter = Table(models.SciByFilter, status=1)
        self.sciblock = Table(models.SciBlock, status=1)
        self.superflat = Table(models.Superflat, status=1)
        self.tile = Table(models.FinalTile, status=1)
        self.image = Table(models.FieldImage)
        self.bias_frames = links(models.BiasBlock, "bias")
        self.flat_frames = links(models.FlatByFilter, "flats")
        self.flat_parts = links(models.FlatsBlock, "flats_by_filter")
        self.scies = links(models.SciByFilter, "scies")
        self.processed = links(models.SciByFilter, "processed")
        self.tiles_of = links(models.SciByFilter, "finaltiles")
        self.sci_parts = links(models.SciBlock, "sci_by_filter")
        self.composed = links(models.FinalTile, "composed_by")
        self.work = Work()
        self.known_tiles: dict[tuple[str, str], Row] = {}
        self.fringe: tuple[date, Row] | None = None

    def tables(self) -> list[Table]:
        """All of them."""
        own = [value for name, value in vars(self).items() if isinstance(value, Table) and name != "frames"]
        return [*own, *self.work.tables()]

    def reduce(self, day: date, raws: list[Row]) -> None:
        """The products of one night."""
        groups: dict[tuple[str, str], list[Row]] = defaultdict(list)
        for raw in raws:
            groups[raw["file_type"], raw["band"] or ""].append(raw)
        bias = self.make_bias(day, groups["BIAS", ""])
        flats = {band: self.make_flat(day, band, bias, groups["FLAT", band]) for band in SPLUS_BANDS}
        flat, science = self.flats.add(**dates(day)), self.sciblock.add(**dates(day))
        self.link(self.flat_parts, flat, flats.values())
        parts = [self.make_science(day, band, bias, flats[band], groups["SCI", band]) for band in SPLUS_BANDS]
        self.link(self.sci_parts, science, parts)
        blocks = [("biasblock", bias), *(("flatbyfilter", one) for one in flats.values())]
        blocks += [("scibyfilter", one) for one in parts]
        fields = dict.fromkeys(raw["field"] for raw in raws if raw["file_type"] == "SCI")
        self.work.of_night(morning_after(day), blocks, fields)

    def make_bias(self, day: date, raws: list[Row]) -> Row:
        """The bias block of a night."""
        path = f"MASTERS/BIAS/masterbias{day:%Y%m%d}-{day:%Y%m%d}.fits"
        mask = path.replace("masterbias", "hotmask")
        block = self.bias.add(**dates(day), **level_of(raws), master_path=path, mask_path=mask)
        self.link(self.bias_frames, block, raws)
        return block

    def make_flat(self, day: date, band: str, bias: Row, raws: list[Row]) -> Row:
        """The flat block of a night and band."""
        path = f"MASTERS/FLATS/{band}/masterflat{day:%Y%m%d}-{day:%Y%m%d}.fits"
        mask = path.replace("masterflat", "coldmask")
        block = self.flat.add(
            **dates(day),
            **level_of(raws),
            band=band,
            master_path=path,
            mask_path=mask,
            bias_used_id=bias["id"],
        )
        self.link(self.flat_frames, block, raws)
        return block

    def make_science(self, day: date, band: str, bias: Row, flat: Row, raws: list[Row]) -> Row:
        """The science block of a night and band: processed frames, and the tiles they go into."""
        block = self.scibyfilter.add(**dates(day), band=band)
        fringe = self.fringe_of(day) if band == "Z" else None
        by_field: dict[str, list[Row]] = defaultdict(list)
        for raw in raws:
            by_field[raw["field"]].append(self.process(raw, bias, flat, fringe))
        tiles = [self.coadd(processed) for processed in by_field.values()]
        self.link(self.scies, block, raws)
        self.link(self.processed, block, (one for processed in by_field.values() for one in processed))
        self.link(self.tiles_of, block, tiles)
        return block

    def fringe_of(self, day: date) -> Row:
        """The superflat of these weeks."""
        if self.fringe is None or (day - self.fringe[0]).days > SUPERFLAT_DAYS:
            path = f"MASTERS/FRINGE/superflat_Z{day:%Y%m%d}.fits"
            end = day + timedelta(days=SUPERFLAT_DAYS)
            fringe = self.superflat.add(**dates(day, end), band="Z", super_flat_path=path)
            self.fringe = day, fringe
        return self.fringe[1]

    def process(self, raw: Row, bias: Row, flat: Row, fringe: Row | None) -> Row:
        """The processed frame of a raw one, and what belongs to both."""
        name, day = f"proc_{raw['file_name']}", raw["night"].replace("-", "")
        catalog = f"SEXTRACTOR/{name}.cat"
        failed = raw["id"] % FAILED_EACH == 0
        sci = self.sci.add(
            sciraw_id=raw["id"],
            master_bias_used_id=bias["id"],
            master_flat_used_id=flat["id"],
            individual_catalog=catalog,
            sextractor_out=f'["{catalog}"]',
        )
        processed = self.frames.add(
            **{key: raw[key] for key in KEPT},
            file_type="PROCESSED",
            file_name=name,
            file_path=f"PROCESSED/{raw['band']}/{day}/{name}.fits.fz",
            bpmask=f"PROCESSED/BPMASK/bpmask_{name}.fits.fz",
            thumb=f"THUMBS/{name}.png",
            processed_date=raw["obs_date"],
            status=3 if failed else 5,
            failed_step="am" if failed else "",
            error="no stars were matched" if failed else "",
            raw_sci_id=raw["id"],
            sci_id=sci["id"],
            superflat_id=fringe and fringe["id"],
            moonmean=0.25,
            job=1,
        )
        for key in ("status", "failed_step", "error"):
            raw[key] = processed[key]
        raw["processed_id"] = processed["id"]
        return processed

    def coadd(self, processed: list[Row]) -> Row:
        """The tile of some frames of one field and band, new or with these frames too."""
        key = processed[0]["field"], processed[0]["band"]
        tile = self.known_tiles.get(key) or self.new_tile(*key, processed[0])
        self.link(self.composed, tile, processed)
        return tile

    def new_tile(self, field: str, band: str, frame: Row) -> Row:
        """A tile, and with the last band the colour image of its field."""
        stem = f"TILES/{field}/{field}_{band}"
        tile = self.tile.add(
            **{key: frame[key] for key in ("crval1", "crval2", *STATISTICS)},
            field=field,
            band=band,
            file_path=f"{stem}_swp.fits.fz",
            weight_path=f"{stem}_swpweight.fits.fz",
            file_thumb=f"THUMBS/{field}_{band}.png",
            date=frame["obs_date"],
            updated_at=frame["obs_date"],
            flag=FLAGS[self.tile.next_id % len(FLAGS)],
            ncombine=3,
            **quality(self.tile.next_id),
        )
        self.known_tiles[field, band] = tile
        if tile["flag"] >= 0:
            self.work.review(tile)
        if band == SPLUS_BANDS[-1]:
            self.work.compare(field)
            self.image.add(field=field, file_path=f"TILES/{field}/{field}.png", updated_at=frame["obs_date"])
        return tile

    def link(self, table: Table, upper: Row, lowers: Iterable[Row]) -> None:
        """Hang rows below a row."""
        _, first, second = table.usual
        for lower in lowers:
            table.add(**{first: upper["id"], second: lower["id"]})


def links(model: Any, name: str) -> Table:
    """The table that links a model to others."""
    return Table(model._meta.get_field(name).remote_field.through)


def dates(start: date, end: date | None = None) -> dict[str, str]:
    """The days of a block."""
    return {"block_start_date": start.isoformat(), "block_end_date": (end or start).isoformat()}


def level_of(raws: list[Row]) -> Row:
    """The statistics of a master, which are those of its first frame."""
    return {key: raws[0][key] for key in STATISTICS} if raws else {}


def quality(number: int) -> dict[str, float]:
    """What was measured on a tile: different for each, the same for the same number."""
    part = number * 7919 % 1009 / 1009
    return {
        "zeropoint": 23.0 + part,
        "fwhm": 0.9 + part,
        "ellipticity": 0.02 + part / 10,
        "depth": 21.8 - part,
        "astrometric_rms": 0.01 + part / 20,
    }


def morning_after(day: date) -> datetime:
    """When a night is reduced (UTC)."""
    return datetime.combine(day + timedelta(days=1), time(12), UTC)
