"""What a client and a lawyer live through, from the request to the meeting and its end."""

import collections
import datetime
import re
from mailbox import check_invitation

import icalendar
import pytest
from caller import Parties
from stack import Stack
from support import until

# API.md, "Requests and meetings" and "Audit events".
REQUEST_FIELDS = set(
    "id status title description client lawyer starts_at ends_at duration_minutes timezone message"
    " proposal meeting created_at updated_at links".split()
)
MEETING_FIELDS = set(
    "id generation status provider requested_provider join_url passcode dial_in starts_at ends_at"
    " timezone opens_at expires_at security warnings last_error attempts next_attempt_at"
    " ended_reason outcome attendance calendar_url add_to_calendar sequence created_at ready_at"
    " ended_at".split()
)
SECURITY_FIELDS = set(
    "waiting_room join_before_host mute_on_entry host_video passcode_required".split()
)
AUDIT_FIELDS = set("id at actor source action from to detail request_id meeting_id hash".split())
COMMANDS = set(
    "respond cancel cancel_meeting regenerate reschedule retry outcome"
    " propose withdraw_proposal proposal".split()
)
ID = re.compile(r"[A-Za-z0-9_-]{22}")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def instant(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text)


def minutes(count: int) -> datetime.timedelta:
    return datetime.timedelta(minutes=count)


def mails_of(stack: Stack, request: dict, count: int) -> dict:
    """The mails for a request, by recipient, when that many have come and none is owed."""
    until(lambda: len(stack.mails.of(request["id"])) >= count, f"{count} mails")
    stack.settle(request["id"])
    mails = stack.mails.of(request["id"])
    assert len(mails) == count
    return {mail.recipient: mail for mail in mails}


def test_a_new_request(stack: Stack, parties: Parties) -> None:
    answer = parties.client.post("/api/requests", parties.draft(description="Line 1\nLine 2"))
    assert answer.status_code == 201
    request = answer.json()
    assert answer.headers["Location"] == f"{stack.url}/api/requests/{request['id']}"
    assert set(request) == REQUEST_FIELDS
    assert ID.fullmatch(request["id"])
    assert request["status"] == "open" and request["meeting"] is None
    assert request["description"] == "Line 1\nLine 2" and request["message"] is None
    assert request["client"] == parties.person("client", timezone=None, locale=None)
    assert request["timezone"] == "Europe/Berlin", "the lawyer's zone by default"
    assert instant(request["ends_at"]) - instant(request["starts_at"]) == minutes(45)
    assert INSTANT.fullmatch(request["created_at"])
    assert set(request["links"]) == {"self", "cancel", "audit", "page_url"}
    assert parties.client.request(request["id"]) == request
    assert "respond" in parties.lawyer.request(request["id"])["links"]
    missing = parties.client.get(f"/api/requests/{request['id']}/meeting")
    assert (missing.status_code, missing.json()["code"]) == (404, "no_meeting")
    missing = parties.client.get(f"/api/requests/{request['id']}/calendar.ics")
    assert (missing.status_code, missing.json()["code"]) == (404, "no_meeting")


def test_an_accepted_request_has_a_meeting(stack: Stack, parties: Parties) -> None:
    created = parties.create()
    request = parties.accept(created, message="See you.\nBring the contract.")
    assert set(request) == REQUEST_FIELDS
    assert request["status"] == "accepted"
    assert request["message"] == "See you.\nBring the contract."
    meeting = request["meeting"]
    assert set(meeting) == MEETING_FIELDS
    assert set(meeting["security"]) == SECURITY_FIELDS
    assert meeting["security"]["waiting_room"] and not meeting["security"]["join_before_host"]
    assert (meeting["generation"], meeting["status"], meeting["sequence"]) == (1, "ready", 0)
    assert meeting["provider"] == meeting["requested_provider"] == "jitsi"
    assert meeting["starts_at"] == request["starts_at"] == created["starts_at"]
    assert meeting["ends_at"] == request["ends_at"]
    assert instant(meeting["starts_at"]) - instant(meeting["opens_at"]) == minutes(15)
    assert instant(meeting["expires_at"]) - instant(meeting["ends_at"]) == minutes(60)
    assert meeting["last_error"] is None and meeting["ended_at"] is None
    assert meeting["join_url"].startswith(stack.url + "/join/")
    assert parties.lawyer.fetch(f"/api/requests/{request['id']}/meeting") == meeting
    theirs = parties.client.request(request["id"])["meeting"]
    different = {name for name in MEETING_FIELDS if theirs[name] != meeting[name]}
    assert different == {"join_url", "calendar_url", "add_to_calendar"}, "each has links of their own"
    assert stack.admin().request(request["id"])["meeting"]["join_url"] is None


