"""The configuration that administrators change while the service runs, and its keys."""

import contextlib
import copy
import datetime
import functools
import json
import re
import secrets
import subprocess
from collections.abc import Callable, Iterator

import pymongo.collection
import pytest
import requests
from caller import Caller, new_key
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from google_account import ServiceAccount
from providers import Providers
from sim import Fault, Sim
from stack import PROGRAM, Stack
from support import at_once, free_port, until

POLICY = "/api/config/meetings"
PROVIDERS = "/api/config/providers"
MASK = "••••"
ZOOM = {
    "account_id": "acc-123",
    "client_id": "client-identity-1",
    "client_secret": "s" * 20 + "tail",
}
HOST = {"host_user": "host@firm.example"}
READY = {"settings": HOST, "credentials": ZOOM}
DEFAULTS = {
    "default_provider": "jitsi",
    "failover": [],
    "inline_wait_ms": 5000,
    "delay_notice_s": 120,
    "opens_minutes_before": 15,
    "expires_minutes_after": 60,
    "join_links": "gate",
    "page_links": "act",
    "change_until_minutes_before": 0,
    "show_dial_in": True,
    "reply_to": "other_party",
    "alerts": [],
    "security": {
        "waiting_room": True,
        "join_before_host": False,
        "mute_on_entry": True,
        "host_video": False,
        "passcode_required": True,
    },
    "reminders_minutes_before": [1440, 60],
    "max_generations": 20,
    "max_changes_per_hour": 30,
    "lawyer_addresses": "trusted",
    "retry": {"first_s": 5, "max_s": 600, "give_up_s": 86400},
}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory, mongodb_uri: str) -> Iterator[Stack]:
    """A stack whose configuration may be changed, and whose providers cannot be reached."""
    away = f"http://127.0.0.1:{free_port()}"
    names = [f"{name}_{kind}" for name in ("ZOOM", "GOOGLE", "TEAMS") for kind in ("API", "TOKEN")]
    urls = {f"{name}_URL": away for name in names}
    with Stack(tmp_path_factory.mktemp("config"), mongodb_uri, **urls) as stack:
        yield stack


@pytest.fixture
def admin(own: Stack) -> Caller:
    collection(own).delete_many({})
    return own.admin()


def collection(stack: Stack) -> pymongo.collection.Collection:
    return stack.requests.database["config"]


def events(stack: Stack) -> list[tuple]:
    """What was audited: (what, from, to)."""
    document = collection(stack).find_one({"_id": "config"}) or {"events": []}
    return [(e["detail"], e["from"], e["to"]) for e in document["events"]]


def changed(answer: requests.Response) -> dict:
    assert answer.status_code == 200, answer.text
    return answer.json()


def pointers(answer: requests.Response) -> list[str]:
    assert answer.status_code == 422, (answer.status_code, answer.text)
    return [error["pointer"] for error in answer.json()["errors"]]


# ---- the policy ----


def test_the_policy_begins_with_the_defaults(own: Stack, admin: Caller) -> None:
    answer = admin.get(POLICY)
    assert answer.json() == DEFAULTS
    again = admin.put(POLICY, answer.json(), headers={"If-Match": answer.headers["ETag"]})
    assert changed(again) == DEFAULTS
    assert again.headers["ETag"] == answer.headers["ETag"]
    assert events(own) == [], "nothing has changed"


def test_a_part_of_the_policy_is_changed(own: Stack, admin: Caller) -> None:
    part = {
        "opens_minutes_before": 30,
        "security": {"waiting_room": False},
        "reminders_minutes_before": [30],
        "retry": {"first_s": 7},
    }
    after = DEFAULTS | part
    after["security"] = DEFAULTS["security"] | part["security"]
    after["retry"] = DEFAULTS["retry"] | part["retry"]
    answer = admin.put(POLICY, part)
    assert changed(answer) == after
    fetched = admin.get(POLICY)
    assert (fetched.json(), fetched.headers["ETag"]) == (after, answer.headers["ETag"])
    assert events(own) == [
        ("/policy/opens_minutes_before", "15", "30"),
        ("/policy/security/waiting_room", "true", "false"),
        ("/policy/reminders_minutes_before", "[1440,60]", "[30]"),
        ("/policy/retry/first_s", "5", "7"),
    ]
    event = collection(own).find_one()["events"][0]
    assert event["actor"] == {"id": "admin-1", "role": "admin"}
    assert (event["action"], event["request_id"]) == ("config.changed", "config")
    assert event["trace_id"] == answer.headers["X-Request-Id"]
    assert changed(admin.put(POLICY, {"join_links": "direct"}))["join_links"] == "direct"
    assert events(own)[4:] == [("/policy/join_links", "gate", "direct")]


def test_a_change_holds_for_the_next_acceptance(own: Stack, admin: Caller) -> None:
    parties = own.parties()
    before = parties.accepted()["meeting"]
    changed(admin.put(POLICY, {"opens_minutes_before": 120, "security": {"waiting_room": False}}))
    after = parties.accepted()["meeting"]
    assert before["security"]["waiting_room"] and not after["security"]["waiting_room"]
    assert after["opens_at"] < before["opens_at"]


