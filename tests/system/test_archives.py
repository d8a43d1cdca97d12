"""Long trails leave their documents for archives, and stay one trail; nobody changes one request
without end, or holds a thread with it."""

import collections
import json
from collections.abc import Callable, Iterator

import pytest
from caller import Parties, done
from stack import Stack
from support import at_once, until
from test_audit import AUDIT, POLICY, all_broken, assert_whole, verdict

KEPT, PART = 20, 100
MANY = 320
HOUR_S = 3600


def archives(stack: Stack, request_id: str) -> list[dict]:
    parts = stack.requests.database["archives"].find({"document_id": request_id})
    return sorted(parts, key=lambda part: part["_id"])


def move(parties: Parties, request_id: str, number: int) -> int:
    start = parties.stack.at(days=2, minutes=number)
    return parties.lawyer.command(request_id, "reschedule", starts_at=start).status_code


def grow(stack: Stack, moves: int = MANY) -> tuple[Parties, str]:
    """A request that has been moved often enough to have archives."""
    done(stack.admin().put(POLICY, {"max_changes_per_hour": 1000}))
    parties = stack.parties()
    request_id = parties.accepted()["id"]
    for number in range(moves):
        assert move(parties, request_id, number) == 200
    stack.settle(request_id)
    return parties, request_id


def whole_trail(parties: Parties, request_id: str, limit: int = 200) -> list[dict]:
    pages = parties.client.pages(f"/api/requests/{request_id}/audit", limit=limit)
    assert all(len(page) == limit for page in pages[:-1])
    return [event for page in pages for event in page]


@pytest.fixture(scope="module")
def grown(
    tmp_path_factory: pytest.TempPathFactory, mongodb_uri: str
) -> Iterator[tuple[Stack, Parties, str]]:
    with Stack(tmp_path_factory.mktemp("grown"), mongodb_uri) as stack:
        yield stack, *grow(stack)


def test_a_document_keeps_its_latest_events(grown: tuple[Stack, Parties, str]) -> None:
    stack, parties, request_id = grown
    document = stack.document(request_id)
    parts = archives(stack, request_id)
    assert KEPT <= len(document["events"]) < KEPT + 2 * PART
    assert len(parts) >= 1 and all(len(part["events"]) == PART for part in parts)
    assert [part["_id"] for part in parts] == [
        f"{request_id}/{index * PART:09d}" for index in range(len(parts))
    ]
    assert document["archived"]["count"] == len(parts) * PART
    stored = [event["id"] for part in parts for event in part["events"]]
    stored += [event["id"] for event in document["events"]]
    assert len(stored) == len(set(stored)), "none twice"
    for limit in (200, 7):
        shown = [event["id"] for event in whole_trail(parties, request_id, limit)]
        assert shown == stored, "the order of the chain, over archives and document"
    assert_whole(stack)
    assert_whole(stack, "--request", request_id)
    assert verdict(stack, request_id) == {"whole": True, "events": len(stored), "reason": None}


@pytest.mark.parametrize("cursor", ["0", "01", "x", "-1", "1.5", "999999999", "9999999999"])
def test_cursors_that_are_none(grown: tuple[Stack, Parties, str], cursor: str) -> None:
    _, parties, request_id = grown
    answer = parties.client.get(f"/api/requests/{request_id}/audit", params={"cursor": cursor})
    assert answer.status_code == 422 and answer.json()["errors"][0]["pointer"] == "/cursor"


def test_the_search_finds_what_was_archived(grown: tuple[Stack, Parties, str]) -> None:
    stack, parties, request_id = grown
    shown = whole_trail(parties, request_id)
    for query in (
        {"request_id": request_id},
        {"request_id": request_id, "action": "meeting.rescheduled"},
        {"request_id": request_id, "actor": parties.lawyer_id, "from": shown[30]["at"][:19] + "Z"},
        {"actor": parties.client_id},
    ):
        pages = stack.admin().pages(AUDIT, limit=23, **query)
        found = [event["id"] for page in pages for event in page]
        expected = [
            event["id"]
            for event in shown
            if event["action"] == query.get("action", event["action"])
            and event["actor"].get("id") == query.get("actor", event["actor"].get("id"))
            and event["at"][:19] >= query.get("from", "")[:19]
        ]
        assert sorted(found) == sorted(expected), "each once"
        times = [event["at"] for page in pages for event in page]
        assert times == sorted(times, reverse=True)


