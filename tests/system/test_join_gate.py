"""The door of a meeting: when it opens, to whom, and what it tells the others."""

import base64
import datetime
import re
import zoneinfo
from collections.abc import Callable, Iterator

import jwt
import pytest
import requests
from caller import Caller, Parties, done, plain
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


def uses(parties, request: dict) -> list[dict]:
    return [e for e in parties.lawyer.audit(request["id"]) if e["action"] == "meeting.link_used"]


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
        answer = anyone.head(url)
        assert answer.status_code == 302 and "Location" not in answer.headers
    assert uses(parties, request) == [], "who only looks uses nothing, and learns nothing"
    for who in ("lawyer", "client", "client"):
        anyone.get(urls[who])
    events = uses(parties, request)
    assert [event["actor"]["role"] for event in events] == ["lawyer", "client", "client"]
    assert events[1]["actor"]["id"] == parties.client_id
    assert {event["source"] for event in events} == {"gate"}
    later = parties.accepted(starts_at=gated.at(hours=5))
    for url in join_urls(parties, later).values():
        anyone.get(url)
    assert uses(parties, later) == [], "nobody came in"


@pytest.mark.parametrize(
    "locale, zone, language",
    [
        ("de", "Europe/Berlin", "de"),
        ("de-AT", "Europe/Vienna", "de"),
        ("en", "America/New_York", "en"),
        ("nl", "Asia/Kolkata", "en"),
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
    clock = f"{local:%H:%M}" + " Uhr" * (language == "de")
    if locale == "en":
        clock = f"{local.hour % 12 or 12}:{local:%M %p}"
    told = plain(answer.text)
    assert clock in told and zone in told, "the zone by its name"
    assert re.search(rf"\b{local.year}\b", told) and re.search(rf"\b{local.day}\b", told)
    assert "<b>" not in told and "meetlink-" not in told


def test_it_opens_by_itself(gated: Stack) -> None:
    """The page that was left open comes back when it is time, and not before."""
    parties, anyone = gated.parties(), gated.anyone()
    request = parties.accepted(starts_at=gated.at(minutes=40))
    opens = datetime.datetime.fromisoformat(request["meeting"]["opens_at"])
    for who, url in join_urls(parties, request).items():
        before = gated.now()
        answer = anyone.get(url)
        assert answer.status_code == 403
        seconds = int(answer.headers["Refresh"])
        left = (opens - before).total_seconds()
        assert left - 1 <= seconds <= left + 10, who
        other = {"client": "Lawyer Ex", "lawyer": "Client Ex"}[who]
        assert f"With {other}" in plain(answer.text)
    gated.advance(seconds)
    assert anyone.get(url).status_code == 302


CANCELLERS = {
    "client": ("Client Ex cancelled it.", "You cancelled it."),
    "lawyer": ("You cancelled it.", "Lawyer Ex cancelled it."),
    "admin": ("The administration cancelled it.", "The administration cancelled it."),
    "service": ("", ""),
}


@pytest.mark.parametrize("who", CANCELLERS)
def test_who_cancelled_and_why(gated: Stack, who: str) -> None:
    parties, anyone = gated.parties(), gated.anyone()
    request = parties.accepted(starts_at=gated.at(minutes=5))
    urls = join_urls(parties, request)
    callers = {"admin": gated.admin(), "service": gated.caller("service", "shop")}
    caller = callers.get(who) or getattr(parties, who)
    done(caller.cancel(request["id"], reason="Ill,\n<b>sorry</b>."))
    for (reader, url), told in zip(sorted(urls.items(), reverse=True), CANCELLERS[who], strict=True):
        page = plain(anyone.get(url).text)
        assert told in page and "Ill,<br>" in page.replace("\n", ""), reader
        assert page.count("cancelled it.") == bool(told)
        assert "&lt;b&gt;sorry" in page and '<body class="cancelled">' in page
    assert uses(parties, request) == []


def test_what_a_link_in_other_hands_tells(gated: Stack) -> None:
    """A link is replaced where it has come into other hands: they learn of nobody."""
    parties, anyone = gated.parties(), gated.anyone()
    request = parties.accepted(starts_at=gated.at(minutes=5), title="Divorce")
    url = join_urls(parties, request)["client"]
    assert "Divorce" in anyone.get(url, headers=PREVIEWS["Slack"]).text
    done(parties.lawyer.command(request["id"], "regenerate", reason="It was forwarded."))
    words = ("Ill.", "forwarded", "Lawyer Ex", "cancelled it", "Divorce", "UTC", "Europe", "20")
    for told in ("has been replaced", "was cancelled"):
        page = anyone.get(url).text
        body = page.partition("<main>")[2]
        assert told in body
        assert not any(word in body for word in words)
        if told == "has been replaced":
            done(parties.lawyer.cancel(request["id"], reason="Ill."))


GLUE = [".", ",", ")", ">", "]", "%3E", ").", "%5D%2C", ";", "!", "%22", "'", "%E2%80%99", "%E2%80%9C.",
        "%E2%81%A9", "%E2%80%AC", "%EF%BB%BF", "%BB", "%C2%85", ".%E2%81%A9)"]


@pytest.mark.parametrize("glue", GLUE)
def test_what_is_glued_to_a_link_is_cut(gated: Stack, glue: str) -> None:
    parties, anyone = gated.parties(), gated.anyone()
    request = parties.accepted(starts_at=gated.at(minutes=5))
    calendar = parties.client.request(request["id"])["meeting"]["calendar_url"]
    link = join_urls(parties, request)["client"]
    answer = anyone.get(link + glue)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("https://meet.example.org/")
    assert anyone.get(calendar + glue).content == anyone.get(calendar).content
    assert anyone.get(f"{link}{glue}?utm_source=mail").status_code == 302
    for bad in (f"{link[:-1]}{glue}", f"{link}{glue}x", calendar.replace(".ics", f"{glue}.ics")):
        assert_error_page(anyone.get(bad), 404, "This link is not known")


def assert_error_page(answer: requests.Response, status: int, heading: str) -> None:
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert f"<h1>{heading}</h1>" in answer.text


def test_a_broken_calendar_link(gated: Stack) -> None:
    """A person sees a page in their language, and a program what it asks for."""
    parties, anyone = gated.parties(), gated.anyone()
    request = parties.accepted()
    good = request["meeting"]["calendar_url"]
    bad = [good[:-5] + "x.ics", good.removesuffix(".ics"), good + "x", "/calendar/event/x.ics"]
    for url in bad:
        assert_error_page(anyone.get(url), 404, "This link is not known")
        german = anyone.get(url, headers={"Accept-Language": "de", "Accept": "text/html"})
        assert_error_page(german, 404, "Dieser Link ist nicht bekannt")
        assert_kept_to_itself(german)
        problem = anyone.get(url, headers={"Accept": "application/json"})
        assert problem.json()["code"] == "not_found"
    for url in (good, join_urls(parties, request)["client"]):
        answer = anyone.post(url)
        assert_error_page(answer, 405, "This link cannot be used in this way")
        german = anyone.post(url, headers={"Accept-Language": "de"})
        assert_error_page(german, 405, "So lässt sich dieser Link nicht verwenden")
        assert answer.headers["Allow"] == "GET, HEAD"


def test_who_cancelled_cannot_be_read(gated: Stack) -> None:
    """An old event that nobody can read hides who, and nothing else."""
    parties = gated.parties()
    request = parties.accepted(starts_at=gated.at(minutes=5))
    url = join_urls(parties, request)["client"]
    done(parties.lawyer.cancel(request["id"], reason="Ill."))
    gated.settle(request["id"])
    change = {"$set": {"events.0.action": 7}}
    gated.requests.update_one({"_id": request["id"]}, change)
    answer = gated.anyone().get(url)
    assert answer.status_code == 410, answer.text
    assert "was cancelled" in answer.text and "Ill." in answer.text
    assert "cancelled it" not in answer.text


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
    assert uses(parties, request) == []


def test_a_token_of_another_installation(gated: Stack, stack: Stack) -> None:
    """The master key makes the token: with another key it opens nothing."""
    parties = gated.parties()
    request = parties.accepted(starts_at=gated.at(minutes=5))
    token = join_urls(parties, request)["client"].rpartition("/")[2]
    assert stack.anyone().get(f"/join/{token}").status_code == 404


@pytest.mark.parametrize(
    "accepts, language",
    [
        ("de-DE,de;q=0.9,en;q=0.5", "de"),
        ("DE", "de"),
        ("de-at", "de"),
        ("nl, de;q=0.8", "de"),
        ("en;q=0.5, de;q=0.8", "de"),
        ("en;q=0, de", "de"),
        ("de;q=0, en", "en"),
        ("de-DE, de;q=0", "en"),
        ("de;q=0", "en"),
        ("*, de;q=0.1", "en"),
        ("en, de", "en"),
        ("fr-CA, de", "fr"),
        ("nl, it", "en"),
        ("../de, de/gate", "en"),
        ("x," * 100 + "de", "en"),
        ("", "en"),
    ],
)
def test_an_unknown_visitor_is_told_in_their_language(
    gated: Stack, accepts: str, language: str
) -> None:
    headers = {"Accept-Language": accepts}
    answer = gated.anyone().get("/join/" + "A" * 50, headers=headers)
    assert (answer.status_code, answer.headers["Content-Language"]) == (404, language)
    assert f'<html lang="{language}">' in answer.text
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


# ---- who only looks ----

MOZILLA = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko)"
PREVIEWS = {
    "Slack": {"User-Agent": "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"},
    "Slack's pictures": {"User-Agent": "Slack-ImgProxy (+https://api.slack.com/robots)"},
    "Twitter": {"User-Agent": "Twitterbot/1.0"},
    "WhatsApp": {"User-Agent": "WhatsApp/2.23.20.0 A"},
    "Facebook": {
        "User-Agent": "facebookexternalhit/1.1 "
        "(+http://www.facebook.com/externalhit_uatext.php)"
    },
    "iMessage": {
        "User-Agent": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 "
        "(KHTML, like Gecko) Version/9.0.1 Safari/601.2.4 facebookexternalhit/1.1 Facebot "
        "Twitterbot/1.0"
    },
    "Telegram": {"User-Agent": "TelegramBot (like TwitterBot)"},
    "Google": {
        "User-Agent": f"{MOZILLA} Chrome/120.0.0.0 Mobile Safari/537.36 "
        "(compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
    },
    "Gmail's pictures": {
        "User-Agent": "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 "
        "(via ggpht.com GoogleImageProxy)"
    },
    "LinkedIn": {"User-Agent": "LinkedInBot/1.0 (compatible; Mozilla/5.0)"},
    "Discord": {"User-Agent": "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)"},
    "Teams": {
        "User-Agent": "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5 "
        "skype-url-preview@microsoft.com"
    },
    "Office": {"User-Agent": "Mozilla/4.0 (compatible; ms-office; MSOffice 16)"},
    "Barracuda": {"User-Agent": "Barracuda Sentinel (EE)"},
    "Viber": {"User-Agent": "Viber/13.3.0 CFNetwork/1121.2.2 Darwin/19.3.0"},
    "Iframely": {"User-Agent": "Iframely/1.3.1 (+https://iframely.com/docs/about)"},
    "a browser without a window": {
        "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
        "HeadlessChrome/100.0.4896.88 Safari/537.36"
    },
    "curl": {"User-Agent": "curl/8.5.0"},
    "wget": {"User-Agent": "Wget/1.21.4"},
    "Python": {"User-Agent": "python-requests/2.31.0"},
    "who says no name": {"User-Agent": None},
    "a script of another page": {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"},
    "Chrome ahead of a click": {"Sec-Purpose": "prefetch"},
    "Chrome ahead of a click, rendering": {"Sec-Purpose": "prefetch;prerender"},
    "Safari ahead of a click": {"Purpose": "prefetch"},
    "Safari's top sites": {"X-Purpose": "preview"},
    "Firefox ahead of a click": {"X-Moz": "prefetch"},
}
BROWSERS = {
    "Chrome": f"{MOZILLA} Chrome/120.0.0.0 Mobile Safari/537.36",
    "Firefox": "Mozilla/5.0 (X11; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0",
    "Safari": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_2 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/17.2 Mobile/15E148 Safari/604.1",
    "Edge": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/120.0.0.0 Safari/537.36 Edg/120.0.0.0",
    "Safari ahead of its time": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) "
    "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15 (Technology Preview)",
    "a telephone": "Mozilla/5.0 (Linux; Android 9; CUBOT_P40) AppleWebKit/537.36 "
    "(KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36",
    "another": "Mozilla/5.0 (Linux; U; Android 4.2.2; de-de; CUBOT S208 Build/JDQ39) "
    "AppleWebKit/534.30 (KHTML, like Gecko) Version/4.0 Mobile Safari/534.30",
    "Facebook's own": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_2 like Mac OS X) "
    "AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 "
    "[FBAN/FBIOS;FBAV/445.0.0.33.118;FBDV/iPhone14,5]",
}


