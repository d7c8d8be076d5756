"""The people of the server's tests (Alice operates, Bob looks, Carol administers) and their clients."""

import json
from pathlib import Path

import pytest
from django.test import Client

QUICK_HASHER = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix, tmp_path_factory):
    """SQLite tests run on a file, as the server does: threads and other connections see the same data."""
    from django.db import connections

    described = connections["default"].settings_dict
    if described["ENGINE"].endswith("sqlite3"):
        described["TEST"]["NAME"] = str(tmp_path_factory.mktemp("database") / "test.sqlite3")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """Tests that commit are cleaned up by DELETE on SQLite, which the audit refuses elsewhere."""
    from django.db import connection

    if connection.vendor == "sqlite":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER IF EXISTS changes_keep_delete")


@pytest.fixture(autouse=True)
def _quick_passwords(settings):
    settings.PASSWORD_HASHERS = QUICK_HASHER


@pytest.fixture
def root(tmp_path, settings) -> Path:
    """An empty data root that the settings point to."""
    folder = tmp_path / "root"
    folder.mkdir()
    settings.MAR_ROOT = folder
    return folder


@pytest.fixture
def small_site(root, settings):
    """An empty site of the small camera whose frames are reduced in the worker's own process."""
    settings.MAR_CAMERA = "t80cam-mini"
    settings.MAR_ENGINE = "inline"


def make_user(name: str, role: str):
    from marserver.accounts.models import User

    return User.objects.create_user(name, f"{name}@example.org", f"{name}-password", role=role)


@pytest.fixture
def alice(db):
    """An operator."""
    return make_user("alice", "operator")


@pytest.fixture
def bob(db):
    """A viewer."""
    return make_user("bob", "viewer")


@pytest.fixture
def carol(db):
    """An administrator."""
    return make_user("carol", "administrator")


class Caller:
    """Posts bodies to /reduction/ as one user and keeps the last response."""

    def __init__(self, user=None):
        self.client = Client(headers={"Authorization": f"Bearer {token_of(user)}"} if user else {})

    def __call__(self, endpoint: str, **body) -> dict:
        return self.post(endpoint, json.dumps(body))

    def post(self, endpoint: str, body: str | bytes, content_type: str = "application/json") -> dict:
        """Any body at all, also one that is no JSON."""
        path = f"/reduction/{endpoint}"
        self.response = self.client.post(path, body, content_type=content_type)
        content = self.response.getvalue()
        return json.loads(content) if content else {}

    @property
    def status(self) -> int:
        return self.response.status_code


def token_of(user) -> str:
    from marserver.accounts.tokens import create_token

    return create_token(user)[0]


@pytest.fixture
def client(alice, root) -> Client:
    """Alice's client, with her bearer token."""
    return Caller(alice).client


@pytest.fixture
def call(alice, root) -> Caller:
    """`call("biasblock", type="get", id=1)` as Alice; `call.status` is the last HTTP status."""
    return Caller(alice)


@pytest.fixture
def call_as(root):
    """`call_as(bob)("get_queue")`: a caller for any user, or for nobody."""
    return Caller
