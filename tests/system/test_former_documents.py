"""What a former version has stored is shown, changed and performed as if nothing had been.

The documents in tests/data/documents were made by the version before a refactoring, one in each
state; beside each is what that version answered.
"""

import collections
import dataclasses
import json
import pathlib
import re
import secrets
from collections.abc import Iterator
from mailbox import SmtpServer, check_invitation

import boards
import pytest
from caller import done, refused
from former import NAMES, ROLES, Former, as_before, load, place, shown
from stack import LEASE_S, WATCH
from support import until
from test_config import keys

METHODS = {"meeting_ready": "REQUEST", "meeting_updated": "REQUEST", "meeting_cancelled": "CANCEL"}
PENDING = [name for name in NAMES if name.startswith("creation-")]
DAYS = 5  # later every meeting is over


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory, mongodb_uri: str) -> Iterator[Former]:
    smtp = SmtpServer()
    with Former(tmp_path_factory.mktemp("former") / "world", mongodb_uri, smtp) as former:
        yield former
    smtp.stop()


@pytest.fixture
def former(started: Former) -> Former:
    """Everything as the former version has left it, and nobody delivers."""
    started.reset()
    return started


@pytest.fixture
def own(tmp_path: pathlib.Path, mongodb_uri: str, smtp: SmtpServer) -> Iterator[Former]:
    """A world of the test's own."""
    with Former(tmp_path / "world", mongodb_uri, smtp) as former:
        yield former


def actions(document: dict) -> list[str]:
    return [event["action"] for event in document["events"]]


def told(mail: dict) -> dict:
    """What a mail carries: in the mail itself, as long as nobody has written the document anew."""
    return mail.get("mail", mail)


def owed(document: dict) -> list[str]:
    """What somebody still has to do, but the watch: "mail.meeting_ready client"."""
    return sorted(
        effect["kind"] + (f" {told(effect)['party']}" if effect["kind"].startswith("mail.") else "")
        for effect in document["effects"]
        if effect["state"] == "due" and effect["kind"] not in WATCH
    )


# ---- it is shown ----


@pytest.mark.parametrize("name", NAMES)
def test_it_is_shown_as_before(former: Former, name: str) -> None:
    """To both of its people, with the same links, alone and in lists."""
    said, document = shown(name), former.documents[name]
    parties = former.parties(name)
    for role in ROLES:
        caller = getattr(parties, role)
        assert as_before(caller.request(document["_id"])) == said[role]
        ((row,),) = caller.pages()
        assert as_before(row) == said[role]
        trail = caller.audit(document["_id"])
        assert [event["action"] for event in trail] == actions(document)
        meetings = 1 + len(document.get("meetings", [])) if document["meeting"] else 0
        if meetings:
            url = f"/api/requests/{document['_id']}"
            items = caller.fetch(f"{url}/meetings")["items"]
            assert len(items) == meetings and as_before(items[0]) == said[role]["meeting"]
            calendar = caller.get(f"{url}/calendar.ics").content
            link = place(said[role]["meeting"]["calendar_url"])
            assert former.stack.anyone().get(link).content == calendar
    assert former.now(name) == document, "looking changes nothing"


FOUND_BY = ("due", "owed", "owes", "failed_at", "shelf", "over_at", "lawyer_until", "admin_until")


def without_retry(said: dict) -> dict:
    links = {name: url for name, url in said["links"].items() if name != "retry"}
    return said | {"links": links}


def test_dashboards_find_it(former: Former) -> None:
    """`init-db` adds what they go by, and nothing else."""
    for _ in ("once", "and once more"):
        former.stack.run("init-db")
        documents = {name: former.now(name) for name in NAMES}
        for name in NAMES:
            found = {n: v for n, v in documents[name].items() if n not in FOUND_BY}
            before = former.documents[name]
            assert found == {n: v for n, v in before.items() if n not in FOUND_BY}, name
            assert documents[name]["over_at"]
            if before.get("due"):
                assert documents[name]["due"] == before["due"]
    for name in NAMES:
        parties = former.parties(name)
        for role in ROLES:
            caller = getattr(parties, role)
            dashboard = caller.fetch("/api/dashboard")
            person = documents[name][role]["id"]
            assert boards.shown(dashboard) == boards.read(
                documents.values(), role, person, former.stack.now()
            ), name
            rows = [row for where in boards.LISTS for row in dashboard[where]]
            for row in boards.without_reasons(rows):
                row["links"].pop("retry", None)  # what was given up is found by now
                assert as_before(row) == without_retry(shown(name)[role]), name
    dashboard = former.stack.admin().fetch("/api/dashboard")
    expected = boards.read(documents.values(), "admin", "", former.stack.now())
    assert boards.shown(dashboard) == expected


