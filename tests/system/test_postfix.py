"""Answers through a real Postfix that is set up word for word as docs/operations.md has it."""

import contextlib
import pathlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from mailbox import SmtpServer

import postfix
import pytest
from postfix import Postfix
from replies import PATTERN, Invited, invited, latest, letters, mails_to, until_no_letters
from stack import PROGRAM, ROOT, Database, Stack
from support import until

LINE = b"A line of some length, as people write them.\n"

pytestmark = pytest.mark.skipif(bool(postfix.missing()), reason=postfix.missing())


class Office:
    """A stack, and a Postfix that gives what arrives to `meetlink receive` as a user who has no
    right but to read what that needs."""

    def __init__(self, folder: pathlib.Path, mongodb_uri: str, **domain: str):
        self.smtp = SmtpServer()
        shutil.copy(PROGRAM, folder / "meetlink")
        shutil.copytree(ROOT / "templates", folder / "templates")
        self.stack = Stack(
            folder / "stack",
            mongodb_uri,
            self.smtp,
            MAIL_REPLY_ADDRESS=PATTERN,
            TEMPLATES_DIR=folder / "templates",
        )
        self.conf = folder / "meetlink.conf"
        postfix.configuration(self.stack, self.conf)
        postfix.give(folder / "stack/master.key")
        places = {
            "/usr/local/bin/meetlink": folder / "meetlink",
            "/etc/meetlink/meetlink.conf": self.conf,
        }
        self.trigger = folder / "faults/trigger"
        self.trigger.parent.mkdir()
        shutil.chown(self.trigger.parent, postfix.USER)
        fault = f"MEETLINK_FAULT=change.after_save:{self.trigger}"
        self.postfix = Postfix(folder / "postfix", self.smtp.port, places, fault, **domain)

    def stop(self) -> None:
        self.postfix.stop()
        self.stack.stop()
        self.smtp.stop()


