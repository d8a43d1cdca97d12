"""What people keep their calendars with: Radicale and khal take the mails' invitations, and Radicale
the feed; vdirsyncer fetches the feed, and what Radicale has; khal shows it. Skipped where one of them
is not installed."""

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


def tool(home: pathlib.Path, *command: str | pathlib.Path) -> str:
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


def subscribe(home: pathlib.Path, there: str) -> None:
    """Has vdirsyncer fetch from there, which is in its own words."""
    (home / "vdirsyncer").mkdir(exist_ok=True)
    (home / "vdirsyncer/config").write_text(
        f'[general]\nstatus_path = "{home}/status"\n'
        '[pair feed]\na = "here"\nb = "there"\ncollections = null\nconflict_resolution = "b wins"\n'
        f'[storage here]\ntype = "filesystem"\npath = "{home}/calendars/feed"\nfileext = ".ics"\n'
        f"[storage there]\n{there}\n"
    )
    (home / "calendars/feed").mkdir(exist_ok=True)
    tool(home, "vdirsyncer", "discover", "feed")


def fetched(home: pathlib.Path) -> list[str]:
    tool(home, "vdirsyncer", "sync")
    return shown_by_khal(home)


def shown_by_khal(home: pathlib.Path) -> list[str]:
    form = "{start} {end} {title} {location} {status}"
    text = tool(home, "khal", "list", "--day-format", "", "--format", form, "today", "30d")
    return [line.strip() for line in text.splitlines() if line.strip()]


def in_berlin(instant: str) -> str:
    return datetime.datetime.fromisoformat(instant).astimezone(BERLIN).strftime("%Y-%m-%d %H:%M")


def line(view: dict, other: str) -> str:
    """What khal is to show to who meets `other`."""
    start, end = in_berlin(view["starts_at"]), in_berlin(view["ends_at"])
    meeting = view["meeting"]
    status = "CANCELLED" if meeting["status"] == "cancelled" else "CONFIRMED"
    place = meeting["join_url"] or ""
    return f"{start} {end} {view['title']} – {view[other]['name']} {place} {status}"


def test_khal_shows_what_vdirsyncer_fetched(
    stack: Stack, parties: Parties, home: pathlib.Path
) -> None:
    """The meeting, then moved, then cancelled; and what the client is shown is the client's."""
    request = parties.accepted(title="Müllers Vertrag; Teil 1, „Kauf“", starts_at=stack.at(days=2))
    url = parties.client.post("/api/calendar/feed").json()["url"]
    subscribe(home, f'type = "http"\nurl = "{url}"')
    assert fetched(home) == [line(parties.client.request(request["id"]), "lawyer")]
    assert parties.lawyer.command(
        request["id"], "reschedule", starts_at=stack.at(days=5)
    ).status_code == 200
    assert fetched(home) == [line(parties.client.request(request["id"]), "lawyer")]
    assert parties.client.cancel(request["id"]).status_code == 200
    (shown,) = fetched(home)
    assert shown == line(parties.client.request(request["id"]), "lawyer")
    assert shown.endswith("CANCELLED")


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
        self.as_storage = f'type = "caldav"\nurl = "{self.url}"\nusername = "anna"\npassword = "x"'
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


    def replace(self, raw: bytes) -> None:
        """All of the calendar, as who imports a file."""
        answer = requests.put(
            self.url, raw, auth=("anna", ""),
            headers={"Content-Type": "text/calendar; charset=utf-8"}, timeout=30,
        )
        assert answer.status_code in (201, 204), answer.text


@pytest.fixture
def radicale(tmp_path: pathlib.Path) -> Iterator[Radicale]:
    server = Radicale(tmp_path / "radicale")
    yield server
    end(server.process)


def test_a_calendar_keeps_one_entry(
    start: Callable[..., Stack], smtp: SmtpServer, radicale: Radicale, home: pathlib.Path
) -> None:
    """REQUEST, the move and CANCEL of the mails are one event in Radicale, in what vdirsyncer fetches
    from there, and in khal itself, each newer than the last; and the feed and the file to download say
    the same."""
    stack = start(smtp)
    parties = stack.parties()
    request = parties.accepted()
    views = [parties.lawyer.request(request["id"])]
    stack.settle(request["id"])
    stack.advance(120)
    assert parties.lawyer.command(
        request["id"], "reschedule", starts_at=stack.at(days=6)
    ).status_code == 200
    views.append(parties.lawyer.request(request["id"]))
    stack.settle(request["id"])
    stack.advance(120)
    assert parties.client.cancel(request["id"], reason="Ill; sorry").status_code == 200
    views.append(parties.lawyer.request(request["id"]))
    stack.settle(request["id"])
    subscribe(home, radicale.as_storage)
    own = home.with_name("own")
    shutil.copytree(home / "khal", own / "khal")
    (own / "khal/config").write_text(
        (own / "khal/config").read_text().replace(f"{home}/", f"{own}/")
    )
    (own / "calendars/feed").mkdir(parents=True)
    mails = [
        mail for mail in stack.mails.of(request["id"])
        if mail.recipient == f"{parties.lawyer_id}@example.com"
    ]
    methods = [mail.part("text/calendar").get_param("method") for mail in mails]
    assert methods == ["REQUEST", "REQUEST", "CANCEL"], [m.message["Subject"] for m in mails]
    sequences = []
    for mail, view in zip(mails, views, strict=True):
        raw = mail.part("text/calendar").get_payload(decode=True)
        radicale.put(raw)
        (event,) = radicale.events()
        sequences.append(int(event["SEQUENCE"]))
        assert fetched(home) == [line(view, "client")]
        (own / "mail.ics").write_bytes(raw)
        tool(own, "khal", "import", "--batch", "-a", "meetings", own / "mail.ics")
        assert shown_by_khal(own) == [line(view, "client")]
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


def test_radicale_takes_a_whole_feed(
    start: Callable[..., Stack], radicale: Radicale, home: pathlib.Path
) -> None:
    """Three meetings, one of them cancelled, are three entries, which vdirsyncer fetches from there."""
    stack = start()
    parties = stack.parties()
    made = [parties.accepted(starts_at=stack.at(days=day)) for day in (2, 3, 4)]
    assert parties.client.cancel(made[1]["id"]).status_code == 200
    url = parties.client.post("/api/calendar/feed").json()["url"]
    radicale.replace(stack.anyone().get(url).content)
    views = [parties.client.request(request["id"]) for request in made]
    uids = {str(event["UID"]): str(event["STATUS"]) for event in radicale.events()}
    assert uids == {
        f"{view['meeting']['id']}@meetlink": "CANCELLED" if view is views[1] else "CONFIRMED"
        for view in views
    }
    subscribe(home, radicale.as_storage)
    assert fetched(home) == [line(view, "lawyer") for view in views]