def test_every_trail_is_whole(former: Former) -> None:
    said = former.stack.run("verify-audit")
    assert said.startswith(f"{len(NAMES) + 1} documents,") and said.endswith(" 0 broken\n"), said


def test_the_configuration_is_that_of_before(former: Former) -> None:
    admin = former.stack.admin()
    for name in former.sims:
        provider = admin.fetch(f"/api/config/providers/{name}")
        assert provider["enabled"]
        result = done(admin.post(f"/api/config/providers/{name}/validate", {"deep": True}))
        assert result["ok"], result
    policy = admin.fetch("/api/config/meetings")
    assert (policy["default_provider"], policy["failover"]) == ("zoom", ["teams"])
    stored = load("config")["policy"]
    # What a policy had not in the version before.
    defaults = {
        "page_links": "act",
        "change_until_minutes_before": 0,
        "show_dial_in": True,
        "reply_to": "other_party",
        "delay_notice_s": 120,
        "alerts": [],
        "max_changes_per_hour": 30,
        "lawyer_addresses": "trusted",
    }
    done(admin.put("/api/config/meetings", {"inline_wait_ms": 1234}))
    config = former.stack.requests.database["config"].find_one()
    assert config["policy"] == defaults | stored | {"inline_wait_ms": 1234}
    assert former.stack.run("verify-audit", "--request", "config").endswith(" 0 broken\n")


def test_the_link_opens(former: Former) -> None:
    """That version said of a link that was used that its person had joined: so it stays written."""
    document = former.documents["joined"]
    assert actions(document).count("meeting.joined") == len(ROLES)
    for number, role in enumerate(ROLES):
        link = place(shown("joined")[role]["meeting"]["join_url"])
        answer = former.stack.anyone().get(link)
        (live,) = former.live_of(document)
        assert (answer.status_code, answer.headers["Location"]) == (302, live[1].join_url)
        now = former.now("joined")
        assert actions(now).count("meeting.joined") == len(ROLES)
        clicks = [e for e in now["events"] if e["action"] == "meeting.link_used"]
        assert len(clicks) == number + 1
        assert clicks[-1]["actor"] == {"role": role, "id": f"{role}-joined"}
    for name in ("ready-told", "regenerated"):
        link = place(shown(name)["client"]["meeting"]["join_url"])
        assert former.stack.anyone().get(link).status_code == 403, "it is too early"
    assert former.stack.run("verify-audit").endswith(" 0 broken\n")


@pytest.mark.parametrize(
    ("name", "role", "key"),
    [("open", "client", "asked-once"), ("ready-mails-owed", "lawyer", "accepted-once")],
)
def test_an_answer_that_was_kept_is_given_again(
    former: Former, name: str, role: str, key: str
) -> None:
    kept, caller = shown(name), getattr(former.parties(name), role)
    headers = {"Idempotency-Key": key}
    again = caller.post(kept["path"], kept["body"], headers=headers)
    assert again.ok and again.json() == kept["answer"]
    assert again.headers["Idempotency-Replayed"] == "true"
    other = caller.post(kept["path"], kept["body"] | {"timezone": "UTC"}, headers=headers)
    assert refused(other) == (422, "idempotency_key_reused")
    assert former.now(name)["rev"] == former.documents[name]["rev"]


# ---- it is changed ----


INVITED = ["mail.meeting_ready client", "mail.meeting_ready lawyer"]
UPDATED = ["mail.meeting_updated client", "mail.meeting_updated lawyer"]
CANCELLED = ["mail.meeting_cancelled client", "mail.meeting_cancelled lawyer"]
DELETE, UPDATE = ["meeting.delete"], ["meeting.update"]
AGAIN = ["meeting.requested", "meeting.ready"]
ANEW = ["meeting.replaced", "meeting.regenerated", "meeting.ready"]
MOVED = ["meeting.rescheduled"]
REQUEST, MEETING = "/api/requests/{}", "/api/requests/{}/meeting"


