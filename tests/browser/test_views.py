"""Every page as it is shown: what it loads, who can read it, what nobody can smuggle into it."""

import base64
import hashlib
import json
import re
import secrets

import pytest
import requests
from browsers import AXE, CHROMIUM, DRIVER, NARROW, WIDE, Browser, Door, Host
from caller import Parties
from stack import ROOT, Stack
from support import until

WEB = ROOT / "web"
HOSTILE = '<img src=x onerror="window.struck=1"><script>window.struck=1</script>'
RTL = "חוזה שכירות – ‏עקד"
VIEWS = {
    "client": ["", "all"],
    "lawyer": ["", "all"],
    "admin": ["", "all", "health", "providers", "policy", "outbox", "webhooks", "audit"],
}
SHOWS = {
    "": ".card",
    "all": ".card",
    "health": "figure",
    "providers": "summary",
    "policy": "form .field",
    "outbox": "select",
    "webhooks": "table",
    "audit": ".trail li",
}
in_browser = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="there is no Chromium with its driver"
)


@pytest.fixture(scope="module")
def world(pages: Stack) -> dict[str, str]:
    """People with something of everything, in names that attack; role -> token."""
    mark = secrets.token_hex(4)
    claims = {"name": f"{HOSTILE} Lena", "email": f"lena-{mark}@example.com"}
    client = pages.caller(
        "client", f"clara-{mark}", name="Clara", email=f"clara-{mark}@example.com"
    )
    people = Parties(pages, client, pages.caller("lawyer", f"lena-{mark}", **claims))
    lawyer = people.person(
        "lawyer", name=claims["name"], email=claims["email"], timezone="America/New_York"
    )

    def draft(title: str, hours: float) -> dict:
        text = f"{HOSTILE}\n{RTL}"
        starts_at = pages.at(hours=hours)
        return {"title": title, "description": text, "lawyer": lawyer, "starts_at": starts_at}

    people.create(**draft(f"Open {HOSTILE}", 30))
    people.create(**draft(RTL, 60))
    ready = people.accepted(**draft("W" * 120, 0.1))
    assert client.command(ready["id"], "cancel", reason=HOSTILE).status_code == 200
    people.accepted(**draft("Soon", 0.1))
    people.accepted(**draft("Later", 50))
    declined = people.create(**draft("Declined", 70))
    assert people.lawyer.respond(declined["id"], "decline", message=HOSTILE).status_code == 200
    hook = {"url": "https://127.0.0.1:9/in", "events": ["meeting.outcome"]}
    assert pages.admin().post("/api/config/webhooks", hook).status_code == 201
    return {"client": client.token, "lawyer": people.lawyer.token, "admin": pages.admin().token}


def words() -> dict[str, list[str]]:
    text = (WEB / "index.html").read_text()
    return json.loads(
        re.search(r'<script type="application/json" id="words">(.*?)</script>', text, re.S)[1]
    )


def test_words_in_three_languages() -> None:
    """None is missing, none is too many, and each says as much as the others."""
    known = words()
    code = "".join(path.read_text() for path in [*WEB.glob("*.js"), WEB / "index.html"])
    used = set(re.findall(r'\bt\("([a-z_]+)"', code)) | set(re.findall(r'data-words="(\w+)"', code))
    assert used - set(known) == set()
    families = ("code_", "do_", "say_", "go_", "done_", "field_", "status_", "meeting_", "reason_",
                "role_", "view_", "outcome_", "attendance_", "health_", "figure_")  # fmt: skip
    unused = {key for key in known if f'"{key}"' not in code and not key.startswith(families)}
    assert {key for key in unused if not re.search(rf"\b{key}\b", code)} == set()
    for key, row in known.items():
        assert len(row) == 3 and all(row), key
        assert len({tuple(sorted(re.findall(r"\{\w+\}", text))) for text in row}) == 1, key


def test_what_is_served(door: Door, host: Host) -> None:
    files = [path.name for path in WEB.iterdir()]
    assert sum((WEB / name).stat().st_size for name in files) < 120_000
    for name in ["", *files]:
        answer = requests.get(f"{door.url}/app/{name}")
        policy = answer.headers["Content-Security-Policy"]
        assert answer.status_code == 200 and "unsafe" not in policy
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Content-Type"].endswith("; charset=utf-8")
        known = {"If-None-Match": answer.headers["ETag"]}
        assert requests.get(answer.url, headers=known).status_code == 304
    (inline,) = re.findall(r"<script>(.*?)</script>", (WEB / "index.html").read_text(), re.S)
    named = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
    assert f"script-src 'self' 'sha256-{named}';" in policy
    assert requests.get(f"{door.url}/app", allow_redirects=False).headers["Location"] == "/app/"
    for name in ("../run", "%2e%2e/run", "nothing", "app.js/x"):
        assert requests.get(f"{door.url}/app/{name}").status_code == 404
    assert requests.get(f"{door.url}/app/config.json").json() == {"sign_in": host.url}


