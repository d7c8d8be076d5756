"""Following the log: every line once, in order, to the end of the operation; nobody else is held up."""

import json
import threading
import time
from itertools import islice

import httpx
import pytest
import uvicorn
from live import in_background

from marserver import sending
from marserver.accounts.tokens import create_token, end_all_logins, media_secret
from marserver.api import follow
from marserver.jobs import log, queue
from marserver.jobs.models import Level, LogLine, Status
from marserver.jobs.queue import Order
from marserver.reduction.requests.following import Tail
from marserver.serving import address_of, bind, config
from marserver.threads import end_threads

pytestmark = pytest.mark.django_db(transaction=True)
WITHIN = httpx.Timeout(10)


@pytest.fixture
def live(root, settings):
    """The URL of a server that runs in a thread of this process."""
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    listening = bind("127.0.0.1", 0)
    server = uvicorn.Server(config())
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield address_of(listening)
    sending.leaving.set()
    server.should_exit = True
    thread.join()
    end_threads()
    listening.close()
    sending.leaving.clear()


@pytest.fixture
def headers(bob):
    return {"Authorization": f"Bearer {create_token(bob)[0]}"}


def running():
    queue.enqueue(Order("count", "biasblock", "1"))
    return queue.claim("w")


def told(response):
    """The events of a stream as they come: (id, event, data)."""
    one = {}
    for line in response.iter_lines():
        if not line and one:
            yield one.get("id"), one.get("event", "message"), one.get("data")
            one = {}
        elif line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            one[name] = value


def following(live, headers, path="reduction/follow_logs", **asked):
    return httpx.stream("GET", f"{live}{path}", params=asked, headers=headers, timeout=WITHIN)


def test_an_operation_is_followed_from_its_first_line_to_its_end(live, headers):
    job = running()
    log.write(Level.INFO, "one", job)
    log.write(Level.INFO, "of another one")

    def work():
        for word in ("two", "three"):
            log.write(Level.WARN, word, job)
            time.sleep(0.7)
        queue.finish(job, Status.DONE, "counted")

    thread = in_background(work)
    with following(live, headers, operation=job.pk) as response:
        assert response.headers["Content-Type"] == "text/event-stream"
        assert response.headers["Cache-Control"] == "no-cache"
        events = list(told(response))
    thread.join()
    assert [data.split(" ", 2)[2] for _, event, data in events if event == "message"] == [
        "one",
        "two",
        "three",
    ]
    assert events[-1][1] == "end"
    assert json.loads(events[-1][2]) == {
        "operation": job.pk, "status": "done", "outcome": "counted", "error": ""
    }  # fmt: skip


def test_one_who_comes_back_misses_no_line_and_gets_none_twice(live, headers):
    job = running()
    writing = in_background(lambda: [log.write(Level.INFO, str(number), job) for number in range(200)])
    seen, last = [], ""
    while len(seen) < 200:
        again = {**headers, "Last-Event-ID": last} if last else headers
        with following(live, again, operation=job.pk) as response:
            for number, _, data in islice(told(response), min(17, 200 - len(seen))):
                seen.append(data.split(" ", 2)[2])
                last = number
    writing.join()
    assert seen == [str(number) for number in range(200)]
    queue.finish(job, Status.DONE)
    with following(live, {**headers, "Last-Event-ID": last}, operation=job.pk) as response:
        assert [event for _, event, _ in told(response)] == ["end"]


def test_the_live_log_is_followed_from_now_on(live, headers):
    log.write(Level.INFO, "before")
    with following(live, headers) as response:
        lines = response.iter_lines()
        assert next(lines) == ": following"
        log.write(Level.INFO, "after")
        log.write(Level.CRITICAL, "later")
        events = told(response_of(lines))
        assert [next(events)[2].split(" ", 2)[2] for _ in range(2)] == ["after", "later"]


class response_of:  # noqa: N801 - stands for a response whose first lines are read
    def __init__(self, lines):
        self.iter_lines = lambda: lines


def test_since_and_level_choose_lines(live, headers):
    log.write(Level.INFO, "not this")
    first = log.write(Level.CRITICAL, "this")
    with following(live, headers, since=first.time.isoformat(), level="CRITICAL") as response:
        assert next(told(response))[:3:2] == (str(first.pk), str(first))


