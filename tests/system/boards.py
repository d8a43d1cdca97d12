"""What a dashboard has to say, found by reading every document there is."""

import datetime
from collections.abc import Iterable

ROWS = 20
MOST = 1000
LISTS = ("needs_action", "upcoming", "waiting", "recent")
NEVER = datetime.datetime(9999, 12, 31, tzinfo=datetime.UTC)
LIVE = ("pending", "ready", "failed")


def utc(moment: datetime.datetime) -> datetime.datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)


def meeting_status(document: dict) -> str | None:
    return document["meeting"] and document["meeting"]["status"]


def over_at(document: dict) -> datetime.datetime:
    """When it was over, or will be."""
    status = document["status"]
    if status in ("open", "lapsed"):
        return utc(document["starts_at"])
    if status in ("accepted", "completed"):
        cancelled = meeting_status(document) == "cancelled"
        return utc(document["meeting"]["ended_at"] if cancelled else document["ends_at"])
    ends = [e["at"] for e in document["events"] if e["action"] == f"request.{status}"]
    return utc(ends[-1])


def proposal(document: dict) -> tuple[str | None, datetime.datetime]:
    """Whether another time is asked for, and until when."""
    asked = document.get("proposal")
    if not asked:
        return None, NEVER
    return asked["status"], min(utc(asked["starts_at"]), utc(document["ends_at"]))


def waits(document: dict, role: str, now: datetime.datetime) -> dict[str, datetime.datetime]:
    """Why it waits for that role, and until when."""
    start, end = utc(document["starts_at"]), utc(document["ends_at"])
    accepted, meeting = document["status"] == "accepted", meeting_status(document)
    warned = {w["code"] for w in document["meeting"]["warnings"]} if meeting else set()
    gave_up = any(effect["state"] == "failed" for effect in document["effects"])
    untold = {"client_not_told", "lawyer_not_told"} & warned or not meeting
    comes = (document["meeting"] or {}).get("attendance", {}).get("client")
    asked, asked_until = proposal(document)
    returned = accepted and any("undeliverable" in document[who] for who in ("client", "lawyer"))
    found = {
        "open": (document["status"] == "open" and role == "lawyer", start),
        "failed": (accepted and meeting == "failed", end),
        "cancelled": (accepted and meeting == "cancelled" and role == "lawyer", end),
        "not_updated": (
            accepted and meeting == "ready" and gave_up and "provider_not_updated" in warned,
            end,
        ),
        "not_deleted": (gave_up and "provider_orphan" in warned, NEVER),
        "not_told": ((gave_up and bool(untold)) or returned, end),
        "overlaps": (accepted and "overlaps" in warned and role == "lawyer", end),
        "declined": (
            accepted and meeting != "cancelled" and role == "lawyer" and comes == "declined",
            end,
        ),
        "proposal": (role == "lawyer" and asked == "open", asked_until),
        "proposal_declined": (role == "client" and asked == "declined", asked_until),
    }
    if role == "client":
        found = {"proposal_declined": found["proposal_declined"]}
    return {reason: until for reason, (there, until) in found.items() if there and now < until}


def read(documents: Iterable[dict], role: str, person: str, now: datetime.datetime) -> dict:
    """The dashboard of a person: counts, and of each list the ids with their reasons."""
    own = [d for d in documents if role == "admin" or d[role]["id"] == person]
    why = {d["_id"]: waits(d, role, now) for d in own}
    ahead = [d for d in own if over_at(d) > now]
    is_open = [d for d in ahead if d["status"] == "open"]
    upcoming = [d for d in ahead if d["status"] == "accepted" and meeting_status(d) in LIVE]

    def rows(some: list, when, latest: bool = False) -> list[tuple[str, list[str]]]:
        order = sorted(some, key=lambda d: (when(d), d["_id"]), reverse=latest)
        return [(d["_id"], list(why[d["_id"]])) for d in order][:ROWS]

    counts = {
        "open": len(is_open),
        "upcoming": len(upcoming),
        "meetings_pending": sum(meeting_status(d) == "pending" for d in upcoming),
        "meetings_failed": sum(meeting_status(d) == "failed" for d in upcoming),
        "proposals": sum(proposal(d)[0] == "open" and now < proposal(d)[1] for d in own),
    }
    return {
        "role": role,
        "counts": {name: min(count, MOST) for name, count in counts.items()},
        "counts_capped": any(count > MOST for count in counts.values()),
        "needs_action": rows(
            [d for d in own if why[d["_id"]]], lambda d: max(why[d["_id"]].values())
        ),
        "upcoming": rows(upcoming, over_at),
        "waiting": rows(is_open, over_at) if role == "client" else [],
        "recent": rows([d for d in own if over_at(d) <= now], over_at, latest=True),
    }


def shown(dashboard: dict) -> dict:
    """An answer in the form of read()."""
    assert set(dashboard) == {"role", "now", "counts", "counts_capped", *LISTS}
    brief = {name: dashboard[name] for name in ("role", "counts", "counts_capped")}
    for name in LISTS:
        brief[name] = [(row["id"], row["reasons"]) for row in dashboard[name]]
    return brief


def without_reasons(rows: list[dict]) -> list[dict]:
    return [{name: row[name] for name in row if name != "reasons"} for row in rows]
