"""Property 1: whatever valid request is accepted, exactly one meeting is stored with it: a link of
its own, its provider, its times; and both people see it.

Validates: Requirements 1.1, 1.2, 1.3
"""

import datetime
import zoneinfo

import hypothesis
import hypothesis.strategies as st
from stack import Stack

ZONES = sorted(zoneinfo.available_timezones() - {"localtime", "Factory"})


# Shows nothing, beside what Python calls a space.
UNSEEN = "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"


def lines(most: int) -> st.SearchStrategy[str]:
    """Of which something can be seen."""
    return st.text(
        st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=most
    ).filter(lambda text: not all(c.isspace() or c in UNSEEN for c in text))


def paragraphs(most: int) -> st.SearchStrategy[str]:
    characters = st.one_of(
        st.characters(exclude_categories=("Cc", "Cs")), st.sampled_from("\n\t\r")
    )
    return st.text(characters, max_size=most)


PEOPLE = st.fixed_dictionaries(
    {"name": lines(200)},
    optional={
        "timezone": st.sampled_from(ZONES),
        "locale": st.sampled_from(["de", "en", "en-GB", "fr", "pt-BR", "zh-Hant-TW"]),
    },
)
# The door is open for meetings of the next 15 minutes, so that its room can be seen.
AHEAD = st.one_of(st.integers(1, 14), st.integers(17, 4 * 365 * 24 * 60))
ROOMS: set[str] = set()
DRAFTS = st.fixed_dictionaries(
    {
        "title": lines(200),
        "duration_minutes": st.integers(5, 1440),
        "minutes_ahead": AHEAD,
        "client": PEOPLE,
        "lawyer": PEOPLE,
    },
    optional={"description": paragraphs(4000), "timezone": st.sampled_from(ZONES)},
)
ANSWERS = st.fixed_dictionaries(
    {},
    optional={
        "message": paragraphs(2000),
        "minutes_ahead": AHEAD,
        "duration_minutes": st.integers(5, 1440),
        "timezone": st.sampled_from(ZONES),
        "provider": st.just("jitsi"),
    },
)


def with_start(stack: Stack, fields: dict) -> dict:
    """An instant in place of minutes from now."""
    if "minutes_ahead" not in fields:
        return fields
    rest = {name: value for name, value in fields.items() if name != "minutes_ahead"}
    return rest | {"starts_at": stack.at(minutes=fields["minutes_ahead"])}


@hypothesis.given(draft=DRAFTS, answer=ANSWERS)
def test_an_accepted_request_has_exactly_one_meeting(
    stack: Stack, draft: dict, answer: dict
) -> None:
    parties = stack.parties()
    body = with_start(stack, draft)
    body |= {who: parties.person(who, **body[who]) for who in ("client", "lawyer")}
    answer = with_start(stack, answer)
    request = parties.create(**body)
    accepted = parties.accept(request, **answer)

    (document,) = stack.requests.find({"client.id": parties.client_id})
    stored = document["meeting"]
    starts_at = answer.get("starts_at", body["starts_at"])
    duration = answer.get("duration_minutes", body["duration_minutes"])
    ends_at = datetime.datetime.fromisoformat(starts_at) + datetime.timedelta(minutes=duration)
    assert stored["starts_at"].replace(tzinfo=datetime.UTC).isoformat() == (
        datetime.datetime.fromisoformat(starts_at).isoformat()
    )
    assert stored["ends_at"].replace(tzinfo=datetime.UTC) == ends_at
    assert (stored["status"], stored["provider"], stored["generation"]) == ("ready", "jitsi", 1)
    assert stored["timezone"] == (
        answer.get("timezone") or body.get("timezone") or body["lawyer"].get("timezone") or "UTC"
    )
    created = [
        e for e in document["events"] if e["action"] in ("meeting.requested", "meeting.ready")
    ]
    assert len(created) == 2

    seen = {"client": parties.client.request(request["id"]), "lawyer": accepted}
    links = {who: view["meeting"]["join_url"] for who, view in seen.items()}
    assert len(set(links.values())) == 2
    for who, view in seen.items():
        for name in ("title", "client", "lawyer", "starts_at", "ends_at", "timezone", "status"):
            assert view[name] == seen["lawyer"][name]
        assert (view["starts_at"], view["duration_minutes"]) == (starts_at, duration)
        assert view["title"] == body["title"]
        assert view["description"] == body.get("description")
        assert view["message"] == answer.get("message")
        assert view[who]["name"] == body[who]["name"]
        assert view["meeting"]["id"] == stored["id"]
    others = stack.requests.count_documents({"meeting.id": stored["id"]})
    assert others == 1, "no other request has this meeting"
    rooms = {stack.anyone().get(link).headers.get("Location") for link in links.values()}
    if starts_at <= stack.at(minutes=14):
        (room,) = rooms
        assert room and room not in ROOMS, "nobody else's"
        ROOMS.add(room)
    else:
        assert rooms == {None}, "the door is still closed"
