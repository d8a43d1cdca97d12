"""Zoom's meetings: a case for every row of PROVIDERS.md section 2.2."""

import pytest
from probe import Probe, Row, named, play
from sim import Fault
from zoom import PER_SECOND, Zoom

DAILY = {
    "status": 429,
    "body": {"code": 429, "message": "You have reached the maximum daily rate limit for this API."},
    "headers": {"X-RateLimit-Type": "Daily-limit", "Retry-After": "2099-01-01T00:00:00Z"},
}
LOCK = "Too many concurrent requests. A request to disassociate this user is in progress."
NO_SCOPE = "Invalid access token, does not contain scopes:[meeting:write:meeting:admin]."
A_DAY = range(1, 86401)


def said(status: int, code: int, message: str = "", **more: object) -> Fault:
    return Fault(status=status, body={"code": code, "message": message}, **more)


def use_up(probe: Probe) -> None:
    probe.sim.daily_limit = 0


def begin(probe: Probe) -> None:
    """The meeting is going on."""
    for meeting in probe.sim.meetings.values():
        meeting.raw["status"] = "started"


def delete(probe: Probe) -> None:
    probe.sim.meetings.clear()


def another_host(probe: Probe) -> None:
    probe.settings["host_user"] = "nobody@lawyers.example"


def lose_scopes(probe: Probe) -> None:
    probe.sim.scopes.clear()


CREATE = [
    Row("400 300 validation", said(400, 300, "Validation Failed."), "permanent"),
    Row(
        "400 200 only for paid accounts",
        said(400, 200, "Only available for paid account."),
        "provider_credential",
        "The account or its plan does not allow this",
    ),
    Row(
        "400 1010 not in this account",
        said(400, 1010, "User does not belong to this account."),
        "provider_credential",
        "does not know the host",
    ),
    Row(
        "400 3000 cannot schedule",
        said(400, 3000, "Cannot schedule for this user."),
        "provider_credential",
        "may not schedule this meeting",
    ),
    Row(
        "400 3161 no hosting rights",
        said(400, 3161, "Your user account is not allowed meeting hosting."),
        "provider_credential",
        "The host may not schedule meetings",
    ),
    Row("401 124 expired", said(401, 124, "Access token is expired."), "ok", live=1, tokens=2),
    Row(
        "401 124, always",
        said(401, 124, "Invalid access token.", times=None),
        "provider_credential",
        "refuses our access token",
        tokens=2,
    ),
    Row("401 200 older wording", said(401, 200, "Invalid token"), "ok", live=1, tokens=2),
    Row("401 201 older wording", said(401, 201, "Invalid token"), "ok", live=1, tokens=2),
    Row("401 4700, once", said(401, 4700, NO_SCOPE), "ok", live=1, tokens=2),
    Row("400 4700, once", said(400, 4700, NO_SCOPE), "ok", live=1, tokens=2),
    Row("401 4711, once", said(401, 4711, NO_SCOPE), "ok", live=1, tokens=2),
    Row("400 4711", [], "provider_credential", "scope", tokens=2, state=lose_scopes),
    Row(
        "400 4700, always",
        said(400, 4700, NO_SCOPE, times=None),
        "provider_credential",
        "scope",
        tokens=2,
    ),
    Row("403 3001 no permission", said(403, 3001), "provider_credential", "lacks the rights"),
    Row("403 2306 no permission", said(403, 2306), "provider_credential", "lacks the rights"),
    Row("404 1001 user", [], "provider_credential", "does not know the host", state=another_host),
    Row("404 of another kind", said(404, 2300), "provider_credential", "does not know the host"),
    Row("409 conflict", said(409, 409), "temporary", "busy with something else"),
    Row("429 per-second", Fault(**PER_SECOND), "temporary"),
    Row("429 per-second, 4001", said(429, 4001, "Rate limit."), "temporary"),
    Row("429 daily", Fault(**DAILY), "provider_unavailable", "00:00 UTC", wait=86400),
    Row("429 per-user 100/day", [], "provider_unavailable", "00:00 UTC", wait=A_DAY, state=use_up),
    Row("429 lock", said(429, 429, LOCK), "temporary"),
    Row("429 with seconds", said(429, 429, headers={"Retry-After": "9"}), "temporary", wait=9),
    Row("500", Fault(status=500), "outcome_unknown"),
    Row("500, done", Fault(status=500, when="after"), "outcome_unknown", live=1),
    Row("502 HTML, done", Fault(status=502, html=True, when="after"), "outcome_unknown", live=1),
    Row("503 HTML, done", Fault(status=503, html=True, when="after"), "outcome_unknown", live=1),
    Row("504 HTML", Fault(status=504, html=True), "outcome_unknown"),
]

