"""The measuring of bench/mails."""

import collections
import concurrent.futures
import datetime
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from mailbox import Mail, SmtpServer

from caller import Parties, done
from stack import ROOT, Database, Stack, spawn
from support import free_port, listens, until
from test_property_4_notification_distribution import PEOPLE, Unreliable, check_person

DATABASE: list[Database] = []  # where it is ours
SCALE = float(os.environ.get("MEETLINK_MAILS_SCALE", "1"))
POLICY = "/api/config/meetings"
LOCALES = {"client": "fr", "lawyer": "de-AT"}
HOUR_S, DAY_S = 3600, 86400


def scaled(number: int) -> int:
    return max(1, round(number * SCALE))


def in_threads(work: object, items: object, threads: int = 8) -> list:
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, items))


def accepted(stack: Stack, **ahead: float) -> tuple[Parties, dict]:
    people = stack.parties()
    person = {who: people.person(who, locale=LOCALES[who]) for who in PEOPLE}
    return people, people.accepted(starts_at=stack.at(**ahead), **person)


def idle(stack: Stack, seconds: float = 600) -> None:
    until(stack.is_idle, "nothing is under way", seconds)


# ---- failing ----


class Counting(Unreliable):
    def __init__(self) -> None:
        self.answers_given: collections.Counter[str] = collections.Counter()
        super().__init__()

    async def handle_RCPT(self, server: object, *arguments: object) -> str:
        answer = await super().handle_RCPT(server, *arguments)
        gone = server.transport is None or server.transport.is_closing()
        self.answers_given["RCPT: dropped" if gone else f"RCPT: {answer[:3]}"] += 1
        return answer

    async def handle_DATA(self, server: object, *arguments: object) -> str:
        before = len(self.mails)
        answer = await super().handle_DATA(server, *arguments)
        how = "taken" if len(self.mails) > before else "not taken"
        gone = server.transport is None or server.transport.is_closing()
        self.answers_given[f"dot: {how}, {'dropped' if gone else answer[:3]}"] += 1
        return answer


def change(item: tuple[Parties, dict, int], rng: random.Random) -> None:
    people, request, turn = item
    what = rng.choice(["reschedule"] * 5 + ["regenerate"] * 2 + ["cancel meeting"])
    if what == "reschedule":
        start = people.stack.at(days=20 + turn, minutes=rng.randrange(1000))
        people.lawyer.command(request["id"], "reschedule", starts_at=start)
    elif what == "regenerate":
        people.lawyer.command(request["id"], "regenerate")
    else:
        people.lawyer.command(request["id"], "cancel")


def failing(folder: pathlib.Path, uri: str) -> None:
    requests, turns = scaled(250), 8
    smtp, rng = Counting(), random.Random(1)
    with Stack(folder, uri, smtp, SERVER_WORKERS=2) as stack:
        done(stack.admin().put(POLICY, {"lawyer_addresses": "any", "max_changes_per_hour": 1000}))
        smtp.dice = random.Random(2)
        made = in_threads(lambda _: accepted(stack, days=20), range(requests))
        for turn in range(1, turns):
            idle(stack)
            stack.advance(90)
            for people, request in made:
                change((people, request, turn), rng)
        smtp.dice = None
        for _ in range(3):  # who was put off has another turn
            idle(stack)
            stack.advance(HOUR_S + 60)
        idle(stack)
        mails = collections.defaultdict(list)
        for mail in smtp.all():
            mails[mail.id.partition(".")[0]].append(mail)
        sent = 0
        for _, request in made:
            document = stack.document(request["id"])
            owed = [e for e in document["effects"] if "mail" in e]
            assert owed == [], f"{request['id']} owes {owed}"
            sent += sum(event["action"] == "mail.sent" for event in document["events"])
            for who in PEOPLE:
                own = [mail for mail in mails[request["id"]] if f".{who}@" in mail.id]
                check_person(stack, request, who, own)
        everything = smtp.all()
        distinct = len({mail.id for mail in everything})
        denied = sum(n for how, n in smtp.answers_given.items() if how.startswith("dot: taken"))
        denied -= smtp.answers_given["dot: taken, 250"]
        print(f"{requests * turns} changes of {requests} requests; the server answered:")
        for how, count in sorted(smtp.answers_given.items()):
            print(f"  {how:24} {count:6}")
        repeats = len(everything) - distinct
        print(f"{len(everything)} messages taken, {distinct} different, {repeats} repeats")
        print(f"{sent} noted as sent; {denied} taken by a server that said it had not")
        assert repeats <= denied, "a repeat only where the server denied that it had the mail"
        assert sent <= distinct <= sent + denied, "what is noted as sent was sent"
        print("every person's last message is true, none is missing, nobody has another's: ok")
    smtp.stop()


