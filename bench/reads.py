"""The measuring of bench/reads; README.md says what is compared."""

import argparse
import collections
import dataclasses
import os
import pathlib
import re
import secrets
import statistics
import subprocess
import tempfile
import time

import requests
from caller import Caller
from providers import Providers
from reads_content import fill, fill_peer
from reads_same import differences, rows, values
from reads_sides import BARE, OURS, PEER, Side, running, seconds
from stack import Database, Stack
from support import until

CONNECTIONS = 16


@dataclasses.dataclass(frozen=True)
class Route:
    """What is asked, and the bounds: processor time a request, how much less than the peer's; rate,
    how much more. None: told for information."""

    name: str
    path: str
    peer_path: str
    token: str | None = None
    time_bound: float | None = None
    rate_bound: float | None = None

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


@dataclasses.dataclass(frozen=True)
class Round:
    """What one side did in one round: microseconds of processor time a request."""

    micros: float
    database_micros: float
    rate: float


def feed_path(side: Side, lawyer: Caller, public_url: str) -> str | None:
    """Of a feed that is made for the lawyer, where there are feeds."""
    answer = requests.post(
        side.url + "/api/calendar/feed",
        headers={"Authorization": f"Bearer {lawyer.token}", "Content-Type": "application/json"},
        data="{}",
        timeout=10,
    )
    if answer.status_code not in (200, 201):
        print(f"feed of 40: LEFT OUT, POST /api/calendar/feed is answered {answer.status_code}")
        return None
    return answer.json()["url"].removeprefix(public_url)


def routes_of(sides: dict[str, Side], lawyer: Caller, one: str, public_url: str) -> list[Route]:
    same = [
        ("request", f"/api/requests/{one}", lawyer.token, 6, None),
        (".ics", f"/api/requests/{one}/calendar.ics", lawyer.token, 6, None),
        ("dashboard", "/api/dashboard", lawyer.token, 8, 2),
        ("list of 20", "/api/requests?limit=20", lawyer.token, 8, 2),
    ]
    routes = [Route(name, path, path, *rest) for name, path, *rest in same]
    feeds = [feed_path(sides[name], lawyer, public_url) for name in (OURS, PEER)]
    if all(feeds):
        routes.append(Route("feed of 40", *feeds, time_bound=15))
    return [*routes, Route("trivial", "/healthz", "/healthz")]


def ask(side: Side, path: str, route: Route) -> dict | str:
    answer = requests.get(side.url + path, headers=route.headers, timeout=10)
    assert answer.status_code == 200, f"{answer.url}: {answer.status_code} {answer.text}"
    if answer.headers["Content-Type"].startswith("text/calendar"):
        return answer.text
    return {name: value for name, value in answer.json().items() if name != "now"}


def check(route: Route, sides: dict[str, Side]) -> bool:
    """Stops when the rows differ; says what else does, and returns whether nothing does."""
    ours, peer = ask(sides[OURS], route.path, route), ask(sides[PEER], route.peer_path, route)
    assert rows(ours) == rows(peer), f"{route.name}: ours {rows(ours)}, the peer's {rows(peer)}"
    found = differences(ours, peer)
    print(f"{route.name}: {len(values(ours))} values, rows {rows(ours) or 'none'}")
    for difference in found:
        print(f"  NOT THE SAME (ours / the peer's): {difference}"[:200])
    return not found


def is_quiet(side: Side) -> bool:
    """Whether it is done with what wrk has left behind."""
    used = side.seconds()
    time.sleep(0.1)
    return side.seconds() - used < 0.02


def measure(side: Side, path: str, route: Route, database: int, length: int) -> Round:
    options = [o for name, value in route.headers.items() for o in ("-H", f"{name}: {value}")]
    command = ["wrk", "-t2", f"-c{CONNECTIONS}", f"-d{length}s", "--timeout", "30s", *options]
    until(lambda: is_quiet(side), "what was left is answered", 60)
    used, database_used = side.seconds(), seconds(database)
    out = subprocess.check_output([*command, side.url + path], text=True)
    used, database_used = side.seconds() - used, seconds(database) - database_used
    assert "Non-2xx" not in out and "Socket errors" not in out, out
    count = int(re.search(r"(\d+) requests in", out)[1])
    rate = float(re.search(r"Requests/sec: +([\d.]+)", out)[1])
    return Round(used / count * 1e6, database_used / count * 1e6, rate)


def tell_idle(sides: dict[str, Side], length: int) -> None:
    """What is spent while nobody asks is a part of every figure: the more, the lower the rate."""
    used = {name: side.seconds() for name, side in sides.items()}
    time.sleep(length)
    idle = {name: (side.seconds() - used[name]) / length * 1e3 for name, side in sides.items()}
    told = ", ".join(f"{name} {millis:.0f}" for name, millis in idle.items())
    print(f"while nobody asks, ms of processor time a second: {told}")


Results = dict[str, dict[str, list[Round]]]


