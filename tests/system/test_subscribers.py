"""Other programs are told what happens: signed, in order, whatever fails between."""

import datetime
import itertools
import os
import pathlib
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from mailbox import SmtpServer

import described
import pytest
from caller import done, new_key, refused
from receiver import Receiver
from replies import PATTERN, invited, received
from stack import PROGRAM, ROOT, Stack, spawn
from support import free_port, until
from test_sudden_death import EVERYWHERE
from wire import Wire

WORDS = (ROOT / "docs/webhooks.md").read_text()
LEASE_S = 60
DAY = 24 * 3600


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def stack(start: Callable[..., Stack], receiver: Receiver) -> Stack:
    return start(None, WEBHOOKS_ALLOW="127.0.0.1 localhost")


def register(stack: Stack, url: str, *events: str, **options: object) -> dict:
    body = {"url": url, "events": list(events) or ["request.*", "meeting.*"]}
    answer = stack.admin().post("/api/config/webhooks", body, **options)
    assert answer.status_code == 201, answer.text
    described.hold(answer)
    return answer.json()


def hooks(stack: Stack) -> dict[str, dict]:
    return {w["id"]: w for w in stack.admin().fetch("/api/config/webhooks")["items"]}


def deliveries(stack: Stack, hook: dict) -> list[dict]:
    path = f"/api/config/webhooks/{hook['id']}/deliveries"
    return [row for page in stack.admin().pages(path, limit=50) for row in page]


def until_quiet(stack: Stack, hook: dict, count: int) -> list[dict]:
    """So many deliveries are over."""

    def over() -> list[dict]:
        rows = deliveries(stack, hook)
        return rows if sum(row["state"] != "due" for row in rows) >= count else []

    return until(over, f"{count} deliveries are over")


def test_what_happens_is_told_in_order(stack: Stack, receiver: Receiver) -> None:
    hook = register(stack, receiver.url())
    parties = stack.parties()
    request = parties.accepted()
    moved = {"starts_at": stack.at(days=4)}
    done(parties.lawyer.command(request["id"], "reschedule", **moved))
    done(parties.lawyer.command(request["id"], "regenerate"))
    done(parties.client.cancel(request["id"]))
    wanted = [
        event["action"]
        for event in parties.lawyer.audit(request["id"])
        if event["action"].split(".")[0] in ("request", "meeting")
    ]
    assert {"request.created", "meeting.rescheduled", "meeting.regenerated"} <= set(wanted)
    until(lambda: len(receiver.heard()) >= len(wanted), "all is told")
    told = receiver.told(request["id"])
    assert [call.event["type"] for call in told] == wanted
    trail = {event["id"]: event for event in parties.lawyer.audit(request["id"])}
    for call in told:
        event = call.event
        assert set(event) == {"id", "type", "created_at", "data"}
        assert trail[event["id"]]["action"] == event["type"]
        assert call.signed_with(hook["secret"], stack.now().timestamp())
        assert not call.signed_with("whsec_another")
        assert call.headers["content-type"] == "application/json"
    seen = {call.event["type"]: call.event["data"] for call in told}
    assert seen["request.created"]["status"] == "open"
    assert seen["request.accepted"]["meeting"]["status"] == "ready"
    assert {"join_client", "join_lawyer"} <= set(seen["meeting.ready"]["links"])
    assert seen["meeting.rescheduled"]["starts_at"] == moved["starts_at"]
    assert seen["meeting.rescheduled"]["previous"]["starts_at"] == request["starts_at"]
    before = seen["meeting.regenerated"]["previous"]["meeting"]
    assert before == {"id": request["meeting"]["id"], "generation": 1, "provider": "jitsi"}
    assert seen["meeting.regenerated"]["meeting"]["generation"] == 2
    assert "previous" not in seen["request.cancelled"]
    shown = stack.service().request(request["id"])
    assert seen["request.cancelled"] == shown, "it is what the host application sees"
    rows = until_quiet(stack, hook, len(wanted))
    assert sorted(row["type"] for row in rows) == sorted(wanted)
    assert {row["state"] for row in rows} == {"delivered"}
    assert all(row["status"] == 200 and row["attempts"] == 1 for row in rows)
    assert hooks(stack)[hook["id"]]["health"]["state"] == "ok"
    assert not stack.owed(request["id"]) or stack.settle(request["id"])


