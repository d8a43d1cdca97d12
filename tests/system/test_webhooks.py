"""What is changed at the provider flows back: by Zoom's webhooks, and without them by looking."""

import copy
import datetime
import json
import pathlib
import secrets
import signal
import time
from collections.abc import Callable, Iterator
from mailbox import SmtpServer, check_invitation

import pytest
import requests
from caller import assert_conventions
from providers import Providers, unique
from sim import Live
from stack import Database, Stack
from support import at_once, until
from zoom import Zoom, mac, sign

PATH = "/api/webhooks/zoom"
MEETING = "/v2/meetings/*"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, mongodb_uri: str) -> Iterator[Providers]:
    smtp = SmtpServer()
    folder = tmp_path_factory.mktemp("webhooks")
    with Providers(folder / "stack", mongodb_uri, smtp, names=["zoom"]) as providers:
        yield providers
    smtp.stop()


@pytest.fixture
def zoom(world: Providers) -> Zoom:
    return world["zoom"]


class Case:
    """A request whose meeting is ready at Zoom."""

    def __init__(self, world: Providers, **changes: object):
        self.world, self.zoom, self.stack = world, world["zoom"], world.stack
        self.parties = self.stack.parties()
        changes = {"title": unique("Lease")} | changes
        self.request = self.parties.accepted(**changes)
        self.id = self.request["id"]
        self.stack.settle(self.id)
        self.live = self.world.the_meeting(self.request)[1]

    def payload(self, **fields: object) -> dict:
        names = ("uuid", "host_id", "topic", "type", "start_time", "timezone", "duration")
        shown = {"id": self.live.id} | {name: self.live.raw[name] for name in names} | fields
        return {"account_id": self.zoom.account_id, "object": shown}

    def tell(self, name: str, at: int | None = None, **fields: object) -> None:
        """A report of what happened then, now signed by Zoom; it must be taken."""
        if at is None:
            told = self.zoom.webhook(name, self.payload(**fields), url=self.stack.url + PATH)
            assert told == (200, "{}")
        else:
            body = event(name, self.payload(**fields), at)
            answer = post(self.stack, body, self.zoom.webhook_secret)
            assert (answer.status_code, answer.text) == (200, "{}")

    def now(self) -> int:
        return int(self.stack.now().timestamp())

    def document(self) -> dict:
        return self.stack.document(self.id)

    def actions(self, action: str) -> list[dict]:
        """What the parties see of it in the audit trail, but what came through our gate."""
        pages = self.parties.client.pages(f"/api/requests/{self.id}/audit", limit=200)
        events = [event for page in pages for event in page]
        return [e for e in events if e["action"] == action and e["source"] != "gate"]

    def held(self) -> list[int]:
        """From when until when."""
        own = self.document()["meeting"]
        times = [own[name].replace(tzinfo=datetime.UTC) for name in ("held_from", "held_until")]
        return [int(at.timestamp()) for at in times]

    def meeting(self) -> dict:
        return self.parties.client.request(self.id)["meeting"]

    def changed(self) -> Callable[[], bool]:
        """Whether anything is stored since."""
        before = self.document()
        return lambda: self.document() != before


@pytest.fixture
def case(world: Providers) -> Case:
    return Case(world)


def post(
    stack: Stack,
    body: bytes,
    secret: str,
    ts: int | str | None = None,
    path: str = PATH,
    **headers: str | None,
) -> requests.Response:
    """A message as Zoom signs it; headers of None are left out."""
    ts = int(stack.now().timestamp()) if ts is None else ts
    signed = {
        "Content-Type": "application/json; charset=utf-8",
        "x-zm-request-timestamp": str(ts),
        "x-zm-signature": sign(secret, int(ts), body) if str(ts).isdigit() else "v0=",
    }
    signed |= {name.replace("_", "-"): value for name, value in headers.items()}
    signed = {name: value for name, value in signed.items() if value is not None}
    answer = requests.post(stack.url + path, body, headers=signed, timeout=10)
    assert_conventions(answer)
    return answer


def event(name: str, payload: dict, ts: int = 1_700_000_000) -> bytes:
    return json.dumps({"event": name, "event_ts": ts * 1000, "payload": payload}).encode()


# ---- whose message it is ----


