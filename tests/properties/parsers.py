"""What the calendar programs of others read: Python's icalendar and vobject, libical, and ical.js."""

import datetime
import json
import os
import pathlib
import shutil
import subprocess
from collections.abc import Callable

import icalendar
import vobject
from stack import CACHE, PROGRAM

PROBE = PROGRAM.parent / "tests/ics_probe"
ICAL_JS = pathlib.Path(os.environ.get("MEETLINK_ICAL_JS", CACHE / "node/node_modules/ical.js"))
FIELDS = "uid summary start end sequence status location description organizer attendees".split()


def utc(time: datetime.datetime) -> str:
    return time.astimezone(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")


def by_icalendar(raw: bytes) -> dict:
    calendar = icalendar.Calendar.from_ical(raw)
    (event,) = calendar.walk("VEVENT")
    assert calendar.errors == [] and event.errors == []
    people = event["ATTENDEE"]
    return {
        "uid": str(event["UID"]),
        "summary": str(event["SUMMARY"]),
        "start": utc(event["DTSTART"].dt),
        "end": utc(event["DTEND"].dt),
        "sequence": str(event["SEQUENCE"]),
        "status": str(event["STATUS"]),
        "location": str(event["LOCATION"]) if "LOCATION" in event else None,
        "description": str(event["DESCRIPTION"]) if "DESCRIPTION" in event else None,
        "organizer": str(event["ORGANIZER"]),
        "attendees": [str(one) for one in (people if isinstance(people, list) else [people])],
    }


def by_vobject(raw: bytes) -> dict:
    event = vobject.readOne(raw.decode()).vevent

    def value(name: str) -> str | None:
        return getattr(event, name).value if hasattr(event, name) else None

    return {name: value(name) for name in FIELDS if name not in ("start", "end", "attendees")} | {
        "start": utc(event.dtstart.value),
        "end": utc(event.dtend.value),
        "attendees": [one.value for one in event.attendee_list],
    }


def by_program(*command: object) -> Callable[[list[bytes]], list[dict]]:
    def read(files: list[bytes]) -> list[dict]:
        done = subprocess.run(
            [str(part) for part in command],
            input=b"".join(raw + b"\0" for raw in files),
            capture_output=True,
            check=True,
            timeout=600,
        )
        return [json.loads(line) for line in done.stdout.splitlines()]

    return read


def parsers() -> dict[str, Callable[[list[bytes]], list[dict]]]:
    """Those that are on this machine. Each reads many files."""
    found = {
        "icalendar": lambda files: [by_icalendar(raw) for raw in files],
        "vobject": lambda files: [by_vobject(raw) for raw in files],
        "libical": by_program(PROBE, "read"),
    }
    if (node := shutil.which("node")) and ICAL_JS.exists():
        script = pathlib.Path(__file__).with_name("ical.mjs")
        found["ical.js"] = by_program(node, script, ICAL_JS)
    return found
