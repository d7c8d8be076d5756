"""`mar admin`: what the administrator of an installation does from the command line."""

import sys
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


def first_line() -> str:
    """The password on standard input."""
    password = sys.stdin.readline().removesuffix("\n").removesuffix("\r")
    if not password or not password.isascii() or not password.isprintable():
        raise typer.BadParameter(
            "the first line must be a password of ASCII characters", param_hint="--password-stdin"
        )
    return password
