"""What people answer by mail reaches the other one: `meetlink receive`, as a mail server calls it."""

import email
import email.policy
import pathlib
import random
import secrets
from collections.abc import Callable, Iterator
from mailbox import Mail, SmtpServer

import pytest
from caller import Parties
from replies import (
    DATA,
    NAMES,
    NO_USER,
    NOT_ALLOWED,
    OK,
    PATTERN,
    TEMPORARY,
    UNAVAILABLE,
    USAGE,
    Invited,
    invited,
    latest,
    letters,
    mails_to,
    receive,
    received,
    until_no_letters,
)
from stack import LEASE_S, Database, Stack
from support import at_once, until

ANSWERS = {
    "apple-accepted": "accepted",
    "gmail-accepted": "accepted",
    "gmail-declined": "declined",
    "outlook-accepted": "accepted",
    "outlook-counter": "tentative",
    "outlook-new-declined": "declined",
    "outlook-tentative": "tentative",
    "thunderbird-tentative": "tentative",
}
BOUNCES = ("dsn-exchange", "dsn-gmail", "dsn-postfix")
DROPPED = ("away-exchange", "away-gmail", "dsn-delayed")
WORDS = ("words",)


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory, mongodb_uri: str) -> Iterator[Stack]:
    """A stack that reads answers."""
    smtp = SmtpServer()
    folder = tmp_path_factory.mktemp("answered") / "stack"
    with Stack(folder, mongodb_uri, smtp, MAIL_REPLY_ADDRESS=PATTERN) as stack:
        yield stack
    smtp.stop()


@pytest.fixture
def client(answered: Stack) -> Invited:
    return invited(answered)


def actions(document: dict) -> list[str]:
    return [event["action"] for event in document["events"]]


def lawyer_of(one: Invited) -> str:
    return f"{one.parties.lawyer_id}@example.com"


# ---- addresses ----


def test_each_person_has_an_address_of_the_same_life(answered: Stack, client: Invited) -> None:
    """Of its own, through all updates; invitations ask for an answer."""
    assert client.address != "meetings@example.org"
    assert len(client.address.partition("@")[0]) <= 64
    lawyer = latest(answered, client.parties, client.request, "lawyer")
    other = invited(answered)
    assert len({client.address.lower(), lawyer.address, other.address}) == 3
    asked = [a.params.get("RSVP") for a in client.event["ATTENDEE"]]
    assert asked == ["TRUE", None], "the lawyer has accepted already"
    client.parties.lawyer.command(client.request["id"], "reschedule", starts_at=answered.at(days=4))
    answered.settle(client.request["id"])
    moved = latest(answered, client.parties, client.request, "client")
    assert moved.event["SEQUENCE"] > client.event["SEQUENCE"] and moved.address == client.address
    client.parties.client.cancel(client.request["id"])
    answered.settle(client.request["id"])
    gone = latest(answered, client.parties, client.request, "client")
    assert gone.event["STATUS"] == "CANCELLED" and gone.address == client.address


def test_the_calendar_to_download_names_it_too(answered: Stack, client: Invited) -> None:
    text = client.parties.client.get(f"/api/requests/{client.request['id']}/calendar.ics").text
    assert client.address in text.replace("\r\n ", "")


def test_without_the_setting_nothing_is_asked_for(stack: Stack, parties: Parties) -> None:
    request = parties.accepted()
    stack.settle(request["id"])
    one = latest(stack, parties, request, "client")
    assert one.address == "meetings@example.org"
    assert "RSVP=TRUE" not in one.mail.text("text/calendar").replace("\r\n ", "")
    done = receive(stack, one.message("gmail-accepted"), one.address)
    assert done.returncode == UNAVAILABLE and b"mail.reply_address" in done.stderr