def test_the_export_has_it_whole(grown: tuple[Stack, Parties, str], tmp_path) -> None:
    stack, parties, request_id = grown
    target = tmp_path / "export"
    assert_whole(stack, "--request", request_id, "--export", target)
    exported = [json.loads(line) for line in target.read_text().splitlines()]
    assert exported == whole_trail(parties, request_id)


def test_links_are_used_behind_archives(start: Callable[..., Stack]) -> None:
    """A use is appended to the end of the trail, wherever its beginning is."""
    stack = start()
    parties, request_id = grow(stack, 250)
    link = parties.client.request(request_id)["meeting"]["join_url"].split("/join/")[1]
    before = len(whole_trail(parties, request_id))
    opens = stack.document(request_id)["meeting"]["opens_at"]
    stack.advance((opens - stack.now().replace(tzinfo=None)).total_seconds() + 1)
    for _ in range(3):
        assert stack.anyone().get(f"/join/{link}").status_code == 302
    assert len(whole_trail(parties, request_id)) > before
    assert_whole(stack)


# ---- what is done to archives is seen, and harms no other ----


def test_archives_that_were_tampered_with(start: Callable[..., Stack]) -> None:
    stack = start()
    parties, request_id = grow(stack)
    other = stack.parties()
    untouched = other.create()["id"]
    stack.settle(untouched)
    collection = stack.requests.database["archives"]
    part = archives(stack, request_id)[0]
    changes = {
        "an event": {"$set": {"events.7.action": "mail.failed"}},
        "the end": {"$pop": {"events": 1}},
        "the beginning": {"$pop": {"events": -1}},
        "the seal": {"$set": {"audit_seal": part["audit_seal"][:-4] + "AAAA"}},
        "no events": {"$set": {"events": []}},
        "events that are none": {"$set": {"events": "none"}},
        "whose it is": {"$set": {"document_id": untouched}},
        "where it stands": {"$set": {"before": {"count": 7, "at": part["events"][0]["at"]}}},
    }
    for what, change in changes.items():
        collection.update_one({"_id": part["_id"]}, change)
        assert list(all_broken(stack)) == [request_id], what
        told = verdict(stack, request_id)
        where = "event 7: " if what == "an event" else part["_id"]
        assert not told["whole"] and where in told["reason"], what
        collection.replace_one({"_id": part["_id"]}, part)
    collection.delete_one({"_id": part["_id"]})
    assert list(all_broken(stack)) == [request_id]
    trail = parties.client.get(f"/api/requests/{request_id}/audit")
    assert trail.status_code == 500
    # It is used all the same, and nobody else notices.
    assert move(parties, request_id, MANY + 1) == 200
    actions = {"request.created", "mail.sent"}
    assert {event["action"] for event in other.client.audit(untouched)} == actions
    found = stack.admin().fetch(AUDIT, params={"request_id": untouched})
    assert {event["action"] for event in found["items"]} == actions
    collection.insert_one(part)
    assert all_broken(stack) == {}


def test_keys_are_replaced_in_archives_too(start: Callable[..., Stack]) -> None:
    stack = start()
    _, request_id = grow(stack)
    key = stack.folder / "master.key"
    new = f"k2:{'5b' * 32}\n"
    key.write_text(new + key.read_text())
    stack.reload()
    stack.run("rotate-keys")
    assert all(part["audit_seal"].startswith("v1:k2:") for part in archives(stack, request_id))
    key.write_text(new)
    stack.reload()
    assert_whole(stack)


def test_death_between_archive_and_document(start: Callable[..., Stack], tmp_path) -> None:
    trigger = tmp_path / "trigger"
    stack = start(FAULT=f"archive.after_save:{trigger}")
    parties, request_id = grow(stack, 80)
    deaths = 0
    for number in range(80, MANY):
        trigger.touch()
        assert move(parties, request_id, number) == 200, "nginx repeats it"
        deaths += not trigger.exists()
    trigger.unlink(missing_ok=True)
    assert deaths >= 1
    stack.advance(100)
    stack.settle(request_id)
    shown = whole_trail(parties, request_id)
    moves = [event for event in shown if event["action"] == "meeting.rescheduled"]
    assert len(moves) == MANY, "none lost, none twice"
    assert_whole(stack)


