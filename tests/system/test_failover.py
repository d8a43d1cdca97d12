"""Providers that are down, hang, refuse or have had enough: the next one does it, or later."""

import collections
import concurrent.futures
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from mailbox import Mail, SmtpServer

import pytest
from caller import done, refused
from providers import BREAKER_S, TITLES, Providers, midnight, provide, unique  # noqa: F401
from sim import Fault
from stack import LEASE_S, Database, Stack
from support import at_once, until

CHAIN = {"failover": ["zoom", "teams"]}
DEFAULTS = {"default_provider": "google_meet", "failover": [], "inline_wait_ms": 5000}
CREATE_ZOOM = ("POST", "/users/*/meetings")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, mongodb_uri: str) -> Iterator[Providers]:
    smtp = SmtpServer()
    folder = tmp_path_factory.mktemp("failover")
    with Providers(folder / "stack", mongodb_uri, smtp, SERVER_WORKERS=4) as providers:
        providers.warm_up()
        yield providers
    smtp.stop()


@pytest.fixture
def providers(shared: Providers) -> Providers:
    """Everybody is well and known to be, and nobody stands in for another."""
    shared.policy(**DEFAULTS)
    for name, sim in shared.sims.items():
        sim.calm()
        shared.configure(name, sim.provider())

    def is_well(name: str) -> bool:
        """Not yet, where a call ends in which it failed before."""
        shared.stack.advance(BREAKER_S + 1)
        request, _ = accept(shared, provider=name)
        request = shared.finish(request["id"])  # where it took longer than who accepts waits
        assert request["meeting"]["status"] == "ready", request["meeting"]
        return shared.health(name)["state"] == "ok"

    for name in shared.sims:
        until(lambda name=name: is_well(name), f"{name} is well")
    return shared


def accept(providers: Providers, **fields: object) -> tuple[dict, float]:
    """A request that was just accepted, and how long the answer took."""
    parties = providers.stack.parties()
    request = parties.create(title=unique("Advice"))
    began = time.monotonic()
    request = parties.accept(request, **fields)
    return request, time.monotonic() - began


def actions(stack: Stack, request: dict) -> collections.Counter:
    return collections.Counter(event["action"] for event in stack.document(request["id"])["events"])


def flat(mail: Mail) -> str:
    return " ".join(mail.text().split())


def assert_away(providers: Providers, request: dict, name: str) -> None:
    """Another provider made it, and everybody is told so in words."""
    stack = providers.stack
    assert providers.the_meeting(request)[0] == name
    document = providers.finish(request["id"])
    assert len(providers.live_of(request)) == 1
    wanted = document["meeting"]["requested_provider"]
    (warning,) = [w for w in document["meeting"]["warnings"] if w["code"] == "provider_failover"]
    assert name in warning["detail"] and wanted in warning["detail"], warning
    (event,) = [e for e in document["events"] if e["action"] == "provider.failed_over"][-1:]
    assert event["to"] == name
    mails = stack.mails.of(request["id"])
    assert len(mails) == 2
    for mail in mails:
        text = flat(mail)
        assert f"takes place on {TITLES[name]}, because {TITLES[wanted]} could not" in text, text


class Readers:
    """Threads that read one request over and over, and note how long each answer took."""

    def __init__(self, stack: Stack, threads: int = 2):
        self.parties = stack.parties()
        self.request = self.parties.create()
        self.times: list[float] = []
        self.enough = threading.Event()
        self.pool = concurrent.futures.ThreadPoolExecutor(threads)
        self.futures = [self.pool.submit(self.run) for _ in range(threads)]

    def run(self) -> None:
        while not self.enough.is_set():
            began = time.monotonic()
            assert self.parties.client.request(self.request["id"])["status"] == "open"
            self.times.append(time.monotonic() - began)
            time.sleep(0.005)

    def stop(self) -> list[float]:
        self.enough.set()
        for future in self.futures:
            future.result()
        self.pool.shutdown()
        return self.times


def read_for(stack: Stack, seconds: float) -> list[float]:
    readers = Readers(stack)
    time.sleep(seconds)
    return readers.stop()


