"""The simulators keep their providers' rules, and misbehave as ordered."""

import datetime
import http.server
import json
import subprocess
import sys
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator

import jwt
import pytest
import requests
import zoom as zoom_sim
from google import Google
from google_account import AUDIENCE, rsa
from graph import Graph
from sim import CHAOS, Fault, Sim
from sim_rules import instant, utc
from support import at_once, until
from zoom import PER_SECOND, Zoom

SCOPE = "https://www.googleapis.com/auth/calendar.events"


class Client:
    """Calls a simulator as a well-behaved program would, but for what a test says."""

    def __init__(self, sim: Sim, api: str, token: str = ""):
        self.sim, self.api, self.token = sim, api, token

    def call(self, method: str, path: str, body: object = None, **more: object):
        headers = {"Authorization": f"Bearer {self.token}"} | more.pop("headers", {})
        return requests.request(
            method, self.api + path, json=body, headers=headers, timeout=5, **more
        )

    def log_in(self) -> "Client":
        answer = TOKENS[type(self.sim)](self.sim)
        assert answer.status_code == 200, answer.text
        self.token = answer.json()["access_token"]
        return self


def form(url: str, fields: dict, **more: object) -> requests.Response:
    return requests.post(url, data=fields, timeout=5, **more)


def zoom_token(sim: Zoom, client: tuple | None = None, more: dict | None = None, **fields: str):
    fields = {"grant_type": "account_credentials", "account_id": sim.account_id} | fields
    client = client or (sim.client_id, sim.client_secret)
    return form(sim.conf["ZOOM_TOKEN_URL"], fields, auth=client, **more or {})


def assertion(sim: Google, key: object = None, header: dict | None = None, **claims: object) -> str:
    now = int(time.time())
    preset = {"iss": sim.account.email, "sub": sim.subject, "scope": SCOPE, "aud": AUDIENCE}
    claims = preset | {"iat": now - 10, "exp": now + 3500} | claims
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(
        claims, key or sim.account.key, "RS256", header or {"kid": sim.account.key_id}
    )


def google_token(sim: Google, key: object = None, header: dict | None = None, **claims: object):
    grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
    fields = {"grant_type": grant, "assertion": assertion(sim, key, header, **claims)}
    return form(sim.conf["GOOGLE_TOKEN_URL"], fields)


def graph_token(sim: Graph, tenant: str | None = None, **fields: str) -> requests.Response:
    preset = {"grant_type": "client_credentials", "client_id": sim.client_id}
    preset |= {"client_secret": sim.client_secret, "scope": "https://graph.microsoft.com/.default"}
    url = sim.conf["TEAMS_TOKEN_URL"].replace("{tenant}", tenant or sim.tenant_id)
    return form(url, preset | fields)


TOKENS: dict[type, Callable] = {Zoom: zoom_token, Google: google_token, Graph: graph_token}


@pytest.fixture
def zoom() -> Iterator[Client]:
    with Zoom() as sim:
        yield Client(sim, sim.conf["ZOOM_API_URL"]).log_in()


@pytest.fixture
def calendar() -> Iterator[Client]:
    with Google() as sim:
        yield Client(sim, sim.conf["GOOGLE_API_URL"] + "/calendars/primary/events").log_in()


@pytest.fixture
def teams() -> Iterator[Client]:
    with Graph() as sim:
        api = f"{sim.conf['TEAMS_API_URL']}/users/{sim.organizer}/onlineMeetings"
        yield Client(sim, api).log_in()


def named(value: object) -> str:
    """Names a case by what it changes."""
    return "+".join(value) if isinstance(value, dict) else str(value)


def ahead(hours: float) -> str:
    return utc(datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=hours))


def meeting(**more: object) -> dict:
    preset = {"topic": "Advice", "type": 2, "start_time": ahead(24), "timezone": "Europe/Berlin"}
    return preset | {"duration": 30, "password": "s3cret", "agenda": "bk-1"} | more


def event(**more: object) -> dict:
    create = {"requestId": "bk-1-1", "conferenceSolutionKey": {"type": "hangoutsMeet"}}
    preset = {"id": "ak788072jd0t99om8hj5ah0000", "summary": "Advice"}
    preset |= {"start": {"dateTime": ahead(24)}, "end": {"dateTime": ahead(25)}}
    return preset | {"conferenceData": {"createRequest": create}} | more


