"""The measuring of bench/collide."""

import collections
import itertools
import pathlib
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from mailbox import SmtpServer

import requests
from caller import Caller, Parties
from stack import Database, Stack

CONNECTIONS, RATE, BURST = 31, 20, 60  # of one address, as nginx/snippets have it
OTHERS, PAUSE_S = 4, 0.05
ROUNDS, HOUR_S = 3, 3600
CHANGES_PER_HOUR = 1000


class Elsewhere(requests.adapters.HTTPAdapter):
    """Calls from an address of its own."""

    def init_poolmanager(self, *arguments: object, **options: object) -> None:
        super().init_poolmanager(*arguments, source_address=("127.0.0.2", 0), **options)


class Allowance:
    """What `limit_req rate=20r/s burst=60 nodelay` lets through."""

    def __init__(self) -> None:
        self.lock, self.began, self.taken = threading.Lock(), time.monotonic(), 0

    def take(self) -> None:
        with self.lock:
            self.taken += 1
            at = self.began + (self.taken - BURST) / RATE
        time.sleep(max(0.0, at - time.monotonic()))


class Attack:
    """A context manager: as long as it lasts."""

    def __init__(self, parties: Parties, request_id: str, numbers: "itertools.count[int]"):
        self.parties, self.request_id, self.numbers = parties, request_id, numbers
        self.ended, self.allowance = threading.Event(), Allowance()
        self.answers: collections.Counter[int] = collections.Counter()
        self.threads = [threading.Thread(target=self.run) for _ in range(CONNECTIONS)]

    def run(self) -> None:
        lawyer = Caller(self.parties.stack.url, self.parties.lawyer.token)
        lawyer.session.mount("http://", Elsewhere())
        while not self.ended.is_set():
            self.allowance.take()
            start = self.parties.stack.at(days=200, minutes=next(self.numbers))
            answer = lawyer.command(self.request_id, "reschedule", starts_at=start)
            self.answers[answer.status_code] += 1

    def __enter__(self) -> "Attack":
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        for thread in self.threads:
            thread.join()


def others(stack: Stack, seconds: float) -> list[float]:
    """What four pairs of people wait for each of their calls, those included that are repeated
    because they were refused."""
    waits: list[float] = []
    until = time.monotonic() + seconds

    def timed(call: Callable[[], requests.Response]) -> dict:
        began = time.perf_counter()
        while not (answer := call()).ok:
            assert answer.status_code == 503, answer.text
        waits.append(time.perf_counter() - began)
        time.sleep(PAUSE_S)
        return answer.json()

    def live() -> None:
        parties = stack.parties()
        client, lawyer = parties.client, parties.lawyer
        while time.monotonic() < until:
            made = timed(lambda: client.post("/api/requests", parties.draft()))["id"]
            for _ in range(3):
                timed(lambda made=made: client.get(f"/api/requests/{made}"))
                timed(lambda: client.get("/api/requests?limit=5"))
            timed(lambda made=made: lawyer.respond(made, "accept"))

    threads = [threading.Thread(target=live) for _ in range(OTHERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return waits


def shown(waits: list[float]) -> tuple[float, float]:
    ordered = sorted(waits)
    return tuple(1000 * ordered[len(ordered) * part // 100] for part in (50, 99))


def policy(stack: Stack, **part: object) -> None:
    answer = stack.admin().put("/api/config/meetings", part)
    assert answer.status_code == 200, answer.text


def measure(stack: Stack, smtp: SmtpServer, seconds: float, many: int) -> None:
    parties, numbers = stack.parties(), itertools.count()
    policy(stack, max_changes_per_hour=CHANGES_PER_HOUR)
    request_id = parties.accepted(starts_at=stack.at(days=200))["id"]
    for number in range(1, many):
        start = stack.at(days=200, minutes=next(numbers))
        answer = parties.lawyer.command(request_id, "reschedule", starts_at=start)
        assert answer.status_code == 200, answer.text
        if number % (CHANGES_PER_HOUR - 20) == 0:
            stack.advance(HOUR_S + 1)
    stack.advance(HOUR_S + 1)
    stack.settle(request_id, 120)
    stack.advance(HOUR_S + 1)
    policy(stack, max_changes_per_hour=30)
    before = len(smtp.of(request_id))
    waits: dict[bool, list[float]] = {False: [], True: []}
    answers: collections.Counter[int] = collections.Counter()
    others(stack, 3)
    for _ in range(ROUNDS):
        waits[False] += others(stack, seconds)
        with Attack(parties, request_id, numbers) as attack:
            waits[True] += others(stack, seconds)
        answers += attack.answers
    quiet, attacked = shown(waits[False]), shown(waits[True])
    print(f"one request with {many:,} events, changed on {CONNECTIONS} connections: {dict(answers)}")
    for name, found, values in (
        ("without", quiet, waits[False]),
        ("with", attacked, waits[True]),
    ):
        print(f"others {name:7} it: {len(values)} calls, p50 {found[0]:.1f}, p99 {found[1]:.1f} ms")
    print(f"p99 ratio {attacked[1] / quiet[1]:.2f}")
    # All that it owes of that hour leaves.
    stack.advance(60)
    stack.settle(request_id, 120)
    people = collections.Counter(mail.recipient for mail in smtp.of(request_id)[before:])
    print(f"mails to its two people: {sorted(people.values())}")


def main() -> None:
    smtp = SmtpServer()
    with tempfile.TemporaryDirectory() as folder:
        database = Database(pathlib.Path(folder) / "database")
        with Stack(pathlib.Path(folder) / "stack", database.uri, smtp) as stack:
            measure(stack, smtp, float(sys.argv[1]), int(sys.argv[2]))
        database.stop()
    smtp.stop()


main()
