"""A provider's own reason: administrators read it, cleaned; people read our words and the field."""

import dataclasses
import time
from collections.abc import Callable, Iterator
from mailbox import SmtpServer

import pytest
from caller import done
from providers import BREAKER_S, TITLES, Providers, unique
from sim import Sim
from support import until

SIGN_IN_S = 1.1  # a process remembers for so long that it could not sign in
REASON = "It is too long by 17 characters"
# What a provider may quote, and nobody may read.
QUOTED = "Ey747RFTzQ https://zoom.us/j/851?pwd=xyz ada@example.com Bearer abc.def.ghi \u202e\x07"
NEVER = ("Ey747RFTzQ", "zoom.us/j", "ada@example.com", "abc.def.ghi", "\u202e", "\x07")


@dataclasses.dataclass(frozen=True)
class Kind:
    """A provider, and a member of what it is sent that a meeting cannot do without."""

    name: str
    path: str
    code: str

    def __str__(self) -> str:
        return self.name


KINDS = [
    Kind("google_meet", "summary", "invalid"),
    Kind("zoom", "topic", "300"),
    Kind("teams", "subject", "BadRequest"),
]
EVERY = pytest.mark.parametrize("kind", KINDS, ids=str)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, mongodb_uri: str) -> Iterator[Providers]:
    smtp = SmtpServer()
    with Providers(tmp_path_factory.mktemp("reasons") / "stack", mongodb_uri, smtp) as providers:
        providers.warm_up()
        yield providers
    smtp.stop()


@pytest.fixture
def providers(shared: Providers) -> Iterator[Providers]:
    yield shared
    for sim in shared.sims.values():
        sim.calm()
    shared.stack.advance(BREAKER_S + 1)


def refuse(sim: Sim, kind: Kind) -> None:
    sim.refused[kind.path] = f"{REASON}: {QUOTED}"


def assert_clean(text: str) -> None:
    told = [secret for secret in NEVER if secret in text]
    assert not told, f"{told} in {text}"


def assert_for_people(text: str) -> None:
    """Nothing that the provider wrote."""
    assert REASON not in text, text
    assert_clean(text)


def assert_for_administrators(providers: Providers, kind: Kind) -> None:
    error = providers.health(kind.name)["last_error"]
    assert kind.code in error["detail"], error
    assert REASON in error["detail"], error
    assert_clean(error["detail"])
    listed = providers.stack.admin().fetch("/api/config/providers")["items"]
    (own,) = [one["health"] for one in listed if one["name"] == kind.name]
    assert own["last_error"]["detail"] == error["detail"]
    log = providers.stack.logged("meetlink")
    assert error["detail"].partition("It says: ")[2].strip('"') in log
    assert_clean(log)


def refused_creation(providers: Providers, kind: Kind, failover: list[str]) -> tuple[dict, object]:
    providers.policy(default_provider=kind.name, failover=failover)
    refuse(providers[kind.name], kind)
    parties = providers.stack.parties()
    request = parties.create(title=unique("Advice"))
    parties.accept(request, provider=kind.name)
    providers.finish(request["id"])
    return request, parties


@EVERY
def test_a_creation_that_is_refused(providers: Providers, kind: Kind) -> None:
    request, parties = refused_creation(providers, kind, [])
    meeting = parties.lawyer.request(request["id"])["meeting"]
    assert meeting["status"] == "failed"
    words = f"{TITLES[kind.name]}: It refuses this. (HTTP 400, field {kind.path})"
    assert meeting["last_error"]["detail"] == words
    assert_trail(providers, parties, request, f"{kind.name}: permanent: {words}")
    assert_for_administrators(providers, kind)


def assert_trail(providers: Providers, parties: object, request: dict, words: str) -> None:
    for who in (parties.client, parties.lawyer):
        assert_for_people(str(who.request(request["id"])))
        events = who.audit(request["id"])
        assert_for_people(str(events))
        details = [e["detail"] for e in events if e["action"] == "provider.attempt_failed"]
        assert details == [words]
    for mail in providers.stack.mails.of(request["id"]):
        assert_for_people(mail.text())


