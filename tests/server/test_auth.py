"""Login, tokens, roles and throttling."""

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from marserver.accounts.models import LoginFailure, Token, User
from marserver.accounts.tokens import create_token, digest, find_token

PASSWORD = "alice-password"


@pytest.fixture
def nobody(call_as, db):
    return call_as()


def log_in(caller, username="alice", password=PASSWORD):
    return caller("auth/login", username=username, password=password)


def log_out(token, path):
    client = Client(headers={"Authorization": f"Bearer {token}"})
    return client.post(f"/reduction/{path}", "", "application/json")


def test_login_answers_the_user_a_token_and_its_expiry(nobody, alice):
    answer = log_in(nobody)
    assert nobody.status == 200
    assert list(answer) == ["user", "token", "expiry"]
    assert answer["user"] == {
        "id": alice.id,
        "username": "alice",
        "first_name": "",
        "email": "alice@example.org",
    }
    assert answer["expiry"].endswith("Z")
    assert nobody.response["Cache-Control"] == "no-store"


def test_a_token_is_kept_as_a_hash_only(nobody, alice):
    token = log_in(nobody)["token"]
    row = Token.objects.get()
    assert row.digest == digest(token)
    assert token not in str(vars(row))


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "Token"])
def test_both_spellings_of_the_header_are_accepted(nobody, alice, scheme):
    token = log_in(nobody)["token"]
    response = Client().get("/reduction/auth/user", headers={"Authorization": f"{scheme} {token}"})
    assert response.json()["username"] == "alice"


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", "Basic YTpi", "Bearer \u00e9", "Bearer a b c"])
def test_a_bad_header_is_401_in_the_envelope(db, header):
    response = Client().post(
        "/reduction/get_queue", "{}", "application/json", headers={"Authorization": header}
    )
    assert response.status_code == 401
    assert response.json()["status"] is False
    assert response["WWW-Authenticate"] == "Bearer"


def test_unknown_users_and_wrong_passwords_get_the_same_answer(nobody, alice):
    wrong = log_in(nobody, password="wrong")
    assert nobody.status == 401
    unknown = log_in(nobody, username="mallory", password="wrong")
    assert nobody.status == 401
    assert wrong == unknown


def test_unknown_users_cost_a_hash_too(nobody, alice, monkeypatch):
    hashed = []
    monkeypatch.setattr(
        "django.contrib.auth.hashers.MD5PasswordHasher.encode",
        lambda self, password, salt: hashed.append(password) or "md5$a$b",
    )
    log_in(nobody, username="mallory", password="guess")
    assert hashed == ["guess"]


def test_ten_failures_throttle_even_the_right_password(nobody, alice):
    for _ in range(10):
        log_in(nobody, password="wrong")
        assert nobody.status == 401
    answer = log_in(nobody)
    assert nobody.status == 429
    assert answer["status"] is False
    assert 1 <= int(nobody.response["Retry-After"]) <= 15 * 60


def test_throttling_ends_with_the_window_and_counts_each_account(nobody, alice, bob):
    for _ in range(10):
        log_in(nobody, password="wrong")
    log_in(nobody, "bob", "bob-password")
    assert nobody.status == 200
    LoginFailure.objects.update(at=timezone.now() - timedelta(minutes=16))
    log_in(nobody)
    assert nobody.status == 200


def test_throttling_counts_each_address(alice, root):
    body = {"username": "alice", "password": "wrong"}
    for _ in range(11):
        response = Client(REMOTE_ADDR="10.0.0.1").post("/reduction/auth/login", body, "application/json")
    assert response.status_code == 429
    response = Client(REMOTE_ADDR="10.0.0.2").post("/reduction/auth/login", body, "application/json")
    assert response.status_code == 401


def test_a_good_login_forgets_earlier_failures(nobody, alice):
    for _ in range(2):
        for _ in range(9):
            log_in(nobody, password="wrong")
        log_in(nobody)
        assert nobody.status == 200


def test_a_right_guess_among_many_at_once_does_not_slip_through(nobody, alice, monkeypatch):
    def others_fail_meanwhile(request, username, password):
        rows = [LoginFailure(username="alice", address="127.0.0.1", at=timezone.now()) for _ in range(10)]
        LoginFailure.objects.bulk_create(rows)
        return alice

    monkeypatch.setattr("marserver.accounts.logins.authenticate", others_fail_meanwhile)
    log_in(nobody)
    assert nobody.status == 429


