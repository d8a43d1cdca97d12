"""What the stack leans on goes away and comes back; the stack is reloaded and ended."""

import concurrent.futures
import os
import signal
import threading
import time
from collections.abc import Callable
from mailbox import SmtpServer

import pytest
import requests
from caller import Parties
from stack import LEASE_S, Database, Stack
from support import at_once, until

AWAY_S = 3.0


# ---- reload, end, deaths under load ----


class Load:
    """Threads that create, accept and read until told to stop; the answers are counted.

    What they read is short: an answer that has begun to arrive cannot be begun again.
    """

    def __init__(self, stack: Stack, threads: int = 4):
        self.stack = stack
        self.made: set[str] = set()
        self.accepted: set[str] = set()
        self.refused: list[requests.Response] = []
        self.enough = threading.Event()
        self.pool = concurrent.futures.ThreadPoolExecutor(threads)
        self.futures = [self.pool.submit(self.run) for _ in range(threads)]

    def run(self) -> None:
        parties = self.stack.parties()
        while not self.enough.is_set():
            answer = parties.client.post("/api/requests", parties.draft())
            if answer.ok:
                self.made.add(answer.json()["id"])
                answer = parties.lawyer.respond(answer.json()["id"], "accept")
            if answer.ok:
                self.accepted.add(answer.json()["id"])
                answer = parties.client.get("/api/requests?limit=2")
            if not answer.ok:
                self.refused.append(answer)
                return

    def more(self, count: int = 20) -> None:
        """Waits until that many more requests were made."""
        goal = len(self.made) + count
        until(lambda: len(self.made) >= goal or self.refused, f"{goal} requests", 60)

    def stop(self) -> None:
        """Ends it. What was answered, and nothing else, has happened."""
        self.enough.set()
        for future in self.futures:
            future.result()
        self.pool.shutdown()
        assert {row["_id"] for row in self.stack.requests.find({}, {})} == self.made
        accepted = self.stack.requests.find({"status": "accepted"}, {})
        assert {row["_id"] for row in accepted} == self.accepted


def test_a_reload_under_load_fails_no_request(start: Callable[..., Stack]) -> None:
    stack = start()
    load = Load(stack)
    for _ in range(3):
        load.more()
        stack.reload()
    load.more()
    load.stop()
    assert [answer.text for answer in load.refused] == []


def test_a_reload_takes_what_is_valid(start: Callable[..., Stack], tmp_path) -> None:
    file = tmp_path / "meetlink.conf"
    file.write_text("[jitsi]\nurl = https://one.example.org\n")
    stack = start(config=file)

    def room() -> str:
        request = stack.parties().accepted(starts_at=stack.at(minutes=5))
        return stack.anyone().get(request["meeting"]["join_url"]).headers["Location"]

    assert room().startswith("https://one.example.org/")
    before = set(stack.children())
    file.write_text("[jitsi]\nurl = nonsense\n")
    stack.program.send_signal(signal.SIGHUP)
    until(lambda: "reload refused" in stack.logged("meetlink"), "it says why not")
    assert set(stack.children()) == before
    assert room().startswith("https://one.example.org/")
    file.write_text("[jitsi]\nurl = https://two.example.org\n")
    stack.reload()
    assert room().startswith("https://two.example.org/")


def test_deaths_under_load_fail_no_request(start: Callable[..., Stack]) -> None:
    stack = start()
    load = Load(stack)
    for _ in range(2):
        load.more()
        victim = next(p for p, name in stack.children().items() if name == "meetlink-work")
        os.kill(victim, signal.SIGKILL)
        until(lambda: victim not in stack.children() and len(stack.children()) == 3, "it is back")
    load.more()
    load.stop()
    assert [answer.text for answer in load.refused] == []


def test_the_end_drains(start: Callable[..., Stack]) -> None:
    """After SIGTERM what was begun is answered; what was not is refused by nginx."""
    stack = start()
    load = Load(stack)
    load.more()
    stack.program.send_signal(signal.SIGTERM)
    assert stack.program.wait(40) == 0
    until(lambda: load.refused, "the door is closed")
    load.stop()
    assert {answer.status_code for answer in load.refused} == {502}


def test_the_end_waits_for_a_mail(start: Callable[..., Stack], smtp: SmtpServer) -> None:
    stack = start(smtp)
    parties = stack.parties()
    client = parties.person("client")["email"]
    smtp.hanging.add(client)
    request = parties.accepted()
    until(lambda: smtp.attempts[client], "a mail is under way")
    stack.program.send_signal(signal.SIGTERM)
    until(lambda: "draining" in stack.logged("meetlink"), "it drains")
    assert stack.program.poll() is None
    smtp.release()
    assert stack.program.wait(40) == 0
    document = stack.document(request["id"])
    assert [event["action"] for event in document["events"]].count("mail.retried") == 1
    assert all("lease" not in effect for effect in document["effects"]), "written down, not lost"
    assert [effect["kind"] for effect in stack.owed(request["id"])] == ["mail.meeting_ready"]


