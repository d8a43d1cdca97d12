"""What is owed is seen and steered: retried, discarded, sent to another address."""

import pathlib
import subprocess
from collections.abc import Callable, Iterator
from mailbox import SmtpServer, check_invitation

import pytest
from caller import Parties, done, new_key, refused
from stack import PROGRAM, Stack
from support import until
from wire import Wire

MANY = 10_000


@pytest.fixture
def stack(start: Callable[..., Stack], smtp: SmtpServer) -> Stack:
    return start(smtp)


def outbox(stack: Stack, **query: object) -> list[dict]:
    """All items, page by page."""
    items, cursor = [], {}
    while True:
        page = stack.admin().fetch("/api/outbox", params=query | cursor)
        assert len(page["items"]) <= query.get("limit", 50)
        items += page["items"]
        if page["next_cursor"] is None:
            return items
        cursor = {"cursor": page["next_cursor"]}


def warnings(request: dict) -> set[str]:
    return {warning["code"] for warning in request["meeting"]["warnings"]}


def counts(stack: Stack) -> dict:
    return stack.admin().fetch("/api/outbox")["counts"]


def decide(stack: Stack, item: dict, what: str, body: object = None, **options: object):
    return stack.admin().post(f"/api/outbox/{item['id']}/{what}", body, **options)


def failed(stack: Stack, smtp: SmtpServer, who: str = "client") -> tuple[Parties, dict, dict]:
    """An accepted request one of whose invitations was refused for good, and one has left."""
    parties = stack.parties()
    smtp.answers[parties.person(who)["email"]] = "550 5.1.1 no such mailbox"
    request = parties.accepted()

    def given_up() -> list[dict]:
        items = outbox(stack, state="failed", kind="mail.meeting_ready")
        return [item for item in items if item["request_id"] == request["id"]]

    def is_rest_done() -> bool:
        return all(effect["state"] == "failed" for effect in stack.owed(request["id"]))

    (item,) = until(given_up, "it is given up")
    until(is_rest_done, "the other one is invited")
    return parties, request, item


def test_a_failed_mail_is_seen_and_retried(stack: Stack, smtp: SmtpServer) -> None:
    parties, request, item = failed(stack, smtp)
    assert item["kind"] == "mail.meeting_ready" and item["party"] == "client"
    assert item["email"] == request["client"]["email"] and item["attempts"] == 1
    assert "550" in item["last_error"]["detail"]
    assert counts(stack)["failed"] == 1
    assert counts(stack)["kinds"]["mail.meeting_ready"] == {"owed": 0, "failed": 1}
    assert stack.admin().fetch("/api/outbox")["oldest_failed_at"]
    for who in (parties.lawyer, stack.admin()):
        (row,) = who.fetch("/api/dashboard")["needs_action"]
        assert row["id"] == request["id"] and "not_told" in row["reasons"]
    smtp.answers.clear()
    key = {"Idempotency-Key": new_key()}
    first = decide(stack, item, "retry", headers=key)
    again = decide(stack, item, "retry", headers=key)
    assert done(first)["id"] == request["id"] and first.content == again.content
    assert again.headers["Idempotency-Replayed"] == "true"
    stack.settle(request["id"])
    assert len(stack.mails.to(request["client"]["email"])) == 1
    assert refused(decide(stack, item, "retry")) == (404, "not_found")
    actions = [(e["action"], e["actor"]["role"]) for e in parties.lawyer.audit(request["id"])]
    assert ("mail.retried", "admin") in actions
    assert outbox(stack, state="failed") == [] and counts(stack)["failed"] == 0


@pytest.mark.parametrize("limit", [1, 2])
def test_what_cannot_be_read_hides_nothing(stack: Stack, smtp: SmtpServer, limit: int) -> None:
    made = [failed(stack, smtp)[1]["id"] for _ in range(6)]
    bad = {made[0], made[1], made[2], made[4]}
    stack.requests.update_many({"_id": {"$in": list(bad)}}, {"$set": {"title": 7}})
    listed = [item["request_id"] for item in outbox(stack, state="failed", limit=limit)]
    assert listed == [made[3], made[5]]
    printed = stack.run("outbox", "list", "--state", "failed").splitlines()
    assert len(printed) == 2


