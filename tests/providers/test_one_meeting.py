"""The promise: whatever goes wrong, there is one meeting once it is made, and none once removed."""

import dataclasses

import hypothesis
import pytest
from google import Google
from graph import Graph
from hypothesis import strategies as st
from probe import NAMES, PATIENCE_MS, TOKEN, Probe
from sim import CHAOS, Fault, Sim
from support import until
from zoom import PER_SECOND, Zoom

REFUSED = {
    Google: Fault(status=403),  # of a rate limit
    Zoom: Fault(**PER_SECOND),
    Graph: Fault(status=423),
}
FAULTS = {
    **CHAOS,
    "429": Fault(status=429),
    "hang": Fault(hang=True),
    "hang after": Fault(hang=True, when="after"),
    "cut": Fault(cut=True, status=500),
    "401": Fault(status=401),
    "truncated": Fault(status=200, body='{"id": "', when="after"),
    "redirect": Fault(status=307, headers={"Location": "http://127.0.0.1:1/"}),
    "token 503": Fault(TOKEN, status=503),
    "gone": Fault(refuse=True),
    "refused": None,  # in the provider's own way
}
del FAULTS["slow"]
STEPS = st.lists(
    st.lists(st.tuples(st.sampled_from(sorted(FAULTS)), st.integers(0, 2)), min_size=1, max_size=3),
    min_size=1,
    max_size=4,
)


def trouble(probe: Probe, does: str, faults: list[tuple[str, int]]) -> str:
    """One try of an operation with these faults, each after so many calls; the outcome."""
    for name, skip in faults:
        fault = FAULTS[name] or REFUSED[type(probe.sim)]
        probe.sim.script(dataclasses.replace(fault, skip=skip))
    probe.attempt_ms, probe.total_ms = 300, 3000
    err = probe(does).err
    probe.attempt_ms = probe.total_ms = PATIENCE_MS
    probe.sim.calm()
    return err


@pytest.mark.parametrize("kind", list(NAMES))
@hypothesis.given(creation=STEPS, removal=STEPS)
@hypothesis.settings(max_examples=20)
def test_one_and_then_none(kind: type[Sim], creation: list, removal: list) -> None:
    with Probe(kind) as probe:
        probe("validate")
        for faults in creation:
            if trouble(probe, "create", faults) == "ok":
                break
            # What is said not to be done is not; what is in doubt is there once at most.
            assert len(probe.sim.live()) <= probe.repeated
        if not probe.meeting:
            until(lambda: probe("create").err == "ok", "a meeting")
        assert len(probe.sim.live()) == 1
        probe.repeated = True  # the program ended before it could keep what it was told
        assert probe("create").err == "ok"
        assert len(probe.sim.live()) == 1
        for faults in removal:
            if trouble(probe, "remove", faults) == "ok":
                break
            assert len(probe.sim.live()) <= 1
        assert probe("remove").err == "ok"
        assert not probe.sim.live()
