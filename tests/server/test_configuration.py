"""The configuration through the API: set, switched, undone, told; nothing lost, nothing half-written."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.db import connection

from mar.config import Config, config_hash, config_to_dict
from mar.errors import BadConfig
from marserver.audit.models import Change
from marserver.jobs.models import Job
from marserver.reduction import requests, site
from marserver.reduction.configuration import change, names, versions
from marserver.reduction.tasks.setup import setup_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(root) -> Path:
    """The folder CONFIG, empty."""
    (root / "CONFIG").mkdir()
    return root / "CONFIG"


@pytest.fixture
def ask(carol, folder, call_as):
    """Calls as Carol, who administrates."""
    return call_as(carol)


@pytest.fixture
def refused(ask):
    """`refused(400, "setItemConf", ...)`: the sentence of a refusal."""

    def sentence(status, endpoint, **body):
        answer = ask(endpoint, **body)
        assert (ask.status, answer["status"]) == (status, False), answer
        return answer["msg"]

    return sentence


def set_item(ask, section, item, value):
    answer = ask("setItemConf", section=section, item=item, value=value)
    assert answer["status"] is True, answer
    return answer


def everything_in(folder):
    """Every file of CONFIG with its content."""
    return {str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*") if one.is_file()}


# getConf


def test_a_viewer_sees_what_is_in_force_with_its_schema(call_as, bob, folder):
    answer = call_as(bob)("getConf")
    assert {section: values for section, values in answer["msg"].items() if section != "Instrument"} == (
        config_to_dict(Config())
    )
    assert answer["msg"]["Instrument"]["name"] == "t80cam"
    assert (answer["config_name"], answer["version"], answer["files"]) == ("mar.toml", 0, ["mar.toml"])
    for section, items in answer["schema"].items():
        assert set(items) == set(answer["msg"][section])
        for about in items.values():
            assert {"type", "unit", "sentence", "default", "unused", "accepted"} == set(about)
    assert answer["schema"]["config"]["USE_GPU"]["unused"] is True
    assert answer["schema"]["Scan"]["POLYDEG_X"]["accepted"]["maximum"] == 9


def test_without_a_folder_all_items_have_their_defaults(root):
    assert site.config() == Config()
    assert not (root / "CONFIG").exists()


def test_the_files_that_can_be_chosen_are_listed(ask, folder, tmp_path):
    for name in ("a.toml", "b.yaml", "c.yml", "secret_key", ".hidden.toml", "notes.txt"):
        (folder / name).write_text("")
    (folder / "d.toml").mkdir()
    (folder / "e.toml").symlink_to(folder / "a.toml")
    (folder / os.fsdecode(b"\xff.toml")).write_text("")
    assert ask("getConf")["files"] == ["a.toml", "b.yaml", "c.yml", "mar.toml"]


def test_only_administrators_change_the_configuration(call_as, alice, bob, folder):
    for user in (alice, bob):
        call = call_as(user)
        for endpoint, body in (
            ("setItemConf", {"section": "Scan", "item": "POLYDEG_X", "value": 3}),
            ("set_conf", {"config_name": "mar.toml"}),
            ("undoConf", {}),
        ):
            call(endpoint, **body)
            assert call.status == 403
        assert call("getConfHistory") == {"status": True, "msg": []}
    assert everything_in(folder) == {}


# setItemConf


@pytest.mark.parametrize(
    ("section", "item", "sent", "value"),
    [
        ("Scan", "POLYDEG_X", 3, 3),
        ("Scan", "POLYDEG_X", "3", 3),
        ("config", "USE_PSFEX", "False", False),
        ("config", "USE_PSFEX", False, False),
        ("config", "USE_GPU", "true", True),
        ("Reduction", "FWHM_ELLIPMAX", "0.5", 0.5),
        ("Reduction", "PIXCOR_MASKVALUES", "1,2,4", [1, 2, 4]),
        ("Fringe", "FILTERS", "Z, I", ["Z", "I"]),
        ("Fringe", "FILTERS", [], []),
        ("Fringe", "FILE_PATTERNS", ["a,b", 'c"\\'], ["a,b", 'c"\\']),
        ("Scan", "CCD_ORDER", "[[1,2],[3,4]]", [[1, 2], [3, 4]]),
        ("Scan", "CCD_ORDER", [[1, 2], [3, 4]], [[1, 2], [3, 4]]),
        ("Scamp", "ASTREF_CATALOG", "gaia é", "gaia é"),
    ],
)
def test_an_item_is_set_and_in_force_at_once(ask, folder, section, item, sent, value):
    answer = set_item(ask, section, item, sent)
    assert {key: answer[key] for key in ("section", "item", "value", "version")} == {
        "section": section,
        "item": item,
        "value": value,
        "version": 1,
    }
    assert f"{section}.{item}" in answer["msg"]
    assert ask("getConf")["msg"][section][item] == value
    assert tomllib.loads((folder / "mar.toml").read_text())[section] == {item: value}
    assert config_hash(site.config()) != config_hash(Config())


def test_the_other_spelling_of_the_excluded_patterns_sets_the_same_item(ask):
    answer = set_item(ask, "Fringe", "EXCLUDE_PATTERNS", "A,B")
    assert (answer["item"], answer["value"]) == ("EXCLUDE_PATTERS", ["A", "B"])


def test_an_empty_value_restores_the_default(ask, folder):
    set_item(ask, "Scan", "POLYDEG_X", 3)
    set_item(ask, "Scan", "POLYDEG_Y", 4)
    answer = set_item(ask, "Scan", "POLYDEG_X", "")
    assert (answer["value"], answer["version"]) == (1, 3)
    assert tomllib.loads((folder / "mar.toml").read_text()) == {"Scan": {"POLYDEG_Y": 4}}
    set_item(ask, "Scan", "POLYDEG_Y", "")
    assert config_hash(site.config()) == config_hash(Config())


def test_what_is_so_already_makes_no_version(ask, folder):
    set_item(ask, "Scan", "POLYDEG_X", 3)
    before = everything_in(folder)
    answer = set_item(ask, "Scan", "POLYDEG_X", "3")
    assert "already" in answer["msg"]
    assert answer["version"] == 1
    assert everything_in(folder) == before
    assert len(ask("getConfHistory")["msg"]) == 1


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            {"section": "Scan", "item": "POLYDEG_X", "value": 22},
            "value: Scan.POLYDEG_X: .*at least 0, at most 9",
        ),
        ({"section": "Scan", "item": "POLYDEG_X", "value": "nan"}, "value: .*whole number"),
        ({"section": "Reduction", "item": "FWHM_ELLIPMAX", "value": "inf"}, "value: .*above 0, at most 1"),
        ({"section": "Reduction", "item": "FWHM_ELLIPMAX", "value": 1e300}, "value: .*above 0, at most 1"),
        ({"section": "Scan", "item": "POLYDEG_X", "value": True}, "value: "),
        ({"section": "Scan", "item": "POLYDEG_X", "value": {"a": 1}}, "value: must be text"),
        ({"section": "Scan", "item": "CCD_ORDER", "value": [[[1]]]}, "value: must be text"),
        ({"section": "Scan", "item": "CCD_ORDER", "value": [[None]]}, "value: must be text"),
        ({"section": "Scan", "item": "POLYDEG_X", "value": None}, "value must not be null"),
        ({"section": "Scan", "item": "POLYDEG_X"}, "missing parameter 'value'"),
        ({"section": "config", "item": "USE_PSFEX", "value": "maybe"}, "value: .*true or false"),
        ({"section": "Scan", "item": "FITFUNCTION_X", "value": "cubic"}, "value: .*polynomial, spline"),
        ({"section": "Fringe", "item": "FILTERS", "value": ["a\x00"]}, "value: .*control characters"),
        ({"section": "Fringe", "item": "FILTERS", "value": ["a\ud800"]}, "value: .*control characters"),
        ({"section": "Fringe", "item": "FILTERS", "value": "x\n[Scan]"}, "value: .*control characters"),
        ({"section": "Fringe", "item": "FILTERS", "value": ["x" * 900] * 999}, "larger than 256 kB"),
        ({"section": "Scan", "item": "POLYDEG", "value": 1}, "item: .*POLYDEG_.*there are USE_OVERSCAN"),
        ({"section": "scan", "item": "POLYDEG_X", "value": 1}, "section: .*did you mean Scan.*config, Scan"),
        ({"section": "Instrument", "item": "gain", "value": 1}, "section: Instrument is read only"),
    ],
)
def test_a_wrong_item_is_400_and_changes_nothing(ask, refused, folder, body, said):
    set_item(ask, "Scan", "POLYDEG_Y", 2)
    before = everything_in(folder)
    assert re.search(said, refused(400, "setItemConf", **body))
    assert everything_in(folder) == before
    assert Change.objects.count() == 1


def test_a_name_of_a_user_cannot_write_into_the_file(folder):
    requests.set_item("Scan", "POLYDEG_X", 3, asked_by="eve\n[Scan]\nPOLYDEG_X = 9 #")
    assert site.config().scan.polydeg_x == 3


# versions and history


def test_each_change_is_a_version_with_who_and_when(ask, folder):
    set_item(ask, "Scan", "POLYDEG_X", 3)
    set_item(ask, "Scan", "POLYDEG_X", 4)
    assert versions.numbers("mar.toml") == [1, 2]
    first, second = ((folder / f"versions/mar.toml.000{number}").read_text() for number in (1, 2))
    assert tomllib.loads(first) == {"Scan": {"POLYDEG_X": 3}}
    assert second == (folder / "mar.toml").read_text()
    about = json.loads(second.partition("\n")[0].removeprefix("# version 2 "))
    assert (about["user"], about["action"], about["detail"]) == ("carol", "setItemConf", "Scan.POLYDEG_X")
    assert about["time"].endswith("Z")


def test_the_history_tells_who_changed_what(ask, call_as, bob):
    set_item(ask, "Scan", "POLYDEG_X", 3)
    set_item(ask, "Fringe", "FILTERS", "Z,I")
    rows = call_as(bob)("getConfHistory")["msg"]
    assert [(row["version"], row["before"], row["after"]) for row in rows] == [
        (2, {"Fringe.FILTERS": ["Z"]}, {"Fringe.FILTERS": ["Z", "I"]}),
        (1, {"Scan.POLYDEG_X": 1}, {"Scan.POLYDEG_X": 3}),
    ]
    assert list(rows[0]) == ["id", "time", "user", "action", "config_name", "version", "before", "after"]
    assert (rows[0]["user"], rows[0]["action"], rows[0]["config_name"]) == (
        "carol",
        "setItemConf",
        "mar.toml",
    )
    assert rows[0]["time"].endswith("Z")
    assert call_as(bob)("getConfHistory", limit=1)["msg"] == rows[:1]
    audited = Change.objects.order_by("id").first()
    assert (audited.kind, audited.target, audited.user) == ("configuration", "mar.toml", "carol")


def test_undo_goes_back_by_a_new_version(ask, folder):
    for degree in (3, 4, 5):
        set_item(ask, "Scan", "POLYDEG_X", degree)
    answer = ask("undoConf")
    assert (answer["version"], answer["config_name"]) == (4, "mar.toml")
    assert site.config().scan.polydeg_x == 4
    ask("undoConf", version=1)
    assert site.config().scan.polydeg_x == 3
    ask("undoConf", version="0")
    assert site.config() == Config()
    assert versions.numbers("mar.toml") == [1, 2, 3, 4, 5, 6]
    row = ask("getConfHistory")["msg"][0]
    assert (row["action"], row["before"], row["after"]) == (
        "undoConf",
        {"Scan.POLYDEG_X": 3},
        {"Scan.POLYDEG_X": 1},
    )


def test_undo_without_a_way_back_says_so(ask, refused, folder):
    assert "nothing to undo" in refused(409, "undoConf")
    set_item(ask, "Scan", "POLYDEG_X", 3)
    set_item(ask, "Scan", "POLYDEG_X", 4)
    assert "nothing to undo" in refused(409, "undoConf", version=2)
    assert "there are 0 to 2" in refused(404, "undoConf", version=7)
    (folder / "versions/mar.toml.0001").unlink()
    assert "there are 0, 2" in refused(404, "undoConf")


# edits by hand


def test_an_edit_by_hand_counts_and_becomes_a_version(ask, folder):
    set_item(ask, "Scan", "POLYDEG_X", 3)
    path = folder / "mar.toml"
    path.write_text(path.read_text() + "POLYDEG_Y = 5 # the night of the storm\n")
    assert site.config().scan.polydeg_y == 5
    assert ask("getConf")["version"] == 2
    waiting = ask("getConfHistory")["msg"][0]
    assert (waiting["id"], waiting["action"], waiting["after"]) == (
        None,
        "edited by hand",
        {"Scan.POLYDEG_Y": 5},
    )
    answer = set_item(ask, "Fringe", "FILTERS", "I")
    assert answer["version"] == 3
    assert tomllib.loads(path.read_text()) == {
        "Scan": {"POLYDEG_X": 3, "POLYDEG_Y": 5},
        "Fringe": {"FILTERS": ["I"]},
    }
    assert "the night of the storm" in (folder / "versions/mar.toml.0002").read_text()
    rows = ask("getConfHistory")["msg"]
    assert [(row["version"], row["user"], row["action"]) for row in rows] == [
        (3, "carol", "setItemConf"),
        (2, "", "edited by hand"),
        (1, "carol", "setItemConf"),
    ]
    ask("undoConf", version=2)
    assert "the night of the storm" in path.read_text()


def test_a_file_that_was_there_before_is_the_base(ask, folder):
    (folder / "mar.toml").write_text("[config]\nMAX_DAYS = 7\n")
    assert set_item(ask, "Scan", "POLYDEG_X", 3)["version"] == 2
    assert site.config().config.max_days == 7
    ask("undoConf")
    assert (folder / "mar.toml").read_text().endswith("\n[config]\nMAX_DAYS = 7\n")


def test_an_old_version_put_back_by_hand_is_an_edit(ask, folder):
    set_item(ask, "Scan", "POLYDEG_X", 3)
    set_item(ask, "Scan", "POLYDEG_X", 4)
    (folder / "mar.toml").write_bytes((folder / "versions/mar.toml.0001").read_bytes())
    assert set_item(ask, "Scan", "POLYDEG_Y", 2)["version"] == 4
    assert site.config().scan.polydeg_x == 3
    assert versions.numbers("mar.toml") == [1, 2, 3, 4]


def test_a_copy_under_another_name_has_versions_of_its_own(ask, folder):
    set_item(ask, "Scan", "POLYDEG_X", 3)
    set_item(ask, "Scan", "POLYDEG_X", 4)
    (folder / "other.toml").write_bytes((folder / "mar.toml").read_bytes())
    assert ask("set_conf", config_name="other.toml")["version"] == 1
    assert site.config().scan.polydeg_x == 4


def test_a_file_removed_by_hand_means_defaults_and_can_be_undone(ask, folder):
    set_item(ask, "Scan", "POLYDEG_X", 3)
    (folder / "mar.toml").unlink()
    assert site.config() == Config()
    assert ask("undoConf")["version"] == 3
    assert site.config().scan.polydeg_x == 3


@pytest.mark.parametrize(
    "broken", [b"[Scan\n", b"[Scan]\nPOLYDEG_X = 22\n", b"\xff\xfe", b"[Scna]\n", b"a = " + b"[" * 100_000]
)
def test_a_file_broken_by_hand_is_told_and_undone(ask, refused, folder, broken):
    set_item(ask, "Scan", "POLYDEG_X", 3)
    (folder / "mar.toml").write_bytes(broken)
    for endpoint, body in (
        ("getConf", {}),
        ("setItemConf", {"section": "Scan", "item": "COR", "value": "false"}),
    ):
        told = refused(409, endpoint, **body)
        assert "mar.toml" in told
        assert "undoConf" in told
    with pytest.raises(BadConfig):
        site.config()
    assert ask("getConfHistory")["status"] is True
    assert ask("undoConf")["status"] is True
    assert site.config().scan.polydeg_x == 3
    kept = (folder / "versions/mar.toml.0002").read_bytes()
    assert kept.endswith(broken)
    assert "choose another version" in refused(409, "undoConf", version=2)


@pytest.mark.parametrize("kind", ["link", "pipe", "folder", "large"])
def test_what_is_no_small_file_is_409_and_never_waited_for(ask, refused, folder, kind):
    path = folder / "mar.toml"
    if kind == "link":
        (folder / "secret_key").write_text("hush")
        path.symlink_to(folder / "secret_key")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.write_text("#" * 300_000)
    for endpoint in ("getConf", "undoConf"):
        told = refused(409, endpoint)
        assert "mar.toml cannot be read" in told
        assert "hush" not in told


# set_conf


def test_another_file_is_put_in_force_and_back(ask, folder):
    set_item(ask, "Scan", "POLYDEG_X", 3)
    (folder / "dark.toml").write_text("[Scan]\nPOLYDEG_X = 5\n")
    answer = ask("set_conf", config_name="dark.toml")
    assert (answer["config_name"], answer["version"]) == ("dark.toml", 1)
    shown = ask("getConf")
    assert (shown["config_name"], shown["version"], shown["msg"]["Scan"]["POLYDEG_X"]) == ("dark.toml", 1, 5)
    assert site.config().scan.polydeg_x == 5
    assert set_item(ask, "Scan", "POLYDEG_X", 6)["version"] == 2
    ask("set_conf", config_name="mar.toml")
    assert site.config().scan.polydeg_x == 3
    ask("set_conf", config_name="dark.toml")
    assert site.config().scan.polydeg_x == 6
    switches = [row for row in ask("getConfHistory")["msg"] if row["action"] == "set_conf"]
    assert [(row["before"], row["after"]) for row in switches] == [
        ({"config_name": "mar.toml"}, {"config_name": "dark.toml"}),
        ({"config_name": "dark.toml"}, {"config_name": "mar.toml"}),
        ({"config_name": "mar.toml"}, {"config_name": "dark.toml"}),
    ]
    assert {row["user"] for row in switches} == {"carol"}


def test_the_choice_survives_a_restart(ask, folder, root):
    (folder / "dark.toml").write_text("[Scan]\nPOLYDEG_X = 5\n")
    ask("set_conf", config_name="dark.toml")
    script = "from marserver.reduction import site; print(site.config().scan.polydeg_x)"
    started = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "MAR_ROOT": str(root), "DJANGO_SETTINGS_MODULE": "marserver.settings"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert started.stdout.strip() == "5"


def test_a_job_keeps_the_configuration_that_it_began_with(ask, folder, root):
    work = SimpleNamespace(job=Job(pk=1, function="process_biasblock", block="1"))
    began = setup_of(work)
    set_item(ask, "Scan", "POLYDEG_X", 3)
    assert began.config.scan.polydeg_x == 1
    assert setup_of(work).config.scan.polydeg_x == 3


@pytest.mark.parametrize(
    "name",
    [
        "../x.toml",
        "/etc/x.toml",
        "versions/mar.toml.0001",
        "sub/x.toml",
        "..",
        ".",
        ".toml",
        ".hidden.toml",
        "a\\b.toml",
        "secret_key",
        "x.json",
        "x.toml\n",
        "x\u202e.toml",
        "é" * 150 + ".toml",
    ],
)
def test_a_path_is_400(refused, folder, name):
    (folder / "secret_key").write_text("hush")
    told = refused(400, "set_conf", config_name=name)
    assert told.startswith("config_name:")
    assert "hush" not in told


def test_nul_is_400(refused):
    assert "config_name" in refused(400, "set_conf", config_name="x\x00.toml")


def test_an_unknown_file_is_404_with_those_there_are(refused, folder):
    (folder / "a.toml").write_text("")
    assert "there are a.toml, mar.toml" in refused(404, "set_conf", config_name="b.toml")


def test_links_pipes_and_folders_are_400(refused, folder, tmp_path):
    (tmp_path / "outside.toml").write_text("[Scan]\nPOLYDEG_X = 5\n")
    (folder / "out.toml").symlink_to(tmp_path / "outside.toml")
    (folder / "out.yaml").symlink_to(tmp_path / "outside.toml")
    (folder / "secret_key").write_text("hush")
    (folder / "in.toml").symlink_to(folder / "secret_key")
    (folder / "folder.toml").mkdir()
    os.mkfifo(folder / "pipe.toml")
    os.mkfifo(folder / "pipe.yaml")
    for name in ("out.toml", "out.yaml", "in.toml", "folder.toml", "pipe.toml", "pipe.yaml"):
        told = refused(400, "set_conf", config_name=name)
        assert "link or no file" in told
        assert "hush" not in told


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.toml", "[Scan]\nPOLYDEG_X = 22\n", "a.toml: Scan.POLYDEG_X: .* 9"),
        ("a.toml", "[Scan]\nPOLYDEG = 2\n", "a.toml: Scan.POLYDEG:"),
        ("a.toml", "[Scna]\n", "a.toml: Scna"),
        ("a.toml", '[Fringe]\nFILTERS = ["\\u0000"]\n', "Fringe.FILTERS: text with control characters"),
        ("a.toml", f"[config]\nTHREADS = {10**30}\n", "config.THREADS"),
        ("a.toml", "[config]\nTHREADS = " + "9" * 5000, "a.toml cannot be read as TOML"),
        ("a.toml", "[Reduction]\nFWHM_ELLIPMAX = nan\n", "Reduction.FWHM_ELLIPMAX: .*finite"),
        ("a.toml", "x = " + "[" * 100_000, "a.toml cannot be read as TOML"),
        ("a.toml", "#" * 300_000, "larger than 256 kB"),
        ("a.toml", b"\xff", "not UTF-8"),
        ("a.toml", "a" + ".a" * 100_000 + " = 1", "a key of so many parts"),
        ("a.toml", "[" + "'a'. " * 40_000 + "b]", "a key of so many parts"),
        ("a.yaml", "Scan: {POLYDEG_X: 22}", "a.yaml: Scan.POLYDEG_X: .* at most 9"),
        ("a.yaml", "Scan: !!python/object/apply:os.system ['touch evil']", "not plain YAML"),
        ("a.yaml", "Scan: [1, 2]", "Scan should hold"),
        ("a.yaml", "- 1", "should hold"),
        ("a.yaml", "a: &a [*a]", "aliases"),
        ("a.yaml", "#" * 300_000, "larger than 256 kB"),
        ("a.yaml", b"\xff\xfe", "a.yaml"),
        ("a.yml", "", "should hold"),
    ],
)
def test_a_bad_file_is_400_and_changes_nothing(ask, refused, folder, name, content, said):
    set_item(ask, "Scan", "POLYDEG_Y", 2)
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    before = everything_in(folder)
    told = refused(400, "set_conf", config_name=name)
    assert told.startswith("config_name: ")
    assert re.search(said, told), told
    assert str(folder) not in told
    assert everything_in(folder) == before
    assert Change.objects.count() == 1
    assert ask("getConf")["config_name"] == "mar.toml"


YAML = """
Instrument: {MASTER_GAIN: 0.95}
config: {THREADS: '4', NOVELTY: 1}
Scan: {POLYDEG_X: 3, CCD_ORDER: !!python/list [!!python/tuple [1, 2], [3, 4]]}
Weather: {wind: 3}
"""


def test_legacy_yaml_is_converted_and_stored_beside_it(ask, folder):
    (folder / "splus.yaml").write_text(YAML)
    answer = ask("set_conf", config_name="splus.yaml")
    assert (answer["config_name"], answer["version"]) == ("splus.toml", 1)
    assert answer["unknown"] == ["config.NOVELTY", "Weather"]
    assert "config.NOVELTY, Weather" in answer["msg"]
    assert "Instrument" in answer["msg"]
    config = site.config()
    assert (config.config.threads, config.scan.polydeg_x, config.scan.ccd_order) == (4, 3, ((1, 2), (3, 4)))
    assert (folder / "splus.yaml").read_text() == YAML
    assert ask("getConf")["files"] == ["mar.toml", "splus.toml", "splus.yaml"]
    row = ask("getConfHistory")["msg"][1]
    assert (row["action"], row["config_name"], row["after"]["converted"]) == (
        "set_conf",
        "splus.toml",
        "splus.yaml",
    )
    assert row["after"]["unknown"] == ["config.NOVELTY", "Weather"]


def test_coming_back_to_yaml_keeps_what_was_set_since(ask, folder):
    (folder / "splus.yaml").write_text(YAML)
    ask("set_conf", config_name="splus.yaml")
    set_item(ask, "Scan", "POLYDEG_Y", 4)
    ask("set_conf", config_name="mar.toml")
    assert ask("set_conf", config_name="splus.yaml")["version"] == 2
    assert site.config().scan.polydeg_y == 4
    (folder / "splus.yaml").write_text(YAML.replace("POLYDEG_X: 3", "POLYDEG_X: 5"))
    assert ask("set_conf", config_name="splus.yaml")["version"] == 3
    assert (site.config().scan.polydeg_x, site.config().scan.polydeg_y) == (5, 1)
    ask("undoConf")
    assert (site.config().scan.polydeg_x, site.config().scan.polydeg_y) == (3, 4)


def test_a_converted_file_that_was_removed_is_made_again(ask, folder):
    (folder / "splus.yaml").write_text(YAML)
    ask("set_conf", config_name="splus.yaml")
    (folder / "splus.toml").unlink()
    assert ask("set_conf", config_name="splus.yaml")["version"] == 3
    assert site.config().scan.polydeg_x == 3


def test_yaml_replaces_no_file_of_another_origin(ask, refused, folder):
    (folder / "splus.yaml").write_text(YAML)
    (folder / "splus.toml").write_text("[Scan]\nPOLYDEG_X = 8\n")
    assert "was not made from splus.yaml" in refused(409, "set_conf", config_name="splus.yaml")
    assert (folder / "splus.toml").read_text() == "[Scan]\nPOLYDEG_X = 8\n"
    assert ask("getConf")["config_name"] == "mar.toml"


@pytest.mark.parametrize(
    "content", ["../x.toml", "secret_key", "gone.toml", "", "x" * 2000, "a\0.toml", "\udcff"]
)
def test_a_choice_broken_by_hand_is_told_and_chosen_anew(ask, refused, folder, content):
    (folder / "in_force").write_bytes(os.fsencode(content))
    assert "set_conf" in refused(409, "getConf")
    assert ask("getConfHistory")["status"] is True
    assert ask("set_conf", config_name="mar.toml")["status"] is True
    assert ask("getConf")["config_name"] == "mar.toml"


def test_a_choice_made_by_hand_is_noted(ask, folder):
    (folder / "dark.toml").write_text("[Scan]\nPOLYDEG_X = 5\n")
    (folder / "in_force").write_text("dark.toml\n")
    set_item(ask, "Scan", "POLYDEG_Y", 2)
    rows = ask("getConfHistory")["msg"]
    assert [(row["action"], row["config_name"]) for row in rows] == [
        ("setItemConf", "dark.toml"),
        ("edited by hand", "dark.toml"),
        ("chosen by hand", "dark.toml"),
    ]


# two at once, and processes that die


@pytest.mark.django_db(transaction=True)
def test_administrators_at_once_lose_nothing(folder):
    wanted = {
        "POLYDEG_X": 2,
        "POLYDEG_Y": 3,
        "OVSC_NPIXELS_X": 4,
        "OVSC_NPIXELS_Y": 5,
        "COR": False,
        "XCORRECT": False,
    }
    start, failed = threading.Barrier(len(wanted)), []

    def administrate(item, value):
        start.wait()
        try:
            requests.set_item("Scan", item, value, asked_by=item)
        except Exception as error:  # noqa: BLE001 - told below
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=administrate, args=pair) for pair in wanted.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert tomllib.loads((folder / "mar.toml").read_text()) == {"Scan": wanted}
    assert versions.numbers("mar.toml") == list(range(1, len(wanted) + 1))
    assert {row["user"] for row in requests.conf_history()} == set(wanted)


@pytest.mark.parametrize("cut", ["write_bytes", "keep", "note"])
def test_a_change_cut_short_is_whole_or_not_there(ask, folder, monkeypatch, cut):
    class Killed(BaseException):
        pass

    place = versions if cut == "keep" else change
    real = getattr(place, cut)

    def die(*arguments, **more):
        if cut == "keep" and arguments[1] == 1:
            return real(*arguments, **more)
        raise Killed

    set_item(ask, "Scan", "POLYDEG_X", 3)
    with monkeypatch.context() as patch:
        patch.setattr(place, cut, die)
        with pytest.raises(Killed):
            requests.set_item("Scan", "POLYDEG_X", 4, asked_by="carol")
    there = 4 if cut != "write_bytes" else 3
    assert site.config().scan.polydeg_x == there
    answer = set_item(ask, "Scan", "POLYDEG_Y", 2)
    last = 3 if there == 4 else 2
    assert answer["version"] == last
    assert versions.numbers("mar.toml") == list(range(1, last + 1))
    rows = ask("getConfHistory")["msg"]
    assert [row["version"] for row in rows] == list(range(last, 0, -1))
    assert {row["user"] for row in rows} == {"carol"}


WRITER = """
import sys
from pathlib import Path
from mar.io.atomic import write_bytes
path, number = Path(sys.argv[1]), 0
while True:
    number += 1
    write_bytes(path, b"[Scan]\\nPOLYDEG_X = %d\\n" % (number % 10) + b"# %d\\n" % number * 2000)
    print(number, flush=True)
