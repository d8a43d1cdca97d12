"""Debian's Chromium, and a door between it and nginx that can be slow, broken or closed."""

import base64
import contextlib
import http.client
import http.server
import json
import pathlib
import shutil
import threading
import time
import typing
from collections.abc import Callable

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from stack import CACHE, PROGRAM
from support import until

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
AXE = CACHE / "meetlink/axe-core-4.14.1/node_modules/axe-core/axe.min.js"  # by scripts/lib.sh
PICTURES = PROGRAM.parent / "pages"
PATIENCE = 90
WIDE, NARROW = 1100, 360


class Door(http.server.ThreadingHTTPServer):
    """Passes requests on to a port. `mood(method, path)` may answer None (pass it on), a number of
    seconds (later), a status (in its place), "cut" (no answer) or "deaf" (no answer, but it is
    passed on)."""

    daemon_threads = True

    def __init__(self, port: int):
        self.behind, self.seen = port, []
        self.mood: Callable[[str, str], float | int | str | None] = lambda method, path: None
        super().__init__(("127.0.0.1", 0), Passage)
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @contextlib.contextmanager
    def moody(self, mood: Callable[[str, str], float | int | str | None]):
        self.mood, before = mood, self.mood
        yield
        self.mood = before

    def stop(self) -> None:
        self.shutdown()
        self.server_close()


class Passage(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Door

    def log_message(self, *_: object) -> None:
        pass

    def pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        mood = self.server.mood(self.command, self.path)
        self.server.seen.append((self.command, self.path))
        self.close_connection = True
        if mood == "cut":
            return
        if isinstance(mood, float):
            time.sleep(mood)
        if isinstance(mood, int):
            return self.reply(mood, {"Content-Type": "application/problem+json"}, b"{}")
        behind = http.client.HTTPConnection("127.0.0.1", self.server.behind, timeout=60)
        with contextlib.closing(behind):
            behind.request(self.command, self.path, body, dict(self.headers))
            answer = behind.getresponse()
            content = answer.read()
        if mood != "deaf":
            self.reply(answer.status, dict(answer.getheaders()), content)

    do_GET = do_POST = do_PUT = do_DELETE = pass_on

    def reply(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            self.wfile.write(content)


class Host(http.server.ThreadingHTTPServer):
    """A host application: a page that opens the dashboard, and gives out its `token`."""

    daemon_threads = True
    token = ""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), HostPage)
        self.url = f"http://127.0.0.1:{self.server_port}/meetings"
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()


class HostPage(http.server.BaseHTTPRequestHandler):
    server: Host

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        message = json.dumps({"type": "meetlink.token", "token": self.server.token})
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(
            f"""<!doctype html><title>Market</title><link rel=icon href="data:,"><script>
            const message = {message};
            addEventListener("message", (event) => {{
                if (event.data.type === "meetlink.token_wanted")
                    event.source.postMessage(message, event.origin);
            }});
            if (opener) opener.postMessage(message, "*");
            </script>""".encode()
        )


