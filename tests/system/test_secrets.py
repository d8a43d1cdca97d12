"""No secret where it does not belong: whatever happens, and even if providers and mail servers
repeat all that they were sent, secrets stay out of the database, the logs, answers and mails."""

import base64
import binascii
import json
import re
import secrets
import subprocess
import urllib.parse
from collections.abc import Iterator
from mailbox import Mail, SmtpServer

import aiosmtpd.controller
import aiosmtpd.smtp
import bson
import jwt
import pytest
import requests
from caller import Caller, Parties
from providers import TITLES, Providers, unique
from sim import Fault
from stack import PROGRAM, Stack
from support import until
from test_changes import nobody_delivers

LINK = re.compile(rb"/(?:join|calendar/event)/([\w-]{50})")
ENCODED = re.compile(rb"[A-Za-z0-9+/_-]{16,}={0,2}")


class TellTale(SmtpServer):
    """Demands a password, and says it, or what it was mailed, in its refusals."""

    def __init__(self) -> None:
        self.password = secrets.token_hex(16)
        self.admits = True
        self.takes = True
        super().__init__()

    @property
    def url(self) -> str:
        return f"smtp://mailer:{self.password}@127.0.0.1:{self.port}"

    def start(self) -> None:
        self.controller = aiosmtpd.controller.Controller(
            self,
            hostname="127.0.0.1",
            port=self.port,
            enable_SMTPUTF8=True,
            authenticator=self.authenticate,
            auth_require_tls=False,
        )
        self.controller.start()

    def restart(self) -> None:
        """So that everybody logs in again."""
        self.controller.stop()
        self.start()

    def authenticate(self, *arguments: object) -> aiosmtpd.smtp.AuthResult:
        given = arguments[-1].password.decode()
        if self.admits and given == self.password:
            return aiosmtpd.smtp.AuthResult(success=True)
        words = f"535 5.7.8 {given} {base64.b64encode(given.encode()).decode()} is wrong"
        return aiosmtpd.smtp.AuthResult(success=False, handled=False, message=words)

    async def handle_DATA(self, server: object, session: object, envelope: object) -> str:
        if self.takes:
            return await super().handle_DATA(server, session, envelope)
        text = Mail("", envelope.original_content).text()
        links = re.findall(r"https?://\S+/join/[\w-]{50}", text)
        return f"451 4.7.1 Try again: we do not like {' '.join(links)} in mails"


# ---- what is looked for, and where ----


