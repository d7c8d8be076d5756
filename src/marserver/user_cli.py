"""`mar user`: the accounts of the server. Django is imported inside the commands only."""

import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Accounts of the server.")

Root = Annotated[
    Path | None, typer.Option(help="Data root; default MAR_ROOT, or the working folder if it is one.")
]
Name = Annotated[str, typer.Argument(help="Name of the account.")]
FromStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from one line of standard input.")
]


class RoleName(StrEnum):
    """What an account may do."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMINISTRATOR = "administrator"


RoleOption = Annotated[RoleName, typer.Option("--role", help="What the account may do.")]


@app.command("add")
def add_user(name: Name, role: RoleOption, password_stdin: FromStdin = False, root: Root = None) -> None:
    """Add an account; the password is asked for, or read from standard input."""
    from marserver.root import choose_root, prepare

    prepare(choose_root(root))
    from marserver.accounts.logins import add_account

    refused(lambda: add_account(name, read_password(password_stdin), role.value))
    typer.echo(f"{name} may log in as {role.value}")


@app.command("password")
def set_password(name: Name, password_stdin: FromStdin = False, root: Root = None) -> None:
    """Give an account another password; all its logins end."""
    from marserver.root import choose_root, prepare

    prepare(choose_root(root))
    from marserver.accounts.logins import change_password

    refused(lambda: change_password(name, read_password(password_stdin)))
    typer.echo(f"{name} has another password")


@app.command("list")
def list_users(root: Root = None) -> None:
    """List the accounts and their roles."""
    from marserver.root import choose_root, prepare

    prepare(choose_root(root))
    from marserver.accounts.models import User

    for user in User.objects.order_by("username"):
        typer.echo(f"{user.username} {user.role}" + ("" if user.is_active else " (may not log in)"))


def refused(change: Callable[[], object]) -> None:
    """Carry out a change; what the server refuses becomes a sentence and exit code 2."""
    from mar.errors import MarError
    from marserver.errors import Refused

    try:
        change()
    except Refused as error:
        raise MarError(str(error)) from None


def read_password(from_stdin: bool) -> str:
    """One line without its newline; never a default."""
    if not from_stdin:
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    password = sys.stdin.readline().removesuffix("\n").removesuffix("\r")
    if not password:
        raise typer.BadParameter("standard input holds no password", param_hint="--password-stdin")
    return password
