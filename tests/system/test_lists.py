"""What people see of all their requests: lists with filters and pages, and the dashboard."""

import base64
import copy
import datetime
import secrets
import time

import boards
import pytest
from caller import Caller, Parties, done, refused
from stack import Stack
from support import until
from wire import Wire


def test_lists(stack: Stack, parties: Parties) -> None:
    """Seven requests, of which two are accepted, one is declined and one cancelled."""
    starts = [stack.at(days=day) for day in (5, 1, 3, 3, 2, 4, 6)]
    made = [parties.create(starts_at=start) for start in starts]
    for i in (0, 1):
        parties.accept(made[i])
    parties.lawyer.respond(made[2]["id"], "decline")
    parties.client.cancel(made[3]["id"])

    def ids(**query: object) -> list[str]:
        pages = parties.client.pages(**query)
        return [row["id"] for page in pages for row in page]

    newest = sorted(made, key=lambda row: (row["starts_at"], row["id"]), reverse=True)
    assert [sorted(ids()), len(ids())] == [sorted(row["id"] for row in made), 7]
    assert [row["starts_at"] for row in parties.client.pages()[0]] == sorted(starts, reverse=True)
    assert ids(order="asc") == ids()[::-1]
    assert set(ids(status="accepted")) == {made[0]["id"], made[1]["id"]}
    assert ids(status="accepted", order="asc") == [made[1]["id"], made[0]["id"]]
    assert ids(status="declined") == [made[2]["id"]]
    assert set(ids(meeting_status="ready")) == {made[0]["id"], made[1]["id"]}
    assert ids(meeting_status="failed") == []
    window = {"from": starts[2], "to": starts[0]}
    assert set(ids(**window)) == {made[2]["id"], made[3]["id"], made[5]["id"]}
    for limit in (1, 2, 3, 6, 7, 8):
        pages = parties.lawyer.pages(limit=limit)
        assert all(len(page) == limit for page in pages[:-1]) and len(pages[-1]) <= limit
        assert [row["id"] for page in pages for row in page] == ids(), "none lost, none twice"
    assert newest[0]["id"] == ids()[0]
    stranger = stack.parties()
    assert stranger.client.pages() == stranger.lawyer.pages() == [[]]
    everything = [row["id"] for page in stack.admin().pages(limit=200) for row in page]
    assert set(everything) >= set(ids())
    assert parties.client.pages()[0][0] == parties.client.request(ids()[0])


def test_pages_hold_while_rows_are_added(stack: Stack, parties: Parties) -> None:
    made = [parties.create(starts_at=stack.at(days=day)) for day in (1, 2, 3, 4)]
    first = parties.client.fetch("/api/requests", params={"limit": 2})
    parties.create(starts_at=stack.at(days=9))
    rest = parties.client.fetch(
        "/api/requests", params={"limit": 2, "cursor": first["next_cursor"]}
    )
    seen = [row["id"] for row in first["items"] + rest["items"]]
    assert seen == [row["id"] for row in reversed(made)]


@pytest.mark.parametrize(
    "query, pointer",
    [
        ("limit=0", "/limit"),
        ("limit=201", "/limit"),
        ("limit=x", "/limit"),
        ("status=nonsense", "/status"),
        ("meeting_status=nonsense", "/meeting_status"),
        ("order=up", "/order"),
        ("from=yesterday", "/from"),
        ("to=2027-13-01T00:00:00Z", "/to"),
        ("cursor=abc", "/cursor"),
        ("cursor=" + "A" * 33, "/cursor"),
        ("limit=1&limit=2", "/limit"),
        ("page=2", "/page"),
    ],
)
def test_a_query_that_is_not_valid(parties: Parties, query: str, pointer: str) -> None:
    answer = parties.client.get("/api/requests?" + query)
    assert answer.status_code == 422, answer.text
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def test_the_audit_in_pages(stack: Stack, parties: Parties) -> None:
    request = parties.accepted()
    stack.settle(request["id"])
    url = f"/api/requests/{request['id']}/audit"
    events = parties.client.audit(request["id"])
    assert len(events) == 6
    for limit in (1, 2, 5, 6, 7):
        pages = parties.client.pages(url, limit=limit)
        assert [len(page) for page in pages[:-1]] == [limit] * (len(pages) - 1)
        assert 0 < len(pages[-1]) <= limit
        assert [event for page in pages for event in page] == events, "none lost, none twice"


