"""What a provider refuses by name: the meeting is made and changed all the same.

A passcode, a zone, a setting: it is left out, what the provider chose is adopted, a warning says
so, and the provider's reason is kept for administrators.
"""

import dataclasses
import re
from collections.abc import Callable

import pytest
from google import Google
from graph import Graph
from probe import NAMES, Probe
from sim import Sim
from zoom import Zoom

NUMERIC = re.compile(r"\d{6,10}")
ZONE = "Europe/Berlin"


def refusing(*paths: str, **more: object) -> Callable[[Sim], None]:
    def arrange(sim: Sim) -> None:
        sim.refused |= dict.fromkeys(paths, "Not allowed by the account.")
        for name, value in more.items():
            setattr(sim, name, value)

    return arrange


@dataclasses.dataclass
class Row:
    kind: type[Sim]
    name: str
    arrange: Callable[[Sim], None]
    warned: set[str]  # settings, besides what is never granted
    calls: int = 2  # of the first kind that sends a body with it


ROWS = [
    Row(Zoom, "passcode", refusing(passcodes=NUMERIC), {"passcode_required"}),
    Row(Zoom, "passcode in XML", refusing(passcodes=NUMERIC, xml=True), {"passcode_required"}),
    Row(Zoom, "zone", refusing(unknown_zones={ZONE}), {"timezone"}),
    Row(Zoom, "zone in XML", refusing(unknown_zones={ZONE}, xml=True), {"timezone"}),
    Row(Zoom, "no zone at all", refusing(unknown_zones={ZONE, "UTC"}), {"timezone"}, 3),
    Row(Zoom, "audio", refusing("settings.audio"), {"audio"}),
    Row(Zoom, "waiting room", refusing("settings.waiting_room"), {"waiting_room"}),
    Row(
        Zoom,
        "all at once",
        refusing(
            "settings.audio",
            "settings.use_pmi",
            "settings.auto_recording",
            passcodes=NUMERIC,
            unknown_zones={ZONE},
        ),
        {"audio", "use_pmi", "auto_recording", "passcode_required", "timezone"},
    ),
    Row(
        Zoom,
        "one by one",
        refusing("settings.audio", "settings.use_pmi", "settings.host_video", one_by_one=True),
        {"audio", "use_pmi"},
        4,
    ),
    Row(Google, "zone", refusing(unknown_zones={ZONE}), {"timezone"}),
    Row(Google, "no zone at all", refusing(unknown_zones={ZONE, "UTC"}), {"timezone"}, 3),
    Row(Graph, "presenters", refusing("allowedPresenters"), {"presenters"}),
    Row(Graph, "lobby", refusing("lobbyBypassSettings.scope"), {"waiting_room"}),
    Row(Graph, "callers", refusing("lobbyBypassSettings.isDialInBypassEnabled"), {"dial_in"}),
]
# What only the whole event of a creation has.
CREATED = [
    Row(Google, "visibility", refusing("visibility"), {"visibility"}),
    Row(Google, "reminders", refusing("reminders"), {"reminders"}),
    Row(Google, "guests", refusing("guestsCanModify"), {"guestsCanModify"}),
]


def named(value: object) -> str:
    return f"{NAMES[value.kind]} {value.name}" if isinstance(value, Row) else NAMES[value]


def kept(probe: Probe, warned: list[str], row: Row) -> None:
    """The meeting is as it was asked for, but for what was refused; people know the passcode."""
    (live,) = probe.sim.live()
    request = probe.request()
    assert (live.starts_at, live.ends_at) == (request["starts_at"], request["ends_at"])
    assert live.title == request["title"]
    assert row.warned <= set(warned), warned
    if row.kind is Zoom:
        assert probe.meeting["passcode"] == live.raw["password"]
        assert probe.meeting["provider_url"] == live.join_url


def sends(kind: type[Sim]) -> str:
    return "POST" if kind is not Graph else "PATCH"


def calls(probe: Probe, method: str) -> int:
    path = {Google: "/events", Zoom: "/meetings", Graph: "/onlineMeetings/*"}[type(probe.sim)]
    return probe.sim.count(method, path if method == "POST" or "*" in path else f"{path}/*")


@pytest.mark.parametrize("row", ROWS + CREATED, ids=named)
def test_created_all_the_same(row: Row) -> None:
    with Probe(row.kind) as probe:
        row.arrange(probe.sim)
        answer = probe("create")
        assert answer.err == "ok", answer.detail
        kept(probe, answer.warned, row)
        assert calls(probe, sends(row.kind)) == row.calls
        # Nothing of it has drifted: it is not asked for again and again.
        assert probe("read").state["drift"] == []


