"""The simulators' HTTP: requests taken apart, and answers written whole, in pieces or cut."""

import base64
import dataclasses
import email.utils
import http.client
import http.server
import json
import select
import socket
import socketserver
import struct
import sys
import time
import traceback
import urllib.parse

HTML = "<html><head><title>{0}</title></head><body><h1>{0}</h1><hr>nginx</body></html>\r\n"
MAX_BODY = 1 << 20


@dataclasses.dataclass
class Reply:
    status: int
    body: object = None  # a dict goes out as JSON, text as HTML
    headers: dict[str, str] = dataclasses.field(default_factory=dict)


class Refusal(Exception):
    def __init__(self, status: int, body: object, headers: dict[str, str] | None = None):
        self.reply = Reply(status, body, headers or {})


@dataclasses.dataclass
class Request:
    method: str
    path: str  # percent-encoded
    pairs: list[tuple[str, str]]
    headers: dict[str, str]
    body: bytes
    grant: object = None  # of the access token

    @property
    def query(self) -> dict[str, str]:
        return dict(self.pairs)

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def form(self) -> dict[str, str]:
        pairs = urllib.parse.parse_qsl(self.body.decode(), True, True) if self.body else []
        if len(dict(pairs)) < len(pairs):
            raise ValueError("a field is given twice")
        return dict(pairs)

    @property
    def basic(self) -> tuple[str, str]:
        """User and password of RFC 7617; empty when they are not given."""
        scheme, _, value = self.headers.get("authorization", "").partition(" ")
        if scheme != "Basic":
            return "", ""
        user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
        return user, password

    def heard(self) -> str:
        """Headers and body, as they came."""
        head = "".join(f"{name}: {value}\n" for name, value in self.headers.items())
        return f"{head}\n{self.body.decode(errors='replace')}"

    def shown(self) -> object:
        """The body for people and tests."""
        try:
            if self.media_type == "application/x-www-form-urlencoded":
                return self.form
            return json.loads(self.body) if self.body else None
        except ValueError:
            return self.body


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request: object, client_address: object) -> None:
        """Callers that leave are what simulators are for; anything else is a bug of ours."""
        if not isinstance(sys.exception(), OSError):
            self.sim.bugs.append(traceback.format_exc())


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60

    def setup(self) -> None:
        super().setup()
        self.server.sim.connections.add(self.connection)
        if self.server.sim.server is not self.server:
            self.connection.shutdown(socket.SHUT_RDWR)

    def finish(self) -> None:
        self.server.sim.connections.discard(self.connection)
        super().finish()

    def log_message(self, *_: object) -> None:
        pass

    def serve(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdigit() or int(length) > MAX_BODY:
            self.send_error(413)
            self.close_connection = True
            return
        path, _, query = self.path.partition("?")
        self.server.sim.serve(
            self,
            Request(
                self.command,
                path,
                urllib.parse.parse_qsl(query, keep_blank_values=True),
                {name.lower(): value for name, value in self.headers.items()},
                self.rfile.read(int(length)),
            ),
        )

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = serve  # noqa: N815

    def has_left(self) -> bool:
        readable, _, _ = select.select([self.connection], [], [], 0)
        return bool(readable) and not self.connection.recv(1, socket.MSG_PEEK)


def transmit(
    handler: Handler, reply: Reply, cut: bool = False, chunked: bool = False, split: bool = False
) -> None:
    """Writes the answer; a split one also has its header names in odd case."""
    headers = {"Date": email.utils.formatdate(usegmt=True)} | reply.headers
    body = b""
    if isinstance(reply.body, bytes | str):
        body = reply.body if isinstance(reply.body, bytes) else reply.body.encode()
        headers.setdefault("Content-Type", "text/html")
    elif reply.body is not None:
        body = json.dumps(reply.body).encode()
        headers.setdefault("Content-Type", "application/json; charset=utf-8")
    if chunked and body:
        headers["Transfer-Encoding"] = "chunked"
        pieces = [body[i : i + 50] for i in range(0, len(body), 50)] + [b""]
        body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    elif reply.status != 204:
        headers["Content-Length"] = str(len(body))
    head = f"HTTP/1.1 {reply.status} {http.client.responses.get(reply.status, '')}\r\n"
    head += "".join(
        f"{name.swapcase() if split else name}: {value}\r\n" for name, value in headers.items()
    )
    wire = f"{head}\r\n".encode() + body
    if cut:
        wire = wire[: len(wire) - max(len(body) // 2, 3)]
    size = len(wire) // 9 + 1 if split else len(wire)
    for i in range(0, len(wire), size):
        handler.wfile.write(wire[i : i + size])
        time.sleep(0.005 if split else 0)
    if cut:
        leave(handler, False)


def leave(handler: Handler, reset: bool) -> None:
    handler.close_connection = True
    if reset:
        linger = struct.pack("ii", 1, 0)
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        handler.rfile.close()
        handler.connection.close()
