"""Every provider, every operation, every fault: one meeting all the same, and everybody knows.

The stories run in lanes, each with simulators and a stack of its own, before the first test; the
tests then look at how each of them ended.
"""

import collections
import concurrent.futures
import dataclasses
import datetime
import pathlib
import re
import threading
import time
import traceback
from collections.abc import Iterable, Iterator
from mailbox import NOTICES, SmtpServer

import pytest
from caller import Parties
from faults import AGAIN, AWAY, EITHER, REFUSED, REMADE, TROUBLES, UNNOTICED, ZONE, Trouble
from google import Google
from providers import BREAKER_S, KINDS, TITLES, Providers, midnight, unique
from sim import Live, Sim
from sim_rules import instant, utc
from stack import LEASE_S, PROGRAM
from support import at_once, until
from zoom import Zoom

AT_ONCE = 13  # lanes
HOLD_SPARE_S = 10  # a provider is left alone from its answer on, and that may take a while
CALL_S = 20  # more than a background call takes until it is given up
SIGN_IN_S = 1.1  # a process remembers for so long that it could not sign in
# Even the quota of a day ends before the meeting does; in the afternoon before it begins.
AHEAD, MINUTES = {"hours": 20}, 24 * 60
POLICY = {
    "opens_minutes_before": 24 * 60,
    "inline_wait_ms": 2500,
    "retry": {"give_up_s": 3 * 24 * 3600},
}


COMPARED_S = 6 * 3600 + 60  # and then it has been


def move_there(sim: Sim, live: Live) -> None:
    """Somebody moves a meeting at its provider."""
    starts_at, ends_at = (
        instant(text) + datetime.timedelta(hours=1) for text in (live.starts_at, live.ends_at)
    )
    with sim.lock:
        if isinstance(sim, Zoom):
            sim.meetings[int(live.id)].raw["start_time"] = utc(starts_at)
        elif isinstance(sim, Google):
            event = sim.events[sim.subject, live.id]
            event["start"]["dateTime"] = starts_at.isoformat()
            event["end"]["dateTime"] = ends_at.isoformat()
        else:
            raw = sim.meetings[live.id].raw
            raw["startDateTime"] = f"{starts_at:%FT%T}.0000000Z"
            raw["endDateTime"] = f"{ends_at:%FT%T}.0000000Z"


@dataclasses.dataclass(frozen=True, eq=False)
class Case:
    trouble: Trouble
    failover: bool

    def __str__(self) -> str:
        return f"{self.trouble}{'-failover' if self.failover else ''}"

    @property
    def lane(self) -> str:
        trouble = self.trouble
        # A background call is given up after 15 s: those stories run side by side.
        if trouble.hangs and trouble.operation != "create":
            return "hang"
        return f"{trouble.provider} {trouble.operation}{' failover' if self.failover else ''}"


CASES = [Case(trouble, False) for trouble in TROUBLES]
CASES += [
    Case(trouble, True)
    for trouble in TROUBLES
    if trouble.operation == "create" or trouble.by_name
]


class SideBySide(Providers):
    """For stories that share a clock. Who has leased an effect when another story moves it begins
    nothing that the lease may not outlast: that lease runs out."""

    def __init__(self, *arguments: object, **settings: object):
        self.leased: dict[str, float] = {}  # when it was first seen
        super().__init__(*arguments, **settings)

    def move(self, documents: Iterable[dict]) -> None:
        documents, now = list(documents), time.monotonic()
        leases = {e["lease"] for d in documents for e in self.owed(d) if "lease" in e}
        if any(now > self.leased.setdefault(lease, now) + CALL_S for lease in leases):
            self.leased |= dict.fromkeys(leases, now)
            self.stack.advance(LEASE_S + 1)
        super().move(documents)


@dataclasses.dataclass
class End:
    """How a story ended."""

    wrong: str = ""
    provider: str = ""
    first: str = ""  # status in the answer to the acceptance
    seconds: float = 0.0  # that it took
    attempts: int = 0  # that failed
    orphans: int = 0  # deleted before the cancellation


