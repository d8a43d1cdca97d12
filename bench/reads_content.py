"""What bench/reads asks about: a hundred requests, in our shape and, with the same content, in the
peer's."""

import datetime
import re

import pymongo
from caller import Parties
from stack import Stack

# What a lawyer with a hundred requests has: of ten, so many; the rest was cancelled.
ACCEPTED, OPEN, DECLINED = 4, 3, 2
TEXT = (
    "The flat has been without heating since the ninth; the landlord answers neither letters nor "
    "calls, and I would like to know whether I may reduce the rent and by how much."
)


def fill(parties: Parties) -> tuple[list[dict], list[dict]]:
    """A hundred requests of one lawyer: all as the lawyer sees them, and those accepted."""
    everything, accepted = [], []
    for number in range(100):
        kind = number % 10
        request = parties.create(
            title=f"Rent reduction, flat {number}",
            description=TEXT,
            starts_at=parties.stack.at(days=3, hours=2 * number),
        )
        if kind < ACCEPTED:
            request = parties.accept(request, message="Please have the lease at hand.")
            assert request["meeting"]["status"] == "ready", request
            accepted.append(request)
        elif ACCEPTED + OPEN <= kind < ACCEPTED + OPEN + DECLINED:
            assert parties.lawyer.respond(request["id"], "decline").status_code == 200
        elif kind >= ACCEPTED + OPEN:
            assert parties.client.cancel(request["id"]).status_code == 200
        everything.append(parties.lawyer.request(request["id"]))
    return everything, accepted


INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
# What is derived for each caller, and stored nowhere.
DERIVED = ("join_url", "calendar_url", "add_to_calendar")


def instants(value: object) -> object:
    if isinstance(value, dict):
        return {name: instants(item) for name, item in value.items()}
    if isinstance(value, list):
        return [instants(item) for item in value]
    if isinstance(value, str) and INSTANT.fullmatch(value):
        return datetime.datetime.fromisoformat(value)
    return value


def peer_document(shown: dict, stored: dict) -> dict:
    """The same content in the peer's shape: nothing is sealed; what no answer shows, and makes the
    document as long as ours, is its trail."""
    document = {"_id": shown["id"]} | instants(shown)
    del document["id"], document["links"]
    if document["meeting"]:
        document["meeting"] |= {name: None for name in DERIVED if name in document["meeting"]}
    status, start = document["status"], document["starts_at"]
    over_at = {"open": start, "accepted": document["ends_at"]}.get(status, stored["updated_at"])
    return document | {
        "rev": stored["rev"],
        "shelf": {"open": "open", "accepted": "upcoming"}.get(status),
        "over_at": over_at,
        "lawyer_until": start if status == "open" else None,
        "trail": {name: value for name, value in stored.items() if name not in document},
    }


# Those that serve our reads.
PEER_INDEXES = [
    [f"{who}.id", *rest, "_id"]
    for who in ("client", "lawyer")
    for rest in (["starts_at"], ["shelf", "over_at"], ["meeting.status", "over_at"], ["over_at"])
] + [["lawyer.id", "lawyer_until", "_id"]]


def fill_peer(stack: Stack, name: str, shown: list[dict]) -> None:
    """The database of that name gets what we show of these requests."""
    peer, ids = stack.mongo[name], [request["id"] for request in shown]
    stored = {document["_id"]: document for document in stack.requests.find({"_id": {"$in": ids}})}
    peer["requests"].insert_many(peer_document(r, stored[r["id"]]) for r in shown)
    for fields in PEER_INDEXES:
        peer["requests"].create_index([(field, pymongo.ASCENDING) for field in fields])
    size = {c: next(c.aggregate(SIZES))["size"] for c in (stack.requests, peer["requests"])}
    print("mean document: ours {:.0f} bytes, the peer's {:.0f}".format(*size.values()))


SIZES = [
    {"$project": {"n": {"$bsonSize": "$$ROOT"}}},
    {"$group": {"_id": 0, "size": {"$avg": "$n"}}},
]
