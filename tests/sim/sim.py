"""What the providers' simulators share: an HTTP server that keeps the rules, and breaks on command.

A simulator is strict: whatever the real provider would refuse, it refuses. Its answers can be
replaced, delayed, cut or lost for single calls (Fault, script), at random (chaos), or altogether
(down, hang_all). Everything it was asked is in `calls`, everything that exists in `live()`.
"""

import argparse
import copy
import dataclasses
import datetime
import http.client
import json
import random
import re
import secrets
import signal
import socket
import threading
import traceback
import urllib.parse
from collections.abc import Callable, Iterable

from sim_http import HTML, Handler, Refusal, Reply, Request, Server, leave, transmit
from sim_rules import has, problems


@dataclasses.dataclass
class Fault:
    """What goes wrong with the calls that match: "POST /users/*/meetings", "GET *", "*".

    The pattern is compared with the end of the path; * is one segment of it. A fault `before` takes
    the place of the work, one `after` that of the answer to work that was done.
    """

    match: str = "*"
    times: int | None = 1  # None: until calm()
    when: str = "before"
    status: int | None = None
    body: object = None  # None: what the provider says with that status
    headers: dict[str, str] = dataclasses.field(default_factory=dict)  # more, or other ones
    html: bool = False  # a proxy answers, not the provider
    echo: bool = False  # every text of the answer is replaced by the request, its headers included
    delay: float = 0.0  # seconds, before the work or before the answer
    hang: bool = False  # no answer, until release() or the caller has gone
    drop: bool = False  # the connection is closed without an answer
    reset: bool = False  # the same with RST
    refuse: bool = False  # the same, and the simulator is down() from now on
    cut: bool = False  # the connection is closed amid the answer
    chunked: bool = False
    split: bool = False  # the answer comes in small pieces
    skip: int = 0  # calls to let pass first

    def __post_init__(self) -> None:
        assert self.when in ("before", "after")
        method, _, path = self.match.rpartition(" ")
        self.method, self.path = method or "*", path

    @property
    def replaces(self) -> bool:
        """Whether the provider's own answer is lost."""
        if self.hang or self.drop or self.reset or self.refuse or self.html or self.status:
            return True
        if self.body is not None:
            return True
        return self.cut and self.when == "before"


CHAOS = {
    "slow": Fault(delay=0.2),
    "429": Fault(status=429, headers={"Retry-After": "1"}),
    "503": Fault(status=503),
    "500 after": Fault(status=500, when="after"),
    "html": Fault(status=502, html=True),
    "html after": Fault(status=504, html=True, when="after"),
    "drop": Fault(drop=True),
    "drop after": Fault(drop=True, when="after"),
    "reset after": Fault(reset=True, when="after"),
    "cut after": Fault(cut=True, when="after"),
    "chunked": Fault(chunked=True, when="after"),
    "split": Fault(split=True, when="after"),
}


@dataclasses.dataclass
class Call:
    method: str
    path: str
    query: dict[str, str]
    body: object  # of JSON or a form; None when there is none
    headers: dict[str, str]
    at: datetime.datetime
    status: int | None = None  # None: not answered (yet)


@dataclasses.dataclass
class Live:
    """Something that exists at a provider, in words that are the same for all."""

    id: str
    marker: str  # what we identify it by
    title: str
    starts_at: str  # UTC, with Z
    ends_at: str
    join_url: str | None
    settings: dict
    raw: dict  # as the provider shows it

    def __post_init__(self) -> None:
        self.settings, self.raw = copy.deepcopy(self.settings), copy.deepcopy(self.raw)


@dataclasses.dataclass
class Grant:
    """An access token."""

    expires: datetime.datetime
    scopes: set[str]
    subject: str | None = None


def route(method: str, pattern: str, public: bool = False) -> Callable:
    """Marks a method of a simulator; its {names} become arguments. `public`: needs no token."""

    def mark(function: Callable) -> Callable:
        names = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern)
        function.route = (method, re.compile(names), public)
        return function

    return mark


