"""The measuring of bench/trail."""

import pathlib
import statistics
import sys
import tempfile
import time

from caller import Parties
from stack import Database, Stack

ROUNDS, SHORT, HOUR_S = 300, 10, 3600


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


def search(stack: Stack, **query: object) -> float:
    began = time.perf_counter()
    stack.admin().fetch("/api/audit", params=query)
    return time.perf_counter() - began


def measure(stack: Stack, many: int) -> None:
    answer = stack.admin().put("/api/config/meetings", {"max_changes_per_hour": 1000})
    assert answer.status_code == 200, answer.text
    parties = stack.parties()
    long = parties.accepted(starts_at=stack.at(days=300))["id"]
    number = 0
    while events(stack, long) < many:
        for _ in range(50):
            number += 1
            move(parties, long, number)
        if number % 900 == 0:
            stack.advance(HOUR_S + 1)
    stack.advance(HOUR_S + 1)
    stack.settle(long, 600)
    took: dict[str, list[float]] = {"short": [], "long": []}
    short = ""
    for turn in range(ROUNDS):
        if turn % SHORT == 0:
            short = parties.accepted(starts_at=stack.at(days=300))["id"]
            stack.settle(short, 600)
        took["short"].append(move(parties, short, turn))
        took["long"].append(move(parties, long, number + turn + 1))
        stack.settle(long, 600)
    medians = {name: statistics.median(times) * 1000 for name, times in took.items()}
    print(f"a change of a request with about {SHORT} events: {medians['short']:.2f} ms")
    print(f"of one with {events(stack, long):,}: {medians['long']:.2f} ms")
    print(f"ratio {medians['long'] / medians['short']:.2f}")
    for query in ({"limit": 50}, {"request_id": long}, {"actor": parties.lawyer_id}):
        times = sorted(search(stack, **query) for _ in range(20))
        print(f"GET /api/audit {query}: median {statistics.median(times) * 1000:.1f} ms")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = Database(pathlib.Path(folder) / "database")
        with Stack(pathlib.Path(folder) / "stack", database.uri) as stack:
            measure(stack, int(sys.argv[1]))
        database.stop()


main()
