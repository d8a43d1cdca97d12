"""Calendar feeds: everybody's meetings, for who holds the address, and for nobody else."""

import concurrent.futures
import contextlib
import datetime
import socket
from collections.abc import Callable

import bson
import icalendar
import requests
from caller import Caller, Parties, new_key
from stack import Stack
from support import until
from wire import Reader, Wire


def feed_of(caller: Caller, **options: object) -> str:
    """A new address of the caller's feed."""
    answer = caller.post("/api/calendar/feed", **options)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert set(body) == {"url", "webcal_url"}
    assert body["webcal_url"] == "webcal" + body["url"].removeprefix("http")
    return body["url"]


def events_of(stack: Stack, url: str) -> dict[str, icalendar.Event]:
    """The events of a feed by their UID."""
    answer = stack.anyone().get(url)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert "METHOD" not in answer.text
    raw = answer.content
    assert b"\n" not in raw.replace(b"\r\n", b"") and raw.endswith(b"END:VCALENDAR\r\n")
    assert max(len(line) for line in raw.split(b"\r\n")) <= 75
    calendar = icalendar.Calendar.from_ical(raw)
    assert calendar.errors == []
    assert calendar["NAME"] == calendar["X-WR-CALNAME"]
    events = calendar.walk("VEVENT")
    assert all(event.errors == [] for event in events)
    return {str(event["UID"]): event for event in events}


def test_each_sees_their_own_links(stack: Stack, parties: Parties) -> None:
    accepted = [parties.accepted(starts_at=stack.at(days=day)) for day in (2, 1, 3)]
    parties.create(starts_at=stack.at(days=4))
    for caller in (parties.client, parties.lawyer):
        events = events_of(stack, feed_of(caller))
        assert len(events) == 3
        for request in accepted:
            view = caller.request(request["id"])
            single = caller.get(f"/api/requests/{request['id']}/calendar.ics")
            (event,) = icalendar.Calendar.from_ical(single.content).walk("VEVENT")
            same = events[f"{view['meeting']['id']}@meetlink"]
            assert same.to_ical() == event.to_ical()
            assert same["LOCATION"] == view["meeting"]["join_url"]


def test_an_address_dies(stack: Stack, parties: Parties) -> None:
    anyone = stack.anyone()
    first = feed_of(parties.client)
    second = feed_of(parties.client)
    other = feed_of(parties.lawyer)
    assert len({first, second, other}) == 3
    assert [anyone.get(url).status_code for url in (first, second, other)] == [404, 200, 200]
    assert parties.client.delete("/api/calendar/feed").status_code == 204
    assert [anyone.get(url).status_code for url in (first, second, other)] == [404, 404, 200]
    assert parties.client.delete("/api/calendar/feed").status_code == 204
    erased = stack.admin().post(f"/api/people/{parties.lawyer_id}/erase")
    assert erased.status_code == 200 and anyone.get(other).status_code == 404


def test_a_repeated_call_gets_the_same_address(stack: Stack, parties: Parties) -> None:
    headers = {"Idempotency-Key": new_key()}
    url = feed_of(parties.client, headers=headers)
    again = parties.client.post("/api/calendar/feed", headers=headers)
    assert again.json()["url"] == url and again.headers["Idempotency-Replayed"] == "true"
    other = feed_of(parties.client)
    assert feed_of(parties.client, headers=headers) not in (url, other), "what is dead stays dead"


def test_ten_at_once_leave_one_address(stack: Stack, parties: Parties) -> None:
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: parties.client.post("/api/calendar/feed"), range(10)))
    urls = {answer.json()["url"] for answer in answers if answer.status_code == 200}
    assert {answer.status_code for answer in answers} <= {200, 409} and urls
    live = [url for url in urls if stack.anyone().get(url).status_code == 200]
    assert len(live) == 1


