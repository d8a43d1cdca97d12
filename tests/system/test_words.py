"""What people are told in mails and calendars, and whom an answer reaches."""

import email.utils
import re
from collections.abc import Iterator
from mailbox import Mail, SmtpServer, check_invitation

import icalendar
import pytest
from caller import done
from providers import Providers, unique
from stack import Stack

NUMBER = "+1 555-010-0000, PIN 123456789"
FSI, PDI = "\u2068", "\u2069"
ADA, LEASE = "עדה כהן", "عقد الإيجار 2"
TEXT = "مرحبا، هذا سؤال.\nSecond line.\n\nשלום."
TURNED = "\u202e\u2067\ufeff"


@pytest.fixture(scope="module")
def providers(tmp_path_factory: pytest.TempPathFactory, mongodb_uri: str) -> Iterator[Providers]:
    smtp = SmtpServer()
    folder = tmp_path_factory.mktemp("words")
    with Providers(folder / "stack", mongodb_uri, smtp) as providers:
        providers.policy(default_provider="google_meet", failover=[])
        yield providers
    smtp.stop()


@pytest.fixture
def stack(providers: Providers) -> Iterator[Stack]:
    yield providers.stack
    providers.policy(
        show_dial_in=True, reply_to="other_party", join_links="gate", opens_minutes_before=15
    )


def told(stack: Stack, request: dict) -> dict[str, Mail]:
    """The only mail of each of the two."""
    stack.settle(request["id"])
    mails = {mail.recipient: mail for mail in stack.mails.of(request["id"])}
    return {role: mails[request[role]["email"]] for role in ("client", "lawyer")}


def raw(mail: Mail, content_type: str) -> str:
    return mail.part(content_type).get_payload(decode=True).decode().replace("\r\n", "\n")


def event_of(calendar: bytes) -> icalendar.Event:
    (event,) = icalendar.Calendar.from_ical(calendar).walk("VEVENT")
    return event


def test_dial_in_numbers(providers: Providers, stack: Stack) -> None:
    parties = stack.parties()
    request = parties.accepted(title=unique("Advice"))
    assert request["meeting"]["dial_in"] == [NUMBER]
    for mail in told(stack, request).values():
        for kind in ("text/plain", "text/html"):
            assert NUMBER in mail.text(kind)
        assert NUMBER in check_invitation(mail, "REQUEST")["DESCRIPTION"]
    waiting = stack.anyone().get(request["meeting"]["join_url"].removeprefix(stack.url))
    assert waiting.status_code == 403 and NUMBER in waiting.text
    fetched = stack.anyone().get(
        request["meeting"]["join_url"].removeprefix(stack.url), headers={"User-Agent": "curl/8.5"}
    )
    assert fetched.status_code == 403 and NUMBER not in fetched.text, "programs wait for nobody"
    file = parties.client.get(f"/api/requests/{request['id']}/calendar.ics").content
    assert NUMBER in event_of(file)["DESCRIPTION"]

    providers.policy(show_dial_in=False)
    parties = stack.parties()
    request = parties.accepted(title=unique("Advice"))
    assert request["meeting"]["dial_in"] == []
    assert stack.document(request["id"])["meeting"]["dial_in"] == []
    for mail in told(stack, request).values():
        for kind in ("text/plain", "text/html", "text/calendar"):
            assert NUMBER not in mail.text(kind) and "By telephone" not in mail.text(kind)


def test_where_an_answer_goes(providers: Providers, stack: Stack) -> None:
    office = "office@firm.example"
    for policy, expected in (
        ("other_party", lambda other: (other["name"], other["email"])),
        ("from", lambda other: None),
        (office, lambda other: ("", office)),
    ):
        providers.policy(reply_to=policy)
        parties = stack.parties()
        request = parties.accepted(client=parties.person("client", name='Ada "Ä" <Ex>, LL.M.'))
        stack.settle(request["id"])
        parties.client.cancel(request["id"])
        stack.settle(request["id"])
        mails = stack.mails.of(request["id"])
        assert len(mails) == 4
        for mail in mails:
            other = "lawyer" if mail.recipient == request["client"]["email"] else "client"
            reply_to = mail.message["Reply-To"]
            got = reply_to and email.utils.parseaddr(str(reply_to))
            assert got == expected(request[other])
            assert mail.message["From"] == "Meetings <meetings@example.org>"