GO_IN = {"en": "Join the meeting", "de": "Am Gespräch teilnehmen"}


def assert_kept_to_itself(answer: requests.Response) -> None:
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Robots-Tag"] == "noindex"


def assert_small_page(answer: requests.Response, status: int, language: str) -> None:
    """A page that loads nothing and leads nowhere but, when the door is open, to itself."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Content-Language"] == language
    policy = answer.headers["Content-Security-Policy"].split("; ")
    assert {"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"} <= set(policy)
    assert "script" not in answer.headers["Content-Security-Policy"]
    assert_kept_to_itself(answer)
    assert "Location" not in answer.headers
    told = plain(answer.text + str(answer.headers))
    for secret in ("example.org", "meetlink-", "zoom", "jwt"):
        assert secret not in told.lower(), "nothing of the provider's link"
    assert re.search("<script|<link|src=|url\\(|@import", answer.text) is None
    links = re.findall("<a[^>]*>[^<]*</a>|href=[^>]*", answer.text)
    assert links == ([f'<a href="">{GO_IN[language]}</a>'] if status == 200 else [])


@pytest.mark.parametrize("name", PREVIEWS)
def test_who_only_looks_is_shown_a_page(gated: Stack, name: str) -> None:
    parties, anyone = gated.parties(), gated.anyone()
    request = parties.accepted(starts_at=gated.at(minutes=5))
    url = join_urls(parties, request)["client"]
    assert_small_page(anyone.get(url, headers=PREVIEWS[name]), 200, "en")
    answer = anyone.head(url, headers=PREVIEWS[name])
    assert answer.status_code == 200 and "Location" not in answer.headers
    assert uses(parties, request) == [], "nobody has come"
    assert anyone.get(url).status_code == 302, "and the link is as good as before"


@pytest.mark.parametrize("name", BROWSERS)
def test_people_come_in(gated: Stack, name: str) -> None:
    parties, anyone = gated.parties(), gated.anyone()
    request = parties.accepted(starts_at=gated.at(minutes=5))
    url, headers = join_urls(parties, request)["client"], {"User-Agent": BROWSERS[name]}
    for call in (anyone.head, anyone.get):
        answer = call(url, headers=headers)
        assert answer.status_code == 302
        assert_kept_to_itself(answer)
    assert answer.headers["Location"].startswith("https://meet.example.org/")
    assert len(uses(parties, request)) == 1


def test_a_preview_of_a_closed_door(gated: Stack) -> None:
    """It is told what people are told."""
    parties, anyone = gated.parties(), gated.anyone()
    request = parties.accepted(starts_at=gated.at(days=2))
    url = join_urls(parties, request)["client"]
    answers = [anyone.get(url, headers=headers) for headers in ({}, PREVIEWS["Slack"])]
    assert len({plain(answer.text) for answer in answers}) == 1
    assert_small_page(answers[1], 403, "en")


# ---- what the others are told ----


def early(people: Parties, request: dict) -> None:
    """It opens in two days."""


def is_open(people: Parties, request: dict) -> None:
    done(people.lawyer.command(request["id"], "reschedule", starts_at=people.stack.at(minutes=9)))


def cancelled(people: Parties, request: dict) -> None:
    done(people.lawyer.cancel(request["id"]))


def replaced(people: Parties, request: dict) -> None:
    done(people.lawyer.command(request["id"], "regenerate"))


def pending(people: Parties, request: dict) -> None:
    """As it is while a meeting is made anew that the provider has lost."""
    people.stack.settle(request["id"])
    change = {"$set": {"meeting.status": "pending"}}
    people.stack.requests.update_one({"_id": request["id"]}, change)


def failed(people: Parties, request: dict) -> None:
    people.stack.settle(request["id"])
    change = {"$set": {"meeting.status": "failed"}}
    people.stack.requests.update_one({"_id": request["id"]}, change)


def renewing(people: Parties, request: dict) -> None:
    replaced(people, request)
    pending(people, request)


def replaced_and_cancelled(people: Parties, request: dict) -> None:
    replaced(people, request)
    cancelled(people, request)


def over(people: Parties, request: dict) -> None:
    people.stack.advance(3 * 24 * 3600)


PAGES = {
    early: (403, "You are early", "Sie sind früh dran"),
    pending: (403, "The meeting is being prepared", "Das Gespräch wird vorbereitet"),
    is_open: (200, "Your meeting", "Ihr Gespräch"),
    cancelled: (410, "This meeting was cancelled", "Dieses Gespräch wurde abgesagt"),
    failed: (403, "The meeting has no room yet", "Das Gespräch hat noch keinen Raum"),
    replaced: (410, "This link has been replaced", "Dieser Link wurde ersetzt"),
    renewing: (410, "This link is being replaced", "Dieser Link wird ersetzt"),
    replaced_and_cancelled: (
        410,
        "This meeting was cancelled",
        "Dieses Gespräch wurde abgesagt",
    ),
    over: (410, "This meeting is over", "Dieses Gespräch ist vorbei"),
}


# Seconds until the page loads itself again.
REFRESHES = {early: 3600, pending: 15, failed: 60}


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    digits = colour.lstrip("#")
    wide = digits if len(digits) == 6 else "".join(digit * 2 for digit in digits)
    parts = [int(wide[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def assert_readable(style: str) -> None:
    """Text has a contrast of 7 to 1 with what is behind it, by day and by night."""
    day, _, night = style.partition("@media(prefers-color-scheme:dark)")
    for sheet in (day, night):
        rules: dict[str, str] = {}
        for name, rule in re.findall(r"([\w.]+)\{([^{}]*)\}", sheet):
            rules[name] = rules.get(name, "") + ";" + rule
        (behind,) = re.findall("background:(#[0-9a-f]+)", rules["main"])
        for text in ("body", ".about", "a"):
            (colour,) = re.findall("(?<![-\\w])color:(#[0-9a-f]+)", rules[text])
            light, dark = sorted((luminance(colour), luminance(behind)), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= (7 if text == "body" else 4.5), (text, sheet)


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("state", PAGES, ids=lambda state: state.__name__)
def test_what_visitors_are_told(
    gated: Stack, state: Callable[[Parties, dict], None], language: str
) -> None:
    people = gated.parties()
    person = people.person("client", locale=language, timezone="Europe/Berlin")
    request = people.accepted(client=person, starts_at=gated.at(days=2), title="Müller ./. <Ex>")
    url = join_urls(people, request)["client"]
    state(people, request)
    answer = gated.anyone().get(url, headers=PREVIEWS["Slack"])
    status, *words = PAGES[state]
    assert_small_page(answer, status, language)
    page, heading = answer.text, words[language == "de"]
    assert f'<html lang="{language}">' in page
    assert re.findall("<title>(.*)</title>", page) == [heading]
    assert re.findall("<h1>(.*)</h1>", page) == [heading] and page.count("<h1") == 1
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in page
    assert page.count("<main>") == 1 and "{{" not in page
    least, seconds = REFRESHES.get(state), answer.headers.get("Refresh")
    assert (seconds is None) == (least is None)
    assert least is None or least <= int(seconds) < least + 8
    for known in ("Müller ./. &lt;Ex&gt;", "(Europe/Berlin)", "Lawyer Ex"):
        current = state not in (replaced, renewing, replaced_and_cancelled)
        assert (known in plain(page)) == current, known
    assert_readable(re.search("<style nonce=[^>]*>(.*)</style>", page, re.S)[1])