OTHERS = [
    Row("400 300 validation", said(400, 300), "permanent", does="update", live=1),
    Row("400 200", said(400, 200), "provider_credential", does="update", live=1),
    Row("400 3000 started", [], "permanent", does="update", live=1, state=begin),
    Row("400 3002 in progress", [], "ok", does="remove", state=begin),
    Row(
        "400 3002 in progress, always",
        said(400, 3002, "Meeting is in progress.", times=None),
        "temporary",
        "The meeting is going on",
        does="remove",
        live=1,
        state=begin,
    ),
    Row("400 3003 not the host", said(400, 3003), "permanent", does="remove", live=1),
    Row("400 3007 already ended", said(400, 3007), "ok", does="remove", live=1),
    Row("400 3018 PMI", said(400, 3018), "permanent", does="remove", live=1),
    Row("400 3037 PAC", said(400, 3037), "permanent", does="remove", live=1),
    Row("401 124 expired", said(401, 124), "ok", does="update", live=1, tokens=2),
    Row("401 124 expired", said(401, 124), "ok", does="remove", tokens=2),
    Row("401 124 expired", said(401, 124), "ok", does="read", live=1, tokens=2),
    Row("401 124 expired", said(401, 124), "ok", does="host_url", live=1, tokens=2),
    Row("401 124 expired", said(401, 124), "ok", does="validate", tokens=2),
    Row(
        "400 4711",
        said(400, 4711, NO_SCOPE, times=None),
        "provider_credential",
        "scope",
        does="remove",
        live=1,
        tokens=2,
    ),
    Row(
        "400 4711",
        said(400, 4711, NO_SCOPE, times=None, match="DELETE *"),
        "permissions",
        "To delete meetings: Zoom: The app lacks a permission",
        does="validate",
        tokens=2,
    ),
    Row("403 3001", said(403, 3001), "provider_credential", does="update", live=1),
    Row("403 3001", said(403, 3001), "provider_credential", does="host_url", live=1),
    Row("404 1001", [], "host", "does not know the host", does="validate", state=another_host),
    Row("404 3001", [], "gone", "does not have this meeting", does="update", state=delete),
    Row("404 3001", [], "gone", does="read", state=delete),
    Row("404 3001", [], "gone", does="host_url", state=delete),
    Row("404 3001", [], "ok", does="remove", state=delete),
    Row("409 conflict", said(409, 409), "temporary", does="update", live=1),
    Row("429 per-second", Fault(**PER_SECOND), "temporary", does="remove", live=1),
    Row("429 daily", Fault(**DAILY), "provider_unavailable", does="update", wait=86400, live=1),
    Row("429 100/day", [], "provider_unavailable", "", "update", A_DAY, 1, state=use_up),
    Row("429 lock", said(429, 429, LOCK), "temporary", does="update", live=1),
    Row("500", Fault(status=500), "temporary", does="update", live=1),
    Row("500, done", Fault(status=500, when="after"), "temporary", does="remove"),
    Row("502 HTML", Fault(status=502, html=True), "temporary", does="read", live=1),
    Row("503 HTML", Fault(status=503, html=True), "temporary", does="host_url", live=1),
    Row("504", Fault(status=504), "host", does="validate"),
]


@pytest.mark.parametrize("row", CREATE, ids=named)
def test_create(row: Row) -> None:
    play(Zoom, row)


@pytest.mark.parametrize("row", OTHERS, ids=named)
def test_other_operations(row: Row) -> None:
    play(Zoom, row)