def forms(data: bytes, depth: int = 2) -> set[bytes]:
    """The bytes, and whatever they are an encoding of."""
    found = {data, urllib.parse.unquote_to_bytes(data)}
    found.add(data.replace(b"\\n", b"\n").replace(b"\\/", b"/").replace(b'\\"', b'"'))
    inside = []
    for run in set(ENCODED.findall(data)):
        text = run.rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
        for skipped in range(4):
            whole = text[skipped:]
            inside.append(binascii.a2b_base64(whole[: len(whole) // 4 * 4] + rest(whole)))
        if hexadecimal := re.fullmatch(rb"[0-9a-fA-F]+", run):
            digits = hexadecimal[0]
            inside += [
                bytes.fromhex(digits[i : i + (len(digits) - i) // 2 * 2].decode()) for i in (0, 1)
            ]
    joined = b"\0".join(inside)
    return found | (forms(joined, depth - 1) if depth > 1 and joined else {joined})


def rest(text: bytes) -> bytes:
    """The last group of base64, with its padding."""
    last = text[len(text) // 4 * 4 :]
    return last + b"=" * (4 - len(last)) if len(last) > 1 else b""


class Needles(dict):
    """Secret bytes -> what they are. Of what is long, its halves are secret too."""

    def add(self, what: str, *values: str | None) -> None:
        for value in filter(None, values):
            assert len(value) >= 7, f"{what} is too short to be looked for: {value}"
            self[value.encode()] = what
            if len(value) >= 24:
                half = len(value) // 2
                self[value[:half].encode()] = self[value[half:].encode()] = f"a half of {what}"

    def found(self, data: bytes) -> set[str]:
        everything = b"\0\0".join(forms(data))
        return {what for needle, what in self.items() if needle in everything}


def dump(stack: Stack) -> bytes:
    """What a thief of the database has."""
    database = stack.requests.database
    documents = [
        document for name in database.list_collection_names() for document in database[name].find()
    ]
    assert len(documents) > 10
    return b"\0".join(bson.encode(document) for document in documents)


def logs(stack: Stack) -> bytes:
    return b"\n".join(path.read_bytes() for path in sorted((stack.folder / "log").iterdir()))


# ---- what happens ----


class Run:
    """The stories, and all that was said and written in them."""

    def __init__(self, providers: Providers, smtp: TellTale, heard: list):
        self.providers, self.stack, self.smtp, self.heard = providers, providers.stack, smtp, heard
        self.admin = self.stack.admin()
        self.hidden = Needles()  # from everybody
        self.personal = Needles()  # from all but two people
        self.links = Needles()  # of the providers: only where a person is sent on
        self.identities = Needles()  # who we are there: for administrators, and masked
        self.said: list[str] = []  # by the program's other commands
        self.stolen: list[bytes] = []  # copies of the database
        self.jitsi = secrets.token_hex(20)

    # What there is to be hidden.

    def note(self) -> None:
        """What exists at the providers now."""
        zoom = self.providers["zoom"]
        for name, live in self.providers.live():
            if name == "zoom":
                self.links.add("Zoom's link", live.raw.get("encrypted_password"))
                self.personal.add("Zoom's passcode", live.raw.get("password"))
            elif name == "google_meet":
                self.links.add(
                    "Meet's link", live.raw.get("conferenceData", {}).get("conferenceId")
                )
                self.personal.add("Meet's PIN", "PIN 123456789")
            else:
                self.links.add("Teams' link", live.raw["chatInfo"]["threadId"])
                self.personal.add("Teams' passcode", live.raw["joinMeetingIdSettings"]["passcode"])
        for meeting in zoom.meetings.values():
            for link in meeting.host_links:
                self.links.add("a host link", link.partition("zak=")[2])

    def note_credentials(self) -> None:
        zoom, google, graph = (self.providers[name] for name in ("zoom", "google_meet", "teams"))
        add = self.hidden.add
        add("a client secret", *(sim.client_secret for sim in (zoom, google, graph)))
        add("Zoom's webhook secret", zoom.webhook_secret)
        self.identities.add("an account", zoom.account_id, graph.tenant_id)
        self.identities.add("a client id", *(sim.client_id for sim in (zoom, google, graph)))
        add("a refresh token", google.refresh_token, *zoom.refresh_tokens)
        add("an access token", *zoom.tokens, *google.tokens, *graph.tokens)
        add("Jitsi's secret", self.jitsi)
        add("the mail server's password", self.smtp.password)
        add("the JWT secret", self.stack.secret)
        add("the master key", (self.stack.folder / "master.key").read_text().strip()[3:])
        add("a bearer token", *{caller.token for caller, _ in self.heard})
        pem = json.loads(google.service_account_json())["private_key"]
        add("the service account's key", *(line for line in pem.split("\n") if len(line) == 64))
        for sim in self.providers.sims.values():
            for call in sim.calls:
                add("what signs us in", call.headers.get("authorization", "").partition(" ")[2])
                if isinstance(call.body, dict):
                    add("an assertion", call.body.get("assertion"))
        for _, answer in self.heard:
            location = answer.headers.get("Location", "")
            self.links.add("Jitsi's token", location.partition("?jwt=")[2])
            if "/meetlink-" in location:
                room = re.search("meetlink-([0-9a-f]{32})", location)
                self.links.add("Jitsi's room", room[1])

    # The stories.

    def put(self, path: str, body: object, status: int = 200) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = self.admin.put(f"/api/config/{path}", data=data)
        assert answer.status_code == status, answer.text

    def accepted(self, **fields: object) -> tuple[Parties, dict]:
        parties = self.stack.parties()
        asked = parties.create(title=unique("Secret"), starts_at=self.stack.at(minutes=10))
        request = parties.accept(asked, **fields)
        self.note()
        return parties, request

    def look_around(self, parties: Parties, request: dict) -> None:
        """Whatever anybody may read, and every link."""
        path = f"/api/requests/{request['id']}"
        for caller in (parties.client, parties.lawyer, self.admin):
            for part in ("", "/meeting", "/meetings", "/audit", "/calendar.ics"):
                caller.get(path + part)
            for listing in ("/api/requests", "/api/dashboard"):
                caller.get(listing)
            links = caller.request(request["id"])["links"]
            for name in ("join", "calendar", "host"):
                if name in links:
                    caller.get(links[name])
        for view in (parties.client.request(request["id"]), request):
            if view["meeting"]["join_url"]:
                self.stack.anyone().get(view["meeting"]["join_url"])
                self.stack.anyone().get(view["meeting"]["calendar_url"])
        for suffix in ("", "/zoom", "/teams", "/google_meet", "/jitsi"):
            self.admin.get(f"/api/config/providers{suffix}")
        self.note()

    def a_life(self, name: str) -> None:
        """Made, entered, moved, made anew, cancelled; and another one that lives on."""
        parties, request = self.accepted(provider=name)
        self.providers.finish(request["id"])
        request = parties.lawyer.request(request["id"])
        assert request["meeting"]["status"] == "ready", request["meeting"]
        self.look_around(parties, request)
        path = f"/api/requests/{request['id']}/meeting"
        moved = {"starts_at": self.stack.at(minutes=12), "reason": "Later"}
        for action, body in (("reschedule", moved), ("regenerate", {"reason": "New"})):
            answer = parties.lawyer.post(f"{path}/{action}", body)
            assert answer.status_code == 200, answer.text
            self.providers.finish(request["id"])
            self.look_around(parties, request)
        parties.lawyer.cancel(request["id"], reason="Over")
        self.providers.finish(request["id"])
        self.look_around(parties, request)
        parties, request = self.accepted(provider=name)
        self.look_around(parties, request)

    def echoes(self, name: str) -> None:
        """Every kind of refusal, with everything that the provider was sent."""
        sim = self.providers[name]
        own = {part: sim.provider()[part] for part in ("settings", "credentials")}
        path = f"/api/config/providers/{name}"
        for match in ("POST */token", "POST *", "*"):
            for status in (400, 401, 403, 404, 429, 500):
                sim.expire_tokens()
                sim.script(Fault(match, status=status, echo=True, html=status == 500, times=None))
                answer = self.admin.post(f"{path}/validate", own | {"deep": True})
                assert answer.status_code == 200 and not answer.json()["ok"], answer.text
                sim.calm()
        trouble = Fault("*", status=500, echo=True, times=None)
        sim.script(trouble)
        parties, request = self.accepted(provider=name)
        self.providers.until_tried(request["id"])
        self.look_around(parties, request)
        sim.calm()
        self.providers.finish(request["id"])
        self.look_around(parties, request)
        sim.expire_tokens()
        sim.script(trouble)
        self.look_around(parties, request)
        parties.lawyer.cancel(request["id"])
        until(lambda: self.stack.owed(request["id"])[0].get("last_error"), "deleting has failed")
        self.stolen.append(dump(self.stack))
        self.look_around(parties, request)
        sim.calm()
        self.providers.finish(request["id"])

    def wrong_configurations(self) -> None:
        """Bodies that hold secrets and are refused, at all stages."""
        for name, sim in self.providers.sims.items():
            body = sim.provider()
            text = json.dumps(body).encode()
            self.put(f"providers/{name}", text[:-9], 400)
            self.put(f"providers/{name}", text[:-1] + b',"enabled":true}', 400)
            self.put(f"providers/{name}", text + b"{", 400)
            self.put(f"providers/{name}", text.replace(b"enabled", b"colour"), 422)
            self.put(f"providers/{name}", body | {"enabled": 7}, 422)
            for field, value in body["credentials"].items():
                for wrong in (
                    [value],
                    {"x": value},
                    value + "\u0007",
                    value + "\u200b x",
                    value * 400,
                ):
                    credentials = body["credentials"] | {field: wrong}
                    given = body | {"credentials": credentials}
                    answer = self.admin.put(f"/api/config/providers/{name}", given)
                    assert answer.status_code in (413, 422), (field, answer.text)
                    self.admin.post(
                        f"/api/config/providers/{name}/validate", {"credentials": credentials}
                    )
            self.put(f"providers/{name}", body)

    def strangers(self) -> None:
        """Tokens that are no good."""
        good = self.admin.token
        head, claims, signature = good.split(".")
        for token in (f"{head}.{claims}.{signature[::-1]}", f"{claims}.{claims}", good[:-3]):
            caller = Caller(self.stack.url, token)
            assert caller.get("/api/requests").status_code == 401

    def failed_mails(self) -> int:
        return sum(
            effect["kind"].startswith("mail.") and bool(effect.get("last_error"))
            for document in self.stack.requests.find()
            for effect in document["effects"]
        )

    def mail_trouble(self) -> None:
        """A mail server that refuses the login, and one that refuses the mail."""
        for trouble in ("admits", "takes"):
            setattr(self.smtp, trouble, False)
            self.smtp.restart()
            before = self.failed_mails()
            with nobody_delivers(self.stack):  # the news of the request, which would go first
                parties, request = self.accepted(provider="zoom")
            # After one that was not let in the others wait.
            until(lambda n=before: self.failed_mails() > n, f"a mail has failed: {trouble}")
            self.stolen.append(dump(self.stack))
            self.look_around(parties, request)
            setattr(self.smtp, trouble, True)
            self.stack.advance(61)  # for so long nobody logs in again
            self.providers.finish(request["id"])
            self.look_around(parties, request)

    def commands(self) -> None:
        """What the program says about its configuration, good and bad."""
        folder, hidden = self.stack.folder, secrets.token_hex(20)
        self.hidden.add("something in a wrong setting", hidden)
        (folder / "wrong.key").write_text(f"k1:{hidden}{hidden}zz\n")
        (folder / "wrong.key").chmod(0o600)
        for wrong in (
            {},
            {"JWT_SECRET": hidden[:24]},
            {"KEY_FILE": folder / "wrong.key"},
            {"SMTP_URL": f"smtp://mailer:{hidden}@host name"},
            {"SMTP_URL": f"http://mailer:{hidden}@127.0.0.1"},
            {
                "MONGODB_URI": f"mongodb://meetlink:{hidden}@127.0.0.1:1/?serverSelectionTimeoutMS=50"
            },
            {"MONGODB_URI": f"mongodb://meetlink:{hidden}@/:x"},
            {"ZOOM_TOKEN_URL": f"https://meetlink:{hidden}@zoom.example/oauth/token"},
        ):
            environment = self.stack.environment | {
                f"MEETLINK_{name}": str(value) for name, value in wrong.items()
            }
            done = subprocess.run(
                [PROGRAM, "check"], env=environment, capture_output=True, text=True, timeout=60
            )
            self.said.append(done.stdout + done.stderr)


def play(run: Run) -> None:
    zoom, google = run.providers["zoom"], run.providers["google_meet"]
    run.put("providers/jitsi", {"credentials": {"app_id": "meetings", "secret": run.jitsi}})
    run.strangers()
    for name in (*TITLES, "jitsi"):
        run.a_life(name)
    for name in TITLES:
        run.echoes(name)
    run.wrong_configurations()
    run.mail_trouble()
    for name, sim in (("zoom", zoom), ("google_meet", google)):
        old = dict.fromkeys(sim.provider()["credentials"])
        run.put(
            "providers/" + name,
            {"enabled": True}
            | sim.provider(refresh=True)
            | {"credentials": old | sim.provider(refresh=True)["credentials"]},
        )
        run.a_life(name)
    run.commands()
    run.stolen.append(dump(run.stack))
    run.note_credentials()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, mongodb_uri: str) -> Iterator[Run]:
    heard, call, smtp = [], Caller.call, TellTale()

    def recorded(caller: Caller, method: str, path: str, **options: object) -> requests.Response:
        heard.append((caller, call(caller, method, path, **options)))
        return heard[-1][1]

    folder = tmp_path_factory.mktemp("secrets") / "stack"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Caller, "call", recorded)
        policy = {"inline_wait_ms": 300}
        with Providers(folder, mongodb_uri, smtp, policy=policy, LOG_LEVEL="debug") as providers:
            run = Run(providers, smtp, heard)
            play(run)
            yield run
    smtp.stop()


def leaks(run: Run, data: bytes) -> set[str]:
    """What of all secrets is there; the halves count as the whole."""
    needles = Needles(run.hidden | run.personal | run.links)
    found = {what.removeprefix("a half of ") for what in needles.found(data)}
    return found | ({"a join link"} if LINK.search(b"\n".join(forms(data))) else set())


def kept(run: Run, place: str) -> bytes:
    return b"\0".join(run.stolen) if place == "database" else logs(run.stack)


@pytest.mark.parametrize("place", ["database", "logs"])
def test_what_is_kept(run: Run, place: str) -> None:
    """A thief of the database neither signs in anywhere nor finds a way into a meeting."""
    data = kept(run, place)
    assert b"request_id" in data and len(data) > 100_000
    assert leaks(run, data) == set()


def test_commands(run: Run) -> None:
    data = "\n".join(run.said).encode()
    assert b"database: ok" in data and data.count(b"meetlink: ") > 3
    assert leaks(run, data) == set() and run.identities.found(data) == set()


def owner(run: Run, token: bytes) -> str:
    """The e-mail address of the person whose link it is: it names request and party."""
    raw = base64.urlsafe_b64decode(token + b"==")
    document = run.stack.document(base64.urlsafe_b64encode(raw[:16]).decode().rstrip("="))
    return document[("client", "lawyer")[raw[16]]]["email"]


def test_answers(run: Run) -> None:
    """People are sent on to the provider by the Location of their own link, and only by that."""
    hidden = Needles(run.hidden | run.links | run.identities)
    texts = []
    for caller, answer in run.heard:
        path = urllib.parse.urlsplit(answer.url).path
        sends_on = answer.status_code == 302 and (
            path.startswith("/join/") or path.endswith("/meeting/host")
        )
        headers = [
            f"{k}: {v}" for k, v in answer.headers.items() if k != "Location" or not sends_on
        ]
        texts.append("\n".join([*headers, answer.text]).encode())
        for token in LINK.findall(texts[-1]):
            person = jwt.decode(caller.token, options={"verify_signature": False})["sub"]
            assert owner(run, token) == f"{person}@example.com", path
    assert hidden.found(b"\n".join(texts)) == set()
    assert sum(answer.status_code == 302 for _, answer in run.heard) > 20


def test_mails(run: Run) -> None:
    """Each has the links and the passcode of its own person and meeting."""
    assert len(run.smtp.mails) > 50
    texts = []
    for mail in run.smtp.mails:
        parts = [part for part in mail.message.walk() if not part.is_multipart()]
        texts += [mail.raw] + [part.get_payload(decode=True) for part in parts]
        for token in LINK.findall(b"\n".join(texts[-len(parts) :])):
            assert owner(run, token) == mail.recipient
    assert Needles(run.hidden | run.links | run.identities).found(b"\n".join(texts)) == set()