def online_meeting(**more: object) -> dict:
    preset = {"subject": "Advice", "externalId": "bk-1"}
    return preset | {"startDateTime": ahead(24), "endDateTime": ahead(25)} | more


HOST = "/users/host%40lawyers.example/meetings"
V1 = {"params": {"conferenceDataVersion": "1"}}


# Misbehaviour, with Zoom standing for all.


SILENT = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    "kind",
    [
        {"drop": True},
        {"reset": True},
        {"cut": True},
        {"cut": True, "chunked": True},
        {"cut": True, "split": True},
        {"refuse": True},
    ],
    ids=named,
)
def test_an_answer_can_be_lost_before_or_after_the_work(zoom: Client, kind: dict, when: str):
    zoom.sim.script(Fault("POST /users/*/meetings", when=when, **kind))
    with pytest.raises(SILENT):
        zoom.call("POST", HOST, meeting())
    assert len(zoom.sim.live()) == (when == "after")
    zoom.sim.up()
    assert zoom.call("POST", HOST, meeting()).status_code == 201


def test_a_fault_replaces_the_answer(zoom: Client):
    zoom.sim.script(Fault("GET /meetings", body="[]", headers={"Content-Type": "application/json"}))
    assert zoom.call("GET", HOST).json() == []
    zoom.sim.script(
        Fault("POST *", **PER_SECOND),
        Fault("POST /users/*/meetings", status=503, headers={"Retry-After": "7"}),
        Fault("* /meetings", html=True, when="after"),
        Fault("POST /meetings/*", status=418),
    )
    answers = [zoom.call("POST", HOST, meeting()) for _ in range(4)]
    assert [one.status_code for one in answers] == [429, 503, 502, 201]
    assert "per-second" in answers[0].json()["message"]
    assert answers[1].headers["Retry-After"] == "7" and answers[1].json()["code"] == 503
    assert answers[2].text.startswith("<html>")
    assert len(zoom.sim.live()) == 2
    assert [call.status for call in zoom.sim.seen("POST", HOST.replace("%40", "@"))] == [
        one.status_code for one in answers
    ]


def test_a_fault_may_skip_calls_and_come_again(zoom: Client):
    zoom.sim.script(Fault("POST *", times=2, skip=1, status=500))
    statuses = [zoom.call("POST", HOST, meeting()).status_code for _ in range(4)]
    assert statuses == [201, 500, 500, 201]


@pytest.mark.parametrize("kind", [{"chunked": True}, {"split": True}], ids=named)
def test_an_answer_in_pieces_is_whole(zoom: Client, kind: dict):
    zoom.sim.script(Fault("POST *", **kind))
    answer = zoom.call("POST", HOST, meeting())
    assert answer.status_code == 201 and answer.json()["topic"] == "Advice"


@pytest.mark.parametrize(("when", "made"), [("before", 0), ("after", 1)])
def test_a_hanging_call_ends_by_release(zoom: Client, when: str, made: int):
    zoom.sim.hang_all(when)
    with pytest.raises(requests.Timeout):
        requests.get(zoom.api, timeout=0.1)

    def release() -> None:
        until(lambda: zoom.sim.count("POST", "/meetings"), "the call")
        assert len(zoom.sim.live()) == made
        zoom.sim.release()

    def call() -> None:
        with pytest.raises(requests.ConnectionError):
            zoom.call("POST", HOST, meeting())

    at_once([call, release])
    assert zoom.call("GET", HOST).status_code == 200


def test_a_slow_call_is_done_although_nobody_waited(zoom: Client):
    zoom.sim.script(Fault("POST *", delay=0.3))
    with pytest.raises(requests.Timeout):
        requests.post(
            zoom.api + HOST,
            json=meeting(),
            timeout=0.1,
            headers={"Authorization": f"Bearer {zoom.token}"},
        )
    until(zoom.sim.live, "the meeting")


def test_down_and_up_at_the_same_port(zoom: Client):
    with requests.Session() as session:
        url = zoom.api + HOST
        assert session.get(url, timeout=5).status_code == 401
        zoom.sim.down()
        with pytest.raises(requests.ConnectionError):
            session.get(url, timeout=5)
        zoom.sim.up()
        assert session.get(url, timeout=5).status_code == 401


