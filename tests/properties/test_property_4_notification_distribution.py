"""Property 4: through any sequence of changes, with a mail server that fails in every way, the last
thing that each person was told is so; nobody gets what is another's; nothing is missing, and
nothing is told twice but under the same Message-ID, where the server took a mail and said that it
did not.

Validates: Requirements 2.1, 5.1, 5.4
"""

import collections
import datetime
import itertools
import random
import re
from collections.abc import Iterator
from mailbox import NOTICES, Mail, SmtpServer

import aiosmtpd.smtp
import hypothesis
import hypothesis.strategies as st
import icalendar
import pytest
from caller import Parties, done
from stack import Stack
from support import until

PEOPLE = ("client", "lawyer")
LOCALES = {"client": "fr", "lawyer": "de-AT"}
STEPS = st.one_of(
    st.tuples(st.just("reschedule"), st.integers(2, 300)),
    st.tuples(st.just("regenerate"), st.none()),
    st.tuples(st.just("meeting cancel"), st.none()),
    st.tuples(st.just("cancel"), st.sampled_from(PEOPLE)),
    st.tuples(st.just("wait"), st.integers(1, 40)),
    st.tuples(st.just("settle"), st.none()),
)
STORIES = st.tuples(
    st.sampled_from(["accept", "accept", "accept", "decline", "cancel", "lapse"]),
    st.lists(STEPS, max_size=6),
    st.integers(0, 2**32),
)
JOIN = re.compile(r"https?://[^\s<>\"]+/join/[\w-]+")


class Unreliable(SmtpServer):
    """Fails three times in ten, in every way that RFC 5321 has, before and after the final dot."""

    def __init__(self) -> None:
        self.dice: random.Random | None = None  # NULL: all goes well
        super().__init__()

    def luck(self) -> bool:
        return not self.dice or self.dice.random() >= 0.16

    async def handle_RCPT(
        self,
        server: aiosmtpd.smtp.SMTP,
        session: aiosmtpd.smtp.Session,
        envelope: aiosmtpd.smtp.Envelope,
        address: str,
        options: list[str],
    ) -> str:
        if not self.luck():
            if self.dice.random() < 0.5:
                server.transport.close()
            return self.dice.choice(["450 4.2.0 later", "421 4.7.0 too many", "452 4.2.2 full"])
        return await super().handle_RCPT(server, session, envelope, address, options)

    async def handle_DATA(
        self,
        server: aiosmtpd.smtp.SMTP,
        session: aiosmtpd.smtp.Session,
        envelope: aiosmtpd.smtp.Envelope,
    ) -> str:
        if self.luck():
            return await super().handle_DATA(server, session, envelope)
        how = self.dice.choice(["refused", "dropped", "taken and dropped", "taken and denied"])
        if how.startswith("taken"):
            await super().handle_DATA(server, session, envelope)
        if how.endswith("dropped"):
            server.transport.close()
        return "451 4.3.0 try again"


@pytest.fixture(scope="module")
def world(
    tmp_path_factory: pytest.TempPathFactory, mongodb_uri: str
) -> Iterator[tuple[Stack, Unreliable]]:
    smtp = Unreliable()
    with Stack(tmp_path_factory.mktemp("mails"), mongodb_uri, smtp) as stack:
        done(stack.admin().put("/api/config/meetings", {"lawyer_addresses": "any"}))
        yield stack, smtp
    smtp.stop()


def step(stack: Stack, people: Parties, request: dict, name: str, value: object) -> None:
    """Whether it is allowed is not what is tested."""
    if name == "reschedule":
        people.lawyer.command(request["id"], "reschedule", starts_at=stack.at(hours=value))
    elif name == "regenerate":
        people.lawyer.command(request["id"], "regenerate")
    elif name == "meeting cancel":
        people.lawyer.command(request["id"], "cancel")
    elif name == "cancel":
        getattr(people, value).cancel(request["id"])
    elif name == "wait":
        until(stack.is_idle, "nothing is under way", 60)
        stack.advance(value * 3600)
    else:
        until(stack.is_idle, "nothing is under way", 60)


