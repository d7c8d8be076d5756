"""The commands of the client: login and call."""

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:  # imported by the commands that need it: the others start faster
    from marclient import Client

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)

URL = "http://127.0.0.1:8002"


@app.command()
def login(
    url: Annotated[str, typer.Argument(help="Address of the server.")] = URL,
    user: Annotated[str, typer.Option(help="Name; asked for where it is not given.")] = "",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from one line of standard input.")
    ] = False,
) -> None:
    """Log in and keep the token for `mar call`."""
    from marclient import Client, ServerError

    name = user or typer.prompt("Name")
    password = read_password(password_stdin)
    with Client(url) as client:
        try:
            client.login(name, password)
        except ServerError as error:
            raise stop(str(error)) from None
        keep(url, client.token or "")
    typer.echo(f"logged in at {url} as {name}")


@app.command()
def call(
    endpoint: Annotated[str, typer.Argument(help="Path below /reduction/, like biasblock.")],
    parameters: Annotated[list[str] | None, typer.Argument(help="type=get id=1 ...")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Follow the operation that it queues.")] = False,
) -> None:
    """Call an endpoint and print what the server answers as JSON."""
    from marclient import Client, ServerError

    kept = kept_login()
    with Client(kept["url"], kept["token"]) as client:
        try:
            answer = client.ask(endpoint, dict(pair(word) for word in parameters or []))
            typer.echo(json.dumps(answer, indent=2, ensure_ascii=False))
            if wait and "job" in answer:
                follow(client, int(answer["job"]))
        except ServerError as error:
            raise stop(str(error)) from None


def follow(client: "Client", job: int) -> None:
    """Show an operation until it ends; exit code 1 where it failed."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task(f"operation {job}", total=None)
        for seen in client.wait(job):
            if seen.state == "running":
                words = " ".join(word for word in (f"operation {job}:", seen.step, seen.band) if word)
                progress.update(task, description=words, completed=seen.done, total=seen.total or None)
    if seen.error:
        raise stop(f"operation {job}: {seen.error}")
    typer.echo(f"operation {job}: {seen.outcome}", err=True)


def read_password(from_stdin: bool) -> str:
    """The password: asked for, or one line without its newline."""
    if from_stdin:
        return sys.stdin.readline().removesuffix("\n").removesuffix("\r")
    return str(typer.prompt("Password", hide_input=True))


def pair(word: str) -> tuple[str, str]:
    """`name=value` taken apart; the server reads numbers from text."""
    name, found, value = word.partition("=")
    if not found or not name:
        raise typer.BadParameter(f"{word!r} is not name=value")
    return name, value


def login_file() -> Path:
    """Where the token is kept: a file of this user only."""
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "mar" / "login.json"


def keep(url: str, token: str) -> None:
    """Write the login down, readable by this user only."""
    path = login_file()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump({"url": url, "token": token}, file)
    fresh.replace(path)


def kept_login() -> dict[str, Any]:
    """The login of `mar login`."""
    try:
        return dict(json.loads(login_file().read_text()))
    except (OSError, ValueError):
        raise stop("log in first: mar login URL") from None


def stop(sentence: str) -> typer.Exit:
    """Say what is wrong; the command ends with exit code 1."""
    typer.secho(f"mar: {sentence}", fg="red", err=True)
    return typer.Exit(1)
