"""The YAML configuration of the existing system: converted item by item, and never more than data."""

import os
import time

import pytest
from typer.testing import CliRunner

from mar.cli import app
from mar.config import Config, config_from_toml, given_items, given_to_toml, load_config
from mar.config.legacy import import_config
from mar.errors import BadConfig

LEGACY = """
Instrument:
  HIERARCH MAR DET OUT1 IMSC: '[1:1024,1:1024]'
config: {THREADS: 4, USE_GPU: no, FPACK_TILES: 'False', NOVELTY: 3}
Scan:
  POLYDEG_X: '3'
  FITFUNCTION_X:
  CCD_ORDER: !!python/list
    - !!python/tuple [1, 2]
    - &row [3, 4]
Fringe: {EXCLUDE_PATTERNS: "GAL, SHORTS", FILTERS: [Z, I]}
Reduction: {FWHM_SNmin: 25}
Scamp: {SN_THRESHOLDS: !!python/tuple [5, 50]}
Thumbs:
Weather: {wind: 3}
"""


@pytest.fixture
def yaml_file(tmp_path):
    def write(content):
        path = tmp_path / "splus.yaml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def test_items_are_converted_and_the_rest_is_reported(yaml_file):
    imported = import_config(yaml_file(LEGACY))
    assert given_items(imported.config) == {
        "config": {"THREADS": 4, "USE_GPU": False, "FPACK_TILES": False},
        "Scan": {"POLYDEG_X": 3, "CCD_ORDER": [[1, 2], [3, 4]]},
        "Fringe": {"EXCLUDE_PATTERS": ["GAL", "SHORTS"], "FILTERS": ["Z", "I"]},
        "Reduction": {"FWHM_SNmin": 25.0},
        "Scamp": {"SN_THRESHOLDS": [5.0, 50.0]},
        "Thumbs": {},
    }
    assert imported.unknown == ("config.NOVELTY", "Weather")
    assert imported.with_camera


def test_what_was_converted_is_read_back_from_toml(yaml_file):
    config = import_config(yaml_file(LEGACY)).config
    assert config != Config()
    assert config_from_toml(given_to_toml(config), "x.toml") == config


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Scan: {POLYDEG_X: 22}", "Scan.POLYDEG_X: .* at most 9"),
        ("Scan: {POLYDEG_X: .nan}", "Scan.POLYDEG_X"),
        ("Scan: {POLYDEG_X: 2024-01-01}", "Scan.POLYDEG_X"),
        ("Scan: {CCD_ORDER: {a: 1}}", "Scan.CCD_ORDER"),
        ("Scan: 3", "Scan should hold"),
        ("Fringe: {FILTERS: !!binary aGVsbG8=}", "Fringe.FILTERS"),
        ('Fringe: {FILTERS: ["\\0"]}', "Fringe.FILTERS: text with control characters"),
    ],
)
def test_a_wrong_item_is_named(yaml_file, text, said):
    with pytest.raises(BadConfig, match=said):
        import_config(yaml_file(text))


@pytest.mark.parametrize(
    "tag",
    [
        "!!python/object/apply:os.system ['touch evil']",
        "!!python/object/new:os.system ['touch evil']",
        "!!python/object:os.system {}",
        "!!python/name:os.system ''",
        "!!python/module:os ''",
        "!!python/dict {a: 1}",
        "!!python/str abc",
        "!<tag:yaml.org,2002:python/object/apply:os.system> ['touch evil']",
        "!evil {}",
    ],
)
def test_every_other_tag_is_refused(yaml_file, tmp_path, monkeypatch, tag):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadConfig, match="not plain YAML"):
        import_config(yaml_file(f"Scan: {tag}\n"))
    assert not (tmp_path / "evil").exists()


def laughs(levels, of, merged=False):
    """`of` aliases of the level below on each level."""
    lines = ["a0: &a0 {x: 1}" if merged else "a0: &a0 [1]"]
    for level in range(1, levels):
        below = ", ".join([f"*a{level - 1}"] * of)
        lines.append(f"a{level}: &a{level} " + (f"{{<<: [{below}]}}" if merged else f"[{below}]"))
    return "\n".join(lines)


