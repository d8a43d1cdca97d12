"""What people keep their calendars with: Radicale takes the mails' invitations, vdirsyncer fetches the
feed, khal shows it. Skipped where one of them is not installed."""

import datetime
import pathlib
import shutil
import subprocess
import zoneinfo
from collections.abc import Callable, Iterator
from mailbox import SmtpServer

import icalendar
import pytest
import requests
from caller import Parties
from stack import Stack, end, spawn
from support import free_port, listens, until

PATH = "/usr/bin:/bin"
MISSING = [name for name in ("radicale", "vdirsyncer", "khal") if not shutil.which(name, path=PATH)]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")


def tool(home: pathlib.Path, *command: str) -> str:
    """Runs a program of the system's with its files in `home`; what it printed."""
    environment = {
        "HOME": str(home), "PATH": PATH, "LANG": "C.UTF-8", "TZ": "Europe/Berlin",
        "XDG_CONFIG_HOME": str(home), "XDG_DATA_HOME": str(home), "XDG_CACHE_HOME": str(home),
    }
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=60, input="y\n"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def home(tmp_path: pathlib.Path) -> pathlib.Path:
    home = tmp_path / "home"
    (home / "khal").mkdir(parents=True)
    (home / "calendars").mkdir()
    (home / "khal/config").write_text(
        f"[calendars]\n[[meetings]]\npath = {home}/calendars/feed\n"
        "[locale]\nlocal_timezone = Europe/Berlin\ndefault_timezone = Europe/Berlin\n"
        "timeformat = %H:%M\ndateformat = %Y-%m-%d\nlongdateformat = %Y-%m-%d\n"
        "datetimeformat = %Y-%m-%d %H:%M\nlongdatetimeformat = %Y-%m-%d %H:%M\n"
        "[default]\ndefault_calendar = meetings\n"
    )
    return home


def subscribe(home: pathlib.Path, url: str) -> None:
    (home / "vdirsyncer").mkdir(exist_ok=True)
    (home / "vdirsyncer/config").write_text(
        f'[general]\nstatus_path = "{home}/status"\n'
        '[pair feed]\na = "here"\nb = "there"\ncollections = null\nconflict_resolution = "b wins"\n'
        f'[storage here]\ntype = "filesystem"\npath = "{home}/calendars/feed"\nfileext = ".ics"\n'
        f'[storage there]\ntype = "http"\nurl = "{url}"\n'
    )
    (home / "calendars/feed").mkdir(exist_ok=True)
    tool(home, "vdirsyncer", "discover", "feed")


def shown_by_khal(home: pathlib.Path) -> list[str]:
    form = "{start} {end} {title} {location} {status}"
    text = tool(home, "khal", "list", "--day-format", "", "--format", form, "today", "30d")
    return [line.strip() for line in text.splitlines() if line.strip()]


def in_berlin(instant: str) -> str:
    return datetime.datetime.fromisoformat(instant).astimezone(BERLIN).strftime("%Y-%m-%d %H:%M")


def test_khal_shows_what_vdirsyncer_fetched(
    stack: Stack, parties: Parties, home: pathlib.Path
) -> None:
    """The meeting, then moved, then cancelled; and what the client is shown is the client's."""
    request = parties.accepted(title="Müllers Vertrag; Teil 1, „Kauf“", starts_at=stack.at(days=2))
    subscribe(home, parties.client.post("/api/calendar/feed").json()["url"])
    other = request["lawyer"]["name"]

    def line(view: dict, status: str) -> str:
        start, end = in_berlin(view["starts_at"]), in_berlin(view["ends_at"])
        place = view["meeting"]["join_url"] or ""
        return f"{start} {end} {view['title']} – {other} {place} {status}"

    tool(home, "vdirsyncer", "sync")
    view = parties.client.request(request["id"])
    assert shown_by_khal(home) == [line(view, "CONFIRMED")]
    assert parties.lawyer.command(
        request["id"], "reschedule", starts_at=stack.at(days=5)
    ).status_code == 200
    tool(home, "vdirsyncer", "sync")
    view = parties.client.request(request["id"])
    assert shown_by_khal(home) == [line(view, "CONFIRMED")]
    assert parties.client.cancel(request["id"]).status_code == 200
    tool(home, "vdirsyncer", "sync")
    view = parties.client.request(request["id"])
    assert shown_by_khal(home) == [line(view, "CANCELLED")]