"""


def test_a_killed_process_leaves_a_whole_file(folder):
    path = folder / "mar.toml"
    for pause_s in (0.0, 0.003, 0.011):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
        ) as writer:
            writer.stdout.readline()
            time.sleep(pause_s)
            os.kill(writer.pid, signal.SIGKILL)
        first, *rest = path.read_text().splitlines()[2:]
        assert rest == [first] * 1999
        assert site.config().scan.polydeg_x == int(first.removeprefix("# ")) % 10
    assert names.there_are() == ["mar.toml"]


# never stale, and quick


def test_what_is_in_force_is_never_stale(folder):
    path = folder / "mar.toml"
    for degree in [1, 2, 3] * 20:
        path.write_text(f"[Scan]\nPOLYDEG_X = {degree}\n")
        os.utime(path, ns=(0, 0))
        assert site.config().scan.polydeg_x == degree


def test_reading_what_is_in_force_is_cheap(ask, folder, django_assert_num_queries):
    set_item(ask, "Scan", "POLYDEG_X", 3)
    with django_assert_num_queries(0):
        assert site.config() is site.config()


def test_a_change_takes_few_queries(ask, folder, django_assert_max_num_queries):
    for degree in range(2, 9):
        requests.set_item("Scan", "POLYDEG_X", degree)
    with django_assert_max_num_queries(7):
        requests.set_item("Scan", "POLYDEG_X", 1)