def test_discarded(stack: Stack, smtp: SmtpServer) -> None:
    parties, request, item = failed(stack, smtp)
    shown = done(decide(stack, item, "discard"))
    assert "client_not_told" not in warnings(shown)
    assert refused(decide(stack, item, "discard")) == (404, "not_found")
    assert outbox(stack, state="failed") == []
    assert stack.admin().fetch("/api/dashboard")["needs_action"] == []
    (event,) = [e for e in parties.lawyer.audit(request["id"]) if e["action"] == "mail.discarded"]
    assert event["to"] == "client" and event["detail"] == "meeting_ready"
    assert smtp.attempts[request["client"]["email"]] == 1


@pytest.mark.parametrize("who", ["client", "lawyer"])
def test_readdressed(stack: Stack, smtp: SmtpServer, who: str) -> None:
    other = "lawyer" if who == "client" else "client"
    _, request, item = failed(stack, smtp, who)
    tries = smtp.attempts[request[who]["email"]]  # of the news of the request perhaps, too
    wrong = [request[other]["email"], "nobody", "a@b@c", ""]
    for email in wrong:
        answer = decide(stack, item, "readdress", {"email": email})
        assert refused(answer) == (422, "invalid"), email
    answer = decide(stack, item, "readdress", {"email": "New@Example.Com"})
    assert done(answer)[who]["email"].lower() == "new@example.com"
    assert f"{who}_not_told" not in warnings(answer.json())
    stack.settle(request["id"])
    (mail,) = [m for m in stack.mails.of(request["id"]) if m.recipient.lower() == "new@example.com"]
    event = check_invitation(mail, "REQUEST")
    told = [m for m in stack.mails.of(request["id"]) if m.recipient == request[other]["email"]]
    assert len(told) == 2, "the invitation shows the address to the other one"
    assert check_invitation(told[-1], "REQUEST")["SEQUENCE"] == event["SEQUENCE"]
    assert smtp.attempts[request[who]["email"]] == tries, "the dead address is left alone"
    assert outbox(stack, state="failed") == []
    done(stack.admin().cancel(request["id"]))
    stack.settle(request["id"])
    assert [m.recipient.lower() for m in stack.mails.of(request["id"])].count(
        "new@example.com"
    ) == 2


def test_what_cannot_be_decided(stack: Stack, smtp: SmtpServer) -> None:
    parties, request, item = failed(stack, smtp)
    waiting = [i for i in outbox(stack, state="waiting") if i["request_id"] == request["id"]]
    assert {i["kind"] for i in waiting} >= {"meeting.expire"}
    assert all(i["state"] == "waiting" for i in waiting)
    for what in ("retry", "discard"):
        assert refused(decide(stack, waiting[0], what)) == (409, "not_failed")
    for wrong in ("x", "A" * 44, item["id"][:-1], item["id"][22:] + item["id"][:22]):
        assert refused(decide(stack, {"id": wrong}, "retry")) == (404, "not_found")
    body = {"email": "new@example.com"}
    assert refused(decide(stack, item, "readdress", body | {"more": 1})) == (422, "invalid")
    for who in (stack.service(), parties.lawyer, parties.client):
        assert who.get("/api/outbox").status_code == 403
        assert who.post(f"/api/outbox/{item['id']}/retry").status_code == 403
    for query in ({"kind": "mail"}, {"state": "late"}, {"cursor": "x"}, {"cursor": "7.1.1."}):
        answer = stack.admin().get("/api/outbox", params=query)
        assert refused(answer) == (422, "invalid"), query
    assert stack.admin().post(f"/api/people/{parties.client_id}/erase").status_code == 200
    assert refused(decide(stack, item, "readdress", body)) == (404, "not_found")


def test_from_the_command_line(stack: Stack, smtp: SmtpServer) -> None:
    parties, request, item = failed(stack, smtp)
    (line,) = stack.run("outbox", "list", "--state", "failed").splitlines()
    assert line.split()[:4] == [item["id"], "failed", "mail.meeting_ready", "1"]
    assert len(stack.run("outbox", "list").splitlines()) == len(outbox(stack))
    assert stack.run("outbox", "list", "--kind", "meeting.update") == ""
    smtp.answers.clear()
    stack.run("outbox", "retry", item["id"])
    stack.settle(request["id"])
    assert len(stack.mails.to(request["client"]["email"])) == 1
    (event,) = [e for e in parties.lawyer.audit(request["id"]) if e["action"] == "mail.retried"]
    assert event["source"] == "cli" and event["actor"] == {"role": "system"}
    _, _, item = failed(stack, smtp)
    stack.run("outbox", "discard", item["id"])
    assert outbox(stack, state="failed") == []
    for wrong in (["retry", item["id"]], ["retry"], ["list", "--kind", "x"], ["forget", "x"]):
        with pytest.raises(AssertionError):
            stack.run("outbox", *wrong)
    for begins in ("-h", "--"):  # as an option does
        with pytest.raises(AssertionError, match="It is not owed"):
            stack.run("outbox", "discard", begins + "A" * 42)