class Browser:
    """A browser with a profile of its own."""

    def __init__(self, profile: pathlib.Path):
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        for switch in ("headless=new", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run",
                       "disable-background-networking", "disable-component-update", "disable-sync",
                       "disable-dev-shm-usage", f"user-data-dir={profile}"):  # fmt: skip
            options.add_argument(f"--{switch}")
        options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
        service = webdriver.ChromeService(DRIVER)
        self.driver = webdriver.Chrome(options=options, service=service)
        self.driver.set_page_load_timeout(PATIENCE)
        self.driver.set_script_timeout(PATIENCE)
        self.look()

    def cdp(self, command: str, **arguments: object) -> dict:
        return self.driver.execute_cdp_cmd(command, arguments)

    def run(self, script: str, *arguments: object) -> typing.Any:
        return self.driver.execute_script(script, *arguments)

    def look(
        self,
        width: int = WIDE,
        dark: bool = False,
        language: str = "en",
        zone: str = "Europe/Berlin",
    ) -> None:
        """How the reader looks at it."""
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.cdp("Emulation.setDeviceMetricsOverride", **size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        calm = {"name": "prefers-reduced-motion", "value": "reduce"}
        self.cdp("Emulation.setEmulatedMedia", features=[scheme, calm])
        self.cdp("Emulation.setTimezoneOverride", timezoneId=zone)
        # Pages that change something take one that says it is headless for a program.
        agent = self.run("return navigator.userAgent").replace("Headless", "")
        self.cdp("Emulation.setUserAgentOverride", userAgent=agent, acceptLanguage=language)

    def forget(self, url: str) -> None:
        """Nobody is signed in in this tab any more."""
        self.driver.get(f"{url}/app/config.json")
        self.run("sessionStorage.clear()")

    def open(self, door: Door, token: str, view: str = "") -> None:
        self.forget(door.url)
        self.driver.get(f"{door.url}/app/#token={token}")
        self.sees("h1")
        if view:
            self.go(view)

    def go(self, view: str) -> None:
        self.run("location.hash = arguments[0]", view)
        self.sees(f'nav a[aria-current][href="#{view}"]')

    def find(self, css: str, words: str = "") -> typing.Any:
        """The first visible element that has these words; None: there is none."""
        return self.run(
            "return [...document.querySelectorAll(arguments[0])].find((e) => e.checkVisibility()"
            " && (e.innerText ?? '').includes(arguments[1])) ?? null",
            css,
            words,
        )

    def sees(self, css: str, words: str = "", seconds: float = PATIENCE) -> typing.Any:
        return until(lambda: self.find(css, words), f"{css} with {words!r} is shown", seconds)

    def misses(self, css: str, words: str = "") -> None:
        until(lambda: not self.find(css, words), f"{css} with {words!r} is gone", PATIENCE)

    def press(self, css: str, words: str = "") -> None:
        """Clicks; what is drawn anew meanwhile is looked for again."""

        def pressed() -> bool:
            try:
                self.find(css, words).click()
            except (AttributeError, WebDriverException):
                return False
            return True

        until(pressed, f"{css} with {words!r} can be pressed", PATIENCE)

    def type(self, css: str, text: str) -> None:
        self.sees(css).send_keys(text)

    def fill(self, css: str, value: str) -> None:
        """For what a person picks, such as a date."""
        self.run(
            "arguments[0].value = arguments[1];"
            "arguments[0].dispatchEvent(new Event('input', {bubbles: true}));"
            "arguments[0].dispatchEvent(new Event('change', {bubbles: true}))",
            self.sees(css),
            value,
        )

    def keys(self, *keys: str) -> None:
        self.driver.switch_to.active_element.send_keys(*keys)

    def tab_to(self, words: str, most: int = 60) -> None:
        """Moves the focus on with the Tab key until it is on what says so."""
        for _ in range(most):
            self.keys(Keys.TAB)
            if words in self.run(
                "const e = document.activeElement; return e.matches('a, button') ? e.innerText : ''"
            ):
                return
        raise AssertionError(f"{words!r} is not reached by keyboard")

    def text(self, css: str = "body") -> str:
        return self.driver.find_element(By.CSS_SELECTOR, css).text

    def picture(self, name: str) -> None:
        PICTURES.mkdir(parents=True, exist_ok=True)
        height = self.run("return document.documentElement.scrollHeight")
        size = self.cdp("Page.captureScreenshot", captureBeyondViewport=height < 6000)
        (PICTURES / f"{name}.png").write_bytes(base64.b64decode(size["data"]))

    def requests(self) -> list[str]:
        """What it has asked for since the last time, whatever for."""
        events = [
            json.loads(line["message"])["message"] for line in self.driver.get_log("performance")
        ]
        sent = [
            e["params"]["request"]["url"]
            for e in events
            if e["method"] == "Network.requestWillBeSent"
        ]
        return [url for url in sent if url.startswith(("http", "ws"))]

    def complaints(self) -> list[str]:
        """What it has complained of but answers that were errors."""
        lines = self.driver.get_log("browser")
        return [
            line["message"] for line in lines
            if line["level"] == "SEVERE" and "Failed to load resource" not in line["message"]
        ]  # fmt: skip

    def violations(self) -> list[str]:
        """What axe finds that keeps people out."""
        self.run(AXE.read_text())
        found = self.driver.execute_async_script(
            "const done = arguments[0];"
            "axe.run(document, {resultTypes: ['violations']}).then((r) => done(r.violations),"
            " (e) => done([{id: String(e), impact: 'critical', nodes: []}]))"
        )
        return [
            f"{rule['id']}: {[node['html'][:200] for node in rule['nodes'][:3]]}"
            for rule in found
            if rule["impact"] in ("serious", "critical")
        ]

    def overflow(self) -> int:
        """Pixels that have to be scrolled sideways."""
        return self.run("const r = document.documentElement; return r.scrollWidth - r.clientWidth")

    def stop(self) -> None:
        self.driver.quit()