# ---- answers of calendars ----


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_is_understood(answered: Stack, client: Invited, name: str) -> None:
    """It is on the meeting and in its trail, and the lawyer is told, once."""
    assert client.attendance == "unknown"
    message = client.message(name)
    assert received(answered, message, client.address) == "an answer"
    assert client.attendance == ANSWERS[name]
    (mail,) = mails_to(answered, client.request, lawyer_of(client), 1, "meeting_answered")
    assert "Client Ex" in mail.message["Subject"]
    trail = client.parties.lawyer.audit(client.request["id"])
    (event,) = [e for e in trail if e["action"] == "meeting.attendance"]
    assert (event["from"], event["to"], event["detail"]) == ("unknown", ANSWERS[name], "client")
    assert event["actor"] == {"id": client.parties.client_id, "role": "client"}
    # Postfix gives it again when it was killed before it saw our status.
    document = answered.document(client.request["id"])
    assert received(answered, message, client.address).startswith("dropped: it has been here")
    assert answered.document(client.request["id"]) == document


def test_an_answer_in_words(answered: Stack, client: Invited) -> None:
    received(answered, client.message("gmail-declined"), client.address)
    (mail,) = mails_to(answered, client.request, lawyer_of(client), 1, "meeting_answered")
    for kind in ("text/plain", "text/html"):
        assert "I am in court that day." in mail.text(kind)
    assert "will not come" in mail.text()


def test_what_was_typed_into_outlook(answered: Stack, client: Invited) -> None:
    received(answered, client.message("outlook-tentative"), client.address)
    (mail,) = mails_to(answered, client.request, lawyer_of(client), 1, "meeting_answered")
    assert "I have to ask at work first, sorry." in mail.text()


def test_nobody_is_told_the_link_of_another(answered: Stack, client: Invited) -> None:
    link = f"{answered.url}/join/another"  # longer than chance would begin a link of ours
    message = client.message("gmail-declined").replace(b"COMMENT:I am", f"COMMENT:{link} I".encode())
    received(answered, message, client.address)
    (mail,) = mails_to(answered, client.request, lawyer_of(client), 1, "meeting_answered")
    assert link not in mail.text() and client.attendance == "declined"


def test_another_time_is_told_as_words(answered: Stack, client: Invited) -> None:
    """10:00 in Berlin in July, by the rules that come with it; nothing moves by itself."""
    received(answered, client.message("outlook-counter"), client.address)
    (mail,) = mails_to(answered, client.request, lawyer_of(client), 1, "meeting_answered")
    text = mail.text()
    assert "2 July 2027" in text and "10:00" in text and "60 minutes" in text, text
    assert "Could we meet in the morning instead?" in text
    meeting = client.parties.lawyer.request(client.request["id"])["meeting"]
    assert meeting["starts_at"] == client.request["meeting"]["starts_at"]
    assert meeting["join_url"] in text


def test_who_declines_is_on_the_lawyers_dashboard(answered: Stack, client: Invited) -> None:
    def reasons() -> list[str]:
        rows = client.parties.lawyer.fetch("/api/dashboard")["needs_action"]
        return [reason for row in rows for reason in row["reasons"]]

    assert reasons() == []
    received(answered, client.message("outlook-new-declined"), client.address)
    assert reasons() == ["declined"]
    assert client.parties.client.fetch("/api/dashboard")["needs_action"] == []
    received(answered, client.message("apple-accepted"), client.address)
    assert reasons() == []


def test_the_lawyers_answer_counts_too(answered: Stack) -> None:
    lawyer = invited(answered, "lawyer")
    assert lawyer.attendance == "accepted", "as the entry that was sent says"
    received(answered, lawyer.message("gmail-declined"), lawyer.address)
    assert lawyer.attendance == "declined"
    to = f"{lawyer.parties.client_id}@example.com"
    (mail,) = mails_to(answered, lawyer.request, to, 1, "meeting_answered")
    assert "Lawyer Ex" in mail.message["Subject"]


