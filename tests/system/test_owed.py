"""What is owed: in which order it is done when there is much of it, and where it is found when it
was given up."""

from collections.abc import Callable

from caller import Parties, done, new_key
from mailbox import SmtpServer
from providers import Providers, provide  # noqa: F401
from stack import Stack
from support import until
from test_changes import nobody_delivers

BURST = 150  # requests, and two mails of each
SLIPPED_IN = 40  # mails that may have gone before what a person waits for


def accepted(stack: Stack, provider: str) -> str:
    parties = stack.parties()
    request_id = parties.create()["id"]
    done(parties.lawyer.respond(request_id, "accept", provider=provider))
    return request_id


def test_who_waits_for_a_link_does_not_queue_behind_mails(
    provide: Callable[..., Providers],  # noqa: F811
) -> None:
    providers = provide(
        names=["zoom"], policy={"inline_wait_ms": 0}, SERVER_DISPATCHER_THREADS=2
    )
    stack = providers.stack
    with nobody_delivers(stack):
        burst = [accepted(stack, "jitsi") for _ in range(BURST)]
        waiting = accepted(stack, "zoom")
    until(lambda: not stack.owed(waiting), "all of the last one is done", 120)
    until(lambda: not any(stack.owed(one) for one in burst), "all of the burst is done", 120)
    asked_at = providers["zoom"].calls[0].at.replace(tzinfo=None)
    sent = [
        event["at"] < asked_at
        for document in stack.requests.find({"_id": {"$in": burst}})
        for event in document["events"]
        if event["action"] == "mail.sent"
    ]
    assert len(sent) == 2 * BURST
    assert sum(sent) <= SLIPPED_IN, "it had its turn among the first"


def with_a_domain_of_its_own(parties: Parties) -> dict:
    """Accepted. A domain that puts mail off again and again is left alone, and so are its others."""
    email = f"client@{parties.client_id}.example.com"
    return parties.accepted(client=parties.person("client", email=email))


def test_while_many_wait_two_mails_are_one_errand(
    start: Callable[..., Stack], smtp: SmtpServer
) -> None:
    """Under one lease, for one thread; if the first one fails it costs the other nothing."""
    stack = start(smtp, SERVER_DISPATCHER_THREADS=1)
    answered = 0

    def is_one_errand() -> bool:
        """Whether somebody's two mails are under one lease, while a mail is at the server. The
        first one may have been claimed alone, before the others were there."""
        nonlocal answered
        is_asked = smtp.attempts.total() > answered
        for request in made:
            leases = [e["lease"] for e in stack.owed(request["id"]) if e.get("lease")]
            if len(leases) > len(set(leases)):
                return True
        if is_asked:
            answer()
            answered += 1
        return False

    with smtp.one_by_one() as answer:
        with nobody_delivers(stack):
            made = [with_a_domain_of_its_own(stack.parties()) for _ in range(8)]
            for request in made[::2]:
                smtp.answers[request["client"]["email"]] = "450 4.2.0 later"
        until(is_one_errand, "two mails are under one lease", 60)

    def told(request: dict) -> set[str]:
        events = stack.document(request["id"])["events"]
        return {e["to"] for e in events if e["action"] == "mail.sent"}

    def all_are_told() -> bool:
        lawyers = all("lawyer" in told(request) for request in made)
        return lawyers and all("client" in told(request) for request in made[1::2])

    def owed(request: dict) -> dict:
        (mail,) = [e for e in stack.owed(request["id"]) if "mail" in e]
        return mail

    until(all_are_told, "nobody waits for those who are put off", 120)
    until(lambda: all(owed(request)["attempts"] for request in made[::2]), "all have been tried", 60)
    for request in made[::2]:
        assert smtp.attempts[request["lawyer"]["email"]] == 1
    smtp.answers.clear()
    until(stack.is_idle, "nobody is at it", 60)
    stack.advance(3600)
    for request in made:
        stack.settle(request["id"])
        assert len(stack.mails.of(request["id"])) == 2


def test_what_was_given_up_is_found_by_an_index(
    start: Callable[..., Stack], smtp: SmtpServer
) -> None:
    stack = start(smtp)
    parties = stack.parties()
    client = parties.person("client", email=f"{new_key()}@example.org")
    smtp.answers[client["email"]] = "550 5.1.1 no such mailbox"
    failed, other = parties.accepted(client=client), parties.accepted()
    for request in (failed, other):
        until(lambda request=request: stack.requests.count_documents(settled(request)), "it is done")
    (found,) = stack.requests.find({"failed_at": {"$exists": True}})
    assert found["_id"] == failed["id"]
    (mail,) = [effect for effect in found["effects"] if effect["state"] == "failed"]
    assert found["failed_at"] == mail["last_error"]["at"]
    names = {tuple(index["key"]): index.get("sparse") for index in stack.requests.list_indexes()}
    assert names["failed_at",] and names["due",]
    for document in stack.requests.find():
        assert min(document["owed"].values()) == document["due"]
        for queue in document["owed"]:
            assert names[f"owed.{queue}",], "each queue has an index of its own"


def test_mails_go_on_while_the_configuration_cannot_be_read(
    provide: Callable[..., Providers],  # noqa: F811
) -> None:
    stack = provide(names=["zoom"]).stack
    with nobody_delivers(stack):
        request = accepted(stack, "jitsi")
        sealed = {"credentials.zoom/client_secret": "v1:of-no-key"}
        assert stack.requests.database["config"].update_one({}, {"$set": sealed}).matched_count
    until(lambda: not stack.owed(request), "both are told")
    assert len(stack.mails.of(request)) == 2
    assert [event["action"] for event in stack.document(request)["events"]][-2:] == ["mail.sent"] * 2


def settled(request: dict) -> dict:
    """No mail of it is owed any more."""
    owed = {"$elemMatch": {"kind": "mail.meeting_ready", "state": "due"}}
    return {"_id": request["id"], "effects": {"$not": owed}}