def test_tokens_of_nobody(stack: Stack, parties: Parties) -> None:
    request = parties.accepted()
    url = feed_of(parties.client)
    token = url.rpartition("/")[2].removesuffix(".ics")
    assert len(token) == 43
    flipped = [
        token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :] for at in range(0, 43, 3)
    ]
    join = request["links"]["join"].rpartition("/")[2]
    others = [
        "x", "-", token[:-1], token + "A", token.swapcase(), "A" * 43, join, "." * 43, token * 9
    ]
    for wrong in flipped + others:
        answer = stack.anyone().get(f"/calendar/feed/{wrong}.ics")
        assert answer.status_code == 404 and answer.json()["code"] == "not_found", wrong
    assert stack.anyone().get(f"/calendar/event/{token}.ics").status_code == 404
    assert stack.anyone().get(f"/join/{token}").status_code == 404
    dump = b"".join(
        bson.encode(row)
        for name in stack.requests.database.list_collection_names()
        for row in stack.requests.database[name].find()
    )
    assert token.encode() not in dump and token[22:].encode() not in dump


def test_roles_that_have_none(stack: Stack) -> None:
    for caller in (stack.admin(), stack.service()):
        assert caller.post("/api/calendar/feed").status_code == 403
    assert stack.anyone().post("/api/calendar/feed").status_code == 401


def test_what_has_not_changed_is_not_sent(start: Callable[..., Stack]) -> None:
    stack = start()
    parties, anyone = stack.parties(), stack.anyone()
    request = parties.accepted()
    stack.settle(request["id"])
    url = feed_of(parties.client)
    first = anyone.get(url)
    tag = first.headers["ETag"]
    assert "Last-Modified" not in first.headers, "a change may still be stored under its date"
    stack.advance(300)
    settled = anyone.get(url)
    assert settled.content == first.content
    tag = settled.headers["ETag"]
    date = settled.headers["Last-Modified"]
    for known in (
        {"If-None-Match": tag},
        {"If-None-Match": f"W/{tag}"},
        {"If-None-Match": f'"x", {tag}'},
        {"If-Modified-Since": date},
    ):
        for call in (anyone.get, anyone.head):
            answer = call(url, headers=known)
            assert (answer.status_code, answer.content) == (304, b""), known
            assert (answer.headers["ETag"], answer.headers["Last-Modified"]) == (tag, date)
    head = anyone.head(url)
    assert (head.status_code, head.content, head.headers["ETag"]) == (200, b"", tag)
    for unknown in ('"x"', '"7fffffffffffffff-x"', '"-1-x"', "x", '"1-x"'):
        assert anyone.get(url, headers={"If-None-Match": unknown}).status_code == 200
    # Whoever opens a link changes nothing of it.
    stack.advance(86400 * 3 - 600)
    before = anyone.get(url)
    assert anyone.get(parties.client.request(request["id"])["meeting"]["join_url"]).status_code in (
        302, 403,
    )
    tag = before.headers["ETag"]
    assert anyone.get(url, headers={"If-None-Match": tag}).status_code == 304
    for change in (
        lambda: parties.lawyer.command(request["id"], "reschedule", starts_at=stack.at(days=9)),
        lambda: parties.lawyer.command(request["id"], "regenerate", reason="x"),
        lambda: parties.client.cancel(request["id"]),
    ):
        assert change().status_code == 200
        answer = anyone.get(url, headers={"If-None-Match": tag, "If-Modified-Since": date})
        assert answer.status_code == 200 and answer.headers["ETag"] != tag
        assert anyone.get(url, headers={"If-Modified-Since": date}).status_code == 200
        tag = answer.headers["ETag"]
    (event,) = events_of(stack, url).values()
    assert event["STATUS"] == "CANCELLED" and "LOCATION" not in event


# What each asks with, and by what it asks again: Thunderbird and ICSx5 as their sources have it, Google
# as servers log it, Apple as RFC 9110 lets it.
PROGRAMS: dict[str, tuple[dict[str, str], list[str]]] = {
    "Google Calendar": ({"User-Agent": "Google-Calendar-Importer", "Accept": "*/*"}, []),
    "Apple Calendar": ({"Accept": "*/*"}, ["If-Modified-Since"]),
    "Thunderbird": ({"Accept": "text/calendar,text/plain;q=0.8,*/*;q=0.5"}, ["If-None-Match"]),
    "ICSx5": ({"Accept": "text/calendar, */*;q=0.9"}, ["If-Modified-Since", "If-None-Match"]),
}