def test_only_what_was_asked_for(stack: Stack, receiver: Receiver) -> None:
    register(stack, receiver.url("/ready"), "meeting.ready")
    register(stack, receiver.url("/mails"), "mail.failed")
    request = stack.parties().accepted()
    until(lambda: receiver.heard(request["id"]), "it is told")
    stack.settle(request["id"])
    assert [(c.path, c.event["type"]) for c in receiver.told()] == [("/ready", "meeting.ready")]


def test_a_secret_is_shown_once_and_two_sign_for_a_day(stack: Stack, receiver: Receiver) -> None:
    key = {"Idempotency-Key": new_key()}
    hook = register(stack, receiver.url(), "request.created", headers=key)
    again = register(stack, receiver.url(), "request.created", headers=key)
    assert again == hook and len(hooks(stack)) == 1
    other = {"url": receiver.url(), "events": ["meeting.ready"]}
    answer = stack.admin().post("/api/config/webhooks", other, headers=key)
    assert refused(answer) == (422, "idempotency_key_reused")
    assert "secret" not in hooks(stack)[hook["id"]]
    stored = str(stack.requests.database["config"].find_one())
    assert hook["secret"] not in stored and hook["secret"][6:] not in stored
    path = f"/api/config/webhooks/{hook['id']}/rotate"
    key = {"Idempotency-Key": new_key()}
    fresh = done(stack.admin().post(path, headers=key))["secret"]
    assert done(stack.admin().post(path, headers=key))["secret"] == fresh != hook["secret"]
    stack.parties().create()
    until(lambda: len(receiver.heard()) == 1, "it is told")
    stack.advance(DAY + 1)
    stack.parties().create()
    until(lambda: len(receiver.heard()) == 2, "it is told")
    both, one = receiver.told()
    assert both.signatures == 2 and both.signed_with(hook["secret"]) and both.signed_with(fresh)
    assert one.signatures == 1 and one.signed_with(fresh) and not one.signed_with(hook["secret"])


def test_rotated_twice_in_a_day_every_secret_signs(stack: Stack, receiver: Receiver) -> None:
    hook = register(stack, receiver.url(), "request.created")
    path = f"/api/config/webhooks/{hook['id']}/rotate"
    secrets = [hook["secret"], *(done(stack.admin().post(path))["secret"] for _ in range(2))]
    stack.parties().create()
    until(receiver.heard, "it is told")
    (call,) = receiver.told()
    assert call.signatures == 3 and all(call.signed_with(secret) for secret in secrets)
    for _ in range(2):
        done(stack.admin().post(path))
    answer = stack.admin().post(path)
    assert refused(answer) == (429, "too_many_changes")
    assert DAY - 600 < int(answer.headers["Retry-After"]) <= DAY + 1
    described.hold(answer)


def test_a_key_shows_a_secret_for_a_day_and_no_other(stack: Stack, receiver: Receiver) -> None:
    key = {"Idempotency-Key": new_key()}

    def register_again() -> dict:
        return register(stack, receiver.url(), "request.created", headers=key)

    hook = register_again()
    path = f"/api/config/webhooks/{hook['id']}/rotate"
    rotation = {"Idempotency-Key": new_key()}
    fresh = done(stack.admin().post(path, headers=rotation))["secret"]
    assert register_again() == hook | {"secret": None}, "it shows no secret of another call's"
    stack.advance(DAY + 1)
    other = register_again()
    assert other["id"] != hook["id"] and other["secret"] not in (None, fresh, hook["secret"])
    again = done(stack.admin().post(path, headers=rotation))["secret"]
    assert again not in (fresh, hook["secret"])


@pytest.mark.parametrize("limit", [1, 2])
def test_what_cannot_be_read_hides_nothing(stack: Stack, receiver: Receiver, limit: int) -> None:
    hook = register(stack, receiver.url(), "request.created")
    for _ in range(6):
        stack.parties().create()
    rows = until_quiet(stack, hook, 6)
    stored = stack.requests.database["deliveries"]
    bad = [rows[at]["id"] for at in (0, 1, 2, 4)]
    stored.update_many({"_id": {"$in": bad}}, {"$set": {"type": 7}})
    path = f"/api/config/webhooks/{hook['id']}/deliveries"
    pages = stack.admin().pages(path, limit=limit)
    assert [row["id"] for page in pages for row in page] == [rows[3]["id"], rows[5]["id"]]
    stored.delete_many({"_id": {"$in": bad}})
    assert [len(page) for page in stack.admin().pages(path, limit=2)] == [2], "it is the last"


