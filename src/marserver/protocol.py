"""HTTP/1.1 on a connection: uvicorn's, with limits of time and size for clients that are slow on purpose.

A client has HEADERS_S seconds for the lines before the body, limits.py times the body, and whoever does not
read what was sent to him within STALL_S seconds is cut off, which also ends the query behind a long answer.
"""

import socket
from asyncio import TimerHandle
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from marserver.api.envelope import encoded

HEADERS_S = 20.0
STALL_S = 60.0
LEAVE_S = 8.0  # for answers that are being sent when the server ends; less than serving.DRAIN_S
MOST_HEADER_BYTES = 64 * 1024
TOO_LATE = f"the request did not come within {HEADERS_S:.0f} seconds"
TOO_LARGE = f"address and headers are longer than {MOST_HEADER_BYTES // 1024} KB"
UNREADABLE = "this is no HTTP request"


class PatientProtocol(HttpToolsProtocol):
    """Patient, but not for ever."""

    deadline: TimerHandle | None = None  # for the headers of the next request
    stalled: TimerHandle | None = None  # for what was sent and not read
    header_bytes = 0

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        # asyncio leaves this out for a socket bound before: head and body of an answer are two packets,
        # and the second would wait until the client has confirmed the first, 40 ms
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.await_headers()

    def data_received(self, data: bytes) -> None:
        if self.deadline is None and (self.cycle is None or self.cycle.response_complete):
            self.await_headers()
        if self.deadline is not None:
            end = data.find(b"\r\n\r\n")
            self.header_bytes += len(data) if end < 0 else end
        if self.header_bytes > MOST_HEADER_BYTES:
            self.refuse(400, TOO_LARGE)
            return
        super().data_received(data)

    def await_headers(self) -> None:
        """Give the client so long for the headers of its next request."""
        self.header_bytes = 0
        self.deadline = self.loop.call_later(HEADERS_S, lambda: self.refuse(408, TOO_LATE))

    def on_headers_complete(self) -> None:
        stop(self.deadline)
        self.deadline, self.header_bytes = None, 0
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        self.refuse(400, UNREADABLE)

    def refuse(self, status: int, sentence: str) -> None:
        """An error in the envelope, written past the application, and the end of the connection."""
        if self.transport.is_closing():
            return
        content = encoded({"status": False, "msg": sentence})
        words = f"HTTP/1.1 {status} {PHRASES[status]}\r\ncontent-type: application/json\r\n"
        words += f"content-length: {len(content)}\r\nconnection: close\r\n\r\n"
        self.transport.write(words.encode() + content)
        self.transport.close()

    def pause_writing(self) -> None:
        super().pause_writing()
        self.stalled = self.loop.call_later(STALL_S, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        stop(self.stalled)

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        # Closing waits for what is unread; not for ever
        stop(self.stalled)
        self.stalled = self.loop.call_later(STALL_S, self.transport.abort)

    def shutdown(self) -> None:
        super().shutdown()
        # The event loop cannot be closed while it waits for a client that does not read
        stop(self.stalled)
        self.stalled = self.loop.call_later(LEAVE_S, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        stop(self.deadline)
        stop(self.stalled)
        super().connection_lost(exc)


PHRASES = {400: "Bad Request", 408: "Request Timeout"}


def stop(timer: TimerHandle | None) -> None:
    """Call off what was to happen later."""
    if timer is not None:
        timer.cancel()
