"""Mails and calendar files are whole whatever people write into them; a copy of the database
opens nothing."""

import datetime
import email
import email.header
import email.policy
import email.utils
import hashlib
import html
import re
import zoneinfo
from mailbox import Mail

import bson
import icalendar
import pytest
from caller import Parties, plain
from stack import Stack

HOSTILE = {
    "quotes": "\"Quoted\" 'single' \\ back\\slash \\n",
    "separators": "a,b;c:d=e|f",
    "markup": "<script>alert(1)</script> & <b>",
    "a calendar": "BEGIN:VEVENT END:VCALENDAR BEGIN:VALARM",
    "a header": "Bcc: everybody@example.com",
    "an encoded word": "=?UTF-8?Q?=0D=0ABcc:_x?=",
    "mustache": "{{title}} {{{join_url}}} {{#x}}",
    "emoji": "👩‍⚖️ 🤝 🇩🇪 advice",
    "right to left": "ייעוץ משפטי abc نصيحة",
    "combining": "e\u0301a\u0308" * 20,
    "wide": "𝔏" * 200,
    "long": "x" * 200,
    "long words": " ".join(["Rechtsanwaltsgehilfin"] * 9),
    "spaces": "  a   b  ",
    "carets": '^n ^\' ^^ "x"',
    "percent": "%s%n%d ${x} $(id)",
    "a dot": ".",
    "dashes": "--",
    "a from line": "From here on",
}


def unfolded(text: str) -> list[str]:
    return re.sub(r"\r\n[ \t]", "", text).split("\r\n")


def shown(text: str) -> str:
    """Without what is put around a value that is written from right to left, and what is dropped."""
    return re.sub("[\u202a-\u202e\u2066-\u2069]", "", text)


def check_ics(raw: bytes, title: str, other: str) -> None:
    """Lines as RFC 5545 has them, one event, and title and name unharmed."""
    assert b"\n" not in raw.replace(b"\r\n", b""), "CRLF everywhere"
    assert max(len(line) for line in raw.split(b"\r\n")) <= 75
    raw.decode()
    calendar = icalendar.Calendar.from_ical(raw)
    assert calendar.errors == []
    (event,) = calendar.walk("VEVENT")
    assert event.errors == []
    summary = f"{shown(title).strip()} – {shown(other).strip()}"
    assert shown(str(event["SUMMARY"])) == summary, "blanks around them are of no use"
    names = [line.partition(":")[0].partition(";")[0] for line in unfolded(raw.decode())]
    assert names.count("BEGIN") == names.count("END") <= 3
    assert icalendar.Calendar.from_ical(calendar.to_ical()).walk("VEVENT")


def check_mail(mail: Mail) -> None:
    for part in mail.message.walk():
        assert part.defects == [], part.defects
        for name, value in part.items():
            assert value.defects == (), f"{name}: {value.defects}"
    assert max(len(line) for line in mail.raw.split(b"\n")) <= 998
    assert mail.raw.isascii()
    assert mail.message["Bcc"] is None
    assert len(mail.message["To"].addresses) == 1
    strict = email.policy.default.clone(raise_on_defect=True)
    email.message_from_bytes(mail.raw, policy=strict)


def name_of_recipient(mail: Mail) -> str:
    """By the older of Python's parsers: the newer one keeps the blanks between encoded words."""
    old = email.message_from_bytes(mail.raw)
    name, _ = email.utils.parseaddr(old["To"].replace("\r\n", "").replace("\n", ""))
    return str(email.header.make_header(email.header.decode_header(name)))


@pytest.mark.parametrize("name", HOSTILE)
def test_what_people_write(stack: Stack, parties: Parties, name: str) -> None:
    text = HOSTILE[name]
    request = parties.accepted(
        title=text,
        description=f"{text}\n{text}\r\n\t{text}",
        client=parties.person("client", name=text),
        lawyer=parties.person("lawyer", name=text, timezone="Europe/Berlin"),
    )
    assert request["title"] == request["client"]["name"] == text
    stack.settle(request["id"])
    mails = stack.mails.of(request["id"])
    assert len(mails) == 2
    for mail in mails:
        check_mail(mail)
        check_ics(mail.part("text/calendar").get_payload(decode=True), text, text)
        words = " ".join(shown(text).split())
        assert words in " ".join(shown(mail.message["Subject"]).split())
        assert " ".join(name_of_recipient(mail).split()) == words
        plain = " ".join(mail.text().split())
        assert words in plain, "nothing is escaped in plain text"
        assert "<script>" not in mail.text("text/html")
    answer = parties.client.get(f"/api/requests/{request['id']}/calendar.ics")
    check_ics(answer.content, text, text)
    page = stack.anyone().get(request["meeting"]["join_url"])
    assert page.status_code == 403 and "<script>" not in page.text


