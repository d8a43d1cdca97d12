"""Entity tags, which follow from what is stored and from the time, and not from the answer."""

import datetime
import itertools

from caller import Caller, Parties, done, new_key
from stack import Stack
from support import until


def url_of(request: dict) -> str:
    return f"/api/requests/{request['id']}"


def test_mails_move_no_tag(parties: Parties) -> None:
    """Whoever has seen a request may change it, whatever has left meanwhile."""
    request = parties.accepted()
    seen = parties.lawyer.get(url_of(request)).headers["ETag"]
    document = parties.stack.settle(request["id"])
    assert parties.lawyer.get(url_of(request)).headers["ETag"] == seen
    assert document["rev"] > 2, "it was written since"
    answer = parties.lawyer.post(url_of(request) + "/cancel", {}, headers={"If-Match": seen})
    assert done(answer)["status"] == "cancelled"


def test_a_repeat_has_the_tag_of_then(parties: Parties) -> None:
    request = parties.create()
    url, headers = url_of(request) + "/respond", {"Idempotency-Key": new_key()}
    first = parties.lawyer.post(url, {"decision": "accept"}, headers=headers)
    done(parties.client.cancel(request["id"]))
    again = parties.lawyer.post(url, {"decision": "accept"}, headers=headers)
    assert (again.content, again.headers["ETag"]) == (first.content, first.headers["ETag"])
    assert parties.lawyer.get(url_of(request)).headers["ETag"] != first.headers["ETag"]


def test_what_is_not_shown_is_not_opened(parties: Parties) -> None:
    """Sealed values need not be readable for an answer that shows none."""
    request = parties.accepted()
    parties.stack.settle(request["id"])
    paths = [url_of(request), url_of(request) + "/meeting", "/api/requests"]
    tags = {path: parties.client.get(path).headers["ETag"] for path in paths}
    requests = parties.stack.requests
    broken = {"meeting.passcode": "v1:gone:AAAA", "meeting.provider_url": "v1:gone:AAAA"}
    requests.update_one({"_id": request["id"]}, {"$set": broken})
    for path, tag in tags.items():
        known = parties.client.get(path, headers={"If-None-Match": tag})
        assert (known.status_code, known.content) == (304, b""), path
    assert parties.client.get(paths[0]).status_code == 500
    requests.update_one({"_id": request["id"]}, {"$unset": {"meeting.passcode": 1}})
    assert parties.client.get(paths[0]).status_code == 200, "nor is what leads to the provider"


def test_no_meeting_is_never_known(parties: Parties) -> None:
    request = parties.create()
    for path in ("/meeting", "/calendar.ics"):
        answer = parties.client.get(url_of(request) + path, headers={"If-None-Match": "*"})
        assert (answer.status_code, answer.json()["code"]) == (404, "no_meeting")
        assert "ETag" not in answer.headers


def test_a_stranger_is_told_nothing_by_a_tag(parties: Parties) -> None:
    request = parties.accepted()
    tag = parties.client.get(url_of(request)).headers["ETag"]
    stranger = parties.stack.parties().client
    for known in (tag, "*"):
        answer = stranger.get(url_of(request), headers={"If-None-Match": known})
        assert answer.status_code == 404


def test_a_document_without_a_fingerprint(parties: Parties) -> None:
    """As the version before has stored it: the tag is the same."""
    request = parties.accepted()
    parties.stack.settle(request["id"])
    paths = [url_of(request), url_of(request) + "/meeting", "/api/requests"]
    before = {path: parties.client.get(path) for path in paths}
    unset = {"$unset": {"fingerprint": 1}}
    assert parties.stack.requests.update_one({"_id": request["id"]}, unset).modified_count == 1
    for path in paths:
        tag = before[path].headers["ETag"]
        answer = parties.client.get(path)
        assert (answer.content, answer.headers["ETag"]) == (before[path].content, tag), path
        assert parties.client.get(path, headers={"If-None-Match": tag}).status_code == 304
    headers = {"If-Match": before[paths[0]].headers["ETag"]}
    done(parties.client.post(url_of(request) + "/cancel", {}, headers=headers))


def due(stack: Stack, request: dict) -> bool:
    """Whether a dispatcher is about to change it."""
    now = stack.now().replace(tzinfo=None) + datetime.timedelta(minutes=2)
    return any(effect["due"] < now for effect in stack.document(request["id"])["effects"])


class Watcher:
    """Remembers what each entity tag stood for, and asks for it again and again."""

    def __init__(self, stack: Stack, callers: dict[str, Caller]):
        self.stack, self.callers = stack, callers
        self.seen: dict[tuple[str, str], dict[str, bytes]] = {}
        self.known = 0

    def look(self, paths: list[str]) -> None:
        for (name, caller), path in itertools.product(self.callers.items(), paths):
            answer = caller.get(path)
            if answer.status_code in (403, 404):
                continue
            assert answer.status_code == 200, (name, path, answer.text)
            tag, stood_for = answer.headers["ETag"], self.seen.setdefault((name, path), {})
            assert stood_for.setdefault(tag, answer.content) == answer.content, (name, path)
            for other, content in stood_for.items():
                again = caller.get(path, headers={"If-None-Match": other})
                if again.status_code == 304:
                    assert content == answer.content, (name, path, "is another by now")
                    self.known += 1
                else:
                    assert again.content == answer.content and other != tag, (name, path)


def test_a_tag_stands_for_one_answer(start) -> None:
    """Through whole lives, for all who may look, at every time that matters."""
    stack = start()
    parties = stack.parties()
    callers = {
        "client": parties.client,
        "lawyer": parties.lawyer,
        "admin": stack.admin(),
        "service": stack.service(),
    }
    watcher = Watcher(stack, callers)
    first = parties.create(starts_at=stack.at(days=2))
    second = parties.create(starts_at=stack.at(days=3))
    paths = [url_of(first), url_of(first) + "/meeting", url_of(first) + "/meetings"]
    paths += [url_of(first) + "/calendar.ics", url_of(second)]
    paths += ["/api/requests", "/api/requests?limit=1", "/api/requests?status=accepted&order=asc"]

    def look(*changed: dict) -> None:
        for request in changed:
            stack.settle(request["id"])
        watcher.look(paths)

    look()
    parties.accept(first)
    look(first)
    done(parties.lawyer.command(first["id"], "reschedule", starts_at=stack.at(hours=5)))
    look(first)
    done(parties.lawyer.command(first["id"], "regenerate", reason="Leaked"))
    look(first)
    done(parties.lawyer.respond(second["id"], "decline", message="No"))
    look(second)
    opens = stack.document(first["id"])["meeting"]["opens_at"].replace(tzinfo=datetime.UTC)
    for _ in range(4):  # opens, starts, ends, expires
        stack.advance(max((opens - stack.now()).total_seconds() + 1, 1))
        until(lambda: not due(stack, first), "nothing is due")
        watcher.look(paths)
        opens += datetime.timedelta(minutes=45)
    assert watcher.known > 100
    assert all(len(seen) > 1 for seen in watcher.seen.values()), "each was another once"
