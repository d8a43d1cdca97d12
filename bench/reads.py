"""The measuring of bench/reads; README.md says what is compared."""

import argparse
import collections
import dataclasses
import datetime
import json
import os
import pathlib
import re
import secrets
import signal
import statistics
import subprocess
import tempfile

import pymongo
import requests
from caller import Parties
from providers import Providers
from stack import ROOT, Database, Stack, end, spawn
from support import free_port, listens, until

PEERS = ROOT / "bench/peers"
CONNECTIONS = 16
OURS, PEER, BARE = "ours", "peer", "bare"
# What a lawyer with a hundred requests has: of ten, so many.
ACCEPTED, OPEN, DECLINED = 4, 3, 2
TEXT = (
    "The flat has been without heating since the ninth; the landlord answers neither letters nor "
    "calls, and I would like to know whether I may reduce the rent and by how much."
)


@dataclasses.dataclass(frozen=True)
class Route:
    """What is asked. The bounds are the most of the peer's processor time a request, and the least of
    its rate; None: told for information."""

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
class Side:
    """An application behind nginx."""

    url: str
    process: int  # the first of its processes


@dataclasses.dataclass(frozen=True)
class Round:
    """What one side did in one round: microseconds of processor time a request."""

    micros: float
    database_micros: float
    rate: float


# ---- what is asked about ----


def fill(parties: Parties) -> tuple[list[dict], list[dict]]:
    """A hundred requests of one lawyer: all as the lawyer sees them, and those accepted."""
    everything, accepted = [], []
    for number in range(100):
        kind = number % 10
        request = parties.create(
            title=f"Rent reduction, flat {number}",
            description=TEXT,
            starts_at=parties.stack.at(days=3, hours=2 * number),
        )
        if kind < ACCEPTED:
            request = parties.accept(request, message="Please have the lease at hand.")
            assert request["meeting"]["status"] == "ready", request
            accepted.append(request)
        elif ACCEPTED + OPEN <= kind < ACCEPTED + OPEN + DECLINED:
            assert parties.lawyer.respond(request["id"], "decline").status_code == 200
        elif kind >= ACCEPTED + OPEN:
            assert parties.client.cancel(request["id"]).status_code == 200
        everything.append(parties.lawyer.request(request["id"]))
    return everything, accepted


INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
# What is derived for each caller, and stored nowhere.
DERIVED = ("join_url", "calendar_url", "add_to_calendar")


def instants(value: object) -> object:
    if isinstance(value, dict):
        return {name: instants(item) for name, item in value.items()}
    if isinstance(value, list):
        return [instants(item) for item in value]
    if isinstance(value, str) and INSTANT.fullmatch(value):
        return datetime.datetime.fromisoformat(value)
    return value


def peer_document(shown: dict, stored: dict) -> dict:
    """The same content in the peer's shape: nothing is sealed; what no answer shows, and makes the
    document as long as ours, is its trail."""
    document = {"_id": shown["id"]} | instants(shown)
    del document["id"], document["links"]
    if document["meeting"]:
        document["meeting"] |= {name: None for name in DERIVED if name in document["meeting"]}
    status, start = document["status"], document["starts_at"]
    over_at = {"open": start, "accepted": document["ends_at"]}.get(status, stored["updated_at"])
    return document | {
        "rev": stored["rev"],
        "shelf": {"open": "open", "accepted": "upcoming"}.get(status),
        "over_at": over_at,
        "lawyer_until": start if status == "open" else None,
        "trail": {name: value for name, value in stored.items() if name not in document},
    }


# Those that serve our reads.
PEER_INDEXES = [
    [f"{who}.id", *rest, "_id"]
    for who in ("client", "lawyer")
    for rest in (["starts_at"], ["shelf", "over_at"], ["meeting.status", "over_at"], ["over_at"])
] + [["lawyer.id", "lawyer_until", "_id"]]


def fill_peer(stack: Stack, name: str, shown: list[dict], lawyer_id: str) -> str:
    """Returns the id of the lawyer's feed."""
    peer, ids = stack.mongo[name], [request["id"] for request in shown]
    stored = {document["_id"]: document for document in stack.requests.find({"_id": {"$in": ids}})}
    peer["requests"].insert_many(peer_document(r, stored[r["id"]]) for r in shown)
    for fields in PEER_INDEXES:
        peer["requests"].create_index([(field, pymongo.ASCENDING) for field in fields])
    feed = {"_id": secrets.token_hex(16), "role": "lawyer", "person": lawyer_id}
    peer["feeds"].insert_one(feed | {"changed_at": stack.now()})
    size = {c: next(c.aggregate(SIZES))["size"] for c in (stack.requests, peer["requests"])}
    print("mean document: ours {:.0f} bytes, the peer's {:.0f}".format(*size.values()))
    return feed["_id"]


SIZES = [{"$project": {"n": {"$bsonSize": "$$ROOT"}}}, {"$group": {"_id": 0, "size": {"$avg": "$n"}}}]


# ---- the applications ----