@pytest.mark.parametrize("limit", [1, 2])
def test_a_list_ends_where_nothing_says_when_it_was(
    stack: Stack, receiver: Receiver, limit: int
) -> None:
    hook = register(stack, receiver.url(), "request.created")
    for _ in range(3):
        stack.parties().create()
    until_quiet(stack, hook, 3)
    stack.requests.database["deliveries"].update_many({}, {"$unset": {"created_at": 1}})
    path = f"/api/config/webhooks/{hook['id']}/deliveries"
    assert stack.admin().fetch(path, params={"limit": limit}) == {"items": [], "next_cursor": None}


def documented(language: str) -> str:
    """What docs/webhooks.md says how to check a signature."""
    (code,) = re.findall(rf"```{language}\n(.*?)```", WORDS, re.DOTALL)
    return code


def test_as_the_documents_check_it(stack: Stack, receiver: Receiver) -> None:
    hook = register(stack, receiver.url(), "request.created")
    rotated = done(stack.admin().post(f"/api/config/webhooks/{hook['id']}/rotate"))
    stack.parties().create()
    until(receiver.heard, "it is told")
    (call,) = receiver.told()
    header = call.headers["meetlink-signature"]
    check: dict = {}
    exec(documented("python"), check)
    bodies = [(call.body, True), (call.body + b" ", False)]
    secrets = [(hook["secret"], True), (rotated["secret"], True), ("whsec_x", False)]
    for (body, whole), (secret, known) in itertools.product(bodies, secrets):
        assert check["is_genuine"](header, body, secret) == (whole and known)
        if node := shutil.which("node"):
            given = f"{header!r}, Buffer.from({body.hex()!r}, 'hex'), {secret!r}"
            said = f"console.log(isGenuine({given}))"
            ran = subprocess.run(
                [node, "-e", documented("js") + said], capture_output=True, text=True, timeout=60
            )
            assert ran.stdout.strip() == str(whole and known).lower(), ran.stderr
    old = header.replace("t=1", "t=0", 1)
    assert not check["is_genuine"](old, call.body, hook["secret"])


WRONG_URLS = [
    "http://example.org/hook",
    "ftp://example.org",
    "https://user:pass@example.org/",
    "https://example.org/#there",
    "https://127.0.0.1/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f.0.0.1/",
    "https://localhost/",
    "https://0.0.0.0/",
    "https://10.1.2.3/",
    "https://172.31.255.255/",
    "https://192.168.0.1/",
    "https://169.254.169.254/latest/meta-data",
    "https://100.64.0.1/",
    "https://224.0.0.1/",
    "https://255.255.255.255/",
    "https://[::1]/",
    "https://[::]/",
    "https://[fe80::1]/",
    "https://[fd00::1]/",
    "https://[ff02::1]/",
    "https://[::ffff:10.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[2002:7f00:1::]/",
    "https://[2001:0:7f00:1::]/",
    "https://no-such-host.invalid/",
    "http://127.0.0.1:1/",
]


