"""The peer that bench/reads holds meetlink's reads against: the same answers, from documents with
the same content, made with FastAPI, pymongo and icalendar. bench/README.md says what is the same.

Settings are environment variables: MONGODB_URI, DATABASE, PUBLIC_URL, JWT_SECRET, LINK_KEY.
"""

import asyncio
import base64
import datetime
import hashlib
import hmac
import os
import secrets
from typing import Annotated, Any, Literal

import calendars
import jwt
import orjson
import views
from fastapi import Depends, FastAPI, HTTPException, Query, Request, Response
from pymongo import AsyncMongoClient
from views import MOST_COUNTED, OWN, Caller

ROWS = 20
FEED_PAST = datetime.timedelta(days=90)
FEED_CANCELLED = datetime.timedelta(days=30)
# What is not of the answers: the trail, which is long, and what the lists go by.
SHOWN = {"rev": 0, "shelf": 0, "over_at": 0, "lawyer_until": 0, "trail": 0}
JSON = orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS
SECRET = os.environ["JWT_SECRET"]
CLAIMS: Any = {"require": ["exp", "sub", "role"]}

database = AsyncMongoClient(os.environ["MONGODB_URI"])[os.environ["DATABASE"]]
requests, feeds = database["requests"], database["feeds"]
app = FastAPI(title="peer", openapi_url=None)


async def authenticated(request: Request) -> Caller:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    try:
        if scheme.lower() != "bearer":
            raise jwt.InvalidTokenError
        claims = jwt.decode(
            token, SECRET, ["HS256"], options=CLAIMS, audience="meetlink", issuer="meetlink"
        )
        return Caller(claims["sub"], claims["role"])
    except jwt.InvalidTokenError:
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"}) from None


Person = Annotated[Caller, Depends(authenticated)]


def reply(request: Request, body: bytes, media_type: str, **headers: str) -> Response:
    etag = f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'
    headers["ETag"] = etag
    if etag in request.headers.get("If-None-Match", ""):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)


def reply_json(request: Request, answer: dict) -> Response:
    return reply(request, orjson.dumps(answer, option=JSON), "application/json")


def reply_calendar(request: Request, body: bytes, changed: datetime.datetime, as_: str) -> Response:
    headers = {
        "Content-Disposition": as_,
        "Last-Modified": changed.strftime("%a, %d %b %Y %H:%M:%S GMT"),
    }
    return reply(request, body, "text/calendar; charset=utf-8", **headers)


def now() -> datetime.datetime:
    """Naive and in UTC, as pymongo reads and writes instants."""
    return datetime.datetime.now(datetime.UTC).replace(tzinfo=None)


async def find_own(request_id: str, caller: Caller) -> dict:
    document = await requests.find_one({"_id": request_id}, SHOWN)
    if document is None or not views.may_see(document, caller):
        raise HTTPException(404)
    return document


@app.get("/healthz")
async def get_health() -> Response:
    return Response(b'{"status":"ok"}', media_type="application/json")


@app.get("/api/requests/{request_id}")
async def get_request(request: Request, request_id: str, caller: Person) -> Response:
    document = await find_own(request_id, caller)
    return reply_json(request, views.request(document, caller, now()))


@app.get("/api/requests/{request_id}/calendar.ics")
async def get_calendar(request: Request, request_id: str, caller: Person) -> Response:
    document = await find_own(request_id, caller)
    if caller.role not in OWN:
        raise HTTPException(403)
    if document["meeting"] is None:
        raise HTTPException(404)
    body = calendars.one(document, caller.role)
    attachment = 'attachment; filename="meeting.ics"'
    return reply_calendar(request, body, document["updated_at"], attachment)


def position(cursor: str, order: str) -> dict:
    """What lies behind a cursor."""
    compare = "$gt" if order == "asc" else "$lt"
    try:
        text, request_id = base64.urlsafe_b64decode(cursor).decode().split(" ")
        start = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise HTTPException(422) from None
    same = {"starts_at": start, "_id": {compare: request_id}}
    return {"$or": [{"starts_at": {compare: start}}, same]}


def cursor_of(row: dict) -> str:
    return base64.urlsafe_b64encode(f"{row['starts_at'].isoformat()} {row['id']}".encode()).decode()


