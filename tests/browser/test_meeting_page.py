"""A person's page of a request, reached from the mail's own link by who has no account here."""

import datetime
import re
import secrets
import zoneinfo
from collections.abc import Iterator

import pytest
from browsers import AXE, CHROMIUM, DRIVER, NARROW, WIDE, Browser
from caller import Parties
from selenium.webdriver.common.keys import Keys
from stack import Stack

pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="there is no Chromium with its driver"
)

HOSTILE = '"><img src=x onerror="window.struck=1"><script>window.struck=1</script>'
RTL = "חוזה שכירות – ‏עקד"
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory, mongodb_uri: str) -> Iterator[Stack]:
    """A stack with a clock that these tests may move."""
    with Stack(tmp_path_factory.mktemp("meeting_page"), mongodb_uri) as stack:
        yield stack


@pytest.fixture
def people(own: Stack) -> Parties:
    """A client and a lawyer with addresses."""
    callers = []
    for role in ("client", "lawyer"):
        sub = f"{role}-{secrets.token_hex(4)}"
        callers.append(own.caller(role, sub, email=f"{sub}@example.com"))
    return Parties(own, *callers)


def asked(people: Parties, client: str = "Clara", lawyer: str = "Lena", **changes: object) -> dict:
    zone = {"timezone": "Europe/Berlin"}
    persons = {
        "client": people.person("client", name=client, **zone),
        "lawyer": people.person("lawyer", name=lawyer, **zone),
    }
    return people.create(**persons | changes)


def page_url(people: Parties, who: str, request: dict) -> str:
    return getattr(people, who).request(request["id"])["links"]["page_url"]


def mailed_url(own: Stack, request: dict, who: str) -> str:
    """Where the person's last mail leads."""
    own.settle(request["id"])
    mails = [m for m in own.mails.of(request["id"]) if m.recipient == request[who]["email"]]
    (url,) = set(re.findall(r"http://\S+/m/[\w-]{50}", mails[-1].text()))
    return url


def test_from_the_mail_to_the_end(own: Stack, one: Browser, people: Parties) -> None:
    request = people.accept(asked(people, title="Tenancy"))
    one.driver.get(mailed_url(own, request, "client"))
    one.sees("h1", "Tenancy")
    one.sees("dd", "Lena")
    one.press("a", "Cancel the meeting")
    one.type("[name=words]", "It is settled.")
    one.press("button.danger")
    one.sees(".state", "cancelled")
    one.sees("p", "You cancelled it.")
    assert people.lawyer.request(request["id"])["status"] == "cancelled"
    one.driver.get(page_url(people, "lawyer", request))
    one.sees("p", "Clara cancelled it.")
    one.sees("blockquote", "It is settled.")


def test_another_time_is_agreed_on(
    own: Stack, one: Browser, two: Browser, people: Parties
) -> None:
    request = people.accept(asked(people))
    one.driver.get(mailed_url(own, request, "client"))
    one.press("a", "Ask for another time")
    start = (own.now() + datetime.timedelta(days=6)).replace(second=0, microsecond=0)
    one.fill("[name=when]", start.astimezone(BERLIN).strftime("%Y-%m-%dT%H:%M"))
    one.type("[name=words]", "Rather then.")
    one.press("button", "Ask for this time")
    one.sees("h2", "You have asked for another time")
    two.driver.get(mailed_url(own, request, "lawyer"))
    two.sees("h2", "Clara asks for another time")
    two.sees("blockquote", "Rather then.")
    two.press("button", "Move the meeting to this time")
    two.misses("h2", "asks for another time")
    assert people.client.request(request["id"])["starts_at"] == f"{start:%Y-%m-%dT%H:%M:%SZ}"


