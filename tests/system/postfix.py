"""A Postfix of the tests' own, with what docs/operations.md has people write into its files."""

import configparser
import os
import pathlib
import re
import shutil
import smtplib
import subprocess
import textwrap
from typing import NamedTuple

from stack import PATH, ROOT, Stack, end, spawn
from support import free_port, listens, until

PAGE = ROOT / "docs/operations.md"
USER = "nobody"


class Fate(NamedTuple):
    """Of a message and one of its recipients, as the log has it."""

    status: str
    code: str
    words: str


def missing() -> str:
    """Why there can be none here; "" where there can."""
    if not shutil.which("postfix", path=PATH):
        return "there is no Postfix"
    return "" if os.geteuid() == 0 else "Postfix needs root"


def documented() -> list[str]:
    """The lines for main.cf, for the transport map and for master.cf."""
    section = PAGE.read_text().partition("\n**Postfix.**")[2].partition("\n**Sieve**")[0]
    return [textwrap.dedent(block) for block in re.findall(r"(?m)(?:^    .*\n)+", section)]


def configuration(stack: Stack, path: pathlib.Path) -> None:
    """The settings of a stack as a file: a mail server's pipe hands on no environment."""
    written = configparser.ConfigParser(interpolation=None)
    for name, value in stack.settings.items():
        section, _, key = name.lower().partition("_")
        if not written.has_section(section):
            written.add_section(section)
        written[section][key] = str(value)
    with open(path, "w") as file:
        written.write(file)
    give(path)


def give(path: pathlib.Path) -> None:
    """A file that has secrets to who runs the program."""
    path.chmod(0o600)
    shutil.chown(path, USER)


class Postfix:
    """It shares nothing with the system's but its programs and users. What it sends leaves from
    127.0.0.1, so that it reaches nobody else, and goes to the mail server of that port.

    `places` are what to write for paths of the documentation, `environment` is what its pipes hand
    on, `domain` the lines that make example.org one of this host's.
    """

    ALIAS = (
        "mydestination = example.org\n"
        "alias_maps = $default_database_type:$config_directory/aliases\n"
    )
    VIRTUAL = (
        "mydestination =\nvirtual_mailbox_domains = example.org\n"
        "virtual_mailbox_maps = inline:{ meetings@example.org=meetings }\n"
    )

    def __init__(
        self,
        folder: pathlib.Path,
        relay: int,
        places: dict[str, object],
        environment: str,
        domain: str = ALIAS,
    ):
        self.folder, self.log = folder, folder / "log"
        self.port = free_port()
        (folder / "queue").mkdir(parents=True)
        (folder / "aliases").write_text("meetings: postmaster\n")
        own = (
            "compatibility_level = 2\nmaillog_file = /dev/stdout\n"
            f"queue_directory = {folder}/queue\ndata_directory = {folder}/data\n"
            "inet_interfaces = 127.0.0.1\ninet_protocols = ipv4\n"
            f"myhostname = mx.example.org\nrelayhost = [127.0.0.1]:{relay}\n"
            f"export_environment = {environment}\n"
        )
        main, transports, master = map(self.here(places), documented())
        (folder / "main.cf").write_text(own + domain + main)
        (folder / "meetlink").write_text(transports)
        (folder / "master.cf").write_text(self.services() + master)
        self.command("postalias", folder / "aliases")
        self.command("postfix", "check")
        self.start()

    def here(self, places: dict[str, object]):
        """Puts the paths of this machine into the lines of the documentation."""
        moved = {"/etc/postfix": self.folder, "user=meetlink": f"user={USER}"} | places

        def replaced(lines: str) -> str:
            for place, own in moved.items():
                lines = lines.replace(place, str(own))
            return lines

        return replaced

    def services(self) -> str:
        """Those that a new Postfix has, with a port of our own."""
        (model,) = pathlib.Path(self.setting("meta_directory")).glob("master.cf.*")
        return re.sub(r"(?m)^smtp +inet", f"127.0.0.1:{self.port} inet", model.read_text())

    def setting(self, name: str) -> str:
        return self.command("postconf", "-h", name).strip()

    def command(self, name: str, *arguments: object) -> str:
        return subprocess.run(
            [shutil.which(name, path=PATH), "-c", self.folder, *map(str, arguments)],
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        ).stdout

    def start(self) -> None:
        master = f"{self.setting('daemon_directory')}/master"
        self.process = spawn(self.log, master, "-s", "-c", self.folder)
        until(lambda: listens(self.port), "Postfix listens")

    def stop(self) -> None:
        end(self.process)

    def session(self) -> smtplib.SMTP:
        return smtplib.SMTP("127.0.0.1", self.port, timeout=20)

    def take(self, message: bytes, *recipients: str, sender: str = "") -> str:
        """Has it take a message; its queue id."""
        with self.session() as smtp:
            smtp.ehlo("mail.example.com")
            smtp.mail(sender)
            for recipient in recipients:
                code, words = smtp.rcpt(recipient)
                assert code == 250, words
            code, words = smtp.data(re.sub(rb"\r?\n", b"\r\n", message))
            assert code == 250, words
        return re.search(rb"queued as (\w+)", words)[1].decode()

    def fates(self, queue_id: str, recipient: str) -> list[Fate]:
        """What became of each try."""
        line = rf" {queue_id}: to=<{re.escape(recipient)}>, .*dsn=([\d.]+), status=(\w+) \((.*)\)$"
        return [
            Fate(status, code, words)
            for code, status, words in re.findall(line, self.logged(), re.MULTILINE)
        ]

    def fate(self, queue_id: str, recipient: str, tries: int = 1) -> Fate:
        until(lambda: len(self.fates(queue_id, recipient)) >= tries, f"try {tries} is over", 40)
        return self.fates(queue_id, recipient)[tries - 1]

    def passed(self, message: bytes, recipient: str, sender: str = "") -> Fate:
        return self.fate(self.take(message, recipient, sender=sender), recipient)

    def flush(self, queue_id: str) -> None:
        """Has it try again what it has put off."""
        until(lambda: self.is_deferred(queue_id), "the message is put off")
        self.command("postqueue", "-f")

    def is_deferred(self, queue_id: str) -> bool:
        return any((self.folder / "queue/deferred").glob(f"*/{queue_id}"))

    def logged(self) -> str:
        return self.log.read_text(errors="replace")
