"""Access tokens: a case for every row of PROVIDERS.md sections 1.1, 2.1 and 3, and their life."""

import datetime

import pytest
from google import Google
from google_account import TIMES, ServiceAccount
from graph import Graph
from probe import TOKEN, Probe, Row, play
from sim import Fault, Sim
from zoom import Zoom


def said(status: int, error: str, words: str = "", **more: object) -> Fault:
    body = {"error": error, "error_description": words}
    return Fault(TOKEN, status=status, body=body, **more)


def zoom_said(status: int, error: object, reason: str = "") -> Fault:
    return Fault(TOKEN, status=status, body={"reason": reason, "error": error})


def microsoft_said(status: int, error: str, number: int) -> Fault:
    words = f"AADSTS{number}: …"
    body = {"error": error, "error_description": words, "error_codes": [number]}
    return Fault(TOKEN, status=status, body=body)


def refused(name: str, fault: Fault | list[Fault], words: str, **more: object) -> Row:
    return Row(name, fault, "provider_credential", words, **more)


def away(status: int) -> Row:
    fault = Fault(TOKEN, status=status, headers={"Retry-After": "8"})
    return Row(f"{status}", fault, "temporary", wait=8)


def html(status: int) -> Row:
    return Row(f"{status} HTML", Fault(TOKEN, status=status, html=True), "temporary")


def late_clock(probe: Probe) -> None:
    hours = datetime.timedelta(hours=2)
    probe.sim.now = lambda: datetime.datetime.now(datetime.UTC) + hours


NOT_DELEGATED = "domain-wide delegation"

GOOGLE = [
    refused("400 invalid_grant short-lived", said(400, "invalid_grant", TIMES), "check the clock"),
    refused("400 invalid_grant, the clock", [], "check the clock", state=late_clock),
    refused(
        "400 invalid_grant signature",
        [],
        "does not know the service account's key",
        state=lambda probe: setattr(probe.sim, "account", ServiceAccount(key_id="new")),
    ),
    refused(
        "400 invalid_grant account not found",
        said(400, "invalid_grant", "Invalid grant: account not found"),
        "does not know the service account",
    ),
    refused(
        "400 invalid_grant not a user",
        [],
        "check the subject",
        state=lambda probe: probe.credentials.update(subject="nobody@lawyers.example"),
    ),
    refused(
        "400 invalid_grant revoked",
        said(400, "invalid_grant", "Token has been expired or revoked."),
        "sign in to Google again",
    ),
    refused("400 invalid_scope", said(400, "invalid_scope", times=2), NOT_DELEGATED, tokens=2),
    refused(
        "401 unauthorized_client",
        [],
        NOT_DELEGATED,
        state=lambda probe: setattr(probe.sim, "delegated", False),
    ),
    refused("400 access_denied", said(400, "access_denied", times=2), "denies access", tokens=2),
    refused("400 admin_policy_enforced", said(400, "admin_policy_enforced"), "administrator"),
    refused("401 invalid_client", said(401, "invalid_client"), "the client id and secret"),
    refused("401 deleted_client", said(401, "deleted_client"), "was deleted"),
    refused("401 disabled_client", said(401, "disabled_client"), "is disabled"),
    refused("403 org_internal", said(403, "org_internal"), "its own organisation"),
    *(away(status) for status in (408, 429, 500, 502, 503, 504)),
    *(html(status) for status in (500, 502, 503, 504)),
    Row("400 internal_failure", said(400, "internal_failure"), "temporary"),
    Row("400 server_error", said(400, "server_error"), "temporary"),
    Row("400 temporarily_unavailable", said(400, "temporarily_unavailable"), "temporary"),
    Row("200 without a token", Fault(TOKEN, status=200, body={}), "temporary"),
    Row("200 HTML", Fault(TOKEN, status=200, html=True), "temporary"),
]

ZOOM = [
    refused("400 invalid_client", zoom_said(400, "invalid_client"), "the client secret"),
    refused("401 invalid_client", zoom_said(401, "invalid_client"), "the client secret"),
    *(
        refused(f"400 invalid_request {words}", zoom_said(400, "invalid_request", words), "account")
        for words in (
            "Account does not exist",
            "Account does not enabled the OAuth app type",
            "Bad request",
        )
    ),
    refused("400 unsupported_grant_type", zoom_said(400, "unsupported_grant_type"), "of the kind"),
    refused("400 invalid_grant", zoom_said(400, "invalid_grant"), "connect the account again"),
    refused("401 invalid_grant", zoom_said(401, "invalid_grant"), "connect the account again"),
    *(
        refused(f"{status} {code}", zoom_said(status, code, "Invalid."), "refuses our credentials")
        for code in (4700, 4702, 4704, 4705, 4711, 4717, 4735, 4738, 4741)
        for status in (400, 401)
    ),
    refused("400 4741 as text", zoom_said(400, "4741"), "refuses our credentials"),
    refused(
        "400 4702 as `code`",
        Fault(TOKEN, status=400, body={"code": 4702, "message": "Invalid client."}),
        "refuses our credentials",
    ),
    *(away(status) for status in (429, 500, 502, 503, 504)),
    *(html(status) for status in (400, 429, 500, 502, 503)),
    Row("200 without a token", Fault(TOKEN, status=200, body={}), "temporary"),
    Row("200 HTML", Fault(TOKEN, status=200, html=True), "temporary"),
]

