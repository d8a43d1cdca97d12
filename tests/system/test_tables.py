"""Every route × every kind of caller × whose request it is, as THE ROUTE TABLE says."""

import dataclasses
import datetime
import json
import pathlib
import secrets
from collections.abc import Callable, Iterator

import pytest
import requests
import tables
from bson.raw_bson import RawBSONDocument
from caller import Caller, Parties, mint
from providers import Providers
from stack import ROOT, Stack
from zoom import sign

OWNED = "/api/requests/{}"
INVALID = {"without a role", "of an unknown role", "expired", "no token"}


def test_the_document_is_what_is_printed() -> None:
    assert (ROOT / "docs/tables.md").read_text() == tables.printed(), (
        "meetlink check tables > docs/tables.md"
    )


class World:
    """A client, a lawyer and a request of theirs whose door is open, and everybody else."""

    def __init__(self, providers: Providers):
        self.stack: Stack = providers.stack
        self.zoom = providers["zoom"]
        self.pair = self.stack.parties()
        self.shared = self.accepted(provider="zoom")
        providers.finish(self.shared["id"])

    def open(self) -> dict:
        return self.pair.create(starts_at=self.stack.at(minutes=5))

    def accepted(self, **fields: object) -> dict:
        return self.pair.accept(self.open(), **fields)

    def raw(self, request_id: str) -> bytes:
        options = self.stack.requests.codec_options.with_options(document_class=RawBSONDocument)
        return self.stack.requests.with_options(options).find_one({"_id": request_id}).raw

    def callers(self) -> dict[str, tuple[str | None, Caller]]:
        """Everybody: their role, None for a token that is none."""
        stack, pair = self.stack, self.pair
        past = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=2)
        unmade = {
            "without a role": mint(stack.secret, sub=pair.client_id),
            "of an unknown role": mint(stack.secret, sub=pair.client_id, role="judge"),
            "expired": mint(stack.secret, sub=pair.lawyer_id, role="lawyer", exp=past),
            "no token": None,
        }
        return {
            "its client": ("client", pair.client),
            "its lawyer": ("lawyer", pair.lawyer),
            "another client": ("client", stack.client("somebody-else")),
            "another lawyer": ("lawyer", stack.lawyer("somebody-else")),
            "a client with the lawyer's id": ("client", stack.client(pair.lawyer_id)),
            "a lawyer with the client's id": ("lawyer", stack.lawyer(pair.client_id)),
            "admin": ("admin", stack.admin()),
            "service": ("service", stack.service()),
        } | {name: (None, Caller(stack.url, token)) for name, token in unmade.items()}


CALLERS = (
    "its client", "its lawyer", "another client", "another lawyer",
    "a client with the lawyer's id", "a lawyer with the client's id",
    "admin", "service", *sorted(INVALID),
)  # fmt: skip
INSIDERS = {"its client", "its lawyer", "admin", "service"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, mongodb_uri: str) -> Iterator[World]:
    folder: pathlib.Path = tmp_path_factory.mktemp("tables")
    policy = {"default_provider": "jitsi"}
    with Providers(folder, mongodb_uri, names=("zoom",), policy=policy) as providers:
        yield World(providers)


# ---- how each route is called ----


def nothing(*_: object) -> dict:
    return {}


@dataclasses.dataclass
class Call:
    """How a route is called so that whoever may call it is not refused.

    `what` fills the {} of the path; the id of a request unless it says otherwise. `changes`: each
    call that is not refused is made on a request of its own, which this makes.
    """

    body: Callable[[World, Caller], dict] = nothing
    what: Callable[[World, dict], str] = lambda _, request: request["id"]
    changes: Callable[[World], dict] | None = None
    headers: Callable[[World, bytes], dict] = nothing


def own_draft(world: World, caller: Caller) -> dict:
    """A client files for themself, the others for anybody."""
    pair = world.stack.parties()
    if caller.token and (claims := pair_claims(caller)).get("role") == "client":
        return pair.draft(client=pair.person("client", id=claims["sub"]))
    return pair.draft()


def pair_claims(caller: Caller) -> dict:
    body = caller.token.split(".")[1]
    return json.loads(__import__("base64").urlsafe_b64decode(body + "=="))
