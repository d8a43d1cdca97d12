"""The nginx configuration, with a FastCGI program of our own in the application's place."""

import concurrent.futures
import contextlib
import http.client
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
TOKEN = "AAECAwQFBgcICQoLDA0ODwEBAAAAAE_-tok3f9a8cZmFrZQxyz"

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
        (folder / "nginx/web").symlink_to(ROOT / "web")
        text = (ROOT / "nginx/development.conf.in").read_text()
        for name, value in {
            "USER": "user root;" if os.geteuid() == 0 else "",
            "PORT": str(self.port),
            "SOCKET": str(self.socket),
            "LIMIT_KEY": limit_key,
            "SIGN_IN": "",
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


def assert_page(answer, status, *words):
    """The small page for people, in both languages."""
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["X-Request-Id"] in answer.text
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "style-src 'unsafe-inline'" in answer.headers["Content-Security-Policy"]
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in answer.text
    assert '<section lang="de">' in answer.text and "$" not in answer.text
    for word in words:
        assert word in answer.text


class Raw:
    """What is answered to these bytes, which no client library would send."""

    def __init__(self, site, bytes_sent):
        with socket.create_connection(("127.0.0.1", site.port), timeout=20) as raw:
            raw.sendall(bytes_sent)
            answer = raw.makefile("rb")
            self.status_code = int(answer.readline().split(b" ")[1])
            self.headers = dict(
                line.decode().rstrip("\r\n").split(": ", 1)
                for line in iter(answer.readline, b"\r\n")
            )
            length = int(self.headers.get("Content-Length", -1))
            head = bytes_sent.startswith(b"HEAD")
            body = b"" if head else answer.read(length)
        self.text = body.decode()

    def json(self):
        return json.loads(self.text)


@pytest.mark.parametrize(
    "path",
    ["/api/requests", "/join/x", "/m/x", "/calendar/feed/x.ics", "/healthz", "/readyz", "/metrics"],
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
    ["/", "/api", "/index.html", "/healthz/", "/readyzz", "/metrics/x", "/.git/config",
     "/joinx/a", "/mx/a", "/API/requests", "/-/problem", "/-/page"],
)
def test_is_not_there(site, path):
    before = len(site.app.seen)
    assert_problem(requests.get(site.url + path, allow_redirects=False), 404, "not_found")
    assert len(site.app.seen) == before


@pytest.mark.parametrize(
    "path",
    ["/join", "/join/", "/join//", "/join/{}/", "/join/{}/x", "//join/{}", "/join//{}", "/join/{}.x",
     "/join/{}%2F", "/join/{}%7F", "/join/{}%3Ex", "/join/{}" + 25 * ".", "/join/%20{}", "/join/{}%0A", "/join/./{}",
     "/JOIN/{}", "/%6aoin/{}", "/x/../join/{}", "/join/%2e", "/join/" + "A" * 5000, "/join/%ff", "/join/<{}>",
     "/m", "/m/", "/m/{}/", "/m/{}%2F", "/M/{}", "/%6d/{}", "/m/./{}"],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_damaged_link_is_a_page(site, path, method):
    before = len(site.app.seen)
    line = f"{method} {path.format(TOKEN)} HTTP/1.0\r\n\r\n"
    answer = Raw(site, line.encode())
    if method == "GET":
        assert_page(answer, 404, "is not known", "ist nicht bekannt")
    assert (answer.status_code, answer.headers["Content-Type"][:9]) == (404, "text/html")
    assert len(site.app.seen) == before


@pytest.mark.parametrize(
    "path",
    ["/join/{}", "/join/{}?utm_source=mail", "/join/x?", "/join/{}.", "/join/{}),.", "/join/{}>",
     "/join/{}%3E%5D%22'", "/join/{}%20", "/join/{}%E2%80%99", "/join/{}*.?utm_source=mail",
     "/calendar/event/{}.ics%3E.", "/m/{}", "/m/{}?cancel", "/m/{}).?utm_source=mail"],
)  # fmt: skip
def test_a_link_is_passed_on(site, path):
    """With what mail programs glue to it, which the application cuts."""
    line = f"GET {path.format(TOKEN)} HTTP/1.0\r\n\r\n"
    answer = Raw(site, line.encode())
    assert answer.status_code == 200
    assert answer.json()["params"]["REQUEST_URI"] == path.format(TOKEN)


def test_what_leaves_the_links_is_no_page(site):
    assert_problem(Raw(site, b"GET /join/../x HTTP/1.0\r\n\r\n"), 404, "not_found")


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
    assert_page(page, 502, "Please try the same link again", "noch einmal")
    assert page.headers["Retry-After"] == "2"
    calendar = f"{site.url}/calendar/event/{TOKEN}.ics"
    assert_page(requests.get(calendar), 502, "Please try the same link again")
    for url in (calendar, page.url):
        json_only = {"Accept": "application/json"}
        assert_problem(requests.get(url, headers=json_only), 502, "unavailable")
    site.stop()
    for name in ("nginx.log", "access.log"):
        assert TOKEN not in (tmp_path / "log" / name).read_text()


@pytest.mark.parametrize(
    "path",
    ["/join/{}", "/calendar/event/{}.ics", "/calendar/feed/{}.ics", "/%6aoin/{}", "//join/{}",
     "/x/../join/{}", "/api/x?access_token={}", "/nowhere?{}", "/calendar/{}", "/JOIN/{}",
     "/join/{}/", "/x/join/{}", "/api/join/{}", "/api/x/{}/{}/y", "/join%2F{}", "/joins/{}", "/{}",
     "/join%20{}", "/API/{}", "/join/%zz{}", "/JOIN/{}%", "/x/{}%zz", "/Kalender/event/{}.ics",
     "/JO%20IN/AAECAwQFBgcICQoLD%0d%0aA0ODwEBAAAAAE_-tok3f9a8c", "/m/{}", "/m/{}?cancel",
     "/m/{}/x", "/M/{}", "/%6d/{}"],
)
def test_the_log_keeps_no_token(site, path):
    before = len(site.access_log().splitlines())
    with socket.create_connection(("127.0.0.1", site.port)) as raw:
        raw.sendall(f"GET {path.replace('{}', TOKEN)} HTTP/1.0\r\n\r\n".encode())
        while raw.recv(4096):
            pass
    until(lambda: len(site.access_log().splitlines()) > before, "a line in the access log")
    entry = json.loads(site.access_log().splitlines()[-1])
    assert "tok3f9a8c" not in json.dumps(entry)
    assert "tok3f9a8c" not in (site.folder / "log/nginx.log").read_text()
    assert entry["method"] == "GET"


def test_what_the_log_keeps(site):
    def logged(method, path):
        before = len(site.access_log().splitlines())
        Raw(site, f"{method} {path} HTTP/1.0\r\nReferer: http://x/join/{TOKEN}\r\n\r\n".encode())
        until(lambda: len(site.access_log().splitlines()) > before, "a line in the access log")
        line = site.access_log().splitlines()[-1]
        assert TOKEN not in line
        return tuple(json.loads(line)[name] for name in ("method", "path", "status"))

    assert logged("POST", "/api/a/b") == ("POST", "/api/a/b", 200)
    assert logged("GET", "/api/" + "a" * 39) == ("GET", "/api/" + "a" * 39, 200)
    assert logged("DELETE", "/api") == ("DELETE", "***", 404)
    assert logged("POST", "/nowhere") == ("POST", "***", 404)
    assert logged("POST", "/api/%zz") == ("POST", "***", 400)
    assert logged("GET", "/join/x/") == ("GET", "/join/***", 404)
    assert logged("POST", "/m/x?cancel") == ("POST", "/m/***", 200)
    assert logged("PUT", "/calendar/event/x.ics") == ("PUT", "/calendar/event/***", 200)


HOST = b" HTTP/1.1\r\nHost: a\r\n"
CHUNKED = HOST + b"Transfer-Encoding: chunked\r\n\r\n"
REFUSED = {
    "no HTTP": (b"GARBAGE\r\n\r\n", 400),
    "above the root": (b"GET /%2e%2e/etc/passwd HTTP/1.0\r\n\r\n", 400),
    "no host": (b"GET {}x HTTP/1.1\r\n\r\n", 400),
    "two hosts": (b"GET {}x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    "NUL": (b"GET {}\0 HTTP/1.0\r\n\r\n", 400),
    "an escaped NUL": (b"GET {}%00 HTTP/1.0\r\n\r\n", 400),
    "no escape": (b"GET {}requests/%zz" + HOST + b"\r\n", 400),
    "half an escape": (b"POST {}requests/%4" + HOST + b"\r\n", 400),
    "a long header": (b"GET {}x" + HOST + b"X: " + b"a" * 40000 + b"\r\n\r\n", 400),
    "many headers": (b"GET {}x" + HOST + (b"X: " + b"a" * 4000 + b"\r\n") * 10 + b"\r\n", 400),
    "a long address": (b"GET {}" + b"a" * 40000 + HOST + b"\r\n", 414),
    "a bad header": (b"GET {}x" + HOST + b"\0: a\r\n\r\n", 400),
    "no chunk": (b"POST {}x" + CHUNKED + b"zz\r\n", 400),
    "a chunk that goes on": (b"POST {}x" + CHUNKED + b"1\r\nabc\r\n0\r\n\r\n", 400),
    "a length that is none": (b"POST {}x" + HOST + b"Content-Length: -1\r\n\r\n", 400),
    "two lengths": (
        b"POST {}x" + HOST + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400,
    ),
    "another coding": (b"POST {}x" + HOST + b"Transfer-Encoding: gzip\r\n\r\n", 501),
    "another version": (b"GET {}x HTTP/3.7\r\nHost: a\r\n\r\n", 505),
    "a method of nginx": (b"TRACE {}x" + HOST + b"\r\n", 405),
    "large": (b"POST {}x" + HOST + b"Content-Length: 131073\r\n\r\n", 413),
}  # fmt: skip
# What is said of them, beyond that the request could not be read.
SAID = {
    "a long header": "headers are too large: each may have 8 KiB",
    "many headers": "headers are too large: each may have 8 KiB",
    "a long address": "address is too long",
    "another coding": "Transfer-Encoding may only be chunked",
    "another version": "Only HTTP/1.0, HTTP/1.1",
    "large": "at most 64 KiB",
}
# Their request line cannot be read at all: nothing says that it was meant for a person.
UNREAD = {"no HTTP", "above the root"}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_request_is_refused(site, name):
    before = len(site.app.seen)
    bytes_sent, status = REFUSED[name]
    code = {405: "method_not_allowed", 413: "too_large"}.get(status, "malformed")
    answer = Raw(site, bytes_sent.replace(b"{}", b"/api/"))
    assert_problem(answer, status, code)
    assert SAID.get(name, "") in answer.json()["detail"]
    for place in (b"/join/", b"/m/", b"/calendar/event/"):
        answer = Raw(site, bytes_sent.replace(b"{}", place))
        if name in UNREAD:
            assert_problem(answer, status, code)
        elif "headers" in SAID.get(name, ""):
            assert_page(answer, status, "Your browser sent too much", "zu viel gesendet")
        else:
            assert_page(answer, status, "not known" if status in (400, 414) else "cannot be used")
        if status == 405:
            assert answer.headers["Allow"] == "GET, HEAD" + ", POST" * (place == b"/m/")
    assert len(site.app.seen) == before


@pytest.mark.parametrize("path, calls", [("/join/x", 60), ("/m/x", 60), ("/calendar/feed/x", 60), ("/api/x", 200)])
def test_limits(limited_site, path, calls):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: requests.get(limited_site.url + path), range(calls)))
    refused = [answer for answer in answers if answer.status_code == 429]
    assert {answer.status_code for answer in answers} == {200, 429}
    assert len(answers) - len(refused) >= 20
    if path in ("/join/x", "/m/x"):
        assert_page(refused[0], 429, "Too many visits", "Zu viele Besuche")
    else:
        assert_problem(refused[0], 429, "rate_limited")
    assert refused[0].headers["Retry-After"] == "1"
    assert requests.get(limited_site.url + "/healthz").status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_have_a_limit_that_no_balancer_meets(limited_site, path):
    def get(_):
        return requests.get(limited_site.url + path).status_code

    def probe():
        """From an address of its own."""
        balancer = http.client.HTTPConnection(
            "127.0.0.1", limited_site.port, timeout=20, source_address=("127.0.0.2", 0)
        )
        with contextlib.closing(balancer):
            balancer.request("GET", path)
            return balancer.getresponse().status

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        flood = [pool.submit(get, i) for i in range(400)]
        assert [probe() for _ in range(20)] == [200] * 20
        statuses = [one.result() for one in flood]
    assert set(statuses) == {200, 429}
    assert statuses.count(200) >= 40


def test_connections_of_clients_are_not_those_of_probes(limited_site):
    """As many requests that do not end as one address may have at a time."""
    head = b"POST /api/x HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"
    with contextlib.ExitStack() as stack:
        for _ in range(32):
            one = stack.enter_context(socket.create_connection(("127.0.0.1", limited_site.port)))
            one.sendall(head)
        until(lambda: requests.get(limited_site.url + "/api/x").status_code == 429, "they count")
        for path in ("/healthz", "/readyz"):
            assert requests.get(limited_site.url + path).status_code == 200


@pytest.mark.parametrize("path", ["/join/{}", "/m/{}", "/calendar/event/{}.ics"])
def test_one_link_shuts_out_no_other(limited_site, path):
    def get(name):
        return requests.get(limited_site.url + path.format(name)).status_code

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        hammered = list(pool.map(get, ["one"] * 300))
        assert hammered.count(429) > 200
        assert set(pool.map(get, [f"link{i}" for i in range(100)])) == {200}
        # All links of an address together have their bound, too.
        several = list(pool.map(get, [f"guess{i}" for i in range(600)]))
    assert set(several) == {200, 429}


@pytest.mark.parametrize("path", ["/join/one{}", "/m/one{}", "/calendar/event/one.ics{}", "/calendar/feed/one{}"])
def test_glue_makes_no_other_link(limited_site, path):
    def get(glue):
        return requests.get(limited_site.url + path.format(glue)).status_code

    glues = [one + two + three for one in ".,;" for two in (":", "!", "%E2%80%99") for three in ").*"]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert list(pool.map(get, glues * 5)).count(429) > 50


def test_damaged_links_count_for_nobody(limited_site):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda i: requests.get(f"{limited_site.url}/join/{i}/"), range(400)))
    assert {answer.status_code for answer in got} == {404}
    assert requests.get(limited_site.url + "/join/x").status_code == 200


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


