"""Microsoft Graph: tokens of an application, Teams online meetings."""

import base64
import copy
import dataclasses
import datetime
import secrets
import uuid

import sim
from sim import Live, route
from sim_http import Refusal, Reply, Request
from sim_rules import instant, is_instant, text, utc

SCOPE = "https://graph.microsoft.com/.default"
ROLE = "OnlineMeetings.ReadWrite.All"
NO_POLICY = (
    "No application access policy found for this app {app} on the user {user}. Configure an "
    "application access policy."
)
# These two are shown only to those who say that they know them.
RECENT_SCOPES = {"invited", "organizationExcludingGuests"}
LOBBY = {"organizer", "organization", "organizationAndFederated", "everyone"} | RECENT_SCOPES
PERSON = {
    "upn": str,
    "role": {"attendee", "presenter", "coorganizer"},
    "identity": {"user": {"id": str, "displayName": str}},
}
CORE = {
    "subject": text(255),
    "startDateTime": is_instant,
    "endDateTime": is_instant,
    "participants": {"organizer": PERSON, "attendees": [PERSON]},
}
CHANGEABLE = CORE | {
    "lobbyBypassSettings": {"scope": LOBBY, "isDialInBypassEnabled": bool},
    "allowedPresenters": {"everyone", "organization", "roleIsPresenter", "organizer"},
    "allowAttendeeToEnableCamera": bool,
    "allowAttendeeToEnableMic": bool,
    "allowMeetingChat": {"enabled", "disabled", "limited"},
    "allowTeamworkReactions": bool,
    "isEntryExitAnnounced": bool,
    "recordAutomatically": bool,
}
NEW = CHANGEABLE | {"joinMeetingIdSettings": {"isPasscodeRequired": bool}}
GET_OR_NEW = CORE | {"externalId": text(255, 1), "chatInfo": dict}


@dataclasses.dataclass
class Meeting:
    user: str
    external_id: str | None
    raw: dict


