"""./run as a person meets it: the lines it prints, what it keeps, how it ends."""

import os
import pathlib
import re
import shutil
import signal
import stat
import subprocess
import time

import pytest
import requests

from support import free_port, listens, until

ROOT = pathlib.Path(__file__).resolve().parent.parent


class Run:
    """One ./run in a process group of its own, as a terminal would start it."""

    def __init__(self, state: pathlib.Path, port: int = 0, **settings: str):
        self.state, self.port = state, port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("MEETLINK_")}
        self.process = subprocess.Popen(
            [ROOT / "run"],
            env=inherited | {"PORT": str(self.port), "STATE_DIR": str(state)} | settings,
            cwd=state.parent,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
        )

    def ready(self) -> str:
        """Waits for the promised lines; the command that makes a token."""
        line = self.process.stdout.readline()
        assert line == f"ready: {self.url}\n", line + self.process.stderr.read()
        return self.process.stdout.readline().partition("a token: ")[2]

    def end(self) -> tuple[int, str]:
        try:
            _, errors = self.process.communicate(timeout=90)
        except subprocess.TimeoutExpired:
            self.process.kill()  # and the kernel ends its servers
            self.process.communicate()
            raise
        return self.process.returncode, errors

    def stop(self, number: int = signal.SIGTERM) -> None:
        self.process.send_signal(number)
        status, errors = self.end()
        assert status == 0, errors
        assert not listens(self.port)
        assert self.unlocked(), "something it started still lives"

    def unlocked(self) -> bool:
        """Every server holds the lock, so nobody does once all have ended."""
        return subprocess.run(["flock", "-n", self.state / "lock", "true"]).returncode == 0

    def servers(self) -> dict[str, int]:
        """The processes it started: name -> id."""
        found = {}
        for path in pathlib.Path(f"/proc/{self.process.pid}/task").glob("*/children"):
            for child in path.read_text().split():
                arguments = pathlib.Path(f"/proc/{child}/cmdline").read_text().split("\0")
                name = "database" if any("secantus" in a or "mongod" in a for a in arguments) else ""
                name = name or ("meetlink" if "serve" in arguments else "")
                found[name or ("nginx" if "nginx" in arguments[0] else "other")] = int(child)
        return found

    def get(self, path: str, token: str = "") -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return requests.get(self.url + path, headers=headers, timeout=10)


@pytest.fixture
def started(tmp_path):
    runs = []

    def start(state: pathlib.Path | None = None, **settings: object) -> Run:
        runs.append(Run(state or tmp_path / "state", **settings))
        return runs[-1]

    yield start
    for run in runs:
        if run.process.poll() is None:
            run.stop()


def test_ready_with_a_token_from_another_shell(started):
    run = started()
    command = run.ready()
    elsewhere = {"PATH": "/usr/bin:/bin", "HOME": "/"}
    done = subprocess.run(
        ["bash", "-c", command], env=elsewhere, cwd="/", capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert run.get("/api/requests").status_code == 401
    assert run.get("/api/requests", done.stdout.strip()).json() == {"items": [], "next_cursor": None}


def test_links_to_the_dashboard_of_a_week(started):
    run = started(DEMO="1")
    run.ready()
    assert run.process.stdout.readline() == "the dashboard, for eight hours:\n"
    boards = {}
    for _ in range(3):
        name, link = run.process.stdout.readline().strip().split(": ", 1)
        page, token = link.split("#token=")
        assert requests.get(page, timeout=10).headers["Content-Type"] == "text/html; charset=utf-8"
        boards[name] = run.get("/api/dashboard", token).json()
    assert list(boards) == ["client", "lawyer", "administrator"]
    assert boards["client"]["waiting"] and boards["client"]["upcoming"]
    assert [row["reasons"] for row in boards["lawyer"]["needs_action"]] == [["open"]] * 3


def test_it_can_be_stopped_while_it_fills_the_instance(started, tmp_path):
    """A Python that never ends with it."""
    (tmp_path / "bin").mkdir()
    slow = tmp_path / "bin/python3"
    real = shutil.which("python3")
    slow.write_text(f'#!/bin/sh\ncase "$1" in *demo.py) exec sleep 900 ;; esac\nexec {real} "$@"\n')
    slow.chmod(0o755)
    run = started(DEMO="1", PATH=f"{slow.parent}:{os.environ['PATH']}")
    run.ready()
    run.stop()


def test_what_is_installed_is_where_tests_look():
    """With its version in the name: another one is installed beside it."""
    script = (ROOT / "scripts/lib.sh").read_text()
    folders = re.findall(r"need_cached \S+ \S+ (\S+-\S+) ", script)
    users = [ROOT / "tests/properties/parsers.py", ROOT / "tests/browser/browsers.py"]
    used = re.findall(r'CACHE / "meetlink/([^/"]+)', "".join(path.read_text() for path in users))
    assert sorted(folders) == sorted(used) and len(used) == 3
    for name in ("axe-core", "ical.js"):
        (version,) = re.findall(rf" {name}@(\S+)", script)
        assert f"{name}-{version}" in folders
    asked = (ROOT / "tests/properties/ical4j.xml").read_text()
    assert "ical4j-" + re.findall(r"<version>(.*)</version>", asked)[1] in folders


def test_secrets_are_for_the_owner_only_and_stay(started):
    run = started()
    run.ready()
    run.stop()
    files = [run.state / "jwt.secret", run.state / "master.key"]
    kept = [path.read_text() for path in files]
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in files)
    assert stat.S_IMODE(run.state.stat().st_mode) == 0o700
    again = started()
    again.ready()
    assert [path.read_text() for path in files] == kept


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_stops_when_asked(started, number):
    run = started()
    run.ready()
    run.stop(number)


