"""What becomes of a meeting after it was made: moved, given a new link, cancelled, held, over."""

import datetime
import html
import os
import signal
import zoneinfo
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from mailbox import Mail, SmtpServer, check_invitation

import icalendar
import pytest
import requests
from caller import Parties, done, new_key, refused
from stack import Stack, end
from support import at_once, free_port, until

POLICY = "/api/config/meetings"
BERLIN, NEW_YORK = zoneinfo.ZoneInfo("Europe/Berlin"), zoneinfo.ZoneInfo("America/New_York")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory, mongodb_uri: str) -> Iterator[Stack]:
    """A stack that mails by SMTP, with a clock that these tests may move on."""
    smtp = SmtpServer()
    with Stack(tmp_path_factory.mktemp("changes"), mongodb_uri, smtp) as stack:
        yield stack
    smtp.stop()


@pytest.fixture
def people(own: Stack) -> Parties:
    return own.parties()


def instant(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text)


def actions(people: Parties, request: dict) -> list[str]:
    return [event["action"] for event in people.lawyer.audit(request["id"])]


def threads(stack: Stack, request: dict, count: int) -> list[list[Mail]]:
    """The mails to the client and those to the lawyer, when each has that many and no more."""
    stack.settle(request["id"])
    mails = stack.mails.of(request["id"])
    both = [[m for m in mails if m.recipient == request[w]["email"]] for w in ("client", "lawyer")]
    assert [len(thread) for thread in both] == [count, count]
    return both


def check_thread(thread: list[Mail], *methods: str) -> list[icalendar.Event]:
    """One thread, and one entry in the calendar that each mail has something newer for."""
    events = [check_invitation(m, method) for m, method in zip(thread, methods, strict=True)]
    first = thread[0].message
    assert "In-Reply-To" not in first and "References" not in first
    for mail in thread[1:]:
        assert mail.message["In-Reply-To"] == first["Message-ID"]
        assert first["Message-ID"] in mail.message["References"]
    assert len({mail.id for mail in thread}) == len(thread)
    assert len({event["UID"] for event in events}) == 1
    assert len({event["ORGANIZER"] for event in events}) == 1
    sequences = [event["SEQUENCE"] for event in events]
    assert sequences == sorted(set(sequences)), "each is newer than the one before"
    return events


def event_of(answer: requests.Response) -> icalendar.Event:
    assert answer.status_code == 200
    (event,) = icalendar.Calendar.from_ical(answer.content).walk("VEVENT")
    return event


def words(moment: str, zone: zoneinfo.ZoneInfo) -> str:
    """An instant as the mails say it."""
    local = instant(moment).astimezone(zone)
    return f"{local:%A}, {local.day} {local:%B} {local.year}, {local:%H:%M} ({local:%Z})"


def both_say(mail: Mail, text: str) -> bool:
    said = {text in " ".join(mail.text(kind).split()) for kind in ("text/plain", "text/html")}
    assert len(said) == 1, f"text and HTML do not agree about {text!r}"
    return said.pop()


@contextmanager
def nobody_delivers(stack: Stack) -> Iterator[None]:
    """While no dispatcher runs."""
    pids = until(
        lambda: [pid for pid, name in stack.children().items() if name == "meetlink-disp"],
        "a dispatcher has begun",
    )
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


# ---- another time ----