@dataclasses.dataclass
class Change:
    """A command that fits, and what becomes of the document."""

    who: str
    path: str
    body: dict
    adds: list[str]  # to the audit trail
    owes: list[str]  # afterwards
    status: str = "accepted"
    meeting: str | None = "ready"
    provider: str | None = "zoom"


def moved(adds: list[str], owes: list[str]) -> Change:
    return Change("lawyer", f"{MEETING}/reschedule", {"starts_at": {"days": 4.5}}, adds, owes)


def erased(who: str, adds: list[str], owes: list[str], *more: str | None) -> Change:
    return Change("admin", f"/api/people/{who}/erase", {}, [*adds, "person.erased"], owes, *more)


DISCARDED = ["mail.discarded"]
ENDED = ["request.cancelled", "meeting.cancelled"]
CHANGES = {
    "open": Change(
        "lawyer",
        f"{REQUEST}/respond",
        {"decision": "accept", "message": "Yes"},
        ["request.accepted", *AGAIN],
        INVITED,
    ),
    "declined": erased("client-declined", DISCARDED, [], "declined", None, None),
    "creation-owed": Change("lawyer", f"{MEETING}/retry", {}, AGAIN, INVITED),
    # Zoom is asked again, and finds what it has made; what Teams may have made has to go.
    "creation-failed-over": Change("lawyer", f"{MEETING}/retry", {}, AGAIN, INVITED + DELETE),
    "creation-waits": Change(
        "lawyer",
        f"{MEETING}/regenerate",
        {"provider": "jitsi"},
        ANEW,
        INVITED + DELETE * 2,
        provider="jitsi",
    ),
    # Whoever performs it finds out, and deletes what was made.
    "creation-leased": Change(
        "client",
        f"{REQUEST}/cancel",
        {"reason": "Ill"},
        ENDED,
        ["meeting.create"],
        "cancelled",
        "cancelled",
        "teams",
    ),
    "ready-mails-owed": moved(MOVED, INVITED + UPDATE),
    "ready-told": Change(
        "lawyer",
        f"{MEETING}/regenerate",
        {"provider": "teams", "reason": "It leaked"},
        ANEW,
        UPDATED + DELETE,
        provider="teams",
    ),
    "update-owed": moved(MOVED, UPDATED + UPDATE),
    # Of a mail that was refused nobody knows for sure.
    "mail-failed": Change(
        "lawyer", f"{REQUEST}/cancel", {}, ENDED, CANCELLED + DELETE, "cancelled", "cancelled"
    ),
    "failed": Change("lawyer", f"{MEETING}/retry", {}, AGAIN, INVITED),
    "cancelled": erased(
        "client-cancelled", DISCARDED, CANCELLED[1:] + DELETE, "cancelled", "cancelled"
    ),
    "deletion-failed": erased("lawyer-deletion-failed", [], [], "cancelled", "cancelled"),
    # They have not heard of it yet: for them it is a new link.
    "meeting-cancelled": Change(
        "lawyer", f"{MEETING}/regenerate", {}, ANEW[1:], UPDATED + DELETE
    ),
    "regenerated": Change(
        "client",
        f"{MEETING}/cancel",
        {"reason": "Ill"},
        ENDED[1:],
        CANCELLED + DELETE * 2,
        meeting="cancelled",
    ),
    "joined": moved(MOVED, UPDATED + UPDATE),
    "completed": Change(
        "lawyer",
        f"{MEETING}/outcome",
        {"outcome": "client_no_show"},
        ["meeting.outcome"],
        ["mail.meeting_missed client"],
        "completed",
        "expired",
    ),
    "erased": moved(MOVED, UPDATED[1:] + UPDATE),
}


