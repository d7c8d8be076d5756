"""The server as it is served: uvicorn on a free port, and the client that talks to it."""

import socket
import threading

import httpx
import pytest
from django.db.backends.base.base import BaseDatabaseWrapper
from live import running_server
from nights import many

from marclient import (
    BadRequest,
    Client,
    Conflict,
    NotAllowed,
    NotFound,
    NotLoggedIn,
    Throttled,
    Unreachable,
)
from marserver.api.envelope import encoded
from marserver.jobs import queue

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def live(root, settings):
    """The URL of a server that runs in a thread of this process."""
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    with running_server() as url:
        yield url


@pytest.fixture
def alices(live, alice):
    with Client(live) as client:
        client.login("alice", "alice-password")
        yield client


def test_a_scan_is_asked_for_and_seen_in_the_queue(alices, root):
    (root / "raw").mkdir()
    asked = alices.call("scan_folder", path="raw")
    waiting = alices.call("get_queue").msg
    assert [job["id"] for job in waiting] == [asked.values["job"]]
    assert waiting[0]["block"] == "raw"
    assert waiting[0]["user"] == "alice"
    with pytest.raises(Conflict, match="already queued"):
        alices.call("scan_folder", path="raw")


def test_the_client_follows_an_operation_to_its_end(alices, root):
    job = alices.call("scan_folder", path="").values["job"]
    looks = alices.wait(job, every_s=0.01)
    assert next(looks).state == "waiting"
    claimed = queue.claim("test")
    queue.note(claimed, "reading", 3, 12)
    seen = next(looks)
    assert (seen.state, seen.step, seen.done, seen.total) == ("running", "reading", 3, 12)
    queue.finish(claimed, "failed", "failed", error="no FITS file")
    last = list(looks)[-1]
    assert last.ended
    assert last.error == "no FITS file"


def test_an_operation_that_is_not_there_is_not_waited_for(alices):
    with pytest.raises(NotFound):
        list(alices.wait(77, every_s=0.001))


def test_each_status_is_its_own_error(alices, bob, live):
    with pytest.raises(BadRequest, match="accepted types") as refused:
        alices.call("biasblock", type="x")
    assert refused.value.status == 400
    with pytest.raises(NotFound):
        alices.call("biasblock", type="validate", id=1)
    with Client(live) as nobody:
        with pytest.raises(NotLoggedIn):
            nobody.call("get_queue")
        nobody.login("bob", "bob-password")
        with pytest.raises(NotAllowed, match="operator"):
            nobody.call("biasblock", type="validate", id=1)
        nobody.logout()
        with pytest.raises(NotLoggedIn):
            nobody.call("get_queue")


def test_a_throttled_client_knows_how_long_to_wait(alice, live):
    with Client(live) as guesser:
        for _ in range(10):
            with pytest.raises(NotLoggedIn):
                guesser.login("alice", "guess")
        with pytest.raises(Throttled) as throttled:
            guesser.login("alice", "guess")
    assert 0 < throttled.value.retry_after_s <= 900


def test_no_server_is_unreachable():
    with Client("http://127.0.0.1:9") as client, pytest.raises(Unreachable):
        client.call("get_queue")


def test_many_rows_are_streamed_whole_and_in_order(alices):
    many(2500)
    rows = alices.call("individualfile", type="get", startDate="2024-03-01", endDate="2024-03-01").msg
    assert [row["file_name"] for row in rows] == [f"bias-{n:05d}" for n in range(2500)]
    assert next(iter(rows[0])) == "id"


def test_the_first_rows_are_sent_before_the_last_are_read(alices, live, monkeypatch):
    many(2500)
    arrived, batches = threading.Event(), []

    def patient(value, option):
        batches.append(len(value))
        assert sum(batches) <= 1500 or arrived.wait(20), "nothing was sent while rows were left to read"
        return encoded(value, option)

    monkeypatch.setattr("marserver.api.streams.encoded", patient)
    body = {"type": "get", "startDate": "2024-03-01", "endDate": "2024-03-01"}
    headers = {"Authorization": f"Bearer {alices.token}"}
    with httpx.stream("POST", f"{live}reduction/individualfile", json=body, headers=headers) as response:
        parts = response.iter_raw()
        assert next(parts).startswith(b'{"status":true,"msg":[{"id":')
        arrived.set()
        assert b"".join(parts).endswith(b"}]}")
    assert sum(batches) == 2500


def test_a_client_that_goes_away_leaves_the_server_well(alices, live):
    many(2500)
    body = {"type": "get", "startDate": "2024-03-01", "endDate": "2024-03-01"}
    headers = {"Authorization": f"Bearer {alices.token}"}
    for _ in range(3):
        with httpx.stream("POST", f"{live}reduction/individualfile", json=body, headers=headers) as response:
            next(response.iter_raw())
    assert alices.call("get_queue").msg == []


def test_a_large_file_is_served_in_ranges(alices, live, root):
    (root / "big.fits").write_bytes(bytes(range(256)) * 8192)
    headers = {"Authorization": f"Bearer {alices.token}"}
    whole = httpx.get(f"{live}media/big.fits", headers=headers)
    assert len(whole.content) == 2 * 1024 * 1024
    part = httpx.get(f"{live}media/big.fits", headers={**headers, "Range": "bytes=1048570-1048579"})
    assert part.status_code == 206
    assert part.content == whole.content[1048570:1048580]


def test_a_style_sheet_is_served(live):
    assert "font" in httpx.get(f"{live}static/web/base.css").text


@pytest.mark.parametrize("announced", [True, False])
def test_a_huge_body_is_refused_before_it_is_read(live, announced):
    size = 8 * 1024 * 1024
    content = b" " * size if announced else (b" " * 65536 for _ in range(size // 65536))
    response = httpx.post(f"{live}reduction/auth/login", content=content)
    assert response.status_code == 413
    assert response.json()["status"] is False


def test_requests_beside_each_other_all_get_their_answers(alices, live):
    headers = {"Authorization": f"Bearer {alices.token}"}
    statuses = []

    def ask():
        with httpx.Client(headers=headers) as one:
            statuses.extend(one.post(f"{live}reduction/get_queue", json={}).status_code for _ in range(5))

    threads = [threading.Thread(target=ask) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 50


def test_the_next_request_finds_the_connection_of_the_last_one(alices, monkeypatch):
    opened = []

    def counted(self, *arguments):
        opened.append(self.alias)
        return connect(self, *arguments)

    connect = BaseDatabaseWrapper.connect
    monkeypatch.setattr(BaseDatabaseWrapper, "connect", counted)
    for _ in range(10):
        alices.call("get_queue")
    assert len(opened) <= 2


def test_an_answer_does_not_wait_for_the_client_to_confirm_its_head(live, monkeypatch):
    from marserver.protocol import PatientProtocol

    options = []
    made = PatientProtocol.connection_made

    def noted(self, transport):
        made(self, transport)
        raw = transport.get_extra_info("socket")
        options.append(raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    monkeypatch.setattr(PatientProtocol, "connection_made", noted)
    httpx.post(f"{live}reduction/get_queue")
    assert options == [1]