def test_a_meeting_is_moved(own: Stack, people: Parties) -> None:
    request = people.accepted(client=people.person("client", timezone="America/New_York"))
    before, url = request["meeting"], f"/api/requests/{request['id']}"
    threads(own, request, 1)
    calendar = people.client.get(url + "/calendar.ics")
    mine = people.client.request(request["id"])["meeting"]
    starts_at = own.at(days=5)
    answer = people.lawyer.command(
        request["id"], "reschedule", starts_at=starts_at, duration_minutes=30,
        timezone="Asia/Tokyo", reason="A hearing\nin <court>",
    )  # fmt: skip
    moved = done(answer)
    meeting = moved["meeting"]
    for shown in (moved, meeting):
        assert (shown["starts_at"], shown["timezone"]) == (starts_at, "Asia/Tokyo")
        assert instant(shown["ends_at"]) - instant(starts_at) == datetime.timedelta(minutes=30)
    assert (moved["status"], moved["duration_minutes"]) == ("accepted", 30)
    assert instant(starts_at) - instant(meeting["opens_at"]) == datetime.timedelta(minutes=15)
    assert (meeting["sequence"], meeting["status"]) == (1, "ready")
    for name in ("id", "generation", "join_url", "calendar_url", "provider", "created_at"):
        assert meeting[name] == before[name], name
    assert people.client.request(request["id"])["meeting"]["join_url"] == mine["join_url"]
    assert people.lawyer.fetch(url + "/meeting") == meeting
    assert len(people.lawyer.fetch(url + "/meetings")["items"]) == 1

    again = people.client.get(
        url + "/calendar.ics", headers={"If-None-Match": calendar.headers["ETag"]}
    )
    old, new = event_of(calendar), event_of(again)
    assert new["UID"] == old["UID"] and new["SEQUENCE"] > old["SEQUENCE"]
    assert new["DTSTART"].dt == instant(starts_at) and new["LOCATION"] == old["LOCATION"]
    assert own.anyone().get(mine["calendar_url"]).content == again.content

    zones = (NEW_YORK, BERLIN)
    for thread, zone in zip(threads(own, request, 2), zones, strict=True):
        first, second = check_thread(thread, "REQUEST", "REQUEST")
        assert second["DTSTART"].dt == instant(starts_at) and second["STATUS"] == "CONFIRMED"
        assert second["DTEND"].dt == instant(moved["ends_at"])
        assert second["LOCATION"] == first["LOCATION"]
        mail = thread[1]
        assert mail.message["Subject"].startswith("New time: ")
        assert both_say(mail, words(before["starts_at"], zone)), "what it was"
        assert f"{instant(starts_at).astimezone(zone):%H:%M}" in mail.text()
        assert both_say(mail, "It now takes 30 minutes, not")
        assert not both_say(mail, "no longer valid") and not both_say(mail, "is now on")
        assert "A hearing in <court>" in " ".join(mail.text().split())
        assert "in &lt;court&gt;" in mail.text("text/html")
        assert both_say(mail, second["LOCATION"])
    moves = [e for e in people.lawyer.audit(request["id"]) if e["action"] == "meeting.rescheduled"]
    assert [(e["from"], e["to"]) for e in moves] == [(before["starts_at"], starts_at)]
    assert moves[0]["actor"] == {"id": people.lawyer_id, "role": "lawyer"}


def test_every_later_mail_belongs_to_the_first(own: Stack, people: Parties) -> None:
    request = people.accepted()
    for count in (1, 2, 3):
        threads(own, request, count)
        done(people.lawyer.command(request["id"], "reschedule", starts_at=own.at(days=3 + count)))
    threads(own, request, 4)
    done(people.client.cancel(request["id"], reason="Ill"))
    for thread in threads(own, request, 5):
        events = check_thread(thread, *["REQUEST"] * 4, "CANCEL")
        assert [event["SEQUENCE"] for event in events] == [0, 1, 2, 3, 4]
        assert events[4]["STATUS"] == "CANCELLED"


def test_a_move_that_moves_nothing(own: Stack, people: Parties) -> None:
    request = people.accepted()
    threads(own, request, 1)
    answer = people.lawyer.command(
        request["id"], "reschedule", starts_at=request["starts_at"], reason="Again"
    )
    assert done(answer)["meeting"]["sequence"] == 0
    threads(own, request, 1)
    assert "meeting.rescheduled" not in actions(people, request)


def test_the_start_stays(own: Stack, people: Parties) -> None:
    request = people.accepted()
    threads(own, request, 1)
    starts_at = request["starts_at"]
    done(
        people.lawyer.command(
            request["id"], "reschedule", starts_at=starts_at, duration_minutes=90
        )
    )
    for _, mail in threads(own, request, 2):
        assert "It now takes 90 minutes, not 45." in mail.text()
        assert not both_say(mail, "was planned for")
        assert mail.message["Subject"].startswith("Changed: ")


def test_another_zone(own: Stack, people: Parties) -> None:
    """Is news to who reads times in it, and to nobody else."""
    request = people.accepted(timezone="Europe/London")
    threads(own, request, 1)
    starts_at = request["starts_at"]
    done(
        people.lawyer.command(
            request["id"], "reschedule", starts_at=starts_at, timezone="Asia/Tokyo"
        )
    )
    own.settle(request["id"])
    (mail,) = own.mails.of(request["id"])[2:]
    assert mail.recipient == request["client"]["email"]
    assert "Times are now in Asia/Tokyo, no longer in Europe/London." in mail.text()
    assert mail.message["Subject"].startswith("Changed: ")


def test_what_comes_and_goes(own: Stack, people: Parties) -> None:
    """Before a mail has left is news to nobody."""
    request = people.accepted()
    threads(own, request, 1)
    with nobody_delivers(own):
        for starts_at in (own.at(days=8), request["starts_at"]):
            done(people.lawyer.command(request["id"], "reschedule", starts_at=starts_at))
        assert people.lawyer.request(request["id"])["meeting"]["sequence"] == 2
    threads(own, request, 1)


def test_cancelled_before_the_move_was_told(own: Stack, people: Parties) -> None:
    """The mail names the time that the person knows as well."""
    request = people.accepted()
    threads(own, request, 1)
    with nobody_delivers(own):
        done(people.lawyer.command(request["id"], "reschedule", starts_at=own.at(days=8)))
        done(people.client.cancel(request["id"]))
    for (_, mail), zone in zip(threads(own, request, 2), (BERLIN, BERLIN), strict=True):
        local = instant(request["starts_at"]).astimezone(zone)
        assert "Your last invitation says" in mail.text() and f"{local:%H:%M}" in mail.text()