def start_peer(python: str, folder: pathlib.Path, environment: dict) -> subprocess.Popen:
    options = "--loop uvloop --http httptools --workers 2 --log-level warning --no-access-log"
    options += " --no-server-header --no-date-header --timeout-keep-alive 75"
    command = [python, "-m", "uvicorn", "app:app", "--app-dir", PEERS, "--uds"]
    return spawn(
        folder / "peer.log", *command, folder / "peer.sock", *options.split(), env=environment
    )


def add_to_nginx(stack: Stack, folder: pathlib.Path) -> dict[str, str]:
    """The nginx of the stack serves the others too, with what it does for ours; their URLs."""
    conf = stack.folder / "nginx/nginx.conf"
    text = conf.read_text()
    (upstream,) = re.findall(r"\tupstream meetlink \{.*?\n\t\}\n", text, re.DOTALL)
    upstream = upstream.replace("upstream meetlink", "upstream bare")
    upstream = upstream.replace(str(stack.settings["SERVER_SOCKET"]), str(folder / "bare.sock"))
    fastcgi = (ROOT / "nginx/snippets/meetlink_fastcgi.conf").read_text()
    ports = {PEER: free_port(), BARE: free_port()}
    more = (PEERS / "nginx.conf.in").read_text()
    for name, value in {
        "PEER_PORT": ports[PEER],
        "BARE_PORT": ports[BARE],
        "PEER_SOCKET": folder / "peer.sock",
        "BARE_UPSTREAM": upstream,
        "BARE_FASTCGI": fastcgi.replace("fastcgi_pass meetlink", "fastcgi_pass bare"),
    }.items():
        more = more.replace(f"@{name}@", str(value))
    conf.write_text(text.rstrip().removesuffix("}") + more + "}\n")
    stack.nginx.send_signal(signal.SIGHUP)
    for name, port in ports.items():
        until(lambda port=port: listens(port), f"nginx listens for {name}")
    return {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}


def answers(url: str) -> bool:
    return requests.get(url, timeout=5).status_code < 500


def descendants(process: int) -> set[int]:
    """With the process itself."""
    children = collections.defaultdict(list)
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = stat.read_text().rpartition(") ")[2].split()[1]
        except OSError:
            continue
        children[int(parent)].append(int(stat.parent.name))
    found, ahead = set(), [process]
    while ahead:
        found.add(one := ahead.pop())
        ahead += children[one]
    return found


def seconds(process: int) -> float:
    """Processor time of an application: all its processes."""
    ticks = 0
    for one in descendants(process):
        fields = pathlib.Path(f"/proc/{one}/stat").read_text().rpartition(") ")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


# ---- the same answers ----

# Tokens and cursors are each side's own.
OWN_WORDS = re.compile(r"https?://127\.0\.0\.1:\d+|[A-Za-z0-9_-]{30,}")


def leaves(value: object, path: str = "") -> dict[str, str]:
    """Every value of an answer by its place."""
    if isinstance(value, dict):
        items = [(f"{path}.{name}".removeprefix("."), item) for name, item in value.items()]
    elif isinstance(value, list):
        items = [(f"{path}[{number}]", item) for number, item in enumerate(value)]
    else:
        return {path: OWN_WORDS.sub("*", json.dumps(value))}
    empty = {} if items else {path: "empty"}
    return empty | {p: leaf for name, item in items for p, leaf in leaves(item, name).items()}


def rows(answer: dict | str) -> dict[str, int]:
    if isinstance(answer, str):
        return {"VEVENT": answer.count("BEGIN:VEVENT")}
    return {name: len(value) for name, value in answer.items() if isinstance(value, list)}


def lines(calendar: str) -> dict[str, str]:
    """Properties by the place of their event, whatever order they have within it."""
    found: dict[str, str] = {}
    place = collections.Counter()
    for line in calendar.replace("\r\n ", "").split("\r\n"):
        head, _, value = line.partition(":")
        place["event"] += line == "BEGIN:VEVENT"
        place["alarm"] = line == "BEGIN:VALARM" or (place["alarm"] and line != "END:VALARM")
        name = f"event {place['event']} {'alarm ' * bool(place['alarm'])}{head.split(';')[0]}"
        found[name] = found.get(name, "") + OWN_WORDS.sub("*", value)
    return found


def ask(side: Side, path: str, route: Route) -> dict | str:
    answer = requests.get(side.url + path, headers=route.headers, timeout=10)
    assert answer.status_code == 200, f"{answer.url}: {answer.status_code} {answer.text}"
    assert "calendar" in answer.headers["Content-Type"] or answer.json()
    if "calendar" in answer.headers["Content-Type"]:
        return answer.text
    return {name: value for name, value in answer.json().items() if name != "now"}


