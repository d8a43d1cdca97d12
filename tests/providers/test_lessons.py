"""What users of other systems suffered from.

A test for each row of LESSONS.md that is about providers, named after it.
"""

import datetime
import re
from collections.abc import Callable

import pytest
from google import Google
from graph import Graph
from probe import NAMES, PATIENCE_MS, TOKEN, Probe
from sim import Fault, Sim
from sim_rules import utc
from support import at_once
from zoom import Zoom

EVERY = pytest.mark.parametrize("kind", list(NAMES))


def raw(probe: Probe) -> dict:
    """The one meeting as the provider has it, to be changed there."""
    sim = probe.sim
    (one,) = sim.events.values() if isinstance(sim, Google) else sim.meetings.values()
    return one if isinstance(one, dict) else one.raw


def conferences(probe: Probe) -> list[str]:
    """The requestIds under which Google was asked for conferences."""
    return [
        call.body["conferenceData"]["createRequest"]["requestId"]
        for call in probe.sim.calls
        if isinstance(call.body, dict) and "conferenceData" in call.body
    ]


def test_lesson_08_google_invites_nobody() -> None:
    """Ours is the one invitation, so that Google's own UID is never mailed."""
    with Probe(Google) as probe:
        probe.made()
        for does in ("update", "remove"):
            assert probe(does).err == "ok"
        writes = [c for c in probe.sim.calls if c.method != "GET" and "events" in c.path]
        assert [call.method for call in writes] == ["POST", "PATCH", "DELETE"]
        for call in writes:
            assert call.query["sendUpdates"] == "none"
            assert "attendees" not in (call.body or {})


@EVERY
@pytest.mark.parametrize("link", ["integrations:zoom", "http://example.com/j/1", "", None, 7])
def test_lesson_10_no_success_without_an_https_link(kind: type[Sim], link: object) -> None:
    with Probe(kind) as probe:
        meeting = raw(probe.made())
        meeting.pop("conferenceData", None)
        meeting[{Google: "hangoutLink", Zoom: "join_url", Graph: "joinWebUrl"}[kind]] = link
        probe.repeated = True
        answer = probe("create")
        if kind is Google:  # is asked for another conference
            assert answer.link["url"].startswith("https://meet.google.com/")
        else:
            assert (answer.err, answer.link) == ("outcome_unknown", None)


@EVERY
def test_lesson_11_the_link_stays(kind: type[Sim]) -> None:
    """It is in the answer that made it, and no later answer takes it away."""
    with Probe(kind) as probe:
        first = probe("create").link
        assert first["url"].startswith("https://")
        probe.starts_at += datetime.timedelta(hours=1)
        later = probe("update").link
        assert (later["url"] or first["url"]) == first["url"] == probe.sim.live()[0].join_url
        assert (later["passcode"] or first["passcode"]) == first["passcode"]


def test_lesson_12_a_pending_conference_is_polled_and_not_made_again() -> None:
    with Probe(Google) as probe:
        probe.sim.conference("pending", polls=None)
        probe.total_ms = 700
        assert probe("create").err == "still_pending"
        assert probe("create").err == "still_pending"
        probe.sim.settle()
        probe.total_ms = PATIENCE_MS
        assert probe("create").link["url"] == probe.sim.live()[0].join_url
        assert probe.sim.count("POST", "/events") == 1
        assert len(conferences(probe)) == 1


def test_lesson_13_each_conference_is_asked_for_properly() -> None:
    """With the version that makes Google listen, under a name of its own."""
    with Probe(Google) as probe:
        probe.script("create", Fault(drop=True))
        assert probe("create").err == "outcome_unknown"
        assert probe("create").err == "ok"
        assert len(set(conferences(probe))) == 1  # the first may have come through
        probe.renew()
        probe.sim.conference("failure")
        assert probe("create").err == "ok"
        assert len(set(conferences(probe))) == 3
        for call in probe.sim.calls:
            if isinstance(call.body, dict) and "conferenceData" in call.body:
                assert call.query["conferenceDataVersion"] == "1"


def test_lesson_18_a_missing_right_to_delete_is_seen_at_setup() -> None:
    with Probe(Zoom) as probe:
        probe.sim.scopes -= {"meeting:delete:meeting:admin"}
        answer = probe("validate")
        assert (answer.err, "To delete meetings" in answer.detail) == ("permissions", True)
        assert probe.made()("remove").err == "provider_credential"
        assert len(probe.sim.live()) == 1
        probe.sim.scopes |= {"meeting:delete:meeting:admin"}
        assert probe("remove").err == "ok"
        assert not probe.sim.live()


