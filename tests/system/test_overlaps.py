"""A lawyer is in one place at a time: what overlaps is refused, or flagged; and busy time is told."""

import datetime
import threading
from collections.abc import Callable

import icalendar
import pytest
import requests
from caller import Caller, Parties, done, refused
from stack import Stack
from support import until
from test_changes import nobody_delivers


def accept(parties: Parties, request: dict, **fields: object) -> requests.Response:
    body = {"decision": "accept"} | fields
    return parties.lawyer.post(f"/api/requests/{request['id']}/respond", body)


def others(parties: Parties) -> Parties:
    """Another client of the same lawyer."""
    return Parties(parties.stack, parties.stack.parties().client, parties.lawyer)


def told(request: dict) -> list[str]:
    """What the lawyer is told of overlaps."""
    warnings = request["meeting"]["warnings"]
    return [warning["detail"] for warning in warnings if warning["code"] == "overlaps"]


def after(instant: str, **ahead: float) -> str:
    """The clock goes on between two calls of Stack.at()."""
    moment = datetime.datetime.fromisoformat(instant) + datetime.timedelta(**ahead)
    return f"{moment:%FT%TZ}"


def waiting(caller: Caller) -> dict[str, list[str]]:
    rows = caller.fetch("/api/dashboard")["needs_action"]
    return {row["id"]: row["reasons"] for row in rows}


MOVES = {  # hours after a meeting of an hour began, minutes long, and whether that overlaps
    "the same time": (0, 60, True),
    "its end": (0.5, 60, True),
    "its beginning": (-0.5, 60, True),
    "all around": (-23, 1440, True),
    "within": (0.25, 15, True),
    "right behind": (1, 60, False),
    "right before": (-1, 60, False),
    "a day before, for a day": (-24, 1440, False),
}


@pytest.mark.parametrize("name", MOVES)
def test_a_time_that_overlaps(stack: Stack, parties: Parties, name: str) -> None:
    hours, minutes, overlaps = MOVES[name]
    first = parties.create(starts_at=stack.at(days=4), duration_minutes=60, title="A will")
    done(accept(parties, first))
    other = others(parties).create(
        starts_at=after(first["starts_at"], hours=hours), duration_minutes=minutes
    )
    answer = accept(parties, other)
    if not overlaps:
        assert answer.status_code == 200, answer.text
        return
    assert refused(answer) == (409, "overlaps")
    detail = answer.json()["detail"]
    for named in (first["id"], first["starts_at"], "A will"):
        assert named in detail
    assert parties.lawyer.request(other["id"])["status"] == "open"
    allowed = done(accept(parties, other, allow_overlap=True))
    stack.settle(first["id"])
    stack.settle(other["id"])
    until(stack.is_idle, "nobody looks any more")
    assert told(parties.lawyer.request(other["id"])) == told(allowed) == []
    assert told(parties.lawyer.request(first["id"])) == [], "the lawyer knows"


def test_every_way_to_a_time(stack: Stack, parties: Parties) -> None:
    taken, free = stack.at(days=4), stack.at(days=5)
    first = parties.create(starts_at=taken)
    done(accept(parties, first))
    other = parties.create(starts_at=taken)
    assert refused(accept(parties, other)) == (409, "overlaps")
    done(accept(parties, other, starts_at=free))

    def move(**fields: object) -> requests.Response:
        return parties.lawyer.command(other["id"], "reschedule", **fields)

    assert refused(move(starts_at=taken)) == (409, "overlaps")
    done(move(starts_at=free, duration_minutes=30))
    # What it takes already, and less than that, is not asked about.
    done(move(starts_at=taken, allow_overlap=True))
    done(move(starts_at=taken, duration_minutes=20))
    assert refused(move(starts_at=taken, duration_minutes=40)) == (409, "overlaps")
    # A cancelled one leaves its time to others; a new link would take it again.
    done(parties.lawyer.command(first["id"], "cancel"))
    done(move(starts_at=taken, duration_minutes=40))
    again = parties.lawyer.command(first["id"], "regenerate")
    assert refused(again) == (409, "overlaps")
    assert parties.lawyer.request(first["id"])["meeting"]["status"] == "cancelled"
    done(parties.lawyer.command(first["id"], "regenerate", allow_overlap=True))
    done(parties.lawyer.command(other["id"], "regenerate", reason="It takes no other time"))


