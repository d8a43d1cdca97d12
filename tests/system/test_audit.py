"""The audit trail holds against who can write the database; erasing a person leaves no trace."""

import base64
import copy
import datetime
import hashlib
import json
import random
import struct
import subprocess
from collections.abc import Callable, Iterator
from mailbox import SmtpServer
from operator import itemgetter

import bson
import described
import pytest
from caller import Caller, Parties, done, new_key
from providers import BREAKER_S, Providers, provide  # noqa: F401
from sim import Fault
from stack import LEASE_S, PROGRAM, Stack
from support import at_once, until

AUDIT = "/api/audit"
EPOCH = "1970-01-01T00:00:00Z"
POLICY = "/api/config/meetings"
FIELDS = ["id", "at", "actor.id", "actor.role", "source", "action", "from", "to", "detail"]
FIELDS += ["request_id", "meeting_id", "trace_id", "hash"]


def verify(stack: Stack, *arguments: object) -> tuple[int, str, str]:
    done = subprocess.run(
        [PROGRAM, "verify-audit", *map(str, arguments)],
        env=stack.environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout, done.stderr


def assert_whole(stack: Stack, *arguments: object) -> None:
    status, said, complaint = verify(stack, *arguments)
    assert (status, complaint) == (0, "") and said.endswith(" 0 broken\n"), said


def all_broken(stack: Stack, *arguments: object) -> dict[str, int]:
    """The documents whose trail is broken, and at which index."""
    status, said, complaint = verify(stack, *arguments)
    assert complaint == "", complaint
    *lines, summary = said.splitlines()
    assert summary.endswith(f" {len(lines)} broken") and status == bool(lines), said
    found = {}
    for line in lines:
        where, what = line.split(": ", 1)
        collection, document_id, index = where.split(" ")
        assert what and (collection == "config") == (document_id == "config")
        found[document_id] = int(index)
    return found


def broken(stack: Stack, document_id: str) -> int | None:
    return all_broken(stack, "--request", document_id).get(document_id)


def verdict(stack: Stack, request_id: str) -> dict:
    """What an administrator is told of a trail, which is what `verify-audit` finds."""
    answer = stack.admin().get(f"/api/requests/{request_id}/audit/verify")
    assert answer.status_code == 200, answer.text
    described.hold(answer)
    assert "ETag" not in answer.headers and answer.headers["Cache-Control"] == "no-store"
    told = answer.json()
    status, said, _ = verify(stack, "--request", request_id)
    *lines, summary = said.splitlines()
    assert summary == f"1 documents, {told['events']} events, {status} broken"
    assert told["whole"] == (status == 0)
    expected = [None]
    for line in lines:
        where, what = line.split(": ", 1)
        index = int(where.split(" ")[-1])
        expected = [what if index == told["events"] else f"event {index}: {what}"]
    assert [told["reason"]] == expected
    return told


Change = Callable[[dict], object]


class Crowd:
    """Documents with the same story, to be changed behind the program's back, many at a time."""

    def __init__(self, stack: Stack, collection: str, ids: list[str]):
        self.stack = stack
        self.collection = stack.requests.database[collection]
        self.documents = [self.collection.find_one({"_id": i}) for i in ids]

    def found(self, changes: list[Change]) -> list[int | None]:
        """Where the trail of a document is found to be broken after each of the changes."""
        found = []
        while changes:
            batch = list(zip(self.documents, changes))
            changes = changes[len(batch) :]
            for document, change in batch:
                changed = copy.deepcopy(document)
                change(changed)
                assert changed != document
                self.collection.replace_one({"_id": document["_id"]}, changed)
            indexes = all_broken(self.stack)
            for document, _ in batch:
                found.append(indexes.pop(document["_id"], None))
                self.collection.replace_one({"_id": document["_id"]}, document)
            assert indexes == {}, "no other is"
        return found


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory, mongodb_uri: str) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("audit"), mongodb_uri) as stack:
        yield stack


@pytest.fixture(scope="module")
def crowd(own: Stack) -> Crowd:
    def story(parties: Parties) -> str:
        request = parties.accepted(starts_at=own.at(minutes=5))
        own.settle(request["id"])
        joined = parties.client.get(request["meeting"]["join_url"].replace(own.url, ""))
        assert joined.status_code == 302
        url = f"/api/requests/{request['id']}"
        assert parties.lawyer.post(f"{url}/meeting/regenerate").status_code == 200
        own.settle(request["id"])
        assert parties.client.post(f"{url}/cancel").status_code == 200
        own.settle(request["id"])
        return request["id"]

    ids = at_once([lambda: story(own.parties())] * 24)
    assert_whole(own)
    return Crowd(own, "requests", ids)


@pytest.fixture(scope="module")
def configured(own: Stack) -> Crowd:
    for wait in (100, 200):
        assert own.admin().put(POLICY, {"inline_wait_ms": wait}).status_code == 200
    return Crowd(own, "config", ["config"])


# ---- what was done to a trail is found ----


def flipped(text: str, rng: random.Random) -> str:
    """One bit of one byte is another; still text that MongoDB takes."""
    at = rng.randrange(len(text))
    while True:
        changed = chr(ord(text[at]) ^ 1 << rng.randrange(7))
        if changed != "\0":
            return text[:at] + changed + text[at + 1 :]


