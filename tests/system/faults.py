"""What can go wrong at a provider, and what has to become of it (the tables of each provider)."""

import dataclasses
import datetime
import email.utils
import re
from collections.abc import Callable, Iterable

from google import error as google_error
from providers import BREAKER_S, midnight
from sim import Fault, Sim
from zoom import PER_SECOND

OPERATIONS = ("create", "update", "delete", "verify")

# What has to become of an operation that a fault met once.
UNNOTICED = "unnoticed"  # done, as if nothing had been
AGAIN = "again"  # the same provider does it when it is asked once more
AWAY = "away"  # creation: another provider, or the same one later
EITHER = "either"  # creation: as it happens, one of the two before
REFUSED = "refused"  # creation: another provider; else a person has to act
REMADE = "remade"  # update: the meeting is made anew

# The call that is met. Those of one meeting are told apart by what follows.
CALLS = {
    ("google_meet", "create"): "POST /calendars/*/events",
    ("zoom", "create"): "POST /users/*/meetings",
    ("teams", "create"): "POST /onlineMeetings/createOrGet",
}
# Where tokens come from, and how a meeting is looked up whose answer was lost.
SIGN_IN = {"google_meet": "/token", "zoom": "/oauth/token", "teams": "/oauth2/v2.0/token"}
LOOK_UP = {
    "google_meet": "GET /events/*",
    "zoom": "GET /users/*/meetings",
    "teams": CALLS["teams", "create"],
}
METHODS = {"update": "PATCH", "delete": "DELETE", "verify": "GET"}


# What the requests name, and what an account may take of passcodes.
ZONE = "Europe/Berlin"
NUMERIC = re.compile(r"\d{6,10}")
SETTINGS = ("settings.audio", "settings.use_pmi", "settings.auto_recording")


@dataclasses.dataclass(frozen=True, eq=False)
class Trouble:
    """A fault of one operation: the fields of Fault, or None for a server that is down.

    A body or a header that is a function is given the simulator. `match` names another call than
    the first of the operation; `before` is what happens to the simulator first.
    """

    provider: str
    operation: str
    name: str
    becomes: str
    fields: dict | None
    hold: Callable[[Sim], float]
    match: str | None = None
    before: Callable[[Sim], object] = lambda _: None
    by_name: bool = False  # whether a member of what is sent is refused, and nothing comes of it

    def __str__(self) -> str:
        return f"{self.provider}-{self.operation}-{self.name}".replace(" ", "_")

    @property
    def hangs(self) -> bool:
        return bool(self.fields and self.fields.get("hang"))

    @property
    def of_sign_in(self) -> bool:
        return self.match == f"POST {SIGN_IN[self.provider]}"

    @property
    def makes(self) -> bool:
        """Whether a creation has made a meeting that nobody here learnt of."""
        return bool(self.fields) and self.fields.get("when") == "after" and not self.of_sign_in

    def inflict(self, sim: Sim, external_id: str = "*") -> None:
        self.before(sim)
        if self.fields is None:
            sim.down()
        elif self.fields:
            fields = {name: said(sim, value) for name, value in self.fields.items()}
            match = self.match or CALLS.get((self.provider, self.operation))
            match = match or f"{METHODS[self.operation]} /{external_id}"
            sim.script(Fault(match, **fields))


def said(sim: Sim, value: object) -> object:
    if isinstance(value, dict):
        return {name: said(sim, item) for name, item in value.items()}
    return value(sim) if callable(value) else value


class Table:
    """Collects the rows of one provider."""

    def __init__(self, provider: str):
        self.provider = provider
        self.rows: list[Trouble] = []

    def add(
        self,
        name: str,
        create: str | None = None,
        update: str | None = None,
        delete: str | None = None,
        hold: Callable[[Sim], float] = lambda _: BREAKER_S,
        match: str | None = None,
        before: Callable[[Sim], object] = lambda _: None,
        down: bool = False,
        verify: str | None = None,
        by_name: bool = False,
        **fields: object,
    ) -> None:
        """A row for each operation that is given an end."""
        own = None if down else fields
        ends = (create, update, delete, verify)
        for operation, becomes in zip(OPERATIONS, ends, strict=True):
            if becomes:
                more = (becomes, own, hold, match, before, by_name)
                self.rows.append(Trouble(self.provider, operation, name, *more))


SPELLINGS: dict[str, Callable[[datetime.datetime], str]] = {
    "seconds": lambda _: "30",
    "date": lambda at: email.utils.format_datetime(at, usegmt=True),
    "ISO 8601": lambda at: at.strftime("%Y-%m-%dT%H:%M:%SZ"),
}


