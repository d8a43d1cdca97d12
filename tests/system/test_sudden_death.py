"""Processes are killed at every named place: nothing is lost, and nothing is done twice."""

import collections
import os
import re
import signal
from collections.abc import Callable
from mailbox import SmtpServer

import pytest
from caller import new_key
from stack import LEASE_S, ROOT, Stack
from support import until
from test_changes import nobody_delivers

FAULT_TABLE = (ROOT / "src/base/fault_table.h").read_text()
EVERYWHERE = re.findall(r'^FAULT\(\w+, "([^"]+)"\)', FAULT_TABLE, re.MULTILINE)
# The others are on no request's short way: test_archives.py, test_chores.py, test_receive.py,
# test_subscribers.py.
ASIDE = ("archive", "chore.", "delivery.", "letter.")
PLACES = [place for place in EVERYWHERE if not place.startswith(ASIDE)]
# A mail was handed over, and the process died before that could be written down: by SMTP the
# only choice is between twice and perhaps never. The Message-ID tells that it is the same.
MAYBE_TWICE = {"effect.after", "settle.before_save"}


@pytest.fixture
def armed(start: Callable[..., Stack], tmp_path):
    """A stack in which the first process to pass the place dies."""

    def start_armed(place: str, smtp: SmtpServer | None, **settings: object) -> Stack:
        trigger = tmp_path / "trigger"
        trigger.touch()
        # One performer in each dispatcher: a death then hits one mail, not several at once.
        settings = {"SERVER_DISPATCHER_THREADS": 1, "FAULT": f"{place}:{trigger}"} | settings
        return start(smtp, **settings)

    return start_armed


def outlive(stack: Stack, tmp_path, whole: set[int]) -> None:
    """Waits for the death and lets the leases of the dead run out."""
    until(lambda: not (tmp_path / "trigger").exists(), "somebody passes the place")
    until(lambda: whole - set(stack.children()), "somebody dies")
    stack.advance(LEASE_S + 1)


def assert_told_once(stack: Stack, request: dict, kind: str, place: str) -> None:
    """One mail of the kind to each, by its name for ever."""
    mails = [mail for mail in stack.mails.of(request["id"]) if f".{kind}." in mail.id]
    recipients = {mail.id: mail.recipient for mail in mails}
    assert sorted(recipients.values()) == sorted(
        request[who]["email"] for who in ("client", "lawyer")
    )
    deliveries = collections.Counter(mail.id for mail in mails)
    by_smtp = isinstance(stack.mails, SmtpServer)
    extra = 1 if by_smtp and place in MAYBE_TWICE else 0
    assert sum(deliveries.values()) <= 2 + extra, deliveries


def test_the_table_is_read() -> None:
    assert len(PLACES) >= 11 and set(PLACES) > MAYBE_TWICE


@pytest.mark.parametrize("by_smtp", [False, True], ids=["files", "smtp"])
@pytest.mark.parametrize("place", PLACES)
def test_death_on_the_way_to_a_meeting(
    armed, smtp: SmtpServer, tmp_path, place: str, by_smtp: bool
) -> None:
    stack = armed(place, smtp if by_smtp else None)
    whole = set(stack.children())
    parties = stack.parties()
    request = parties.accepted()
    outlive(stack, tmp_path, whole)
    document = stack.settle(request["id"])
    assert stack.requests.count_documents({}) == 1, "one request"
    assert document["status"] == "accepted" and document["meeting"]["status"] == "ready"
    actions = collections.Counter(
        event["action"]
        for event in document["events"]
        if event["detail"] != "request_received"  # which may have left before
    )
    assert actions == {
        "request.created": 1,
        "request.accepted": 1,
        "meeting.requested": 1,
        "meeting.ready": 1,
        "mail.sent": 2,
    }
    assert_told_once(stack, request, "meeting_ready", place)
    assert parties.client.request(request["id"])["meeting"]["join_url"]
    until(lambda: len(stack.children()) == 3, "everybody is back")


@pytest.mark.parametrize("place", ["claim.after_save", "settle.after_save", *sorted(MAYBE_TWICE)])
def test_death_while_many_wait(armed, smtp: SmtpServer, tmp_path, place: str) -> None:
    """Then both mails of a request are under one lease: as many may leave twice, and no others."""
    trigger = tmp_path / "trigger"
    stack = armed(place, smtp)
    trigger.unlink()
    with nobody_delivers(stack):
        made = [stack.parties().accepted() for _ in range(6)]
        whole = set(stack.children())
        trigger.touch()
    outlive(stack, tmp_path, whole)
    repeats = 0
    for request in made:
        stack.settle(request["id"])
        ids = [mail.id for mail in stack.mails.of(request["id"])]
        assert len(set(ids)) == 2
        repeats += len(ids) - 2
    assert repeats <= (2 if place in MAYBE_TWICE else 0)


@pytest.mark.parametrize("place", [p for p in PLACES if not p.startswith("create.")])
def test_death_on_the_way_to_a_cancellation(armed, tmp_path, place: str) -> None:
    """Armed only after the invitations have left."""
    trigger = tmp_path / "trigger"
    stack = armed(place, None)
    trigger.unlink()
    parties = stack.parties()
    request = parties.accepted()
    stack.settle(request["id"])
    whole = set(stack.children())
    trigger.touch()
    answer = parties.client.cancel(request["id"], reason="Ill")
    assert answer.status_code == 200, answer.text
    outlive(stack, tmp_path, whole)
    document = stack.settle(request["id"])
    assert document["meeting"]["status"] == "cancelled"
    actions = collections.Counter(
        event["action"]
        for event in document["events"]
        if event["detail"] != "request_received"  # which may have left before
    )
    assert (actions["request.cancelled"], actions["mail.sent"]) == (1, 4)
    assert_told_once(stack, request, "meeting_cancelled", place)


@pytest.mark.parametrize("place", [p for p in PLACES if p.startswith(("create.", "change."))])
def test_the_answer_of_a_repeat_after_a_death(armed, tmp_path, place: str) -> None:
    """A client with an Idempotency-Key repeats by itself, beyond what nginx does."""
    stack = armed(place, None)
    parties = stack.parties()
    headers = {"Idempotency-Key": new_key()}
    first = parties.client.post("/api/requests", body := parties.draft(), headers=headers)
    again = parties.client.post("/api/requests", body, headers=headers)
    assert first.status_code == again.status_code == 201 and first.content == again.content
    url = f"/api/requests/{first.json()['id']}/respond"
    first = parties.lawyer.post(url, {"decision": "accept"}, headers=headers)
    again = parties.lawyer.post(url, {"decision": "accept"}, headers=headers)
    assert first.status_code == again.status_code == 200 and first.content == again.content
    assert not (tmp_path / "trigger").exists(), "somebody died"
    assert stack.requests.count_documents({}) == 1


@pytest.mark.parametrize("name", ["meetlink-work", "meetlink-disp"])
def test_an_idle_process_is_replaced(start, name: str) -> None:
    stack = start()
    before = stack.children()
    assert sorted(before.values()) == ["meetlink-disp", "meetlink-work", "meetlink-work"]
    victim = next(pid for pid, own in before.items() if own == name)
    os.kill(victim, signal.SIGKILL)
    until(lambda: victim not in stack.children() and len(stack.children()) == 3, "it is replaced")
    after = stack.children()
    assert sorted(after.values()) == sorted(before.values())
    assert set(before) - {victim} < set(after), "the others live on"
    request = stack.parties().accepted()
    stack.settle(request["id"])
    assert len(stack.mails.of(request["id"])) == 2
