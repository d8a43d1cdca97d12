"""The link that makes a lawyer the host: fetched for each click, kept nowhere."""

import concurrent.futures
import datetime
import re
import time
from collections.abc import Callable, Iterator

import described
import pytest
import requests
from caller import Caller, done, refused
from providers import BREAKER_S, Providers, unique
from sim import Fault
from support import at_once, until
from zoom import Zoom

# What a worker may take for the answer, and a little for the rest.
BUDGET_S = 10 + 2
# Clients for providers of all workers: a quarter of the threads of each.
BULKHEAD = 2 * 4


@pytest.fixture(scope="module")
def providers(tmp_path_factory: pytest.TempPathFactory, mongodb_uri: str) -> Iterator[Providers]:
    folder = tmp_path_factory.mktemp("host")
    with Providers(folder, mongodb_uri, names=("zoom", "google_meet")) as providers:
        providers["zoom"].daily_limit = 10_000
        yield providers


@pytest.fixture
def zoom(providers: Providers) -> Iterator[Zoom]:
    """Well, and well again afterwards."""
    yield providers["zoom"]
    providers["zoom"].calm()
    providers.configure("zoom", providers["zoom"].provider())
    providers.stack.advance(BREAKER_S + 1)


class Case:
    """A request with a meeting that begins soon."""

    def __init__(self, providers: Providers, **fields: object):
        self.providers, self.stack, self.zoom = providers, providers.stack, providers["zoom"]
        self.people = self.stack.parties()
        self.open = self.people.create(
            title=unique("Lease"), starts_at=self.stack.at(minutes=30), duration_minutes=60
        )
        self.id, self.url = self.open["id"], f"/api/requests/{self.open['id']}"
        self.accept = lambda: self.people.accept(self.open, **fields)

    def made(self) -> "Case":
        self.accept()
        self.providers.until_status(self.id, "ready")
        self.providers.finish(self.id)
        return self

    def click(self, caller: Caller | None = None) -> requests.Response:
        return (caller or self.people.lawyer).get(f"{self.url}/meeting/host")

    def refusal(self) -> str:
        """The code of a 503 that says when to come again."""
        answer = self.click()
        assert answer.status_code == 503, answer.text
        assert int(answer.headers["Retry-After"]) > 0
        assert "Location" not in answer.headers and "zak" not in answer.text
        return answer.json()["code"]

    def entered(self) -> list[dict]:
        """The uses of the host link: those of the join link are the gate's."""
        used = [e for e in self.people.lawyer.audit(self.id) if e["action"] == "meeting.link_used"]
        return [event for event in used if event["source"] == "api"]

    @property
    def path(self) -> str:
        """Where Zoom has it."""
        ((_, live),) = self.providers.live_of(self.open)
        return f"/v2/meetings/{live.id}"

    def asked(self) -> int:
        """How often Zoom was asked for it."""
        return self.zoom.count("GET", self.path)

    def compared_soon(self) -> bool:
        """Whether it will be compared with what Zoom has within five hours, without a click."""
        soon = self.stack.now().replace(tzinfo=None) + datetime.timedelta(hours=5)
        effects = self.stack.document(self.id)["effects"]
        return any(e["kind"] == "meeting.verify" and e["due"] < soon for e in effects)

    def links(self) -> list[str]:
        """What Zoom has given out for it."""
        ((_, live),) = self.providers.live_of(self.open)
        return self.zoom.meetings[int(live.id)].host_links


def test_each_click_is_a_fetch(providers: Providers, zoom: Zoom) -> None:
    case = Case(providers).made()
    given, fetched = len(case.links()), case.asked()
    answers = [case.click() for _ in range(2)]
    for answer in answers:
        assert answer.status_code == 302 and answer.content == b""
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "ETag" not in answer.headers
    assert [answer.headers["Location"] for answer in answers] == case.links()[given:]
    assert case.asked() == fetched + 2
    scripted = case.people.lawyer.get(
        f"{case.url}/meeting/host", headers={"Accept": "application/json"}
    )
    described.hold(scripted)
    assert scripted.headers["Cache-Control"] == "no-store"
    assert done(scripted) == {"url": case.links()[given + 2]}
    entered = case.entered()
    assert [event["actor"]["id"] for event in entered] == [case.people.lawyer_id] * 3
    assert {event["source"] for event in entered} == {"api"}
    assert {event["detail"] for event in entered} == {None}
    offered = case.people.lawyer.request(case.id)["links"]
    assert offered["host"] == f"{case.stack.url}{case.url}/meeting/host"
    assert "host" not in case.people.client.request(case.id)["links"]