def retry_after(spelling: str) -> dict:
    """A header that asks for 30 s."""
    spell = SPELLINGS[spelling]
    return {"Retry-After": lambda sim: spell(sim.now() + datetime.timedelta(seconds=30))}


def refusal_of_token(sim: Sim) -> dict:
    return sim.unauthorised(expired=False).reply.body


def add_common(table: Table) -> None:
    """What may happen to any provider."""
    # Who wants no answer but a 2xx is not confused by what it says.
    reads = AGAIN if table.provider != "zoom" else UNNOTICED
    # Teams is asked once more, for less, when it refuses.
    refused = UNNOTICED if table.provider == "teams" else AGAIN
    again, unnoticed = (AGAIN,) * 3, (UNNOTICED,) * 3
    # How long it is down is how long the first tries take.
    table.add("refused", EITHER, AGAIN, AGAIN, down=True)
    for when in ("before", "after"):
        table.add(f"hang {when}", *again, hang=True, when=when)
        table.add(f"drop {when}", *again, drop=True, when=when)
        table.add(f"reset {when}", *again, reset=True, when=when)
        table.add(f"500 {when}", *again, status=500, when=when)
        table.add(f"502 HTML {when}", *again, html=True, when=when)
        table.add(f"503 {when}", *again, status=503, when=when)
        table.add(f"504 HTML {when}", *again, status=504, html=True, when=when)
        table.add(
            f"503 {when} with Retry-After",
            *(AWAY, AGAIN, AGAIN),
            status=503,
            when=when,
            headers=retry_after("seconds"),
        )
    table.add("401", *unnoticed, status=401, body=refusal_of_token)
    table.add("401 twice", AWAY, refused, AGAIN, status=401, body=refusal_of_token, times=2)
    table.add("408", *again, status=408)
    table.add("429", *again, status=429)
    for spelling in SPELLINGS:
        headers = retry_after(spelling)
        table.add(f"429 {spelling}", AWAY, AGAIN, AGAIN, status=429, headers=headers)
    for name, body in {"truncated": '{"id": "1', "empty": "", "HTML": "<html>"}.items():
        kind = "text/html" if name == "HTML" else "application/json"
        fields = {"status": 200, "body": body, "headers": {"Content-Type": kind}}
        table.add(f"200 {name}", AGAIN, reads, UNNOTICED, when="after", **fields)
    table.add("cut before", *again, cut=True)
    table.add("cut after", *again, cut=True, when="after")
    sign_in = {"match": f"POST {SIGN_IN[table.provider]}", "before": Sim.expire_tokens}
    table.add("sign-in slow", *unnoticed, delay=0.4, **sign_in)
    table.add("sign-in in pieces", *unnoticed, split=True, when="after", **sign_in)
    # A process remembers for a second that it could not sign in; its next try may come before.
    soon = EITHER, AGAIN, AGAIN
    table.add("sign-in 503", *soon, status=503, **sign_in)
    table.add("sign-in 502 HTML", *soon, html=True, **sign_in)
    table.add("sign-in 429", *soon, status=429, **sign_in)
    table.add("sign-in drop after", *soon, drop=True, when="after", **sign_in)
    refusal = {"status": 401, "body": {"error": "invalid_client"}}
    table.add("sign-in refused", AWAY, AGAIN, AGAIN, **refusal, **sign_in)

    def lose(sim: Sim) -> None:
        sim.script(Fault(CALLS[table.provider, "create"], drop=True, when="after"))

    unknown = {"drop": True, "when": "after", "before": lose, "match": LOOK_UP[table.provider]}
    table.add("lost, and not to be looked up", AWAY, **unknown)
    table.add("slow", *unnoticed, delay=0.4)
    table.add("slow after", *unnoticed, delay=0.4, when="after")
    table.add("chunked", *unnoticed, chunked=True, when="after")
    table.add("in pieces", *unnoticed, split=True, when="after")


def refused(*paths: str, **more: object) -> Callable[[Sim], None]:
    """Members that are refused by name from now on."""

    def refuse(sim: Sim) -> None:
        sim.refused |= dict.fromkeys(paths, "Not allowed by the account.")
        for name, value in more.items():
            setattr(sim, name, value)

    return refuse


