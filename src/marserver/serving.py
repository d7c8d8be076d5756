"""The HTTP server: uvicorn on a socket that is bound before anything else is started."""

import signal
import socket

from mar.errors import BadConfig

DRAIN_S = 10  # how long answers that are being sent may go on when the server ends


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises BadConfig."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=1024)
    except (OSError, OverflowError) as error:
        raise BadConfig(
            f"cannot listen on {host}:{port}: {error}; choose another --port or --host"
        ) from error


def address_of(listening: socket.socket) -> str:
    """The URL at which the server answers."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def serve(listening: socket.socket) -> None:
    """Answer requests until SIGINT or SIGTERM; needs Django to be set up."""
    import uvicorn

    config = uvicorn.Config(
        "marserver.asgi:application",
        lifespan="off",
        ws="none",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=DRAIN_S,
    )
    # uvicorn raises the signal that ended it once more; by then there is nothing left to interrupt
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, frame: None)
    uvicorn.Server(config).run(sockets=[listening])
