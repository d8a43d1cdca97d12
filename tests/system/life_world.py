"""The world of test_life.py: a stack with three providers and a mail server, what goes wrong
there, and the moving of its clock."""

import collections
import contextlib
import datetime
import os
import pathlib
import secrets
import signal
import time
from collections.abc import Iterable, Iterator
from mailbox import SmtpServer

from caller import Caller
from google import Google
from life_rules import LANES, MAX_GENERATIONS, instant, utc
from providers import Providers
from sim import CHAOS, Fault, Live, Sim
from sim_http import Handler, Request
from stack import WATCH
from support import until
from zoom import Zoom

# Mails that wait for a link.
LINKS = {"mail.meeting_ready", "mail.meeting_updated", "mail.meeting_reminder"}
# How long work may take that is under way, or was just woken.
PATIENCE_S = 30
# How often the watch may look at a meeting until what was changed at the provider is found.
LOOKS = 3
# What the watch does so soon may happen before we have checked that all is quiet.
SOON_S = 5
# A refused sign-in is remembered for a second of real time, which no moved clock shortens.
SIGN_IN_PAUSE_S = 1.1
POLICY = {
    "failover": ["zoom", "teams"],
    "inline_wait_ms": 700,
    "max_generations": MAX_GENERATIONS,
    "lawyer_addresses": "any",
    "max_changes_per_hour": 1000,
    "retry": {"first_s": 5, "max_s": 300, "give_up_s": 3600},
}
# Nobody begins late: what Zoom makes after it was asked whether it has is one too many.
FAULTS = {
    "down": lambda sim: sim.down(),
    "up": lambda sim: sim.up(),
    "hang": lambda sim: sim.hang_all(),
    "hang after": lambda sim: sim.hang_all("after"),
    "drop after": lambda sim: sim.script(Fault(drop=True, when="after", times=2)),
    "500 after": lambda sim: sim.script(Fault(status=500, when="after", times=2)),
    "504 after": lambda sim: sim.script(Fault(status=504, html=True, when="after", times=3)),
    "503": lambda sim: sim.script(Fault(status=503, times=4)),
    "429": lambda sim: sim.script(Fault(status=429, headers={"Retry-After": "40"})),
    "403": lambda sim: sim.script(Fault(status=403)),
    "slow": lambda sim: sim.script(Fault(delay=0.3, when="after", times=3)),
    "chaos": lambda sim: sim.chaos(0.3, sorted(CHAOS.keys() - {"slow"})),
    "expired tokens": lambda sim: sim.expire_tokens(),
    "quota": lambda sim: setattr(sim, "daily_limit", 0),
    "calm": lambda sim: calm(sim),
}
PLENTY = 10**9


def calm(sim: Sim) -> None:
    sim.calm()
    if isinstance(sim, Zoom):
        sim.daily_limit = PLENTY
    if isinstance(sim, Google):
        with sim.lock:
            sim.conferences.clear()
        sim.settle()


class Gate:
    """Counts the calls that a simulator is working on."""

    def __init__(self, sim: Sim):
        self.count = 0
        self.sim, self.inner = sim, sim.serve
        sim.serve = self.serve

    def serve(self, handler: Handler, request: Request) -> None:
        with self.sim.lock:
            self.count += 1
        try:
            self.inner(handler, request)
        finally:
            with self.sim.lock:
                self.count -= 1