def variants(value: object, rng: random.Random) -> list[object]:
    """Other values in the place of one."""
    if isinstance(value, datetime.datetime):
        return [value + datetime.timedelta(milliseconds=ms) for ms in (-1, 1, 60000)] + ["x", None]
    if value is None:
        return ["", "x", 0, []]
    assert isinstance(value, str)
    text = [flipped(value, rng) for _ in range(3)] if value else ["\1"]
    return [*text, value + "\0x", value + " ", value[:-1], None, 7, {}]


def changes_of(events: list[dict], rng: random.Random) -> list[tuple[int, str, object]]:
    """Event, path of a field, another value for it: all the variants, in random order."""
    changes = []
    for index, event in enumerate(events):
        for path in FIELDS:
            actor, _, name = path.rpartition(".")
            value = (event[actor] if actor else event).get(name)
            changes += [(index, path, other) for other in variants(value, rng)]
    rng.shuffle(changes)
    return changes


def as_change(index: int, path: str, value: object) -> Change:
    def change(document: dict) -> None:
        actor, _, name = path.rpartition(".")
        event = document["events"][index]
        holder = event[actor] if actor else event
        if holder.get(name) != value:
            holder[name] = value
        # It was drawn for another document, whose times or order may differ by just that.
        elif isinstance(value, datetime.datetime):
            holder[name] = value + datetime.timedelta(hours=1)
        else:
            holder[name] = "\1"

    return change


def test_any_change_of_any_field_is_found(crowd: Crowd, configured: Crowd) -> None:
    rng = random.Random(1)
    shortest = min(crowd.documents, key=lambda document: len(document["events"]))
    changes = changes_of(shortest["events"], rng)
    # Every field of every event once, and then as many again.
    once = {(index, path): value for index, path, value in changes}
    assert len(once) == len(shortest["events"]) * len(FIELDS) > 150
    chosen = [(*where, value) for where, value in once.items()]
    found = crowd.found([as_change(*change) for change in chosen + changes[: len(chosen)]])
    assert found == [index for index, _, _ in chosen + changes[: len(chosen)]]

    events = configured.documents[0]["events"]
    once = {path: (index, path, value) for index, path, value in changes_of(events, rng)}
    found = configured.found([as_change(*change) for change in once.values()])
    assert found == [index for index, _, _ in once.values()]


def test_every_byte_of_the_seal_matters(crowd: Crowd) -> None:
    rng = random.Random(2)
    seal = crowd.documents[0]["audit_seal"]
    places = [0, 1, 3, 5, 6, len(seal) - 1, *rng.sample(range(len(seal)), 30)]

    def at(place: int) -> Change:
        def change(document: dict) -> None:
            seal = document["audit_seal"]
            other = "A" if seal[place] != "A" else "B"
            document["audit_seal"] = seal[:place] + other + seal[place + 1 :]

        return change

    changes = [at(place) for place in places]
    changes += [lambda d, v=v: d.update(audit_seal=v) for v in (None, "", "v1:k1:", 7, seal + "A")]
    changes.append(lambda d: d.pop("audit_seal"))
    crowd_ends = [len(document["events"]) for document in crowd.documents]
    ends = [crowd_ends[i % len(crowd_ends)] for i in range(len(changes))]
    assert crowd.found(changes) == ends


def chained(event: dict, before: str) -> str:
    """The hash of an event, as anybody can compute it who reads the source."""

    def maybe(text: str | None) -> list[str]:
        return ["-", ""] if text is None else ["+", text]

    at = event["at"].replace(tzinfo=datetime.UTC)
    actor = event["actor"]
    texts = [before, event["id"], str(round(at.timestamp() * 1000)), *maybe(actor.get("id"))]
    texts += [actor["role"], event["source"], event["action"], *maybe(event["from"])]
    texts += [*maybe(event["to"]), *maybe(event["detail"]), event["request_id"]]
    texts += [*maybe(event["meeting_id"]), *maybe(event.get("trace_id"))]
    hashed = hashlib.blake2b(digest_size=32)
    for text in texts:
        hashed.update(struct.pack("=Q", len(text.encode())) + text.encode())
    return hashed.hexdigest()


def chain_anew(events: list[dict]) -> None:
    before = ""
    for event in events:
        before = event["hash"] = chained(event, before)


def test_trails_that_are_well_made_but_not_by_us(crowd: Crowd) -> None:
    first, second = crowd.documents[:2]
    for document in crowd.documents:
        copied = copy.deepcopy(document["events"])
        chain_anew(copied)
        assert copied == document["events"], "this is how the chain is made"

    def cut(left: int) -> Change:
        return lambda d: d.update(events=d["events"][:left])

    def rewritten(document: dict) -> None:
        document["events"][2]["actor"] = {"id": "somebody-else", "role": "admin"}
        chain_anew(document["events"])

    def left_out(document: dict) -> None:
        del document["events"][3]
        chain_anew(document["events"])

    def appended(document: dict) -> None:
        document["events"].append(copy.deepcopy(document["events"][0]) | {"action": "x"})
        chain_anew(document["events"])

    def swapped(i: int) -> Change:
        def change(document: dict) -> None:
            events = document["events"]
            events[i], events[i + 1] = events[i + 1], events[i]

        return change

    def moved(document: dict) -> None:
        other = second if document["_id"] == first["_id"] else first
        document |= {"events": other["events"], "audit_seal": other["audit_seal"]}

    def renamed(document: dict) -> None:
        moved(document)
        own_name = {"request_id": document["_id"]}
        document["events"] = [event | own_name for event in document["events"]]
        chain_anew(document["events"])

    end = {document["_id"]: len(document["events"]) for document in crowd.documents}
    here, there = (end[document["_id"]] for document in (first, second))
    for changes in (
        [(cut(left), left) for left in (0, 1, 3, 5)],
        [(lambda d: d["events"].pop(), lambda e: e - 1), (rewritten, lambda e: e)],
        [(left_out, lambda e: e - 1), (appended, lambda e: e + 1)],
        [(swapped(i), i) for i in range(6)],
        [(lambda d: d["events"].pop(0), 0), (lambda d: d["events"].append(d["events"][-1]), None)],
        [(lambda d: d.update(events=None), 0), (lambda d: d.update(events="gone"), 0)],
        [(moved, 0), (moved, 0)],
        [(renamed, there), (renamed, here)],
    ):
        expected = []
        for document, (_, index) in zip(crowd.documents, changes):
            at = end[document["_id"]]
            expected.append(at if index is None else index(at) if callable(index) else index)
        assert crowd.found([change for change, _ in changes]) == expected


