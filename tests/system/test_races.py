"""Many at once: one outcome, one meeting, one mail each."""

import collections
import concurrent.futures

import pytest
from caller import Parties, new_key
from stack import Stack
from support import at_once, until


def assert_one_meeting(stack: Stack, request: dict) -> None:
    """One live meeting, decided once, and one mail to each."""
    document = stack.settle(request["id"])
    actions = collections.Counter(event["action"] for event in document["events"])
    assert actions == {
        "request.created": 1,
        "request.accepted": 1,
        "meeting.requested": 1,
        "meeting.ready": 1,
        "mail.sent": 2,
    }
    mails = stack.mails.of(request["id"])
    assert sorted(mail.recipient for mail in mails) == sorted(
        request[who]["email"] for who in ("client", "lawyer")
    )
    assert len({mail.id for mail in mails}) == 2


@pytest.mark.parametrize("messages", [("Yes", "Yes"), ("Yes", "Certainly")])
def test_two_accepts(parties: Parties, messages: tuple[str, str]) -> None:
    for _ in range(5):
        request = parties.create()
        answers = at_once(
            lambda m=m: parties.lawyer.respond(request["id"], "accept", message=m) for m in messages
        )
        same = messages[0] == messages[1]
        assert sorted(a.status_code for a in answers) == ([200, 200] if same else [200, 409])
        assert len({a.json()["meeting"]["join_url"] for a in answers if a.ok}) == 1
        assert all(a.json()["code"] == "already_decided" for a in answers if not a.ok)
        assert_one_meeting(parties.stack, request)


def test_accept_against_decline(parties: Parties) -> None:
    for _ in range(10):
        request = parties.create()
        answers = at_once(
            lambda d=d: parties.lawyer.respond(request["id"], d) for d in ("accept", "decline")
        )
        assert sorted(a.status_code for a in answers) == [200, 409]
        assert [a.json()["code"] for a in answers if not a.ok] == ["already_decided"]
        (won,) = [a.json() for a in answers if a.ok]
        document = parties.stack.settle(request["id"])
        assert document["status"] == won["status"]
        if won["status"] == "accepted":
            assert_one_meeting(parties.stack, request)
        else:
            assert document["meeting"] is None
            (mail,) = parties.stack.mails.of(request["id"])
            assert mail.recipient == request["client"]["email"]


def test_accept_against_cancel(parties: Parties) -> None:
    """Either order is right; in the end it is cancelled, and nobody keeps an invitation."""
    for _ in range(10):
        request = parties.create()
        accept, cancel = at_once(
            [
                lambda: parties.lawyer.respond(request["id"], "accept"),
                lambda: parties.client.cancel(request["id"]),
            ]
        )
        assert cancel.status_code == 200 and accept.status_code in (200, 409)
        document = parties.stack.settle(request["id"])
        assert document["status"] == "cancelled"
        sent = collections.Counter()
        for mail in parties.stack.mails.of(request["id"]):
            if mail.kind == "request_cancelled":  # to the lawyer, who had been told of it
                assert (accept.status_code, mail.recipient) == (409, request["lawyer"]["email"])
                continue
            sent[mail.recipient, mail.part("text/calendar").get_param("method")] += 1
        assert set(sent.values()) <= {1}
        assert {r for r, m in sent if m == "REQUEST"} == {r for r, m in sent if m == "CANCEL"}


def test_fifty_accepts_of_one_request(parties: Parties) -> None:
    request = parties.create()
    answers = at_once([lambda: parties.lawyer.respond(request["id"], "accept")] * 50)
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["meeting"]["join_url"] for answer in answers}) == 1
    assert_one_meeting(parties.stack, request)


@pytest.mark.parametrize("count", [2, 16])
def test_one_key_at_once(parties: Parties, count: int) -> None:
    body, headers = parties.draft(), {"Idempotency-Key": new_key()}
    call = lambda: parties.client.post("/api/requests", body, headers=headers)  # noqa: E731
    answers = at_once([call] * count)
    assert {answer.status_code for answer in answers} <= {201, 409}
    bodies = {answer.content for answer in answers if answer.ok}
    assert len(bodies) == 1, "whoever gets an answer gets the same one"
    assert parties.stack.requests.count_documents({"client.id": parties.client_id}) == 1


def test_one_key_with_two_bodies_at_once(parties: Parties) -> None:
    headers = {"Idempotency-Key": new_key()}
    answers = at_once(
        lambda t=t: parties.client.post("/api/requests", parties.draft(title=t), headers=headers)
        for t in ("one", "two")
    )
    assert sorted(answer.status_code for answer in answers) in ([201, 422], [201, 409])
    assert parties.stack.requests.count_documents({"client.id": parties.client_id}) == 1


def test_two_hundred_requests_by_sixteen_clients(stack: Stack) -> None:
    """None missing and none doubled, counted by Message-ID and by recipient."""

    def story(_: int) -> dict:
        parties = stack.parties()
        return parties.accepted()

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        made = list(pool.map(story, range(200)))
    ids = {request["id"] for request in made}
    people = {request[who]["email"] for request in made for who in ("client", "lawyer")}
    assert len(ids) == 200 and len(people) == 400
    owing = {"_id": {"$in": list(ids)}, "effects.kind": "mail.meeting_ready"}
    until(lambda: stack.requests.count_documents(owing) == 0, "all mails are sent", 180)
    rooms, recipients, message_ids = set(), collections.Counter(), collections.Counter()
    for document in stack.requests.find({"_id": {"$in": list(ids)}}):
        assert document["status"] == "accepted" and document["meeting"]["status"] == "ready"
        rooms.add(document["meeting"]["id"])
    for mail in stack.mails.all():
        if mail.recipient in people and mail.kind == "meeting_ready":
            recipients[mail.recipient] += 1
            message_ids[mail.id] += 1
    assert len(rooms) == 200
    assert set(recipients) == people and set(recipients.values()) == {1}
    assert len(message_ids) == 400 and set(message_ids.values()) == {1}
