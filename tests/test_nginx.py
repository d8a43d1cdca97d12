"""The nginx configuration, with a FastCGI program of our own in the application's place."""

import concurrent.futures
import json
import os
import pathlib
import shutil
import signal
import socket
import socketserver
import struct
import subprocess
import threading

import pytest
import requests

from support import free_port, listens, until

ROOT = pathlib.Path(__file__).resolve().parent.parent
NGINX = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin:/sbin")
TOKEN = "tok-3f9a8c"

pytestmark = pytest.mark.skipif(not NGINX, reason="nginx is not here")


class Application(socketserver.ThreadingUnixStreamServer):
    """Answers every request with its parameters as JSON, or cuts `die` connections instead."""

    request_queue_size = 64
    daemon_threads = True

    def __init__(self, path):
        super().__init__(str(path), Connection)
        self.seen = []
        self.connections = 0
        self.die = 0
        threading.Thread(target=self.serve_forever, args=(0.05,)).start()

    def stop(self):
        self.shutdown()
        self.server_close()


class Connection(socketserver.StreamRequestHandler):
    """FastCGI 1.0 as nginx speaks it: one request at a time, many on one connection."""

    BEGIN, END, PARAMS, STDIN, STDOUT = 1, 3, 4, 5, 6

    def handle(self):
        self.server.connections += 1
        params, body = b"", b""
        while len(head := self.rfile.read(8)) == 8:
            _, kind, number, length, padding = struct.unpack(">BBHHBx", head)
            content = self.rfile.read(length + padding)[:length]
            if kind == self.BEGIN:
                params, body = b"", b""
            elif kind == self.PARAMS:
                params += content
            elif kind == self.STDIN and content:
                body += content
            elif kind == self.STDIN:
                self.server.seen.append(self.decode(params))
                if self.server.die:
                    self.server.die -= 1
                    return
                self.answer(number, self.server.seen[-1], body)

    @staticmethod
    def decode(data):
        pairs, at = {}, 0

        def length():
            nonlocal at
            wide = data[at] >= 128
            at += 4 if wide else 1
            return struct.unpack(">I", data[at - 4 : at])[0] & 0x7FFFFFFF if wide else data[at - 1]

        while at < len(data):
            name, value = length(), length()
            pairs[data[at : at + name].decode()] = data[at + name : at + name + value].decode()
            at += name + value
        return pairs

    def answer(self, number, params, body):
        headers = ["Status: 200 OK", "Content-Type: application/json", 'ETag: "e"']
        headers += ["X-Request-Id: x", "X-Content-Type-Options: nosniff", "Referrer-Policy: origin"]
        if params["REQUEST_URI"] == "/api/own":
            headers.append("Cache-Control: no-store")
        text = json.dumps({"params": params, "length": len(body)})
        reply = "\r\n".join([*headers, "", text]).encode()
        for kind, content in ((self.STDOUT, reply), (self.STDOUT, b""), (self.END, bytes(8))):
            self.wfile.write(struct.pack(">BBHHBx", 1, kind, number, len(content), 0) + content)


class Instance:
    def __init__(self, folder, limit_key=""):
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.socket = folder / "app.sock"
        for name in ("nginx", "log"):
            (folder / name).mkdir()
        (folder / "nginx/snippets").symlink_to(ROOT / "nginx/snippets")
        text = (ROOT / "nginx/development.conf.in").read_text()
        for name, value in {
            "USER": "user root;" if os.geteuid() == 0 else "",
            "PORT": str(self.port),
            "SOCKET": str(self.socket),
            "KEEPALIVE": "keepalive 8;",
            "LIMIT_KEY": limit_key,
        }.items():
            text = text.replace(f"@{name}@", value)
        (folder / "nginx/nginx.conf").write_text(text)
        self.app = Application(self.socket)
        self.log = open(folder / "log/nginx.log", "wb")
        self.process = subprocess.Popen(
            [NGINX, "-p", folder, "-c", "nginx/nginx.conf", "-e", "stderr"], stderr=self.log
        )
        until(lambda: listens(self.port), "nginx listens")

    def access_log(self):
        return (self.folder / "log/access.log").read_text()

    def stop(self):
        self.process.send_signal(signal.SIGQUIT)
        assert self.process.wait(timeout=15) == 0
        self.log.close()
        self.app.stop()


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    instance = Instance(tmp_path_factory.mktemp("site"))
    yield instance
    instance.stop()


