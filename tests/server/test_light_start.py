"""The server starts without the libraries of pixels: they come with the first work or picture."""

import os
import subprocess
import sys

HEAVY = ("numba", "scipy", "astropy", "numpy", "matplotlib", "PIL", "sep", "distributed")


def test_all_paths_are_known_without_the_libraries_of_pixels(tmp_path):
    program = (
        "import django, sys; django.setup(); import marserver.urls;"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    environment = {
        **os.environ,
        "MAR_ROOT": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "marserver.settings",
    }
    environment.pop("MAR_DATABASE_URL", None)
    said = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "[]"
