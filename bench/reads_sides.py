"""The applications that bench/reads compares: started, behind one nginx, and counted."""

import collections
import contextlib
import dataclasses
import os
import pathlib
import re
import secrets
import signal
import subprocess
from collections.abc import Iterator

import requests
from stack import ROOT, Database, Stack, end, spawn
from support import free_port, listens, until

PEERS = ROOT / "bench/peers"
OURS, PEER, BARE = "ours", "peer", "bare"


def descendants(process: int) -> set[int]:
    """With the process itself."""
    children = collections.defaultdict(list)
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = stat.read_text().rpartition(") ")[2].split()[1]
        except OSError:
            continue
        children[int(parent)].append(int(stat.parent.name))
    found, ahead = set(), [process]
    while ahead:
        found.add(one := ahead.pop())
        ahead += children[one]
    return found


def seconds(process: int) -> float:
    """Processor time of an application: all its processes."""
    ticks = 0
    for one in descendants(process):
        fields = pathlib.Path(f"/proc/{one}/stat").read_text().rpartition(") ")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


@dataclasses.dataclass(frozen=True)
class Side:
    """An application behind nginx."""

    url: str
    process: int  # the first of its processes

    def seconds(self) -> float:
        return seconds(self.process)


def start_peer(
    python: str, folder: pathlib.Path, database: Database, name: str, stack: Stack
) -> subprocess.Popen:
    options = "--loop uvloop --http httptools --workers 2 --log-level warning --no-access-log"
    options += " --no-server-header --no-date-header --timeout-keep-alive 75"
    command = [python, "-m", "uvicorn", "app:app", "--app-dir", PEERS, "--uds"]
    command += [folder / "peer.sock", *options.split()]
    organizer, _, address = str(stack.settings["MAIL_FROM"]).partition(" <")
    environment = stack.environment | {
        "MONGODB_URI": database.uri,
        "DATABASE": name,
        "PUBLIC_URL": stack.url,
        "JWT_SECRET": stack.secret,
        "LINK_KEY": secrets.token_hex(32),
        "ORGANIZER": f"{organizer}/{address.rstrip('>')}",
    }
    return spawn(folder / "peer.log", *command, env=environment)


def add_to_nginx(stack: Stack, folder: pathlib.Path) -> dict[str, str]:
    """The nginx of the stack serves the others too, with what it does for ours; their URLs."""
    conf = stack.folder / "nginx/nginx.conf"
    text = conf.read_text()
    (upstream,) = re.findall(r"\tupstream meetlink \{.*?\n\t\}\n", text, re.DOTALL)
    upstream = upstream.replace("upstream meetlink", "upstream bare")
    upstream = upstream.replace(str(stack.settings["SERVER_SOCKET"]), str(folder / "bare.sock"))
    fastcgi = (ROOT / "nginx/snippets/meetlink_fastcgi.conf").read_text()
    ports = {PEER: free_port(), BARE: free_port()}
    more = (PEERS / "nginx.conf.in").read_text()
    for name, value in {
        "PEER_PORT": ports[PEER],
        "BARE_PORT": ports[BARE],
        "PEER_SOCKET": folder / "peer.sock",
        "BARE_UPSTREAM": upstream,
        "BARE_FASTCGI": fastcgi.replace("fastcgi_pass meetlink", "fastcgi_pass bare"),
    }.items():
        more = more.replace(f"@{name}@", str(value))
    conf.write_text(text.rstrip().removesuffix("}") + more + "}\n")
    stack.nginx.send_signal(signal.SIGHUP)
    for name, port in ports.items():
        until(lambda port=port: listens(port), f"nginx listens for {name}")
    return {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}


def answers(url: str) -> bool:
    """Whether the application itself does; nginx says 502 for one that is not there."""
    return requests.get(url, timeout=5).status_code < 500


@contextlib.contextmanager
def running(
    stack: Stack, database: Database, name: str, python: str, bare: str, folder: pathlib.Path
) -> Iterator[dict[str, Side]]:
    """All of them; the peers read the database of that name."""
    with contextlib.ExitStack() as ends:
        peer = start_peer(python, folder, database, name, stack)
        ends.callback(end, peer)
        program = spawn(folder / "bare.log", bare, folder / "bare.sock", database.uri, name)
        ends.callback(end, program)
        urls = add_to_nginx(stack, folder)
        until(lambda: answers(urls[PEER] + "/healthz"), "the peer answers", 60)
        until(lambda: answers(urls[BARE] + "/api/requests/none"), "the bare program answers", 60)
        yield {
            OURS: Side(stack.url, stack.program.pid),
            PEER: Side(urls[PEER], peer.pid),
            BARE: Side(urls[BARE], program.pid),
        }
