"""/metrics: what is counted, that no count is lost, and that it answers when nothing else does."""

import datetime
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable

import described
import pytest
import requests
import tables
from caller import Parties, refused
from mailbox import SmtpServer
from providers import Providers, provide  # noqa: F401
from scrape import Scrape, scrape
from sim import Fault
from stack import ROOT, Database, Stack
from support import until

HTTP = "meetlink_http_requests_total"
READ = "GET /api/requests/{}"
PATIENCE_S = 60


def families() -> dict[str, str]:
    """THE METRICS: name -> kind."""
    _, *rows = tables.lines_of("What is counted")
    return {name: kind for name, kind, *_ in rows}


def promtool(*arguments: object, text: str | None = None) -> None:
    """Holds something against Prometheus's own judge, where it is installed."""
    program = shutil.which("promtool")
    if not program:
        pytest.skip("promtool is not installed")
    command = [program, *map(str, arguments)]
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "lint" not in done.stderr, done.stdout + done.stderr


def kill(stack: Stack, name: str = "meetlink-work") -> int:
    """Kills one process of that name, which is gone then; how many there were."""
    pids = [pid for pid, other in stack.children().items() if other == name]
    victim = random.choice(pids)
    os.kill(victim, signal.SIGKILL)
    until(lambda: victim not in stack.children(), "it is gone", PATIENCE_S)
    return len(pids)


def all_work(stack: Stack, workers: int) -> bool:
    return list(stack.children().values()).count("meetlink-work") == workers


# ---- the form ----


@pytest.fixture
def lived(stack: Stack, parties: Parties) -> Scrape:
    """Of a stack that has done something."""
    parties.client.request(parties.accept(parties.create(), provider="jitsi")["id"])
    return scrape(stack)


def test_every_family_is_in_the_table(lived: Scrape) -> None:
    said = re.findall(r"^# TYPE (\S+) (\S+)$", lived.text, re.MULTILINE)
    assert len(said) == len(dict(said)), "a family is given twice"
    assert set(said) <= set(families().items())
    helped = re.findall(r"^# HELP (\S+) \S.*\.$", lived.text, re.MULTILINE)
    assert helped == [name for name, _ in said]


def test_histograms_add_up(lived: Scrape) -> None:
    name = "meetlink_http_request_duration_seconds"
    routes = {dict(labels)["route"] for other, labels in lived.samples if other == f"{name}_count"}
    assert READ in routes
    for route in routes:
        buckets = lived.values(f"{name}_bucket", route=route)
        assert buckets == sorted(buckets)
        assert [buckets[-1]] == lived.values(f"{name}_count", route=route)
        assert buckets[-1] == lived.sum(HTTP, route=route)


def test_prometheus_finds_no_fault_with_it(lived: Scrape) -> None:
    promtool("check", "metrics", text=lived.text)


def test_prometheus_finds_no_fault_with_the_rules() -> None:
    promtool("check", "rules", ROOT / "docs/alerts.yml")


@pytest.mark.parametrize("name", ["alerts.yml", "grafana.json"])
def test_what_is_watched_is_counted(name: str) -> None:
    text = (ROOT / "docs" / name).read_text()
    known = set()
    for family, kind in families().items():
        ends = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
        known |= {family + end for end in ends}
    watched = set(re.findall(r"\bmeetlink_\w+", text))
    assert watched and watched <= known, watched - known
    if name.endswith(".json"):
        assert json.loads(text)["uid"] == "meetlink"


# ---- what is counted ----


def test_a_story_is_counted(provide: Callable[..., Providers], smtp: SmtpServer) -> None:
    providers = provide(names=["zoom"])
    stack = providers.stack
    parties = stack.parties()
    before = scrape(stack)
    request = parties.create()
    stack.settle(request["id"])
    accepted = parties.accept(request)
    providers.finish(request["id"])
    mine = parties.client.request(request["id"])
    gate = stack.anyone().get(mine["meeting"]["join_url"])
    assert (accepted["meeting"]["status"], gate.status_code) == ("ready", 403)
    assert refused(parties.client.get("/api/requests/nobody")) == (404, "not_found")
    events = len(stack.document(request["id"])["events"])
    mails = len(smtp.every(request["id"]))
    after = scrape(stack)

    def added(name: str, **labels: str) -> float:
        return after.sum(name, **labels) - before.sum(name, **labels)

    assert added(HTTP, route="POST /api/requests", status="2xx") == 1
    assert added(HTTP, route="POST /api/requests/{}/respond", status="2xx") == 1
    assert added(HTTP, route=READ, status="4xx") == 1
    assert added(HTTP, route=READ, status="5xx") == 0
    assert added("meetlink_gate_uses_total", state="early") == 1
    assert added("meetlink_gate_uses_total") == 1
    assert added("meetlink_meetings_made_total") == 1
    zoom = {"provider": "zoom", "operation": "create"}
    assert added("meetlink_provider_calls_total", **zoom, outcome="ok") == 1
    assert added("meetlink_provider_call_duration_seconds_count", **zoom) == 1
    assert added("meetlink_provider_token_refreshes_total", provider="zoom", outcome="ok") == 1
    assert added("meetlink_audit_events_total") == events
    assert mails == 3
    assert added("meetlink_mails_total", outcome="ok") == mails
    assert added("meetlink_effects_total", kind="mail.meeting_ready", outcome="ok") == 2
    assert added("meetlink_effects_total", kind="meeting.create", outcome="ok") == 1
    trips = "meetlink_database_round_trip_duration_seconds_count"
    assert added(trips, command="insert") >= 1 and added(trips, command="update") >= 3
    assert added(trips, command="find") >= 5
    assert after.values("meetlink_build_info") == after.values("meetlink_tzdata_info") == [1]
    assert re.search(r'meetlink_tzdata_info\{version="20\d\d[a-z]+"\}', after.text)