class Sim:
    """A simulator; a context manager. Subclasses have routes, `provider()`, `live()` and words."""

    base = ""  # where the API begins
    token_lifetime = 3599  # seconds

    def __init__(self, port: int = 0):
        self.lock = threading.RLock()
        self.calls: list[Call] = []
        self.tokens: dict[str, Grant] = {}
        self.faults: list[Fault] = []
        self.refused: dict[str, str] = {}  # members that are refused by name, and the words for it
        self.unknown_zones: set[str] = set()
        self.one_by_one = False  # whether an answer names but the first of them
        self.chances: tuple[float, list[Fault], random.Random] | None = None
        self.connections: set[socket.socket] = set()
        self.bugs: list[str] = []
        self.closing = threading.Event()
        self.released = threading.Event()
        kind = type(self)
        marked = [name for name in dir(kind) if hasattr(getattr(kind, name), "route")]
        self.routes = [getattr(self, name) for name in marked]
        self.server: Server | None = None
        self.port = port
        self.up()

    # What a subclass says in its provider's words.

    conf: dict[str, str]  # MEETLINK_* without the prefix

    def provider(self) -> dict:
        """For PUT /api/config/providers/{name}."""
        raise NotImplementedError

    def live(self) -> list[Live]:
        raise NotImplementedError

    def error(self, status: int) -> object:
        """The body of a fault with this status."""
        raise NotImplementedError

    def invalid(self, found: list[tuple[str, str]]) -> Refusal:
        raise NotImplementedError

    def unauthorised(self, expired: bool) -> Refusal:
        raise NotImplementedError

    # For tests.

    def now(self) -> datetime.datetime:
        """May be replaced by the clock of a stack: zoom.now = stack.now"""
        return datetime.datetime.now(datetime.UTC)

    def script(self, *faults: Fault) -> None:
        """The first one that matches is taken, in this order, behind those scripted before."""
        with self.lock:
            self.faults += faults

    def chaos(self, rate: float, kinds: Iterable[str] = tuple(CHAOS), seed: int = 0) -> None:
        """From now on every call has this probability of a fault, of one of these kinds."""
        with self.lock:
            self.chances = (rate, [CHAOS[kind] for kind in kinds], random.Random(seed))

    def hang_all(self, when: str = "before") -> None:
        """Nothing is answered until release() or calm()."""
        with self.lock:
            self.faults.insert(0, Fault(hang=True, when=when, times=None))

    def release(self) -> None:
        """Ends all that hangs: their connections are closed."""
        with self.lock:
            self.faults = [fault for fault in self.faults if not fault.hang]
            released, self.released = self.released, threading.Event()
        released.set()

    def calm(self) -> None:
        """Ends all faults."""
        with self.lock:
            self.faults.clear()
            self.chances = None
            self.refused, self.unknown_zones = {}, set()
            self.one_by_one = False
        self.release()
        self.up()

    def down(self) -> None:
        """Connections are refused, and those that exist are closed."""
        with self.lock:
            server, self.server = self.server, None
        if server:
            server.shutdown()
            server.server_close()
        for connection in list(self.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def up(self) -> None:
        """Listens again, at the same port."""
        with self.lock:
            if self.server or self.closing.is_set():
                return
            self.server = self.bind()
            self.server.sim = self
        threading.Thread(target=self.server.serve_forever, args=(0.005,), daemon=True).start()

    def bind(self) -> Server:
        # Below the ports that the kernel hands out, so that nothing takes it while it is down.
        while not self.port:
            port = random.randrange(20000, 30000)
            try:
                server = Server(("127.0.0.1", port), Handler)
            except OSError:
                continue
            self.port = port
            return server
        return Server(("127.0.0.1", self.port), Handler)

    def close(self) -> None:
        self.closing.set()
        self.down()
        assert not self.bugs, "\n".join(self.bugs)

    def __enter__(self) -> "Sim":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def seen(self, method: str = "*", path: str = "*") -> list[Call]:
        """The calls that match, answered or not; patterns as those of Fault."""
        with self.lock:
            return [call for call in self.calls if matches(method, path, call.method, call.path)]

    def count(self, method: str = "*", path: str = "*") -> int:
        return len(self.seen(method, path))

    def expire_tokens(self) -> None:
        with self.lock:
            for grant in self.tokens.values():
                grant.expires = self.now()

    def issue_token(self, scopes: Iterable[str], subject: str | None = None) -> str:
        token = secrets.token_urlsafe(40)
        expires = self.now() + datetime.timedelta(seconds=self.token_lifetime)
        self.tokens[token] = Grant(expires, set(scopes), subject)
        return token

    # For routes.

    def document(self, request: Request, rule: dict, required: Iterable[str] = ()) -> dict:
        """The JSON object in the body."""
        if request.media_type != "application/json":
            raise self.invalid([("", "is not application/json")])
        try:
            value = json.loads(request.body)
        except ValueError:
            raise self.invalid([("", "is not JSON")]) from None
        found = problems(value, rule)
        found = found or [(name, "is required") for name in required if name not in value]
        if found:
            raise self.invalid(found)
        return value

    def refusals(self, value: dict) -> list[tuple[str, str]]:
        """Members that are well-formed, and refused."""
        found = [(path, words) for path, words in self.refused.items() if has(value, path)]
        return found[:1] if self.one_by_one else found

    def parameters(self, request: Request, rule: dict) -> dict[str, str]:
        """The query; calls without a body end here too."""
        found = problems(request.query, rule)
        if request.method in ("GET", "DELETE") and request.body:
            found.append(("", "takes no body"))
        if found:
            raise self.invalid(found)
        return request.query

    # The way of a call.

    def serve(self, handler: Handler, request: Request) -> None:
        path = urllib.parse.unquote(request.path)
        call = Call(
            request.method, path, request.query, request.shown(), request.headers, self.now()
        )
        with self.lock:
            self.calls.append(call)
            fault = self.pick(call)
            released = self.released
        if fault.when == "before":
            self.closing.wait(fault.delay)
        if fault.when == "after" or not fault.replaces:
            reply = self.work(request)
        if fault.when == "after":
            self.closing.wait(fault.delay)
        while fault.hang and not (released.wait(0.02) or self.closing.is_set()):
            if handler.has_left():
                break
        if fault.refuse:
            self.down()
        if fault.hang or fault.drop or fault.refuse or fault.reset:
            leave(handler, fault.reset)
            return
        if fault.replaces:
            reply = self.replacement(fault, request)
        reply = Reply(reply.status, reply.body, reply.headers | fault.headers)
        call.status = reply.status
        transmit(handler, reply, fault.cut, fault.chunked, fault.split)

    def pick(self, call: Call) -> Fault:
        for fault in self.faults:
            if not matches(fault.method, fault.path, call.method, call.path):
                continue
            if fault.skip:
                fault.skip -= 1
                continue
            if fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    self.faults.remove(fault)
            return fault
        if self.chances:
            rate, kinds, dice = self.chances
            if dice.random() < rate:
                return dice.choice(kinds)
        return Fault(when="after")

    def replacement(self, fault: Fault, request: Request) -> Reply:
        status = fault.status or (502 if fault.html else 503 if fault.body is None else 200)
        body = fault.body
        if body is None:
            title = f"{status} {http.client.responses.get(status, '')}"
            body = HTML.format(title) if fault.html else self.error(status)
        return Reply(status, echoed(body, request.heard()) if fault.echo else body)

    def work(self, request: Request) -> Reply:
        """What the provider would do. A mistake of the simulator itself is shown by close()."""
        with self.lock:
            try:
                return self.answer(request)
            except Refusal as refusal:
                return refusal.reply
            except Exception:
                self.bugs.append(traceback.format_exc())
                return Reply(500, HTML.format("a bug of the simulator"))

    def answer(self, request: Request) -> Reply:
        allowed = []
        for method in self.routes:
            name, pattern, public = method.route
            if match := pattern.fullmatch(request.path):
                if name == request.method:
                    if not public:
                        self.authorise(request)
                    arguments = match.groupdict().items()
                    return method(request, **{k: urllib.parse.unquote(v) for k, v in arguments})
                allowed.append(name)
        if allowed:
            return Reply(405, self.error(405), {"Allow": ", ".join(allowed)})
        return Reply(404, self.error(404))

    def authorise(self, request: Request) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        request.grant = self.tokens.get(token) if scheme == "Bearer" else None
        if request.grant is None or request.grant.expires <= self.now():
            raise self.unauthorised(expired=request.grant is not None)


def echoed(value: object, text: str) -> object:
    if isinstance(value, dict):
        return {name: echoed(item, text) for name, item in value.items()}
    if isinstance(value, list):
        return [echoed(item, text) for item in value]
    return text if isinstance(value, str) else value


def matches(method: str, path: str, called_method: str, called_path: str) -> bool:
    if method not in ("*", called_method):
        return False
    pattern = re.escape(path).replace(r"\*", "[^/]*")
    return path == "*" or re.search(f"{pattern}$", called_path) is not None


def main(simulator: type[Sim]) -> None:
    """Runs one for people: prints what to configure, and its calls until Ctrl-C."""
    parser = argparse.ArgumentParser(description=simulator.__doc__)
    parser.add_argument("--port", type=int, default=0)
    with simulator(parser.parse_args().port) as sim:
        print(sim.url)
        for name, value in sim.conf.items():
            print(f"MEETLINK_{name}={value}")
        print(json.dumps(sim.provider()), flush=True)
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        printed = 0
        while not stop.wait(0.2):
            for call in sim.calls[printed:]:
                print(call.method, call.path, call.status, flush=True)
                printed += 1
