"""The measuring of bench/collide."""

import collections
import datetime
import json
import pathlib
import secrets
import subprocess
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


def attack(url: str, token: str, request_id: str) -> None:
    """A process of its own, until its input ends: it prints how often it was answered what."""
    ended, allowance = threading.Event(), Allowance()
    answers: collections.Counter[int] = collections.Counter()
    soon = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=100)

    def run() -> None:
        lawyer = Caller(url, token)
        lawyer.session.mount("http://", Elsewhere())
        while not ended.is_set():
            allowance.take()
            start = soon + datetime.timedelta(minutes=secrets.randbelow(10**5))
            answer = lawyer.command(request_id, "reschedule", starts_at=f"{start:%FT%TZ}")
            answers[answer.status_code] += 1

    threads = [threading.Thread(target=run) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    sys.stdin.read()
    ended.set()
    for thread in threads:
        thread.join()
    print(json.dumps(answers))


class Attack:
    """A context manager: as long as it lasts."""

    def __init__(self, parties: Parties, request_id: str):
        stack, token = parties.stack, parties.lawyer.token
        self.command = [sys.executable, __file__, stack.url, token, request_id]

    def __enter__(self) -> "Attack":
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(self, *_: object) -> None:
        said, _ = self.process.communicate()
        self.answers = collections.Counter(json.loads(said))


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
    parties = stack.parties()
    policy(stack, max_changes_per_hour=CHANGES_PER_HOUR)
    request_id = parties.accepted(starts_at=stack.at(days=200))["id"]
    for number in range(1, many):
        start = stack.at(days=200, minutes=number)
        answer = parties.lawyer.command(request_id, "reschedule", starts_at=start)
        assert answer.status_code == 200, answer.text
        if number % (CHANGES_PER_HOUR - 20) == 0:
            stack.advance(HOUR_S + 1)
    stack.advance(HOUR_S + 1)
    stack.settle(request_id)
    stack.advance(HOUR_S + 1)
    policy(stack, max_changes_per_hour=30)
    before = len(smtp.of(request_id))
    waits: dict[bool, list[float]] = {False: [], True: []}
    answers: collections.Counter[int] = collections.Counter()
    others(stack, 3)
    for _ in range(ROUNDS):
        waits[False] += others(stack, seconds)
        with Attack(parties, request_id) as attacker:
            waits[True] += others(stack, seconds)
        answers += attacker.answers
    quiet, attacked = shown(waits[False]), shown(waits[True])
    print(f"a request of {many:,} events, changed on {CONNECTIONS} connections: {dict(answers)}")
    for name, found, values in (
        ("without", quiet, waits[False]),
        ("with", attacked, waits[True]),
    ):
        print(f"others {name:7} it: {len(values)} calls, p50 {found[0]:.1f}, p99 {found[1]:.1f} ms")
    print(f"p99 ratio {attacked[1] / quiet[1]:.2f}")
    # All that it owes of that hour leaves.
    stack.advance(60)
    stack.settle(request_id)
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


if len(sys.argv) == 4:
    attack(*sys.argv[1:])
else:
    main()
