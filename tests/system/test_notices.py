"""What people are told once, at its time: that they are asked, that a link takes long or cannot
be made, that a meeting is near, that they were missed; and what administrators are told."""

import datetime
import re
import zoneinfo
from collections.abc import Callable, Iterator
from mailbox import Mail, SmtpServer

import aiosmtpd.controller
import aiosmtpd.smtp
import pytest
from caller import done
from providers import Providers, provide, unique  # noqa: F401
from sim import Fault
from stack import Stack
from support import free_port, until

Provide = Callable[..., Providers]
POLICY = "/api/config/meetings"
TOKYO = zoneinfo.ZoneInfo("Asia/Tokyo")
DAY_S, HOUR_S = 86400, 3600
LINK = re.compile(r"https?://[^\s<>\"]+/(?:join|m|calendar)/\S+")
WAY_IN = re.compile(r"https?://[^\s<>\"]+/(?:join|calendar)/\S+")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory, mongodb_uri: str) -> Iterator[Stack]:
    """A stack with a clock that these tests may move on, of a marketplace with its own pages."""
    folder = tmp_path_factory.mktemp("notices")
    page = "https://market.example/requests/{id}"
    with Stack(folder, mongodb_uri, PUBLIC_REQUEST_URL=page) as stack:
        yield stack


def flat(text: str) -> str:
    return " ".join(text.split())


def both_parts(mail: Mail) -> list[str]:
    return [mail.text(), mail.text("text/html")]


def told(stack: Stack, request: dict, kind: str, who: str) -> list[Mail]:
    """The notices of that kind to that person."""
    mails = [mail for mail in stack.mails.notices(request["id"]) if mail.kind == kind]
    return [mail for mail in mails if mail.recipient == request[who]["email"]]


def reminders(stack: Stack, request: dict) -> list[list[Mail]]:
    return [told(stack, request, "meeting_reminder", who) for who in ("client", "lawyer")]


def is_quiet(stack: Stack, request: dict) -> bool:
    """Whether nothing is owed by now: what waits for its time does not count."""
    effects = stack.document(request["id"])["effects"]
    now = stack.now().replace(tzinfo=None)  # after what is owed was
    return all(effect["due"] > now and not effect.get("lease") for effect in effects)


def advance(stack: Stack, request: dict, seconds: float) -> None:
    until(lambda: is_quiet(stack, request), "nothing is under way")
    stack.advance(seconds)
    until(lambda: is_quiet(stack, request), "what came due is done")


# ---- a request ----


@pytest.mark.parametrize("claimed", [True, False])
def test_the_lawyer_is_told_of_a_request(own: Stack, claimed: bool) -> None:
    """Whom only the client has named gets none of the client's words but the title, and nobody gets
    a link that is somebody's own."""
    people = own.parties()
    caller = people.client if claimed else own.service()
    draft = people.draft(description="My landlord keeps the deposit.")
    request = caller.post("/api/requests", draft).json()
    own.settle(request["id"])
    (mail,) = told(own, request, "request_received", "lawyer")
    assert mail.message["Subject"] == (
        "Request for a video meeting from Client Ex: Advice on a contract"
    )
    assert mail.message.get_content_type() == "multipart/alternative", "no calendar part"
    for text in both_parts(mail):
        assert "Europe/Berlin" in text and "Client Ex" in text and request["title"] in text
        assert ("landlord" in text) == (not claimed)
        assert f"https://market.example/requests/{request['id']}" in text
        assert not LINK.search(text)
    sent = [one.id for one in own.mails.every(request["id"])]
    assert sent == [mail.id], "the client knows what it has filed"


def test_a_request_that_is_withdrawn(own: Stack) -> None:
    people = own.parties()
    request = people.create()
    own.settle(request["id"])
    done(people.client.cancel(request["id"]))
    own.settle(request["id"])
    (mail,) = own.mails.of(request["id"])
    assert (mail.kind, mail.recipient) == ("request_cancelled", request["lawyer"]["email"])
    for text in both_parts(mail):
        assert "Client Ex cancelled it." in flat(text)


def test_who_withdrew_it_is_not_told(own: Stack) -> None:
    people = own.parties()
    request = people.create()
    own.settle(request["id"])
    done(people.lawyer.cancel(request["id"]))
    own.settle(request["id"])
    (mail,) = own.mails.of(request["id"])
    assert (mail.kind, mail.recipient) == ("request_cancelled", request["client"]["email"])