def test_later_changes_do_not_hide_what_was_done(own: Stack) -> None:
    """The service goes on with what it finds, but never seals it."""
    parties = own.parties()
    for change in (
        lambda events: events.pop(),
        lambda events: events.__setitem__(0, events[0] | {"trace_id": "other"}),
        lambda events: events[-1].update(hash="0" * 64),
        lambda events: (events.pop(), chain_anew(events)),
        lambda events: (events[0].update(action="x"), chain_anew(events)),
        lambda events: (events.append(dict(events[-1])), chain_anew(events)),
    ):
        request = parties.accepted()
        own.settle(request["id"])
        events = own.document(request["id"])["events"]
        change(events)
        own.requests.update_one({"_id": request["id"]}, {"$set": {"events": events}})
        assert broken(own, request["id"]) is not None
        assert parties.lawyer.cancel(request["id"]).status_code == 200
        document = own.settle(request["id"])
        assert len(document["events"]) > len(events) and document["status"] == "cancelled"
        assert broken(own, request["id"]) is not None
    request = parties.create()
    own.settle(request["id"])
    own.requests.update_one({"_id": request["id"]}, {"$unset": {"audit_seal": 1}})
    assert parties.client.cancel(request["id"]).status_code == 200
    events = own.settle(request["id"])["events"]
    assert broken(own, request["id"]) == len(events)
    own.requests.delete_many({"client.id": parties.client_id})


def test_keys_are_replaced_under_the_seals(start: Callable[..., Stack]) -> None:
    stack = start()
    request = stack.parties().create()
    stack.admin().put(POLICY, {"inline_wait_ms": 1})
    key = stack.folder / "master.key"
    old, new = key.read_text(), f"k2:{'5b' * 32}\n"
    key.write_text(new + old)
    stack.reload()
    assert_whole(stack)
    stack.run("rotate-keys")
    assert stack.document(request["id"])["audit_seal"].startswith("v1:k2:")
    assert stack.requests.database["config"].find_one()["audit_seal"].startswith("v1:k2:")
    assert_whole(stack)
    key.write_text(new)
    assert_whole(stack)
    key.write_text(old)
    status, said, _ = verify(stack)
    assert status == 1 and said.count("no seal") == 2, "no key, no seal"
    key.write_text(new)
    stack.reload()


# ---- GET /api/requests/{id}/audit/verify ----


def test_an_administrator_has_one_trail_verified(own: Stack) -> None:
    parties, admin = own.parties(), own.admin()
    request_id = parties.accepted()["id"]
    stored = own.settle(request_id)
    events, url = stored["events"], f"/api/requests/{request_id}/audit/verify"
    whole = {"whole": True, "events": len(events), "reason": None}
    assert verdict(own, request_id) == whole

    def changed(**members: object) -> dict:
        own.requests.update_one({"_id": request_id}, {"$set": members})
        told = verdict(own, request_id)
        own.requests.replace_one({"_id": request_id}, stored)
        assert not told["whole"]
        return told

    other = [*events[:2], events[2] | {"action": "meeting.cancelled"}, *events[3:]]
    assert changed(events=other) == {
        "whole": False,
        "events": len(events),
        "reason": "event 2: does not follow from its content and the event before it",
    }
    assert changed(events=events[:-1]) == {
        "whole": False,
        "events": len(events) - 1,
        "reason": "the trail was sealed with another number of events",
    }
    assert "no seal" in changed(audit_seal=None)["reason"]
    assert "cannot be read" in changed(events="gone")["reason"], "the request itself can be"
    answer = admin.get(url, headers={"If-None-Match": "*"})
    assert (answer.status_code, answer.json()) == (200, whole), "it is looked at each time"

    own.requests.update_one({"_id": request_id}, {"$set": {"status": "unheard of"}})
    for one in (request_id, "A" * 22, "config"):
        shown = admin.get(f"/api/requests/{one}")
        answer = admin.get(f"/api/requests/{one}/audit/verify")
        assert answer.status_code == shown.status_code == (500 if one == request_id else 404)
        assert answer.json()["code"] == shown.json()["code"]
    own.requests.delete_one({"_id": request_id})


# ---- export ----


