"""Accounts: logins seen and ended, roles, closing, passwords, the throttle's addresses and limits."""

import threading
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.test import Client, RequestFactory
from django.utils import timezone

from marserver import environment
from marserver.accounts import people
from marserver.accounts.address import address_of
from marserver.accounts.models import LoginFailure, Token, User
from marserver.accounts.tokens import create_token, end_all_logins, find_token
from marserver.audit.models import Change
from marserver.errors import Conflict

STRONG = "long enough 77"


@pytest.fixture
def admin(call_as, carol):
    """Carol's calls."""
    return call_as(carol)


def try_login(username="alice", password="wrong", address="192.0.2.1"):
    body = {"username": username, "password": password}
    return Client(REMOTE_ADDR=address).post("/reduction/auth/login", body, "application/json")


def fail(times, username="alice", address="192.0.2.1"):
    rows = [LoginFailure(username=username, address=address, at=timezone.now()) for _ in range(times)]
    LoginFailure.objects.bulk_create(rows)


# --- logins seen and ended


def test_one_sees_ones_own_logins_and_which_is_this_one(alice, bob, call_as):
    create_token(alice, "192.0.2.1", "curl/8\x1b[31m" + "x" * 200)
    create_token(bob)
    caller = call_as(alice)
    rows = caller("auth/tokens")["msg"]
    assert [row["current"] for row in rows] == [True, False]
    assert list(rows[1]) == ["id", "created", "used", "expires", "address", "agent", "current"]
    assert rows[1]["address"] == "192.0.2.1"
    assert rows[1]["agent"].startswith("curl/8[31mxxx")
    assert len(rows[1]["agent"]) == 60
    kept = Token.objects.get(id=rows[1]["id"])
    assert kept.digest not in caller.response.text
    assert kept.media_digest not in caller.response.text


def test_a_login_remembers_its_address_and_program(alice, root):
    body = {"username": "alice", "password": "alice-password"}
    client = Client(REMOTE_ADDR="192.0.2.7", headers={"User-Agent": "curl/8"})
    assert client.post("/reduction/auth/login", body, "application/json").status_code == 200
    assert Token.objects.values_list("address", "agent").get() == ("192.0.2.7", "curl/8")


def test_expired_logins_are_not_listed(alice, call):
    old = create_token(alice)
    Token.objects.filter(expires=old[1]).update(expires=timezone.now())
    assert len(call("auth/tokens")["msg"]) == 1


def test_the_logins_of_others_are_for_administrators(call, admin, bob):
    create_token(bob)
    assert len(admin("auth/tokens", username="bob")["msg"]) == 1
    admin("auth/tokens", username="nobody")
    assert admin.status == 404
    for name in ("bob", "nobody"):
        call("auth/tokens", username=name)
        assert call.status == 403
    call("auth/tokens", username="alice")
    assert call.status == 200


def test_a_revoked_login_ends_now(alice, call):
    token = create_token(alice)[0]
    call("auth/revoke", id=find_token(token).pk)
    assert call.status == 200
    assert find_token(token) is None
    call("get_queue")
    assert call.status == 200


def test_nobody_is_told_that_anothers_login_exists(call, admin, bob):
    row = find_token(create_token(bob)[0])
    of_bob = call("auth/revoke", id=row.pk)["msg"]
    assert call.status == 404
    assert call("auth/revoke", id=row.pk + 1000)["msg"] == of_bob.replace(str(row.pk), str(row.pk + 1000))
    assert call.status == 404
    assert Token.objects.filter(pk=row.pk).exists()
    admin("auth/revoke", id=row.pk)
    assert admin.status == 200
    assert not Token.objects.filter(pk=row.pk).exists()
    assert Change.objects.get(action="revoke").target == "bob"


def test_a_login_that_began_before_all_were_ended_is_none(alice):
    checked_before = User.objects.get(pk=alice.pk)
    end_all_logins(alice)
    assert find_token(create_token(checked_before)[0]) is None
    assert find_token(create_token(User.objects.get(pk=alice.pk))[0]) is not None


def test_use_is_noted_in_steps(alice):
    token = create_token(alice)[0]
    first = Token.objects.get().used
    find_token(token)
    assert Token.objects.get().used == first
    Token.objects.update(used=first - timedelta(minutes=6))
    find_token(token)
    assert Token.objects.get().used > first


def test_the_media_cookie_lasts_as_long_as_any_token_may(alice, settings):
    cookie = try_login(password="alice-password").cookies["mar_media"]
    assert cookie["max-age"] == settings.MAR_TOKEN_MAXIMUM.total_seconds()


