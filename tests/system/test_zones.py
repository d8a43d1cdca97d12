"""What an update of tzdata changes: the clock of a running service, and who has to be told."""

import datetime
import os
import pathlib
import subprocess
import time
from collections.abc import Callable

import pytest
from stack import PATH, Stack

RULES = """
Rule CA 2007 max - Mar Sun>=8 2:00 1:00 D
Rule CA 2007 max - Nov Sun>=1 2:00 0 S
Rule EU 1996 max - Mar lastSun 1:00u 1:00 S
Rule EU 1996 max - Oct lastSun 1:00u 0 -
Zone Europe/Berlin 1:00 EU CE%sT
Zone Etc/UTC 0 - UTC
Link Etc/UTC UTC
"""
BEFORE = RULES + "Zone America/Vancouver -8:00 CA P%sT\n"
# British Columbia keeps the time of its summers from November 2026 on.
AFTER = RULES + "Zone America/Vancouver -8:00 CA P%sT 2026 Nov 1 2:00\n  -7:00 - MST\n"


def compile_zones(folder: pathlib.Path, rules: str, version: str) -> None:
    """As a package is unpacked: each file takes the place of the one before at once."""
    new = folder.with_suffix(f".{version}")
    subprocess.run(["zic", "-d", new, "-"], input=rules, text=True, check=True, env={"PATH": PATH})
    (new / "tzdata.zi").write_text(f"# version {version}\n")
    for path in sorted(path for path in new.rglob("*") if path.is_file()):
        place = folder / path.relative_to(new)
        place.parent.mkdir(parents=True, exist_ok=True)
        os.replace(path, place)


@pytest.fixture
def zones(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    folder = tmp_path / "zones"
    compile_zones(folder, BEFORE, "2025b")
    monkeypatch.setenv("TZDIR", str(folder))
    return folder


def winter(stack: Stack) -> datetime.date:
    return datetime.date(max(stack.now().year, 2026) + 1, 1, 20)


def listed(stack: Stack, *options: str) -> tuple[list[str], str]:
    *people, count = stack.run("check", "zones", *options).splitlines()
    return people, count


def test_an_update_is_taken_up_and_told(zones: pathlib.Path, start: Callable[..., Stack]) -> None:
    stack = start()
    day = winter(stack)
    parties = stack.parties()
    client = parties.person("client", timezone="America/Vancouver")
    request = parties.accepted(client=client, starts_at=f"{day}T18:00:00Z", duration_minutes=60)
    other = parties.accepted(starts_at=f"{day}T20:00:00Z")
    for made in (request, other):
        stack.settle(made["id"])
    (first,) = [m for m in stack.mails.of(request["id"]) if m.recipient == client["email"]]
    assert "10:00" in first.text() and "PST" in first.text()
    gate = first.text().partition(f"{stack.url}/join/")[2].split()[0]
    assert "PST" in stack.anyone().get(f"/join/{gate}").text
    assert stack.anyone().fetch("/readyz") == {"status": "ready", "tzdata": "2025b"}
    assert listed(stack) == ([], "tzdata 2025b: 0 told otherwise, 0 not known")

    compile_zones(zones, AFTER, "2026b")
    assert stack.anyone().fetch("/readyz")["tzdata"] == "2026b"
    said = f"{request['id']} client America/Vancouver {day}T10:00 {day}T11:00"
    count = "tzdata 2026b: 1 told otherwise, 0 not known"
    assert listed(stack) == ([f"{said} -"], count)
    assert len(stack.mails.of(request["id"])) == 2

    time.sleep(1)  # after which every process looks at a zone again before it uses it
    assert "MST" in stack.anyone().get(f"/join/{gate}").text
    assert listed(stack, "--send") == ([f"{said} owed"], count)
    assert listed(stack, "--send") in (([f"{said} owed"], count), ([], count.replace("1", "0")))
    stack.settle(request["id"])
    mails = [m for m in stack.mails.of(request["id"]) if m.recipient == client["email"]]
    assert [m.kind for m in mails] == ["meeting_ready", "meeting_updated"]
    text = " ".join(mails[1].text().split())
    assert "11:00" in text and "MST" in text
    assert "rules of your time zone have changed" in text and "10:00 (UTC\u221208:00)" in text
    # The instant, and what the calendar has, is what it was.
    before, after = (m.text("text/calendar") for m in mails)
    assert f"DTSTART:{day:%Y%m%d}T180000Z" in before and f"DTSTART:{day:%Y%m%d}T180000Z" in after
    assert listed(stack) == ([], "tzdata 2026b: 0 told otherwise, 0 not known")
    # Nobody else was told anything.
    assert len(stack.mails.of(request["id"])) == 3 and len(stack.mails.of(other["id"])) == 2
    trail = [(e["action"], e["source"]) for e in parties.lawyer.audit(request["id"])]
    assert ("mail.retried", "cli") in trail


def test_who_waits_for_another_link_holds_the_invitation_of_before(
    zones: pathlib.Path, start: Callable[..., Stack]
) -> None:
    stack = start()
    day = winter(stack)
    parties = stack.parties()
    client = parties.person("client", timezone="America/Vancouver")
    made = parties.accepted(client=client, starts_at=f"{day}T18:00:00Z")
    stack.settle(made["id"])
    one = {"_id": made["id"]}
    stack.requests.update_one(one, {"$set": {"meeting.status": "failed"}})
    compile_zones(zones, AFTER, "2026b")
    said = f"{made['id']} client America/Vancouver {day}T10:00 {day}T11:00"
    count = "tzdata 2026b: 1 told otherwise, 0 not known"
    assert listed(stack, "--send") == ([f"{said} -"], count)
    assert stack.owed(made["id"]) == []
    stack.requests.update_one(one, {"$set": {"meeting.status": "ready"}})
    assert listed(stack, "--send") == ([f"{said} owed"], count)


def test_what_the_version_before_told_is_not_known(
    zones: pathlib.Path, start: Callable[..., Stack]
) -> None:
    stack = start()
    parties = stack.parties()
    made = parties.accepted(
        client=parties.person("client", timezone="America/Vancouver"),
        starts_at=f"{winter(stack)}T18:00:00Z",
    )
    stack.settle(made["id"])
    stack.requests.update_one({"_id": made["id"]}, {"$unset": {"client_news.offsets": 1}})
    compile_zones(zones, AFTER, "2026b")
    assert listed(stack, "--send") == ([], "tzdata 2026b: 0 told otherwise, 1 not known")
    assert stack.owed(made["id"]) == []
