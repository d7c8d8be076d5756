"""The typed client says what the server understands: every path and type, every parameter."""

import json
import re
from pathlib import Path

import httpx
import pytest

from marclient import Client, NotFound, rows
from marclient.asking import NAMES
from marclient.events import Event, events
from marserver.api.openapi import schema
from marserver.archive.kinds import ALL, KINDS

PYTHON_NAMES = {wire: name for name, wire in NAMES.items()}
# how the client calls what has no types
METHODS = {
    "scan_folder": "queue.scan_folder",
    "get_process": "queue.running",
    "get_queue": "queue.waiting",
    "getOperations": "queue.ended",
    "removeQueue": "queue.remove",
    "cancel": "queue.cancel",
    "requeue": "queue.requeue",
    "setpriority": "queue.setpriority",
    "pause": "queue.pause",
    "resume": "queue.resume",
    "reset_thread": "queue.reset",
    "get_logs": "logs.get",
    "clear_logs": "logs.clear",
    "getOperation": "survey.progress",
    "rawQuery": "survey.query",
    "get_trilogy_image": "survey.colour_image",
    "request_twelve_im": "survey.request_twelve",
    "getConf": "configuration.get",
    "setItemConf": "configuration.set_item",
    "set_conf": "configuration.use",
    "getConfHistory": "configuration.history",
    "undoConf": "configuration.undo",
    "get_changes": "survey.changes",
    "auth/login": "login",
    "auth/logout": "logout",
    "auth/logoutall": "logout_all",
    "auth/register": "accounts.register",
    "auth/users": "accounts.users",
    "auth/setrole": "accounts.setrole",
    "auth/setactive": "accounts.setactive",
    "auth/setpassword": "accounts.setpassword",
    "auth/tokens": "accounts.tokens",
    "auth/revoke": "accounts.revoke",
    "auth/history": "accounts.history",
}
ALIASES = {"flatblockbyfilter", "fieldimages", "field", "getOperationsStats", "reset_threads"}
ANSWER = {
    "status": True,
    "msg": {"main": []},
    "operations": [],
    "user": {"id": 1},
    "token": "t",
    "expiry": "2024-03-01T00:00:00Z",
}


def operations():
    """Each body that the server takes: the path, its schema."""
    for path, methods in schema()["paths"].items():
        name = path.removeprefix("/reduction/")
        if "post" in methods and name not in ALIASES:
            for body in bodies(methods["post"]):
                yield name, body


def bodies(operation):
    if "requestBody" not in operation:
        return [{"properties": {}}]
    wanted = operation["requestBody"]["content"]["application/json"]["schema"]
    wanted = wanted.get("anyOf", [wanted])[0] if "oneOf" not in wanted else wanted
    names = [one["$ref"].rpartition("/")[2] for one in wanted.get("oneOf", [wanted])]
    return [schema()["components"]["schemas"][name] for name in names]


def given_sets(body):
    """Values for each set of parameters, with everything that may stand beside it."""
    values = {
        name: part["examples"][0] for name, part in body.get("properties", {}).items() if name != "type"
    }
    sets = [set(one["required"]) for one in body.get("oneOf", [])]
    if not sets:
        return [values]
    competing = set().union(*sets)
    free = set(values) - competing
    return [{name: values[name] for name in chosen | free} for chosen in sets]


CASES = [
    pytest.param(name, body, given, id=f"{name} {body.get('title', '')} {number}")
    for name, body in operations()
    for number, given in enumerate(given_sets(body))
]


def attribute(client, words):
    for word in words.split("."):
        client = getattr(client, word)
    return client


@pytest.mark.parametrize(("name", "body", "given"), CASES)
def test_every_parameter_reaches_the_server_as_it_expects_it(name, body, given):
    posted = []

    def answer(request):
        posted.append((request.url.path, json.loads(request.content)))
        return httpx.Response(200, json=ANSWER)

    client = Client("http://mar.test", token="t")
    client.http = httpx.Client(base_url="http://mar.test", transport=httpx.MockTransport(answer))
    action = body["properties"].get("type", {}).get("const")
    method = attribute(client, f"{name}.{action}" if action else METHODS[name])
    method(**{PYTHON_NAMES.get(key, key): value for key, value in given.items()})
    assert posted == [(f"/reduction/{name}", given | ({"type": action} if action else {}))]


