"""The one command: what it offers, how quickly, and how it says no."""

import subprocess
import sys

import pytest

MAR = [sys.executable, "-c", "from mar.main import main; main()"]


def mar(*words, cwd=None):
    return subprocess.run([*MAR, *words], capture_output=True, text=True, cwd=cwd, check=False)


def test_it_offers_the_commands_of_all_packages():
    said = mar("--help").stdout
    for command in (
        "bias",
        "flat",
        "superflat",
        "science",
        "tile",
        "colour",
        "simulate",
        "up",
        "call",
        "demo",
    ):
        assert f" {command} " in said


def test_help_loads_nothing_that_computes():
    code = (
        "import sys; sys.argv = ['mar', '--help']\n"
        "from mar.main import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "assert not {'numpy', 'numba', 'astropy', 'django', 'dask'} & set(sys.modules), sorted(sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


def test_a_named_error_is_one_line_and_exit_code_2():
    ended = mar("camera", "show", "nowhere")
    assert ended.returncode == 2
    assert ended.stderr.strip() == (
        "mar: no camera 'nowhere': give the path of a file or one of single, t80cam, t80cam-mini"
    )


def test_a_camera_is_shown_and_drawn(tmp_path):
    ended = mar("camera", "show", "t80cam-mini", "--plot", str(tmp_path / "camera.png"))
    assert ended.returncode == 0, ended.stderr
    assert "1208 x 1170" in ended.stdout
    assert (tmp_path / "camera.png").read_bytes().startswith(b"\x89PNG")


def test_a_configuration_to_start_from_is_read_back(tmp_path):
    path = tmp_path / "mar.toml"
    path.write_text(mar("config", "show", "--toml").stdout)
    ended = mar("config", "show", "Scan", "--config", str(path))
    assert ended.returncode == 0, ended.stderr
    assert "POLYDEG_X" in ended.stdout


@pytest.mark.parametrize(
    "words", [("bias", "absent.fits"), ("colour", "NOWHERE"), ("config", "show", "Scna")]
)
def test_what_cannot_be_done_is_refused_with_exit_code_2(tmp_path, words):
    ended = mar(*words, *(("--root", str(tmp_path)) if words[0] == "colour" else ()), cwd=tmp_path)
    assert ended.returncode == 2
    assert words[-1] in ended.stderr
