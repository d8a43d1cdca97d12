"""Property 3: whatever the security policy, the provider is asked for exactly that, and what it
does not grant is a warning, in words; ids and rooms are each made for one meeting only and cannot
be guessed; and the door opens and closes when the policy of the meeting's making says.

Validates: Requirements 4.1, 4.2, 4.3, 4.5
"""

import datetime
import re
from collections.abc import Iterator

import hypothesis
import hypothesis.strategies as st
import pytest
from providers import unique
from sim import Live
from simulated import NAMES, Simulated

SETTINGS = ("waiting_room", "join_before_host", "mute_on_entry", "host_video", "passcode_required")
# What each provider can be asked for; what it is called there (docs/providers).
ZOOM = {
    "waiting_room": "waiting_room",
    "join_before_host": "join_before_host",
    "mute_on_entry": "mute_upon_entry",
    "host_video": "host_video",
}
LOBBY = {True: "organizer", False: "everyone"}  # of Teams: who need not wait
SECURITY = st.fixed_dictionaries({name: st.booleans() for name in SETTINGS}).filter(
    lambda asked: not (asked["waiting_room"] and asked["join_before_host"])
)
# What the provider does not do although it is asked for it, and does not say a word.
IGNORED = st.sets(st.sampled_from([*sorted(ZOOM.values()), "lobbyBypassSettings"]))
ID = re.compile(r"[A-Za-z0-9_-]{22}")
MADE: dict[str, set[str]] = {"ids": set(), "rooms": set(), "tokens": set(), "keys": set()}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, mongodb_uri: str) -> Iterator[Simulated]:
    with Simulated(tmp_path_factory.mktemp("security") / "stack", mongodb_uri) as world:
        yield world


def begin(world: Simulated, ignored: set[str], **policy: object) -> None:
    world.enable(world.renew(), **policy)
    for sim in world.sims.values():
        sim.dropped = set()
    world["zoom"].dropped = ignored - {"lobbyBypassSettings"}
    world["teams"].dropped = ignored & {"lobbyBypassSettings"}


def asked_for(world: Simulated, name: str) -> dict[str, bool]:
    """What the provider was asked for, of what it can be asked for, in our words."""
    body: dict = {}
    for method, path, _, sent in world.asked().get(name, []):
        if method in ("POST", "PATCH") and not path.endswith("token"):
            body |= sent
    if name == "zoom":
        switches = {ours: body["settings"][theirs] for ours, theirs in ZOOM.items()}
        return switches | {"passcode_required": "password" in body}
    if name == "teams":
        assert body["allowedPresenters"] == "organizer"
        lobby = body["lobbyBypassSettings"]
        assert not lobby["isDialInBypassEnabled"], "nobody gets around the lobby by telephone"
        return {"waiting_room": lobby["scope"] == LOBBY[True]}
    return {}


def not_granted(name: str, asked: dict[str, bool], live: Live | None) -> set[str]:
    """The settings that are not as they were asked for, by what the provider has."""
    if name == "zoom":
        differ = {ours for ours, theirs in ZOOM.items() if live.settings[theirs] != asked[ours]}
        lacks = asked["passcode_required"] and "password" not in live.raw
        return differ | ({"passcode_required"} if lacks else set())
    # Microphones and cameras are everybody's own with the others.
    differ = {setting for setting in ("mute_on_entry", "host_video") if asked[setting]}
    passcode = name == "teams" and live.raw["joinMeetingIdSettings"]["passcode"]
    if asked["passcode_required"] and not passcode:
        differ.add("passcode_required")
    if name == "teams":
        # Without a lobby people need not wait for the host, with one they always do.
        if live.raw["lobbyBypassSettings"]["scope"] != LOBBY[asked["waiting_room"]]:
            differ.add("waiting_room")
        if asked["waiting_room"] == asked["join_before_host"]:
            differ.add("join_before_host")
    elif name == "google_meet":
        # People from outside knock, those of the organisation walk in.
        if asked["join_before_host"] or not asked["waiting_room"]:
            differ.add("join_before_host")
    elif not asked["join_before_host"]:
        differ.add("waiting_room" if asked["waiting_room"] else "join_before_host")
    return differ


def warned_of(warnings: list[dict]) -> set[str]:
    assert {warning["code"] for warning in warnings} <= {"setting_not_granted"}
    assert all(len(warning["detail"].split()) > 3 for warning in warnings), "in words"
    return {warning["detail"].partition(":")[0] for warning in warnings}


def note(kind: str, value: str) -> None:
    assert value not in MADE[kind], f"{kind} are used once"
    MADE[kind].add(value)


def check_identities(world: Simulated, request: dict, views: list[dict], name: str) -> None:
    """Everything that opens the meeting, or names it, is its own."""
    document = world.stack.document(request["id"])
    assert ID.fullmatch(document["meeting"]["id"]) and ID.fullmatch(request["id"])
    note("ids", document["meeting"]["id"])
    note("ids", request["id"])
    for view in views:
        token = view["meeting"]["join_url"].rpartition("/")[2]
        assert len(token) >= 43, "32 bytes, of which 16 are a seal"
        note("tokens", token)
    if name != "jitsi":
        ((_, live),) = world.live_of(request)
        note("keys", live.marker)


