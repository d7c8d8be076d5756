"""`mar admin`: what the administrator of an installation does from the command line."""

import typer

app = typer.Typer(no_args_is_help=True, help="For the administrator of an installation.")
