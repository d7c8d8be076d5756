"""A missing part never makes a test pass."""

import pytest

import parts

NOWHERE = parts.Part(("no-such-program-anywhere",), "no-such-package")


@pytest.fixture(autouse=True)
def _a_part_that_nobody_has(monkeypatch):
    monkeypatch.setitem(parts.PARTS, "nowhere", NOWHERE)


def test_a_missing_part_skips_and_says_what_to_install(monkeypatch):
    monkeypatch.delenv("MAR_TEST_REQUIRE", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no-such-package"):
        parts.need("nowhere")


def test_a_missing_part_fails_where_all_are_required(monkeypatch):
    monkeypatch.setenv("MAR_TEST_REQUIRE", "all")
    with pytest.raises(pytest.fail.Exception, match="MAR_TEST_REQUIRE"):
        parts.need("nowhere")


def test_a_part_is_found_in_its_own_folders(monkeypatch, tmp_path):
    program = tmp_path / "15" / "bin" / "no-such-program-anywhere"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setitem(parts.PARTS, "nowhere", NOWHERE._replace(folders=(f"{tmp_path}/*/bin",)))
    assert parts.need("nowhere") == program