class Lane:
    """Tells the stories of its cases, one after the other."""

    def __init__(self, providers: Providers, failover: bool):
        self.providers, self.stack = providers, providers.stack
        self.failover = failover
        self.left: list[str] = []  # titles of what cannot be deleted any more

    def pass_the_morning(self) -> None:
        """Not while stories run side by side: they share the clock."""
        night = (midnight(self.stack.now()) - self.stack.now()).total_seconds()
        if night > (AHEAD["hours"] - 1) * 3600:
            self.stack.advance(night / 2)

    def tell(self, case: Case) -> End:
        end = End()
        sim = self.providers[case.trouble.provider]
        before = len(sim.calls)
        try:
            getattr(self, case.trouble.operation)(case.trouble, end)
            answers = {call.status for call in sim.calls[before:]}
            assert not case.trouble.by_name or 400 in answers, "nothing was refused"
        except Exception:
            end.wrong = traceback.format_exc()
            time.sleep(SIGN_IN_S)
            self.stack.advance(BREAKER_S + 1)  # so that the next one is not wrong for it
        self.providers[case.trouble.provider].calm()
        return end

    # ---- the stories ----

    def create(self, trouble: Trouble, end: End) -> None:
        sim = self.providers[trouble.provider]
        parties, request = self.asked(trouble)
        trouble.inflict(sim)
        began = time.monotonic()
        answer = parties.accept(request, provider=trouble.provider)
        end.seconds = time.monotonic() - began
        sim.up()
        end.first = answer["meeting"]["status"]
        self.providers.finish(request["id"])
        if trouble.becomes == REFUSED and not self.failover:
            assert end.first == "failed" and answer["meeting"]["last_error"], answer
            again = parties.lawyer.post(f"/api/requests/{request['id']}/meeting/retry")
            assert again.status_code == 200, again.text
            self.providers.finish(request["id"])
        else:
            assert end.first in ("ready", "pending"), answer
        end.provider, _ = self.providers.the_meeting(request)
        away = end.provider != trouble.provider
        # Where another provider may be used, a second look that comes late on a slow machine
        # ends there too.
        if trouble.becomes != EITHER and not (self.failover and trouble.becomes == AGAIN):
            expected = self.failover and trouble.becomes in (AWAY, REFUSED)
            assert away == expected, f"made by {end.provider}"
        self.check(parties, request, trouble, end, {"REQUEST": {1}})
        self.cancel(parties, request)
        if away:
            time.sleep(SIGN_IN_S if trouble.of_sign_in else 0)
            self.stack.advance(trouble.hold(sim) + HOLD_SPARE_S)
            if trouble.becomes in (AWAY, REFUSED):
                self.try_out(trouble.provider)

    def update(self, trouble: Trouble, end: End) -> None:
        sim = self.providers[trouble.provider]
        parties, request = self.accepted(trouble)
        before = self.providers.the_meeting(request)[1].id
        trouble.inflict(sim, before)
        self.reschedule(parties, request, hours=21)
        if trouble.fields is None:
            self.providers.until_tried(request["id"])
            sim.up()
        self.providers.finish(request["id"])
        # The mails of the move and of the new meeting may be one.
        mails = {2, 3} if trouble.becomes == REMADE else {2}
        if trouble.becomes == REFUSED:
            codes = self.warnings(parties, request)
            assert codes == {"provider_not_updated"}, f"a person has to know: {codes}"
            self.reschedule(parties, request, hours=22)
            self.providers.finish(request["id"])
            mails = {3}
        end.provider, meeting = self.providers.the_meeting(request)
        assert end.provider == trouble.provider, f"moved to {end.provider}"
        assert (meeting.id != before) == (trouble.becomes == REMADE)
        self.check(parties, request, trouble, end, {"REQUEST": mails})
        self.cancel(parties, request)

    def verify(self, trouble: Trouble, end: End) -> None:
        """Somebody moves it at the provider: the comparison moves it back."""
        sim = self.providers[trouble.provider]
        parties, request = self.accepted(trouble)
        before = self.providers.the_meeting(request)[1]
        trouble.inflict(sim, before.id)
        move_there(sim, before)
        self.stack.advance(COMPARED_S)
        until(
            lambda: "provider.drift_repaired" in self.actions(parties, request),
            "it is compared",
        )
        self.providers.finish(request["id"])
        end.provider, meeting = self.providers.the_meeting(request)
        assert (end.provider, meeting.id) == (trouble.provider, before.id)
        assert meeting.join_url == before.join_url, "the link has changed"
        self.check(parties, request, trouble, end, {"REQUEST": {1}})
        self.cancel(parties, request)

    def delete(self, trouble: Trouble, end: End) -> None:
        sim = self.providers[trouble.provider]
        parties, request = self.accepted(trouble)
        trouble.inflict(sim, self.providers.the_meeting(request)[1].id)
        answer = parties.client.cancel(request["id"], reason="Ill")
        assert answer.status_code == 200, answer.text
        if trouble.fields is None:
            self.providers.until_tried(request["id"])
            sim.up()
        document = self.providers.finish(request["id"])
        end.provider = document["meeting"]["provider"]
        actions = collections.Counter(event["action"] for event in document["events"])
        end.attempts = actions["provider.attempt_failed"]
        if trouble.becomes == REFUSED:
            codes = self.warnings(parties, request)
            assert codes == {"provider_orphan"}, f"a person has to know: {codes}"
            assert [e["state"] for e in document["effects"]] == ["failed"]
            self.left.append(request["title"])
        else:
            assert self.warnings(parties, request) == set()
            assert actions["provider.orphan_deleted"] == 1
            assert self.providers.live_of(request) == []
        # What a kept connection lost may have been repeated at once, on another.
        repeated = trouble.fields and (trouble.fields.get("drop") or trouble.fields.get("reset"))
        assert repeated or (end.attempts > 0) == (trouble.becomes != UNNOTICED), actions
        assert document["meeting"]["status"] == "cancelled"
        self.check_mails(request, {"REQUEST": {1}, "CANCEL": {1}})

    # ---- their parts ----

    def try_out(self, name: str) -> None:
        """It is asked, and can."""
        parties = self.stack.parties()
        request = parties.accept(parties.create(title=unique("Before")), provider=name)
        assert request["meeting"]["provider"] == name, "it is not asked"
        self.providers.finish(request["id"])
        self.cancel(parties, request)

    def asked(self, trouble: Trouble) -> tuple[Parties, dict]:
        parties = self.stack.parties()
        times = {"starts_at": self.stack.at(**AHEAD), "duration_minutes": MINUTES}
        times["timezone"] = ZONE
        return parties, parties.create(title=unique(str(trouble)), **times)

    def accepted(self, trouble: Trouble) -> tuple[Parties, dict]:
        parties, request = self.asked(trouble)
        parties.accept(request, provider=trouble.provider)
        self.providers.finish(request["id"])
        self.providers.the_meeting(request)
        return parties, request

    def reschedule(self, parties: Parties, request: dict, hours: float) -> None:
        url = f"/api/requests/{request['id']}/meeting/reschedule"
        answer = parties.lawyer.post(url, {"starts_at": self.stack.at(hours=hours)})
        assert answer.status_code == 200, answer.text

    def cancel(self, parties: Parties, request: dict) -> None:
        """Nothing is left, and both hear of it."""
        answer = parties.client.cancel(request["id"], reason="Ill")
        assert answer.status_code == 200, answer.text
        self.providers.finish(request["id"])
        assert self.providers.live_of(request) == [], "cancelled"
        self.check_mails(request, {"CANCEL": {1}}, only=False)

    def actions(self, parties: Parties, request: dict) -> collections.Counter:
        return collections.Counter(e["action"] for e in parties.lawyer.audit(request["id"]))

    def warnings(self, parties: Parties, request: dict) -> set[str]:
        """Codes, but for what a provider never grants."""
        meeting = parties.lawyer.request(request["id"])["meeting"]
        return {warning["code"] for warning in meeting["warnings"]} - {"setting_not_granted"}

    def check(
        self, parties: Parties, request: dict, trouble: Trouble, end: End, mails: dict
    ) -> None:
        """All that is said of a meeting that is ready."""
        name, meeting = self.providers.the_meeting(request)
        seen = [who.request(request["id"])["meeting"] for who in (parties.client, parties.lawyer)]
        for own in seen:
            assert (own["status"], own["provider"]) == ("ready", name)
            assert own["requested_provider"] == trouble.provider
            assert own["next_attempt_at"] is None
            assert own["passcode"] == meeting.raw.get("password", own["passcode"])
            self.check_why(own, name)
            location = self.stack.anyone().get(own["join_url"]).headers["Location"]
            assert location == meeting.join_url, "the link leads elsewhere"
        away = name != trouble.provider
        assert self.warnings(parties, request) == ({"provider_failover"} if away else set())
        actions = self.actions(parties, request)
        end.attempts = actions["provider.attempt_failed"]
        end.orphans = actions["provider.orphan_deleted"]
        assert (end.attempts > 0) == (trouble.becomes not in (UNNOTICED, REMADE)), actions
        assert actions["provider.failed_over"] == away, actions
        assert actions["meeting.ready"] == 1 + (trouble.becomes == REMADE), actions
        assert end.orphans == 1 if away and trouble.makes else end.orphans <= 1, actions
        self.check_mails(request, mails, TITLES[name])

    def check_why(self, own: dict, name: str) -> None:
        """What went wrong is seen where it is why another provider was used, and only there."""
        if name == own["requested_provider"]:
            assert own["last_error"] is None
            return
        assert own["last_error"]["provider"] != name and own["last_error"]["detail"]
        (why,) = [w["detail"] for w in own["warnings"] if w["code"] == "provider_failover"]
        title = TITLES[own["requested_provider"]]
        told = f"{name} was used, because {own['requested_provider']} could not. {title}: "
        assert why.startswith(told) and len(why) > len(told), why

    def check_mails(
        self, request: dict, expected: dict, title: str | None = None, only: bool = True
    ) -> None:
        """So many of each calendar method for each party."""
        emails = {request[who]["email"] for who in ("client", "lawyer")}
        mails = [mail for email in emails for mail in self.stack.mails.to(email)]
        mails = [mail for mail in mails if mail.id.startswith(request["id"] + ".")]
        mails = [mail for mail in mails if mail.kind not in NOTICES]
        assert len({mail.id for mail in mails}) == len(mails), "none comes twice"
        kinds = {mail.id: mail.part("text/calendar").get_param("method") for mail in mails}
        for method, counts in expected.items():
            found = [mail for mail in mails if kinds[mail.id] == method]
            to = collections.Counter(mail.recipient for mail in found)
            assert set(to) == emails and set(to.values()) <= counts, f"{method}: {to}"
            for mail in found if title else []:
                text = re.sub(r"\s+", " ", mail.text())
                assert f"meeting takes place on {title}." in text, f"{method} names another"
        assert not only or set(kinds.values()) == set(expected), kinds


