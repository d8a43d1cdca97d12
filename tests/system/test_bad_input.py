"""What cannot be taken is refused with words, and nothing of it is stored."""

import gzip
import json

import pytest
from caller import Parties
from stack import Stack
from support import until

LONG = "x" * 5000
# A body within the limits of size and depth of the transport, but not of ours.
DEEP = b'{"title":' + b"[" * 40 + b"]" * 40 + b"}"


@pytest.fixture
def unchanged(stack: Stack):
    """Nothing is stored and nothing is owed by what the test does."""

    def state() -> list:
        return sorted((row["_id"], row["rev"]) for row in stack.requests.find({}, {"rev": 1}))

    until(stack.is_idle, "what the tests before have left is done", 60)
    before = state()
    yield
    assert state() == before


def draft_cases() -> list:
    """Name, where in the body, what is put there (... = left out), the pointer in the answer."""
    cases = []
    for field in ("title", "client", "lawyer", "starts_at", "duration_minutes"):
        cases.append((f"{field} missing", field, ..., f"/{field}"))
        cases.append((f"{field} null", field, None, f"/{field}"))
    for field in ("id", "name", "email"):
        cases.append((f"client {field} missing", f"client.{field}", ..., f"/client/{field}"))
        cases.append((f"lawyer {field} missing", f"lawyer.{field}", ..., f"/lawyer/{field}"))
    for field, wrong in {
        "title": 7,
        "description": ["a"],
        "client": "client-1",
        "lawyer": [],
        "starts_at": 1800000000,
        "duration_minutes": "30",
        "timezone": 1,
        "client.id": 5,
        "client.name": {},
        "client.email": True,
        "lawyer.timezone": 2.5,
        "lawyer.locale": False,
    }.items():
        cases.append((f"{field} of another type", field, wrong, "/" + field.replace(".", "/")))
    for field, values in {
        "title": [
            *("", "   ", "\u200b", "x" * 201),
            *("a\nb", "a\rb", "a\tb", "a\0b", "a\x7fb", "a\x85b", "a\u2028b"),
        ],
        "description": ["x" * 4001, "a\0b", "a\x1bb"],
        "starts_at": [
            "1970-01-01T00:00:00Z",
            "2020-01-01T00:00:00Z",
            "2027-02-30T10:00:00Z",
            "2027-03-01T24:00:00Z",
            "2027-03-01T10:00:00+01:00",
            "2027-03-01T10:00:00.5Z",
            "2027-03-01 10:00:00Z",
            "2027-03-01T10:00Z",
            "tomorrow",
            "",
            "9999-01-01T00:00:00Z",
        ],
        "duration_minutes": [4, 1441, 0, -30, 30.5, 1e30, 2**63, 2**64 + 30, True],
        "timezone": [
            *("Factory", "Mars/Olympus", "", "x" * 65),
            *("../../etc/passwd", "UTC\n", "CEST+1", "posix"),
        ],
        "client.id": ["", "x" * 129, "a b", "ä", "a\x7f", "a\nb", ".", ".."],
        "client.name": ["", " ", "x" * 201, "a\r\nBcc: x@example.com", "a\u2029b"],
        "lawyer.email": ["b@erased.invalid"],
        "client.email": [
            "",
            *("a@erased.invalid", "a@Erased.Invalid", "a@b.invalid"),
            "nobody",
            "a@b@example.com",
            "a@example.com, b@example.com",
            "a@example.com\r\nBcc: b@example.com",
            "<a@example.com>",
            "a@[127.0.0.1]",
            "a b@example.com",
            "x" * 65 + "@example.com",
            "a@" + "x" * 250 + ".com",
        ],
        "lawyer.timezone": ["Europe/Atlantis"],
        "lawyer.locale": ["d", "deutsch!", "../de", "de_DE", "x" * 36],
    }.items():
        for value in values:
            name = f"{field} {str(value)[:24]!r}"
            cases.append((name, field, value, "/" + field.replace(".", "/")))
    cases.append(("an unknown field", "colour", "red", "/colour"))
    cases.append(("an unknown field within", "client.phone", "1", "/client/phone"))
    cases.append(("an unknown field with a slash", "a/b~c", 1, "/a~1b~0c"))
    return cases


def put(body: dict, where: str, value: object) -> None:
    *path, last = where.split(".")
    for name in path:
        body = body[name]
    if value is ...:
        del body[last]
    else:
        body[last] = value


