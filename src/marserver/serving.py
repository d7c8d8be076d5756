"""The HTTP server: uvicorn on a socket that is bound before anything else is started."""

import resource
import signal
import socket
from collections.abc import Callable
from typing import Any

from mar.errors import BadConfig

KEEP_ALIVE_S = 65  # idle connections cost nothing; longer than the minute after which proxies let go
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


def config() -> Any:
    """How uvicorn serves: its own speaker of HTTP with our limits, no log of requests."""
    import uvicorn

    from marserver.protocol import PatientProtocol

    return uvicorn.Config(
        "marserver.asgi:new_application",
        factory=True,
        http=PatientProtocol,
        loop="asyncio",  # uvloop gained nothing here, and waits for ever to close when a client does not read
        lifespan="off",
        ws="none",
        log_level="error",  # requests that nobody can read are the client's business
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=DRAIN_S,
    )


def serve(listening: socket.socket) -> None:
    """Answer requests until SIGINT or SIGTERM; needs Django to be set up."""
    import uvicorn

    # uvicorn raises the signal that ended it once more; by then there is nothing left to interrupt
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, frame: None)
    allow_many_connections()
    server = uvicorn.Server(config())
    server.handle_exit = leaving_with(server.handle_exit)
    server.run(sockets=[listening])


def leaving_with(end: Callable[..., None]) -> Callable[..., None]:
    """What ends the server, and first lets go of those who follow the log: they would be waited for."""
    from marserver.sending import leaving

    def leave(number: int, frame: Any) -> None:
        leaving.set()
        end(number, frame)

    return leave


def allow_many_connections() -> None:
    """Raise the number of open files to what the system lets this process have."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