def test_declining_words(stack: Stack, parties: Parties) -> None:
    request = parties.create()
    message = "No.\r\n.\r\nQUIT\r\n..\nFrom me\n" + HOSTILE["markup"]
    parties.lawyer.respond(request["id"], "decline", message=message)
    stack.settle(request["id"])
    (mail,) = stack.mails.of(request["id"])
    check_mail(mail)
    lines = [line.strip() for line in mail.text().splitlines()]
    for line in ("No.", ".", "QUIT", "..", "From me", HOSTILE["markup"]):
        assert line in lines


@pytest.mark.parametrize(
    "zone", ["Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Pacific/Chatham", "UTC"]
)
def test_times_in_the_persons_zone(stack: Stack, parties: Parties, zone: str) -> None:
    person = parties.person("client", timezone=zone)
    request = parties.accepted(client=person)
    stack.settle(request["id"])
    (mail,) = [m for m in stack.mails.of(request["id"]) if m.recipient == person["email"]]
    starts_at = datetime.datetime.fromisoformat(request["starts_at"])
    local = starts_at.astimezone(zoneinfo.ZoneInfo(zone))
    for text in (mail.text(), mail.text("text/html")):
        assert zone in text and local.strftime("%H:%M") in text
    (event,) = icalendar.Calendar.from_ical(mail.text("text/calendar")).walk("VEVENT")
    assert event["DTSTART"].dt == starts_at


@pytest.mark.parametrize(
    "locale, language",
    [("de", "de"), ("DE", "de"), ("de-CH", "de"), ("dE-cH", "de"), ("en", "en"), ("xx", "en")],
)
def test_mails_in_the_persons_language(
    stack: Stack, parties: Parties, locale: str, language: str
) -> None:
    person = parties.person("client", locale=locale)
    request = parties.accepted(client=person)
    assert request["client"]["locale"] == locale
    stack.settle(request["id"])
    (mail,) = [m for m in stack.mails.of(request["id"]) if m.recipient == person["email"]]
    assert f'lang="{language}"' in mail.text("text/html")
    join = {"de": "Teilnehmen", "en": "Join"}[language]
    file = parties.client.get(f"/api/requests/{request['id']}/calendar.ics").content
    for raw in (mail.part("text/calendar").get_payload(decode=True), file):
        (event,) = icalendar.Calendar.from_ical(raw).walk("VEVENT")
        assert event["DESCRIPTION"].startswith(f"{join}: {event['LOCATION']}")
        assert event["CONFERENCE"].params["LABEL"] == join


@pytest.mark.parametrize(
    "locale, first, last, separator, hour",
    [
        ("en-GB", "31 December {}", "1 January {}, 00:05", "to", ""),
        ("de", "31. Dezember {}", "1. Januar {}, 00:05", "bis", " Uhr"),
    ],
)
def test_a_meeting_that_ends_on_another_day(
    stack: Stack, parties: Parties, locale: str, first: str, last: str, separator: str, hour: str
) -> None:
    year = stack.now().year + 1
    person = parties.person("client", locale=locale, timezone="UTC")
    request = parties.accepted(
        client=person, starts_at=f"{year}-12-31T00:05:00Z", duration_minutes=1440
    )
    join = parties.client.request(request["id"])["meeting"]["join_url"]
    page = plain(stack.anyone().get(join).text)
    stack.settle(request["id"])
    parties.client.cancel(request["id"])
    stack.settle(request["id"])
    mails = [m for m in stack.mails.of(request["id"]) if m.recipient == person["email"]]
    assert len(mails) == 2
    end = rf"\w+, {re.escape(last.format(year + 1))}"
    start = re.escape(first.format(year))
    for mail in mails:
        words = " ".join(mail.text().split())
        assert re.search(rf"{start} 00:05{hour} {separator} {end}{hour}, UTC", words)
        shown = " ".join(html.unescape(re.sub("<[^>]*>", " ", mail.text("text/html"))).split())
        assert re.search(rf"{start} 00:05 – {end} UTC", re.sub(" ,", ",", shown))
    assert re.search(rf"{start}, 00:05{hour} – {end}{hour} \(UTC\)", page)