@pytest.mark.parametrize("name", NAMES)
def test_it_is_changed(former: Former, name: str) -> None:
    change, before = CHANGES[name], former.documents[name]
    parties, body = former.parties(name), dict(change.body)
    if "starts_at" in body:
        body["starts_at"] = former.stack.at(**body["starts_at"])
    caller = getattr(parties, change.who) if change.who in ROLES else former.stack.admin()
    answer = done(caller.post(change.path.format(before["_id"]), body))
    after = former.now(name)
    if change.who in ROLES:
        assert answer == caller.request(before["_id"])
    else:
        assert answer["requests"] == 1
    assert after["rev"] > before["rev"]
    assert after["events"][: len(before["events"])] == before["events"]
    assert actions(after)[len(before["events"]) :] == change.adds
    assert owed(after) == change.owes
    assert after["status"] == change.status
    meeting = after["meeting"] or {"status": None, "provider": None}
    assert (meeting["status"], meeting["provider"]) == (change.meeting, change.provider)
    if "starts_at" in body:
        assert f"{after['starts_at']:%FT%TZ}" == f"{meeting['starts_at']:%FT%TZ}"
        assert answer["starts_at"] == f"{after['starts_at']:%FT%TZ}" == body["starts_at"]
        mails = [effect for effect in after["effects"] if effect["kind"].startswith("mail.")]
        assert {told(mail)["starts_at"] for mail in mails} == {after["starts_at"]}
    if meeting["status"] == "ready" and meeting["provider"] in former.sims:
        mark = former.stack.mark
        assert meeting["external_mark"] in [mark(n, live.id) for n, live in former.live_of(after)]
    kept = {"_id", "created_at", "client", "lawyer", "title", "description"}
    for field in kept if change.who in ROLES else {"_id", "created_at", "starts_at"}:
        assert after[field] == before[field], field
    assert former.stack.run("verify-audit").endswith(" 0 broken\n")


@pytest.mark.parametrize(
    ("name", "command", "code"),
    [
        ("declined", "respond", "already_decided"),
        ("cancelled", "cancel", "already_cancelled"),
        ("deletion-failed", "meeting/regenerate", "already_cancelled"),
        ("ready-told", "meeting/retry", "already_ready"),
        ("creation-owed", "meeting/regenerate", "still_pending"),
        ("meeting-cancelled", "meeting/retry", "meeting_ended"),
        ("completed", "cancel", "meeting_over"),
    ],
)
def test_what_does_not_fit_is_refused(former: Former, name: str, command: str, code: str) -> None:
    url = f"/api/requests/{former.documents[name]['_id']}/{command}"
    body = {"decision": "accept"} if command == "respond" else {}
    answer = former.parties(name).lawyer.post(url, body)
    assert refused(answer) == (409, code)
    assert former.now(name) == former.documents[name]


# ---- what it owes is performed ----


def mails_owed(document: dict) -> set[str]:
    """The Message-IDs, without our domain, that have to arrive."""
    mails = [
        (e["generation"], e["sequence"], e["kind"].removeprefix("mail."), told(e)["party"])
        for e in document["effects"]
        if e["kind"].startswith("mail.") and e["state"] == "due"
    ]
    if any(e["kind"] == "meeting.create" and e["state"] == "due" for e in document["effects"]):
        mails += [(1, 0, "meeting_ready", role) for role in ROLES]
    return {".".join([document["_id"], *map(str, mail)]) for mail in mails}


