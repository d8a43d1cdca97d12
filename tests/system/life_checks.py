"""What must hold for a request at any moment, whatever was done and whatever went wrong; and what
must hold once it has become quiet."""

import datetime
import re
from mailbox import NOTICES, Mail

import icalendar
from life_rules import (
    EXPIRES,
    MAX_GENERATIONS,
    OPENS,
    gate_answer,
    instant,
    read_token,
    utc,
)
from life_world import World

ENDED = ("cancelled", "replaced")
HOSTS = {
    "google_meet": "https://meet.google.com/",
    "zoom": "https://us05web.zoom.us/j/",
    "teams": "https://teams.microsoft.com/l/meetup-join/",
    "jitsi": "https://meet.jit.si/",
}
MESSAGE = re.compile(r"(?P<id>[\w-]{22})\.(?P<generation>\d+)\.(?P<sequence>\d+)\.(?P<kind>\w+)\.")
# status of a request -> what its meeting may be
MEETINGS = {
    "open": {None},
    "declined": {None},
    "lapsed": {None},
    "accepted": {"pending", "ready", "failed", "cancelled"},
    "cancelled": {None, "cancelled"},
    "completed": {"expired", "cancelled"},
}


# ---- a document ----


def check_document(document: dict) -> None:
    """One moment of a request."""
    meeting = document["meeting"]
    effects = document.get("effects") or []
    kinds = [effect["kind"] for effect in effects]
    status = meeting and meeting["status"]
    assert status in MEETINGS[document["status"]], (document["status"], status)
    assert kinds.count("meeting.expire") == (document["status"] == "accepted")
    assert kinds.count("request.lapse") == (document["status"] == "open")
    assert kinds.count("meeting.create") <= 2 and kinds.count("meeting.verify") <= 1
    check_due(document, effects)
    if not meeting:
        return
    for name in ("starts_at", "ends_at", "timezone"):
        assert meeting[name] == document[name], name
    assert meeting["opens_at"] == meeting["starts_at"] - OPENS
    assert meeting["expires_at"] == meeting["ends_at"] + EXPIRES
    assert meeting["generation"] == len(document.get("meetings") or []) + 1 <= MAX_GENERATIONS
    for number, one in enumerate(document.get("meetings") or [], 1):
        assert one["generation"] == number and one["status"] in ENDED and one["ended_at"]
        assert one["id"] == meeting["id"]
    create = [e for e in effects if e["kind"] == "meeting.create"]
    create = [e for e in create if e["generation"] == meeting["generation"]]
    if status in ("pending", "failed"):
        assert [e["state"] for e in create] == ["due" if status == "pending" else "failed"]
    else:
        assert all("lease" in effect for effect in create), "only what is under way is left"
    assert (meeting["next_attempt_at"] is not None) == (status == "pending")
    assert (meeting["ended_at"] is not None) == (status in ("cancelled", "expired"))
    assert status != "failed" or meeting["last_error"]
    if status == "ready":
        check_ready(meeting, kinds)


def check_ready(meeting: dict, kinds: list[str]) -> None:
    assert meeting["provider_url"] and meeting["ready_at"]
    assert meeting["provider"] in HOSTS
    assert ("external_mark" in meeting) == (meeting["provider"] != "jitsi")
    codes = {warning["code"] for warning in meeting.get("warnings") or []}
    moved_on = meeting["provider"] != meeting["requested_provider"]
    assert ("provider_failover" in codes) == moved_on, "another provider is never used in silence"


def check_due(document: dict, effects: list[dict]) -> None:
    """Nothing that is owed is out of the dispatchers' sight."""
    alone = [e for e in effects if e["state"] == "due" and e["kind"].startswith("meeting.")]
    alone = [e["due"] for e in alone if e["kind"] not in ("meeting.create", "meeting.update")]
    if alone:
        assert document["due"] and document["due"] <= min(alone)


def check_trail(before: list[dict], after: list[dict], request_id: str) -> None:
    """Nothing is taken away, and what is added comes later. That it is chained and sealed is for
    `meetlink verify-audit` to say."""
    assert after[: len(before)] == before, "the trail was changed"
    times = [event["at"] for event in after]
    assert times == sorted(times)
    assert {event["request_id"] for event in after} == {request_id}


