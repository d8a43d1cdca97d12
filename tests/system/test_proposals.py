"""Another time that a client asks for: who may ask and decide, what is told, and when it ends."""

import datetime
from collections.abc import Iterator

import boards
import pytest
from caller import Parties, done, refused
from stack import Stack
from support import at_once, until

POLICY = "/api/config/meetings"
WHY = "I am in court\nthat day."


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory, mongodb_uri: str) -> Iterator[Stack]:
    """A stack with a clock and a policy that these tests may change."""
    with Stack(tmp_path_factory.mktemp("proposals"), mongodb_uri) as stack:
        yield stack


@pytest.fixture
def people(own: Stack) -> Parties:
    return own.parties()


def propose(people: Parties, request: dict, **fields: object) -> dict:
    body = {"starts_at": people.stack.at(days=5), "message": WHY} | fields
    return done(people.client.command(request["id"], "propose", **body))


def decide(people: Parties, request: dict, decision: str, **fields: object) -> dict:
    return done(people.lawyer.command(request["id"], "proposal", decision=decision, **fields))


def withdraw(people: Parties, request: dict):
    return people.client.delete(f"/api/requests/{request['id']}/meeting/propose")


def reasons(people: Parties, who: str, request: dict) -> list[str]:
    rows = getattr(people, who).fetch("/api/dashboard")["needs_action"]
    return [reason for row in rows if row["id"] == request["id"] for reason in row["reasons"]]


def check_boards(people: Parties) -> None:
    """What the dashboards find by index is what reading every document says. They tell the time in
    whole seconds."""
    people.stack.advance(1)
    documents = list(people.stack.requests.find())
    for who in ("client", "lawyer"):
        board = getattr(people, who).fetch("/api/dashboard")
        now = datetime.datetime.fromisoformat(board["now"])
        person = getattr(people, f"{who}_id")
        assert boards.shown(board) == boards.read(documents, who, person, now)


def mails(people: Parties, request: dict, who: str) -> dict[str, str]:
    """The texts that were mailed to one of the two, by kind."""
    people.stack.settle(request["id"])
    found = people.stack.mails.every(request["id"])
    return {m.kind: m.text() for m in found if m.recipient == request[who]["email"]}


def test_another_time_is_asked_for_and_accepted(own: Stack, people: Parties) -> None:
    request = people.accepted()
    own.settle(request["id"])
    starts_at = own.at(days=5)
    asked = propose(people, request, starts_at=starts_at, duration_minutes=30)
    proposal = asked["proposal"]
    assert proposal["status"] == "open" and proposal["message"] == WHY
    assert (proposal["starts_at"], proposal["duration_minutes"]) == (starts_at, 30)
    assert asked["starts_at"] == request["starts_at"], "nothing has moved"
    assert asked["meeting"]["sequence"] == request["meeting"]["sequence"]
    assert "propose" not in asked["links"] and "withdraw_proposal" in asked["links"]
    seen = people.lawyer.request(request["id"])
    assert seen["proposal"] == proposal and "proposal" in seen["links"]
    assert reasons(people, "lawyer", request) == ["proposal"]
    assert reasons(people, "client", request) == []
    for who in (people.client, people.lawyer):
        assert who.fetch("/api/dashboard")["counts"]["proposals"] == 1
    check_boards(people)
    text = mails(people, request, "lawyer")["meeting_proposed"]
    assert WHY.splitlines()[0] in text and "30 minutes" in text
    assert "meeting_proposed" not in mails(people, request, "client")

    moved = decide(people, request, "accept", message="That suits me.")
    assert (moved["starts_at"], moved["duration_minutes"]) == (starts_at, 30)
    assert moved["proposal"] is None and moved["meeting"]["starts_at"] == starts_at
    assert reasons(people, "lawyer", request) == []
    assert people.lawyer.fetch("/api/dashboard")["counts"]["proposals"] == 0
    check_boards(people)
    for who in ("client", "lawyer"):
        assert "That suits me." in mails(people, request, who)["meeting_updated"]
    trail = [e for e in people.lawyer.audit(request["id"]) if e["source"] == "api"][-2:]
    assert [(e["action"], e["actor"]["role"], e["to"]) for e in trail] == [
        ("meeting.proposed", "client", starts_at),
        ("meeting.rescheduled", "lawyer", starts_at),
    ]


