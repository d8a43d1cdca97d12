"""What the database is asked for: how often, and how many whole documents are written.

Each round trip is time that somebody waits, and each whole document grows with all that ever
happened to it. So there are bounds, which only a good reason may raise.
"""

from collections.abc import Callable, Iterator
from mailbox import SmtpServer

import pytest
from caller import Parties, done, new_key
from providers import Providers
from stack import PROGRAM
from support import until
from test_changes import nobody_delivers
from wire import Traffic, Wire

# What is done -> round trips and whole documents written, at most. (That of a mail counts in the
# search for what is due, which is repeated every second, and where much is due those by queue.)
BOUNDS: dict[str, tuple[float, float]] = {
    # One of them looks at what else the lawyer does at that time.
    "accept, Jitsi": (4, 1),
    "accept, Zoom": (5, 2),
    "accept, Zoom, Idempotency-Key": (5, 2),
    "a click on the join link": (2, 0),
    "GET /api/requests/{id}": (1, 0),
    "a feed that has not changed": (2, 0),  # whose it is, and what has changed
    "a feed that was closed": (1, 0),
    "a feed of nobody": (1, 0),
    "a feed's address cut short": (1, 0),
    # Half of a second look. While many wait, two share claim and settling too, if the first is quick.
    "a mail": (6, 1.5),
}
ROUNDS = 3
MAILS = 20
SETTINGS = {
    "SERVER_WORKERS": 1,  # whose provider token and connections are those of all calls
    "SERVER_DISPATCHER_THREADS": 1,  # so that no two settle the same request at once
}


class Costs:
    """A stack behind the proxy, and what was counted."""

    def __init__(self, providers: Providers, wire: Wire):
        self.providers, self.stack, self.wire = providers, providers.stack, wire
        self.found: dict[str, tuple[float, float, Traffic]] = {}

    def measure(self, what: str, call: Callable[[], object]) -> None:
        """The least of some rounds: the first ones connect and fetch the provider's access token,
        and in any of them a dispatcher may just have asked whether something is due."""
        rounds = []
        for _ in range(ROUNDS):
            with nobody_delivers(self.stack):
                before = self.wire.traffic()
                call()
                rounds.append(self.wire.traffic() - before)
        self.note(what, min(rounds, key=lambda traffic: traffic.round_trips))

    def note(self, what: str, traffic: Traffic, times: int = 1) -> None:
        """Remembers what one of so many costs, and holds it against its bound."""
        trips, whole = traffic.round_trips / times, traffic.whole_writes / times
        self.found[what] = (trips, whole, traffic)
        assert trips > 0, "it went another way"
        most_trips, most_whole = BOUNDS[what]
        assert trips <= most_trips, f"{what}: {trips} round trips: {traffic}"
        assert whole <= most_whole, f"{what}: {whole} whole writes: {traffic}"

    def table(self) -> str:
        head = f"{'':36}{'round trips':>12}{'at most':>9}{'whole writes':>14}{'at most':>9}"
        lines = [f"{head}  commands"]
        for what, (trips, whole, traffic) in self.found.items():
            most_trips, most_whole = BOUNDS[what]
            commands = ", ".join(f"{n} {name}" for name, n in traffic.commands.items())
            lines.append(
                f"{what:36}{trips:12.4g}{most_trips:9.4g}{whole:14.4g}{most_whole:9.4g}  {commands}"
            )
        return "\n".join(lines)

    def accept(self, provider: str, parties: Parties, request: dict, **headers: str) -> dict:
        url = f"/api/requests/{request['id']}/respond"
        body = {"decision": "accept", "provider": provider}
        accepted = done(parties.lawyer.post(url, body, headers=headers))
        assert accepted["meeting"]["status"] == "ready"
        assert accepted["meeting"]["provider"] == provider
        return accepted