def test_chaos_is_repeatable_and_ends(zoom: Client):
    def outcomes() -> list[int]:
        zoom.sim.chaos(0.5, ("429", "503", "html after", "split"), seed=7)
        return [zoom.call("POST", HOST, meeting()).status_code for _ in range(40)]

    first = outcomes()
    assert first == outcomes() and {201, 429, 503, 504} == set(first)
    zoom.sim.calm()
    assert zoom.call("GET", HOST).status_code == 200


def test_all_kinds_of_chaos(zoom: Client):
    zoom.sim.chaos(1.0)

    def call() -> None:
        try:
            zoom.call("POST", HOST, meeting())
        except SILENT:
            pass

    at_once([call] * 60)
    zoom.sim.calm()
    assert zoom.sim.count("POST", HOST.replace("%40", "@")) == 60
    assert 10 < len(zoom.sim.live()) < 60 and len(CHAOS) > 10


@pytest.mark.parametrize("kind", [Zoom, Google, Graph])
def test_tokens_expire_and_are_demanded(kind: type[Sim]):
    with kind() as sim:
        path = {Zoom: HOST, Google: "/calendars/primary/events", Graph: "/users/x/onlineMeetings/y"}
        url = next(value for name, value in sim.conf.items() if name.endswith("API_URL"))
        client = Client(sim, url).log_in()
        assert client.call("GET", path[kind]).status_code != 401
        sim.expire_tokens()
        assert client.call("GET", path[kind]).status_code == 401
        assert client.log_in().call("GET", path[kind]).status_code != 401
        later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)
        sim.now = lambda: later
        assert client.call("GET", path[kind]).status_code == 401
        sim.now = lambda: datetime.datetime.now(datetime.UTC)
        assert client.call("GET", path[kind], headers={"Authorization": ""}).status_code == 401
        assert (
            client.call(
                "GET", path[kind] + f"?access_token={client.token}", headers={"Authorization": ""}
            ).status_code
            == 401
        )
        assert sim.count("POST", "/token") == 2
        assert client.call("GET", "/nowhere").status_code == 404
        assert requests.get(url.rsplit("/", 1)[0] + "/x", timeout=5).status_code in (404, 405)


@pytest.mark.parametrize("name", ["zoom", "google", "graph"])
def test_runs_as_a_program(name: str, request: pytest.FixtureRequest):
    program = request.path.parent / f"{name}.py"
    process = subprocess.Popen([sys.executable, program], stdout=subprocess.PIPE, text=True)
    with process:
        url = process.stdout.readline().strip()
        assert requests.get(url, timeout=5).status_code == 404
        lines = [process.stdout.readline()]
        while lines[-1].startswith("MEETLINK_"):
            lines.append(process.stdout.readline())
        assert len(lines) > 2 and json.loads(lines[-1])["enabled"]
        process.terminate()
        assert process.wait(10) == 0


# Zoom.


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"client": ("x", "y")}, "invalid_client"),
        ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
        ({"account_id": "x"}, "invalid_request"),
        ({"more": {"params": {"account_id": "x"}}}, "invalid_request"),
        ({"more": {"headers": {"Content-Type": "text/plain"}}}, "invalid_request"),
    ],
    ids=named,
)
def test_zoom_tokens(zoom: Client, change: dict, error: str):
    answer = zoom_token(zoom.sim, **change)
    assert answer.status_code == 400 and answer.json()["error"] == error


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"topic": "x" * 201}, "topic"),
        ({"agenda": "x" * 2001}, "agenda"),
        ({"duration": 0}, "duration"),
        ({"duration": 1441}, "duration"),
        ({"duration": "30"}, "duration"),
        ({"duration": True}, "duration"),
        ({"start_time": "2030-01-01 10:00"}, "start_time"),
        ({"start_time": "2030-13-01T10:00:00Z"}, "start_time"),
        ({"start_time": "2030-01-01T10:00:00+01:00"}, "start_time"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"timezone": "../UTC"}, "timezone"),
        ({"password": "elevenchars"}, "password"),
        ({"password": "a b"}, "password"),
        ({"type": 4}, "type"),
        ({"surprise": 1}, "surprise"),
        ({"settings": {"waiting_room": 1}}, "settings.waiting_room"),
        ({"settings": {"mute_on_entry": True}}, "settings.mute_on_entry"),
        ({"settings": {"jbh_time": 7}}, "settings.jbh_time"),
        ({"settings": []}, "settings"),
    ],
    ids=named,
)
def test_zoom_refuses(zoom: Client, change: dict, field: str):
    answer = zoom.call("POST", HOST, meeting(**change))
    assert answer.status_code == 400 and answer.json()["code"] == 300
    assert answer.json()["errors"][0]["field"] == field
    assert not zoom.sim.live()