def test_the_export_is_what_the_api_shows(start: Callable[..., Stack], tmp_path) -> None:
    stack = start()
    parties, admin = stack.parties(), stack.admin()
    made = [parties.accepted()["id"] for _ in range(53)]
    for request_id in made:
        stack.settle(request_id)
    assert admin.put(POLICY, {"opens_minutes_before": 7}).status_code == 200
    path = tmp_path / "audit.jsonl"
    status, said, complaint = verify(stack, "--export", path)
    lines = path.read_text().splitlines()
    assert (status, complaint) == (0, "")
    assert said == f"54 documents, {len(lines)} events, 0 broken\n"
    assert path.stat().st_mode & 0o777 == 0o600
    exported = [json.loads(line) for line in lines]
    expected = []
    for request_id in sorted(made):
        expected += sum(parties.client.pages(f"/api/requests/{request_id}/audit", limit=3), [])
    assert [event["request_id"] for event in exported[:1]] == ["config"]
    assert exported[1:] == expected, "in the order of the documents, and of each chain"
    listed = sum(admin.pages(AUDIT, limit=200), [])
    by_id = {event["id"]: event for event in exported}
    assert {event["id"]: event for event in listed} == by_id and len(listed) == len(exported)
    fields = {"id", "at", "actor", "source", "action", "from", "to", "detail", "request_id"}
    fields |= {"meeting_id", "hash"}
    for event in exported:
        assert set(event) - {"trace_id"} == fields
        assert set(event["actor"]) - {"id"} == {"role"}

    status, said, complaint = verify(stack, "--export", "-", "--request", made[0])
    own = [event for event in exported if event["request_id"] == made[0]]
    assert [json.loads(line) for line in said.splitlines()] == own and status == 0
    assert complaint == f"1 documents, {len(own)} events, 0 broken\n"
    for arguments, word in (
        (["--request", "A" * 22], "no such request"),
        (["--export", tmp_path / "no" / "folder"], "No such file"),
        (["--export", "/dev/full"], "not all could be written"),
    ):
        status, said, complaint = verify(stack, *arguments)
        assert status == 1 and word in complaint, complaint
    for wrong in (["--colour"], [tmp_path / "audit.jsonl"], ["--request", "config", "x"]):
        status, said, complaint = verify(stack, *wrong)
        assert (status, said) == (2, "") and "usage: meetlink verify-audit" in complaint
    assert verify(stack, "--help")[1].startswith("usage: meetlink verify-audit")


@pytest.mark.parametrize(
    "command",
    ["serve", "check", "init-db", "token", "render", "rotate-keys", "verify-audit", "version"],
)
def test_a_command_refuses_what_it_does_not_know(stack: Stack, command: str) -> None:
    for wrong in (["x", "y"], ["--colour"], ["--config", "/dev/null", "settings", "tables"]):
        done = subprocess.run(
            [PROGRAM, command, *wrong],
            env=stack.environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert (done.returncode, done.stdout) == (2, ""), wrong
        assert f"usage: meetlink {command}" in done.stderr


# ---- GET /api/audit ----


def instant(moment: datetime.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_filters_and_pages_against_a_model(start: Callable[..., Stack]) -> None:
    stack = start()
    admin, first = stack.admin(), stack.parties()
    pairs = [first, stack.parties(), stack.parties()]
    for step, ahead in enumerate((0, 1, 200, 7200, 90000, 8 * 86400, 200 * 86400)):
        stack.advance(ahead)
        for pair in pairs:
            request = pair.accepted()
            if step % 2:
                assert pair.lawyer.cancel(request["id"]).status_code == 200
            stack.settle(request["id"])
        assert admin.put(POLICY, {"inline_wait_ms": step}).status_code == 200
    # An hour after their ends the watches over the meetings are due: they have ended, too.
    for document in stack.requests.find({"status": "accepted"}, {"ends_at": 1}):
        if document["ends_at"].replace(tzinfo=datetime.UTC) < stack.now():
            until(
                lambda i=document["_id"]: stack.document(i)["status"] == "completed",
                "its time is over",
            )

    rows = [
        (event["at"].replace(tzinfo=datetime.UTC), document["_id"], index, event)
        for name in ("requests", "config")
        for document in stack.requests.database[name].find()
        for index, event in enumerate(document["events"])
    ]
    rows.sort(key=lambda row: row[:3], reverse=True)
    instants = [instant(row[0]) for row in rows]
    actions = sorted({row[3]["action"] for row in rows})
    assert len(rows) > 150 and len(actions) >= 8 and "config.changed" in actions

    def matches(row: tuple, query: dict) -> bool:
        at, document_id, _, event = row
        return all(
            (
                "from" not in query or at >= datetime.datetime.fromisoformat(query["from"]),
                "to" not in query or at < datetime.datetime.fromisoformat(query["to"]),
                query.get("actor") in (None, event["actor"].get("id")),
                query.get("action") in (None, event["action"]),
                query.get("request_id") in (None, document_id),
            )
        )

    def check(limit: int, **query: str) -> int:
        expected = [row[3]["id"] for row in rows if matches(row, query)]
        pages = admin.pages(AUDIT, limit=limit, **query)
        assert [event["id"] for page in pages for event in page] == expected, query
        assert all(len(page) == limit for page in pages[:-1])
        return len(expected)

    assert check(200) == check(50) == check(7) == len(rows)
    assert check(200, **{"from": EPOCH}) == len(rows) and check(200, to=EPOCH) == 0
    rng = random.Random(3)
    choices = {
        "from": [*instants, stack.at(days=9), EPOCH, "1970-01-01T00:00:01Z"],
        "to": [*instants, stack.at(days=9), EPOCH, "1970-01-01T00:00:01Z"],
        "actor": [*(pair.lawyer_id for pair in pairs), first.client_id, "admin-1", "nobody"],
        "action": [*actions, "nothing.done"],
        "request_id": [*{row[1] for row in rows}, "config", "A" * 22],
    }
    found = 0
    for names in [(name,) for name in choices] * 4 + [
        tuple(rng.sample(sorted(choices), rng.choice((2, 2, 3)))) for _ in range(40)
    ]:
        query = {name: rng.choice(choices[name]) for name in names}
        found += check(rng.choice((1, 3, 20, 200)) if len(names) > 1 else 40, **query) > 0
    assert found > 20

    page = admin.get(AUDIT).text
    for pair in pairs:
        for who in ("client", "lawyer"):
            person = pair.person(who)
            assert person["name"] not in page and person["email"] not in page


def test_events_of_one_instant_are_in_their_order(stack: Stack, parties: Parties) -> None:
    request = parties.accepted()
    stack.settle(request["id"])
    newest_first = stack.admin().fetch(AUDIT, params={"request_id": request["id"]})["items"]
    assert newest_first[::-1] == sorted(parties.lawyer.audit(request["id"]), key=itemgetter("at"))


def test_who_may_read_all_trails(stack: Stack, parties: Parties) -> None:
    assert stack.admin().get(AUDIT).status_code == 200
    for caller in (parties.client, parties.lawyer, stack.service()):
        assert caller.get(AUDIT).status_code == 403
    assert stack.anyone().get(AUDIT).status_code == 401


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=0", "/limit"),
        ("limit=201", "/limit"),
        ("from=yesterday", "/from"),
        ("to=2027-01-01", "/to"),
        ("colour=red", "/colour"),
        ("actor=", "/actor"),
        ("cursor=x", "/cursor"),
        ("cursor=1.2.", "/cursor"),
        ("cursor=%201.2.config", "/cursor"),
        ("cursor=01.2.config", "/cursor"),
        ("cursor=1.2.config%20", "/cursor"),
        ("cursor=1.-02.config", "/cursor"),
        ("cursor=9999999999999999999.1.config", "/cursor"),
        ("cursor=1.2." + "A" * 23, "/cursor"),
        ("request_id=" + "A" * 65, "/request_id"),
    ],
)
def test_queries_that_are_refused(stack: Stack, query: str, pointer: str) -> None:
    answer = stack.admin().get(f"{AUDIT}?{query}")
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def test_an_event_that_cannot_be_read_hides_no_other(crowd: Crowd) -> None:
    document = crowd.documents[0]
    in_order = sorted(document["events"], key=itemgetter("at"))
    hidden = document["events"][3]

    def listed(source: str) -> list[str]:
        change = {"$set": {"events.3.source": source}}
        crowd.collection.update_one({"_id": document["_id"]}, change)
        query = {"request_id": document["_id"], "limit": 2}
        pages = crowd.stack.admin().pages(AUDIT, **query)
        return [event["id"] for page in pages for event in page][::-1]

    assert listed("nowhere") == [event["id"] for event in in_order if event != hidden]
    assert listed(hidden["source"]) == [event["id"] for event in in_order]