@EVERY
def test_a_failover_says_why(providers: Providers, kind: Kind) -> None:
    (other, *_) = [one.name for one in KINDS if one != kind]
    request, parties = refused_creation(providers, kind, [other])
    words = f"{TITLES[kind.name]}: It refuses this. (HTTP 400, field {kind.path})"
    meeting = parties.lawyer.request(request["id"])["meeting"]
    assert (meeting["status"], meeting["provider"]) == ("ready", other)
    why = f"{other} was used, because {kind.name} could not. {words}"
    assert {"code": "provider_failover", "detail": why} in meeting["warnings"]
    error = meeting["last_error"]
    assert (error["code"], error["detail"], error["provider"]) == ("permanent", words, kind.name)
    assert_trail(providers, parties, request, f"{kind.name}: permanent: {words}")
    assert_for_administrators(providers, kind)

    # It is still said after the meeting has been moved there.
    url = f"/api/requests/{request['id']}/meeting/reschedule"
    done(parties.lawyer.post(url, {"starts_at": providers.stack.at(hours=30)}))
    providers.finish(request["id"])
    moved = parties.lawyer.request(request["id"])["meeting"]
    assert {"code": "provider_failover", "detail": why} in moved["warnings"]
    assert moved["last_error"] == error


@EVERY
def test_a_change_that_is_refused(providers: Providers, kind: Kind) -> None:
    providers.policy(default_provider=kind.name, failover=[])
    parties = providers.stack.parties()
    request = parties.create(title=unique("Advice"))
    parties.accept(request, provider=kind.name)
    providers.finish(request["id"])
    refuse(providers[kind.name], kind)
    url = f"/api/requests/{request['id']}/meeting/reschedule"
    done(parties.lawyer.post(url, {"starts_at": providers.stack.at(hours=30)}))
    providers.finish(request["id"])
    error = parties.lawyer.request(request["id"])["meeting"]["last_error"]
    assert f"(HTTP 400, field {kind.path})" in error["detail"], error
    assert_for_people(str(parties.client.request(request["id"])))
    assert_for_administrators(providers, kind)


@EVERY
def test_a_validation_says_it(providers: Providers, kind: Kind) -> None:
    refuse(providers[kind.name], kind)
    url = f"/api/config/providers/{kind.name}/validate"
    answer = done(providers.stack.admin().post(url, {"deep": True}))
    (failed,) = [check for check in answer["checks"] if not check["ok"]]
    assert failed["name"] == "create"
    assert f"field {kind.path}" in failed["detail"] and kind.code in failed["detail"]
    assert_clean(str(answer))


def spoil(name: str) -> Callable[[Sim], None]:
    return lambda sim: setattr(sim, name, "another")


SIGN_IN = [
    ("zoom", spoil("client_secret"), "invalid_client: Invalid client_id or client_secret"),
    ("zoom", spoil("account_id"), "invalid_request: Account does not exist"),
    ("teams", spoil("client_secret"), "AADSTS7000215: Invalid client secret provided."),
    ("teams", spoil("client_id"), "AADSTS700016: Application with identifier was not found"),
]


@pytest.mark.parametrize(("name", "change", "words"), SIGN_IN)
def test_what_a_sign_in_refuses(
    providers: Providers, name: str, change: Callable[[Sim], None], words: str
) -> None:
    """OAuth's error and its description are for administrators, too."""
    sim = providers[name]
    before = sim.provider()
    change(sim)
    providers.policy(default_provider=name, failover=[])
    providers.stack.advance(2 * 3600)  # no token is left
    time.sleep(SIGN_IN_S)
    try:
        answer = done(providers.stack.admin().post(f"/api/config/providers/{name}/validate"))
        (failed,) = [check for check in answer["checks"] if not check["ok"]]
        assert failed["name"] == "token" and words in failed["detail"], failed
        assert before["credentials"]["client_secret"] not in str(answer)
        parties = providers.stack.parties()
        request = parties.create(title=unique("Advice"))
        parties.accept(request, provider=name)
        until(lambda: providers.health(name)["last_error"], "it is known")
        assert words in providers.health(name)["last_error"]["detail"]
        assert words not in str(parties.lawyer.request(request["id"]))
        assert words in providers.stack.logged("meetlink")
    finally:
        for field, value in before["credentials"].items():
            if hasattr(sim, field):
                setattr(sim, field, value)
