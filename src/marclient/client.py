"""A client of the server: log in, call an endpoint, follow an operation until it ends."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any

from marclient.errors import NotFound, Unreachable, error_of
from marclient.progress import Progress, ended, running, waiting

if TYPE_CHECKING:  # imported where a client is made: commands that make none start faster
    import httpx

TIMEOUT_S = 60.0
ROUNDS_UNSEEN = 5  # an operation may move between two looks; after so many rounds it is not there


@dataclass(frozen=True)
class Answer:
    """What the server says, and the values beside it."""

    msg: Any
    values: dict[str, Any] = field(default_factory=dict)


class Client:
    """Talks to one server, at a URL like `http://127.0.0.1:8002`."""

    def __init__(self, url: str, token: str | None = None, timeout_s: float = TIMEOUT_S) -> None:
        import httpx

        self.token = token
        self.broken = httpx.HTTPError
        self.http = httpx.Client(base_url=url.rstrip("/"), timeout=timeout_s)

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

    def logout(self) -> None:
        """End this login."""
        self.ask("auth/logout", {})
        self.token = None

    def call(self, endpoint: str, **body: Any) -> Answer:
        """Post a body to `/reduction/<endpoint>`. Raises one of the errors of `marclient.errors`."""
        answer = self.ask(endpoint, body)
        beside = {key: value for key, value in answer.items() if key not in ("status", "msg")}
        return Answer(answer.get("msg"), beside)

    def ask(self, endpoint: str, body: dict[str, Any]) -> dict[str, Any]:
        """The whole JSON object that the server answers."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        try:
            response = self.http.post(f"/reduction/{endpoint}", json=body, headers=headers)
        except self.broken as error:
            raise Unreachable(0, f"no answer from {self.http.base_url}: {error}") from error
        content = content_of(response)
        if response.is_error:
            raise error_of(response.status_code, content["msg"], response.headers.get("Retry-After", ""))
        return content

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
            running(self.call("get_process").values["operations"], job)
            or waiting(self.call("get_queue").msg, job)
            or ended(self.call("getOperations", nums=1000).msg, job)
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