@pytest.mark.parametrize("row", ROWS, ids=named)
def test_changed_all_the_same(row: Row) -> None:
    with Probe(row.kind) as probe:
        probe.made()
        url = probe.meeting["provider_url"]
        before = calls(probe, "PATCH")
        row.arrange(probe.sim)
        probe.starts_at = probe.starts_at.replace(minute=30)
        answer = probe("update")
        assert answer.err == "ok", answer.detail
        # What it has of before is as it was asked for, and nothing to warn of.
        held = {"waiting_room"}
        kept(probe, [*answer.warned, *held], row)
        assert calls(probe, "PATCH") - before == row.calls
        assert probe.meeting["provider_url"] == url
        assert probe("read").state["drift"] == []


@pytest.mark.parametrize("row", ROWS, ids=named)
def test_adopted_all_the_same(row: Row) -> None:
    """The answer of the first call was lost, and the people have agreed on another time."""
    with Probe(row.kind) as probe:
        probe.made()
        probe.repeated, probe.meeting = True, {}
        row.arrange(probe.sim)
        probe.starts_at = probe.starts_at.replace(minute=30)
        answer = probe("create")
        assert answer.err == "ok", answer.detail
        kept(probe, [*answer.warned, "waiting_room"], row)


def test_a_lobby_is_looked_after_whatever_callers_do() -> None:
    """What Teams decides for callers says nothing of who waits in the lobby."""
    with Probe(Graph) as probe:
        refusing("lobbyBypassSettings.isDialInBypassEnabled")(probe.sim)
        answer = probe("create")
        assert "waiting_room" not in answer.warned and "dial_in" in answer.warned
        (meeting,) = probe.sim.meetings.values()
        meeting.raw["lobbyBypassSettings"]["scope"] = "everyone"
        assert probe("read").state["drift"] == ["waiting_room"]
        assert probe("update").err == "ok"
        assert meeting.raw["lobbyBypassSettings"]["scope"] == "organizer"
        assert probe("read").state["drift"] == []


def test_a_passcode_that_was_drawn_is_kept() -> None:
    with Probe(Zoom) as probe:
        probe.sim.passcodes = NUMERIC
        probe.made()
        drawn = probe.meeting["passcode"]
        assert NUMERIC.fullmatch(drawn)
        for minute in (15, 30):
            probe.starts_at = probe.starts_at.replace(minute=minute)
            answer = probe("update")
            assert (answer.err, probe.meeting["passcode"]) == ("ok", drawn)
            assert "passcode_required" not in answer.warned


def test_one_that_we_would_not_send_stays_as_it_is() -> None:
    """Zoom draws passcodes with characters that it does not take."""
    with Probe(Zoom) as probe:
        probe.made()
        (meeting,) = probe.sim.meetings.values()
        meeting.raw["password"] = probe.meeting["passcode"] = "a!b!c!d!e!f!g"
        probe.starts_at = probe.starts_at.replace(minute=30)
        assert probe("update").err == "ok"
        assert "password" not in probe.sim.seen("PATCH", "/meetings/*")[-1].body
        assert probe.meeting["passcode"] == meeting.raw["password"] == "a!b!c!d!e!f!g"


REQUIRED = [
    (Zoom, "topic"),
    (Zoom, "start_time"),
    (Zoom, "duration"),
    (Zoom, "agenda"),
    (Google, "summary"),
    (Google, "start.dateTime"),
    (Google, "conferenceData"),
    (Google, "extendedProperties"),
    (Graph, "startDateTime"),
    (Graph, "subject"),
]


@pytest.mark.parametrize(("kind", "path"), REQUIRED)
def test_what_is_needed_is_never_left_out(kind: type[Sim], path: str) -> None:
    with Probe(kind) as probe:
        refusing(path)(probe.sim)
        answer = probe("create")
        assert answer.err == "permanent"
        assert probe.sim.live() == []
        path = path if kind is not Google or "." in path else None
        assert path is None or f"(HTTP 400, field {path})" in answer.detail, answer.detail


def test_a_provider_that_refuses_field_after_field_comes_to_an_end() -> None:
    with Probe(Zoom) as probe:
        names = "audio use_pmi host_video approval_type auto_recording email_notification"
        refusing(*(f"settings.{name}" for name in names.split()), one_by_one=True)(probe.sim)
        answer = probe("create")
        assert answer.err == "permanent" and "field settings.auto_recording" in answer.detail
        assert probe.sim.count("POST", "/users/*/meetings") == 5


SECRET = "Ey747RFTzQ https://zoom.us/j/1?pwd=x ada@example.com Bearer abc.def"


@pytest.mark.parametrize("kind", list(NAMES), ids=named)
def test_reasons_are_for_administrators(kind: type[Sim]) -> None:
    """What the provider says is in a validation, and in the words for people only its field."""
    path = {Google: "summary", Zoom: "topic", Graph: "subject"}[kind]
    with Probe(kind) as probe:
        probe.sim.refused[path] = f"Too long for us: {SECRET}"
        answer = probe("create")
        assert answer.err == "permanent" and "Too long" not in answer.detail
        for word in SECRET.split()[:3]:
            assert word not in probe.printed
