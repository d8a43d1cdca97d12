"""Every search that the program makes, and the index that serves it.

Each route is called by everybody who may, lists with all their filters; what is due is done, and
the commands of an operator run, with a proxy before the database that notes what is looked for. A
search without an index is a failure, and so is one that docs/architecture.md does not list. (The
program holds each search against its indexes itself, in store_query.c: here it is done once more, by
what the database says that it has.)
"""

import itertools
import subprocess
from collections.abc import Iterator

import pytest
from former import load
from providers import Providers
from stack import PROGRAM, ROOT
from support import until
from test_changes import nobody_delivers
from test_tables import CALLS, INSIDERS, World, refusal, send
from wire import Search, Wire

BOUNDS = {"$gt", "$gte", "$lt", "$lte"}
BEGIN, END = "<!-- searches -->\n", "<!-- end of searches -->\n"
CROWD = 70  # more than one search by `due` finds
# Bounded in time: "Searches" in docs/architecture.md.
AUDIT_STAGES = ("$match", "$project", "$unwind", "$match", "$sort", "$limit")


class Seen:
    def __init__(self, world: World, wire: Wire):
        self.world, self.stack, self.wire = world, world.stack, wire

    def indexes(self, collection: str) -> dict[str, list[str]]:
        there = self.stack.requests.database[collection].list_indexes()
        return {index["name"]: list(index["key"]) for index in there}

    def searches(self) -> list[Search]:
        return sorted(self.wire.traffic().searches)


def call_routes(world: World) -> None:
    for route, call in CALLS.items():
        for name in INSIDERS:
            who = world.people[name]
            if refusal(name, who, route):
                continue
            request = call.on(world) if call.on else world.shared
            send(world, who, route, call.what(world, request))


def call_lists(world: World) -> None:
    stack = world.stack
    filters = itertools.product(
        ("", "open", "accepted"), ("", "ready"), ("asc", "desc"), ("", stack.at(days=-1))
    )
    for status, meeting_status, order, since in filters:
        given = {"status": status, "meeting_status": meeting_status, "order": order, "from": since}
        query = {name: value for name, value in given.items() if value} | {"limit": 1}
        for name in INSIDERS:
            caller = world.people[name].caller
            page = caller.fetch("/api/requests", params=query)
            if page["next_cursor"]:
                caller.fetch("/api/requests", params=query | {"cursor": page["next_cursor"]})


def call_audit(world: World) -> None:
    admin = world.stack.admin()
    for query in (
        {},
        {"actor": world.pair.client_id},
        {"action": "meeting.ready"},
        {"request_id": world.shared["id"]},
        {"from": world.stack.at(days=-1), "to": world.stack.at(days=1)},
    ):
        admin.fetch("/api/audit", params=query | {"limit": 2})


def fill_dashboards(world: World) -> None:
    """More than they look at, so that it is counted."""
    for _ in range(51):
        world.pair.create()
        world.pair.accepted()
    for name in INSIDERS[:3]:
        world.people[name].caller.fetch("/api/dashboard")


def hear_from_zoom(world: World) -> None:
    (live,) = world.zoom.meetings.values()
    told = {"object": {"id": str(live.id), "uuid": "one"}}
    url = f"{world.stack.url}/api/webhooks/zoom"
    assert world.zoom.webhook("meeting.started", told, url=url)[0] == 200


def crowd(world: World) -> None:
    """So much that is due that each queue is asked for its own."""
    with nobody_delivers(world.stack):
        for _ in range(CROWD):
            world.pair.create(starts_at=world.stack.at(minutes=1))
        world.stack.advance(61)
    lapsing = {"effects.kind": "request.lapse", "due": {"$lte": world.stack.now()}}
    until(lambda: not world.stack.requests.count_documents(lapsing), "all have lapsed", 60)


def operate(world: World) -> None:
    stack = world.stack
    stack.requests.insert_one(load("ready-told"))
    stack.run("init-db")
    stack.requests.delete_one({"_id": load("ready-told")["_id"]})
    stack.run("verify-audit")
    stack.run("verify-audit", "--request", world.shared["id"])
    subprocess.run([PROGRAM, "rotate-keys"], env=stack.environment, check=True, timeout=120)
    stack.run("check")


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory, mongodb_uri: str) -> Iterator[Seen]:
    folder = tmp_path_factory.mktemp("queries")
    policy = {"default_provider": "jitsi", "lawyer_addresses": "any"}
    with (
        Wire(mongodb_uri) as wire,
        Providers(
            folder, mongodb_uri, names=("zoom",), policy=policy, MONGODB_URI=wire.uri
        ) as providers,
    ):
        world = World(providers)
        fill_dashboards(world)
        call_lists(world)
        call_audit(world)
        call_routes(world)
        hear_from_zoom(world)
        crowd(world)
        operate(world)
        yield Seen(world, wire)


def index_of(search: Search, indexes: dict[str, list[str]]) -> str | None:
    """The name of the index of which it is an equality prefix and at most one range, in order."""
    if "_id" in search.equal:
        return "_id_"
    indexes = {"_id_": ["_id"]} | indexes  # a collection that is not there yet has it, too
    if any(not set(operators) <= BOUNDS for _, operators in search.otherwise):
        return None
    if len(search.otherwise) > 1 or not search.equal + search.otherwise:
        return None
    prefix, ranged = len(search.equal), [name for name, _ in search.otherwise]
    for name, fields in indexes.items():
        if (
            set(fields[:prefix]) == set(search.equal)
            and fields[prefix:][: len(ranged)] == ranged
            and fields[prefix:][: len(search.order)] == list(search.order)
        ):
            return name
    return None


def is_audit(search: Search) -> bool:
    return search.stages == AUDIT_STAGES


def test_every_search_has_an_index(seen: Seen) -> None:
    without = [
        search
        for search in seen.searches()
        if not is_audit(search) and not index_of(search, seen.indexes(search.collection))
    ]
    assert not without, "\n".join(map(str, without))


def row(search: Search, index: str) -> str:
    def name(field: str) -> str:
        return "owed.…" if field.startswith("owed.") else field

    by = [
        f"{name(field)} =" for field in search.equal if field == "_id" or "_id" not in search.equal
    ]
    by += [f"{name(field)} range" for field, _ in search.otherwise if "_id" not in search.equal]
    order = ", ".join(map(name, search.order)) if "_id" not in search.equal else ""
    return f"| {search.collection} | {', '.join(by)} | {order} | {name(index)} |"


def test_the_document_lists_them(seen: Seen) -> None:
    """Guarded writes and whatever else goes by an id are one row a collection."""
    rows = {
        row(search, index_of(search, seen.indexes(search.collection)) or "none")
        for search in seen.searches()
        if not is_audit(search)
    }
    # The claim of a chore, 90 s after an erasure: who is slow gets to see it.
    rows.discard("| chores | _id = |  | _id_ |")
    text = "| In | by | in the order of | index |\n|---|---|---|---|\n" + "".join(
        f"{line}\n" for line in sorted(rows)
    )
    (PROGRAM.parent / "searches.md").write_text(text)
    document = (ROOT / "docs/architecture.md").read_text()
    assert document.partition(BEGIN)[2].partition(END)[0] == text, (
        f"{PROGRAM.parent / 'searches.md'} belongs into docs/architecture.md"
    )
