"""The requests of bench/metrics."""

import pathlib
import sys
import tempfile

from scrape import Scrape, scrape
from stack import Database, Stack
from support import used_ns

REQUESTS = 3000


def used_us(stack: Stack) -> float:
    """Processor time of all processes of the program."""
    return used_ns([stack.program.pid, *stack.children()]) / 1e3


def calls(now: Scrape, before: Scrape) -> tuple[float, float]:
    """How often something was counted, and how often a time was noted."""
    counted = noted = 0.0
    for series, value in now.samples.items():
        name, grown = series[0], value - before.samples.get(series, 0)
        if name.endswith("_total"):
            counted += grown
        elif name.endswith("_count"):
            noted += grown
    return counted, noted


def main() -> None:
    count_ns, time_ns = map(float, sys.argv[1:3])
    with tempfile.TemporaryDirectory(prefix="meetlink-metrics-") as name:
        folder = pathlib.Path(name)
        database = Database(folder)
        try:
            with Stack(folder / "stack", database.uri) as stack:
                parties = stack.parties()
                request = parties.accepted()
                stack.settle(request["id"])
                before, from_us = scrape(stack), used_us(stack)
                for _ in range(REQUESTS):
                    parties.client.request(request["id"])
                us = (used_us(stack) - from_us) / REQUESTS
                counted, noted = (n / REQUESTS for n in calls(scrape(stack), before))
        finally:
            database.stop()
    cost = (counted * count_ns + noted * time_ns) / 1000
    print(
        f"GET /api/requests/{{id}}: {us:.0f} us, {counted:.2f} times {count_ns:.0f} ns to count and"
        f" {noted:.2f} times {time_ns:.0f} ns to note a time: {cost:.2f} us, {100 * cost / us:.2f} %"
    )


main()
