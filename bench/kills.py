"""The killing of bench/kills, and what must hold afterwards."""

import collections
import datetime
import os
import pathlib
import random
import re
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from mailbox import Mail, SmtpServer

import icalendar
import requests
from caller import Caller, Parties, new_key
from providers import Providers
from stack import LEASE_S, ROOT, WATCH, Database, Stack
from support import until

FAULT_TABLE = (ROOT / "src/base/fault_table.h").read_text()
PLACES = re.findall(r'^FAULT\(\w+, "([^"]+)"\)', FAULT_TABLE, re.MULTILINE)
PROVIDERS = ["zoom", "google_meet", "teams", "jitsi"]
PEOPLE, WALKERS = 6, 2  # threads of each
WALK = 450  # changes of one request: within the hour's bound, and enough for archives
DEATHS_OF_A_MASTER = 12  # among its children, before its own
PATIENCE_S = 3  # for somebody to pass a place
COME_AGAIN = {502, 503, 504}
GOOD = ["accepted", "live", "mails", "repeated under their own name"]
BAD = [
    "requests lost",
    "requests doubled",
    "changes lost or doubled",
    "cancellations lost",
    "erasures lost",
    "meetings not ready",
    "meetings lost",
    "meetings doubled",
    "meetings at another time",
    "mails lost",
    "mails doubled",
]
POLICY = {
    "max_changes_per_hour": 1000,
    "max_generations": 100,
    "failover": [],
    "retry": {"first_s": 1, "max_s": 10, "give_up_s": 86400},
}


class Hosts:
    """Two stacks with one database, one clock, one key and one mail server."""

    def __init__(self, folder: pathlib.Path, smtp: SmtpServer, uri: str):
        settings = {"SERVER_WORKERS": 3, "SERVER_DISPATCHERS": 2, "SERVER_THREADS": 8}
        self.providers = Providers(
            folder / "a", uri, smtp, policy=POLICY, names=PROVIDERS[:3], **settings
        )
        first = self.first = self.providers.stack
        shared = {
            name: value
            for name, value in first.settings.items()
            if name not in ("SERVER_SOCKET", "STATE_DIR")
        }
        self.all = [first, Stack(folder / "b", uri, smtp, **shared)]
        for number, host in enumerate(self.all):
            host.secret = first.secret
            host.trigger = folder / f"trigger{number}"

    def close(self) -> None:
        self.all[1].stop()
        self.providers.__exit__()


class Story:
    """What a request's people were told that they had done."""

    def __init__(self, request_id: str, parties: Parties):
        self.id, self.parties = request_id, parties
        self.done: collections.Counter[str] = collections.Counter()
        self.cancelled = self.erased = False


class Crowd:
    """People who repeat what was not answered, at either host, until it is."""

    def __init__(self, hosts: Hosts, dice: random.Random):
        self.hosts, self.dice = hosts, dice
        self.ended = threading.Event()
        self.stories: list[Story] = []
        self.repeats: collections.Counter[str] = collections.Counter()
        self.failures: list[str] = []
        lives = [self.person] * PEOPLE + [self.walker] * WALKERS
        self.threads = [threading.Thread(target=self.run, args=(life,)) for life in lives]
        for thread in self.threads:
            thread.start()

    def run(self, life: Callable[[], None]) -> None:
        try:
            while not self.ended.is_set():
                life()
        except Exception as problem:
            self.failures.append(repr(problem))
            raise

    def end(self) -> None:
        self.ended.set()
        for thread in self.threads:
            thread.join()

    def ask(self, caller: Caller, path: str, body: dict) -> requests.Response:
        key = {"Idempotency-Key": new_key()}
        while True:
            caller.url = self.dice.choice(self.hosts.all).url
            answer = caller.post(path, body, headers=key)
            problem = {} if answer.ok else answer.json()
            if answer.status_code in COME_AGAIN or problem.get("code") in ("busy", "conflict"):
                self.repeats[problem["code"]] += 1
                time.sleep(0.1)
                continue
            return answer

    def change(self, story: Story, who: str, name: str, path: str, **body: object) -> bool:
        caller = getattr(story.parties, who)
        answer = self.ask(caller, f"/api/requests/{story.id}/{path}", body)
        assert answer.ok or answer.status_code == 409, answer.text
        story.done[name] += answer.ok
        return answer.ok

    def begin(self, provider: str) -> Story:
        parties = self.hosts.first.parties()
        draft = parties.draft(title=f"Matter {new_key()}", starts_at=self.at(1))
        answer = self.ask(parties.client, "/api/requests", draft)
        assert answer.status_code == 201, answer.text
        story = Story(answer.json()["id"], parties)
        self.stories.append(story)
        self.change(
            story, "lawyer", "request.accepted", "respond", decision="accept", provider=provider
        )
        return story

    def at(self, number: int) -> str:
        return self.hosts.first.at(days=100, minutes=number)

    def move(self, story: Story, number: int) -> None:
        name, start = "meeting.rescheduled", self.at(10 + number)
        self.change(story, "lawyer", name, "meeting/reschedule", starts_at=start)

    def person(self) -> None:
        story = self.begin(self.dice.choice(PROVIDERS))
        for number in range(self.dice.randrange(4)):
            if self.dice.random() < 0.5:
                self.move(story, number)
            else:
                provider = self.dice.choice(PROVIDERS)
                name, path = "meeting.regenerated", "meeting/regenerate"
                self.change(story, "lawyer", name, path, provider=provider)
        if self.dice.random() < 0.3:
            story.cancelled = self.change(story, "client", "request.cancelled", "cancel")
        if self.dice.random() < 0.15:
            path = f"/api/people/{story.parties.client_id}/erase"
            assert self.ask(self.hosts.first.admin(), path, {}).ok
            story.erased = True

    def walker(self) -> None:
        story = self.begin("jitsi")
        for number in range(WALK):
            if self.ended.is_set():
                return
            self.move(story, number)