def test_a_german_is_told_in_german(own: Stack, people: Parties) -> None:
    request = people.accepted(client=people.person("client", locale="de-DE"))
    threads(own, request, 1)
    with nobody_delivers(own):
        done(people.lawyer.command(request["id"], "reschedule", starts_at=own.at(days=8)))
        done(people.lawyer.command(request["id"], "regenerate"))
    mail = threads(own, request, 2)[0][1]
    assert mail.message["Subject"].startswith("Neuer Termin: ")
    assert both_say(mail, "Geplant war das Gespräch für")
    local = instant(request["starts_at"]).astimezone(BERLIN)
    assert both_say(mail, f"{local:%H:%M} Uhr ({local:%Z})"), "what it was"
    assert both_say(mail, "aktualisiert den Eintrag in Ihrem Kalender.")
    assert both_say(mail, "Links aus früheren E-Mails gelten nicht mehr.")


def test_the_door_moves_too(own: Stack, people: Parties) -> None:
    anyone = own.anyone()
    request = people.accepted(starts_at=own.at(hours=2), duration_minutes=30)
    join = request["meeting"]["join_url"]
    done(people.lawyer.command(request["id"], "reschedule", starts_at=own.at(hours=6)))
    own.advance(2 * 3600)
    assert anyone.get(join).status_code == 403, "at the old time"
    own.advance(2 * 3600)
    assert anyone.get(join).status_code == 403, "the old time is over"
    assert people.client.request(request["id"])["status"] == "accepted"
    own.advance(105 * 60 - 20)
    assert anyone.get(join).status_code == 403
    own.advance(40)
    assert anyone.get(join).status_code == 302, "15 minutes before the new time"
    done(people.lawyer.command(request["id"], "reschedule", starts_at=own.at(hours=6)))
    assert anyone.get(join).status_code == 403, "closed again"
    done(people.lawyer.command(request["id"], "reschedule", starts_at=own.at(minutes=3)))
    assert anyone.get(join).status_code == 302, "nearer than 15 minutes"


def test_across_the_change_of_clocks(own: Stack, people: Parties) -> None:
    """Instants are UTC, so a time that a zone skips cannot be said; what it shows is right."""
    year = own.now().year + 1
    day = max(d for d in range(25, 32) if datetime.date(year, 3, d).isoweekday() == 7)
    request = people.accepted()
    threads(own, request, 1)
    answer = people.lawyer.command(
        request["id"], "reschedule", starts_at=f"{year}-03-{day}T00:30:00Z", duration_minutes=60
    )
    done(answer)
    mail = threads(own, request, 2)[1][1]
    assert "01:30 (CET) to 03:30 (CEST)" in mail.text() and "60 minutes" in mail.text()
    event = check_invitation(mail, "REQUEST")
    assert event["DTEND"].dt - event["DTSTART"].dt == datetime.timedelta(hours=1)


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"starts_at": {"minutes": -1}}, "/starts_at"),
        ({"starts_at": {"days": 5 * 365 + 1}}, "/starts_at"),
        ({"starts_at": None}, "/starts_at"),
        ({"starts_at": "2027-03-28T02:30:00"}, "/starts_at"),
        ({"starts_at": "2027-03-28T02:30:00+01:00"}, "/starts_at"),
        ({"starts_at": "2027-02-30T12:00:00Z"}, "/starts_at"),
        ({"timezone": "Europe/Atlantis"}, "/timezone"),
        ({"timezone": "../../etc/passwd"}, "/timezone"),
        ({"timezone": ""}, "/timezone"),
        ({"duration_minutes": 1441}, "/duration_minutes"),
        ({"duration_minutes": 4}, "/duration_minutes"),
        ({"duration_minutes": 30.5}, "/duration_minutes"),
        ({"reason": "x" * 2001}, "/reason"),
        ({"ends_at": "2027-03-28T02:30:00Z"}, "/ends_at"),
    ],
)
def test_times_that_are_refused(own: Stack, people: Parties, changes: dict, pointer: str) -> None:
    request = people.accepted()
    body = {"starts_at": {"days": 4}} | changes
    if isinstance(body["starts_at"], dict):
        body["starts_at"] = own.at(**body["starts_at"])
    body = {name: value for name, value in body.items() if value is not None}
    answer = people.lawyer.command(request["id"], "reschedule", **body)
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert people.lawyer.request(request["id"])["starts_at"] == request["starts_at"]
    assert "meeting.rescheduled" not in actions(people, request)


# ---- another link ----