def test_only_accept_allows(parties: Parties) -> None:
    request = parties.create()
    url = f"/api/requests/{request['id']}/respond"
    for body in (
        {"decision": "decline", "allow_overlap": True},
        {"decision": "accept", "allow_overlap": "yes"},
    ):
        answer = parties.lawyer.post(url, body)
        assert answer.status_code == 422
        assert [e["pointer"] for e in answer.json()["errors"]] == ["/allow_overlap"]


def test_another_lawyers_time_is_free(stack: Stack, parties: Parties) -> None:
    done(accept(parties, parties.create()))
    another = stack.parties()
    done(accept(another, another.create()))


def slip_through(parties: Parties, request: dict) -> None:
    """As if it had been accepted at the very moment of the other: nobody has seen the other."""
    stack = parties.stack
    allowed = done(accept(parties, request, allow_overlap=True))
    unset = {"$unset": {"overlaps_allowed": True}, "$inc": {"rev": 1}}
    stack.requests.update_one({"_id": allowed["id"]}, unset)


@pytest.fixture
def flagged(start) -> tuple[Parties, dict, dict]:
    """Two that slipped through, and one that touches neither."""
    stack = start()
    parties = stack.parties()
    first = parties.create(starts_at=stack.at(days=4), title="A will")
    second = others(parties).create(starts_at=stack.at(days=4), title="A lease")
    third = parties.create(starts_at=stack.at(days=6))
    done(accept(parties, third))
    done(accept(parties, first))
    for request in (first, third):
        stack.settle(request["id"])
    until(stack.is_idle, "they have looked")
    # Nobody looks before it is as it would be.
    with nobody_delivers(stack):
        slip_through(parties, second)
    flags(parties, {first["id"], second["id"]})
    return parties, first, second


def flags(parties: Parties, ids: set[str]) -> None:
    """Waits until those, and no others, say that they overlap."""
    query = {"lawyer.id": parties.lawyer_id, "meeting.warnings.code": "overlaps"}
    stack = parties.stack

    def said() -> set[str]:
        return {document["_id"] for document in stack.requests.find(query)}

    until(lambda: said() == ids, f"{ids} are flagged")
    until(lambda: not list(stack.requests.find({"effects.kind": "meeting.overlaps"})), "all looked")
    assert said() == ids
    why = {i: reasons for i, reasons in waiting(parties.lawyer).items() if "overlaps" in reasons}
    assert why == {i: ["overlaps"] for i in ids}


def test_both_are_flagged(flagged: tuple[Parties, dict, dict]) -> None:
    parties, first, second = flagged
    for request, other in ((first, second), (second, first)):
        shown = parties.lawyer.request(request["id"])
        (detail,) = told(shown)
        assert other["id"] in detail and other["title"] not in detail
        text = parties.stack.admin().get(f"/api/requests/{request['id']}").text
        assert detail in text
    url = f"/api/requests/{first['id']}"
    for path in (url, f"{url}/meeting", f"{url}/meetings", "/api/dashboard", "/api/requests"):
        text = parties.client.get(path).text
        assert second["id"] not in text and second["title"] not in text, "it is another's"


ENDS: dict[str, Callable[[Parties, dict], requests.Response]] = {
    "moved": lambda parties, request: parties.lawyer.command(
        request["id"], "reschedule", starts_at=parties.stack.at(days=8)
    ),
    "cancelled": lambda parties, request: parties.lawyer.cancel(request["id"]),
    "its meeting cancelled": lambda parties, request: parties.lawyer.command(
        request["id"], "cancel"
    ),
}


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("name", ENDS)
def test_it_is_over_when_one_goes(
    flagged: tuple[Parties, dict, dict], name: str, which: int
) -> None:
    parties, *both = flagged
    done(ENDS[name](parties, both[which]))
    flags(parties, set())