def check_change(before: dict | None, after: dict) -> None:
    """What never falls."""
    check_document(after)
    check_trail(before["events"] if before else [], after["events"], after["_id"])
    if not before:
        return
    assert after["rev"] > before["rev"]
    old, new = before["meeting"], after["meeting"]
    if old:
        assert new and new["id"] == old["id"]
        for name in ("generation", "sequence"):
            assert new[name] >= old[name], name
        gone = old["status"] in ("cancelled", "expired") or before["status"] != "accepted"
        if gone and new["generation"] == old["generation"]:
            assert new["status"] == old["status"], "what has ended stays so"


# ---- what people see ----


def check_view(document: dict, view: dict, who: str, now: datetime.datetime) -> None:
    """The request as a client or lawyer sees it, against the document."""
    meeting = view["meeting"]
    assert (view["id"], view["status"]) == (document["_id"], document["status"])
    assert (meeting is None) == (document["meeting"] is None)
    for name in ("starts_at", "ends_at", "created_at"):
        assert instant(view[name]) == utc(document[name]).replace(microsecond=0)
    if not meeting:
        assert "join" not in view["links"]
        return
    stored = document["meeting"]
    for name in ("id", "generation", "status", "provider", "requested_provider", "sequence"):
        assert meeting[name] == stored[name], name
    for name in ("starts_at", "ends_at", "opens_at", "expires_at"):
        assert instant(meeting[name]) == utc(stored[name])
    assert view["links"].get("join") == meeting["join_url"]
    expires_at = utc(stored["expires_at"])
    joinable = stored["status"] == "ready" and now < expires_at
    assert bool(meeting["join_url"]) == joinable
    if joinable:
        token = read_token(meeting["join_url"])
        assert (token.request_id, token.party) == (document["_id"], who)
        assert token.generation == stored["generation"], "the link is that of the present meeting"


def check_row(row: dict, view: dict, now: datetime.datetime) -> None:
    """A row of a list against the request, seen by the same person at the same time."""
    for name in ("status", "starts_at", "ends_at", "updated_at"):
        assert row[name] == view[name], name
    assert (row["meeting"] is None) == (view["meeting"] is None)
    if row["meeting"]:
        for name in ("status", "provider", "generation", "sequence"):
            assert row["meeting"][name] == view["meeting"][name], name
        # The link goes with the clock.
        if abs(instant(view["meeting"]["expires_at"]) - now) > datetime.timedelta(minutes=1):
            assert row["meeting"]["join_url"] == view["meeting"]["join_url"]


def check_gate(
    world: World, document: dict, generation: int, answer: object, span: list[datetime.datetime]
) -> None:
    """What the gate did, for a document that was the same before and after."""
    allowed = {gate_answer(document, generation, now) for now in span}
    assert answer.status_code in allowed, (answer.status_code, allowed)
    if answer.status_code != 302 or answer.request.method == "HEAD":
        assert "Location" not in answer.headers
        return
    meeting, where = document["meeting"], answer.headers["Location"]
    assert where.startswith(HOSTS[meeting["provider"]]), (meeting["provider"], where)
    found = world.live([document["title"]])
    ours = [one for name, one in found if name == meeting["provider"] and one.join_url == where]
    assert ours or not found or meeting["provider"] == "jitsi", (where, found)


# ---- at the providers ----


def check_markers(world: World) -> None:
    """No two meetings of one key, at any moment."""
    for name, sim in world.sims.items():
        markers = [one.marker for one in sim.live()]
        twice = {marker for marker in markers if markers.count(marker) > 1}
        assert not twice, f"made twice at {name}: {twice}"


# ---- mails ----


class Letter:
    """What a mail about a meeting says."""

    def __init__(self, mail: Mail):
        self.mail = mail
        found = MESSAGE.match(mail.id)
        assert found, mail.id
        self.request_id, self.kind = found["id"], mail.kind
        self.generation, self.sequence = int(found["generation"]), int(found["sequence"])
        self.party = mail.id.partition("@")[0].rpartition(".")[2]
        self.event = None
        if mail.message.get_content_type() == "multipart/mixed":
            calendar = icalendar.Calendar.from_ical(mail.text("text/calendar"))
            (self.event,) = calendar.walk("VEVENT")
            self.method = str(calendar["METHOD"])

    @property
    def span(self) -> tuple[datetime.datetime, datetime.datetime]:
        return self.event["DTSTART"].dt, self.event["DTEND"].dt


