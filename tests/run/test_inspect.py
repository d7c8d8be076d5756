"""Any pixel of a tile can be traced to its frames."""

import numpy as np
import pytest
from typer.testing import CliRunner

from mar import run
from mar.cli import app
from mar.errors import BadImage
from mar.io.fits import open_image, read_header, read_image, read_mask, stem
from mar.masks import UNUSABLE
from mar.steps.grid import frame_wcs


@pytest.fixture(scope="module")
def count(tile_made):
    return read_image(tile_made.count)[0]


def test_as_many_frames_are_used_as_the_count_says(tile_made, count, rng):
    ny, nx = count.shape
    for x, y in rng.integers(1, (nx + 1, ny + 1), (40, 2)):
        found = run.inspect(tile_made.tile, int(x), int(y))
        used = [one for one in found.frames if one.fate == "used"]
        assert len(used) == count[y - 1, x - 1]
        assert found.weight == pytest.approx(sum(one.weight for one in used), rel=0.01, abs=1e-9)


def test_a_masked_pixel_of_a_frame_is_told_where_it_lies(masters_made, tile_made):
    path = tile_made.used[0]
    mask = read_mask(masters_made.layout.bpmask(stem(path).removeprefix("proc_")))
    middle = np.argwhere((mask & UNUSABLE) != 0)
    y, x = middle[np.argmin(np.hypot(*(middle - np.array(mask.shape) / 2).T))]
    sky = frame_wcs(read_header(path)).wcs_pix2world([[x, y]], 0)
    with open_image(tile_made.tile) as tile:
        at_x, at_y = frame_wcs(tile.header).wcs_world2pix(sky, 1)[0].round().astype(int)
    frame = next(one for one in run.inspect(tile_made.tile, at_x, at_y).frames if one.name == stem(path))
    assert frame.fate == "masked"
    assert frame.weight == 0
    assert (frame.x - 1, frame.y - 1) == pytest.approx((x, y), abs=0.8)


def test_pixels_that_are_none_are_refused(tile_made, tmp_path):
    with pytest.raises(BadImage, match="no pixel 0, 5"):
        run.inspect(tile_made.tile, 0, 5)
    lonely = tmp_path / tile_made.tile.name
    lonely.write_bytes(tile_made.tile.read_bytes())
    with pytest.raises(BadImage, match="is not beside the tile"):
        run.inspect(lonely, 5, 5)


def test_the_command_prints_the_frames(tile_made):
    said = CliRunner().invoke(app, ["inspect", str(tile_made.tile), "600", "600"])
    assert said.exit_code == 0, said.output
    for path in tile_made.used:
        assert stem(path) in said.output
