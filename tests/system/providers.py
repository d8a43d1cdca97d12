"""The simulated providers, and a stack that asks them instead of the real ones."""

import datetime
import pathlib
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from mailbox import SmtpServer

import pytest
from google import Google
from graph import Graph
from sim import Live, Sim
from stack import WATCH, Stack
from support import at_once, until
from zoom import Zoom

KINDS = {"google_meet": Google, "zoom": Zoom, "teams": Graph}
TITLES = {"google_meet": "Google Meet", "zoom": "Zoom", "teams": "Microsoft Teams"}
# How long until a provider is asked again whose breaker has opened.
BREAKER_S = 60
# For how long the clock is moved until nothing is owed.
FINISH_S = 120


def configured(stack: Stack, path: str, body: dict) -> dict:
    answer = stack.admin().put(f"/api/config/{path}", body)
    assert answer.status_code == 200, answer.text
    return answer.json()


class Providers:
    """The simulators of `names` and a stack that has them configured; a context manager.

    They follow the stack's clock. `policy` is a part of /api/config/meetings, `settings` are those
    of Stack. The first of `names` is the default provider unless `policy` says otherwise.
    """

    def __init__(
        self,
        folder: pathlib.Path,
        mongodb_uri: str,
        smtp: SmtpServer | None = None,
        *,
        names: Iterable[str] = tuple(KINDS),
        policy: dict | None = None,
        **settings: object,
    ):
        self.sims: dict[str, Sim] = {name: KINDS[name]() for name in names}
        conf = {key: url for sim in self.sims.values() for key, url in sim.conf.items()}
        try:
            self.stack = Stack(folder, mongodb_uri, smtp, **conf, **settings)
        except BaseException:
            self.close()
            raise
        for name, sim in self.sims.items():
            sim.now = self.stack.now
            if isinstance(sim, Zoom):
                sim.daily_limit = 10**6  # those who test the limit set their own
            self.configure(name, sim.provider())
        self.policy(**{"default_provider": next(iter(self.sims))} | (policy or {}))

    def __enter__(self) -> "Providers":
        return self

    def __exit__(self, *_: object) -> None:
        try:
            for sim in self.sims.values():
                sim.calm()
            if self.stack in Stack.running:
                self.stack.stop()
        finally:
            self.close()

    def close(self) -> None:
        for sim in self.sims.values():
            sim.close()

    def __getitem__(self, name: str) -> Sim:
        return self.sims[name]

    # ---- configuration ----

    def configure(self, name: str, body: dict) -> dict:
        return configured(self.stack, f"providers/{name}", body)

    def policy(self, **part: object) -> dict:
        return configured(self.stack, "meetings", part)

    def health(self, name: str) -> dict:
        return self.stack.admin().fetch(f"/api/config/providers/{name}")["health"]

    def warm_up(self) -> None:
        """Has every worker connect to the database, so that no test waits for that."""

        def answered() -> bool:
            calls = [lambda: self.stack.anyone().get("/readyz").ok] * 64
            return all(at_once(calls))

        until(answered, "all workers are connected")

    # ---- what exists ----

    def live(self) -> list[tuple[str, Live]]:
        """Everything that exists at all providers: (provider, meeting)."""
        return [(name, live) for name, sim in self.sims.items() for live in sim.live()]

    def live_of(self, request: dict) -> list[tuple[str, Live]]:
        """What exists for a request. Its title, which must be its own, tells."""
        return [(name, live) for name, live in self.live() if live.title == request["title"]]

    def the_meeting(self, request: dict) -> tuple[str, Live]:
        """The only meeting of a request that is ready: all that is said of it is said of this."""
        document = self.stack.document(request["id"])
        live = self.live_of(request)
        assert len(live) == 1, f"{len(live)} live meetings: {live}"
        ((name, meeting),) = live
        own = document["meeting"]
        assert own["status"] == "ready", own["status"]
        assert own["provider"] == name
        assert own["external_mark"] == self.stack.mark(name, meeting.id)
        starts_at = own["starts_at"].strftime("%Y-%m-%dT%H:%M:%SZ")
        ends_at = own["ends_at"].strftime("%Y-%m-%dT%H:%M:%SZ")
        assert (meeting.starts_at, meeting.ends_at) == (starts_at, ends_at)
        return name, meeting

    # ---- time ----

    def owed(self, document: dict) -> list[dict]:
        """Effects that somebody still has to perform."""
        effects = document.get("effects") or []
        return [e for e in effects if e["kind"] not in WATCH and e["state"] != "failed"]

    def move(self, documents: Iterable[dict]) -> None:
        """Moves the clock to the next moment at which something is due; not while any is."""
        now = self.stack.now().replace(tzinfo=None)
        later = []
        for document in documents:
            owed = self.owed(document)
            if any("lease" in effect for effect in owed) or document["due"] <= now:
                return
            later += [effect["due"] for effect in owed if effect["due"] > now]
        if later:
            self.stack.advance((min(later) - now).total_seconds() + 0.002)

    def finish(self, request_id: str) -> dict:
        """Moves the clock until nothing is owed any more but the watch; the document then."""
        deadline = time.monotonic() + FINISH_S
        pause = 0.02
        while self.owed(document := self.stack.document(request_id)):
            assert time.monotonic() < deadline, f"still owed after {FINISH_S} s: {document}"
            self.move([document])
            time.sleep(pause)
            pause = min(1.5 * pause, 0.2)
        return document

    def finish_all(self) -> None:
        """The same for all requests."""
        deadline = time.monotonic() + FINISH_S
        query = {"effects": {"$elemMatch": {"kind": {"$nin": list(WATCH)}, "state": "due"}}}
        while documents := list(self.stack.requests.find(query, {"events": 0, "answers": 0})):
            assert time.monotonic() < deadline, f"{len(documents)} requests owe after {FINISH_S} s"
            self.move(documents)
            time.sleep(0.1)

    def until_tried(self, request_id: str, times: int = 1) -> dict:
        """Waits until so many attempts at a provider have failed; the document then."""

        def tried() -> dict | None:
            document = self.stack.document(request_id)
            actions = [event["action"] for event in document["events"]]
            return document if actions.count("provider.attempt_failed") >= times else None

        return until(tried, f"{times} attempts for {request_id} have failed")

    def until_status(self, request_id: str, status: str) -> dict:
        def has_it() -> dict | None:
            document = self.stack.document(request_id)
            return document if document["meeting"]["status"] == status else None

        return until(has_it, f"the meeting of {request_id} is {status}")


def unique(title: str) -> str:
    """A title that no other request has."""
    return f"{title} {secrets.token_hex(4)}"


def midnight(now: datetime.datetime) -> datetime.datetime:
    """The next 00:00 UTC."""
    return (now + datetime.timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)


@pytest.fixture
def provide(
    tmp_path: pathlib.Path, mongodb_uri: str, smtp: SmtpServer
) -> Iterator[Callable[..., Providers]]:
    """Starts simulators and a stack of the test's own, with mail by SMTP; arguments as those of
    Providers."""
    started: list[Providers] = []

    def start(uri: str = mongodb_uri, **options: object) -> Providers:
        started.append(Providers(tmp_path / f"providers{len(started)}", uri, smtp, **options))
        return started[-1]

    yield start
    for providers in started:
        providers.__exit__()