@pytest.fixture(scope="module")
def costs(tmp_path_factory: pytest.TempPathFactory, mongodb_uri: str) -> Iterator[Costs]:
    smtp = SmtpServer()
    folder = tmp_path_factory.mktemp("round-trips")
    with Wire(mongodb_uri) as wire:
        settings = SETTINGS | {"names": ["zoom"], "MONGODB_URI": wire.uri}
        with Providers(folder / "stack", mongodb_uri, smtp, **settings) as providers:
            costs = Costs(providers, wire)
            yield costs
    smtp.stop()
    (PROGRAM.parent / "round-trips.txt").write_text(costs.table() + "\n")
    print(f"\n{costs.table()}")


@pytest.mark.parametrize(
    ("what", "provider", "keyed"),
    [
        ("accept, Jitsi", "jitsi", False),
        ("accept, Zoom", "zoom", False),
        ("accept, Zoom, Idempotency-Key", "zoom", True),
    ],
)
def test_an_acceptance(costs: Costs, what: str, provider: str, keyed: bool) -> None:
    asked = []
    for _ in range(ROUNDS):
        parties = costs.stack.parties()
        asked.append((parties, parties.create()))
    left = iter(asked)

    def accept() -> None:
        costs.accept(provider, *next(left), **({"Idempotency-Key": new_key()} if keyed else {}))

    costs.measure(what, accept)
    for _, request in asked:
        costs.stack.settle(request["id"])


def test_a_click_on_the_link(costs: Costs) -> None:
    parties = costs.stack.parties()
    request = parties.create(starts_at=costs.stack.at(minutes=5))
    link = costs.accept("zoom", parties, request)["meeting"]["join_url"]
    costs.stack.settle(request["id"])

    def click() -> None:
        assert costs.stack.anyone().get(link).status_code == 302

    costs.measure("a click on the join link", click)
    entered = [e for e in parties.lawyer.audit(request["id"]) if e["action"] == "meeting.link_used"]
    assert len(entered) == ROUNDS, "each is on record"


def test_a_look_at_a_request(costs: Costs) -> None:
    parties = costs.stack.parties()
    request = costs.accept("zoom", parties, parties.create())
    costs.stack.settle(request["id"])
    costs.measure("GET /api/requests/{id}", lambda: parties.client.request(request["id"]))


def test_a_look_at_a_feed(costs: Costs) -> None:
    """Where there is none, it takes as long to say so, whatever the reason."""
    parties, anyone = costs.stack.parties(), costs.stack.anyone()
    costs.stack.settle(parties.create()["id"])  # which owes no second look afterwards
    closed, url = (parties.client.post("/api/calendar/feed").json()["url"] for _ in range(2))
    known = {"If-None-Match": anyone.get(url).headers["ETag"]}

    def get(url: str, status: int, **headers: str) -> None:
        assert anyone.get(url, headers=headers).status_code == status

    costs.measure("a feed that has not changed", lambda: get(url, 304, **known))
    costs.measure("a feed that was closed", lambda: get(closed, 404))
    nobodys = url.rpartition("/")[0] + f"/{'A' * 42}E.ics"
    costs.measure("a feed of nobody", lambda: get(nobodys, 404))
    costs.measure("a feed's address cut short", lambda: get(url.replace(".ics", "")[:-1] + ".ics", 404))


def test_a_mail(costs: Costs) -> None:
    """From being claimed to being settled: two of each request, many times."""
    stack = costs.stack
    made = []
    with nobody_delivers(stack):
        for _ in range(MAILS // 2):
            parties = stack.parties()
            made.append(costs.accept("jitsi", parties, parties.create())["id"])
        owing = {"_id": {"$in": made}, "effects.kind": "mail.meeting_ready"}
        assert stack.requests.count_documents(owing) == len(made)
        before = costs.wire.traffic()
    until(lambda: stack.requests.count_documents(owing) == 0, "all mails are sent")
    traffic = costs.wire.traffic() - before
    assert sum(len(stack.mails.of(request_id)) for request_id in made) == MAILS
    costs.note("a mail", traffic, MAILS)
