"""The requests of bench/metrics."""

import pathlib
import sys
import tempfile

from scrape import Scrape, scrape
from stack import Database, Stack

REQUESTS = 3000


def used_us(stack: Stack) -> float:
    """Processor time of all processes of the program."""
    master = stack.program.pid
    children = pathlib.Path(f"/proc/{master}/task/{master}/children").read_text().split()
    total = 0
    for pid in [str(master), *children]:
        total += sum(map(int, pathlib.Path(f"/proc/{pid}/schedstat").read_text().split()[:1])) / 1e3
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            if task.name != pid:
                total += int((task / "schedstat").read_text().split()[0]) / 1e3
    return total


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
