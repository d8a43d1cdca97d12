"""What is said to the database: a proxy on loopback that counts the commands that pass it."""

import collections
import contextlib
import copy
import dataclasses
import socket
import struct
import threading
import traceback
import urllib.parse

import bson

HEADER = struct.Struct("<iiii")  # length, request id, response to, opcode
OP_MSG, OP_QUERY = 2013, 2004
CHECKSUM = 1  # a flag of OP_MSG: four more bytes at the end
# How drivers and servers keep in touch; nobody waits for these.
UPKEEP = {"hello", "isMaster", "ismaster", "ping", "endSessions", "buildInfo"}
CHUNK = 1 << 16


@dataclasses.dataclass(frozen=True, order=True)
class Search:
    """What a command looks for, whatever the values are: in a collection, by fields that equal
    something, by others otherwise, and in which order."""

    collection: str
    equal: tuple[str, ...]
    otherwise: tuple[tuple[str, tuple[str, ...]], ...] = ()
    order: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()  # of an aggregate


def search(collection: str, condition: dict, order: dict | None = None, *stages: str) -> Search:
    operators = {
        name: tuple(sorted(value))
        for name, value in condition.items()
        if isinstance(value, dict) and any(key.startswith("$") for key in value)
    }
    operators |= {name: (name,) for name in condition if name.startswith("$")}
    equal = tuple(name for name in condition if name not in operators)
    directions = set((order or {}).values())
    assert len(directions) < 2, f"an order that no index has: {order}"
    return Search(collection, equal, tuple(operators.items()), tuple(order or ()), stages)


def searches_of(command: dict) -> list[Search]:
    name, collection = next(iter(command.items()))
    if name == "find":
        return [search(collection, command.get("filter", {}), command.get("sort"))]
    if name == "count":
        return [search(collection, command.get("query", {}))]
    if name == "aggregate":
        stages = [next(iter(stage)) for stage in command["pipeline"]]
        assert stages[0] == "$match"
        return [search(collection, command["pipeline"][0]["$match"], None, *stages)]
    if name in ("update", "delete"):
        return [search(collection, statement["q"]) for statement in command[f"{name}s"]]
    if name in ("findAndModify", "distinct"):
        return [search(collection, command.get("query", {}))]
    return []


@dataclasses.dataclass
class Traffic:
    """What passed: commands by name, among the updates those that wrote a whole document, and what
    was looked for."""

    commands: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    upkeep: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    whole: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    searches: collections.Counter["Search"] = dataclasses.field(default_factory=collections.Counter)

    @property
    def round_trips(self) -> int:
        return self.commands.total()

    @property
    def whole_writes(self) -> int:
        """Documents that were replaced; a new one is no replacement."""
        return self.whole.total()

    def __sub__(self, before: "Traffic") -> "Traffic":
        pairs = ((getattr(self, f.name), getattr(before, f.name)) for f in dataclasses.fields(self))
        return Traffic(*(now - then for now, then in pairs))


def command_of(body: bytes) -> dict:
    """The command in an OP_MSG, with its document sequences where they belong."""
    (flags,) = struct.unpack_from("<I", body)
    at, end = 4, len(body) - (4 if flags & CHECKSUM else 0)
    command: dict = {}
    sequences: dict[str, list[dict]] = {}
    while at < end:
        kind, (size,) = body[at], struct.unpack_from("<i", body, at + 1)
        section = body[at + 1 : at + 1 + size]
        if kind == 0:
            command = bson.decode(section)
        else:
            name, _, documents = section[4:].partition(b"\0")
            sequences[name.decode()] = bson.decode_all(documents)
        at += 1 + size
    return command | sequences


def is_whole(statement: dict) -> bool:
    """Whether a statement of an update replaces the document: no operators, and no pipeline."""
    change = statement["u"]
    return isinstance(change, dict) and not any(name.startswith("$") for name in change)


class Wire:
    """Listens in the place of the database at `uri`; a context manager.

    It forwards all bytes as they come, and counts before it does: who has an answer was counted.
    """

    def __init__(self, uri: str):
        parts = urllib.parse.urlsplit(uri)
        self.there = (parts.hostname or "127.0.0.1", parts.port or 27017)
        self.server = socket.create_server(("127.0.0.1", 0), backlog=128)
        account = parts.netloc.rpartition("@")[0]
        here = f"127.0.0.1:{self.server.getsockname()[1]}"
        self.uri = parts._replace(netloc=f"{account}@{here}" if account else here).geturl()
        self.lock = threading.Lock()
        self.seen = Traffic()
        self.bugs: list[str] = []
        self.sockets: set[socket.socket] = set()
        self.closing = False
        threading.Thread(target=self.listen, daemon=True).start()

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_: object) -> None:
        self.closing = True
        with contextlib.suppress(OSError):
            self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()
        with self.lock:
            for one in self.sockets:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
        assert not self.bugs, "\n".join(self.bugs)

    def traffic(self) -> Traffic:
        """What has passed until now; the difference of two is what passed between them."""
        with self.lock:
            return copy.deepcopy(self.seen)

    # ---- connections ----

    def listen(self) -> None:
        while not self.closing:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client: socket.socket) -> None:
        """One connection of the program's, and ours to the database for it."""
        try:
            server = socket.create_connection(self.there, 10)
        except OSError:
            client.close()
            return
        server.settimeout(None)
        for one in (client, server):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self.lock:
            self.sockets |= {client, server}
        back = threading.Thread(target=self.forward, args=(server, client), daemon=True)
        back.start()
        self.forward(client, server, Reader(self))
        back.join()
        with self.lock:
            self.sockets -= {client, server}
        client.close()
        server.close()

    def forward(
        self, source: socket.socket, target: socket.socket, reader: "Reader | None" = None
    ) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(CHUNK):
                if reader:
                    reader.read(data)
                target.sendall(data)
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    # ---- counting ----

    def count(self, command: dict) -> None:
        name = next(iter(command))
        with self.lock:
            if name in UPKEEP:
                self.seen.upkeep[name] += 1
                return
            self.seen.commands[name] += 1
            self.seen.searches.update(searches_of(command))
            if name == "update":
                whole = sum(map(is_whole, command["updates"]))
                self.seen.whole[command["update"]] += whole
            elif name == "findAndModify" and isinstance(command.get("update"), dict):
                self.seen.whole[command[name]] += is_whole({"u": command["update"]})


class Reader:
    """Cuts what a client sends into messages. What it cannot read it leaves alone: the bytes go
    their way, and the mistake is shown by the end of the proxy."""

    def __init__(self, wire: Wire):
        self.wire = wire
        self.data = b""
        self.lost = False

    def read(self, data: bytes) -> None:
        if self.lost:
            return
        self.data += data
        try:
            while message := self.next():
                self.wire.count(message)
        except Exception:
            self.lost = True
            self.wire.bugs.append(traceback.format_exc())

    def next(self) -> dict | None:
        """The next whole command; hellos of drivers that know no OP_MSG yet are skipped."""
        while len(self.data) >= HEADER.size:
            length, _, _, opcode = HEADER.unpack_from(self.data)
            if len(self.data) < length:
                return None
            body, self.data = self.data[HEADER.size : length], self.data[length:]
            if opcode == OP_MSG:
                return command_of(body)
            assert opcode == OP_QUERY, f"an unknown message: opcode {opcode}"
        return None