def check_letter(letter: Letter, earlier: list[Letter], document: dict) -> None:
    """A mail that has just come, after those to the same person about the same request."""
    assert letter.mail.recipient == document[letter.party]["email"]
    for other in earlier:
        # What a reminder says of the time left goes with the clock.
        if other.mail.id == letter.mail.id and letter.mail.kind != "meeting_reminder":
            assert other.mail.raw == letter.mail.raw, "a repeat is the same mail"
    if letter.mail.kind == "meeting_reminder":
        assert any(other.event for other in earlier), "nobody is reminded of what they do not know"
    if letter.event is None:
        return
    earlier = [other for other in earlier if other.event]
    assert letter.method == ("CANCEL" if letter.kind == "meeting_cancelled" else "REQUEST")
    assert int(letter.event["SEQUENCE"]) == letter.sequence
    assert letter.sequence >= max((other.sequence for other in earlier), default=0)
    if earlier:
        assert letter.event["UID"] == earlier[0].event["UID"]
    if letter.method == "CANCEL":
        assert letter.event["STATUS"] == "CANCELLED"
        return
    links = re.findall(r"https?://[^\s<>]+/join/[\w-]+", letter.mail.text())
    assert links, "no invitation leaves without a link"
    for link in {*links, str(letter.event["LOCATION"]), str(letter.event["URL"])}:
        token = read_token(link)
        assert (token.request_id, token.party) == (document["_id"], letter.party)
        assert token.generation == letter.generation


# ---- when it is quiet ----


def last_word(letters: list[Letter]) -> Letter | None:
    """The last mail that says how things stand."""
    words = [letter for letter in letters if letter.mail.kind not in NOTICES]
    return words[-1] if words else None


def check_quiet(world: World, document: dict, letters: dict[str, list[Letter]]) -> None:
    """Nothing is owed but the watch, no fault is left: promises are kept, or shown as failed."""
    effects = document.get("effects") or []
    failed = [e for e in effects if e["state"] == "failed"]
    check_provider(world, document, {effect["kind"] for effect in failed})
    meeting = document["meeting"]
    for party in ("client", "lawyer"):
        last = last_word(letters[party])
        if any("mail" in e and e["mail"]["party"] == party for e in failed):
            continue
        if document["status"] == "declined":
            assert party == "lawyer" or (last and last.kind == "request_declined")
        elif document["status"] == "lapsed":
            # A day after its time nobody waits for that any more.
            late = document["updated_at"] - document["starts_at"] > datetime.timedelta(days=1)
            assert party == "lawyer" or late or (last and last.kind == "request_lapsed")
        elif meeting and meeting["status"] == "ready":
            check_newest(world, document, party, last)
        elif meeting and meeting["status"] == "cancelled" and last and last.event:
            assert last.method == "CANCEL", f"the {party} was not told of the end"


def check_newest(world: World, document: dict, party: str, last: Letter | None) -> None:
    meeting = document["meeting"]
    assert last and last.method == "REQUEST", f"the {party} was not invited"
    assert last.span == (utc(meeting["starts_at"]), utc(meeting["ends_at"])), "the newest times"
    assert last.generation == meeting["generation"], "the newest link"


def check_provider(world: World, document: dict, failed: set[str]) -> None:
    """One live meeting for a ready one, and none for anything else."""
    meeting, now = document["meeting"] or {}, world.stack.now()
    ready = meeting.get("status") == "ready"
    wanted = [meeting["provider"]] if ready and meeting["provider"] in world.sims else []
    # Zoom is searched for what is to come only: what is over may stay there.
    found = [
        (name, one)
        for name, one in world.live([document["title"]])
        if name != "zoom" or instant(one.ends_at) > now
    ]
    there = [name for name, _ in found]
    over = bool(wanted) and utc(meeting["ends_at"]) <= now
    if "meeting.delete" not in failed:
        assert there == wanted or (over and not there), (there, wanted)
    for name, one in found:
        if name in wanted and not over and not failed & {"meeting.update", "meeting.delete"}:
            span = instant(one.starts_at), instant(one.ends_at)
            assert span == (utc(meeting["starts_at"]), utc(meeting["ends_at"]))
