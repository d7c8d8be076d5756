"""The settings come from the environment."""

import json
import os
import stat
import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured

from marserver import environment


def settings_in(environ: dict, cwd) -> dict:
    """The settings as a fresh process with this environment sees them."""
    program = (
        "import json; from marserver import settings as s;"
        "print(json.dumps({'root': str(s.MAR_ROOT), 'name': s.DATABASES['default']['NAME'],"
        "'debug': s.DEBUG, 'key': s.SECRET_KEY, 'cors': s.MAR_CORS_ORIGINS}))"
    )
    clean = {key: value for key, value in os.environ.items() if not key.startswith("MAR_")}
    done = subprocess.run(
        [sys.executable, "-c", program], env=clean | environ, cwd=cwd, capture_output=True, check=True
    )
    return json.loads(done.stdout)


def test_importing_settings_without_a_root_makes_no_files(tmp_path):
    seen = settings_in({}, tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert seen["name"] == ":memory:"
    assert seen["debug"] is False


def test_the_secret_key_is_made_once_and_readable_by_its_owner_only(tmp_path):
    root = tmp_path / "new" / "root"
    first = settings_in({"MAR_ROOT": str(root)}, tmp_path)
    second = settings_in({"MAR_ROOT": str(root)}, tmp_path)
    kept = root / "CONFIG" / "secret_key"
    assert first["key"] == second["key"] == kept.read_text()
    assert len(first["key"]) >= 50
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert [path.name for path in kept.parent.iterdir()] == ["secret_key"]


def test_a_given_secret_key_is_not_written_down(tmp_path):
    seen = settings_in({"MAR_ROOT": str(tmp_path / "root"), "MAR_SECRET_KEY": "from outside"}, tmp_path)
    assert seen["key"] == "from outside"
    assert not (tmp_path / "root").exists()


def test_the_database_is_in_the_root_unless_a_url_says_otherwise(monkeypatch, tmp_path):
    monkeypatch.delenv("MAR_DATABASE_URL", raising=False)
    assert environment.database(tmp_path)["NAME"] == str(tmp_path / "mar.sqlite3")
    monkeypatch.setenv("MAR_DATABASE_URL", "sqlite:////var/lib/mar%20data.sqlite3")
    assert environment.database(tmp_path)["NAME"] == "/var/lib/mar data.sqlite3"


def test_a_postgresql_url_is_taken_apart(monkeypatch):
    url = "postgresql://mar:p%40ss@db.example.org:5433/survey?sslmode=require"
    monkeypatch.setenv("MAR_DATABASE_URL", url)
    seen = environment.database(None)
    assert seen["ENGINE"] == "marserver.postgres"
    assert (seen["NAME"], seen["USER"], seen["PASSWORD"]) == ("survey", "mar", "p@ss")
    assert (seen["HOST"], seen["PORT"], seen["OPTIONS"]) == ("db.example.org", "5433", {"sslmode": "require"})


def test_another_kind_of_database_is_refused_by_name(monkeypatch):
    monkeypatch.setenv("MAR_DATABASE_URL", "mysql://somewhere/else")
    with pytest.raises(ImproperlyConfigured, match="MAR_DATABASE_URL"):
        environment.database(None)


def test_comma_lists_drop_blanks(monkeypatch):
    monkeypatch.setenv("MAR_CORS_ORIGINS", " https://a.example , ,https://b.example")
    assert environment.words("MAR_CORS_ORIGINS") == ["https://a.example", "https://b.example"]


def test_sqlite_writers_wait_and_take_the_lock_at_once():
    options = environment.sqlite("x")["OPTIONS"]
    assert options["transaction_mode"] == "IMMEDIATE"
    assert options["timeout"] >= 20
    assert "journal_mode=WAL" in options["init_command"]
