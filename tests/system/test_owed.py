"""What is owed: in which order it is done when there is much of it, and where it is found when it
was given up."""

from collections.abc import Callable

from caller import done, new_key
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


def test_while_many_wait_two_mails_are_one_errand(
    start: Callable[..., Stack], smtp: SmtpServer
) -> None:
    """Of one lease, written down at once; if the first one fails it costs the other nothing."""
    stack = start(smtp, SERVER_DISPATCHER_THREADS=1)
    with nobody_delivers(stack):
        made = [stack.parties().accepted() for _ in range(8)]
        for request in made[::2]:
            smtp.answers[request["client"]["email"]] = "450 4.2.0 later"

    def told(request: dict) -> dict[str, list]:
        events = stack.document(request["id"])["events"]
        own = [e for e in events if e["detail"] == "meeting_ready"]
        sent = {e["to"]: e["at"] for e in own if e["action"] == "mail.sent"}
        return sent

    def all_are_told() -> bool:
        lawyers = all("lawyer" in told(request) for request in made)
        return lawyers and all("client" in told(request) for request in made[1::2])

    until(all_are_told, "nobody waits for those who are put off", 60)
    together = [len(set(told(request).values())) == 1 for request in made[1::2]]
    assert any(together), "written down at the same moment"
    for request in made[::2]:
        assert smtp.attempts[request["lawyer"]["email"]] == 1
        (mail,) = [e for e in stack.owed(request["id"]) if "mail" in e]
        assert mail["attempts"] == 1 and not mail.get("lease")
    smtp.answers.clear()
    stack.advance(3600)
    for request in made:
        stack.settle(request["id"], 60)
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
