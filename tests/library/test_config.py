"""The configuration: names, bounds, files."""

import re

import pytest

from mar.config import (
    Config,
    config_from_dict,
    config_hash,
    config_to_dict,
    config_to_toml,
    describe,
    load_config,
)
from mar.errors import BadConfig


def test_every_item_has_a_sentence_and_a_default_within_its_bounds():
    for section, items in describe().items():
        for name, about in items.items():
            assert len(about["sentence"]) > 3, f"{section}.{name}"
            assert about["default"] is not None, f"{section}.{name}"
    assert config_from_dict(config_to_dict(Config())) == Config()


def test_items_carry_the_names_of_existing_scripts():
    values = config_to_dict(Config())
    assert values["Scan"]["OVSC_NPIXELS_X"] == 8
    assert values["Reduction"]["FWHM_SNmin"] == 30
    assert values["Swarp"]["IMAGE_SIZE"] == 11000
    assert values["Fringe"]["FILTERS"] == ["Z"]
    assert values["config"]["MAX_DAYS"] == 0


def test_both_spellings_of_the_excluded_patterns_are_read():
    for name in ("EXCLUDE_PATTERS", "EXCLUDE_PATTERNS"):
        assert config_from_dict({"Fringe": {name: ["A"]}}).fringe.exclude_patterns == ("A",)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"Scan": {"POLYDEG_X": 22}}, "Scan.POLYDEG_X: .* less than or equal to 9"),
        ({"Scan": {"POLYDEG": 2}}, "Scan.POLYDEG: "),
        ({"Scna": {}}, "Scna: "),
        ({"Scan": {"FITFUNCTION_X": "cubic"}}, "Scan.FITFUNCTION_X: .*'polynomial'"),
    ],
)
def test_a_wrong_item_is_named_with_what_is_accepted(values, said):
    with pytest.raises(BadConfig, match=said):
        config_from_dict(values)


def test_a_file_holds_what_differs_from_the_defaults(tmp_path):
    path = tmp_path / "mar.toml"
    path.write_text("[Scan]\nPOLYDEG_X = 3\n")
    config = load_config(path)
    assert config.scan.polydeg_x == 3
    assert config.model_copy(update={"scan": Config().scan}) == Config()
    path.write_text(config_to_toml(config))
    assert load_config(path) == config


def test_a_file_that_is_no_toml_is_named(tmp_path):
    path = tmp_path / "mar.toml"
    path.write_text("[Scan\n")
    with pytest.raises(BadConfig, match=re.escape(str(path))):
        load_config(path)


def test_any_change_changes_the_hash():
    changed = config_from_dict({"Thumbs": {"SHRINK": 4}})
    assert config_hash(changed) != config_hash(Config())
    assert config_hash(config_from_dict({})) == config_hash(Config())
