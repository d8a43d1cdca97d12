"""Google: tokens for service accounts and refresh tokens, calendar events with Meet conferences.

The settings of their spaces are in google_spaces.py."""

import copy
import dataclasses
import datetime
import json
import re
import secrets
import zoneinfo

import sim
from google_account import ServiceAccount, denied
from google_spaces import KNOWN as MEET_SCOPES
from google_spaces import SETTINGS, Spaces
from sim import Live, route
from sim_http import Refusal, Reply, Request
from sim_rules import instant, is_instant, problems, text, utc, zone

SCOPES = {
    f"https://www.googleapis.com/auth/{name}"
    for name in ("calendar", "calendar.events", "calendar.events.owned")
}
UNDELEGATED = (
    "Client is unauthorized to retrieve access tokens using this method, or client not authorized "
    "for any of the scopes requested."
)
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
LOCAL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
TIME = {
    "dateTime": lambda value: (
        is_instant(value) or (isinstance(value, str) and LOCAL.fullmatch(value))
    ),
    "timeZone": zone,
}
PROPERTIES = {"private": dict, "shared": dict}
REQUEST = {"requestId": text(256, 1), "conferenceSolutionKey": {"type": str}}
EVENT = {
    "id": re.compile(r"[0-9a-v]{5,1024}"),
    "iCalUID": text(1024, 1),
    "summary": text(1024),
    "description": text(8192),
    "location": text(1024),
    "start": TIME,
    "end": TIME,
    "attendees": [
        {
            "email": EMAIL,
            "displayName": str,
            "optional": bool,
            "responseStatus": {"needsAction", "declined", "tentative", "accepted"},
            "comment": str,
            "additionalGuests": range(100),
        }
    ],
    "status": {"confirmed", "tentative", "cancelled"},
    "visibility": {"default", "public", "private", "confidential"},
    "transparency": {"opaque", "transparent"},
    "colorId": str,
    "anyoneCanAddSelf": bool,
    "guestsCanModify": bool,
    "guestsCanInviteOthers": bool,
    "guestsCanSeeOtherGuests": bool,
    "reminders": {
        "useDefault": bool,
        "overrides": [{"method": {"email", "popup"}, "minutes": range(40321)}],
    },
    "extendedProperties": PROPERTIES,
    "source": {"title": str, "url": re.compile(r"https?://.+")},
    "sequence": range(1 << 31),
    "conferenceData": lambda value: value is None or not problems(value, CONFERENCE),
}
NEVER_NULL = {"id", "iCalUID", "status", "start", "end"}
CONFERENCE = {"createRequest": REQUEST, "notes": text(2048)}
WRITE_QUERY = {
    "conferenceDataVersion": {"0", "1"},
    "sendUpdates": {"all", "externalOnly", "none"},
    "maxAttendees": re.compile(r"[1-9]\d*"),
    "quotaUser": text(40),
    "prettyPrint": {"true", "false"},
    "fields": str,
}


@dataclasses.dataclass
class Conference:
    """What becomes of the next conference that is asked for."""

    state: str  # "success", "pending", "failure"
    polls: int | None = 2  # a pending one is settled by that many GETs; None: by settle()
    then: str = "success"