def test_a_new_link(own: Stack, people: Parties) -> None:
    anyone = own.anyone()
    request = people.accepted(starts_at=own.at(minutes=10))
    url = f"/api/requests/{request['id']}"
    old = people.client.request(request["id"])["meeting"]
    room = anyone.get(old["join_url"]).headers["Location"]
    threads(own, request, 1)
    answer = people.lawyer.command(request["id"], "regenerate", reason="The link leaked")
    meeting = done(answer)["meeting"]
    assert (meeting["generation"], meeting["sequence"], meeting["status"]) == (2, 1, "ready")
    assert meeting["id"] == old["id"] and meeting["ended_reason"] is None
    new = people.client.request(request["id"])["meeting"]
    assert len({old["join_url"], new["join_url"], meeting["join_url"]}) == 3
    gone = anyone.get(old["join_url"])
    assert gone.status_code == 410 and "replaced" in gone.text
    other = anyone.get(new["join_url"])
    assert other.status_code == 302 and other.headers["Location"] != room
    assert anyone.get(meeting["join_url"]).headers["Location"] == other.headers["Location"]
    stale = anyone.get(old["calendar_url"])
    assert stale.status_code == 200 and "/join/" not in stale.text.replace("\r\n ", "")

    history = people.client.fetch(url + "/meetings")["items"]
    assert [m["generation"] for m in history] == [2, 1]
    ended = history[1]
    assert (ended["status"], ended["ended_reason"]) == ("replaced", "The link leaked")
    assert ended["ended_at"] == meeting["created_at"] and ended["join_url"] is None
    assert history[0] == new

    links = (new["join_url"], meeting["join_url"])
    for thread, link in zip(threads(own, request, 2), links, strict=True):
        first, second = check_thread(thread, "REQUEST", "REQUEST")
        assert second["LOCATION"] == link
        assert thread[1].message["Subject"].startswith("New link: ")
        assert first["CREATED"].dt == second["CREATED"].dt == instant(request["created_at"])
        assert both_say(thread[1], "updates the entry in your calendar.")
        assert both_say(thread[1], "Links from earlier e-mails are no longer valid.")
        assert both_say(thread[1], link) and not both_say(thread[1], first["LOCATION"])
    assert {"meeting.replaced", "meeting.regenerated"} < set(actions(people, request))


def test_the_number_of_links_is_bounded(start: Callable[..., Stack]) -> None:
    stack = start()
    people = stack.parties()
    done(stack.admin().put(POLICY, {"max_generations": 3}))
    request = people.accepted()
    for generation in (2, 3):
        answer = people.lawyer.command(request["id"], "regenerate")
        assert done(answer)["meeting"]["generation"] == generation
    answer = people.lawyer.command(request["id"], "regenerate")
    assert refused(answer) == (409, "too_many_generations")
    done(stack.admin().put(POLICY, {"max_generations": 4}))
    done(people.lawyer.command(request["id"], "regenerate"))
    history = people.lawyer.fetch(f"/api/requests/{request['id']}/meetings")["items"]
    assert [m["generation"] for m in history] == [4, 3, 2, 1]


@pytest.mark.parametrize("provider", ["zoom", "skype"])
def test_a_provider_that_cannot_be_used(people: Parties, provider: str) -> None:
    request = people.accepted()
    answer = people.lawyer.command(request["id"], "regenerate", provider=provider)
    assert refused(answer) == (422, "invalid")
    assert people.lawyer.request(request["id"])["meeting"] == request["meeting"]


def test_two_new_links_at_once(people: Parties) -> None:
    """Either order is right: both happen, one after the other, and one link is alive."""
    stack, anyone = people.stack, people.stack.anyone()
    request = people.accepted(starts_at=stack.at(minutes=10))
    links = [request["meeting"]["join_url"]]
    for _ in range(5):
        answers = at_once([lambda: people.lawyer.command(request["id"], "regenerate")] * 2)
        links += [done(answer)["meeting"]["join_url"] for answer in answers]
    assert len(set(links)) == 11
    alive = people.lawyer.request(request["id"])["meeting"]
    assert alive["generation"] == 11
    assert {link: anyone.head(link).status_code for link in links} == {
        link: 302 if link == alive["join_url"] else 410 for link in links
    }
    history = people.lawyer.fetch(f"/api/requests/{request['id']}/meetings")["items"]
    assert [m["generation"] for m in history] == list(range(11, 0, -1))
    assert [m["status"] for m in history] == ["ready"] + ["replaced"] * 10


def test_two_new_links_at_once_of_what_was_seen(people: Parties) -> None:
    for _ in range(5):
        request = people.accepted()
        url = f"/api/requests/{request['id']}"
        tag = {"If-Match": people.lawyer.get(url).headers["ETag"]}
        answers = at_once(
            lambda c=c, u=url, t=tag: c.post(u + "/meeting/regenerate", {}, headers=t)
            for c in [people.lawyer] * 2
        )
        assert sorted(answer.status_code for answer in answers) == [200, 412]
        assert people.lawyer.request(request["id"])["meeting"]["generation"] == 2