def test_a_move_asks_anew(answered: Stack, client: Invited) -> None:
    """An answer to the version before says nothing of this one."""
    received(answered, client.message("gmail-accepted"), client.address)
    mails_to(answered, client.request, lawyer_of(client), 1, "meeting_answered")
    client.parties.lawyer.command(client.request["id"], "reschedule", starts_at=answered.at(days=4))
    assert client.attendance == "unknown"
    late = client.message("gmail-declined")
    assert received(answered, late, client.address) == "dropped: it changes nothing"
    answered.settle(client.request["id"])
    assert received(answered, client.message("gmail-declined"), client.address).startswith("dropped")
    assert client.attendance == "unknown"
    moved = latest(answered, client.parties, client.request, "client")
    received(answered, moved.message("gmail-declined"), moved.address)
    assert client.attendance == "declined"


def test_a_new_link_asks_nobody(answered: Stack, client: Invited) -> None:
    received(answered, client.message("gmail-accepted"), client.address)
    client.parties.lawyer.command(client.request["id"], "regenerate", reason="It leaked")
    answered.settle(client.request["id"])
    assert client.attendance == "accepted"
    told = latest(answered, client.parties, client.request, "client").event
    assert [a.params["PARTSTAT"] for a in told["ATTENDEE"]] == ["ACCEPTED", "ACCEPTED"]


def test_answers_that_overtake_each_other(answered: Stack, client: Invited) -> None:
    """The one that was given last counts (RFC 5546 section 2.1.5)."""
    first = client.message("gmail-accepted")
    answered.advance(5)
    received(answered, client.message("gmail-declined"), client.address)
    assert received(answered, first, client.address) == "dropped: it changes nothing"
    assert client.attendance == "declined"


@pytest.mark.parametrize(
    "changes",
    [
        {"UID": "somebody-elses@meetlink"},
        {"UID": ""},
        {"SEQUENCE": -1},
        {"SEQUENCE": "0\nRECURRENCE-ID:20270301T140000Z"},
        {"SEQUENCE": "0\nEND:VEVENT\nBEGIN:VEVENT\nUID:other\nDTSTAMP:20270301T140000Z"},
    ],
    ids=lambda changes: repr(changes)[:40],
)
def test_an_answer_to_something_else(answered: Stack, client: Invited, changes: dict) -> None:
    before = answered.document(client.request["id"])
    done = receive(answered, client.message("outlook-accepted", **changes), client.address)
    assert done.returncode == OK
    answered.settle(client.request["id"])
    assert client.attendance == "unknown"
    after = answered.document(client.request["id"])
    assert actions(after) == actions(before) or actions(after)[-1] == "mail.sent"


def test_an_invitation_that_was_passed_on(answered: Stack, client: Invited) -> None:
    """To the other person of the request, who has an own: that is not the client's answer."""
    message = client.message("gmail-declined", ATTENDEE=lawyer_of(client))
    assert received(answered, message, client.address) == "dropped: it changes nothing"
    alias = client.message("gmail-declined", ATTENDEE="an-alias@example.com")
    received(answered, alias, client.address)
    assert client.attendance == "declined", "Exchange answers with a person's first address"


def test_after_the_meeting_nobody_is_asked(answered: Stack, client: Invited) -> None:
    client.parties.client.cancel(client.request["id"])
    answered.settle(client.request["id"])
    assert received(answered, client.message("gmail-accepted"), client.address).startswith("dropped")


# ---- what does not arrive, and what programs write ----


