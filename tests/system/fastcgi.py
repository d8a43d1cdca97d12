"""FastCGI straight to the program's socket, as nginx would speak it, or as nobody should."""

import contextlib
import socket
import struct

BEGIN, END, PARAMS, STDIN, STDOUT = 1, 3, 4, 5, 6


def record(kind: int, content: bytes, number: int = 1) -> bytes:
    return struct.pack(">BBHHBx", 1, kind, number, len(content), 0) + content


def pair(name: str, value: str) -> bytes:
    def length(text: bytes) -> bytes:
        return bytes([len(text)]) if len(text) < 128 else struct.pack(">I", len(text) | 1 << 31)

    key, text = name.encode(), value.encode()
    return length(key) + length(text) + key + text


def request(
    path: str,
    token: str = "",
    method: str = "GET",
    body: bytes = b"",
    address: str = "127.0.0.1",
) -> bytes:
    """The bytes of one request whose connection is to be kept."""
    params = {"REQUEST_METHOD": method, "REQUEST_URI": path, "REMOTE_ADDR": address}
    params["QUERY_STRING"] = path.partition("?")[2]
    if body:
        params |= {"CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": "application/json"}
    if token:
        params["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    text = b"".join(pair(name, value) for name, value in params.items())
    parts = [record(BEGIN, struct.pack(">HB5x", 1, 1)), record(PARAMS, text), record(PARAMS, b"")]
    parts += [record(STDIN, body[at : at + 32768]) for at in range(0, len(body), 32768)]
    return b"".join([*parts, record(STDIN, b"")])


class Answer:
    def __init__(self, data: bytes):
        head, _, self.body = data.partition(b"\r\n\r\n")
        lines = (line.split(": ", 1) for line in head.decode().split("\r\n"))
        self.headers = {name: value for name, value in lines}
        self.status = int(self.headers["Status"].split()[0])


class Connection:
    def __init__(self, path: object, timeout: float = 60):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        self.socket.connect(str(path))
        self.file = self.socket.makefile("rb")

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.file.close()
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def answer(self) -> Answer | None:
        """None when the connection was closed instead."""
        out = b""
        with contextlib.suppress(ConnectionResetError):
            while len(head := self.file.read(8)) == 8:
                _, kind, _, length, padding = struct.unpack(">BBHHBx", head)
                content = self.file.read(length + padding)[:length]
                if kind == STDOUT:
                    out += content
                elif kind == END:
                    return Answer(out)
        return None

    def ask(self, path: str, token: str = "", **more: object) -> Answer | None:
        self.send(request(path, token, **more))
        return self.answer()