def add_refused(
    table: Table, name: str, *paths: str, changes: bool = True, **more: object
) -> None:
    """What is refused by name is left out: nothing comes of it. `changes` send it, too."""
    ends = dict.fromkeys(("create", "update", "verify") if changes else ("create",), UNNOTICED)
    table.add(f"refused {name}", **ends, before=refused(*paths, **more), by_name=True)


def google() -> list[Trouble]:
    """PROVIDERS.md section 1.2."""
    table = Table("google_meet")
    add_common(table)

    def answer(status: int, reason: str, words: str = "No.", domain: str = "global") -> dict:
        return {"status": status, "body": google_error(status, reason, words, domain)}

    for reason in ("userRateLimitExceeded", "rateLimitExceeded"):
        table.add(f"403 {reason}", AGAIN, AGAIN, AGAIN, **answer(403, reason, "", "usageLimits"))
    for reason in ("quotaExceeded", "dailyLimitExceeded"):
        fields = answer(403, reason, "", "usageLimits")
        table.add(f"403 {reason}", AWAY, AGAIN, AGAIN, hold=lambda _: 3600, **fields)
    for reason in (
        "accessNotConfigured",
        "forbiddenForServiceAccounts",
        "insufficientPermissions",
        "forbidden",
        "requiredAccessLevel",
        "forbiddenForNonOrganizer",
    ):
        table.add(f"403 {reason}", AWAY, AGAIN, AGAIN, **answer(403, reason))
    newer = {"error": {"code": 403, "message": "No.", "status": "PERMISSION_DENIED"}}
    table.add("403 PERMISSION_DENIED", AWAY, AGAIN, AGAIN, status=403, body=newer)
    table.add("400 timeRangeEmpty", *(REFUSED,) * 3, **answer(400, "timeRangeEmpty"))
    words = "Invalid conference type value."
    table.add("400 conference type", AWAY, **answer(400, "invalid", words))
    table.add("404 notFound", AWAY, REMADE, UNNOTICED, **answer(404, "notFound"))
    table.add("404 notFound after", delete=UNNOTICED, when="after", **answer(404, "notFound"))
    table.add("409 duplicate after", UNNOTICED, when="after", **answer(409, "duplicate"))
    table.add("409 conflict", *(AGAIN,) * 3, **answer(409, "conflict"))
    table.add("410 deleted", update=REMADE, **answer(410, "deleted"))
    table.add("410 deleted after", delete=UNNOTICED, when="after", **answer(410, "deleted"))
    table.add("412 conditionNotMet", None, AGAIN, AGAIN, **answer(412, "conditionNotMet"))
    for states, becomes in (
        (["pending"], UNNOTICED),
        (["failure"], UNNOTICED),
        (["failure", "pending"], UNNOTICED),
        (["failure", "failure"], AWAY),
    ):
        words = " then ".join(states)
        table.add(f"conference {words}", becomes, before=ordered(states))
    add_refused(table, "zone", unknown_zones={ZONE})
    add_refused(table, "every zone", unknown_zones={ZONE, "UTC"})
    extras = ("visibility", "reminders", "guestsCanModify")
    add_refused(table, "extras", *extras, changes=False)
    return table.rows


def ordered(states: list[str]) -> Callable[[Sim], None]:
    def order(sim: Sim) -> None:
        for state in states:
            sim.conference(state, polls=1)

    return order


