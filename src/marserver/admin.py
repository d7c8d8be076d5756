"""`mar admin`: what the administrator of an installation does from the command line."""

import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="For the administrator of an installation.")


@app.command("query-role")
def query_role(
    role: Annotated[str, typer.Option(help="Name of the role.")] = "mar_query",
    password_stdin: Annotated[
        bool,
        typer.Option("--password-stdin", help="Read the role's password from one line of standard input."),
    ] = False,
) -> None:
    """Print the SQL that sets rawQuery up on PostgreSQL: its role, schema and views."""
    from marserver.root import set_up_django

    set_up_django()
    from marserver.sandbox.guide import guide

    typer.echo(guide(role, first_line() if password_stdin else ""), nl=False)


@app.command()
def fill(
    rows: Annotated[int, typer.Option(min=1, help="How many individualfiles.")] = 1_000_000,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same rows.")] = 1,
    add: Annotated[bool, typer.Option("--add", help="Beside the frames that are there.")] = False,
    root: Annotated[
        Path | None,
        typer.Option(help="Data root; default MAR_ROOT, or the working folder if it is one."),
    ] = None,
) -> None:
    """Fill the archive with test data that look like a survey's; no file is made."""
    from marserver.root import choose_root, prepare

    prepare(choose_root(root))
    from mar.cli.watch import watched
    from marserver.filling import fill as write

    with watched("fill") as progress:
        write(rows, seed, add, progress)
    typer.echo(f"{rows} individualfiles written, with blocks, products and tiles (seed {seed})")


def first_line() -> str:
    """The password on standard input."""
    password = sys.stdin.readline().removesuffix("\n").removesuffix("\r")
    if not password or not password.isascii() or not password.isprintable():
        raise typer.BadParameter(
            "the first line must be a password of ASCII characters", param_hint="--password-stdin"
        )
    return password
