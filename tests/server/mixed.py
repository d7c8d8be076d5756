"""Many clients at once who look, change, queue, cancel and log in; and what must be true afterwards."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

DAYS = {"startDate": "2000-01-01", "endDate": "2100-01-01"}


@dataclass
class Accepted:
    """What one client was told is done."""

    comments: dict[int, str] = field(default_factory=dict)  # frame -> the last comment
    changes: int = 0
    queued: set[int] = field(default_factory=set)
    removed: set[int] = field(default_factory=set)
    statuses: Counter[int] = field(default_factory=Counter)
    slowest_s: dict[str, float] = field(default_factory=dict)  # by path
    broken: list[str] = field(default_factory=list)  # what must never happen


class Client(threading.Thread):
    """One of them: changes only its own frames, looks at everything, queues scans of its own folders."""

    def __init__(self, url: str, name: str, password: str, frames: list[int], until: float) -> None:
        super().__init__(name=f"client {frames[0]}", daemon=True)
        self.url, self.user, self.password = url, name, password
        self.frames, self.until = frames, until
        self.chance = random.Random(frames[0])
        self.accepted = Accepted()
        self.number = 0

    def run(self) -> None:
        """Ask one thing after another until the time is over."""
        with httpx.Client(base_url=self.url + "reduction/", timeout=120) as self.http:
            self.log_in()
            while time.monotonic() < self.until:
                self.chance.choice(self.acts())()

    def acts(self) -> list[Callable[[], None]]:
        """What is done, often or seldom."""
        looks = [self.look_by_id, self.look_at_list, self.look_at_queue, self.look_at_log]
        changes = [self.comment, self.comment, self.comment, self.queue, self.remove]
        seldom = [self.log_in] if self.chance.random() < 0.1 else []  # checking a password is slow on purpose
        return looks * 3 + changes * 2 + seldom

    def ask(self, endpoint: str, **body: Any) -> httpx.Response | None:
        """One question; what must not happen is written down."""
        began = time.monotonic()
        try:
            reply = self.http.post(endpoint, json=body)
        except httpx.HTTPError as error:
            self.accepted.broken.append(f"{endpoint}: {type(error).__name__} {error}")
            return None
        slowest = self.accepted.slowest_s
        slowest[endpoint] = max(slowest.get(endpoint, 0.0), time.monotonic() - began)
        self.accepted.statuses[reply.status_code] += 1
        if reply.status_code not in (200, 404, 409):
            self.accepted.broken.append(f"{endpoint} {body}: {reply.status_code} {reply.text[:200]}")
        return reply

    def log_in(self) -> None:
        """A new token; the old one goes on being valid."""
        reply = self.ask("auth/login", username=self.user, password=self.password)
        if reply is not None and reply.status_code == 200:
            self.http.headers["Authorization"] = f"Bearer {reply.json()['token']}"

    def look_by_id(self) -> None:
        """One's own frame has the comment that was accepted last."""
        frame = self.chance.choice(self.frames)
        reply = self.ask("individualfile", type="get", id=frame)
        if reply is not None and reply.status_code == 200:
            seen, known = reply.json()["msg"][0]["comments"], self.accepted.comments.get(frame, "")
            if seen != known:
                self.accepted.broken.append(f"frame {frame}: {seen!r} in the place of {known!r}")

    def look_at_list(self) -> None:
        """Some hundreds of rows."""
        self.ask("individualfile", type="get", **DAYS, limit=300)

    def look_at_queue(self) -> None:
        """What waits and what runs."""
        self.ask("get_queue")
        self.ask("get_process")

    def look_at_log(self) -> None:
        """The last lines."""
        self.ask("get_logs", limit=50)

    def comment(self) -> None:
        """Change one of one's own frames."""
        self.number += 1
        frame, words = self.chance.choice(self.frames), f"look {self.number}"
        reply = self.ask("individualfile", type="setcomment", id=frame, comment=words)
        if reply is not None and reply.status_code == 200:
            self.accepted.comments[frame] = words
            self.accepted.changes += 1

    def queue(self) -> None:
        """A scan of an empty folder of one's own."""
        reply = self.ask("scan_folder", path=f"raw/client-{self.frames[0]}", contains=f"x{self.number % 5}")
        if reply is not None and reply.status_code == 200:
            self.accepted.queued.add(reply.json()["job"])

    def remove(self) -> None:
        """Take back what may still wait."""
        waiting = self.accepted.queued - self.accepted.removed
        if not waiting:
            return
        job = self.chance.choice(sorted(waiting))
        reply = self.ask(self.chance.choice(["removeQueue", "cancel"]), id=job)
        # One that runs is only asked to stop, and may be done before it does
        if reply is not None and reply.status_code == 200 and "removed from the queue" in reply.json()["msg"]:
            self.accepted.removed.add(job)


@dataclass(frozen=True)
class Crowd:
    """Who asks, and what belongs to them."""

    url: str
    user: str
    password: str
    root: Path
    frames: list[int]


def mix(crowd: Crowd, clients: int, seconds: float) -> Accepted:
    """Let so many clients loose; gives what all of them were told together."""
    until = time.monotonic() + seconds
    share = len(crowd.frames) // clients
    threads = []
    for number in range(clients):
        own = crowd.frames[share * number : share * (number + 1)]
        (crowd.root / "raw" / f"client-{own[0]}").mkdir(parents=True, exist_ok=True)
        threads.append(Client(crowd.url, crowd.user, crowd.password, own, until))
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return together([one.accepted for one in threads])


def together(parts: list[Accepted]) -> Accepted:
    """What several clients were told."""
    whole = Accepted()
    for part in parts:
        whole.comments |= part.comments
        whole.changes += part.changes
        whole.queued |= part.queued
        whole.removed |= part.removed
        whole.statuses += part.statuses
        for endpoint, seconds in part.slowest_s.items():
            whole.slowest_s[endpoint] = max(whole.slowest_s.get(endpoint, 0.0), seconds)
        whole.broken += part.broken
    return whole


def lost(accepted: Accepted, frame_ids: list[int]) -> list[str]:
    """What was accepted and is not in the database, looked up there and not asked for."""
    from marserver.archive.models import IndividualFile
    from marserver.audit.models import Change
    from marserver.jobs.models import Job

    kept = dict(IndividualFile.objects.filter(pk__in=frame_ids).values_list("pk", "comments"))
    wrong = [
        f"frame {frame}: {kept.get(frame)!r} in the place of {comment!r}"
        for frame, comment in accepted.comments.items()
        if kept.get(frame) != comment
    ]
    noted = Change.objects.filter(action="setcomment").count()
    if noted != accepted.changes:
        wrong.append(f"{accepted.changes} comments were accepted, {noted} are in the audit")
    jobs = dict(Job.objects.values_list("pk", "status"))
    wrong += [f"operation {job} is gone" for job in accepted.queued - jobs.keys()]
    if len(jobs) != len(accepted.queued):
        wrong.append(f"{len(accepted.queued)} operations were accepted, {len(jobs)} are there")
    wrong += [
        f"operation {job} was removed and is {jobs.get(job)}"
        for job in accepted.removed
        if jobs.get(job) != "cancelled"
    ]
    return wrong