def test_zoom_checks_the_endpoint(world: Providers, zoom: Zoom) -> None:
    token = "qgg8vlvZRS6UYooatFL8Aw"
    status, text = zoom.webhook(
        "endpoint.url_validation", {"plainToken": token}, url=world.stack.url + PATH
    )
    assert status == 200
    assert json.loads(text) == {
        "plainToken": token,
        "encryptedToken": mac(zoom.webhook_secret, token.encode()),
    }


def test_who_cannot_sign_learns_nothing(world: Providers, zoom: Zoom, case: Case) -> None:
    stack, changed = world.stack, case.changed()
    gets = zoom.count("GET", MEETING)
    now = case.now()
    for body in (
        event("endpoint.url_validation", {"plainToken": "abc"}),
        event("meeting.deleted", case.payload()),
        b"{",
        b"",
        b"\0" * 65536,
    ):
        good = sign(zoom.webhook_secret, now, body)
        refused = [
            post(stack, body, "another secret"),
            post(stack, body, ""),
            post(stack, body, zoom.client_secret),
            post(stack, body, zoom.webhook_secret, now - 310),
            post(stack, body, zoom.webhook_secret, now + 310),
            post(stack, body, zoom.webhook_secret, x_zm_signature=None),
            post(stack, body, zoom.webhook_secret, x_zm_signature=""),
            post(stack, body, zoom.webhook_secret, x_zm_signature=good.upper()),
            post(stack, body, zoom.webhook_secret, x_zm_signature=good[:-1]),
            post(stack, body, zoom.webhook_secret, x_zm_signature=good + "0"),
            post(stack, body, zoom.webhook_secret, x_zm_request_timestamp=None),
            post(stack, body, zoom.webhook_secret, x_zm_request_timestamp=str(now + 100)),
            post(stack, body, zoom.webhook_secret, x_zm_request_timestamp="yesterday"),
            post(stack, body, zoom.webhook_secret, Authorization=f"Bearer {stack.admin().token}",
                 x_zm_signature=None),
            post(stack, body + b" ", zoom.webhook_secret, x_zm_signature=good),
        ]  # fmt: skip
        codes = {(answer.status_code, answer.json().get("code")) for answer in refused}
        expected = {(401, "unauthenticated")}
        if len(body) == 65536:
            expected.add((413, "too_large"))
        assert codes == expected
    assert not changed() and zoom.count("GET", MEETING) == gets


def test_without_a_secret_nobody_can_sign(stack: Stack) -> None:
    body = event("endpoint.url_validation", {"plainToken": "abc"})
    for secret in ("", "0", "None"):
        assert post(stack, body, secret).status_code == 401


def test_the_secret_may_change(world: Providers, zoom: Zoom) -> None:
    body = event("endpoint.url_validation", {"plainToken": "abc"})
    old = zoom.webhook_secret
    for now_holds in (secrets.token_urlsafe(16), old):
        world.configure("zoom", {"credentials": {"webhook_secret": now_holds}})
        answers = {key: post(world.stack, body, key).status_code for key in (now_holds, "other")}
        assert answers == {now_holds: 200, "other": 401}
    world.configure("zoom", {"credentials": {"webhook_secret": None}})
    assert post(world.stack, body, old).status_code == 401
    assert post(world.stack, body, "").status_code == 401
    world.configure("zoom", {"credentials": {"webhook_secret": old}})
    assert old not in world.stack.logged("meetlink")


def test_signed_but_not_an_event(world: Providers, zoom: Zoom, case: Case) -> None:
    whole = event("meeting.deleted", case.payload())
    changed = case.changed()
    for body in (
        b"", b"{", b"[]", b"null", b'"meeting.deleted"', b"{}", whole[:-1], whole[:40],
        whole + b"x", whole + whole, b"\xff" + whole, whole.replace(b'"meeting.deleted"', b"7.5e"),
        b'{"a":' * 40 + b"1" + b"}" * 40,
    ):  # fmt: skip
        answer = post(world.stack, body, zoom.webhook_secret)
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed"), body
    assert not changed()


