"""Google's calendar: a case for every row of PROVIDERS.md section 1.2."""

import pytest
from google import Conference, Google, error
from probe import Probe, Row, named, play
from sim import Fault


def said(status: int, reason: str, message: str = "", **more: object) -> Fault:
    return Fault(status=status, body=error(status, reason, message), **more)


def newer(status: int, word: str, **more: object) -> Fault:
    """Of the gateways that name no reason."""
    body = {"error": {"code": status, "message": "", "status": word}}
    return Fault(status=status, body=body, **more)


def cancel(probe: Probe) -> None:
    """Somebody deletes the event in the calendar."""
    for event in probe.sim.events.values():
        event["status"] = "cancelled"


def delete_first(probe: Probe) -> None:
    """The event's id is taken by a deleted one."""
    probe.made()("remove")


def take_over(probe: Probe) -> None:
    """The event's id is taken by another one."""
    probe.made()
    for event in probe.sim.events.values():
        event["extendedProperties"]["private"]["bookingId"] = "another"


def other_calendar(probe: Probe) -> None:
    probe.settings["calendar_id"] = "nobody@lawyers.example"


def conference(*states: str, **more: object) -> object:
    return lambda probe: probe.sim.conferences.extend(Conference(s, **more) for s in states)


CREATE = [
    Row("400 timeRangeEmpty", said(400, "timeRangeEmpty"), "permanent", "refuses these times"),
    Row("400 invalid", said(400, "invalid", "Invalid value"), "permanent"),
    Row("400 required", said(400, "required", "Missing end time."), "permanent"),
    Row("400 badRequest", said(400, "badRequest"), "permanent"),
    Row("400 parseError", said(400, "parseError", "Parse Error"), "permanent"),
    Row(
        "400 Invalid conference type value.",
        said(400, "invalid", "Invalid conference type value."),
        "provider_unavailable",
        "cannot make Meet links",
    ),
    Row("401 authError, once", said(401, "authError"), "ok", live=1, tokens=2),
    Row(
        "401 authError, always",
        said(401, "authError", times=None),
        "provider_credential",
        "refuses our access token",
        tokens=2,
    ),
    Row("401 UNAUTHENTICATED", newer(401, "UNAUTHENTICATED"), "ok", live=1, tokens=2),
    Row("403 userRateLimitExceeded", said(403, "userRateLimitExceeded"), "temporary"),
    Row("403 rateLimitExceeded", said(403, "rateLimitExceeded"), "temporary"),
    Row(
        "403 quotaExceeded",
        said(403, "quotaExceeded", "Calendar usage limits exceeded."),
        "provider_unavailable",
        "This calendar's quota is used up",
        wait=3600,
    ),
    Row(
        "403 quotaExceeded, for longer",
        said(403, "quotaExceeded", headers={"Retry-After": "7200"}),
        "provider_unavailable",
        wait=7200,
    ),
    Row(
        "403 dailyLimitExceeded",
        said(403, "dailyLimitExceeded"),
        "provider_unavailable",
        "The day's quota is used up",
        wait=3600,
    ),
    Row(
        "403 accessNotConfigured",
        said(403, "accessNotConfigured"),
        "provider_credential",
        "The Calendar API is not enabled",
    ),
    Row(
        "403 forbiddenForServiceAccounts",
        said(403, "forbiddenForServiceAccounts"),
        "provider_credential",
        "domain-wide delegation",
    ),
    Row(
        "403 insufficientPermissions",
        said(403, "insufficientPermissions"),
        "provider_credential",
        "calendar.events",
    ),
    Row("403 forbidden", said(403, "forbidden"), "provider_credential", "lacks the rights"),
    Row(
        "403 requiredAccessLevel",
        said(403, "requiredAccessLevel"),
        "provider_credential",
        "may not change this calendar",
    ),
    Row(
        "403 forbiddenForNonOrganizer",
        said(403, "forbiddenForNonOrganizer"),
        "provider_credential",
    ),
    Row("403 PERMISSION_DENIED", newer(403, "PERMISSION_DENIED"), "provider_credential"),
    Row("403 RESOURCE_EXHAUSTED", newer(403, "RESOURCE_EXHAUSTED"), "temporary"),
    Row(
        "404 notFound, the calendar",
        [],
        "provider_credential",
        "no such calendar",
        state=other_calendar,
    ),
    Row("409 duplicate, ours", said(409, "duplicate", when="after"), "ok", live=1),
    Row("409 duplicate, ours and deleted", [], "ok", live=1, state=delete_first),
    Row(
        "409 duplicate, another's",
        [],
        "provider_unavailable",
        "Another event has the name",
        live=1,
        state=take_over,
    ),
    Row(
        "409 ALREADY_EXISTS",
        newer(409, "ALREADY_EXISTS", when="after"),
        "ok",
        live=1,
    ),
    Row("409 conflict", said(409, "conflict"), "temporary"),
    Row("412 conditionNotMet", said(412, "conditionNotMet"), "temporary"),
    Row(
        "429 rateLimitExceeded",
        said(429, "rateLimitExceeded", headers={"Retry-After": "17"}),
        "temporary",
        wait=17,
    ),
    Row("429 without Retry-After", said(429, "rateLimitExceeded"), "temporary"),
    Row("500 backendError", said(500, "backendError"), "outcome_unknown"),
    Row(
        "500 backendError, done", said(500, "backendError", when="after"), "outcome_unknown", live=1
    ),
    Row("502 HTML", Fault(status=502, html=True), "outcome_unknown"),
    Row(
        "503 backendError, done", said(503, "backendError", when="after"), "outcome_unknown", live=1
    ),
    Row("503 UNAVAILABLE", newer(503, "UNAVAILABLE"), "outcome_unknown"),
    Row("504 HTML, done", Fault(status=504, html=True, when="after"), "outcome_unknown", live=1),
]

