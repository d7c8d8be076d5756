"""The library's commands; they need no server."""

import typer

from mar.cli import camera, config
from mar.refcat.cli import app as refcat

app = typer.Typer()
app.add_typer(camera.app, name="camera")
app.add_typer(config.app, name="config")
app.add_typer(refcat, name="refcat")
