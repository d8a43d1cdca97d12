"""A request that nobody answers lapses when its time comes."""

from collections.abc import Iterator

import pytest
from caller import Parties, done, refused
from stack import Stack
from support import at_once, until

WORDS = {
    ("client", None): ("Your request lapsed", "has not answered your request"),
    ("lawyer", None): ("A request to you lapsed", "can no longer be answered"),
    ("client", "de-AT"): ("Ihre Anfrage ist verfallen", "nicht beantwortet"),
    ("lawyer", "de-AT"): ("Eine Anfrage an Sie ist verfallen", "kann nicht mehr beantwortet"),
}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory, mongodb_uri: str) -> Iterator[Stack]:
    """A stack with a clock that these tests may move on."""
    with Stack(tmp_path_factory.mktemp("unanswered"), mongodb_uri) as stack:
        yield stack


def status(people: Parties, request: dict) -> str:
    return people.client.request(request["id"])["status"]


def flat(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("locale", [None, "de-AT"])
def test_both_are_told(own: Stack, locale: str | None) -> None:
    people = own.parties()
    parties = {who: people.person(who, locale=locale) for who in ("client", "lawyer")}
    draft = people.draft(starts_at=own.at(minutes=30), **parties)
    filed = own.service().post("/api/requests", draft)
    assert filed.status_code == 201, filed.text
    request = filed.json()
    until(lambda: len(people.client.audit(request["id"])) == 2, "the lawyer hears of it")
    own.advance(29 * 60)
    assert status(people, request) == "open"
    own.advance(61)
    until(lambda: len(own.mails.of(request["id"])) == 2, "both are told")
    own.settle(request["id"])
    for mail in own.mails.of(request["id"]):
        who = "client" if mail.recipient == request["client"]["email"] else "lawyer"
        subject, words = WORDS[who, locale]
        assert mail.message["Subject"].startswith(f"{subject}: ")
        assert mail.message.get_content_type() == "multipart/alternative", "no calendar part"
        assert words in flat(mail.text()) and words in flat(mail.text("text/html"))
        assert request["title"] in mail.text()
    shown = people.lawyer.request(request["id"])
    assert (shown["status"], shown["meeting"]) == ("lapsed", None)
    assert not shown["links"].keys() - {"audit", "page_url", "self"}, "nothing can be done to it"
    assert [e["action"] for e in people.client.audit(request["id"])] == [
        "request.created",
        "mail.sent",
        "request.lapsed",
        "mail.sent",
        "mail.sent",
    ]
    event = people.client.audit(request["id"])[2]
    assert (event["from"], event["to"], event["actor"]["role"]) == ("open", "lapsed", "system")
    assert own.run("verify-audit", "--request", request["id"]).endswith(" 0 broken\n")


def test_nobody_writes_to_an_address_that_only_the_client_has_named(own: Stack) -> None:
    people = own.parties()
    request = people.create(starts_at=own.at(minutes=1))
    own.advance(61)
    until(lambda: status(people, request) == "lapsed", "it has lapsed")
    own.settle(request["id"])
    (mail,) = own.mails.of(request["id"])
    assert mail.recipient == request["client"]["email"]


def test_what_is_left_of_it(own: Stack) -> None:
    people = own.parties()
    request = people.create(starts_at=own.at(minutes=1))
    own.advance(61)
    until(lambda: status(people, request) == "lapsed", "it has lapsed")
    url = f"/api/requests/{request['id']}"
    for body in ({"decision": "accept"}, {"decision": "decline"}):
        assert refused(people.lawyer.post(f"{url}/respond", body)) == (409, "lapsed")
    later = {"decision": "accept", "starts_at": own.at(days=1)}
    assert refused(people.lawyer.post(f"{url}/respond", later)) == (409, "lapsed")
    assert refused(people.client.cancel(request["id"])) == (409, "lapsed")
    assert refused(people.lawyer.command(request["id"], "retry")) == (409, "lapsed")
    assert refused(people.client.get(f"{url}/calendar.ics")) == (404, "no_meeting")
    for who in (people.client, people.lawyer):
        assert [row["id"] for row in who.pages(status="lapsed")[0]] == [request["id"]]
        assert who.pages(status="open") == [[]]
        board = who.fetch("/api/dashboard")
        assert board["counts"]["open"] == 0 and board["needs_action"] == []
        assert [row["id"] for row in board["recent"]] == [request["id"]]


def test_another_time_may_still_be_offered(own: Stack) -> None:
    """As long as it has not lapsed."""
    people = own.parties()
    request = people.create(starts_at=own.at(minutes=1))
    accepted = done(people.lawyer.respond(request["id"], "accept", starts_at=own.at(days=1)))
    assert accepted["status"] == "accepted"
    own.settle(request["id"])
    for mail in own.mails.of(request["id"]):
        assert "had asked for" in flat(mail.text()) and "had asked for" in mail.text("text/html")
    own.advance(120)
    assert status(people, request) == "accepted"


def test_accept_and_lapse_at_once(own: Stack) -> None:
    """One wins, and never both."""
    people = [own.parties() for _ in range(8)]
    made = [one.create(starts_at=own.at(seconds=20)) for one in people]
    later = own.at(days=1)
    own.advance(19)

    def answer(number: int) -> int:
        one, request = people[number], made[number]
        until(lambda: own.now().timestamp() % 1 > number / 8, "its moment has come")
        return one.lawyer.respond(request["id"], "accept", starts_at=later).status_code

    codes = at_once(lambda n=n: answer(n) for n in range(len(made)))
    for one, request, code in zip(people, made, codes, strict=True):
        until(lambda one=one, request=request: status(one, request) != "open", "it is decided")
        own.settle(request["id"])
        actions = [e["action"] for e in one.client.audit(request["id"])]
        won = "request.accepted" if code == 200 else "request.lapsed"
        assert ("request.accepted" in actions, "request.lapsed" in actions) == (
            won == "request.accepted",
            won == "request.lapsed",
        )
        assert code in (200, 409)


def test_of_the_version_before(own: Stack) -> None:
    """It owed nothing; init-db has it found, once, and nothing else changes."""
    people = own.parties()
    request, other = (people.create(starts_at=own.at(minutes=5)) for _ in range(2))
    for one in (request, other):
        own.settle(one["id"])
        own.requests.update_one(
            {"_id": one["id"]}, {"$set": {"effects": []}, "$unset": {"due": True, "over_at": True}}
        )
    own.advance(400)
    # Whoever answers it in time has it as it is now.
    assert refused(people.lawyer.respond(other["id"], "accept")) == (409, "starts_in_past")
    assert status(people, request) == "open"
    assert "due" not in own.document(request["id"])
    own.run("init-db")
    for one in (request, other):
        until(lambda one=one: status(people, one) == "lapsed", "it has lapsed")
        own.settle(one["id"])
        assert len(own.mails.of(one["id"])) == 1, "the client is told"
    before = own.document(request["id"])
    own.run("init-db")
    assert own.document(request["id"]) == before
    assert own.run("verify-audit", "--request", request["id"]).endswith(" 0 broken\n")