def measure_all(
    routes: list[Route], sides: dict[str, Side], database: int, length: int, rounds: int
) -> Results:
    results: Results = {route.name: collections.defaultdict(list) for route in routes}
    for number in range(rounds + 1):
        # Round 0 warms up and is not counted.
        print(f"\nround {number}" if number else "\nwarming up", flush=True)
        for route in routes:
            told = []
            for name, path in ((OURS, route.path), (PEER, route.peer_path), (BARE, route.path)):
                if name == BARE and route is not routes[0]:
                    continue
                one = measure(sides[name], path, route, database, length if number else 1)
                told.append(f"{name} {one.micros:6.0f} us {one.rate:6.0f}/s")
                if number:
                    results[route.name][name].append(one)
            print(f"  {route.name:<12} {'   '.join(told)}", flush=True)
    return results


def middle(rounds: list[Round], name: str) -> float:
    return statistics.median(getattr(one, name) for one in rounds)


def ratio(results: dict[str, list[Round]], above: str, below: str, name: str) -> float:
    """The median of the rounds' own: what else the machine does at a time meets both."""
    pairs = zip(results[above], results[below], strict=True)
    return statistics.median(getattr(a, name) / getattr(b, name) for a, b in pairs)


def verdict(holds: bool) -> str:
    return "holds" if holds else "MISSED"


def report(routes: list[Route], results: Results) -> None:
    print("\nprocessor time of the application, us a request (medians)")
    for route in routes:
        found = results[route.name]
        peers = ratio(found, PEER, OURS, "micros")
        bound = ""
        if route.time_bound:
            bound = f"   bound 1/{route.time_bound:.0f}: {verdict(peers >= route.time_bound)}"
        mine, other = (middle(found[side], "micros") for side in (OURS, PEER))
        print(f"  {route.name:<12} ours {mine:6.0f}   peer {other:6.0f}   1/{peers:4.1f}{bound}")
    print(f"\nrequests a second at {CONNECTIONS} connections (medians); us of the database each")
    for route in routes:
        found = results[route.name]
        faster = ratio(found, OURS, PEER, "rate")
        bound = ""
        if route.rate_bound:
            bound = f"   bound {route.rate_bound:.0f} x: {verdict(faster >= route.rate_bound)}"
        mine, other = (middle(found[side], "rate") for side in (OURS, PEER))
        database = "/".join(f"{middle(found[s], 'database_micros'):.0f}" for s in (OURS, PEER))
        print(
            f"  {route.name:<12} ours {mine:6.0f}   peer {other:6.0f}   {faster:4.2f} x"
            f"   database {database}{bound}"
        )
    bare = results[routes[0].name]
    share = ratio(bare, OURS, BARE, "rate")
    print(f"\n{routes[0].name} against a bare program in C (one find, printed as JSON)")
    print(
        f"  ours {middle(bare[OURS], 'rate'):.0f}/s, {middle(bare[OURS], 'micros'):.0f} us;"
        f" bare {middle(bare[BARE], 'rate'):.0f}/s, {middle(bare[BARE], 'micros'):.0f} us,"
        f" {middle(bare[BARE], 'database_micros'):.0f} us of the database;"
        f" rate {share:.2f}   bound 0.85: {verdict(share >= 0.85)}"
    )


def tell_memory(stack: Stack) -> None:
    for process, name in stack.children().items():
        status = pathlib.Path(f"/proc/{process}/status").read_text()
        resident, own = (
            int(re.search(rf"{field}:\s+(\d+)", status)[1]) / 1024 for field in ("VmRSS", "RssAnon")
        )
        print(f"  {name} {process}: {resident:.1f} MB resident, {own:.1f} MB of its own")


def run(
    options: argparse.Namespace, folder: pathlib.Path, database: Database, stack: Stack
) -> None:
    parties, name = stack.parties(), f"peer_{secrets.token_hex(6)}"
    shown, accepted = fill(parties)
    until(stack.is_idle, "nothing is owed any more", 120)
    fill_peer(stack, name, shown)
    with running(stack, database, name, options.peer_python, options.bare, folder) as sides:
        print(f"database {pathlib.Path(database.program).name}, {os.cpu_count()} processors")
        routes = routes_of(sides, parties.lawyer, accepted[0]["id"], stack.url)
        same = [check(route, sides) for route in routes if route.name != "trivial"]
        assert ask(sides[BARE], routes[0].path, routes[0])["_id"] == accepted[0]["id"]
        if not all(same):
            print("the answers are NOT THE SAME: the figures compare different work")
        tell_idle(sides, options.seconds)
        results = measure_all(routes, sides, database.process.pid, options.seconds, options.rounds)
        report(routes, results)
        print("\nmemory of our processes")
        tell_memory(stack)
    stack.mongo.drop_database(name)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("seconds", type=int)
    parser.add_argument("rounds", type=int)
    parser.add_argument("peer_python")
    parser.add_argument("bare")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        database = Database(folder / "database")
        try:
            with Providers(folder / "stack", database.uri, names=["zoom"]) as providers:
                run(options, folder, database, providers.stack)
        finally:
            database.stop()


main()