def test_the_figures_are_sums_of_it(provide: Callable[..., Providers], smtp: SmtpServer) -> None:
    """Of a host that has made two meetings, been refused one mail and failed at providers."""
    providers = provide(names=["zoom"])
    stack, zoom = providers.stack, providers["zoom"]
    parties = stack.parties()
    smtp.answers[f"{parties.client_id}@example.com"] = "550 no such person"
    request = parties.accepted(starts_at=stack.at(minutes=30))
    for made in (request, parties.accept(parties.create(), provider="jitsi")):
        providers.finish(made["id"])
    zoom.script(Fault("GET /meetings/*", status=500, times=None))
    host = parties.lawyer.get(f"/api/requests/{request['id']}/meeting/host")
    assert host.status_code == 503, host.text
    zoom.calm()

    answer = stack.admin().get("/api/figures")
    figures, after = answer.json(), scrape(stack)
    assert answer.headers["Cache-Control"] == "no-store" and "ETag" not in answer.headers
    described.hold(answer)
    calls = "meetlink_provider_calls_total"
    fine = sum(after.sum(calls, outcome=code) for code in ("ok", "gone", "still_pending"))
    spent = "meetlink_http_request_duration_seconds_sum"
    this = {"route": "GET /api/figures"}
    at, started_at = (figures.pop(name) for name in ("at", "started_at"))
    assert datetime.datetime.fromisoformat(at) >= datetime.datetime.fromisoformat(started_at)
    assert figures == {
        "requests": after.sum(HTTP) - 1,
        "requests_failed": after.sum(HTTP, status="5xx"),
        "requests_us": round(1e6 * (after.sum(spent) - after.sum(spent, **this))),
        "meetings_made": 2,
        "provider_calls_failed": after.sum(calls) - fine,
        "mails_sent": after.sum("meetlink_mails_total", outcome="ok"),
        "mails_failed": after.sum("meetlink_mails_total", outcome="permanent"),
    }
    assert all(figures.values()), "something of each was counted"
    assert after.sum("meetlink_meetings_made_total") == 2


def test_what_is_owed_and_what_is_broken(start: Callable[..., Stack], smtp: SmtpServer) -> None:
    stack = start(smtp)
    parties = stack.parties()
    smtp.answers[f"{parties.client_id}@example.com"] = "550 no such person"
    request = parties.accept(parties.create(), provider="jitsi")
    kind = "mail.meeting_ready"

    def failed() -> bool:
        now = scrape(stack)
        return now.sum("meetlink_effects_owed", kind=kind, state="failed") == 1

    until(failed, "a mail that was given up is shown", PATIENCE_S)
    (item,) = stack.admin().fetch("/api/outbox?state=failed")["items"]
    assert item["request_id"] == request["id"]
    stack.advance(3600)
    age = "meetlink_effects_oldest_age_seconds"
    until(lambda: scrape(stack).sum(age, state="failed") >= 3600, "its age is shown", PATIENCE_S)
    one, title = {"_id": request["id"]}, stack.document(request["id"])["title"]
    stack.requests.update_one(one, {"$set": {"title": 7}})
    stack.advance(3600)
    older = lambda: scrape(stack).sum(age, state="failed") >= 7200  # noqa: E731
    until(older, "what cannot be read is owed all the same", PATIENCE_S)
    assert failed()
    assert stack.admin().fetch("/api/outbox")["oldest_failed_at"]
    stack.requests.update_one(one, {"$set": {"title": title}})
    now = scrape(stack)
    assert now.sum("meetlink_effects_owed", kind="meeting.expire", state="owed") == 1
    assert now.sum("meetlink_breaker_state", target="mail") == 0
    assert now.sum("meetlink_mails_total", outcome="permanent") == 1
    smtp.stop()
    parties.create()
    away = lambda: scrape(stack).sum("meetlink_breaker_state", target="mail") > 0  # noqa: E731
    until(away, "the mail server is away", PATIENCE_S)
    smtp.start()


