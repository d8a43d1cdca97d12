"""What the calendar programs of others read: Python's icalendar and vobject, libical (which Evolution
and KDE read with), ical.js (Thunderbird) and ical4j (ICSx⁵, Open-Xchange, Bedework)."""

import datetime
import json
import pathlib
import shutil
import subprocess
from collections.abc import Callable

import icalendar
import pytest
import vobject
from stack import CACHE, PROGRAM

PROBE = PROGRAM.parent / "tests/ics_probe"
# As scripts/lib.sh installs them.
ICAL_JS = CACHE / "meetlink/ical.js-2.2.1/node_modules/ical.js"
ICAL4J = CACHE / "meetlink/ical4j-4.2.3"
FIELDS = "uid summary sequence status location description organizer".split()


def utc(time: datetime.datetime) -> str:
    return time.astimezone(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")


def by_icalendar(raw: bytes) -> dict:
    calendar = icalendar.Calendar.from_ical(raw)
    (event,) = calendar.walk("VEVENT")
    assert calendar.errors == [] and event.errors == []
    people = event["ATTENDEE"]
    people = people if isinstance(people, list) else [people]
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
        "attendees": [str(one) for one in people],
        "names": [one.params.get("CN") for one in people],
        "answers": [one.params.get("PARTSTAT") for one in people],
    }


def by_vobject(raw: bytes) -> dict:
    event = vobject.readOne(raw.decode()).vevent

    def value(name: str) -> str | None:
        return getattr(event, name).value if hasattr(event, name) else None

    def parameters(name: str) -> list[str | None]:
        return [one.params.get(name, [None])[0] for one in event.attendee_list]

    return {name: value(name) for name in FIELDS} | {
        "start": utc(event.dtstart.value),
        "end": utc(event.dtend.value),
        "attendees": [one.value for one in event.attendee_list],
        "names": parameters("CN"),
        "answers": parameters("PARTSTAT"),
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


NAMES = ("icalendar", "vobject", "libical", "ical.js", "ical4j")


def parser(name: str) -> Callable[[list[bytes]], list[dict]]:
    """One of NAMES, which reads many files. Skips the test where it is not on this machine."""
    here = pathlib.Path(__file__).parent
    node, javac = shutil.which("node"), shutil.which("javac")
    if name == "icalendar":
        return lambda files: [by_icalendar(raw) for raw in files]
    if name == "vobject":
        return lambda files: [by_vobject(raw) for raw in files]
    if name == "libical":
        return by_program(PROBE, "read")
    if name == "ical.js" and node and ICAL_JS.exists():
        return by_program(node, here / "ical.mjs", ICAL_JS)
    if name == "ical4j" and javac and ICAL4J.exists():
        return by_program("java", "-cp", ICAL4J / "*", here / "Ical4j.java")
    pytest.skip(f"{name} is not installed")