def test_an_audit_query_that_is_not_valid(parties: Parties) -> None:
    request, other = parties.create(), parties.create()
    (event,) = parties.client.audit(other["id"])
    for query, pointer in (
        ("cursor=abc", "/cursor"),
        (f"cursor={event['id']}", "/cursor"),
        ("limit=0", "/limit"),
        ("limit=201", "/limit"),
        ("page=2", "/page"),
    ):
        answer = parties.client.get(f"/api/requests/{request['id']}/audit?{query}")
        assert answer.status_code == 422, f"{query}: {answer.text}"
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


GARBAGE = {
    "an unknown status": {"status": "nonsense"},
    "a number for a text": {"title": 7},
    "a passcode that nobody sealed": {"meeting.passcode": "nonsense"},
}


@pytest.mark.parametrize("name", GARBAGE)
def test_an_unreadable_document_hides_no_other(start, name: str) -> None:
    stack = start()
    parties = stack.parties()
    made = [parties.accepted(starts_at=stack.at(days=day)) for day in (1, 2, 3)]
    for request in made:
        stack.settle(request["id"])
    bad, good = made[1]["id"], [made[0]["id"], made[2]["id"]]
    past = stack.now() - datetime.timedelta(hours=1)
    stack.requests.update_one({"_id": bad}, {"$set": GARBAGE[name] | {"due": past}})
    for caller in (parties.lawyer, stack.admin()):
        (rows,) = caller.pages(order="asc")
        assert [row["id"] for row in rows] == good
        assert [row["id"] for row in caller.fetch("/api/dashboard")["upcoming"]] == good
        answer = caller.get(f"/api/requests/{bad}")
        assert answer.status_code == 500
        assert "nonsense" not in answer.text and "status" not in answer.json()["detail"]
    aside = {"_id": bad, "due": {"$gt": stack.now()}}
    until(lambda: stack.requests.find_one(aside), "a dispatcher sets it aside")
    other = stack.parties().accepted()
    stack.settle(other["id"])
    assert len(stack.mails.of(other["id"])) == 2, "mail goes out as before"


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_pages_go_on_behind_an_unreadable_document(start, limit: int) -> None:
    stack = start()
    parties = stack.parties()
    made = [parties.create(starts_at=stack.at(days=day))["id"] for day in range(1, 7)]
    for request_id in made:
        stack.settle(request_id)  # what is being written would be as it was
    bad = [made[0], made[2], made[3]]
    stack.requests.update_many({"_id": {"$in": bad}}, {"$set": {"status": "nonsense"}})
    pages = parties.client.pages(order="asc", limit=limit)
    seen = [row["id"] for page in pages for row in page]
    assert seen == [made[1], made[4], made[5]], "none lost, none twice"


# ---- the dashboard ----


def check(caller: Caller, stack: Stack, role: str, person: str = "") -> dict:
    """What the dashboard says, which is what reading every document says."""
    dashboard = caller.fetch("/api/dashboard")
    assert boards.shown(dashboard) == boards.read(
        list(stack.requests.find()), role, person, stack.now()
    )
    for name in boards.LISTS:
        for row in dashboard[name]:
            assert boards.without_reasons([row]) == [caller.request(row["id"])]
    return dashboard


def check_all(stack: Stack, *everybody: Parties) -> tuple[dict, ...]:
    """Client and lawyer of the last, and the administrator."""
    for parties in everybody:
        client = check(parties.client, stack, "client", parties.client_id)
        lawyer = check(parties.lawyer, stack, "lawyer", parties.lawyer_id)
    return client, lawyer, check(stack.admin(), stack, "admin")


