"""Google's meeting spaces: the settings of what a link leads to (Meet REST API v2)."""

import copy
import dataclasses
import secrets
from collections.abc import Iterator

from sim import route
from sim_http import Refusal, Reply, Request
from sim_rules import problems

KNOWN = {
    f"https://www.googleapis.com/auth/meetings.space.{name}"
    for name in ("created", "readonly", "settings")
}
SETTINGS = "https://www.googleapis.com/auth/meetings.space.settings"
RESTRICTION = {"HOSTS_ONLY", "NO_RESTRICTION"}
SWITCH = {"ON", "OFF"}
CONFIG = {
    "accessType": {"OPEN", "TRUSTED", "RESTRICTED"},
    "entryPointAccess": {"ALL", "CREATOR_APP_ONLY"},
    "moderation": SWITCH,
    "moderationRestrictions": {
        "chatRestriction": RESTRICTION,
        "reactionRestriction": RESTRICTION,
        "presentRestriction": RESTRICTION,
        "defaultJoinAsViewerType": SWITCH,
    },
}
RESTRICTIONS = {
    "chatRestriction": "NO_RESTRICTION",
    "reactionRestriction": "NO_RESTRICTION",
    "presentRestriction": "HOSTS_ONLY",
    "defaultJoinAsViewerType": "ON",
}


@dataclasses.dataclass
class Space:
    name: str
    code: str
    owner: str
    config: dict

    def shown(self, caller: str) -> dict:
        """Only its owner is shown the settings."""
        space = {
            "name": f"spaces/{self.name}",
            "meetingUri": f"https://meet.google.com/{self.code}",
            "meetingCode": self.code,
        }
        return space | ({"config": copy.deepcopy(self.config)} if caller == self.owner else {})


def rpc(status: int, name: str, words: str, reason: str = "") -> dict:
    """google.rpc.Status as the newer gateways write it."""
    details = []
    if reason:
        kind = "type.googleapis.com/google.rpc.ErrorInfo"
        details = [{"@type": kind, "reason": reason, "domain": "googleapis.com"}]
    return {"error": {"code": status, "message": words, "status": name, "details": details}}


def refused(status: int, name: str, words: str, reason: str = "") -> Refusal:
    return Refusal(status, rpc(status, name, words, reason))


def paths(rule: dict, above: str = "config") -> Iterator[str]:
    for name, inner in rule.items():
        yield f"{above}.{name}"
        if isinstance(inner, dict):
            yield from paths(inner, f"{above}.{name}")


class Spaces:
    """A part of the simulator. What the account's administrator decides can be set by tests."""

    def has_spaces(self) -> None:
        self.spaces: dict[str, Space] = {}  # by code
        self.meet_enabled = True  # in the Cloud project
        self.defaults = {
            "accessType": "TRUSTED",
            "entryPointAccess": "ALL",
            "moderation": "OFF",
            "moderationRestrictions": RESTRICTIONS,
        }
        self.refuses: set[str] = set()  # paths that may not be changed: the whole call fails
        self.ignores: set[str] = set()  # paths that are left as they are without a word

    def space(self, link: str) -> Space:
        """What a link leads to."""
        with self.lock:
            return self.find_space(link.rpartition("/")[2])

    def find_space(self, name: str) -> Space:
        for (calendar, _), event in self.events.items():
            code = event.get("conferenceData", {}).get("conferenceId")
            if code and code not in self.spaces:
                own = secrets.token_urlsafe(9)
                self.spaces[code] = Space(own, code, calendar, copy.deepcopy(self.defaults))
        for space in self.spaces.values():
            if space.name == name or space.code == name.lower():
                return space
        # Google does not tell which of the two it is.
        words = "Permission denied on resource MeetingSpace (or it might not exist)"
        raise refused(403, "PERMISSION_DENIED", words)

    def demand_meet(self, request: Request, *scopes: str) -> str:
        """Who asks."""
        if not request.grant.scopes & {f"{SETTINGS.rpartition('.')[0]}.{name}" for name in scopes}:
            words = "Request had insufficient authentication scopes."
            raise refused(403, "PERMISSION_DENIED", words, "ACCESS_TOKEN_SCOPE_INSUFFICIENT")
        if not self.meet_enabled:
            words = "Google Meet API has not been used in project 1 before or it is disabled."
            raise refused(403, "PERMISSION_DENIED", words, "SERVICE_DISABLED")
        return request.grant.subject or self.account.email

    @route("GET", "/v2/spaces/{name}")
    def get_space(self, request: Request, name: str) -> Reply:
        caller = self.demand_meet(request, "created", "readonly", "settings")
        if problems(request.query, {"fields": str}) or request.body:
            raise refused(400, "INVALID_ARGUMENT", "Request contains an invalid argument.")
        return Reply(200, self.find_space(name).shown(caller))

    @route("PATCH", "/v2/spaces/{name}")
    def patch_space(self, request: Request, name: str) -> Reply:
        caller = self.demand_meet(request, "created", "settings")
        space = self.find_space(name)
        invalid = refused(400, "INVALID_ARGUMENT", "Request contains an invalid argument.")
        # A code is an alias for looking up only.
        if space.name != name or problems(request.query, {"updateMask": str}):
            raise invalid
        if space.owner != caller:
            raise refused(403, "PERMISSION_DENIED", "The caller does not have permission")
        wanted = self.document(request, {"name": str, "config": CONFIG})
        given = {path for path in paths(CONFIG) if at(wanted, path) is not None}
        mask = set(filter(None, request.query.get("updateMask", "").split(","))) or given
        if not mask <= {"config", *paths(CONFIG)}:
            raise invalid
        if mask & self.refuses:
            raise refused(403, "PERMISSION_DENIED", "The caller does not have permission")
        for path in sorted(mask - self.ignores):
            value = at(wanted, path)
            if value is None:
                value = at({"config": self.defaults}, path)
            put({"config": space.config}, path, value)
        if space.config["moderation"] == "OFF":
            space.config["moderationRestrictions"] = copy.deepcopy(RESTRICTIONS)
        return Reply(200, space.shown(caller))


def at(value: dict, path: str) -> object:
    """What is at a path."""
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return copy.deepcopy(value)


def put(value: dict, path: str, inner: object) -> None:
    *above, name = path.split(".")
    for each in above:
        value = value[each]
    value[name] = inner
