"""Nobody shuts others out: more connections than threads, idle ones, half requests, peers that do
not read, and a queue that is full."""

import contextlib
import json
import os
import pathlib
import re
import resource
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator

import fastcgi
import pytest
from caller import Parties
from fastcgi import Connection
from stack import PROGRAM, Stack, spawn
from support import until
from wire import UPKEEP, Wire

THREADS = 4


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, mongodb_uri: str) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("overload")
    settings = {"SERVER_WORKERS": 1, "SERVER_THREADS": THREADS, "SERVER_QUEUE_MS": 10000}
    with Stack(folder / "stack", mongodb_uri, **settings) as stack:
        yield stack


class Crowd:
    """Connections that ask again as soon as they are answered; a context manager."""

    def __init__(self, stack: Stack, parties: Parties, size: int, path: str):
        self.connections = [Connection(stack.settings["SERVER_SOCKET"]) for _ in range(size)]
        self.path, self.token = path, parties.client.token
        self.served = [0] * size
        self.bad: list[object] = []
        self.ended = False
        self.threads = [threading.Thread(target=self.run, args=(i,)) for i in range(size)]

    def run(self, number: int) -> None:
        while not self.ended:
            answer = self.connections[number].ask(self.path, self.token)
            if not answer or answer.status != 200:
                self.bad.append(answer and answer.status)
                return
            self.served[number] += 1

    def __enter__(self) -> "Crowd":
        for thread in self.threads:
            thread.start()
        until(lambda: all(self.served), "each of the crowd was served")
        return self

    def __exit__(self, *_: object) -> None:
        self.ended = True
        for thread in self.threads:
            thread.join()
        for connection in self.connections:
            connection.close()


def probe(stack: Stack, path: str, token: str = "") -> int:
    """On a connection of its own, as a new visitor's."""
    with Connection(stack.settings["SERVER_SOCKET"]) as connection:
        return connection.ask(path, token).status


def probe_all(stack: Stack, parties: Parties, rounds: int = 10) -> None:
    """Who asks now and then is always answered, by every kind of route."""
    made = parties.create()
    for _ in range(rounds):
        for path in ("/healthz", "/readyz", f"/api/requests/{made['id']}", "/api/requests?limit=5"):
            assert probe(stack, path, parties.client.token) == 200
        assert parties.create()["status"] == "open"


def test_a_crowd_shuts_nobody_out(stack: Stack) -> None:
    crowding, parties = stack.parties(), stack.parties()
    crowding.create()
    with Crowd(stack, crowding, 8 * THREADS, "/api/requests?limit=5") as crowd:
        probe_all(stack, parties)
    assert not crowd.bad


def test_a_crowd_through_nginx(stack: Stack) -> None:
    crowding, parties = stack.parties(), stack.parties()
    made = crowding.create()
    counts, ended = [], threading.Event()

    def run() -> None:
        caller = stack.client(crowding.client_id)
        count = 0
        while not ended.is_set():
            assert caller.get(f"/api/requests/{made['id']}").status_code == 200
            count += 1
        counts.append(count)

    threads = [threading.Thread(target=run) for _ in range(6 * THREADS)]
    for thread in threads:
        thread.start()
    for _ in range(10):
        assert stack.anyone().get("/healthz").status_code == 200
        assert parties.create()["status"] == "open"
    ended.set()
    for thread in threads:
        thread.join()
    assert len(counts) == len(threads) and all(counts)


def test_idle_connections_change_nothing(stack: Stack) -> None:
    files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, files[1]), files[1]))
    idle = [Connection(stack.settings["SERVER_SOCKET"]) for _ in range(1000)]
    try:
        for connection in idle:
            assert connection.ask("/healthz").status == 200
        parties = stack.parties()
        probe_all(stack, parties)
        with Crowd(stack, stack.parties(), 4 * THREADS, "/api/requests?limit=5") as crowd:
            probe_all(stack, parties, rounds=3)
        assert not crowd.bad
        for connection in idle:
            assert connection.ask("/healthz").status == 200
    finally:
        for connection in idle:
            connection.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, files)