def told(mails: list[Mail]) -> list[Mail]:
    """In the order in which they were told first; a repeat tells nothing new."""
    return list({mail.id: mail for mail in reversed(mails)}.values())[::-1]


def check_person(stack: Stack, request: dict, who: str, mails: list[Mail]) -> None:
    """What one person has, when all is quiet."""
    document = stack.document(request["id"])
    meeting, status = document["meeting"], document["status"]
    counts = collections.Counter(mail.id for mail in mails)
    for mail in mails:
        assert mail.recipient == request[who]["email"]
        assert f".{who}@" in mail.id, "it is this person's own"
        assert f'lang="{LOCALES[who][:2]}"' in mail.text("text/html")
    for _, same in itertools.groupby(sorted(mails, key=lambda m: m.id), key=lambda m: m.id):
        words = {mail.message["Subject"] for mail in same if mail.kind != "meeting_reminder"}
        assert len(words) <= 1, "a repeat is the same mail"
    assert all(count >= 1 for count in counts.values())
    last = [mail for mail in told(mails) if mail.kind not in NOTICES]
    if status == "open":
        assert not last
    elif status == "declined":
        assert [mail.kind for mail in last] == ["request_declined"] * (who == "client")
    elif status == "lapsed":
        assert [mail.kind for mail in last] == ["request_lapsed"]
    elif meeting and meeting["status"] == "ready":
        check_invitation_is_true(document, who, last[-1])
    elif meeting and meeting["status"] == "cancelled" and last:
        assert last[-1].kind in ("meeting_cancelled", "request_cancelled")
    reminded = [mail for mail in told(mails) if mail.kind == "meeting_reminder"]
    assert not reminded or any(mail.kind in ("meeting_ready", "meeting_updated") for mail in last)


def check_invitation_is_true(document: dict, who: str, mail: Mail) -> None:
    meeting = document["meeting"]
    assert mail.kind in ("meeting_ready", "meeting_updated")
    (event,) = icalendar.Calendar.from_ical(mail.text("text/calendar")).walk("VEVENT")
    starts_at = meeting["starts_at"].replace(tzinfo=datetime.UTC)
    assert event["DTSTART"].dt == starts_at, "the newest time"
    links = set(JOIN.findall(mail.text())) | {str(event["LOCATION"])}
    assert len(links) == 1, "one link, the same everywhere"


@hypothesis.given(story=STORIES)
@hypothesis.settings(max_examples=25)
def test_the_last_word_is_true(world: tuple[Stack, Unreliable], story: tuple) -> None:
    stack, smtp = world
    answer, steps, seed = story
    people = stack.parties()
    person = {who: people.person(who, locale=LOCALES[who]) for who in PEOPLE}
    smtp.mails.clear()
    smtp.dice = random.Random(seed)
    request = people.create(starts_at=stack.at(hours=50), **person)
    if answer == "cancel":
        done(people.client.cancel(request["id"]))
    elif answer == "lapse":
        until(stack.is_idle, "nothing is under way", 60)
        stack.advance(50 * 3600 + 60)
    else:
        done(people.lawyer.respond(request["id"], answer))
        for name, value in steps:
            step(stack, people, request, name, value)
    smtp.dice = None
    until(stack.is_idle, "nothing is under way", 60)
    # What was put off, and the domain that did so, have their next turn.
    stack.advance(3700)
    until(stack.is_idle, "all that was due is done", 60)
    stack.settle(request["id"])
    for who in PEOPLE:
        mails = [mail for mail in smtp.every(request["id"]) if f".{who}@" in mail.id]
        check_person(stack, request, who, mails)
    strangers = {mail.recipient for mail in smtp.every(request["id"])}
    assert strangers <= {request[who]["email"] for who in PEOPLE}
    links = {who: set() for who in PEOPLE}
    for mail in smtp.every(request["id"]):
        links["client" if mail.recipient == request["client"]["email"] else "lawyer"] |= set(
            JOIN.findall(mail.text())
        )
    assert not links["client"] & links["lawyer"], "nobody gets the other one's link"