def check_door(world: Simulated, request: dict, views: list[dict], policy: dict) -> None:
    """The door at the four moments that matter, by the clock."""
    meeting = views[0]["meeting"]
    starts_at, ends_at = (moment(meeting[name]) for name in ("starts_at", "ends_at"))
    opens_at = starts_at - datetime.timedelta(minutes=policy["opens_minutes_before"])
    expires_at = ends_at + datetime.timedelta(minutes=policy["expires_minutes_after"])
    assert (moment(meeting["opens_at"]), moment(meeting["expires_at"])) == (opens_at, expires_at)
    second = datetime.timedelta(seconds=1)
    rooms = set()
    for at, status in (
        (opens_at - 20 * second, 403),
        (opens_at + second, 302),
        (expires_at - 20 * second, 302),
        (expires_at + second, 410),
    ):
        ahead = (at - world.stack.now()).total_seconds()
        if ahead > 0:  # or else the door was open from the beginning
            world.stack.advance(ahead)
            for view in views:
                answer = world.stack.anyone().get(view["meeting"]["join_url"])
                assert answer.status_code == status, at
                rooms |= {answer.headers["Location"]} if status == 302 else set()
    (room,) = rooms
    if views[0]["meeting"]["provider"] == "jitsi":
        note("rooms", room)


def moment(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text)


@hypothesis.settings(max_examples=60)
@hypothesis.given(
    name=st.sampled_from(NAMES),
    security=SECURITY,
    ignored=IGNORED,
    opens=st.integers(0, 24 * 60),
    expires=st.integers(0, 7 * 24 * 60),
    duration=st.integers(5, 1440),
    moves=st.booleans(),
)
def test_a_meeting_is_as_secure_as_was_asked_for(
    world: Simulated,
    name: str,
    security: dict,
    ignored: set[str],
    opens: int,
    expires: int,
    duration: int,
    moves: bool,
) -> None:
    policy = {"opens_minutes_before": opens, "expires_minutes_after": expires}
    begin(world, ignored, security=security, default_provider=name, failover=[], **policy)
    parties = world.stack.parties()
    request = parties.create(
        title=unique("Matter"), starts_at=world.stack.at(days=2), duration_minutes=duration
    )
    meeting = parties.accept(request)["meeting"]
    assert (meeting["status"], meeting["security"]) == ("ready", security)
    world.stack.settle(request["id"])
    asked = asked_for(world, name)
    assert asked == {setting: security[setting] for setting in asked}
    ((_, live),) = world.live_of(request) or [(name, None)]
    assert warned_of(meeting["warnings"]) == not_granted(name, security, live)

    # Whatever the policy is later, this meeting keeps what it was made with.
    other = {setting: False for setting in SETTINGS}
    world.policy(opens_minutes_before=3, expires_minutes_after=4, security=other)
    if moves:
        answer = parties.lawyer.command(
            request["id"], "reschedule", starts_at=world.stack.at(days=3), duration_minutes=duration
        )
        assert answer.status_code == 200, answer.text
        world.stack.settle(request["id"])
        asked = asked_for(world, name)
        assert asked == {setting: security[setting] for setting in asked}
        ((_, live),) = world.live_of(request) or [(name, None)]
        meeting = parties.client.request(request["id"])["meeting"]
        assert warned_of(meeting["warnings"]) == not_granted(name, security, live)
    views = [caller.request(request["id"]) for caller in (parties.client, parties.lawyer)]
    assert views[0]["meeting"]["security"] == security
    check_identities(world, request, views, name)
    check_door(world, request, views, policy)


def test_nothing_can_be_guessed(world: Simulated) -> None:
    """Of many ids of one moment every bit is now one and now zero, and no two are neighbours."""
    begin(world, set(), default_provider="zoom", failover=[])
    parties = world.stack.parties()
    made: dict[str, list[str]] = {"request": [], "meeting": [], "passcode": [], "seal": []}
    for _ in range(64):
        request = parties.accepted(title=unique("Matter"))
        made["request"].append(request["id"])
        made["meeting"].append(request["meeting"]["id"])
        made["passcode"].append(request["meeting"]["passcode"])
        made["seal"].append(request["meeting"]["join_url"][-21:])
    assert len(set(made["passcode"])) == 64
    for kind in ("request", "meeting", "seal"):
        assert len(set(made[kind])) == 64
        for column in range(20):
            letters = {text[column] for text in made[kind]}
            assert len(letters) > 16, f"{kind}: the same again and again at {column}"


@hypothesis.settings(max_examples=15)
@hypothesis.given(count=st.integers(2, 4), name=st.sampled_from(NAMES))
def test_no_room_is_shared(world: Simulated, count: int, name: str) -> None:
    """Not by the meetings of the same two people, not by the generations of one meeting."""
    begin(world, set(), default_provider=name, failover=[])
    parties = world.stack.parties()
    rooms = []
    for _ in range(count):
        request = parties.accepted(title=unique("Matter"), starts_at=world.stack.at(minutes=5))
        for _ in range(2):
            view = parties.client.request(request["id"])
            answer = world.stack.anyone().get(view["meeting"]["join_url"])
            assert answer.status_code == 302
            rooms.append(answer.headers["Location"])
            assert parties.lawyer.command(request["id"], "regenerate").status_code == 200
    assert len(set(rooms)) == 2 * count
