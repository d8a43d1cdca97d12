"""Access tokens: one for the whole installation, sealed, and never lost with a process."""

import os
import signal
import time
from collections.abc import Callable

import pytest
from providers import BREAKER_S, KINDS, Providers, provide, unique  # noqa: F401
from sim import Fault
from stack import LEASE_S, Stack
from support import at_once, until

Provide = Callable[..., Providers]
MANY = 40
SIGN_IN = {"google_meet": "/token", "zoom": "/oauth/token", "teams": "/oauth2/v2.0/token"}


def accept(providers: Providers, **fields: object) -> dict:
    parties = providers.stack.parties()
    return parties.accept(parties.create(title=unique("Advice")), **fields)


def sign_ins(providers: Providers, name: str) -> int:
    """Not counting what a service account asks for too much at first."""
    sim = providers[name]
    return sim.count("POST", SIGN_IN[name]) - getattr(sim, "narrowed", 0)


def restart(stack: Stack, number: int) -> None:
    """Ends the program, all processes at once if by SIGKILL, and starts it anew."""
    if number == signal.SIGKILL:
        os.killpg(stack.program.pid, number)
    else:
        stack.program.send_signal(number)
    stack.program.wait(40)
    stack.start_program()
    until(stack.is_ready, "ready again")


def stored(stack: Stack) -> str:
    return str(list(stack.requests.database["tokens"].find()))


@pytest.mark.parametrize("name", KINDS)
def test_forty_accept_and_one_signs_in(provide: Provide, name: str) -> None:
    providers = provide(
        names=[name], policy={"inline_wait_ms": 10000}, SERVER_WORKERS=8, SERVER_THREADS=24
    )
    stack, sim = providers.stack, providers[name]
    providers.warm_up()

    def all_accept(why: str) -> None:
        before = sign_ins(providers, name)
        at_once(lambda: accept(providers) for _ in range(MANY))
        providers.finish_all()
        assert sign_ins(providers, name) - before == 1, why

    all_accept("nobody had a token")
    sim.expire_tokens()
    all_accept("the provider refuses the one that all have")
    stack.advance(sim.token_lifetime - 200)
    all_accept("it ends soon")
    live = providers.live()
    assert len(live) == 3 * MANY and len({one.title for _, one in live}) == 3 * MANY


def test_a_failed_sign_in_is_no_storm(provide: Provide) -> None:
    """Whoever waits for a token shares that there is none."""
    providers = provide(names=["zoom"], SERVER_WORKERS=4)
    stack, zoom = providers.stack, providers["zoom"]
    providers.warm_up()
    zoom.script(Fault("POST /oauth/token", status=503, times=None))
    began = time.monotonic()
    at_once(lambda: accept(providers) for _ in range(MANY))
    seconds = time.monotonic() - began
    asked = sign_ins(providers, "zoom")
    print(f"\n{MANY} accepts without a token asked for one {asked} times in {seconds:.1f} s")
    assert asked <= 5 + seconds, "the breaker opens after five, and one a second is enough"
    zoom.calm()
    time.sleep(1.1)  # how long a process shares that it could not sign in
    stack.advance(BREAKER_S + 1)
    providers.finish_all()
    assert len(providers.live()) == MANY
    assert stack.requests.count_documents({"meeting.status": "ready"}) == MANY


def test_nothing_is_stored_that_can_be_read(provide: Provide) -> None:
    providers = provide()
    zoom = providers["zoom"]
    providers.configure("zoom", user_grant(zoom))
    for name in providers.sims:
        assert accept(providers, provider=name)["meeting"]["provider"] == name
    secrets = set(zoom.refresh_tokens) | {zoom.client_secret, providers["teams"].client_secret}
    secrets |= {token for sim in providers.sims.values() for token in sim.tokens}
    secrets |= {line for line in providers["google_meet"].account.key_file().split("\\n")[1:-2]}
    database = providers.stack.requests.database
    dump = "".join(str(list(database[name].find())) for name in database.list_collection_names())
    assert stored(providers.stack).count("'access_token': 'v1:") == 3
    assert [secret for secret in secrets if secret in dump] == []
    logs = providers.stack.logged("meetlink") + providers.stack.logged("nginx")
    assert [secret for secret in secrets if secret in logs] == []