def test_the_lawyer_may_choose_time_and_zone(parties: Parties) -> None:
    starts_at = parties.stack.at(days=9)
    request = parties.accept(
        parties.create(), starts_at=starts_at, duration_minutes=20, timezone="America/New_York"
    )
    assert (request["starts_at"], request["duration_minutes"]) == (starts_at, 20)
    assert request["timezone"] == request["meeting"]["timezone"] == "America/New_York"
    assert instant(request["meeting"]["ends_at"]) - instant(starts_at) == minutes(20)


def test_both_are_invited_by_mail(stack: Stack, parties: Parties) -> None:
    request = parties.accepted(title="Lease & co")
    mails = mails_of(stack, request, 2)
    people = {"client": parties.client, "lawyer": parties.lawyer}
    uids, joins = set(), set()
    for who, caller in people.items():
        mail = mails[request[who]["email"]]
        message = mail.message
        assert message["To"].addresses[0].display_name == request[who]["name"]
        assert message["From"].addresses[0].addr_spec == "meetings@example.org"
        assert message["Auto-Submitted"] == "auto-generated"
        assert mail.id.endswith("@example.org")
        other = request["lawyer" if who == "client" else "client"]["name"]
        assert other in message["Subject"]
        join = caller.request(request["id"])["meeting"]["join_url"]
        joins.add(join)
        html = mail.text("text/html")
        assert join in mail.text() and join in html and "Lease &amp; co" in html
        event = check_invitation(mail, "REQUEST")
        assert event["LOCATION"] == join and event["STATUS"] == "CONFIRMED"
        uids.add(event["UID"])
    assert len(uids) == 1 and len(joins) == 2
    for mail in mails.values():
        assert sum(join in str(mail.raw) or join in mail.text() for join in joins) == 1


@pytest.mark.parametrize("filed_by", ["client", "service"])
def test_whose_word_on_the_lawyers_address_counts(
    stack: Stack, parties: Parties, filed_by: str
) -> None:
    """A client has no say in where its lawyer is told; the host application knows its lawyers."""
    named, own = f"{parties.lawyer_id}@attacker.example", f"{parties.lawyer_id}@chambers.example"
    filing = parties.client if filed_by == "client" else stack.service()
    draft = parties.draft(lawyer=parties.person("lawyer", email=named))
    request = filing.post("/api/requests", draft).json()
    lawyer = stack.caller("lawyer", parties.lawyer_id, email=own)
    assert lawyer.respond(request["id"], "accept").status_code == 200
    told, other = (own, named) if filed_by == "client" else (named, own)
    mails = mails_of(stack, request, 2)
    assert set(mails) == {request["client"]["email"], told}
    assert stack.mails.to(other) == []
    assert not any(other in mail.text("text/calendar") for mail in mails.values())
    for caller in (parties.client, lawyer):
        assert caller.request(request["id"])["lawyer"]["email"] == told


def test_the_calendar_file(stack: Stack, parties: Parties) -> None:
    request = parties.accepted(description="Äußerst\nwichtig; sehr, sehr")
    answer = parties.client.get(f"/api/requests/{request['id']}/calendar.ics")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert "Last-Modified" in answer.headers
    calendar = icalendar.Calendar.from_ical(answer.content)
    assert "METHOD" not in calendar
    (event,) = calendar.walk("VEVENT")
    assert event["SUMMARY"] == f"{request['title']} – {request['lawyer']['name']}"
    assert "Äußerst\nwichtig; sehr, sehr" in event["DESCRIPTION"]
    assert event["DTSTART"].dt == instant(request["starts_at"])
    assert event["DTEND"].dt == instant(request["ends_at"])
    join = parties.client.request(request["id"])["meeting"]["join_url"]
    assert event["LOCATION"] == event["CONFERENCE"] == event["URL"] == join
    assert len(event.walk("VALARM")) == 1
    mailed = mails_of(stack, request, 2)[request["client"]["email"]]
    assert check_invitation(mailed, "REQUEST")["UID"] == event["UID"]
    again = parties.client.get(
        f"/api/requests/{request['id']}/calendar.ics",
        headers={"If-None-Match": answer.headers["ETag"]},
    )
    assert (again.status_code, again.content) == (304, b"")


