"""Random lives: sequences of commands, faults and clock moves against the running system, with
everything that must hold checked after each step (life_checks.py), and what was promised once it
has become quiet.

2,000 steps unless MEETLINK_LIFE_STEPS says otherwise: bench/life. The answers are those of the
tables (life_rules.py). What Hypothesis draws never depends on what the system did, which
is not the same twice; so it can shrink what fails, if it fails again.
"""

import concurrent.futures
import dataclasses
import datetime
import functools
import os
import pprint
import secrets
import sys
from collections.abc import Iterator

import boards
import hypothesis
import hypothesis.stateful as stateful
import hypothesis.strategies as st
import pytest
import requests
from caller import Caller, new_key
from life_checks import (
    Letter,
    check_change,
    check_gate,
    check_letter,
    check_markers,
    check_quiet,
    check_row,
    check_view,
)
from life_rules import (
    ACTIONS,
    PATHS,
    STATUSES,
    instant,
    may_call,
    passed_through,
    read_token,
    state_of,
    utc,
    verdict,
)
from life_world import FAULTS, World, world
from support import at_once

STEPS = int(os.environ.get("MEETLINK_LIFE_STEPS", 2000))
STEPS_OF_ONE = 100
# The master waits longer and longer before it replaces who dies again and again.
STEPS_BETWEEN_DEATHS = 120
SLOTS = 3
PHASES = (hypothesis.Phase.generate, hypothesis.Phase.shrink)
OVER = {"declined", "lapsed", "cancelled", "completed"}
KEPT_ANSWERS = 12  # fewer than a request keeps (core/request.c)
PROVIDERS = ["google_meet", "zoom", "teams", "jitsi"]

slots = st.integers(0, SLOTS - 1)
minutes = st.sampled_from([-5, 2, 14, 40, 180, 1500, 4500, 20000])
durations = st.sampled_from([15, 45, 240])
providers = st.sampled_from(PROVIDERS)
sims = st.sampled_from(["google_meet", "google_meet", "zoom", "teams"])
parties = st.sampled_from(["client", "lawyer"])
callers = st.sampled_from(
    ["client", "lawyer", "admin", "service", "another client", "another lawyer", "nobody"]
)


def fields(**optional: st.SearchStrategy) -> st.SearchStrategy[dict]:
    return st.fixed_dictionaries({}, optional=optional)


BODIES = {
    "accept": fields(ahead=minutes, duration_minutes=durations, provider=providers),
    "decline": fields(message=st.just("No time.")),
    "cancel": fields(reason=st.just("Ill")),
    "cancel meeting": fields(reason=st.just("By telephone")),
    "regenerate": fields(provider=providers, reason=st.just("Leaked")),
    "reschedule": st.fixed_dictionaries(
        {"ahead": minutes}, optional={"duration_minutes": durations, "reason": st.just("Train")}
    ),
    "retry": st.just({}),
    "outcome": st.fixed_dictionaries({"outcome": st.sampled_from(["held", "client_no_show"])}),
}


@dataclasses.dataclass(frozen=True)
class Command:
    name: str
    body: dict

    def sent(self, stack: object) -> dict:
        """Minutes from now become an instant."""
        body = {name: value for name, value in self.body.items() if name != "ahead"}
        if "ahead" in self.body:
            body["starts_at"] = stack.at(minutes=self.body["ahead"])
        if self.name in ("accept", "decline"):
            body["decision"] = self.name
        if self.name in ("accept", "reschedule", "regenerate"):
            body["allow_overlap"] = True  # all lives here share their lawyers
        return body


def commands(*names: str) -> st.SearchStrategy[Command]:
    return st.sampled_from(names).flatmap(
        lambda name: BODIES[name].map(functools.partial(Command, name))
    )


@dataclasses.dataclass
class Call:
    """One that was made: to be judged, and perhaps repeated."""

    slot: "Slot"
    command: Command
    body: dict
    who: str
    key: str | None = None
    answer: requests.Response | None = None
    at: datetime.datetime | None = None
    later: int = 0  # answers that were kept since


