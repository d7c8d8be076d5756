"""`mar user`: the accounts of the server. Django is imported inside the commands only."""

import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeVar

import typer

app = typer.Typer(no_args_is_help=True, help="Accounts of the server.")

Answer = TypeVar("Answer")
ASKED_BY = "command line"  # in the audit; no account can have a name with a blank

Root = Annotated[
    Path | None, typer.Option(help="Data root; default MAR_ROOT, or the working folder if it is one.")
]
Name = Annotated[str, typer.Argument(help="Name of the account.")]
Email = Annotated[str, typer.Option(help="Address of the user.")]
FromStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from one line of standard input.")
]


class RoleName(StrEnum):
    """What an account may do."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMINISTRATOR = "administrator"


RoleOption = Annotated[RoleName, typer.Option("--role", help="What the account may do.")]
RoleArgument = Annotated[RoleName, typer.Argument(help="What the account may do.")]


@app.command("add")
def add_user(
    name: Name, role: RoleOption, email: Email = "", password_stdin: FromStdin = False, root: Root = None
) -> None:
    """Add an account; the password is asked for, or read from standard input."""
    enter(root)
    from marserver.accounts.models import Role
    from marserver.accounts.people import add_account

    password = read_password(password_stdin)
    refused(lambda: add_account(name, email, password, Role(role.value), asked_by=ASKED_BY))
    typer.echo(f"{name} may log in as {role.value}")


@app.command("password")
def change_password(name: Name, password_stdin: FromStdin = False, root: Root = None) -> None:
    """Give an account another password; all its logins end."""
    enter(root)
    from marserver.accounts.people import find_user, set_password

    user = refused(lambda: find_user(name))
    password = read_password(password_stdin)
    refused(lambda: set_password(user, password, asked_by=ASKED_BY))
    typer.echo(f"{name} has another password")


@app.command("role")
def change_role(name: Name, role: RoleArgument, root: Root = None) -> None:
    """Give an account another role; the last active administrator keeps theirs."""
    enter(root)
    from marserver.accounts.models import Role
    from marserver.accounts.people import set_role

    refused(lambda: set_role(name, Role(role.value), asked_by=ASKED_BY))
    typer.echo(f"{name} is {role.value}")


@app.command()
def disable(name: Name, root: Root = None) -> None:
    """Close an account: it may not log in, and its logins end."""
    change_active(name, False, root)
    typer.echo(f"{name} may not log in any more")


@app.command()
def enable(name: Name, root: Root = None) -> None:
    """Open a closed account again."""
    change_active(name, True, root)
    typer.echo(f"{name} may log in")


def change_active(name: str, active: bool, root: Path | None) -> None:
    """Close or open an account."""
    enter(root)
    from marserver.accounts.people import set_active

    refused(lambda: set_active(name, active, asked_by=ASKED_BY))


@app.command("list")
def list_users(root: Root = None) -> None:
    """List the accounts and their roles."""
    enter(root)
    from marserver.accounts.models import User

    for user in User.objects.order_by("username"):
        typer.echo(f"{user.username} {user.role}" + ("" if user.is_active else " (may not log in)"))


def enter(root: Path | None) -> None:
    """Choose the data root and prepare it."""
    from marserver.root import choose_root, prepare

    prepare(choose_root(root))


def refused(change: Callable[[], Answer]) -> Answer:
    """Carry out a change; what the server refuses becomes a sentence and exit code 2."""
    from mar.errors import MarError
    from marserver.errors import Refused

    try:
        return change()
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
