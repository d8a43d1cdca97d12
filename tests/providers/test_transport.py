"""What goes wrong on the way: each fault with each operation of each provider."""

import dataclasses
import datetime

import pytest
from google import Google
from graph import Graph
from probe import FIRST, NAMES, PATIENCE_MS, Probe
from sim import Fault, Sim
from zoom import Zoom


@dataclasses.dataclass
class Trouble:
    """`made` says what comes of a POST, which nothing may follow blindly; `else_` of the rest."""

    fault: Fault
    made: str
    else_: str


UNKNOWN = "outcome_unknown", "temporary"
AFTER = {"when": "after"}
HUGE = {"id": "x" * (2 << 20)}
TROUBLES = {
    "refused": Trouble(Fault(refuse=True), *UNKNOWN),
    "hangs": Trouble(Fault(hang=True), *UNKNOWN),
    "hangs, done": Trouble(Fault(hang=True, **AFTER), *UNKNOWN),
    "dropped": Trouble(Fault(drop=True), *UNKNOWN),
    "dropped, done": Trouble(Fault(drop=True, **AFTER), *UNKNOWN),
    "reset": Trouble(Fault(reset=True), *UNKNOWN),
    "reset, done": Trouble(Fault(reset=True, **AFTER), *UNKNOWN),
    "cut amid the answer": Trouble(Fault(cut=True, **AFTER), *UNKNOWN),
    "cut amid an error": Trouble(Fault(cut=True, status=500), *UNKNOWN),
    "cut amid chunks": Trouble(Fault(cut=True, chunked=True, **AFTER), *UNKNOWN),
    "HTML 502": Trouble(Fault(status=502, html=True), *UNKNOWN),
    "HTML 502, done": Trouble(Fault(status=502, html=True, **AFTER), *UNKNOWN),
    "500": Trouble(Fault(status=500), *UNKNOWN),
    "500, done": Trouble(Fault(status=500, **AFTER), *UNKNOWN),
    "503, done": Trouble(Fault(status=503, **AFTER), *UNKNOWN),
    "huge": Trouble(Fault(status=200, body=HUGE, **AFTER), *UNKNOWN),
    "huge error": Trouble(Fault(status=500, body=HUGE), *UNKNOWN),
    "truncated JSON": Trouble(Fault(status=200, body='{"id": "ab', **AFTER), *UNKNOWN),
    "HTML 200": Trouble(Fault(status=200, html=True, **AFTER), *UNKNOWN),
    "JSON, but a list": Trouble(Fault(status=200, body=b"[1]", **AFTER), *UNKNOWN),
    "redirect": Trouble(Fault(status=302, times=None), "permanent", "permanent"),
    "redirect that keeps the body": Trouble(
        Fault(status=307, times=None), "permanent", "permanent"
    ),
    "another content type": Trouble(
        Fault(headers={"Content-Type": "text/plain"}, **AFTER), "ok", "ok"
    ),
    "in pieces": Trouble(Fault(split=True, **AFTER), "ok", "ok"),
    "in chunks": Trouble(Fault(chunked=True, **AFTER), "ok", "ok"),
}
# What these say is all that a call wants to know that needs no answer in JSON.
ENOUGH = {"truncated JSON", "HTML 200", "JSON, but a list"}
NEEDS_NO_JSON = {(Google, "remove"), (Zoom, "update"), (Zoom, "remove"), (Graph, "remove")}

CONF = {Google: "GOOGLE", Zoom: "ZOOM", Graph: "TEAMS"}
EVERY = pytest.mark.parametrize("kind", list(NAMES))
CASES = [
    (kind, does, name)
    for kind in NAMES
    for does in FIRST[kind]
    if does != "validate"
    for name in TROUBLES
]