ROWS = {
    "individualfile": rows.Frame,
    "sci": rows.Sci,
    "finaltiles": rows.Tile,
    "biasblock": rows.BiasBlock,
    "flatbyfilter": rows.FlatByFilter,
    "flatblock": rows.FlatBlock,
    "scibyfilter": rows.SciByFilter,
    "sciblock": rows.SciBlock,
    "superflat": rows.Superflat,
    "fieldimage": rows.FieldImage,
}


@pytest.mark.parametrize("kind", [kind.name for kind in ALL])
def test_the_rows_have_the_keys_of_the_archive(kind):
    known = {key for key, _ in KINDS[kind].columns} | {nest.key for nest in KINDS[kind].nests}
    assert set(ROWS[kind].__annotations__) | keys_of_bases(ROWS[kind]) == known


def keys_of_bases(row):
    return row.__required_keys__ | row.__optional_keys__


def test_a_download_is_whole_or_not_there(tmp_path):
    def answer(request):
        if request.url.path.endswith("gone.png"):
            return httpx.Response(404, json={"status": False, "msg": "no such file"})
        assert request.headers["Authorization"] == "Bearer t"
        return httpx.Response(200, content=b"x" * 100_000)

    client = Client("http://mar.test", token="t")
    client.http = httpx.Client(base_url="http://mar.test", transport=httpx.MockTransport(answer))
    assert client.download("THUMBS/a b.png", tmp_path / "a.png").read_bytes() == b"x" * 100_000
    with pytest.raises(NotFound, match="no such file"):
        client.download("THUMBS/gone.png", tmp_path / "gone.png")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png"]


def test_events_come_out_of_their_lines():
    lines = [": alive", "", "id: 7", "data: one", "data: two", "", "event: end", "data:", ""]
    assert list(events(lines)) == [Event("message", "one\ntwo", "7"), Event("end", "", "7")]


def test_logs_are_followed_until_the_operation_ends():
    text = "id: 1\ndata: first\n\n: alive\n\nid: 2\ndata: second\n\nevent: end\ndata: done\n\ndata: no\n\n"

    def answer(request):
        assert dict(request.url.params) == {"operation": "5", "level": "WARN"}
        return httpx.Response(200, text=text, headers={"Content-Type": "text/event-stream"})

    client = Client("http://mar.test", token="t")
    client.http = httpx.Client(base_url="http://mar.test", transport=httpx.MockTransport(answer))
    assert list(client.follow_logs(operation=5, level="WARN")) == ["first", "second"]


def test_the_example_of_the_docs_runs(tmp_path, monkeypatch, capsys):
    """Against answers made up for it: every method it calls is there and takes what it gives."""
    page = (Path(__file__).parents[2] / "docs" / "clients.md").read_text("utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    tile = {"id": 7, "band": "R", "fwhm": 1.1, "depth": 21.5, "file_thumb": "THUMBS/a.png"}
    ended = {"id": 5, "seconds": 1.0, "outcome": "done", "error": "", "logPath": None}
    answers = {
        "/reduction/finaltiles": {"msg": [tile]},
        "/reduction/getOperations": {"msg": [ended]},
        "/reduction/get_queue": {"msg": []},
    }

    def answer(request):
        if request.url.path.startswith("/media/"):
            return httpx.Response(200, content=b"png")
        common = ANSWER | {"msg": "a sentence", "id": 1, "job": 5}
        return httpx.Response(200, json=common | answers.get(request.url.path, {}))

    real = httpx.Client
    monkeypatch.setattr(httpx, "Client", lambda **kept: real(transport=httpx.MockTransport(answer), **kept))
    monkeypatch.chdir(tmp_path)
    exec(compile(example, "clients.md", "exec"), {})
    assert "R 1.1 21.5" in capsys.readouterr().out
    assert (tmp_path / "thumb.png").read_bytes() == b"png"