def test_a_new_link_overlaps_as_before(flagged: tuple[Parties, dict, dict]) -> None:
    parties, first, second = flagged
    done(parties.lawyer.command(first["id"], "regenerate", reason="It leaked"))
    flags(parties, {first["id"], second["id"]})
    meetings = parties.client.get(f"/api/requests/{first['id']}/meetings")
    assert len(meetings.json()["items"]) == 2 and second["title"] not in meetings.text


def test_many_at_once(start) -> None:
    """Whatever slips through is flagged, and so is whom it overlaps."""
    stack = start()
    parties = stack.parties()
    made = [others(parties).create(starts_at=stack.at(days=4)) for _ in range(8)]
    barrier, answers = threading.Barrier(len(made)), {}

    def run(request: dict) -> None:
        barrier.wait()
        answers[request["id"]] = accept(parties, request)

    threads = [threading.Thread(target=run, args=(request,)) for request in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    accepted = {i for i, answer in answers.items() if answer.status_code == 200}
    assert accepted
    for request_id, answer in answers.items():
        assert request_id in accepted or refused(answer) == (409, "overlaps")
    flags(parties, accepted if len(accepted) > 1 else set())


# ---- busy time ----


def busy(caller: Caller, parties: Parties, **query: object) -> requests.Response:
    stack = parties.stack
    query = {"from": stack.at(), "to": stack.at(days=30)} | query
    return caller.get(f"/api/lawyers/{parties.lawyer_id}/busy", params=query)


def test_busy_time(start) -> None:
    stack = start()
    parties = stack.parties()
    began = stack.now() - datetime.timedelta(minutes=5)
    over = parties.accepted(starts_at=stack.at(minutes=1), duration_minutes=30)
    stack.settle(over["id"])
    stack.advance(3 * 3600)
    until(lambda: stack.document(over["id"])["status"] == "completed", "it is over")
    later = parties.accepted(starts_at=stack.at(days=3), duration_minutes=1440)
    sooner = parties.accepted(starts_at=stack.at(days=1))
    parties.create(starts_at=stack.at(days=2))
    done(parties.lawyer.respond(parties.create(starts_at=stack.at(days=2))["id"], "decline"))
    done(parties.lawyer.cancel(parties.accepted(starts_at=stack.at(days=2))["id"]))
    gone = parties.accepted(starts_at=stack.at(days=2))["id"]
    done(parties.lawyer.command(gone, "cancel"))
    stack.parties().accepted(starts_at=stack.at(days=2))
    query = {"from": f"{began:%FT%TZ}", "to": stack.at(days=30)}
    expected = {
        "items": [
            {n: r[n] for n in ("starts_at", "ends_at")} | {"request_id": r["id"]}
            for r in (over, sooner, later)
        ]
    }
    for caller in (parties.lawyer, stack.admin(), stack.service()):
        answer = busy(caller, parties, **query)
        assert answer.json() == expected and answer.headers["ETag"]
    again = parties.lawyer.get(
        answer.request.url, headers={"If-None-Match": answer.headers["ETag"]}
    )
    assert again.status_code == 304
    # What began before, however long ago that may be, and what begins in the last minute.
    span = {"from": stack.at(days=3, hours=23.9), "to": stack.at(days=4, hours=10)}
    assert [i["request_id"] for i in busy(parties.lawyer, parties, **span).json()["items"]] == [
        later["id"]
    ]
    span = {"from": later["ends_at"], "to": stack.at(days=8)}
    assert busy(parties.lawyer, parties, **span).json()["items"] == []
    span = {"from": sooner["ends_at"], "to": later["starts_at"]}
    assert busy(parties.lawyer, parties, **span).json()["items"] == []


def test_busy_time_as_a_calendar(start) -> None:
    stack = start()
    parties = stack.parties()
    first = parties.accepted(starts_at=stack.at(days=1), duration_minutes=60)
    start = first["starts_at"]
    parties.accepted(starts_at=after(start, minutes=30), duration_minutes=60)
    parties.accepted(starts_at=after(start, minutes=90), duration_minutes=60)
    last = parties.accepted(starts_at=after(start, days=1), duration_minutes=60)
    for document in list(stack.requests.find()):
        stack.settle(document["_id"])
    span = {"from": after(start, minutes=15), "to": after(start, days=1, minutes=15)}
    url = f"/api/lawyers/{parties.lawyer_id}/busy"
    answer = parties.lawyer.get(url, params=span, headers={"Accept": "text/calendar"})
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    calendar = icalendar.Calendar.from_ical(answer.content)
    (component,) = calendar.subcomponents
    assert component.name == "VFREEBUSY" and not calendar.errors and not component.errors
    periods = component["FREEBUSY"]
    busy_from_to = [(f"{p.start:%FT%TZ}", f"{p.end:%FT%TZ}") for p in periods]
    ends = after(start, minutes=150)
    assert busy_from_to == [(span["from"], ends), (last["starts_at"], span["to"])]
    assert f"{component['DTSTART'].dt:%FT%TZ}" == span["from"]
    assert f"{component['DTEND'].dt:%FT%TZ}" == span["to"]
    assert component["UID"] and component["DTSTAMP"]
    for hidden in (first["id"], first["title"], parties.client_id):
        assert hidden not in answer.text
    same = parties.lawyer.get(url, params=span, headers={"Accept": "text/calendar"})
    assert same.headers["ETag"] == answer.headers["ETag"]
    changed = max(document["updated_at"] for document in stack.requests.find())
    stamp = component["DTSTAMP"].dt
    assert f"{stamp:%FT%TZ}" == f"{changed:%FT%TZ}", "when it was revised last"
    stack.advance(60)
    assert parties.lawyer.cancel(last["id"]).status_code == 200
    later = parties.lawyer.get(url, params=span, headers={"Accept": "text/calendar"})
    (component,) = icalendar.Calendar.from_ical(later.content).subcomponents
    assert (component["DTSTAMP"].dt - stamp).total_seconds() >= 60
    for accepted in ("application/json, text/calendar", "*/*"):
        answer = parties.lawyer.get(url, params=span, headers={"Accept": accepted})
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.headers["Vary"] == "Accept"
    answer = parties.lawyer.get(url, params=span, headers={"Accept": "text/html"})
    assert answer.status_code == 406


def test_a_calendar_without_a_meeting_is_the_same_a_minute_later(start) -> None:
    stack = start()
    parties = stack.parties()
    span = {"from": stack.at(), "to": stack.at(days=1)}
    url = f"/api/lawyers/{parties.lawyer_id}/busy"
    headers = {"Accept": "text/calendar"}
    first = parties.lawyer.get(url, params=span, headers=headers)
    assert first.status_code == 200 and "VFREEBUSY" in first.text
    stack.advance(60)
    headers["If-None-Match"] = first.headers["ETag"]
    assert parties.lawyer.get(url, params=span, headers=headers).status_code == 304


def test_busy_time_that_is_not_asked_for_well(stack: Stack, parties: Parties) -> None:
    now = stack.at()
    for query, pointers in (
        ("", ["/from", "/to"]),
        (f"from={now}", ["/to"]),
        (f"from={now}&to={now}", ["/to"]),
        (f"from={after(now, days=1)}&to={now}", ["/to"]),
        (f"from={now}&to={after(now, days=62, seconds=1)}", ["/to"]),
        (f"from=today&to={now}", ["/from"]),
        (f"from={now}&to={after(now, days=1)}&limit=3", ["/limit"]),
    ):
        answer = parties.lawyer.get(f"/api/lawyers/{parties.lawyer_id}/busy?{query}")
        assert answer.status_code == 422, query
        assert sorted(e["pointer"] for e in answer.json()["errors"]) == pointers
    span = {"from": now, "to": after(now, days=62)}
    assert busy(parties.lawyer, parties, **span).status_code == 200
    assert busy(stack.parties().lawyer, parties).status_code == 404
    assert busy(parties.client, parties).status_code == 403
