"""What is taken, and what is refused, in every field of its kind: characters that nobody may write,
ids of people, instants, and one account for both people."""

import re
import secrets
import urllib.parse

import pytest
from caller import Caller, Parties, done, new_key, refused
from stack import Stack

# ---- characters ----

FORBIDDEN = {
    *(chr(point) for point in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))),
    *("\ufeff", "\ufdd0", "\ufdef", "\ufffe", "\uffff", "\U0001fffe", "\U0010ffff"),
}
GENUINE = {
    "Arabic": "\u0645\u062d\u0645\u062f (\u0661)\u200f",
    "Hebrew": "\u05e9\u05b8\u05dc\u05d5\u05b9\u05dd 3:00\u200e",
    "Persian": "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
    "emoji": "\U0001f468\u200d\U0001f469\u200d\U0001f467",
}
DRAFT_TEXTS = [
    *("title", "description", "timezone", "client.id", "client.name", "client.email"),
    *("client.timezone", "client.locale", "lawyer.id", "lawyer.name", "lawyer.email"),
]


def put(body: dict, where: str, value: object) -> dict:
    *path, last = where.split(".")
    inner = body
    for name in path:
        inner = inner[name]
    inner[last] = value
    return body


def pointers(answer) -> list[str]:
    assert answer.status_code == 422, answer.text
    return [error["pointer"] for error in answer.json()["errors"]]


@pytest.mark.parametrize("where", DRAFT_TEXTS)
def test_forbidden_characters_of_a_draft(parties: Parties, where: str) -> None:
    for character in FORBIDDEN:
        body = put(parties.draft(), where, f"a{character}b")
        answer = parties.stack.service().post("/api/requests", body)
        assert pointers(answer) == ["/" + where.replace(".", "/")], hex(ord(character))
    assert parties.client.pages() == [[]]


@pytest.mark.parametrize("name", GENUINE)
def test_genuine_text_stays_as_it_is(parties: Parties, name: str) -> None:
    text = GENUINE[name]
    request = parties.create(
        title=text, description=f"{text}\n{text}", client=parties.person("client", name=text)
    )
    assert (request["title"], request["client"]["name"]) == (text, text)
    assert parties.accept(request, message=text)["message"] == text
    assert parties.client.request(request["id"])["description"] == f"{text}\n{text}"


@pytest.mark.parametrize("character", sorted(FORBIDDEN))
def test_forbidden_characters_of_commands(parties: Parties, character: str) -> None:
    text = f"line\n{character}"
    request = parties.create()
    url = f"/api/requests/{request['id']}"
    accept = {"decision": "accept"}
    for field in ("message", "provider", "timezone", "lawyer_email"):
        answer = parties.lawyer.post(f"{url}/respond", accept | {field: character + "a"})
        assert pointers(answer) == [f"/{field}"]
    parties.accept(request)
    later = parties.stack.at(days=4)
    for path, body in {
        "cancel": {"reason": text},
        "meeting/cancel": {"reason": text},
        "meeting/regenerate": {"reason": text},
        "meeting/reschedule": {"starts_at": later, "reason": text},
    }.items():
        assert pointers(parties.lawyer.post(f"{url}/{path}", body)) == ["/reason"], path
    answer = parties.lawyer.post(f"{url}/meeting/regenerate", {"provider": character})
    assert pointers(answer) == ["/provider"]
    assert parties.client.request(request["id"])["status"] == "accepted"


@pytest.mark.parametrize("character", sorted(FORBIDDEN))
def test_forbidden_characters_elsewhere(stack: Stack, parties: Parties, character: str) -> None:
    """Queries, the configuration, and what comes as a header."""
    admin = stack.admin()
    for path, name in (("requests", "cursor"), ("audit", "actor"), ("audit", "action")):
        assert pointers(admin.get(f"/api/{path}", params={name: f"a{character}"})) == [f"/{name}"]
    for policy in ({"failover": [character]}, {"default_provider": character}):
        (pointer,) = pointers(admin.put("/api/config/meetings", policy))
        assert pointer.startswith("/" + next(iter(policy)))
    for part, field in (("settings", "host_user"), ("credentials", "client_secret")):
        body = {"enabled": False, part: {field: f"a{character}"}}
        answer = admin.put("/api/config/providers/zoom", body)
        assert pointers(answer) == [f"/{part}/{field}"]
    key = {"Idempotency-Key": f"a{character}".encode()}
    answer = parties.client.post("/api/requests", parties.draft(), headers=key)
    assert refused(answer) == (400, "malformed")
    assert parties.client.pages() == [[]]


@pytest.mark.parametrize("claim", ["sub", "name", "email"])
def test_forbidden_characters_of_a_token(stack: Stack, claim: str) -> None:
    for character in FORBIDDEN:
        claims = {"sub": "ada", "name": "Ada", "email": "ada@example.com"}
        claims[claim] += character
        answer = stack.caller("client", **claims).get("/api/requests")
        assert refused(answer) == (401, "unauthenticated")
        detail = answer.json()["detail"]
        assert f"The token's {claim} " in detail and "turn the direction of text" in detail
    answer = stack.caller("client", "ada", name=GENUINE["Arabic"]).get("/api/requests")
    assert answer.status_code == 200


