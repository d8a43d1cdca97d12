"""People and programs who call the API, and what holds for every answer they get."""

import dataclasses
import datetime
import json
import re
import secrets
import typing

import jwt
import requests

if typing.TYPE_CHECKING:
    from stack import Stack

# Who names a tool is shown no way into a meeting.
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0"
FAR_AHEAD = datetime.timedelta(days=3650)


def mint(secret: str, algorithm: str = "HS256", **claims: object) -> str:
    """A bearer token; a claim of None is left out."""
    everything = {
        "iss": "meetlink",
        "aud": "meetlink",
        "exp": datetime.datetime.now(datetime.UTC) + FAR_AHEAD,
    } | claims
    present = {k: v for k, v in everything.items() if v is not None}
    return jwt.encode(present, secret, algorithm=algorithm)


def plain(page: str) -> str:
    """What a page or its headers say, without what isolates values, and without the nonce: 22
    letters by chance, in which any short word is found sooner or later."""
    return re.sub(r"</?bdi>|nonce[-=]\"?[\w-]{22}\"?", "", page)


def assert_conventions(answer: requests.Response) -> None:
    """What API.md promises of every answer."""
    assert len(answer.headers["X-Request-Id"]) == 32, answer.headers
    assert "nosniff" in answer.headers["X-Content-Type-Options"]
    if answer.status_code < 400 or "text/html" in answer.headers.get("Content-Type", ""):
        return
    assert answer.headers["Content-Type"] == "application/problem+json", answer.text
    if answer.request.method == "HEAD":
        return
    problem = answer.json()
    expected = {"type", "title", "status", "detail", "instance", "code"}
    assert set(problem) - {"errors"} == expected, problem
    assert problem["status"] == answer.status_code
    assert answer.headers["X-Request-Id"] in problem["instance"]
    assert ("errors" in problem) == (problem["code"] == "invalid"), problem
    for error in problem.get("errors", []):
        assert set(error) == {"pointer", "detail"} and error["detail"]
    assert ("WWW-Authenticate" in answer.headers) == (answer.status_code == 401)
    assert ("Allow" in answer.headers) == (answer.status_code == 405)
    if answer.status_code in (429, 503):
        assert int(answer.headers["Retry-After"]) > 0


def done(answer: requests.Response) -> dict:
    """The JSON of an answer that must be a success."""
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(answer: requests.Response) -> tuple[int, str]:
    """Status and code of a problem."""
    return answer.status_code, answer.json()["code"]


class Caller:
    """Sends requests with one bearer token (None: without). Several threads may share it."""

    def __init__(self, url: str, token: str | None):
        self.url = url
        self.token = token
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["User-Agent"] = BROWSER
        self.session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=64))

    def call(self, method: str, path: str, **options: typing.Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        headers |= options.pop("headers", {})
        url = path if path.startswith("http") else self.url + path
        options = {"timeout": 60, "allow_redirects": False} | options
        answer = self.session.request(method, url, headers=headers, **options)
        assert_conventions(answer)
        return answer

    def get(self, path: str, **options: typing.Any) -> requests.Response:
        return self.call("GET", path, **options)

    def head(self, path: str, **options: typing.Any) -> requests.Response:
        return self.call("HEAD", path, **options)

    def post(self, path: str, body: object = None, **options: typing.Any) -> requests.Response:
        """`body` is sent as JSON; options may have `data` in its place."""
        if "data" not in options:
            options["data"] = json.dumps({} if body is None else body).encode()
        headers = {"Content-Type": "application/json"} | options.pop("headers", {})
        return self.call("POST", path, headers=headers, **options)

    def put(self, path: str, body: object = None, **options: typing.Any) -> requests.Response:
        if "data" not in options:
            options["data"] = json.dumps({} if body is None else body).encode()
        headers = {"Content-Type": "application/json"} | options.pop("headers", {})
        return self.call("PUT", path, headers=headers, **options)

    def delete(self, path: str, **options: typing.Any) -> requests.Response:
        return self.call("DELETE", path, **options)

    def respond(self, request_id: str, decision: str, **fields: object) -> requests.Response:
        """Accepts whatever else the lawyer does at that time."""
        if decision == "accept":
            fields = {"allow_overlap": True} | fields
        return self.post(f"/api/requests/{request_id}/respond", {"decision": decision} | fields)

    def cancel(self, request_id: str, **fields: object) -> requests.Response:
        return self.post(f"/api/requests/{request_id}/cancel", fields)

    def command(self, request_id: str, name: str, **fields: object) -> requests.Response:
        """A command on the meeting of a request, such as "reschedule"."""
        return self.post(f"/api/requests/{request_id}/meeting/{name}", fields)

    def fetch(self, path: str, **options: typing.Any) -> typing.Any:
        """The JSON of a GET that must succeed."""
        answer = self.get(path, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def request(self, request_id: str) -> dict:
        return self.fetch(f"/api/requests/{request_id}")

    def audit(self, request_id: str) -> list[dict]:
        return self.fetch(f"/api/requests/{request_id}/audit")["items"]

    def pages(self, path: str = "/api/requests", **query: object) -> list[list[dict]]:
        """All pages of a list, by its cursor."""
        pages, cursor = [], {}
        while True:
            page = self.fetch(path, params=query | cursor)
            assert set(page) == {"items", "next_cursor"}
            pages.append(page["items"])
            if page["next_cursor"] is None:
                return pages
            cursor = {"cursor": page["next_cursor"]}


@dataclasses.dataclass
class Parties:
    """A client, a lawyer, and what they do with each other."""

    stack: "Stack"
    client: Caller
    lawyer: Caller
    client_id: str = dataclasses.field(init=False)
    lawyer_id: str = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        for who in ("client", "lawyer"):
            token = getattr(self, who).token
            claims = jwt.decode(token, options={"verify_signature": False})
            setattr(self, f"{who}_id", claims["sub"])

    def person(self, who: str, **changes: object) -> dict:
        sub = getattr(self, f"{who}_id")
        return {"id": sub, "name": f"{who.title()} Ex", "email": f"{sub}@example.com"} | changes

    def draft(self, **changes: object) -> dict:
        """The body of POST /api/requests; a change to None leaves the field out."""
        body = {
            "title": "Advice on a contract",
            "client": self.person("client"),
            "lawyer": self.person("lawyer", timezone="Europe/Berlin"),
            "starts_at": self.stack.at(days=3),
            "duration_minutes": 45,
        } | changes
        return {name: value for name, value in body.items() if value is not None}

    def create(self, **changes: object) -> dict:
        answer = self.client.post("/api/requests", self.draft(**changes))
        assert answer.status_code == 201, answer.text
        return answer.json()

    def accept(self, request: dict, **fields: object) -> dict:
        answer = self.lawyer.respond(request["id"], "accept", **fields)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def accepted(self, **changes: object) -> dict:
        """A request that was created and accepted, as the lawyer sees it."""
        return self.accept(self.create(**changes))


def new_key() -> str:
    return secrets.token_urlsafe(24)