# ---- a user's grant, whose refresh token is another one after each use ----


def user_grant(zoom) -> dict:
    body = zoom.provider(refresh=True)
    body["credentials"]["account_id"] = None
    return body


@pytest.fixture
def granted(provide: Provide) -> Providers:
    """Zoom for one user who connected the app; it takes a refresh token only once."""
    providers = provide(names=["zoom", "teams"], policy={"inline_wait_ms": 10000})
    providers.configure("zoom", user_grant(providers["zoom"]))
    providers.warm_up()
    assert accept(providers)["meeting"]["provider"] == "zoom"
    return providers


def assert_still_in(providers: Providers) -> None:
    """Signs in again with what is stored now."""
    zoom = providers["zoom"]
    before = len(zoom.refresh_tokens)
    zoom.expire_tokens()
    request = accept(providers)
    assert request["meeting"]["provider"] == "zoom", request["meeting"]
    assert len(zoom.refresh_tokens) == before + 1


def test_forty_accept_and_the_grant_lives(granted: Providers) -> None:
    """Two who refresh at once would each kill the other's grant."""
    zoom = granted["zoom"]
    for _ in range(3):
        before = len(zoom.refresh_tokens)
        zoom.expire_tokens()
        at_once(lambda: accept(granted) for _ in range(MANY))
        granted.finish_all()
        assert len(zoom.refresh_tokens) == before + 1
    assert {name for name, _ in granted.live()} == {"zoom"}
    assert len(granted.live()) == 1 + 3 * MANY


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=lambda n: n.name)
def test_it_survives_a_restart(granted: Providers, number: int) -> None:
    assert_still_in(granted)
    restart(granted.stack, number)
    assert_still_in(granted)


def test_it_is_stored_before_it_is_used(granted: Providers) -> None:
    """Killed with the first call under way that carries the new access token."""
    zoom, stack = granted["zoom"], granted.stack
    zoom.expire_tokens()
    # The first creation is refused as unauthorised, the second one hangs.
    zoom.script(Fault("POST /users/*/meetings", hang=True, skip=1))
    before = zoom.count("POST", "/users/*/meetings")
    granted.policy(inline_wait_ms=0)
    request = accept(granted)
    until(lambda: zoom.count("POST", "/users/*/meetings") == before + 2, "it is used")
    rotated = len(zoom.refresh_tokens)
    restart(stack, signal.SIGKILL)
    zoom.calm()
    stack.advance(LEASE_S + 1)
    granted.policy(inline_wait_ms=10000)
    granted.finish(request["id"])
    assert granted.the_meeting(request)[0] == "zoom"
    assert len(zoom.refresh_tokens) == rotated, "the stored one was good"
    assert_still_in(granted)


def test_an_answer_that_is_lost(granted: Providers) -> None:
    """Zoom takes the token before for a short while; so it is tried once more at once."""
    zoom = granted["zoom"]
    zoom.refresh_grace = 1
    zoom.expire_tokens()
    zoom.script(Fault("POST /oauth/token", drop=True, when="after"))
    request = accept(granted)
    granted.finish(request["id"])
    name, _ = granted.the_meeting(request)
    print(f"\nan answer of the sign-in was lost: made by {name}")
    zoom.refresh_grace = 0
    granted.stack.advance(BREAKER_S + 1)
    time.sleep(1.1)
    assert_still_in(granted)


def test_a_grant_that_was_taken_back(granted: Providers) -> None:
    """A person has to connect the account again; until then another provider is used."""
    zoom, stack = granted["zoom"], granted.stack
    granted.policy(failover=["teams"])
    zoom.refresh_tokens.append("taken-back")
    zoom.expire_tokens()
    request = accept(granted)
    assert request["meeting"]["provider"] == "teams"
    health = granted.health("zoom")
    assert health["state"] == "failing" and "connect" in health["last_error"]["detail"], health
    zoom.refresh_tokens.append("given-again-" + "x" * 30)
    granted.configure("zoom", zoom.provider(refresh=True))
    assert accept(granted)["meeting"]["provider"] == "zoom", "at once"
    stack.advance(BREAKER_S + 1)
    assert_still_in(granted)