def test_a_change_holds_in_every_process(start: Callable[..., Stack]) -> None:
    """Each keeps what it has read, and none goes by that once the change was answered."""
    stack = start(SERVER_WORKERS=4)
    parties = stack.parties()
    for minutes in range(4):
        filed = [parties.create() for _ in range(8)]
        changed(stack.admin().put(POLICY, {"opens_minutes_before": minutes}))
        for accepted in at_once(functools.partial(parties.accept, request) for request in filed):
            opens, starts = (
                datetime.datetime.fromisoformat(accepted["meeting"][name])
                for name in ("opens_at", "starts_at")
            )
            assert starts - opens == datetime.timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("part", "wrong"),
    [
        ({"default_provider": "skype"}, ["/default_provider"]),
        ({"default_provider": "zoom"}, ["/default_provider"]),
        ({"default_provider": None}, ["/default_provider"]),
        ({"default_provider": "jit\nsi"}, ["/default_provider"]),
        ({"failover": ["zoom"]}, ["/failover/0"]),
        ({"failover": ["jitsi"]}, ["/failover/0"]),
        ({"failover": ["skype", "zoom"]}, ["/failover/0", "/failover/1"]),
        ({"failover": "zoom"}, ["/failover"]),
        ({"failover": None}, ["/failover"]),
        ({"inline_wait_ms": -1}, ["/inline_wait_ms"]),
        ({"inline_wait_ms": "1"}, ["/inline_wait_ms"]),
        ({"inline_wait_ms": 1.5}, ["/inline_wait_ms"]),
        ({"join_links": "GATE"}, ["/join_links"]),
        ({"show_dial_in": 1}, ["/show_dial_in"]),
        ({"show_dial_in": None}, ["/show_dial_in"]),
        *(
            ({"reply_to": value}, ["/reply_to"])
            for value in ("", "nobody", "FROM", "a@b@c.example", "A <a@b.example>", 1, None)
        ),
        ({"security": {"join_before_host": True}}, ["/security/join_before_host"]),
        ({"security": {"colour": 1}}, ["/security/colour"]),
        ({"security": []}, ["/security"]),
        ({"security": {"waiting_room": 1}}, ["/security/waiting_room"]),
        ({"alerts": ["ops@example.org", "nobody"]}, ["/alerts/1"]),
        ({"alerts": "ops@example.org"}, ["/alerts"]),
        ({"alerts": ["ops@example.org"] * 9}, ["/alerts"]),
        ({"delay_notice_s": 9}, ["/delay_notice_s"]),
        ({"reminders_minutes_before": [60, 60]}, ["/reminders_minutes_before/1"]),
        ({"reminders_minutes_before": list(range(10, 19))}, ["/reminders_minutes_before"]),
        ({"reminders_minutes_before": [4]}, ["/reminders_minutes_before/0"]),
        ({"reminders_minutes_before": {"0": 60}}, ["/reminders_minutes_before"]),
        ({"retry": {"first_s": 601}}, ["/retry/first_s"]),
        ({"retry": {"first_s": 500, "max_s": 100}}, ["/retry/first_s"]),
        ({"retry": {"max_s": 0}}, ["/retry/max_s"]),
        (
            {"max_generations": 0, "opens_minutes_before": 9999},
            ["/opens_minutes_before", "/max_generations"],
        ),
        ({"page": 1, "a/b": 2}, ["/page", "/a~1b"]),
        ([], [""]),
        ("policy", [""]),
        (None, [""]),
    ],
)
def test_a_policy_that_is_not_valid(
    own: Stack, admin: Caller, part: object, wrong: list[str]
) -> None:
    if isinstance(part, dict):
        part = {"expires_minutes_after": 61} | part
    assert pointers(admin.put(POLICY, data=json.dumps(part).encode())) == wrong
    assert admin.fetch(POLICY) == DEFAULTS
    assert collection(own).count_documents({}) == 0


def test_everything_or_nothing(admin: Caller) -> None:
    answer = admin.put(POLICY, {"inline_wait_ms": 1, "max_generations": 0})
    assert pointers(answer) == ["/max_generations"]
    assert admin.fetch(POLICY) == DEFAULTS


@pytest.mark.parametrize("path", [POLICY, f"{PROVIDERS}/jitsi"])
def test_bodies_that_are_none(admin: Caller, path: str) -> None:
    for data, status in ((b"", 400), (b"{", 400), (b'{"a":1,"a":1}', 400), (b"{} x", 400)):
        assert admin.put(path, data=data).status_code == status
    text = admin.put(path, {}, headers={"Content-Type": "text/plain"})
    assert text.status_code == 415
    assert admin.put(path, data=b'"' + b"x" * 65536 + b'"').status_code == 413


@pytest.mark.parametrize("path", [POLICY, f"{PROVIDERS}/jitsi"])
def test_a_change_of_what_was_seen(admin: Caller, path: str) -> None:
    seen = admin.get(path).headers["ETag"]
    body = (
        {"inline_wait_ms": 1} if path == POLICY else {"settings": {"base_url": "https://a.example"}}
    )
    for stale in ('"other"', f"W/{seen}", "nonsense"):
        assert admin.put(path, body, headers={"If-Match": stale}).status_code == 412, stale
    assert admin.put(path, body, headers={"If-Match": f'"other", {seen}'}).status_code == 200
    assert admin.put(path, body, headers={"If-Match": seen}).status_code == 412, "it has moved on"
    assert admin.put(path, body, headers={"If-Match": "*"}).status_code == 200
    tag = admin.get(path).headers["ETag"]
    assert admin.get(path, headers={"If-None-Match": tag}).status_code == 304


