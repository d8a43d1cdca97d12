"""Property 8: through any sequence of cancellations, new links and moves there is one live meeting
or none, as the request says; what has ended is kept as it was, with why and when, opens no door
any more and exists at no provider; and who was invited knows.

Validates: Requirements 4.4, 6.3, 6.5
"""

import dataclasses
import datetime
from collections.abc import Iterator
from mailbox import SmtpServer, check_invitation

import hypothesis
import hypothesis.strategies as st
import pytest
from caller import Parties
from providers import unique
from simulated import NAMES, Simulated

REASONS = st.one_of(
    st.none(), st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1)
)
STEPS = st.one_of(
    st.tuples(
        st.just("regenerate"),
        st.fixed_dictionaries({"reason": REASONS}, optional={"provider": st.sampled_from(NAMES)}),
    ),
    st.tuples(st.just("meeting cancel"), st.fixed_dictionaries({"reason": REASONS})),
    st.tuples(st.just("reschedule"), st.fixed_dictionaries({"hours": st.integers(3, 300)})),
    st.tuples(st.just("cancel"), st.fixed_dictionaries({"reason": REASONS})),
)
# Longer than any sequence, so that the number of links is not what is tested.
GENERATIONS = 20


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, mongodb_uri: str) -> Iterator[Simulated]:
    smtp = SmtpServer()
    with Simulated(tmp_path_factory.mktemp("life") / "stack", mongodb_uri, smtp) as world:
        yield world
    smtp.stop()


@dataclasses.dataclass
class Expected:
    """One generation of the meeting, as it should be."""

    provider: str
    status: str = "ready"
    reason: str | None = None


@dataclasses.dataclass
class Model:
    generations: list[Expected]
    status: str = "accepted"
    sequence: int = 0

    @property
    def now(self) -> Expected:
        return self.generations[-1]

    def end(self, status: str, reason: str | None) -> None:
        self.now.status, self.now.reason = status, reason

    def step(self, name: str, body: dict) -> str:
        """What the step does; "yes", or the code of its refusal."""
        if self.status == "cancelled":
            return "already_cancelled"
        cancelled = self.now.status == "cancelled"
        if cancelled and name in ("meeting cancel", "reschedule"):
            return "meeting_ended"
        if name == "regenerate":
            provider = body.get("provider", self.now.provider)
            if not cancelled:
                self.end("replaced", body["reason"])
            self.generations.append(Expected(provider))
        elif name != "reschedule" and not cancelled:
            self.end("cancelled", body["reason"])
        self.status = "cancelled" if name == "cancel" else self.status
        self.sequence += not (name == "cancel" and cancelled)
        return "yes"


def act(parties: Parties, request_id: str, number: int, name: str, body: dict) -> str:
    """Takes the step; "yes" or the code of the refusal."""
    sent = {key: value for key, value in body.items() if value is not None and key != "hours"}
    if name == "reschedule":
        sent["starts_at"] = parties.stack.at(hours=body["hours"], minutes=number)
    path = {"cancel": "cancel", "meeting cancel": "meeting/cancel"}.get(name, f"meeting/{name}")
    answer = parties.lawyer.post(f"/api/requests/{request_id}/{path}", sent)
    assert answer.status_code in (200, 409), answer.text
    return "yes" if answer.status_code == 200 else answer.json()["code"]


def check_history(rows: list[dict], model: Model, before: list[dict]) -> None:
    """Every generation, newest first; those that have ended are as they were when they did."""
    assert [row["generation"] for row in rows] == list(range(len(model.generations), 0, -1))
    assert len({row["id"] for row in rows}) == 1, "to the outside it is one meeting"
    for row, expected in zip(reversed(rows), model.generations, strict=True):
        assert (row["provider"], row["status"]) == (expected.provider, expected.status)
        assert row["ended_reason"] == expected.reason
        assert (row["ended_at"] is None) == (expected.status == "ready")
        assert row["created_at"] <= (row["ended_at"] or "9")
    ended = [row for row in before if row["status"] == "replaced"]
    assert [row for row in rows if row in ended] == ended, "history is not rewritten"


def check_doors(world: Simulated, links: dict[int, list[str]], model: Model) -> None:
    """Nobody comes in by a link that was revoked."""
    anyone = world.stack.anyone()
    for generation, urls in links.items():
        live = generation == len(model.generations) and model.now.status == "ready"
        for url in urls:
            assert anyone.head(url).status_code == (403 if live else 410), "too early or over"


def check_calendars(world: Simulated, parties: Parties, request: dict, model: Model) -> None:
    """The newest mail of each person, which is what a calendar shows."""
    for person in (parties.client_id, parties.lawyer_id):
        mails = world.stack.mails.to(f"{person}@example.com")
        events = []
        for mail in mails:
            method = mail.part("text/calendar").get_param("method")
            events.append((method, check_invitation(mail, method)))
        sequences = [int(event["SEQUENCE"]) for _, event in events]
        assert sequences == sorted(set(sequences)), "each is newer than the one before"
        assert len({event["UID"] for _, event in events}) == 1
        method, newest = events[-1]
        assert method == ("REQUEST" if model.now.status == "ready" else "CANCEL")
        assert int(newest["SEQUENCE"]) == model.sequence
        if method == "REQUEST":
            starts_at = datetime.datetime.fromisoformat(request["starts_at"])
            assert newest["DTSTART"].dt == starts_at


@hypothesis.settings(max_examples=40)
@hypothesis.given(first=st.sampled_from(NAMES), steps=st.lists(STEPS, max_size=7))
def test_the_life_of_a_meeting(world: Simulated, first: str, steps: list) -> None:
    world.enable(world.renew(), default_provider=first, max_generations=GENERATIONS)
    parties = world.stack.parties()
    request = parties.create(title=unique("Matter"), starts_at=world.stack.at(days=2))
    request_id = request["id"]
    parties.accept(request)
    model, links, rows = Model([Expected(first)]), {}, []
    for number, (name, body) in enumerate([(None, {}), *steps]):
        if name:
            done = act(parties, request_id, number, name, body)
            assert done == model.step(name, body), (name, body)
        world.finish(request_id)
        views = [caller.request(request_id) for caller in (parties.client, parties.lawyer)]
        assert {view["status"] for view in views} == {model.status}
        assert {view["meeting"]["sequence"] for view in views} == {model.sequence}
        if model.now.status == "ready":
            links[len(model.generations)] = [view["meeting"]["join_url"] for view in views]
            assert len({url for urls in links.values() for url in urls}) == 2 * len(links)
        (before, rows) = (
            rows,
            parties.lawyer.fetch(f"/api/requests/{request_id}/meetings")["items"],
        )
        check_history(rows, model, before)
        check_doors(world, links, model)
        live = [model.now.provider] if model.now.status == "ready" else []
        assert [name for name, _ in world.live()] == [name for name in live if name != "jitsi"]
        if live and live != ["jitsi"]:
            world.the_meeting(request)
    check_calendars(world, parties, views[0], model)
