"""Security settings that a provider does not grant: said in words, and not asked for for ever."""

import pytest
from google import Google
from google_spaces import rpc
from graph import Graph
from probe import Probe
from sim import Fault
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


BARE = {"waiting_room": False, "mute_on_entry": False, "passcode_required": False}


@pytest.mark.parametrize("refresh", [False, True], ids=["service account", "consent"])
@pytest.mark.parametrize(
    ("security", "default", "access", "moderation", "warned"),
    [
        ({}, "OPEN", "TRUSTED", "ON", ["mute_on_entry", "passcode_required"]),
        (BARE | {"waiting_room": True}, "OPEN", "TRUSTED", "ON", []),
        (BARE | {"waiting_room": True}, "RESTRICTED", "RESTRICTED", "ON", []),
        (BARE | {"join_before_host": True}, "TRUSTED", "OPEN", "OFF", []),
        (BARE, "OPEN", "TRUSTED", "OFF", ["join_before_host"]),
        (BARE, "RESTRICTED", "RESTRICTED", "OFF", []),
    ],
    ids=str,
)
def test_google_sets_who_may_enter_where_it_was_granted(
    refresh: bool, security: dict, default: str, access: str, moderation: str, warned: list[str]
) -> None:
    with Probe(Google, refresh) as probe:
        probe.sim.grant_meet()
        probe.sim.defaults["accessType"] = default
        probe.security = security
        answer = probe("create")
        assert answer.warned == warned
        config = probe.sim.space(answer.link["url"]).config
        assert (config["accessType"], config["moderation"]) == (access, moderation)
        if moderation == "ON":
            assert config["moderationRestrictions"] == {
                "chatRestriction": "NO_RESTRICTION",
                "reactionRestriction": "NO_RESTRICTION",
                "presentRestriction": "NO_RESTRICTION",
                "defaultJoinAsViewerType": "OFF",
            }
        assert probe("read").state["drift"] == []


@pytest.mark.parametrize(
    ("trouble", "again"),
    [
        (Fault("GET /v2/spaces/*", status=403, body=rpc(403, "PERMISSION_DENIED", "No")), False),
        (Fault("GET /v2/spaces/*", status=404), True),
        (Fault("GET /v2/spaces/*", status=429), True),
        (Fault("GET /v2/spaces/*", status=503), True),
        (Fault("GET /v2/spaces/*", html=True), True),
        (Fault("GET /v2/spaces/*", hang=True), True),
        (Fault("GET /v2/spaces/*", cut=True, when="after"), True),
        (Fault("PATCH /v2/spaces/*", status=429), True),
        (Fault("PATCH /v2/spaces/*", status=500, when="after"), True),
        (Fault("PATCH /v2/spaces/*", drop=True), True),
        (Fault("PATCH /v2/spaces/*", hang=True), True),
    ],
    ids=str,
)
def test_google_has_the_meeting_whatever_becomes_of_its_settings(
    trouble: Fault, again: bool
) -> None:
    """The next comparison asks for the update that sets them."""
    with Probe(Google) as probe:
        probe.sim.grant_meet()
        probe.sim.defaults["accessType"] = "OPEN"
        probe.attempt_ms = 400
        probe.sim.script(trouble)
        answer = probe("create")
        assert answer.err == "ok" and answer.link["url"] and len(probe.sim.live()) == 1
        warned = [w["detail"] for w in answer.link["warnings"] if "tried again" in w["detail"]]
        assert bool(warned) == again and "waiting_room" in answer.warned
        assert probe("read").state["drift"] == ["security"]
        answer = probe("update")
        assert "waiting_room" not in answer.warned
        assert probe.sim.space(answer.link["url"]).config["accessType"] == "TRUSTED"
        assert probe("read").state["drift"] == []


def test_google_refuses_what_the_administrator_forbids() -> None:
    with Probe(Google) as probe:
        probe.sim.grant_meet()
        probe.sim.defaults["accessType"] = "OPEN"
        probe.sim.refuses = {"config.moderation"}
        assert probe("create").warned.count("waiting_room") == 1
        probe.sim.refuses |= {"config.accessType"}
        probe.sim.space(probe.sim.live()[0].join_url).config["accessType"] = "OPEN"
        assert probe("read").state["drift"] == ["security"]
        assert probe("update").warned.count("waiting_room") == 2
        assert probe("read").state["drift"] == [], "that was said"


def test_google_sets_a_conference_that_was_remade() -> None:
    with Probe(Google) as probe:
        probe.sim.grant_meet()
        probe.sim.defaults["accessType"] = "OPEN"
        first = probe("create").link["url"]
        event = probe.sim.live()[0]
        with probe.sim.lock:
            stored = probe.sim.events[(probe.sim.subject, event.id)]
            del stored["conferenceData"], stored["hangoutLink"]
        assert probe("read").state["drift"] == ["conference"]
        second = probe("update").link["url"]
        assert second != first
        assert probe.sim.space(second).config["accessType"] == "TRUSTED"


def test_google_finds_a_scope_that_was_granted_since() -> None:
    with Probe(Google) as probe:
        probe.made()
        scope = "https://www.googleapis.com/auth/meetings.space.settings"
        assert [c["name"] for c in probe("validate").checks] == SHALLOW
        assert scope in probe("validate").checks[-1]["detail"]
        probe.sim.grant_meet()
        assert "is set for each meeting" in probe("validate").checks[-1]["detail"]
        assert probe("read").state["drift"] == ["security"]


SHALLOW = ["token", "permissions", "meet_settings"]


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