BODY = b'{"title": "' + b"x" * 20000 + b'"}'
HALVES = {
    "a byte": fastcgi.request("/healthz")[:1],
    "half a head": fastcgi.request("/healthz")[:20],
    "half the parameters": fastcgi.request("/api/requests", "t" * 200)[:150],
    "no end": fastcgi.request("/healthz")[:-8],
    "half a body": fastcgi.request("/api/requests", "t", method="POST", body=BODY)[:9000],
}


@pytest.mark.parametrize("name", HALVES)
def test_half_a_request_holds_no_thread(stack: Stack, name: str) -> None:
    slow = [Connection(stack.settings["SERVER_SOCKET"]) for _ in range(4 * THREADS)]
    for connection in slow:
        connection.send(HALVES[name])
    probe_all(stack, stack.parties(), rounds=2)
    for connection in slow:
        assert connection.answer() is None, "given up in the end"
        connection.close()


def test_a_request_may_come_in_pieces(stack: Stack) -> None:
    with Connection(stack.settings["SERVER_SOCKET"]) as connection:
        for whole in (fastcgi.request("/healthz"), fastcgi.request("/healthz")):
            for at in range(0, len(whole), 40):
                connection.send(whole[at : at + 40])
                time.sleep(0.002)
            assert connection.answer().status == 200


@pytest.mark.parametrize("size", [0, 1, 8191, 65536, 65537, 131072, 300000])
def test_bodies_of_any_size(stack: Stack, size: int) -> None:
    """What is too large is said to be, and the connection goes on."""
    parties = stack.parties()
    with Connection(stack.settings["SERVER_SOCKET"]) as connection:
        for _ in range(2):
            answer = connection.ask(
                "/api/requests", parties.client.token, method="POST", body=b" " * size
            )
            assert answer.status == (400 if size <= 65536 else 413)
        assert connection.ask("/healthz").status == 200


@pytest.mark.parametrize("garbage", [b"GET / HTTP/1.1\r\n\r\n", bytes(64), b"\1" * 64, b"\xff" * 9])
def test_garbage_is_hung_up_on(stack: Stack, garbage: bytes) -> None:
    with Connection(stack.settings["SERVER_SOCKET"]) as connection:
        connection.send(garbage)
        assert connection.answer() is None
    assert probe(stack, "/healthz") == 200


def test_who_does_not_read_holds_no_thread(stack: Stack) -> None:
    """Answers that no longer fit into the socket: each peer asks on and on without reading. They
    have an address of their own, since one token of sixteen shares its turns with theirs."""
    parties = stack.parties()
    for _ in range(70):
        parties.create(description="d" * 4000)
    peers = open_all(stack, 3 * THREADS)
    request = fastcgi.request("/api/requests?limit=70", parties.client.token, address="192.0.2.7")
    given_up, stop = [], threading.Event()

    def ask_on(peer: Connection) -> None:
        with contextlib.suppress(OSError):
            while not stop.is_set():
                peer.send(request)
                time.sleep(0.05)
        given_up.append(peer)

    threads = [threading.Thread(target=ask_on, args=(peer,)) for peer in peers]
    for thread in threads:
        thread.start()
    probe_all(stack, stack.parties(), rounds=4)
    until(lambda: len(given_up) == len(peers), "all are hung up on", 60)
    stop.set()
    for thread in threads:
        thread.join()
    probe_all(stack, stack.parties(), rounds=1)


# ---- the queue ----


class Held(Wire):
    """The way to the database, which can be held for all but what readiness looks for."""

    def __init__(self, uri: str):
        self.free = threading.Event()
        self.free.set()
        self.lets_probes_pass = True
        self.asked: list[dict] = []  # commands that came, whether held or not
        super().__init__(uri)

    def hold(self, connections: list[Connection], request: bytes, first: int) -> None:
        """Sends it on each; the first so many have come to the database before the others do."""
        before = len(self.asked)
        self.free.clear()
        for connection in connections[:first]:
            connection.send(request)
        until(lambda: len(self.asked) >= before + first, "they wait for the database")
        for connection in connections[first:]:
            connection.send(request)

    def count(self, command: dict) -> None:
        if next(iter(command)) not in UPKEEP:
            with self.lock:
                self.asked.append(command)
            if not (self.lets_probes_pass and "due" in command.get("filter", {})):
                self.free.wait(30)
        super().count(command)


