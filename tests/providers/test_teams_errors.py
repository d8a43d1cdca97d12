"""Teams' meetings: a case for every row of the error table of PROVIDERS.md section 3."""

import pytest
from graph import Graph
from probe import Probe, Row, named, play
from sim import Fault

OPTIONS = "PATCH /onlineMeetings/*"  # what `create` goes on with
LATER = {"Retry-After": "12"}


def said(status: int, code: str = "x", **more: object) -> Fault:
    error = {"code": code, "message": "", "innerError": {"request-id": "1"}}
    return Fault(status=status, body={"error": error}, **more)


def delete(probe: Probe) -> None:
    probe.sim.meetings.clear()


def lose_user(probe: Probe) -> None:
    probe.sim.users[:] = ["another"]


def lose_policy(probe: Probe) -> None:
    probe.sim.policy.clear()


def lose_role(probe: Probe) -> None:
    probe.sim.roles.clear()


CREATE = [
    Row("400", said(400, "BadRequest"), "permanent"),
    Row("405", said(405), "permanent"),
    Row("415", said(415, "UnsupportedMediaType"), "permanent"),
    Row("422", said(422), "permanent"),
    Row("401, once", said(401, "InvalidAuthenticationToken"), "ok", live=1, tokens=2),
    Row(
        "401, always",
        said(401, "InvalidAuthenticationToken", times=None),
        "provider_credential",
        "refuses our access token",
        tokens=2,
    ),
    Row("402", said(402, "PaymentRequired"), "provider_credential", "lacks a licence"),
    Row("403 policy", [], "provider_credential", "application access policy", state=lose_policy),
    Row("403 role", [], "provider_credential", "OnlineMeetings.ReadWrite.All", state=lose_role),
    Row("404 user", [], "provider_credential", "does not exist there", state=lose_user),
    Row("409", said(409), "temporary"),
    Row("412", said(412), "temporary"),
    Row("423", said(423, headers=LATER), "temporary", wait=12),
    Row("429", said(429, "TooManyRequests", headers=LATER), "temporary", wait=12),
    Row("429 without Retry-After", said(429, "TooManyRequests"), "temporary"),
    Row("503", said(503, "ServiceUnavailable", headers=LATER), "outcome_unknown", wait=12),
    Row("503, done", said(503, when="after"), "outcome_unknown", live=1),
    Row("504", said(504, headers=LATER), "outcome_unknown", wait=12),
    Row("509", said(509, headers=LATER), "temporary", wait=12),
    Row("500", said(500), "outcome_unknown"),
    Row("500, done", said(500, when="after"), "outcome_unknown", live=1),
    Row("502 HTML, done", Fault(status=502, html=True, when="after"), "outcome_unknown", live=1),
    Row("400 of the options only", said(400, match=OPTIONS), "ok", live=1),
    Row("403 of all that follows", said(403, match=OPTIONS, times=None), "ok", live=1),
    Row(
        "500 of what follows",
        said(500, match=OPTIONS),
        "outcome_unknown",
        "did not finish its settings",
        live=1,
    ),
    Row("404 of what follows", said(404, match=OPTIONS), "outcome_unknown", live=1),
]

OTHERS = [
    Row("400", said(400, times=None), "permanent", does="update", live=1),
    Row("400, the options only", said(400), "ok", does="update", live=1),
    Row("405", said(405), "permanent", does="remove", live=1),
    Row("422", said(422), "permanent", does="read", live=1),
    Row("401, once", said(401), "ok", does="update", live=1, tokens=2),
    Row("401, once", said(401), "ok", does="remove", tokens=2),
    Row("401, once", said(401), "ok", does="read", live=1, tokens=2),
    Row("401, always", said(401, times=None), "permissions", does="validate", tokens=2),
    Row("402", said(402, times=None), "provider_credential", does="update", live=1),
    Row("403 policy", [], "provider_credential", does="update", live=1, state=lose_policy),
    Row("403 policy", [], "provider_credential", does="remove", live=1, state=lose_policy),
    Row("403 policy", [], "permissions", "access policy", does="validate", state=lose_policy),
    Row("404 user", [], "permissions", "does not exist there", does="validate", state=lose_user),
    Row("404 meeting", [], "gone", does="update", state=delete),
    Row("404 meeting", [], "gone", does="read", state=delete),
    Row("404 meeting", [], "ok", does="remove", state=delete),
    Row("410 meeting", said(410, when="after"), "ok", does="remove"),
    Row("410 meeting", said(410), "gone", does="update", live=1),
    Row("409", said(409), "temporary", does="update", live=1),
    Row("412", said(412), "temporary", does="update", live=1),
    Row("423", said(423, headers=LATER), "temporary", does="update", wait=12, live=1),
    Row("429", said(429, headers=LATER), "temporary", does="remove", wait=12, live=1),
    Row("503", said(503, headers=LATER), "temporary", does="read", wait=12, live=1),
    Row("504", said(504, headers=LATER), "temporary", does="update", wait=12, live=1),
    Row("509", said(509, headers=LATER), "temporary", does="remove", wait=12, live=1),
    Row("500, done", said(500, when="after"), "temporary", does="remove"),
    Row("502 HTML", Fault(status=502, html=True), "temporary", does="update", live=1),
]


@pytest.mark.parametrize("row", CREATE, ids=named)
def test_create(row: Row) -> None:
    play(Graph, row)


@pytest.mark.parametrize("row", OTHERS, ids=named)
def test_other_operations(row: Row) -> None:
    play(Graph, row)