@pytest.mark.parametrize("body", [{}, {"username": "alice"}, {"username": "alice", "password": 1}])
def test_a_login_without_name_and_password_is_400(nobody, body):
    answer = nobody("auth/login", **body)
    assert nobody.status == 400
    assert "password" in answer["msg"] or "username" in answer["msg"]


def test_logout_ends_this_token_only(nobody, alice):
    first, second = create_token(alice)[0], create_token(alice)[0]
    response = Client(headers={"Authorization": f"Bearer {first}"}).post(
        "/reduction/auth/logout", "", "application/json"
    )
    assert response.status_code == 204
    assert response.content == b""
    assert find_token(first) is None
    assert find_token(second) is not None


def test_logoutall_ends_every_token_of_the_user(alice, bob):
    tokens = [create_token(alice)[0] for _ in range(3)]
    of_bob = create_token(bob)[0]
    response = Client(headers={"Authorization": f"Bearer {tokens[0]}"}).post(
        "/reduction/auth/logoutall", "", "application/json"
    )
    assert response.status_code == 204
    assert [find_token(token) for token in tokens] == [None] * 3
    assert find_token(of_bob) is not None


def test_a_token_slides_with_use_but_not_beyond_its_maximum(alice, settings):
    token, expires = create_token(alice)
    hours = timedelta(hours=9)
    Token.objects.update(used=expires - settings.MAR_TOKEN_LIFETIME - hours, expires=expires - hours)
    assert find_token(token).expires > expires - timedelta(minutes=1)
    born = timezone.now() - settings.MAR_TOKEN_MAXIMUM + timedelta(minutes=30)
    Token.objects.update(created=born, used=born, expires=timezone.now() + timedelta(minutes=1))
    assert find_token(token).expires == born + settings.MAR_TOKEN_MAXIMUM


def test_an_expired_token_is_401(call, alice):
    Token.objects.update(expires=timezone.now() - timedelta(seconds=1))
    call("get_queue")
    assert call.status == 401


def test_a_user_made_inactive_is_locked_out_at_once(call, alice):
    call("get_queue")
    assert call.status == 200
    User.objects.update(is_active=False)
    call("get_queue")
    assert call.status == 401


def test_administrators_register_users_who_then_may_only_look(call_as, carol, root):
    caller = call_as(carol)
    answer = caller("auth/register", username="dave", email="dave@example.org", password="long enough 77")
    assert caller.status == 200
    assert list(answer) == ["user", "token"]
    dave = User.objects.get(username="dave")
    assert dave.role == "viewer"
    assert find_token(answer["token"]).user == dave


def test_operators_may_not_register_users(call):
    answer = call("auth/register", username="dave", email="dave@example.org", password="long enough 77")
    assert call.status == 403
    assert "administrator" in answer["msg"]


def test_a_name_in_use_is_409_and_a_weak_password_400(call_as, carol, alice):
    caller = call_as(carol)
    caller("auth/register", username="alice", email="a@example.org", password="long enough 77")
    assert caller.status == 409
    answer = caller("auth/register", username="eve", email="e@example.org", password="123")
    assert caller.status == 400
    assert "password" in answer["msg"]
    answer = caller("auth/register", username="e v e", email="nowhere", password="long enough 77")
    assert caller.status == 400
    assert "username" in answer["msg"]
    assert "email" in answer["msg"]


def test_viewers_may_look_and_not_touch(call_as, bob):
    caller = call_as(bob)
    caller("get_queue")
    assert caller.status == 200
    answer = caller("biasblock", type="validate", id=1)
    assert caller.status == 403
    assert "operator" in answer["msg"]


def test_a_session_needs_its_csrf_token(alice, root):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice)
    refused = browser.post("/reduction/get_queue", "{}", "application/json")
    assert refused.status_code == 403
    assert refused.json()["status"] is False
    browser.cookies["csrftoken"] = "a" * 32
    accepted = browser.post(
        "/reduction/get_queue", "{}", "application/json", headers={"X-CSRFToken": "a" * 32}
    )
    assert accepted.status_code == 200


def test_passwords_and_tokens_are_never_logged(nobody, alice, caplog):
    token = log_in(nobody)["token"]
    log_in(nobody, password="hunter2-wrong")
    nobody.post("auth/login", json.dumps({"username": "alice", "password": "hunter2", "x": 1}))
    assert token not in caplog.text
    assert "hunter2" not in caplog.text