def test_an_international_address(stack: Stack, parties: Parties) -> None:
    person = parties.person("client", email="anna@bücher.example")
    request = parties.accepted(client=person)
    stack.settle(request["id"])
    recipients = {mail.recipient for mail in stack.mails.of(request["id"])}
    assert "anna@xn--bcher-kva.example" in recipients


def test_a_copy_of_the_database_opens_nothing(start) -> None:
    """Neither the room nor a gate token nor any answer that holds one is readable at rest."""
    stack = start()
    parties = stack.parties()
    request = parties.create(starts_at=stack.at(minutes=10))
    parties.lawyer.post(
        f"/api/requests/{request['id']}/respond",
        {"decision": "accept"},
        headers={"Idempotency-Key": "a-key-of-the-lawyer"},
    )
    stack.settle(request["id"])
    secrets = set()
    for caller in (parties.client, parties.lawyer, stack.service()):
        shown = caller.request(request["id"])
        urls = [u for n, u in shown["links"].items() if n.startswith("join")]
        urls += [u for n in ("join_url", "calendar_url") if (u := shown["meeting"][n])]
        secrets |= {url.rpartition("/")[2].removesuffix(".ics") for url in urls}
        for url in urls:
            if "/join/" in url:
                room = stack.anyone().get(url).headers["Location"]
                secrets |= {room, room.rpartition("/")[2], room.rpartition("-")[2]}
    assert len(secrets) >= 7
    secrets |= {"meet.jit.si", "a-key-of-the-lawyer", stack.secret}
    database = stack.requests.database
    dump = b"".join(
        bson.encode(row)
        for name in database.list_collection_names()
        for row in database[name].find()
    )
    assert request["id"].encode() in dump and b"Advice on a contract" in dump
    assert [secret for secret in secrets if secret.encode() in dump] == []
    for mail in stack.mails.of(request["id"]):
        assert "meet.jit.si" not in mail.text() + mail.text("text/html") + mail.text(
            "text/calendar"
        )


def test_the_audit_chain_verifies_itself(stack: Stack, parties: Parties) -> None:
    """Each hash is over the event and the hash before it, as core/audit.h says."""

    def maybe(text: str | None) -> tuple[str, str]:
        return ("-", "") if text is None else ("+", text)

    request = parties.accepted()
    document = stack.settle(request["id"])
    before = ""
    for event in document["events"]:
        at = int(event["at"].timestamp() * 1000 + 0.5)
        texts = [before, event["id"], str(at), *maybe(event["actor"].get("id"))]
        texts += [event["actor"]["role"], event["source"], event["action"]]
        texts += [t for name in ("from", "to", "detail") for t in maybe(event.get(name))]
        texts += [event["request_id"], *maybe(event.get("meeting_id"))]
        texts += maybe(event.get("trace_id"))
        chain = hashlib.blake2b(digest_size=32)
        for text in texts:
            chain.update(len(text.encode()).to_bytes(8, "little") + text.encode())
        assert event["hash"] == chain.hexdigest()
        before = event["hash"]


def test_libical_had_no_complaint(stack: Stack, parties: Parties) -> None:
    """It writes what it could not read into the event, as X-LIC-ERROR."""
    request = parties.accepted(title=HOSTILE["emoji"])
    answer = parties.client.get(f"/api/requests/{request['id']}/calendar.ics")
    stack.settle(request["id"])
    files = [mail.text("text/calendar") for mail in stack.mails.of(request["id"])]
    assert len(files) == 2
    assert not any("X-LIC-ERROR" in text for text in [answer.text, *files])
