"""Nights in the database, and a stand-in for the library's runs that writes small files."""

import time
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
from astropy.io.fits import Header

from mar.errors import MarError
from mar.io.fits import write_image
from mar.run.products import (
    ColourProducts,
    Dropped,
    MasterProducts,
    ScienceProducts,
    TileProducts,
)
from mar.steps.band_consistency import BandPair
from marserver.archive.models import BiasBlock, FlatByFilter, IndividualFile
from marserver.jobs.models import Job
from marserver.jobs.worker import Worker
from marserver.reduction.tasks import TASKS

DAY = date(2024, 3, 1)
BANDS = ["U", "F378", "F395", "F410", "F430", "G", "F515", "R", "F660", "I", "F861", "Z"]
STATISTICS = {"modeavg": 1.0, "medianavg": 2.0, "noiseavg": 3.0, "medianrms": 0.1, "noiserms": float("nan")}


def noon(day=DAY, hours=0.0):
    """Midnight UTC of a day and some hours."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=hours)


def frame(name, file_type="SCI", band="R", fld="F1", when=None, **more):
    """A row of the archive."""
    when = when or noon(hours=5)
    if file_type == "BIAS":
        band, fld = None, ""
    return IndividualFile.objects.create(
        file_name=name,
        file_path=f"RAW/{name}.fits",
        file_type=file_type,
        band=band,
        field=fld,
        obs_date=when,
        night=when.date(),
        exptime=0.0 if file_type == "BIAS" else 30.0,
        **more,
    )


def frames(count, file_type="SCI", band="R", fld="F1", when=None):
    """Some rows, named after what they are."""
    sky = [] if file_type == "BIAS" else [band, fld]
    words = "-".join(word for word in (file_type.lower(), *sky) if word)
    return [frame(f"{words}-{number}", file_type, band, fld, when) for number in range(count)]


def many(count, file_type="BIAS", **more):
    """So many rows, one for each second from midnight; gives them."""
    word = file_type.lower()
    return IndividualFile.objects.bulk_create(
        IndividualFile(
            obs_date=noon() + timedelta(seconds=number),
            night=DAY,
            file_type=file_type,
            file_name=f"{word}-{number:05d}",
            file_path=f"raw/{word}-{number:05d}.fits",
            **more,
        )
        for number in range(count)
    )


def bias_master(start=DAY, end=DAY, **more):
    """A bias block that is done."""
    values = {"status": 1, "master_path": "MASTERS/BIAS/m.fits", **more}
    return BiasBlock.objects.create(block_start_date=start, block_end_date=end, **values)


def flat_master(band="R", start=DAY, end=DAY, **more):
    """A flat block that is done."""
    values = {"status": 1, "master_path": f"MASTERS/FLATS/{band}/m.fits", **more}
    return FlatByFilter.objects.create(block_start_date=start, block_end_date=end, band=band, **values)


def work():
    """Run everything that is queued; gives the jobs in the order in which they ran."""
    worker = Worker(TASKS)
    while worker.run_one():
        pass
    return list(Job.objects.order_by("started_at", "id"))


def write(path: Path, text: str) -> Path:
    """A small product."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@dataclass
class Runs:
    """The library's runs, played: each writes small files and remembers what it was asked."""

    bad: dict[str, str] = field(default_factory=dict)  # name of a raw frame, why it fails
    science_calls: list[str] = field(default_factory=list)
    together_calls: list[list[str]] = field(default_factory=list)
    tile_calls: list[tuple] = field(default_factory=list)
    masters: list = field(default_factory=list)
    last: list = field(default_factory=list)  # the last good masters that new ones are compared with

    def put_into(self, monkeypatch) -> "Runs":
        from mar import run

        steps = "master_bias", "master_flat", "superflat", "science", "tie_together", "tile", "colour_image"
        for name in steps:
            monkeypatch.setattr(run, name, getattr(self, name), raising=False)
        return self

    def master_bias(self, raws, layout, camera, config, start, end, progress, last=None):
        progress("combine", 0, len(raws))
        self.last.append(last)
        return self.master(raws, layout.master_bias(start, end), layout.hot_mask(start, end))

    def master_flat(self, raws, band, bias, layout, camera, config, start, end, progress, last=None):
        self.masters.append(bias)
        self.last.append(last)
        if f"flat {band}" in self.bad:
            raise MarError(self.bad[f"flat {band}"])
        return self.master(raws, layout.master_flat(band, start, end), layout.cold_mask(band, start, end))

    def superflat(self, raws, band, layout, camera, config, start, end, progress):
        return self.master(raws, layout.superflat(band, start, end), None)

    def master(self, raws, path, mask):
        good = [raw for raw in raws if raw.stem not in self.bad]
        dropped = [Dropped(raw, self.bad[raw.stem]) for raw in raws if raw.stem in self.bad]
        lines = {
            f"HIERARCH MAR IN{number}": f"{raw.name} 9{number}" for number, raw in enumerate(good, start=1)
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        write_image(path, np.zeros((2, 2), np.float32), Header({"HIERARCH MAR NINPUT": len(good)} | lines))
        warnings, remarks = ["levels differ from m.fits"], ["against m.fits: median difference"]
        return MasterProducts(path, mask, path, mask, STATISTICS, "42", good, dropped, warnings, remarks)

    def science(self, raw, masters, status, code, layout, camera, config, progress=None, name=""):
        self.science_calls.append(raw.stem)
        self.masters.append(masters)
        if raw.stem in self.bad:
            return ScienceProducts(3, failed_step="am", error=self.bad[raw.stem])
        return science_products(raw, layout)

    def tie_together(self, paths, layout, camera, config):
        self.together_calls.append([path.name for path in paths])
        return {path: {"ast_joint": len(paths), "ast_internal_rms": 4.0} for path in paths}

    def tile(self, paths, fld, band, centre, layout, camera, config, progress):
        progress("coadd", 0, 1)
        self.tile_calls.append((fld, band, centre, [path.name for path in paths]))
        tile = write(layout.tile(fld, band, True), "tile")
        figures = {"zeropoint": 23.4, "fwhm": 1.2, "ellipticity": 0.1, "depth": 21.0, "astrometric_rms": 0.03}
        return TileProducts(
            tile, tile, tile, tile, tile, tile, STATISTICS, 10.0, -30.0, noon(), len(paths),
            **figures, checksum="7", used=paths,
        )  # fmt: skip

    def colour_image(self, tiles, fld, layout, camera, config, partial, progress):
        image = write(layout.colour_image(fld), "png")
        unknown = BandPair("U", "Z", *[float("nan")] * 4, stars=3)
        return ColourProducts(
            image, image, [], pairs=[BandPair("G", "R", 1.5, -2.0, 20.0, 1.2, 400), unknown]
        )


def science_products(raw: Path, layout) -> ScienceProducts:
    """A frame that went all the way."""
    processed = write(layout.root / "PROCESSED" / "R" / f"proc_{raw.stem}.fits.fz", raw.stem)
    return ScienceProducts(
        5, processed, statistics=STATISTICS, crval1=10.0, crval2=-30.0, checksum="5", inputs={raw.name: "11"}
    )


def slow_science(raw, masters, status, code, layout, camera, config, progress=None, name=""):
    """A frame that takes a while, and notes that it was worked on."""
    time.sleep(0.4)
    with (layout.root / "worked").open("a") as file:
        file.write(f"{raw.stem}\n")
    return science_products(raw, layout)