class Reaper:
    """Kills on one host: children by chance or at a place, and now and then their master."""

    def __init__(self, host: Stack, dice: random.Random, most: int, kills: collections.Counter):
        self.host, self.dice, self.most, self.kills = host, dice, most, kills
        self.place = ""
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self) -> None:
        self.end_master()
        while self.kills.total() < self.most:
            for _ in range(DEATHS_OF_A_MASTER):
                until(self.host.children, "somebody lives", 60)
                if self.dice.random() < 0.4:
                    self.kill_at_place()
                else:
                    self.kill_by_chance()
                time.sleep(self.dice.uniform(0.02, 0.3))
            self.end_master()

    def kill_by_chance(self) -> None:
        pid, name = self.dice.choice(list(self.host.children().items()) or [(0, "")])
        if not pid:
            return
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        self.kills["worker" if name == "meetlink-work" else "dispatcher"] += 1

    def kill_at_place(self) -> None:
        trigger, deadline = self.host.trigger, time.monotonic() + PATIENCE_S
        trigger.touch()
        while trigger.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        try:
            trigger.unlink()
        except FileNotFoundError:
            self.kills[f"at {self.place}"] += 1

    def end_master(self) -> None:
        """With all its children, or alone: they end by themselves then."""
        program = self.host.program
        if self.dice.random() < 0.5:
            os.killpg(program.pid, signal.SIGKILL)
            self.kills["master with all"] += 1
        else:
            program.kill()
            self.kills["master alone"] += 1
        program.wait()
        self.start(self.dice.choice(PLACES))

    def start(self, place: str) -> None:
        """As soon as nobody of before is left at the socket; without a place nobody dies any more.
        It ends with the thread that started it."""
        before = self.host.program
        if not place:
            before.terminate()
            before.wait()
        until(lambda: is_gone(before.pid), "the orphans have ended", 120)
        self.place = place
        self.host.settings["FAULT"] = f"{place}:{self.host.trigger}" if place else ""
        self.host.start_program()


