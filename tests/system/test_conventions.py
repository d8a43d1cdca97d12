"""Entity tags, preconditions, idempotency keys and request ids."""

import pathlib
import secrets

import pytest
from caller import Parties, done, new_key, refused
from stack import Stack


@pytest.mark.parametrize("path", ["", "/meeting", "/audit", "/calendar.ics"])
def test_a_representation_is_fetched_once(parties: Parties, path: str) -> None:
    request = parties.accepted()
    parties.stack.settle(request["id"])
    url = f"/api/requests/{request['id']}{path}"
    first = parties.client.get(url)
    tag = first.headers["ETag"]
    assert tag.startswith('"') and tag.endswith('"')
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = parties.client.get(url, headers={"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b""), known
        assert again.headers["ETag"] == tag
    for unknown in ('"other"', tag.strip('"'), ""):
        again = parties.client.get(url, headers={"If-None-Match": unknown})
        assert (again.status_code, again.content) == (200, first.content), unknown
    head = parties.client.head(url)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("ETag", "Content-Type", "Content-Length"):
        assert head.headers[name] == first.headers[name]


def test_a_calendar_is_asked_for_by_date(start) -> None:
    """As Apple's does."""
    stack = start()
    parties, anyone = stack.parties(), stack.anyone()
    request = parties.accepted()
    stack.settle(request["id"])
    stack.advance(2)  # so that the second of the last change is over
    paths = (f"/api/requests/{request['id']}/calendar.ics", request["meeting"]["calendar_url"])
    for path, caller in zip(paths, (parties.lawyer, anyone), strict=True):
        answer = caller.get(path)
        date = answer.headers["Last-Modified"]
        for call in (caller.get, caller.head):
            known = call(path, headers={"If-Modified-Since": date})
            assert known.status_code == 304 and known.content == b""
            assert known.headers["ETag"] == answer.headers["ETag"]
            assert known.headers["Last-Modified"] == date
            old = {"If-Modified-Since": "Sun, 06 Nov 1994 08:49:37 GMT"}
            assert call(path, headers=old).status_code == 200
            other = {"If-Modified-Since": date, "If-None-Match": '"x"'}
            assert call(path, headers=other).status_code == 200
    stack.advance(2)
    done(parties.lawyer.command(request["id"], "reschedule", starts_at=stack.at(days=4)))
    assert anyone.get(paths[1], headers={"If-Modified-Since": date}).status_code == 200


def test_lists_and_dashboards_have_tags(parties: Parties) -> None:
    parties.create()
    tag = parties.client.get("/api/requests").headers["ETag"]
    headers = {"If-None-Match": tag}
    assert parties.client.get("/api/requests", headers=headers).status_code == 304
    parties.create()
    assert parties.client.get("/api/requests", headers=headers).status_code == 200
    assert "ETag" in parties.client.get("/api/dashboard").headers


def test_a_tag_moves_with_its_resource(parties: Parties) -> None:
    request = parties.create()
    url = f"/api/requests/{request['id']}"
    before = parties.client.get(url).headers["ETag"]
    parties.accept(request)
    after = parties.client.get(url, headers={"If-None-Match": before})
    assert after.status_code == 200 and after.headers["ETag"] != before


def test_an_action_on_what_was_seen(parties: Parties) -> None:
    request = parties.create()
    url = f"/api/requests/{request['id']}"
    seen = parties.lawyer.get(url).headers["ETag"]
    body = {"decision": "accept"}
    for stale in ('"other"', f"W/{seen}", parties.client.get(url).headers["ETag"]):
        answer = parties.lawyer.post(url + "/respond", body, headers={"If-Match": stale})
        assert (answer.status_code, answer.json()["code"]) == (412, "precondition_failed"), stale
    assert parties.lawyer.request(request["id"])["status"] == "open"
    answer = parties.lawyer.post(url + "/respond", body, headers={"If-Match": seen})
    assert answer.status_code == 200
    assert answer.headers["ETag"] == parties.lawyer.get(url).headers["ETag"]
    late = parties.lawyer.post(url + "/cancel", {}, headers={"If-Match": seen})
    assert late.status_code == 412
    assert parties.lawyer.post(url + "/cancel", {}, headers={"If-Match": "*"}).status_code == 200


def test_a_creation_is_repeated(parties: Parties) -> None:
    body, headers = parties.draft(), {"Idempotency-Key": new_key()}
    first = parties.client.post("/api/requests", body, headers=headers)
    again = parties.client.post("/api/requests", body, headers=headers)
    assert first.status_code == again.status_code == 201
    assert again.content == first.content
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["Location"] == first.headers["Location"]
    parties.accept(first.json())
    later = parties.client.post("/api/requests", body, headers=headers)
    assert later.content == first.content, "the answer of then, not of now"
    assert parties.stack.requests.count_documents({"client.id": parties.client_id}) == 1


def test_an_acceptance_is_repeated(parties: Parties) -> None:
    request = parties.create()
    url = f"/api/requests/{request['id']}/respond"
    body, headers = {"decision": "accept"}, {"Idempotency-Key": new_key()}
    first = parties.lawyer.post(url, body, headers=headers)
    assert parties.client.cancel(request["id"]).status_code == 200
    again = parties.lawyer.post(url, body, headers=headers)
    assert again.content == first.content and again.status_code == 200
    assert again.headers["Idempotency-Replayed"] == "true"
    assert parties.lawyer.request(request["id"])["status"] == "cancelled"


def test_a_cancellation_is_repeated(parties: Parties) -> None:
    request = parties.accepted()
    url = f"/api/requests/{request['id']}/cancel"
    headers = {"Idempotency-Key": new_key()}
    first = parties.client.post(url, {"reason": "Ill"}, headers=headers)
    again = parties.client.post(url, {"reason": "Ill"}, headers=headers)
    assert first.status_code == again.status_code == 200 and again.content == first.content
    actions = [event["action"] for event in parties.client.audit(request["id"])]
    assert actions.count("request.cancelled") == 1


def test_the_same_acceptance_without_a_key(parties: Parties) -> None:
    request = parties.create()
    first = parties.accept(request, message="Yes")
    again = parties.accept(request, message="Yes")
    assert again["meeting"]["join_url"] == first["meeting"]["join_url"]
    for body in ({"decision": "accept"}, {"decision": "accept", "message": "No"}):
        other = parties.lawyer.post(f"/api/requests/{request['id']}/respond", body)
        assert (other.status_code, other.json()["code"]) == (409, "already_decided")
    other = parties.lawyer.respond(request["id"], "decline")
    assert (other.status_code, other.json()["code"]) == (409, "already_decided")
    actions = [event["action"] for event in parties.lawyer.audit(request["id"])]
    assert actions.count("request.accepted") == actions.count("meeting.ready") == 1


def test_a_key_with_another_body(parties: Parties) -> None:
    headers = {"Idempotency-Key": new_key()}
    made = parties.client.post("/api/requests", parties.draft(), headers=headers).json()
    other = parties.client.post("/api/requests", parties.draft(title="Other"), headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert parties.stack.requests.count_documents({"client.id": parties.client_id}) == 1
    url = f"/api/requests/{made['id']}/respond"
    parties.lawyer.post(url, {"decision": "accept"}, headers=headers)
    other = parties.lawyer.post(url, {"decision": "decline"}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


def test_a_key_belongs_to_its_caller_and_action(parties: Parties) -> None:
    headers = {"Idempotency-Key": new_key()}
    first = parties.client.post("/api/requests", parties.draft(), headers=headers)
    service = parties.stack.service()
    second = service.post("/api/requests", parties.draft(), headers=headers)
    assert first.status_code == second.status_code == 201
    assert first.json()["id"] != second.json()["id"]
    for request in (first.json(), second.json()):
        answer = service.post(
            f"/api/requests/{request['id']}/respond",
            {"decision": "accept", "lawyer_email": "lena@law.example", "allow_overlap": True},
            headers=headers,
        )
        assert answer.json()["id"] == request["id"]
        assert "Idempotency-Replayed" not in answer.headers


def test_a_key_that_failed_may_be_used_again(parties: Parties) -> None:
    headers = {"Idempotency-Key": new_key()}
    refused = parties.client.post("/api/requests", parties.draft(title=""), headers=headers)
    assert refused.status_code == 422
    answer = parties.client.post("/api/requests", parties.draft(), headers=headers)
    assert answer.status_code == 201 and "Idempotency-Replayed" not in answer.headers


def test_a_quoted_key_is_the_bare_one(parties: Parties) -> None:
    """draft-ietf-httpapi-idempotency-key-header has it in quotes, most clients send it bare."""
    key, body = new_key(), parties.draft()
    first = parties.client.post("/api/requests", body, headers={"Idempotency-Key": f'"{key}"'})
    again = parties.client.post("/api/requests", body, headers={"Idempotency-Key": key})
    assert again.headers["Idempotency-Replayed"] == "true" and again.content == first.content


@pytest.mark.parametrize("key", ["x" * 128, '"' + "x" * 128 + '"', "a b", "!~"])
def test_a_key_that_is_valid(parties: Parties, key: str) -> None:
    headers = {"Idempotency-Key": key}
    assert parties.client.post("/api/requests", parties.draft(), headers=headers).status_code == 201


@pytest.mark.parametrize("key", ["x" * 129, '""', '"a', '"a"b', b"\xc3\xa4", "a\tb"])
def test_a_key_that_is_not_valid(parties: Parties, key: str | bytes) -> None:
    headers = {"Idempotency-Key": key}
    answer = parties.client.post("/api/requests", parties.draft(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
    assert parties.stack.requests.count_documents({"client.id": parties.client_id}) == 0


def test_a_key_is_kept_for_a_day(start) -> None:
    stack = start()
    parties = stack.parties()
    body, headers = parties.draft(), {"Idempotency-Key": new_key()}
    first = parties.client.post("/api/requests", body, headers=headers)
    stack.advance(24 * 3600 - 60)
    again = parties.client.post("/api/requests", body, headers=headers)
    assert again.content == first.content
    stack.advance(120)
    afresh = parties.client.post("/api/requests", body, headers=headers)
    assert afresh.status_code == 201 and afresh.json()["id"] != first.json()["id"]


def test_a_key_belongs_to_no_day(start) -> None:
    """It is kept across midnight, and may be used afresh for as many days as one likes."""
    stack = start()
    parties = stack.parties()
    body, headers = parties.draft(starts_at=stack.at(days=300)), {"Idempotency-Key": new_key()}

    def create() -> str:
        answer = parties.client.post("/api/requests", body, headers=headers)
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    stack.advance((18 - stack.now().hour) % 24 * 3600)
    first, day = create(), stack.now().date()
    stack.advance(13 * 3600)
    assert create() == first and stack.now().date() > day
    stack.advance(13 * 3600)
    seen = {first, create()}
    for _ in range(70):
        stack.advance(25 * 3600)
        seen.add(create())
    assert len(seen) == 72 == stack.requests.count_documents({})


def test_a_creation_is_repeated_after_a_key_rotation(start) -> None:
    stack = start()
    parties = stack.parties()
    body, headers = parties.draft(), {"Idempotency-Key": new_key()}
    first = parties.client.post("/api/requests", body, headers=headers)
    file = pathlib.Path(stack.settings["KEY_FILE"])
    file.write_text(f"k2:{secrets.token_hex(32)}\n{file.read_text()}")
    stack.reload()
    again = parties.client.post("/api/requests", body, headers=headers)
    assert again.content == first.content
    assert again.headers["Idempotency-Replayed"] == "true"
    assert stack.requests.count_documents({}) == 1
    meeting = stack.document(parties.accept(first.json())["id"])["meeting"]
    assert meeting["provider_key"].startswith("v1:k2:"), "the new key is in use"


def test_later_keys_do_not_push_out_the_creation(parties: Parties) -> None:
    """A request keeps only so many answers."""
    body, headers = parties.draft(), {"Idempotency-Key": new_key()}
    first = parties.client.post("/api/requests", body, headers=headers).json()
    for _ in range(20):
        answer = parties.lawyer.post(
            f"/api/requests/{first['id']}/respond",
            {"decision": "accept"},
            headers={"Idempotency-Key": new_key()},
        )
        assert answer.status_code == 200, answer.text
    again = parties.client.post("/api/requests", body, headers=headers)
    assert (again.status_code, again.json()["id"]) == (201, first["id"])
    assert parties.stack.requests.count_documents({"client.id": parties.client_id}) == 1


def test_later_keys_do_not_push_out_a_command(parties: Parties) -> None:
    """Its text leaves early, and what it did is not done again."""
    request = parties.accepted()
    url = f"/api/requests/{request['id']}/meeting/regenerate"
    headers = {"Idempotency-Key": new_key()}
    assert parties.lawyer.post(url, {}, headers=headers).json()["meeting"]["generation"] == 2
    for days in range(5, 25):
        moved = parties.lawyer.post(
            f"/api/requests/{request['id']}/meeting/reschedule",
            {"starts_at": parties.stack.at(days=days)},
            headers={"Idempotency-Key": new_key()},
        )
        assert moved.status_code == 200, moved.text
    again = parties.lawyer.post(url, {}, headers=headers)
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (200, "true")
    assert again.json() == parties.lawyer.request(request["id"]), "as it is now"
    assert again.json()["meeting"]["generation"] == 2
    other = parties.lawyer.post(url, {"reason": "Leaked"}, headers=headers)
    assert refused(other) == (422, "idempotency_key_reused")


def test_a_request_id_is_found_in_the_audit_and_the_log(stack: Stack, parties: Parties) -> None:
    answer = parties.client.post("/api/requests", parties.draft())
    trace = answer.headers["X-Request-Id"]
    (event,) = parties.client.audit(answer.json()["id"])
    assert event["trace_id"] == trace
    assert f"request_id={trace}" in stack.logged("meetlink")
    assert trace in stack.logged("access")
    mine = parties.client.get("/api/requests", headers={"X-Request-Id": "mine"})
    assert mine.headers["X-Request-Id"] != "mine", "nginx names requests"


@pytest.mark.parametrize("path", ["/api/requests", "/api/nothing", "/healthz", "/join/x", "/x"])
def test_no_header_comes_twice(parties: Parties, path: str) -> None:
    """The program and nginx both have an opinion on some; requests would join their values."""
    headers = parties.client.get(path).raw.headers
    doubled = {name for name in headers if len(headers.getlist(name)) > 1}
    assert doubled == set()