def check(route: Route, sides: dict[str, Side]) -> bool:
    """Stops when the rows differ; says what else does, and returns whether nothing does."""
    ours, peer = ask(sides[OURS], route.path, route), ask(sides[PEER], route.peer_path, route)
    assert rows(ours) == rows(peer), f"{route.name}: ours {rows(ours)}, the peer's {rows(peer)}"
    of_ours, of_peer = (lines(a) if isinstance(a, str) else leaves(a) for a in (ours, peer))
    print(f"{route.name}: {len(of_ours)} values of ours, {len(of_peer)} of the peer's, rows {rows(ours)}")
    different = {p for p in of_ours.keys() | of_peer.keys() if of_ours.get(p) != of_peer.get(p)}
    alike = {re.sub(r"\[\d+\]|event \d+", "*", place) for place in different}
    for place in sorted(alike):
        example = min(p for p in different if re.sub(r"\[\d+\]|event \d+", "*", p) == place)
        print(f"  NOT THE SAME: {example}: {of_ours.get(example)} / {of_peer.get(example)}"[:200])
    return not different


# ---- measuring ----


def measure(side: Side, path: str, route: Route, database: int, length: int) -> Round:
    options = [o for name, value in route.headers.items() for o in ("-H", f"{name}: {value}")]
    command = ["wrk", "-t2", f"-c{CONNECTIONS}", f"-d{length}s", "--timeout", "30s", *options]
    used, database_used = seconds(side.process), seconds(database)
    out = subprocess.check_output([*command, side.url + path], text=True)
    used, database_used = seconds(side.process) - used, seconds(database) - database_used
    assert "Non-2xx" not in out and "Socket errors" not in out, out
    count = int(re.search(r"(\d+) requests in", out)[1])
    rate = float(re.search(r"Requests/sec: +([\d.]+)", out)[1])
    return Round(used / count * 1e6, database_used / count * 1e6, rate)


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
    print(f"\nrequests a second at {CONNECTIONS} connections (medians); us of the database for each")
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


# ---- one run ----


def feed_of(parties: Parties) -> str | None:
    """The path of the lawyer's feed, where there are feeds."""
    answer = parties.lawyer.post("/api/calendar/feed")
    if answer.status_code not in (200, 201):
        print(f"feed of 40: left out, POST /api/calendar/feed answers {answer.status_code}")
        return None
    return answer.json()["url"].removeprefix(parties.stack.url)


def routes_of(parties: Parties, one: str, feed: str | None, peer_feed: str) -> list[Route]:
    token = parties.lawyer.token
    same = [
        ("request", f"/api/requests/{one}", token, 6, None),
        (".ics", f"/api/requests/{one}/calendar.ics", token, 6, None),
        ("dashboard", "/api/dashboard", token, 8, 2),
        ("list of 20", "/api/requests?limit=20", token, 8, 2),
        ("trivial", "/healthz", None, None, None),
    ]
    routes = [Route(name, path, path, *rest) for name, path, *rest in same]
    if feed:
        routes.insert(4, Route("feed of 40", feed, f"/calendar/feed/{peer_feed}.ics", None, 15))
    return routes


def peer_feed_token(environment: dict, feed_id: str, python: str) -> str:
    code = "import sys, views; print(views.mac('feed', sys.argv[1].encode()))"
    command = [python, "-c", code, feed_id]
    mac = subprocess.check_output(command, env=environment, cwd=PEERS, text=True)
    return f"{feed_id}.{mac.strip()}"


def run(options: argparse.Namespace, folder: pathlib.Path, database: Database, stack: Stack) -> None:
    parties, name = stack.parties(), f"peer_{secrets.token_hex(6)}"
    shown, accepted = fill(parties)
    until(stack.is_idle, "nothing is owed any more", 120)
    feed_id = fill_peer(stack, name, shown, parties.lawyer_id)
    environment = stack.environment | {
        "MONGODB_URI": database.uri,
        "DATABASE": name,
        "PUBLIC_URL": stack.url,
        "JWT_SECRET": stack.secret,
        "LINK_KEY": secrets.token_hex(32),
        "ORGANIZER": str(stack.settings["MAIL_FROM"]).replace(" <", "/").rstrip(">"),
    }
    peer = start_peer(options.peer_python, folder, environment)
    bare = spawn(folder / "bare.log", options.bare, folder / "bare.sock", database.uri, name)
    urls = add_to_nginx(stack, folder)
    sides = {
        OURS: Side(stack.url, stack.program.pid),
        PEER: Side(urls[PEER], peer.pid),
        BARE: Side(urls[BARE], bare.pid),
    }
    try:
        token = peer_feed_token(environment, feed_id, options.peer_python)
        routes = routes_of(parties, accepted[0]["id"], feed_of(parties), token)
        until(lambda: answers(urls[PEER] + "/healthz"), "the peer answers", 60)
        until(lambda: answers(urls[BARE] + routes[0].path), "the bare program answers", 60)
        print(f"database {pathlib.Path(database.program).name}, {os.cpu_count()} processors")
        same = [check(route, sides) for route in routes if route.name != "trivial"]
        assert ask(sides[BARE], routes[0].path, routes[0])["_id"] == accepted[0]["id"]
        if not all(same):
            print("the answers are NOT THE SAME: the figures compare different work")
        results = measure_all(routes, sides, database.process.pid, options.seconds, options.rounds)
        report(routes, results)
        print("\nmemory of our processes")
        tell_memory(stack)
    finally:
        end(peer)
        end(bare)
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