@pytest.mark.parametrize(
    ("kind", "does", "name"),
    CASES,
    ids=[f"{NAMES[kind]} {does}: {name}" for kind, does, name in CASES],
)
def test_trouble(kind: type[Sim], does: str, name: str) -> None:
    trouble = TROUBLES[name]
    expected = trouble.made if does == "create" else trouble.else_
    if name in ENOUGH and (kind, does) in NEEDS_NO_JSON:
        expected = "ok"
    with Probe(kind) as probe, kind() as other:
        if does == "create":
            probe("validate")  # gets a token
        else:
            probe.made()
        if does == "update":
            probe.starts_at += datetime.timedelta(hours=3)
        before = probe.asked_for_tokens()
        fault = trouble.fault
        if fault.status in (302, 307):
            there = f"{other.conf[f'{CONF[kind]}_API_URL']}/elsewhere"
            fault = dataclasses.replace(fault, headers={"Location": there})
        probe.attempt_ms = 300 if fault.hang else PATIENCE_MS
        probe.script(does, fault)
        answer = probe(does)
        assert answer.err == expected, answer.detail
        assert not other.calls

        # After that, as if nothing had been; even what was made may not be known to us.
        probe.sim.calm()
        probe.attempt_ms, probe.repeated = PATIENCE_MS, True
        assert probe(does).err == "ok"
        live = probe.sim.live()
        assert len(live) == (does != "remove")
        if does != "remove":
            assert live[0].starts_at == f"{probe.starts_at:%Y-%m-%dT%H:%M:%SZ}"
        assert probe.asked_for_tokens() == before


@EVERY
def test_trouble_while_it_is_set_up(kind: type[Sim]) -> None:
    with Probe(kind) as probe:
        for name, trouble in TROUBLES.items():
            probe.attempt_ms = 300 if trouble.fault.hang else PATIENCE_MS
            probe.script("validate", trouble.fault)
            answer = probe("validate")
            probe.sim.calm()
            assert (answer.err == "ok") == (trouble.else_ == "ok"), name
            assert answer.checks[0]["ok"], name
        assert probe("validate").err == "ok"


@EVERY
def test_nobody_listens(kind: type[Sim]) -> None:
    """Nothing was sent, and that is known: for no operation is the outcome in doubt."""
    with Probe(kind) as probe:
        probe("validate")
        probe.sim.down()
        assert probe("create").err == "temporary"
        probe.sim.up()
        probe.made().sim.down()
        for does in FIRST[kind].keys() - {"create", "validate"}:
            assert probe(does).err == "temporary"
        probe.sim.up()
        assert len(probe.sim.live()) == 1


@EVERY
def test_repeated_while_nobody_answers(kind: type[Sim]) -> None:
    """What may have been made stays in doubt until it has been looked up."""
    with Probe(kind) as probe:
        probe.script("create", Fault(drop=True, when="after"))
        assert probe("create").err == "outcome_unknown"
        probe.sim.script(Fault(status=500, times=None))
        assert probe("create").err in ("outcome_unknown", "temporary")
        assert probe.repeated
        probe.sim.calm()
        assert probe("create").err == "ok"
        assert len(probe.sim.live()) == 1


@EVERY
@pytest.mark.parametrize("does", ["create", "update", "remove"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_of_a_later_call(kind: type[Sim], does: str, when: str) -> None:
    """Each call of an operation may be the one that fails, and none of them is the end."""
    for skip in (1, 2):
        with Probe(kind) as probe:
            if does == "create":
                probe.sim.dropped = {"waiting_room"}  # Zoom is asked once more
                probe("validate")
            else:
                probe.made()
            for meeting in probe.sim.meetings.values() if does == "remove" and kind is Zoom else []:
                meeting.raw["status"] = "started"
            probe.sim.script(Fault(skip=skip, drop=True, when=when))
            assert probe(does).err in ("ok", UNKNOWN[does != "create"])
            probe.sim.calm()
            probe.repeated = True
            assert probe(does).err == "ok"
            assert len(probe.sim.live()) == (does != "remove")
