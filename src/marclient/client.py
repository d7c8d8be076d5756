"""A client of the server: log in, ask, follow an operation until it ends, fetch files."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from marclient import blocks, images, operations
from marclient.accounts import Accounts
from marclient.answer import Answer
from marclient.asking import Time, plain
from marclient.errors import NotFound, Unreachable, error_of
from marclient.events import events
from marclient.progress import Progress, ended, running, waiting

if TYPE_CHECKING:  # imported where a client is made: commands that make none start faster
    import httpx

TIMEOUT_S = 60.0
ROUNDS_UNSEEN = 5  # an operation may move between two looks; after so many rounds it is not there


class Client:
    """Talks to one server, at a URL like `http://127.0.0.1:8002`.

    Each path with types is an attribute (`client.biasblock.create(...)`), the others stand in groups:
    `queue`, `logs`, `survey`, `configuration`, `accounts`. Whatever the server refuses raises one of the
    errors of `marclient.errors`.
    """

    def __init__(self, url: str, token: str | None = None, timeout_s: float = TIMEOUT_S) -> None:
        import httpx

        self.token = token
        self.broken = httpx.HTTPError
        self.http = httpx.Client(base_url=url.rstrip("/"), timeout=timeout_s)
        self.individualfile = images.Frames(self, "individualfile")
        self.finaltiles = images.Tiles(self, "finaltiles")
        self.fieldimage = images.FieldImages(self, "fieldimage")
        self.biasblock = blocks.BiasBlocks(self, "biasblock")
        self.flatbyfilter = blocks.FlatsByFilter(self, "flatbyfilter")
        self.flatblock = blocks.FlatBlocks(self, "flatblock")
        self.scibyfilter = blocks.SciesByFilter(self, "scibyfilter")
        self.sciblock = blocks.SciBlocks(self, "sciblock")
        self.superflat = blocks.Superflats(self, "superflat")
        self.queue = operations.Queue(self)
        self.logs = operations.Logs(self)
        self.survey = operations.Survey(self)
        self.configuration = operations.Configuration(self)
        self.accounts = Accounts(self)

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self.http.close()

    def login(self, username: str, password: str) -> dict[str, Any]:
        """Get a token and keep it; gives the user. Raises NotLoggedIn or Throttled."""
        answer = self.ask("auth/login", {"username": username, "password": password})
        self.token = str(answer["token"])
        return dict(answer["user"])

    def user(self) -> dict[str, Any]:
        """The user of the token."""
        return self.read(self.send("GET", "/reduction/auth/user"))

    def logout(self) -> None:
        """End this login."""
        self.ask("auth/logout", {})
        self.token = None

    def logout_all(self) -> None:
        """End all logins of the user."""
        self.ask("auth/logoutall", {})
        self.token = None

    def call(self, endpoint: str, **body: Any) -> Answer:
        """Post a body to `/reduction/<endpoint>`. Raises one of the errors of `marclient.errors`."""
        answer = self.ask(endpoint, body)
        beside = {key: value for key, value in answer.items() if key not in ("status", "msg")}
        return Answer(answer.get("msg"), beside)

    def ask(self, endpoint: str, body: dict[str, Any]) -> dict[str, Any]:
        """The whole JSON object that the server answers."""
        return self.read(self.send("POST", f"/reduction/{endpoint}", json=body))

    def send(self, method: str, path: str, **more: Any) -> "httpx.Response":
        """One request with the token. Raises Unreachable."""
        try:
            return self.http.request(method, path, headers=self.headers(), **more)
        except self.broken as error:
            raise Unreachable(0, f"no answer from {self.http.base_url}: {error}") from error

    def headers(self) -> dict[str, str]:
        """What tells the server who asks."""
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def read(self, response: "httpx.Response") -> dict[str, Any]:
        """The JSON object of a response; raises the error that it tells of."""
        content = content_of(response)
        if response.is_error:
            raise error_of(response.status_code, content["msg"], response.headers.get("Retry-After", ""))
        return content

    @contextmanager
    def streaming(self, path: str, **more: Any) -> "Iterator[httpx.Response]":
        """A response that is read while it comes. Raises Unreachable, or the error that it tells of."""
        try:
            with self.http.stream("GET", path, headers=self.headers(), **more) as response:
                if response.is_error:
                    response.read()
                    self.read(response)
                yield response
        except self.broken as error:
            raise Unreachable(0, f"{self.http.base_url} stopped answering: {error}") from error

    def download(self, path: str, to: Path) -> Path:
        """Fetch a file below the data root, named as rows name it; whole or not at all."""
        fresh = to.with_name(f".{to.name}.part")
        try:
            with self.streaming(f"/media/{quote(path)}") as response, fresh.open("wb") as file:
                for block in response.iter_bytes():
                    file.write(block)
            fresh.replace(to)
        finally:
            fresh.unlink(missing_ok=True)
        return to

    def follow_logs(
        self, *, operation: int | None = None, since: Time | None = None, level: str | None = None
    ) -> Iterator[str]:
        """Log lines as they are written, oldest first; ends with the operation where one is named."""
        given = {"operation": operation, "since": plain(since), "level": level}
        wanted = {name: value for name, value in given.items() if value is not None}
        with self.streaming("/reduction/follow_logs", params=wanted, timeout=None) as response:
            for event in events(response.iter_lines()):
                if event.name == "end":
                    return
                yield event.data

    def wait(self, job: int, every_s: float = 1.0) -> Iterator[Progress]:
        """How far an operation is, again and again; the last one has `ended` set and tells the outcome.

        Raises NotFound where there is no such operation.
        """
        unseen = 0
        while True:
            seen = self.look(job)
            if seen is not None:
                unseen = 0
                yield seen
                if seen.ended:
                    return
            unseen += seen is None
            if unseen >= ROUNDS_UNSEEN:
                raise NotFound(404, f"no operation {job}")
            time.sleep(every_s)

    def look(self, job: int) -> Progress | None:
        """One look at an operation; None where it is nowhere, or moved while we looked."""
        return (
            running(self.queue.running(), job)
            or waiting(self.queue.waiting(), job)
            or ended(self.queue.ended(nums=1000), job)
        )


def content_of(response: "httpx.Response") -> dict[str, Any]:
    """The JSON object of a response; something like it where a proxy answered."""
    if not response.content:
        return {}
    try:
        content = response.json()
    except ValueError:
        content = None
    if isinstance(content, dict):
        return {"msg": response.reason_phrase, **content}
    return {"msg": f"an answer that is no JSON object ({response.status_code} {response.reason_phrase})"}
