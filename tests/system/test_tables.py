"""Every route × every kind of caller × whose request it is, as THE ROUTE TABLE says."""

import dataclasses
import datetime
import json
from collections.abc import Callable, Iterator

import described
import pytest
import requests
import tables
from bson.raw_bson import RawBSONDocument
from caller import Caller, done, mint
from providers import Providers
from stack import ROOT
from zoom import sign

INSIDERS = ("its client", "its lawyer", "admin", "service")
OTHERS = (
    "another client",
    "another lawyer",
    "a client with the lawyer's id",
    "a lawyer with the client's id",
)
STRANGERS = ("without a role", "of an unknown role", "expired", "no token")
UNKNOWN = "A" * 22


def test_the_document_is_what_is_printed() -> None:
    said = (ROOT / "docs/tables.md").read_text()
    assert said == tables.printed(), "meetlink check tables > docs/tables.md"


@dataclasses.dataclass
class Who:
    role: str | None  # None: no valid token
    sub: str
    caller: Caller


class World:
    """A client, a lawyer and a request of theirs whose door is open, and everybody else."""

    def __init__(self, providers: Providers):
        stack = self.stack = providers.stack
        pair = self.pair = stack.parties()
        self.zoom = providers["zoom"]
        self.shared = self.accepted(provider="zoom")
        self.links = pair.client.request(self.shared["id"])["meeting"]
        providers.finish(self.shared["id"])
        client, lawyer, other = pair.client_id, pair.lawyer_id, "somebody-else"
        past = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=2)
        tokens: list[tuple[str | None, str, dict | None]] = [
            ("client", client, {}),
            ("lawyer", lawyer, {}),
            ("admin", "admin-1", {}),
            ("service", "host-application", {}),
            ("client", other, {}),
            ("lawyer", other, {}),
            ("client", lawyer, {}),
            ("lawyer", client, {}),
            (None, client, {"role": None}),
            (None, client, {"role": "judge"}),
            (None, lawyer, {"role": "lawyer", "exp": past}),
            (None, client, None),
        ]
        self.people = {
            name: Who(role, sub, Caller(stack.url, self.token(role, sub, claims)))
            for name, (role, sub, claims) in zip(INSIDERS + OTHERS + STRANGERS, tokens, strict=True)
        }

    def token(self, role: str | None, sub: str, claims: dict | None) -> str | None:
        if claims is None:
            return None
        return mint(self.stack.secret, **{"sub": sub, "role": role} | claims)

    def open(self) -> dict:
        return self.pair.create(starts_at=self.stack.at(minutes=5))

    def accepted(self, **fields: object) -> dict:
        return self.pair.accept(self.open(), **fields)

    def proposed(self) -> dict:
        request = self.accepted()
        done(self.pair.client.command(request["id"], "propose", starts_at=self.stack.at(days=2)))
        return request

    def raw(self, request_id: str) -> bytes:
        options = self.stack.requests.codec_options.with_options(document_class=RawBSONDocument)
        return self.stack.requests.with_options(options).find_one({"_id": request_id}).raw


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, mongodb_uri: str) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("tables")
    policy = {"default_provider": "jitsi", "lawyer_addresses": "any"}
    with Providers(folder, mongodb_uri, names=("zoom",), policy=policy) as providers:
        yield World(providers)


# ---- how each route is called ----


def its_id(_: World, request: dict) -> str:
    return request["id"]


@dataclasses.dataclass
class Call:
    """How a route is called, and the status for whoever may.

    `what` stands for the {} of its path. A call that changes something is made on a request of its
    own, which `on` makes, unless it is refused.
    """

    body: Callable[[World, Who], dict] = lambda *_: {}
    what: Callable[[World, dict], str] = its_id
    on: Callable[[World], dict] | None = None
    status: int = 200
    signed: bool = False  # by Zoom
    query: str = ""


def draft(world: World, who: Who) -> dict:
    """A client files for themself, the others for anybody."""
    parties = world.stack.parties()
    return parties.draft(client=parties.person("client", id=who.sub))