def test_another_time_is_declined(own: Stack, people: Parties) -> None:
    request = people.accepted()
    own.settle(request["id"])
    propose(people, request)
    declined = decide(people, request, "decline", message="I am away.")["proposal"]
    assert (declined["status"], declined["answer"]) == ("declined", "I am away.")
    assert reasons(people, "client", request) == ["proposal_declined"]
    assert reasons(people, "lawyer", request) == []
    assert people.client.fetch("/api/dashboard")["counts"]["proposals"] == 0
    check_boards(people)
    assert "I am away." in mails(people, request, "client")["proposal_declined"]
    again = people.lawyer.command(request["id"], "proposal", decision="accept")
    assert refused(again) == (409, "no_proposal")
    assert done(withdraw(people, request))["proposal"] is None
    assert reasons(people, "client", request) == []
    assert refused(withdraw(people, request)) == (409, "no_proposal")
    actions = [event["action"] for event in people.client.audit(request["id"])]
    assert "meeting.proposal_declined" in actions and "meeting.proposal_withdrawn" in actions


def test_several_are_declined(own: Stack, people: Parties) -> None:
    """What the client sees comes in the order in which it ends, be what is ahead shown whole or not."""
    for count in (3, 20):
        for number in range(count):
            request = people.accepted(starts_at=own.at(days=9, hours=number))
            if number % 7 == 2:
                continue
            propose(people, request, starts_at=own.at(days=8, hours=-number * 5 % 7))
            decide(people, request, "decline")
        check_boards(people)


def test_there_is_one_at_a_time(own: Stack, people: Parties) -> None:
    request = people.accepted()
    body = {"starts_at": own.at(days=5), "message": WHY}
    first = done(people.client.command(request["id"], "propose", **body))
    again = done(people.client.command(request["id"], "propose", **body))
    assert again["proposal"] == first["proposal"]
    other = people.client.command(request["id"], "propose", starts_at=own.at(days=6))
    assert refused(other) == (409, "already_proposed")
    answers = at_once(
        [
            lambda: people.lawyer.command(request["id"], "proposal", decision="accept"),
            lambda: withdraw(people, request),
        ]
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    now = people.client.request(request["id"])
    assert now["proposal"] is None
    assert (now["starts_at"] == body["starts_at"]) == answers[0].ok


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"starts_at": None}, "/starts_at"),
        ({"starts_at": "tomorrow"}, "/starts_at"),
        ({"starts_at": "2020-01-01T00:00:00Z"}, "/starts_at"),
        ({"duration_minutes": 4}, "/duration_minutes"),
        ({"duration_minutes": 1441}, "/duration_minutes"),
        ({"message": "x" * 2001}, "/message"),
        ({"message": "\u202e"}, "/message"),
        ({"timezone": "Europe/Berlin"}, "/timezone"),
    ],
)
def test_what_cannot_be_asked_for(
    own: Stack, people: Parties, change: dict, pointer: str
) -> None:
    request = people.accepted()
    body = {"starts_at": own.at(days=5)} | change
    body = {name: value for name, value in body.items() if value is not None}
    answer = people.client.command(request["id"], "propose", **body)
    assert answer.status_code == 422, answer.text
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert people.client.request(request["id"])["proposal"] is None


def test_a_time_that_the_lawyer_has_not(own: Stack, people: Parties) -> None:
    starts_at = own.at(days=5)
    people.accepted(starts_at=starts_at)
    request = people.accepted()
    propose(people, request, starts_at=starts_at)
    answer = people.lawyer.command(request["id"], "proposal", decision="accept")
    assert refused(answer) == (409, "overlaps")
    assert people.client.request(request["id"])["proposal"]["status"] == "open"
    wrong = people.lawyer.command(
        request["id"], "proposal", decision="decline", allow_overlap=True
    )
    assert wrong.status_code == 422
    assert decide(people, request, "accept", allow_overlap=True)["starts_at"] == starts_at


