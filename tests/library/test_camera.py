"""Cameras are data: their geometry, what they refuse, and what the existing system's files give."""

import numpy as np
import pytest

from mar.camera import Section, builtin_cameras, camera_from_text, camera_to_toml, load_camera
from mar.errors import BadCamera, BadHeader
from mar.legacy import import_camera


@pytest.fixture
def legacy_yaml():
    """Lines of the existing system's YAML for a camera."""

    def lines(camera, prefix="HIERARCH ", indent="  ", head="Instrument:\n"):
        keys = {
            "IMSC": "science",
            "PRSCX": "prescan_x",
            "OVSCX": "overscan_x",
            "PRSCY": "prescan_y",
            "OVSCY": "overscan_y",
        }
        text = head + f"{indent}MASTER_GAIN: {camera.gain}\n{indent}MASTER_RNOISE: '{camera.read_noise_e}'\n"
        text += f"{indent}SATURATE: {camera.saturation_adu}\n{indent}PIXSCALE: {camera.pixel_scale_arcsec}\n"
        for output in camera.outputs:
            for key, name in keys.items():
                section = getattr(output, name)
                text += (
                    f"{indent}{prefix}MAR DET {output.id} {key}: '{section.to_fits() if section else ''}'\n"
                )
        return text

    return lines


GRID = """Scan:
  CCD_ORDER: !!python/tuple
  - [1, 2, 3, 4, 5, 6, 7, 8]
  - !!python/list [9, 10, 11, 12, 13, 14, 15, 16]
"""


def test_t80cam_has_the_geometry_of_its_detector():
    camera = load_camera("t80cam")
    assert camera.raw_shape == (9340, 9648)
    assert camera.shape == (9232, 9216)
    lower_right, upper_left = camera.amplifiers[7], camera.amplifiers[8]
    assert lower_right.overscan_x.to_fits() == "[8443:8469,1:4616]"
    assert lower_right.science.to_fits() == "[8470:9621,1:4616]"
    assert lower_right.prescan_x.to_fits() == "[9622:9648,1:4616]"
    assert upper_left.overscan_y.to_fits() == "[28:1179,4671:4724]"
    assert upper_left.science.to_fits() == "[28:1179,4725:9340]"
    assert upper_left.trimmed == Section(0, 1152, 4616, 9232)


@pytest.mark.parametrize("name", builtin_cameras())
def test_sections_of_a_camera_cover_each_raw_pixel_at_most_once(name):
    camera = load_camera(name)
    seen = np.zeros(camera.raw_shape, "u1")
    for amplifier in camera.amplifiers:
        strips = (amplifier.prescan_x, amplifier.overscan_x, amplifier.prescan_y, amplifier.overscan_y)
        for section in (amplifier.science, *filter(None, strips)):
            seen[section.slices] += 1
    assert seen.max() == 1
    trimmed = np.zeros(camera.shape, "u1")
    for amplifier in camera.amplifiers:
        trimmed[amplifier.trimmed.slices] += 1
        assert amplifier.trimmed.shape == amplifier.science.shape
    assert (trimmed == 1).all()


def test_a_section_is_written_as_it_was_read():
    assert Section.from_fits("[28:1179,1:4616]").to_fits() == "[28:1179,1:4616]"


@pytest.mark.parametrize("text", ["", "[1:2]", "[0:4,1:4]", "[5:4,1:4]", "1:4,1:4"])
def test_a_section_that_makes_no_sense_is_refused(text):
    with pytest.raises(BadCamera):
        Section.from_fits(text)


def test_a_band_is_found_by_any_of_its_names():
    camera = load_camera("t80cam")
    assert camera.band("rSDSS").name == camera.band(" R ").name == "R"
    with pytest.raises(BadHeader, match="no filter 'Q'; it has U, F378"):
        camera.band("Q")


def test_an_output_outside_the_raw_image_is_refused():
    text = camera_to_toml(load_camera("single")).replace("[17:1040,1:1024]", "[17:1040,1:1025]")
    with pytest.raises(BadCamera, match=r"A: .* outside the raw image"):
        camera_from_text(text)


def test_an_unknown_camera_names_those_there_are():
    with pytest.raises(BadCamera, match="single, t80cam, t80cam-mini"):
        load_camera("nowhere.toml")


@pytest.mark.parametrize("name", builtin_cameras())
def test_a_camera_survives_its_own_file(name):
    camera = load_camera(name)
    assert camera_from_text(camera_to_toml(camera)) == camera


@pytest.mark.parametrize(
    ("prefix", "indent", "head"), [("HIERARCH ", "  ", "Instrument:\n"), ("", "", ""), ("HIERARCH ", "", "")]
)
def test_a_legacy_file_gives_the_same_geometry(tmp_path, legacy_yaml, prefix, indent, head):
    mini = load_camera("t80cam-mini")
    path = tmp_path / "mini.yaml"
    path.write_text(legacy_yaml(mini, prefix, indent, head) + GRID)
    imported = import_camera(path, name="t80cam-mini")
    assert imported.amplifiers == mini.amplifiers
    assert imported == mini


def test_a_legacy_file_that_runs_code_is_refused(tmp_path, legacy_yaml):
    path = tmp_path / "evil.yaml"
    path.write_text(
        legacy_yaml(load_camera("t80cam-mini")) + "Scan: !!python/object/apply:os.system ['touch evil']\n"
    )
    with pytest.raises(BadCamera, match="not plain YAML"):
        import_camera(path)


def test_a_legacy_file_without_the_grid_says_so(tmp_path, legacy_yaml):
    path = tmp_path / "mini.yaml"
    path.write_text(legacy_yaml(load_camera("t80cam-mini")))
    with pytest.raises(BadCamera, match=r"Scan\.CCD_ORDER is missing"):
        import_camera(path)