def test_changes_at_once_all_hold(own: Stack, admin: Caller) -> None:
    parts = [
        *({name: 77} for name in ("inline_wait_ms", "opens_minutes_before", "max_generations")),
        *({"retry": {name: 77}} for name in ("first_s", "max_s", "give_up_s")),
        {"security": {"host_video": True}},
        {"security": {"mute_on_entry": False}},
        {"reminders_minutes_before": [77]},
    ]
    calls = [lambda part=part: own.admin().put(POLICY, part) for part in parts]
    assert {answer.status_code for answer in at_once(calls)} == {200}
    policy = admin.fetch(POLICY)
    for part in parts:
        for name, value in part.items():
            assert policy[name] == (policy[name] | value if isinstance(value, dict) else value)
    assert collection(own).find_one()["rev"] == len(events(own)) == len(parts)


@pytest.mark.parametrize("role", ["client", "lawyer", "service"])
def test_only_administrators(own: Stack, role: str) -> None:
    caller = own.caller(role, "somebody")
    for path in (POLICY, PROVIDERS, f"{PROVIDERS}/jitsi"):
        assert caller.get(path).status_code == 403
        assert own.anyone().get(path).status_code == 401
    assert caller.put(POLICY, {}).status_code == 403
    assert caller.put(f"{PROVIDERS}/jitsi", {}).status_code == 403
    assert caller.delete(f"{PROVIDERS}/zoom").status_code == 403
    assert caller.post(f"{PROVIDERS}/jitsi/validate").status_code == 403


# ---- providers ----


def test_the_providers(admin: Caller) -> None:
    page = admin.fetch(PROVIDERS)
    assert page["next_cursor"] is None
    shown = {provider["name"]: provider for provider in page["items"]}
    assert set(shown) == {"google_meet", "zoom", "teams", "jitsi"}
    for name, provider in shown.items():
        assert set(provider) == {
            "name",
            "title",
            "enabled",
            "configured",
            "settings",
            "credentials",
            "fields",
            "health",
            "capabilities",
        }
        assert set(provider["health"]) == {"state", "last_ok_at", "last_error", "breaker"}
        assert provider["settings"] == provider["credentials"] == {}
        for field in provider["fields"]:
            assert set(field) == {"name", "secret", "multi_line", "choices", "help"}
            assert field["help"]
        assert provider["enabled"] == provider["configured"] == (name == "jitsi")
        assert provider["health"]["state"] == ("ok" if name == "jitsi" else "disabled")
        assert provider == admin.fetch(f"{PROVIDERS}/{name}")
    pages = admin.pages(PROVIDERS, limit=3)
    assert [len(page) for page in pages] == [3, 1]
    assert sum(pages, []) == page["items"]
    assert pointers(admin.get(PROVIDERS, params={"cursor": "nobody"})) == ["/cursor"]
    for answer in (
        admin.get(f"{PROVIDERS}/skype"),
        admin.put(f"{PROVIDERS}/skype", {}),
        admin.delete(f"{PROVIDERS}/skype"),
        admin.post(f"{PROVIDERS}/skype/validate"),
    ):
        assert answer.status_code == 404


def test_credentials_are_written_only(own: Stack, admin: Caller) -> None:
    url = f"{PROVIDERS}/zoom"
    answer = admin.put(url, {"enabled": True, "settings": HOST, "credentials": ZOOM})
    shown = changed(answer)
    assert shown["enabled"] and shown["configured"]
    assert shown["settings"] == HOST
    assert shown["credentials"] == {
        "account_id": MASK,
        "client_id": MASK + "ty-1",
        "client_secret": MASK + "tail",
    }
    assert shown["health"] == {
        "state": "unknown",
        "last_ok_at": None,
        "last_error": None,
        "breaker": "closed",
    }
    stored = collection(own).find_one()
    for value in ZOOM.values():
        assert value not in repr(stored) and value not in own.logged("meetlink")
        assert value not in answer.text
    assert [text for text in stored["credentials"].values() if not text.startswith("v1:k1:")] == []
    assert events(own) == [
        ("/providers/zoom/credentials/account_id", None, "set"),
        ("/providers/zoom/credentials/client_id", None, "set"),
        ("/providers/zoom/credentials/client_secret", None, "set"),
        ("/providers/zoom/settings/host_user", None, HOST["host_user"]),
        ("/providers/zoom/enabled", "false", "true"),
    ]


def test_what_is_shown_can_be_sent_back(own: Stack, admin: Caller) -> None:
    url = f"{PROVIDERS}/zoom"
    changed(admin.put(url, {"enabled": True} | READY))
    before = len(events(own))
    seen = admin.get(url)
    again = admin.put(url, seen.json(), headers={"If-Match": seen.headers["ETag"]})
    assert changed(again) == seen.json()
    assert len(events(own)) == before
    for name, mask in (
        ("client_secret", MASK + "liat"),
        ("client_secret", MASK),
        ("webhook_secret", MASK),
    ):
        answer = admin.put(url, {"credentials": {name: mask}})
        assert pointers(answer) == [f"/credentials/{name}"], mask