def its_lawyer(world: World, _: dict) -> str:
    return world.pair.lawyer_id


def somebody(world: World, _: dict) -> str:
    """The client of a request of their own."""
    parties = world.stack.parties()
    parties.create()
    return parties.client_id


def feed(world: World, _: dict) -> str:
    """Of somebody's own."""
    url = world.stack.parties().client.post("/api/calendar/feed").json()["url"]
    return url.rpartition("/")[2].removesuffix(".ics")


def page(world: World, _: dict) -> str:
    """The client's."""
    return world.pair.client.request(world.shared["id"])["links"]["page_url"].rpartition("/")[2]


def last_part(name: str) -> Callable[[World, dict], str]:
    return lambda world, _: world.links[name].rpartition("/")[2].removesuffix(".ics")


def constant(value: str) -> Callable[[World, dict], str]:
    return lambda *_: value


CALLS = {
    "POST /api/requests": Call(draft, status=201),
    "GET /api/requests": Call(),
    "GET /api/requests/{}": Call(),
    "POST /api/requests/{}/respond": Call(
        lambda *_: {"decision": "accept", "allow_overlap": True}, on=World.open
    ),
    "POST /api/requests/{}/cancel": Call(on=World.accepted),
    "GET /api/requests/{}/meeting": Call(),
    "GET /api/requests/{}/meetings": Call(),
    "POST /api/requests/{}/meeting/cancel": Call(on=World.accepted),
    "POST /api/requests/{}/meeting/regenerate": Call(on=World.accepted),
    "POST /api/requests/{}/meeting/reschedule": Call(
        lambda world, _: {"starts_at": world.stack.at(days=2), "allow_overlap": True},
        on=World.accepted,
    ),
    "POST /api/requests/{}/meeting/retry": Call(on=World.accepted, status=409),
    "POST /api/requests/{}/meeting/outcome": Call(
        lambda *_: {"outcome": "held"}, on=World.accepted, status=409
    ),
    "POST /api/requests/{}/meeting/propose": Call(
        lambda world, _: {"starts_at": world.stack.at(days=2)}, on=World.accepted
    ),
    "DELETE /api/requests/{}/meeting/propose": Call(on=World.proposed),
    "POST /api/requests/{}/meeting/proposal": Call(
        lambda *_: {"decision": "decline"}, on=World.proposed
    ),
    "GET /api/requests/{}/meeting/host": Call(status=302),
    "GET /api/requests/{}/calendar.ics": Call(),
    "GET /api/requests/{}/audit": Call(),
    "GET /api/requests/{}/audit/verify": Call(),
    "GET /api/audit": Call(),
    "POST /api/people/{}/erase": Call(what=somebody),
    "GET /api/dashboard": Call(),
    "GET /api/lawyers/{}/busy": Call(
        what=its_lawyer, query="?from=2027-03-01T00:00:00Z&to=2027-03-02T00:00:00Z"
    ),
    "GET /api/config/meetings": Call(),
    "PUT /api/config/meetings": Call(),
    "GET /api/config/providers": Call(),
    "GET /api/config/providers/{}": Call(what=constant("zoom")),
    "PUT /api/config/providers/{}": Call(lambda *_: {"enabled": True}, constant("jitsi")),
    "DELETE /api/config/providers/{}": Call(what=constant("google_meet"), status=204),
    "POST /api/config/providers/{}/validate": Call(what=constant("jitsi")),
    "POST /api/calendar/feed": Call(),
    "DELETE /api/calendar/feed": Call(status=204),
    "GET /api/outbox": Call(),
    "GET /api/figures": Call(),
    "POST /api/outbox/{}/retry": Call(status=404),
    "POST /api/outbox/{}/discard": Call(status=404),
    "POST /api/outbox/{}/readdress": Call(lambda *_: {"email": "a@example.com"}, status=404),
    "GET /api/config/webhooks": Call(),
    "POST /api/config/webhooks": Call(
        lambda *_: {"url": "https://127.0.0.1/", "events": ["meeting.*"]}, status=422
    ),
    "DELETE /api/config/webhooks/{}": Call(status=404),
    "POST /api/config/webhooks/{}/rotate": Call(status=404),
    "GET /api/config/webhooks/{}/deliveries": Call(status=404),
    "POST /api/config/webhooks/{}/deliveries/{}/redeliver": Call(status=404),
    "GET /calendar/event/{}.ics": Call(what=last_part("calendar_url")),
    "GET /calendar/feed/{}.ics": Call(what=feed),
    "GET /join/{}": Call(what=last_part("join_url"), status=302),
    "GET /m/{}": Call(what=page),
    # No form of that page is named.
    "POST /m/{}": Call(what=page, status=404),
    "POST /api/webhooks/{}": Call(
        lambda *_: {
            "event": "endpoint.url_validation",
            "event_ts": 1,
            "payload": {"plainToken": "abc"},
        },
        constant("zoom"),
        signed=True,
    ),
    "GET /api/openapi.json": Call(),
    "GET /api/docs": Call(),
    "GET /healthz": Call(),
    "GET /readyz": Call(),
    "GET /metrics": Call(),
}