def test_zoom_wants_json(zoom: Client):
    headers = {"Content-Type": "text/plain"}
    assert zoom.call("POST", HOST, meeting(), headers=headers).status_code == 400
    headers = {"Content-Type": "application/json"}
    assert zoom.call("POST", HOST, data="{", headers=headers).status_code == 400
    assert zoom.call("POST", HOST, ["x"]).status_code == 400


def test_a_zoom_meeting_lives(zoom: Client):
    asked = {"waiting_room": True, "join_before_host": True, "mute_upon_entry": True}
    made = zoom.call("POST", HOST, meeting(settings=asked)).json()
    assert made["id"] > 1 << 32 and made["join_url"].startswith("https://")
    assert made["settings"]["mute_upon_entry"] and not made["settings"]["join_before_host"]
    path = f"/meetings/{made['id']}"
    again = zoom.call("GET", path).json()
    assert again.pop("start_url") != made.pop("start_url") and again == made

    moved = {"start_time": ahead(48), "duration": 45, "password": "other1"}
    assert zoom.call("PATCH", path, moved).status_code == 204
    (live,) = zoom.sim.live()
    assert (live.id, live.marker, live.starts_at) == (str(made["id"]), "bk-1", moved["start_time"])
    assert instant(live.ends_at) - instant(live.starts_at) == datetime.timedelta(minutes=45)
    assert live.join_url != made["join_url"] and live.title == "Advice"
    assert zoom.call("PATCH", path, {"start_time": ahead(-1)}).status_code == 400

    zoom.sim.meetings[made["id"]].raw["status"] = "started"
    assert zoom.call("DELETE", path).json()["code"] == 3002
    assert zoom.call("PUT", f"{path}/status", {"action": "end"}).status_code == 204
    assert zoom.call("DELETE", path).status_code == 204
    gone = zoom.call("DELETE", path)
    assert gone.status_code == 404
    assert gone.json() == {"code": 3001, "message": f"Meeting does not exist: {made['id']}."}
    assert zoom.call("PATCH", path, moved).status_code == 404 and not zoom.sim.live()


def test_a_local_zoom_time_is_that_of_its_zone(zoom: Client):
    zoom.call("POST", HOST, meeting(start_time="2030-07-01T10:00:00"))
    body = meeting(start_time="2030-07-01T10:00:00")
    del body["timezone"]
    zoom.call("POST", HOST, body)
    starts = [one.starts_at for one in zoom.sim.live()]
    assert starts == ["2030-07-01T08:00:00Z", "2030-07-01T17:00:00Z"]


def test_zoom_settings_are_dropped_or_forced(zoom: Client):
    body = meeting(settings={"mute_upon_entry": True})
    del body["password"]
    assert zoom.call("POST", HOST, body).json()["settings"]["waiting_room"]
    zoom.sim.dropped = {"mute_upon_entry"}
    assert not zoom.call("POST", HOST, body).json()["settings"]["mute_upon_entry"]


def test_zoom_counts_creates_and_updates_by_day(zoom: Client):
    zoom.sim.daily_limit = 2
    path = f"/meetings/{zoom.call('POST', HOST, meeting()).json()['id']}"
    assert zoom.call("PATCH", path, {"topic": "x"}).status_code == 204
    over = zoom.call("PATCH", path, {"topic": "y"})
    assert over.status_code == 429 and "daily rate limit (2)" in over.json()["message"]
    assert "Retry-After" not in over.headers
    tomorrow = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)
    zoom.sim.now = lambda: tomorrow
    assert zoom.log_in().call("POST", HOST, meeting(start_time=ahead(72))).status_code == 201


def test_zoom_lists_in_pages_and_cuts_the_agenda(zoom: Client):
    zoom.sim.max_page = 2
    for number in range(5):
        zoom.call("POST", HOST, meeting(agenda="x" * 300, topic=f"topic {number}"))
    topics, token = [], ""
    for _ in range(3):
        query = {"type": "upcoming", "page_size": 300, "next_page_token": token}
        page = zoom.call("GET", HOST, params=query).json()
        topics += [row["topic"] for row in page["meetings"]]
        token = page["next_page_token"]
    assert sorted(topics) == [f"topic {number}" for number in range(5)] and token == ""
    assert len(page["meetings"][0]["agenda"]) == 250
    assert zoom.call("GET", HOST, params={"next_page_token": "x"}).status_code == 400
    zoom.sim.list_lag = 60
    assert zoom.call("GET", HOST).json()["meetings"] == []