def test_where_nobody_may_be_sent(start: Callable[..., Stack]) -> None:
    stack = start(None)
    for url in WRONG_URLS:
        body = {"url": url, "events": ["request.*"]}
        answer = stack.admin().post("/api/config/webhooks", body)
        assert refused(answer) == (422, "invalid"), url
        assert [e["pointer"] for e in answer.json()["errors"]] == ["/url"], url
    for events in ([], ["request"], ["request.made"], ["*"], ["request.*", "request.*"], [1]):
        body = {"url": "https://127.0.0.1/", "events": events}
        answer = stack.admin().post("/api/config/webhooks", body)
        assert refused(answer) == (422, "invalid"), events
    assert not hooks(stack)
    for who in (stack.service(), stack.client("c"), stack.lawyer("l")):
        assert who.get("/api/config/webhooks").status_code == 403


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_a_name_that_leads_elsewhere_by_then(
    start: Callable[..., Stack], receiver: Receiver, name: str
) -> None:
    """Saved while it was allowed, connected to when it is not any more: as with a name that is
    bound anew, what is looked at is the address that the connection would go to."""
    stack = start(None, WEBHOOKS_ALLOW=name)
    hook = register(stack, f"http://{name}:{receiver.port}/hook", "request.created")
    stack.program.send_signal(signal.SIGTERM)
    stack.program.wait(40)
    stack.settings["WEBHOOKS_ALLOW"] = ""
    stack.start_program()
    until(stack.is_ready, "ready again")
    stack.parties().create()

    def refusal() -> dict | None:
        (row,) = deliveries(stack, hook) or [{}]
        return row.get("last_error")

    assert until(refusal, "it is refused")["code"] == "forbidden"
    assert receiver.told() == []


def can_bind_names() -> bool:
    """Whether we may have an /etc/hosts of our own."""
    mount = ["unshare", "--mount", "mount", "--bind", "/etc/hosts", "/etc/hosts"]
    return subprocess.run(mount, capture_output=True).returncode == 0


@pytest.mark.skipif(not can_bind_names(), reason="needs the right to mount")
def test_a_name_that_is_bound_anew(
    tmp_path: pathlib.Path, mongodb_uri: str, receiver: Receiver
) -> None:
    """The name is looked up by the program's own resolver: public while it is registered, loopback
    from then on."""
    hosts = tmp_path / "hosts"
    hosts.write_text("93.184.215.14 rebind.test\n127.0.0.1 localhost\n")

    class Elsewhere(Stack):
        def start_program(self) -> None:
            bind = f"mount --bind {hosts} /etc/hosts && exec {PROGRAM} serve"
            command = ["unshare", "--mount", "sh", "-c", bind]
            self.program = spawn(self.log("meetlink"), *command, env=self.environment)

    with Elsewhere(tmp_path / "stack", mongodb_uri) as stack:
        hook = register(stack, f"https://rebind.test:{receiver.port}/hook", "request.created")
        with open(hosts, "r+") as file:  # in place: it is mounted
            file.truncate(0)
            file.write("127.0.0.1 rebind.test\n127.0.0.1 localhost\n")
        stack.parties().create()

        def refusal() -> dict | None:
            (row,) = deliveries(stack, hook) or [{}]
            return row.get("last_error")

        assert until(refusal, "it is refused")["code"] == "forbidden"
        body = {"url": f"https://rebind.test:{receiver.port}/", "events": ["request.*"]}
        answer = stack.admin().post("/api/config/webhooks", body)
        assert refused(answer) == (422, "invalid")
    assert receiver.told() == []


@pytest.mark.parametrize("way", [500, 404, 302, "redirect", "drop"])
def test_what_fails_is_tried_again(stack: Stack, receiver: Receiver, way: int | str) -> None:
    wrong = iter([way, way])
    receiver.behave = lambda _: next(wrong, 200)
    hook = register(stack, receiver.url(), "request.created")
    stack.parties().create()
    for tried in (1, 2):
        until(lambda tried=tried: len(receiver.told()) >= tried, "it is tried")
        until(lambda: deliveries(stack, hook)[0].get("last_error"), "it failed")
        assert hooks(stack)[hook["id"]]["health"]["state"] == "failing"
        stack.advance(20)
    (row,) = until_quiet(stack, hook, 1)
    assert row["state"] == "delivered" and row["attempts"] == 3 and not row.get("last_error")
    calls = receiver.told()
    assert {call.path for call in calls} == {"/hook"}, "no redirect is followed"
    assert len({call.body for call in calls}) == 1, "the same each time"


def test_a_long_answer_is_left_unread(stack: Stack, receiver: Receiver) -> None:
    receiver.behave = lambda _: "huge"
    hook = register(stack, receiver.url(), "request.created")
    stack.parties().create()
    (row,) = until_quiet(stack, hook, 1)
    assert row["state"] == "delivered" and row["attempts"] == 1


