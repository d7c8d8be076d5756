"""What a run loads before it begins: the commands and the workers wait for it."""

import subprocess
import sys

import pytest

HEAVY = {
    "astropy.coordinates",
    "astropy.stats",
    "astropy.table",
    "astropy.wcs",
    "matplotlib",
    "scipy.interpolate",
    "scipy.ndimage",
    "scipy.optimize",
    "scipy.spatial",
    "scipy.stats",
    "sep",
}


def loaded_by(statement: str) -> set[str]:
    """Which of the heavy modules a statement brings, in a fresh interpreter."""
    words = f"import sys; {statement}; print(*sys.modules, sep='\\n')"
    said = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    return HEAVY & set(said.stdout.split())


@pytest.mark.parametrize(
    "statement", ["import mar.run.masters", "from mar.run import master_bias, master_flat"]
)
def test_masters_load_neither_astrometry_nor_plots(statement):
    assert loaded_by(statement) == set()


def test_science_draws_nothing_before_it_must():
    assert not loaded_by("from mar.run import science") & {"matplotlib", "scipy.stats"}


def test_runs_are_functions_in_whatever_order_their_modules_are_loaded():
    said = "import mar.run.science_frame, mar.run.field_tile, mar.run.inspection; from mar import run"
    loaded_by(f"{said}; assert all(map(callable, (run.science, run.tile, run.inspect)))")


def test_a_run_that_there_is_not_is_refused():
    from mar import run

    with pytest.raises(AttributeError, match="no attribute 'bake'"):
        _ = run.bake