TEAMS = [
    refused(
        "401 7000215", microsoft_said(401, "invalid_client", 7000215), "client_secret is wrong"
    ),
    refused("401 7000222", microsoft_said(401, "invalid_client", 7000222), "has expired"),
    refused("400 700016", microsoft_said(400, "unauthorized_client", 700016), "does not know the"),
    refused("400 1002012", microsoft_said(400, "invalid_scope", 1002012), "tokens of Microsoft"),
    refused("400 90002", microsoft_said(400, "invalid_request", 90002), "no tenant"),
    refused(
        "401 7000222, by the simulator",
        [],
        "has expired",
        state=lambda probe: setattr(probe.sim, "secret_expired", True),
    ),
    *(away(status) for status in (429, 500, 502, 503, 504)),
    *(html(status) for status in (429, 500, 502, 503)),
    Row("200 without a token", Fault(TOKEN, status=200, body={}), "temporary"),
    Row("200 HTML", Fault(TOKEN, status=200, html=True), "temporary"),
]
ROWS = [
    (kind, row) for kind, rows in ((Google, GOOGLE), (Zoom, ZOOM), (Graph, TEAMS)) for row in rows
]
EVERY = pytest.mark.parametrize("kind", [Google, Zoom, Graph])
CALENDAR = "https://www.googleapis.com/auth/calendar.events"


def issued(sim: Sim) -> str:
    """A token that is good for all that is asked here."""
    scopes = {Google: lambda: {CALENDAR}, Zoom: lambda: sim.scopes, Graph: lambda: sim.roles}
    return sim.issue_token(scopes[type(sim)](), getattr(sim, "subject", None))


@pytest.mark.parametrize(
    ("kind", "row"), ROWS, ids=[f"{kind.__name__} {row.name}" for kind, row in ROWS]
)
def test_token_endpoint(kind: type[Sim], row: Row) -> None:
    play(kind, row)


@EVERY
@pytest.mark.parametrize("does", ["update", "remove", "read", "validate"])
def test_that_fails_is_no_answer_about_the_meeting(kind: type[Sim], does: str) -> None:
    """404 and 410 of the token endpoint, above all, do not mean that a meeting is gone."""
    for status in (404, 410, 302, 400):
        with Probe(kind) as probe:
            probe.made()
            probe.tokens += "2"  # where there are none yet
            probe.script(does, Fault(TOKEN, status=status, times=None))
            assert probe(does).err in ("provider_credential", "provider_unavailable", "token")
            assert len(probe.sim.live()) == 1


@EVERY
def test_is_shared_until_it_ends(kind: type[Sim]) -> None:
    with Probe(kind) as probe:
        probe.made()
        for does in ("update", "read", "remove"):
            assert probe(does).err == "ok"
        assert probe.asked_for_tokens() == 1


@EVERY
@pytest.mark.parametrize("lifetime", [3599, "3599", 299, "299", 0, -1, 10**18])
def test_is_renewed_before_it_ends(kind: type[Sim], lifetime: object) -> None:
    """Five minutes before; some servers send the number as text."""
    with Probe(kind) as probe:
        body = {"access_token": issued(probe.sim), "expires_in": lifetime}
        probe.script("create", Fault(TOKEN, status=200, body=body, times=None))
        probe("create")
        probe.sim.calm()
        before = probe.asked_for_tokens()
        assert probe("create").err == "ok"
        short = lifetime in (299, "299") or (lifetime in (0, -1) and kind is Graph)
        assert probe.asked_for_tokens() - before == short


@EVERY
@pytest.mark.parametrize("does", ["update", "remove", "read"])
def test_that_has_ended_is_replaced_unnoticed(kind: type[Sim], does: str) -> None:
    with Probe(kind) as probe:
        probe.made().sim.expire_tokens()
        assert probe(does).err == "ok"
        assert probe.asked_for_tokens() == 2


@EVERY
def test_one_that_works_serves_while_there_is_no_other(kind: type[Sim]) -> None:
    with Probe(kind) as probe:
        probe.sim.token_lifetime = 200
        probe.made()
        probe.script("read", Fault(TOKEN, status=503, times=None))
        assert probe("read").err == "ok"


@EVERY
def test_nobody_is_asked_without_one(kind: type[Sim]) -> None:
    with Probe(kind) as probe:
        probe.script("create", Fault(TOKEN, status=400, html=True, times=None))
        probe("create")
        assert {call.path.rpartition("/")[2] for call in probe.sim.calls} == {"token"}


def test_zoom_keeps_the_refresh_token_that_replaces_the_old_one() -> None:
    with Probe(Zoom, refresh=True) as probe:
        for _ in range(3):
            probe.sim.expire_tokens()
            assert probe("create").err == "ok"
        used = [call.body["refresh_token"] for call in probe.sim.seen("POST", "/token")]
        assert used == probe.sim.refresh_tokens[:3]


@pytest.mark.parametrize(("grace", "err"), [(1, "ok"), (0, "provider_credential")])
def test_zoom_refresh_token_that_was_lost_on_the_way(grace: int, err: str) -> None:
    with Probe(Zoom, refresh=True) as probe:
        probe.sim.refresh_grace = grace
        probe.script("create", Fault(TOKEN, drop=True, when="after"))
        assert probe("create").err == "temporary"
        assert probe("create").err == err


def test_google_refresh_token_stays() -> None:
    with Probe(Google, refresh=True) as probe:
        for _ in range(2):
            probe.sim.expire_tokens()
            assert probe("create").err == "ok"
        assert {call.body["refresh_token"] for call in probe.sim.seen("POST", "/token")} == {
            probe.sim.refresh_token
        }


@EVERY
def test_redirect_does_not_lead_elsewhere(kind: type[Sim]) -> None:
    with Probe(kind) as probe, kind() as other:
        there = {"Location": f"{other.url}/token"}
        probe.script("create", Fault(TOKEN, status=307, headers=there))
        assert probe("create").err in ("provider_credential", "provider_unavailable")
        assert not other.calls
