"""THE COMMANDS over HTTP: every command on a request and meeting of every status."""

from collections.abc import Callable, Iterator

import pytest
import tables
from bson.raw_bson import RawBSONDocument
from caller import done, refused
from providers import Providers
from stack import Stack
from support import until
from test_changes import nobody_delivers

LENGTH = {"duration_minutes": 1440}
WHATEVER = {"allow_overlap": True}  # else the lawyer does at that time
COMMANDS: dict[str, tuple[str, Callable[[Stack], dict]]] = {
    "accept": ("respond", lambda _: {"decision": "accept", "message": "Yes."} | WHATEVER),
    "decline": ("respond", lambda _: {"decision": "decline"}),
    "cancel": ("cancel", lambda _: {"reason": "Ill"}),
    "cancel meeting": ("meeting/cancel", lambda _: {"reason": "Ill"}),
    # Another provider is a reason even while the first is being asked.
    "regenerate": ("meeting/regenerate", lambda _: {"provider": "jitsi"} | WHATEVER),
    "reschedule": (
        "meeting/reschedule",
        lambda stack: {"starts_at": stack.at(days=2)} | WHATEVER,
    ),
    "retry": ("meeting/retry", lambda _: {}),
    "outcome": ("meeting/outcome", lambda _: {"outcome": "held"}),
    "propose": ("meeting/propose", lambda stack: {"starts_at": stack.at(days=2)}),
    "withdraw proposal": ("meeting/propose", lambda _: {}),
    "decide proposal": ("meeting/proposal", lambda _: {"decision": "decline"}),
}
CLIENTS = {"propose", "withdraw proposal"}
# No other time is asked for.
WITHOUT = {"withdraw proposal": "no_proposal", "decide proposal": "no_proposal"}
# Status of the request, and of its meeting. A meeting that was replaced is not the current one.
STATES = {
    "open": ("open", None),
    "pending": ("accepted", "pending"),
    "ready": ("accepted", "ready"),
    "failed": ("accepted", "failed"),
    "meeting cancelled": ("accepted", "cancelled"),
    "over": ("completed", "expired"),
    "declined": ("declined", None),
    "lapsed": ("lapsed", None),
    "cancelled": ("cancelled", "cancelled"),
}


def verdict(command: str, state: str) -> str:
    """What the tables say: "yes" or a code."""
    request, meeting = STATES[state]
    said = tables.of_requests()[command][request]
    if said != "yes":
        return said
    said = tables.of_meetings().get(command, {}).get(meeting, "yes")
    return WITHOUT.get(command, said) if said == "yes" else said


def test_every_command_and_status_is_tried() -> None:
    (requests,) = {frozenset(row) for row in tables.of_requests().values()}
    (meetings,) = {frozenset(row) for row in tables.of_meetings().values()}
    assert COMMANDS.keys() == tables.of_requests().keys()
    assert requests == {request for request, _ in STATES.values()}
    assert meetings == {meeting for _, meeting in STATES.values() if meeting} | {"replaced"}


class World:
    """For each state one request for all commands that are refused, and one for each other.

    Where a meeting lives it has begun and not ended, so that the clock refuses nothing. No
    dispatcher runs any more: what changes a request is the command alone.
    """

    def __init__(self, providers: Providers):
        self.providers, self.stack = providers, providers.stack
        self.people = self.stack.parties()
        self.made: dict[str, list[dict]] = {}

    def accepted(self, **ahead: int) -> dict:
        return self.people.accepted(starts_at=self.stack.at(**ahead), **LENGTH)

    def make(self, state: str, how: Callable[[], dict]) -> list[dict]:
        allowed = sum(verdict(command, state) == "yes" for command in COMMANDS)
        self.made[state] = [how() for _ in range(1 + allowed)]
        return self.made[state]

    def make_dead(self) -> None:
        """Those that take hours: the provider is away, and links expire."""
        zoom, start = self.providers["zoom"], {"starts_at": self.stack.at(minutes=2)}
        self.make("over", lambda: self.people.accepted(**start, duration_minutes=5))
        self.make("lapsed", lambda: self.people.create(**start))
        zoom.down()
        self.make("failed", lambda: self.accepted(minutes=30))
        self.stack.advance(3600 + 600)
        for state in ("over", "lapsed", "failed"):
            for request in self.made[state]:
                self.wait_for(request, state)
        zoom.up()
        self.stack.advance(120)

    def make_living(self) -> None:
        self.make("ready", lambda: self.accepted(minutes=1))
        self.make("meeting cancelled", lambda: self.accepted(minutes=1))
        self.make("cancelled", lambda: self.accepted(minutes=1))
        self.make("declined", lambda: self.people.create(starts_at=self.stack.at(days=1)))
        for request in self.made["meeting cancelled"]:
            done(self.people.lawyer.command(request["id"], "cancel"))
        for request in self.made["cancelled"]:
            done(self.people.client.cancel(request["id"]))
        for request in self.made["declined"]:
            done(self.people.lawyer.respond(request["id"], "decline"))
        self.providers.finish_all()

    def make_waiting(self) -> None:
        """While no dispatcher runs and accepting waits for nothing."""
        self.providers.policy(inline_wait_ms=0)
        self.make("open", lambda: self.people.create(starts_at=self.stack.at(days=1)))
        self.make("pending", lambda: self.accepted(minutes=1))
        self.stack.advance(90)

    def wait_for(self, request: dict, state: str) -> None:
        def there() -> bool:
            shown = self.people.lawyer.request(request["id"])
            meeting = shown["meeting"] and shown["meeting"]["status"]
            return (shown["status"], meeting) == STATES[state]

        until(there, f"{request['id']} is {state}")

    def raw(self, request_id: str) -> bytes:
        options = self.stack.requests.codec_options.with_options(document_class=RawBSONDocument)
        return bytes(self.stack.requests.with_options(options).find_one({"_id": request_id}).raw)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, mongodb_uri: str) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("transitions")
    policy = {
        "retry": {"first_s": 600, "max_s": 600, "give_up_s": 3600},
        "lawyer_addresses": "any",
    }
    with Providers(folder, mongodb_uri, names=("zoom",), policy=policy) as providers:
        world = World(providers)
        world.make_dead()
        world.make_living()
        with nobody_delivers(world.stack):
            world.make_waiting()
            for state, made in world.made.items():
                for request in made:
                    world.wait_for(request, state)
            yield world


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("state", STATES)
def test_what_may_be_done_when(world: World, state: str, command: str) -> None:
    path, body = COMMANDS[command]
    said = verdict(command, state)
    request = world.made[state][0] if said != "yes" else world.made[state].pop()
    before = world.raw(request["id"])
    who = world.people.client if command in CLIENTS else world.stack.admin()
    call = who.delete if command.startswith("withdraw") else who.post
    options = {} if command.startswith("withdraw") else {"body": body(world.stack)}
    answer = call(f"/api/requests/{request['id']}/{path}", **options)
    if said == "yes":
        assert done(answer)["id"] == request["id"]
        assert world.raw(request["id"]) != before
    else:
        assert refused(answer) == (409, said)
        assert world.raw(request["id"]) == before, "not a byte has changed"