@pytest.mark.parametrize(
    "where, value, pointer",
    [case[1:] for case in draft_cases()],
    ids=[case[0].encode("ascii", "replace").decode() for case in draft_cases()],
)
def test_a_field_that_is_not_valid(
    parties: Parties, unchanged: None, where: str, value: object, pointer: str
) -> None:
    body = parties.draft(description="", timezone="UTC")
    put(body, where, value)
    answer = parties.stack.service().post("/api/requests", body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["code"] == "invalid"
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def test_all_that_is_wrong_is_said_at_once(parties: Parties, unchanged: None) -> None:
    body = parties.draft(title="", duration_minutes=1, colour="red")
    answer = parties.client.post("/api/requests", body)
    pointers = {error["pointer"] for error in answer.json()["errors"]}
    assert (answer.status_code, pointers) == (422, {"/title", "/duration_minutes", "/colour"})


@pytest.mark.parametrize(
    "name, raw",
    {
        "nothing": b"",
        "no JSON": b"title=a",
        "half of it": b'{"title": "a',
        "bytes after it": b'{"title": "a"} x',
        "two values": b"{}{}",
        "a comment": b'{"title": "a" /* b */}',
        "single quotes": b"{'title': 'a'}",
        "a trailing comma": b'{"title": "a",}',
        "a key twice": b'{"title": "a", "title": "b"}',
        "a key twice, escaped": b'{"title": "a", "t\\u0069tle": "b"}',
        "a key twice within": b'{"client": {"id": "a", "id": "b"}}',
        "NaN": b'{"duration_minutes": NaN}',
        "deep nesting": DEEP,
        "very deep nesting": b"[" * 30000 + b"]" * 30000,
        "broken UTF-8": b'{"title": "\xc3\x28"}',
        "overlong UTF-8": b'{"title": "\xc0\xaf"}',
        "a surrogate in UTF-8": b'{"title": "\xed\xa0\x80"}',
        "UTF-16": '{"title": "a"}'.encode("utf-16"),
        "a NUL byte": b'{"title": "a\0b"}',
        "a NUL at the end": b'{"title": "a"}\0',
        "a raw newline in a string": b'{"title": "a\nb"}',
    }.items(),
)
def test_a_body_that_cannot_be_read(
    parties: Parties, unchanged: None, name: str, raw: bytes
) -> None:
    answer = parties.client.post("/api/requests", data=raw)
    assert answer.status_code == 400, f"{name}: {answer.text}"
    assert answer.json()["code"] == "malformed"


@pytest.mark.parametrize("raw", [b"[]", b'"text"', b"7", b"null", b"true"])
def test_a_body_that_is_no_object(parties: Parties, unchanged: None, raw: bytes) -> None:
    answer = parties.client.post("/api/requests", data=raw)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["pointer"] == ""


def test_lone_surrogates_in_escapes(parties: Parties, unchanged: None) -> None:
    raw = json.dumps(parties.draft(title="a\ud800b")).encode()
    assert parties.client.post("/api/requests", data=raw).status_code in (400, 422)


@pytest.mark.parametrize("text", ["\U0001f400", "\U0001d834", "\U0002d800", "\U0010fffd", "\ufffd"])
def test_a_character_may_come_as_escapes(parties: Parties, text: str) -> None:
    raw = json.dumps(parties.draft(title=text)).encode()
    assert raw.isascii()
    answer = parties.client.post("/api/requests", data=raw)
    assert (answer.status_code, answer.json()["title"]) == (201, text)


@pytest.mark.parametrize("coding", ["gzip", "br", "gzip, gzip"])
def test_a_body_that_is_compressed(parties: Parties, unchanged: None, coding: str) -> None:
    raw = gzip.compress(json.dumps(parties.draft()).encode())
    answer = parties.client.post("/api/requests", data=raw, headers={"Content-Encoding": coding})
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    assert answer.headers["Accept-Encoding"] == "identity"
    assert "without Content-Encoding" in answer.json()["detail"]


def test_a_header_that_is_too_large(parties: Parties, unchanged: None) -> None:
    """nginx refuses it, in words."""
    answer = parties.client.get("/api/requests", headers={"X-Grown": "a" * 9000})
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
    assert "each may have 8 KiB" in answer.json()["detail"]


@pytest.mark.parametrize("size, status", [(65536, 422), (65537, 413), (131072, 413), (200000, 413)])
def test_the_size_of_a_body(parties: Parties, unchanged: None, size: int, status: int) -> None:
    raw = json.dumps(parties.draft(description="")).encode()
    raw = raw.replace(b'"description": ""', b'"description": "%s"' % (b"x" * (size - len(raw))))
    assert len(raw) == size
    answer = parties.client.post("/api/requests", data=raw)
    assert answer.status_code == status, answer.text
    assert answer.json()["code"] == {413: "too_large", 422: "invalid"}[status]


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonp",
        "",
        "multipart/json",
        "application/json; charset=latin-1",
    ],
)
def test_another_content_type(parties: Parties, unchanged: None, content_type: str) -> None:
    answer = parties.client.post(
        "/api/requests", parties.draft(), headers={"Content-Type": content_type}
    )
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


def test_a_content_type_with_charset(parties: Parties) -> None:
    headers = {"Content-Type": "Application/JSON; charset=UTF-8"}
    answer = parties.client.post("/api/requests", parties.draft(), headers=headers)
    assert answer.status_code == 201


@pytest.mark.parametrize("accept", ["text/html", "image/*", "application/json;q=0", "text/*, a/b"])
def test_an_answer_that_is_not_acceptable(parties: Parties, unchanged: None, accept: str) -> None:
    answer = parties.client.post("/api/requests", parties.draft(), headers={"Accept": accept})
    assert (answer.status_code, answer.json()["code"]) == (406, "not_acceptable")
    assert parties.client.get("/api/requests", headers={"Accept": accept}).status_code == 406


