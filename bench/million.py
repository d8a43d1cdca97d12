"""The measuring of bench/million."""

import base64
import dataclasses
import datetime
import os
import pathlib
import random
import statistics
import struct
import sys
import tempfile
import time
from collections.abc import Callable, Iterator

import bson
import pymongo
from bson.raw_bson import RawBSONDocument
from caller import Caller, Parties, done
from pymongo.write_concern import WriteConcern
from stack import Database, Stack
from support import until, used_ns

BATCH = 2000
ROUNDS, WARM = 40, 10
QUIET_S, QUIET_SHARE, QUIET_AFTER_S = 3, 0.05, 600  # what a database still does after filling
DAY_MS = 24 * 3600 * 1000
PAST_DAYS, AHEAD_DAYS = 3 * 365, 60
HEAVY = (100, 10_000, 100_000)
OTHERS = 100  # of each of the other lawyers
CLIENTS = 10  # of each client
RATIO, HEAVY_RATIO = 1.5, 3.0
# How many of a hundred requests ended, or stand, in which way.
ENDED = {"completed": 70, "declined": 10, "cancelled": 10, "lapsed": 10}
AHEAD = {"accepted": 60, "open": 20, "declined": 10, "cancelled": 10}


# ---- copies of what the program wrote ----


def instants(raw: bytes, at: int = 0) -> Iterator[int]:
    """Where the instants of a document are."""
    (length,) = struct.unpack_from("<i", raw, at)
    end, at = at + length - 1, at + 4
    while at < end:
        kind = raw[at]
        at = raw.index(0, at + 1) + 1
        if kind in (0x03, 0x04):
            yield from instants(raw, at)
            at += struct.unpack_from("<i", raw, at)[0]
        elif kind == 0x02:
            at += 4 + struct.unpack_from("<i", raw, at)[0]
        else:
            if kind == 0x09:
                yield at
            at += {0x01: 8, 0x08: 1, 0x09: 8, 0x0A: 0, 0x10: 4, 0x12: 8}[kind]


def places(raw: bytes, text: str) -> list[int]:
    found, at = [], raw.find(text.encode())
    while at >= 0:
        found.append(at)
        at = raw.find(text.encode(), at + 1)
    return found


class Template:
    """A document that is copied by changing its bytes: ids of one length, and all instants."""

    def __init__(self, document: dict, parties: Parties):
        # The answers are kept for a day, and were long ago.
        self.raw = bson.encode(document | {"answers": []})
        self.start, self.asked = (
            int(document[name].replace(tzinfo=datetime.UTC).timestamp() * 1000)
            for name in ("starts_at", "created_at")
        )
        self.texts = [
            places(self.raw, text)
            for text in (document["_id"], parties.client_id, parties.lawyer_id)
        ]
        self.instants = [
            (at, struct.unpack_from("<q", self.raw, at)[0]) for at in instants(self.raw)
        ]

    def copy(self, start: int, asked: int, *texts: bytes) -> RawBSONDocument:
        """At another time; what happened long before it happened about when it was asked for."""
        raw, shift = bytearray(self.raw), start - self.start
        for where, text in zip(self.texts, texts, strict=True):
            for at in where:
                raw[at : at + len(text)] = text
        for at, instant in self.instants:
            before = instant < self.start - DAY_MS
            moved = asked + (instant - self.asked) if before else instant + shift
            struct.pack_into("<q", raw, at, moved)
        return RawBSONDocument(bytes(raw))