@pytest.fixture(params=[60000])
def narrow(
    tmp_path: pathlib.Path, mongodb_uri: str, request: pytest.FixtureRequest
) -> Iterator[tuple[Stack, Held]]:
    """Two threads, which both wait for the database when it is held; the parameter is how long
    others may wait for them, in milliseconds."""
    settings = {"SERVER_WORKERS": 1, "SERVER_THREADS": 2, "SERVER_DISPATCHERS": 0}
    settings["SERVER_QUEUE_MS"] = request.param
    with Held(mongodb_uri) as way, Stack(tmp_path / "stack", way.uri, **settings) as stack:
        yield stack, way
        way.free.set()


opened: list[Connection] = []


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """Nothing that was opened stays so, whatever becomes of a test."""
    yield
    while opened:
        opened.pop().close()


def open_all(stack: Stack, count: int) -> list[Connection]:
    connections = [Connection(stack.settings["SERVER_SOCKET"]) for _ in range(count)]
    opened.extend(connections)
    for connection in connections:
        assert connection.ask("/healthz").status == 200
    return connections


def happens(check: Callable[[], bool]) -> bool:
    """Within a second, in which it does unless it waits for something else."""
    for _ in range(200):
        if check():
            return True
        time.sleep(0.005)
    return False


def assert_overloaded(answer: object) -> None:
    assert answer.status == 503
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.headers["X-Request-Id"] in json.loads(answer.body)["instance"]
    assert json.loads(answer.body)["code"] == "overloaded"


def test_a_full_queue_refuses_and_the_rest_is_served(narrow: tuple[Stack, Held]) -> None:
    stack, way = narrow
    parties = stack.parties()
    path = f"/api/requests/{parties.create()['id']}"
    connections, others = open_all(stack, 100), open_all(stack, 4)
    way.hold(connections, fastcgi.request(path, parties.client.token), 2)
    # Of what nobody serves one token may fill a third of a queue of 2 × 64, and two more run. The
    # last is refused while nobody is served; others at the same address still find room, but for
    # one of sixteen, whose token's hash shares the place of the first.
    assert_overloaded(connections[-1].answer())
    for number, other in enumerate(others):
        other.send(fastcgi.request(path, stack.caller("admin", f"admin-{number}").token))
    way.free.set()
    assert {200} <= {other.answer().status for other in others} <= {200, 503}
    answers = [connection.answer() for connection in connections[:-1]]
    refused = [answer for answer in answers if answer.status != 200]
    for answer in refused:
        assert_overloaded(answer)
    assert 54 <= len(refused) <= 56
    # Nobody was hung up on.
    assert {c.ask(path, parties.client.token).status for c in connections} == {200}


@pytest.mark.parametrize("narrow", [300], indirect=True)
def test_what_waits_too_long_is_refused(narrow: tuple[Stack, Held]) -> None:
    stack, way = narrow
    parties = stack.parties()
    path = f"/api/requests/{parties.create()['id']}"
    connections, visitors = open_all(stack, 20), open_all(stack, 3)
    way.hold(connections, fastcgi.request(path, parties.client.token), 2)
    for connection in connections[2:]:
        assert_overloaded(connection.answer())
        assert probe(stack, "/healthz") == 200
    # A person who came by a link reads words, not JSON.
    for visitor in visitors:
        visitor.send(fastcgi.request(f"/join/{'A' * 51}"))
    for visitor in visitors:
        answer = visitor.answer()
        assert answer.status == 503 and int(answer.headers["Retry-After"]) > 0
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert b"<h1>" in answer.body
    way.free.set()
    assert [connection.answer().status for connection in connections[:2]] == [200, 200]
    assert {c.ask(path, parties.client.token).status for c in connections} == {200}


