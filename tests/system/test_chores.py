"""What no request owes is owed all the same: erasure, and the test meeting of a validation.

Processes are killed at every step, with what was begun stored first and finished by a dispatcher.
"""

import contextlib
import datetime
import os
import pathlib
import signal
import threading
import time
from collections.abc import Callable

import pytest
from providers import Providers, configured, provide  # noqa: F401
from sim import Fault
from stack import LEASE_S, Stack
from support import until
from test_config import MAKES, keys, use_keys
from test_sudden_death import EVERYWHERE
from wire import UPKEEP, Wire

CHORE = [place for place in EVERYWHERE if place.startswith("chore.")]
CHANGE = ["change.before_save", "change.after_save"]
NAMES = ["google_meet", "zoom", "teams"]


def chores(stack: Stack) -> list[dict]:
    return list(stack.requests.database["chores"].find())


def until_done(stack: Stack) -> None:
    """Lets the leases of the dead run out, and all be done."""
    for _ in range(12):
        stack.advance(LEASE_S + 1)
        with contextlib.suppress(AssertionError):
            return until(lambda: not chores(stack), "no chore is left", 5)
    raise AssertionError(f"chores are left: {chores(stack)}")


def kill_all(stack: Stack) -> None:
    os.killpg(stack.program.pid, signal.SIGKILL)
    stack.program.wait(40)
    stack.start_program()
    until(stack.is_ready, "ready again")


def in_background(call: Callable[[], object]) -> threading.Thread:
    """Its answer is lost."""

    def run() -> None:
        with contextlib.suppress(Exception, AssertionError):
            call()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@pytest.fixture