@pytest.fixture
def crowded(
    tmp_path: pathlib.Path, mongodb_uri: str, smtp: SmtpServer
) -> Iterator[tuple[Stack, Wire]]:
    with Wire(mongodb_uri) as wire, Stack(
        tmp_path / "stack", mongodb_uri, smtp, MONGODB_URI=wire.uri, SERVER_DISPATCHERS=0
    ) as stack:
        yield stack, wire


HEAVY = ("events", "answers", "client_news", "lawyer_news")


def fill(stack: Stack, request: dict, count: int) -> None:
    """So many more like it, which all failed at one instant; without what nobody looks at here, and
    without sealed values, which open in the document alone that they were sealed in."""
    first = stack.requests.count_documents({})
    template = {k: v for k, v in stack.document(request["id"]).items() if k not in HEAVY}
    for effect in template["effects"]:
        effect.get("mail", {}).pop("facts", None)
    stack.requests.insert_many(
        template | {"_id": f"{i:022d}"} for i in range(first, first + count)
    )


def test_its_cost_does_not_grow(crowded: tuple[Stack, Wire]) -> None:
    """A page costs as many round trips and as many documents with ten thousand as with fifty."""
    stack, wire = crowded
    request = stack.parties().accepted()
    error = {"code": "permanent", "detail": "550 no", "provider": None, "at": stack.now()}
    # Nothing that comes due meanwhile.
    kinds = {"mail.meeting_ready", "meeting.expire"}
    effects = [e for e in stack.document(request["id"])["effects"] if e["kind"] in kinds]
    for effect in effects:
        if effect["kind"] == "mail.meeting_ready":
            effect |= {"state": "failed", "last_error": error}
    stack.requests.update_one(
        {"_id": request["id"]},
        {
            "$set": {
                "effects": effects,
                "owes": ["owed", "owed meeting.expire", "failed", "failed mail.meeting_ready"],
                "failed_at": stack.now(),
            }
        },
    )
    queries = [{}, {"state": "failed"}, {"kind": "mail.meeting_ready", "state": "failed"}]
    queries += [{"state": "waiting"}, {"state": "due"}, {"kind": "meeting.expire"}]

    def costs() -> list[tuple[int, int]]:
        found = []
        for query in queries:
            before = wire.traffic()
            page = stack.admin().fetch("/api/outbox", params=query | {"limit": 10})
            found.append(((wire.traffic() - before).round_trips, len(page["items"])))
        return found

    fill(stack, request, 50)
    few = costs()
    whole = outbox(stack, state="failed", kind="mail.meeting_ready", limit=25)
    assert len(whole) == 2 * 51, "each once, though all failed at one instant"
    assert len({item["id"] for item in whole}) == len(whole)
    fill(stack, request, MANY)
    many = costs()
    assert many == few
    page = stack.admin().fetch("/api/outbox", params={"state": "failed", "limit": 1})
    assert page["counts"]["failed"] == 1000 and page["counts_capped"] is True
    assert "counts" not in stack.admin().fetch(
        "/api/outbox", params={"state": "failed", "cursor": page["next_cursor"]}
    )


def test_pages_of_one(stack: Stack, smtp: SmtpServer) -> None:
    """Two of one request, and a page ends between them."""
    parties = stack.parties()
    for who in ("client", "lawyer"):
        smtp.answers[parties.person(who)["email"]] = "550 no"
    request = parties.accepted()
    until(lambda: len(outbox(stack, state="failed")) == 2, "both are given up")
    everything = outbox(stack)
    assert outbox(stack, limit=1) == outbox(stack, limit=2) == everything
    assert [i["state"] for i in everything][:2] == ["failed", "failed"]
    assert {i["request_id"] for i in everything} == {request["id"]}


def test_help() -> None:
    done = subprocess.run([PROGRAM, "outbox", "--help"], capture_output=True, text=True)
    assert done.returncode == 0 and "retry|discard" in done.stdout