# ---- outage ----


def outage(folder: pathlib.Path, uri: str) -> None:
    requests, smtp = scaled(5000), SmtpServer()
    with Stack(folder, uri, smtp, SERVER_WORKERS=2, SERVER_DISPATCHERS=2) as stack:
        done(stack.admin().put(POLICY, {"alerts": ["ops@example.org"]}))
        made = in_threads(lambda _: accepted(stack, hours=27)[1], range(requests))
        idle(stack)
        invited = len(smtp.all())
        smtp.mails.clear()
        smtp.stop()
        stack.advance(3 * HOUR_S + 60)
        owed = {"effects.kind": "mail.meeting_reminder"}
        until(lambda: stack.requests.count_documents(owed) >= requests, "all are owed", 600)
        quiet = [creation(stack) for _ in range(scaled(30))]
        for _ in range(12):
            stack.advance(300)
            time.sleep(3)
        incidents = stack.requests.database["incidents"]
        until(lambda: incidents.find_one({"told_at": {"$ne": None}}), "it is told", 60)
        began = time.monotonic()
        smtp.start()
        busy = [creation(stack) for _ in range(scaled(30))]
        until(lambda: stack.requests.count_documents(owed) == 0, "all have left", 1200)
        took = time.monotonic() - began
        alerts = wait_for_all_clear(stack, smtp)
        report_outage(smtp.all(), made, took, alerts, invited)
        for name, times in (("while it is away", quiet), ("while they leave", busy)):
            middle, worst = statistics.median(times) * 1000, max(times) * 1000
            print(f"a creation {name}: {middle:.0f} ms median, {worst:.0f} ms worst")
    smtp.stop()


def creation(stack: Stack) -> float:
    """Seconds until an accepted request has its link."""
    people = stack.parties()
    request = people.create(starts_at=stack.at(days=9))
    began = time.monotonic()
    answer = people.accept(request)
    assert answer["meeting"]["status"] == "ready"
    return time.monotonic() - began


def wait_for_all_clear(stack: Stack, smtp: SmtpServer) -> list[str]:
    def alerts() -> list[str]:
        return [m.message["Subject"] for m in smtp.all() if m.id.startswith("alert.")]

    for _ in range(40):
        if len(alerts()) == 2:
            break
        stack.advance(60)
        time.sleep(6)
    stack.advance(HOUR_S / 2)
    time.sleep(12)
    return alerts()


def report_outage(
    mails: list[Mail], made: list[dict], took: float, alerts: list[str], invited: int
) -> None:
    reminders = [mail for mail in mails if mail.kind == "meeting_reminder"]
    counts = collections.Counter(mail.recipient for mail in reminders)
    people = {request[who]["email"] for request in made for who in PEOPLE}
    lost, doubled = people - set(counts), sum(n - 1 for n in counts.values())
    print(f"{invited} mails before; then {len(people)} reminders due while SMTP was away an hour:")
    print(f"  {len(reminders)} arrived, {len(lost)} lost, {doubled} doubled, in {took:.1f} s")
    latest, behind = datetime.datetime.min.replace(tzinfo=datetime.UTC), 0.0
    for mail in reminders:
        owed_at = mail.message["Date"].datetime
        behind = max(behind, (latest - owed_at).total_seconds())
        latest = max(latest, owed_at)
    print(f"  the oldest first: none came after one that was owed {behind:.0f} s later")
    print(f"  alerts: {alerts}")
    assert not lost and not doubled
    assert alerts == ["E-mail is not leaving", "E-mail is leaving again"]


# ---- throughput ----


def build(folder: pathlib.Path, name: str) -> pathlib.Path:
    """A program of this folder, with the libraries of the build where it needs them."""
    flags = subprocess.check_output(["pkg-config", "--cflags", "--libs", "libcurl"], text=True)
    target = folder / name
    source = ROOT / "bench" / f"{name}.c"
    subprocess.run(
        ["cc", "-O2", "-pthread", "-o", target, source, *flags.split()], check=True, timeout=120
    )
    return target


