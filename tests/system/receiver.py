"""A program that is told what happens: an HTTP server that keeps what it gets, and misbehaves."""

import contextlib
import dataclasses
import hashlib
import hmac
import http.server
import json
import socket
import threading
from collections.abc import Callable

HUGE = 64 * 1024


@dataclasses.dataclass
class Told:
    """One call of it."""

    path: str
    headers: dict[str, str]
    body: bytes
    answered: int

    @property
    def event(self) -> dict:
        return json.loads(self.body)

    def signed_with(self, secret: str, now: float | None = None) -> bool:
        """As a receiver checks it, from what the documents say alone."""
        parts = [part.split("=", 1) for part in self.headers["meetlink-signature"].split(",")]
        (at,) = (value for name, value in parts if name == "t")
        text = at.encode() + b"." + self.body
        own = hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()
        fresh = now is None or abs(int(at) - now) < 300
        return fresh and any(
            hmac.compare_digest(own, value) for name, value in parts if name == "v1"
        )

    @property
    def signatures(self) -> int:
        return self.headers["meetlink-signature"].count("v1=")


class Receiver(http.server.ThreadingHTTPServer):
    """`behave` says what becomes of a call: a status, or "hang", "drop", "huge", "redirect"."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, host: str = "127.0.0.1"):
        self.behave: Callable[[Told], int | str] = lambda _: 200
        self.calls: list[Told] = []
        self.lock = threading.Lock()
        self.released = threading.Event()
        super().__init__((host, 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request: object, client_address: object) -> None:
        """Who calls may be gone by now."""

    @property
    def port(self) -> int:
        return self.server_address[1]

    def url(self, path: str = "/hook") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def told(self, request_id: str | None = None) -> list[Told]:
        """All calls, or those about one request."""
        with self.lock:
            calls = list(self.calls)
        return [c for c in calls if not request_id or c.event["data"]["id"] == request_id]

    def heard(self, request_id: str | None = None) -> list[str]:
        """The types of what it took, in order."""
        return [c.event["type"] for c in self.told(request_id) if c.answered == 200]

    def __enter__(self) -> "Receiver":
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self.shutdown()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    server: Receiver
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self.do_POST()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        told = Told(self.path, headers, body, 0)
        answer = self.server.behave(told)
        told.answered = answer if isinstance(answer, int) else 200 if answer == "huge" else 0
        with self.server.lock:
            self.server.calls.append(told)
        if answer == "hang":
            self.server.released.wait(60)
        if answer in ("hang", "drop"):
            self.close_connection = True
            with contextlib.suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
            return
        status = 302 if answer == "redirect" else 200 if answer == "huge" else answer
        self.send_response(status)
        if answer == "redirect":
            self.send_header("Location", self.server.url("/elsewhere"))
        reply = b"x" * HUGE if answer == "huge" else b"ok"
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(reply)


