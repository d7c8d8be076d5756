"""Processed frames of a field get one common solution; pixels stay, coordinates of other frames agree."""

import shutil

import numpy as np
import pytest
from scipy.spatial import cKDTree

from mar.config import config_from_dict
from mar.errors import NotEnoughFrames
from mar.io.catalogs import read_catalog
from mar.io.fits import read_header, read_image, stem
from mar.io.names import Layout
from mar.run.together import tie_together, together
from mar.steps.wcs_header import read_wcs


@pytest.fixture
def frames(masters_made, frames_made, tmp_path):
    """Copies of the processed frames of a band with all beside them, and their layout."""
    old = masters_made.layout.root
    shutil.copytree(old, tmp_path / "root", ignore=shutil.ignore_patterns("TILES"))
    paths = [tmp_path / "root" / one.processed.relative_to(old) for one in frames_made.values()]
    return paths, Layout(tmp_path / "root")


def separations_mas(frames, layout):
    """Median distance of the same bright stars in the catalogues of two frames."""
    tables = [read_catalog(layout.frame_catalog(stem(path).removeprefix("proc_"))) for path in frames[:2]]
    first, second = (
        np.c_[t["ALPHAWIN_J2000"] * np.cos(np.radians(-25)), t["DELTAWIN_J2000"]][t["SNR_WIN"] > 100]
        for t in tables
    )
    distance, _ = cKDTree(first).query(second, distance_upper_bound=1 / 3600)
    return np.median(distance[np.isfinite(distance)]) * 3.6e6


def test_frames_agree_and_keep_their_pixels(frames, masters_made):
    paths, layout = frames
    before, pixels = separations_mas(paths, layout), read_image(paths[0])[0]
    found = together(paths, layout, masters_made.camera, masters_made.config)
    assert np.array_equal(read_image(paths[0])[0], pixels)
    header = read_header(paths[0])
    assert header["MAR AST JOINT"] == len(paths)
    assert header["MAR AST INT1"] == pytest.approx(found.internal_mas[0], abs=1e-3)
    assert separations_mas(paths, layout) < max(1.1 * before, 8)
    table = read_catalog(layout.frame_catalog(stem(paths[0]).removeprefix("proc_")))
    _, dec = read_wcs(header).all_pix2world(table["XWIN_IMAGE"], table["YWIN_IMAGE"], 1)
    assert np.abs(3.6e6 * (dec - table["DELTAWIN_J2000"])).max() < 0.1


def test_one_frame_is_refused(frames, masters_made):
    paths, layout = frames
    with pytest.raises(NotEnoughFrames):
        together(paths[:1], layout, masters_made.camera, masters_made.config)


def test_frames_that_cannot_be_tied_keep_their_own(frames, masters_made, caplog):
    paths, layout = frames
    config = config_from_dict({"Scamp": {"ASTREF_CATALOG": "nowhere"}})
    own = read_header(paths[0])["CRVAL1"]
    tie_together(paths, layout, masters_made.camera, config)
    assert "keep their own solutions" in caplog.text
    assert read_header(paths[0])["CRVAL1"] == own


def test_the_bands_of_a_field_lie_on_each_other(frames, masters_made):
    paths, layout = frames
    for raw in masters_made.raws("Z")[:2]:
        masters = masters_made.masters("Z")
        paths.append(masters_made.science(raw, layout=layout, masters=masters).processed)
    solved = tie_together(paths, layout, masters_made.camera, masters_made.config)
    assert {figures["ast_joint"] for figures in solved.values()} == {5}
    assert len(solved) == 5
    red, far_red = (places(layout, [path for path in paths if band in path.name]) for band in ("_R", "_Z"))
    distance, index = cKDTree(red).query(far_red, distance_upper_bound=0.5 / 3600)
    near = np.isfinite(distance)
    assert near.sum() > 100
    east, north = np.median(far_red[near] - red[index[near]], axis=0) * 3.6e6
    assert np.hypot(east, north) < 2


def places(layout, paths):
    """Mean places (deg, true angles) of the bright stars that all these frames show."""
    tables = [read_catalog(layout.frame_catalog(stem(path).removeprefix("proc_"))) for path in paths]
    every = [
        np.c_[t["ALPHAWIN_J2000"] * np.cos(np.radians(-25)), t["DELTAWIN_J2000"]][
            (t["SNR_WIN"] > 50) & (t["FLAGS"] == 0)
        ]
        for t in tables
    ]
    total, seen = every[0].copy(), np.ones(len(every[0]), dtype=bool)
    for other in every[1:]:
        distance, index = cKDTree(other).query(every[0], distance_upper_bound=0.5 / 3600)
        seen &= np.isfinite(distance)
        total += other[np.minimum(index, len(other) - 1)]
    return total[seen] / len(every)
