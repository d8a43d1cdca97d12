"""The real thing in a folder of its own: database, `meetlink serve` and nginx."""

import base64
import datetime
import hashlib
import os
import pathlib
import re
import secrets
import shutil
import signal
import struct
import subprocess
import sys
import time
from mailbox import MailFolder, SmtpServer

import pymongo
import requests
from caller import Caller, Parties, mint
from support import free_port, listens, until

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("MEETLINK_BUILD", ROOT / "build")).resolve() / "meetlink"
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache"))
PATH = os.pathsep.join(
    [
        os.environ["PATH"],
        "/usr/sbin:/sbin",
        str(CACHE / "meetlink/secantus/bin"),
        str(pathlib.Path(sys.executable).parent),
    ]
)
# MEETLINK_TEST_DATABASE names the one to use where several are installed.
DATABASES = os.environ.get("MEETLINK_TEST_DATABASE", "mongod secantusd-rs secantusd-py").split()
LEASE_S = 90
# What time alone makes due, and a look that changes nothing where nothing overlaps.
WATCH = {
    "request.lapse",
    "meeting.expire",
    "meeting.notice",
    "meeting.verify",
    "meeting.overlaps",
}


def spawn(log: pathlib.Path, *command: object, env: dict | None = None) -> subprocess.Popen:
    """Starts a server in a session of its own that dies with us."""
    with open(log, "ab") as out:
        return subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", *map(str, command)],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=env or os.environ | {"PATH": PATH},
            start_new_session=True,
        )


def end(process: subprocess.Popen, number: int = signal.SIGTERM, seconds: float = 40) -> int:
    """Ends a server and waits for it; its exit status."""
    if process.poll() is None:
        process.send_signal(number)
    try:
        return process.wait(seconds)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


