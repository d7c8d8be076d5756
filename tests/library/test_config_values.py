"""Values of items as people and clients send them."""

import json

import pytest

from mar.config.values import read_item
from mar.errors import BadConfig


@pytest.mark.parametrize(
    ("section", "item", "sent", "read"),
    [
        ("Scan", "POLYDEG_X", 3, 3),
        ("Scan", "POLYDEG_X", " 3 ", 3),
        ("Scan", "POLYDEG_X", "3.0", 3),
        ("Scan", "POLYDEG_X", 3.0, 3),
        ("Reduction", "FWHM_ELLIPMAX", "0.25", 0.25),
        ("Reduction", "FWHM_ELLIPMAX", 1, 1.0),
        ("config", "USE_PSFEX", False, False),
        ("config", "USE_PSFEX", "False", False),
        ("config", "USE_PSFEX", "TRUE", True),
        ("config", "USE_PSFEX", "n", False),
        ("config", "USE_PSFEX", 1, True),
        ("Thumbs", "TYPE", "log", "log"),
        ("Fringe", "FILTERS", "Z, I", ["Z", "I"]),
        ("Fringe", "FILTERS", "Z", ["Z"]),
        ("Fringe", "FILTERS", ["Z", "I"], ["Z", "I"]),
        ("Fringe", "FILTERS", '["Z", "a,b"]', ["Z", "a,b"]),
        ("Fringe", "FILTERS", "[]", []),
        ("Scamp", "SN_THRESHOLDS", "5,50", [5.0, 50.0]),
        ("Scamp", "SN_THRESHOLDS", [5, "50"], [5.0, 50.0]),
        ("Reduction", "PIXCOR_MASKVALUES", "1,2,4", [1, 2, 4]),
        ("Reduction", "PIXCOR_MASKVALUES", 1, [1]),
        ("Scan", "CCD_ORDER", "[[1, 2], [3, 4]]", [[1, 2], [3, 4]]),
        ("Scan", "CCD_ORDER", [[1, 2], [3, 4]], [[1, 2], [3, 4]]),
        ("Scan", "CCD_ORDER", [1, 2], [[1, 2]]),
    ],
)
def test_a_value_is_read_as_the_item_is_typed(section, item, sent, read):
    value = read_item(section, item, sent)
    assert value == read
    assert json.dumps(value) == json.dumps(read)


def test_both_spellings_of_the_excluded_patterns_are_one_item():
    assert read_item("Fringe", "EXCLUDE_PATTERNS", "GAL") == read_item("Fringe", "EXCLUDE_PATTERS", ["GAL"])


@pytest.mark.parametrize(
    ("section", "item", "sent", "said"),
    [
        ("Scan", "POLYDEG_X", 10, "less than or equal to 9; .* at least 0, at most 9"),
        ("Scan", "POLYDEG_X", "-1", "at least 0, at most 9"),
        ("Scan", "POLYDEG_X", "two", "'two' is not accepted; it takes a whole number"),
        ("Scan", "POLYDEG_X", 1.5, "whole number"),
        ("Scan", "POLYDEG_X", True, "whole number"),
        ("Scan", "POLYDEG_X", [1], "whole number"),
        ("Scan", "POLYDEG_X", None, "whole number"),
        ("Scan", "POLYDEG_X", "--3", "whole number"),
        ("Scan", "POLYDEG_X", "9" * 5000, "whole number"),
        ("config", "THREADS", 2**63, "beyond"),
        pytest.param("config", "THREADS", 10**5000, "beyond", id="huge"),
        ("Reduction", "FWHM_ELLIPMAX", "nan", "a number, above 0, at most 1"),
        ("Reduction", "FWHM_ELLIPMAX", float("inf"), "a number"),
        ("Reduction", "FWHM_ELLIPMAX", "1e999", "a number"),
        ("Reduction", "FWHM_ELLIPMAX", 10**400, "a number"),
        ("Reduction", "FWHM_ELLIPMAX", False, "a number"),
        ("Scamp", "SN_THRESHOLDS", "1", "2 numbers joined by commas"),
        ("Scamp", "SN_THRESHOLDS", "1,2,3", "2 numbers joined by commas"),
        ("Scamp", "SN_THRESHOLDS", "[1, NaN]", "2 numbers"),
        ("config", "USE_PSFEX", "perhaps", "true or false"),
        ("config", "USE_PSFEX", 2, "true or false"),
        ("Thumbs", "TYPE", "cubic", "one of logistic, linear, log"),
        ("Thumbs", "TYPE", 5, "one of logistic"),
        ("Fringe", "FILTERS", ["Z", 3], "words joined by commas"),
        ("Fringe", "FILTERS", "['Z']", "words joined by commas"),
        ("Fringe", "FILTERS", '["\\u0000"]', "control characters"),
        ("Fringe", "FILTERS", "a\ud800", "control characters"),
        ("Fringe", "FILTERS", "a\nb", "control characters"),
        ("Fringe", "FILTERS", "x" * 1001, "more than 1000 characters"),
        ("Fringe", "FILTERS", ["x"] * 1001, "more than 1000 members"),
        ("Scan", "CCD_ORDER", "1,2,3,4", r"as JSON, like \[\[1, 2\], \[3, 4\]\]"),
        ("Scan", "CCD_ORDER", "[" * 100_000, "as JSON"),
        ("Scan", "CCD_ORDER", [[[1]]], "as JSON"),
        ("Scan", "CCD_ORDER", {"a": 1}, "as JSON"),
    ],
)
def test_a_wrong_value_is_refused_with_what_is_accepted(section, item, sent, said):
    with pytest.raises(BadConfig, match=said) as refused:
        read_item(section, item, sent)
    assert str(refused.value).startswith(f"{section}.{item}")
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize(
    ("section", "item", "said"),
    [
        ("scan", "POLYDEG_X", "no section 'scan', did you mean Scan.; there are config, Scan"),
        ("Scan", "POLYDEG", "no item 'POLYDEG', did you mean POLYDEG_.*; there are USE_OVERSCAN"),
        ("Scan", "polydeg_x", "did you mean POLYDEG_X"),
        ("Instrument", "GAIN", "read only"),
        ("x" * 10_000, "y", "no section"),
    ],
)
def test_unknown_names_are_told_with_the_nearest_ones(section, item, said):
    with pytest.raises(BadConfig, match=said):
        read_item(section, item, "1")