def make_templates(stack: Stack) -> dict[str, Template]:
    made = {}
    parties = stack.parties()

    def keep(name: str, request: dict) -> None:
        document = stack.settle(request["id"])
        if name in ENDED:  # what a copy owes would be due long ago
            until(lambda: not stack.document(request["id"])["effects"], f"{name} owes nothing", 30)
            document = stack.document(request["id"])
        made[name] = Template(document, parties)

    for name in ("open", "declined", "cancelled", "accepted"):
        request = parties.create(starts_at=stack.at(days=3))
        if name == "declined":
            done(parties.lawyer.respond(request["id"], "decline"))
        if name in ("cancelled", "accepted"):
            parties.accept(request)
        if name == "cancelled":
            done(parties.client.cancel(request["id"]))
        keep(name, request)
    over = parties.accepted(starts_at=stack.at(minutes=1))
    asked = parties.create(starts_at=stack.at(minutes=1))
    stack.settle(over["id"])
    stack.advance(3 * 3600)
    for name, request in (("completed", over), ("lapsed", asked)):
        until(lambda r=request, n=name: stack.document(r["id"])["status"] == n, f"it is {name}", 30)
        keep(name, request)
    return made


@dataclasses.dataclass
class Filler:
    """Fills the database. A person's id is as long as those of the templates' people."""

    stack: Stack
    templates: dict[str, Template]
    drawn: random.Random = dataclasses.field(default_factory=lambda: random.Random(1))
    filled: int = 0

    def document(self, lawyer: str, client: str) -> RawBSONDocument:
        ahead = self.drawn.uniform(-PAST_DAYS, AHEAD_DAYS)
        ways = AHEAD if ahead > 1 else ENDED
        if ahead <= 1:
            ahead = min(ahead, -0.1)
        way = self.drawn.choices(list(ways), list(ways.values()))[0]
        now = int(self.stack.now().timestamp() * 1000)
        start = (now + int(ahead * DAY_MS)) // 60000 * 60000
        asked = min(now, start) - int(self.drawn.uniform(0.1, 30) * DAY_MS)
        new_id = base64.urlsafe_b64encode(self.drawn.randbytes(16)).rstrip(b"=")
        return self.templates[way].copy(start, asked, new_id, client.encode(), lawyer.encode())

    def documents(self, count: int, lawyer: str | None) -> Iterator[RawBSONDocument]:
        for _ in range(count):
            number = self.filled
            self.filled += 1
            whose = lawyer or f"lawyer-{0xE0000000 + number // OTHERS:08x}"
            yield self.document(whose, f"client-{number // CLIENTS:08x}")

    def fill(self, count: int, lawyer: str | None = None) -> None:
        requests = self.stack.requests.with_options(write_concern=WriteConcern(w=1))
        batch = []
        for document in self.documents(count, lawyer):
            batch.append(document)
            if len(batch) == BATCH:
                requests.insert_many(batch, ordered=False)
                batch = []
        if batch:
            requests.insert_many(batch, ordered=False)


# ---- measuring ----


@dataclasses.dataclass
class Figure:
    """Milliseconds of a call: how long the caller waits, and processor time of database and program
    together, which says the same on a machine that others use, too."""

    waited: float
    used: float


def measure(pids: list[int], call: Callable[[], object]) -> Figure:
    for _ in range(WARM):
        call()
    took, before = [], used_ns(pids)
    for _ in range(ROUNDS):
        began = time.perf_counter()
        call()
        took.append(time.perf_counter() - began)
    used = (used_ns(pids) - before) / ROUNDS
    return Figure(statistics.median(took) * 1000, used / 1e6)


def get(caller: Caller, path: str, **query: object) -> Callable[[], object]:
    def call() -> object:
        answer = caller.get(path, params=query)
        if answer.status_code == 503:  # too much at once: less is asked for from now on
            until(lambda: caller.get(path, params=query).status_code == 200, f"{path} answers", 60)
            return call()
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:300]}"
        return answer

    return call