@pytest.mark.parametrize(
    "text",
    [
        laughs(10, 10),
        laughs(40, 2),
        laughs(10, 10, merged=True),
        laughs(40, 2, merged=True),
        "a: &a [*a]",
        "a: &a {b: *a}",
        "[" * 50_000,
        "a: " + "{a: " * 20_000,
        "? " * 50_000,
        "- " * 30_000 + "1",
        "[" + "1," * 100_000 + "]",
        "a: " + "9" * 100_000,
        "Scan: {POLYDEG_X: 1" + ":1" * 50_000 + "}",
        "a: " + "x" * 300_000,
    ],
    ids=range(14),
)
def test_a_bomb_is_refused_quickly(yaml_file, text):
    path = yaml_file(text)
    began = time.process_time()
    with pytest.raises(BadConfig):
        import_config(path)
    assert time.process_time() - began < 10


def test_some_aliases_are_fine(yaml_file):
    config = import_config(yaml_file("Fringe: {FILTERS: &bands [Z, I], FILE_PATTERNS: *bands}")).config
    assert config.fringe.filters == config.fringe.file_patterns == ("Z", "I")


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe\x00bad",
        b"Scan: \xe9",
        b"\x00",
        b"",
        b"- a\n- b",
        b"just text",
        b"3",
        b"a: b: c",
        b"{",
        b"!!int ''",
        b"!!float ''",
        b"!!bool maybe",
        b"!!timestamp x",
        b"!!timestamp 2024-99-99",
        b"{[1]: 2}",
        b"!!set {a}",
        b"!!python/tuple {a: 1}",
        b"a: *nothing",
        b"a: =",
        b"--- 1\n--- 2",
        b"%YAML 9.9\n---\na: 1",
        b"<<: 3",
    ],
)
def test_what_is_no_plain_mapping_is_refused_by_name(yaml_file, content):
    with pytest.raises(BadConfig, match=r"splus\.yaml"):
        import_config(yaml_file(content))


def test_links_pipes_and_folders_are_not_read(tmp_path, yaml_file):
    target = yaml_file("Scan: {}")
    (tmp_path / "link.yaml").symlink_to(target)
    (tmp_path / "folder.yaml").mkdir()
    os.mkfifo(tmp_path / "pipe.yaml")
    for name in ("link.yaml", "folder.yaml", "pipe.yaml", "absent.yaml"):
        with pytest.raises(BadConfig, match="cannot be read"):
            import_config(tmp_path / name)


def test_names_that_mean_nothing_are_told_without_control_characters(yaml_file):
    imported = import_config(yaml_file('"a\\0b\\ud800": 1\nScan: {3: 4, "\\n": 1}'))
    assert all(name.isprintable() for name in imported.unknown)
    assert len(imported.unknown) == 3


def mar(*words):
    """Run the command in this process."""
    return CliRunner().invoke(app, ["config", *map(str, words)])


def test_the_command_prints_toml_and_names_what_it_leaves_out(yaml_file):
    ended = mar("import", yaml_file(LEGACY))
    assert ended.exit_code == 0
    assert config_from_toml(ended.stdout, "printed") == import_config(yaml_file(LEGACY)).config
    for word in ("config.NOVELTY", "Weather", "mar camera import"):
        assert word in ended.stderr


def test_the_command_writes_a_file_whole(yaml_file, tmp_path):
    ended = mar("import", yaml_file(LEGACY), "-o", tmp_path / "mar.toml")
    assert ended.exit_code == 0
    assert "9 items" in ended.stdout
    assert load_config(tmp_path / "mar.toml") == import_config(yaml_file(LEGACY)).config


def test_the_command_writes_nothing_where_the_yaml_is_wrong(yaml_file, tmp_path):
    ended = mar("import", yaml_file("Scan: {POLYDEG_X: 22}"), "-o", tmp_path / "mar.toml")
    assert isinstance(ended.exception, BadConfig)
    assert not (tmp_path / "mar.toml").exists()