class Radicale:
    """A CalDAV server with one calendar, as its owner's program fills it."""

    def __init__(self, folder: pathlib.Path):
        port = free_port()
        folder.mkdir()
        self.process = spawn(
            folder / "log", "/usr/bin/radicale", "--server-hosts", f"127.0.0.1:{port}",
            "--auth-type", "none", "--storage-filesystem-folder", folder / "store",
            "--web-type", "none",
        )
        self.url = f"http://127.0.0.1:{port}/anna/calendar/"
        until(lambda: listens(port), "Radicale listens")
        made = requests.request("MKCALENDAR", self.url, auth=("anna", ""), timeout=30)
        assert made.status_code == 201, made.text

    def put(self, raw: bytes) -> None:
        """As a calendar program does with what it was invited to: without the METHOD (RFC 4791
        section 4.1), under the event's UID."""
        calendar = icalendar.Calendar.from_ical(raw)
        (event,) = calendar.walk("VEVENT")
        calendar.pop("METHOD", None)
        answer = requests.put(
            f"{self.url}{event['UID']}.ics", calendar.to_ical(), auth=("anna", ""),
            headers={"Content-Type": "text/calendar; charset=utf-8"}, timeout=30,
        )
        assert answer.status_code in (201, 204), answer.text

    def events(self) -> list[icalendar.Event]:
        answer = requests.get(self.url, auth=("anna", ""), timeout=30)
        assert answer.status_code == 200
        return icalendar.Calendar.from_ical(answer.content).walk("VEVENT")


@pytest.fixture
def radicale(tmp_path: pathlib.Path) -> Iterator[Radicale]:
    server = Radicale(tmp_path / "radicale")
    yield server
    end(server.process)


def test_radicale_keeps_one_entry(
    start: Callable[..., Stack], smtp: SmtpServer, radicale: Radicale
) -> None:
    """REQUEST, the move and CANCEL of the mails are one event there, each newer than the last; and the
    feed and the file to download say the same."""
    stack = start(smtp)
    parties = stack.parties()
    request = parties.accepted()
    stack.settle(request["id"])
    stack.advance(120)
    assert parties.lawyer.command(
        request["id"], "reschedule", starts_at=stack.at(days=6)
    ).status_code == 200
    stack.settle(request["id"])
    stack.advance(120)
    assert parties.client.cancel(request["id"], reason="Ill; sorry").status_code == 200
    stack.settle(request["id"])
    mails = [
        mail for mail in stack.mails.of(request["id"])
        if mail.recipient == f"{parties.lawyer_id}@example.com"
    ]
    methods = [mail.part("text/calendar").get_param("method") for mail in mails]
    assert methods == ["REQUEST", "REQUEST", "CANCEL"], [m.message["Subject"] for m in mails]
    sequences = []
    for mail in mails:
        radicale.put(mail.part("text/calendar").get_payload(decode=True))
        (event,) = radicale.events()
        sequences.append(int(event["SEQUENCE"]))
    assert sequences == sorted(set(sequences))
    assert (event["STATUS"], event["COMMENT"]) == ("CANCELLED", "Ill; sorry")
    url = parties.lawyer.post("/api/calendar/feed").json()["url"]
    for raw in (
        parties.lawyer.get(f"/api/requests/{request['id']}/calendar.ics").content,
        stack.anyone().get(url).content,
    ):
        radicale.put(raw)
        (same,) = radicale.events()
        for name in ("UID", "STATUS", "SUMMARY", "COMMENT"):
            assert same[name] == event[name], name
        assert same["DTSTART"].dt == event["DTSTART"].dt
