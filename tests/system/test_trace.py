"""One id follows a request from nginx to whatever it makes others do."""

import json
from collections.abc import Callable

import pytest
from mailbox import Mail, SmtpServer
from providers import Providers, provide  # noqa: F401
from sim import Fault
from stack import Stack
from support import until


def lines(stack: Stack, name: str) -> list[dict]:
    """A log that is written in JSON."""
    text = stack.logged(name)
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


@pytest.mark.parametrize("later", [False, True])
def test_an_id_is_found_everywhere(
    provide: Callable[..., Providers], smtp: SmtpServer, later: bool
) -> None:
    """Whether the worker makes the link while its caller waits, or a dispatcher does it later."""
    providers = provide(names=["zoom"], LOG_FORMAT="json")
    stack, zoom = providers.stack, providers["zoom"]
    parties = stack.parties()
    filed = parties.client.post("/api/requests", parties.draft())
    request_id = filed.json()["id"]
    stack.settle(request_id)
    if later:
        zoom.script(Fault("POST /users/*/meetings", status=429, headers={"Retry-After": "5"}))
    accepted = parties.lawyer.respond(request_id, "accept", provider="zoom")
    assert accepted.json()["meeting"]["status"] == ("pending" if later else "ready")
    providers.finish(request_id)
    trace = accepted.headers["X-Request-Id"]
    assert trace != filed.headers["X-Request-Id"]

    (nginx,) = [line for line in lines(stack, "access") if line["request_id"] == trace]
    assert (nginx["path"], nginx["status"]) == (f"/api/requests/{request_id}/respond", 200)
    ours = [line for line in lines(stack, "meetlink") if line.get("request_id") == trace]
    (answer,) = [line for line in ours if line["msg"] == "http"]
    assert (answer["role"], answer["route"], answer["status"]) == (
        "worker",
        "/api/requests/{}/respond",
        200,
    )
    sent = f"request {request_id}: mail.meeting_ready done"
    assert [line["msg"] for line in ours if line["role"] == "dispatcher"].count(sent) == 2

    asked = zoom.seen("POST", "/users/*/meetings") + zoom.seen("POST", "/oauth/token")
    assert len(asked) == (3 if later else 2)
    assert {call.headers.get("x-request-id") for call in asked} == {trace}

    events = parties.client.audit(request_id)
    by_trace = [event["action"] for event in events if event.get("trace_id") == trace]
    assert set(by_trace) >= {"request.accepted", "meeting.ready", "mail.sent"}
    assert ("provider.attempt_failed" in by_trace) == later

    invitations = smtp.of(request_id)
    assert [mail.kind for mail in invitations] == ["meeting_ready"] * 2
    assert {mail.message["X-Request-Id"] for mail in invitations} == {trace}
    (received,) = smtp.notices(request_id)
    assert received.message["X-Request-Id"] == filed.headers["X-Request-Id"]


def test_a_reminder_has_the_id_of_what_it_reminds_of(
    provide: Callable[..., Providers], smtp: SmtpServer
) -> None:
    providers = provide(names=["zoom"])
    stack = providers.stack
    parties = stack.parties()
    request = parties.create(starts_at=stack.at(days=3))
    stack.settle(request["id"])
    accepted = parties.lawyer.respond(request["id"], "accept")
    providers.finish(request["id"])
    stack.advance(2 * 86400 + 60)

    def reminders() -> list[Mail]:
        return [m for m in smtp.notices(request["id"]) if m.kind == "meeting_reminder"]

    until(lambda: len(reminders()) == 2, "both are reminded", 60)
    trace = accepted.headers["X-Request-Id"]
    assert {m.message["X-Request-Id"] for m in reminders()} == {trace}