@dataclasses.dataclass
class Slot:
    """A request and what is known of it."""

    id: str
    document: dict
    accepted_with: dict | None = None
    links: dict[tuple[str, int], str] = dataclasses.field(default_factory=dict)
    letters: dict[str, list[Letter]] = dataclasses.field(
        default_factory=lambda: {"client": [], "lawyer": []}
    )


class Life(stateful.RuleBasedStateMachine):
    """One client and one lawyer, and a handful of their requests."""

    def __init__(self, world: World):
        super().__init__()
        world.story.clear()
        self.world, self.stack = world, world.stack
        mark = secrets.token_hex(4)
        self.people = {who: f"{who}-{mark}" for who in ("client", "lawyer")}
        self.callers: dict[str, Caller] = {
            "client": world.caller("client", self.people["client"]),
            "lawyer": world.caller("lawyer", self.people["lawyer"]),
            "admin": world.caller("admin", "admin-1"),
            "service": world.caller("service", "host-application"),
            "another client": world.caller("client", f"other-{mark}"),
            "another lawyer": world.caller("lawyer", f"other-{mark}"),
            "nobody": self.stack.anyone(),
        }
        self.known: dict[str, Slot] = {}
        self.slots: list[Slot] = []
        self.keyed: list[Call] = []
        self.meddled: set[str] = set()  # whose meetings somebody changed at the provider
        self.dead: set[str] = set()  # leases of those who were killed
        self.mails = 0
        for number in range(SLOTS):
            self.slots.append(self.file(14 + 1440 * number))
            if number:
                body = {"provider": PROVIDERS[number]}
                self.judge([self.call(self.slots[number], Command("accept", body), "lawyer")])
        self.idle = False

    # ---- requests and calls ----

    def file(self, ahead: int) -> Slot:
        emails = {
            who: {"id": sub, "name": who.title(), "email": f"{sub}@example.com"}
            for who, sub in self.people.items()
        }
        draft = emails | {"title": f"Matter {secrets.token_hex(8)}", "duration_minutes": 45}
        draft["starts_at"] = self.stack.at(minutes=ahead)
        answer = self.callers["client"].post("/api/requests", draft)
        assert answer.status_code == 201, answer.text
        slot = Slot(answer.json()["id"], {})
        slot.document = self.stack.document(slot.id)
        check_change(None, slot.document)
        self.known[slot.id] = slot
        return slot

    def call(self, slot: Slot, command: Command, who: str, keyed: bool = False) -> Call:
        key = new_key() if keyed else None
        return self.send(Call(slot, command, command.sent(self.stack), who, key))

    def send(self, call: Call) -> Call:
        headers = {"Idempotency-Key": call.key} if call.key else {}
        path = f"/api/requests/{call.slot.id}/{PATHS[call.command.name]}"
        call.at = self.stack.now()
        call.answer = self.callers[call.who].post(path, call.body, headers=headers)
        said = call.answer.status_code, "" if call.answer.ok else call.answer.json()["code"]
        self.tell(f"{call.who}: {call.command.name} {call.slot.id} {call.body} -> {said}")
        return call

    def tell(self, text: str) -> None:
        """What happened, for whoever has to find out why."""
        self.world.story.append(f"{self.stack.now():%F %T.%f} {text}")

    def judge(self, calls: list[Call]) -> None:
        """Whether each of these calls, made at once to one request, got an answer that is right
        in some state that the request was in."""
        (slot,) = {call.slot.id: call.slot for call in calls}.values()
        before, now = slot.document, self.stack.now()
        after = self.stack.document(slot.id)
        states = passed_through(before, after)
        own = {id(call): self.own_events(call, states) for call in calls}
        for call in calls:
            if call.command.name == "accept" and own[id(call)]:
                slot.accepted_with = call.body
        for call in calls:
            self.judge_one(call, states, own[id(call)], now)
            if call.answer.status_code == 200:
                for other in self.keyed:
                    other.later += other.slot is slot
                if call.key:
                    self.keyed.append(call)

    def own_events(self, call: Call, states: list) -> list[dict]:
        trace = call.answer.headers["X-Request-Id"]
        return [event for _, event in states if event and event.get("trace_id") == trace]

    def judge_one(self, call: Call, states: list, own: list[dict], now: datetime.datetime) -> None:
        name, answer = call.command.name, call.answer
        said = "yes" if answer.status_code == 200 else answer.json()["code"]
        self.world.covered[f"{name}: {said}"] += 1
        role = {"nobody": None}.get(call.who, call.who.rpartition(" ")[2])
        if not may_call(role, name):
            assert said == ("forbidden" if role else "unauthenticated"), said
        elif call.who.startswith("another"):
            assert said == "not_found", said
        else:
            allowed = {
                verdict(name, call.body, state, at, call.slot.accepted_with)
                for state, _ in states
                for at in (call.at, now)
            }
            assert said in allowed, f"{name} {call.body}: {said}, not {allowed}"
        assert answer.status_code == STATUSES.get(said, 200), said
        actions = {event["action"] for event in own}
        if said != "yes":
            assert not own, f"{said}, and yet {actions}"
        elif own:
            assert actions & {ACTIONS[name], "meeting.retried"}, f"{name} left {actions}"
        else:
            self.check_unchanged(call)

    def check_unchanged(self, call: Call) -> None:
        """A command that was taken and left no event had nothing to do."""
        body, name = call.body, call.command.name
        assert name in ("accept", "reschedule", "retry", "outcome"), f"{name} left no event"
        if name == "reschedule":
            shown = call.answer.json()
            assert shown["starts_at"] == body["starts_at"]
        if name == "accept":
            assert body == call.slot.accepted_with

    # ---- rules: commands ----

    def place(self, slot: int, anew: bool) -> Slot:
        """A life that has ended makes place for a new one."""
        if anew and self.slots[slot].document["status"] in OVER:
            self.slots[slot] = self.file(40 + 1440 * slot)
            self.judge([self.call(self.slots[slot], Command("accept", {}), "lawyer")])
            self.see()
        return self.slots[slot]

    @stateful.rule(
        slot=slots,
        ahead=minutes,
        command=commands("accept", "accept", "decline"),
        keyed=st.booleans(),
    )
    def answer(self, slot: int, ahead: int, command: Command, keyed: bool) -> None:
        if self.slots[slot].document["status"] != "open":
            self.slots[slot] = self.file(max(ahead, 2))
        self.judge([self.call(self.slots[slot], command, "lawyer", keyed)])

    @stateful.rule(
        slot=slots,
        command=commands("reschedule", "reschedule", "regenerate"),
        keyed=st.booleans(),
        anew=st.booleans(),
    )
    def change(self, slot: int, command: Command, keyed: bool, anew: bool) -> None:
        self.judge([self.call(self.place(slot, anew), command, "lawyer", keyed)])

    @stateful.rule(
        slot=slots, command=commands("reschedule", "regenerate", "retry"), anew=st.just(True)
    )
    def change_again(self, slot: int, command: Command, anew: bool) -> None:
        self.judge([self.call(self.place(slot, anew), command, "lawyer")])

    @stateful.rule(
        slot=slots,
        command=commands("cancel", "cancel meeting", "cancel meeting"),
        who=parties,
        keyed=st.booleans(),
        anew=st.booleans(),
    )
    def end(self, slot: int, command: Command, who: str, keyed: bool, anew: bool) -> None:
        self.judge([self.call(self.place(slot, anew), command, who, keyed)])

    @stateful.rule(slot=slots, command=commands("retry", "outcome"), keyed=st.booleans())
    def tend(self, slot: int, command: Command, keyed: bool) -> None:
        self.judge([self.call(self.slots[slot], command, "lawyer", keyed)])

    @stateful.rule(slot=slots, command=commands(*PATHS), who=callers)
    def anybody(self, slot: int, command: Command, who: str) -> None:
        self.judge([self.call(self.slots[slot], command, who)])

    @stateful.rule(
        slot=slots,
        first=commands(*PATHS),
        second=commands(*PATHS),
        whos=st.tuples(parties, parties),
        anew=st.booleans(),
    )
    def two_at_once(
        self, slot: int, first: Command, second: Command, whos: tuple, anew: bool
    ) -> None:
        own = self.place(slot, anew)
        calls = at_once(
            functools.partial(self.call, own, command, who)
            for command, who in zip((first, second), whos, strict=True)
        )
        self.judge(calls)

    @stateful.rule(which=st.integers(0, 3), other=st.booleans())
    def repeat(self, which: int, other: bool) -> None:
        """The same call under the same key gets the same answer, another one is refused."""
        now = self.stack.now()
        self.keyed = [
            call
            for call in self.keyed
            if call.later < KEPT_ANSWERS and now - call.at < datetime.timedelta(hours=23)
        ]
        if not self.keyed:
            self.idle = True
            return
        call = self.keyed[-1 - which % len(self.keyed)]
        body = call.body | ({"reason": "Another"} if other else {})
        again = self.send(dataclasses.replace(call, body=body))
        if body == call.body:
            assert again.answer.status_code == 200, again.answer.text
            assert again.answer.headers["Idempotency-Replayed"] == "true"
            assert again.answer.content == call.answer.content
        elif call.command.name in ("retry", "outcome", "accept", "decline"):
            assert again.answer.json()["code"] == "invalid", "they have no reason"
        else:
            assert again.answer.json()["code"] == "idempotency_key_reused"
        self.world.covered["repeat"] += 1

    @stateful.rule(slot=slots, command=commands(*PATHS))
    def one_key_at_once(self, slot: int, command: Command) -> None:
        """It is done once; who comes second may be told of it as it was then."""
        call = Call(self.slots[slot], command, command.sent(self.stack), "lawyer", new_key())
        first, second = at_once(
            functools.partial(self.send, dataclasses.replace(call)) for _ in range(2)
        )
        done = [c for c in (first, second) if "Idempotency-Replayed" not in c.answer.headers]
        assert done, "somebody did it"
        ok = [c for c in (first, second) if c.answer.ok]
        if len(ok) == 2:
            assert len(done) == 1
            views = [c.answer.json() for c in ok]
            assert len({(view["id"], view["status"]) for view in views}) == 1
        key, done[0].key = done[0].key, None
        self.judge(done)
        done[0].key = key

    # ---- rules: visits ----

    @stateful.rule(
        slot=slots,
        who=parties,
        back=st.integers(0, 2),
        method=st.sampled_from(["GET", "GET", "HEAD"]),
    )
    def visit(self, slot: int, who: str, back: int, method: str) -> None:
        """Through the gate, by a link of now or of before."""
        self.idle = not self.enter(self.slots[slot], who, back, method)

    def enter(self, own: Slot, who: str, back: int = 0, method: str = "GET") -> bool:
        mine = [generation for party, generation in own.links if party == who]
        if not mine:
            return False
        generation = sorted(mine)[-1 - back % len(mine)]
        before, began = self.stack.document(own.id), self.stack.now()
        answer = self.callers["nobody"].call(method, own.links[who, generation])
        after, ended = self.stack.document(own.id), self.stack.now()
        self.world.covered[f"gate: {answer.status_code}"] += 1
        if state_of(after) == state_of(before):
            check_gate(self.world, before, generation, answer, [began, ended])
        return True

    def look(self, who: str) -> None:
        """Dashboard and list say what the requests say."""
        caller = self.callers[who]
        before, began = self.world.documents(self.known, rev=1), self.stack.now()
        board = caller.fetch("/api/dashboard")
        documents, ended = self.world.documents(self.known), self.stack.now()
        if {name: found["rev"] for name, found in documents.items()} == {
            name: found["rev"] for name, found in before.items()
        }:
            naive = [
                boards.read(documents.values(), who, self.people[who], now)
                for now in (began, ended)
            ]
            assert boards.shown(board) in naive or naive[0] != naive[1]
            self.world.covered["dashboard compared"] += 1
        rows = [row for page in caller.pages(limit=200) for row in page]
        assert sorted(row["id"] for row in rows) == sorted(self.known)
        rows += [row for name in boards.LISTS for row in board[name]]
        views = {slot.id: caller.request(slot.id) for slot in self.slots}
        after = self.world.documents(self.known, rev=1)
        for row in rows:
            name = row["id"]
            if name in views and before[name]["rev"] == after[name]["rev"]:
                check_row(row, views[name], self.stack.now())
        self.world.covered["look"] += 1

    # ---- rules: time ----

    @stateful.rule(seconds=st.sampled_from([1, 6, 20, 61, 301]), poke=st.booleans())
    def wait(self, seconds: int, poke: bool) -> None:
        self.advance(seconds, poke)

    @stateful.rule(hours=st.sampled_from([1, 7, 7, 25]), poke=st.booleans())
    def wait_long(self, hours: int, poke: bool) -> None:
        self.advance(hours * 3600, poke)

    @stateful.rule(
        slot=slots,
        moment=st.sampled_from(["opens_at", "starts_at", "ends_at", "expires_at"]),
        late=st.sampled_from([-2, 1]),
    )
    def wait_for(self, slot: int, moment: str, late: int) -> None:
        meeting = self.slots[slot].document["meeting"]
        ahead = meeting and (utc(meeting[moment]) - self.stack.now()).total_seconds() + late
        self.idle = not ahead or not 0 < ahead < 40 * 86400
        if not self.idle:
            self.advance(ahead, poke=False)
            self.enter(self.slots[slot], "client")
            self.enter(self.slots[slot], "lawyer")
            self.world.poke()

    def advance(self, seconds: float, poke: bool) -> None:
        self.world.rest(self.known, self.dead)
        self.stack.advance(seconds)
        self.tell(f"{seconds} s later" + ", and the dispatcher is woken" * poke)
        if poke:
            self.world.poke()

    def quiet(self) -> None:
        """All faults end, and what is owed is done."""
        self.tell("quiet")
        self.world.quieten(list(self.known), self.dead, self.meddled)
        self.see()
        for slot in self.known.values():
            check_quiet(self.world, slot.document, slot.letters)
        assert self.stack.run("verify-audit").endswith(" 0 broken\n")
        self.world.covered["quiet"] += 1

    # ---- rules: faults ----

    @stateful.rule(sim=sims, fault=st.sampled_from(sorted(FAULTS)))
    def fault(self, sim: str, fault: str) -> None:
        self.tell(f"{sim}: {fault}")
        FAULTS[fault](self.world.sims[sim])
        self.world.covered[f"fault: {fault}"] += 1

    @stateful.rule(
        slot=slots,
        sim=sims,
        fault=st.sampled_from(sorted(FAULTS)),
        command=commands("regenerate", "regenerate", "reschedule", "cancel meeting"),
        anew=st.booleans(),
    )
    def in_trouble(self, slot: int, sim: str, fault: str, command: Command, anew: bool) -> None:
        """Just when a provider is asked for something, it fails."""
        own = self.place(slot, anew)
        self.fault(sim, fault)
        if command.name == "regenerate":
            command = Command(command.name, command.body | {"provider": sim})
        self.judge([self.call(own, command, "lawyer")])

    @stateful.rule(what=st.sampled_from(["quiet", "look", "calm", "take_mail"]), who=parties)
    def relax(self, what: str, who: str) -> None:
        if what == "look":
            self.look(who)
        elif what == "quiet":
            self.quiet()
        else:
            self.tell(what)
            self.world.calm() if what == "calm" else self.world.smtp.answers.clear()

    @stateful.rule(slot=slots, how=st.sampled_from(["lose", "move"]))
    def meddle(self, slot: int, how: str) -> None:
        # Nobody moves what is over.
        found = [
            (name, one)
            for name, one in self.world.live([self.slots[slot].document["title"]])
            if instant(one.ends_at) > self.stack.now()
        ]
        self.idle = not found
        for name, one in found:
            self.tell(f"somebody at {name} will {how} {one.id} of {self.slots[slot].id}")
            getattr(self.world, how)(name, one)
            self.meddled.add(self.slots[slot].id)
            self.world.covered[how] += 1

    @stateful.rule(
        who=st.sampled_from(["client", "lawyer", "both"]),
        answer=st.sampled_from(["451 Busy", "451 Busy", "550 Unknown"]),
    )
    def refuse_mail(self, who: str, answer: str) -> None:
        self.tell(f"mail server to {who}: {answer}")
        for party, sub in self.people.items():
            if who in (party, "both"):
                self.world.smtp.answers[f"{sub}@example.com"] = answer
        self.world.covered["mail refused"] += 1

    @stateful.rule(
        name=st.sampled_from(["meetlink-work", "meetlink-disp"]),
        slot=slots,
        command=commands(*PATHS),
        delay=st.integers(0, 20),
    )
    def kill(self, name: str, slot: int, command: Command, delay: int) -> None:
        """A process dies while somebody waits for an answer."""
        if self.world.steps - self.world.killed_at < STEPS_BETWEEN_DEATHS:
            self.idle = True
            return
        self.world.killed_at = self.world.steps
        self.world.rest(self.known, self.dead)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(self.call, self.slots[slot], command, "lawyer")
            concurrent.futures.wait([waiting], delay / 1000)
            self.tell(f"kill a {name}")
            self.world.kill(name)
            self.world.release()
            call = waiting.result(60)
        self.world.covered[f"kill {name}"] += 1
        self.dead |= self.world.bury(self.known)
        self.judge([call])

    # ---- after each step ----

    @stateful.invariant()
    def holds(self) -> None:
        self.world.steps += not self.idle
        self.idle = False
        self.see()
        check_markers(self.world)

    def see(self) -> None:
        """Looks at everything that has changed."""
        revisions = self.world.documents(self.known, rev=1)
        for name, slot in self.known.items():
            if revisions[name]["rev"] != slot.document["rev"]:
                self.see_one(slot)
        self.read_mails()

    def see_one(self, slot: Slot) -> None:
        for _ in range(20):
            document = self.stack.document(slot.id)
            views = {who: self.callers[who].request(slot.id) for who in ("client", "lawyer")}
            if self.stack.document(slot.id)["rev"] == document["rev"]:
                break
        else:
            return
        check_change(slot.document, document)
        for event in document["events"][len(slot.document["events"]) :]:
            self.world.covered[f"event: {event['action']}"] += 1
        for who, view in views.items():
            check_view(document, view, who, self.stack.now())
            if view["meeting"] and view["meeting"]["join_url"]:
                url = view["meeting"]["join_url"]
                slot.links[who, read_token(url).generation] = url
        slot.document = document

    def read_mails(self) -> None:
        mails = self.world.smtp.mails[self.mails :]
        self.mails += len(mails)
        for mail in mails:
            slot = self.known.get(mail.id[:22])
            if slot:
                letter = Letter(mail)
                check_letter(letter, slot.letters[letter.party], slot.document)
                slot.letters[letter.party].append(letter)
                self.world.covered[f"mail: {letter.kind}"] += 1

    def teardown(self) -> None:
        try:
            if not self.has_failed():
                self.quiet()
        finally:
            self.has_failed()
            self.world.calm()
            self.world.forget(list(self.known))

    def has_failed(self) -> bool:
        """Keeps the first story that went wrong: it may not do so again."""
        failure = sys.exc_info()[1]
        own = isinstance(failure, Exception) and "hypothesis" not in type(failure).__module__
        if own and not self.world.failure:
            documents = self.world.documents(self.known).values()
            self.world.failure = [*self.world.story, *map(pprint.pformat, documents), repr(failure)]
        return failure is not None


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory, mongodb_uri: str) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("life"), mongodb_uri) as made:
        yield made


def test_life(life: World, capsys: pytest.CaptureFixture) -> None:
    settings = hypothesis.settings(
        max_examples=1 + STEPS * 8 // 5 // STEPS_OF_ONE,  # some steps find nothing to do
        stateful_step_count=STEPS_OF_ONE,
        derandomize="MEETLINK_LIFE_STEPS" not in os.environ,
        # Shrinking repeats a story for minutes.
        phases=PHASES if os.environ.get("MEETLINK_LIFE_SHRINK") else PHASES[:1],
        report_multiple_bugs=False,
    )
    try:
        stateful.run_state_machine_as_test(functools.partial(Life, life), settings=settings)
    finally:
        with capsys.disabled():
            if "MEETLINK_LIFE_STEPS" in os.environ:
                for what, count in sorted(life.covered.items()):
                    print(f"{count:8} {what}")
            print("\n".join(["", *life.failure]))
            print(f"life: {life.steps} steps, {int(bool(life.failure))} violations")