@app.get("/api/requests")
async def get_requests(
    request: Request,
    caller: Person,
    status: str | None = None,
    meeting_status: str | None = None,
    starts_from: Annotated[datetime.datetime | None, Query(alias="from")] = None,
    starts_before: Annotated[datetime.datetime | None, Query(alias="to")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    order: Literal["asc", "desc"] = "desc",
    cursor: Annotated[str | None, Query(max_length=128)] = None,
) -> Response:
    start = {"$gte": starts_from, "$lt": starts_before}
    wanted = {
        "status": status,
        "meeting.status": meeting_status,
        "starts_at": {name: value for name, value in start.items() if value} or None,
    }
    query: dict = views.own(caller) | {name: value for name, value in wanted.items() if value}
    if cursor:
        query |= position(cursor, order)
    way = 1 if order == "asc" else -1
    found = requests.find(query, SHOWN).sort([("starts_at", way), ("_id", way)]).limit(limit + 1)
    moment = now()
    rows = [views.request(document, caller, moment) for document in await found.to_list()]
    next_cursor = cursor_of(rows[limit - 1]) if len(rows) > limit else None
    return reply_json(request, {"items": rows[:limit], "next_cursor": next_cursor})


async def rows_of(query: dict, at: str, way: int) -> list[dict]:
    """At most ROWS, in the order of an instant."""
    found = requests.find(query, SHOWN).sort([(at, way), ("_id", way)])
    return await found.limit(ROWS).to_list()


async def count(query: dict) -> int:
    """The command, which an index answers; count_documents() is an aggregate."""
    command = {"count": "requests", "query": query, "limit": MOST_COUNTED + 1}
    return (await database.command(command))["n"]


async def counts_of(rows: list[dict], kinds: dict[str, tuple[views.Key, dict]]) -> dict[str, int]:
    """How many there are of each kind: from the rows where these are all, else from an index."""
    if len(rows) < ROWS:
        return {name: sum(map(key, rows)) for name, (key, _) in kinds.items()}
    found = await asyncio.gather(*(count(query) for _, query in kinds.values()))
    return dict(zip(kinds, found, strict=True))


@app.get("/api/dashboard")
async def get_dashboard(request: Request, caller: Person) -> Response:
    """Three finds at once, then counts of what is longer than it shows."""
    if caller.role not in OWN:
        raise HTTPException(403)
    moment = now()
    own, ahead = views.own(caller), {"over_at": {"$gt": moment}}
    open_, coming = own | {"shelf": "open"} | ahead, own | {"shelf": "upcoming"} | ahead
    needed = ("over_at", open_)
    if caller.role == "lawyer":
        needed = ("lawyer_until", own | {"lawyer_until": {"$gt": moment}})
    first, upcoming, recent = await asyncio.gather(
        rows_of(needed[1], needed[0], 1),
        rows_of(coming, "over_at", 1),
        rows_of(own | {"over_at": {"$lte": moment}}, "over_at", -1),
    )
    of_meetings = {
        "upcoming": (views.is_any, coming),
        "meetings_pending": (views.is_pending, own | {"meeting.status": "pending"} | ahead),
        "meetings_failed": (views.is_failed, own | {"meeting.status": "failed"} | ahead),
    }
    counts = await asyncio.gather(
        counts_of(first, {"open": (views.is_open, open_)}), counts_of(upcoming, of_meetings)
    )
    answer = views.dashboard(caller, moment, counts[0] | counts[1], first, upcoming, recent)
    return reply_json(request, answer)


@app.post("/api/calendar/feed")
async def create_feed(caller: Person) -> Response:
    """The caller's only one: the URL of the one before dies."""
    if caller.role not in OWN:
        raise HTTPException(403)
    whose = {"role": caller.role, "person": caller.id}
    await feeds.delete_many(whose)
    feed_id = secrets.token_urlsafe(16)
    await feeds.insert_one({"_id": feed_id, "changed_at": now()} | whose)
    token = f"{feed_id}.{views.mac('feed', feed_id.encode())}"
    answer = {"url": f"{views.PUBLIC_URL}/calendar/feed/{token}.ics"}
    return Response(orjson.dumps(answer), media_type="application/json")


@app.get("/calendar/feed/{token}.ics")
async def get_feed(request: Request, token: str) -> Response:
    feed_id, _, mac = token.partition(".")
    if not hmac.compare_digest(mac, views.mac("feed", feed_id.encode())):
        raise HTTPException(404)
    feed = await feeds.find_one({"_id": feed_id})
    if feed is None:
        raise HTTPException(404)
    moment = now()
    found = requests.find(
        {
            OWN[feed["role"]]: feed["person"],
            "starts_at": {"$gte": moment - FEED_PAST},
            "meeting": {"$ne": None},
        },
        SHOWN,
    )
    documents = [
        document
        for document in await found.sort([("starts_at", 1), ("_id", 1)]).to_list()
        if document["meeting"]["status"] != "cancelled"
        or document["meeting"]["ended_at"] >= moment - FEED_CANCELLED
    ]
    body = calendars.feed(documents, feed["role"])
    return reply_calendar(request, body, feed["changed_at"], 'inline; filename="meetings.ics"')
