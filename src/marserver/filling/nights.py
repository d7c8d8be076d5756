"""Nights that look like a survey's: calibrations at dusk, fields in twelve bands, blocks, tiles, images."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import count, islice
from random import Random
from typing import Any

from mar.bands import SPLUS_BANDS
from marserver.archive import models
from marserver.filling.products import Products
from marserver.filling.tables import Table

BEGINNING = date(2016, 8, 1)
CLEAR = 0.7  # of all nights
BIAS_FRAMES = 30
FLATS_OF_A_BAND = 5
FIELDS_A_NIGHT = 5
EXPOSURES = 3  # of a field and band
FIELDS = 4500  # then they are visited again
REGIONS = ("STRIPE82-{:04d}", "SPLUS-{:04d}", "HYDRA-{:04d}", "MC-{:04d}")
INVALID = 0.01  # of all frames
STATISTICS = ("modeavg", "medianavg", "noiseavg", "medianrms", "noiserms")
LEVELS = {"BIAS": 1020.0, "FLAT": 21000.0, "SCI": 1150.0}  # ADU


class Nights:
    """The frames of one night after another, until there are enough."""

    def __init__(self, seed: int, after: date | None, known_fields: set[str]) -> None:
        self.random = Random(seed)
        self.day = BEGINNING if after is None else max(BEGINNING, after + timedelta(days=2))
        names = (REGIONS[number % len(REGIONS)].format(number // len(REGIONS) + 1) for number in count())
        self.fields = list(islice((name for name in names if name not in known_fields), FIELDS))
        self.visits = 0
        self.frames = Table(models.IndividualFile, version="fill")
        self.products = Products(self.frames)

    def tables(self) -> list[Table]:
        """All tables that a night writes to."""
        return [self.frames, *self.products.tables()]

    def observe(self, most: int, reduced: bool) -> int:
        """One more night of at most so many rows; gives how many it had."""
        before = self.frames.next_id
        self.day += timedelta(days=1)
        while self.random.random() > CLEAR:
            self.day += timedelta(days=1)
        raws = [self.frames.add(**columns) for columns in islice(self.exposures(), most)]
        if reduced and len(raws) * 2 <= most:
            self.products.reduce(self.day, raws)
        return self.frames.next_id - before

    def exposures(self) -> Iterator[dict[str, Any]]:
        """The raw frames of a night in the order of the clock (UTC)."""
        yield from self.calibrations()
        clock = midnight(self.day) + timedelta(days=1, minutes=10)
        for _ in range(FIELDS_A_NIGHT):
            where = self.visits % len(self.fields)
            self.visits += 1
            for band in SPLUS_BANDS:
                for _ in range(EXPOSURES):
                    clock += timedelta(seconds=self.random.randint(120, 200))
                    yield self.science(where, band, clock)

    def calibrations(self) -> Iterator[dict[str, Any]]:
        """Bias frames, then the flats of all bands."""
        dusk = midnight(self.day) + timedelta(hours=21)
        for number in range(BIAS_FRAMES):
            when = dusk + timedelta(seconds=30 * number)
            yield self.exposure("BIAS", f"bias-{when:%Y%m%dT%H%M%S}-{number + 1:03d}", when, exptime=0.0)
        for number, band in enumerate(SPLUS_BANDS * FLATS_OF_A_BAND):
            when = dusk + timedelta(minutes=30, seconds=40 * number)
            name = f"skyflat-{when:%Y%m%dT%H%M%S}-{band}"
            yield self.exposure("FLAT", name, when, band=band, field="skyflat", exptime=8.0)

    def science(self, where: int, band: str, when: datetime) -> dict[str, Any]:
        """A frame of a field."""
        name = self.fields[where]
        right_ascension, declination = where * 1.4 % 360, -(where // 257) * 1.4 - 10
        return self.exposure(
            "SCI",
            f"S{when:%Y%m%dT%H%M%S}_{name}_{band}",
            when,
            band=band,
            field=name,
            exptime=float(self.random.choice((30, 60, 110, 240))),
            crval1=round(right_ascension + self.random.uniform(-0.02, 0.02), 7),
            crval2=round(declination + self.random.uniform(-0.02, 0.02), 7),
        )

    def exposure(self, file_type: str, name: str, when: datetime, **more: Any) -> dict[str, Any]:
        """The columns of any raw frame."""
        moment = when + timedelta(microseconds=self.random.randrange(1_000_000))
        night = f"{self.day:%Y%m%d}"
        return {
            "file_type": file_type,
            "file_name": name,
            "file_path": f"RAW/{night}/{name}.fits.fz",
            "obs_date": f"{moment:%Y-%m-%d %H:%M:%S.%f}",
            "night": self.day.isoformat(),
            "thumb": f"THUMBS/{night}/{name}.png",
            "isvalid": int(self.random.random() > INVALID),
            **self.statistics(file_type),
            **more,
        }

    def statistics(self, file_type: str) -> dict[str, float]:
        """The five statistics of a raw frame (ADU)."""
        level = LEVELS[file_type] * self.random.uniform(0.95, 1.05)
        noise = level**0.5
        values = (level, level + self.random.random(), noise, self.random.random(), self.random.random())
        return dict(zip(STATISTICS, values, strict=True))


def midnight(day: date) -> datetime:
    """The beginning of a day, UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