def production(tmp_path, application):
    """The files as they would lie under /etc/nginx, with a certificate and ports of our own; the
    command that starts it, and the port of the metrics."""
    key, certificate = tmp_path / "privkey.pem", tmp_path / "fullchain.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-days", "1", "-subj", "/CN=meet.example.org", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )
    text = (ROOT / "nginx/meetlink.conf").read_text()
    text = text.replace("/etc/ssl/meetlink", str(tmp_path)).replace("/var/log/nginx", str(tmp_path))
    text = text.replace("/run/meetlink/fastcgi.sock", str(application))
    metrics = free_port()
    text = text.replace("listen 127.0.0.1:9180", f"listen 127.0.0.1:{metrics}")
    for public, loopback in (("80", free_port()), ("443", free_port())):
        text = text.replace(f"listen {public}", f"listen 127.0.0.1:{loopback}")
        text = text.replace(f"listen [::]:{public}", f"listen [::1]:{loopback}")
    (tmp_path / "site.conf").write_text(text)
    (tmp_path / "snippets").symlink_to(ROOT / "nginx/snippets")
    (tmp_path / "nginx.conf").write_text(
        ("user root;\n" if os.geteuid() == 0 else "")
        + f"daemon off;\npid {tmp_path}/nginx.pid;\nevents {{}}\nhttp {{\n"
        + "".join(
            f"{kind}_temp_path {tmp_path}/{kind};\n"
            for kind in ("client_body", "fastcgi", "proxy", "scgi", "uwsgi")
        )
        + "include site.conf;\n}\n"
    )
    return [NGINX, "-p", tmp_path, "-c", tmp_path / "nginx.conf", "-e", "stderr"], metrics


def test_the_production_site_is_valid(tmp_path):
    command, _ = production(tmp_path, tmp_path / "nobody.sock")
    done = subprocess.run([*command, "-t"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "[warn]" not in done.stderr, done.stderr


def test_prometheus_asks_the_production_site(tmp_path):
    """On a port of loopback, without TLS, and for nothing else."""
    app = Application(tmp_path / "app.sock")
    command, port = production(tmp_path, tmp_path / "app.sock")
    nginx = subprocess.Popen(command)
    try:
        until(lambda: listens(port), "nginx listens")
        answer = requests.get(f"http://127.0.0.1:{port}/metrics")
        assert answer.json()["params"]["REQUEST_URI"] == "/metrics"
        for path in ("/", "/metrics/x", "/api/requests", "/healthz"):
            assert requests.get(f"http://127.0.0.1:{port}{path}").status_code == 404
        assert len(app.seen) == 1
    finally:
        nginx.send_signal(signal.SIGQUIT)
        assert nginx.wait(timeout=60) == 0
        app.stop()
