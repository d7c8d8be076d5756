"""A frame that comes later goes into a tile of weighted means; other methods need all frames again."""

import shutil

import numpy as np
import pytest
from numpy.testing import assert_allclose
from tests.run.conftest import FIELD
from typer.testing import CliRunner

from mar import run
from mar.cli import app
from mar.config import config_from_dict
from mar.errors import BadConfig, NotEnoughFrames
from mar.io.fits import read_header, read_image, stem
from mar.io.names import Layout

WEIGHTED = config_from_dict({"Coadd": {"METHOD": "weighted"}, "config": {"FPACK_TILES": False}})


@pytest.fixture(scope="module")
def frames(masters_made, frames_made):
    """The processed frames of the night."""
    return [one.processed for one in frames_made.values()]


@pytest.fixture(scope="module")
def made(masters_made, frames, tmp_path_factory):
    """A tile of all frames at once and one of the same frames, the last added: products and layouts."""
    found = []
    for parts in ([frames], [frames[:2], frames[2:]]):
        root = tmp_path_factory.mktemp("tiles")
        shutil.copytree(masters_made.layout.root, root, dirs_exist_ok=True)
        layout = Layout(root)
        here = [[root / path.relative_to(masters_made.layout.root) for path in part] for part in parts]
        for number, part in enumerate(here):
            products = run.tile(part, FIELD, "R", None, layout, masters_made.camera, WEIGHTED, add=number > 0)
        found.append((products, layout))
    return found


def test_it_is_nearly_the_tile_of_all_frames(made):
    (whole, _), (grown, _) = made
    (values, header), (again, added) = (read_image(one.tile) for one, _ in made)
    weight, weight_added = (read_image(one.weight)[0] for one in (whole, grown))
    assert added["NCOMBINE"] == header["NCOMBINE"] == grown.ncombine == 3
    assert np.array_equal(read_image(whole.count)[0], read_image(grown.count)[0])
    # the transparency is that of the first tile, not of the median frame
    known = weight > 0
    factor = added["SCALE_1"] / header["SCALE_1"]
    assert factor == pytest.approx(1, abs=0.02)
    assert np.median(weight_added[known] / weight[known]) == pytest.approx(factor**-2, rel=2e-3)
    noise = weight[known] ** -0.5
    assert np.percentile(np.abs(again[known] / factor - values[known]) / noise, 99) < 0.05
    assert grown.zeropoint == pytest.approx(whole.zeropoint - 2.5 * np.log10(1 / factor), abs=0.003)


def test_the_header_tells_of_all_frames(made, frames):
    (whole, _), (grown, _) = made
    header, added = (read_header(one.tile) for one in (whole, grown))
    assert [added[f"COMB_{number}"] for number in (1, 2, 3)] == [stem(path) for path in frames]
    assert added["MAR NINPUT"] == header["MAR NINPUT"] == 3
    assert {added[f"MAR IN{n}"] for n in (1, 2, 3)} == {header[f"MAR IN{n}"] for n in (1, 2, 3)}
    for card in ("EXPTIME", "DATE-OBS", "MJD-OBS", "CRVAL1", "CRPIX1"):
        assert added[card] == header[card]
    assert added["GAIN"] == pytest.approx(header["GAIN"], rel=0.03)
    assert grown.date == whole.date


def test_every_pixel_is_still_traced_to_its_frames(made):
    (whole, _), (grown, _) = made
    for x, y in ((300, 700), (650, 640), (900, 320)):
        one, other = (run.inspect(products.tile, x, y) for products in (whole, grown))
        assert {(f.name, f.fate) for f in one.frames} == {(f.name, f.fate) for f in other.frames}
        assert len(other.frames) == 3
        assert_allclose(sum(f.weight for f in other.frames), other.frames and _weight(grown, x, y), rtol=0.05)


def _weight(products, x, y):
    return read_image(products.weight)[0][y - 1, x - 1]


def test_a_frame_is_not_added_twice(made, masters_made, frames):
    layout = made[1][1]
    with pytest.raises(BadConfig, match=r"holds proc_.* already"):
        run.tile(frames[:1], FIELD, "R", None, layout, masters_made.camera, WEIGHTED, add=True)


def test_where_all_frames_are_needed_it_is_said(made, masters_made, frames, tile_made):
    with pytest.raises(BadConfig, match="clipped tile: this method needs all frames again"):
        run.tile(frames[:1], FIELD, "R", None, masters_made.layout, masters_made.camera, WEIGHTED, add=True)
    with pytest.raises(BadConfig, match=r"METHOD is clipped: .* all frames again"):
        run.tile(frames[:1], FIELD, "R", None, made[1][1], masters_made.camera, masters_made.config, add=True)


def test_without_a_tile_there_is_nothing_to_add_to(fresh, masters_made, frames):
    with pytest.raises(NotEnoughFrames, match="make the tile of all its frames first"):
        run.tile(frames[:1], FIELD, "R", None, fresh, masters_made.camera, WEIGHTED, add=True)


def test_the_command(made, frames, monkeypatch):
    layout = made[1][1]
    words = ["tile", str(frames[0]), "--add", "--root", str(layout.root), "--camera", "t80cam-mini"]
    refused = CliRunner().invoke(app, words)
    assert refused.exit_code
    assert isinstance(refused.exception, BadConfig)
    refused = CliRunner().invoke(app, [*words, "--ra", "1", "--dec", "2"])
    assert "--add keeps the centre" in str(refused.exception)