def test_credentials_are_kept_replaced_and_removed(own: Stack, admin: Caller) -> None:
    url = f"{PROVIDERS}/zoom"
    changed(admin.put(url, {"credentials": ZOOM, "settings": HOST}))
    before = len(events(own))
    body = {"credentials": {"client_secret": "another-secret-42", "webhook_secret": "hook"}}
    shown = changed(admin.put(url, body))
    assert shown["credentials"]["client_secret"] == MASK + "t-42"
    assert shown["credentials"]["client_id"] == MASK + "ty-1"
    assert shown["settings"] == HOST, "settings that are left out stay"
    body = {
        "credentials": {"webhook_secret": None, "refresh_token": None},
        "settings": {"authentication": "signed_in"},
    }
    shown = changed(admin.put(url, body))
    assert "webhook_secret" not in shown["credentials"]
    assert shown["settings"] == {"authentication": "signed_in"}, (
        "settings that are given replace all"
    )
    assert events(own)[before:] == [
        ("/providers/zoom/credentials/client_secret", "set", "replaced"),
        ("/providers/zoom/credentials/webhook_secret", None, "set"),
        ("/providers/zoom/credentials/webhook_secret", "set", None),
        ("/providers/zoom/settings/host_user", HOST["host_user"], None),
        ("/providers/zoom/settings/authentication", None, "signed_in"),
    ]


@pytest.mark.parametrize(
    ("name", "body", "wrong"),
    [
        ("zoom", {"enabled": 1}, ["/enabled"]),
        ("zoom", {"enabled": "true"}, ["/enabled"]),
        ("zoom", {"colour": "red"}, ["/colour"]),
        ("zoom", {"deep": True}, ["/deep"]),
        ("zoom", {"settings": []}, ["/settings"]),
        ("zoom", {"credentials": "x"}, ["/credentials"]),
        ("zoom", {"settings": {"client_id": "x"}}, ["/settings/client_id"]),
        ("zoom", {"credentials": {"host_user": "x"}}, ["/credentials/host_user"]),
        ("zoom", {"credentials": {"a/b~": "x"}}, ["/credentials/a~1b~0"]),
        ("zoom", {"settings": {"host_user": 7}}, ["/settings/host_user"]),
        ("zoom", {"settings": {"host_user": ""}}, ["/settings/host_user"]),
        ("zoom", {"settings": {"host_user": " \u200b"}}, ["/settings/host_user"]),
        ("zoom", {"settings": {"host_user": "a\nb"}}, ["/settings/host_user"]),
        ("zoom", {"settings": {"host_user": "a\0b"}}, ["/settings/host_user"]),
        ("zoom", {"settings": {"host_user": "x" * 513}}, ["/settings/host_user"]),
        ("zoom", {"settings": {"authentication": "maybe"}}, ["/settings/authentication"]),
        ("zoom", {"credentials": {"client_id": "x" * 4097}}, ["/credentials/client_id"]),
        ("zoom", {"credentials": {"client_id": {"x": 1}}}, ["/credentials/client_id"]),
        ("zoom", {"credentials": {"client_id": "a\tb"}}, ["/credentials/client_id"]),
        (
            "google_meet",
            {"credentials": {"service_account_json": "x" * 16385}},
            ["/credentials/service_account_json"],
        ),
        (
            "google_meet",
            {"credentials": {"service_account_json": ["x"]}},
            ["/credentials/service_account_json"],
        ),
        (
            "google_meet",
            {"credentials": {"service_account_json": "{}\u0007"}},
            ["/credentials/service_account_json"],
        ),
        ("jitsi", {"settings": {"base_url": "http://meet.example"}}, ["/settings/base_url"]),
        ("jitsi", {"settings": {"base_url": "javascript:alert(1)"}}, ["/settings/base_url"]),
        ("jitsi", [], [""]),
        ("jitsi", None, [""]),
    ],
)
def test_a_provider_that_is_not_valid(
    own: Stack, admin: Caller, name: str, body: object, wrong: list[str]
) -> None:
    answer = admin.put(f"{PROVIDERS}/{name}", data=json.dumps(body).encode())
    assert pointers(answer) == wrong
    assert collection(own).count_documents({}) == 0


@pytest.mark.parametrize("name", ["google_meet", "zoom", "teams"])
def test_what_is_not_complete_cannot_be_enabled(admin: Caller, name: str) -> None:
    for pointer in pointers(admin.put(f"{PROVIDERS}/{name}", {"enabled": True})):
        assert re.match(r"/(credentials|settings)/\w+$", pointer)
    assert not admin.fetch(f"{PROVIDERS}/{name}")["enabled"]


def test_a_credential_that_is_a_document(own: Stack, admin: Caller) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    account = {
        "type": "service_account",
        "client_email": "robot@project.iam.gserviceaccount.com",
        "private_key_id": "abc",
        "private_key": key.decode(),
        "token_uri": "https://oauth2.googleapis.com/token",
    }
    url = f"{PROVIDERS}/google_meet"
    for given in (account, json.dumps(account, indent=2)):
        credentials = {"service_account_json": given, "subject": "lawyer@firm.example"}
        shown = changed(admin.put(url, {"enabled": True, "credentials": credentials}))
        assert shown["configured"]
        assert shown["credentials"] == {"service_account_json": MASK, "subject": MASK + "mple"}
        assert changed(admin.put(url, shown)) == shown
    assert "PRIVATE KEY" not in repr(collection(own).find_one())
    assert pointers(admin.put(url, {"credentials": {"service_account_json": {"type": "x"}}}))


