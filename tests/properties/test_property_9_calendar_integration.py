"""Property 9: the calendar file of a meeting says to every calendar program what the meeting is: its
times, whatever the zone, its people, its texts and the reader's own link; and a template that would
say anything else is refused before it is used.

Validates: Requirements 5.5
"""

import datetime
import os
import random
import subprocess
import unicodedata
import zoneinfo

import hypothesis
import hypothesis.strategies as st
import parsers
import pytest
from caller import Caller
from parsers import PROBE
from stack import ROOT, Stack

# bench/calendars does all of it.
WHOLE = bool(os.environ.get("MEETLINK_CALENDARS_WHOLE"))
MEETINGS = 5000 if WHOLE else 40
MUTANTS = 10000 if WHOLE else 300
ZONES = sorted(zoneinfo.available_timezones() - {"Factory", "localtime"})
FIRST, LAST = (int(datetime.datetime(y, 1, 1, tzinfo=datetime.UTC).timestamp()) for y in (2020, 2041))
DAY = 86400


def instants(zone: zoneinfo.ZoneInfo, draw: random.Random) -> list[int]:
    """Of twenty-one years: some of each, and both sides of every change of the clock."""
    days = range(FIRST, LAST, DAY)
    chosen = [day + draw.randrange(DAY) for day in (days if WHOLE else draw.sample(days, 25))]

    def offset(at: int) -> datetime.timedelta | None:
        return datetime.datetime.fromtimestamp(at, zone).utcoffset()

    for day in days if WHOLE else range(FIRST + 365 * DAY * draw.randrange(20), LAST, 40 * DAY):
        low, high = day, min(day + (DAY if WHOLE else 40 * DAY), LAST)
        if offset(low) == offset(high):
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if offset(middle) == offset(low) else (low, middle)
        chosen += [low, high]
    return chosen


def test_every_zone_is_as_zoneinfo_has_it() -> None:
    """The offset and the letters, of every zone of the system's tzdata."""
    draw = random.Random(9)
    asked = [(name, at) for name in ZONES for at in instants(zoneinfo.ZoneInfo(name), draw)]
    assert len(asked) > 25 * len(ZONES) > 10000
    said = subprocess.run(
        [PROBE, "zones"],
        input="".join(f"{name} {at}\n" for name, at in asked),
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    ).stdout.splitlines()
    wrong = []
    for (name, at), line in zip(asked, said, strict=True):
        local = datetime.datetime.fromtimestamp(at, zoneinfo.ZoneInfo(name))
        offset = local.utcoffset()
        assert offset is not None
        expected = f"{int(offset.total_seconds())} {local.tzname()}"
        is_offset, _, letters = line.split(" ")
        if f"{is_offset} {letters}" != expected:
            wrong.append((name, local.isoformat(), line, expected))
    assert not wrong, wrong[:20]
    print(f"{len(asked)} instants of {len(ZONES)} zones")


def is_seen(text: str) -> bool:
    """What nobody sees is taken for blank."""
    return any(unicodedata.category(c) not in ("Cf", "Zs") for c in text)


# What people may write: anything but control characters and what turns text around.
TEXT = st.text(
    st.one_of(
        st.sampled_from(";:,\"\\^='%{}<>&\u00e9\u6f22\U0001f600"),
        st.characters(
            exclude_categories=("Cc", "Cs", "Cn", "Co", "Zl", "Zp"),
            exclude_characters="\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff",
        ),
    ),
    min_size=1,
    max_size=60,
).filter(lambda text: text.strip("\u00a0 \u3000") == text and is_seen(text))
MEETING = st.fixed_dictionaries(
    {
        "title": TEXT,
        "description": st.lists(TEXT, max_size=3).map("\n".join),
        "client": TEXT,
        "lawyer": TEXT,
        "minutes": st.integers(5, 1440),
        "hours": st.integers(3, 5 * 365 * 24),
        "zones": st.tuples(st.sampled_from(ZONES), st.sampled_from(ZONES)),
        "locale": st.sampled_from(["de", "en", "fr", None]),
        "cancelled": st.booleans(),
    }
)


def plain(text: str | None) -> str | None:
    """Without what isolates a value that is written from right to left."""
    return text and "".join(c for c in text if c not in "\u2068\u2069")


def as_parameter(text: str) -> str:
    """What the CN of a name is: RFC 5545 has no way to write these three."""
    parts = text.replace("^", "\u02c6").replace("\\", "/").split('"')
    return parts[0] + "".join(
        ("\u201d" if at % 2 else "\u201c") + part for at, part in enumerate(parts[1:])
    )


