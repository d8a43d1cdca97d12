"""What hangs costs its own lane only: a mail server that says nothing keeps no provider waiting, and a
provider neither mails nor another provider."""

import os
import statistics
import time
from collections.abc import Callable
from mailbox import SmtpServer

import pytest
from caller import done
from providers import Providers, provide, unique  # noqa: F401
from sim import Fault
from stack import Stack
from support import at_once, until
from test_changes import nobody_delivers
from test_webhooks import PATH

Provide = Callable[..., Providers]
# Owed when the mail server hangs: as many as it was found with, unless bench/lanes asks for more.
MAILS = int(os.environ.get("MEETLINK_LANES_MAILS", "120"))
ROUND = 10  # of each kind
ROUNDS = 3
SENDERS = 8  # threads of a dispatcher for mails
# What a round may take while something else hangs, of what it takes otherwise: bench/lanes, alone on
# its machine, holds 1.5. Whoever waits for what hangs waits for seconds, a hundred times as long.
MOST = float(os.environ.get("MEETLINK_LANES_MOST", "5"))


class Pace:
    """How long the dispatcher takes for what providers are asked to do."""

    def __init__(self, providers: Providers, name: str):
        self.providers, self.name = providers, name
        self.stack, self.sim = providers.stack, providers[name]
        self.took: dict[str, list[float]] = {}

    def time(self, what: str, act: Callable[[], object], done: Callable[[], object]) -> None:
        began = time.monotonic()
        act()
        while not done():
            assert time.monotonic() - began < 60, f"{what} at {self.name} is not done"
            time.sleep(0.002)
        self.took.setdefault(what, []).append(time.monotonic() - began)

    def live(self, title: str) -> list:
        return [live for live in self.sim.live() if live.title == title]

    def once(self) -> None:
        parties = self.stack.parties()
        request = parties.create(title=unique("Pace"))
        title, request_id = request["title"], request["id"]

        def accept() -> None:
            done(parties.lawyer.respond(request_id, "accept", provider=self.name))

        def is_ready() -> bool:
            return self.stack.document(request_id)["meeting"]["status"] == "ready"

        self.time("create", accept, is_ready)
        if self.name == "zoom":
            self.webhook(self.live(title)[0])
        self.time("cancel", lambda: parties.client.cancel(request_id), lambda: not self.live(title))

    def webhook(self, live: object) -> None:
        names = ("uuid", "host_id", "topic", "type", "start_time", "timezone", "duration")
        shown = {"id": live.id} | {name: live.raw[name] for name in names}
        payload = {"account_id": self.sim.account_id, "object": shown}

        def tell() -> None:
            told = self.sim.webhook("meeting.updated", payload, url=self.stack.url + PATH)
            assert told == (200, "{}")

        asked = f"/v2/meetings/{live.id}"
        before = self.sim.count("GET", asked)
        self.time("webhook", tell, lambda: self.sim.count("GET", asked) > before)

    def round(self) -> dict[str, float]:
        self.took = {}
        for _ in range(ROUND):
            self.once()
        return {what: statistics.median(took) for what, took in self.took.items()}


Round = Callable[[], dict[str, float]]


def best(measure: Round) -> dict[str, float]:
    rounds = [measure() for _ in range(ROUNDS)]
    return {what: min(one[what] for one in rounds) for what in rounds[0]}


def compare(quiet: dict[str, float], measure: Round) -> None:
    """While something hangs there are rounds as quick as before. Others use this machine too, so
    there are more of them than before; who waits for what hangs waits for seconds in each."""
    hanging = measure()
    for _ in range(3 * ROUNDS):
        if all(took <= MOST * quiet[what] for what, took in hanging.items()):
            break
        hanging = {what: min(took, hanging[what]) for what, took in measure().items()}
    for what, took in hanging.items():
        ms, ratio = 1000 * took, took / quiet[what]
        print(f"{what:8} {1000 * quiet[what]:7.1f} ms, while it hangs {ms:7.1f} ms: {ratio:.2f}")
        assert took <= MOST * quiet[what], f"{what}: {took} s, else {quiet[what]} s"