def test_gone_is_believed_and_sent_again_on_demand(stack: Stack, receiver: Receiver) -> None:
    receiver.behave = lambda _: 410
    hook = register(stack, receiver.url(), "request.created")
    parties = stack.parties()
    request = parties.create()
    (row,) = until_quiet(stack, hook, 1)
    assert row["state"] == "failed" and row["status"] == 410 and row["attempts"] == 1
    until(
        lambda: "webhook.failed" in [e["action"] for e in parties.client.audit(request["id"])],
        "the trail says so",
    )
    receiver.behave = lambda _: 200
    path = f"/api/config/webhooks/{hook['id']}/deliveries/{row['id']}/redeliver"
    key = {"Idempotency-Key": new_key()}
    assert done(stack.admin().post(path, headers=key))["state"] == "due"
    until(lambda: deliveries(stack, hook)[0]["state"] == "delivered", "it is sent again")
    repeat = stack.admin().post(path, headers=key)
    assert done(repeat)["state"] == "delivered", "a repeat of the call sends nothing"
    assert repeat.headers["Idempotency-Replayed"] == "true"
    first, second = receiver.told()
    assert first.body == second.body
    unknown = path.replace(row["id"], "A" * 22)
    assert refused(stack.admin().post(unknown)) == (404, "not_found")


def test_given_up_after_a_day_and_disabled_after_three(stack: Stack, receiver: Receiver) -> None:
    receiver.behave = lambda _: 503
    hook = register(stack, receiver.url(), "request.created")
    for day in range(3):
        stack.parties().create(starts_at=stack.at(days=9))
        until(lambda day=day: len(deliveries(stack, hook)) == day + 1, "it is put down")
        until(lambda: deliveries(stack, hook)[0].get("last_error"), "it is tried")
        stack.advance(DAY)
        until(lambda: deliveries(stack, hook)[0]["state"] == "failed", "it is given up", 40)
    until(lambda: hooks(stack)[hook["id"]]["disabled_at"], "it is disabled")
    assert hooks(stack)[hook["id"]]["health"]["state"] == "disabled"
    assert "is disabled" in stack.logged("meetlink")
    known = len(deliveries(stack, hook))
    stack.settle(stack.parties().create(starts_at=stack.at(days=9))["id"])
    assert len(deliveries(stack, hook)) == known, "nobody is told any more"
    done(stack.admin().post(f"/api/config/webhooks/{hook['id']}/rotate"))
    receiver.behave = lambda _: 200
    stack.parties().create(starts_at=stack.at(days=9))
    until(lambda: receiver.heard(), "it is told again")
    changes = stack.admin().fetch("/api/audit", params={"action": "config.changed"})["items"]
    pointers = [event["detail"] for event in changes]
    assert f"/webhooks/{hook['id']}/disabled" in pointers
    assert hook["secret"] not in str(changes)


def test_not_more_than_ten(stack: Stack, receiver: Receiver) -> None:
    made = [register(stack, receiver.url(f"/{i}"), "request.created") for i in range(10)]
    body = {"url": receiver.url("/11"), "events": ["request.created"]}
    answer = stack.admin().post("/api/config/webhooks", body)
    assert refused(answer) == (409, "too_many_webhooks")
    stack.parties().create()
    until(lambda: len(receiver.heard()) == 10, "each is told")
    path = f"/api/config/webhooks/{made[3]['id']}"
    assert stack.admin().delete(path).status_code == 204
    assert refused(stack.admin().delete(path)) == (404, "not_found")
    stack.parties().create()
    until(lambda: len(receiver.heard()) == 19, "the others are told")
    assert [c.path for c in receiver.told()].count("/3") == 1
    assert len(stack.admin().pages("/api/config/webhooks", limit=4)) == 3