class Database:
    """A MongoDB-compatible server that can be stopped and come back with its data.

    A `durable` one has on disk what it has acknowledged, even if it is killed. `cache` is what it
    may keep in memory.
    """

    def __init__(self, folder: pathlib.Path, durable: bool = False, cache: str = "256M"):
        self.program = next((p for d in DATABASES if (p := shutil.which(d, path=PATH))), None)
        assert self.program, f"none of {', '.join(DATABASES)} is installed"
        self.durable, self.cache = durable, cache
        self.folder = folder / "db"
        self.log = folder / "database.log"
        self.port = free_port()
        self.uri = f"mongodb://127.0.0.1:{self.port}/?directConnection=true"
        self.folder.mkdir(parents=True)
        self.start()

    def start(self) -> None:
        if self.program.endswith("mongod"):
            options = ["--bind_ip", "127.0.0.1", "--dbpath", self.folder]
        else:
            options = ["--host", "127.0.0.1", "--storage-path", self.folder]
            options += ["--cache-size", self.cache] + ["--sync-on-commit"] * self.durable
        self.process = spawn(self.log, self.program, "--port", self.port, *options)
        until(lambda: listens(self.port), "the database listens", 60)

    def pause(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def stop(self, number: int = signal.SIGTERM) -> None:
        self.resume()
        end(self.process, number)


class Stack:
    """nginx, meetlink and a database name of its own, with a clock that can be moved.

    `smtp` is the mail server to use; without one mails are files. `config` is a configuration
    file; `sign_in` the page of a host application that makes tokens for the dashboard; `settings`
    are MEETLINK_* variables without that prefix, and win over it.
    """

    running: list["Stack"] = []
    indexes: dict[str, list[dict]] = {}  # those of a collection, as `meetlink init-db` made them

    def __init__(
        self,
        folder: pathlib.Path,
        mongodb_uri: str,
        smtp: SmtpServer | None = None,
        config: pathlib.Path | None = None,
        sign_in: str = "",
        **settings: object,
    ):
        self.folder, self.sign_in = folder, sign_in
        self.arguments = ["--config", config] if config else []
        for name in ("nginx", "log"):
            (folder / name).mkdir(parents=True)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.secret = secrets.token_hex(32)
        self.clock = folder / "clock"
        self.clock.write_bytes(bytes(8))
        self.mails = smtp or MailFolder(folder / "mail")
        (folder / "master.key").write_text(f"k1:{secrets.token_hex(32)}\n")
        (folder / "master.key").chmod(0o600)
        self.settings = {
            "SERVER_SOCKET": folder / "fastcgi.sock",
            "STATE_DIR": folder,
            "TEMPLATES_DIR": ROOT / "templates",
            "KEY_FILE": folder / "master.key",
            "PUBLIC_URL": self.url,
            "MONGODB_URI": mongodb_uri,
            "MONGODB_DATABASE": f"meetlink_{secrets.token_hex(6)}",
            "JWT_SECRET": self.secret,
            "MAIL_FROM": "Meetings <meetings@example.org>",
            "CLOCK_OFFSET_FILE": self.clock,
            "SMTP_URL": smtp.url if smtp else "",
        } | settings
        self.mongo = pymongo.MongoClient(mongodb_uri, serverSelectionTimeoutMS=10000)
        self.requests = self.mongo[str(self.settings["MONGODB_DATABASE"])]["requests"]
        Stack.running.append(self)
        try:
            self.init_database()
            self.start_program()
            self.start_nginx()
            until(self.is_ready, "ready")
        except BaseException:
            self.stop()
            raise

    # ---- processes ----

    @property
    def environment(self) -> dict[str, str]:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("MEETLINK_")}
        # The driver's counters are a file in /dev/shm. It stays behind a killed master, and a
        # later process of the same number warns of it on standard error, before main().
        inherited["MONGOC_DISABLE_SHM"] = "1"
        return inherited | {f"MEETLINK_{k}": str(v) for k, v in self.settings.items()}

    def run(self, *arguments: str) -> str:
        """`meetlink ARGUMENTS` with the settings of this stack; what it printed."""
        done = subprocess.run(
            [PROGRAM, *arguments], env=self.environment, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, f"meetlink {arguments}: {done.stderr}{done.stdout}"
        return done.stdout

    def init_database(self) -> None:
        """As `meetlink init-db` does it: once for all, since a process of its own takes longer."""
        database = self.requests.database
        if not Stack.indexes:
            self.run("init-db")
            for name in database.list_collection_names():
                made = [dict(index) for index in database[name].list_indexes()]
                own = [index for index in made if index["name"] != "_id_"]
                if own:
                    Stack.indexes[name] = [{k: i[k] for k in i.keys() - {"v", "ns"}} for i in own]
            return
        for name, indexes in Stack.indexes.items():
            database.command("createIndexes", name, indexes=indexes)

    def start_program(self) -> None:
        self.program = spawn(
            self.log("meetlink"), PROGRAM, "serve", *self.arguments, env=self.environment
        )

    def start_nginx(self) -> None:
        text = (ROOT / "nginx/development.conf.in").read_text()
        for name, value in {
            "USER": "user root;" if os.geteuid() == 0 else "",
            "PORT": self.port,
            "SOCKET": self.settings["SERVER_SOCKET"],
            "LIMIT_KEY": "",
            "SIGN_IN": self.sign_in,
        }.items():
            text = text.replace(f"@{name}@", str(value))
        (self.folder / "nginx/nginx.conf").write_text(text)
        (self.folder / "nginx/snippets").symlink_to(ROOT / "nginx/snippets")
        (self.folder / "nginx/web").symlink_to(ROOT / "web")
        program = shutil.which("nginx", path=PATH)
        self.nginx = spawn(
            self.log("nginx"), program, "-p", self.folder, "-c", "nginx/nginx.conf", "-e", "stderr"
        )

    def reload(self) -> None:
        """Has everything read again, and waits for the new generation to have taken over."""
        before = set(self.children())
        self.program.send_signal(signal.SIGHUP)
        until(lambda: not before & set(self.children()), "the old generation is gone")
        until(lambda: len(self.children()) == len(before), "the new generation is whole")

    def is_ready(self) -> bool:
        for process in (self.program, self.nginx):
            assert process.poll() is None, f"{process.args[3]} ended: {process.returncode}"
        try:
            return requests.get(self.url + "/readyz", timeout=5).status_code == 200
        except requests.ConnectionError:
            return False

    def children(self) -> dict[int, str]:
        """The processes of the program: id -> name. They begin with their master's."""
        while "meetlink" in (found := self.forked()).values():
            time.sleep(0.005)
        return found

    def forked(self) -> dict[int, str]:
        found = {}
        for entry in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                name, _, rest = entry.read_text().partition("(")[2].rpartition(") ")
            except (FileNotFoundError, ProcessLookupError):
                continue
            state, parent = rest.split()[:2]
            if int(parent) == self.program.pid and state != "Z":
                found[int(entry.parent.name)] = name
        return found

    def stop(self) -> None:
        Stack.running.remove(self)
        statuses = {
            name: end(process, number)
            for name, number in (("nginx", signal.SIGQUIT), ("program", signal.SIGTERM))
            if (process := getattr(self, name, None))
        }
        with self.mongo:  # and closes it
            self.mongo.drop_database(self.requests.database.name)
        assert set(statuses.values()) == {0}, f"exit statuses {statuses}"
        bad = re.findall(r".*(?:ended with status [1-9]|Sanitizer).*", self.logged("meetlink"))
        assert bad == [], "processes that did not end well"

    def __enter__(self) -> "Stack":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # ---- logs ----

    def log(self, name: str) -> pathlib.Path:
        return self.folder / "log" / f"{name}.log"

    def logged(self, name: str) -> str:
        return self.log(name).read_text(errors="replace") if self.log(name).exists() else ""

    # ---- time ----

    def now(self) -> datetime.datetime:
        (offset,) = struct.unpack("=q", self.clock.read_bytes())
        return datetime.datetime.now(datetime.UTC) + datetime.timedelta(milliseconds=offset)

    def advance(self, seconds: float) -> None:
        """Moves the clock of all processes. They map the file, so it is written in place."""
        (offset,) = struct.unpack("=q", self.clock.read_bytes())
        with open(self.clock, "r+b") as file:
            file.write(struct.pack("=q", offset + int(seconds * 1000)))

    def at(self, **ahead: float) -> str:
        """An instant that far ahead of now, as the API writes it."""
        moment = self.now() + datetime.timedelta(**ahead)
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

    # ---- people ----

    def caller(self, role: str, sub: str, **claims: object) -> Caller:
        return Caller(self.url, mint(self.secret, sub=sub, role=role, **claims))

    def client(self, sub: str) -> Caller:
        return self.caller("client", sub)

    def lawyer(self, sub: str) -> Caller:
        return self.caller("lawyer", sub, email=f"{sub}@example.com")

    def admin(self) -> Caller:
        return self.caller("admin", "admin-1")

    def service(self) -> Caller:
        return self.caller("service", "host-application")

    def anyone(self) -> Caller:
        return Caller(self.url, None)

    def parties(self) -> Parties:
        """A client and a lawyer whom nobody has heard of before."""
        mark = secrets.token_hex(4)
        return Parties(self, self.client(f"client-{mark}"), self.lawyer(f"lawyer-{mark}"))

    # ---- what is stored ----

    def mark(self, provider: str, external_id: str) -> str:
        """What the database has of a provider's id: a hash under a subkey of the master key."""
        key = bytes.fromhex((self.folder / "master.key").read_text().split(":")[1].split()[0])
        person = b"external".ljust(16, b"\0")
        salt = struct.pack("<Q", 1).ljust(16, b"\0")
        subkey = hashlib.blake2b(key=key, digest_size=32, salt=salt, person=person).digest()
        mac = hashlib.blake2b(f"{provider}/{external_id}".encode(), key=subkey, digest_size=16)
        return base64.urlsafe_b64encode(mac.digest()).decode().rstrip("=")

    # ---- what is owed ----

    def document(self, request_id: str) -> dict:
        return self.requests.find_one({"_id": request_id})

    def owed(self, request_id: str) -> list[dict]:
        """The effects of a request but the watch over it, which it keeps for life."""
        effects = self.document(request_id).get("effects") or []
        return [e for e in effects if e["kind"] not in WATCH]

    def is_idle(self) -> bool:
        """Whether nothing is due and nobody performs anything: a clock that is moved then takes no
        lease from anybody."""

        def is_busy() -> bool:
            due = {"due": {"$lte": self.now().replace(tzinfo=None)}}
            busy = {"$or": [{"effects.lease": {"$type": "string"}}, due]}
            return bool(self.requests.count_documents(busy, limit=1))

        # What was settled between a look at the clock and one at the database may owe something.
        return not is_busy() and not is_busy()

    def settle(self, request_id: str) -> dict:
        """Waits until nothing is owed any more; the document then. Where all that is left are mails
        that wait with what else may change, the clock is moved to them."""

        def is_done() -> bool:
            owed = self.owed(request_id)
            if owed and all(e["kind"].startswith("mail.") and not e["attempts"] for e in owed):
                wait = min(e["due"] for e in owed) - self.now().replace(tzinfo=None)
                if wait > datetime.timedelta(seconds=1):
                    self.advance(wait.total_seconds())
            return not owed

        until(is_done, lambda: f"nothing is owed: {self.owed(request_id)}", 120)
        return self.document(request_id)