def test_zoom_scopes_and_users(zoom: Client):
    assert zoom.call("POST", "/users/nobody/meetings", meeting()).json()["code"] == 1001
    assert zoom.call("POST", "/users/me/meetings", meeting()).status_code == 404
    assert zoom.call("GET", "/users/host%40lawyers.example").json()["type"] == 2
    zoom.sim.scopes = {"meeting:write:meeting:admin"}
    zoom.log_in()
    assert zoom.call("POST", HOST, meeting()).status_code == 201
    refused = zoom.call("DELETE", f"/meetings/{zoom.sim.live()[0].id}")
    assert refused.status_code == 400 and refused.json()["code"] == 4711


def test_zoom_refresh_tokens_rotate(zoom: Client):
    url, client = zoom.sim.conf["ZOOM_TOKEN_URL"], (zoom.sim.client_id, zoom.sim.client_secret)
    first = zoom.sim.provider(refresh=True)["credentials"]["refresh_token"]
    fields = {"grant_type": "refresh_token", "refresh_token": first}
    answer = form(url, fields, auth=client).json()
    assert answer["refresh_token"] != first
    assert form(url, fields, auth=client).json()["error"] == "invalid_grant"
    zoom.sim.refresh_grace = 1
    assert form(url, fields, auth=client).status_code == 200
    zoom.token = answer["access_token"]
    assert zoom.call("POST", "/users/me/meetings", meeting()).status_code == 201


def test_a_new_zoom_token_may_end_the_old_one(zoom: Client):
    zoom.sim.single_token = True
    old = zoom.token
    zoom.log_in()
    assert zoom.call("GET", HOST).status_code == 200
    zoom.token = old
    assert zoom.call("GET", HOST).json() == {"code": 124, "message": "Invalid access token."}


def test_zoom_signatures():
    body = (
        b'{"event":"meeting.started","event_ts":1700000000123,"payload":{"account_id":"acc1",'
        b'"object":{"id":"85746065432","uuid":"4444AAAiAAAAAiAiAiiAii=="}}}'
    )
    assert zoom_sim.sign("zoom_test_secret", 1700000000, body) == (
        "v0=9c75899946c91c3c37981e37bdd17afca9f7db762146ba463805334572e1307d"
    )
    assert zoom_sim.mac("zoom_test_secret", b"qgg8vlvZRS6UYooatFL8Aw") == (
        "40a58fc396b81cf5fa0ee7d3431e19801ad5c46f66d6891a405bdb809268503d"
    )


def test_zoom_posts_signed_events(zoom: Client):
    arrived = []

    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            arrived.append((self.headers, body))
            self.send_response(204 if len(arrived) == 1 else 401)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    zoom.call("POST", HOST, meeting())
    (live,) = zoom.sim.live()
    with http.server.HTTPServer(("127.0.0.1", 0), Receiver) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/hook"
        assert zoom.sim.webhook("meeting.started", live, "secret", url, ts=1700000000) == (204, "")
        assert zoom.sim.webhook("meeting.deleted", live, "secret", url)[0] == 401
        server.shutdown()
    headers, body = arrived[0]
    assert headers["x-zm-signature"] == zoom_sim.sign("secret", 1700000000, body)
    ids = [json.loads(body)["payload"]["object"]["id"] for _, body in arrived]
    assert ids == [live.id, int(live.id)]


# Google.