def test_a_new_link_and_a_cancellation_at_once(people: Parties) -> None:
    """Either order is right; in the end it is cancelled, and nobody keeps a link that opens."""
    for _ in range(5):
        request = people.accepted(starts_at=people.stack.at(minutes=10))
        regenerate, cancel = at_once(
            [
                lambda: people.lawyer.command(request["id"], "regenerate"),
                lambda: people.client.cancel(request["id"]),
            ]
        )
        assert cancel.status_code == 200
        links = [request["meeting"]["join_url"]]
        if regenerate.ok:
            links.append(regenerate.json()["meeting"]["join_url"])
        else:
            assert refused(regenerate) == (409, "already_cancelled")
        assert {people.stack.anyone().get(link).status_code for link in links} == {410}
        people.stack.settle(request["id"])
        for who in ("client", "lawyer"):
            told = [
                mail.part("text/calendar").get_param("method")
                for mail in people.stack.mails.of(request["id"])
                if mail.recipient == request[who]["email"]
            ]
            assert not told or told[-1] == "CANCEL"


# ---- no meeting, and another one ----


def test_the_meeting_alone_is_cancelled_and_made_again(own: Stack, people: Parties) -> None:
    anyone = own.anyone()
    request = people.accepted(starts_at=own.at(minutes=10))
    url = f"/api/requests/{request['id']}"
    threads(own, request, 1)
    cancelled = done(people.client.command(request["id"], "cancel", reason="Not by video"))
    meeting = cancelled["meeting"]
    assert (cancelled["status"], meeting["status"]) == ("accepted", "cancelled")
    assert (meeting["ended_reason"], meeting["sequence"]) == ("Not by video", 1)
    assert meeting["join_url"] is None and "join" not in cancelled["links"]
    gone = anyone.get(request["meeting"]["join_url"])
    assert gone.status_code == 410 and "cancelled" in gone.text
    assert event_of(people.lawyer.get(url + "/calendar.ics"))["STATUS"] == "CANCELLED"
    threads(own, request, 2)

    again = done(people.lawyer.command(request["id"], "regenerate"))["meeting"]
    assert (again["status"], again["generation"], again["sequence"]) == ("ready", 2, 2)
    assert anyone.get(again["join_url"]).status_code == 302
    assert anyone.get(request["meeting"]["join_url"]).status_code == 410
    history = people.lawyer.fetch(url + "/meetings")["items"]
    assert [(m["generation"], m["status"], m["ended_reason"]) for m in history] == [
        (2, "ready", None),
        (1, "cancelled", "Not by video"),
    ]
    for thread in threads(own, request, 3):
        first, cancel, last = check_thread(thread, "REQUEST", "CANCEL", "REQUEST")
        assert [e["STATUS"] for e in (first, cancel, last)] == [
            "CONFIRMED",
            "CANCELLED",
            "CONFIRMED",
        ]
        assert both_say(thread[1], "Not by video")
        assert cancel["COMMENT"] == "Not by video" and "COMMENT" not in last
        assert first["CREATED"].dt == cancel["CREATED"].dt == last["CREATED"].dt
    calendars = [people.lawyer.get(url + "/calendar.ics"), anyone.get(again["calendar_url"])]
    for event in map(event_of, calendars):
        assert (event["UID"], event["CREATED"].dt) == (last["UID"], last["CREATED"].dt)


@pytest.mark.parametrize("who", ["client", "lawyer", "admin", "service"])
def test_who_cancelled(own: Stack, people: Parties, who: str) -> None:
    """By name, or "you"; the host application may have done it for anybody."""
    client = people.person("client", locale="de", name="Anna Ä. <Ex>")
    request = people.accepted(client=client)
    threads(own, request, 1)
    callers = {
        "client": people.client,
        "lawyer": people.lawyer,
        "admin": own.admin(),
        "service": own.service(),
    }
    done(callers[who].cancel(request["id"]))
    (_, german), (_, english) = threads(own, request, 2)
    lawyer = request["lawyer"]["name"]
    to_client = {
        "client": "Sie haben es abgesagt.",
        "lawyer": f"{lawyer} hat es abgesagt.",
        "admin": "Die Verwaltung von Meetings hat es abgesagt.",
    }
    to_lawyer = {
        "client": "Anna Ä. <Ex> cancelled it.",
        "lawyer": "You cancelled it.",
        "admin": "The administration of Meetings cancelled it.",
    }
    told = ((german, to_client, "abgesagt."), (english, to_lawyer, "cancelled it."))
    for mail, said, word in told:
        page = " ".join(html.unescape(mail.text("text/html")).split())
        for text in (" ".join(mail.text().split()), page):
            assert text.count(word) == (who in said)
            assert said.get(who, "") in text
        assert "COMMENT" not in check_invitation(mail, "CANCEL"), "no reason was given"


# ---- mails that have not left ----