class Google(Spaces, sim.Sim):
    """Simulates Google's token endpoint, calendar events and meeting spaces."""

    base = "/calendar/v3"

    def __init__(self, port: int = 0):
        self.account = ServiceAccount()
        self.users = {"host@lawyers.example"}  # of the domain
        self.delegated = True  # whether the service account may act for them
        self.scopes = set(SCOPES)  # delegated to it, or consented to
        self.narrowed = 0  # sign-ins refused that asked for the scope of settings
        self.client_id = f"{secrets.randbelow(10**12)}.apps.googleusercontent.com"
        self.client_secret = "GOCSPX-" + secrets.token_urlsafe(20)
        self.refresh_token = "1//" + secrets.token_urlsafe(40)
        self.refreshes_as = self.subject
        self.events: dict[tuple[str, str], dict] = {}  # by calendar and id, for ever
        self.request_ids: set[tuple[str, str]] = set()
        self.conferences: list[Conference] = []
        self.pending: dict[tuple[str, str], Conference] = {}
        self.max_page = 250
        self.zone = "Europe/Berlin"  # of the calendar: times are shown in it
        self.has_spaces()
        super().__init__(port)
        self.conf = {
            "GOOGLE_API_URL": f"{self.url}{self.base}",
            "GOOGLE_MEET_URL": self.url,
            "GOOGLE_TOKEN_URL": f"{self.url}/token",
        }

    @property
    def subject(self) -> str:
        return next(iter(sorted(self.users)))

    def service_account_json(self) -> str:
        """The key file that the console would give out."""
        return self.account.key_file()

    def provider(self, refresh: bool = False) -> dict:
        credentials = {
            "service_account_json": self.service_account_json(),
            "subject": self.subject,
        }
        if refresh:
            names = ("client_id", "client_secret", "refresh_token")
            credentials = {name: getattr(self, name) for name in names}
        return {"enabled": True, "settings": {}, "credentials": credentials}

    def live(self) -> list[Live]:
        with self.lock:
            return [
                Live(
                    event["id"],
                    json.dumps(event.get("extendedProperties", {}).get("private", {})),
                    event.get("summary", ""),
                    utc(begin(event)),
                    utc(end(event)),
                    event.get("hangoutLink"),
                    {name: item for name, item in event.items() if name.startswith("guests")},
                    event,
                )
                for event in self.events.values()
                if event["status"] != "cancelled"
            ]

    def conference(self, state: str, polls: int | None = 2, then: str = "success") -> None:
        """Orders what becomes of a conference; calls queue up, after them all succeed."""
        with self.lock:
            self.conferences.append(Conference(state, polls, then))

    def grant_meet(self) -> None:
        """Delegates the scope that settings need, or has it consented to."""
        self.scopes.add(SETTINGS)

    def settle(self) -> None:
        """Ends what is pending."""
        with self.lock:
            for place, conference in self.pending.items():
                fill(self.events[place], conference.then)
            self.pending.clear()

    def error(self, status: int) -> dict:
        reason = "rateLimitExceeded" if status in (403, 429) else "backendError"
        words = "Rate Limit Exceeded" if status in (403, 429) else "Backend Error"
        domain = "usageLimits" if status in (403, 429) else "global"
        return error(status, reason, words, domain)

    def invalid(self, found: list[tuple[str, str]]) -> Refusal:
        field, why = found[0]
        reason = "required" if why == "is required" else "invalid"
        if field == "":
            return refusal(400, "parseError", "Parse Error")
        return refusal(400, reason, f"Invalid value for: {field} {why}", location=field)

    def unauthorised(self, expired: bool) -> Refusal:
        body = error(401, "authError", "Invalid Credentials")
        place = {"locationType": "header", "location": "Authorization"}
        body["error"]["errors"][0] |= place
        return Refusal(
            401, body, {"WWW-Authenticate": 'Bearer realm="https://accounts.google.com/"'}
        )

    @route("POST", "/token", public=True)
    def token(self, request: Request) -> Reply:
        try:
            form = request.form
        except ValueError:
            form = {}
        if request.media_type != "application/x-www-form-urlencoded" or request.pairs:
            raise denied(400, "invalid_request", "Bad Request")
        grant = form.pop("grant_type", None)
        if grant == "urn:ietf:params:oauth:grant-type:jwt-bearer" and form.keys() == {"assertion"}:
            scopes, subject = self.account.verify(form["assertion"], self.now())
            if not scopes or not scopes <= SCOPES | MEET_SCOPES:
                words = "Invalid OAuth scope or ID token audience provided."
                raise denied(400, "invalid_scope", words)
            if subject is not None and subject not in self.users:
                raise denied(400, "invalid_grant", "Not a valid email or user ID.")
            if subject is not None and not (self.delegated and scopes <= self.scopes):
                self.narrowed += not scopes <= SCOPES
                raise denied(401, "unauthorized_client", UNDELEGATED)
            answer = {}
        elif grant == "refresh_token":
            if form.keys() != {"refresh_token", "client_id", "client_secret"}:
                raise denied(400, "invalid_request", "Bad Request")
            if (form["client_id"], form["client_secret"]) != (self.client_id, self.client_secret):
                raise denied(401, "invalid_client", "Unauthorized")
            if form["refresh_token"] != self.refresh_token:
                raise denied(400, "invalid_grant", "Token has been expired or revoked.")
            scopes = {"https://www.googleapis.com/auth/calendar.events"}
            scopes |= self.scopes & MEET_SCOPES
            subject = self.refreshes_as
            answer = {"scope": " ".join(scopes)}
        else:
            raise denied(400, "unsupported_grant_type", f"Invalid grant_type: {grant}")
        answer["access_token"] = self.issue_token(scopes, subject)
        return Reply(200, answer | {"expires_in": self.token_lifetime, "token_type": "Bearer"})

    @route("POST", f"{base}/calendars/{{calendar}}/events")
    def insert(self, request: Request, calendar: str) -> Reply:
        calendar = self.find_calendar(request, calendar)
        wanted, query = self.wanted(request)
        for name in ("start", "end"):
            if "dateTime" not in wanted.get(name, {}):
                raise refusal(400, "required", f"Missing {name} time.")
        if "id" in wanted and "iCalUID" in wanted:
            raise refusal(400, "invalid", "Invalid resource id value.")
        name = wanted.setdefault("id", secrets.token_hex(13))
        if (calendar, name) in self.events:
            raise refusal(409, "duplicate", "The requested identifier already exists.")
        event = {
            "kind": "calendar#event",
            "status": "confirmed",
            "htmlLink": f"https://www.google.com/calendar/event?eid={secrets.token_urlsafe(12)}",
            "created": utc(self.now()),
            "creator": {"email": calendar},
            "organizer": {"email": calendar, "self": True},
            "iCalUID": f"{name}@google.com",
            "sequence": 0,
            "reminders": {"useDefault": True},
            "eventType": "default",
        }
        return self.save((calendar, name), event, wanted, query)

    @route("GET", f"{base}/calendars/{{calendar}}/events/{{name}}")
    def get(self, request: Request, calendar: str, name: str) -> Reply:
        place = self.find(request, calendar, name)
        self.parameters(request, {"timeZone": zone, "maxAttendees": str, "fields": str})
        if conference := self.pending.get(place):
            if conference.polls == 0:
                fill(self.events[place], conference.then)
                del self.pending[place]
            elif conference.polls is not None:
                conference.polls -= 1
        return Reply(200, copy.deepcopy(self.events[place]))

    @route("PATCH", f"{base}/calendars/{{calendar}}/events/{{name}}")
    def patch(self, request: Request, calendar: str, name: str) -> Reply:
        place = self.find(request, calendar, name)
        wanted, query = self.wanted(request)
        if wanted.get("id", name) != name:
            raise refusal(400, "invalid", "Invalid resource id value.")
        event = self.events[place]
        self.demand_match(request, event)
        if event["status"] == "cancelled" and wanted.get("status") != "confirmed":
            raise refusal(410, "deleted", "Resource has been deleted")
        return self.save(place, copy.deepcopy(event), wanted, query)

    @route("DELETE", f"{base}/calendars/{{calendar}}/events/{{name}}")
    def delete(self, request: Request, calendar: str, name: str) -> Reply:
        place = self.find(request, calendar, name)
        self.parameters(request, {"sendUpdates": WRITE_QUERY["sendUpdates"], "quotaUser": text(40)})
        event = self.events[place]
        if event["status"] == "cancelled":
            raise refusal(410, "deleted", "Resource has been deleted")
        self.demand_match(request, event)
        event["status"] = "cancelled"
        self.stamp(event)
        return Reply(204)

    @route("GET", f"{base}/calendars/{{calendar}}/events")
    def list_events(self, request: Request, calendar: str) -> Reply:
        calendar = self.find_calendar(request, calendar)
        query = self.parameters(
            request,
            {
                "iCalUID": str,
                "privateExtendedProperty": re.compile(r"[^=]+=.*"),
                "showDeleted": {"true", "false"},
                "singleEvents": {"true", "false"},
                "orderBy": {"startTime", "updated"},
                "maxResults": re.compile(r"[1-9]\d{0,3}"),
                "pageToken": re.compile(r"\d+"),
                "timeMin": is_instant,
                "timeMax": is_instant,
                "fields": str,
            },
        )
        properties = [v.split("=", 1) for k, v in request.pairs if k == "privateExtendedProperty"]
        found = [
            event
            for (place, _), event in self.events.items()
            if place == calendar
            and query.get("iCalUID", event["iCalUID"]) == event["iCalUID"]
            and (event["status"] != "cancelled" or query.get("showDeleted") == "true")
            and all(private(event).get(name) == value for name, value in properties)
            and ("timeMin" not in query or end(event) > instant(query["timeMin"]))
            and ("timeMax" not in query or begin(event) < instant(query["timeMax"]))
        ]
        first = int(query.get("pageToken", 0))
        size = min(int(query.get("maxResults", 250)), self.max_page)
        answer = {"kind": "calendar#events", "items": copy.deepcopy(found[first : first + size])}
        if first + size < len(found):
            answer["nextPageToken"] = str(first + size)
        return Reply(200, answer)

    def wanted(self, request: Request) -> tuple[dict, dict]:
        """Body and query of an insert or patch."""
        query = self.parameters(request, WRITE_QUERY)
        nullable = EVENT | {name: maybe(EVENT[name]) for name in EVENT.keys() - NEVER_NULL}
        wanted = self.document(request, nullable if request.method == "PATCH" else EVENT)
        for name in ("start", "end"):
            if (wanted.get(name) or {}).get("timeZone") in self.unknown_zones:
                words = f"Invalid time zone definition for {name} time."
                raise refusal(400, "invalid", words)
        if found := self.refusals(wanted):
            raise self.invalid(found)
        properties = (wanted.get("extendedProperties") or {}).values()
        for name, value in [pair for part in properties for pair in part.items()]:
            if not (text(44, 1)(name) and text(1024)(value)):
                raise refusal(400, "invalid", f"Invalid extended property: {name}")
        if len((wanted.get("reminders") or {}).get("overrides", [])) > 5:
            raise refusal(400, "invalid", "Too many reminders.")
        if wanted.get("attendees") and request.grant.subject is None:
            words = (
                "Service accounts cannot invite attendees without Domain-Wide Delegation of "
                "Authority."
            )
            raise refusal(403, "forbiddenForServiceAccounts", words, "calendar")
        return wanted, query

    def save(self, place: tuple[str, str], event: dict, wanted: dict, query: dict) -> Reply:
        """Checks and stores an event with what is wanted of it."""
        asked = wanted.pop("conferenceData", {})
        before = (begin(event), end(event)) if "start" in event else None
        merge(event, wanted)
        try:
            span = begin(event), end(event)
        except (KeyError, ValueError, AttributeError):
            raise refusal(400, "invalid", "Invalid start or end time.") from None
        if span[0] >= span[1]:
            words = "The specified time range is empty."
            raise refusal(400, "timeRangeEmpty", words, "calendar", location="timeMax")
        if query.get("conferenceDataVersion") == "1":
            self.confer(place, event, asked)
        for name, at in zip(("start", "end"), span, strict=True):
            event[name]["dateTime"] = at.astimezone(zoneinfo.ZoneInfo(self.zone)).isoformat()
        if before and before != span:
            event["sequence"] += 1
        self.stamp(event)
        self.events[place] = event
        return Reply(200, copy.deepcopy(event))

    def confer(self, place: tuple[str, str], event: dict, asked: dict | None) -> None:
        """Adds the conference that is asked for; None removes it."""
        if asked is None:
            event.pop("conferenceData", None)
            event.pop("hangoutLink", None)
            self.pending.pop(place, None)
            return
        wanted = asked.get("createRequest")
        if not wanted or (place[0], wanted.get("requestId")) in self.request_ids:
            return  # a requestId that was there before is ignored
        if wanted.get("conferenceSolutionKey", {}).get("type") != "hangoutsMeet" or (
            event["organizer"]["email"] == self.account.email
        ):
            raise refusal(400, "invalid", "Invalid conference type value.")
        if "requestId" not in wanted:
            raise refusal(400, "required", "Missing conference request id.")
        self.request_ids.add((place[0], wanted["requestId"]))
        conference = self.conferences.pop(0) if self.conferences else Conference("success")
        event["conferenceData"] = {"createRequest": wanted}
        event.pop("hangoutLink", None)
        self.pending.pop(place, None)
        fill(event, conference.state)
        if conference.state == "pending":
            self.pending[place] = conference

    def stamp(self, event: dict) -> None:
        event["updated"] = utc(self.now())
        event["etag"] = f'"{secrets.randbelow(10**16)}"'

    def find_calendar(self, request: Request, calendar: str) -> str:
        """The address of a calendar that the caller may write."""
        if not request.grant.scopes & SCOPES:
            words = "Request had insufficient authentication scopes."
            raise refusal(403, "insufficientPermissions", words)
        own = request.grant.subject or self.account.email
        if calendar not in ("primary", own):
            raise refusal(404, "notFound", "Not Found")
        return own

    def find(self, request: Request, calendar: str, name: str) -> tuple[str, str]:
        place = (self.find_calendar(request, calendar), name)
        if place not in self.events:
            raise refusal(404, "notFound", "Not Found")
        return place

    def demand_match(self, request: Request, event: dict) -> None:
        if request.headers.get("if-match", event["etag"]) not in ("*", event["etag"]):
            raise refusal(412, "conditionNotMet", "Precondition Failed", location="If-Match")