def test_no_secret_is_ever_in_a_trail(start: Callable[..., Stack]) -> None:
    stack = start()
    admin, parties = stack.admin(), stack.parties()
    secrets = {"app_id": "app-4711", "secret": "planted-secret-0123456789-abcdefghij"}
    answer = admin.put("/api/config/providers/jitsi", {"credentials": secrets})
    assert answer.status_code == 200, answer.text
    words = "planted in words"
    request = parties.accepted(starts_at=stack.at(minutes=5), title=words, description=words)
    joined = request["meeting"]["join_url"]
    link = parties.client.get(joined.replace(stack.url, "")).headers["Location"]
    url = f"/api/requests/{request['id']}"
    for path, body in (("meeting/regenerate", {"reason": words}), ("cancel", {"reason": words})):
        assert parties.lawyer.post(f"{url}/{path}", body).status_code == 200
    document = stack.settle(request["id"])
    found = stack.requests.database["config"].find_one()["events"] + document["events"]
    assert {"meeting.link_used", "config.changed", "meeting.regenerated"} <= {
        event["action"] for event in found
    }
    shown = repr(found) + verify(stack, "--export", "-")[1] + admin.get(AUDIT).text
    room = link.split("?")[0].split("#")[0].rsplit("/", 1)[1]
    token = joined.rsplit("/", 1)[1]
    for planted in (secrets["secret"], link, room, joined, token, parties.client.token, words):
        assert planted not in shown


# ---- erasing a person ----

NAME = "Zoë Quastenflosser"
EMAIL = "zoe.quastenflosser@privat.example"
WORDS = f"As agreed with {NAME} <{EMAIL}>."


def erase(caller: Caller, person_id: str, **options: object) -> dict:
    answer = caller.post(f"/api/people/{person_id}/erase", **options)
    assert answer.status_code == 200, answer.text
    for trace in (NAME, EMAIL):
        assert trace not in answer.text
    return answer.json()


def dump(stack: Stack) -> bytes:
    """All that the database holds."""
    database = stack.requests.database
    raw = bson.codec_options.CodecOptions(document_class=bson.raw_bson.RawBSONDocument)
    return b"".join(
        document.raw
        for name in database.list_collection_names()
        for document in database.get_collection(name, codec_options=raw).find()
    )


def traces(haystack: bytes) -> list[bytes]:
    """What of the name or the address is there: plain, of its parts, in another case, encoded."""
    needles = [text.encode() for whole in (NAME, EMAIL) for text in (whole, *whole.split())]
    needles += [b"quastenflosser", b"Zo\\u00eb", b"zoe."]
    for needle in list(needles):
        needles.append(needle.hex().encode())
        # Not of the short ones: four letters are in any random text of this size.
        for shift in range(3 if len(needle) > 8 else 0):
            needles.append(base64.b64encode(b"\0" * shift + needle)[4 * bool(shift) : -4])
    return [needle for needle in needles if needle.lower() in haystack.lower()]