def test_what_has_not_left_is_told_once(start: Callable[..., Stack], smtp: SmtpServer) -> None:
    stack = start(smtp)
    people = stack.parties()
    with nobody_delivers(stack):
        request = people.accepted()
        for starts_at in (stack.at(days=5), stack.at(days=6)):
            moved = people.lawyer.command(request["id"], "reschedule", starts_at=starts_at)
    (mine,), (theirs,) = threads(stack, request, 1)
    for mail in (mine, theirs):
        (event,) = check_thread([mail], "REQUEST")
        assert event["DTSTART"].dt == instant(done(moved)["starts_at"])
        assert mail.message["Subject"].startswith("Video meeting"), "an invitation, no change"
    with nobody_delivers(stack):
        for starts_at in (stack.at(days=7), stack.at(days=8)):
            moved = people.lawyer.command(request["id"], "reschedule", starts_at=starts_at)
        done(people.lawyer.command(request["id"], "regenerate"))
    for thread in threads(stack, request, 2):
        told, event = check_thread(thread, "REQUEST", "REQUEST")
        assert event["DTSTART"].dt == instant(done(moved)["starts_at"])
        assert both_say(thread[1], words(told["DTSTART"].dt.isoformat(), BERLIN))
        assert both_say(thread[1], "Links from earlier e-mails are no longer valid.")


@pytest.mark.parametrize("how", ["request", "meeting"])
def test_moved_and_cancelled_before_a_mail_left_is_no_mail(
    start: Callable[..., Stack], smtp: SmtpServer, how: str
) -> None:
    stack = start(smtp)
    people = stack.parties()
    with nobody_delivers(stack):
        request = people.accepted()
        done(people.lawyer.command(request["id"], "reschedule", starts_at=stack.at(days=5)))
        if how == "request":
            done(people.client.cancel(request["id"]))
        else:
            done(people.client.command(request["id"], "cancel"))
    assert stack.owed(request["id"]) == []
    other = stack.parties().accepted()
    stack.settle(other["id"])
    assert smtp.of(request["id"]) == []


def test_who_may_have_been_told_is_told(start: Callable[..., Stack], smtp: SmtpServer) -> None:
    """Of an attempt that failed nobody knows for sure: what follows belongs to it."""
    stack = start(smtp)
    people = stack.parties()
    client = people.person("client")["email"]
    smtp.answers[client] = "451 Greylisted"
    request = people.accepted()
    until(lambda: "mail.retried" in actions(people, request), "the client's is tried")
    starts_at = stack.at(days=5)
    with nobody_delivers(stack):
        done(people.lawyer.command(request["id"], "reschedule", starts_at=starts_at))
        del smtp.answers[client]
    stack.settle(request["id"])
    done(people.lawyer.cancel(request["id"]))
    stack.settle(request["id"])
    told = [mail for mail in smtp.of(request["id"]) if mail.recipient == client]
    moved = check_invitation(told[0], "REQUEST")
    assert moved["DTSTART"].dt == instant(starts_at)
    assert check_invitation(told[1], "CANCEL")["SEQUENCE"] > moved["SEQUENCE"]
    for mail in told:
        assert mail.message["In-Reply-To"].startswith(f"<{request['id']}.1.0.meeting_ready.client")


def test_a_late_cancellation_is_of_what_was_cancelled(
    start: Callable[..., Stack], smtp: SmtpServer
) -> None:
    """Though there is another meeting by then, at another time."""
    stack = start(smtp)
    people = stack.parties()
    request = people.accepted()
    threads(stack, request, 1)
    client = people.person("client")["email"]
    smtp.answers[client] = "451 Greylisted"
    done(people.lawyer.command(request["id"], "cancel", reason="The court moved"))
    until(lambda: "mail.retried" in actions(people, request), "the client's is tried")
    with nobody_delivers(stack):
        done(people.lawyer.command(request["id"], "regenerate"))
        later = stack.at(days=9)
        done(people.lawyer.command(request["id"], "reschedule", starts_at=later))
        del smtp.answers[client]
    stack.settle(request["id"])
    mails = [mail for mail in smtp.of(request["id"]) if mail.recipient == client]
    invited, cancelled, again = check_thread(mails, "REQUEST", "CANCEL", "REQUEST")
    assert (cancelled["DTSTART"].dt, cancelled["DTEND"].dt) == (
        invited["DTSTART"].dt,
        invited["DTEND"].dt,
    )
    assert str(cancelled["COMMENT"]) == "The court moved"
    assert both_say(mails[1], words(request["starts_at"], BERLIN).rpartition(",")[0])
    assert again["DTSTART"].dt == instant(later)


def test_cancelled_and_made_again_before_a_mail_left_is_a_new_link(
    start: Callable[..., Stack], smtp: SmtpServer
) -> None:
    stack = start(smtp)
    people = stack.parties()
    request = people.accepted()
    threads(stack, request, 1)
    with nobody_delivers(stack):
        done(people.lawyer.command(request["id"], "cancel", reason="The court moved"))
        done(people.lawyer.command(request["id"], "regenerate"))
    for thread in threads(stack, request, 2):
        check_thread(thread, "REQUEST", "REQUEST")
        assert both_say(thread[1], "Links from earlier e-mails are no longer valid.") or both_say(
            thread[1], "Links aus früheren E-Mails"
        )


# ---- a link that is still being made ----