def maybe(rule: object) -> object:
    return lambda value: value is None or not problems(value, rule)


def merge(event: dict, wanted: dict) -> None:
    """Patch semantics: objects are merged, lists replaced, null removes."""
    for name, value in wanted.items():
        if value is None:
            event.pop(name, None)
        elif isinstance(value, dict) and isinstance(event.get(name), dict):
            merge(event[name], value)
        else:
            event[name] = value


def fill(event: dict, state: str) -> None:
    """Gives an event's conference a state, and its entry points when that is success."""
    data = event["conferenceData"]
    data["createRequest"]["status"] = {"statusCode": state}
    if state != "success":
        return
    letters = "".join(secrets.choice("abcdefghijkmnopqrstuvwxyz") for _ in range(10))
    data["conferenceId"] = code = f"{letters[:3]}-{letters[3:7]}-{letters[7:]}"
    event["hangoutLink"] = uri = f"https://meet.google.com/{code}"
    data["conferenceSolution"] = {"key": {"type": "hangoutsMeet"}, "name": "Google Meet"}
    data["entryPoints"] = [
        {
            "entryPointType": "phone",
            "uri": "tel:+1-555-010-0000",
            "label": "+1 555-010-0000",
            "pin": "123456789",
            "regionCode": "US",
        },
        {"entryPointType": "video", "uri": uri, "label": f"meet.google.com/{code}"},
        {"entryPointType": "more", "uri": f"https://tel.meet/{code}?pin=123456789"},
    ]


def private(event: dict) -> dict:
    return event.get("extendedProperties", {}).get("private", {})


def begin(event: dict) -> datetime.datetime:
    return instant(event["start"]["dateTime"], event["start"].get("timeZone"))


def end(event: dict) -> datetime.datetime:
    return instant(event["end"]["dateTime"], event["end"].get("timeZone"))


def error(status: int, reason: str, words: str, domain: str = "global", location: str = "") -> dict:
    one = {"domain": domain, "reason": reason, "message": words}
    if location:
        one |= {"locationType": "parameter", "location": location}
    return {"error": {"errors": [one], "code": status, "message": words}}


def refusal(
    status: int, reason: str, words: str, domain: str = "global", location: str = ""
) -> Refusal:
    return Refusal(status, error(status, reason, words, domain, location))


if __name__ == "__main__":
    sim.main(Google)