@EVERY
def test_lesson_18_the_wrong_account_does_not_pass_for_deleted(kind: type[Sim]) -> None:
    with Probe(kind) as probe, Probe(kind) as other:
        other.meeting = probe.made().meeting
        if kind is Google:
            other.settings["calendar_id"] = other.sim.subject
        for does in ("remove", "update", "read"):
            assert other(does).err in (
                "permanent",
                "provider_credential",
                "provider_unavailable",
            )
        assert probe("remove").err == "ok"


@EVERY
def test_lesson_19_what_is_not_there_is_deleted(kind: type[Sim]) -> None:
    with Probe(kind) as probe:
        probe.made()
        for _ in range(2):
            assert probe("remove").err == "ok"
        for status in (404, 410):
            probe.script("remove", Fault(status=status))
            assert probe("remove").err == "ok"


@EVERY
def test_lesson_19_what_was_never_learnt_is_deleted(kind: type[Sim]) -> None:
    """Found by our own mark, for no answer ever named it."""
    with Probe(kind) as probe:
        probe.script("create", Fault(drop=True, when="after"))
        assert probe("create").err == "outcome_unknown"
        assert len(probe.sim.live()) == 1
        for _ in range(2):
            assert probe("remove").err == "ok"
            assert not probe.sim.live()


CHANGES: dict[type[Sim], Callable[[dict, str], object]] = {
    Google: lambda raw, at: raw["end"].update(dateTime=at),
    Zoom: lambda raw, _: raw.update(duration=120),
    Graph: lambda raw, at: raw.update(endDateTime=at.replace("Z", ".0000000Z")),
}


@EVERY
def test_lesson_21_changes_at_the_provider_are_seen_and_undone(kind: type[Sim]) -> None:
    with Probe(kind) as probe:
        meeting, ends_at = raw(probe.made()), utc(probe.starts_at + datetime.timedelta(hours=2))
        CHANGES[kind](meeting, ends_at)
        assert probe("read").state["ends_at"] == ends_at
        assert probe("update").err == "ok"
        state = probe("read").state
        assert state["starts_at"] == utc(probe.starts_at)
        assert state["ends_at"] == utc(probe.starts_at + datetime.timedelta(minutes=45))
        assert state["drift"] == []


def test_lesson_21_settings_changed_at_the_provider_are_seen() -> None:
    with Probe(Zoom) as zoom, Probe(Graph) as teams, Probe(Google) as google:
        raw(zoom.made())["settings"]["waiting_room"] = False
        raw(teams.made())["lobbyBypassSettings"]["scope"] = "everyone"
        raw(google.made()).pop("conferenceData")
        raw(google).pop("hangoutLink")
        assert zoom("read").state["drift"] == ["waiting_room"]
        assert teams("read").state["drift"] == ["waiting_room"]
        assert google("read").state["drift"] == ["conference"]
        for probe in (zoom, teams, google):
            assert probe("update").err == "ok"
            assert probe("read").state["drift"] == []


@pytest.mark.parametrize("required", [True, False])
@pytest.mark.parametrize("changed", ["passcode", "link", "removed"])
def test_lesson_21_what_people_were_told_is_seen_to_change(changed: str, required: bool) -> None:
    """Whether the passcode was asked for or drawn by the account. It is told anew once."""
    with Probe(Zoom) as probe:
        if not required:
            probe.security = {"passcode_required": False}
            probe.sim.passcodes = re.compile(r"\d{6,10}")
        meeting = raw(probe.made())
        told, url = probe.meeting["passcode"], probe.meeting["provider_url"]
        assert probe("read").state["drift"] == []
        if changed == "removed":
            del meeting["password"]
            meeting["join_url"] = url.partition("?")[0]
        elif changed == "passcode":
            probe.sim.set_password(meeting, "918273")
        else:
            meeting["join_url"] = url + "0"
        assert probe("read").state["drift"]
        answer = probe("update")
        assert answer.err == "ok", answer.detail
        assert answer.link["url"] == meeting["join_url"] != url
        assert answer.link["passcode"] == meeting.get("password")
        # What was asked for is set again; what the account drew is the account's.
        kept = required or changed == "link"
        assert (answer.link["passcode"] == told) is kept
        assert probe("read").state["drift"] == []


