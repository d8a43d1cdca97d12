"""What callers of the peer see of requests and meetings."""

import base64
import dataclasses
import datetime
import hashlib
import os
import urllib.parse
from collections.abc import Callable

PUBLIC_URL = os.environ["PUBLIC_URL"]
LINK_KEY = bytes.fromhex(os.environ["LINK_KEY"])
# By what a caller's own requests are found.
OWN = {"client": "client.id", "lawyer": "lawyer.id"}
MOST_COUNTED = 1000
PARTY = {"client": b"\0", "lawyer": b"\1"}

Key = Callable[[dict], bool]


@dataclasses.dataclass(frozen=True, slots=True)
class Caller:
    id: str
    role: str


def own(caller: Caller) -> dict:
    return {OWN[caller.role]: caller.id} if caller.role in OWN else {}


def may_see(document: dict, caller: Caller) -> bool:
    return caller.role not in OWN or document[caller.role]["id"] == caller.id


def is_any(document: dict) -> bool:
    return True


def is_open(document: dict) -> bool:
    return document["status"] == "open"


def is_pending(document: dict) -> bool:
    return document["meeting"]["status"] == "pending"


def is_failed(document: dict) -> bool:
    return document["meeting"]["status"] == "failed"


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def mac(purpose: str, data: bytes) -> str:
    return base64url(mac_bytes(purpose, data))


def mac_bytes(purpose: str, data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16, key=LINK_KEY, person=purpose.encode()).digest()


def token(purpose: str, document: dict, party: str) -> str:
    """Of one person and generation: derived, never stored."""
    body = (
        base64.urlsafe_b64decode(document["id"] + "==")
        + PARTY[party]
        + document["meeting"]["generation"].to_bytes(4, "big")
    )
    return base64url(body + mac_bytes(purpose, body))


def join_url(document: dict, party: str) -> str:
    return f"{PUBLIC_URL}/join/{token('join', document, party)}"


def is_joinable(document: dict, now: datetime.datetime) -> bool:
    meeting = document["meeting"]
    return meeting["status"] == "ready" and now < meeting["expires_at"]


LIVE = {"pending", "ready", "failed"}
# name, path, roles, statuses of the request, of its meeting (None: any)
COMMANDS = [
    ("respond", "/respond", {"lawyer", "admin", "service"}, {"open"}, None),
    ("cancel", "/cancel", {"client", "lawyer", "admin", "service"}, {"open", "accepted"}, None),
    ("cancel_meeting", "/meeting/cancel", {"client", "lawyer", "admin"}, {"accepted"}, LIVE),
    ("regenerate", "/meeting/regenerate", {"lawyer", "admin"}, {"accepted"}, LIVE | {"cancelled"}),
    ("reschedule", "/meeting/reschedule", {"lawyer", "admin"}, {"accepted"}, LIVE),
    ("retry", "/meeting/retry", {"lawyer", "admin"}, {"accepted"}, {"pending", "failed"}),
]
OUTCOME = ("outcome", "/meeting/outcome", {"lawyer", "admin"}, {"accepted", "completed"}, LIVE)


def links(document: dict, caller: Caller, now: datetime.datetime) -> dict:
    """Where the caller may go from here."""
    base = f"{PUBLIC_URL}/api/requests/{document['id']}"
    status, meeting = document["status"], document["meeting"]
    after = document["ends_at"] if status == "accepted" else document["starts_at"]
    commands = COMMANDS if now < after else []
    if document["starts_at"] <= now:
        commands = [*commands, OUTCOME]
    found = {"self": base}
    for name, path, roles, statuses, meetings in commands:
        if (
            caller.role in roles
            and status in statuses
            and (meetings is None or (meeting is not None and meeting["status"] in meetings))
        ):
            found[name] = base + path
    if meeting is not None:
        found["meeting"] = base + "/meeting"
        if caller.role in OWN:
            found["calendar"] = base + "/calendar.ics"
        if is_joinable(document, now):
            if caller.role in OWN:
                found["join"] = meeting["join_url"]
            if caller.role == "lawyer" and meeting["provider"] == "zoom":
                found["host"] = base + "/meeting/host"
    found["audit"] = base + "/audit"
    return found


def add_to_calendar(document: dict, party: str) -> dict:
    """Pages of web calendars that are filled in already."""
    meeting, other = document["meeting"], document["client" if party == "lawyer" else "lawyer"]
    title = f"{document['title']} – {other['name']}"
    start, end = (f"{meeting[at]:%Y%m%dT%H%M%SZ}" for at in ("starts_at", "ends_at"))
    where = meeting["join_url"] or ""
    google = {"text": title, "dates": f"{start}/{end}", "details": where, "location": where}
    yahoo = {"title": title, "st": start, "et": end, "desc": where, "in_loc": where}
    outlook = {
        "subject": title,
        "startdt": f"{meeting['starts_at']:%Y-%m-%dT%H:%M:%SZ}",
        "enddt": f"{meeting['ends_at']:%Y-%m-%dT%H:%M:%SZ}",
        "body": where,
        "location": where,
    }

    def page(base: str, fields: dict) -> str:
        return base + urllib.parse.urlencode(fields, quote_via=urllib.parse.quote, safe="")

    compose = "/calendar/0/deeplink/compose?path=%2Fcalendar%2Faction%2Fcompose&rru=addevent&"
    return {
        "google": page("https://calendar.google.com/calendar/render?action=TEMPLATE&", google),
        "outlook": page("https://outlook.live.com" + compose, outlook),
        "office365": page("https://outlook.office.com" + compose, outlook),
        "yahoo": page("https://calendar.yahoo.com/?v=60&", yahoo),
    }


def request(document: dict, caller: Caller, now: datetime.datetime) -> dict:
    """The document itself, with what is derived for this caller filled in."""
    document["id"] = document.pop("_id")
    meeting = document["meeting"]
    if meeting is not None and caller.role in OWN:
        if is_joinable(document, now):
            meeting["join_url"] = join_url(document, caller.role)
        event = token("calendar", document, caller.role)
        meeting["calendar_url"] = f"{PUBLIC_URL}/calendar/event/{event}.ics"
        if "add_to_calendar" in meeting:
            meeting["add_to_calendar"] = add_to_calendar(document, caller.role)
    document["links"] = links(document, caller, now)
    return document


def reasons(document: dict, caller: Caller, now: datetime.datetime) -> list[str]:
    """Why it waits for the caller."""
    if caller.role != "lawyer":
        return []
    if is_open(document):
        return ["open"] if now < document["starts_at"] else []
    if document["status"] == "accepted" and now < document["ends_at"]:
        return [s for s in ("failed", "cancelled") if document["meeting"]["status"] == s]
    return []


def dashboard(
    caller: Caller,
    now: datetime.datetime,
    counts: dict[str, int],
    first: list[dict],
    upcoming: list[dict],
    recent: list[dict],
) -> dict:
    """`first` waits for the lawyer, or with the client for the lawyer."""

    def rows(documents: list[dict]) -> list[dict]:
        return [
            request(document, caller, now) | {"reasons": reasons(document, caller, now)}
            for document in documents
        ]

    waits = caller.role == "client"
    return {
        "role": caller.role,
        "now": now,
        "counts": {name: min(n, MOST_COUNTED) for name, n in counts.items()} | {"proposals": 0},
        "counts_capped": max(counts.values()) > MOST_COUNTED,
        "needs_action": [] if waits else rows(first),
        "upcoming": rows(upcoming),
        "waiting": rows(first) if waits else [],
        "recent": rows(recent),
    }