def test_who_only_looks_is_not_worth_a_fetch(providers: Providers, zoom: Zoom) -> None:
    """A HEAD is answered as a GET would be, but without the link."""
    case, stack = Case(providers), providers.stack

    def look(caller: Caller | None = None) -> int:
        answer = (caller or case.people.lawyer).head(f"{case.url}/meeting/host")
        assert "Location" not in answer.headers and answer.content == b""
        return answer.status_code

    assert look() == 404, "there is no meeting yet"
    case.made()
    before, document = case.asked(), stack.document(case.id)
    given = len(case.links())
    assert [look() for _ in range(3)] == [302] * 3
    callers = (case.people.client, stack.lawyer("another"), stack.anyone())
    assert [look(caller) for caller in callers] == [403, 404, 401]
    providers.policy(default_provider="google_meet")
    try:
        providers.configure("zoom", {"enabled": False})
        assert look() == 503
    finally:
        providers.configure("zoom", zoom.provider())
        providers.policy(default_provider="zoom")
    assert (case.asked(), len(case.links())) == (before, given), "Zoom heard nothing of it"
    assert case.entered() == [] and stack.document(case.id) == document
    done(case.people.lawyer.cancel(case.id))
    assert look() == 409


def test_nobody_else_is_worth_a_fetch(providers: Providers, zoom: Zoom) -> None:
    case, stack = Case(providers).made(), providers.stack
    before = case.asked()
    others = [
        (case.people.client, 403), (stack.admin(), 403), (stack.service(), 403),
        (stack.lawyer("another"), 404), (stack.lawyer(case.people.client_id), 404),
        (stack.anyone(), 401),
    ]  # fmt: skip
    for caller, status in others:
        assert case.click(caller).status_code == status
    assert case.asked() == before and case.entered() == []


def test_it_is_kept_nowhere(providers: Providers, zoom: Zoom) -> None:
    case, stack = Case(providers).made(), providers.stack
    for _ in range(2):
        assert case.click().status_code == 302
    zoom.script(Fault(f"GET {case.path}", status=500, echo=True))
    case.refusal()
    given = [link for meeting in zoom.meetings.values() for link in meeting.host_links]
    secrets = {part for link in given for part in (link, link.partition("?zak=")[2])}
    assert len(secrets) >= 6
    database = stack.requests.database
    shown = [repr(list(database[name].find())) for name in database.list_collection_names()]
    shown += [stack.logged(name) for name in ("meetlink", "nginx", "access")]
    shown += [mail.raw.decode() for mail in stack.mails.of(case.id)]
    paths = ("", "/meeting", "/meetings", "/audit", "/calendar.ics")
    people = (case.people.client, case.people.lawyer)
    shown += [caller.get(case.url + path).text for caller in people for path in paths]
    shown += [caller.get("/api/dashboard").text for caller in people]
    shown += [stack.admin().get(path).text for path in ("/api/audit", "/api/config/providers")]
    assert all(case.id in text for text in (shown[-2], stack.logged("meetlink")))
    assert [secret for secret in secrets for text in shown if secret in text] == []
    assert re.search("zak=", "".join(shown)) is None


@pytest.mark.parametrize("provider", ["jitsi", "google_meet"])
def test_not_every_provider_has_one(providers: Providers, provider: str) -> None:
    case = Case(providers, provider=provider).made()
    answer = case.click()
    assert refused(answer) == (404, "no_host_link")
    assert "the lawyer's own link" in answer.json()["detail"]
    assert "host" not in case.people.lawyer.request(case.id)["links"]
    assert case.entered() == []


def test_its_time(providers: Providers, zoom: Zoom) -> None:
    """From the moment it is ready until its links expire."""
    case, stack = Case(providers), providers.stack
    assert refused(case.click()) == (404, "no_meeting")
    zoom.down()
    assert case.accept()["meeting"]["status"] == "pending"
    assert refused(case.click()) == (409, "still_pending")
    zoom.up()
    stack.advance(BREAKER_S + 1)
    retry = case.people.lawyer.command(case.id, "retry")
    assert retry.ok or refused(retry) == (409, "already_ready"), "it may be tried again by itself"
    providers.until_status(case.id, "ready")
    assert case.click().status_code == 302, "the host may come early"
    path = case.path
    stack.advance(95 * 60)
    assert case.click().status_code == 302, "and may come back"
    stack.advance(60 * 60)
    before = zoom.count("GET", path)
    assert refused(case.click()) == (409, "meeting_over")
    providers.until_status(case.id, "expired")
    assert refused(case.click()) == (409, "meeting_over")
    assert zoom.count("GET", path) == before


@pytest.mark.parametrize("what", ["cancel", "meeting/cancel"])
def test_a_cancelled_meeting(providers: Providers, zoom: Zoom, what: str) -> None:
    case = Case(providers).made()
    done(case.people.lawyer.post(f"{case.url}/{what}"))
    assert refused(case.click()) == (409, "meeting_ended")


# ---- Zoom is not well ----


def answers(status: int, body: object = None, **more: object) -> Callable[[Case], Fault]:
    def fault(case: Case) -> Fault:
        return Fault(f"GET {case.path}", status=status, body=body, times=None, **more)

    return fault


def starts(url: str | None) -> Callable[[Case], Fault]:
    """Zoom shows the meeting with such a start_url."""

    def fault(case: Case) -> Fault:
        raw = case.providers.the_meeting(case.open)[1].raw
        body = raw | ({} if url is None else {"start_url": url})
        return Fault(f"GET {case.path}", status=200, body=body)

    return fault