# ---- reminders ----


def test_both_are_reminded_at_each_time(own: Stack) -> None:
    people = own.parties()
    request = people.accepted(client=people.person("client", timezone="Asia/Tokyo"))
    own.settle(request["id"])
    advance(own, request, 2 * DAY_S - 60)
    assert reminders(own, request) == [[], []]
    advance(own, request, 120)
    assert [len(mails) for mails in reminders(own, request)] == [1, 1]
    advance(own, request, DAY_S - 2 * HOUR_S)
    assert [len(mails) for mails in reminders(own, request)] == [1, 1]
    advance(own, request, HOUR_S)
    assert [len(mails) for mails in reminders(own, request)] == [2, 2]
    start = datetime.datetime.fromisoformat(request["starts_at"]).astimezone(TOKYO)
    view = people.client.request(request["id"])
    for mail, left in zip(reminders(own, request)[0], ("24 hours", "5[89] minutes"), strict=True):
        assert re.search(f"in {left}, ", mail.message["Subject"])
        for text in both_parts(mail):
            assert re.search(f"in {left}:", flat(text))
            assert view["meeting"]["join_url"] in text
            assert f"{start:%H:%M}" in text and "Asia/Tokyo" in text
        assert mail.message.get_content_type() == "multipart/alternative", "no calendar part"
        first = own.mails.of(request["id"])[0].message
        assert mail.message["In-Reply-To"] and mail.message["References"]
        assert first["Message-ID"] != mail.message["Message-ID"]
    assert len({mail.id for mails in reminders(own, request) for mail in mails}) == 4
    advance(own, request, 3 * HOUR_S)
    assert [len(mails) for mails in reminders(own, request)] == [2, 2]
    own.settle(request["id"])
    assert people.client.request(request["id"])["status"] == "completed"


def test_what_was_made_later_than_its_time(own: Stack) -> None:
    people = own.parties()
    request = people.accepted(starts_at=own.at(minutes=30))
    own.settle(request["id"])
    advance(own, request, 29 * 60)
    assert reminders(own, request) == [[], []]


def test_a_move_moves_them(own: Stack) -> None:
    people = own.parties()
    request = people.accepted()
    advance(own, request, 2 * DAY_S + 60)
    assert [len(mails) for mails in reminders(own, request)] == [1, 1]
    later = own.at(days=5)
    done(people.lawyer.command(request["id"], "reschedule", starts_at=later))
    own.settle(request["id"])
    advance(own, request, DAY_S)
    assert [len(mails) for mails in reminders(own, request)] == [1, 1], "not at its old time"
    advance(own, request, 3 * DAY_S)
    assert [len(mails) for mails in reminders(own, request)] == [2, 2]


def test_moved_past_them(own: Stack) -> None:
    people = own.parties()
    request = people.accepted()
    own.settle(request["id"])
    done(people.lawyer.command(request["id"], "reschedule", starts_at=own.at(minutes=50)))
    own.settle(request["id"])
    advance(own, request, 49 * 60)
    assert reminders(own, request) == [[], []]


def test_nobody_is_reminded_of_what_is_cancelled(own: Stack) -> None:
    people = own.parties()
    request = people.accepted()
    own.settle(request["id"])
    done(people.client.cancel(request["id"]))
    own.settle(request["id"])
    own.advance(2 * DAY_S + 60)
    assert own.document(request["id"])["effects"] == []
    assert reminders(own, request) == [[], []]


def test_one_reminder_after_a_long_outage(start: Callable[..., Stack], smtp: SmtpServer) -> None:
    """Both times passed while nobody could mail: who is told late is told once, and what is so."""
    own = start(smtp)
    people = own.parties()
    request = people.accepted()
    own.settle(request["id"])
    smtp.stop()
    own.advance(2 * DAY_S + 60)
    until(lambda: any("reminder" in e["kind"] for e in own.owed(request["id"])), "it is owed")
    # What is on its way while the clock is moved would leave with the time left of before.
    until(own.is_idle, "nobody is at it")
    own.advance(DAY_S - HOUR_S)
    until(own.is_idle, "nobody is at it")
    smtp.start()
    own.settle(request["id"])
    for mails in reminders(own, request):
        assert 1 <= len(mails) <= 2
        assert len({mail.message["Subject"] for mail in mails}) == 1, "the time left is that of now"
        assert re.search(r" in 5[89] minutes, ", mails[-1].message["Subject"])


