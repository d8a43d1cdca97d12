"""Property 5: whatever was created, accepted, declined and cancelled, dashboards and lists show to
each person exactly their own requests, with meetings that agree everywhere, and counts that add up.

Validates: Requirements 2.2, 2.3, 2.4
"""

import collections
import dataclasses
import os
import re
import urllib.parse

import boards
import hypothesis
import hypothesis.strategies as st
from caller import Caller
from stack import Stack

# bench/calendars plays more.
STORIES = 500 if os.environ.get("MEETLINK_CALENDARS_WHOLE") else 25
ENDINGS = {
    (): "open",
    ("accept",): "accepted",
    ("decline",): "declined",
    ("cancel",): "cancelled",
    ("accept", "cancel"): "cancelled",
}
# One request: which client, which lawyer, what becomes of it, and days until it starts.
REQUESTS = st.tuples(
    st.integers(0, 1), st.integers(0, 1), st.sampled_from(sorted(ENDINGS)), st.integers(1, 400)
)


# What of a meeting is each person's own.
OWN = ("join_url", "calendar_url", "add_to_calendar")


@dataclasses.dataclass
class Expected:
    id: str
    client: int
    lawyer: int
    status: str
    starts_at: str


def play(stack: Stack, pairs: list, stories: list) -> list[Expected]:
    """Lets everything happen, all creations first, then the answers one by one."""
    made = []
    for client, lawyer, ending, days in stories:
        body = pairs[client].draft(
            lawyer=pairs[lawyer].person("lawyer"), starts_at=stack.at(days=days)
        )
        answer = pairs[client].client.post("/api/requests", body)
        assert answer.status_code == 201, answer.text
        made.append(
            Expected(answer.json()["id"], client, lawyer, ENDINGS[ending], body["starts_at"])
        )
    for one, (client, lawyer, ending, _) in zip(made, stories, strict=True):
        for step in ending:
            if step == "cancel":
                answer = pairs[client].client.cancel(one.id)
            else:
                answer = pairs[lawyer].lawyer.respond(one.id, step)
            assert answer.status_code == 200, answer.text
    return made


def check_add_links(row: dict, is_lawyer: bool) -> None:
    """What a calendar of the web reads in its link is the meeting."""
    other = row["client" if is_lawyer else "lawyer"]["name"]
    meeting = row["meeting"]
    start, end = meeting["starts_at"], meeting["ends_at"]
    basic = [re.sub("[-:]", "", time) for time in (start, end)]
    common = {"path": "/calendar/action/compose", "rru": "addevent", "startdt": start, "enddt": end}
    expected = {
        "google": {"action": "TEMPLATE", "dates": "/".join(basic)},
        "outlook": common,
        "office365": common,
        "yahoo": {"v": "60", "st": basic[0], "et": basic[1]},
    }
    texts = {
        "google": ("text", "details", "location"),
        "outlook": ("subject", "body", "location"),
        "office365": ("subject", "body", "location"),
        "yahoo": ("title", "desc", "in_loc"),
    }
    assert meeting["add_to_calendar"].keys() == expected.keys()
    for service, url in meeting["add_to_calendar"].items():
        parts = urllib.parse.urlsplit(url)
        read = urllib.parse.parse_qs(parts.query, strict_parsing=True, max_num_fields=9)
        title, notes, place = texts[service]
        assert parts.scheme == "https" and len(url) <= 2048
        assert {name: only for name, (only,) in read.items()} == expected[service] | {
            title: f"{row['title']} – {other}",
            notes: meeting["join_url"],
            place: meeting["join_url"],
        }


def check_view(caller: Caller, own: list[Expected], is_lawyer: bool) -> None:
    by_id = {one.id: one for one in own}
    rows = [row for page in caller.pages(limit=3) for row in page]
    assert len(rows) == len(own) and {row["id"] for row in rows} == set(by_id)
    assert [row["starts_at"] for row in rows] == sorted((o.starts_at for o in own), reverse=True)
    shown = {row["id"]: row for row in rows}
    for row in rows:
        assert row["status"] == by_id[row["id"]].status
        assert (row["meeting"] is not None) == ("meeting" in row["links"])
        if row["status"] == "accepted":
            assert row["meeting"]["status"] == "ready" and row["meeting"]["join_url"]
            assert row["meeting"]["starts_at"] == row["starts_at"]
            assert row["links"]["join"] == row["meeting"]["join_url"]
            check_add_links(row, is_lawyer)
        else:
            assert "join" not in row["links"]

    dashboard = caller.fetch("/api/dashboard")
    counts = collections.Counter(one.status for one in own)
    assert dashboard["counts"] == {
        "open": counts["open"],
        "upcoming": counts["accepted"],
        "meetings_pending": 0,
        "meetings_failed": 0,
        "proposals": 0,
    }
    assert dashboard["counts_capped"] is False

    def ids(*wanted: str) -> set[str]:
        return {one.id for one in own if one.status in wanted}

    lists = {name: dashboard[name] for name in boards.LISTS}
    assert {row["id"] for row in lists["upcoming"]} == ids("accepted")
    assert {row["id"] for row in lists["recent"]} == ids("declined", "cancelled")
    assert {row["id"] for row in lists["needs_action"]} == (ids("open") if is_lawyer else set())
    assert {row["id"] for row in lists["waiting"]} == (set() if is_lawyer else ids("open"))
    for name, listed in lists.items():
        expected = [shown[row["id"]] for row in listed]
        assert boards.without_reasons(listed) == expected, "one truth in every view"
        assert all(bool(row["reasons"]) == (row["id"] in ids("open") and is_lawyer) for row in listed)
        if name != "recent":
            times = [row["starts_at"] for row in listed]
            assert times == sorted(times)
    for status in ("open", "accepted", "declined", "lapsed", "cancelled", "completed"):
        filtered = [r["id"] for page in caller.pages(status=status) for r in page]
        assert len(filtered) == counts[status] and set(filtered) == ids(status)


def check_story(stack: Stack, stories: list) -> int:
    """Plays it, and looks at all that its people see; how many requests there were."""
    pairs = [stack.parties(), stack.parties()]
    made = play(stack, pairs, stories)
    for i, pair in enumerate(pairs):
        check_view(pair.client, [one for one in made if one.client == i], is_lawyer=False)
        check_view(pair.lawyer, [one for one in made if one.lawyer == i], is_lawyer=True)
    for one in made:
        views = {}
        for caller in (pairs[one.client].client, pairs[one.lawyer].lawyer, stack.admin()):
            view = caller.request(one.id)
            meeting = view["meeting"] and {
                k: v for k, v in view["meeting"].items() if k not in OWN
            }
            views[str((view["status"], view["starts_at"], meeting))] = view
        assert len(views) == 1, "the meeting is the same for all who see it"
    return len(made)


def test_everybody_sees_exactly_their_own(stack: Stack) -> None:
    counts: list[int] = []

    @hypothesis.settings(max_examples=STORIES)
    @hypothesis.given(stories=st.lists(REQUESTS, max_size=7))
    def look(stories: list) -> None:
        counts.append(check_story(stack, stories))

    look()
    print(f"property 5: {len(counts)} stories of {sum(counts)} requests")