def test_the_calendar_file_by_its_mailed_link(parties: Parties) -> None:
    request = parties.accepted()
    meeting = parties.client.request(request["id"])["meeting"]
    anyone = parties.stack.anyone()
    answer = anyone.get(meeting["calendar_url"])
    mine = parties.client.get(f"/api/requests/{request['id']}/calendar.ics")
    assert answer.status_code == 200 and answer.content == mine.content
    token = meeting["join_url"].rpartition("/")[2]
    assert anyone.get(f"/calendar/event/{token}.ics").status_code == 404, "a join token is none"


def test_the_mailed_calendar_link_outlives_the_meeting(stack: Stack, parties: Parties) -> None:
    request = parties.accepted()
    url = parties.client.request(request["id"])["meeting"]["calendar_url"]
    before = stack.anyone().get(url)
    parties.lawyer.cancel(request["id"])
    assert parties.client.request(request["id"])["meeting"]["calendar_url"] == url
    after = stack.anyone().get(url)
    assert (before.status_code, after.status_code) == (200, 200)
    assert "/join/" in before.text.replace("\r\n ", "")
    assert "/join/" not in after.text.replace("\r\n ", "")
    (event,) = icalendar.Calendar.from_ical(after.content).walk("VEVENT")
    assert event["STATUS"] == "CANCELLED"


def test_a_declined_request(stack: Stack, parties: Parties) -> None:
    request = parties.create()
    answer = parties.lawyer.respond(request["id"], "decline", message="No time, sorry.")
    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["meeting"]) == ("declined", None)
    mail = mails_of(stack, request, 1)[request["client"]["email"]]
    assert mail.message.get_content_type() == "multipart/alternative"
    assert "No time, sorry." in mail.text() and "No time, sorry." in mail.text("text/html")
    assert [e["action"] for e in parties.client.audit(request["id"])] == [
        "request.created",
        "request.declined",
        "mail.sent",
    ]


@pytest.mark.parametrize("who", ["client", "lawyer"])
def test_a_cancelled_meeting(stack: Stack, parties: Parties, who: str) -> None:
    request = parties.accepted()
    before = mails_of(stack, request, 2)
    answer = getattr(parties, who).cancel(request["id"], reason="Ill")
    assert answer.status_code == 200
    cancelled = answer.json()
    meeting = cancelled["meeting"]
    assert (cancelled["status"], meeting["status"]) == ("cancelled", "cancelled")
    assert (meeting["ended_reason"], meeting["sequence"]) == ("Ill", 1)
    assert meeting["join_url"] is None and INSTANT.fullmatch(meeting["ended_at"])
    assert stack.anyone().get(request["meeting"]["join_url"]).status_code == 410
    until(lambda: len(stack.mails.of(request["id"])) == 4, "both are told")
    stack.settle(request["id"])
    for mail in stack.mails.of(request["id"])[2:]:
        invitation = check_invitation(before[mail.recipient], "REQUEST")
        event = check_invitation(mail, "CANCEL")
        assert event["STATUS"] == "CANCELLED" and event["SEQUENCE"] > invitation["SEQUENCE"]
        assert event["UID"] == invitation["UID"]
        assert event["ORGANIZER"] == invitation["ORGANIZER"]
        assert event["COMMENT"] == "Ill"
        assert not event.walk("VALARM")
        assert before[mail.recipient].message["Message-ID"] in mail.message["References"]
        assert "Ill" in mail.text()
    again = parties.client.cancel(request["id"])
    assert (again.status_code, again.json()["code"]) == (409, "already_cancelled")
    calendar = parties.client.get(f"/api/requests/{request['id']}/calendar.ics")
    (event,) = icalendar.Calendar.from_ical(calendar.content).walk("VEVENT")
    assert event["STATUS"] == "CANCELLED"


def test_a_request_cancelled_before_it_was_answered_makes_no_mail(parties: Parties) -> None:
    request = parties.create()
    assert parties.client.cancel(request["id"]).json()["status"] == "cancelled"
    late = parties.lawyer.respond(request["id"], "accept")
    assert (late.status_code, late.json()["code"]) == (409, "already_decided")
    assert not parties.stack.document(request["id"]).get("effects")
    assert parties.stack.mails.of(request["id"]) == []