# --- administration


def test_administrators_list_the_accounts(admin, alice, root):
    try_login(password="alice-password")
    rows = admin("auth/users")["msg"]
    assert [row["username"] for row in rows] == ["alice", "carol"]
    assert list(rows[0]) == ["id", "username", "email", "role", "active", "last_login"]
    assert rows[0]["last_login"].endswith("Z")
    assert rows[1]["last_login"] is None
    assert "password" not in admin.response.text


def test_a_role_counts_from_the_next_request_on(admin, call, alice):
    assert admin("auth/setrole", username="alice", role="viewer")["role"] == "viewer"
    call("biasblock", type="validate", id=1)
    assert call.status == 403
    admin("auth/setrole", username="alice", role="operator")
    call("biasblock", type="validate", id=1)
    assert call.status == 404


def test_unknown_roles_and_accounts_are_named(admin):
    assert "viewer, operator, administrator" in admin("auth/setrole", username="carol", role="root")["msg"]
    assert admin.status == 400
    for path, rest in (("setrole", {"role": "viewer"}), ("setactive", {"active": 0}), ("history", {})):
        assert "nobody" in admin(f"auth/{path}", username="nobody", **rest)["msg"]
        assert admin.status == 404


def test_a_closed_account_is_out_at_once_and_stays_out_when_opened(admin, call, alice):
    browser = Client()
    browser.force_login(alice)
    admin("auth/setactive", username="alice", active=0)
    assert admin.status == 200
    call("get_queue")
    assert call.status == 401
    assert browser.get("/reduction/auth/user").status_code == 401
    assert try_login(password="alice-password").status_code == 401
    admin("auth/setactive", username="alice", active="true")
    call("get_queue")
    assert call.status == 401
    assert browser.get("/reduction/auth/user").status_code == 401
    assert try_login(password="alice-password").status_code == 200


@pytest.mark.parametrize(
    ("path", "change"), [("setrole", {"role": "operator"}), ("setactive", {"active": 0})]
)
def test_the_last_active_administrator_stays(admin, carol, path, change):
    User.objects.create_user("closed", role="administrator", is_active=False)
    answer = admin(f"auth/{path}", username="carol", **change)
    assert admin.status == 409
    assert "last" in answer["msg"]
    User.objects.create_user("dora", role="administrator")
    admin(f"auth/{path}", username="carol", **change)
    assert admin.status == 200


