"""The door of a meeting: when it opens, to whom, and what it tells the others."""

import base64
import datetime
import re
import zoneinfo
from collections.abc import Iterator

import jwt
import pytest
from caller import Caller
from stack import Stack

APP_ID, APP_SECRET = "marketplace", "the-secret-of-the-jitsi-server-0123456789"


@pytest.fixture(scope="module")
def gated(tmp_path_factory: pytest.TempPathFactory, mongodb_uri: str) -> Iterator[Stack]:
    """A stack whose Jitsi server wants tokens, with a clock that these tests may move on."""
    folder = tmp_path_factory.mktemp("gated")
    credentials = {"app_id": APP_ID, "secret": APP_SECRET}
    with Stack(folder, mongodb_uri, JITSI_URL="https://meet.example.org") as stack:
        answer = stack.admin().put("/api/config/providers/jitsi", {"credentials": credentials})
        assert answer.status_code == 200, answer.text
        yield stack


def join_urls(parties, request: dict) -> dict[str, str]:
    return {
        who: getattr(parties, who).request(request["id"])["meeting"]["join_url"]
        for who in ("client", "lawyer")
    }


def joins(parties, request: dict) -> list[dict]:
    return [e for e in parties.lawyer.audit(request["id"]) if e["action"] == "meeting.joined"]


def test_the_life_of_a_door(gated: Stack) -> None:
    parties, anyone = gated.parties(), gated.anyone()
    request = parties.accepted(starts_at=gated.at(hours=2))
    urls = join_urls(parties, request)
    for url in urls.values():
        answer = anyone.get(url)
        assert answer.status_code == 403 and "Location" not in answer.headers
    gated.advance(105 * 60 - 10)
    assert anyone.get(urls["client"]).status_code == 403, "ten seconds too early"
    gated.advance(12)
    rooms = set()
    for who, url in urls.items():
        answer = anyone.get(url)
        assert answer.status_code == 302, answer.text
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        room, _, token = answer.headers["Location"].partition("?jwt=")
        rooms.add(room)
        claims = jwt.decode(
            token, APP_SECRET, ["HS256"], audience="jitsi", issuer=APP_ID,
            options={"verify_exp": False, "verify_nbf": False},
        )  # fmt: skip
        person = parties.person(who)
        user = claims["context"]["user"]
        assert (user["id"], user["name"], user["email"]) == tuple(
            person[name] for name in ("id", "name", "email")
        )
        assert user["moderator"] == ("true" if who == "lawyer" else "false")
        assert room == f"https://meet.example.org/{claims['room']}"
        assert claims["sub"] == "meet.example.org"
        now = gated.now().timestamp()
        assert claims["nbf"] <= now < claims["exp"]
        expires_at = datetime.datetime.fromisoformat(request["meeting"]["expires_at"])
        assert claims["exp"] == expires_at.timestamp()
    (room,) = rooms
    assert re.fullmatch(r".*/meetlink-[0-9a-f]{32}", room), "128 bits that nobody guesses"
    gated.advance(15 * 60 + 45 * 60 + 60 * 60 - 30)
    assert anyone.get(urls["client"]).status_code == 302, "until an hour after the end"
    gated.advance(30)
    for url in urls.values():
        answer = anyone.get(url)
        assert answer.status_code == 410 and "text/html" in answer.headers["Content-Type"]


def test_a_name_that_makes_a_long_link(gated: Stack) -> None:
    """The token that Jitsi wants holds the name: the longest that is valid fits."""
    parties, children = gated.parties(), gated.children()
    person = parties.person("client", name="\N{GRINNING FACE}" * 200)
    request = parties.accepted(client=person, starts_at=gated.at(minutes=5))
    answer = gated.anyone().get(join_urls(parties, request)["client"])
    assert answer.status_code == 302, answer.text
    token = answer.headers["Location"].partition("?jwt=")[2]
    assert len(token) > 1200
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["context"]["user"]["name"] == person["name"]
    assert gated.children() == children, "nobody died of it"


def test_each_use_is_in_the_audit(gated: Stack) -> None:
    parties, anyone = gated.parties(), gated.anyone()
    request = parties.accepted(starts_at=gated.at(minutes=5))
    urls = join_urls(parties, request)
    for url in urls.values():
        assert anyone.head(url).status_code == 302
    assert joins(parties, request) == [], "link previews look, they do not join"
    for who in ("lawyer", "client", "client"):
        anyone.get(urls[who])
    events = joins(parties, request)
    assert [event["actor"]["role"] for event in events] == ["lawyer", "client", "client"]
    assert events[1]["actor"]["id"] == parties.client_id
    assert {event["source"] for event in events} == {"gate"}
    later = parties.accepted(starts_at=gated.at(hours=5))
    for url in join_urls(parties, later).values():
        anyone.get(url)
    assert joins(parties, later) == [], "nobody came in"