def test_the_audit_trail(stack: Stack, parties: Parties) -> None:
    request = parties.accepted()
    mails_of(stack, request, 2)
    parties.client.cancel(request["id"], reason="Ill")
    until(lambda: len(stack.mails.of(request["id"])) == 4, "both are told")
    stack.settle(request["id"])
    events = stack.admin().audit(request["id"])
    assert [event["action"] for event in events] == [
        "request.created",
        "request.accepted",
        "meeting.requested",
        "meeting.ready",
        "mail.sent",
        "mail.sent",
        "request.cancelled",
        "meeting.cancelled",
        "mail.sent",
        "mail.sent",
    ]
    for event in events:
        assert AUDIT_FIELDS <= set(event) <= AUDIT_FIELDS | {"trace_id"}
        assert event["request_id"] == request["id"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", event["at"])
    assert [event["at"] for event in events] == sorted(event["at"] for event in events)
    assert len({event["hash"] for event in events}) == len(events)
    assert events[0]["actor"] == {"id": parties.client_id, "role": "client"}
    assert events[1]["actor"] == {"id": parties.lawyer_id, "role": "lawyer"}
    assert (events[1]["from"], events[1]["to"]) == ("open", "accepted")
    assert events[4]["actor"] == {"role": "system"} and events[4]["source"] == "dispatcher"
    assert collections.Counter(e["to"] for e in events if e["action"] == "mail.sent") == {
        "client": 2,
        "lawyer": 2,
    }
    text = str(events)
    for secret in (
        request["meeting"]["join_url"].rpartition("/")[2],
        request["client"]["email"],
        request["client"]["name"],
        "meet.jit.si",
    ):
        assert secret not in text
    assert parties.client.audit(request["id"]) == parties.lawyer.audit(request["id"]) == events


def test_mails_as_files(start, tmp_path) -> None:
    stack = start()
    request = stack.parties().accepted()
    mails_of(stack, request, 2)
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in stack.mails.folder.iterdir())
    assert {path.suffix for path in stack.mails.folder.iterdir()} == {".eml"}


@pytest.mark.parametrize("role", ["client", "lawyer", "admin", "service"])
def test_links_lead_where_the_caller_may_go(stack: Stack, parties: Parties, role: str) -> None:
    open_id = parties.create()["id"]
    accepted_id = parties.accepted(starts_at=stack.at(minutes=5))["id"]
    caller = {
        "client": parties.client,
        "lawyer": parties.lawyer,
        "admin": stack.admin(),
        "service": stack.service(),
    }[role]
    for request_id in (open_id, accepted_id):
        links = caller.request(request_id)["links"]
        for name, url in links.items():
            if name in COMMANDS:
                answer = caller.post(url, {"unknown": 1})
                assert answer.status_code == 422, f"{name}: {answer.text}"
            elif name.startswith("join"):
                assert caller.head(url).status_code == 302
            else:
                assert caller.get(url).status_code == 200, name


def test_links_end_with_the_meeting(start) -> None:
    stack = start()
    parties = stack.parties()
    request = parties.accepted(starts_at=stack.at(minutes=5), duration_minutes=30)
    callers = (parties.client, parties.lawyer, stack.service())

    def offered() -> list[set[str]]:
        names = [set(caller.request(request["id"])["links"]) for caller in callers]
        return [{n for n in each if n.startswith("join") or n == "cancel"} for each in names]

    def join_urls() -> list[str | None]:
        return [c.request(request["id"])["meeting"]["join_url"] for c in callers[:2]]

    joins = [{"join"}, {"join"}, {"join_client", "join_lawyer"}]
    assert offered() == [names | {"cancel"} for names in joins]
    stack.advance(36 * 60)
    assert offered() == joins and all(join_urls()), "too late to cancel, an hour left to join"
    assert parties.client.cancel(request["id"]).json()["code"] == "meeting_over"
    stack.advance(60 * 60)
    assert offered() == [set()] * 3 and join_urls() == [None, None]


def test_health(stack: Stack) -> None:
    anyone = stack.anyone()
    assert anyone.get("/healthz").status_code == 200
    assert anyone.get("/readyz").status_code == 200