STEPS = """
root=$1
. "$root/scripts/lib.sh"
sleep 1000 >/dev/null 2>&1 &
server=$!
trap 'trap "" INT TERM; trap - EXIT; stop_step; kill $server; exit 0' EXIT
trap 'exit 0' INT TERM
echo ready
while :; do patiently :; done
"""


def test_a_signal_in_the_moment_in_which_a_step_ends():
    """Bash may lose that child then (one time in six), and nobody may wait for it."""
    for number in range(50):
        command = ["bash", "-c", STEPS, "bash", ROOT]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as script:
            assert script.stdout.readline() == b"ready\n"
            time.sleep(number * 0.00037)
            script.send_signal(signal.SIGTERM if number % 2 else signal.SIGINT)
            try:
                assert script.wait(60) == 0
            except subprocess.TimeoutExpired:
                script.kill()
                raise


def test_ctrl_c_reaches_the_whole_group(started):
    run = started()
    run.ready()
    os.killpg(run.process.pid, signal.SIGINT)
    status, errors = run.end()
    assert (status, run.unlocked()) == (0, True), errors
    log = (run.state / "log/meetlink.log").read_text()
    assert "draining" in log and log.rstrip().endswith("ended")


@pytest.mark.parametrize("name", ["nginx", "meetlink", "database"])
def test_a_death_is_said_and_ends_the_rest(started, name):
    run = started()
    run.ready()
    os.kill(run.servers()[name], signal.SIGKILL)
    status, errors = run.end()
    assert status == 1
    assert f"{name} ended by itself (status 137)" in errors
    assert run.unlocked()


def test_its_own_death_leaves_nothing(started):
    run = started()
    run.ready()
    run.process.kill()
    run.end()
    until(run.unlocked, "all servers ended", 40)


def test_one_run_a_folder(started):
    run = started()
    run.ready()
    status, errors = started().end()
    assert status == 1
    assert f"another ./run (process {run.process.pid}) uses" in errors


def test_a_port_that_is_taken(started, tmp_path):
    run = started()
    run.ready()
    status, errors = started(tmp_path / "other", port=run.port).end()
    assert (status, errors) == (1, f"run: port {run.port} is taken; PORT=… chooses another\n")


@pytest.mark.parametrize("name", ["d" * 120, "a $b \"c\" 'd' {e};"], ids=["long", "odd"])
def test_any_folder_will_do(started, tmp_path, name):
    run = started(tmp_path / name)
    command = run.ready()
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert done.stdout.count(".") == 2, done.stderr
    run.stop()


def test_a_database_that_does_not_answer(started):
    uri = "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=500"
    status, errors = started(MEETLINK_MONGODB_URI=uri).end()
    assert status == 1
    assert "The database did not answer." in errors


@pytest.mark.parametrize(
    "setting, words",
    [
        ({"PORT": "0"}, "PORT must be a number from 1 to 65535, not 0"),
        ({"PORT": "http"}, "PORT must be a number"),
        ({"STATE_DIR": "/"}, "STATE_DIR must be a folder of its own"),
        ({"SIGN_IN": "javascript:x"}, "SIGN_IN must be an http or https address"),
        ({"STATE_DIR": "/proc/x"}, "cannot write to /proc/x"),
        ({"MEETLINK_SERVER_THREADS": "0"}, "server.threads must be a number from 1 to 512"),
        ({"MEETLINK_SMTP_URL": "mail.example:25"}, "smtp.url is not smtp://host:port"),
        ({"MEETLINK_SERVER_SOCKET": "/tmp/a b"}, "MEETLINK_SERVER_SOCKET must be"),
    ],
)
def test_says_what_is_wrong(started, setting, words):
    status, errors = started(**setting).end()
    assert status == 1
    assert words in errors