@pytest.mark.parametrize(
    "locale, zone, language",
    [
        ("de", "Europe/Berlin", "de"),
        ("de-AT", "Europe/Vienna", "de"),
        ("en", "America/New_York", "en"),
        ("fr", "Asia/Kolkata", "en"),
        (None, "Australia/Lord_Howe", "en"),
    ],
)
def test_the_early_page_speaks_to_its_visitor(
    gated: Stack, locale: str | None, zone: str, language: str
) -> None:
    parties = gated.parties()
    person = parties.person("client", timezone=zone) | ({"locale": locale} if locale else {})
    request = parties.accepted(client=person, starts_at=gated.at(days=40), title="<b>&co</b>")
    answer = gated.anyone().get(join_urls(parties, request)["client"])
    assert answer.status_code == 403
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Content-Language"] == language
    assert f'<html lang="{language}">' in answer.text
    assert "script" not in answer.headers["Content-Security-Policy"]
    opens = datetime.datetime.fromisoformat(request["meeting"]["opens_at"])
    local = opens.astimezone(zoneinfo.ZoneInfo(zone))
    assert local.strftime("%H:%M") in answer.text
    assert str(local.year) in answer.text and str(local.day) in answer.text
    assert zone in answer.text, "the zone by its name"
    assert "<b>" not in answer.text and "meetlink-" not in answer.text


def test_a_cancelled_meeting(gated: Stack) -> None:
    parties = gated.parties()
    request = parties.accepted(starts_at=gated.at(minutes=5))
    urls = join_urls(parties, request)
    assert gated.anyone().get(urls["client"]).status_code == 302
    parties.lawyer.cancel(request["id"])
    for url in urls.values():
        answer = gated.anyone().get(url)
        assert answer.status_code == 410 and "cancelled" in answer.text.lower()


def forged(token: str) -> dict[str, str]:
    raw = bytearray(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))

    def flipped(at: int) -> str:
        changed = bytearray(raw)
        changed[at] ^= 1
        return base64.urlsafe_b64encode(changed).rstrip(b"=").decode()

    return {
        "another request": flipped(0),
        "the other party": flipped(16),
        "the next generation": flipped(20),
        "another mac": flipped(-1),
        "one character short": token[:-1],
        "one character long": token + "A",
        "padded": token + "=",
        "half of it": token[: len(token) // 2],
        "one byte": "A",
        "zeros": "A" * len(token),
        "very long": token * 40,
        "of another alphabet": token[:-1] + "+",
        "with a path": token + "/x",
    }


@pytest.mark.parametrize("name", forged("A" * 50))
def test_a_token_of_somebody_elses_making(gated: Stack, name: str) -> None:
    parties = gated.parties()
    request = parties.accepted(starts_at=gated.at(minutes=5))
    token = join_urls(parties, request)["client"].rpartition("/")[2]
    answer = gated.anyone().get(f"/join/{forged(token)[name]}")
    assert answer.status_code == 404
    assert joins(parties, request) == []


def test_a_token_of_another_installation(gated: Stack, stack: Stack) -> None:
    """The master key makes the token: with another key it opens nothing."""
    parties = gated.parties()
    request = parties.accepted(starts_at=gated.at(minutes=5))
    token = join_urls(parties, request)["client"].rpartition("/")[2]
    assert stack.anyone().get(f"/join/{token}").status_code == 404


def test_an_unknown_visitor_is_told_in_their_language(gated: Stack) -> None:
    headers = {"Accept-Language": "de-DE,de;q=0.9,en;q=0.5"}
    answer = gated.anyone().get("/join/" + "A" * 50, headers=headers)
    assert (answer.status_code, answer.headers["Content-Language"]) == (404, "de")
    assert "text/html" in answer.headers["Content-Type"]


def test_without_credentials_the_room_is_the_link(stack: Stack) -> None:
    parties = stack.parties()
    request = parties.accepted(starts_at=stack.at(minutes=5))
    urls = join_urls(parties, request)
    rooms = {stack.anyone().get(url).headers["Location"] for url in urls.values()}
    (room,) = rooms
    assert re.fullmatch(r"https://meet\.jit\.si/meetlink-[0-9a-f]{32}", room)
    codes = {warning["code"] for warning in request["meeting"]["warnings"]}
    assert codes == {"setting_not_granted"}, "it says what Jitsi cannot promise"


def test_no_log_keeps_a_token(gated: Stack) -> None:
    parties = gated.parties()
    request = parties.accepted(starts_at=gated.at(minutes=5))
    urls = join_urls(parties, request)
    calendar = parties.client.request(request["id"])["meeting"]["calendar_url"]
    anyone: Caller = gated.anyone()
    secrets = {calendar.rpartition("/")[2].removesuffix(".ics"), APP_SECRET, gated.secret}
    for url in urls.values():
        secrets.add(url.rpartition("/")[2])
        location = anyone.get(url).headers["Location"]
        secrets |= {location.partition("?jwt=")[2], location.partition("?")[0].rpartition("/")[2]}
        anyone.get(url + "x")
        anyone.get(url.replace("/join/", "//join/"))
    anyone.get(calendar)
    gated.settle(request["id"])
    logs = "".join(gated.logged(name) for name in ("meetlink", "nginx", "access"))
    assert "/join/***" in logs and request["id"] in logs, "they were written"
    assert [secret for secret in secrets if secret in logs] == []
    assert parties.client.token not in logs and parties.person("client")["email"] not in logs