@in_browser
def test_the_first_view_is_small(door: Door, one: Browser, world: dict[str, str]) -> None:
    one.cdp("Network.clearBrowserCache")
    one.open(door, world["client"])
    one.sees("h2", "(")
    asked = [url.removeprefix(door.url).partition("#")[0] for url in one.requests()]
    first = asked[asked.index("/app/") :]
    assert sorted(first) == ["/api/dashboard", "/app/", "/app/app.css", "/app/app.js"]
    loaded = one.run(
        "return performance.getEntriesByType('resource').concat(performance"
        ".getEntriesByType('navigation')).reduce((sum, e) => sum + e.decodedBodySize, 0)"
    )
    assert loaded < 120_000


@in_browser
def test_the_first_view_is_asked_for_before_its_program_is_here(
    door: Door, one: Browser, world: dict[str, str]
) -> None:
    one.cdp("Network.clearBrowserCache")
    one.cdp("Network.setBlockedURLs", urls=["*/app.js"])
    try:
        one.requests()
        one.driver.get(f"{door.url}/app/#token={world['client']}")
        until(lambda: f"{door.url}/api/dashboard" in one.requests(), "it is asked for")
    finally:
        one.cdp("Network.setBlockedURLs", urls=[])


@in_browser
def test_a_token_leaves_no_trace(door: Door, one: Browser, world: dict[str, str]) -> None:
    one.open(door, world["client"])
    assert "token" not in one.driver.current_url and world["client"] not in one.driver.page_source
    assert one.run("return document.cookie + JSON.stringify(localStorage)") == "{}"
    one.driver.refresh()
    one.sees("h1")
    assert one.find("nav a", words()["view_all"][0])
    one.driver.get("about:blank")
    one.driver.back()
    one.sees("h1")
    assert "token" not in one.driver.current_url


@in_browser
@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not here")
@pytest.mark.parametrize("role", VIEWS)
def test_all_can_read_it(door: Door, one: Browser, world: dict[str, str], role: str) -> None:
    """Each page, wide and narrow, light and dark, with every form of its own that opens."""
    one.cdp("Page.setBypassCSP", enabled=True)  # axe is not ours
    found = {}
    for dark in (False, True):
        for width in (WIDE, NARROW):
            one.look(width, dark)
            one.open(door, world[role])
            for view in VIEWS[role]:
                one.go(view)
                settled(one, view)
                one.run("for (const one of document.querySelectorAll('details')) one.open = true")
                name = f"{role}-{view or 'overview'}-{width}-{'dark' if dark else 'light'}"
                one.picture(name)
                found[name] = one.violations()
                assert one.overflow() <= 0, name
    one.cdp("Page.setBypassCSP", enabled=False)
    assert {name: rules for name, rules in found.items() if rules} == {}


def settled(browser: Browser, view: str) -> None:
    """Until the view has what it is about."""
    browser.sees(SHOWS[view])


@in_browser
@pytest.mark.parametrize("role", VIEWS)
def test_nothing_that_people_wrote_runs(
    door: Door, one: Browser, world: dict[str, str], role: str
) -> None:
    one.open(door, world[role])
    for view in VIEWS[role]:
        one.go(view)
        settled(one, view)
        one.run("for (const one of document.querySelectorAll('details')) one.open = true")
        assert (
            one.run("return document.querySelectorAll('img, body script[src], iframe').length") == 0
        )
        assert one.run("return window.struck ?? null") is None
        if role != "admin":  # who sees what all tests have left
            assert "<img src=x onerror=" in one.text("main")
    schemes = one.run("return [...document.links].map((a) => a.protocol)")
    assert set(schemes) <= {"http:", "https:", "webcal:"}


@in_browser
def test_in_other_directions_and_languages(door: Door, one: Browser, world: dict[str, str]) -> None:
    known = words()
    for language, column in (("de-AT,de", 1), ("fr", 2), ("sv", 0)):
        one.look(language=language, zone="Asia/Tokyo")
        one.open(door, world["client"])
        one.sees("h2", known["upcoming"][column])
        assert one.run("return document.documentElement.lang")[:2] == ("en", "de", "fr")[column]
        assert "Asia/Tokyo" in one.text(".when") and "America/New York" in one.text("main")
    one.look(NARROW)
    one.run("document.documentElement.dir = 'rtl'")
    until(lambda: one.overflow() <= 0, "nothing has to be scrolled sideways")
    one.picture("client-overview-rtl")
