"""Fixtures that every ring of tests may use: the mini camera, random numbers and a simulated night."""

from pathlib import Path

import numpy as np
import pytest

from mar.camera import Camera, load_camera
from mar.simulate import Night, simulate_night


@pytest.fixture(scope="session")
def camera() -> Camera:
    """The mini camera: sixteen amplifiers, strips of a few pixels."""
    return load_camera("t80cam-mini")


@pytest.fixture
def rng() -> np.random.Generator:
    """Random numbers that are the same in every run."""
    return np.random.default_rng(20240301)


@pytest.fixture(scope="session")
def night(camera: Camera, tmp_path_factory: pytest.TempPathFactory) -> Night:
    """A small night on disk, never to be changed: 5 biases, 5 flats and 3 science frames in R and in Z.

    One field; `night.raw` is the folder of the raw frames, `night.truth` what is true of them.
    """
    root: Path = tmp_path_factory.mktemp("night")
    return simulate_night(root, camera, fields=1, exposures=3, bands=["R", "Z"], biases=5, flats=5)