@pytest.mark.parametrize(
    ("change", "status", "error", "words"),
    [
        ({"iss": "x@example.com"}, 400, "invalid_grant", "account not found"),
        ({"sub": "stranger@example.com"}, 400, "invalid_grant", "Not a valid email"),
        ({"aud": "https://example.com"}, 400, "invalid_grant", "audience"),
        ({"aud": None}, 400, "invalid_grant", "audience"),
        ({"scope": None}, 400, "invalid_scope", "scope"),
        ({"scope": "https://example.com/x"}, 400, "invalid_scope", "scope"),
        ({"iat": 600, "exp": 900}, 400, "invalid_grant", "short-lived"),
        ({"iat": -7200, "exp": -3600}, 400, "invalid_grant", "short-lived"),
        ({"iat": 0, "exp": 3700}, 400, "invalid_grant", "short-lived"),
        ({"iat": None}, 400, "invalid_grant", "short-lived"),
        ({"header": {"kid": "x"}}, 400, "invalid_grant", "Signature"),
        ({"header": {"typ": "at+jwt"}}, 400, "invalid_grant", "Signature"),
    ],
    ids=named,
)
def test_google_assertions(calendar: Client, change: dict, status: int, error: str, words: str):
    """Times are seconds from now: from when the test runs, not from when it was read."""
    now = int(time.time())
    claims = {name: now + v if isinstance(v, int) else v for name, v in change.items()}
    answer = google_token(calendar.sim, **claims)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert words in answer.json()["error_description"]


def test_google_checks_the_key_and_delegation(calendar: Client):
    stranger = rsa.generate_private_key(65537, 2048)
    assert "Signature" in google_token(calendar.sim, stranger).json()["error_description"]
    claims = {"iss": calendar.sim.account.email, "aud": AUDIENCE}
    unsigned = jwt.encode(claims, "k" * 32, "HS256")
    fields = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": unsigned}
    assert form(calendar.sim.conf["GOOGLE_TOKEN_URL"], fields).status_code == 400
    calendar.sim.delegated = False
    assert google_token(calendar.sim).json()["error"] == "unauthorized_client"


def test_google_refresh_tokens(calendar: Client):
    sim = calendar.sim
    url = sim.conf["GOOGLE_TOKEN_URL"]
    fields = {"grant_type": "refresh_token"} | sim.provider(refresh=True)["credentials"]
    good = form(url, fields).json()
    assert good["scope"] == SCOPE and good["expires_in"] == 3599
    calendar.token = good["access_token"]
    assert calendar.call("POST", "", event(), **V1).status_code == 200
    assert form(url, fields | {"client_secret": "x"}).json()["error"] == "invalid_client"
    assert form(url, fields | {"refresh_token": "x"}).json()["error"] == "invalid_grant"
    assert requests.post(url, json=fields, timeout=5).json()["error"] == "invalid_request"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": "UPPER"}, "invalid"),
        ({"id": "abcw0"}, "invalid"),
        ({"id": "abcd"}, "invalid"),
        ({"iCalUID": "x"}, "invalid"),
        ({"surprise": 1}, "invalid"),
        ({"start": {"dateTime": "2030-01-01T10:00:00"}}, "invalid"),
        ({"start": {"dateTime": "2030-02-30T10:00:00Z"}}, "invalid"),
        ({"start": {}}, "required"),
        ({"end": {"dateTime": ahead(24)}}, "timeRangeEmpty"),
        ({"attendees": [{"email": "nobody"}]}, "invalid"),
        ({"reminders": {"overrides": [{"method": "sms", "minutes": 1}]}}, "invalid"),
        ({"extendedProperties": {"private": {"n": 1}}}, "invalid"),
        ({"conferenceData": {"createRequest": {"requestId": 1}}}, "invalid"),
        (
            {
                "conferenceData": {
                    "createRequest": {
                        "requestId": "x",
                        "conferenceSolutionKey": {"type": "eventHangout"},
                    }
                }
            },
            "invalid",
        ),
    ],
    ids=named,
)
def test_google_refuses(calendar: Client, change: dict, reason: str):
    answer = calendar.call("POST", "", event(**change), **V1)
    assert answer.status_code == 400
    assert answer.json()["error"]["errors"][0]["reason"] == reason
    assert not calendar.sim.live()


def test_google_refuses_a_query_that_it_does_not_know(calendar: Client):
    answer = calendar.call("POST", "", event(), params={"conferenceDataVersion": "2"})
    assert answer.status_code == 400
    assert calendar.call("POST", "", event(), params={"sendNotify": "all"}).status_code == 400