def test_a_dead_target_keeps_nobody_waiting(stack: Stack, receiver: Receiver) -> None:
    """Counts, not times: while the dead one holds a thousand, all others are told of all."""
    hang = Receiver()
    hang.behave = lambda _: "hang"
    with hang:
        dead = register(stack, hang.url(), "request.created")
        request = stack.parties().create()
        template = until(
            lambda: stack.requests.database["deliveries"].find_one({"webhook_id": dead["id"]}),
            "the first is put down",
        )
        template = {k: v for k, v in template.items() if k not in ("lease", "body")}
        copies = [template | {"_id": f"{i:022d}", "lane": f"{i:022d}"} for i in range(1000)]
        stack.requests.database["deliveries"].insert_many(copies)
        live = register(stack, receiver.url(), "request.created")
        for _ in range(20):
            stack.parties().create()
        until(lambda: len(receiver.heard()) == 20, "the other one is told of all")
        assert len(hang.told()) <= 2 and hang.heard() == []
        owed = {"webhook_id": dead["id"], "state": "due"}
        assert stack.requests.database["deliveries"].count_documents(owed) > 1000
        assert {row["state"] for row in until_quiet(stack, live, 20)} == {"delivered"}
        accepted = stack.parties().accepted()
        stack.settle(accepted["id"])
        assert len(stack.mails.of(accepted["id"])) == 2, "nor do mails wait"
        assert request["id"]


def test_two_dispatchers_tell_once_and_in_order(
    start: Callable[..., Stack], receiver: Receiver
) -> None:
    stack = start(None, WEBHOOKS_ALLOW="127.0.0.1", SERVER_DISPATCHERS=3)
    hook = register(stack, receiver.url())
    made = [stack.parties().accepted() for _ in range(10)]
    for request in made:
        stack.admin().cancel(request["id"])
    wanted = {
        request["id"]: [
            e["action"]
            for e in stack.admin().audit(request["id"])
            if e["action"].split(".")[0] in ("request", "meeting")
        ]
        for request in made
    }
    total = sum(map(len, wanted.values()))
    until_quiet(stack, hook, total)
    assert {id: receiver.heard(id) for id in wanted} == wanted
    assert len(receiver.told()) == total


PLACES = [
    *(place for place in EVERYWHERE if place.startswith("delivery.")),
    "create.after_save",
    "claim.after_save",
    "effect.after",
    "settle.before_save",
]