class Matrix:
    """Runs the lanes, and remembers how each story ended."""

    def __init__(self, folder: pathlib.Path, mongodb_uri: str, smtp: SmtpServer):
        self.folder, self.uri, self.smtp = folder, mongodb_uri, smtp
        self.ends: dict[Case, End] = {}
        self.took: dict[str, float] = {}
        self.starting = threading.Lock()  # ports are chosen a while before they are taken

    def run(self, cases: list[Case]) -> None:
        lanes = collections.defaultdict(list)
        for case in cases:
            lanes[case.lane].append(case)
        # The longest first.
        order = sorted(lanes, key=lambda lane: (lane != "hang", -len(lanes[lane])))
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(self.run_lane, order, [lanes[lane] for lane in order]))

    def run_lane(self, name: str, cases: list[Case]) -> None:
        began = time.monotonic()
        for case in cases:
            self.ends[case] = End("the lane broke down before")
        try:
            self.tell_all(name, cases)
        except Exception:
            for case in cases:
                self.ends[case].wrong += f"\nits lane: {traceback.format_exc()}"
        self.took[name] = time.monotonic() - began

    def tell_all(self, name: str, cases: list[Case]) -> None:
        provider, failover = cases[0].trouble.provider, cases[0].failover
        others = [other for other in KINDS if other != provider]
        names = [provider, *others] if failover or name == "hang" else [provider]
        policy = POLICY | {"failover": others if failover else []}
        settings = {"SERVER_WORKERS": 1, "SERVER_THREADS": 24, "SERVER_DISPATCHER_THREADS": 20}
        settings |= {"names": names, "policy": policy}
        folder = self.folder / name.replace(" ", "-")
        with self.starting:
            kind = SideBySide if name == "hang" else Providers
            started = kind(folder, self.uri, self.smtp, **settings)
        with started as providers:
            lane = Lane(providers, failover)
            for each in names:
                lane.try_out(each)  # so that there is a token
            if name == "hang":
                ends = at_once(lambda case=case: lane.tell(case) for case in cases)
                self.ends |= dict(zip(cases, ends, strict=True))
            else:
                for case in cases:
                    lane.pass_the_morning()
                    self.ends[case] = lane.tell(case)
            if not any(self.ends[case].wrong for case in cases):
                left = [live.title for _, live in providers.live()]
                assert sorted(left) == sorted(lane.left), "something lives on"

    def summary(self) -> str:
        """Rows of provider and operation, columns of what became of a fault."""
        kinds = (UNNOTICED, AGAIN, AWAY, EITHER, REFUSED, REMADE)
        count = collections.Counter()
        for case, end in self.ends.items():
            row = f"{case.trouble.provider} {case.trouble.operation}"
            row += " failover" if case.failover else ""
            count[row, case.trouble.becomes] += 1
            count[row, "failed attempts"] += end.attempts
            count[row, "orphans deleted"] += end.orphans
            count[row, "wrong"] += bool(end.wrong)
        columns = [*kinds, "failed attempts", "orphans deleted", "wrong"]
        rows = sorted({row for row, _ in count})
        lines = [f"{'':28}" + "".join(f"{column:>16}" for column in columns)]
        lines += [f"{row:28}" + "".join(f"{count[row, c]:16}" for c in columns) for row in rows]
        accepts = sorted(end.seconds for end in self.ends.values() if end.first)
        wrong = sum(bool(end.wrong) for end in self.ends.values())
        lines.append(f"{len(self.ends)} stories, {wrong} wrong")
        if accepts:
            ready = sum(end.first == "ready" for end in self.ends.values())
            lines.append(
                f"{len(accepts)} acceptances under a fault: {ready} ready in the answer; "
                f"median {accepts[len(accepts) // 2]:.2f} s, longest {accepts[-1]:.2f} s"
            )
        longest = max(self.took, key=lambda name: self.took[name])
        lines.append(f"longest of {len(self.took)} lanes: {longest}, {self.took[longest]:.0f} s")
        return "\n".join(lines)


@pytest.fixture(scope="module")
def matrix(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, mongodb_uri: str
) -> Iterator[Matrix]:
    """Has told the stories of all cases that were selected."""
    chosen = {
        item.callspec.params["case"]
        for item in request.session.items
        if item.fspath == request.fspath and hasattr(item, "callspec")
    }
    smtp = SmtpServer()
    matrix = Matrix(tmp_path_factory.mktemp("matrix"), mongodb_uri, smtp)
    began = time.monotonic()
    matrix.run([case for case in CASES if case in chosen])
    smtp.stop()
    summary = f"{matrix.summary()}\nall in {time.monotonic() - began:.0f} s\n"
    (PROGRAM.parent / "fault-matrix.txt").write_text(summary)
    print(f"\n{summary}")
    yield matrix


@pytest.mark.parametrize("case", CASES, ids=str)
def test_one_meeting_whatever_goes_wrong(matrix: Matrix, case: Case) -> None:
    if wrong := matrix.ends[case].wrong:
        pytest.fail(wrong, pytrace=False)
