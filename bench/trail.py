"""The measuring of bench/trail."""

import pathlib
import statistics
import sys
import tempfile
import time

from caller import Parties
from stack import Database, Stack

ROUNDS, SHORT, SHOWN = 300, 10, 1000
HOUR_S, CHANGES_PER_HOUR = 3600, 1000
SLACK = 20  # changes of that hour that are not moves


def move(parties: Parties, request_id: str, number: int) -> float:
    """Seconds that a change takes its caller."""
    start = parties.stack.at(days=300, minutes=number)
    began = time.perf_counter()
    answer = parties.lawyer.command(request_id, "reschedule", starts_at=start)
    took = time.perf_counter() - began
    assert answer.status_code == 200, answer.text
    return took


def events(stack: Stack, request_id: str) -> int:
    document = stack.requests.find_one({"_id": request_id}, {"archived": 1, "events.id": 1})
    return document.get("archived", {"count": 0})["count"] + len(document["events"])


def accepted(parties: Parties) -> str:
    return parties.accepted(starts_at=parties.stack.at(days=300))["id"]


def grow(parties: Parties, many: int) -> tuple[str, int]:
    """A request with so many events, and how often it was moved for them."""
    request_id, number, began = accepted(parties), 0, time.monotonic()
    while events(parties.stack, request_id) < many:
        for _ in range(SHOWN // 10):
            number += 1
            move(parties, request_id, number)
            if number % (CHANGES_PER_HOUR - SLACK) == 0:
                parties.stack.advance(HOUR_S + 1)
        if number % SHOWN == 0:
            print(f"{number:,} moves in {time.monotonic() - began:.0f} s", flush=True)
    return request_id, number


def search(stack: Stack, **query: object) -> float:
    began = time.perf_counter()
    stack.admin().fetch("/api/audit", params=query)
    return time.perf_counter() - began


def measure(stack: Stack, many: int) -> None:
    body = {"max_changes_per_hour": CHANGES_PER_HOUR}
    answer = stack.admin().put("/api/config/meetings", body)
    assert answer.status_code == 200, answer.text
    parties = stack.parties()
    long, number = grow(parties, many)
    stack.advance(HOUR_S + 1)
    took: dict[str, list[float]] = {"short": [], "long": []}
    short = ""
    for turn in range(ROUNDS):
        if turn % SHORT == 0:
            short = accepted(parties)
            stack.advance(HOUR_S + 1)  # what is counted within the hour is about the same
        took["short"].append(move(parties, short, turn))
        took["long"].append(move(parties, long, number + turn + 1))
    medians = {name: statistics.median(times) * 1000 for name, times in took.items()}
    print(f"a change of a request with about {SHORT} events: {medians['short']:.2f} ms")
    print(f"of one with {events(stack, long):,}: {medians['long']:.2f} ms")
    print(f"ratio {medians['long'] / medians['short']:.2f}")
    for query in ({"limit": 50}, {"request_id": long}, {"actor": parties.lawyer_id}):
        times = sorted(search(stack, **query) for _ in range(20))
        print(f"GET /api/audit {query}: median {statistics.median(times) * 1000:.1f} ms")
    print(stack.run("verify-audit"), end="")


def main() -> None:
    """Nobody mails: what is owed is the same for all, and coalesced."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(pathlib.Path(folder) / "database")
        with Stack(pathlib.Path(folder) / "stack", database.uri, SERVER_DISPATCHERS=0) as stack:
            measure(stack, int(sys.argv[1]))
        database.stop()


main()