@pytest.mark.parametrize("accept", ["*/*", "application/*", "text/html, */*;q=0.1"])
def test_an_answer_that_is_acceptable(parties: Parties, accept: str) -> None:
    assert parties.client.get("/api/requests", headers={"Accept": accept}).status_code == 200


@pytest.mark.parametrize(
    "body, pointer",
    [
        ({}, "/decision"),
        ({"decision": "maybe"}, "/decision"),
        ({"decision": None}, "/decision"),
        ({"decision": 1}, "/decision"),
        ({"decision": "accept", "starts_at": "2020-01-01T00:00:00Z"}, "/starts_at"),
        ({"decision": "accept", "starts_at": "1970-01-01T00:00:00Z"}, "/starts_at"),
        ({"decision": "accept", "timezone": "Factory"}, "/timezone"),
        ({"decision": "accept", "duration_minutes": 4}, "/duration_minutes"),
        ({"decision": "accept", "duration_minutes": 1441}, "/duration_minutes"),
        ({"decision": "accept", "timezone": "Mars/Olympus"}, "/timezone"),
        ({"decision": "accept", "provider": "fax"}, "/provider"),
        ({"decision": "accept", "message": "x" * 2001}, "/message"),
        ({"decision": "accept", "message": "a\0b"}, "/message"),
        ({"decision": "accept", "status": "accepted"}, "/status"),
        ({"decision": "decline", "provider": "jitsi"}, None),
        ({"decision": "decline", "starts_at": "2099-01-01T00:00:00Z"}, None),
    ],
)
def test_an_answer_to_a_request_that_is_not_valid(
    parties: Parties, body: dict, pointer: str | None
) -> None:
    request = parties.create()
    answer = parties.lawyer.post(f"/api/requests/{request['id']}/respond", body)
    assert answer.status_code == 422, answer.text
    pointers = [error["pointer"] for error in answer.json()["errors"]]
    assert len(pointers) == 1 and pointer in (pointers[0], None)
    assert parties.lawyer.request(request["id"])["status"] == "open"
    assert len(parties.lawyer.audit(request["id"])) == 1


@pytest.mark.parametrize(
    "body, pointer",
    [({"reason": 1}, "/reason"), ({"reason": "x" * 2001}, "/reason"), ({"why": ""}, "/why")],
)
def test_a_cancellation_that_is_not_valid(parties: Parties, body: dict, pointer: str) -> None:
    request = parties.create()
    answer = parties.client.post(f"/api/requests/{request['id']}/cancel", body)
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert parties.client.request(request["id"])["status"] == "open"


def test_a_cancellation_without_a_body(parties: Parties) -> None:
    request = parties.create()
    answer = parties.client.call("POST", f"/api/requests/{request['id']}/cancel")
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")


def test_the_longest_that_is_valid(parties: Parties) -> None:
    wide = "\N{GRINNING FACE}"
    request = parties.create(
        title=wide * 200,
        description=wide * 4000,
        client=parties.person("client", name=wide * 200, email="a@" + "x" * 60 + ".example.com"),
        duration_minutes=1440,
    )
    assert request["title"] == wide * 200 and request["description"] == wide * 4000
    assert parties.accept(request, message=wide * 2000)["message"] == wide * 2000
    parties.stack.settle(request["id"])
    assert len(parties.stack.mails.of(request["id"])) == 2


@pytest.mark.parametrize(
    "method, path, allow",
    [
        ("DELETE", "/api/requests", "GET, HEAD, POST"),
        ("PUT", "/api/requests/{id}", "GET, HEAD"),
        ("POST", "/api/requests/{id}", "GET, HEAD"),
        ("GET", "/api/requests/{id}/respond", "POST"),
        ("HEAD", "/api/requests/{id}/cancel", "POST"),
        ("PATCH", "/api/requests/{id}/cancel", "POST"),
        ("POST", "/api/dashboard", "GET, HEAD"),
        ("OPTIONS", "/api/requests", "GET, HEAD, POST"),
        ("POST", "/healthz", "GET, HEAD"),
        ("POST", "/join/abc", "GET, HEAD"),
    ],
)
def test_another_method(parties: Parties, method: str, path: str, allow: str) -> None:
    request = parties.create()
    answer = parties.client.call(method, path.format(id=request["id"]))
    assert (answer.status_code, answer.headers["Allow"]) == (405, allow)


@pytest.mark.parametrize(
    "path",
    [
        "/api/nothing",
        "/api/requests/",
        "/api/requests/a/b/c",
        "/api/requests/%00",
        "/api//requests",
        "/api/requests/%ff",
        "/api/requests/a%2fmeeting",
        "/nowhere",
        "/",
    ],
)
def test_an_address_that_is_not_there(stack: Stack, path: str) -> None:
    answer = stack.admin().get(path)
    assert answer.status_code in (400, 404) if "%00" in path else answer.status_code == 404