def ids(rows: list[dict]) -> list[str]:
    return [row["id"] for row in rows]


def reasons(rows: list[dict]) -> dict[str, list[str]]:
    return {row["id"]: row["reasons"] for row in rows}


def test_dashboards(start) -> None:
    stack = start()
    parties, others = stack.parties(), stack.parties()
    others.create()
    later = parties.accepted(starts_at=stack.at(days=8))["id"]
    sooner = parties.accepted(starts_at=stack.at(days=2))["id"]
    waiting = parties.create()["id"]
    declined = parties.create()["id"]
    done(parties.lawyer.respond(declined, "decline"))
    for request in (later, sooner, declined):
        stack.settle(request)
    client, lawyer, admin = check_all(stack, others, parties)
    assert client["role"] == "client" and client["now"].endswith("Z")
    assert client["counts"] == {
        "open": 1,
        "upcoming": 2,
        "meetings_pending": 0,
        "meetings_failed": 0,
        "proposals": 0,
    }
    assert client["counts_capped"] is False
    assert ids(client["upcoming"]) == [sooner, later], "the next one first"
    assert ids(client["waiting"]) == [waiting] and client["needs_action"] == []
    assert ids(client["recent"]) == [declined]
    assert reasons(lawyer["needs_action"]) == {waiting: ["open"]} and lawyer["waiting"] == []
    assert ids(lawyer["upcoming"]) == [sooner, later]
    assert admin["role"] == "admin" and admin["counts"]["open"] == 2
    assert admin["needs_action"] == admin["waiting"] == []


def test_a_cancelled_meeting_is_not_upcoming(start) -> None:
    """It may get a new link; and has one, until its request is over."""
    stack = start()
    parties = stack.parties()
    request = parties.accepted()["id"]
    done(parties.client.command(request, "cancel", reason="ill"))
    stack.settle(request)
    client, lawyer, _ = check_all(stack, parties)
    assert client["upcoming"] == lawyer["upcoming"] == client["needs_action"] == []
    assert reasons(lawyer["needs_action"]) == {request: ["cancelled"]}
    assert ids(client["recent"]) == ids(lawyer["recent"]) == [request]
    assert not any(lawyer["counts"].values())
    done(parties.lawyer.command(request, "regenerate"))
    stack.settle(request)
    client, lawyer, _ = check_all(stack, parties)
    assert ids(client["upcoming"]) == ids(lawyer["upcoming"]) == [request]
    assert lawyer["needs_action"] == client["recent"] == []
    done(parties.client.command(request, "cancel"))
    stack.settle(request)
    stack.advance(3 * 86400 + 3600)
    until(stack.is_idle, "a dispatcher has seen that it is over")
    client, lawyer, _ = check_all(stack, parties)
    assert lawyer["needs_action"] == [] and ids(lawyer["recent"]) == [request]


def test_what_is_over_is_not_counted(start) -> None:
    """At its time, whether a dispatcher has seen to it or not."""
    stack = start(SERVER_DISPATCHERS=0)
    parties = stack.parties()
    accepted = parties.accepted(starts_at=stack.at(minutes=10))["id"]
    asked = parties.create(starts_at=stack.at(minutes=20))["id"]
    client, lawyer, _ = check_all(stack, parties)
    assert (client["counts"]["open"], client["counts"]["upcoming"]) == (1, 1)
    stack.advance(20 * 60)
    client, lawyer, _ = check_all(stack, parties)
    assert ids(client["upcoming"]) == [accepted] and lawyer["needs_action"] == []
    assert ids(client["recent"]) == [asked]
    stack.advance(60 * 60)
    client, lawyer, admin = check_all(stack, parties)
    assert ids(client["recent"]) == ids(lawyer["recent"]) == [accepted, asked]
    assert not any(client["counts"].values()) and not any(admin["counts"].values())