# ---- the database ----


def assert_away(call: Callable[[], requests.Response]) -> None:
    began = time.monotonic()
    answer = call()
    took = time.monotonic() - began
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert took < AWAY_S, f"{took:.1f} s"


def check_away(stack: Stack, parties: Parties, request: dict) -> None:
    assert_away(lambda: parties.client.post("/api/requests", parties.draft()))
    assert_away(lambda: parties.client.get(f"/api/requests/{request['id']}"))
    assert_away(lambda: parties.lawyer.respond(request["id"], "accept"))
    assert_away(lambda: parties.client.get("/api/dashboard"))
    assert_away(lambda: stack.anyone().get("/readyz"))
    assert stack.anyone().get("/healthz").status_code == 200
    assert stack.anyone().get("/api/requests").status_code == 401, "tokens need no database"


@pytest.mark.parametrize("how", ["stopped", "killed", "paused"])
def test_the_database_is_away(
    database: Database, start: Callable[..., Stack], smtp: SmtpServer, how: str
) -> None:
    stack = start(smtp, database.uri)
    parties = stack.parties()
    request = parties.create()
    smtp.stop()
    owing = parties.accepted()
    until(lambda: stack.owed(owing["id"])[0]["attempts"], "mail is tried")
    before = stack.children()
    if how == "paused":
        database.pause()
    else:
        database.stop(signal.SIGTERM if how == "stopped" else signal.SIGKILL)
    check_away(stack, parties, request)
    smtp.released.clear()
    smtp.start()
    if how == "paused":
        database.resume()
    else:
        database.start()
    # Each worker finds that out by itself.
    until(
        lambda: all(stack.anyone().get("/readyz").status_code == 200 for _ in range(20)),
        "it recovers",
    )
    stack.advance(LEASE_S + 1)
    assert parties.accept(request)["meeting"]["status"] == "ready"
    for one in (request, owing):
        stack.settle(one["id"])
        assert len(stack.mails.of(one["id"])) == 2, "what was owed is done"
    assert stack.children() == before, "nobody was restarted"


def test_a_frozen_database_makes_nobody_queue(
    database: Database, start: Callable[..., Stack]
) -> None:
    """One timeout for all, not one after the other for whoever waits for a thread."""
    stack = start(uri=database.uri)
    client = stack.parties().client
    children = stack.children()

    def look() -> tuple[requests.Response, float]:
        began = time.monotonic()
        return client.get("/api/requests"), time.monotonic() - began

    at_once([look] * 100)  # every thread has its connection: all of them time out alike
    database.pause()
    try:
        answers = at_once([look] * 100)
    finally:
        database.resume()
    # Who waited for one of those that timed out has waited long enough to be refused for that.
    codes = {(a.status_code, a.json()["code"]) for a, _ in answers}
    assert (503, "database_unavailable") in codes
    assert codes <= {(503, "database_unavailable"), (503, "overloaded")}
    slowest = max(took for _, took in answers)
    assert slowest < AWAY_S + 1, f"{slowest:.1f} s"
    until(lambda: client.get("/api/requests").status_code == 200, "it recovers")
    assert stack.children() == children, "nobody was restarted"


# ---- the mail server ----


def mail_events(stack: Stack, request: dict) -> list[tuple[str, str]]:
    events = stack.document(request["id"])["events"]
    return [(e["action"], e["to"]) for e in events if e["action"].startswith("mail.")]


def test_the_mail_server_is_down(start: Callable[..., Stack], smtp: SmtpServer) -> None:
    stack = start(smtp)
    smtp.stop()
    parties = stack.parties()
    request = parties.accepted()
    assert request["meeting"]["status"] == "ready", "accepting does not wait for mail"

    def invitations() -> list[dict]:
        return [e for e in stack.owed(request["id"]) if e["kind"] == "mail.meeting_ready"]

    until(lambda: all(e.get("last_error") for e in invitations()), "both were tried")
    assert ("mail.retried", "client") in mail_events(stack, request)
    assert ("mail.retried", "lawyer") in mail_events(stack, request)
    assert len(invitations()) == 2
    for effect in invitations():
        assert effect["attempts"] >= 1 and effect["last_error"]["detail"]
    smtp.released.clear()
    smtp.start()
    stack.advance(3600)
    stack.settle(request["id"])
    assert len(smtp.of(request["id"])) == 2
    assert mail_events(stack, request)[-2:].count(("mail.sent", "client")) == 1


