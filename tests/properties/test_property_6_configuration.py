"""Property 6: whatever administrators send in whatever order, GET shows exactly what PUT took, with
credentials masked, in every process at once; what is not valid, or is about a state that is gone,
changes nothing; every change is audited, without secrets; and the policy never names a provider
that cannot be used.

Validates: Requirements 3.1, 3.4, 3.5
"""

import copy
import json
import re
from collections.abc import Callable, Iterator

import hypothesis
import hypothesis.strategies as st
import pytest
import requests
from google_account import ServiceAccount
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from simulated import NAMES
from stack import Stack
from support import at_once

POLICY = "/api/config/meetings"
PROVIDERS = "/api/config/providers"
MASK = "••••"
WORD = st.text("ABCdef012-._~", min_size=4, max_size=36).map(lambda text: f"hush{text}")
PLAIN = st.text("abcXYZ789-", min_size=4, max_size=36).map(lambda text: f"hush{text}")
PERSON = PLAIN.map(lambda text: f"{text}@firm.example")
SETTING = st.text("abcXYZ789-", min_size=1, max_size=36)
USER = SETTING.map(lambda text: f"u{text}@firm.example")
KEY_FILE = st.builds(lambda: ServiceAccount().key_file())
CREDENTIALS = {
    "google_meet": {
        "service_account_json": KEY_FILE,
        "subject": PERSON,
        "client_id": WORD,
        "client_secret": WORD,
        "refresh_token": WORD,
    },
    "jitsi": {"app_id": PLAIN, "secret": WORD},
    "teams": {"tenant_id": PLAIN, "client_id": WORD, "client_secret": WORD},
    "zoom": {
        "account_id": WORD,
        "client_id": WORD,
        "client_secret": WORD,
        "refresh_token": WORD,
        "webhook_secret": WORD,
    },
}
SETTINGS = {
    "google_meet": {"calendar_id": st.one_of(st.just("primary"), USER)},
    "jitsi": {"base_url": SETTING.map(lambda text: f"https://meet.example/{text}")},
    "teams": {"organizer": USER},
    "zoom": {"host_user": USER, "authentication": st.sampled_from(["none", "signed_in"])},
}
# A provider is complete with all of one of these, and nothing else but what goes with any.
WAYS = {
    "google_meet": [
        {"service_account_json", "subject"},
        {"client_id", "client_secret", "refresh_token"},
    ],
    "jitsi": [set(), {"app_id", "secret"}],
    "teams": [{"tenant_id", "client_id", "client_secret", "organizer"}],
    "zoom": [
        {"account_id", "client_id", "client_secret", "host_user"},
        {"client_id", "client_secret", "refresh_token"},
    ],
}
EXTRAS = {"calendar_id", "base_url", "host_user", "authentication", "webhook_secret"}
POLICIES = st.fixed_dictionaries(
    {},
    optional={
        "default_provider": st.sampled_from(NAMES),
        "failover": st.lists(st.sampled_from(NAMES), max_size=3),
        "inline_wait_ms": st.integers(0, 20000),
        "join_links": st.sampled_from(["gate", "direct"]),
        "security": st.fixed_dictionaries(
            {}, optional={"waiting_room": st.booleans(), "join_before_host": st.booleans()}
        ),
        "reminders_minutes_before": st.lists(st.integers(5, 20160), max_size=8, unique=True),
        "retry": st.fixed_dictionaries(
            {}, optional={"first_s": st.integers(1, 600), "max_s": st.integers(1, 900)}
        ),
    },
)
# What is never valid, with the pointers that say so.
WRONG_POLICIES = [
    ({"default_provider": "skype"}, ["/default_provider"]),
    ({"failover": ["skype"]}, ["/failover/0"]),
    ({"inline_wait_ms": 20001}, ["/inline_wait_ms"]),
    ({"join_links": "open"}, ["/join_links"]),
    ({"security": {"waiting_room": None}}, ["/security/waiting_room"]),
    ({"retry": {"first_s": 0}}, ["/retry/first_s"]),
    ({"colour": 1}, ["/colour"]),
]
WRONG_PROVIDERS = [
    ({"enabled": "yes"}, ["/enabled"]),
    ({"settings": {"colour": "red"}}, ["/settings/colour"]),
    ({"settings": None, "colour": 1}, ["/settings", "/colour"]),
    ({"credentials": {"colour": "red"}}, ["/credentials/colour"]),
    ({"credentials": ["red"]}, ["/credentials"]),
]


def masked(field: str, value: str) -> str:
    has_tail = field != "service_account_json" and len(value) >= 12
    return MASK + (value[-4:] if has_tail else "")


def text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