def test_the_policy_keeps_what_it_names(own: Stack, admin: Caller) -> None:
    zoom, jitsi = f"{PROVIDERS}/zoom", f"{PROVIDERS}/jitsi"
    for answer in (admin.put(jitsi, {"enabled": False}), admin.delete(jitsi)):
        assert pointers(answer) == ["/enabled"]
        assert "default provider" in answer.json()["errors"][0]["detail"]
    changed(admin.put(zoom, {"enabled": True} | READY))
    changed(admin.put(POLICY, {"default_provider": "zoom", "failover": ["jitsi"]}))
    for answer in (admin.put(jitsi, {"enabled": False}), admin.delete(jitsi)):
        assert pointers(answer) == ["/enabled"]
        assert "failover" in answer.json()["errors"][0]["detail"]
    for body in ({"enabled": False}, {"credentials": {"client_secret": None}}):
        assert pointers(admin.put(zoom, body))
    assert pointers(admin.delete(zoom)) == ["/enabled"]
    assert pointers(admin.put(POLICY, {"failover": ["jitsi", "jitsi"]})) == ["/failover/1"]
    changed(admin.put(POLICY, {"default_provider": "jitsi", "failover": []}))
    assert admin.delete(zoom).status_code == 204
    shown = admin.fetch(zoom)
    assert (shown["enabled"], shown["configured"], shown["credentials"]) == (False, False, {})
    assert collection(own).find_one()["credentials"] == {}
    before = events(own)
    assert before[-5:] == [
        ("/providers/zoom/credentials/account_id", "set", None),
        ("/providers/zoom/credentials/client_id", "set", None),
        ("/providers/zoom/credentials/client_secret", "set", None),
        ("/providers/zoom/settings/host_user", HOST["host_user"], None),
        ("/providers/zoom/enabled", "true", "false"),
    ]
    assert admin.delete(zoom).status_code == 204
    assert events(own) == before
    stale = admin.delete(zoom, headers={"If-Match": '"other"'})
    assert stale.status_code == 412


def test_breaking_and_naming_at_once(own: Stack, admin: Caller) -> None:
    """Whoever is first, the policy never names a provider that is not enabled."""
    zoom = f"{PROVIDERS}/zoom"
    for _ in range(5):
        changed(admin.put(zoom, {"enabled": True} | READY))
        answers = at_once(
            [
                lambda: own.admin().put(POLICY, {"failover": ["zoom"]}),
                lambda: own.admin().put(zoom, {"enabled": False}),
            ]
        )
        assert sorted(answer.status_code for answer in answers) == [200, 422]
        assert (admin.fetch(POLICY)["failover"] == ["zoom"]) == admin.fetch(zoom)["enabled"]
        changed(admin.put(POLICY, {"failover": []}))


def test_a_setting_holds_for_the_next_meeting(own: Stack, admin: Caller) -> None:
    changed(admin.put(f"{PROVIDERS}/jitsi", {"settings": {"base_url": "https://rooms.example/x"}}))
    parties = own.parties()
    joined = requests.utils.urlparse(
        parties.accepted(starts_at=own.at(minutes=5))["meeting"]["join_url"]
    )
    answer = parties.lawyer.get(joined.path)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("https://rooms.example/x/")


# ---- validation ----


def test_validating_a_provider_without_network(own: Stack, admin: Caller) -> None:
    url = f"{PROVIDERS}/jitsi/validate"
    for options in ({}, {"data": b""}, {"headers": {"Idempotency-Key": new_key()}}):
        result = changed(admin.post(url, **options))
        assert result["ok"] and all(check["ok"] for check in result["checks"])
    result = changed(admin.post(url, {"deep": True}))
    assert [check["name"] for check in result["checks"]][-2:] == ["create", "delete"]
    assert all(set(check) == {"name", "ok", "detail"} and check["ok"] for check in result["checks"])
    assert pointers(admin.post(url, {"settings": {"base_url": "ftp://x"}})) == [
        "/settings/base_url"
    ]
    assert pointers(admin.post(url, {"enabled": True})) == ["/enabled"]
    assert pointers(admin.post(url, {"deep": "yes"})) == ["/deep"]
    assert pointers(admin.post(url, data=b"null")) == [""]
    assert collection(own).count_documents({}) == 0, "nothing is stored"
    assert own.requests.database["tokens"].count_documents({}) == 0


def test_validating_what_is_not_complete(admin: Caller) -> None:
    url = f"{PROVIDERS}/zoom"
    assert pointers(admin.post(url + "/validate"))
    partial = {name: ZOOM[name] for name in ("account_id", "client_id")}
    assert pointers(admin.post(url + "/validate", {"credentials": partial}))
    changed(admin.put(url, READY))
    assert pointers(admin.post(url + "/validate", {"credentials": {"client_secret": None}}))


@pytest.mark.parametrize("deep", [False, True])
def test_validating_a_provider_that_does_not_answer(own: Stack, admin: Caller, deep: bool) -> None:
    answer = admin.post(f"{PROVIDERS}/zoom/validate", READY | {"deep": deep})
    result = changed(answer)
    assert not result["ok"]
    wrong = [check for check in result["checks"] if not check["ok"]]
    assert len(wrong) == 1 and wrong[0]["detail"]
    assert "create" not in {check["name"] for check in result["checks"]}, "it stops at the first"
    for value in ZOOM.values():
        assert value not in answer.text and value not in own.logged("meetlink")
    assert admin.fetch(f"{PROVIDERS}/zoom")["credentials"] == {}


