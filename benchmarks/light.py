"""A client that costs next to nothing: raw sockets, one thread, so that a benchmark measures the server."""

import json
import selectors
import socket
import statistics
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

END = b"\r\n\r\n"


def post(endpoint: str, token: str = "", **body: Any) -> bytes:
    """The bytes of a request."""
    content = json.dumps(body).encode()
    lines = [f"POST /reduction/{endpoint} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json"]
    lines += [f"Authorization: Bearer {token}"] if token else []
    return "\r\n".join([*lines, f"Content-Length: {len(content)}", "", ""]).encode() + content


def get(path: str, cookies: str, part: bool = False) -> bytes:
    """The bytes of a browser's request for a page, or for a part of one that its script fetches."""
    lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", f"Cookie: {cookies}"]
    return "\r\n".join([*lines, *(["HX-Request: true"] if part else []), "", ""]).encode()


@dataclass(frozen=True)
class Reply:
    """What came back, and when (seconds after the request was sent)."""

    status: int
    content: bytes
    first_s: float
    last_s: float

    @property
    def msg(self) -> Any:
        """The `msg` of the envelope."""
        return json.loads(self.content)["msg"]


class Line:
    """One connection that stays open, one question after another."""

    def __init__(self, url: str, timeout_s: float = 600) -> None:
        place = urlsplit(url)
        self.raw = socket.create_connection((place.hostname, place.port), timeout_s)
        self.raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, request: bytes, keep: bool = True) -> Reply:
        """Send a request and read the whole answer; `keep` its content or only count the time."""
        began = time.perf_counter()
        self.raw.sendall(request)
        received = bytearray(self.raw.recv(1 << 18))
        first_s = time.perf_counter() - began
        end = received.find(END)
        while end < 0:
            received += self.more()
            end = received.find(END)
        head = bytes(received[: end + 2]).lower()
        del received[: end + 4]
        if b"\r\ncontent-length:" in head:
            self.read_length(received, int(head.partition(b"\r\ncontent-length:")[2].split()[0]))
            content = bytes(received)
        elif b"\r\ntransfer-encoding:" in head:
            content = self.read_chunks(received, keep)
        else:
            content = b""
        return Reply(int(head[9:12]), content, first_s, time.perf_counter() - began)

    def read_length(self, received: bytearray, length: int) -> None:
        """Read on until there are so many bytes."""
        while len(received) < length:
            received += self.more()

    def read_chunks(self, received: bytearray, keep: bool) -> bytes:
        """The chunks of an answer put together."""
        parts = []
        while True:
            while (line := received.find(b"\r\n")) < 0:
                received += self.more()
            size = int(received[:line], 16)
            self.read_length(received, line + size + 4)
            if keep:
                parts.append(bytes(received[line + 2 : line + 2 + size]))
            del received[: line + size + 4]
            if size == 0:
                return b"".join(parts)

    def more(self) -> bytes:
        """The next bytes; ConnectionError where the server has ended the connection."""
        piece = self.raw.recv(1 << 18)
        if not piece:
            raise ConnectionError("the server ended the connection in the middle of an answer")
        return piece

    def close(self) -> None:
        """Hang up."""
        self.raw.close()


@dataclass
class Latencies:
    """How long answers took, from the moment when their request was due."""

    seconds: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    wall_s: float = 0.0

    @property
    def rate(self) -> float:
        """Answers per second."""
        return len(self.seconds) / self.wall_s if self.wall_s else 0.0

    @property
    def median_ms(self) -> float:
        """Half of the answers took less."""
        return statistics.median(self.seconds) * 1e3

    @property
    def p95_ms(self) -> float:
        """95 of 100 answers took less."""
        return sorted(self.seconds)[int(len(self.seconds) * 0.95)] * 1e3

    @property
    def failures(self) -> int:
        """Answers with a status of 500 or more."""
        return sum(count for status, count in self.statuses.items() if status >= 500)


def paced(url: str, requests: Sequence[bytes], rate: float, clients: int, seconds: float) -> Latencies:
    """Send requests at a steady rate over so many connections, whether or not earlier ones are answered."""
    lines = [Line(url) for _ in range(clients)]
    found = Pace(lines, requests, rate, seconds).run()
    for line in lines:
        line.close()
    return found


class Pace:
    """A steady rate of short questions whose answers say how long they are."""

    def __init__(self, lines: Sequence[Line], requests: Sequence[bytes], rate: float, seconds: float) -> None:
        self.selector = selectors.DefaultSelector()
        self.free = deque(line.raw for line in lines)
        for raw in self.free:
            self.selector.register(raw, selectors.EVENT_READ)
        self.requests, self.rate = requests, rate
        self.left = int(rate * seconds)
        self.due: dict[socket.socket, float] = {}
        self.received: dict[socket.socket, bytes] = {}
        self.found = Latencies()

    def run(self) -> Latencies:
        """Ask until all is asked and answered."""
        began, sent = time.perf_counter(), 0
        while sent < self.left or self.due:
            now = time.perf_counter()
            while sent < self.left and self.free and began + sent / self.rate <= now:
                self.send(self.requests[sent % len(self.requests)], began + sent / self.rate)
                sent += 1
            wait = began + sent / self.rate - time.perf_counter() if sent < self.left and self.free else 0.05
            for key, _ in self.selector.select(max(wait, 0)):
                self.receive(key.fileobj)  # type: ignore[arg-type]
        self.found.wall_s = time.perf_counter() - began
        return self.found

    def send(self, request: bytes, due: float) -> None:
        """One question on a free line."""
        raw = self.free.popleft()
        self.due[raw], self.received[raw] = due, b""
        raw.sendall(request)

    def receive(self, raw: socket.socket) -> None:
        """What has come; a whole answer is counted."""
        piece = raw.recv(1 << 18)
        if not piece:
            raise ConnectionError("the server ended a connection")
        self.received[raw] += piece
        head, _, content = self.received[raw].partition(END)
        length = head.lower().partition(b"content-length:")[2].split()[:1]
        if not length or len(content) < int(length[0]):
            return
        self.found.seconds.append(time.perf_counter() - self.due.pop(raw))
        status = int(head[9:12])
        self.found.statuses[status] = self.found.statuses.get(status, 0) + 1
        self.free.append(raw)
