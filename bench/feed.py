"""The measuring of bench/feed."""

import datetime
import pathlib
import secrets
import statistics
import sys
import tempfile
import time

import icalendar
from caller import Parties
from stack import Database, Stack
from support import used_ns

TURNS, ROUNDS = 5, 400


def fill(stack: Stack, parties: Parties, count: int) -> None:
    """Copies of one accepted request, which no dispatcher has to look at."""
    request = parties.accepted(
        description="My landlord keeps the deposit, and says: \"the lease; ended in October\".\n" * 4
    )
    document = stack.settle(request["id"])
    for name in ("due", "owed"):
        document.pop(name, None)
    rows = []
    for number in range(count - 1):
        start = document["starts_at"] + datetime.timedelta(minutes=30 * number)
        end = start + datetime.timedelta(minutes=45)
        meeting = document["meeting"] | {
            "id": secrets.token_urlsafe(16), "starts_at": start, "ends_at": end
        }
        rows.append(
            document | {
                "_id": secrets.token_urlsafe(16), "starts_at": start, "ends_at": end,
                "title": f"Advice on contract {number}, and more", "meeting": meeting,
                "updated_at": document["updated_at"] - datetime.timedelta(seconds=number + 300),
            }
        )
    for at in range(0, len(rows), 500):
        stack.requests.insert_many(rows[at : at + 500])


def workers(stack: Stack) -> list[int]:
    return [pid for pid, name in stack.children().items() if name == "meetlink-work"]


def processor_s(stack: Stack) -> float:
    """What the workers have used."""
    return used_ns(workers(stack)) / 1e9


def memory_kib(stack: Stack, name: str) -> int:
    """The most of any worker."""
    found = 0
    for pid in workers(stack):
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(name + ":"):
                found = max(found, int(line.split()[1]))
    return found


def plain(feed: bytes) -> float:
    """Seconds of processor time that Python's icalendar takes to write the same calendar."""
    read = icalendar.Calendar.from_ical(feed)
    began = time.process_time()
    calendar = icalendar.Calendar()
    for name in ("VERSION", "PRODID", "CALSCALE", "NAME", "X-WR-CALNAME"):
        calendar.add(name, str(read[name]))
    calendar.add("REFRESH-INTERVAL", datetime.timedelta(hours=1))
    for entry in read.walk("VEVENT"):
        event = icalendar.Event()
        for name in ("UID", "SUMMARY", "DESCRIPTION", "LOCATION", "STATUS", "TRANSP", "URL"):
            event.add(name, str(entry[name]))
        for name in ("DTSTAMP", "CREATED", "LAST-MODIFIED", "DTSTART", "DTEND"):
            event.add(name, entry[name].dt)
        event.add("SEQUENCE", int(entry["SEQUENCE"]))
        for name, value in (("ORGANIZER", entry["ORGANIZER"]),
                            *(("ATTENDEE", one) for one in entry["ATTENDEE"])):
            person = icalendar.vCalAddress(str(value))
            person.params.update(value.params)
            event.add(name, person)
        conference = icalendar.vUri(str(entry["CONFERENCE"]))
        conference.params.update(entry["CONFERENCE"].params)
        event.add("CONFERENCE", conference)
        alarm = icalendar.Alarm()
        alarm.add("ACTION", "DISPLAY")
        alarm.add("TRIGGER", datetime.timedelta(minutes=-15))
        alarm.add("DESCRIPTION", str(entry["SUMMARY"]))
        event.add_component(alarm)
        calendar.add_component(event)
    written = calendar.to_ical()
    took = time.process_time() - began
    assert written.count(b"BEGIN:VEVENT") == feed.count(b"BEGIN:VEVENT")
    return took


def latency_us(stack: Stack, url: str, status: int, **headers: str) -> tuple[float, float]:
    """Median time of a call of one who asks alone, and processor time of the workers each."""
    anyone, took = stack.anyone(), []
    before = processor_s(stack)
    for _ in range(ROUNDS):
        began = time.perf_counter()
        answer = anyone.session.get(url, headers=headers)
        took.append(time.perf_counter() - began)
        assert answer.status_code == status, answer.text
    used = processor_s(stack) - before
    return statistics.median(took) * 1e6, used / ROUNDS * 1e6


def measure(stack: Stack, count: int) -> None:
    parties = stack.parties()
    fill(stack, parties, count)
    stack.advance(600)
    url = parties.lawyer.post("/api/calendar/feed").json()["url"]
    anyone = stack.anyone()
    for _ in workers(stack):
        anyone.get(url, timeout=120)
    rss, used, answers = memory_kib(stack, "VmRSS"), [], []
    for _ in range(TURNS):
        before = processor_s(stack)
        answers.append(anyone.get(url, timeout=120))
        used.append(processor_s(stack) - before)
    grown = max(memory_kib(stack, "VmHWM") - rss, 0)
    feed = answers[-1].content
    assert answers[-1].status_code == 200 and feed.count(b"BEGIN:VEVENT") == count
    python = plain(feed)
    ours = statistics.median(used)
    print(f"a feed of {count} events, {len(feed) / 1e6:.1f} MB: {ours * 1000:.0f} ms of processor")
    print(f"time, {ours / count * 1e6:.0f} us an event; Python's icalendar {python * 1000:.0f} ms,")
    print(f"{python / ours:.1f} times as much; a worker grew by {grown / 1024:.1f} MB at the most")
    tag = answers[-1].headers["ETag"]
    for turn in range(3):
        trivial = latency_us(stack, f"{stack.url}/healthz", 200)
        known = latency_us(stack, url, 304, **{"If-None-Match": tag})
        print(f"round {turn + 1}: trivial {trivial[0]:.0f} us ({trivial[1]:.0f} us of processor "
              f"time), 304 {known[0]:.0f} us ({known[1]:.0f} us): {known[0] / trivial[0]:.1f} times")


def main() -> None:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        database = Database(pathlib.Path(folder))
        try:
            with Stack(pathlib.Path(folder) / "stack", database.uri) as stack:
                measure(stack, int(sys.argv[1]))
        finally:
            database.stop()


main()