@pytest.fixture
def limited_site(tmp_path):
    instance = Instance(tmp_path, "$binary_remote_addr")
    yield instance
    instance.stop()


def assert_problem(answer, status, code):
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["status"], problem["code"]) == (status, code)
    assert answer.headers["X-Request-Id"] in problem["instance"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    ["/api/requests", "/join/x", "/calendar/feed/x.ics", "/healthz", "/readyz", "/metrics"],
)
def test_goes_to_the_application(site, path):
    answer = requests.get(site.url + path + "?q=1")
    params = answer.json()["params"]
    assert params["REQUEST_URI"] == path + "?q=1"
    assert params["QUERY_STRING"] == "q=1"
    assert answer.headers["X-Request-Id"] == params["REQUEST_ID"]
    assert len(params["REQUEST_ID"]) == 32


@pytest.mark.parametrize(
    "path",
    ["/", "/api", "/index.html", "/healthz/", "/readyzz", "/join", "/metrics/x", "/.git/config",
     "/joinx/a", "/join/../x", "/API/requests"],
)
def test_is_not_there(site, path):
    before = len(site.app.seen)
    assert_problem(requests.get(site.url + path, allow_redirects=False), 404, "not_found")
    assert len(site.app.seen) == before


def test_headers_of_an_answer(site):
    answer = requests.get(site.url + "/api/x")
    headers = answer.headers
    assert len(answer.raw.headers) == len(list(answer.raw.headers.items()))
    assert headers["ETag"] == '"e"'
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Frame-Options"] == "DENY"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "private, no-cache"
    assert headers["Server"] == "nginx"
    assert "Strict-Transport-Security" not in headers
    assert requests.get(site.url + "/api/own").headers["Cache-Control"] == "no-store"


def test_a_client_cannot_set_what_nginx_says(site):
    names = {"Proxy": "http://evil", "X-Request-Id": "mine", "Request-Id": "mine"}
    params = requests.get(site.url + "/api/x", headers=names).json()["params"]
    assert "HTTP_PROXY" not in params
    assert params["REQUEST_ID"] != "mine"
    assert params["REMOTE_ADDR"] == "127.0.0.1"


def test_bodies_up_to_the_bound(site):
    assert requests.post(site.url + "/api/x", data=b"a" * 131072).json()["length"] == 131072
    assert_problem(requests.post(site.url + "/api/x", data=b"a" * 131073), 413, "too_large")


def test_methods_pass(site):
    for method in ("PUT", "DELETE", "OPTIONS", "PATCH"):
        answer = requests.request(method, site.url + "/api/x")
        assert answer.json()["params"]["REQUEST_METHOD"] == method
    assert requests.head(site.url + "/api/x").headers["ETag"] == '"e"'


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("deaths", [1, 2])
def test_a_dying_worker_is_not_seen(site, method, deaths):
    site.app.die = deaths
    before = len(site.app.seen)
    answer = requests.request(method, site.url + "/api/x", data=b"body")
    assert answer.status_code == 200
    tries = site.app.seen[before:]
    assert len(tries) == deaths + 1
    assert len({params["REQUEST_ID"] for params in tries}) == 1
    assert answer.json()["length"] == 4


def test_connections_are_kept(site):
    requests.get(site.url + "/api/x")
    before = site.app.connections
    for _ in range(20):
        assert requests.get(site.url + "/api/x").status_code == 200
    assert site.app.connections - before <= 2


def test_without_an_application(tmp_path):
    site = Instance(tmp_path)
    site.socket.unlink()
    answer = requests.post(site.url + "/api/x", data=b"{}")
    assert_problem(answer, 502, "unavailable")
    assert answer.headers["Retry-After"] == "2"
    page = requests.get(f"{site.url}/join/{TOKEN}")
    assert page.status_code == 502
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "Please try again" in page.text and page.headers["Retry-After"] == "2"
    assert requests.get(f"{site.url}/calendar/event/{TOKEN}.ics").status_code == 502
    site.stop()
    for name in ("nginx.log", "access.log"):
        assert TOKEN not in (tmp_path / "log" / name).read_text()