def is_gone(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


# ---- afterwards ----


def settle(hosts: Hosts) -> None:
    """Leases of the dead run out in their own time; then the clock goes to what is owed."""
    stack, database = hosts.first, hosts.first.requests.database
    deadline = time.monotonic() + 900
    owing = {"effects": {"$elemMatch": {"kind": {"$nin": list(WATCH)}, "state": "due"}}}
    while True:
        owed = list(stack.requests.find(owing, {"events": 0, "answers": 0}))
        chores = list(database["chores"].find())
        if not owed and not chores:
            return
        assert time.monotonic() < deadline, f"still owed: {owed[:3]} {chores[:3]}"
        leased = stack.requests.count_documents({"effects.lease": {"$type": "string"}}, limit=1)
        now = stack.now().replace(tzinfo=None)
        dues = [document["due"] for document in [*owed, *chores]]
        if not leased and min(dues) > now + datetime.timedelta(seconds=1):
            stack.advance((min(dues) - now).total_seconds())
        time.sleep(0.5)


def trail_of(stack: Stack, request_id: str) -> collections.Counter:
    parts = list(stack.requests.database["archives"].find({"document_id": request_id}))
    parts.append(stack.document(request_id))
    return collections.Counter(event["action"] for part in parts for event in part["events"])


def check_meetings(hosts: Hosts, stories: list[Story]) -> collections.Counter:
    """What lives at the providers is what the requests name, each once."""
    found: collections.Counter[str] = collections.Counter()
    stack, mark = hosts.first, hosts.first.mark
    live = collections.defaultdict(list)
    for name, one in hosts.providers.live():
        live[name, mark(name, one.id)].append(one)
    for story in stories:
        document = stack.document(story.id)
        if document is None:
            found["requests lost"] += 1
            continue
        meeting = document["meeting"]
        actions = trail_of(stack, story.id)
        wrong = {name: n for name, n in story.done.items() if actions[name] != n}
        if wrong:
            print(f"{story.id}: {wrong} were answered, and the trail has {dict(actions)}")
        found["changes lost or doubled"] += len(wrong)
        found["cancellations lost"] += story.cancelled != (document["status"] == "cancelled")
        found["erasures lost"] += story.erased != (document["client"]["name"] == "Erased person")
        if document["status"] != "accepted":
            continue
        found["accepted"] += 1
        own = live.pop((meeting["provider"], meeting.get("external_mark")), [])
        if meeting["status"] != "ready":
            found["meetings not ready"] += 1
            print(f"{story.id}: {meeting['status']} {document['effects']}")
        elif meeting["provider"] == "jitsi":
            found["live"] += 1
        elif len(own) == 1 and own[0].title == document["title"]:
            starts_at = meeting["starts_at"].strftime("%Y-%m-%dT%H:%M:%SZ")
            found["live" if own[0].starts_at == starts_at else "meetings at another time"] += 1
        else:
            found["meetings lost"] += 1
            print(f"{story.id}: {own}")
    found["meetings doubled"] = sum(map(len, live.values()))
    found["requests doubled"] = stack.requests.count_documents({}) - len(stories)
    return found


def event_of(mail: Mail) -> tuple[str, int, datetime.datetime]:
    calendar = icalendar.Calendar.from_ical(mail.part("text/calendar").get_payload(decode=True))
    (event,) = calendar.walk("VEVENT")
    return str(calendar["METHOD"]), int(event["SEQUENCE"]), event["DTSTART"].dt


def check_mails(hosts: Hosts, stories: list[Story], mails: list[Mail]) -> collections.Counter:
    """Each version is told once, and the last mail to each says what is so."""
    found: collections.Counter[str] = collections.Counter()
    told = collections.defaultdict(dict)
    for mail in mails:
        key = mail.id.split(".")[0], mail.recipient
        found["mails"] += 1
        found["repeated under their own name"] += mail.id in told[key]
        told[key].setdefault(mail.id, mail)
    for story in stories:
        document = hosts.first.document(story.id)
        for who in ("client", "lawyer"):
            if story.erased:
                continue
            events = [event_of(m) for m in told[story.id, document[who]["email"]].values()]
            versions = [event[:2] for event in events]
            found["mails doubled"] += len(versions) - len(set(versions))
            last = max(events, key=lambda event: (event[1], event[0] == "CANCEL"), default=None)
            if document["status"] == "cancelled":
                found["mails lost"] += last is not None and last[0] != "CANCEL"
            else:
                starts_at = document["meeting"]["starts_at"].replace(tzinfo=datetime.UTC)
                found["mails lost"] += last is None or last[0] != "REQUEST" or last[2] != starts_at
    return found


def measure(folder: pathlib.Path, most: int, seed: int) -> bool:
    smtp = SmtpServer()
    database = Database(folder / "database")
    hosts = Hosts(folder, smtp, database.uri)
    kills: collections.Counter[str] = collections.Counter()
    began = time.monotonic()
    crowd = Crowd(hosts, random.Random(seed))
    reapers = [
        Reaper(host, random.Random(seed + number), most, kills)
        for number, host in enumerate(hosts.all, 1)
    ]
    while any(reaper.thread.is_alive() for reaper in reapers):
        for reaper in reapers:
            reaper.thread.join(10)
        print(
            f"{time.monotonic() - began:4.0f} s: {kills.total()} kills, "
            f"{len(crowd.stories)} requests, {len(smtp.mails)} mails",
            flush=True,
        )
    for reaper in reapers:
        reaper.start("")
    crowd.end()
    print(f"{kills.total()} kills in {time.monotonic() - began:.0f} s:")
    for what, count in sorted(kills.items()):
        print(f"{count:6} {what}")
    print(f"asked again: {dict(crowd.repeats)}", flush=True)
    settle(hosts)
    stories = crowd.stories
    found = check_meetings(hosts, stories)
    found.update(check_mails(hosts, stories, smtp.all()))
    changes = sum((story.done for story in stories), collections.Counter())
    print(f"{len(stories)} requests, {sum(story.erased for story in stories)} erasures")
    print(f"changes that were answered: {dict(changes)}")
    archives = hosts.first.requests.database["archives"].count_documents({})
    trails = hosts.first.run("verify-audit").splitlines()[-1]
    print(f"{archives} archives; verify-audit: {trails}")
    for what in (*GOOD, *BAD):
        print(f"{found[what]:6} {what}")
    failed = sum(abs(found[what]) for what in BAD)
    failed += len(crowd.failures) + (not trails.endswith(" 0 broken"))
    print("\n".join(crowd.failures))
    hosts.close()
    database.stop()
    smtp.stop()
    return not failed


def main() -> None:
    most, seed = int(sys.argv[1]), int(sys.argv[2])
    print(f"two hosts, {most} kills, seed {seed}, a lease lasts {LEASE_S} s", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        if not measure(pathlib.Path(folder), most, seed):
            sys.exit(1)


main()