@pytest.mark.parametrize(
    ("fault", "code", "words", "seconds"),
    [
        (answers(500), "temporary", "", 2),
        (answers(502, html=True), "temporary", "", 2),
        (answers(429, headers={"Retry-After": "17"}), "temporary", "", 17),
        (answers(401, {"code": 124, "message": "No."}), "provider_unavailable", "", 60),
        (answers(403), "provider_unavailable", "credentials or lacks the rights", 60),
        (answers(418), "provider_unavailable", "refuses", 60),
        (starts(None), "provider_unavailable", "no secure link", 60),
        (starts("http://zoom.us/s/1?zak=a"), "provider_unavailable", "no secure link", 60),
        (starts("https://zoom.us/s/1\r\nA: zak"), "provider_unavailable", "no ", 60),
    ],
    ids=["500", "html", "429", "401", "403", "418", "without", "http", "two lines"],
)
def test_what_a_lawyer_is_told(
    providers: Providers,
    zoom: Zoom,
    fault: Callable[[Case], Fault],
    code: str,
    words: str,
    seconds: int,
) -> None:
    case = Case(providers).made()
    zoom.script(fault(case))
    answer = case.click()
    assert refused(answer) == (503, code), answer.text
    assert answer.headers["Retry-After"] == str(seconds)
    assert "Zoom" in answer.json()["detail"] and words in answer.json()["detail"]
    assert "zak" not in answer.text and case.entered() == []
    zoom.calm()
    providers.stack.advance(BREAKER_S + 1)
    assert case.click().status_code == 302, "and then it is well again"


def test_zoom_is_away(providers: Providers, zoom: Zoom) -> None:
    case = Case(providers).made()
    zoom.down()
    began = time.monotonic()
    assert {case.refusal() for _ in range(8)} <= {"temporary", "provider_unavailable"}
    assert time.monotonic() - began < BUDGET_S
    assert case.entered() == []


def test_zoom_hangs(providers: Providers, zoom: Zoom) -> None:
    """Clicks hold only some of the threads, and these for a bounded time; reads go on."""
    case = Case(providers).made()
    zoom.hang_all()
    before = case.asked()

    def timed(call: Callable[[], object]) -> float:
        began = time.monotonic()
        call()
        return time.monotonic() - began

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        clicks = pool.submit(at_once, [lambda: timed(case.refusal)] * 40)
        until(lambda: case.asked() > before, "Zoom is asked")
        reads = [timed(lambda: case.people.client.request(case.id)) for _ in range(100)]
        assert not clicks.done()
        took = sorted(clicks.result())
    assert case.asked() - before <= BULKHEAD
    assert max(reads) < 1 and took[-1] < BUDGET_S
    assert sum(seconds < 2 for seconds in took) >= 40 - BULKHEAD, "the others are told at once"


def test_a_provider_that_was_switched_off(providers: Providers, zoom: Zoom) -> None:
    case = Case(providers).made()
    providers.policy(default_provider="jitsi")
    try:
        providers.configure("zoom", {"enabled": False})
        before = case.asked()
        answer = case.click()
        assert refused(answer) == (503, "provider_unavailable")
        assert "not enabled" in answer.json()["detail"] and case.asked() == before
    finally:
        providers.configure("zoom", zoom.provider())
        providers.policy(default_provider="zoom")


def lose(case: Case) -> None:
    ((_, live),) = case.providers.live_of(case.open)
    del case.zoom.meetings[int(live.id)]


def test_a_meeting_that_zoom_has_lost(providers: Providers, zoom: Zoom) -> None:
    """The click finds out, and has it made anew at once."""
    case, stack = Case(providers).made(), providers.stack
    stack.advance(20 * 60)
    join = case.people.client.request(case.id)["meeting"]["join_url"]
    until(lambda: not case.compared_soon(), "it was compared when it opened")
    lose(case)
    answer = case.click()
    assert refused(answer) == (409, "still_pending") and "made anew" in answer.json()["detail"]
    until(lambda: providers.live_of(case.open), "it is made anew")
    providers.until_status(case.id, "ready")
    _, live = providers.the_meeting(case.open)
    assert stack.anyone().get(join).headers["Location"] == live.join_url, "behind the same links"
    assert case.click().headers["Location"] == case.links()[-1]
    assert len(case.entered()) == 1


def test_a_meeting_that_zoom_has_ended(providers: Providers, zoom: Zoom) -> None:
    case = Case(providers).made()
    providers.stack.advance(95 * 60)
    until(lambda: not case.compared_soon(), "what was due while it was open is done")
    lose(case)
    before = case.stack.document(case.id)
    assert refused(case.click()) == (409, "meeting_over")
    assert case.stack.document(case.id) == before, "nothing is made for a meeting that is over"


def test_clicks_do_not_grow_the_document(providers: Providers, zoom: Zoom) -> None:
    case = Case(providers).made()

    def events() -> list[str]:
        return [event["action"] for event in providers.stack.document(case.id)["events"]]

    for _ in range(203):
        assert case.click().status_code == 302
    assert events().count("meeting.link_used") == 200
    providers.stack.advance(61)
    assert case.click().status_code == 302
    assert events().count("meeting.link_used") == 201, "one a minute from then on"