def test_every_route_is_called() -> None:
    assert CALLS.keys() == tables.routes().keys(), "a route that no test knows how to call"


def send(world: World, who: Who, route: str, what: str) -> requests.Response:
    """A GET is sent as HEAD too, which lets nobody in who may not come in."""
    call, (method, path) = CALLS[route], route.split(" ")
    path = path.replace("{}", what) + call.query
    if method in ("GET", "DELETE"):
        answer = who.caller.call(method, path)
        described.hold(answer)
        if method == "GET":
            assert who.caller.head(path).status_code == answer.status_code
        return answer
    data, headers = json.dumps(call.body(world, who)).encode(), {"Content-Type": "application/json"}
    if call.signed:
        ts = int(world.stack.now().timestamp())
        headers["x-zm-request-timestamp"] = str(ts)
        headers["x-zm-signature"] = sign(world.zoom.webhook_secret, ts, data)
    answer = who.caller.call(method, path, data=data, headers=headers)
    described.hold(answer)
    return answer


def refusal(name: str, who: Who, route: str) -> int | None:
    """The status that the table and the rule of ownership demand; None: not refused."""
    may = tables.routes()[route]
    if "no token" in may:
        return None
    if who.role is None:
        return 401
    if who.role not in may:
        return 403
    owned = any(place in route for place in ("/api/requests/{}", "/api/lawyers/{}"))
    return 404 if owned and name not in INSIDERS else None


@pytest.mark.parametrize("name", INSIDERS + OTHERS + STRANGERS)
@pytest.mark.parametrize("route", tables.routes())
def test_who_may_call_what(world: World, route: str, name: str) -> None:
    call, who = CALLS[route], world.people[name]
    status = refusal(name, who, route)
    request = world.shared if status or not call.on else call.on(world)
    what = call.what(world, request)
    before = world.raw(request["id"])
    answer = send(world, who, route, what)
    assert answer.status_code == (status or call.status), answer.text
    if status is None:
        return
    assert world.raw(request["id"]) == before, "what is refused changes nothing"
    if status == 404:
        unknown = send(world, who, route, UNKNOWN).json()
        assert unknown | {"instance": ""} == answer.json() | {"instance": ""}, "not told apart"


@pytest.mark.parametrize("name", INSIDERS + OTHERS)
@pytest.mark.parametrize("path", ["/api/requests?limit=200", "/api/dashboard", "/api/audit"])
def test_lists_show_what_is_ones_own(world: World, path: str, name: str) -> None:
    answer = world.people[name].caller.get(path)
    if answer.status_code == 403 or name in INSIDERS[2:]:
        return
    assert (world.shared["id"] in answer.text) == (name in INSIDERS)