@pytest.mark.parametrize(
    "path",
    ["/join/{}", "/calendar/event/{}.ics", "/calendar/feed/{}.ics", "/%6aoin/{}", "//join/{}",
     "/x/../join/{}", "/api/x?access_token={}", "/nowhere?{}", "/calendar/{}"],
)
def test_the_log_keeps_no_token(site, path):
    before = len(site.access_log().splitlines())
    with socket.create_connection(("127.0.0.1", site.port)) as raw:
        raw.sendall(f"GET {path.format(TOKEN)} HTTP/1.0\r\n\r\n".encode())
        while raw.recv(4096):
            pass
    until(lambda: len(site.access_log().splitlines()) > before, "a line in the access log")
    entry = json.loads(site.access_log().splitlines()[-1])
    assert TOKEN not in json.dumps(entry)
    assert entry["method"] == "GET"


@pytest.mark.parametrize(
    "bytes_sent",
    [b"GARBAGE\r\n\r\n", b"GET /%2e%2e/etc/passwd HTTP/1.0\r\n\r\n", b"GET /api/x HTTP/1.1\r\n\r\n", b"GET /api/\0 HTTP/1.0\r\n\r\n",
     b"GET / HTTP/1.0\r\nX: " + b"a" * 40000 + b"\r\n\r\n",
     b"POST /api/x HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"],
)
def test_what_is_no_request_is_refused(site, bytes_sent):
    before = len(site.app.seen)
    with socket.create_connection(("127.0.0.1", site.port)) as raw:
        raw.sendall(bytes_sent)
        assert b" 400 " in raw.recv(4096).split(b"\r\n")[0]
    assert len(site.app.seen) == before


@pytest.mark.parametrize("path, calls", [("/join/x", 60), ("/calendar/feed/x", 60), ("/api/x", 200)])
def test_limits(limited_site, path, calls):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: requests.get(limited_site.url + path), range(calls)))
    refused = [answer for answer in answers if answer.status_code == 429]
    assert {answer.status_code for answer in answers} == {200, 429}
    assert len(answers) - len(refused) >= 20
    if path != "/join/x":
        assert_problem(refused[0], 429, "rate_limited")
    assert refused[0].headers["Retry-After"] == "1"
    assert requests.get(limited_site.url + "/healthz").status_code == 200


def test_a_provider_is_told_to_come_again(limited_site):
    url = limited_site.url + "/api/webhooks/zoom"
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: requests.post(url, b"{}"), range(600)))
    refused = [answer for answer in answers if answer.status_code != 200]
    assert {answer.status_code for answer in refused} == {503}
    assert len(answers) - len(refused) >= 200
    assert_problem(refused[0], 503, "unavailable")
    assert int(refused[0].headers["Retry-After"]) > 0


def test_development_has_no_limits(site):
    with concurrent.futures.ThreadPoolExecutor(48) as pool:
        got = pool.map(lambda _: requests.get(site.url + "/join/x").status_code, range(400))
    assert set(got) == {200}


def test_the_production_site_is_valid(tmp_path):
    """nginx -t with the files as they would lie under /etc/nginx, and a certificate of our own."""
    key, certificate = tmp_path / "privkey.pem", tmp_path / "fullchain.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-days", "1", "-subj", "/CN=meet.example.org", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )
    text = (ROOT / "nginx/meetlink.conf").read_text()
    text = text.replace("/etc/ssl/meetlink", str(tmp_path)).replace("/var/log/nginx", str(tmp_path))
    for public, loopback in (("80", free_port()), ("443", free_port())):
        text = text.replace(f"listen {public}", f"listen 127.0.0.1:{loopback}")
        text = text.replace(f"listen [::]:{public}", f"listen [::1]:{loopback}")
    (tmp_path / "site.conf").write_text(text)
    (tmp_path / "snippets").symlink_to(ROOT / "nginx/snippets")
    (tmp_path / "nginx.conf").write_text(
        f"pid {tmp_path}/nginx.pid;\nevents {{}}\nhttp {{\n"
        + "".join(
            f"{kind}_temp_path {tmp_path}/{kind};\n"
            for kind in ("client_body", "fastcgi", "proxy", "scgi", "uwsgi")
        )
        + "include site.conf;\n}\n"
    )
    done = subprocess.run(
        [NGINX, "-t", "-p", tmp_path, "-c", tmp_path / "nginx.conf", "-e", "stderr"],
        capture_output=True, text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "[warn]" not in done.stderr, done.stderr