def test_the_lawyer_answers_by_keyboard(one: Browser, people: Parties) -> None:
    request = asked(people)
    one.driver.get(page_url(people, "lawyer", request))
    one.sees(".state", "Clara waits for your answer")
    one.tab_to("Decline")
    one.keys(Keys.ENTER)
    one.sees("[name=words]")
    one.keys(Keys.TAB)
    one.keys("I am away that week.")
    one.keys(Keys.TAB)
    one.keys(Keys.ENTER)
    one.sees(".state", "This request was declined")
    assert people.client.request(request["id"])["message"] == "I am away that week."


def test_the_door_opens_by_itself(own: Stack, one: Browser, people: Parties) -> None:
    request = people.accept(asked(people, starts_at=own.at(minutes=15, seconds=8)))
    one.driver.get(mailed_url(own, request, "client"))
    one.sees("button.off", "Join the meeting")
    link = one.sees("a.button", "Join the meeting")
    assert "/join/" in link.get_attribute("href")
    one.misses("button.off")


@pytest.fixture
def shown(own: Stack, people: Parties) -> dict[str, str]:
    """Every page and every form, of people whose names attack; name -> address."""
    names = {"client": f"{HOSTILE} Clara", "lawyer": f"{HOSTILE} Lena"}
    text = f"{HOSTILE}\n{RTL} {'W' * 200}"

    def made(hours: float, title: str = "Tenancy") -> dict:
        ahead = own.at(hours=hours)
        return asked(people, title=title, description=text, starts_at=ahead, **names)

    over = people.accept(made(0.2))
    own.settle(over["id"])
    own.advance(3 * 3600)
    declined, moved = made(40), people.accept(made(70))
    assert people.lawyer.respond(declined["id"], "decline", message=text).status_code == 200
    cancelled = people.accept(made(50))
    assert people.client.cancel(cancelled["id"], reason=text).status_code == 200
    answer = people.client.command(moved["id"], "propose", starts_at=own.at(days=4), message=text)
    assert answer.status_code == 200, answer.text
    pages = {
        "waiting": (made(30), {"client": ["cancel"], "lawyer": ["accept", "decline"]}),
        "declined": (declined, {}),
        "cancelled": (cancelled, {}),
        "early": (
            people.accept(made(60, "W" * 120)),
            {"client": ["cancel", "propose"], "lawyer": ["cancel", "move", "renew"]},
        ),
        "open": (people.accept(made(0.1)), {}),
        "moved": (moved, {"lawyer": ["refuse"]}),
        "turned": (people.accept(made(90, RTL)), {}),
        "over": (over, {}),
    }
    urls = {}
    for name, (request, acts) in pages.items():
        for who in ("client", "lawyer"):
            url = urls[f"{name}-{who}"] = page_url(people, who, request)
            urls |= {f"{name}-{who}-{act}": f"{url}?{act}" for act in acts.get(who, [])}
    return urls


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not here")
@pytest.mark.parametrize(
    ("language", "width", "dark"), [("en", WIDE, False), ("fr", NARROW, True)]
)
def test_all_can_read_it(
    one: Browser, shown: dict[str, str], language: str, width: int, dark: bool
) -> None:
    one.look(width, dark, language)
    one.cdp("Page.setBypassCSP", enabled=True)  # axe is not ours
    found = {}
    for name, url in shown.items():
        one.driver.get(url)
        assert one.sees("main")
        assert one.run("return document.documentElement.lang") == language
        one.picture(f"m-{name}-{language}")
        found[name] = one.violations()
        if one.overflow() > 0:
            found[name].append(f"{one.overflow()} pixels too wide")
    one.cdp("Page.setBypassCSP", enabled=False)
    assert {name: rules for name, rules in found.items() if rules} == {}


def test_nothing_that_people_wrote_runs(one: Browser, shown: dict[str, str]) -> None:
    for url in shown.values():
        one.driver.get(url)
        one.sees("dd", "<img src=x onerror=")
        assert one.run("return document.querySelectorAll('img, script, iframe').length") == 0
        assert one.run("return window.struck ?? null") is None
        schemes = one.run("return [...document.links].map((a) => a.protocol)")
        assert set(schemes) <= {"http:", "https:", "webcal:"}
