"""Property 2: whatever the policy, whatever is enabled and whoever is asked for, the meeting is
made at exactly that provider with exactly the calls that its API prescribes, and nobody else is
asked; a provider that is not enabled or not known is refused, and nothing has changed.

Validates: Requirements 1.5, 3.2, 3.3
"""

import re
from collections.abc import Iterator
from unittest.mock import ANY

import hypothesis
import hypothesis.strategies as st
import pytest
from simulated import NAMES, Simulated

JBH_OR_WAITING = st.sampled_from([(True, False), (False, True), (False, False)])
SECURITY = st.builds(
    lambda waiting, *rest: dict(
        zip(
            (
                "waiting_room",
                "join_before_host",
                "mute_on_entry",
                "host_video",
                "passcode_required",
            ),
            (*waiting, *rest),
            strict=True,
        )
    ),
    JBH_OR_WAITING,
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
LINE = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=200)
UNKNOWN = st.one_of(
    st.sampled_from(["skype", "ZOOM", "zoom ", "google", "", "teams/../zoom", "j" * 70]),
    st.text(st.characters(exclude_categories=("Cs",)), max_size=70),
).filter(lambda name: name not in NAMES)
WORLDS = st.fixed_dictionaries(
    {
        "default": st.sampled_from(NAMES),
        "enabled": st.sets(st.sampled_from(NAMES)),
        "fails_over": st.booleans(),
        "refresh": st.booleans(),
        "security": SECURITY,
    }
)
DRAFTS = st.fixed_dictionaries(
    {"title": LINE, "duration_minutes": st.integers(5, 1440)},
    optional={
        "description": st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=4000),
        "timezone": st.sampled_from(["Asia/Kathmandu", "America/St_Johns", "UTC"]),
    },
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, mongodb_uri: str) -> Iterator[Simulated]:
    with Simulated(tmp_path_factory.mktemp("selection") / "stack", mongodb_uri) as world:
        yield world


def begin(world: Simulated, wanted: dict) -> set[str]:
    """The enabled providers."""
    enabled = wanted["enabled"] | {wanted["default"]}
    bodies = world.renew(wanted["refresh"])
    world.enable(
        {name: bodies[name] for name in enabled},
        default_provider=wanted["default"],
        failover=sorted(enabled - {wanted["default"]}) if wanted["fails_over"] else [],
        security=wanted["security"],
    )
    return enabled


def cut(text: str, units: int) -> str:
    """What Zoom takes of it: so many units of UTF-16, no half characters."""
    return text.encode("utf-16-le")[: 2 * units].decode("utf-16-le", "ignore")


def google_calls(world: Simulated, wanted: dict, request: dict) -> list[tuple]:
    sim = world["google_meet"]
    (event,) = sim.events.values()
    token = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": ANY}
    if wanted["refresh"]:
        names = ("client_id", "client_secret", "refresh_token")
        token = {name: getattr(sim, name) for name in names} | {"grant_type": "refresh_token"}
    assert re.fullmatch("[0-9a-v]{26,}", event["id"])
    body = {
        "id": event["id"],
        "summary": request["title"],
        "description": ANY,
        "start": {"dateTime": request["starts_at"], "timeZone": request["timezone"]},
        "end": {"dateTime": request["ends_at"], "timeZone": request["timezone"]},
        "status": "confirmed",
        "visibility": "private",
        "guestsCanModify": False,
        "reminders": {"useDefault": False},
        "extendedProperties": {"private": {"bookingId": request["id"], "meetlinkKey": ANY}},
        "conferenceData": {
            "createRequest": {
                "requestId": event["id"],
                "conferenceSolutionKey": {"type": "hangoutsMeet"},
            }
        },
    }
    query = {"conferenceDataVersion": "1", "sendUpdates": "none"}
    # A service account asks for the scope of the Meet API first, which nobody delegated to it.
    tokens = [("POST", "/token", {}, token)] * (1 if wanted["refresh"] else 2)
    return [*tokens, ("POST", "/calendar/v3/calendars/primary/events", query, body)]


def zoom_calls(world: Simulated, wanted: dict, request: dict) -> list[tuple]:
    sim, security = world["zoom"], wanted["security"]
    token = {"grant_type": "account_credentials", "account_id": sim.account_id}
    if wanted["refresh"]:
        token = {"grant_type": "refresh_token", "refresh_token": sim.refresh_tokens[-2]}
    body = {
        "topic": cut(request["title"], 200),
        "agenda": ANY,
        "type": 2,
        "start_time": request["starts_at"],
        "timezone": request["timezone"],
        "duration": request["duration_minutes"],
        "settings": {
            "waiting_room": security["waiting_room"],
            "join_before_host": security["join_before_host"],
            "mute_upon_entry": security["mute_on_entry"],
            "host_video": security["host_video"],
            "meeting_authentication": False,
            "participant_video": False,
            "use_pmi": False,
            "email_notification": False,
            "alternative_hosts_email_notification": False,
            "approval_type": 2,
            "auto_recording": "none",
            "audio": "both",
        },
    }
    if security["passcode_required"]:
        body["password"] = request["meeting"]["passcode"]
    (meeting,) = sim.meetings.values()
    assert re.fullmatch(r"Ref: [\w-]{22}", meeting.raw["agenda"]), "nothing of the case"
    host = "me" if wanted["refresh"] else sim.host
    return [("POST", "/oauth/token", {}, token), ("POST", f"/v2/users/{host}/meetings", {}, body)]