def test_a_request_that_lapsed_is_recent(start) -> None:
    stack = start()
    parties = stack.parties()
    asked = parties.create(starts_at=stack.at(minutes=1))["id"]
    stack.advance(61)
    until(lambda: parties.client.request(asked)["status"] == "lapsed", "it lapses")
    stack.settle(asked)
    client, lawyer, _ = check_all(stack, parties)
    assert ids(client["recent"]) == ids(lawyer["recent"]) == [asked]
    assert client["waiting"] == lawyer["needs_action"] == []
    assert not any(lawyer["counts"].values())


@pytest.mark.parametrize("status", ["failed", "pending"])
def test_a_meeting_without_a_link_is_upcoming(start, status: str) -> None:
    stack = start(SERVER_DISPATCHERS=0)
    parties = stack.parties()
    request = parties.accepted()["id"]
    stack.requests.update_one({"_id": request}, {"$set": {"meeting.status": status}})
    stack.run("init-db")
    end = stack.requests.find_one({"_id": request})["ends_at"]
    if status == "failed":  # as the program would have written it
        needed = {"lawyer_until": end, "admin_until": end}
        stack.requests.update_one({"_id": request}, {"$set": needed})
    client, lawyer, admin = check_all(stack, parties)
    assert ids(client["upcoming"]) == [request] and client["needs_action"] == []
    assert lawyer["counts"][f"meetings_{status}"] == admin["counts"][f"meetings_{status}"] == 1
    failed = {request: ["failed"]} if status == "failed" else {}
    assert reasons(lawyer["needs_action"]) == reasons(admin["needs_action"]) == failed


def clones(
    stack: Stack,
    request_id: str,
    count: int,
    apart: datetime.timedelta = datetime.timedelta(minutes=1),
) -> None:
    """As many more requests like that one, each so much later."""
    document = stack.requests.find_one({"_id": request_id})
    rows = []
    for number in range(count):
        later = (number + 1) * apart
        moved = {name: document[name] + later for name in ("starts_at", "ends_at", "over_at")}
        name = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")
        row = document | moved | {"_id": name}
        if "lawyer_until" in row:
            row["lawyer_until"] = row["over_at"]
        for event in (events := copy.deepcopy(row["events"])):
            event["request_id"] = name
        rows.append(row | {"events": events})
    stack.requests.insert_many(rows)


@pytest.mark.parametrize("count", [18, 28, 46, 60])
def test_what_is_not_shown_is_counted(start, count: int) -> None:
    """Whether it was looked at with what is shown, or the index was asked."""
    stack = start(SERVER_DISPATCHERS=0)
    parties = stack.parties()
    clones(stack, parties.accepted(starts_at=stack.at(days=2))["id"], count)
    pending, failed, asked = (
        parties.accepted(starts_at=stack.at(days=day))["id"] for day in (5, 6, 7)
    )
    for request, status in ((pending, "pending"), (failed, "failed")):
        end = stack.requests.find_one({"_id": request})["ends_at"]
        needed = {"lawyer_until": end, "admin_until": end} if status == "failed" else {}
        changed = {"meeting.status": status} | needed
        stack.requests.update_one({"_id": request}, {"$set": changed})
    done(parties.client.command(asked, "propose", starts_at=stack.at(days=4)))
    for dashboard in check_all(stack, parties):
        assert dashboard["counts"] == {
            "open": 0,
            "upcoming": count + 4,
            "meetings_pending": 1,
            "meetings_failed": 1,
            "proposals": 1,
        }