def sealed_paths(value: object, path: str = "") -> set[str]:
    if isinstance(value, dict):
        return set().union(*(sealed_paths(v, f"{path}.{k}") for k, v in value.items()))
    if isinstance(value, list):
        return set().union(*(sealed_paths(v, path) for v in value))
    return {path} if isinstance(value, str) and value.startswith("v1:") else set()


def stories(stack: Stack, parties: Parties, who: str) -> list[str]:
    """Requests in every state, with the person's name wherever anybody can write it."""
    person = parties.person(who, name=NAME, email=EMAIL, locale="de")
    draft = {who: person, "title": WORDS, "description": WORDS}
    key = {"Idempotency-Key": new_key()}
    made = [parties.create(**draft) for _ in range(7)]
    opened, declined, ready, moved, cancelled, completed, replaced = (r["id"] for r in made)
    parties.lawyer.respond(declined, "decline", message=WORDS)
    for request_id in (ready, moved, cancelled, completed, replaced):
        url = f"/api/requests/{request_id}/respond"
        body = {"decision": "accept", "message": WORDS, "allow_overlap": True}
        assert parties.lawyer.post(url, body, headers=key).status_code == 200
    for request_id, path, body in (
        (moved, "meeting/reschedule", {"starts_at": stack.at(days=5), "reason": WORDS}),
        (cancelled, "cancel", {"reason": WORDS}),
        (replaced, "meeting/regenerate", {"reason": WORDS, "allow_overlap": True}),
        (replaced, "meeting/cancel", {"reason": WORDS}),
        (replaced, "meeting/regenerate", {"reason": WORDS, "allow_overlap": True}),
    ):
        answer = parties.lawyer.post(f"/api/requests/{request_id}/{path}", body, headers=key)
        assert answer.status_code == 200, answer.text
    stack.settle(completed)
    stack.requests.update_one({"_id": completed}, {"$set": {"status": "completed"}})
    return [request["id"] for request in made]


@pytest.mark.parametrize("who", ["client", "lawyer"])
def test_erasing_leaves_no_trace(start: Callable[..., Stack], who: str) -> None:
    stack = start()
    parties, other = stack.parties(), stack.parties()
    made = stories(stack, parties, who)
    kept = other.accepted()
    for request_id in [*made[1:], kept["id"]]:
        stack.settle(request_id)
    assert traces(dump(stack)), "they can be found"
    before = stack.document(kept["id"])
    person_id = getattr(parties, f"{who}_id")
    other_party = "lawyer" if who == "client" else "client"

    for _ in range(2):
        assert erase(stack.admin(), person_id) == {"id": person_id, "requests": len(made)}
        assert traces(dump(stack)) == []
        assert_whole(stack)
        for request_id in made:
            document = stack.document(request_id)
            person = document[who]
            assert person["id"] == person_id and person["name"] == "Erased person"
            assert person["email"].endswith("@erased.invalid")
            assert document[other_party]["name"] == parties.person(other_party)["name"]
            assert document["answers"] == []
            assert sealed_paths(document) <= {
                ".audit_seal",
                ".meeting.provider_key",
                ".meeting.provider_url",
                ".meetings.provider_key",
                ".meetings.provider_url",
                f".{other_party}_news.facts",
            }
            erased = [e for e in document["events"] if e["action"] == "person.erased"]
            assert [(e["to"], e["detail"]) for e in erased] == [(who, person_id)]
            assert erased[0]["actor"] == {"id": "admin-1", "role": "admin"}
    assert stack.document(kept["id"]) == before, "nobody else is touched"

    # Nothing of what people see has stopped working.
    remaining = getattr(parties, other_party)
    statuses = [remaining.request(request_id)["status"] for request_id in made]
    assert statuses == [
        "open", "declined", "accepted", "accepted", "cancelled", "completed", "accepted",
    ]  # fmt: skip
    for request_id in made:
        shown = remaining.get(f"/api/requests/{request_id}").content
        shown += remaining.get(f"/api/requests/{request_id}/meetings").content
        shown += remaining.get(f"/api/requests/{request_id}/calendar.ics").content
        assert traces(shown) == []
    # Whatever is done later tells the other one only, and tells nothing.
    sent = len(stack.mails.all())
    for request_id, path in ((made[2], "cancel"), (made[3], "meeting/regenerate")):
        assert remaining.post(f"/api/requests/{request_id}/cancel").status_code == 200
        stack.settle(request_id)
    told = stack.mails.all()
    assert len(told) > sent
    later = [mail for mail in told if mail.id.split(".")[0] in made[2:4]]
    assert "erased.invalid" not in "".join(mail.recipient for mail in told)
    cancelled = [mail for mail in later if ".meeting_cancelled." in mail.id]
    assert {mail.recipient for mail in cancelled} == {parties.person(other_party)["email"]}
    for mail in cancelled:
        bodies = [part.get_payload(decode=True) or b"" for part in mail.message.walk()]
        assert traces(b"".join([mail.raw, *bodies])) == []
    assert_whole(stack)


