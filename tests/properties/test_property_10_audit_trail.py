"""Property 10: whatever is done to a request, by whom and in whatever order, its trail has an event
for everything that was done and none for what was refused; with time, actor and source; in order;
with every change of status, so that the statuses follow from the trail alone; it names nobody but
by id, and it is whole.

Validates: Requirements 6.1, 6.4
"""

import datetime
from collections.abc import Iterator

import hypothesis
import hypothesis.strategies as st
import pytest
import requests
from caller import Caller, Parties
from providers import unique
from sim import Fault
from simulated import Simulated
from support import until

REASONS = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1)
CALLERS = st.sampled_from(["client", "lawyer", "lawyer", "admin", "service", "stranger"])
# Command -> path and the action that tells of it.
COMMANDS = {
    "accept": ("respond", "request.accepted"),
    "decline": ("respond", "request.declined"),
    "cancel": ("cancel", "request.cancelled"),
    "cancel meeting": ("meeting/cancel", "meeting.cancelled"),
    "regenerate": ("meeting/regenerate", "meeting.regenerated"),
    "reschedule": ("meeting/reschedule", "meeting.rescheduled"),
    "retry": ("meeting/retry", "meeting.requested"),
    "outcome": ("meeting/outcome", "meeting.outcome"),
}
# Accepting comes often, or nothing much happens.
NAMES = st.sampled_from([*COMMANDS, "accept", "accept", "regenerate"])
STEPS = st.one_of(
    st.tuples(st.just("command"), st.tuples(NAMES, CALLERS, REASONS)),
    st.tuples(st.just("fault"), st.sampled_from([400, 403, 429, 500, 503])),
    st.tuples(st.just("visit"), st.sampled_from(["client", "lawyer"])),
    st.tuples(st.just("wait"), st.integers(1, 200)),
)
STATUSES = {"open", "accepted", "declined", "lapsed", "cancelled", "completed"}
MEETING_STATUSES = {"pending", "ready", "failed", "cancelled", "expired", "replaced"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, mongodb_uri: str) -> Iterator[Simulated]:
    with Simulated(tmp_path_factory.mktemp("trail") / "stack", mongodb_uri) as world:
        yield world


def body_of(world: Simulated, name: str, reason: str, number: int) -> dict:
    if name in ("accept", "decline"):
        return {"decision": name, "message": reason}
    if name == "reschedule":
        return {"starts_at": world.stack.at(hours=5, minutes=number), "reason": reason}
    if name == "outcome":
        return {"outcome": ["held", "client_no_show", "lawyer_no_show"][number % 3]}
    return {} if name == "retry" else {"reason": reason}


def callers_of(world: Simulated, parties: Parties) -> dict[str, Caller]:
    return {
        "client": parties.client,
        "lawyer": parties.lawyer,
        "admin": world.stack.admin(),
        "service": world.stack.service(),
        "stranger": world.stack.lawyer("stranger"),
    }


class Trail:
    """What the trail of a request has to hold, as far as it is known."""

    def __init__(self, world: Simulated, parties: Parties, request: dict):
        self.world, self.id = world, request["id"]
        self.callers = callers_of(world, parties)
        self.people = {"client": parties.client_id, "lawyer": parties.lawyer_id}
        self.people |= {"admin": "admin-1", "service": "host-application"}
        self.events = self.read()

    def read(self) -> list[dict]:
        return self.callers["client"].audit(self.id)

    def command(self, number: int, name: str, who: str, reason: str) -> None:
        path, action = COMMANDS[name]
        body = body_of(self.world, name, reason, number)
        began = self.world.stack.now()
        answer = self.callers[who].post(f"/api/requests/{self.id}/{path}", body)
        self.check_done(answer, who, action, began)

    def check_done(
        self, answer: requests.Response, who: str, action: str, began: datetime.datetime
    ) -> None:
        """That what was done is told, by whom and when; and nothing of what was not."""
        own = [e for e in self.new() if e["source"] == "api"]
        if answer.status_code != 200:
            assert own == [], f"{answer.text} left {own}"
            return
        ended = self.world.stack.now()
        changed = action in [event["action"] for event in own]
        assert changed or (action in ("request.accepted", "meeting.outcome") and not own)
        for event in own:
            assert event["actor"] == {"id": self.people[who], "role": who}
            assert event["trace_id"] == answer.headers["X-Request-Id"]
            assert began - MILLISECOND <= instant(event["at"]) <= ended

    def visit(self, who: str) -> None:
        """Whoever enters by the gate is told of as the one whose link it was."""
        meeting = self.callers[who].request(self.id)["meeting"]
        if not meeting or not meeting["join_url"]:
            return
        self.new()
        answer = self.world.stack.anyone().get(meeting["join_url"])
        joined = [e for e in self.new() if e["source"] == "gate"]
        assert len(joined) == (answer.status_code == 302)
        for event in joined:
            assert event["action"] == "meeting.link_used"
            assert event["actor"] == {"id": self.people[who], "role": who}

    def new(self) -> list[dict]:
        """What has come to the trail since the last look; all else is as it was."""
        before, self.events = self.events, self.read()
        assert self.events[: len(before)] == before, "append-only"
        return self.events[len(before) :]


