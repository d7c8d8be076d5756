"""The commands of the server: up, serve, worker, openapi, and groups. Django is imported inside them only."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from marserver import admin, user_cli

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
app.add_typer(user_cli.app, name="user")
app.add_typer(admin.app, name="admin")

Root = Annotated[
    Path | None, typer.Option(help="Data root; default MAR_ROOT, or the working folder if it is one.")
]
Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.", min=0, max=65535)]


@app.command()
def up(root: Root = None, host: Host = "127.0.0.1", port: Port = 8002) -> None:
    """Start the API, the worker and its engine in one go; Ctrl-C ends them all."""
    run_server(root, host, port, with_worker=True)


@app.command()
def serve(root: Root = None, host: Host = "127.0.0.1", port: Port = 8002) -> None:
    """Start the API alone; `mar worker` does the work."""
    run_server(root, host, port, with_worker=False)


def run_server(root: Path | None, host: str, port: int, with_worker: bool) -> None:
    """Prepare the root, then serve until SIGINT or SIGTERM, with a worker beside it or without."""
    from marserver import serving
    from marserver.environment import check_client
    from marserver.keeper import Keeper, worker_command
    from marserver.root import choose_root, prepare

    place = choose_root(root)
    check_client()
    listening = serving.bind(host, port)
    allow_host(host)
    prepare(place)
    from marserver.jobs.presence import is_late

    typer.echo(f"MAR answers at {serving.address_of(listening)} (data root {place})")
    sys.stdout.flush()
    keeper = Keeper(worker_command(place), is_late=is_late) if with_worker else None
    if keeper is not None:
        keeper.start()
    try:
        serving.serve(listening)
    finally:
        if keeper is not None:
            keeper.stop()


def allow_host(host: str) -> None:
    """The address asked for is a name that clients may use; MAR_ALLOWED_HOSTS adds others."""
    from marserver.environment import LOCAL_HOSTS

    if "MAR_ALLOWED_HOSTS" not in os.environ and host not in ("0.0.0.0", "::"):
        os.environ["MAR_ALLOWED_HOSTS"] = f"{LOCAL_HOSTS},{f'[{host}]' if ':' in host else host}"


@app.command()
def worker(
    root: Root = None,
    with_parent: Annotated[bool, typer.Option("--with-parent", hidden=True)] = False,
) -> None:
    """Run queued operations; several workers may share one database."""
    from marserver.root import choose_root, prepare

    if with_parent:
        from marserver.keeper import leave_with_parent

        leave_with_parent()
    prepare(choose_root(root))
    from marserver.jobs.worker import main
    from marserver.reduction.tasks import TASKS

    main(TASKS)


@app.command()
def demo(
    root: Annotated[
        Path | None, typer.Option(help="Data root of the demonstration; default a new folder below this one.")
    ] = None,
    port: Port = 8002,
    once: Annotated[bool, typer.Option("--once", help="Stop the server at the end.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same night.")] = 1,
) -> None:
    """Simulate a small night of twelve bands and reduce it through the HTTP API."""
    from datetime import datetime

    from marserver.demo import Night
    from marserver.demo import demo as run_demo

    place = (root or Path(f"mar-demo-{datetime.now():%Y%m%d-%H%M%S}")).resolve()
    if place.exists() and any(place.iterdir()):
        raise typer.BadParameter(f"{place} is not empty: name a new folder", param_hint="--root")
    typer.echo(f"The demonstration goes to {place}")
    run_demo(place, port, once, Night(seed=seed))


@app.command()
def openapi() -> None:
    """Print what the server answers, as OpenAPI 3.1."""
    from marserver.root import set_up_django

    set_up_django()
    from marserver.api.openapi import schema

    typer.echo(json.dumps(schema(), indent=2))


if __name__ == "__main__":
    app()