def check_read(by: str, read: dict, row: dict, party: str, view: dict) -> None:
    """All that a program has read, against the document in the database."""
    people = [row[who] for who in ("client", "lawyer")]
    other = people[party == "client"]["name"]
    meeting = row["meeting"]
    off = meeting["status"] == "cancelled"
    link = view["meeting"]["join_url"]
    expected = {
        "uid": f"{meeting['id']}@meetlink",
        "summary": f"{row['title']} – {other}",
        "start": parsers.utc(meeting["starts_at"].replace(tzinfo=datetime.UTC)),
        "end": parsers.utc(meeting["ends_at"].replace(tzinfo=datetime.UTC)),
        "sequence": str(meeting["sequence"]),
        "status": "CANCELLED" if off else "CONFIRMED",
        "location": None if off else link,
        "organizer": "mailto:meetings@example.org",
        "attendees": [f"mailto:{person['email']}" for person in people],
        "names": [as_parameter(person["name"]) for person in people],
        "answers": ["NEEDS-ACTION", "ACCEPTED"],
    }
    said = {name: plain(value) if isinstance(value, str) else value for name, value in read.items()}
    description = said.pop("description")
    assert said == expected, by
    texts = [*(person["name"] for person in people), *(row["description"] or "").split("\n")]
    assert all(text.strip() in description for text in texts), by
    assert off or link in description, by


@pytest.fixture(scope="module")
def calendars(stack: Stack) -> list[tuple[bytes, dict, str, dict]]:
    """Of generated meetings for each of their people: the file, the document, whose, and what the API
    shows to them."""
    found = []

    @hypothesis.settings(max_examples=MEETINGS, phases=[hypothesis.Phase.generate])
    @hypothesis.given(MEETING)
    def make(drawn: dict) -> None:
        parties = stack.parties()
        people = {
            who: parties.person(who, name=drawn[who], timezone=zone, locale=drawn["locale"])
            for who, zone in zip(("client", "lawyer"), drawn["zones"], strict=True)
        }
        for person in people.values():
            if person["locale"] is None:
                del person["locale"]
        request = parties.accepted(
            title=drawn["title"],
            description=drawn["description"] or None,
            starts_at=stack.at(hours=drawn["hours"]),
            duration_minutes=drawn["minutes"],
            **people,
        )
        if drawn["cancelled"]:
            assert parties.client.cancel(request["id"]).status_code == 200
        row = stack.document(request["id"])
        callers: dict[str, Caller] = {"client": parties.client, "lawyer": parties.lawyer}
        for party, caller in callers.items():
            answer = caller.get(f"/api/requests/{request['id']}/calendar.ics")
            assert answer.status_code == 200
            found.append((answer.content, row, party, caller.request(request["id"])))

    make()
    return found


@pytest.mark.parametrize("by", parsers.NAMES)
@pytest.mark.skipif(not PROBE.exists(), reason="ics_probe was not built: make check does")
def test_every_program_reads_the_meeting(
    calendars: list[tuple[bytes, dict, str, dict]], by: str
) -> None:
    read = parsers.parser(by)([one[0] for one in calendars])
    for said, (_, row, party, view) in zip(read, calendars, strict=True):
        check_read(by, said, row, party, view)
    print(f"{by}: {len(calendars)} calendars of {len(calendars) // 2} meetings")


@pytest.fixture(scope="module")
def mutants() -> list[bytes]:
    """What mutated templates make, each that was not refused when it was loaded: a feed of one event,
    and two events."""
    done = subprocess.run(
        [PROBE, "mutants", "1", str(MUTANTS)],
        env=os.environ | {"srcdir": str(ROOT)},
        capture_output=True,
        timeout=3000,
    )
    print(done.stderr.decode())
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.split(b"\0")[:-1]


@pytest.mark.parametrize("by", parsers.NAMES)
@pytest.mark.skipif(not PROBE.exists(), reason="ics_probe was not built: make check does")
def test_no_edit_of_a_template_breaks_a_calendar(mutants: list[bytes], by: str) -> None:
    assert len(mutants) > MUTANTS / 10
    for said in parsers.parser(by)(mutants):
        assert said["uid"] == "abcDEF_123@meetlink"
        assert (said["start"], said["end"]) == ("20261201T090000Z", "20261201T093000Z")