OTHERS = [
    Row("400 timeRangeEmpty", said(400, "timeRangeEmpty"), "permanent", does="update", live=1),
    Row("401 authError", said(401, "authError"), "ok", does="update", live=1, tokens=2),
    Row("401 authError", said(401, "authError"), "ok", does="remove", tokens=2),
    Row("401 authError", said(401, "authError"), "ok", does="read", live=1, tokens=2),
    Row(
        "401 authError, always",
        said(401, "authError", times=None),
        "permissions",
        "refuses our access token",
        does="validate",
        tokens=2,
    ),
    Row(
        "403 rateLimitExceeded", said(403, "rateLimitExceeded"), "temporary", does="remove", live=1
    ),
    Row(
        "403 quotaExceeded",
        said(403, "quotaExceeded"),
        "provider_unavailable",
        does="update",
        wait=3600,
        live=1,
    ),
    Row(
        "403 forbiddenForNonOrganizer",
        said(403, "forbiddenForNonOrganizer"),
        "provider_credential",
        does="update",
        live=1,
    ),
    Row("403 forbidden", said(403, "forbidden"), "provider_credential", does="remove", live=1),
    Row("404 notFound", said(404, "notFound"), "gone", "not have this", does="update", live=1),
    Row("404 notFound", said(404, "notFound"), "gone", does="read", live=1),
    Row("404 notFound", said(404, "notFound", when="after"), "ok", does="remove"),
    Row(
        "404 notFound, the calendar",
        [],
        "permissions",
        "no such calendar",
        does="validate",
        state=other_calendar,
    ),
    Row("409 conflict", said(409, "conflict"), "temporary", does="update", live=1),
    Row("410 deleted", [], "gone", does="update", state=cancel),
    Row("410 deleted", [], "gone", does="read", state=cancel),
    Row("410 deleted", [], "ok", does="remove", state=cancel),
    Row("410 fullSyncRequired", said(410, "fullSyncRequired"), "permissions", does="validate"),
    Row("410 updatedMinTooLongAgo", said(410, "updatedMinTooLongAgo"), "gone", does="read", live=1),
    Row("412 conditionNotMet", said(412, "conditionNotMet"), "temporary", does="update", live=1),
    Row(
        "429 rateLimitExceeded",
        said(429, "rateLimitExceeded", headers={"Retry-After": "17"}),
        "temporary",
        does="update",
        wait=17,
        live=1,
    ),
    Row("500 backendError", said(500, "backendError"), "temporary", does="update", live=1),
    Row("500 backendError, done", said(500, "", when="after"), "temporary", does="remove"),
    Row("503 HTML", Fault(status=503, html=True), "temporary", does="read", live=1),
]

CONFERENCES = [
    Row("success", [], "ok", live=1, state=conference("success")),
    Row("pending", [], "ok", live=1, state=conference("pending", polls=1)),
    Row(
        "pending for too long",
        [],
        "still_pending",
        "The link is still being made",
        live=1,
        state=conference("pending", polls=None),
    ),
    Row("failure, then success", [], "ok", live=1, state=conference("failure")),
    Row(
        "pending, then failure",
        [],
        "ok",
        live=1,
        state=conference("pending", polls=0, then="failure"),
    ),
    Row(
        "failure again",
        [],
        "provider_unavailable",
        "could not make a link",
        state=conference("failure", "failure"),
    ),
]


@pytest.mark.parametrize("row", CREATE, ids=named)
def test_create(row: Row) -> None:
    play(Google, row)


@pytest.mark.parametrize("row", OTHERS, ids=named)
def test_other_operations(row: Row) -> None:
    play(Google, row)


@pytest.mark.parametrize("row", CONFERENCES, ids=named)
def test_create_request_status(row: Row) -> None:
    play(Google, row, total_ms=3000)
