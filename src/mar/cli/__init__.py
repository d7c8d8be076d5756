"""The library's commands; they need no server."""

import typer

from mar.cli import camera, config, masters, refcat, science
from mar.cli.inspect import inspect_command
from mar.cli.simulate import simulate_command
from mar.cli.solve import solve_command, together_command

app = typer.Typer()
app.add_typer(masters.app)
app.add_typer(science.app)
app.command("simulate")(simulate_command)
app.command("solve")(solve_command)
app.command("together")(together_command)
app.command("inspect")(inspect_command)
app.add_typer(camera.app, name="camera")
app.add_typer(config.app, name="config")
app.add_typer(refcat.app, name="refcat")