def test_many_reminders_after_an_hour_without_mail(
    start: Callable[..., Stack], smtp: SmtpServer
) -> None:
    """Nothing is lost or doubled, no acceptance waits for them, and it is told once. (bench/mails
    does it with thousands.)"""
    stack = start(smtp)
    done(stack.admin().put(POLICY, {"alerts": ["ops@example.org"]}))
    made = [stack.parties().accepted(starts_at=stack.at(hours=27, minutes=n)) for n in range(8)]
    until(stack.is_idle, "the invitations have left", 60)
    smtp.stop()
    stack.advance(3 * HOUR_S + 9 * 60)  # and planning them is not ten minutes late
    owed = {"effects.kind": "mail.meeting_reminder"}
    until(lambda: stack.requests.count_documents(owed) == len(made), "all are owed", 60)
    other = stack.parties().accepted(starts_at=stack.at(days=9))
    assert other["meeting"]["status"] == "ready"
    incidents = stack.requests.database["incidents"]
    until(lambda: incidents.find_one({"_id": "mail"}), "it is noticed", 60)
    stack.advance(HOUR_S)
    until(lambda: incidents.find_one({"_id": "mail", "told_at": {"$ne": None}}), "it is told", 60)
    smtp.start()
    until(lambda: not stack.requests.count_documents(owed), "they have left", 120)
    for request in made:
        assert [len(mails) for mails in reminders(stack, request)] == [1, 1]
    until(lambda: len(alerts(smtp)) == 1, "it is told that it was away", 60)
    until(stack.is_idle, "nothing is under way", 60)
    stack.advance(200)
    until(lambda: len(alerts(smtp)) == 2, "it is told that it is over", 60)
    assert [subject for _, subject in alerts(smtp)] == [
        "E-mail is not leaving",
        "E-mail is leaving again",
    ]


# ---- a link that takes long, or cannot be made ----


def test_a_link_that_takes_long(provide: Provide, smtp: SmtpServer) -> None:
    providers = provide(names=["zoom"], policy={"inline_wait_ms": 500, "delay_notice_s": 30})
    stack, sim = providers.stack, providers["zoom"]
    sim.down()
    people = stack.parties()
    request = people.accepted(title=unique("Late"))
    assert request["meeting"]["status"] == "pending"
    stack.advance(31)
    until(
        lambda: told(stack, request, "meeting_delayed", "client")
        and told(stack, request, "meeting_delayed", "lawyer"),
        "both are told",
    )
    for mail in stack.mails.notices(request["id"]):
        if mail.kind == "meeting_delayed":
            assert not any(WAY_IN.search(text) for text in both_parts(mail))
            assert mail.message["Subject"].startswith("Confirmed, the link follows")
    sim.up()
    providers.finish_all()
    assert stack.document(request["id"])["meeting"]["status"] == "ready"
    assert len(stack.mails.of(request["id"])) == 2, "then both get the link"
    for who in ("client", "lawyer"):
        assert len(told(stack, request, "meeting_delayed", who)) == 1


def test_a_link_that_is_there_in_time(own: Stack) -> None:
    people = own.parties()
    request = people.accepted()
    own.settle(request["id"])
    own.advance(300)
    assert not any(told(own, request, "meeting_delayed", who) for who in ("client", "lawyer"))


def test_a_link_that_cannot_be_made(provide: Provide, smtp: SmtpServer) -> None:
    retry = {"first_s": 1, "max_s": 5, "give_up_s": 60}
    providers = provide(names=["zoom"], policy={"inline_wait_ms": 500, "retry": retry})
    stack, sim = providers.stack, providers["zoom"]
    sim.down()
    people = stack.parties()
    request = people.accepted(title=unique("Never"))

    def failed() -> bool:
        stack.advance(5)
        return stack.document(request["id"])["meeting"]["status"] == "failed"

    until(failed, "it is given up", 60)
    until(lambda: told(stack, request, "meeting_failed", "lawyer"), "the lawyer is told")
    (mail,) = told(stack, request, "meeting_failed", "lawyer")
    error = people.lawyer.request(request["id"])["meeting"]["last_error"]
    for text in both_parts(mail):
        assert flat(error["detail"]) in flat(text) and "try again" in flat(text)
    assert told(stack, request, "meeting_failed", "client") == []


# ---- afterwards ----