def test_what_was_stored_with_them_can_be_read(stack: Stack, parties: Parties) -> None:
    request, turned = parties.create(), "a\u202eb\ufeff"
    stored = {"title": turned, "description": turned, "client.name": turned}
    stack.settle(request["id"])
    stack.requests.update_one({"_id": request["id"]}, {"$set": stored})
    assert parties.client.request(request["id"])["title"] == turned
    assert parties.accept(request)["client"]["name"] == turned
    stack.settle(request["id"])
    assert len(stack.mails.of(request["id"])) == 2


# ---- ids of people ----

IDS = [
    "auth0|64f0c2a1b7",
    "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
    "ada.ex+law@example.org",
    "https://idp.example/users/5?x=1&y=%20#z",
    "$set",
    "a.b.$c",
    "-_~!*'();:@&=+$,/?%#[]{}<>\"\\^`|",
    "x" * 128,
]


def named(stack: Stack, client: str, lawyer: str) -> Parties:
    """People of these ids, whose addresses are not made of them."""
    mark = secrets.token_hex(4)
    emails = {who: f"{who}-{mark}@example.com" for who in ("client", "lawyer")}
    callers = {"client": client, "lawyer": lawyer}
    parties = Parties(
        stack, *(stack.caller(who, sub, email=emails[who]) for who, sub in callers.items())
    )
    person = parties.person
    parties.person = lambda who, **changes: person(who, **{"email": emails[who]} | changes)
    return parties


@pytest.mark.parametrize("person", IDS)
@pytest.mark.parametrize("who", ["client", "lawyer"])
def test_any_id_of_a_person(stack: Stack, who: str, person: str) -> None:
    """A whole life as that person, and everything that names it."""
    mark = secrets.token_hex(4)
    person = (person + mark)[-128:]
    parties = named(stack, **{"client": f"c-{mark}", "lawyer": f"l-{mark}"} | {who: person})
    key = {"Idempotency-Key": new_key()}
    draft = parties.draft()
    made = parties.client.post("/api/requests", draft, headers=key)
    assert made.status_code == 201, made.text
    again = parties.client.post("/api/requests", draft, headers=key)
    assert again.headers["Idempotency-Replayed"] == "true" and again.json() == made.json()
    request = parties.accept(made.json())
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", request["id"])
    assert request[who]["id"] == person
    caller: Caller = getattr(parties, who)
    assert [row["id"] for row in caller.pages()[0]] == [request["id"]]
    assert request["id"] in [row["id"] for row in caller.fetch("/api/dashboard")["upcoming"]]
    stack.settle(request["id"])
    link = caller.request(request["id"])["meeting"]["calendar_url"]
    assert stack.anyone().get(link).status_code == 200
    done(caller.cancel(request["id"], reason="no time"))
    stack.settle(request["id"])
    actors = {event["actor"].get("id") for event in caller.audit(request["id"])}
    assert person in actors
    found = stack.admin().pages("/api/audit", actor=person)
    assert found[0] and all(e["actor"]["id"] == person for page in found for e in page)
    path = f"/api/people/{urllib.parse.quote(person, safe='')}/erase"
    erased = done(stack.admin().post(path))
    assert erased == {"id": person, "requests": 1}
    assert stack.admin().request(request["id"])[who]["name"] == "Erased person"
    assert stack.run("verify-audit").endswith(" 0 broken\n")


def test_an_id_is_one_word_of_a_log_line(stack: Stack) -> None:
    sub = f'a="b"%{secrets.token_hex(4)}'
    stack.client(sub).fetch("/api/requests")
    word = sub.replace("%", "%25").replace("=", "%3D").replace('"', "%22")
    assert f"caller={word}\n" in stack.logged("meetlink")


@pytest.mark.parametrize("sub", ["a b", "zo\u00eb", "x" * 129, ".", "..", "a\tb", "a\x7f"])
def test_what_is_no_id_of_a_person(stack: Stack, parties: Parties, sub: str) -> None:
    assert stack.caller("client", sub).get("/api/requests").status_code == 401
    body = parties.draft(lawyer=parties.person("lawyer", id=sub))
    assert pointers(parties.client.post("/api/requests", body)) == ["/lawyer/id"]


def test_ids_that_differ_in_case_are_two_people(stack: Stack) -> None:
    mark = secrets.token_hex(4)
    ones, others = named(stack, f"c{mark}", f"L|{mark}"), named(stack, f"C{mark}", f"l|{mark}")
    request = ones.create()
    for stranger in (others.client, others.lawyer):
        assert stranger.pages() == [[]]
        assert stranger.get(f"/api/requests/{request['id']}").status_code == 404
        assert not any(stranger.fetch("/api/dashboard")["counts"].values())