def zoom_is_away(start: Callable[..., Stack], **policy: object) -> Stack:
    """A stack whose default provider cannot be reached."""
    away = f"http://127.0.0.1:{free_port()}"
    stack = start(ZOOM_API_URL=away, ZOOM_TOKEN_URL=away)
    credentials = {name: "x" * 20 for name in ("account_id", "client_id", "client_secret")}
    zoom = {"enabled": True, "credentials": credentials, "settings": {"host_user": "a@b.example"}}
    done(stack.admin().put("/api/config/providers/zoom", zoom))
    done(stack.admin().put(POLICY, {"default_provider": "zoom"} | policy))
    return stack


def test_another_provider_had_to_be_used(start: Callable[..., Stack]) -> None:
    stack = zoom_is_away(start, failover=["jitsi"])
    people = stack.parties()
    request = people.accepted(client=people.person("client", locale="de"))
    until(lambda: people.client.request(request["id"])["meeting"]["status"] == "ready", "a link")
    meeting = people.client.request(request["id"])["meeting"]
    assert (meeting["provider"], meeting["requested_provider"]) == ("jitsi", "zoom")
    assert "provider_failover" in {warning["code"] for warning in meeting["warnings"]}
    (german,), (english,) = threads(stack, request, 1)
    assert both_say(english, "on Jitsi Meet, because Zoom could not make the link.")
    assert both_say(german, "Jitsi Meet statt, weil Zoom den Link nicht erstellen konnte.")


def test_a_link_that_cannot_be_made_yet(start: Callable[..., Stack]) -> None:
    stack = zoom_is_away(start, inline_wait_ms=0)
    people = stack.parties()
    request = people.accepted(starts_at=stack.at(minutes=10))

    def meeting() -> dict:
        return people.lawyer.request(request["id"])["meeting"]

    until(lambda: meeting()["attempts"] >= 2, "it is tried")
    until(lambda: instant(meeting()["next_attempt_at"]) > stack.now(), "a round is over")
    waiting = meeting()
    assert waiting["status"] == "pending" and waiting["join_url"] is None
    assert waiting["last_error"]["provider"] == "zoom"
    answer = people.lawyer.command(request["id"], "regenerate")
    assert refused(answer) == (409, "still_pending")
    url = f"/api/requests/{request['id']}"
    stale = people.lawyer.post(url + "/meeting/retry", {}, headers={"If-Match": '"other"'})
    assert refused(stale) == (412, "precondition_failed")
    key = {"Idempotency-Key": new_key()}
    first = people.lawyer.post(url + "/meeting/retry", {}, headers=key)
    assert done(first)["meeting"]["status"] == "pending"
    again = people.lawyer.post(url + "/meeting/retry", {}, headers=key)
    assert again.content == first.content and "Idempotency-Replayed" in again.headers
    until(lambda: meeting()["attempts"] > waiting["attempts"], "it is tried at once")
    # Moved while it waits: no mail yet, and the link is made for the new time.
    starts_at = stack.at(minutes=12)
    done(people.lawyer.command(request["id"], "reschedule", starts_at=starts_at))
    assert stack.mails.of(request["id"]) == []
    done(people.lawyer.command(request["id"], "regenerate", provider="jitsi", reason="Zoom is out"))
    assert (meeting()["status"], meeting()["provider"]) == ("ready", "jitsi")
    assert refused(people.lawyer.command(request["id"], "retry")) == (409, "already_ready")
    until(lambda: len(stack.mails.of(request["id"])) == 2, "both are invited")
    for mail in stack.mails.of(request["id"]):
        (event,) = check_thread([mail], "REQUEST")
        assert event["DTSTART"].dt == instant(starts_at)
        assert not both_say(mail, "could not make the link"), "somebody chose it"


# ---- held, and over ----


def test_how_it_went(own: Stack, people: Parties) -> None:
    request = people.accepted(starts_at=own.at(hours=1), duration_minutes=30)
    other = own.parties().accepted(starts_at=own.at(hours=1))
    early = people.lawyer.command(request["id"], "outcome", outcome="held")
    assert refused(early) == (409, "meeting_not_started")
    own.advance(3600 + 1)
    for outcome in ("lawyer_no_show", "held", "held"):
        answer = people.lawyer.command(request["id"], "outcome", outcome=outcome)
        assert done(answer)["meeting"]["outcome"] == outcome
    assert actions(people, request).count("meeting.outcome") == 2, "the same again is nothing"
    for body in ({}, {"outcome": "fun"}, {"outcome": None}, {"outcome": "held", "x": 1}):
        answer = people.lawyer.command(request["id"], "outcome", **body)
        assert refused(answer) == (422, "invalid"), body
    assert people.lawyer.command(other["id"], "outcome", outcome="held").status_code == 404
    own.advance(90 * 60)
    until(lambda: people.client.request(request["id"])["status"] == "completed", "it is over")
    answer = people.lawyer.command(request["id"], "outcome", outcome="client_no_show")
    assert done(answer)["meeting"]["outcome"] == "client_no_show", "noted afterwards"


