"""Security settings that a provider does not grant: said in words, and not asked for for ever."""

import pytest
from google import Google
from graph import Graph
from probe import Probe
from zoom import Meeting, Zoom

ALL = {
    "waiting_room": True,
    "join_before_host": False,
    "mute_on_entry": True,
    "host_video": True,
    "passcode_required": True,
}


@pytest.mark.parametrize(
    ("dropped", "warned", "settings"),
    [
        ("waiting_room", "waiting_room", {}),
        ("mute_upon_entry", "mute_on_entry", {}),
        ("host_video", "host_video", {}),
        ("meeting_authentication", "authentication", {"authentication": "signed_in"}),
        ("alternative_hosts", "alternative_hosts", {"alternative_hosts": "b@lawyers.example"}),
    ],
)
def test_zoom_drops(dropped: str, warned: str, settings: dict) -> None:
    with Probe(Zoom) as probe:
        probe.security = ALL
        probe.settings |= settings
        probe.sim.dropped = {dropped}
        answer = probe("create")
        assert answer.warned == [warned]
        assert "Zoom did not" in answer.link["warnings"][0]["detail"]
        assert probe("read").state["drift"] == []
        # What was granted and is changed later has drifted all the same.
        (meeting,) = probe.sim.meetings.values()
        for name in ("waiting_room", "mute_upon_entry"):
            meeting.raw["settings"][name] = False
        assert set(probe("read").state["drift"]) == {"waiting_room", "mute_on_entry"} - {warned}


def test_zoom_grants_later() -> None:
    with Probe(Zoom) as probe:
        probe.sim.dropped = {"waiting_room"}
        assert probe("create").warned == ["waiting_room"]
        probe.sim.dropped = set()
        assert probe("update").warned == []
        assert probe.sim.live()[0].settings["waiting_room"] is True


def test_zoom_leaves_them_out_of_its_answer() -> None:
    """Then it is asked, once; and what it never says has not drifted."""
    with Probe(Zoom) as probe:
        shown, answers = probe.sim.shown, []

        def terse(meeting: Meeting) -> dict:
            answers.append(shown(meeting))
            return answers[-1] | ({"settings": {}} if len(answers) in hidden else {})

        probe.sim.shown, hidden = terse, {1}
        assert probe("create").warned == []
        assert len(answers) == 2
        hidden = {3, 4, 5}
        assert "does not say" in probe("update").link["warnings"][0]["detail"]
        assert probe("read").state["drift"] == []


def test_teams_drops_the_lobby() -> None:
    with Probe(Graph) as probe:
        probe.sim.dropped = {"lobbyBypassSettings"}
        assert "waiting_room" in probe("create").warned
        assert probe("read").state["drift"] == []


@pytest.mark.parametrize(
    ("security", "warned"),
    [
        ({}, ["mute_on_entry", "passcode_required"]),  # the default policy
        ({"mute_on_entry": False, "passcode_required": False}, []),
        (
            {"waiting_room": False, "mute_on_entry": False},
            ["join_before_host", "passcode_required"],
        ),
        ({"join_before_host": True}, ["join_before_host", "mute_on_entry", "passcode_required"]),
        (ALL, ["mute_on_entry", "host_video", "passcode_required"]),
    ],
    ids=str,
)
def test_google_warns_of_what_it_cannot_be_asked_for(security: dict, warned: list[str]) -> None:
    with Probe(Google) as probe:
        probe.security = security
        assert probe("create").warned == warned


@pytest.mark.parametrize(
    ("security", "warned"),
    [
        ({}, ["mute_on_entry"]),  # the default policy
        ({"mute_on_entry": False}, []),
        (ALL, ["mute_on_entry", "host_video"]),
    ],
    ids=str,
)
def test_teams_warns_of_what_it_cannot_be_asked_for(security: dict, warned: list[str]) -> None:
    with Probe(Graph) as probe:
        probe.security = security
        assert probe("create").warned == warned