def test_who_asks_now_and_then_goes_before_a_crowd(
    tmp_path: pathlib.Path, mongodb_uri: str
) -> None:
    """One thread is held while a crowd queues, and then three others: in the order in which all are
    served, which is that of their coming among the crowd, they are among the first; but for one of
    sixteen, whose token's hash shares the place of the crowd's."""
    settings = {"SERVER_WORKERS": 1, "SERVER_THREADS": 1, "SERVER_DISPATCHERS": 0}
    settings["SERVER_QUEUE_MS"] = 60000
    with Held(mongodb_uri) as way, Stack(tmp_path / "stack", way.uri, **settings) as stack:
        crowding, polite = stack.parties(), [stack.parties() for _ in range(3)]
        ids = [f"{number:021d}A" for number in range(20)]
        held, *crowd = connections = open_all(stack, len(ids))
        others = open_all(stack, len(polite))
        own = [parties.create()["id"] for parties in polite]
        before = len(way.asked)
        way.free.clear()
        held.send(fastcgi.request(f"/api/requests/{ids[0]}", crowding.client.token))
        until(lambda: len(way.asked) > before, "the thread waits for the database")
        for request_id, connection in zip(ids[1:], crowd, strict=True):
            connection.send(fastcgi.request(f"/api/requests/{request_id}", crowding.client.token))
        for request_id, parties, other in zip(own, polite, others, strict=True):
            other.send(fastcgi.request(f"/api/requests/{request_id}", parties.client.token))
        # The poller has seen them all when it has seen this one, which it does in their order.
        assert probe(stack, "/healthz") == 200
        way.free.set()
        assert {other.answer().status for other in others} == {200}
        assert {connection.answer().status for connection in connections} == {404}
        order = [command["filter"]["_id"] for command in way.asked[before:]]
        assert sorted(order) == sorted([*ids, *own])
        assert min(map(order.index, own)) <= 2, "one is held, and one may be before them"
        assert [one for one in order if one not in own] == ids


def test_probes_are_answered_while_all_threads_are_busy(narrow: tuple[Stack, Held]) -> None:
    stack, way = narrow
    parties = stack.parties()
    path = f"/api/requests/{parties.create()['id']}"
    connections = open_all(stack, 60)
    way.hold(connections, fastcgi.request(path, parties.client.token), 2)
    assert_overloaded(connections[-1].answer())
    for _ in range(3):
        assert probe(stack, "/readyz") == 200
        assert probe(stack, "/healthz") == 200
    way.free.set()
    assert {connection.answer().status for connection in connections[:-1]} <= {200, 503}


@pytest.mark.parametrize("narrow", [300], indirect=True)
def test_probes_wait_for_each_other_no_longer_than_others(narrow: tuple[Stack, Held]) -> None:
    """Not even for a database that says nothing."""
    stack, way = narrow
    way.lets_probes_pass = False
    probes = open_all(stack, 40)
    way.hold(probes, fastcgi.request("/readyz"), 1)
    for connection in probes[1:]:
        assert_overloaded(connection.answer())
        assert probe(stack, "/healthz") == 200
    way.free.set()
    assert probes[0].answer().status in (200, 503)
    until(lambda: probe(stack, "/readyz") == 200, "the database answers again")


def test_a_full_worker_leaves_it_to_one_that_is_not(
    tmp_path: pathlib.Path, mongodb_uri: str
) -> None:
    """As many slow requests as there are threads are with the database at the same time, so none
    waits behind one while a thread of the other worker is idle. A worker that gets no processor for
    2 ms may lose one, so there are as many rounds as it takes."""
    settings = {"SERVER_WORKERS": 2, "SERVER_THREADS": 2, "SERVER_DISPATCHERS": 0}
    rounds, wanted, whole = 100, 10, 0
    with Held(mongodb_uri) as way, Stack(tmp_path / "stack", way.uri, **settings) as stack:
        parties = stack.parties()
        path = f"/api/requests/{parties.create()['id']}"
        for connection in (warm := open_all(stack, 8)):
            assert connection.ask(path, parties.client.token).status == 200
        for connection in warm:
            connection.close()
        for _ in range(rounds):
            if whole == wanted:
                break
            # Every other one of those open: mostly those of one worker, which is full then.
            connections = open_all(stack, 4)
            slow, before = connections[::2], len(way.asked)
            way.free.clear()
            for number in range(1, 5):
                if number > 2:
                    slow.append(Connection(stack.settings["SERVER_SOCKET"]))
                slow[number - 1].send(fastcgi.request(path, parties.client.token))
                if not happens(lambda: len(way.asked) - before >= number):
                    break
            else:
                whole += 1
            way.free.set()
            for connection in slow:
                assert connection.answer().status in (200, 503)  # when it waited behind one
            for connection in {*slow, *connections}:
                connection.close()
    assert whole == wanted


