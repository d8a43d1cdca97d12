"""What people see of all their requests: lists with filters and pages, and the dashboard."""

import datetime

import pytest
from caller import Parties
from stack import Stack
from support import until


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
    assert {row["id"] for row in stack.admin().pages(limit=200)[0]} >= set(ids())
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
    bad = [made[0], made[2], made[3]]
    stack.requests.update_many({"_id": {"$in": bad}}, {"$set": {"status": "nonsense"}})
    pages = parties.client.pages(order="asc", limit=limit)
    seen = [row["id"] for page in pages for row in page]
    assert seen == [made[1], made[4], made[5]], "none lost, none twice"


def test_dashboards(stack: Stack, parties: Parties) -> None:
    later = parties.accepted(starts_at=stack.at(days=8))
    sooner = parties.accepted(starts_at=stack.at(days=2))
    waiting = parties.create()
    declined = parties.create()
    parties.lawyer.respond(declined["id"], "decline")

    def rows(dashboard: dict) -> dict:
        names = ("needs_action", "upcoming", "recent")
        return {name: [row["id"] for row in dashboard[name]] for name in names}

    theirs = parties.client.fetch("/api/dashboard")
    assert set(theirs) == {"role", "now", "counts", "needs_action", "upcoming", "recent"}
    assert theirs["role"] == "client" and theirs["now"].endswith("Z")
    assert {k: v for k, v in theirs["counts"].items() if v} == {
        "open": 1,
        "accepted": 2,
        "declined": 1,
    }
    assert rows(theirs)["upcoming"] == [sooner["id"], later["id"]], "the next one first"
    assert rows(theirs)["recent"] == [declined["id"]]
    assert rows(theirs)["needs_action"] == [], "the lawyer has to answer, not the client"
    mine = parties.lawyer.fetch("/api/dashboard")
    assert rows(mine) == rows(theirs) | {"needs_action": [waiting["id"]]}
    assert mine["upcoming"][0] == parties.lawyer.request(sooner["id"])
    everything = stack.admin().fetch("/api/dashboard")
    assert everything["role"] == "admin"
    assert all(everything["counts"][name] >= n for name, n in theirs["counts"].items())
    assert all(len(everything[name]) <= 20 for name in ("needs_action", "upcoming", "recent"))