@pytest.mark.parametrize("name", BOUNCES)
def test_an_address_that_mail_does_not_reach(answered: Stack, client: Invited, name: str) -> None:
    """It comes back to who it was sent for: the sender of the envelope is that person's own."""
    assert client.mail.sender == client.address
    received(answered, client.message(name), client.address)
    seen = client.parties.lawyer.request(client.request["id"])
    assert seen["client"]["undeliverable"] and "undeliverable" not in seen["lawyer"]
    (event,) = [e for e in client.parties.lawyer.audit(seen["id"]) if e["action"] == "mail.failed"]
    assert event["to"] == "client" and event["detail"].startswith("came back: 5.1.1")
    (row,) = client.parties.lawyer.fetch("/api/dashboard")["needs_action"]
    assert row["reasons"] == ["not_told"]
    before = answered.document(seen["id"])
    received(answered, client.message(name), client.address)
    assert answered.document(seen["id"]) == before, "once"


def test_what_it_finds_out_nobody_may_say(answered: Stack) -> None:
    parties = answered.parties()
    person = parties.person("client", undeliverable="2027-03-01T14:00:00Z")
    answer = parties.client.post("/api/requests", parties.draft(client=person))
    assert answer.status_code == 422, answer.text


@pytest.mark.parametrize("name", DROPPED)
def test_programs_are_not_answered(answered: Stack, client: Invited, name: str) -> None:
    before = answered.document(client.request["id"])
    assert received(answered, client.message(name), client.address).startswith("dropped")
    assert answered.document(client.request["id"]) == before and letters(answered) == []


def test_every_file_has_its_test() -> None:
    assert sorted([*ANSWERS, *BOUNCES, *DROPPED, *WORDS]) == NAMES


# ---- letters ----


def letter_to(one: Invited, recipient: str, count: int = 1) -> Mail:
    return mails_to(one.stack, one.request, recipient, count, ".letter@")[-1]


def test_words_reach_the_other_person(answered: Stack, client: Invited) -> None:
    """Under a head of ours; the answer to it comes back the same way."""
    assert received(answered, client.message("words"), client.address) == "a letter"
    mail = letter_to(client, lawyer_of(client))
    message = mail.message
    assert message.get_content().replace("\r\n", "\n") == (
        "Grüß Gott,\n\nshall I bring the lease?\n.\nA line that is a dot, above.\n\nClara\n"
    )
    assert message["From"].addresses[0].addr_spec == "meetings@example.org"
    assert "Client Ex" in message["From"] and message["To"].addresses[0].addr_spec == mail.recipient
    assert message["Subject"] == "Re: Your video meeting – a question"
    assert message["Auto-Submitted"] == "auto-generated" and message["X-Meetlink-Hop"]
    lawyer = latest(answered, client.parties, client.request, "lawyer")
    assert message["Reply-To"].addresses[0].addr_spec == lawyer.address == mail.sender
    head = mail.raw.partition(b"\r\n\r\n")[0]
    for private in (b"203.0.113.7", b"Received", b"Thunderbird", client.mail.recipient.encode()):
        assert private not in head, head
    assert b"\n" not in mail.raw.replace(b"\r\n", b"")
    until_no_letters(answered)
    received(answered, lawyer.message("words"), lawyer.address)
    assert letter_to(client, client.mail.recipient).message["X-Meetlink-Hop"]


def test_attachments_are_passed_on_as_they_are(answered: Stack, client: Invited) -> None:
    scan = secrets.token_bytes(5 * 1000 * 1000)
    message = email.message_from_bytes(client.message("words"), policy=email.policy.SMTP)
    message.add_attachment(scan, maintype="application", subtype="pdf", filename="Vertrag – 1.pdf")
    received(answered, message.as_bytes(), client.address)
    (attachment,) = letter_to(client, lawyer_of(client)).message.iter_attachments()
    assert attachment.get_content() == scan and attachment.get_filename() == "Vertrag – 1.pdf"
    until_no_letters(answered)