def test_as_calendar_programs_ask(start: Callable[..., Stack]) -> None:
    """Each gets all of it at first, nothing or the same while nothing changes, and the move."""
    stack = start()
    parties, anyone = stack.parties(), stack.anyone()
    request = parties.accepted()
    stack.settle(request["id"])
    stack.advance(300)
    url = feed_of(parties.client)
    first = {name: anyone.get(url, headers=asks) for name, (asks, _) in PROGRAMS.items()}

    def again(name: str) -> requests.Response:
        kept = {
            "If-None-Match": first[name].headers["ETag"],
            "If-Modified-Since": first[name].headers["Last-Modified"],
        }
        asks, conditions = PROGRAMS[name]
        return anyone.get(url, headers=asks | {header: kept[header] for header in conditions})

    for name, (_, conditions) in PROGRAMS.items():
        assert first[name].status_code == 200
        assert first[name].headers["Cache-Control"] == "private, no-cache"
        answer = again(name)
        assert answer.status_code == (304 if conditions else 200), name
        assert answer.content == (b"" if conditions else first[name].content), name
    moved = parties.lawyer.command(request["id"], "reschedule", starts_at=stack.at(days=9))
    assert moved.status_code == 200
    (before,) = icalendar.Calendar.from_ical(first["Thunderbird"].content).walk("VEVENT")
    for name in PROGRAMS:
        answer = again(name)
        assert answer.status_code == 200, name
        (event,) = icalendar.Calendar.from_ical(answer.content).walk("VEVENT")
        assert f"{event['DTSTART'].dt:%FT%TZ}" == moved.json()["starts_at"]
        assert event["UID"] == before["UID"]
        # By any of these a program knows what is newer.
        for field in ("SEQUENCE", "DTSTAMP", "LAST-MODIFIED"):
            is_now, was = (getattr(one[field], "dt", one[field]) for one in (event, before))
            assert is_now > was, field
    assert parties.client.delete("/api/calendar/feed").status_code == 204
    assert {again(name).status_code for name in PROGRAMS} == {404}
    # Google asks that first; a file that is not there forbids nothing (RFC 9309 section 2.3.1.3).
    assert anyone.get("/robots.txt").status_code == 404


def test_a_change_that_is_dated_by_a_slow_clock(start: Callable[..., Stack]) -> None:
    """A minute behind, on another host: it is seen all the same."""
    stack = start()
    parties, anyone = stack.parties(), stack.anyone()
    first, second = (parties.accepted(starts_at=stack.at(days=day)) for day in (2, 3))
    for request in (first, second):
        stack.settle(request["id"])
    url = feed_of(parties.client)
    tag = anyone.get(url).headers["ETag"]
    latest = max(stack.document(r["id"])["updated_at"] for r in (first, second))
    stack.requests.update_one(
        {"_id": first["id"]},
        {"$set": {"title": "Moved", "updated_at": latest - datetime.timedelta(minutes=1)},
         "$inc": {"rev": 1}},
    )
    assert anyone.get(url, headers={"If-None-Match": tag}).status_code == 200


def test_how_long_meetings_stay(start: Callable[..., Stack]) -> None:
    stack = start()
    parties = stack.parties()
    kept = parties.accepted(starts_at=stack.at(days=2))
    off = parties.accepted(starts_at=stack.at(days=200))
    later = parties.accepted(starts_at=stack.at(days=201))
    parties.client.cancel(off["id"])
    for request in (kept, off, later):
        stack.settle(request["id"])

    def uids() -> set[str]:
        return {uid.removesuffix("@meetlink") for uid in events_of(stack, feed_of(parties.lawyer))}

    ids = {name: r["meeting"]["id"] for name, r in {"kept": kept, "off": off, "later": later}.items()}
    assert uids() == set(ids.values())
    stack.advance(86400 * 29)
    assert uids() == set(ids.values())
    stack.advance(86400 * 3)
    assert uids() == {ids["kept"], ids["later"]}
    stack.advance(86400 * 57)
    assert uids() == {ids["kept"], ids["later"]}, "on the 89th day after"
    stack.advance(86400 * 5)
    assert uids() == {ids["later"]}