def test_mails_that_are_owed_do_not_leave(start: Callable[..., Stack], smtp: SmtpServer) -> None:
    stack = start(smtp)
    parties = stack.parties()
    lawyer = parties.person("lawyer")["email"]
    smtp.answers[EMAIL] = f"450 <{EMAIL}> {NAME.encode('ascii', 'replace').decode()} is not in"
    smtp.answers[lawyer] = f"450 4.2.1 cannot tell you about {EMAIL}"
    made = [
        parties.accepted(client=parties.person("client", name=NAME, email=EMAIL))["id"]
        for _ in range(3)
    ]
    until(lambda: smtp.attempts[EMAIL] >= 3 and smtp.attempts[lawyer] >= 3, "all are tried")
    until(
        lambda: all(
            effect.get("last_error")
            for i in made
            for effect in stack.document(i)["effects"]
            if "mail" in effect
        ),
        "all are noted",
    )
    assert b"cannot tell you about ..." in dump(stack) and traces(dump(stack))
    assert erase(stack.service(), parties.client_id)["requests"] == 3
    assert traces(dump(stack)) == []
    assert "cannot tell you about ..." in stack.logged("meetlink")
    assert EMAIL not in stack.logged("meetlink")
    for request_id in made:
        document = stack.document(request_id)
        assert {(e["kind"], e.get("mail", {}).get("party")) for e in document["effects"]} == {
            ("meeting.expire", None),
            ("meeting.notice", None),
            ("mail.meeting_ready", "lawyer"),
        }
        tail = [(e["action"], e["to"], e["detail"]) for e in document["events"][-2:]]
        assert tail == [
            ("mail.discarded", "client", "meeting_ready"),
            ("person.erased", "client", parties.client_id),
        ]
    smtp.answers.clear()
    stack.advance(7200)
    for request_id in made:
        stack.settle(request_id)
    assert [mail.recipient for mail in smtp.all()] == [lawyer] * 3
    for mail in smtp.all():
        assert traces(mail.raw + mail.text().encode() + mail.text("text/html").encode()) == []
        assert "Erased person" in mail.text()
    assert_whole(stack)


def test_erasing_while_the_mail_is_leaving(start: Callable[..., Stack], smtp: SmtpServer) -> None:
    """What is on its way cannot be called back; it is neither repeated nor written down again."""
    stack = start(smtp)
    parties = stack.parties()
    smtp.hanging.add(EMAIL)
    request = parties.accepted(client=parties.person("client", name=NAME, email=EMAIL))
    until(lambda: smtp.attempts[EMAIL], "it is leaving")
    erase(stack.admin(), parties.client_id)
    smtp.release()
    stack.settle(request["id"])
    stack.advance(LEASE_S + 1)
    until(lambda: "lease of effect" in stack.logged("meetlink"), "the outcome comes too late")
    assert traces(dump(stack)) == [] and smtp.attempts[EMAIL] == 1
    assert_whole(stack)


def test_no_log_keeps_the_address_of_a_refused_mail(
    start: Callable[..., Stack], smtp: SmtpServer
) -> None:
    """What a server answers is kept without the address, so that erasing need not look there."""
    stack = start(smtp)
    parties = stack.parties()
    smtp.answers[EMAIL] = f"550 5.1.1 <{EMAIL}>: no such mailbox {EMAIL.upper()}"
    request = parties.accepted(client=parties.person("client", name=NAME, email=EMAIL))

    def failed() -> dict | None:
        effects = stack.document(request["id"])["effects"]
        return next((e for e in effects if e["state"] == "failed"), None)

    error = until(failed, "it is refused")["last_error"]
    assert error["detail"].endswith("550 5.1.1 <...>: no such mailbox ...")
    actions = [event["action"] for event in parties.lawyer.audit(request["id"])]
    assert "mail.failed" in actions
    erase(stack.admin(), parties.client_id)
    assert traces(dump(stack)) == []
    logs = "".join(stack.logged(name) for name in ("meetlink", "nginx", "access"))
    assert "<...>: no such mailbox ..." in logs and traces(logs.encode()) == []
    assert_whole(stack)


# ---- what providers have of a person ----


def test_erasing_reaches_the_provider(provide: Callable[..., Providers]) -> None:  # noqa: F811
    """The title goes from the meeting at Zoom, too, without a word to anybody."""
    providers = provide(names=["zoom"])
    stack, zoom = providers.stack, providers["zoom"]
    parties = stack.parties()
    person = parties.person("client", name=NAME, email=EMAIL)
    draft = {"client": person, "title": WORDS, "description": WORDS}
    made, cancelled = (parties.accepted(**draft)["id"] for _ in range(2))
    for request_id in (made, cancelled):
        providers.until_status(request_id, "ready")
        providers.finish(request_id)
    done(parties.lawyer.cancel(cancelled))
    providers.finish(cancelled)
    (meeting,) = zoom.meetings.values()
    assert meeting.raw["topic"] == WORDS and traces(meeting.raw["agenda"].encode()) == []
    document, told = stack.document(made), len(stack.mails.all())

    zoom.down()
    erase(stack.admin(), parties.client_id)
    providers.until_tried(made)
    assert meeting.raw["topic"] == WORDS, "it is owed until Zoom is there again"
    zoom.up()
    stack.advance(BREAKER_S + 1)
    after = providers.finish(made)
    providers.finish(cancelled)
    assert [one.raw["topic"] for one in zoom.meetings.values()] == ["Erased"]
    assert traces(json.dumps(meeting.raw).encode() + dump(stack)) == []
    assert EMAIL not in stack.logged("meetlink")
    for name in ("sequence", "generation", "status", "external_mark", "starts_at", "ends_at"):
        assert after["meeting"][name] == document["meeting"][name]
    assert len(stack.mails.all()) == told, "nobody is told"
    erase(stack.admin(), parties.lawyer_id)
    updates = zoom.count("PATCH", f"/v2/meetings/{meeting.id}")
    providers.finish(made)
    assert zoom.count("PATCH", f"/v2/meetings/{meeting.id}") == updates, "once is enough"
    assert_whole(stack)