def test_no_link_of_its_writers_is_passed_on(answered: Stack, client: Invited) -> None:
    """What people answer quotes the mail that they got."""
    page = client.parties.client.request(client.request["id"])["links"]["page_url"]
    quoted = client.mail.text()
    join = client.parties.client.request(client.request["id"])["meeting"]["join_url"]
    assert page in quoted and join in quoted
    message = email.message_from_bytes(client.message("words"), policy=email.policy.SMTP)
    message.set_content("".join(f"> {line}\n" for line in quoted.splitlines()), cte="base64")
    message.add_alternative(client.mail.text("text/html"), subtype="html", cte="quoted-printable")
    received(answered, message.as_bytes(), client.address)
    mail = letter_to(client, lawyer_of(client))
    for kind in ("text/plain", "text/html"):
        text = mail.text(kind)
        for link in (page, join):
            token = link.rpartition("/")[2]
            assert token not in text and link.replace(token, "*" * len(token)) in text
    until_no_letters(answered)


def test_a_letter_that_comes_back_ends(answered: Stack, client: Invited) -> None:
    """A mailbox that forwards by itself: what we passed on is not passed on again."""
    received(answered, client.message("words"), client.address)
    mail = letter_to(client, lawyer_of(client))
    assert received(answered, mail.raw, client.address).startswith("dropped")
    assert received(answered, client.mail.raw, client.address).startswith("dropped"), "nor mails"
    letter_to(client, lawyer_of(client))


def test_a_letter_is_unreadable_where_it_waits(start: Callable[..., Stack]) -> None:
    """Sealed, and gone when it has left; the new key seals it as well."""
    smtp = SmtpServer()
    stack = start(smtp, MAIL_REPLY_ADDRESS=PATTERN)
    one = invited(stack)
    with smtp.silent("greeting"):
        received(stack, one.message("words"), one.address)
        (letter,) = letters(stack)
        assert letter["message"].startswith("v1:k1:") and "lease" not in str(letter)
        request_id = one.request["id"]
        until(lambda: "lease" not in str(stack.document(request_id)), "nobody writes to it")
        key = stack.folder / "master.key"
        key.write_text(f"k2:{secrets.token_hex(32)}\n" + key.read_text())
        stack.reload()
        stack.run("rotate-keys")
        (letter,) = letters(stack)
        assert letter["message"].startswith("v1:k2:")
        assert receive(stack, one.message("words"), one.address).returncode == OK, "the address"
    stack.advance(120)
    until(lambda: not letters(stack), "both have left", 60)
    letter_to(one, lawyer_of(one), 2)
    smtp.stop()


def test_an_erased_person_has_no_address(answered: Stack) -> None:
    """Nor is there anybody to be written to; what waited is gone."""
    client = invited(answered)
    lawyer = latest(answered, client.parties, client.request, "lawyer")
    answered.admin().post(f"/api/people/{client.parties.client_id}/erase")
    for name in ("words", "gmail-accepted", "dsn-postfix"):
        assert receive(answered, client.message(name), client.address).returncode == NO_USER
    assert receive(answered, lawyer.message("words"), lawyer.address).returncode == NOT_ALLOWED
    assert receive(answered, lawyer.message("gmail-declined"), lawyer.address).returncode == OK
    answered.settle(client.request["id"])
    assert letters(answered) == []


def test_what_an_erased_person_wrote_goes(start: Callable[..., Stack]) -> None:
    smtp = SmtpServer()
    stack = start(smtp, MAIL_REPLY_ADDRESS=PATTERN)
    one = invited(stack)
    with smtp.silent("greeting"):
        received(stack, one.message("words"), one.address)
        received(stack, one.message("gmail-declined"), one.address)
        stack.admin().post(f"/api/people/{one.parties.client_id}/erase")
        assert letters(stack) == []
        assert not [e for e in stack.owed(one.request["id"]) if e["kind"].startswith("mail.")]
    smtp.stop()


def test_too_many_letters_wait(answered: Stack) -> None:
    """Nobody's program fills the other's mailbox; what is too much comes again."""
    client = invited(answered)
    statuses = [
        receive(answered, client.message("words"), client.address).returncode for _ in range(22)
    ]
    assert statuses == [OK] * 20 + [TEMPORARY] * 2
    until_no_letters(answered)
    answered.advance(3601)
    received(answered, client.message("words"), client.address)
    letter_to(client, lawyer_of(client), 21)


