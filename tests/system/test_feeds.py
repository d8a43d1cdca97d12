"""Calendar feeds: everybody's meetings, for who holds the address, and for nobody else."""

import icalendar
import pytest
from caller import Caller, Parties, new_key
from stack import Stack


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
    requests = [parties.accepted(starts_at=stack.at(days=day)) for day in (2, 1, 3)]
    parties.create(starts_at=stack.at(days=4))
    for caller in (parties.client, parties.lawyer):
        events = events_of(stack, feed_of(caller))
        assert len(events) == 3
        for request in requests:
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