class Provider:
    """One provider as it should be."""

    def __init__(self, name: str):
        self.name = name
        self.enabled = name == "jitsi"
        self.settings: dict[str, str] = {}
        self.credentials: dict[str, str] = {}

    @property
    def complete(self) -> bool:
        there = self.settings.keys() | self.credentials.keys()
        return any(way <= there and there - EXTRAS <= way for way in WAYS[self.name])

    @property
    def usable(self) -> bool:
        return self.enabled and self.complete

    def shown(self) -> dict:
        return {
            "name": self.name,
            "enabled": self.enabled,
            "configured": self.complete,
            "settings": self.settings,
            "credentials": {name: masked(name, text) for name, text in self.credentials.items()},
        }

    def changes(self, after: "Provider") -> list[tuple]:
        """What is audited when it becomes `after`."""
        found = []
        for kind in ("settings", "credentials"):
            old, new = getattr(self, kind), getattr(after, kind)
            for name in old.keys() | new.keys():
                values = old.get(name), new.get(name)
                if values[0] != values[1]:
                    if kind == "credentials":
                        there = "replaced" if values[0] else "set"
                        values = values[0] and "set", values[1] and there
                    found.append((f"/providers/{self.name}/{kind}/{name}", *values))
        if self.enabled != after.enabled:
            values = text(self.enabled), text(after.enabled)
            found.append((f"/providers/{self.name}/enabled", *values))
        return found