def check_everything_is_performed(former: Former, smtp: SmtpServer) -> None:
    before = {(name, live.id) for name, live in former.live()}
    # Whoever performed the creation has died. While somebody performs, the clock is not moved.
    former.stack.advance(LEASE_S + 1)
    former.deliver()
    former.finish_all()

    # Mails: all that were owed, to whom they were owed, once.
    expected = set().union(*map(mails_owed, former.documents.values()))
    assert collections.Counter(mail.id.partition("@")[0] for mail in smtp.all()) == dict.fromkeys(
        expected, 1
    )
    for name, document in former.documents.items():
        for mail in smtp.of(document["_id"]):
            kind, party = mail.id.partition("@")[0].split(".")[-2:]
            assert mail.recipient == document[party]["email"]
            if kind == "request_declined":
                continue
            event = check_invitation(mail, METHODS[kind])
            now = former.now(name)
            assert event["DTSTART"].dt == now["starts_at"]
            if kind != "meeting_cancelled":
                caller = getattr(former.parties(name), party)
                assert event["LOCATION"] == caller.request(now["_id"])["meeting"]["join_url"]

    # Meetings: those of requests that are ready, what was made already among them, and what nobody
    # can delete.
    left = set()
    for name, document in former.documents.items():
        now = former.now(name)
        assert owed(now) == []
        assert now["status"] == document["status"]
        if name in PENDING:
            assert now["meeting"]["status"] == "ready"
        elif document["meeting"]:
            assert now["meeting"]["status"] == document["meeting"]["status"]
        if now["meeting"] and now["meeting"]["status"] == "ready":
            provider, live = former.the_meeting({"id": now["_id"], "title": now["title"]})
            left.add((provider, live.id))
            assert (provider, live.id) in before or name == "creation-owed", "made once more"
    orphans = former.live_of(former.documents["deletion-failed"])
    assert {(name, live.id) for name, live in former.live()} - left == {
        (name, live.id) for name, live in orphans
    }
    assert len(orphans) == 1
    assert [e["state"] for e in former.now("deletion-failed")["effects"]] == ["failed"]
    assert [e["state"] for e in former.now("mail-failed")["effects"]].count("failed") == 1

    # In the end all of it is over; days after its time nobody is told what was never answered.
    former.stack.run("init-db")
    former.stack.advance(DAYS * 24 * 3600)
    watched = {"status": {"$in": ["open", "accepted"]}}
    until(lambda: former.stack.requests.count_documents(watched) == 0, "all is over", 40)
    former.finish_all()
    assert [live.title for _, live in former.live()] == [live.title for _, live in orphans]
    lapsed = former.now("open")
    assert lapsed["status"] == "lapsed"
    assert actions(lapsed)[1:] == ["request.lapsed"]
    sent = [mail.id.partition("@")[0] for mail in smtp.all()]
    assert sorted(sent) == sorted(expected), "nobody is mailed about anything else"
    assert former.stack.run("verify-audit").endswith(" 0 broken\n")


def test_everything_owed_is_performed(own: Former, smtp: SmtpServer) -> None:
    check_everything_is_performed(own, smtp)


# ---- another key ----


def dump(former: Former, *without: str) -> str:
    database = former.stack.requests.database
    return "\n".join(
        repr({name: value for name, value in document.items() if name not in without})
        for collection in ("config", "requests", "tokens")
        for document in database[collection].find()
    )


def without_tokens(said: dict) -> dict:
    """What is shown, but for the tokens in links: those are of the newest key."""
    text = re.sub(r"/(join|calendar/event)/[\w-]{50}", r"/\1/…", json.dumps(said))
    said = json.loads(text)
    said["links"].pop("retry", None)  # what was given up says so, once it is written anew
    return said


def test_everything_is_sealed_under_another_key(own: Former, smtp: SmtpServer) -> None:
    """And the old one is not needed any more, but for the links that it made."""
    stack, old, new = own.stack, own.key.read_text(), f"k2:{secrets.token_hex(32)}\n"
    link = place(shown("joined")["client"]["meeting"]["join_url"])
    # An answer whose time is over is let go of.
    sealed = dump(own, "answers").count("v1:k1:")
    assert sealed > 3 * len(NAMES)
    own.use_keys(new, old)
    stack.reload()
    assert keys(stack, "--check")[0] == 1
    status, told = keys(stack)
    assert status == 0, told
    for line in (f"requests: {len(NAMES)} seen, {len(NAMES)} sealed anew, 0 not", "config: 1 seen"):
        assert line in told
    assert keys(stack, "--check")[0] == 0
    assert dump(own).count("v1:k1:") == 0
    assert dump(own, "answers").count("v1:k2:") == sealed
    assert stack.anyone().get(link).status_code == 302

    own.use_keys(new)
    stack.reload()
    assert stack.run("verify-audit").endswith(" 0 broken\n")
    for name in NAMES:
        for role in ROLES:
            caller, said = getattr(own.parties(name), role), shown(name)[role]
            now = as_before(caller.request(said["id"]))
            assert without_tokens(now) == without_tokens(said)
    assert stack.anyone().get(link).status_code == 404
    check_everything_is_performed(own, smtp)