# ---- what is wrong, with providers that can be asked ----


@pytest.fixture(scope="module")
def providers(tmp_path_factory: pytest.TempPathFactory, mongodb_uri: str) -> Iterator[Providers]:
    folder = tmp_path_factory.mktemp("asked") / "stack"
    with Providers(folder, mongodb_uri, policy={"inline_wait_ms": 20000}) as providers:
        yield providers


@contextlib.contextmanager
def unharmed(providers: Providers, name: str) -> Iterator[Caller]:
    """What is done within leaves the provider as it was: nothing is stored or made there, and as
    soon as the validation of what is stored succeeds, so does an acceptance."""
    admin, sim = providers.stack.admin(), providers[name]
    before, made = admin.fetch(f"{PROVIDERS}/{name}"), providers.live()
    yield admin
    sim.calm()
    after = admin.fetch(f"{PROVIDERS}/{name}")
    assert {**after, "health": None} == {**before, "health": None}
    assert providers.live() == made
    path = f"{PROVIDERS}/{name}/validate"
    until(lambda: changed(admin.post(path))["ok"], f"{name} is well")
    parties = providers.stack.parties()
    request = parties.accept(parties.create(), provider=name)
    assert (request["meeting"]["status"], request["meeting"]["provider"]) == ("ready", name)


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, password: bytes = b"") -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password)
        if password
        else serialization.NoEncryption(),
    ).decode()


def key_file(**changes: object) -> str:
    """A good one, with these changes; None leaves out."""
    file = json.loads(ServiceAccount().key_file()) | changes
    return json.dumps({name: value for name, value in file.items() if value is not None})


JSON = "/credentials/service_account_json"
NEEDED = r"(?i)\bneeded\b"


@pytest.mark.parametrize(
    ("name", "part", "field", "value", "pointer", "words"),
    [
        ("google_meet", "credentials", "service_account_json", "-----BEGIN", JSON, "not the JSON"),
        ("google_meet", "credentials", "service_account_json", "[1]", JSON, "not the JSON"),
        (
            "google_meet",
            "credentials",
            "service_account_json",
            key_file()[:-20],
            JSON,
            "not the JSON",
        ),
        (
            "google_meet",
            "credentials",
            "service_account_json",
            key_file(type="authorized_user"),
            JSON,
            "service account",
        ),
        *(
            ("google_meet", "credentials", "service_account_json", key_file(**changes), JSON, words)
            for changes, words in [
                ({"private_key": None}, "no private_key"),
                ({"client_email": 7}, "no client_email"),
                ({"client_email": "robot"}, "client_email"),
                ({"private_key": "secret"}, "private_key .* PEM"),
                (
                    {"private_key": pem(ec.generate_private_key(ec.SECP256R1()))},
                    "private_key .* RSA",
                ),
                ({"private_key": pem(rsa.generate_private_key(65537, 1024))}, "2048 bits"),
                (
                    {"private_key": pem(rsa.generate_private_key(65537, 2048), b"x")},
                    "without passphrase",
                ),
            ]
        ),
        ("google_meet", "credentials", "service_account_json", None, JSON, NEEDED),
        ("google_meet", "credentials", "subject", "robot", "/credentials/subject", "address"),
        (
            "google_meet",
            "credentials",
            "refresh_token",
            "1//x",
            "/credentials",
            "not parts of both",
        ),
        ("google_meet", "settings", "calendar_id", "../x", "/settings/calendar_id", "primary"),
        ("google_meet", "settings", "tenant", "x", "/settings/tenant", "known"),
        ("zoom", "credentials", "client_id", "a:b", "/credentials/client_id", "characters"),
        ("zoom", "credentials", "client_secret", "a b", "/credentials/client_secret", "blanks"),
        ("zoom", "credentials", "client_secret", None, "/credentials/client_secret", NEEDED),
        ("zoom", "credentials", "refresh_token", "x", "/credentials/refresh_token", "account_id"),
        ("zoom", "credentials", "api_key", "x", "/credentials/api_key", "known"),
        ("zoom", "settings", "host_user", "me", "/settings/host_user", NEEDED),
        ("zoom", "settings", "host_user", "a b", "/settings/host_user", "address"),
        ("teams", "credentials", "tenant_id", "../x", "/credentials/tenant_id", "ID or a domain"),
        ("teams", "credentials", "tenant_id", None, "/credentials/tenant_id", NEEDED),
        ("teams", "credentials", "client_secret", " x", "/credentials/client_secret", "blanks"),
        ("teams", "credentials", "client_id", "x\u200b", "/credentials/client_id", "characters"),
        ("teams", "settings", "organizer", "a/b", "/settings/organizer", "address"),
        ("teams", "settings", "subject", "x", "/settings/subject", "known"),
        ("teams", "settings", "credentials_end_on", "3/1/27", "/settings/credentials_end_on", "a day"),
        (
            "google_meet",
            "settings",
            "credentials_end_on",
            "2027-02-30",
            "/settings/credentials_end_on",
            "YYYY-MM-DD",
        ),
    ],
)
def test_what_is_malformed(
    providers: Providers, name: str, part: str, field: str, value: object, pointer: str, words: str
) -> None:
    """It is said where and what, whether it is to be stored or only validated."""
    body = providers[name].provider()
    body[part] = body[part] | {field: value}
    with unharmed(providers, name) as admin:
        path = f"{PROVIDERS}/{name}"
        for answer in (
            admin.put(path, body),
            admin.put(path, {part: body[part]}),
            admin.post(f"{path}/validate", {part: body[part], "deep": True}),
        ):
            assert answer.status_code == 422, answer.text
            details = {e["pointer"]: e["detail"] for e in answer.json()["errors"]}
            assert pointer in details and re.search(words, details[pointer]), details
            assert not isinstance(value, str) or len(value) < 9 or value not in answer.text