def trigger(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "trigger"


# ---- erasure ----


def erased_once(stack: Stack, person_id: str, ids: list[str]) -> None:
    for request_id in ids:
        document = stack.document(request_id)
        assert document["client"]["email"].endswith("@erased.invalid")
        assert document["client"]["name"] == "Erased person" and document["title"] == "Erased"
        events = [e for e in document["events"] if e["action"] == "person.erased"]
        assert [(e["detail"], e["actor"]["id"]) for e in events] == [(person_id, "admin-1")]
    stack.run("verify-audit")


@pytest.mark.parametrize("place", [*CHANGE, *CHORE])
def test_death_on_the_way_to_an_erasure(start: Callable[..., Stack], trigger, place: str) -> None:
    """nginx gives it to another worker, and a dispatcher does the rest of the first one."""
    stack = start(FAULT=f"{place}:{trigger}")
    parties = stack.parties()
    ids = [parties.create()["id"] for _ in range(3)]
    whole = set(stack.children())
    trigger.touch()
    answer = stack.admin().post(f"/api/people/{parties.client_id}/erase")
    assert answer.json() == {"id": parties.client_id, "requests": 3}
    erased_once(stack, parties.client_id, ids)
    assert {chore["kind"] for chore in chores(stack)} == {"erase"}
    until_done(stack)
    assert not trigger.exists(), "somebody died"
    until(lambda: len(stack.children()) == len(whole), "everybody is back")
    erased_once(stack, parties.client_id, ids)


def test_half_a_person_is_not_left_by_the_death_of_all(start: Callable[..., Stack]) -> None:
    stack = start()
    parties = stack.parties()
    ids = [parties.create()["id"] for _ in range(60)]
    admin = stack.admin()
    thread = in_background(lambda: admin.post(f"/api/people/{parties.client_id}/erase"))
    erased = {"client.name": "Erased person"}
    until(lambda: stack.requests.count_documents(erased), "it has begun")
    kill_all(stack)
    thread.join()
    assert chores(stack), "it is owed"
    until_done(stack)
    assert stack.requests.count_documents(erased) == 60
    erased_once(stack, parties.client_id, ids)


def test_an_erasure_and_what_is_filed_meanwhile(start: Callable[..., Stack]) -> None:
    """What was filed before it was asked for goes, though it is stored later; what is filed
    afterwards stays whole; and what was erased is not touched again."""
    stack = start()
    parties = stack.parties()
    before = parties.create()["id"]
    admin = stack.admin()
    assert admin.post(f"/api/people/{parties.client_id}/erase").json()["requests"] == 1
    (chore,) = chores(stack)
    stack.advance(10)
    meanwhile, after = parties.create()["id"], parties.create()["id"]
    for request_id in (meanwhile, after):
        stack.settle(request_id)
    # As if it had been filed a moment before, and stored only after the first pass.
    asked = chore["created_at"] - datetime.timedelta(seconds=1)
    stack.requests.update_one({"_id": meanwhile}, {"$set": {"created_at": asked}})
    until_done(stack)
    erased_once(stack, parties.client_id, [before, meanwhile])
    document = stack.document(after)
    assert document["client"]["name"] == "Client Ex" and document["title"] != "Erased"
    assert [e["action"] for e in document["events"]] == ["request.created", "mail.sent"]
    # Another order takes that too, once.
    assert admin.post(f"/api/people/{parties.client_id}/erase").json()["requests"] == 3
    until_done(stack)
    erased_once(stack, parties.client_id, [before, meanwhile, after])


def test_what_was_written_since_is_not_erased_by_the_order_of_before(
    start: Callable[..., Stack],
) -> None:
    """A lawyer who accepts after the erasure is there again, and stays."""
    stack = start()
    parties = stack.parties()
    request = parties.create()
    stack.admin().post(f"/api/people/{parties.lawyer_id}/erase")
    lawyer = stack.caller(
        "lawyer", parties.lawyer_id, name="Lena Back", email="lena.back@example.com"
    )
    assert lawyer.respond(request["id"], "accept").status_code == 200
    until_done(stack)
    assert stack.document(request["id"])["lawyer"]["name"] == "Lena Back"


def test_a_request_that_cannot_be_read_is_erased_when_it_can(start: Callable[..., Stack]) -> None:
    stack = start()
    parties = stack.parties()
    ids = [parties.create()["id"] for _ in range(2)]
    stack.settle(ids[0])
    stack.requests.update_one({"_id": ids[0]}, {"$set": {"status": "strange"}})
    assert stack.admin().post(f"/api/people/{parties.client_id}/erase").status_code == 500
    erased_once(stack, parties.client_id, ids[1:])
    stack.advance(LEASE_S + 1)
    until(lambda: any(chore["attempts"] for chore in chores(stack)), "it is tried again")
    stack.requests.update_one({"_id": ids[0]}, {"$set": {"status": "open"}})
    stack.advance(3600)
    until(lambda: not chores(stack), "it is done")
    erased_once(stack, parties.client_id, ids)


class Slow(Wire):
    """The way to a database that takes its time."""

    def count(self, command: dict) -> None:
        if next(iter(command)) not in UPKEEP:
            time.sleep(0.05)
        super().count(command)


def test_a_long_erasure_holds_up_no_end(start: Callable[..., Stack], mongodb_uri: str) -> None:
    """What is left of it is done by the next process, at once."""
    many = 40
    with Slow(mongodb_uri) as way:
        stack = start(uri=way.uri)
        parties = stack.parties()
        stack.admin().post(f"/api/people/{parties.client_id}/erase")
        ids = [parties.create()["id"] for _ in range(many)]
        now = stack.now()
        # As if it had been given now, and the worker had died.
        begun = {"$set": {"created_at": now + datetime.timedelta(seconds=1), "due": now}}
        assert stack.requests.database["chores"].update_one({}, begun).modified_count
        erased = {"client.name": "Erased person"}
        until(lambda: stack.requests.count_documents(erased) > 2, "it has begun")
        stack.program.terminate()
        assert stack.program.wait(60) == 0
        assert stack.requests.count_documents(erased) < many
        (chore,) = chores(stack)
        assert chore["due"] <= stack.now().replace(tzinfo=None)
        stack.start_program()
        until(lambda: not chores(stack), "it is done", 60)
        erased_once(stack, parties.client_id, ids)
        stack.stop()


# ---- the test meeting of a validation ----


class Trial:
    """Credentials that are in the body of a validation alone."""

    def __init__(self, providers: Providers, name: str):
        self.providers, self.name = providers, name
        self.stack, self.sim = providers.stack, providers[name]
        admin = self.stack.admin()
        configured(self.stack, "meetings", {"default_provider": "jitsi"})
        given = self.sim.provider()
        self.body = {part: given[part] for part in ("settings", "credentials")} | {"deep": True}
        assert admin.delete(f"/api/config/providers/{name}").status_code == 204
        assert not admin.fetch(f"/api/config/providers/{name}")["configured"]

    def undeletable(self) -> None:
        """But for Zoom's rights, which are found out with the deletion of nothing."""
        skip = 1 if self.name == "zoom" else 0
        self.sim.script(Fault("DELETE */*", status=503, skip=skip, times=None))

    def ask(self) -> dict:
        path = f"/api/config/providers/{self.name}/validate"
        return self.stack.admin().post(path, self.body, timeout=90).json()

    def check_clean(self) -> None:
        until_done(self.stack)
        assert self.sim.live() == [], "nothing is left at the provider"


@pytest.fixture
def trial(provide: Callable[..., Providers]) -> Callable[..., Trial]:  # noqa: F811
    def begin(name: str, **settings: object) -> Trial:
        return Trial(provide(names=[name], **settings), name)

    return begin


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("place", CHORE)
def test_death_on_the_way_of_a_test_meeting(trial, trigger, place: str, name: str) -> None:
    given = trial(name, FAULT=f"{place}:{trigger}")
    trigger.touch()
    result = given.ask()
    assert not trigger.exists(), "somebody died"
    assert result["ok"], result
    given.check_clean()


@pytest.mark.parametrize("name", NAMES)
def test_the_death_of_all_while_a_test_meeting_is_being_made(trial, name: str) -> None:
    """It is there, and nobody was told its id."""
    given = trial(name)
    given.sim.script(Fault(MAKES[name], when="after", hang=True))
    thread = in_background(given.ask)
    until(given.sim.live, "it is made")
    (chore,) = chores(given.stack)
    assert chore["kind"] == "test_meeting" and "external_id" not in chore
    for value in given.body["credentials"].values():
        assert str(value) not in str(chore), "credentials are sealed"
    kill_all(given.stack)
    given.sim.calm()
    thread.join()
    assert given.sim.live(), "nobody has deleted it yet"
    given.check_clean()


@pytest.mark.parametrize("name", NAMES)
def test_a_test_meeting_of_unknown_outcome_is_looked_for_twice(trial, name: str) -> None:
    """The provider has not even begun when the answer is missed."""
    given = trial(name)
    given.sim.script(Fault(MAKES[name], status=500, times=1))
    result = given.ask()
    assert not result["ok"]
    left = chores(given.stack)
    assert [chore["kind"] for chore in left] == (["test_meeting"] if left else [])
    given.check_clean()


@pytest.mark.parametrize("name", NAMES)
def test_a_test_meeting_that_cannot_be_deleted_yet(trial, name: str) -> None:
    given = trial(name)
    given.undeletable()
    checks = {check["name"]: check for check in given.ask()["checks"]}
    assert checks["create"]["ok"] and not checks["delete"]["ok"]
    assert "in the background" in checks["delete"]["detail"]
    assert len(given.sim.live()) == 1
    given.stack.advance(LEASE_S + 1)
    until(lambda: any(chore["attempts"] for chore in chores(given.stack)), "it is tried again")
    given.sim.calm()
    given.stack.advance(3600)
    given.check_clean()


def test_a_test_meeting_is_given_up_after_a_week(trial) -> None:
    given = trial("zoom")
    given.undeletable()
    given.ask()
    given.stack.advance(8 * 24 * 3600)
    until(lambda: not chores(given.stack), "it is given up, and the credentials are gone")
    assert "is given up" in given.stack.logged("meetlink")


def test_a_chore_outlives_a_key(trial) -> None:
    """rotate-keys knows of its credentials."""
    given = trial("zoom")
    given.undeletable()
    given.ask()
    stack = given.stack
    old = (stack.folder / "master.key").read_text()
    new = f"k2:{'5a' * 32}\n"
    use_keys(stack, new, old)
    assert "chores: 1 seen, 1 need an older key" in keys(stack, "--check")[1]
    assert keys(stack)[0] == keys(stack, "--check")[0] == 0
    use_keys(stack, new)
    given.sim.calm()
    given.check_clean()