@pytest.mark.parametrize("who", ["client", "lawyer"])
def test_who_did_not_come(own: Stack, who: str) -> None:
    people = own.parties()
    request = people.accepted(starts_at=own.at(minutes=5))
    own.settle(request["id"])
    advance(own, request, 10 * 60)
    other = {"client": "lawyer", "lawyer": "client"}[who]
    for outcome in (f"{who}_no_show", f"{who}_no_show", "held"):
        done(people.lawyer.command(request["id"], "outcome", outcome=outcome))
        own.settle(request["id"])
    (mail,) = told(own, request, "meeting_missed", who)
    assert mail.message["Subject"].startswith("You were missed")
    assert told(own, request, "meeting_missed", other) == []


# ---- incidents ----


def alerts(smtp: SmtpServer) -> list[tuple[str, str]]:
    """Who was told of what, in order."""
    mails = [mail for mail in smtp.all() if mail.id.startswith("alert.")]
    return [(mail.recipient, mail.message["Subject"]) for mail in mails]


def test_the_mail_server_is_away_for_a_while(start: Callable[..., Stack], smtp: SmtpServer) -> None:
    """One alert and one all-clear to each address, from several dispatchers."""
    stack = start(smtp, SERVER_DISPATCHERS=3)
    people = stack.parties()
    done(stack.admin().put(POLICY, {"alerts": ["ops@example.org", "duty@example.org"]}))
    smtp.stop()
    request = people.accepted()
    incidents = stack.requests.database["incidents"]
    until(lambda: incidents.find_one({"_id": "mail"}), "it is noticed", 60)
    stack.advance(121)
    until(lambda: incidents.find_one({"_id": "mail", "told_at": {"$ne": None}}), "it is told", 60)
    smtp.start()
    begun = [
        ("duty@example.org", "E-mail is not leaving"),
        ("ops@example.org", "E-mail is not leaving"),
    ]
    until(lambda: sorted(alerts(smtp)) == begun, "both are told", 60)
    stack.settle(request["id"])
    stack.advance(200)
    over = [(address, "E-mail is leaving again") for address, _ in begun]
    until(lambda: sorted(alerts(smtp)[2:]) == over, "both are told that it is over", 60)
    until(lambda: incidents.count_documents({}) == 0, "then it is forgotten", 60)
    assert len(alerts(smtp)) == 4


def test_a_short_hiccup_is_no_incident(start: Callable[..., Stack], smtp: SmtpServer) -> None:
    stack = start(smtp)
    people = stack.parties()
    done(stack.admin().put(POLICY, {"alerts": ["ops@example.org"]}))
    smtp.stop()
    request = people.accepted()
    incidents = stack.requests.database["incidents"]
    until(lambda: incidents.find_one({"_id": "mail"}), "it is noticed", 60)
    smtp.start()
    stack.settle(request["id"])
    stack.advance(200)
    until(lambda: incidents.count_documents({}) == 0, "it is forgotten", 60)
    assert alerts(smtp) == []


def test_a_provider_refuses_our_credentials(provide: Provide, smtp: SmtpServer) -> None:
    providers = provide(names=["zoom"], policy={"alerts": ["ops@example.org"]})
    stack, sim = providers.stack, providers["zoom"]
    wrong = sim.provider()
    wrong["credentials"] = wrong["credentials"] | {"client_secret": "wrong"}
    providers.configure("zoom", wrong)
    stack.parties().accepted(title=unique("Refused"))
    until(lambda: alerts(smtp), "it is told at once", 60)
    assert alerts(smtp) == [("ops@example.org", "Zoom needs attention")]


def away(provide: Provide, smtp: SmtpServer) -> Providers:
    """Zoom fails, and it is told."""
    policy = {"alerts": ["ops@example.org"], "failover": ["jitsi"]}
    providers = provide(names=["zoom"], policy=policy)
    stack, zoom = providers.stack, providers["zoom"]
    zoom.script(Fault("POST /users/*/meetings", status=503, times=None))

    def is_open() -> bool:
        stack.parties().accepted(title=unique("Away"))
        return providers.health("zoom")["breaker"] != "closed"

    until(is_open, "its breaker opens", 60)
    incidents = stack.requests.database["incidents"]
    until(lambda: incidents.find_one({"_id": "zoom"}), "it is noticed", 60)
    stack.advance(125)
    until(lambda: alerts(smtp), "it is told", 60)
    assert alerts(smtp) == [("ops@example.org", "Zoom needs attention")]
    providers.finish_all()
    return providers