def test_a_breaker_of_who_is_not_asked_is_closed(provide: Callable[..., Providers]) -> None:
    providers = provide(names=["zoom"], policy={"failover": ["jitsi"]})
    stack, zoom = providers.stack, providers["zoom"]
    zoom.script(Fault("POST /users/*/meetings", status=503, times=None))

    def state() -> float:
        return scrape(stack).sum("meetlink_breaker_state", target="zoom")

    def is_open() -> bool:
        stack.parties().accepted()
        return state() > 0

    until(is_open, "it fails", PATIENCE_S)
    providers.policy(default_provider="jitsi", failover=[])
    providers.configure("zoom", zoom.provider() | {"enabled": False})
    until(lambda: state() == 0, "nobody asks it", PATIENCE_S)


def test_without_dispatchers_nothing_is_said_of_what_is_owed(start: Callable[..., Stack]) -> None:
    stack = start(SERVER_DISPATCHERS=0)
    stack.parties().create()
    assert scrape(stack).values("meetlink_effects_owed") == []


def test_reloads_are_counted(start: Callable[..., Stack], tmp_path: pathlib.Path) -> None:
    config = tmp_path / "meetlink.conf"
    config.write_text("[server]\nqueue_ms = 900\n")
    stack = start(config=config)
    parties = stack.parties()
    parties.client.request(parties.create()["id"])
    before = scrape(stack)
    stack.reload()
    after = scrape(stack)
    assert after.fell_since(before) == []
    assert after.sum("meetlink_reloads_total", outcome="ok") == 1
    assert after.sum("meetlink_process_restarts_total") == 0, "a reload is none"
    config.write_text("[server]\nqueue_ms = soon\n")
    stack.program.send_signal(signal.SIGHUP)
    refusals = {"outcome": "config"}
    until(lambda: scrape(stack).sum("meetlink_reloads_total", **refusals) == 1, "it is refused")


# ---- whatever happens ----


def test_no_count_is_lost_when_processes_die(start: Callable[..., Stack]) -> None:
    """Requests run all the time while workers are killed. A request whose worker died is repeated
    by nginx, so what is counted lies between the answers and the tries."""
    stack = start(SERVER_WORKERS=2)
    parties = stack.parties()
    path = f"/api/requests/{parties.create()['id']}"
    first = scrape(stack).sum(HTTP, route=READ)
    answered: list[int] = []
    fell: list[object] = []
    over = threading.Event()

    def ask() -> None:
        client = stack.client(parties.client_id)
        while not over.is_set():
            answered.append(client.get(path).status_code)

    def watch() -> None:
        before = scrape(stack)
        while not over.is_set():
            try:
                now = scrape(stack)
            except requests.RequestException:  # whose worker died with half of it on its way
                continue
            fell.extend(now.fell_since(before))
            before = now

    threads = [threading.Thread(target=work) for work in (ask, ask, ask, watch)]
    for thread in threads:
        thread.start()
    kills = 6  # more, and the master would take its time to replace them
    for _ in range(kills):
        seen = len(answered)
        until(lambda: all_work(stack, 2), "both workers are there", PATIENCE_S)
        until(lambda seen=seen: len(answered) > seen + 20, "requests run", PATIENCE_S)
        kill(stack)
    until(lambda: all_work(stack, 2), "both are replaced", PATIENCE_S)
    over.set()
    for thread in threads:
        thread.join()

    assert fell == [], "a sum has fallen"
    assert set(answered) == {200}
    lines = [json.loads(line) for line in stack.logged("access").splitlines()]
    tries = sum(len(line["upstream_status"].split(",")) for line in lines if line["path"] == path)
    last = scrape(stack)
    counted = last.sum(HTTP, route=READ) - first
    assert len(answered) <= counted <= tries, f"{len(answered)} answers, {tries} tries"
    assert last.sum("meetlink_process_restarts_total", role="worker") == kills

    # While nothing runs there is nothing that could be counted twice.
    before = counted + first
    for _ in range(2):
        for _ in range(10):
            parties.client.request(path.rpartition("/")[2])
        kill(stack)
        until(lambda: all_work(stack, 2), "it is replaced", PATIENCE_S)
    assert scrape(stack).sum(HTTP, route=READ) == before + 20


def test_it_answers_while_nothing_else_does(
    database: Database, start: Callable[..., Stack]
) -> None:
    """All threads of the only worker wait for a database that says nothing."""
    stack = start(uri=database.uri, SERVER_WORKERS=1, SERVER_THREADS=2)
    parties = stack.parties()
    path = f"/api/requests/{parties.create()['id']}"
    away = {"outcome": "database_unavailable"}
    before = scrape(stack).sum("meetlink_database_errors_total", **away)
    database.pause()
    try:
        stuck = [threading.Thread(target=parties.client.get, args=(path,)) for _ in range(8)]
        for thread in stuck:
            thread.start()
        scraped = 0
        while any(thread.is_alive() for thread in stuck):
            scraped += bool(scrape(stack).values("meetlink_start_time_seconds"))
            time.sleep(0.05)
        assert scraped > 0
        assert scrape(stack).sum("meetlink_database_errors_total", **away) > before
    finally:
        database.resume()