def teams_calls(world: Simulated, wanted: dict, request: dict) -> list[tuple]:
    sim = world["teams"]
    token = {
        "grant_type": "client_credentials",
        "client_id": sim.client_id,
        "client_secret": sim.client_secret,
        "scope": "https://graph.microsoft.com/.default",
    }
    plan = {
        "subject": request["title"],
        "startDateTime": request["starts_at"],
        "endDateTime": request["ends_at"],
    }
    scope = "organizer" if wanted["security"]["waiting_room"] else "everyone"
    options = {
        "lobbyBypassSettings": {"scope": scope, "isDialInBypassEnabled": False},
        "allowedPresenters": "organizer",
    }
    (meeting,) = sim.meetings.values()
    assert re.fullmatch(r"meetlink-[\w-]{22}", meeting.external_id)
    path = f"/v1.0/users/{sim.organizer}/onlineMeetings"
    return [
        ("POST", f"/{sim.tenant_id}/oauth2/v2.0/token", {}, token),
        ("POST", f"{path}/createOrGet", {}, plan | {"externalId": meeting.external_id}),
        ("PATCH", f"{path}/{meeting.raw['id']}", {}, plan | options),
    ]


PRESCRIBED = {"google_meet": google_calls, "zoom": zoom_calls, "teams": teams_calls}


def check_link(world: Simulated, request: dict, name: str, client_view: dict) -> None:
    """That both people are shown the provider's label, and sent to its room."""
    places = set()
    for view in (request, client_view):
        meeting = view["meeting"]
        assert (meeting["status"], meeting["provider"]) == ("ready", name)
        assert (meeting["requested_provider"], meeting["last_error"]) == (name, None)
        assert "provider_failover" not in {one["code"] for one in meeting["warnings"]}
        answer = world.stack.anyone().get(meeting["join_url"])
        assert answer.status_code == 302
        places.add(answer.headers["Location"])
    (place,) = places
    if name == "jitsi":
        assert re.fullmatch(r"https://meet\.jit\.si/meetlink-[0-9a-f]{32}", place)
        assert world.live() == []
        return
    ((made_at, made),) = world.live()
    assert (made_at, place) == (name, made.join_url)
    assert (made.starts_at, made.ends_at) == (request["starts_at"], request["ends_at"])
    passcode = made.raw.get("joinMeetingIdSettings", {}).get("passcode", made.raw.get("password"))
    assert request["meeting"]["passcode"] == passcode


@hypothesis.settings(max_examples=40)
@hypothesis.given(
    wanted=WORLDS, draft=DRAFTS, minutes=st.integers(2, 14), explicit=st.sampled_from(NAMES)
)
def test_a_meeting_is_made_at_the_provider_that_was_chosen(
    world: Simulated, wanted: dict, draft: dict, minutes: int, explicit: str
) -> None:
    enabled = begin(world, wanted)
    choice = {"provider": explicit} if explicit in enabled else {}
    name = choice.get("provider", wanted["default"])
    parties = world.stack.parties()
    asked = parties.create(starts_at=world.stack.at(minutes=minutes), **draft)
    assert not any(world.asked().values()), "nobody is asked before"
    request = parties.accept(asked, **choice)
    assert parties.accept(asked, **choice)["meeting"] == request["meeting"], "and again"
    world.stack.settle(request["id"])
    check_link(world, request, name, parties.client.request(request["id"]))
    expected = {other: [] for other in PRESCRIBED}
    if name in PRESCRIBED:
        expected[name] = PRESCRIBED[name](world, wanted, request)
    assert world.asked() == expected
    calls = [call for sim in world.sims.values() for call in sim.calls]
    refused = [(call.path, call.status) for call in calls if call.status not in (200, 201)]
    narrowed = name == "google_meet" and not wanted["refresh"]
    assert refused == [("/token", 401)] * narrowed


@hypothesis.settings(max_examples=20)
@hypothesis.given(wanted=WORLDS, unknown=UNKNOWN)
def test_any_other_provider_is_refused(world: Simulated, wanted: dict, unknown: str) -> None:
    enabled = begin(world, wanted)
    parties = world.stack.parties()
    request = parties.create(starts_at=world.stack.at(minutes=5))
    before = world.stack.settle(request["id"])
    for name in [*sorted(set(NAMES) - enabled), unknown, 7, [wanted["default"]], {}]:
        answer = parties.lawyer.respond(request["id"], "accept", provider=name)
        assert answer.status_code == 422, (name, answer.text)
        (error,) = answer.json()["errors"]
        assert error["pointer"] == "/provider" and error["detail"]
        assert world.stack.document(request["id"]) == before
    assert not any(world.asked().values())
    accepted = parties.accept(request)
    check_link(world, accepted, wanted["default"], parties.client.request(request["id"]))