# Of a simulator, what a test changes.
STATES = ("account", "client_secret", "delegated", "scopes", "secret_expired", "roles", "policy")


def forget(*scopes: str) -> Callable[[Sim], None]:
    return lambda zoom: zoom.scopes.difference_update(scopes)


@pytest.mark.parametrize(
    ("name", "given", "broken", "check", "words"),
    [
        ("google_meet", {"subject": "no@lawyers.example"}, None, "token", "check the subject"),
        (
            "google_meet",
            {"service_account_json": key_file(private_key_id="0" * 40)},
            None,
            "token",
            "store a new one",
        ),
        (
            "google_meet",
            {"service_account_json": key_file(client_email="no@project.example")},
            None,
            "token",
            "service account",
        ),
        (
            "google_meet",
            {},
            lambda google: setattr(google, "delegated", False),
            "token",
            "domain-wide delegation",
        ),
        (
            "google_meet",
            {"calendar_id": "no@lawyers.example"},
            None,
            "permissions",
            "Google Meet: ",
        ),
        ("zoom", {"client_secret": "wrong"}, None, "token", "client secret"),
        ("zoom", {"account_id": "wrong"}, None, "token", "account"),
        ("zoom", {"host_user": "no@lawyers.example"}, None, "host", "host"),
        (
            "zoom",
            {},
            forget("meeting:delete:meeting:admin"),
            "permissions",
            "delete meetings.*scope",
        ),
        (
            "zoom",
            {},
            forget("meeting:update:meeting:admin"),
            "permissions",
            "change meetings.*scope",
        ),
        ("zoom", {}, forget("meeting:write:meeting:admin"), "create", "scope"),
        (
            "teams",
            {"tenant_id": "00000000-0000-4000-8000-000000000000"},
            None,
            "token",
            "tenant_id",
        ),
        (
            "teams",
            {"client_id": "00000000-0000-4000-8000-000000000000"},
            None,
            "token",
            "client_id",
        ),
        ("teams", {"client_secret": "wrong"}, None, "token", "client_secret is wrong"),
        ("teams", {}, lambda graph: setattr(graph, "secret_expired", True), "token", "expired"),
        ("teams", {}, lambda graph: graph.roles.clear(), "permissions", "ReadWrite.All"),
        ("teams", {}, lambda graph: graph.policy.clear(), "permissions", "access policy"),
        ("teams", {"organizer": "no@lawyers.example"}, None, "permissions", "organizer"),
    ],
)
def test_what_the_provider_refuses(
    providers: Providers,
    name: str,
    given: dict,
    broken: Callable[[Sim], None] | None,
    check: str,
    words: str,
) -> None:
    """A wrong tenant, key, user or scope is named, before anybody relies on it."""
    sim = providers[name]
    was = {field: copy.copy(value) for field, value in vars(sim).items() if field in STATES}
    with unharmed(providers, name) as admin:
        # Credentials that no token has been granted to yet.
        sim.client_secret = secrets.token_hex(20)
        if name == "google_meet":
            sim.account.key_id = secrets.token_hex(20)
        if broken:
            broken(sim)
        body = {part: sim.provider()[part] for part in ("settings", "credentials")}
        for field, value in given.items():
            body["credentials" if field in body["credentials"] else "settings"][field] = value
        result = changed(admin.post(f"{PROVIDERS}/{name}/validate", body | {"deep": True}))
        vars(sim).update(was)
    assert not result["ok"]
    (wrong,) = [one for one in result["checks"] if not one["ok"]]
    assert wrong["name"] == check and re.search(words, wrong["detail"]), wrong
    assert wrong == result["checks"][-1], "it stops there"


# What makes a meeting.
MAKES = {
    "google_meet": "POST /events",
    "zoom": "POST /users/*/meetings",
    "teams": "POST /onlineMeetings/createOrGet",
}


@pytest.mark.parametrize("name", ["google_meet", "zoom", "teams"])
def test_trying_it_out(providers: Providers, name: str) -> None:
    """A deep validation makes a meeting and leaves none behind, whatever happens on the way."""
    sim = providers[name]
    path = f"{PROVIDERS}/{name}/validate"
    with unharmed(providers, name) as admin:
        shallow = changed(admin.post(path))
        assert shallow["ok"] and "create" not in {one["name"] for one in shallow["checks"]}
        first = len(sim.calls)
        result = changed(admin.post(path, {"deep": True}))
        assert result["ok"] and all(one["ok"] and one["detail"] for one in result["checks"])
        assert [one["name"] for one in result["checks"]][-2:] == ["create", "delete"]
        assert [call.method for call in sim.calls[first:]].count("DELETE") > 0
        for fault in (
            Fault(MAKES[name], when="after", drop=True),
            Fault(MAKES[name], when="after", status=500),
            Fault(MAKES[name], when="after", cut=True),
        ):
            sim.script(fault)
            result = changed(admin.post(path, {"deep": True}))
            checks = {one["name"]: one["ok"] for one in result["checks"]}
            assert (checks["create"], checks["delete"]) == (False, True)


