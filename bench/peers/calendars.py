"""The peer's calendar files, made with icalendar: the properties that meetlink's have. Instants are
in UTC there, so no VTIMEZONE is needed."""

import datetime
import os

import views
from icalendar import Alarm, Calendar, Event, vCalAddress, vDuration, vUri

ORGANIZER_NAME, ORGANIZER_EMAIL = os.environ["ORGANIZER"].split("/")
ALARM = datetime.timedelta(minutes=-15)
HOUR = datetime.timedelta(hours=1)


def utc(instant: datetime.datetime) -> datetime.datetime:
    return instant.replace(tzinfo=datetime.UTC)


def person(email: str, name: str, **params: str) -> vCalAddress:
    return vCalAddress(f"mailto:{email}", params={"CN": name} | params)


def description(document: dict, link: str | None) -> str:
    meeting = document["meeting"]
    parts = [f"Client: {document['client']['name']}\nLawyer: {document['lawyer']['name']}"]
    if link and meeting["passcode"]:
        parts.append(f"Passcode, should you be asked for one: {meeting['passcode']}")
    if link and meeting["dial_in"]:
        parts.append("\n".join(["By telephone:", *meeting["dial_in"]]))
    if document["message"]:
        parts.append(f"Message from {document['lawyer']['name']}:\n{document['message']}")
    if document["description"]:
        parts.append(f"About the request:\n{document['description']}")
    return "\n\n".join([f"Join: {link}", *parts] if link else parts)


def attendee(document: dict, who: str) -> vCalAddress:
    answered = "ACCEPTED" if who == "lawyer" else "NEEDS-ACTION"
    params = {"CUTYPE": "INDIVIDUAL", "ROLE": "REQ-PARTICIPANT", "PARTSTAT": answered}
    return person(document[who]["email"], document[who]["name"], **params)


def alarm(summary: str) -> Alarm:
    found = Alarm()
    found.add("ACTION", "DISPLAY")
    found.add("TRIGGER", ALARM)
    found.add("DESCRIPTION", summary)
    return found


def event(document: dict, party: str) -> Event:
    meeting, other = document["meeting"], document["client" if party == "lawyer" else "lawyer"]
    cancelled = meeting["status"] == "cancelled"
    link = views.join_url(document, party) if meeting["status"] == "ready" else None
    summary = f"{document['title']} – {other['name']}"
    changed = utc(document["updated_at"])
    found = Event()
    found.add("UID", f"{meeting['id']}@meetlink")
    found.add("DTSTAMP", changed)
    found.add("CREATED", utc(document["created_at"]))
    found.add("LAST-MODIFIED", changed)
    found.add("SEQUENCE", meeting["sequence"])
    found.add("DTSTART", utc(meeting["starts_at"]))
    found.add("DTEND", utc(meeting["ends_at"]))
    found.add("STATUS", "CANCELLED" if cancelled else "CONFIRMED")
    found.add("SUMMARY", summary)
    found.add("DESCRIPTION", description(document, link))
    if link:
        found.add("LOCATION", link)
        conference = {"VALUE": "URI", "FEATURE": ["AUDIO", "VIDEO"], "LABEL": "Join"}
        found.add("CONFERENCE", vUri(link, params=conference))
        found.add("URL", vUri(link))
    if cancelled and meeting["ended_reason"]:
        found.add("COMMENT", meeting["ended_reason"])
    found.add("ORGANIZER", person(ORGANIZER_EMAIL, ORGANIZER_NAME))
    found.add("ATTENDEE", [attendee(document, who) for who in ("client", "lawyer")])
    found.add("TRANSP", "TRANSPARENT" if cancelled else "OPAQUE")
    if not cancelled:
        found.add_component(alarm(summary))
    return found


def calendar() -> Calendar:
    found = Calendar()
    found.add("VERSION", "2.0")
    found.add("PRODID", "-//meetlink//meetlink//EN")
    found.add("CALSCALE", "GREGORIAN")
    return found


def one(document: dict, party: str) -> bytes:
    document["id"] = document.pop("_id")
    found = calendar()
    found.add_component(event(document, party))
    return found.to_ical(sorted=False)


def feed(documents: list[dict], party: str) -> bytes:
    found = calendar()
    found.add("NAME", "Meetings")
    found.add("X-WR-CALNAME", "Meetings")
    found.add("COLOR", "steelblue")
    found.add("REFRESH-INTERVAL", vDuration(HOUR, params={"VALUE": "DURATION"}))
    found.add("X-PUBLISHED-TTL", vDuration(HOUR))
    for document in documents:
        document["id"] = document.pop("_id")
        found.add_component(event(document, party))
    return found.to_ical(sorted=False)
