"""Answers as mail programs write them (tests/data/replies), and giving them to `meetlink receive`."""

import base64
import dataclasses
import datetime
import re
import secrets
import subprocess
from mailbox import Mail

import icalendar
from caller import Parties
from stack import PROGRAM, ROOT, Stack
from support import until

FOLDER = ROOT / "tests/data/replies"
NAMES = sorted(path.stem for path in FOLDER.glob("*.eml"))
PATTERN = "meetings+{}@example.org"
# sysexits.h
OK, USAGE, DATA, NO_USER, UNAVAILABLE, TEMPORARY, NOT_ALLOWED = 0, 64, 65, 67, 69, 75, 77


@dataclasses.dataclass
class Invited:
    """One person of a request, and the invitation that this person has."""

    stack: Stack
    parties: Parties
    request: dict
    who: str
    mail: Mail
    event: icalendar.Event

    @property
    def address(self) -> str:
        return str(self.event["ORGANIZER"]).removeprefix("mailto:")

    @property
    def attendance(self) -> str:
        return self.parties.lawyer.request(self.request["id"])["meeting"]["attendance"][self.who]

    def message(self, name: str, **changes: object) -> bytes:
        """A file, as an answer of this person; changes are of the places in it."""
        places = {
            "ADDRESS": self.address,
            "ATTENDEE": self.mail.recipient,
            "UID": self.event["UID"],
            "SEQUENCE": self.event["SEQUENCE"],
            "STAMP": instant(self.stack.now()),
            "STARTS": instant(self.event["DTSTART"].dt),
            "ENDS": instant(self.event["DTEND"].dt),
            "ID": secrets.token_hex(8),
        } | changes
        text = (FOLDER / f"{name}.eml").read_text()
        for place, value in places.items():
            text = text.replace(f"@{place}@", str(value))
        text = re.sub(r"(?s)@BASE64@\n(.*?)@END@\n", encoded, text)
        assert not re.search("@[A-Z0-9]+@", text), text
        return text.encode()


def instant(moment: datetime.datetime) -> str:
    return moment.astimezone(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")


def encoded(match: re.Match) -> str:
    return base64.encodebytes(match[1].replace("\n", "\r\n").encode()).decode()


def event_of(mail: Mail) -> icalendar.Event:
    calendar = icalendar.Calendar.from_ical(mail.part("text/calendar").get_payload(decode=True))
    (event,) = calendar.walk("VEVENT")
    return event


def invited(stack: Stack, who: str = "client", parties: Parties | None = None) -> Invited:
    """Of a new meeting, when both invitations have left."""
    parties = parties or stack.parties()
    request = parties.accepted()
    stack.settle(request["id"])
    return latest(stack, parties, request, who)


def latest(stack: Stack, parties: Parties, request: dict, who: str) -> Invited:
    """The last invitation that this person has got."""
    to = f"{getattr(parties, f'{who}_id')}@example.com"
    mails = [m for m in stack.mails.to(to) if "text/calendar" in m.raw.decode()]
    return Invited(stack, parties, request, who, mails[-1], event_of(mails[-1]))


def receive(
    stack: Stack, message: bytes, *arguments: str, **environment: str
) -> subprocess.CompletedProcess:
    return subprocess.run(
        [PROGRAM, "receive", *arguments],
        env={k: v for k, v in stack.environment.items() if k != "ORIGINAL_RECIPIENT"} | environment,
        input=message,
        capture_output=True,
        timeout=120,
        check=False,
    )


def received(stack: Stack, message: bytes, recipient: str) -> str:
    """What became of a message that is done with, in the program's words."""
    done = receive(stack, message, recipient)
    assert done.returncode == OK, done
    (said,) = re.findall(r' msg="received (.*)"$', done.stderr.decode(), re.MULTILINE)
    return said


def mails_to(stack: Stack, request: dict, recipient: str, count: int, kind: str) -> list[Mail]:
    """Once there are so many, and nothing more is owed."""
    stack.settle(request["id"])
    mails = [m for m in stack.mails.to(recipient) if kind in m.id]
    assert len(mails) == count, [m.id for m in mails]
    return mails


def letters(stack: Stack) -> list[dict]:
    return list(stack.requests.database["letters"].find())


def until_no_letters(stack: Stack) -> None:
    until(lambda: not letters(stack), "no letter is stored any more")