class Configuration(RuleBasedStateMachine):
    def __init__(self, stack: Stack):
        super().__init__()
        self.stack, self.admin = stack, stack.admin()
        self.stored = stack.requests.database["config"]
        self.stored.delete_many({})
        self.policy = self.admin.fetch(POLICY)
        self.providers = {name: Provider(name) for name in NAMES}
        self.events: list[tuple] = []
        self.rev = 0
        self.secrets: set[str] = set()
        self.tags: dict[str, list[str]] = {}

    # ---- what is done ----

    def send(
        self, call: Callable, path: str, body: object, match: str | None, wrong: list[str] | None
    ) -> bool:
        """Whether it was taken; `wrong` are patterns of the pointers when it must not be."""
        now = self.admin.get(path).headers["ETag"]
        tags = self.tags.setdefault(path, [])
        tags.append(now)
        sent = {"now": now, "first": tags[0], "any": "*", "none": '"none"'}.get(match)
        arguments = [body] if body is not None else []
        answer: requests.Response = call(
            path, *arguments, headers={"If-Match": sent} if sent else {}
        )
        if sent and sent != "*" and version(path, sent) != version(path, now):
            assert answer.status_code == 412, (sent, now)
            return False
        if wrong is not None:
            assert answer.status_code == 422, (body, answer.text)
            pointers = [error["pointer"] for error in answer.json()["errors"]]
            assert pointers and all(
                any(re.fullmatch(pattern, pointer) for pattern in wrong) for pointer in pointers
            ), (pointers, wrong)
            return False
        assert answer.status_code in (200, 204), (body, answer.text)
        if answer.status_code == 200:
            fresh = self.admin.get(path)
            assert (fresh.json(), fresh.headers["ETag"]) == (answer.json(), answer.headers["ETag"])
        return True

    def note(self, found: list[tuple]) -> None:
        self.events += sorted(found, key=str)
        self.rev += bool(found)

    MATCHES = st.sampled_from([None, None, "now", "any", "first", "none"])

    @rule(part=POLICIES, match=MATCHES)
    def put_policy(self, part: dict, match: str | None) -> None:
        after = copy.deepcopy(self.policy)
        for name, value in part.items():
            after[name] = after[name] | value if isinstance(value, dict) else value
        wrong = []
        if not self.providers[after["default_provider"]].usable:
            wrong.append("/default_provider")
        for i, name in enumerate(after["failover"]):
            taken = [after["default_provider"], *after["failover"][:i]]
            if name in taken or not self.providers[name].usable:
                wrong.append(f"/failover/{i}")
        if after["security"]["waiting_room"] and after["security"]["join_before_host"]:
            wrong.append("/security/join_before_host")
        if after["retry"]["first_s"] > after["retry"]["max_s"]:
            wrong.append("/retry/first_s")
        if self.send(self.admin.put, POLICY, part, match, wrong or None):
            self.note(differences("/policy", self.policy, after))
            self.policy = after

    @rule(part=POLICIES, wrong=st.sampled_from(WRONG_POLICIES))
    def put_wrong_policy(self, part: dict, wrong: tuple) -> None:
        """A thing that is wrong spoils what is right."""
        self.send(self.admin.put, POLICY, part | wrong[0], None, ["/.*"])

    def put(self, name: str, body: dict, match: str | None) -> None:
        before, after = self.providers[name], copy.deepcopy(self.providers[name])
        given = body.get("credentials", {})
        after.enabled = body.get("enabled", after.enabled)
        after.settings = dict(body.get("settings", after.settings))
        after.credentials = {
            field: value
            for field, value in (after.credentials | given).items()
            if value is not None
        }
        self.secrets |= {value for value in given.values() if value}
        wrong = None
        if (after.enabled or any(given.values())) and not after.complete:
            wrong = [r"/(credentials|settings)(/\w+)?"]
        elif self.is_named(name) and not after.usable:
            wrong = ["/enabled"]
        if self.send(self.admin.put, f"{PROVIDERS}/{name}", body, match, wrong):
            self.note(before.changes(after))
            self.providers[name] = after

    def is_named(self, name: str) -> bool:
        return name in (self.policy["default_provider"], *self.policy["failover"])

    @rule(data=st.data(), name=st.sampled_from(NAMES), enabled=st.booleans(), match=MATCHES)
    def put_whole_provider(
        self, data: st.DataObject, name: str, enabled: bool, match: str | None
    ) -> None:
        way = data.draw(st.sampled_from(WAYS[name]))
        credentials = {
            field: data.draw(values) if field in way else None
            for field, values in CREDENTIALS[name].items()
        }
        settings = {field: data.draw(v) for field, v in SETTINGS[name].items() if field in way}
        body = {"enabled": enabled, "settings": settings, "credentials": credentials}
        self.put(name, body, match)

    @rule(data=st.data(), name=st.sampled_from(NAMES), match=MATCHES)
    def put_part_of_a_provider(self, data: st.DataObject, name: str, match: str | None) -> None:
        fields = {field: st.none() | values for field, values in CREDENTIALS[name].items()}
        parts = {
            "enabled": st.booleans(),
            "settings": st.fixed_dictionaries({}, optional=SETTINGS[name]),
            "credentials": st.fixed_dictionaries({}, optional=fields),
        }
        self.put(name, data.draw(st.fixed_dictionaries({}, optional=parts)), match)

    @rule(name=st.sampled_from(NAMES), wrong=st.sampled_from(WRONG_PROVIDERS))
    def put_wrong_provider(self, name: str, wrong: tuple) -> None:
        body = {"enabled": not self.providers[name].enabled, "settings": {}} | wrong[0]
        self.send(self.admin.put, f"{PROVIDERS}/{name}", body, None, wrong[1])

    @rule(name=st.sampled_from(NAMES), field=st.data())
    def put_another_mask(self, name: str, field: st.DataObject) -> None:
        field = field.draw(st.sampled_from(sorted(CREDENTIALS[name])))
        body = {"credentials": {field: MASK + "none"}}
        wrong = [f"/credentials/{field}"]
        self.send(self.admin.put, f"{PROVIDERS}/{name}", body, None, wrong)

    @rule(name=st.sampled_from(NAMES), match=MATCHES)
    def put_what_is_shown(self, name: str, match: str | None) -> None:
        path = f"{PROVIDERS}/{name}"
        provider = self.providers[name]
        incomplete = provider.enabled and not provider.complete
        assert not incomplete, "was never taken"
        self.send(self.admin.put, path, self.admin.fetch(path), match, None)

    @rule(name=st.sampled_from(NAMES), match=MATCHES)
    def delete(self, name: str, match: str | None) -> None:
        before, after = self.providers[name], Provider(name)
        after.enabled = False
        wrong = ["/enabled"] if self.is_named(name) else None
        if self.send(self.admin.delete, f"{PROVIDERS}/{name}", None, match, wrong):
            self.note(before.changes(after))
            self.providers[name] = after

    # ---- what always holds ----

    @invariant()
    def everybody_sees_it(self) -> None:
        admins = [self.stack.admin() for _ in range(3)]
        calls = [
            lambda admin=admin: (admin.fetch(POLICY), admin.fetch(PROVIDERS)) for admin in admins
        ]
        for policy, page in at_once(calls):
            assert policy == self.policy
            shown = {one["name"]: one for one in page["items"]}
            for name, provider in self.providers.items():
                expected = provider.shown()
                assert {key: shown[name][key] for key in expected} == expected
        for admin in admins:
            admin.session.close()

    @invariant()
    def what_the_policy_names_can_be_used(self) -> None:
        for name in (self.policy["default_provider"], *self.policy["failover"]):
            assert self.providers[name].usable

    @invariant()
    def every_change_is_audited_without_secrets(self) -> None:
        document = self.stored.find_one({"_id": "config"}) or {"events": [], "rev": 0}
        events = [(e["detail"], e["from"], e["to"]) for e in document["events"]]
        assert sorted(events, key=str) == sorted(self.events, key=str)
        assert document["rev"] == self.rev
        written = repr(document)
        assert not [secret for secret in self.secrets if secret in written]


def version(path: str, tag: str) -> str:
    """What If-Match is about: of a provider's tag its first part, without health."""
    return tag if path == POLICY else tag.partition("-")[0]


def differences(pointer: str, before: dict, after: dict) -> list[tuple]:
    found = []
    for name, value in after.items():
        old, path = before[name], f"{pointer}/{name}"
        if isinstance(value, dict):
            found += differences(path, old, value)
        elif value != old:
            found.append((path, text(old), text(value)))
    return found


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory, mongodb_uri: str) -> Iterator[Stack]:
    """Its workers have one thread each, so that calls at once meet different processes."""
    folder = tmp_path_factory.mktemp("configuration") / "stack"
    with Stack(folder, mongodb_uri, SERVER_WORKERS=6, SERVER_THREADS=1) as stack:
        yield stack


def test_the_configuration_is_what_was_sent(own: Stack) -> None:
    steps = hypothesis.settings(max_examples=15, stateful_step_count=20)
    run_state_machine_as_test(lambda: Configuration(own), settings=steps)
    answered = re.findall(r"role=worker pid=(\d+) .* route=/api/config/", own.logged("meetlink"))
    assert len(set(answered)) > 2