# ---- who is meant ----


def test_where_the_address_is_looked_for(answered: Stack, client: Invited) -> None:
    """The envelope's, from the argument or the environment; else what mail servers note."""
    message = client.message("words")
    upper = client.address.upper()
    assert receive(answered, message, upper).returncode == OK, "case does not matter"
    assert receive(answered, message, ORIGINAL_RECIPIENT=client.address).returncode == OK
    hidden = message.replace(f"To: Meetings <{client.address}>".encode(), b"To: undisclosed:;")
    hidden = hidden.replace(f"for <{client.address}>".encode(), b"")
    assert receive(answered, hidden).returncode == NO_USER
    for field in ("Delivered-To", "X-Original-To", "Envelope-To"):
        noted = f"{field}: {client.address}\n".encode() + hidden
        assert receive(answered, noted).returncode == OK, field
    assert receive(answered, message).returncode == OK, "To"
    wrong = receive(answered, message, "meetings+nobody@example.org")
    assert wrong.returncode == NO_USER and wrong.stderr.startswith(b"5.1.1 ")
    letter_to(client, lawyer_of(client))


@pytest.mark.parametrize("place", [10, 30, 45, 52])
def test_a_wrong_token_is_nobodys(answered: Stack, client: Invited, place: int) -> None:
    """Request, party and proof: each letter counts."""
    letter = "a" if client.address[place] != "a" else "b"
    address = client.address[:place] + letter + client.address[place + 1 :]
    done = receive(answered, client.message("words"), address)
    assert done.returncode == NO_USER and letters(answered) == []


# ---- what cannot be read, and what is wrong with us ----

DEEP = b"".join(
    b'Content-Type: multipart/mixed; boundary="%d"\n\n--%d\n' % (i, i) for i in range(20000)
)


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\n",
        b"no head\n",
        b"\0",
        b"Subject: x\n\n\0",
        b"To: x\n" + DEEP,
        b"To: " + b"(" * 200000 + b"\n\n",
        b"To: x\nContent-Type: multipart/mixed; boundary=a\n\n" + b"--a\n" * 200000,
        b"To: x\nX: " + b"y" * 300000 + b"\n\n",
        b"Subject: x\n\n" + b"x\n" * 5000001,
        b"Subject: x\n\n" + b"x\n" * 4100000,  # read, but not passed on
    ],
    ids=["empty", "line", "text", "nul", "nul2", "deep", "comments", "parts", "head", "huge", "big"],
)
def test_what_is_no_message(answered: Stack, client: Invited, message: bytes) -> None:
    before = answered.document(client.request["id"])
    done = receive(answered, message, client.address)
    assert done.returncode == DATA and done.stderr.startswith(b"5."), done
    assert answered.document(client.request["id"]) == before and letters(answered) == []


def test_messages_that_were_tampered_with(answered: Stack, client: Invited) -> None:
    """Through the whole program; test_receive_mutated.c has ten thousand, without a database."""
    draw = random.Random(1)
    for name in NAMES * 3:
        message = bytearray(client.message(name))
        for _ in range(draw.randrange(1, 6)):
            at = draw.randrange(len(message))
            message[at : at + draw.randrange(40)] = draw.randbytes(draw.randrange(8))
        before = answered.document(client.request["id"])
        done = receive(answered, bytes(message), client.address)
        assert done.returncode in (OK, DATA, TEMPORARY), done
        if done.returncode == DATA:
            after = answered.document(client.request["id"])
            assert {e["action"] for e in after["events"][len(before["events"]) :]} <= {"mail.sent"}
    answered.settle(client.request["id"])
    until_no_letters(answered)


