"""Frames on their way into tiles: solved together, left out with a reason, taken again; their figures."""

from dataclasses import replace

import pytest
from nights import Runs, bias_master, flat_master, frame, frames, work

from mar import run
from mar.errors import NotEnoughFrames
from mar.run.products import Dropped
from marserver.archive.models import IndividualFile, Sci
from marserver.archive.rows import stream
from marserver.audit.models import Change
from marserver.jobs.models import LogLine
from marserver.reduction import requests

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_site")]
BLURRED = "seeing: its stars are 9.0 px, 2.8 times wider than the median frame's"


@pytest.fixture
def runs(monkeypatch):
    """The library's runs, played, with masters of the day for two bands."""
    bias_master()
    flat_master("R")
    flat_master("G")
    return Runs().put_into(monkeypatch)


def process_field(field="F1", **more):
    requests.process_field(field, **more)
    return work()[-1]


def processed(name):
    return IndividualFile.objects.get(file_name=f"proc_{name}")


def left_out(runs, monkeypatch, name):
    """Make the tiles leave out a frame from now on, or none."""

    def tile(paths, *rest):
        products = runs.tile(paths, *rest)
        bad = [path for path in paths if name and name in path.name]
        good = [path for path in paths if path not in bad]
        return replace(products, used=good, dropped=[Dropped(path, BLURRED) for path in bad])

    monkeypatch.setattr(run, "tile", tile)


def test_a_frame_left_out_of_its_tile_has_the_reason_until_it_is_used(runs, monkeypatch):
    frames(3)
    left_out(runs, monkeypatch, "F1-1")
    job = process_field()
    bad = processed("sci-R-F1-1")
    assert job.status == "done"
    assert (bad.failed_step, bad.error, bad.status) == ("co", BLURRED, 5)
    assert [processed(f"sci-R-F1-{n}").failed_step for n in (0, 2)] == ["", ""]
    assert LogLine.objects.filter(level="WARN", text__contains=BLURRED).exists()
    noted = Change.objects.filter(kind="individualfile", target=str(bad.pk)).latest("pk")
    assert noted.after["error"] == BLURRED
    left_out(runs, monkeypatch, "")
    process_field()
    bad.refresh_from_db()
    assert (bad.failed_step, bad.error) == ("", "")


def test_where_no_frame_is_left_each_has_its_reason(runs, monkeypatch):
    frames(2)

    def tile(*rest):
        raise NotEnoughFrames("no frame is left", {"proc_sci-R-F1-0": "clouds", "proc_sci-R-F1-1": "sky"})

    monkeypatch.setattr(run, "tile", tile)
    job = process_field()
    assert job.result["failed_tiles"] == {"F1 R": "no frame is left"}
    assert [processed(f"sci-R-F1-{n}").error for n in (0, 1)] == ["clouds", "sky"]


def test_the_reason_is_answered_with_the_frame(runs, monkeypatch):
    frames(2)
    left_out(runs, monkeypatch, "F1-1")
    process_field()
    rows = stream("individualfile", IndividualFile.objects.filter(failed_step="co"))
    assert [(row["file_name"], row["error"]) for row in rows] == [("proc_sci-R-F1-1", BLURRED)]


def test_the_frames_of_a_field_are_solved_together_before_its_tiles(runs):
    for band in ("R", "G"):
        frames(2, band=band)
    frame("elsewhere", fld="F2")
    process_field()
    (together,) = runs.together_calls
    assert sorted(together) == sorted(
        f"proc_sci-{band}-F1-{number}.fits.fz" for band in ("R", "G") for number in (0, 1)
    )
    figures = Sci.objects.filter(ast_joint=4, ast_internal_rms=4.0)
    assert figures.count() == 4


def test_one_frame_alone_is_not_and_none_where_it_is_not_wanted(runs):
    frame("alone", fld="F2")
    process_field("F2")
    assert runs.together_calls == []
    requests.set_item("Astrometry", "JOINT", "false")
    frames(2)
    process_field()
    assert runs.together_calls == []


def test_the_figures_of_a_solution_are_kept_and_answered(runs, monkeypatch):
    known = {"ast_stars": 234, "ast_rms": 8.1, "ast_chi2": 1.02, "ast_chance": -291.0, "ast_joint": 1}

    def science(*rest):
        return replace(runs.science(*rest), astrometry=known)

    monkeypatch.setattr(run, "science", science)
    frames(1)
    process_field()
    (row,) = stream("individualfile", IndividualFile.objects.filter(file_type="PROCESSED"))
    (sci,) = row["sci"]
    assert {name: sci[name] for name in known} == known
    assert sci["ast_internal_rms"] is None
    monkeypatch.setattr(run, "science", runs.science)  # this time nothing is known
    requests.process_field("F1", status=0)
    work()
    assert Sci.objects.get().ast_stars is None