@pytest.mark.parametrize("answer", ["451 Greylisted, come back later", "421 Too busy"])
def test_a_temporary_refusal(start: Callable[..., Stack], smtp: SmtpServer, answer: str) -> None:
    stack = start(smtp)
    parties = stack.parties()
    client = parties.person("client")["email"]
    smtp.answers[client] = answer
    request = parties.accepted()
    until(lambda: ("mail.retried", "client") in mail_events(stack, request), "a retry is owed")
    until(lambda: ("mail.sent", "lawyer") in mail_events(stack, request), "the other has it")
    (effect,) = stack.owed(request["id"])
    assert answer[:3] in effect["last_error"]["detail"]
    del smtp.answers[client]
    stack.advance(3600)
    stack.settle(request["id"])
    assert sorted(mail.recipient for mail in smtp.of(request["id"])) == sorted(
        parties.person(who)["email"] for who in ("client", "lawyer")
    )


def test_a_permanent_refusal(start: Callable[..., Stack], smtp: SmtpServer) -> None:
    stack = start(smtp)
    parties = stack.parties()
    client = parties.person("client")["email"]
    smtp.answers[client] = "550 No such user"
    request = parties.accepted()
    until(lambda: ("mail.failed", "client") in mail_events(stack, request), "it is given up")
    until(lambda: ("mail.sent", "lawyer") in mail_events(stack, request), "the other has it")
    (failed,) = [e for e in parties.lawyer.audit(request["id"]) if e["action"] == "mail.failed"]
    assert failed["to"] == "client" and "permanent" in failed["detail"]
    assert client not in failed["detail"], "the audit names nobody"
    (effect,) = stack.owed(request["id"])
    assert effect["state"] == "failed" and "550 No such user" in effect["last_error"]["detail"]
    tries = smtp.attempts[client]
    stack.advance(3600)
    other = stack.parties().accepted()
    stack.settle(other["id"])
    assert smtp.attempts[client] == tries, "not tried again"
    assert [mail.recipient for mail in smtp.of(request["id"])] == [
        parties.person("lawyer")["email"]
    ]


def test_a_mail_server_that_hangs(start: Callable[..., Stack], smtp: SmtpServer) -> None:
    """One recipient's server does not answer; nobody else waits, and the lease is taken over."""
    stack = start(smtp)
    parties = stack.parties()
    client = parties.person("client")["email"]
    smtp.hanging.add(client)
    request = parties.accepted()
    until(lambda: ("mail.sent", "lawyer") in mail_events(stack, request), "the other has it")
    until(lambda: smtp.attempts[client] == 1, "it hangs")
    other = stack.parties().accepted()
    stack.settle(other["id"])
    smtp.hanging.clear()
    stack.advance(LEASE_S + 1)
    stack.settle(request["id"])
    smtp.release()
    until(lambda: "lost" in stack.logged("meetlink"), "the first one notices")
    assert len(smtp.of(request["id"])) == 2
    assert mail_events(stack, request).count(("mail.sent", "client")) == 1


def test_a_meeting_cancelled_before_its_mail_left(
    start: Callable[..., Stack], smtp: SmtpServer
) -> None:
    """Who was not invited is not told of a cancellation, even if the mail was next in turn."""
    stack = start(smtp, SERVER_DISPATCHER_THREADS=1)
    parties = stack.parties()
    people = {parties.person(who)["email"] for who in ("client", "lawyer")}
    smtp.hanging |= people
    request = parties.accepted()
    until(lambda: smtp.attempts, "the first mail is under way, the other one waits behind it")
    (other,) = people - set(smtp.attempts)
    leased = [effect for effect in stack.owed(request["id"]) if "lease" in effect]
    assert len(leased) == 1, "nothing waits under a lease"
    assert parties.client.cancel(request["id"]).status_code == 200
    smtp.release()
    stack.settle(request["id"])
    assert smtp.to(other) == []


def test_a_mail_that_never_leaves_is_given_up(
    start: Callable[..., Stack], smtp: SmtpServer
) -> None:
    """An invitation is of no use after the meeting."""
    stack = start(smtp)
    parties = stack.parties()
    client = parties.person("client")["email"]
    smtp.answers[client] = "450 Mailbox busy"
    request = parties.accepted(starts_at=stack.at(minutes=30))
    until(lambda: ("mail.retried", "client") in mail_events(stack, request), "a retry is owed")
    stack.advance(2 * 3600)
    until(lambda: ("mail.failed", "client") in mail_events(stack, request), "it is given up")


def test_ready_says_when_nobody_delivers(start: Callable[..., Stack]) -> None:
    stack = start()
    assert stack.anyone().get("/readyz").status_code == 200
    for pid, name in stack.children().items():
        if name == "meetlink-disp":
            os.kill(pid, signal.SIGSTOP)
            stopped = pid
    stack.parties().accepted()
    stack.advance(16 * 60)
    answer = stack.anyone().get("/readyz")
    assert (answer.status_code, answer.json()["code"]) == (503, "overloaded")
    os.kill(stopped, signal.SIGCONT)
    until(lambda: stack.anyone().get("/readyz").status_code == 200, "it is ready again")