def told(times: list[float]) -> str:
    ordered = sorted(times)
    late = ordered[len(ordered) * 99 // 100]
    return (
        f"{len(times)} reads, median {statistics.median(times) * 1000:.1f} ms, "
        f"99 % within {late * 1000:.1f} ms"
    )


# ---- one is away ----


def test_another_one_answers_for_one_that_is_down(providers: Providers) -> None:
    providers.policy(**CHAIN)
    providers["google_meet"].down()
    request, took = accept(providers)
    print(f"\nGoogle down, Zoom up: ready in {took:.2f} s")
    assert request["meeting"]["status"] == "ready"
    assert took < 6, "it hangs"
    assert_away(providers, request, "zoom")
    assert actions(providers.stack, request)["provider.attempt_failed"] == 2, "once more, then away"


@pytest.mark.parametrize("what", ["sign-in", "calendar"])
def test_another_one_answers_for_one_that_hangs(providers: Providers, what: str) -> None:
    providers.policy(**CHAIN)
    google = providers["google_meet"]
    before = google.count("DELETE")
    if what == "sign-in":
        providers.stack.advance(google.token_lifetime)
    google.hang_all()
    request, took = accept(providers)
    print(f"\nGoogle's {what} hanging, Zoom up: ready in {took:.2f} s")
    assert request["meeting"]["status"] == "ready"
    assert took < 6, "it hangs"
    google.calm()
    assert_away(providers, request, "zoom")
    asked = what == "calendar"
    assert actions(providers.stack, request)["provider.orphan_deleted"] == asked, "it is looked for"
    assert google.count("DELETE") - before == asked


def test_what_a_hanging_provider_made_is_deleted(providers: Providers) -> None:
    """It did the work and never said so; after that nobody could even ask it."""
    providers.policy(**CHAIN)
    google = providers["google_meet"]
    google.hang_all("after")
    request, _ = accept(providers)
    assert request["meeting"]["provider"] == "zoom"
    assert [name for name, _ in providers.live_of(request)] == ["google_meet", "zoom"]
    warnings = [w["code"] for w in request["meeting"]["warnings"]]
    assert "provider_failover" in warnings
    google.calm()
    providers.finish(request["id"])
    assert providers.the_meeting(request)[0] == "zoom"
    assert request["title"] not in [live.title for live in google.live()]


@pytest.mark.parametrize("name", ["zoom", "teams"])
def test_the_one_that_the_lawyer_wants(providers: Providers, name: str) -> None:
    providers.policy(**CHAIN)
    request, _ = accept(providers, provider=name)
    assert request["meeting"]["provider"] == request["meeting"]["requested_provider"] == name
    providers[name].down()
    request, _ = accept(providers, provider=name)
    assert request["meeting"]["status"] == "ready"
    # The first of the policy's order that was not asked yet.
    assert_away(providers, request, "zoom" if name == "teams" else "teams")


def test_the_lawyer_takes_another_one_while_the_first_is_away(providers: Providers) -> None:
    stack, google = providers.stack, providers["google_meet"]
    parties = stack.parties()
    google.hang_all("after")
    request = parties.accept(parties.create(title=unique("Advice")))
    assert request["meeting"]["status"] == "pending"
    url = f"/api/requests/{request['id']}/meeting/regenerate"
    answer = parties.lawyer.post(url, {"provider": "google_meet"})
    assert (answer.status_code, answer.json()["code"]) == (409, "still_pending")
    answer = parties.lawyer.post(url, {"provider": "zoom", "reason": "Google is away"})
    assert answer.status_code == 200, answer.text
    meeting = answer.json()["meeting"]
    assert (meeting["status"], meeting["provider"], meeting["generation"]) == ("ready", "zoom", 2)
    assert "provider_failover" not in [w["code"] for w in meeting["warnings"]], "it is wanted"
    google.calm()
    providers.finish(request["id"])
    assert providers.the_meeting(request)[0] == "zoom"
    mails = stack.mails.of(request["id"])
    assert len(mails) == 2 and all("takes place on Zoom." in flat(mail) for mail in mails)


# ---- all are away ----


def test_everything_is_down(providers: Providers) -> None:
    wait_ms = 1500
    providers.policy(**CHAIN, inline_wait_ms=wait_ms)
    stack = providers.stack
    for sim in providers.sims.values():
        sim.down()
    request, took = accept(providers)
    print(f"\neverything down: pending in {took:.2f} s of {wait_ms / 1000} s")
    assert took < wait_ms / 1000 + 1.5
    meeting = request["meeting"]
    assert meeting["status"] == "pending" and meeting["join_url"] is None
    assert meeting["last_error"]["provider"] in TITLES and meeting["next_attempt_at"]
    assert stack.mails.of(request["id"]) == [], "not before there is a link"
    for sim in providers.sims.values():
        sim.up()
    providers.finish(request["id"])
    name, _ = providers.the_meeting(request)
    mails = stack.mails.of(request["id"])
    assert len(mails) == 2
    assert all(f"takes place on {TITLES[name]}" in flat(mail) for mail in mails)


def test_forty_accept_while_everything_hangs(providers: Providers) -> None:
    """Who waits for a provider is in nobody's way."""
    count, wait_ms = 40, 2000
    providers.policy(**CHAIN, inline_wait_ms=wait_ms)
    stack = providers.stack
    read_for(stack, 0.5)  # connections and caches
    calm = read_for(stack, 2)
    for sim in providers.sims.values():
        sim.hang_all()
    readers = Readers(stack)
    results = at_once(lambda: accept(providers) for _ in range(count))
    busy = readers.stop()
    longest = max(took for _, took in results)
    print(
        f"\n{count} accepts at once, everything hanging: longest {longest:.2f} s of "
        f"{wait_ms / 1000} s; before: {told(calm)}; meanwhile: {told(busy)}"
    )
    assert {request["meeting"]["status"] for request, _ in results} == {"pending"}
    assert longest < wait_ms / 1000 + 1.5
    # Forty threads of ours share two processors with everything else, so this says only that
    # nobody waits for a provider: that would be a hundred times as long.
    assert statistics.median(busy) < max(20 * statistics.median(calm), wait_ms / 4000)
    for sim in providers.sims.values():
        sim.calm()
    stack.advance(BREAKER_S + 1)
    providers.finish_all()
    for request, _ in results:
        providers.the_meeting(request)
        assert actions(stack, request)["meeting.ready"] == 1
        assert len(stack.mails.of(request["id"])) == 2
    ready = stack.requests.count_documents({"meeting.status": "ready"})
    assert len(providers.live()) == ready, "and nothing else"


def test_a_warning_ends_with_its_reason(providers: Providers) -> None:
    """A move that the provider does not know of is no news of a meeting that is cancelled."""
    zoom, parties = providers["zoom"], providers.stack.parties()
    request = parties.create(title=unique("Advice"))
    parties.accept(request, provider="zoom")

    def warnings() -> set[str]:
        meeting = parties.lawyer.request(request["id"])["meeting"]
        return {warning["code"] for warning in meeting["warnings"]}

    zoom.down()
    url = f"/api/requests/{request['id']}/meeting/reschedule"
    answer = parties.lawyer.post(url, {"starts_at": providers.stack.at(days=4)})
    assert answer.status_code == 200, answer.text
    providers.until_tried(request["id"])
    assert warnings() == {"provider_not_updated"}
    assert parties.client.cancel(request["id"]).status_code == 200
    providers.until_tried(request["id"], 2)
    assert warnings() == {"provider_orphan"}
    zoom.up()
    providers.finish(request["id"])
    assert warnings() == set()
    assert providers.live_of(request) == []


# ---- what a person has to mend, and what time mends ----


@pytest.mark.parametrize("effect", ["update", "delete"])
def test_what_was_refused_for_good_is_tried_again(providers: Providers, effect: str) -> None:
    """It is seen, and whoever has mended the provider asks for it once more."""
    zoom, parties = providers["zoom"], providers.stack.parties()
    request = parties.create(title=unique("Advice"), starts_at=providers.stack.at(days=2))
    parties.accept(request, provider="zoom")
    providers.finish(request["id"])
    call, code = {
        "update": ("PATCH /meetings/*", "provider_not_updated"),
        "delete": ("DELETE /meetings/*", "provider_orphan"),
    }[effect]
    zoom.script(Fault(call, status=400, body={"code": 300, "message": "No."}, times=None))
    starts_at = providers.stack.at(days=4)
    if effect == "update":
        done(parties.lawyer.command(request["id"], "reschedule", starts_at=starts_at))
    else:
        done(parties.client.cancel(request["id"]))
    providers.finish(request["id"])
    shown = parties.lawyer.request(request["id"])
    (warning,) = shown["meeting"]["warnings"]
    assert warning["code"] == code and warning["detail"]
    assert "retry" in shown["links"]
    assert "retry" not in parties.client.request(request["id"])["links"]
    zoom.calm()
    done(parties.lawyer.command(request["id"], "retry"))
    providers.finish(request["id"])
    shown = parties.lawyer.request(request["id"])
    assert shown["meeting"]["warnings"] == [] and "retry" not in shown["links"]
    if effect == "update":
        assert providers.the_meeting(request)[1].starts_at == starts_at
        assert len(providers.stack.mails.of(request["id"])) == 4, "each move is told once"
    else:
        assert providers.live_of(request) == []
    assert actions(providers.stack, request)["meeting.retried"] == 1


@pytest.mark.parametrize("how", ["invalid_client", "401"])
def test_a_credential_is_revoked(providers: Providers, how: str) -> None:
    providers.policy(default_provider="zoom", failover=["teams"])
    zoom = providers["zoom"]
    secret = zoom.client_secret
    if how == "401":
        zoom.script(Fault("POST /meetings", status=401, body={"code": 124}, times=None))
    else:
        zoom.client_secret = "revoked"
        zoom.expire_tokens()
    request, took = accept(providers)
    assert request["meeting"]["status"] == "ready" and took < 6
    assert_away(providers, request, "teams")
    health = providers.health("zoom")
    assert (health["state"], health["breaker"]) == ("failing", "open")
    assert health["last_error"]["code"] == "provider_credential"
    before = zoom.count()
    accept(providers)
    assert zoom.count() == before, "not asked while it would refuse"
    zoom.calm()
    zoom.client_secret = secret
    time.sleep(1.1)  # how long all threads of a process share that they could not sign in
    providers.stack.advance(BREAKER_S + 1)
    request, _ = accept(providers)
    assert request["meeting"]["provider"] == "zoom"
    assert providers.health("zoom")["state"] == "ok"


def test_a_new_credential_is_taken_at_once(providers: Providers) -> None:
    """Nobody waits for the breaker of the old one."""
    providers.policy(default_provider="zoom", failover=["teams"])
    zoom = providers["zoom"]
    zoom.client_secret = "another-one"
    zoom.expire_tokens()
    assert accept(providers)[0]["meeting"]["provider"] == "teams"
    providers.configure("zoom", zoom.provider())
    assert accept(providers)[0]["meeting"]["provider"] == "zoom"


def test_the_limit_of_a_day(providers: Providers) -> None:
    """Zoom lets a host make 100 meetings a day: more are made elsewhere until 00:00 UTC."""
    providers.policy(default_provider="zoom", failover=["teams"])
    stack, zoom = providers.stack, providers["zoom"]
    zoom.used.clear()
    zoom.daily_limit = 3
    made = [accept(providers)[0] for _ in range(3)]
    assert {request["meeting"]["provider"] for request in made} == {"zoom"}
    request, _ = accept(providers)
    assert request["meeting"]["provider"] == "teams"
    assert_away(providers, request, "teams")
    before = zoom.count(*CREATE_ZOOM)
    assert accept(providers)[0]["meeting"]["provider"] == "teams"
    assert zoom.count(*CREATE_ZOOM) == before, "not asked again today"
    # What needs no quota goes on.
    host = stack.lawyer(made[0]["lawyer"]["id"]).get(f"/api/requests/{made[0]['id']}/meeting/host")
    assert host.status_code == 302, host.text
    answer = stack.client(made[0]["client"]["id"]).cancel(made[0]["id"])
    assert answer.status_code == 200
    providers.finish(made[0]["id"])
    assert providers.live_of(made[0]) == []
    wait = midnight(stack.now()) - stack.now()
    stack.advance(wait.total_seconds() - 60)
    assert accept(providers)[0]["meeting"]["provider"] == "teams"
    stack.advance(62)
    assert accept(providers)[0]["meeting"]["provider"] == "zoom"
    zoom.daily_limit = 10**6


def test_alone_it_is_made_after_midnight(providers: Providers) -> None:
    stack, zoom = providers.stack, providers["zoom"]
    zoom.daily_limit = 0
    request, _ = accept(providers, provider="zoom")
    meeting = request["meeting"]
    assert meeting["status"] == "pending" and "00:00 UTC" in meeting["last_error"]["detail"]
    end = midnight(stack.now()).strftime("%Y-%m-%dT%H:%M")
    assert meeting["next_attempt_at"].startswith(end), meeting["next_attempt_at"]
    zoom.daily_limit = 10**6
    providers.finish(request["id"])
    assert stack.now().strftime("%Y-%m-%dT%H:%M") == end
    providers.the_meeting(request)


# ---- the breaker ----


def test_the_breaker(providers: Providers) -> None:
    """Opens after five failures in a row, for all workers; lets one call through a minute later."""
    providers.policy(default_provider="zoom", inline_wait_ms=3000)
    stack, zoom = providers.stack, providers["zoom"]
    until(stack.is_idle, "no comparison ends the row", 60)
    zoom.script(Fault("POST /users/*/meetings", status=429, times=None))
    before = zoom.count(*CREATE_ZOOM)
    requests = [accept(providers)[0] for _ in range(12)]
    assert {request["meeting"]["status"] for request in requests} == {"pending"}
    asked = zoom.count(*CREATE_ZOOM) - before
    assert 5 <= asked <= 6, f"{asked} calls reached it; the sixth may have been under way"
    assert providers.health("zoom")["breaker"] == "open"
    words = requests[-1]["meeting"]["last_error"]["detail"]
    assert "not asked again yet" in words, words

    stack.advance(BREAKER_S + 1)
    until(lambda: zoom.count(*CREATE_ZOOM) > before + asked, "one is let through")
    time.sleep(2.5)
    assert zoom.count(*CREATE_ZOOM) - before - asked <= 2, "one at a time, and it failed"
    assert providers.health("zoom")["breaker"] == "open"

    zoom.calm()
    stack.advance(BREAKER_S + 1)
    providers.finish_all()
    assert providers.health("zoom")["breaker"] == "closed"
    for request in requests:
        providers.the_meeting(request)


def test_one_breaker_does_not_concern_another(providers: Providers) -> None:
    providers.policy(**CHAIN)
    providers["google_meet"].down()
    for _ in range(4):
        assert accept(providers)[0]["meeting"]["provider"] == "zoom"
    states = {name: providers.health(name)["breaker"] for name in providers.sims}
    assert states == {"google_meet": "open", "zoom": "closed", "teams": "closed"}
    began = providers["google_meet"].count()
    request, took = accept(providers)
    print(f"\nGoogle's breaker open: ready in {took:.2f} s")
    assert request["meeting"]["provider"] == "zoom" and providers["google_meet"].count() == began


# ---- what an administrator and the database do meanwhile ----


def test_a_provider_that_was_switched_off_still_deletes(providers: Providers) -> None:
    """It makes no meetings any more, and those it has made do not outlive their end here."""
    parties = providers.stack.parties()
    request = parties.accept(parties.create(title=unique("Advice")), provider="zoom")
    assert providers.the_meeting(request)[0] == "zoom"
    providers.configure("zoom", {"enabled": False})
    answer = parties.lawyer.respond(parties.create()["id"], "accept", provider="zoom")
    assert refused(answer) == (422, "invalid")
    assert parties.lawyer.cancel(request["id"]).status_code == 200
    providers.finish(request["id"])
    assert providers.live_of(request) == []


def test_a_new_link_when_its_provider_was_switched_off(providers: Providers) -> None:
    """The good link is not given up for one that nobody can make."""
    parties = providers.stack.parties()
    request = parties.accept(parties.create(title=unique("Advice")), provider="zoom")
    providers.configure("zoom", {"enabled": False})
    named = parties.lawyer.command(request["id"], "regenerate", provider="zoom")
    assert refused(named) == (422, "invalid")
    renewed = parties.lawyer.command(request["id"], "regenerate").json()["meeting"]
    default = providers.stack.admin().fetch("/api/config/meetings")["default_provider"]
    assert default != "zoom"
    assert (renewed["requested_provider"], renewed["status"]) == (default, "ready")
    providers.finish(request["id"])
    assert [name for name, _ in providers.live_of(request)] in ([default], [])


def test_health_knows_what_concerns_one_meeting(providers: Providers) -> None:
    parties, zoom = providers.stack.parties(), providers["zoom"]
    request = parties.accept(parties.create(title=unique("Advice")), provider="zoom")
    ((_, live),) = providers.live_of(request)
    del zoom.meetings[int(live.id)]
    host = parties.lawyer.get(f"/api/requests/{request['id']}/meeting/host")
    assert refused(host) == (409, "still_pending")
    assert providers.health("zoom")["state"] == "ok"


def test_the_database_goes_away_while_somebody_waits(
    database: Database,
    provide: Callable[..., Providers],  # noqa: F811
) -> None:
    """Accepting answers that the link is on its way, as for a provider that is slow."""
    providers = provide(database.uri, names=["zoom"])
    providers.warm_up()
    zoom = providers["zoom"]
    zoom.script(Fault("POST /users/*/meetings", delay=1.5))
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        answer = pool.submit(accept, providers)
        until(lambda: zoom.count(*CREATE_ZOOM), "Zoom is asked")
        database.pause()
        request, took = answer.result()
    database.resume()
    assert request["meeting"]["status"] == "pending" and took < 15, took
    until(lambda: providers.stack.anyone().get("/readyz").ok, "it recovers")
    providers.stack.advance(LEASE_S + 1)
    providers.until_status(request["id"], "ready")
    providers.the_meeting(request)