MILLISECOND = datetime.timedelta(milliseconds=1)


def instant(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text)


def check_statuses(events: list[dict], request: dict, generations: list[dict]) -> None:
    """From the trail alone follows what the request and every generation of its meeting are."""
    status, meetings = None, []
    for event in events:
        kind, source, target = event["action"], event["from"], event["to"]
        if kind.startswith("request."):
            assert source == status and target in STATUSES, event
            status = target
        elif target in MEETING_STATUSES and kind != "meeting.rescheduled":
            if kind == "meeting.regenerated" or (kind == "meeting.requested" and not meetings):
                assert source == (meetings[-1] if meetings else None), event
                meetings.append(target)
            else:
                assert source == meetings[-1], event
                meetings[-1] = target
    assert status == request["status"]
    assert meetings == [row["status"] for row in reversed(generations)]


def check_words(events: list[dict], parties: Parties, reasons: set[str]) -> None:
    """Names, addresses, links, and what people wrote, are not in it."""
    words = str(events)
    for secret in ("Client Ex", "Lawyer Ex", "@example.com", "/join/", "https://", "zoom.us/j"):
        assert secret not in words
    told = {event["detail"] for event in events}
    assert not {reason for reason in reasons if len(reason) > 8 and reason in told}
    assert {e["actor"].get("id") for e in events} <= {
        None,
        "admin-1",
        "host-application",
        parties.client_id,
        parties.lawyer_id,
    }


@hypothesis.settings(max_examples=50)
@hypothesis.given(steps=st.lists(STEPS, max_size=14))
def test_everything_that_happens_is_told(world: Simulated, steps: list) -> None:
    bodies = world.renew()
    world.enable(
        bodies,
        default_provider="zoom",
        failover=["teams"],
        inline_wait_ms=400,
        retry={"first_s": 1, "max_s": 60, "give_up_s": 60},
    )
    parties = world.stack.parties()
    request = parties.create(title=unique("Matter"), starts_at=world.stack.at(hours=4))
    trail = Trail(world, parties, request)
    created = trail.events[0]  # the lawyer may have been told of it by now
    assert (created["action"], created["from"], created["to"]) == ("request.created", None, "open")
    assert created["actor"] == {"id": parties.client_id, "role": "client"}
    reasons = set()
    for number, (kind, what) in enumerate(steps):
        if kind == "command":
            name, who, reason = what
            reasons.add(reason)
            trail.command(number, name, who, reason)
        elif kind == "fault":
            world["zoom"].script(Fault(status=what, times=3))
            world["teams"].script(Fault(status=what, times=2))
        elif kind == "visit":
            trail.visit(what)
        else:
            world.stack.advance(60 * what)
    for sim in world.sims.values():
        sim.calm()
    world.finish(request["id"])

    def is_alike() -> bool:
        """A reminder may leave between two who read."""
        trail.new()
        readers = (parties.lawyer, world.stack.admin())
        return [caller.audit(request["id"]) for caller in readers] == [trail.events] * 2

    until(is_alike, "everybody reads the same")
    times = [instant(event["at"]) for event in trail.events]
    assert times == sorted(times) and times[-1] <= world.stack.now()
    for event in trail.events:
        assert (event["actor"]["role"] == "system") == (event["source"] == "dispatcher")
        assert event["request_id"] == request["id"]
    for _, caller in sorted(trail.callers.items())[:3]:
        view = caller.request(request["id"])
        rows = caller.fetch(f"/api/requests/{request['id']}/meetings")["items"]
        check_statuses(trail.events, view, rows)
    check_words(trail.events, parties, reasons)
    said = world.stack.run("verify-audit", "--request", request["id"])
    assert said.endswith(" 0 broken\n"), said