@pytest.mark.parametrize(
    ("locale", "one", "many"),
    [
        ("en", "opens 1 minute before", "opens 15 minutes before"),
        ("de", "1 Minute vor Beginn", "15 Minuten vor Beginn"),
        ("fr", "1 minute avant le début", "15 minutes avant le début"),
    ],
)
def test_one_minute(providers: Providers, stack: Stack, locale: str, one: str, many: str) -> None:
    for minutes, words in ((1, one), (15, many)):
        providers.policy(opens_minutes_before=minutes)
        parties = stack.parties()
        request = parties.accepted(client=parties.person("client", locale=locale))
        mail = told(stack, request)["client"]
        for kind in ("text/plain", "text/html"):
            assert words in " ".join(mail.text(kind).split())


def test_a_refusal_can_be_answered(stack: Stack) -> None:
    parties = stack.parties()
    request = parties.create()
    parties.lawyer.respond(request["id"], "decline")
    stack.settle(request["id"])
    (mail,) = stack.mails.of(request["id"])
    assert mail.message["Reply-To"].addresses[0].addr_spec == request["lawyer"]["email"]


def test_the_event_of_each_of_the_two(stack: Stack) -> None:
    parties = stack.parties()
    message = "Please have the lease; at hand."
    request = parties.create(title="Consultation", description="The deposit.")
    done(parties.lawyer.respond(request["id"], "accept", message=message))
    request = parties.client.request(request["id"])
    names = {role: request[role]["name"] for role in ("client", "lawyer")}
    for role, mail in told(stack, request).items():
        other = names["lawyer" if role == "client" else "client"]
        caller = getattr(parties, role)
        meeting = caller.request(request["id"])["meeting"]
        link = meeting["calendar_url"]
        for event in (
            check_invitation(mail, "REQUEST"),
            event_of(caller.get(f"/api/requests/{request['id']}/calendar.ics").content),
            event_of(stack.anyone().get(link).content),
        ):
            assert str(event["SUMMARY"]) == f"Consultation – {other}"
            for words in (*names.values(), message, "The deposit.", meeting["join_url"]):
                assert words in event["DESCRIPTION"]
            client, lawyer = event["ATTENDEE"]
            assert client.params["PARTSTAT"] == "NEEDS-ACTION"
            assert lawyer.params["PARTSTAT"] == "ACCEPTED"
            assert "RSVP" not in client.params and "RSVP" not in lawyer.params


def test_from_right_to_left(stack: Stack) -> None:
    """Names and titles are isolated, and turn nothing; a paragraph has its own direction."""
    parties = stack.parties()
    request = parties.create(
        title=LEASE, description=TEXT, client=parties.person("client", name=ADA, locale="en")
    )
    stack.settle(request["id"])
    # As a version stored it that did not refuse this.
    stack.requests.update_one(
        {"_id": request["id"]}, {"$set": {"client.name": ADA + TURNED, "title": LEASE + TURNED}}
    )
    done(parties.lawyer.respond(request["id"], "accept"))
    stack.settle(request["id"])
    parties.client.cancel(request["id"], reason=TEXT)
    stack.settle(request["id"])
    mails = stack.mails.of(request["id"])
    assert len(mails) == 4
    lines = TEXT.split("\n")
    for mail in mails:
        to_lawyer = mail.recipient == request["lawyer"]["email"]
        plain, page = raw(mail, "text/plain"), raw(mail, "text/html")
        calendar = mail.part("text/calendar").get_payload(decode=True).decode()
        for text in (plain, page, calendar, mail.message["Subject"], str(mail.message["To"])):
            assert not re.search("[\u202a-\u202e\u2066\u2067\ufeff]", text)
            assert text.count(FSI) == text.count(PDI)
        assert f"  {FSI}{LEASE}{PDI}\n" in plain and f"<bdi>{LEASE}</bdi>" in page
        assert "\n" + "\n".join(lines) + "\n" in plain, "paragraphs of their own are left alone"
        assert re.search(f'<p [^>]*dir="auto"[^>]*>{"<br>.".join(lines)}</p>', page, re.DOTALL)
        if to_lawyer:
            assert f"{FSI}{ADA}{PDI}" in mail.message["Subject"]
            assert f"your client {FSI}{ADA}{PDI}" in plain
            assert f"your client <bdi>{ADA}</bdi>" in page
            assert f"{FSI}{LEASE}{PDI} – {FSI}{ADA}{PDI}" == str(event_of(calendar)["SUMMARY"])
        else:
            assert f"Hello {FSI}{ADA}{PDI}," in plain and f"Hello <bdi>{ADA}</bdi>," in page
            assert mail.message["To"].addresses[0].display_name == ADA
