"""Documents that a former version has stored (tests/data/documents), and the world they are of."""

import pathlib
from collections.abc import Iterable
from mailbox import SmtpServer

import bson
from bson import json_util
from bson.codec_options import CodecOptions
from caller import Parties
from graph import Graph
from graph import Meeting as TeamsMeeting
from providers import KINDS, Providers
from sim import Grant, Sim
from stack import ROOT, Stack, end
from support import until
from zoom import DEFAULTS, Zoom
from zoom import Meeting as ZoomMeeting

FOLDER = ROOT / "tests/data/documents"
# What links begin with, at whatever port a stack listens.
PUBLIC_URL = "https://meetings.example.org"
ROLES = ("client", "lawyer")
NAMES = (
    "open",
    "declined",
    "creation-owed",
    "creation-failed-over",
    "creation-waits",
    "creation-leased",
    "ready-mails-owed",
    "ready-told",
    "update-owed",
    "mail-failed",
    "failed",
    "cancelled",
    "deletion-failed",
    "meeting-cancelled",
    "regenerated",
    "joined",
    "completed",
    "erased",
)
# Extended JSON that keeps every type (all numbers are int64) and is easy to read.
OPTIONS = json_util.JSONOptions(
    json_mode=json_util.JSONMode.LEGACY,
    strict_number_long=True,
    datetime_representation=json_util.DatetimeRepresentation.ISO8601,
    tz_aware=True,
)
SIGN_IN = {
    "zoom": ("account_id", "client_id", "client_secret", "webhook_secret", "users"),
    "teams": ("tenant_id", "client_id", "client_secret", "users"),
}


# ---- files ----


def compact(value: object) -> str:
    return json_util.dumps(value, json_options=OPTIONS, ensure_ascii=False)