def zoom() -> list[Trouble]:
    """PROVIDERS.md section 2.2."""
    table = Table("zoom")
    add_common(table)

    def answer(status: int, code: int, words: str = "No.") -> dict:
        return {"status": status, "body": {"code": code, "message": words}}

    def until_midnight(sim: Sim) -> float:
        return (midnight(sim.now()) - sim.now()).total_seconds()

    def at_midnight(sim: Sim) -> str:
        return midnight(sim.now()).strftime("%Y-%m-%dT%H:%M:%SZ")

    for code in (3001, 2306):
        table.add(f"403 {code}", AWAY, AGAIN, AGAIN, **answer(403, code))
    table.add("400 300", *(REFUSED,) * 3, **answer(400, 300, "Validation Failed."))
    for code in (200, 1010, 3161):
        table.add(f"400 {code}", AWAY, AGAIN, AGAIN, **answer(400, code))
    table.add("400 3000", AWAY, **answer(400, 3000))
    for status, code in ((400, 4711), (401, 4700), (401, 200)):
        table.add(f"{status} {code}", *(UNNOTICED,) * 3, **answer(status, code))
        table.add(f"{status} {code} twice", AWAY, AGAIN, AGAIN, times=2, **answer(status, code))
    table.add("400 3002 going on", delete=UNNOTICED, **answer(400, 3002))
    table.add("400 3007 ended after", delete=UNNOTICED, when="after", **answer(400, 3007))
    table.add("404 1001", AWAY, AGAIN, AGAIN, **answer(404, 1001))
    table.add("404 3001", update=REMADE, **answer(404, 3001))
    table.add("404 3001 after", delete=UNNOTICED, when="after", **answer(404, 3001))
    table.add("409", *(AGAIN,) * 3, status=409)
    table.add("429 a second", *(AGAIN,) * 3, **PER_SECOND)
    table.add("429 lock", *(AGAIN,) * 3, **answer(429, 429, "Too many concurrent requests."))
    table.add(
        "429 daily",
        *(AWAY, AGAIN, AGAIN),
        hold=until_midnight,
        headers={"X-RateLimit-Type": "Daily-limit", "Retry-After": at_midnight},
        **answer(429, 429, "You have reached the maximum daily rate limit for this API."),
    )
    words = (
        "You have exceeded the daily rate limit (100) of Meeting Create/Update API requests "
        "permitted for this particular user. You may resume these requests at GMT 00:00:00."
    )
    table.add("429 100 a day", AWAY, AGAIN, hold=until_midnight, **answer(429, 429, words))
    for name, fields in (
        ("500", {"status": 500}),
        ("cut", {"cut": True, "when": "after"}),
        ("HTML", {"status": 200, "body": "<html>"}),
    ):
        table.add(f"read back {name}", update=AGAIN, match="GET /meetings/*", **fields)
    table.add("read back 404", update=REMADE, match="GET /meetings/*", **answer(404, 3001))
    add_refused(table, "passcode", passcodes=NUMERIC)
    add_refused(table, "passcode in XML", passcodes=NUMERIC, xml=True)
    add_refused(table, "zone", unknown_zones={ZONE})
    add_refused(table, "setting", "settings.audio")
    add_refused(table, "waiting room", "settings.waiting_room")
    add_refused(table, "all", *SETTINGS, passcodes=NUMERIC, unknown_zones={ZONE})
    time = {"field": "start_time", "message": "Invalid field."}
    body = {"code": 300, "message": "Validation Failed.", "errors": [time]}
    table.add("refused time", REFUSED, REFUSED, status=400, body=body)
    return table.rows


def teams() -> list[Trouble]:
    """PROVIDERS.md section 3."""
    table = Table("teams")
    add_common(table)

    def answer(status: int, code: str, words: str = "No.") -> dict:
        return {"status": status, "body": lambda sim: sim.words(code, words)}

    for status, code in (
        (402, "PaymentRequired"),
        (403, "Forbidden"),
        (403, "AccessDenied"),
    ):
        table.add(f"{status} {code}", AWAY, UNNOTICED, AGAIN, **answer(status, code))
        fields = answer(status, code)
        table.add(f"{status} {code} twice", update=AGAIN, times=2, **fields)
    for status in (400, 405, 415, 422):
        fields = answer(status, "BadRequest")
        table.add(f"{status}", REFUSED, UNNOTICED, REFUSED, **fields)
        table.add(f"{status} twice", update=REFUSED, times=2, **fields)
    table.add("404", AWAY, REMADE, **answer(404, "NotFound"))
    table.add("404 after", delete=UNNOTICED, when="after", **answer(404, "NotFound"))
    table.add("410", update=REMADE, **answer(410, "Gone"))
    table.add("410 after", delete=UNNOTICED, when="after", **answer(410, "Gone"))
    for status in (409, 412, 423, 509):
        table.add(f"{status}", *(AGAIN,) * 3, **answer(status, "Conflict"))
    for when in ("before", "after"):
        options = {"match": "PATCH *", "when": when}
        table.add(f"options 500 {when}", AGAIN, status=500, **options)
        table.add(f"options drop {when}", AGAIN, drop=True, **options)
    table.add("options 403", UNNOTICED, match="PATCH *", **answer(403, "Forbidden"))
    table.add("options 429", AGAIN, match="PATCH *", **answer(429, "TooManyRequests"))
    table.add(
        "509 with Retry-After",
        *(AWAY, AGAIN, AGAIN),
        headers=retry_after("seconds"),
        **answer(509, "BandwidthLimitExceeded"),
    )
    add_refused(table, "presenters", "allowedPresenters")
    add_refused(table, "lobby", "lobbyBypassSettings.scope")
    return table.rows


TROUBLES: Iterable[Trouble] = [*google(), *zoom(), *teams()]