def check_completed(stack: Stack, people: Parties, request: dict) -> None:
    until(lambda: people.client.request(request["id"])["status"] == "completed", "it is over")
    after = people.lawyer.request(request["id"])
    meeting = after["meeting"]
    assert meeting["status"] == "expired" and meeting["ended_at"] >= meeting["expires_at"]
    assert meeting["join_url"] is None
    assert set(after["links"]) == {"self", "page_url", "meeting", "calendar", "audit", "outcome"}
    assert stack.document(request["id"])["effects"] == []
    assert not stack.document(request["id"]).get("due")
    assert stack.anyone().get(request["meeting"]["join_url"]).status_code == 410
    events = people.lawyer.audit(request["id"])[-2:]
    assert [event["action"] for event in events] == ["meeting.expired", "request.completed"]
    assert {event["actor"]["role"] for event in events} == {"system"}
    assert len(stack.mails.of(request["id"])) == 2, "nobody is mailed about it"
    assert event_of(people.client.get(f"/api/requests/{request['id']}/calendar.ics"))
    assert "/join/" not in people.client.get(after["links"]["calendar"]).text.replace("\r\n ", "")


def test_it_is_over(own: Stack, people: Parties) -> None:
    request = people.accepted(starts_at=own.at(minutes=30), duration_minutes=30)
    threads(own, request, 1)
    own.advance(2 * 3600 - 30)
    assert own.anyone().get(request["meeting"]["join_url"]).status_code == 302
    assert people.client.request(request["id"])["status"] == "accepted"
    own.advance(31)
    check_completed(own, people, request)


def test_answers_are_let_go_of_when_nobody_gets_them_any_more(own: Stack, people: Parties) -> None:
    request = people.accepted(starts_at=own.at(days=3))
    threads(own, request, 1)
    assert own.document(request["id"])["answers"]
    own.advance(3 * 24 * 3600 + 2 * 3600)
    until(lambda: people.client.request(request["id"])["status"] == "completed", "it is over")
    assert own.document(request["id"])["answers"] == []


def test_it_is_over_while_everything_was_down(start: Callable[..., Stack]) -> None:
    stack = start()
    people = stack.parties()
    request = people.accepted(starts_at=stack.at(minutes=30), duration_minutes=30)
    threads(stack, request, 1)
    assert end(stack.program) == 0
    stack.advance(3 * 24 * 3600)
    stack.start_program()
    until(stack.is_ready, "it is back")
    check_completed(stack, people, request)


def test_the_time_of_a_cancelled_meeting_is_over(own: Stack, people: Parties) -> None:
    request = people.accepted(starts_at=own.at(minutes=30), duration_minutes=30)
    threads(own, request, 1)
    done(people.lawyer.command(request["id"], "cancel"))
    own.advance(2 * 3600 + 1)
    until(lambda: people.client.request(request["id"])["status"] == "completed", "it is over")
    assert people.client.request(request["id"])["meeting"]["status"] == "cancelled"
    assert "meeting.expired" not in actions(people, request)
    own.settle(request["id"])
    assert own.document(request["id"])["effects"] == []


# ---- links to the provider ----


def test_links_that_lead_to_the_provider(start: Callable[..., Stack], smtp: SmtpServer) -> None:
    stack = start(smtp, JITSI_URL="https://meet.example.org")
    admin, people = stack.admin(), stack.parties()
    done(admin.put(POLICY, {"join_links": "direct"}))
    request = people.accepted()
    link = request["meeting"]["join_url"]
    assert link.startswith("https://meet.example.org/meetlink-")
    for caller in (people.client, people.lawyer):
        shown = caller.request(request["id"])
        assert shown["meeting"]["join_url"] == shown["links"]["join"] == link
        calendar = event_of(caller.get(f"/api/requests/{request['id']}/calendar.ics"))
        assert calendar["LOCATION"] == link
    for (mail,) in threads(stack, request, 1):
        (event,) = check_thread([mail], "REQUEST")
        assert event["LOCATION"] == link and both_say(mail, link)
        assert not both_say(mail, "before the start"), "nobody holds that door"
    assert link not in str(stack.document(request["id"])), "sealed at rest"
    # What was made keeps its kind of link; the next generation has the policy of then.
    done(admin.put(POLICY, {"join_links": "gate"}))
    moved = people.lawyer.command(request["id"], "reschedule", starts_at=stack.at(days=4))
    assert done(moved)["meeting"]["join_url"] == link
    threads(stack, request, 2)
    new = done(people.lawyer.command(request["id"], "regenerate"))["meeting"]["join_url"]
    assert new.startswith(stack.url + "/join/")
    assert stack.anyone().get(new).status_code == 403
    for thread in threads(stack, request, 3):
        assert both_say(thread[-1], "15 minutes before the start")
        assert both_say(thread[-1], "no longer valid") and not both_say(thread[-1], link)