def test_a_telephone_is_told_the_passcode_in_digits() -> None:
    """With the passcode it changes, too."""
    number = {"number": "+49 69 7104 9922", "country_name": "Germany"}
    with Probe(Zoom) as probe:
        meeting = raw(probe.made())
        meeting["settings"]["global_dial_in_numbers"] = [number]
        pins = set()
        for passcode in (probe.meeting["passcode"], "Other-1"):
            probe.meeting["passcode"] = passcode
            (text,) = probe("update").link["dial_in"]
            pins.add(pin := meeting["pstn_password"])
            told = f"+49 69 7104 9922 (Germany), ID {meeting['id']}, PIN {pin}"
            assert text == told
        assert len(pins) == 2


@EVERY
def test_lesson_22_an_expired_token_is_renewed_and_not_shown(kind: type[Sim]) -> None:
    with Probe(kind) as probe:
        probe.made().sim.expire_tokens()
        assert probe("update").link["url"]


@pytest.mark.parametrize(
    ("kind", "words"),
    [(Zoom, "connect the account again"), (Google, "sign in to Google again")],
)
def test_lesson_22_a_lost_consent_is_said_in_words(kind: type[Sim], words: str) -> None:
    with Probe(kind, refresh=True) as probe:
        probe.credentials["refresh_token"] = "taken-back"
        answer = probe("create")
        assert (answer.err, words in answer.detail) == ("provider_credential", True)


@pytest.mark.parametrize("kind", [Google, Zoom])
def test_lesson_23_two_at_once_refresh_once(kind: type[Sim]) -> None:
    """Or the second would spend a refresh token that the first has had replaced."""
    with Probe(kind, refresh=True) as probe:
        probe.sim.token_lifetime = 250  # is due for renewal at once
        probe.made()
        probe.sim.token_lifetime = 3599
        asked = probe.asked_for_tokens()
        probe.sim.script(Fault(TOKEN, delay=0.3))
        answers = at_once([lambda: probe("read")] * 4)
        assert [answer.err for answer in answers] == ["ok"] * 4
        assert probe.asked_for_tokens() == asked + 1


def test_lesson_24_zoom_says_when_the_day_begins_anew() -> None:
    with Probe(Zoom) as probe:
        probe.sim.daily_limit = 1
        probe.made()
        answer = probe("update")
        now = datetime.datetime.now(datetime.UTC)
        left = 86400 - (now.hour * 60 + now.minute) * 60 - now.second
        assert answer.err == "provider_unavailable"
        assert abs(answer.retry_after_s - left) < 30
        assert "00:00 UTC" in answer.detail
        for does in ("read", "host_url", "remove"):
            assert probe(does).err == "ok"


def test_lesson_25_a_host_link_is_fetched_for_the_click() -> None:
    """It dies after two hours and lets anybody in as the host: no other answer has it."""
    with Probe(Zoom) as probe:
        probe.made()
        urls = [probe("host_url").url for _ in range(2)]
        assert len(set(urls)) == 2
        for does in ("update", "read", "validate"):
            probe(does)
        assert "zak=" not in probe.printed
        assert "/s/" not in probe.printed


def test_lesson_26_zoom_forces_a_waiting_room() -> None:
    """Without a passcode; and a waiting room overrides joining before the host."""
    with Probe(Zoom) as probe:
        probe.security = {"waiting_room": False, "passcode_required": False}
        link = probe("create")
        assert link.warned == ["waiting_room"]
        assert probe("read").state["drift"] == []
    with Probe(Zoom) as probe:
        probe.security = {"waiting_room": True, "join_before_host": True}
        assert probe("create").warned == ["join_before_host"]
        assert probe.sim.live()[0].settings["join_before_host"] is False
        assert probe("read").state["drift"] == []


@EVERY
def test_lesson_33_always_a_room_of_its_own(kind: type[Sim]) -> None:
    with Probe(kind) as probe:
        urls = {probe("create").link["url"]}
        probe.renew()
        urls |= {probe("create").link["url"]}
        probe.replace()  # a new link for the same request
        urls |= {probe("create").link["url"]}
        assert len(urls) == len(probe.sim.live()) == 3