def test_the_same_message_at_once(answered: Stack, client: Invited) -> None:
    """Two processes that were given it do it once."""
    for name, kind in (("words", ".letter@"), ("gmail-declined", "meeting_answered")):
        message = client.message(name)
        done = at_once([lambda m=message: receive(answered, m, client.address)] * 4)
        assert {one.returncode for one in done} <= {OK, TEMPORARY}
        mails_to(answered, client.request, lawyer_of(client), 1, kind)


def test_wrong_calls(answered: Stack) -> None:
    assert receive(answered, b"", "--nonsense").returncode == USAGE
    assert receive(answered, b"", "a", "b").returncode == USAGE
    done = receive(answered, b"", "--help")
    assert done.returncode == OK and b"sysexits" in done.stdout


def test_what_is_wrong_with_us_is_mended_one_day(answered: Stack, client: Invited) -> None:
    message = client.message("words")
    for setting in ("KEY_FILE", "TEMPLATES_DIR", "CLOCK_OFFSET_FILE"):
        environment = {f"MEETLINK_{setting}": "/nowhere"}
        done = receive(answered, message, client.address, **environment)
        assert done.returncode == TEMPORARY and done.stderr.startswith(b"4.3.0 "), done
    for pattern in ("meetings@example.org", "{}@{}.org", "meetings@{}", "x" * 21 + "{}@example.org"):
        environment = {"MEETLINK_MAIL_REPLY_ADDRESS": pattern}
        done = receive(answered, message, client.address, **environment)
        assert done.returncode == TEMPORARY and b"mail.reply_address" in done.stderr, done


def test_while_the_database_is_away(
    database: Database, start: Callable[..., Stack], smtp: SmtpServer
) -> None:
    stack = start(smtp, database.uri, MAIL_REPLY_ADDRESS=PATTERN)
    one = invited(stack)
    message = one.message("words")
    database.stop()
    done = receive(stack, message, one.address)
    assert done.returncode == TEMPORARY, done
    database.start()
    until(stack.is_ready, "ready again", 60)
    received(stack, message, one.address)
    letter_to(one, lawyer_of(one))


# ---- sudden death ----


@pytest.mark.parametrize("place", ["letter.after_save", "change.before_save", "change.after_save"])
@pytest.mark.parametrize("name", ["words", "outlook-new-declined"])
def test_death_while_a_message_is_received(
    answered: Stack, tmp_path: pathlib.Path, name: str, place: str
) -> None:
    """The mail server gives it again, and it has its effect once."""
    client = invited(answered)
    message, trigger = client.message(name), tmp_path / "trigger"
    trigger.touch()
    done = receive(answered, message, client.address, MEETLINK_FAULT=f"{place}:{trigger}")
    assert (done.returncode < 0) == (not trigger.exists())
    received(answered, message, client.address)
    kind = ".letter@" if name == "words" else "meeting_answered"
    mails_to(answered, client.request, lawyer_of(client), 1, kind)
    until_no_letters(answered)


@pytest.mark.parametrize("place", ["effect.before", "effect.after", "settle.before_save"])
def test_death_while_a_letter_leaves(
    start: Callable[..., Stack], smtp: SmtpServer, tmp_path: pathlib.Path, place: str
) -> None:
    """It arrives, as one message to whoever knows a Message-ID, and is not stored any more."""
    trigger = tmp_path / "trigger"
    stack = start(smtp, MAIL_REPLY_ADDRESS=PATTERN, FAULT=f"{place}:{trigger}")
    one = invited(stack)
    trigger.touch()
    received(stack, one.message("words"), one.address)
    until(lambda: not trigger.exists(), "somebody died")
    stack.advance(LEASE_S + 1)
    stack.settle(one.request["id"])
    mails = [m for m in smtp.to(lawyer_of(one)) if ".letter@" in m.id]
    assert len({m.raw for m in mails}) == 1
    until_no_letters(stack)
    stack.run("verify-audit")