def lists(caller: Caller, stack: Stack) -> Iterator[tuple[str, Callable[[], object]]]:
    yield "GET /api/dashboard", get(caller, "/api/dashboard")
    page = get(caller, "/api/requests", limit=20)
    yield "GET /api/requests", page
    cursor = page().json()["next_cursor"]
    if cursor:
        yield "  its second page", get(caller, "/api/requests", limit=20, cursor=cursor)
    yield (
        "  from now, order=asc",
        get(caller, "/api/requests", limit=20, order="asc", **{"from": stack.at()}),
    )
    yield "  status=open", get(caller, "/api/requests", limit=20, status="open")
    yield "  status=completed", get(caller, "/api/requests", limit=20, status="completed")
    yield "  meeting_status=ready", get(caller, "/api/requests", limit=20, meeting_status="ready")
    yield "  meeting_status=failed", get(caller, "/api/requests", limit=20, meeting_status="failed")
    yield (
        "  both statuses",
        get(caller, "/api/requests", limit=20, status="completed", meeting_status="cancelled"),
    )


def one(parties: Parties, request: dict) -> Iterator[tuple[str, Callable[[], object]]]:
    url, lawyer = f"/api/requests/{request['id']}", parties.lawyer
    for path in ("", "/meeting", "/meetings", "/calendar.ics", "/audit"):
        yield f"GET /api/requests/{{id}}{path}", get(lawyer, url + path)
    link = request["meeting"]["calendar_url"]
    yield "GET /calendar/event/{token}.ics", get(parties.stack.anyone(), link)


def everything(
    stack: Stack, lawyer: Caller, lawyer_id: str
) -> Iterator[tuple[str, Callable[[], object]]]:
    yield from lists(lawyer, stack)
    month = {"from": stack.at(days=-1), "to": stack.at(days=30)}
    yield "GET /api/lawyers/{id}/busy", get(lawyer, f"/api/lawyers/{lawyer_id}/busy", **month)


def of_all(stack: Stack, request: dict) -> Iterator[tuple[str, Callable[[], object]]]:
    admin = stack.admin()
    yield from lists(admin, stack)
    yield "GET /api/audit", get(admin, "/api/audit", limit=20)
    yield "  request_id", get(admin, "/api/audit", limit=20, request_id=request["id"])
    yield "  actor", get(admin, "/api/audit", limit=20, actor="host-application")
    yield "GET /readyz", get(stack.anyone(), "/readyz")


def raw_page(stack: Stack, lawyer_id: str) -> Callable[[], object]:
    """What the database itself takes for the first page, asked as plainly as can be."""
    shown = {"events": 0, "effects": 0, "answers": 0, "meetings": 0}
    order = [("starts_at", pymongo.DESCENDING), ("_id", pymongo.DESCENDING)]
    return lambda: list(stack.requests.find({"lawyer.id": lawyer_id}, shown).sort(order).limit(21))