def test_only_of_who_sends_any(world: Providers, zoom: Zoom) -> None:
    body = event("endpoint.url_validation", {"plainToken": "abc"})
    for name in ("jitsi", "nobody", "ZOOM"):
        answer = post(world.stack, body, zoom.webhook_secret, path=f"/api/webhooks/{name}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), name


def test_only_plain_json(world: Providers, zoom: Zoom, case: Case) -> None:
    changed = case.changed()
    body = event("meeting.started", case.payload(), case.now())
    for headers in (
        {"Content_Type": None},
        {"Content_Type": "text/plain"},
        {"Content_Type": "application/x-www-form-urlencoded"},
        {"Content_Type": "application/json; charset=latin1"},
        {"Content_Encoding": "gzip"},
        {"Content_Encoding": "identity"},
    ):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = post(world.stack, body, zoom.webhook_secret, **headers)
        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
        answer = post(world.stack, body, "another secret", **headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert not changed()
    assert post(world.stack, body, zoom.webhook_secret).status_code == 200
    assert changed()


def test_sizes(world: Providers, zoom: Zoom, case: Case) -> None:
    """Up to 64 KiB it is read, beyond refused, by nginx or by us."""
    body = event("meeting.participant_left", case.payload())
    fits = body + b" " * (65536 - len(body))
    assert post(world.stack, fits, zoom.webhook_secret).status_code == 200
    for size in (65537, 100_000, 128 * 1024 + 1, 4_000_000):
        answer = post(world.stack, body + b" " * (size - len(body)), zoom.webhook_secret)
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_only_posts(world: Providers) -> None:
    for method in ("GET", "PUT", "DELETE", "HEAD"):
        answer = requests.request(method, world.stack.url + PATH, timeout=10)
        assert answer.status_code == 405 and answer.headers["Allow"] == "POST"


def test_what_is_of_nobody(world: Providers, zoom: Zoom, case: Case) -> None:
    changed = case.changed()
    number = int(case.live.id)
    for wrong in (number + 1, str(number + 1), f"{number} ", f"0{number}", -number, 0, "", None,
                  True, 7.5, 1e300, [number], {"$gt": 0}, {"$ne": ""}, "x" * 60000):  # fmt: skip
        for name in ("meeting.deleted", "meeting.started", "meeting.participant_joined"):
            case.tell(name, id=wrong)
    for name in ("meeting.created", "user.created", "", "meeting.deleted ", "x" * 60000):
        case.tell(name)
    for payload in (None, [], {}, {"object": None}, {"object": [case.live.id]}, "x"):
        answer = post(world.stack, event("meeting.deleted", payload), zoom.webhook_secret)
        assert answer.status_code == 200
    assert not changed()


# ---- that it was held ----


def test_the_life_of_a_meeting(case: Case) -> None:
    case.stack.advance(600)
    now = case.now()
    case.tell("meeting.started", now - 60)
    host = {"participant_user_id": case.live.raw["host_id"], "participant_uuid": "H"}
    case.tell("meeting.participant_joined", now - 59, participant=host)
    guest = {"user_id": "16778240", "user_name": "Adelheid Ex", "email": "adelheid@home.example"}
    case.tell("meeting.participant_joined", now - 58, participant=guest)
    case.tell("meeting.participant_left", now - 20, participant=guest)
    case.tell("meeting.ended", now - 10)
    for action, count in (("started", 1), ("host_joined", 1), ("joined", 1), ("ended", 1)):
        found = case.actions(f"meeting.{action}")
        assert len(found) == count, action
        assert found[0]["source"] == "provider" and found[0]["actor"] == {"role": "system"}
        assert found[0]["detail"].startswith("zoom: ")
    when = datetime.datetime.fromtimestamp(now - 60, datetime.UTC)
    assert case.actions("meeting.started")[0]["detail"] == f"zoom: {when:%Y-%m-%dT%H:%M:%SZ}"
    assert case.held() == [now - 60, now - 10]
    document = case.document()
    assert set(case.meeting()).isdisjoint({"held_from", "held_until", "reports"})
    stored = repr(document["events"]) + repr(document["meeting"]["reports"])
    assert "Adelheid" not in stored and "adelheid@" not in stored, "no names in the trail"
    logged = case.stack.logged("meetlink") + case.stack.logged("access")
    assert "adelheid@" not in logged


@pytest.mark.parametrize("number", [False, True])
def test_ids_are_text_or_number(case: Case, number: bool) -> None:
    case.tell("meeting.started", id=int(case.live.id) if number else case.live.id)
    assert len(case.actions("meeting.started")) == 1


def test_what_comes_again_changes_nothing(case: Case) -> None:
    """Zoom sends it anew, up to an hour and a half later, with a fresh signature."""
    told = case.now()
    names = ("meeting.started", "meeting.participant_joined", "meeting.ended")
    bodies = [event(name, case.payload(participant={"user_id": "1"}), told) for name in names]
    for body in bodies:
        assert post(case.stack, body, case.zoom.webhook_secret).status_code == 200
    changed = case.changed()
    for _ in range(3):
        for body in reversed(bodies):
            assert post(case.stack, body, case.zoom.webhook_secret).status_code == 200
    assert not changed()


def test_the_order_does_not_matter(case: Case) -> None:
    case.stack.advance(6000)
    now = case.now()
    for name, at in (("ended", now - 10), ("ended", now - 5000), ("started", now - 100),
                     ("started", now - 5400)):  # fmt: skip
        case.tell(f"meeting.{name}", at)
    assert case.held() == [now - 5400, now - 10]


def test_a_message_that_is_repeated_after_many(case: Case) -> None:
    """Whoever has read a message may send it as it is while its signature is good."""
    ts = case.now() + 200
    body = event("meeting.updated", case.payload(), case.now())
    assert post(case.stack, body, case.zoom.webhook_secret, ts).status_code == 200
    for who in range(60):
        case.tell("meeting.participant_joined", participant={"participant_uuid": f"p{who}"})
    case.stack.advance(450)
    until(lambda: looked(case), "it was seen")
    changed = case.changed()
    assert post(case.stack, body, case.zoom.webhook_secret, ts).status_code == 200
    assert not changed()


def test_the_same_at_once(case: Case) -> None:
    body = event("meeting.started", case.payload(), case.now())
    answers = at_once([lambda: post(case.stack, body, case.zoom.webhook_secret)] * 8)
    assert {answer.status_code for answer in answers} == {200}
    assert len(case.actions("meeting.started")) == 1


def test_different_ones_at_once(case: Case) -> None:
    def joined(who: int) -> Callable[[], requests.Response]:
        participant = {"participant_uuid": f"p{who}"}
        body = event("meeting.participant_joined", case.payload(participant=participant))
        return lambda: post(case.stack, body, case.zoom.webhook_secret)

    waiting = [joined(who) for who in range(8)]
    for _ in range(20):
        statuses = [answer.status_code for answer in at_once(waiting)]
        assert set(statuses) <= {200, 503}, "sent again, if it was too much"
        waiting = [call for call, status in zip(waiting, statuses, strict=True) if status == 503]
        if not waiting:
            break
    assert len(case.actions("meeting.joined")) == 8


def test_nobody_grows_a_document_without_bound(case: Case) -> None:
    for who in range(230):
        case.tell("meeting.participant_joined", participant={"participant_uuid": f"p{who}"})
    pages = case.parties.client.pages(f"/api/requests/{case.id}/audit", limit=200)
    joined = [e for page in pages for e in page if e["action"] == "meeting.joined"]
    assert len(joined) == len(case.document()["meeting"]["reports"]) == 200
    case.tell("meeting.ended")
    assert len(case.actions("meeting.ended")) == 1


# ---- that it was changed ----


def test_deleted_at_zoom(case: Case, zoom: Zoom) -> None:
    before, mails = case.meeting(), len(case.stack.mails.of(case.id))
    sealed = case.document()["meeting"]["provider_url"]
    del zoom.meetings[int(case.live.id)]
    case.tell("meeting.deleted", id=int(case.live.id))
    until(lambda: case.actions("provider.drift_repaired"), "it was noticed")
    case.world.finish(case.id)
    _, live = case.world.the_meeting(case.request)
    assert live.id != case.live.id
    after = case.meeting()
    assert after["join_url"] == before["join_url"], "our link stays, and leads elsewhere"
    assert (after["id"], after["generation"]) == (before["id"], before["generation"])
    assert after["sequence"] > before["sequence"]
    assert case.document()["meeting"]["provider_url"] != sealed
    news = case.stack.mails.of(case.id)[mails:]
    assert {mail.recipient for mail in news} == {
        case.parties.person(who)["email"] for who in ("client", "lawyer")
    }
    assert len(news) == 2
    for mail in news:
        assert check_invitation(mail, "REQUEST")["SEQUENCE"] == after["sequence"]
        assert "has changed" in mail.text() and "/join/" in mail.text()
        everything = mail.text() + mail.text("text/html") + mail.text("text/calendar")
        assert f"/j/{live.id}" not in everything, "it is ours that is mailed"
    assert [e["detail"] for e in case.actions("provider.drift_repaired")] == ["gone"]
    # What is said of the old one once more is of nobody.
    changed = case.changed()
    case.tell("meeting.deleted", id=int(case.live.id))
    assert not changed() and len(case.world.live_of(case.request)) == 1


def moved(zoom: Zoom, live: Live, **values: object) -> None:
    with zoom.lock:
        zoom.meetings[int(live.id)].raw.update(values)


def test_moved_at_zoom(case: Case, zoom: Zoom) -> None:
    mails = len(case.stack.mails.of(case.id))
    moved(zoom, case.live, start_time=case.stack.at(days=9), duration=30)
    case.tell("meeting.updated")
    until(lambda: zoom.count("PATCH", f"/v2/meetings/{case.live.id}") == 1, "it was moved back")
    case.world.finish(case.id)
    assert case.world.the_meeting(case.request)[1].id == case.live.id, "and its times are ours"
    assert [e["detail"] for e in case.actions("provider.drift_repaired")] == ["moved"]
    assert len(case.stack.mails.of(case.id)) == mails, "nobody had to know"
    # The repair is reported too.
    gets = zoom.count("GET", f"/v2/meetings/{case.live.id}")
    case.tell("meeting.updated", case.now() + 1)
    until(lambda: zoom.count("GET", f"/v2/meetings/{case.live.id}") > gets, "it was looked at")
    time.sleep(0.5)
    assert zoom.count("PATCH", f"/v2/meetings/{case.live.id}") == 1
    assert watched(case.document())


def test_settings_changed_at_zoom(case: Case, zoom: Zoom) -> None:
    settings = copy.deepcopy(case.live.settings)
    with zoom.lock:
        zoom.meetings[int(case.live.id)].raw["settings"]["waiting_room"] = False
    case.tell("meeting.updated")
    until(lambda: case.actions("provider.drift_repaired"), "it was noticed")
    case.world.finish(case.id)
    assert case.world.the_meeting(case.request)[1].settings == settings
    assert [e["detail"] for e in case.actions("provider.drift_repaired")] == ["settings"]


def watched(document: dict) -> bool:
    return "meeting.verify" in {effect["kind"] for effect in document["effects"]}


def looked(case: Case) -> bool:
    """Whether the comparison is over, and the next one some hours away."""
    soon = case.stack.now().replace(tzinfo=None) + datetime.timedelta(hours=1)
    effects = case.document()["effects"]
    return any(e["kind"] == "meeting.verify" and e["due"] > soon for e in effects)


def test_a_lie_changes_nothing(case: Case, zoom: Zoom) -> None:
    """Signed, so Zoom's; but late, or of something else: Zoom is asked, and it is all there."""
    gets = zoom.count("GET", f"/v2/meetings/{case.live.id}")
    before = case.meeting()
    case.tell("meeting.deleted", case.now() - 4000)
    until(lambda: zoom.count("GET", f"/v2/meetings/{case.live.id}") == gets + 1, "Zoom was asked")
    until(lambda: looked(case), "it was seen")
    assert case.meeting() == before and case.actions("provider.drift_repaired") == []


def test_a_change_again_and_again_costs_little(case: Case, zoom: Zoom) -> None:
    gets = zoom.count("GET", f"/v2/meetings/{case.live.id}")
    for i in range(60):
        case.tell("meeting.updated", case.now() + i)
    time.sleep(1)
    looks = zoom.count("GET", f"/v2/meetings/{case.live.id}") - gets
    assert 1 <= looks <= 4
    del zoom.meetings[int(case.live.id)]
    case.tell("meeting.deleted")
    case.stack.advance(6 * 3600)
    until(lambda: case.actions("provider.drift_repaired"), "at last it was noticed")
    case.world.finish(case.id)
    assert case.world.the_meeting(case.request)


def test_zoom_does_not_answer_when_asked(case: Case, zoom: Zoom) -> None:
    """The report is taken at once all the same, and the meeting stays."""
    zoom.hang_all()
    begun = time.monotonic()
    case.tell("meeting.deleted")
    assert time.monotonic() - begun < 3
    assert case.meeting()["status"] == "ready"
    zoom.calm()


def test_our_own_deletion_is_reported(case: Case, zoom: Zoom) -> None:
    case.parties.lawyer.cancel(case.id)
    case.world.finish(case.id)
    assert int(case.live.id) not in zoom.meetings
    changed = case.changed()
    for name in ("meeting.deleted", "meeting.updated", "meeting.ended"):
        case.tell(name, id=int(case.live.id))
        case.tell(name)
    assert not changed()


def test_the_link_before(case: Case, zoom: Zoom) -> None:
    case.parties.lawyer.post(f"/api/requests/{case.id}/meeting/regenerate", {"reason": "leaked"})
    case.world.finish(case.id)
    _, live = case.world.the_meeting(case.request)
    changed = case.changed()
    case.tell("meeting.deleted", id=int(case.live.id))
    case.tell("meeting.started")
    assert not changed()
    case.live = live
    case.tell("meeting.started")
    assert len(case.actions("meeting.started")) == 1


# ---- trouble of our own ----


def test_while_the_database_is_away(
    tmp_path: pathlib.Path, database: Database, smtp: SmtpServer
) -> None:
    with Providers(tmp_path / "away", database.uri, smtp, names=["zoom"]) as world:
        case = Case(world)
        body = event("meeting.started", case.payload(), case.now())
        secret = case.zoom.webhook_secret
        database.pause()
        begun = time.monotonic()
        answer = post(case.stack, body, secret)
        assert answer.status_code == 503 and time.monotonic() - begun < 3.5
        database.resume()
        until(lambda: post(case.stack, body, secret).status_code == 200, "Zoom came again")
        world.warm_up()  # each process finds the database again by itself
        assert len(case.actions("meeting.started")) == 1
        database.stop(signal.SIGKILL)
        assert post(case.stack, body, secret).status_code == 503
        database.start()
        until(lambda: post(case.stack, body, secret).status_code == 200, "and again")
        world.warm_up()
        assert len(case.actions("meeting.started")) == 1


# ---- without any report ----


def test_it_is_found_without_reports(tmp_path: pathlib.Path, mongodb_uri: str) -> None:
    """Every six hours, one call a meeting; what was changed is repaired then."""
    with Providers(tmp_path / "quiet", mongodb_uri, names=["zoom"]) as world:
        zoom, stack = world["zoom"], world.stack
        cases = [Case(world) for _ in range(12)]
        deleted, shifted, altered, shorter, *quiet = cases
        with zoom.lock:
            del zoom.meetings[int(deleted.live.id)]
        moved(zoom, shifted.live, start_time=stack.at(days=9))
        moved(zoom, shorter.live, duration=15)
        with zoom.lock:
            zoom.meetings[int(altered.live.id)].raw["settings"]["join_before_host"] = True
            zoom.meetings[int(altered.live.id)].raw["settings"]["waiting_room"] = False
        zoom.calls.clear()
        time.sleep(0.5)
        stack.advance(5 * 3600)
        time.sleep(0.5)
        assert zoom.count("GET", MEETING) == 0, "not before its time"
        stack.advance(3600)
        for case, what in ((deleted, "gone"), (shifted, "moved"), (shorter, "moved"),
                           (altered, "settings")):  # fmt: skip
            until(lambda case=case: case.actions("provider.drift_repaired"), what)
            world.finish(case.id)
            world.the_meeting(case.request)
            assert [e["detail"] for e in case.actions("provider.drift_repaired")] == [what]
        assert world.the_meeting(altered.request)[1].settings == altered.live.settings
        # One look at each, one to read back each change.
        until(lambda: zoom.count("GET", MEETING) >= 12 + 3, "all were looked at")
        time.sleep(0.5)
        assert zoom.count("GET", MEETING) == 12 + 3
        assert zoom.count("PATCH", MEETING) == 3
        for case in quiet:
            assert case.meeting()["status"] == "ready"
            assert case.actions("provider.drift_repaired") == []
        # And so it goes on.
        zoom.calls.clear()
        stack.advance(6 * 3600 + 1)
        until(lambda: zoom.count("GET", MEETING) >= 12, "all were looked at again")
        time.sleep(0.5)
        assert zoom.count("GET", MEETING) == 12 and zoom.count("PATCH", MEETING) == 0
        for case in cases:
            assert watched(case.document())