@pytest.mark.parametrize(
    "count, capped",
    [(19, False), (20, False), (48, False), (49, False), (999, False), (1000, True)],
)
def test_counts_stop_at_a_thousand(start, count: int, capped: bool) -> None:
    stack = start(SERVER_DISPATCHERS=0)
    parties, others = stack.parties(), stack.parties()
    clones(stack, parties.create()["id"], count)
    clones(stack, parties.accepted()["id"], 25)
    clones(stack, others.accepted()["id"], 2)
    for dashboard in check_all(stack, others, parties):
        assert dashboard["counts"]["open"] == min(count + 1, 1000)
        assert dashboard["counts_capped"] is capped
        assert dashboard["counts"]["upcoming"] == (29 if dashboard["role"] == "admin" else 26)
        assert len(dashboard["upcoming"]) == 20


class Counted(Wire):
    """How far what is ahead is counted."""

    def __init__(self, uri: str):
        super().__init__(uri)
        self.ends: list[datetime.datetime] = []

    def count(self, command: dict) -> None:
        super().count(command)
        query = command.get("query", {})
        if query.get("shelf") == "upcoming":
            self.ends.append(query["over_at"].get("$lt", datetime.datetime.max))


def test_no_more_is_counted_than_is_told(start, mongodb_uri: str) -> None:
    """Some databases count all of a range, however few are wanted."""
    with Counted(mongodb_uri) as wire:
        stack = start(MONGODB_URI=wire.uri, SERVER_DISPATCHERS=0, SERVER_WORKERS=1)
        parties = stack.parties()
        clones(stack, parties.accepted()["id"], 2600, datetime.timedelta(hours=3))
        clones(stack, parties.create()["id"], 400, datetime.timedelta(hours=3))
        for _ in range(8):
            dashboard = stack.admin().fetch("/api/dashboard")
            assert dashboard["counts"] == {
                "open": 401,
                "upcoming": 1000,
                "meetings_pending": 0,
                "meetings_failed": 0,
                "proposals": 0,
            }
            assert dashboard["counts_capped"] is True
        assert len(wire.ends) > 8
        farthest = max(wire.ends) - stack.now().replace(tzinfo=None)
        assert farthest < datetime.timedelta(days=220), "a third of it is more than is told"


class Overwhelmed(Wire):
    """There is too much in a range without end to be answered in time."""

    def count(self, command: dict) -> None:
        super().count(command)
        starts = command.get("filter", {}).get("starts_at", {})
        if "find" in command and "$gte" in starts and "$lt" not in starts:
            time.sleep(4)


def test_what_is_too_much_at_once_is_asked_for_in_parts(start, mongodb_uri: str) -> None:
    with Overwhelmed(mongodb_uri) as wire:
        stack = start(MONGODB_URI=wire.uri, SERVER_DISPATCHERS=0, SERVER_WORKERS=1)
        parties = stack.parties()
        made = [parties.create(starts_at=stack.at(days=day))["id"] for day in range(1, 5)]
        query = {"from": stack.at(), "order": "asc", "limit": 2}
        first = parties.lawyer.get("/api/requests", params=query)
        assert refused(first) == (503, "database_unavailable")
        until(stack.is_ready, "the database answers")
        page = done(parties.lawyer.get("/api/requests", params=query))
        assert ids(page["items"]) == made[:2]


def test_it_asks_for_little(start, mongodb_uri: str) -> None:
    """Three finds, and no count where the lists are short: whatever others have.
    What is everybody's is looked for in windows, until it is known how far the lists reach."""
    with Wire(mongodb_uri) as wire:
        stack = start(MONGODB_URI=wire.uri, SERVER_DISPATCHERS=0, SERVER_WORKERS=1)
        parties, others = stack.parties(), stack.parties()
        parties.accepted()
        parties.create()
        clones(stack, others.create()["id"], 50)
        stack.admin().fetch("/api/dashboard")
        for caller, commands in (
            (parties.client, {"find": 3}),
            (parties.lawyer, {"find": 3}),
            (others.lawyer, {"find": 3, "count": 1}),
            (stack.admin(), {"find": 3, "count": 1}),
        ):
            before = wire.traffic()
            caller.fetch("/api/dashboard")
            assert (wire.traffic() - before).commands == commands
