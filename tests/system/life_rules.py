"""What the tables (docs/tables.md) and API.md allow: who may do what to a request in each state,
and what the join gate does."""

import base64
import dataclasses
import datetime
import re

import tables
from stack import ROOT

MAX_GENERATIONS = 6  # of the policy that test_life.py sets
OPENS, EXPIRES = datetime.timedelta(minutes=15), datetime.timedelta(minutes=60)

# Command in the tables -> end of the path.
PATHS = {
    "accept": "respond",
    "decline": "respond",
    "cancel": "cancel",
    "cancel meeting": "meeting/cancel",
    "regenerate": "meeting/regenerate",
    "reschedule": "meeting/reschedule",
    "retry": "meeting/retry",
    "outcome": "meeting/outcome",
}
# Command -> the event that says so; a retry says it where the meeting had been given up.
ACTIONS = {
    "accept": "request.accepted",
    "decline": "request.declined",
    "cancel": "request.cancelled",
    "cancel meeting": "meeting.cancelled",
    "regenerate": "meeting.regenerated",
    "reschedule": "meeting.rescheduled",
    "retry": "meeting.requested",
    "outcome": "meeting.outcome",
}


BY_REQUEST, BY_MEETING = tables.of_requests(), tables.of_meetings()
ERR_TABLE = (ROOT / "src/base/err_table.h").read_text()
EFFECT_TABLE = (ROOT / "src/core/effect_table.h").read_text()
LANES = dict(re.findall(r'^EFFECT\(\w+, "([\w.]+)",[^"]*\.lane = LANE_(\w+),', EFFECT_TABLE, re.M))
STATUSES = {code: int(n) for code, n in re.findall(r'^ERR\(\w+, "(\w+)", (\d+),', ERR_TABLE, re.M)}


@dataclasses.dataclass(frozen=True)
class State:
    """What decides about a command."""

    status: str
    meeting: str | None
    generation: int
    requested_provider: str | None
    starts_at: datetime.datetime
    ends_at: datetime.datetime
    given_up: bool  # something that may be tried again, beside the making of a meeting


def utc(value: datetime.datetime | None) -> datetime.datetime | None:
    """MongoDB's instants come without a zone."""
    return value and value.replace(tzinfo=datetime.UTC)


def given_up(document: dict) -> bool:
    meeting = document["meeting"] or {}
    status = document["status"] == "accepted" and meeting["status"]
    if status == "ready" and "provider_not_updated" in {w["code"] for w in meeting["warnings"]}:
        return True
    failed = any(e["state"] == "failed" for e in document.get("effects") or [])
    return failed and status != "failed"


def state_of(document: dict) -> State:
    meeting = document["meeting"] or {}
    return State(
        document["status"],
        meeting.get("status"),
        meeting.get("generation", 0),
        meeting.get("requested_provider"),
        utc(document["starts_at"]),
        utc(document["ends_at"]),
        given_up(document),
    )


def passed_through(before: dict, after: dict) -> list[tuple[State, dict | None]]:
    """The states between two looks at a document, oldest first, each with the event that ended
    it. Times are those of the first state until the first move, and then those of the last."""
    state, last = state_of(before), state_of(after)
    states: list[tuple[State, dict | None]] = []
    for event in after["events"][len(before["events"]) :]:
        if event["action"] == "meeting.retried":
            state = dataclasses.replace(state, given_up=True)
        states.append((state, event))
        kind, _, verb = event["action"].partition(".")
        changes: dict[str, object] = {}
        if event["action"] == "meeting.rescheduled" or event["action"] == "request.accepted":
            changes |= {"starts_at": last.starts_at, "ends_at": last.ends_at}
        if kind == "request":
            changes["status"] = event["to"]
        elif event["to"] in BY_MEETING["retry"]:
            changes["meeting"] = event["to"]
        if verb == "regenerated":
            changes["generation"] = state.generation + 1
        if verb in ("requested", "regenerated"):
            changes["requested_provider"] = event["detail"]
        if event["detail"] == "tried again":
            changes["requested_provider"] = state.requested_provider
        state = dataclasses.replace(state, **changes)
    return [*states, (last, None)]


def instant(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text)


def verdict(
    command: str, body: dict, state: State, now: datetime.datetime, accepted_with: dict | None
) -> str:
    """ "yes", or the code that refuses the command."""
    if command == "accept" and state.status == "accepted" and body == accepted_with:
        return "yes"
    if command == "retry" and state.given_up:
        return "yes"
    for table, column in ((BY_REQUEST, state.status), (BY_MEETING, state.meeting)):
        said = table.get(command, {}).get(column, "yes")
        if said != "yes":
            return said
    starts_at = instant(body["starts_at"]) if "starts_at" in body else None
    if command == "outcome":
        return "yes" if now >= state.starts_at else "meeting_not_started"
    if state.status == "accepted" and state.ends_at <= now:
        return "meeting_over"
    if starts_at and starts_at <= now:
        return "invalid"
    if command == "accept" and (starts_at or state.starts_at) <= now:
        return "starts_in_past"
    if command == "regenerate":
        if state.generation >= MAX_GENERATIONS:
            return "too_many_generations"
        wanted = body.get("provider") or state.requested_provider
        if state.meeting == "pending" and wanted == state.requested_provider:
            return "still_pending"
    return "yes"


def may_call(role: str | None, command: str) -> bool:
    return (role or "no token") in tables.routes()[f"POST /api/requests/{{}}/{PATHS[command]}"]


@dataclasses.dataclass(frozen=True)
class Token:
    """What a join token says, but for its seal."""

    request_id: str
    party: str
    generation: int


def read_token(url: str) -> Token:
    raw = base64.urlsafe_b64decode(url.rpartition("/")[2] + "==")
    request_id = base64.urlsafe_b64encode(raw[:16]).decode().rstrip("=")
    return Token(request_id, ("client", "lawyer")[raw[16]], int.from_bytes(raw[17:21], "big"))


def gate_answer(document: dict, generation: int, now: datetime.datetime) -> int:
    """The status of the join gate, for a link of that generation."""
    meeting = document["meeting"]
    if generation != meeting["generation"]:
        return 410
    if meeting["status"] in ("cancelled", "replaced", "expired"):
        return 410
    if now >= utc(meeting["expires_at"]):
        return 410
    if meeting["status"] != "ready" or now < utc(meeting["opens_at"]):
        return 403
    return 302