def test_what_ends_it(own: Stack, people: Parties) -> None:
    moved, off = people.accepted(), people.accepted(starts_at=own.at(days=4))
    for request in (moved, off):
        propose(people, request)
    assert done(
        people.lawyer.command(moved["id"], "reschedule", starts_at=own.at(days=8))
    )["proposal"] is None
    assert done(people.client.command(off["id"], "cancel"))["proposal"] is None
    check_boards(people)
    for request in (moved, off):
        assert "proposal" not in reasons(people, "lawyer", request)


def test_its_time_passes(own: Stack, people: Parties) -> None:
    request = people.accepted(starts_at=own.at(hours=3))
    propose(people, request, starts_at=own.at(hours=1))
    own.settle(request["id"])
    url = f"/api/requests/{request['id']}"
    tag = people.client.get(url).headers["ETag"]
    assert people.client.get(url, headers={"If-None-Match": tag}).status_code == 304
    own.advance(3600)
    seen = people.client.get(url, headers={"If-None-Match": tag})
    assert done(seen)["proposal"] is None and "propose" in seen.json()["links"]
    assert reasons(people, "lawyer", request) == []
    check_boards(people)
    answer = people.lawyer.command(request["id"], "proposal", decision="accept")
    assert refused(answer) == (409, "no_proposal")


def test_it_is_too_late(own: Stack, people: Parties) -> None:
    """For the client, whom the policy bids to call; the lawyer is who is called."""
    done(own.admin().put(POLICY, {"change_until_minutes_before": 120}))
    try:
        request = people.accepted(starts_at=own.at(hours=3))
        own.settle(request["id"])
        url = f"/api/requests/{request['id']}"
        seen = people.client.get(url)
        assert {"cancel", "cancel_meeting", "propose"} <= seen.json()["links"].keys()
        own.advance(3600)
        seen = people.client.get(url, headers={"If-None-Match": seen.headers["ETag"]})
        assert not {"cancel", "cancel_meeting", "propose"} & done(seen)["links"].keys()
        for answer in (
            people.client.cancel(request["id"]),
            people.client.command(request["id"], "cancel"),
            people.client.command(request["id"], "propose", starts_at=own.at(days=2)),
        ):
            assert refused(answer) == (409, "too_late")
            assert "120 minutes" in answer.json()["detail"] and "call" in answer.json()["detail"]
        done(people.lawyer.command(request["id"], "reschedule", starts_at=own.at(days=2)))
        assert "cancel" in people.client.request(request["id"])["links"]
        done(people.client.cancel(request["id"]))
    finally:
        done(own.admin().put(POLICY, {"change_until_minutes_before": 0}))


def test_it_counts_as_a_change(own: Stack, people: Parties) -> None:
    request = people.accepted()
    own.settle(request["id"])
    done(own.admin().put(POLICY, {"max_changes_per_hour": 3}))
    try:
        propose(people, request)
        done(withdraw(people, request))
        answer = people.client.command(request["id"], "propose", starts_at=own.at(days=5))
        assert refused(answer) == (429, "too_many_changes")
        done(people.client.cancel(request["id"]))
    finally:
        done(own.admin().put(POLICY, {"max_changes_per_hour": 30}))


def test_its_words_are_erased(own: Stack, people: Parties) -> None:
    request = people.accepted()
    own.settle(request["id"])
    propose(people, request)
    own.settle(request["id"])
    assert own.admin().post(f"/api/people/{people.client_id}/erase").ok
    proposal = people.lawyer.request(request["id"])["proposal"]
    assert proposal["message"] is None and proposal["status"] == "open"
    assert decide(people, request, "decline")["proposal"]["status"] == "declined"
    until(lambda: not own.owed(request["id"]), "nothing is owed to who was erased")
    assert WHY.splitlines()[0] not in str(own.document(request["id"]))
