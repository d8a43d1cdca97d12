"""Where mails arrive: an SMTP server on loopback, or the folder of .eml files."""

import asyncio
import collections
import contextlib
import dataclasses
import email
import email.message
import email.policy
import pathlib
import re
import select
import socket
import threading
from collections.abc import Callable, Iterator

import aiosmtpd.controller
import aiosmtpd.smtp
import icalendar
from support import free_port


# What is told once, at its time.
NOTICES = {
    "request_received",
    "meeting_delayed",
    "meeting_failed",
    "meeting_reminder",
    "meeting_missed",
    "meeting_answered",
    "meeting_proposed",
    "proposal_declined",
}


@dataclasses.dataclass
class Mail:
    recipient: str
    raw: bytes
    message: email.message.EmailMessage
    sender: str  # of the envelope; "": not known

    def __init__(self, recipient: str, raw: bytes, sender: str = ""):
        self.recipient = recipient
        self.raw = raw
        self.sender = sender
        self.message = email.message_from_bytes(raw, policy=email.policy.default)

    @property
    def id(self) -> str:
        return self.message["Message-ID"].strip("<>")

    @property
    def kind(self) -> str:
        """As the effect table names it: the last but one word of what is before the @, without the
        time that the id of a notice has there."""
        return re.sub(r"_\d+$", "", self.id.partition("@")[0].split(".")[-2])

    def part(self, content_type: str) -> email.message.EmailMessage:
        (part,) = [p for p in self.message.walk() if p.get_content_type() == content_type]
        return part

    def text(self, content_type: str = "text/plain") -> str:
        """A part as text; calendars come base64 and keep their CRLF. Without the elements and
        marks that isolate values: test_isolation.c and test_words.py look at those."""
        text = self.part(content_type).get_payload(decode=True).decode()
        return re.sub("</?bdi>|[\u2068\u2069]", "", text)


def check_invitation(mail: Mail, method: str) -> icalendar.Event:
    """The MIME form that calendar programs understand (RFC 6047); the event in it."""
    mixed = mail.message
    assert mixed.get_content_type() == "multipart/mixed"
    alternative, attachment = mixed.iter_parts()
    assert [part.get_content_type() for part in alternative.iter_parts()] == [
        "text/plain",
        "text/html",
        "text/calendar",
    ]
    part = mail.part("text/calendar")
    assert part.get_param("method") == method and part.get_param("charset").upper() == "UTF-8"
    assert part.get_content_disposition() is None
    assert attachment.get_filename() == "invite.ics"
    assert attachment.get_content_disposition() == "attachment"
    assert attachment.get_payload(decode=True) == part.get_payload(decode=True)
    calendar = icalendar.Calendar.from_ical(part.get_payload(decode=True))
    assert calendar["METHOD"] == method
    (event,) = calendar.walk("VEVENT")
    assert event["ORGANIZER"] == "mailto:meetings@example.org"
    attendees = event["ATTENDEE"]
    assert mail.recipient in {str(attendee).removeprefix("mailto:") for attendee in attendees}
    return event


class Mailbox:
    """All mails that arrived, in order."""

    def all(self) -> list[Mail]:
        raise NotImplementedError

    def every(self, request_id: str) -> list[Mail]:
        """Deliveries for a request: its id begins the Message-ID."""
        return [mail for mail in self.all() if mail.id.startswith(request_id + ".")]

    def of(self, request_id: str) -> list[Mail]:
        """Those that say how the request stands; test_notices.py looks at the others."""
        return [mail for mail in self.every(request_id) if mail.kind not in NOTICES]

    def notices(self, request_id: str) -> list[Mail]:
        return [mail for mail in self.every(request_id) if mail.kind in NOTICES]

    def to(self, recipient: str) -> list[Mail]:
        return [mail for mail in self.all() if mail.recipient == recipient]


class MailFolder(Mailbox):
    def __init__(self, folder: pathlib.Path):
        self.folder = folder

    def all(self) -> list[Mail]:
        mails = []
        for path in sorted(self.folder.glob("*.eml")):
            raw = path.read_bytes()
            to = email.message_from_bytes(raw, policy=email.policy.default)["To"]
            mails.append(Mail(to.addresses[0].addr_spec, raw))
            assert path.name == mails[-1].id + ".eml"
        return mails


