"""A simulated night reduced once with the library, for tests that look at its products."""

import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from mar import run
from mar.camera import Camera
from mar.config import Config
from mar.io.names import Layout
from mar.refcat.packs import RefCat
from mar.simulate import Night

DAYS = date(2024, 3, 1), date(2024, 3, 2)
FIELD = "SPLUS-s25s10"


@dataclass(frozen=True)
class Reduced:
    """A night and what the library made of it."""

    night: Night
    camera: Camera
    config: Config
    layout: Layout
    bias: run.MasterProducts
    flats: dict[str, run.MasterProducts]
    days: tuple[date, date] = DAYS

    def masters(self, band="R", **changes):
        """The masters of a science frame."""
        flat = self.flats[band]
        files = {
            "bias": run.MasterFiles(self.bias.master, self.bias.mask),
            "flat": run.MasterFiles(flat.master, flat.mask),
        }
        return run.ScienceMasters(**{**files, **changes})

    def raws(self, band="R") -> list[Path]:
        """The raw science frames of a band."""
        return [Path(path) for path in self.night.science[FIELD, band]]

    def science(self, raw, status=0, code="ov sf mc am", layout=None, masters=None, config=None):
        """Reduce one frame."""
        masters = masters or self.masters()
        words = frozenset(code.split())
        return run.science(
            raw, masters, status, words, layout or self.layout, self.camera, config or self.config
        )


def layout_with_reference(root: Path, night: Night) -> Layout:
    """A new data root with the night's reference catalogue as its pack."""
    layout = Layout(root)
    layout.make_folders()
    RefCat(layout.reference).add(Path(night.reference), "simulated")
    return layout


@pytest.fixture(scope="session")
def masters_made(night, camera, tmp_path_factory) -> Reduced:
    """The masters of the night, in a data root of their own."""
    layout = layout_with_reference(tmp_path_factory.mktemp("reduced"), night)
    config = Config()
    bias = run.master_bias([Path(path) for path in night.biases], layout, camera, config, *DAYS)
    files = run.MasterFiles(bias.master, bias.mask)
    flats = {
        band: run.master_flat([Path(p) for p in paths], band, files, layout, camera, config, *DAYS)
        for band, paths in night.flats.items()
    }
    return Reduced(night, camera, config, layout, bias, flats)


@pytest.fixture(scope="session")
def frames_made(masters_made) -> dict[str, run.ScienceProducts]:
    """The processed R frames of the night, by raw name."""
    return {raw.name.removesuffix(".fits"): masters_made.science(raw) for raw in masters_made.raws()}


@pytest.fixture(scope="session")
def tile_made(masters_made, frames_made) -> run.TileProducts:
    """The R tile of the night."""
    made = masters_made
    paths = [products.processed for products in frames_made.values()]
    return run.tile(paths, FIELD, "R", None, made.layout, made.camera, made.config)


@pytest.fixture
def fresh(masters_made, tmp_path) -> Layout:
    """An empty data root with the reference catalogue; the masters stay where they are."""
    root = tmp_path / "root"
    shutil.copytree(masters_made.layout.reference, root / "REFCAT")
    layout = Layout(root)
    layout.make_folders()
    return layout