class World:
    """One for all stories. A story takes clients, lawyers and requests of its own."""

    def __init__(self, providers: Providers, smtp: SmtpServer):
        self.sims, self.stack, self.smtp = providers.sims, providers.stack, smtp
        self.gates = [Gate(sim) for sim in self.sims.values()]
        self.steps = self.killed_at = 0
        self.story: list[str] = []
        self.failure: list[str] = []
        self.covered: collections.Counter[str] = collections.Counter()
        self.calm()

    def caller(self, role: str, sub: str) -> Caller:
        """Tokens are minted anew for each story, since years go by."""
        expires = self.stack.now() + datetime.timedelta(days=3650)
        return self.stack.caller(role, sub, exp=expires)

    # ---- what is there ----

    def documents(self, ids: Iterable[str], **fields: int) -> dict[str, dict]:
        found = self.stack.requests.find({"_id": {"$in": list(ids)}}, fields or None)
        return {document["_id"]: document for document in found}

    def live(self, titles: Iterable[str]) -> list[tuple[str, Live]]:
        """What exists at the providers under these titles: provider, meeting."""
        wanted = set(titles)
        return [
            (name, one)
            for name, sim in self.sims.items()
            for one in sim.live()
            if one.title in wanted
        ]

    # ---- what goes wrong ----

    def calm(self) -> None:
        for sim in self.sims.values():
            calm(sim)
        self.smtp.answers.clear()

    def lose(self, name: str, one: Live) -> None:
        """Somebody deletes the meeting in the provider's own pages."""
        sim = self.sims[name]
        with sim.lock:
            if isinstance(sim, Zoom):
                sim.meetings.pop(int(one.id), None)
            elif isinstance(sim, Google):
                sim.events[sim.subject, one.id]["status"] = "cancelled"
            else:
                sim.meetings.pop(one.id, None)

    def move(self, name: str, one: Live) -> None:
        """Somebody moves it there."""
        sim = self.sims[name]
        starts_at = instant(one.starts_at) + datetime.timedelta(hours=1)
        ends_at = instant(one.ends_at) + datetime.timedelta(hours=1)
        with sim.lock, contextlib.suppress(KeyError):
            if isinstance(sim, Zoom):
                sim.meetings[int(one.id)].raw["start_time"] = f"{starts_at:%FT%TZ}"
            elif isinstance(sim, Google):
                event = sim.events[sim.subject, one.id]
                event["start"]["dateTime"] = starts_at.isoformat()
                event["end"]["dateTime"] = ends_at.isoformat()
            else:
                raw = sim.meetings[one.id].raw
                raw["startDateTime"] = f"{starts_at:%FT%T}.0000000Z"
                raw["endDateTime"] = f"{ends_at:%FT%T}.0000000Z"

    def kill(self, name: str) -> None:
        """One of the processes of that name dies at once."""
        victims = [pid for pid, own in self.stack.children().items() if own == name]
        if victims:
            os.kill(secrets.choice(victims), signal.SIGKILL)

    # ---- time ----

    def release(self) -> None:
        for sim in self.sims.values():
            sim.release()

    def running(self, documents: Iterable[dict]) -> set[str]:
        """The leases that somebody holds now."""
        now = self.stack.now()
        return {
            effect["lease"]
            for document in documents
            for effect in document.get("effects") or []
            if effect.get("lease") and utc(effect["due"]) > now
        }

    def is_idle(self, ids: Iterable[str], dead: set[str]) -> bool:
        documents = self.documents(ids, effects=1).values()
        return not any(gate.count for gate in self.gates) and self.running(documents) <= dead

    def rest(self, ids: Iterable[str], dead: set[str]) -> None:
        """Waits until nobody performs anything: a lease outlasts every call only while the clock
        goes as fast as the calls do. `dead`: leases whose owners were killed."""
        self.release()
        until(lambda: self.is_idle(ids, dead), "nothing is under way", PATIENCE_S)

    def bury(self, ids: Iterable[str]) -> set[str]:
        """Who was killed is replaced, and who lives has finished: the leases that are left."""
        until(lambda: len(self.stack.children()) == 3, "everybody is back")
        with contextlib.suppress(AssertionError):
            until(lambda: self.is_idle(ids, set()), "nothing is under way", 1)
        return self.running(self.documents(ids, effects=1).values())

    def poke(self) -> None:
        """Wakes the dispatcher, which looks by itself only once a second: a request of nobody's
        is declined."""
        mark = secrets.token_hex(4)
        host = self.caller("service", "host-application")
        people = {
            who: {"id": f"{who}-{mark}", "name": who, "email": f"{who}@example.net"}
            for who in ("client", "lawyer")
        }
        draft = people | {"title": "Nothing", "starts_at": self.stack.at(days=1)}
        made = host.post("/api/requests", draft | {"duration_minutes": 30})
        assert made.status_code == 201, made.text
        assert host.respond(made.json()["id"], "decline").ok

    # ---- quiet ----

    def owed(self, document: dict) -> list[datetime.datetime]:
        """When what is owed for a request is due, the first of each lane, but for the watch over
        its meeting unless it is about to look, and mails that wait for a link: to make it is owed
        too, or nobody makes it."""
        soon = self.stack.now() + datetime.timedelta(seconds=SOON_S)
        waits = (document["meeting"] or {}).get("status") in ("pending", "failed")
        heads: dict[tuple, datetime.datetime] = {}
        for effect in document.get("effects") or []:
            kind, lane = effect["kind"], LANES[effect["kind"]]
            if effect["state"] != "due" or (kind in WATCH and utc(effect["due"]) > soon):
                continue
            if waits and kind in LINKS:
                continue
            own = {"PERSON": effect.get("mail", {}).get("party"), "ALONE": effect["id"]}
            heads.setdefault((lane, own.get(lane)), utc(effect["due"]))
        return list(heads.values())

    def drifted(self, document: dict) -> datetime.datetime | None:
        """When the provider is asked next about a meeting that is not there as it should be."""
        meeting, now = document["meeting"] or {}, self.stack.now()
        if meeting.get("status") != "ready" or meeting["provider"] not in self.sims:
            return None
        if utc(meeting["ends_at"]) <= now:
            return None
        found = [one for name, one in self.live([document["title"]]) if name == meeting["provider"]]
        span = utc(meeting["starts_at"]), utc(meeting["ends_at"])
        if [(instant(one.starts_at), instant(one.ends_at)) for one in found] == [span]:
            return None
        due = [utc(e["due"]) for e in document["effects"] if e["kind"] == "meeting.verify"]
        return due[0] if due else None

    def quieten(self, ids: list[str], dead: set[str], meddled: set[str]) -> None:
        """Ends all faults, and lets time pass until nothing is owed any more, and what somebody
        changed at a provider has been found."""
        self.calm()
        looks, due = 0, []
        for _ in range(100):
            self.rest(ids, dead)
            documents = self.documents(ids).values()
            if not self.running(documents) <= dead:
                continue  # begun just now
            due = [at for document in documents for at in self.owed(document)]
            if not due and looks < LOOKS * len(meddled):
                looks += 1
                if looks > 1:
                    time.sleep(SIGN_IN_PAUSE_S)
                changed = [d for d in documents if d["_id"] in meddled]
                due = [at for document in changed if (at := self.drifted(document))]
            if not due:
                return
            ahead = (min(due) - self.stack.now()).total_seconds()
            before = {document["_id"]: document["rev"] for document in documents}
            if ahead > 0:
                self.stack.advance(ahead + 0.01)
            self.poke()
            until(lambda b=before: self.has_moved(b), "what is due is done", PATIENCE_S)
        raise AssertionError(f"there is no end to what is owed: {due}")

    def forget(self, ids: list[str]) -> None:
        """Ends a story: what is left of it concerns nobody any more."""
        self.stack.requests.delete_many({"_id": {"$in": ids}})
        self.stack.requests.delete_many({"title": "Nothing"})
        self.smtp.mails.clear()
        for sim in self.sims.values():
            with sim.lock:
                sim.calls.clear()
                for kept in ("meetings", "events", "request_ids", "used"):
                    getattr(sim, kept, {}).clear()

    def has_moved(self, revisions: dict[str, int]) -> bool:
        return any(
            document["rev"] != revisions[name]
            for name, document in self.documents(revisions, rev=1).items()
        )


@contextlib.contextmanager
def world(folder: pathlib.Path, mongodb_uri: str) -> Iterator[World]:
    smtp = SmtpServer()
    with Providers(folder, mongodb_uri, smtp, policy=POLICY) as providers:
        yield World(providers, smtp)
    smtp.stop()
