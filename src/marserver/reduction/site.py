"""What this installation is: its data root, camera and configuration in force."""

from functools import lru_cache
from pathlib import Path

from django.conf import settings

from mar.camera import Camera, load_camera
from mar.config import Config
from mar.errors import BadHeader
from mar.io.names import Layout
from marserver.errors import Invalid
from marserver.reduction.configuration.present import config_in_force


def root() -> Path:
    """The data root, links resolved."""
    return Path(settings.MAR_ROOT).resolve()


def layout() -> Layout:
    """Where every product stands."""
    return Layout(root(), settings.MAR_REFCAT)


def camera() -> Camera:
    """The camera of this installation; raises BadCamera."""
    return cached_camera(str(settings.MAR_CAMERA))


@lru_cache(maxsize=4)
def cached_camera(name: str) -> Camera:
    """A camera, its file read once."""
    return load_camera(name)


def config() -> Config:
    """The configuration in force; raises BadConfig."""
    return config_in_force()


def band_name(word: str) -> str:
    """The band that an operator calls `word`; raises Invalid with the accepted ones."""
    try:
        return camera().band(word).name
    except BadHeader as error:
        raise Invalid(f"band: {error}") from error


def relative(path: Path | str | None) -> str | None:
    """A path below the data root as the database keeps it."""
    if path is None:
        return None
    whole = Path(path)
    return (whole.relative_to(root()) if whole.is_absolute() else whole).as_posix()


def absolute(path: str) -> Path:
    """A path of the database on this machine."""
    return root() / path
