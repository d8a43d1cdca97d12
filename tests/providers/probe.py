"""A provider's operations, run by the build's tests/provider_call against its simulator.

Whatever a test does: no secret may be in anything that the program prints, its log included.
"""

import contextlib
import dataclasses
import datetime
import json
import os
import pathlib
import secrets
import subprocess
import tempfile
from collections.abc import Callable

from google import Google
from graph import Graph
from sim import Fault, Sim
from sim_rules import utc
from zoom import Zoom

# Enough where a test is not about time.
PATIENCE_MS = 60_000

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("MEETLINK_BUILD", ROOT / "build")).resolve()
PROGRAM = BUILD / "tests/provider_call"

NAMES: dict[type[Sim], str] = {Google: "google_meet", Zoom: "zoom", Graph: "teams"}
# The first call of each operation to the provider's interface.
FIRST: dict[type[Sim], dict[str, str]] = {
    Google: {
        "create": "POST /events",
        "update": "PATCH /events/*",
        "remove": "DELETE /events/*",
        "read": "GET /events/*",
        "validate": "GET /events",
    },
    Zoom: {
        "create": "POST /users/*/meetings",
        "update": "PATCH /meetings/*",
        "remove": "DELETE /meetings/*",
        "read": "GET /meetings/*",
        "host_url": "GET /meetings/*",
        "validate": "GET /users/*",
    },
    Graph: {
        "create": "POST /onlineMeetings/createOrGet",
        "update": "PATCH /onlineMeetings/*",
        "remove": "DELETE /onlineMeetings/*",
        "read": "GET /onlineMeetings/*",
        "validate": "GET /onlineMeetings/*",
    },
}
TOKEN = "POST /token"
SECRETS = {"client_secret", "refresh_token", "webhook_secret", "service_account_json"}


@dataclasses.dataclass
class Answer:
    """What the program printed. Of `validate`, `err` is the name of the check that failed."""

    err: str
    detail: str
    retry_after_s: int
    link: dict | None = None
    state: dict | None = None
    url: str | None = None
    checks: list[dict] | None = None

    @property
    def warned(self) -> list[str]:
        """The settings that were not granted."""
        return [warning["detail"].partition(":")[0] for warning in self.link["warnings"]]


@dataclasses.dataclass
class Row:
    """A row of an error table of PROVIDERS.md, and what becomes of one operation."""

    name: str
    faults: Fault | list[Fault]  # of the operation's first call, if they do not say of which
    err: str
    words: str = ""  # a part of them
    does: str = "create"
    wait: int | range = 0  # retry_after_s
    live: int = 0
    tokens: int = 1  # how many were asked for
    state: Callable[["Probe"], object] = lambda _: None  # arranged before


def named(row: Row) -> str:
    return row.name if row.does == "create" else f"{row.name}, {row.does}"