def test_what_is_wrong_is_said_before_anything_is_sent(live, headers):
    for asked, status, words in (
        ({"operation": "x"}, 400, "operation"),
        ({"operation": "77"}, 404, "no operation 77"),
        ({"level": "LOUD"}, 400, "level"),
        ({"since": "noon"}, 400, "since"),
        ({"lines": "7"}, 400, "lines"),
    ):
        answer = httpx.get(f"{live}reduction/follow_logs", params=asked, headers=headers)
        assert answer.status_code == status, asked
        assert words in answer.json()["msg"]
    bad = httpx.get(f"{live}reduction/follow_logs", headers={**headers, "Last-Event-ID": "seven"})
    assert (bad.status_code, "Last-Event-ID" in bad.json()["msg"]) == (400, True)
    for path in ("reduction/follow_logs", "media/follow_logs"):
        assert httpx.get(f"{live}{path}").status_code == 401
        assert httpx.post(f"{live}{path}", headers=headers).status_code in (403, 405)


def test_a_browser_follows_with_the_cookie_of_media(live, bob):
    job = running()
    log.write(Level.INFO, "one", job)
    queue.finish(job, Status.DONE)
    cookie = {"Cookie": f"mar_media={media_secret(create_token(bob)[0])}"}
    with following(live, cookie, "media/follow_logs", operation=job.pk) as response:
        assert [event for _, event, _ in told(response)] == ["message", "end"]


def test_followers_hold_no_place_of_requests_and_are_limited(live, headers):
    open_ones = []
    try:
        for _ in range(follow.MOST_FOLLOWERS):
            stream = following(live, headers)
            pieces = stream.__enter__().iter_raw()
            open_ones.append((stream, pieces))
            assert next(pieces).startswith(b": following")
        full = httpx.get(f"{live}reduction/follow_logs", headers=headers)
        assert (full.status_code, full.headers["Retry-After"]) == (429, "10")
        begun = time.monotonic()
        for _ in range(20):
            assert (
                httpx.post(f"{live}reduction/get_queue", headers=headers, timeout=WITHIN).status_code == 200
            )
        assert time.monotonic() - begun < 10
    finally:
        for stream, _ in open_ones:
            stream.__exit__(None, None, None)
    until = time.monotonic() + 10
    while follow.seats.free < follow.MOST_FOLLOWERS:
        assert time.monotonic() < until, "those who are gone keep their places"
        time.sleep(0.1)


def test_the_end_of_a_login_ends_what_it_follows(live, bob, headers, monkeypatch):
    monkeypatch.setattr(follow, "BEAT_EVERY_S", 0.2)
    with following(live, headers) as response:
        lines = (line for line in response.iter_lines() if line)
        assert [next(lines), next(lines)] == [": following", ": still here"]
        end_all_logins(bob)
        assert set(lines) <= {": still here"}


def test_nobody_follows_for_ever(live, headers, monkeypatch):
    monkeypatch.setattr(follow, "LONGEST_S", 1.0)
    with following(live, headers) as response:
        assert [line for line in response.iter_lines() if line] == [": following"]


def test_an_operation_that_only_its_file_remembers_is_told_from_there(root):
    job = running()
    for word in ("one", "two"):
        log.write(Level.INFO, word, job)
    queue.finish(job, Status.DONE, log_path=log.keep(job))
    LogLine.objects.all().delete()
    tail = Tail(job.pk)
    assert [(number, text.split()[-1]) for number, text in tail.news()] == [(None, "one"), (None, "two")]
    assert tail.over
    back = Tail(job.pk, after=7)
    assert (back.news(), back.over) == ([], True)


def test_lines_come_in_the_order_of_their_numbers_from_many_writers(root):
    tail, seen, done = Tail(), [], threading.Event()

    def write():
        for _ in range(40):
            log.write(Level.INFO, "line")

    def read():
        while not done.is_set():
            seen.extend(number for number, _ in tail.news())

    reader = in_background(read)
    writers = [in_background(write) for _ in range(4)]
    for writer in writers:
        writer.join()
    time.sleep(0.2)
    done.set()
    reader.join()
    seen.extend(number for number, _ in tail.news())
    assert seen == list(LogLine.objects.order_by("pk").values_list("pk", flat=True))
    assert len(seen) == 160