@dataclasses.dataclass
class Bench:
    stack: Stack
    database: Database
    filler: Filler
    lawyers: dict[int, Parties] = dataclasses.field(default_factory=dict)
    found: dict[tuple[str, str], dict[int, Figure]] = dataclasses.field(default_factory=dict)

    def people(self, number: int) -> Parties:
        """Ids of one length, which the copies bear."""
        stack = self.stack
        return Parties(
            stack, stack.client(f"client-{number:08x}"), stack.lawyer(f"lawyer-{number:08x}")
        )

    def grow(self, size: int) -> None:
        for heavy in HEAVY:
            if heavy not in self.lawyers and heavy * 10 <= size:
                self.lawyers[heavy] = self.people(0xF0000000 + heavy)
                self.filler.fill(heavy - 1, self.lawyers[heavy].lawyer_id)
        self.filler.fill(size - self.filler.filled - 1)
        self.rest()

    def rest(self) -> None:
        """Until the database has put away what it was given."""
        pid, given_up = [self.database.process.pid], time.monotonic() + QUIET_AFTER_S
        used = QUIET_S * 1e9
        while used > QUIET_SHARE * QUIET_S * 1e9 and time.monotonic() < given_up:
            before = used_ns(pid)
            time.sleep(QUIET_S)
            used = used_ns(pid) - before

    def note(self, size: int, whose: str, calls: Iterator[tuple[str, Callable]]) -> None:
        pids = [self.database.process.pid, *self.stack.children()]
        for name, call in calls:
            self.found.setdefault((whose, name), {})[size] = measure(pids, call)

    def measure(self, size: int) -> None:
        few = self.lawyers[HEAVY[0]]
        if "few" not in vars(self):
            self.few = few.accepted(starts_at=self.stack.at(days=10))
            self.stack.settle(self.few["id"])
            self.few = few.lawyer.request(self.few["id"])
        self.note(size, "100", one(few, self.few))
        for heavy, parties in self.lawyers.items():
            self.note(size, f"{heavy:,}", everything(self.stack, parties.lawyer, parties.lawyer_id))
            self.note(
                size,
                f"{heavy:,}",
                iter([("  (the database alone)", raw_page(self.stack, parties.lawyer_id))]),
            )
        self.note(size, "client", lists(few.client, self.stack))
        self.note(size, "admin", of_all(self.stack, self.few))

    # ---- saying it ----

    def ratio(self, whose: str, name: str, size: int, first: int) -> Figure:
        """To themself in the smallest collection, or to the lawyer with 100 requests there."""
        now = self.found[whose, name].get(size)
        before = self.found[whose, name].get(first) or self.found["100", name].get(first)
        if not now or not before:
            return Figure(0, 0)
        return Figure(now.waited / before.waited, now.used / before.used)

    def table(self, sizes: list[int]) -> None:
        last, first = sizes[-1], sizes[0]
        print("milliseconds until the answer, and of processor time")
        print(
            f"{'of whom':>8}  {'':34}"
            + "".join(f"{size:>18,}" for size in sizes)
            + f"{'ratio':>18}"
        )
        for (whose, name), figures in self.found.items():
            cells = [figures.get(size) for size in sizes]
            cells.append(self.ratio(whose, name, last, first))
            text = "".join(f"{c.waited:9.2f}{c.used:9.2f}" if c else f"{'':18}" for c in cells)
            print(f"{whose:>8}  {name:34}{text}")

    def verdict(self, sizes: list[int]) -> bool:
        last, first = sizes[-1], sizes[0]
        ratios = {
            name: self.ratio("100", name, last, first).waited
            for whose, name in self.found
            if whose == "100" and "alone" not in name
        }
        worst = max(ratios, key=ratios.get)
        good = ratios[worst] <= RATIO
        print(
            f"a lawyer with 100 requests, {last:,} to {first:,}: at most {ratios[worst]:.2f} "
            f"({worst.strip()}); it may be {RATIO}"
        )
        for heavy in [h for h in self.lawyers if h != HEAVY[0]]:
            for name in ("GET /api/dashboard", "GET /api/requests"):
                found = self.ratio(f"{heavy:,}", name, last, first).waited
                alone = self.found[f"{heavy:,}", "  (the database alone)"][last].waited
                print(
                    f"a lawyer with {heavy:,}, {name}: {found:.2f}; it may be {HEAVY_RATIO} "
                    f"(the database alone, for a page as it stands: {alone:.1f} ms)"
                )
                good &= found <= HEAVY_RATIO
        return good


def main() -> int:
    sizes = [int(size) for words in sys.argv[1:] for size in words.split()]
    with tempfile.TemporaryDirectory(dir=os.environ.get("MEETLINK_BENCH_DIR")) as folder:
        database = Database(pathlib.Path(folder) / "database", cache="4G")
        try:
            with Stack(pathlib.Path(folder) / "stack", database.uri) as stack:
                bench = Bench(stack, database, Filler(stack, make_templates(stack)))
                for size in sizes:
                    began = time.monotonic()
                    bench.grow(size)
                    print(f"{size:,} requests after {time.monotonic() - began:.0f} s", flush=True)
                    bench.measure(size)
                bench.table(sizes)
                return 0 if bench.verdict(sizes) else 1
        finally:
            database.stop()


sys.exit(main())