def test_a_provider_that_nobody_asks_any_more(provide: Provide, smtp: SmtpServer) -> None:
    """Whether it works again nobody knows; the next time that it fails is told all the same."""
    away(provide, smtp).stack.advance(2 * HOUR_S)
    until(lambda: len(alerts(smtp)) == 2, "it is over", 60)
    assert alerts(smtp)[1] == ("ops@example.org", "Zoom has not been asked again")
    over = [mail for mail in smtp.all() if mail.id.startswith("alert.")][1]
    assert "whether it works again is not known" in " ".join(over.text().split())
    assert "nothing you need to do" not in over.text()


def test_a_provider_that_works_again(provide: Provide, smtp: SmtpServer) -> None:
    providers = away(provide, smtp)
    stack, incidents = providers.stack, providers.stack.requests.database["incidents"]
    providers["zoom"].calm()

    def is_closed() -> bool:
        stack.parties().accepted(title=unique("Back"))
        return providers.health("zoom")["breaker"] == "closed"

    until(is_closed, "it is asked again", 60)
    seen = {"_id": "zoom", "well_at": {"$ne": None}}
    until(lambda: incidents.find_one(seen), "somebody has seen it", 60)
    providers.finish_all()
    stack.advance(200)
    until(lambda: len(alerts(smtp)) == 2, "it is over", 60)
    assert alerts(smtp)[1] == ("ops@example.org", "Zoom works again")


def test_a_provider_that_is_disabled_works_for_nobody(provide: Provide, smtp: SmtpServer) -> None:
    providers = away(provide, smtp)
    providers.policy(alerts=["ops@example.org"], default_provider="jitsi", failover=[])
    providers.configure("zoom", providers["zoom"].provider() | {"enabled": False})
    providers.stack.advance(200)
    until(lambda: len(alerts(smtp)) == 2, "it is over", 60)
    assert alerts(smtp)[1] == ("ops@example.org", "Zoom has not been asked again")


def test_credentials_that_end_soon(provide: Provide, smtp: SmtpServer) -> None:
    """Told a month ahead, once; and that they were renewed."""
    providers = provide(names=["teams"], policy={"alerts": ["ops@example.org"]})
    stack, sim = providers.stack, providers["teams"]
    incidents = stack.requests.database["incidents"]

    def ending(days: int) -> str:
        body = sim.provider()
        day = stack.at(days=days)[:10]
        body["settings"] = body["settings"] | {"credentials_end_on": day}
        providers.configure("teams", body)
        return day

    def is_watched() -> bool:
        """Whoever looks has looked since: the incident of the mail server is seen."""
        return incidents.count_documents({"_id": "mail"}) == 1

    ending(40)
    smtp.stop()
    request = stack.parties().accepted(title=unique("Ends"))
    until(is_watched, "somebody looks", 60)
    assert incidents.count_documents({"_id": "expiry_teams"}) == 0
    smtp.start()
    stack.settle(request["id"])
    day = ending(20)
    begun = ("ops@example.org", f"Microsoft Teams: the credentials end on {day}")
    until(lambda: begun in alerts(smtp), "it is told", 60)
    ending(400)
    until(lambda: not incidents.count_documents({"owed.0": {"$exists": True}}), "it is settled", 60)
    stack.advance(200)
    over = ("ops@example.org", "Microsoft Teams: the credentials are valid")
    until(lambda: over in alerts(smtp), "it is told that it is over", 60)
    told = [alert for alert in alerts(smtp) if "credentials" in alert[1]]
    assert told == [begun, over]
    (mail,) = [m for m in smtp.all() if m.message["Subject"] == begun[1]]
    assert day in mail.text("text/html") and "credentials_end_on" in mail.text()


def test_nobody_says_that_credentials_are_valid_who_does_not_know(
    provide: Provide, smtp: SmtpServer
) -> None:
    providers = provide(names=["teams"], policy={"alerts": ["ops@example.org"]})
    stack, body = providers.stack, providers["teams"].provider()
    incidents = stack.requests.database["incidents"]
    ending = {"credentials_end_on": stack.at(days=20)[:10]}
    providers.configure("teams", body | {"settings": body["settings"] | ending})
    until(lambda: alerts(smtp), "it is told", 60)
    providers.configure("teams", body)
    until(lambda: not incidents.count_documents({"owed.0": {"$exists": True}}), "it is settled")
    stack.advance(200)
    until(lambda: incidents.count_documents({"_id": "expiry_teams"}) == 0, "it is over", 60)
    assert len(alerts(smtp)) == 1