def test_a_stopping_worker_leaves_nobody_in_the_backlog(
    tmp_path: pathlib.Path, mongodb_uri: str
) -> None:
    """New connections all the time of a reload, each waiting for its answer before the next comes:
    nobody else comes who would wake a worker for it."""
    settings = {"SERVER_WORKERS": 2, "SERVER_THREADS": 2, "SERVER_DISPATCHERS": 0}
    with Stack(tmp_path / "stack", mongodb_uri, **settings) as stack:
        ended, failures, served = threading.Event(), [], []

        def run() -> None:
            while not ended.is_set():
                with Connection(stack.settings["SERVER_SOCKET"], timeout=20) as connection:
                    try:
                        answer = connection.ask("/healthz")
                    except OSError as problem:
                        failures.append(problem)
                        return
                    # A kept connection may be closed; nginx asks again then.
                    served.append(answer is not None and answer.status == 200)

        thread = threading.Thread(target=run)
        thread.start()
        for _ in range(8):
            stack.reload()
        ended.set()
        thread.join()
        assert failures == []
        assert sum(served) > 100 and served.count(False) <= 8


def test_reload_and_death_under_a_crowd(stack: Stack) -> None:
    """Through nginx, where a request whose connection breaks is sent again: none fails."""
    parties = stack.parties()
    ended, failures, counts = threading.Event(), [], []

    def run(number: int) -> None:
        caller = stack.client(parties.client_id)
        count = 0
        while not ended.is_set():
            if count % 4 == number % 4:
                answer = caller.post("/api/requests", parties.draft())
            else:
                answer = caller.get("/api/requests?limit=5")
            if answer.status_code not in (200, 201):
                failures.append((answer.status_code, answer.text))
            count += 1
        counts.append(count)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(4 * THREADS)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        stack.reload()
    for _ in range(3):
        for pid, name in stack.children().items():
            if name == "meetlink-work":
                os.kill(pid, signal.SIGKILL)
        until(lambda: "meetlink-work" in stack.children().values(), "a new worker")
        time.sleep(0.5)
    ended.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(counts) == len(threads) and min(counts) > 3


# ---- what a process leaves behind ----


@pytest.mark.skipif(b"__asan_init" in PROGRAM.read_bytes(), reason="it traces itself for leaks")
def test_no_process_can_be_looked_into(stack: Stack) -> None:
    until(lambda: len(stack.children()) >= 2, "all have started")
    nobody_special = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
    for pid in [stack.program.pid, *stack.children()]:
        limits = pathlib.Path(f"/proc/{pid}/limits").read_text()
        assert re.search(r"^Max core file size +0 +0 ", limits, re.MULTILINE)
        look = ["cat", f"/proc/{pid}/environ"]
        done = subprocess.run(
            nobody_special * (os.geteuid() == 0) + look, capture_output=True, text=True
        )
        assert done.returncode != 0 and "Permission denied" in done.stderr


def test_a_killed_process_leaves_no_counters(stack: Stack, tmp_path: pathlib.Path) -> None:
    """libmongoc's, which it makes in /dev/shm before main()."""
    socket = tmp_path / "socket"
    environment = stack.environment | {"MEETLINK_SERVER_SOCKET": str(socket)}
    del environment["MONGOC_DISABLE_SHM"]
    process = spawn(tmp_path / "log", PROGRAM, "serve", env=environment)
    until(socket.exists, "it serves")
    process.kill()
    process.wait()
    assert not pathlib.Path(f"/dev/shm/mongoc-{process.pid}").exists()