def test_a_google_event_lives(calendar: Client):
    marker = {"private": {"bookingId": "bk-1"}}
    made = calendar.call("POST", "", event(extendedProperties=marker), **V1).json()
    (video,) = [
        one for one in made["conferenceData"]["entryPoints"] if one["entryPointType"] == "video"
    ]
    assert video["uri"] == made["hangoutLink"] and video["uri"].startswith("https://meet.google")
    twice = calendar.call("POST", "", event(), **V1)
    assert twice.status_code == 409
    assert twice.json()["error"]["errors"][0]["reason"] == "duplicate"

    path = f"/{made['id']}"
    moved = {"start": {"dateTime": ahead(48)}, "end": {"dateTime": ahead(49)}}
    stale = calendar.call("PATCH", path, moved, headers={"If-Match": '"0"'})
    assert stale.status_code == 412
    patched = calendar.call("PATCH", path, moved, headers={"If-Match": made["etag"]}).json()
    assert patched["sequence"] == 1 and patched["hangoutLink"] == made["hangoutLink"]
    (live,) = calendar.sim.live()
    assert (live.starts_at, live.id) == (moved["start"]["dateTime"], made["id"])
    assert made["start"]["dateTime"][-6:] in ("+01:00", "+02:00")
    assert json.loads(live.marker) == {"bookingId": "bk-1"}
    query = {"privateExtendedProperty": "bookingId=bk-1"}
    assert len(calendar.call("GET", "", params=query).json()["items"]) == 1
    query = {"privateExtendedProperty": "bookingId=bk-2"}
    assert calendar.call("GET", "", params=query).json()["items"] == []

    assert calendar.call("DELETE", path, params={"sendUpdates": "none"}).status_code == 204
    again = calendar.call("DELETE", path)
    assert again.status_code == 410 and "deleted" in again.text and not calendar.sim.live()
    assert calendar.call("GET", path).json()["status"] == "cancelled"
    assert calendar.call("POST", "", event(), **V1).status_code == 409
    assert calendar.call("PATCH", path, {"summary": "x"}).status_code == 410
    assert calendar.call("PATCH", path, {"status": "confirmed"}).status_code == 200
    assert calendar.call("GET", "/neverwas0").status_code == 404
    assert calendar.call("DELETE", "/neverwas0").status_code == 404


def test_google_ignores_conferences_without_version_or_with_an_old_request(calendar: Client):
    without = calendar.call("POST", "", event()).json()
    assert "conferenceData" not in without and "hangoutLink" not in without
    assert "hangoutLink" in calendar.call("POST", "", event(id="00001"), **V1).json()
    assert "hangoutLink" not in calendar.call("POST", "", event(id="00002"), **V1).json()


def status_of(made: dict) -> str:
    return made["conferenceData"]["createRequest"]["status"]["statusCode"]


def test_google_conferences_may_be_pending_or_fail(calendar: Client):
    calendar.sim.conference("pending", polls=1)
    made = calendar.call("POST", "", event(), **V1).json()
    assert status_of(made) == "pending" and "entryPoints" not in made["conferenceData"]
    path = f"/{made['id']}"
    states = [status_of(calendar.call("GET", path).json()) for _ in range(3)]
    assert states == ["pending", "success", "success"]

    calendar.sim.conference("failure")
    calendar.sim.conference("pending", polls=None, then="failure")
    body = event(id="00001")
    body["conferenceData"]["createRequest"]["requestId"] = "bk-2-1"
    assert status_of(calendar.call("POST", "", body, **V1).json()) == "failure"
    change = {"conferenceData": body["conferenceData"]}
    change["conferenceData"]["createRequest"]["requestId"] = "bk-2-2"
    assert status_of(calendar.call("PATCH", "/00001", change, **V1).json()) == "pending"
    calendar.sim.settle()
    assert status_of(calendar.call("GET", "/00001").json()) == "failure"
    removed = calendar.call("PATCH", "/00001", {"conferenceData": None}, **V1).json()
    assert "conferenceData" not in removed


def test_google_service_accounts_alone_may_do_little(calendar: Client):
    calendar.token = google_token(calendar.sim, sub=None).json()["access_token"]
    guests = event(attendees=[{"email": "client@example.com"}])
    refused = calendar.call("POST", "", guests, **V1)
    assert refused.status_code == 403 and "forbiddenForServiceAccounts" in refused.text
    assert "Invalid conference type value." in calendar.call("POST", "", event(), **V1).text
    assert calendar.call("POST", "", event()).status_code == 200


def test_google_calendars_are_those_of_the_subject(calendar: Client):
    base = calendar.api.removesuffix("/primary/events")
    own = urllib.parse.quote(calendar.sim.subject, safe="")
    calendar.api = base
    assert calendar.call("GET", f"/{own}/events").status_code == 200
    assert calendar.call("GET", "/other%40lawyers.example/events").status_code == 404