def text_of(document: dict) -> str:
    """A line for each member, and for each item of its lists."""
    lines = []
    for name, value in document.items():
        if isinstance(value, list) and value:
            items = ",\n".join("  " + compact(item) for item in value)
            lines.append(f"{compact(name)}: [\n{items}\n]")
        else:
            lines.append(f"{compact(name)}: {compact(value)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def save(name: str, document: dict) -> None:
    text = text_of(document)
    assert bson.encode(json_util.loads(text, json_options=OPTIONS)) == bson.encode(document)
    (FOLDER / f"{name}.json").write_text(text)


def load(name: str) -> dict:
    return json_util.loads((FOLDER / f"{name}.json").read_text(), json_options=OPTIONS)


def common(one: dict, other: dict) -> dict:
    """What two objects have in common, at any depth."""
    shared = {}
    for name in one.keys() & other.keys():
        if isinstance(one[name], dict) and isinstance(other[name], dict):
            shared[name] = common(one[name], other[name])
        elif one[name] == other[name]:
            shared[name] = one[name]
    return {name: shared[name] for name in one if name in shared}


def without(one: dict, shared: dict) -> dict:
    """What an object has beyond that."""
    own = {}
    for name, value in one.items():
        if name not in shared:
            own[name] = value
        elif isinstance(value, dict) and (rest := without(value, shared[name])):
            own[name] = rest
    return own


def joined(shared: dict, own: dict) -> dict:
    """The whole again."""
    whole = dict(shared)
    for name, value in own.items():
        is_part = isinstance(value, dict) and isinstance(shared.get(name), dict)
        whole[name] = joined(shared[name], value) if is_part else value
    return whole


def shown(name: str) -> dict:
    """What the former version said of a request: to each role, and more."""
    said = load(f"{name}.shown")
    both = said.pop("both")
    if both["meeting"]:  # since then
        both["meeting"]["attendance"] = {"client": "unknown", "lawyer": "accepted"}
    return said | {role: joined(both, said[role]) for role in ROLES}


# What this version shows of a meeting that the former one did not.
NEW = ("add_to_calendar", "proposal")
NEW_LINKS = ("page_url", "propose")


def as_before(said: dict) -> dict:
    """What is shown of a request, or of a meeting, without what is new: there is no proposal."""
    assert not said.get("proposal")
    if said.get("meeting"):
        said = said | {"meeting": as_before(said["meeting"])}
    if "links" in said:
        links = {name: url for name, url in said["links"].items() if name not in NEW_LINKS}
        said = said | {"links": links}
    return {name: value for name, value in said.items() if name not in NEW}


def save_shown(name: str, said: dict) -> None:
    both = common(said["client"], said["lawyer"])
    save(
        f"{name}.shown", {"both": both} | said | {role: without(said[role], both) for role in ROLES}
    )


# ---- providers ----


def brief(raw: dict) -> dict:
    """A meeting of Zoom's without the settings that are as they always are."""
    own = {n: v for n, v in raw["settings"].items() if n not in DEFAULTS or v != DEFAULTS[n]}
    return raw | {"settings": own}


def whole(raw: dict) -> dict:
    return raw | {"settings": DEFAULTS | raw["settings"]}


def state_of(sim: Sim) -> dict:
    """What a simulator has to know again."""
    if isinstance(sim, Zoom):
        names = SIGN_IN["zoom"]
        meetings = [
            {"id": str(one.id), "host": one.host, "made_at": one.made_at, "raw": brief(one.raw)}
            for one in sim.meetings.values()
        ]
    else:
        names = SIGN_IN["teams"]
        meetings = [
            {"user": one.user, "external_id": one.external_id, "raw": one.raw}
            for one in sim.meetings.values()
        ]
    tokens = [
        {"token": token, "expires": grant.expires, "scopes": sorted(grant.scopes)}
        for token, grant in sim.tokens.items()
        if grant.expires > sim.now()
    ]
    return {name: getattr(sim, name) for name in names} | {"tokens": tokens, "meetings": meetings}


def restore(sim: Sim, state: dict) -> None:
    kind = "zoom" if isinstance(sim, Zoom) else "teams"
    for name in SIGN_IN[kind]:
        setattr(sim, name, state[name])
    for one in state["tokens"]:
        sim.tokens[one["token"]] = Grant(one["expires"], set(one["scopes"]))
    if isinstance(sim, Zoom):
        sim.daily_limit = 10**6
        sim.meetings = {
            (number := int(one["id"])): ZoomMeeting(
                number, one["host"], whole(one["raw"]), one["made_at"]
            )
            for one in state["meetings"]
        }
    else:
        assert isinstance(sim, Graph)
        sim.policy = set(sim.users)
        sim.meetings = {
            one["raw"]["id"]: TeamsMeeting(one["user"], one["external_id"], one["raw"])
            for one in state["meetings"]
        }


# ---- the world ----


class Former(Providers):
    """A stack whose database is as the former version has left it, at the same moment, with the
    same key and the providers of then; a context manager. Nobody delivers, until deliver()."""

    def __init__(self, folder: pathlib.Path, mongodb_uri: str, smtp: SmtpServer):
        self.sims: dict[str, Sim] = {name: KINDS[name]() for name in SIGN_IN}
        conf = {key: url for sim in self.sims.values() for key, url in sim.conf.items()}
        key = folder / "former.key"
        folder.mkdir(parents=True)
        key.write_text((FOLDER / "master.key").read_text())
        key.chmod(0o600)
        conf |= {"KEY_FILE": key, "PUBLIC_URL": PUBLIC_URL, "SERVER_DISPATCHERS": 0}
        try:
            self.stack = Stack(folder / "stack", mongodb_uri, smtp, **conf)
        except BaseException:
            self.close()
            raise
        for sim in self.sims.values():
            sim.now = self.stack.now
        self.key = key
        self.documents: dict[str, dict] = {}
        self.reset()

    def reset(self) -> None:
        """Everything is again as it was."""
        stack, world = self.stack, load("world")
        self.use_keys((FOLDER / "master.key").read_text())
        stack.advance((world["now"] - stack.now()).total_seconds())
        for name, sim in self.sims.items():
            sim.calm()
            restore(sim, world[name])
        self.documents = {name: load(name) for name in NAMES}
        self.fill("requests", self.documents.values())
        self.fill("config", [load("config")])
        self.fill("tokens", world["tokens"])

    def use_keys(self, *lines: str) -> None:
        """What the key file says; whoever runs already has read it."""
        self.key.write_text("".join(lines))
        (self.stack.folder / "master.key").write_text("".join(lines))  # for Stack.mark()

    def fill(self, collection: str, documents: Iterable[dict]) -> None:
        there = self.stack.requests.database[collection]
        there.delete_many({})
        there.insert_many(documents)

    def restart(self, **settings: object) -> None:
        """Another generation of processes, with other settings."""
        assert end(self.stack.program) == 0
        self.stack.settings |= settings
        self.stack.start_program()
        until(self.stack.is_ready, "it is back")

    def deliver(self) -> None:
        """From now on somebody does what is owed."""
        self.restart(SERVER_DISPATCHERS=1)

    def parties(self, name: str) -> Parties:
        return people(self.stack, name)

    def now(self, name: str) -> dict:
        """The document as it is now."""
        requests = self.stack.requests.with_options(CodecOptions(tz_aware=True))
        return requests.find_one({"_id": self.documents[name]["_id"]})


def people(stack: Stack, name: str) -> Parties:
    return Parties(stack, stack.client(f"client-{name}"), stack.lawyer(f"lawyer-{name}"))


def place(url: str) -> str:
    """The path of one of our links."""
    return url.removeprefix(PUBLIC_URL)

