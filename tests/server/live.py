"""A server that runs in a thread of the test's process, and raw connections to it."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import uvicorn
from django.db import connection

from marserver.serving import address_of, bind, config
from marserver.threads import end_threads


@contextmanager
def running_server(send_buffer: int = 0) -> Iterator[str]:
    """The URL of a server on this process's database; it ends with the block.

    With a small buffer the system takes little of what a client does not read.
    """
    listening = bind("127.0.0.1", 0)
    if send_buffer:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
    server = uvicorn.Server(config())
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield address_of(listening)
    finally:
        server.should_exit = True
        thread.join()
        end_threads()
        listening.close()


def connect(url: str, read_buffer: int = 0) -> socket.socket:
    """A connection to the server; with a small buffer for what it sends, if so wanted."""
    place = urlsplit(url)
    raw = socket.socket()
    if read_buffer:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, read_buffer)
    raw.settimeout(30)
    raw.connect((place.hostname, place.port))
    return raw


def request(endpoint: str, token: str = "", **body) -> bytes:
    """The bytes of a POST."""
    content = json.dumps(body).encode()
    lines = [f"POST /reduction/{endpoint} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(content)}"]
    lines += [f"Authorization: Bearer {token}"] if token else []
    return "\r\n".join([*lines, "", ""]).encode() + content


def answer_of(raw: socket.socket) -> tuple[int, dict]:
    """Status and content of the next answer, which says how long it is."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += raw.recv(65536)
    head, _, content = received.partition(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
    )
    while len(content) < length:
        content += raw.recv(65536)
    return int(head.split()[1]), json.loads(content)


def in_background(function: Callable[[], object]) -> threading.Thread:
    """A thread that runs this, and lets go of its connection to the database at the end."""

    def run() -> None:
        try:
            function()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def wait_until(true: Callable[[], object], seconds: float = 20.0) -> None:
    """Come back when it is true. Raises AssertionError where it does not become so."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