def test_one_that_cannot_be_read_is_left_out(stack: Stack, parties: Parties) -> None:
    good, bad = (parties.accepted(starts_at=stack.at(days=day)) for day in (2, 3))
    for request in (good, bad):
        stack.settle(request["id"])
    stack.requests.update_one({"_id": bad["id"]}, {"$unset": {"title": True}})
    events = events_of(stack, feed_of(parties.client))
    assert list(events) == [f"{good['meeting']['id']}@meetlink"]
    assert f"left out of a feed: Document {bad['id']}" in stack.logged("meetlink")
    until(lambda: "feed whole=1 events=1 left_out=1" in stack.logged("meetlink"), "it is counted")


def test_an_empty_one(stack: Stack, parties: Parties) -> None:
    assert events_of(stack, feed_of(parties.client)) == {}


def copies(stack: Stack, request_id: str, count: int) -> None:
    """Of a request, half a day apart, which no dispatcher has to look at."""
    document = stack.settle(request_id)
    for name in ("due", "owed"):
        document.pop(name, None)
    rows = []
    for number in range(count):
        start = document["starts_at"] + datetime.timedelta(hours=12 * number)
        meeting = document["meeting"] | {"id": f"copy{number:018}", "starts_at": start}
        meeting["ends_at"] = end = start + datetime.timedelta(minutes=45)
        rows.append(
            document
            | {"_id": f"copy{number:018}", "starts_at": start, "ends_at": end, "meeting": meeting}
        )
    stack.requests.insert_many(rows)


def test_many_come_in_order(start: Callable[..., Stack]) -> None:
    """From several windows, and more at one instant than a window should have."""
    stack = start()
    parties = stack.parties()
    request = parties.accepted()
    copies(stack, request["id"], 1500)
    stack.requests.update_many(
        {"_id": {"$gte": "copy000000000000000900", "$lt": "copy000000000000001300"}},
        {"$set": {"starts_at": stack.document("copy000000000000000900")["starts_at"]}},
    )
    events = list(events_of(stack, feed_of(parties.lawyer)))
    assert len(events) == 1501
    assert events[-1] == "copy000000000000001499@meetlink"


def test_a_database_that_is_lost_in_the_middle(start: Callable[..., Stack], mongodb_uri: str) -> None:
    """The file has no end, and neither has the answer."""
    with Cut(mongodb_uri) as cut:
        stack = start(uri=cut.uri)
        parties = stack.parties()
        request = parties.accepted()
        copies(stack, request["id"], 800)
        url = feed_of(parties.lawyer)
        assert len(events_of(stack, url)) == 801
        cut.after = 600_000
        raw = read_raw(stack, url)
        assert b" 200 OK\r\n" in raw and b"BEGIN:VEVENT" in raw
        assert b"END:VCALENDAR" not in raw and not raw.endswith(b"0\r\n\r\n")
        cut.after = None
        # Each worker finds the database again by itself.
        until(
            lambda: all(stack.anyone().get(url).status_code == 200 for _ in range(10)),
            "it is back everywhere",
        )
        assert len(events_of(stack, url)) == 801
        stack.stop()


def read_raw(stack: Stack, url: str) -> bytes:
    """All that comes, until the server closes."""
    path = url.removeprefix(stack.url)
    raw = b""
    with socket.create_connection(("127.0.0.1", stack.port), timeout=30) as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        try:
            while piece := client.recv(65536):
                raw += piece
        except ConnectionResetError:
            pass
    return raw


class Cut(Wire):
    """Breaks a connection once so many bytes have come from the database, and lets no other come."""

    after: int | None = None
    passed = 0

    def forward(
        self, source: socket.socket, target: socket.socket, reader: Reader | None = None
    ) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(4096):
                if self.after is not None and not reader:
                    self.passed += len(data)
                if self.after is not None and self.passed > self.after:
                    break
                target.sendall(data)
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