def test_the_trail_of_the_configuration(start: Callable[..., Stack]) -> None:
    stack = start()
    for number in range(KEPT + 2 * PART):
        done(stack.admin().put(POLICY, {"inline_wait_ms": 1000 + number}))
    document = stack.requests.database["config"].find_one()
    assert len(document["events"]) < KEPT + 2 * PART and len(archives(stack, "config")) >= 1
    pages = stack.admin().pages(AUDIT, request_id="config")
    assert sum(map(len, pages)) == KEPT + 2 * PART
    assert_whole(stack)


# ---- nobody changes one request without end ----


def test_changes_within_an_hour(start: Callable[..., Stack]) -> None:
    stack = start()
    parties = stack.parties()
    request_id = parties.accepted()["id"]
    codes = [move(parties, request_id, number) for number in range(40)]
    assert codes == [200] * 29 + [429] * 11, "accepting was the first of thirty"
    refused = parties.lawyer.command(request_id, "reschedule", starts_at=stack.at(days=4))
    assert refused.json()["code"] == "too_many_changes"
    assert 0 < int(refused.headers["Retry-After"]) <= HOUR_S
    assert stack.admin().command(request_id, "regenerate").status_code == 429
    assert parties.client.request(request_id)["links"]["cancel"], "it may still be ended"
    stack.advance(HOUR_S + 1)
    assert move(parties, request_id, 50) == 200
    for number in range(60, 90):
        move(parties, request_id, number)
    assert parties.client.cancel(request_id).status_code == 200


def test_changes_that_collide(start: Callable[..., Stack]) -> None:
    """Whoever is not heard within a second or so is told to come again, and nothing is lost."""
    stack = start()
    done(stack.admin().put(POLICY, {"max_changes_per_hour": 1000}))
    parties = stack.parties()
    request_id = parties.accepted()["id"]
    stack.settle(request_id)

    def change(number: int) -> tuple[int, str | None, str | None]:
        answer = parties.lawyer.command(
            request_id, "reschedule", starts_at=stack.at(days=2, minutes=number)
        )
        return answer.status_code, answer.json().get("code"), answer.headers.get("Retry-After")

    answers = collections.Counter(at_once([lambda n=n: change(n) for n in range(40)]))
    # Or one did not get a thread within a second, which is said before anything is looked at.
    assert set(answers) <= {
        (200, None, None),
        (409, "busy", "1"),
        (503, "overloaded", "2"),
    }, answers
    stored = [
        event
        for event in whole_trail(parties, request_id)
        if event["action"] == "meeting.rescheduled"
    ]
    assert len(stored) == answers[200, None, None] >= 1
    until(lambda: move(parties, request_id, 99) == 200, "it can be changed again")
    assert_whole(stack)


# ---- whose address is believed ----


@pytest.mark.parametrize("who", ["service", "admin"])
def test_a_lawyer_that_only_the_client_named(stack: Stack, who: str) -> None:
    parties = stack.parties()
    mine = "somebody.else@example.com"
    request_id = parties.create(lawyer=parties.person("lawyer", email=mine))["id"]
    caller = stack.service() if who == "service" else stack.admin()
    nobody = stack.caller("lawyer", parties.lawyer_id, email="not an address")
    for accepting in (caller, nobody):
        refused = accepting.respond(request_id, "accept")
        assert refused.status_code == 422
        assert refused.json()["code"] == "lawyer_address_unconfirmed"
    bad = caller.respond(request_id, "accept", lawyer_email="nobody")
    assert bad.status_code == 422 and bad.json()["errors"][0]["pointer"] == "/lawyer_email"
    told = f"{parties.lawyer_id}@law.example"
    accepted = done(caller.respond(request_id, "accept", lawyer_email=told))
    assert accepted["lawyer"]["email"] == told
    stack.settle(request_id)
    assert {mail.recipient for mail in stack.mails.of(request_id)} == {
        parties.person("client")["email"],
        told,
    }


def test_a_marketplace_that_believes_its_clients(start: Callable[..., Stack]) -> None:
    stack = start()
    done(stack.admin().put(POLICY, {"lawyer_addresses": "any"}))
    parties = stack.parties()
    request_id = parties.create()["id"]
    assert done(stack.service().respond(request_id, "accept"))["status"] == "accepted"