def test_erasing_while_the_meeting_is_being_made(
    provide: Callable[..., Providers],  # noqa: F811
) -> None:
    """Zoom makes it with the title of before, and then gets the other one."""
    providers = provide(names=["zoom"], policy={"inline_wait_ms": 0})
    stack, zoom = providers.stack, providers["zoom"]
    parties = stack.parties()
    zoom.script(Fault("POST /users/*/meetings", delay=2))
    person = parties.person("client", name=NAME, email=EMAIL)
    request = parties.accepted(client=person, title=WORDS)
    until(lambda: zoom.seen("POST", "/users/*/meetings"), "it is being made")
    erase(stack.admin(), parties.client_id)
    providers.until_status(request["id"], "ready")
    providers.finish(request["id"])
    assert [one.raw["topic"] for one in zoom.meetings.values()] == ["Erased"]
    assert {mail.recipient for mail in stack.mails.all()} == {parties.person("lawyer")["email"]}


def test_erasing_nobody(stack: Stack) -> None:
    for person_id in ("nobody-knows", "-", "a%20b", "%F0%9F%90%9F", "x" * 300, "$ne"):
        answer = stack.admin().post(f"/api/people/{person_id}/erase")
        assert answer.status_code == 200, answer.text
        assert answer.json()["requests"] == 0
    assert stack.admin().post("/api/people//erase").status_code == 404
    assert stack.admin().post("/api/people/x/erase", {"cancel": True}).status_code == 422


def test_who_may_erase(stack: Stack, parties: Parties) -> None:
    request = parties.create()
    url = f"/api/people/{parties.client_id}/erase"
    for caller in (parties.client, parties.lawyer):
        assert caller.post(url).status_code == 403
    assert stack.anyone().post(url).status_code == 401
    assert stack.admin().get(url).status_code == 405
    assert parties.client.request(request["id"])["client"]["name"] == "Client Ex"
    key = {"Idempotency-Key": new_key()}
    assert erase(stack.service(), parties.client_id, headers=key)["requests"] == 1
    assert erase(stack.service(), parties.client_id, headers=key)["requests"] == 1
    shown = parties.lawyer.request(request["id"])
    assert shown["client"]["name"] == "Erased person" and shown["title"] == "Erased"


def test_both_people_are_erased_and_stay_two(stack: Stack, parties: Parties) -> None:
    request = parties.accepted()
    stack.settle(request["id"])
    for person_id in (parties.client_id, parties.lawyer_id):
        erase(stack.admin(), person_id)
    shown = stack.admin().request(request["id"])
    assert shown["client"]["email"] != shown["lawyer"]["email"]
    assert broken(stack, request["id"]) is None
    assert parties.client.cancel(request["id"]).status_code == 200
    document = stack.settle(request["id"])
    assert document["events"][-1]["action"] == "meeting.cancelled", "nobody is told"


def test_a_repeat_shows_nobody_again(stack: Stack, parties: Parties) -> None:
    """Answers kept for an Idempotency-Key went too; the repeat is still the same request."""
    key = {"Idempotency-Key": new_key()}
    body = parties.draft(client=parties.person("client", name=NAME, email=EMAIL))
    made = parties.client.post("/api/requests", body, headers=key)
    assert made.status_code == 201
    erase(stack.admin(), parties.client_id)
    again = parties.client.post("/api/requests", body, headers=key)
    assert again.status_code == 201 and again.json()["id"] == made.json()["id"]
    assert traces(again.content) == []


@pytest.mark.parametrize("place", ["change.before_save", "change.after_save"])
def test_erasing_goes_on_after_a_death(start: Callable[..., Stack], tmp_path, place: str) -> None:
    trigger = tmp_path / "trigger"
    stack = start(FAULT=f"{place}:{trigger}")
    parties = stack.parties()
    person = parties.person("client", name=NAME, email=EMAIL)
    made = [parties.create(client=person)["id"] for _ in range(9)]
    trigger.touch()
    # nginx repeats by itself what a worker did not answer; so does the caller.
    stack.admin().post(f"/api/people/{parties.client_id}/erase")
    assert not trigger.exists(), "somebody died"
    assert erase(stack.admin(), parties.client_id)["requests"] == len(made)
    assert traces(dump(stack)) == []
    for request_id in made:
        actions = [event["action"] for event in stack.document(request_id)["events"]]
        own = [action for action in actions if not action.startswith("mail.")]
        assert own == ["request.created", "person.erased"], "once, whoever did it"
    assert_whole(stack)


def test_erasing_while_others_work(stack: Stack) -> None:
    parties = stack.parties()
    person = parties.person("client", name=NAME, email=EMAIL)
    made = [parties.create(client=person)["id"] for _ in range(12)]

    def accept() -> set[int]:
        return {parties.lawyer.respond(i, "accept", message="Yes.").status_code for i in made}

    def cancel() -> set[int]:
        return {parties.lawyer.cancel(i).status_code for i in reversed(made)}

    def erase_all() -> int:
        return erase(stack.admin(), parties.client_id)["requests"]

    results = at_once([accept, cancel, erase_all, erase_all])
    assert results[2:] == [12, 12]
    assert erase_all() == 12
    for request_id in made:
        document = stack.settle(request_id)
        assert traces(bson.encode(document)) == []
        assert broken(stack, request_id) is None