class Probe(contextlib.ExitStack):
    """A provider that is set up, and one request; a context manager."""

    def __init__(self, kind: type[Sim], refresh: bool = False) -> None:
        super().__init__()
        self.sim: Sim = self.enter_context(kind())
        self.name, self.first = NAMES[kind], FIRST[kind]
        provider = self.sim.provider(refresh=True) if refresh else self.sim.provider()
        self.settings, self.credentials = provider["settings"], provider["credentials"]
        self.tokens = self.enter_context(tempfile.TemporaryDirectory()) + "/tokens"
        self.printed = ""
        self.callback(self.demand_silence)
        self.attempt_ms = self.total_ms = PATIENCE_MS
        self.security: dict[str, bool] = {}
        self.repeated = False  # whether the outcome of an earlier creation is not known
        now = datetime.datetime.now(datetime.UTC).replace(minute=0, second=0, microsecond=0)
        self.starts_at = now + datetime.timedelta(days=1)
        self.renew()

    def renew(self) -> None:
        """Another request."""
        self.id, self.key = secrets.token_urlsafe(16), secrets.token_urlsafe(16)
        self.meeting: dict = {}

    def replace(self) -> None:
        """Another meeting for the same request: a new link."""
        self.key, self.meeting = secrets.token_urlsafe(16), {}

    def request(self) -> dict:
        return {
            "id": self.id,
            "title": "Lease dispute",
            "description": "The landlord does not answer.",
            "starts_at": utc(self.starts_at),
            "ends_at": utc(self.starts_at + datetime.timedelta(minutes=45)),
            "timezone": "Europe/Berlin",
            "client": {"id": "c1", "name": "Clara Client", "email": "clara@clients.example"},
            "lawyer": {"id": "l1", "name": "Lars Lawyer", "email": "lars@lawyers.example"},
            "meeting": {
                "provider": self.name,
                "provider_key": self.key,
                "security": self.security,
                **self.meeting,
            },
        }

    def __call__(self, does: str) -> Answer:
        """Runs one operation, and keeps of its answer what the product does."""
        given = {
            "conf": {name.lower(): value for name, value in self.sim.conf.items()}
            | {"log_level": "debug"},
            "settings": self.settings,
            "credentials": self.credentials,
            "request": self.request(),
            "repeated": self.repeated,
            "attempt_ms": self.attempt_ms,
            "total_ms": self.total_ms,
            "tokens": self.tokens,
        }
        done = subprocess.run(
            [PROGRAM, self.name, does],
            input=json.dumps(given),
            capture_output=True,
            text=True,
            timeout=2 * PATIENCE_MS / 1000,
        )
        assert done.returncode == 0, done.stderr
        said = json.loads(done.stdout)
        answer = Answer(
            said["err"],
            said["detail"] or "",
            said["retry_after_s"],
            *(said.get(name) for name in ("link", "state", "url", "checks")),
        )
        self.printed += done.stderr + ("" if answer.url else done.stdout)
        if failed := [check for check in answer.checks or [] if not check["ok"]]:
            answer.err, answer.detail = failed[0]["name"], failed[0]["detail"]
        self.keep(does, answer)
        return answer

    def keep(self, does: str, answer: Answer) -> None:
        if does == "create":
            self.repeated = answer.err in ("outcome_unknown", "still_pending") or (
                self.repeated and answer.err != "ok"
            )
        if answer.link is None:
            return
        names = ["passcode"]
        if does == "create":
            names += ["external_id", "account"]
        self.meeting |= {name: answer.link[name] for name in names if answer.link[name]}
        self.meeting |= {"warnings": answer.link["warnings"]}
        if answer.link["url"]:
            self.meeting["provider_url"] = answer.link["url"]

    def made(self) -> "Probe":
        """With a meeting that is there."""
        answer = self("create")
        assert answer.err == "ok", answer.detail
        assert len(self.sim.live()) == 1
        return self

    def script(self, does: str, *faults: Fault) -> None:
        """Faults of an operation's first call, unless they say of which."""
        for fault in faults:
            match = self.first[does] if fault.match == "*" else fault.match
            self.sim.script(dataclasses.replace(fault, match=match))

    def asked_for_tokens(self) -> int:
        """Not counting what a service account asks for too much at first."""
        return self.sim.count("POST", "/token") - getattr(self.sim, "narrowed", 0)

    def secrets(self) -> set[str]:
        """What may be printed nowhere: credentials, tokens, and what was made of them."""
        found = {value for name, value in self.credentials.items() if name in SECRETS}
        if key := self.credentials.get("service_account_json"):
            found |= {line for line in json.loads(key)["private_key"].split("\n") if len(line) > 30}
        for call in self.sim.calls:
            found.add(call.headers.get("authorization", "").partition(" ")[2])
            if isinstance(call.body, dict) and "grant_type" in call.body:
                found |= {call.body.get(name, "") for name in ("assertion", "refresh_token")}
        found |= set(self.sim.tokens)
        for meeting in getattr(self.sim, "meetings", {}).values():
            found |= {url.partition("zak=")[2] for url in getattr(meeting, "host_links", [])}
        return found - {""}

    def demand_silence(self) -> None:
        told = [secret for secret in self.secrets() if secret in self.printed]
        assert not told, f"printed: {told}"


def play(kind: type[Sim], row: Row, total_ms: int = PATIENCE_MS) -> None:
    """Runs a row's operation, of a meeting that is there already unless it is to be made."""
    with Probe(kind) as probe:
        probe.total_ms = total_ms
        if row.does not in ("create", "validate"):
            probe.made()
        row.state(probe)
        probe.script(row.does, *(row.faults if isinstance(row.faults, list) else [row.faults]))
        answer = probe(row.does)
        assert answer.err == row.err, answer.detail
        assert row.words in answer.detail
        wait = row.wait if isinstance(row.wait, range) else [row.wait]
        assert answer.retry_after_s in wait
        assert len(probe.sim.live()) == row.live
        assert probe.asked_for_tokens() == row.tokens