@pytest.mark.parametrize(
    "path", ["/api/requests/{}", "/api/config/providers/{}", "/join/{}", "/calendar/event/{}.ics"]
)
def test_our_own_ids_have_no_slash(stack: Stack, path: str) -> None:
    for part in ("a%2Fb", "%2F", "a%2f..%2fb", "%252F"):
        assert stack.admin().get(path.format(part)).status_code == 404


# ---- instants ----

FRACTIONS = {".0": True, ".000": True, ".000000000": True, ".0000000000": False}
FRACTIONS |= {".": False, ".001": False, ".5": False, ",000": False}


@pytest.mark.parametrize("fraction", FRACTIONS)
def test_instants_with_a_fraction(stack: Stack, parties: Parties, fraction: str) -> None:
    """In every place that takes one."""
    plain, taken = stack.at(days=3), FRACTIONS[fraction]
    written = plain.replace("Z", f"{fraction}Z")
    later = stack.at(days=5)
    moved = later.replace("Z", f"{fraction}Z")
    answer = parties.client.post("/api/requests", parties.draft(starts_at=written))
    if not taken:
        assert pointers(answer) == ["/starts_at"]
    request = answer.json() if taken else parties.create(starts_at=plain)
    assert request["starts_at"] == plain
    answer = parties.lawyer.respond(request["id"], "accept", starts_at=moved)
    if taken:
        assert done(answer)["starts_at"] == later
    else:
        assert pointers(answer) == ["/starts_at"]
        parties.accept(request, starts_at=later)
    answer = parties.lawyer.command(request["id"], "reschedule", starts_at=written)
    if taken:
        assert done(answer)["meeting"]["starts_at"] == plain
    else:
        assert pointers(answer) == ["/starts_at"]
    for caller, path in ((parties.client, "/api/requests"), (stack.admin(), "/api/audit")):
        for name in ("from", "to"):
            for value in (written, f"1970-01-01T00:00:00{fraction}Z"):
                answer = caller.get(path, params={name: value})
                if taken:
                    assert answer.status_code == 200, answer.text
                else:
                    assert pointers(answer) == [f"/{name}"]


@pytest.mark.parametrize("end", ["60.0Z", "60Z", "60.000Z"])
def test_a_leap_second(parties: Parties, end: str) -> None:
    body = parties.draft(starts_at=f"2027-06-30T23:59:{end}")
    assert pointers(parties.client.post("/api/requests", body)) == ["/starts_at"]


# ---- one account for both ----

SAME = {
    "the same": ("ada@example.com", "ada@example.com"),
    "another case of the host": ("ada@example.com", "ada@EXAMPLE.com"),
    "another case of the name": ("ada@example.com", "Ada@example.com"),
    "an A-label": ("ada@b\u00fccher.example", "ada@xn--bcher-kva.example"),
    "another case of a U-label": ("ada@b\u00fccher.example", "ada@B\u00dcCHER.example"),
}
OTHER = {
    "another host": ("ada@example.com", "ada@example.org"),
    "with a tag": ("ada@example.com", "ada+law@example.com"),
    "with a dot": ("adaex@example.com", "ada.ex@example.com"),
}


@pytest.mark.parametrize("name", [*SAME, *OTHER])
def test_one_address_for_both(parties: Parties, name: str) -> None:
    client, lawyer = (SAME | OTHER)[name]
    for one, other in ((client, lawyer), (lawyer, client)):
        body = parties.draft(
            client=parties.person("client", email=one), lawyer=parties.person("lawyer", email=other)
        )
        for caller in (parties.client, parties.stack.service(), parties.stack.admin()):
            answer = caller.post("/api/requests", body)
            if name in SAME:
                assert pointers(answer) == ["/lawyer/email"]
            else:
                assert answer.status_code == 201, answer.text


def test_one_id_for_both(parties: Parties) -> None:
    body = parties.draft(lawyer=parties.person("lawyer", id=parties.client_id))
    for caller in (parties.client, parties.stack.service()):
        assert pointers(caller.post("/api/requests", body)) == ["/lawyer/id"]


def test_a_lawyer_with_the_clients_address(stack: Stack, parties: Parties) -> None:
    """The token would put it in the place of the one that the client named."""
    request = parties.create()
    email = parties.person("client")["email"].upper()
    lawyer = stack.caller("lawyer", parties.lawyer_id, email=email)
    answer = lawyer.respond(request["id"], "accept")
    assert pointers(answer) == [""] and "client's" in answer.json()["errors"][0]["detail"]
    for caller in (parties.lawyer, stack.service(), stack.admin()):
        answer = caller.respond(request["id"], "accept", lawyer_email=email)
        assert pointers(answer) == ["/lawyer_email"]
    assert parties.client.request(request["id"])["status"] == "open"
    assert parties.accept(request)["status"] == "accepted"
    stack.settle(request["id"])