def processor_s(pid: int) -> float:
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def throughput(folder: pathlib.Path, uri: str) -> None:
    sink = shutil.which("smtp-sink")
    if not sink:
        print("throughput: skipped, smtp-sink (postfix) is not here")
        return
    port, count, threads = free_port(), scaled(3000), 8
    user = ["-u", "nobody"] if os.geteuid() == 0 else []  # it refuses to stay root
    process = spawn(folder / "sink.log", sink, *user, f"127.0.0.1:{port}", "256")
    until(lambda: listens(port), "smtp-sink listens")
    url = f"smtp://127.0.0.1:{port}"
    try:
        measure_throughput(folder, uri, url, count, threads, process.pid)
    finally:
        process.terminate()
        process.wait()


def measure_throughput(
    folder: pathlib.Path, uri: str, url: str, count: int, threads: int, sink: int
) -> None:
    bare = build(folder, "mails_bare")
    with Stack(
        folder / "stack",
        uri,
        SMTP_URL="smtp://127.0.0.1:1",
        SERVER_DISPATCHERS=1,
        SERVER_DISPATCHER_THREADS=threads,
    ) as stack:
        sample = stack.run("render", "--mail", "meeting_ready", "--locale", "de")
        (folder / "sample").write_bytes(sample.replace("\n", "\r\n").encode())
        in_threads(lambda _: accepted(stack, days=9), range(count // 2))
        stack.program.terminate()
        stack.program.wait()
        stack.settings["SMTP_URL"] = url
        stack.advance(HOUR_S)
        mails = count // 2 * 2

        def left() -> int:
            """By an index, and not often: counting is the database's work, too."""
            time.sleep(0.25)
            return stack.requests.count_documents({"owes": "owed mail.meeting_ready"})

        before = rate_of(bare, url, folder, count, threads)
        stack.start_program()
        until(lambda: left() < count // 2, "they begin to leave", 60)
        dispatcher = next(p for p, role in stack.children().items() if role == "meetlink-disp")
        pids = {"dispatcher": dispatcher, "smtp-sink": sink}
        if DATABASE:
            pids["database"] = DATABASE[0].process.pid
        first, began = left(), time.monotonic()
        before_s = {name: processor_s(pid) for name, pid in pids.items()}
        seen = [first]
        until(lambda: seen.append(left()) or seen[-1] <= count // 40, "they have left", 600)
        took, sent = time.monotonic() - began, 2 * (first - seen[-1])
        each = {n: (processor_s(pid) - before_s[n]) / sent * 1e6 for n, pid in pids.items()}
        after = rate_of(bare, url, folder, count, threads)
        compose = composing_us(stack)
    bare_rate = (before + after) / 2
    print(f"a bare libcurl loop, {threads} threads: {before:.0f} and {after:.0f} messages/s")
    print(f"one dispatcher, {threads} threads: {sent / took:.0f} of {mails} messages/s,", end=" ")
    print(f"{sent / took / bare_rate:.0%} of that")
    shares = ", ".join(f"{name} {us:.0f} µs" for name, us in each.items())
    print(f"processor time a message: {shares}", end="")
    print(f": {sum(each.values()) * sent / took / 1e6:.1f} of {os.cpu_count()} processors")
    if compose:
        print(f"composing: {compose:.0f} µs, {compose / each['dispatcher']:.0%} of the dispatcher's")


def rate_of(bare: pathlib.Path, url: str, folder: pathlib.Path, count: int, threads: int) -> float:
    command = [bare, url, folder / "sample", str(3 * count), str(threads)]
    return float(subprocess.check_output(command, text=True, timeout=600))


def composing_us(stack: Stack) -> float | None:
    """Of an invitation: `make bench/mails_compose` has built what measures it."""
    build = pathlib.Path(os.environ.get("MEETLINK_BUILD", ROOT / "build"))
    made = subprocess.run(["make", "-s", "bench/mails_compose"], cwd=build, check=False)
    if made.returncode != 0:
        return None
    command = [build / "bench/mails_compose", "meeting_ready", "2000"]
    return float(subprocess.check_output(command, env=stack.environment, text=True, timeout=600))


PARTS = {"failing": failing, "outage": outage, "throughput": throughput}


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        database = None
        uri = os.environ.get("MEETLINK_MONGODB_URI")
        if not uri:
            (root / "database").mkdir()
            database = Database(root / "database")
            DATABASE.append(database)
            uri = database.uri
        try:
            for part in sys.argv[1:] or PARTS:
                print(f"== {part}", flush=True)
                (root / part).mkdir()
                PARTS[part](root / part, uri)
        finally:
            if database:
                database.stop()


if __name__ == "__main__":
    main()