# Graph.


@pytest.mark.parametrize(
    ("change", "status", "number"),
    [
        ({"client_secret": "x"}, 401, 7000215),
        ({"client_id": "x"}, 400, 700016),
        ({"tenant": "x"}, 400, 90002),
        ({"scope": "OnlineMeetings.ReadWrite.All"}, 400, 1002012),
        ({"grant_type": "password"}, 400, 70003),
        ({"surprise": "x"}, 400, 900144),
    ],
    ids=named,
)
def test_graph_tokens(teams: Client, change: dict, status: int, number: int):
    answer = graph_token(teams.sim, **change)
    assert (answer.status_code, answer.json()["error_codes"]) == (status, [number])


@pytest.mark.parametrize(
    "change",
    [
        {"externalId": None},
        {"externalId": ""},
        {"startDateTime": "2030-01-01T10:00:00"},
        {"endDateTime": ahead(23)},
        {"endDateTime": ahead(24), "startDateTime": ahead(24)},
        {"lobbyBypassSettings": {"scope": "organizer"}},
        {"surprise": 1},
    ],
    ids=named,
)
def test_graph_refuses(teams: Client, change: dict):
    answer = teams.call("POST", "/createOrGet", online_meeting(**change))
    assert answer.status_code == 400 and answer.json()["error"]["innerError"]["request-id"]
    assert not teams.sim.live()


def test_a_graph_meeting_lives(teams: Client):
    made = teams.call("POST", "/createOrGet", online_meeting())
    again = teams.call("POST", "/createOrGet", online_meeting(subject="Other"))
    assert (made.status_code, again.status_code) == (201, 200) and made.json() == again.json()
    name = made.json()["id"]
    path = "/" + urllib.parse.quote(name, safe="")
    moved = {
        "startDateTime": "2030-07-01T10:00:00+02:00",
        "endDateTime": "2030-07-01T11:00:00+02:00",
        "lobbyBypassSettings": {"scope": "invited"},
    }
    patched = teams.call("PATCH", path, moved)
    assert patched.status_code == 200
    assert patched.json()["lobbyBypassSettings"]["scope"] == "unknownFutureValue"
    shown = teams.call("GET", path, headers={"Prefer": "include-unknown-enum-members"}).json()
    assert shown["lobbyBypassSettings"] == {"scope": "invited", "isDialInBypassEnabled": False}
    (live,) = teams.sim.live()
    assert (live.id, live.marker, live.starts_at) == (name, "bk-1", "2030-07-01T08:00:00Z")
    assert shown["startDateTime"] == "2030-07-01T08:00:00.0000000Z"
    unchangeable = {"joinMeetingIdSettings": {"isPasscodeRequired": False}}
    assert teams.call("PATCH", path, unchangeable).status_code == 400
    assert teams.call("DELETE", path).status_code == 204
    assert teams.call("DELETE", path).status_code == 404 and not teams.sim.live()
    assert teams.call("POST", "/createOrGet", online_meeting()).status_code == 201


def test_a_plain_graph_meeting_is_new_each_time(teams: Client):
    body = online_meeting(joinMeetingIdSettings={"isPasscodeRequired": False})
    del body["externalId"]
    answers = [teams.call("POST", "", body) for _ in range(2)]
    assert [one.status_code for one in answers] == [201, 201] and len(teams.sim.live()) == 2
    assert answers[0].json()["joinMeetingIdSettings"]["passcode"] is None
    teams.sim.dropped = {"subject"}
    assert teams.call("POST", "", body).json()["subject"] == ""


def test_graph_needs_role_policy_and_a_known_user(teams: Client):
    teams.sim.policy.clear()
    refused = teams.call("POST", "/createOrGet", online_meeting())
    assert refused.status_code == 403 and "application access policy" in refused.text
    teams.sim.roles = set()
    assert "permissions" in teams.log_in().call("GET", "/x").text
    teams.sim.secret_expired = True
    assert graph_token(teams.sim).json()["error_codes"] == [7000222]


def test_two_at_once_make_one_graph_meeting(teams: Client):
    calls = [lambda: teams.call("POST", "/createOrGet", online_meeting()).status_code] * 8
    assert sorted(at_once(calls)) == [200] * 7 + [201]
