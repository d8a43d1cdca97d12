"""The commands on a meeting: who may give them, when, and what a repeat of one does."""

from collections.abc import Callable, Iterator

import pytest
from caller import Caller, Parties, done, new_key, refused
from stack import Stack
from support import at_once, until

# The commands on a meeting, each with a body that is valid.
BODIES: dict[str, Callable[[Stack], dict]] = {
    "cancel": lambda stack: {"reason": "Ill"},
    "regenerate": lambda stack: {"reason": "Leaked"},
    "reschedule": lambda stack: {"starts_at": stack.at(days=4)},
    "retry": lambda stack: {},
    "outcome": lambda stack: {"outcome": "held"},
}
# How the links of a request name them.
LINKS = {command: command for command in BODIES} | {"cancel": "cancel_meeting"}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory, mongodb_uri: str) -> Iterator[Stack]:
    """A stack with a clock that these tests may move on."""
    with Stack(tmp_path_factory.mktemp("commands"), mongodb_uri) as stack:
        yield stack


@pytest.fixture
def people(own: Stack) -> Parties:
    return own.parties()


def over(people: Parties) -> dict:
    """Its time has passed, but its links have not expired."""
    request = people.accepted(starts_at=people.stack.at(minutes=2), duration_minutes=5)
    people.stack.settle(request["id"])
    people.stack.advance(8 * 60)
    return request


def completed(people: Parties) -> dict:
    request = over(people)
    people.stack.advance(3600)
    until(lambda: people.client.request(request["id"])["status"] == "completed", "it is over")
    return request


def declined(people: Parties) -> dict:
    request = people.create()
    done(people.lawyer.respond(request["id"], "decline"))
    return request


def lapsed(people: Parties) -> dict:
    request = people.create(starts_at=people.stack.at(minutes=2))
    people.stack.advance(121)
    until(lambda: people.client.request(request["id"])["status"] == "lapsed", "it has lapsed")
    return request


def cancelled(people: Parties) -> dict:
    request = people.accepted()
    done(people.lawyer.cancel(request["id"]))
    return request


def without_meeting(people: Parties) -> dict:
    request = people.accepted()
    done(people.lawyer.command(request["id"], "cancel"))
    return request


# What refuses the commands on the meeting (but those that are allowed), and the request's own end.
@pytest.mark.parametrize(
    ("make", "code", "allowed", "of_cancel"),
    [
        (Parties.create, "not_accepted", set(), None),
        (declined, "not_accepted", set(), "already_decided"),
        (lapsed, "lapsed", set(), "lapsed"),
        (cancelled, "already_cancelled", set(), "already_cancelled"),
        (without_meeting, "meeting_ended", {"regenerate"}, None),
        (over, "meeting_over", {"outcome", "retry"}, "meeting_over"),
        (completed, "meeting_over", {"outcome"}, "meeting_over"),
    ],
    ids=["open", "declined", "lapsed", "cancelled", "without meeting", "over", "completed"],
)
def test_a_command_that_comes_at_the_wrong_time(
    own: Stack,
    people: Parties,
    make: Callable[[Parties], dict],
    code: str,
    allowed: set[str],
    of_cancel: str | None,
) -> None:
    request = make(people)
    own.settle(request["id"])
    before = people.lawyer.request(request["id"])
    for command in BODIES.keys() - allowed:
        answer = people.lawyer.command(request["id"], command, **BODIES[command](own))
        assert refused(answer) == (409, code), command
        assert LINKS[command] not in before["links"], "nor is it offered"
    assert people.lawyer.request(request["id"]) == before
    answer = people.client.cancel(request["id"])
    assert (None if answer.ok else answer.json()["code"]) == of_cancel


@pytest.mark.parametrize("command", BODIES)
def test_who_may_give_a_command(own: Stack, people: Parties, command: str) -> None:
    request = people.accepted()
    body = BODIES[command](own)
    other = own.parties()
    callers: list[tuple[Caller, int]] = [
        (own.anyone(), 401),
        (own.service(), 403),
        (other.lawyer, 404),
        (other.client, 404 if command == "cancel" else 403),
    ]
    if command != "cancel":
        callers.append((people.client, 403))
    for caller, status in callers:
        assert caller.command(request["id"], command, **body).status_code == status
    assert people.lawyer.request(request["id"])["meeting"] == request["meeting"]
    expected = {"retry": "already_ready", "outcome": "meeting_not_started"}
    answer = own.admin().command(request["id"], command, **body)
    assert (None if answer.ok else answer.json()["code"]) == expected.get(command)


@pytest.mark.parametrize("command", ["cancel", "regenerate", "reschedule", "outcome"])
def test_a_command_is_repeated(own: Stack, people: Parties, command: str) -> None:
    request = people.accepted(starts_at=own.at(minutes=2))
    if command == "outcome":
        own.advance(121)
    url, body = f"/api/requests/{request['id']}", BODIES[command](own)
    path = f"{url}/meeting/{command}"
    own.settle(request["id"])
    seen = people.lawyer.get(url).headers["ETag"]
    for stale in ('"other"', f"W/{seen}", people.client.get(url).headers["ETag"]):
        answer = people.lawyer.post(path, body, headers={"If-Match": stale})
        assert refused(answer) == (412, "precondition_failed"), stale
    headers = {"Idempotency-Key": new_key()}
    first = people.lawyer.post(path, body, headers=headers | {"If-Match": seen})
    assert "Idempotency-Replayed" not in first.headers
    after = done(first)
    again = people.lawyer.post(path, body, headers=headers)
    assert again.headers["Idempotency-Replayed"] == "true" and again.content == first.content
    changed = people.lawyer.post(path, body | {"reason": "Other"}, headers=headers)
    if command != "outcome":
        assert refused(changed) == (422, "idempotency_key_reused")
    now = people.lawyer.request(request["id"])["meeting"]
    assert now["sequence"] == after["meeting"]["sequence"], "it happened once"
    late = people.lawyer.post(path, body, headers={"If-Match": seen})
    assert refused(late) == (412, "precondition_failed")


@pytest.mark.parametrize("command", ["cancel", "regenerate", "reschedule"])
def test_one_key_at_once(own: Stack, people: Parties, command: str) -> None:
    request = people.accepted()
    path, body = f"/api/requests/{request['id']}/meeting/{command}", BODIES[command](own)
    headers = {"Idempotency-Key": new_key()}
    answers = at_once([lambda: people.lawyer.post(path, body, headers=headers)] * 8)
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert len({answer.content for answer in answers if answer.ok}) == 1
    assert people.lawyer.request(request["id"])["meeting"]["sequence"] == 1, "it happened once"