@contextlib.contextmanager
def opened(mongodb_uri: str, **domain: str) -> Iterator[Office]:
    """In a folder that everybody may enter, which those of pytest are not."""
    with tempfile.TemporaryDirectory(prefix="meetlink-postfix-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        office = Office(folder, mongodb_uri, **domain)
        try:
            yield office
        finally:
            office.stop()


@pytest.fixture(scope="module")
def office(mongodb_uri: str) -> Iterator[Office]:
    with opened(mongodb_uri) as office:
        yield office


@pytest.fixture
def client(office: Office) -> Invited:
    return invited(office.stack)


def lawyer_of(one: Invited) -> str:
    return f"{one.parties.lawyer_id}@example.com"


def test_a_calendars_answer(office: Office, client: Invited) -> None:
    message = client.message("gmail-declined")
    fate = office.postfix.passed(message, client.address, client.mail.recipient)
    assert fate.status == "sent" and "received an answer" in fate.words
    assert client.attendance == "declined"
    (mail,) = mails_to(office.stack, client.request, lawyer_of(client), 1, "meeting_answered")
    assert "I am in court that day." in mail.text()


def test_the_words_of_a_person(office: Office, client: Invited) -> None:
    """And what the other one answers to them."""
    message = client.message("words")
    assert office.postfix.passed(message, client.address, client.mail.recipient).status == "sent"
    (mail,) = mails_to(office.stack, client.request, lawyer_of(client), 1, ".letter@")
    assert "shall I bring the lease?\n.\n" in mail.text().replace("\r\n", "\n")
    until_no_letters(office.stack)
    back = str(mail.message["Reply-To"])
    lawyer = latest(office.stack, client.parties, client.request, "lawyer")
    assert office.postfix.passed(lawyer.message("words"), back, lawyer_of(client)).status == "sent"
    mails_to(office.stack, client.request, client.mail.recipient, 1, ".letter@")


def test_a_mail_of_ours_that_it_could_not_deliver(office: Office, client: Invited) -> None:
    """It is the relay as well: its own report comes back to the sender of the envelope."""
    office.smtp.answers[client.mail.recipient] = "550 5.1.1 User unknown"
    mail = client.mail
    assert office.postfix.passed(mail.raw, mail.recipient, mail.sender).status == "bounced"

    def undeliverable() -> str | None:
        request = client.parties.lawyer.request(client.request["id"])
        return request["client"].get("undeliverable")

    until(undeliverable, "the report has come back")
    (event,) = [
        e for e in client.parties.lawyer.audit(client.request["id"]) if e["action"] == "mail.failed"
    ]
    assert event["to"] == "client" and event["detail"].startswith("came back: 5.1.1")


def test_what_programs_write(office: Office, client: Invited) -> None:
    before = office.stack.document(client.request["id"])
    for name in ("away-gmail", "away-exchange", "dsn-delayed"):
        fate = office.postfix.passed(client.message(name), client.address)
        assert fate.status == "sent" and "received dropped" in fate.words
    assert office.stack.document(client.request["id"]) == before
    assert letters(office.stack) == []


def test_an_address_that_is_nobodys(office: Office, client: Invited) -> None:
    """Who writes to it gets the message back, with our words."""
    letter = "a" if client.address[30] != "a" else "b"
    wrong = client.address[:30] + letter + client.address[31:]
    fate = office.postfix.passed(client.message("words"), wrong, client.mail.recipient)
    assert (fate.status, fate.code) == ("bounced", "5.1.1"), fate
    (report,) = until(
        lambda: [m for m in office.smtp.to(client.mail.recipient) if m.sender == "<>"], "it is back"
    )
    assert "There is no such address." in report.raw.decode()
    lost = office.postfix.take(client.message("dsn-postfix"), wrong)
    assert office.postfix.fate(lost, wrong).status == "bounced"
    until(lambda: f" {lost}: removed" in office.postfix.logged(), "nobody is told of a report")


def test_both_people_in_one_message(office: Office, client: Invited) -> None:
    """One call for each, or the program would be called wrongly."""
    lawyer = latest(office.stack, client.parties, client.request, "lawyer")
    one = office.postfix.take(client.message("gmail-accepted"), client.address, lawyer.address)
    for address in (client.address, lawyer.address):
        assert office.postfix.fate(one, address).status == "sent"
    assert client.attendance == "accepted"


def test_an_address_in_capitals(office: Office, client: Invited) -> None:
    capitals = client.address.upper()
    message = client.message("gmail-accepted")
    assert office.postfix.passed(message, capitals).status == "sent"
    assert client.attendance == "accepted"


def test_what_it_does_not_take(office: Office, client: Invited) -> None:
    """Said to the other server while that still has the message."""
    with office.postfix.session() as smtp:
        smtp.ehlo("mail.example.com")
        code, words = smtp.mail("a@example.com", ["size=10000001"])
        assert code == 552 and b"5.3.4" in words
    with office.postfix.session() as smtp:
        smtp.ehlo("mail.example.com")
        assert smtp.mail("a@example.com")[0] == 250
        code, words = smtp.rcpt("nobody-knows@example.org")
        assert code == 550 and b"5.1.1" in words
        assert smtp.rcpt("meetings@example.org")[0] == 250


@pytest.mark.parametrize("size, status", [(7_500_000, "sent"), (9_500_000, "bounced")])
def test_large_letters(office: Office, client: Invited, size: int, status: str) -> None:
    """Up to what is passed on; beyond it our words say so."""
    message = client.message("words") + LINE * (size // len(LINE))
    fate = office.postfix.passed(message, client.address, client.mail.recipient)
    assert fate.status == status, fate
    assert status == "sent" or (fate.code == "5.3.4" and "too large" in fate.words)
    until_no_letters(office.stack)


def put_off(office: Office, one: Invited, name: str) -> Callable[[], None]:
    """Sees that a message waits; what has it tried again, with success."""
    held = office.postfix.take(one.message(name), one.address)
    fate = office.postfix.fate(held, one.address)
    assert (fate.status, fate.code) == ("deferred", "4.3.0"), fate

    def again() -> None:
        office.postfix.flush(held)
        assert office.postfix.fate(held, one.address, 2).status == "sent"

    return again


def test_a_configuration_that_its_user_may_not_read(office: Office, client: Invited) -> None:
    office.conf.chmod(0)
    again = put_off(office, client, "gmail-accepted")
    office.conf.chmod(0o600)
    again()
    assert client.attendance == "accepted"


@pytest.mark.parametrize("name", ["words", "gmail-declined"])
def test_sudden_death(office: Office, client: Invited, name: str) -> None:
    """Postfix gives it again, and it has its effect once."""
    office.trigger.touch()
    again = put_off(office, client, name)
    assert not office.trigger.exists()
    again()
    kind = ".letter@" if name == "words" else "meeting_answered"
    mails_to(office.stack, client.request, lawyer_of(client), 1, kind)
    until_no_letters(office.stack)


def test_while_the_database_is_away(database: Database) -> None:
    """It waits in the queue, and has its effect when it comes again."""
    with opened(database.uri) as office:
        one = invited(office.stack)
        database.stop()
        again = put_off(office, one, "gmail-declined")
        database.start()
        until(office.stack.is_ready, "ready again", 60)
        again()
        assert one.attendance == "declined"


def test_a_domain_of_virtual_mailboxes(mongodb_uri: str) -> None:
    with opened(mongodb_uri, domain=Postfix.VIRTUAL) as office:
        one = invited(office.stack)
        assert office.postfix.passed(one.message("gmail-declined"), one.address).status == "sent"
        assert one.attendance == "declined"