@pytest.mark.parametrize("place", PLACES)
def test_sudden_death(
    start: Callable[..., Stack], receiver: Receiver, tmp_path: pathlib.Path, place: str
) -> None:
    """Whoever dies where, each is told all of it, under the same ids, in order."""
    trigger = tmp_path / "trigger"
    stack = start(None, WEBHOOKS_ALLOW="127.0.0.1", FAULT=f"{place}:{trigger}")
    hook = register(stack, receiver.url(), "request.*")
    trigger.touch()
    request = stack.parties().create()
    until(lambda: not trigger.exists(), "somebody dies")
    done(stack.admin().cancel(request["id"]))
    wanted = ["request.created", "request.cancelled"]

    def told() -> bool:
        stack.advance(LEASE_S // 2)
        return receiver.heard(request["id"])[-1:] == wanted[-1:]

    until(told, "all is told", 60)
    until_quiet(stack, hook, 2)
    calls = receiver.told(request["id"])
    ids = list(dict.fromkeys(call.event["id"] for call in calls))
    assert len(ids) == 2 and len(calls) <= 3
    assert [t for i, t in enumerate(receiver.heard()) if t not in receiver.heard()[:i]] == wanted
    for event_id in ids:
        assert len({call.body for call in calls if call.event["id"] == event_id}) == 1


def test_what_is_erased_is_told_nobody(stack: Stack, receiver: Receiver) -> None:
    port = free_port()
    hook = register(stack, f"http://127.0.0.1:{port}/", "request.created")
    parties = stack.parties()
    parties.create()
    until(lambda: deliveries(stack, hook), "it is put down")
    assert stack.admin().post(f"/api/people/{parties.client_id}/erase").status_code == 200
    (row,) = until_quiet(stack, hook, 1)
    assert row["state"] == "failed"
    path = f"/api/config/webhooks/{hook['id']}/deliveries/{row['id']}/redeliver"
    assert refused(stack.admin().post(path)) == (410, "gone")
    assert "body" not in stack.requests.database["deliveries"].find_one()
    # Whoever meets one that says nothing gives it up.
    due = {"$set": {"state": "due", "due": stack.now()}, "$unset": {"ended_at": 1}}
    stack.requests.database["deliveries"].update_one({}, due)
    (row,) = until_quiet(stack, hook, 1)
    assert row["state"] == "failed" and row["last_error"]["code"] == "permanent"
    assert receiver.told() == []


class Slow(Wire):
    """Holds back what is put down for subscribers, until it is told not to."""

    def __init__(self, uri: str):
        self.held, self.go = threading.Event(), threading.Event()
        super().__init__(uri)

    def count(self, command: dict) -> None:
        super().count(command)
        if command.get("insert") == "deliveries":
            self.held.set()
            assert self.go.wait(60)


def test_what_is_put_down_behind_an_erasure_is_forgotten(
    tmp_path: pathlib.Path, mongodb_uri: str
) -> None:
    """The dispatcher has loaded the person's name before, and stores it only after."""
    settings = {"WEBHOOKS_ALLOW": "127.0.0.1"}
    with (
        Slow(mongodb_uri) as wire,
        Stack(tmp_path / "stack", mongodb_uri, MONGODB_URI=wire.uri, **settings) as stack,
    ):
        port = free_port()
        hook = register(stack, f"http://127.0.0.1:{port}/", "request.created")
        parties = stack.parties()
        request = parties.create()
        until(wire.held.is_set, "it is about to be put down")
        assert stack.admin().post(f"/api/people/{parties.client_id}/erase").status_code == 200
        assert deliveries(stack, hook) == []
        wire.go.set()
        (row,) = until_quiet(stack, hook, 1)
        assert row["state"] == "failed"
        stored = stack.requests.database["deliveries"].find_one({"request_id": request["id"]})
        assert "body" not in stored


def test_what_a_death_leaves_behind_an_erasure_is_forgotten_by_its_second_pass(
    stack: Stack, receiver: Receiver
) -> None:
    receiver.behave = lambda _: 500
    register(stack, receiver.url(), "request.created")
    parties = stack.parties()
    parties.create()
    stored = stack.requests.database["deliveries"]
    row = until(lambda: stored.find_one({"last_error": {"$exists": True}}), "it is tried")
    assert stack.admin().post(f"/api/people/{parties.client_id}/erase").status_code == 200
    assert "body" not in stored.find_one()
    late = row | {"due": row["created_at"] + datetime.timedelta(days=1), "rev": row["rev"] + 9}
    stored.replace_one({"_id": row["_id"]}, late)
    stack.advance(91)
    until(lambda: "body" not in stored.find_one(), "it is found", 60)
    assert stored.find_one()["state"] == "failed"


def test_who_comes_is_told(
    start: Callable[..., Stack], smtp: SmtpServer, receiver: Receiver
) -> None:
    """An answer by mail is an event like any other, though a program of its own stores it."""
    stack = start(smtp, WEBHOOKS_ALLOW="127.0.0.1", MAIL_REPLY_ADDRESS=PATTERN)
    hook = register(stack, receiver.url(), "attendance.*")
    client = invited(stack)
    for answer in ("accepted", "declined"):
        received(stack, client.message(f"gmail-{answer}"), client.address)
        assert client.attendance == answer
        stack.advance(5)
    until_quiet(stack, hook, 2)
    told = [call.event for call in receiver.told(client.request["id"])]
    assert [event["type"] for event in told] == ["meeting.attendance"] * 2
    seen = [event["data"]["meeting"]["attendance"] for event in told]
    assert [one["client"] for one in seen] == ["accepted", "declined"]
    assert all(call.signed_with(hook["secret"]) for call in receiver.told())


def test_what_is_kept_is_sealed_and_sealed_anew(stack: Stack, receiver: Receiver) -> None:
    receiver.behave = lambda _: 500
    hook = register(stack, receiver.url(), "request.created")
    request = stack.parties().create()
    until(lambda: receiver.told(), "it is tried")
    stored = stack.requests.database["deliveries"].find_one()
    assert request["title"] not in str(stored) and stored["body"].startswith("v1:k1:")
    key = stack.folder / "master.key"
    key.write_text(f"k2:{os.urandom(32).hex()}\n{key.read_text()}")
    stack.reload()
    stack.run("rotate-keys")
    assert "nothing needs any" in stack.run("rotate-keys", "--check")
    receiver.behave = lambda _: 200
    stack.advance(30)
    until_quiet(stack, hook, 1)
    assert receiver.told()[-1].signed_with(hook["secret"])
    assert receiver.told()[0].body == receiver.told()[-1].body