def accepted(stack: Stack, provider: str) -> str:
    parties = stack.parties()
    request_id = parties.create(title=unique("Lanes"))["id"]
    done(parties.lawyer.respond(request_id, "accept", provider=provider))
    return request_id


def accept_all(stack: Stack, provider: str, count: int) -> list[str]:
    made = []
    for _ in range(0, count, 20):
        made += at_once([lambda: accepted(stack, provider)] * 20)
    return made


def owe(stack: Stack, provider: str, count: int) -> list[str]:
    """Requests that were accepted at once; what needs nobody else is done for them."""
    made = accept_all(stack, provider, count)
    due = {"owed.local": {"$lte": stack.now()}}
    until(lambda: not stack.requests.count_documents(due, limit=1), "nothing of it waits", 300)
    return made


def attempts(stack: Stack, made: list[str]) -> int:
    """How often their mails were begun, those included that were sent."""
    sent = stack.requests.aggregate(
        [{"$match": {"_id": {"$in": made}}}, {"$project": {"events.action": 1, "effects": 1}}]
    )
    return sum(
        sum(event["action"] == "mail.sent" for event in document["events"])
        + sum(e["attempts"] for e in document["effects"] if e["kind"].startswith("mail."))
        for document in sent
    )


@pytest.mark.parametrize("phase", ["message", "greeting", "connect"])
def test_a_mail_server_that_hangs_keeps_no_provider_waiting(
    provide: Provide,  # noqa: F811
    smtp: SmtpServer,
    phase: str,
) -> None:
    providers = provide(names=["zoom"], policy={"inline_wait_ms": 0})
    stack, pace = providers.stack, Pace(providers, "zoom")
    pace.round()
    quiet = best(pace.round)
    with smtp.silent(phase):
        made = owe(stack, "jitsi", MAILS // 2)
        print(f"\nthe mail server hangs ({phase}), {2 * len(made)} mails are owed")
        compare(quiet, pace.round)
        assert not any(smtp.of(request_id) for request_id in made)
        tried = attempts(stack, made)
        assert tried <= max(2 * SENDERS, MAILS // 100), "the others wait, and are not tried"


def test_a_provider_that_hangs_keeps_nobody_else_waiting(
    provide: Provide,  # noqa: F811
    smtp: SmtpServer,
) -> None:
    providers = provide(names=["teams", "zoom"], policy={"inline_wait_ms": 0, "failover": []})
    stack, pace = providers.stack, Pace(providers, "zoom")

    def measure() -> dict[str, float]:
        return pace.round() | {"mails": mails(stack, smtp)}

    measure()
    quiet = best(measure)
    providers["teams"].hang_all()
    owed = owe(stack, "teams", MAILS // 2)
    print(f"\na provider hangs, {len(owed)} meetings are owed there")
    compare(quiet, measure)
    assert providers["teams"].live() == []


def mails(stack: Stack, smtp: SmtpServer) -> float:
    """Until both are told; the median."""
    took = []
    for _ in range(ROUND):
        before, began = len(smtp.mails), time.monotonic()  # reading them all would take its time
        request_id = accepted(stack, "jitsi")
        while sum(mail.id.startswith(request_id) for mail in smtp.mails[before:]) < 2:
            assert time.monotonic() - began < 60, "mails leave"
            time.sleep(0.002)
        took.append(time.monotonic() - began)
    return statistics.median(took)


def test_one_mail_at_a_time_tries_a_server_that_hung(
    provide: Provide,  # noqa: F811
    smtp: SmtpServer,
) -> None:
    """The others keep their place and their attempts, and leave at full speed afterwards."""
    stack = provide(names=["zoom"]).stack
    with smtp.silent("greeting") as silence:
        made = owe(stack, "jitsi", 40)
        until(lambda: silence.tries >= SENDERS, "all who send hang")
        first = silence.tries
        assert first <= SENDERS
        until(lambda: silence.tries > first, "one tries again", 60)
        most = 0
        for _ in range(200):
            most = max(most, silence.hung())
            time.sleep(0.01)
        until(lambda: silence.tries > first + 1, "and another", 60)
        assert max(most, silence.hung()) == 1, "one at a time"
        assert attempts(stack, made) <= silence.tries + 1
        stack.advance(16 * 60)

        def is_ready() -> bool:
            return stack.anyone().get("/readyz").status_code == 200

        until(is_ready, "they wait for the mail server, and for no dispatcher", 60)
    until(lambda: sum(len(smtp.of(one)) for one in made) >= 2 * len(made) - 12, "they leave", 60)
    until(stack.is_idle, "nobody is at it when its lease ends", 60)
    stack.advance(3600)
    for request_id in made:
        stack.settle(request_id)
        ids = [mail.id for mail in smtp.of(request_id)]
        assert len(ids) == 2 and len(set(ids)) == 2, "each once"


def test_the_end_waits_no_longer_than_a_hung_mail_may_take(
    provide: Provide,  # noqa: F811
    smtp: SmtpServer,
) -> None:
    stack = provide(names=["zoom"]).stack
    with smtp.silent("greeting") as silence:
        made = owe(stack, "jitsi", 20)
        until(lambda: silence.tries >= SENDERS, "all who send hang")
        stack.program.terminate()
        assert stack.program.wait(40) == 0
    for request_id in made:
        for effect in stack.owed(request_id):
            assert "lease" not in effect, "written down, not lost"


def test_documents_of_the_version_before_are_found_behind_what_hangs(
    provide: Provide,  # noqa: F811
    smtp: SmtpServer,
) -> None:
    """They do not say to whom they owe what: the search for all comes past them in its turn."""
    stack = provide(names=["zoom"], policy={"inline_wait_ms": 0}).stack
    with smtp.silent("connect"):
        with nobody_delivers(stack):
            accept_all(stack, "jitsi", 100)
            former = accepted(stack, "zoom")
            due = stack.document(former)["due"]
            # However many are due at that very moment.
            waiting = {"owed.mail": {"$exists": True}, "owed.provider_zoom": {"$exists": False}}
            same = {"$set": {"due": due, "owed.mail": due}}
            assert stack.requests.update_many(waiting, same).modified_count == 100
            stack.requests.update_one(
                {"_id": former}, {"$unset": {"owed": 1}, "$set": {"urgent_due": due}}
            )
        until(lambda: stack.document(former)["meeting"]["status"] == "ready", "it is made")
    document = stack.document(former)
    assert "urgent_due" not in document and min(document["owed"].values()) == document["due"]


def is_ready(stack: Stack) -> bool:
    return stack.anyone().get("/readyz").status_code == 200


def test_readiness_leaves_out_nothing_but_the_mails_that_wait(
    provide: Provide,  # noqa: F811
    smtp: SmtpServer,
) -> None:
    settings = {"policy": {"inline_wait_ms": 0, "failover": []}, "SERVER_DISPATCHER_THREADS": 1}
    providers = provide(names=["zoom"], **settings)
    stack, zoom = providers.stack, providers["zoom"]
    with smtp.silent("greeting") as silence:

        def grow_old() -> None:
            """And the mail server has been tried since, and did not answer."""
            stack.advance(16 * 60)
            tries = silence.tries
            until(lambda: silence.tries > tries + 1, "it is tried", 150)

        owe(stack, "jitsi", 20)
        until(lambda: silence.tries > 1, "it is tried, and tried again", 150)
        grow_old()
        assert is_ready(stack)
        zoom.hang_all()
        owe(stack, "zoom", 45)
        until(zoom.seen, "one hangs, and the others wait behind it for longer than mails do")
        grow_old()
        assert not is_ready(stack)
        zoom.calm()
        until(lambda: is_ready(stack), "nothing is late there any more", 150)


def test_of_what_one_request_owes_only_that_is_leased_which_can_begin(
    provide: Provide,  # noqa: F811
) -> None:
    threads, many = 2, 8
    providers = provide(
        names=["zoom"], policy={"max_generations": 2 * many}, SERVER_DISPATCHER_THREADS=threads
    )
    stack, zoom = providers.stack, providers["zoom"]
    zoom.script(Fault("DELETE */meetings/*", hang=True, times=None))
    parties = stack.parties()
    request = parties.accepted(title=unique("Lanes"))
    for _ in range(many):
        done(parties.lawyer.command(request["id"], "regenerate"))
    until(lambda: zoom.count("DELETE", "*/meetings/*") == threads, "as many as can are under way")
    deletions = [e for e in stack.owed(request["id"]) if e["kind"] == "meeting.delete"]
    assert len(deletions) == many
    assert sum("lease" in effect for effect in deletions) == threads
    assert sum(effect["attempts"] for effect in deletions) == threads
    zoom.calm()
    providers.finish(request["id"])
    assert len(providers.live_of(request)) == 1


def test_what_was_not_begun_is_given_back_where_nothing_else_is_settled(
    start: Callable[..., Stack], smtp: SmtpServer
) -> None:
    """The mail before it hangs, and is owed no more when that is over."""
    stack = start(smtp, SERVER_DISPATCHER_THREADS=1)
    with nobody_delivers(stack):
        made = [stack.parties().accepted() for _ in range(8)]
        smtp.hanging |= {request["client"]["email"] for request in made}

    def errand() -> tuple[dict, dict] | None:
        """A request whose two mails are under one lease, and the second of them."""
        for document in stack.requests.find({"_id": {"$in": [one["id"] for one in made]}}):
            own = [e for e in document["effects"] if e["kind"] == "mail.meeting_ready"]
            if len(own) == 2 and own[0].get("lease") and own[0]["lease"] == own[1].get("lease"):
                return document, own[1]
        return None

    document, second = until(errand, "two mails are one errand", 60)
    client, lawyer = document["client"], document["lawyer"]
    until(lambda: smtp.attempts[client["email"]], "the first one hangs")
    assert not smtp.attempts[lawyer["email"]]
    assert stack.admin().post(f"/api/people/{client['id']}/erase").status_code == 200
    smtp.release()

    def is_leased() -> bool:
        return any(e.get("lease") == second["lease"] for e in stack.owed(document["_id"]))

    until(lambda: not is_leased(), "it is given back", 60)
    assert stack.now().replace(tzinfo=None) < second["due"], "and its lease did not run out"


def test_what_waits_for_a_provider_is_not_all_tried_again_and_again(
    provide: Provide,  # noqa: F811
) -> None:
    """Whoever finds its breaker open, and has nowhere else to go, has the others rest a second."""
    policy = {"inline_wait_ms": 0, "failover": []}
    providers = provide(names=["zoom"], policy=policy, SERVER_DISPATCHER_THREADS=1)
    stack, zoom = providers.stack, providers["zoom"]
    zoom.script(Fault("POST /users/*/meetings", status=503, times=None))
    with nobody_delivers(stack):
        made = owe(stack, "zoom", 20)
        began = time.monotonic()

    def begun() -> int:
        found = stack.requests.find({"_id": {"$in": made}}, {"effects": 1})
        creations = [e for d in found for e in d["effects"] if e["kind"] == "meeting.create"]
        return sum(effect["attempts"] for effect in creations)

    def unasked() -> int:
        return begun() - zoom.count("POST", "/users/*/meetings")

    until(lambda: unasked() > 3, "the breaker is open", 60)
    assert unasked() <= time.monotonic() - began + 1
    zoom.calm()
    providers.finish_all()
    assert len(providers.live()) == len(made)