class Graph(sim.Sim):
    """Simulates Microsoft's token endpoint and the online meetings of Graph."""

    def __init__(self, port: int = 0):
        self.tenant_id, self.client_id = str(uuid.uuid4()), str(uuid.uuid4())
        self.client_secret = secrets.token_urlsafe(30)
        self.secret_expired = False
        self.users = [str(uuid.uuid4())]
        self.roles = {ROLE}  # what the administrator has consented to
        self.policy = set(self.users)  # the users whom the access policy is granted to
        self.meetings: dict[str, Meeting] = {}  # deleted ones are gone; tests may change them
        self.dropped: set[str] = set()  # properties that are ignored without a word
        super().__init__(port)
        self.conf = {
            "TEAMS_API_URL": f"{self.url}/v1.0",
            "TEAMS_TOKEN_URL": f"{self.url}/{{tenant}}/oauth2/v2.0/token",
        }

    @property
    def organizer(self) -> str:
        return self.users[0]

    def provider(self) -> dict:
        names = ("tenant_id", "client_id", "client_secret")
        return {
            "enabled": True,
            "settings": {"organizer": self.organizer},
            "credentials": {name: getattr(self, name) for name in names},
        }

    def live(self) -> list[Live]:
        with self.lock:
            return [
                Live(
                    one.raw["id"],
                    one.external_id or "",
                    one.raw["subject"],
                    utc(instant(one.raw["startDateTime"])),
                    utc(instant(one.raw["endDateTime"])),
                    one.raw["joinWebUrl"],
                    {name: one.raw[name] for name in NEW.keys() - CORE.keys()},
                    one.raw,
                )
                for one in self.meetings.values()
            ]

    def error(self, status: int) -> dict:
        codes = {429: "TooManyRequests", 503: "ServiceUnavailable", 504: "GatewayTimeout"}
        return self.words(codes.get(status, "UnknownError"), "An error occurred.")

    def words(self, code: str, message: str) -> dict:
        inner = {"request-id": str(uuid.uuid4()), "date": self.now().strftime("%Y-%m-%dT%H:%M:%S")}
        return {"error": {"code": code, "message": message, "innerError": inner}}

    def refusal(self, status: int, code: str, message: str) -> Refusal:
        return Refusal(status, self.words(code, message))

    def invalid(self, found: list[tuple[str, str]]) -> Refusal:
        field, why = found[0]
        if why == "is not application/json":
            return self.refusal(415, "UnsupportedMediaType", "The content type is not supported.")
        return self.refusal(400, "BadRequest", f"Invalid request: {field} {why}.")

    def unauthorised(self, expired: bool) -> Refusal:
        words = "Lifetime validation failed, the token is expired." if expired else "Access denied."
        return self.refusal(401, "InvalidAuthenticationToken", words)

    @route("POST", "/{tenant}/oauth2/v2.0/token", public=True)
    def token(self, request: Request, tenant: str) -> Reply:
        def refusal(status: int, error: str, number: int, words: str) -> Refusal:
            body = {
                "error": error,
                "error_description": f"AADSTS{number}: {words}",
                "error_codes": [number],
                "timestamp": self.now().strftime("%Y-%m-%d %H:%M:%SZ"),
                "trace_id": str(uuid.uuid4()),
                "correlation_id": str(uuid.uuid4()),
            }
            return Refusal(status, body)

        try:
            form = request.form
        except ValueError:
            form = {}
        if request.media_type != "application/x-www-form-urlencoded" or request.pairs:
            raise refusal(400, "invalid_request", 900144, "The request body is malformed.")
        if form.keys() != {"grant_type", "client_id", "client_secret", "scope"}:
            raise refusal(400, "invalid_request", 900144, "A parameter is missing or unknown.")
        if tenant != self.tenant_id:
            raise refusal(400, "invalid_request", 90002, f"Tenant '{tenant}' not found.")
        if form["grant_type"] != "client_credentials":
            raise refusal(400, "unsupported_grant_type", 70003, "The grant type is not supported.")
        if form["client_id"] != self.client_id:
            words = "Application with identifier was not found in the directory."
            raise refusal(400, "unauthorized_client", 700016, words)
        if form["client_secret"] != self.client_secret:
            raise refusal(401, "invalid_client", 7000215, "Invalid client secret provided.")
        if self.secret_expired:
            raise refusal(401, "invalid_client", 7000222, "The client secret keys are expired.")
        if form["scope"] != SCOPE:
            raise refusal(400, "invalid_scope", 1002012, "The scope is not valid.")
        answer = {"token_type": "Bearer", "expires_in": self.token_lifetime}
        answer["ext_expires_in"] = self.token_lifetime
        return Reply(200, answer | {"access_token": self.issue_token(self.roles)})

    @route("POST", "/v1.0/users/{user}/onlineMeetings")
    def create(self, request: Request, user: str) -> Reply:
        self.demand(request, user)
        return Reply(201, self.shown(request, self.make(user, self.refuse(self.document(request, NEW)))))

    @route("POST", "/v1.0/users/{user}/onlineMeetings/createOrGet")
    def create_or_get(self, request: Request, user: str) -> Reply:
        self.demand(request, user)
        wanted = self.refuse(self.document(request, GET_OR_NEW, ["externalId"]))
        external_id = wanted.pop("externalId")
        for meeting in self.meetings.values():
            if (meeting.user, meeting.external_id) == (user, external_id):
                return Reply(200, self.shown(request, meeting))
        return Reply(201, self.shown(request, self.make(user, wanted, external_id)))

    @route("GET", "/v1.0/users/{user}/onlineMeetings/{name}")
    def get(self, request: Request, user: str, name: str) -> Reply:
        self.demand(request, user)
        self.parameters(request, {})
        return Reply(200, self.shown(request, self.find(user, name)))

    @route("PATCH", "/v1.0/users/{user}/onlineMeetings/{name}")
    def patch(self, request: Request, user: str, name: str) -> Reply:
        self.demand(request, user)
        meeting = self.find(user, name)
        raw = self.merged(meeting.raw, self.refuse(self.document(request, CHANGEABLE)))
        meeting.raw = raw
        return Reply(200, self.shown(request, meeting))

    @route("DELETE", "/v1.0/users/{user}/onlineMeetings/{name}")
    def delete(self, request: Request, user: str, name: str) -> Reply:
        self.demand(request, user)
        self.parameters(request, {})
        self.find(user, name)
        del self.meetings[name]
        return Reply(204)

    def demand(self, request: Request, user: str) -> None:
        """That the application may work for this user."""
        if ROLE not in request.grant.scopes:
            raise self.refusal(403, "Forbidden", "Missing role permissions on the request.")
        if user not in self.users:
            raise self.refusal(404, "ResourceNotFound", f"User {user} does not exist.")
        if user not in self.policy:
            words = NO_POLICY.format(app=self.client_id, user=user)
            raise self.refusal(403, "Forbidden", words)

    def refuse(self, wanted: dict) -> dict:
        """What the tenant does not take of what is well-formed."""
        if found := self.refusals(wanted):
            refusal = self.refusal(400, "BadRequest", "One or more properties are not valid.")
            refusal.reply.body["error"]["details"] = [
                {"code": "BadRequest", "message": words, "target": path} for path, words in found
            ]
            raise refusal
        return wanted

    def find(self, user: str, name: str) -> Meeting:
        meeting = self.meetings.get(name)
        if meeting is None or meeting.user != user:
            raise self.refusal(404, "NotFound", "The meeting does not exist.")
        return meeting

    def make(self, user: str, wanted: dict, external_id: str | None = None) -> Meeting:
        if "endDateTime" in wanted and "startDateTime" not in wanted:
            raise self.invalid([("endDateTime", "has no start")])
        thread = f"19:meeting_{secrets.token_urlsafe(30)}@thread.v2"
        start = wanted.get("startDateTime", utc(self.now()))
        settings = {
            "isPasscodeRequired": True,
            "joinMeetingId": str(secrets.randbelow(9 * 10**14) + 10**14),
            "passcode": secrets.token_urlsafe(5),
        } | wanted.pop("joinMeetingIdSettings", {})
        if not settings["isPasscodeRequired"]:
            settings["passcode"] = None
        raw = {
            "id": base64.b64encode(f"1*{user}*0**{thread}".encode()).decode(),
            "creationDateTime": utc(self.now()),
            "subject": "",
            "startDateTime": start,
            "endDateTime": utc(instant(start) + datetime.timedelta(hours=1)),
            "joinWebUrl": "https://teams.microsoft.com/l/meetup-join/"
            f"{thread.replace(':', '%3a').replace('@', '%40')}/0"
            f"?context=%7b%22Tid%22%3a%22{self.tenant_id}%22%2c%22Oid%22%3a%22{user}%22%7d",
            "joinMeetingIdSettings": settings,
            "chatInfo": {"threadId": thread, "messageId": "0", "replyChainMessageId": None},
            "audioConferencing": None,
            "participants": {
                "organizer": {"upn": None, "role": "presenter", "identity": {"user": {"id": user}}},
                "attendees": [],
            },
            "lobbyBypassSettings": {"scope": "organization", "isDialInBypassEnabled": False},
            "allowedPresenters": "everyone",
            "allowAttendeeToEnableCamera": True,
            "allowAttendeeToEnableMic": True,
            "allowMeetingChat": "enabled",
            "allowTeamworkReactions": True,
            "isEntryExitAnnounced": True,
            "recordAutomatically": False,
        }
        raw = self.merged(raw, wanted)
        meeting = self.meetings[raw["id"]] = Meeting(user, external_id, raw)
        return meeting

    def merged(self, raw: dict, wanted: dict) -> dict:
        raw = copy.deepcopy(raw)
        for name in wanted.keys() - self.dropped:
            value = wanted[name]
            raw[name] = raw[name] | value if isinstance(value, dict) else value
        if instant(raw["endDateTime"]) <= instant(raw["startDateTime"]):
            raise self.invalid([("endDateTime", "is not after the start")])
        for name in ("startDateTime", "endDateTime"):
            raw[name] = utc(instant(raw[name])).replace("Z", ".0000000Z")
        return raw

    def shown(self, request: Request, meeting: Meeting) -> dict:
        raw = copy.deepcopy(meeting.raw)
        prefers = request.headers.get("prefer", "")
        lobby = raw["lobbyBypassSettings"]
        if lobby["scope"] in RECENT_SCOPES and "include-unknown-enum-members" not in prefers:
            lobby["scope"] = "unknownFutureValue"
        return {"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#onlineMeetings"} | raw


if __name__ == "__main__":
    sim.main(Graph)