class Silence:
    """Of a mail server: who tries it meanwhile, and how many do at once."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self.tries = 0  # connections, or messages
        self.open: list[socket.socket] = []

    def listen(self, port: int, phase: str) -> None:
        self.server = socket.create_server(("127.0.0.1", port), backlog=0)
        self.server.settimeout(0.02)
        if phase == "connect":  # more than the kernel takes without being asked
            self.open += [socket.socket() for _ in range(2)]
            for filler in self.open:
                filler.setblocking(False)
                filler.connect_ex(("127.0.0.1", port))
        self.thread = threading.Thread(target=self.serve, args=(phase,))
        self.thread.start()

    def serve(self, phase: str) -> None:
        while not self.over.is_set():
            if phase == "connect":
                self.over.wait(0.02)
                continue
            try:
                self.open.append(self.server.accept()[0])
                self.tries += 1
            except TimeoutError:
                self.hung()
        for one in (*self.open, self.server):
            one.close()

    def hung(self) -> int:
        """How many wait for us at this moment."""
        for one in list(self.open):
            if select.select([one], [], [], 0)[0]:  # nobody speaks first: it has gone
                one.close()
                self.open.remove(one)
        return len(self.open)


class SmtpServer(Mailbox):
    """Takes every mail, unless `answers` has something else to say for its recipient.

    A recipient in `hanging` gets no answer at all until release() cuts the connection. While it is
    silent() nobody gets one.
    """

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.answers: dict[str, str] = {}
        self.hanging: set[str] = set()
        self.attempts: collections.Counter[str] = collections.Counter()
        self.released = threading.Event()
        self.silence: Silence | None = None
        self.turns: threading.Semaphore | None = None
        self.controller = None
        self.port = free_port()
        self.start()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.controller = aiosmtpd.controller.Controller(
            self, hostname="127.0.0.1", port=self.port, enable_SMTPUTF8=True
        )
        self.controller.start()

    def stop(self) -> None:
        self.released.set()
        self.controller.stop()

    def release(self) -> None:
        self.hanging.clear()
        self.released.set()

    async def handle_RCPT(
        self,
        server: aiosmtpd.smtp.SMTP,
        session: aiosmtpd.smtp.Session,
        envelope: aiosmtpd.smtp.Envelope,
        address: str,
        options: list[str],
    ) -> str:
        self.attempts[address] += 1
        while (turns := self.turns) and not turns.acquire(blocking=False):
            await asyncio.sleep(0.02)
        if address in self.hanging:
            while not self.released.is_set():
                await asyncio.sleep(0.02)
            server.transport.close()
        if address in self.answers:
            return self.answers[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    @contextlib.contextmanager
    def one_by_one(self) -> Iterator[Callable[[], None]]:
        """A recipient is answered when the caller says so, each time."""
        self.turns = threading.Semaphore(0)
        try:
            yield self.turns.release
        finally:
            self.turns = None

    @contextlib.contextmanager
    def silent(self, phase: str) -> Iterator["Silence"]:
        """Nothing is said any more: once a "message" has arrived, to who connects ("greeting"), or
        connections come to nothing ("connect"). What hangs at the end loses its connection."""
        silence = Silence()
        if phase == "message":
            self.silence = silence
        else:
            self.stop()
            silence.listen(self.port, phase)
        try:
            yield silence
        finally:
            silence.over.set()
            self.silence = None
            if phase != "message":
                silence.thread.join()
                self.released.clear()
                self.start()

    async def handle_DATA(
        self,
        server: aiosmtpd.smtp.SMTP,
        session: aiosmtpd.smtp.Session,
        envelope: aiosmtpd.smtp.Envelope,
    ) -> str:
        if silence := self.silence:
            silence.tries += 1
            while not silence.over.is_set():
                await asyncio.sleep(0.2)  # not to slow down what is measured meanwhile
            server.transport.close()
            return "451 too late"
        for recipient in envelope.rcpt_tos:
            self.mails.append(Mail(recipient, envelope.original_content, envelope.mail_from))
        return "250 OK"

    def all(self) -> list[Mail]:
        return list(self.mails)