@pytest.mark.parametrize("name", ["google_meet", "zoom", "teams"])
def test_what_could_not_be_deleted_again(providers: Providers, name: str) -> None:
    sim, admin = providers[name], providers.stack.admin()
    before = {live.id for _, live in providers.live()}
    sim.script(Fault("DELETE */*", status=423, skip=name == "zoom", times=None))
    result = changed(admin.post(f"{PROVIDERS}/{name}/validate", {"deep": True}))
    sim.calm()
    (wrong,) = [one for one in result["checks"] if not one["ok"]]
    assert not result["ok"] and wrong["name"] == "delete" and wrong["detail"]
    (left,) = [live for _, live in providers.live() if live.id not in before]
    assert left.title in wrong["detail"], "so that it can be found and deleted"


# ---- keys ----


def keys(stack: Stack, *arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [PROGRAM, "rotate-keys", *arguments],
        env=stack.environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr


def use_keys(stack: Stack, *lines: str) -> None:
    (stack.folder / "master.key").write_text("".join(lines))
    stack.reload()


def test_a_key_is_put_in_the_place_of_another(start: Callable[..., Stack]) -> None:
    stack = start()
    admin, parties = stack.admin(), stack.parties()
    changed(admin.put(f"{PROVIDERS}/zoom", READY))
    shown = admin.fetch(f"{PROVIDERS}/zoom")

    def another(hours: int) -> dict:
        return parties.accepted(starts_at=stack.at(hours=72 + hours))

    accepted = [another(i) for i in range(120)]
    for request in accepted:
        stack.settle(request["id"])
    stack.advance(10)
    looks = {"effects.kind": "meeting.overlaps"}
    until(lambda: not stack.requests.count_documents(looks), "nobody looks for overlaps any more")
    old = (stack.folder / "master.key").read_text()
    new = f"k2:{secrets.token_hex(32)}\n"
    assert keys(stack, "--check")[0] == 0

    use_keys(stack, new, old)
    status, said = keys(stack, "--check")
    assert status == 1 and "config: 1 seen, 1 need" in said
    assert "requests: 120 seen, 120 need" in said
    revs = {request["id"]: stack.document(request["id"])["rev"] for request in accepted}

    # While the service runs, and somebody rotates too: nobody notices.
    results = at_once(
        [
            lambda: keys(stack),
            lambda: keys(stack),
            lambda: [another(200 + i)["status"] for i in range(10)],
            lambda: [changed(admin.put(POLICY, {"inline_wait_ms": i})) for i in range(10)],
            lambda: [
                parties.lawyer.cancel(request["id"]).status_code for request in accepted[-10:]
            ],
        ]
    )
    assert results[0][0] == results[1][0] == 0, results[:2]
    assert set(results[2]) == {"accepted"} and set(results[4]) == {200}
    seen = {"config": 1, "requests": 130, "archives": 0, "tokens": 0, "chores": 0}
    seen |= {"deliveries": 0, "letters": 0}
    lines = [f"{name}: {count} seen, 0 need an older key" for name, count in seen.items()]
    assert keys(stack, "--check") == (
        0,
        "\n".join([*lines, "nothing needs any but the newest key", ""]),
    )
    again = keys(stack)
    assert again[0] == 0 and "requests: 130 seen, 0 sealed anew, 0 not" in again[1]
    for request in accepted[:-10]:
        document = stack.document(request["id"])
        assert revs[request["id"]] <= document["rev"] <= revs[request["id"]] + 2
        assert "v1:k1:" not in repr(document)

    # The old one is not needed any more, but for the links that it made.
    use_keys(stack, new)
    assert admin.fetch(f"{PROVIDERS}/zoom") == shown
    shown_now = parties.lawyer.request(accepted[0]["id"])
    assert shown_now["meeting"]["status"] == "ready"
    link = requests.utils.urlparse(accepted[0]["meeting"]["join_url"]).path
    assert parties.lawyer.get(link).status_code == 404
    link = requests.utils.urlparse(shown_now["meeting"]["join_url"]).path
    assert parties.lawyer.get(link).status_code == 403, "it opens later"


def test_a_key_that_is_gone(start: Callable[..., Stack]) -> None:
    stack = start()
    admin, parties = stack.admin(), stack.parties()
    changed(admin.put(f"{PROVIDERS}/zoom", READY))
    request = parties.accepted()
    stack.settle(request["id"])
    old = (stack.folder / "master.key").read_text()
    new = f"k2:{secrets.token_hex(32)}\n"
    use_keys(stack, new)
    for path in (POLICY, f"{PROVIDERS}/zoom"):
        assert admin.get(path).status_code == 500
    assert admin.put(POLICY, {"inline_wait_ms": 1}).status_code == 500, "nothing is overwritten"
    status, said = keys(stack)
    assert status == 1
    assert "config config:" in said and f"requests {request['id']}:" in said
    use_keys(stack, new, old)
    assert keys(stack)[0] == keys(stack, "--check")[0] == 0
    assert parties.lawyer.request(request["id"])["meeting"]["status"] == "ready"
    assert keys(stack, "--help")[0] == 0 and keys(stack, "--colour")[0] == 2
