"""Processes are killed at every named place around the call of a provider: one meeting, or none."""

import collections
from collections.abc import Iterator
from mailbox import SmtpServer

import pytest
from caller import Parties
from providers import Providers, unique
from stack import LEASE_S
from support import until
from test_sudden_death import PLACES

# Those that are passed by who calls a provider. A worker leases with the change itself.
CLAIM = [place for place in PLACES if place.startswith("claim.")]
PERFORM = [place for place in PLACES if place.startswith(("effect.", "settle."))]
CHANGE = [place for place in PLACES if place.startswith("change.")]
# Where a meeting is there already, and only the dead knew of it.
KNOWN_TO_NOBODY = ["effect.after", "settle.before_save"]


class Death:
    """A stack in which the first process to pass the place dies, once it is armed."""

    def __init__(self, folder, mongodb_uri: str, smtp: SmtpServer, place: str):
        self.trigger = folder / "trigger"
        # One performer: a death then hits one effect, not several at once.
        settings = {"SERVER_DISPATCHER_THREADS": 1, "FAULT": f"{place}:{self.trigger}"}
        self.providers = Providers(folder / "stack", mongodb_uri, smtp, **settings)
        self.stack = self.providers.stack
        self.whole: set[int] = set()

    def arm(self) -> None:
        self.whole = set(self.stack.children())
        self.trigger.touch()

    def strike(self) -> None:
        until(lambda: not self.trigger.exists(), "somebody passes the place")
        until(lambda: self.whole - set(self.stack.children()), "somebody dies")
        until(lambda: len(self.stack.children()) == len(self.whole), "everybody is back")

    def outlive(self, request: dict) -> collections.Counter:
        """Waits for the death, lets the lease of the dead run out, and all be done again."""
        self.strike()
        self.stack.advance(LEASE_S + 1)
        document = self.providers.finish(request["id"])
        return collections.Counter(event["action"] for event in document["events"])

    def accepted(self) -> tuple[Parties, dict]:
        parties = self.stack.parties()
        request = parties.accept(parties.create(title=unique("Advice")), provider="zoom")
        self.providers.finish(request["id"])
        return parties, request

    def mails(self, request: dict, method: str) -> list[str]:
        """Who got one, in order. What was leaving at the death may come again, by its name."""
        mails = self.stack.mails.of(request["id"])
        mails = [m for m in mails if m.part("text/calendar").get_param("method") == method]
        named = {(mail.id, mail.recipient) for mail in mails}
        assert len(named) == len({mail.id for mail in mails}), "a name is one person's"
        assert len(mails) <= len(named) + 1, "one sender died"
        return sorted(recipient for _, recipient in named)


@pytest.fixture(scope="module")
def place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, mongodb_uri: str
) -> Iterator[Death]:
    smtp = SmtpServer()
    death = Death(tmp_path_factory.mktemp("death"), mongodb_uri, smtp, request.param)
    with death.providers:
        yield death
    smtp.stop()


@pytest.fixture
def death(place: Death) -> Iterator[Death]:
    """Everything made inline again, and nobody armed."""
    place.trigger.unlink(missing_ok=True)
    place.providers.policy(inline_wait_ms=5000)
    yield place


def at(*places: list[str]) -> pytest.MarkDecorator:
    names = [name for each in places for name in each]
    return pytest.mark.parametrize("place", names, indirect=True)


def both(request: dict) -> list[str]:
    return sorted(request[who]["email"] for who in ("client", "lawyer"))


def check_creation(death: Death, name: str) -> None:
    parties = death.stack.parties()
    request = parties.create(title=unique("Advice"))
    death.arm()
    assert parties.accept(request, provider=name)["status"] == "accepted"
    actions = death.outlive(request)
    assert death.providers.the_meeting(request)[0] == name
    assert (actions["request.accepted"], actions["meeting.ready"]) == (1, 1), actions
    assert death.mails(request, "REQUEST") == both(request)


@at(CHANGE, PERFORM)
def test_of_a_worker_that_makes_a_meeting(death: Death) -> None:
    check_creation(death, "zoom")


@at(KNOWN_TO_NOBODY)
@pytest.mark.parametrize("name", ["google_meet", "teams"])
def test_a_meeting_known_to_nobody_is_found(death: Death, name: str) -> None:
    check_creation(death, name)


@at(CLAIM, PERFORM)
def test_of_a_dispatcher_that_makes_a_meeting(death: Death) -> None:
    death.providers.policy(inline_wait_ms=0)
    check_creation(death, "zoom")


@at(CHANGE, CLAIM, PERFORM)
def test_on_the_way_to_another_time(death: Death) -> None:
    parties, request = death.accepted()
    _, before = death.providers.the_meeting(request)
    death.arm()
    url = f"/api/requests/{request['id']}/meeting/reschedule"
    answer = parties.lawyer.post(url, {"starts_at": death.stack.at(days=5)})
    assert answer.status_code == 200, answer.text
    actions = death.outlive(request)
    _, meeting = death.providers.the_meeting(request)
    assert (meeting.id, meeting.join_url) == (before.id, before.join_url)
    assert meeting.starts_at == answer.json()["starts_at"]
    assert actions["meeting.rescheduled"] == 1
    assert death.mails(request, "REQUEST") == sorted(both(request) * 2)


@at(CHANGE, CLAIM, PERFORM)
def test_on_the_way_to_a_cancellation(death: Death) -> None:
    parties, request = death.accepted()
    death.arm()
    answer = parties.client.cancel(request["id"])
    assert answer.status_code == 200, answer.text
    actions = death.outlive(request)
    assert death.providers.live_of(request) == []
    assert (actions["request.cancelled"], actions["provider.orphan_deleted"]) == (1, 1), actions
    assert death.mails(request, "CANCEL") == both(request)


@at(KNOWN_TO_NOBODY)
def test_cancelled_while_nobody_knows_of_it(death: Death) -> None:
    """Made by one who died before it could say so, and cancelled before anybody looks."""
    death.providers.policy(inline_wait_ms=0)
    parties = death.stack.parties()
    request = parties.create(title=unique("Advice"))
    death.arm()
    parties.accept(request, provider="zoom")
    death.strike()
    assert len(death.providers.live_of(request)) == 1
    answer = parties.client.cancel(request["id"])
    assert answer.status_code == 200, answer.text
    death.stack.advance(LEASE_S + 1)
    document = death.providers.finish(request["id"])
    assert death.providers.live_of(request) == []
    assert "meeting.ready" not in [event["action"] for event in document["events"]]
    assert death.stack.mails.of(request["id"]) == [], "nobody was told that there is one"


@at(CHANGE, CLAIM, PERFORM)
def test_nothing_else_lives_on(place: Death) -> None:
    """What exists at the providers is what the requests name."""
    documents = place.stack.requests.find({"meeting.status": "ready"}, {"meeting": 1})
    named = {(d["meeting"]["provider"], d["meeting"]["external_mark"]) for d in documents}
    mark = place.stack.mark
    assert {(name, mark(name, live.id)) for name, live in place.providers.live()} == named