@pytest.mark.django_db(transaction=True)
def test_two_administrators_cannot_close_each_other_at_once():
    for name in ("carol", "dora"):
        User.objects.create_user(name, role="administrator")
    told, together = [], threading.Barrier(2)

    def close(name):
        together.wait()
        try:
            people.set_active(name, False)
        except Conflict as error:
            told.append(str(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=close, args=(name,)) for name in ("carol", "dora")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(told) == 1
    assert User.objects.filter(is_active=True).count() == 1


def test_what_was_changed_is_shown_without_secrets(admin, alice):
    admin("auth/register", username="dave", email="d@example.org", password=STRONG)
    admin("auth/setrole", username="dave", role="operator")
    admin("auth/setrole", username="dave", role="operator")
    admin("auth/setactive", username="dave", active=0)
    admin("auth/setpassword", username="dave", password=f"{STRONG}8")
    rows = admin("auth/history", username="dave")["msg"]
    assert [row["action"] for row in rows] == ["setpassword", "setactive", "setrole", "register"]
    assert {row["user"] for row in rows} == {"carol"}
    assert (rows[2]["before"], rows[2]["after"]) == ({"role": "viewer"}, {"role": "operator"})
    assert (rows[1]["before"], rows[1]["after"]) == ({"active": True}, {"active": False})
    assert STRONG not in admin.response.text


def test_logging_out_everywhere_is_written_down_and_ends_sessions(alice, call):
    browser = Client()
    browser.force_login(alice)
    call("auth/logoutall")
    assert browser.get("/reduction/auth/user").status_code == 401
    assert Change.objects.get().action == "logoutall"


@pytest.mark.parametrize("name", ["ALICE", "\uff41lice", "alice"])
def test_names_that_look_alike_are_one_name(admin, alice, name):
    admin("auth/register", username=name, email="x@example.org", password=STRONG)
    assert admin.status == 409


@pytest.mark.parametrize(
    "name", ["a b", "a\r\nX-Role: administrator", "command line", "a/b", "<b>", "a\u202eb"]
)
def test_names_with_strange_characters_are_refused(admin, name):
    assert "username" in admin("auth/register", username=name, email="x@example.org", password=STRONG)["msg"]
    assert admin.status == 400


@pytest.mark.parametrize("password", ["short1!", "password123", "19283746556", "dave.astronomer"])
def test_weak_passwords_are_refused_with_the_reason(admin, password):
    answer = admin("auth/register", username="dave.astronomer", email="d@example.org", password=password)
    assert admin.status == 400
    assert answer["msg"].startswith("password: ")
    assert not User.objects.filter(username="dave.astronomer").exists()


# --- passwords


def test_ones_own_password_needs_the_old_one_and_ends_all_logins(call, alice):
    browser = Client()
    browser.force_login(alice)
    for old, status in (({}, 400), ({"old_password": "guess"}, 403)):
        assert "old_password" in call("auth/setpassword", password=STRONG, **old)["msg"]
        assert call.status == status
    call("auth/setpassword", password="12345678", old_password="alice-password")
    assert call.status == 400
    call("auth/setpassword", password=STRONG, old_password="alice-password")
    assert call.status == 200
    call("get_queue")
    assert call.status == 401
    assert browser.get("/reduction/auth/user").status_code == 401
    assert try_login(password="alice-password").status_code == 401
    assert try_login(password=STRONG).status_code == 200


def test_the_old_password_cannot_be_guessed_with_a_stolen_token(call, alice):
    for _ in range(10):
        call("auth/setpassword", password=STRONG, old_password="guess")
    call("auth/setpassword", password=STRONG, old_password="alice-password")
    assert call.status == 429
    assert int(call.response["Retry-After"]) > 0


def test_administrators_set_any_password_and_others_none(admin, call, bob):
    call("auth/setpassword", username="bob", password=STRONG)
    assert call.status == 403
    admin("auth/setpassword", username="bob", password=STRONG)
    assert admin.status == 200
    assert try_login("bob", STRONG).status_code == 200
    admin("auth/setpassword", username="carol", password=STRONG)
    assert admin.status == 403  # one's own, without the old one


# --- the throttle


def test_one_password_on_many_names_closes_the_address(alice, settings, root):
    settings.MAR_LOGIN_FAILURES_OF_ADDRESS = 12
    statuses = [try_login(f"user{n}").status_code for n in range(13)]
    assert statuses == [401] * 12 + [429]
    assert try_login(password="alice-password").status_code == 429
    assert try_login(password="alice-password", address="192.0.2.2").status_code == 200


def test_guesses_from_many_addresses_never_lock_the_owner_out(alice, settings, root):
    settings.MAR_LOGIN_FAILURES_OF_ACCOUNT = 20
    for n in range(20):
        fail(1, address=f"198.51.100.{n}")
    assert try_login(address="198.51.100.1").status_code == 429
    assert [try_login(address="198.51.100.200").status_code for _ in range(2)] == [401, 429]
    assert try_login(password="alice-password", address="203.0.113.5").status_code == 200


def test_the_wait_ends_however_often_somebody_knocks(alice, root):
    fail(10)
    for _ in range(5):
        assert try_login().status_code == 429
    assert LoginFailure.objects.count() == 10
    LoginFailure.objects.update(at=timezone.now() - timedelta(minutes=14, seconds=50))
    assert 1 <= int(try_login()["Retry-After"]) <= 10


def test_an_account_does_not_clear_the_failures_of_others(alice, bob, root):
    fail(9)
    fail(1, "bob")
    assert try_login("bob", "bob-password").status_code == 200
    assert LoginFailure.objects.filter(username="alice").count() == 9


def at_once(calls):
    """Make calls from as many threads at the same moment; gives what they answered."""
    answers, together = [], threading.Barrier(len(calls))

    def run(call):
        together.wait()
        try:
            answers.append(call())
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == len(calls)
    return answers


@pytest.mark.django_db(transaction=True)
def test_of_many_guesses_at_once_no_more_than_ten_are_answered(alice, root):
    statuses = at_once([lambda: try_login().status_code] * 24)
    assert set(statuses) <= {401, 429}
    assert statuses.count(401) <= 10
    assert try_login(password="alice-password").status_code == 429


@pytest.mark.django_db(transaction=True)
def test_many_good_logins_at_once_are_not_throttled(alice, bob, root):
    fail(9)
    good = [("alice", "alice-password"), ("bob", "bob-password")] * 25
    statuses = at_once([lambda pair=pair: try_login(*pair).status_code for pair in good])
    assert statuses == [200] * 50


def test_the_login_page_is_throttled_too(alice, root):
    wrong = {"username": "alice", "password": "wrong"}
    page = [Client(REMOTE_ADDR="192.0.2.1").post("/login", wrong).status_code for _ in range(10)]
    assert page == [200] * 10
    response = Client(REMOTE_ADDR="192.0.2.1").post("/login", wrong | {"password": "alice-password"})
    assert response.status_code == 429
    assert int(response["Retry-After"]) > 0
    assert (
        "too many failed logins"
        in Client(REMOTE_ADDR="192.0.2.1", headers={"Accept": "text/html"})
        .post("/login", wrong)
        .content.decode()
    )
    assert try_login(password="alice-password").status_code == 429


def test_a_good_login_on_the_page_begins_a_session(alice, root):
    browser = Client()
    response = browser.post("/login", {"username": "alice", "password": "alice-password"})
    assert (response.status_code, response["Location"]) == (302, "/")
    assert browser.get("/reduction/auth/user").json()["username"] == "alice"


def test_expired_sessions_are_forgotten_at_the_next_login(alice, root):
    Client().force_login(alice)
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    Client().post("/login", {"username": "alice", "password": "alice-password"})
    assert Session.objects.count() == 1


# --- addresses


def request_from(address, forwarded=None):
    return RequestFactory().get(
        "/", REMOTE_ADDR=address, headers={"X-Forwarded-For": forwarded} if forwarded is not None else {}
    )


@pytest.mark.parametrize(
    ("proxies", "forwarded", "believed"),
    [
        (0, None, "192.0.2.1"),
        (0, "203.0.113.9", "192.0.2.1"),
        (1, None, "192.0.2.1"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "spoofed, 203.0.113.9", "203.0.113.9"),
        (2, "198.51.100.1, 203.0.113.9, 10.0.0.1", "203.0.113.9"),
        (2, "203.0.113.9", "192.0.2.1"),
        (1, "203.0.113.9, unknown", "192.0.2.1"),
        (1, "", "192.0.2.1"),
        (1, "203.0.113.9:4711", "203.0.113.9"),
        (1, "[2001:db8:1:2:3::4]:80", "2001:db8:1:2::/64"),
        (1, "::ffff:203.0.113.9", "203.0.113.9"),
        (1, "fe80::1%eth0", "fe80::/64"),
    ],
)
def test_only_what_our_own_proxies_say_is_believed(settings, proxies, forwarded, believed):
    settings.MAR_PROXIES = proxies
    assert address_of(request_from("192.0.2.1", forwarded)) == believed


def test_a_request_without_address_is_no_error():
    assert address_of(request_from("")) == ""


def test_a_forged_header_does_not_get_round_the_throttle(alice, root):
    statuses = []
    for n in range(11):
        client = Client(REMOTE_ADDR="192.0.2.1", headers={"X-Forwarded-For": f"203.0.113.{n}"})
        body = {"username": "alice", "password": "wrong"}
        statuses.append(client.post("/reduction/auth/login", body, "application/json").status_code)
    assert statuses == [401] * 10 + [429]


# --- settings


def test_lifetimes_come_from_the_environment(monkeypatch):
    assert environment.token_lifetimes() == (timedelta(hours=10), timedelta(days=7))
    monkeypatch.setenv("MAR_TOKEN_HOURS", "0.5")
    monkeypatch.setenv("MAR_TOKEN_MAX_HOURS", "2")
    assert environment.token_lifetimes() == (timedelta(minutes=30), timedelta(hours=2))


@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "ten", "1e9"])
def test_lifetimes_that_make_no_sense_are_refused_by_name(monkeypatch, value):
    monkeypatch.setenv("MAR_TOKEN_HOURS", value)
    with pytest.raises(ImproperlyConfigured, match="MAR_TOKEN_HOURS"):
        environment.token_lifetimes()


def test_the_maximum_is_not_less_than_the_lifetime(monkeypatch):
    monkeypatch.setenv("MAR_TOKEN_MAX_HOURS", "9")
    with pytest.raises(ImproperlyConfigured, match="MAR_TOKEN_MAX_HOURS"):
        environment.token_lifetimes()


@pytest.mark.parametrize("value", ["-1", "17", "one", "1.5", "\u0661"])
def test_the_number_of_proxies_is_a_small_whole_number(monkeypatch, value):
    monkeypatch.setenv("MAR_PROXIES", value)
    with pytest.raises(ImproperlyConfigured, match="MAR_PROXIES"):
        environment.whole("MAR_PROXIES", 0, 16)
