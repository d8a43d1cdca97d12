"""Secrets stay secret when a provider's answers tell what it was sent.

Probe looks at all that is printed in the other tests too.
"""

import re

import pytest
from google import Google
from graph import Graph
from probe import FIRST, NAMES, SECRETS, TOKEN, Probe
from sim import Fault, Sim
from zoom import Zoom

CANARY = "canary-7f3a9c"
EVERY = pytest.mark.parametrize("kind", list(NAMES))
STATUSES = [200, 302, 400, 401, 403, 404, 409, 410, 429, 500, 503]
CASES = [(kind, does) for kind in NAMES for does in FIRST[kind]]


def planted(kind: type[Sim], refresh: bool = False) -> Probe:
    """With canaries in place of what is only compared."""
    probe = Probe(kind, refresh)
    for name in SECRETS & probe.credentials.keys() - {"service_account_json"}:
        probe.credentials[name] = value = f"{CANARY}-{name}"
        if name == "refresh_token" and kind is Zoom:
            probe.sim.refresh_tokens = [value]
        else:
            setattr(probe.sim, name, value)
    return probe


def named(value: object) -> str:
    return NAMES[value] if isinstance(value, type) else str(value)


@pytest.mark.parametrize(("kind", "does"), CASES, ids=named)
def test_interface_echoes(kind: type[Sim], does: str) -> None:
    with planted(kind) as probe:
        if does not in ("create", "validate"):
            probe.made()
        texts = {name: "x" for name in ("error", "code", "message", "id", "joinWebUrl")}
        for status in STATUSES:
            probe.script(
                does, Fault(status=status, echo=True, body=texts | probe.sim.error(status))
            )
            probe(does)
            probe.sim.calm()
        probe.script(does, Fault(status=502, echo=True, html=True))
        probe(does)
        assert CANARY not in probe.printed
        assert "Bearer" not in probe.printed


@pytest.mark.parametrize(
    ("kind", "refresh"),
    [(Google, False), (Google, True), (Zoom, False), (Zoom, True), (Graph, False)],
    ids=named,
)
def test_token_endpoint_echoes(kind: type[Sim], refresh: bool) -> None:
    for status in STATUSES:
        with planted(kind, refresh) as probe:
            probe.script("create", Fault(TOKEN, status=status, echo=True, body={"error": "x"}))
            probe("create")
            assert probe.asked_for_tokens() == 1
            assert CANARY not in probe.printed
            assert not re.search("(Basic|Bearer|assertion)", probe.printed)


@EVERY
def test_the_log_has_no_links(kind: type[Sim]) -> None:
    """Links open the door, with Zoom's the passcode comes along."""
    with Probe(kind) as probe:
        probe.made()
        url = probe.meeting["provider_url"]
        for does in FIRST[kind]:
            probe(does)
        log = "\n".join(line for line in probe.printed.splitlines() if "level=" in line)
        assert log.count("level=debug") > 5
        assert url not in log
        assert "pwd=" not in log


def test_names_of_the_account_are_no_secrets_and_nothing_else_is_told() -> None:
    """What a meeting's account says of the credentials: who, never how."""
    who = {
        Google: lambda probe: f"{probe.credentials['subject']}/primary",
        Zoom: lambda probe: probe.credentials["account_id"],
        Graph: lambda probe: f"{probe.credentials['tenant_id']}/{probe.settings['organizer']}",
    }
    for kind, account in who.items():
        with Probe(kind) as probe:
            assert probe.made().meeting["account"] == account(probe)
