"""Clients that are slow on purpose: they send half a request, byte by byte, or do not read the answer."""

import time

import pytest
from live import answer_of, connect, request, running_server, wait_until
from nights import many

from marclient import Client
from marserver import handler, protocol, threads
from marserver.api import limits

pytestmark = pytest.mark.django_db(transaction=True)
DAY = {"startDate": "2024-03-01", "endDate": "2024-03-01"}


@pytest.fixture
def live(root, settings):
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    with running_server(send_buffer=16384) as url:
        yield url


@pytest.fixture
def alices(live, alice):
    with Client(live) as client:
        client.login("alice", "alice-password")
        yield client


def test_headers_that_come_too_slowly_are_refused(live, monkeypatch):
    monkeypatch.setattr(protocol, "HEADERS_S", 0.3)
    with connect(live) as slow:
        slow.sendall(b"POST /reduction/get_queue HTTP/1.1\r\nX-Slow: ")
        began = time.monotonic()
        while time.monotonic() - began < 0.25:
            slow.sendall(b"x")
            time.sleep(0.02)
        status, content = answer_of(slow)
        assert (status, content["status"]) == (408, False)
        assert slow.recv(1) == b""


def test_headers_of_a_later_request_have_the_same_time(live, monkeypatch):
    monkeypatch.setattr(protocol, "HEADERS_S", 0.3)
    with connect(live) as slow:
        slow.sendall(request("get_queue"))
        assert answer_of(slow)[0] == 401
        slow.sendall(b"POST /reduction/get_que")
        assert answer_of(slow)[0] == 408


def test_a_body_that_comes_byte_by_byte_is_refused(live, monkeypatch):
    monkeypatch.setattr(limits, "BODY_S", 0.3)
    with connect(live) as slow:
        slow.sendall(
            b"POST /reduction/auth/login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 500\r\n\r\n{"
        )
        for _ in range(5):
            slow.sendall(b" ")
            time.sleep(0.04)
        status, content = answer_of(slow)
        assert status == 408
        assert "body" in content["msg"]
        assert slow.recv(1) == b""


def test_slow_bodies_hold_no_turn(alices, live):
    half = b"POST /reduction/auth/login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 500\r\n\r\n{"
    slow = [connect(live) for _ in range(2 * handler.MOST_REQUESTS)]
    for one in slow:
        one.sendall(half)
    assert alices.call("get_queue").msg == []
    for one in slow:
        one.close()


def test_two_hundred_idle_connections_stop_nobody(alices, live):
    idle = [connect(live) for _ in range(200)]
    assert alices.call("get_queue").msg == []
    for one in idle:
        one.close()


@pytest.mark.parametrize(
    "head",
    [
        b"POST /reduction/get_queue HTTP/1.1\r\nX-Long: " + b"x" * 400_000,
        b"POST /reduction/get_queue HTTP/1.1\r\n" + b"X-Many: 1\r\n" * 40_000,
    ],
    ids=["one long header", "many headers"],
)
def test_headers_without_end_are_refused(live, head):
    with connect(live) as greedy:
        try:
            for start in range(0, len(head), 20_000):
                greedy.sendall(head[start : start + 20_000])
                time.sleep(0.01)
        except (BrokenPipeError, ConnectionResetError):
            return  # refused while it was still being sent
        status, content = answer_of(greedy)
        assert (status, content["status"]) == (400, False)


@pytest.mark.parametrize(
    "sent", [b"\x16\x03\x01\x00\xa5\x01\x00", b"GET / FTP/9\r\n\r\n", b"G\x00T / HTTP/1.1\r\n\r\n"]
)
def test_what_is_no_http_is_refused_in_the_envelope(live, sent):
    with connect(live) as raw:
        raw.sendall(sent)
        status, content = answer_of(raw)
        assert (status, content) == (400, {"status": False, "msg": protocol.UNREADABLE})


def test_an_address_that_is_no_text_is_refused_in_the_envelope(live):
    with connect(live) as raw:
        raw.sendall(b"GET /reduction/docs?x=\xff\xfe HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        status, content = answer_of(raw)
        assert (status, content["status"]) == (400, False)


def test_a_chunked_body_without_length_is_refused_when_it_is_too_large(live):
    with connect(live) as raw:
        raw.sendall(b"POST /reduction/auth/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        piece = b"10000\r\n" + b" " * 65536 + b"\r\n"
        for _ in range(20):
            raw.sendall(piece)
        raw.sendall(b"0\r\n\r\n")
        assert answer_of(raw)[0] == 413


def closed_queries(monkeypatch) -> list[str]:
    """Grows by one with each long answer whose query has ended."""
    from marserver.api.streams import RowsAsJson

    ended: list[str] = []
    close = RowsAsJson.close

    def noted(self):
        close(self)
        ended.append("ended")

    monkeypatch.setattr(RowsAsJson, "close", noted)
    return ended


def test_a_client_that_never_reads_is_cut_off_and_its_query_ends(alices, live, monkeypatch):
    many(3_000, comments="x" * 300)
    monkeypatch.setattr(protocol, "STALL_S", 0.5)
    ended = closed_queries(monkeypatch)
    with connect(live, read_buffer=4096) as deaf:
        deaf.sendall(request("individualfile", alices.token, type="get", **DAY))
        wait_until(lambda: ended)
        assert alices.call("get_queue").msg == []


def test_a_client_that_leaves_ends_its_query(alices, live, monkeypatch):
    many(3_000, comments="x" * 300)
    ended = closed_queries(monkeypatch)
    with connect(live, read_buffer=4096) as leaver:
        leaver.sendall(request("individualfile", alices.token, type="get", **DAY))
        assert leaver.recv(1000).startswith(b"HTTP/1.1 200")
    wait_until(lambda: ended)


def test_too_many_long_answers_at_once_are_refused(alices, live, monkeypatch):
    many(3_000, comments="x" * 300)
    monkeypatch.setattr(handler, "MOST_STREAMS", 2)
    asked = request("individualfile", alices.token, type="get", **DAY)
    reading = [connect(live, read_buffer=4096) for _ in range(2)]
    for one in reading:
        one.sendall(asked)
        assert one.recv(1000).startswith(b"HTTP/1.1 200")
    with connect(live) as third:
        third.sendall(asked)
        status, content = answer_of(third)
    assert (status, content) == (429, {"status": False, "msg": handler.BUSY})
    assert alices.call("get_queue").msg == []
    for one in reading:
        one.close()
    wait_until(lambda: len(threads.free) >= 2)
    assert len(alices.call("individualfile", type="get", **DAY).msg) == 3_000


def test_long_headers_that_come_at_once_are_refused_and_a_long_body_is_not(live):
    with connect(live) as raw:
        raw.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: " + b"x" * 100_000 + b"\r\n\r\n")
        status, answer = answer_of(raw)
    assert status == 400
    assert "64 KB" in answer["msg"]
    with connect(live) as raw:
        raw.sendall(request("auth/login", username="alice", password="x" * 200_000))
        status, answer = answer_of(raw)
    assert status == 400
    assert "password" in answer["msg"]