class Login:
    """A mail server that wants a login, and takes what is right from `right` on."""

    def __init__(self) -> None:
        self.tried = 0
        self.right = False
        self.taken: list[str] = []
        self.port = free_port()
        self.controller = aiosmtpd.controller.Controller(
            self,
            hostname="127.0.0.1",
            port=self.port,
            authenticator=self.authenticate,
            auth_require_tls=False,
        )
        self.controller.start()

    def authenticate(self, *_: object) -> aiosmtpd.smtp.AuthResult:
        self.tried += 1
        return aiosmtpd.smtp.AuthResult(success=self.right, handled=False)

    async def handle_DATA(self, server: object, session: object, envelope: object) -> str:
        self.taken += envelope.rcpt_tos
        return "250 OK"


def test_a_wrong_password_pauses_all_mails(start: Callable[..., Stack]) -> None:
    """None of them is burnt, and the account is not locked by trying again and again."""
    server = Login()
    stack = start(SMTP_URL=f"smtp://meetlink:wrong@127.0.0.1:{server.port}")
    people = [stack.parties() for _ in range(12)]
    made = [one.create() for one in people]
    until(lambda: server.tried > 0, "one is tried")
    until(lambda: "refuses our login" in stack.logged("meetlink"), "it was refused")
    # Those that were under way when the first was refused are the last ones for a minute.
    leased = {"effects.lease": {"$type": "string"}}
    until(lambda: not stack.requests.count_documents(leased), "nobody tries any more")
    tried = server.tried
    stack.advance(30)
    # One of those that were tried: what was not is dropped with its request.
    begun = next(n for n, request in enumerate(made) if stack.owed(request["id"])[0]["attempts"])
    done(people[begun].client.cancel(made[begun]["id"]))
    assert server.tried == tried and tried <= 9
    for request in made:
        (mail, *_) = [e for e in stack.document(request["id"])["effects"] if "mail" in e]
        assert mail["state"] == "due" and mail["attempts"] <= 1
    server.right = True
    stack.advance(3600)
    for request in made[:begun] + made[begun + 1 :]:
        stack.settle(request["id"])
    assert len(server.taken) >= 11
    server.controller.stop()


def test_a_domain_that_puts_us_off_slows_nobody_else(
    start: Callable[..., Stack], smtp: SmtpServer
) -> None:
    stack = start(smtp)
    people = stack.parties()
    slow = [people.person("lawyer", email=f"lawyer{n}@slow.example") for n in range(20)]
    smtp.answers |= {person["email"]: "421 4.7.0 too many" for person in slow}
    made = [people.create(lawyer=person) for person in slow]

    def attempts() -> int:
        return sum(smtp.attempts[person["email"]] for person in slow)

    def all_tried() -> bool:
        documents = [stack.document(request["id"]) for request in made]
        return all(e["attempts"] for d in documents for e in d["effects"] if "mail" in e)

    until(all_tried, "all of them had their turn")
    assert attempts() < len(slow), "the domain was left alone after some"
    other = people.create()
    until(lambda: smtp.to(other["lawyer"]["email"]), "others get theirs at once")
    smtp.answers.clear()
    stack.advance(3600)
    for request in made:
        stack.settle(request["id"])
        assert len(told(stack, request, "request_received", "lawyer")) == 1


def test_many_mails_over_few_connections(start: Callable[..., Stack]) -> None:
    """Each thread keeps its connection."""
    connections = 0

    class Sink:
        async def handle_DATA(self, server: object, session: object, envelope: object) -> str:
            assert len(envelope.rcpt_tos) == 1, "one recipient a transaction"
            return "250 OK"

    class Counting(aiosmtpd.controller.Controller):
        def factory(self) -> aiosmtpd.smtp.SMTP:
            nonlocal connections
            connections += 1
            return super().factory()

    controller = Counting(Sink(), hostname="127.0.0.1", port=free_port())
    controller.start()
    before = connections
    stack = start(SMTP_URL=f"smtp://127.0.0.1:{controller.port}", SERVER_DISPATCHER_THREADS=2)
    people = stack.parties()
    made = [people.accepted(starts_at=stack.at(days=n + 1)) for n in range(20)]
    for request in made:
        stack.settle(request["id"])
    assert connections - before <= 2
    controller.stop()
