"""A person's page, /m/{token}: what it shows to whom, and what its forms do."""

import base64
import html
import html.parser
import re
from collections.abc import Iterator

import described
import pytest
import requests
from bson.raw_bson import RawBSONDocument
from caller import Caller, Parties, done, plain
from stack import Stack
from support import at_once

POLICY = "/api/config/meetings"
ACTS = (
    "accept", "decline", "cancel", "move", "renew", "propose", "withdraw", "take", "refuse",
    "held", "client_no_show", "lawyer_no_show",
)  # fmt: skip
HOSTILE = '"><script>alert(1)</script>{{title}}\' onmouseover=x'


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory, mongodb_uri: str) -> Iterator[Stack]:
    """A stack with a clock and a policy that these tests may change."""
    with Stack(tmp_path_factory.mktemp("pages"), mongodb_uri) as stack:
        yield stack


@pytest.fixture
def people(own: Stack) -> Parties:
    return own.parties()


class Markup(html.parser.HTMLParser):
    """Only what the templates hold themselves."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in ("script", "iframe", "img", "object", "embed", "base", "link")
        for name, value in attrs:
            assert not name.startswith("on") and name not in ("style", "formaction")
            assert name not in ("href", "src") or re.match(r"https?://|\?", value or "")


class Page:
    """A person's page, as a browser has it that sends no bearer token."""

    def __init__(self, people: Parties, who: str, request: dict):
        self.url = getattr(people, who).request(request["id"])["links"]["page_url"]
        self.visitor: Caller = people.stack.anyone()

    def get(self, act: str = "", **headers: str) -> requests.Response:
        return self.visitor.get(f"{self.url}?{act}", headers=headers)

    def text(self, act: str = "", **headers: str) -> str:
        answer = self.get(act, **headers)
        assert answer.status_code == 200, answer.text
        return plain(answer.text)

    def form(self, act: str = "") -> str:
        """The token of the form."""
        found = re.search(r'name="form" value="([\w-]{32})"', self.text(act))
        assert found, "no form"
        return found[1]

    def post(self, act: str, form: str | None = None, **fields: object) -> requests.Response:
        form = self.form(act) if form is None else form
        headers = fields.pop("headers", {})
        data = {"form": form} | fields
        answer = self.visitor.call("POST", f"{self.url}?{act}", data=data, headers=headers)
        described.hold(answer)
        return answer

    def act(self, act: str, **fields: object) -> None:
        answer = self.post(act, **fields)
        assert answer.status_code == 303, answer.text
        assert answer.headers["Location"] == self.url


def local(own: Stack, **ahead: float) -> str:
    """As a field of a form has it; people without a zone read the request's, which is UTC."""
    return own.at(**ahead)[:16]


def raw(own: Stack, request: dict) -> bytes:
    options = own.requests.codec_options.with_options(document_class=RawBSONDocument)
    return own.requests.with_options(options).find_one({"_id": request["id"]}).raw


def in_utc(people: Parties, **changes: object) -> dict:
    return people.accepted(lawyer=people.person("lawyer"), timezone="UTC", **changes)


def events(people: Parties, request: dict, action: str) -> list[dict]:
    return [e for e in people.lawyer.audit(request["id"]) if e["action"] == action]


# ---- what it shows ----


def test_from_the_mail_to_the_meeting(own: Stack, people: Parties) -> None:
    request = people.accepted(starts_at=own.at(hours=3), client=people.person("client"))
    own.settle(request["id"])
    (mail,) = [m for m in own.mails.of(request["id"]) if m.recipient == request["client"]["email"]]
    (url,) = set(re.findall(r"http://\S+/m/[\w-]{50}", mail.text()))
    assert url == people.client.request(request["id"])["links"]["page_url"]
    assert html.escape(url) in mail.text("text/html")
    page = Page(people, "client", request)
    shown = page.text()
    assert request["title"] in shown and "Lawyer Ex" in shown and "in 3 hours" in shown
    join = people.client.request(request["id"])["meeting"]["join_url"]
    assert join not in shown and "disabled>Join the meeting" in shown
    assert "calendar/event/" in shown and "https://calendar.google.com/" in shown
    refresh = int(page.get().headers["Refresh"])
    assert 0 < refresh < 3600
    own.advance(2 * 3600 + 46 * 60)
    shown = page.text()
    assert f'href="{join}"' in shown and "disabled" not in shown
    robot = page.text(**{"User-Agent": "Googlebot/2.1"})
    assert join not in robot and "<form" not in robot and "?cancel" not in robot
    own.advance(3 * 3600)
    assert "This meeting is over" in page.text() and "Refresh" not in page.get().headers


def test_its_headers(people: Parties) -> None:
    answer = Page(people, "client", people.accepted()).get()
    parts = answer.headers["Content-Security-Policy"].split("; ")
    policy = dict(part.split(" ", 1) for part in parts)
    assert "unsafe" not in str(policy)
    assert policy.keys() == {
        "default-src", "style-src", "form-action", "base-uri", "frame-ancestors"
    }  # fmt: skip
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    nonce = re.fullmatch(r"'nonce-([\w-]{22})'", policy["style-src"])[1]
    assert f'<style nonce="{nonce}">' in answer.text and "<script" not in answer.text
    assert answer.text.count("<style") == 1 and " style=" not in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert "ETag" not in answer.headers and "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    ("accepted", "language", "words"),
    [
        ("fr-CA,fr;q=0.9", "fr", "Rejoindre le rendez-vous"),
        ("de", "de", "Am Gespräch teilnehmen"),
        ("nl", "de", "Am Gespräch teilnehmen"),
        ("en-GB", "en", "Join the meeting"),
    ],
)
def test_it_speaks_to_its_visitor(
    people: Parties, accepted: str, language: str, words: str
) -> None:
    """In the browser's language, and else in the person's own."""
    person = people.person("client", locale="de", timezone="America/New_York")
    request = people.accepted(client=person)
    answer = Page(people, "client", request).get(**{"Accept-Language": accepted})
    assert answer.headers["Content-Language"] == language and words in answer.text
    assert "America/New_York" in answer.text and "(CE" in answer.text, "both people's times"


def test_whatever_people_are_called(own: Stack, people: Parties) -> None:
    request = people.create(
        client=people.person("client", name=HOSTILE),
        title=HOSTILE,
        description=HOSTILE,
        lawyer=people.person("lawyer", name=HOSTILE, timezone="Europe/Berlin"),
    )
    people.accept(request, message=HOSTILE)
    done(people.client.command(
        request["id"], "propose", starts_at=own.at(days=9), message=HOSTILE
    ))  # fmt: skip
    for who in ("client", "lawyer"):
        page = Page(people, who, request)
        for act in ("", *ACTS):
            text = page.text(act)
            assert "{{title}}" in text, "what people write is no template"
            Markup().feed(text)
    client = Page(people, "client", request)
    again = client.post("cancel", form="x", words="</textarea><script>")
    assert again.status_code == 403
    Markup().feed(again.text)
    assert "&lt;/textarea&gt;&lt;script&gt;" in again.text


def test_what_was_cancelled(people: Parties) -> None:
    request = people.accepted()
    done(people.lawyer.cancel(request["id"], reason="Fell ill"))
    shown = Page(people, "client", request).text()
    assert "Fell ill" in shown and "cancelled it" in shown and "?cancel" not in shown
    declined = people.create()
    done(people.lawyer.respond(declined["id"], "decline", message="Not my field"))
    shown = Page(people, "client", declined).text()
    assert "declined" in shown and "Not my field" in shown


def test_who_is_late_may_still_come_in(own: Stack, people: Parties) -> None:
    """The door is open for longer than the meeting was to last."""
    request = people.accepted(starts_at=own.at(minutes=5), duration_minutes=30)
    page = Page(people, "client", request)
    join = people.client.request(request["id"])["meeting"]["join_url"]
    own.advance(36 * 60)
    assert page.visitor.get(join).status_code == 302
    shown = page.text()
    assert f'href="{join}"' in shown and "This meeting is over" not in shown
    assert "?cancel" not in shown, "there is nothing to cancel any more"
    own.advance(3600)
    assert page.visitor.get(join).status_code == 410
    shown = page.text()
    assert "This meeting is over" in shown and join not in shown


# ---- whose it is ----


def test_links_that_are_none(own: Stack, people: Parties) -> None:
    request = people.accepted()
    seen = people.client.request(request["id"])
    token = seen["links"]["page_url"].rpartition("/")[2]
    flipped = base64.urlsafe_b64decode(token + "==")
    flipped = bytes([flipped[0] ^ 1]) + flipped[1:]
    wrong = [
        token[:-2],
        "x",
        token[::-1],
        seen["meeting"]["join_url"].rpartition("/")[2],
        base64.urlsafe_b64encode(flipped).decode().rstrip("="),
    ]
    pages = set()
    for one in wrong:
        for answer in (
            own.anyone().get(f"/m/{one}"),
            own.anyone().call("POST", f"/m/{one}?cancel", data={"form": "x"}),
        ):
            assert answer.status_code == 404 and "text/html" in answer.headers["Content-Type"]
            pages.add(plain(answer.text))
    assert len(pages) == 1 and "This link is not known" in pages.pop()
    join = own.anyone().get(seen["meeting"]["join_url"].replace(wrong[3], token))
    assert join.status_code == 404, "nor does it open the door"


def test_it_dies_with_the_person(own: Stack, people: Parties) -> None:
    request = people.accepted()
    client, lawyer = (Page(people, who, request) for who in ("client", "lawyer"))
    form = client.form("cancel")
    assert own.admin().post(f"/api/people/{people.client_id}/erase").ok
    assert client.get().status_code == 404
    assert client.post("cancel", form=form).status_code == 404
    assert "page_url" not in people.client.request(request["id"])["links"]
    assert "Erased person" in lawyer.text()


def test_who_is_known_by_the_clients_word_alone(own: Stack, people: Parties) -> None:
    """Anybody may be behind an address that only the client has named."""
    for filed_by, told in ((people.client, False), (own.service(), True)):
        answer = filed_by.post("/api/requests", people.draft())
        request = answer.json()
        own.settle(request["id"])
        (mail,) = own.mails.notices(request["id"])
        assert mail.recipient == request["lawyer"]["email"]
        assert ("/m/" in mail.text()) == told and ("/m/" in mail.text("text/html")) == told


def test_its_token_is_logged_nowhere(own: Stack, people: Parties) -> None:
    request = people.accepted()
    page = Page(people, "client", request)
    page.get("cancel")
    page.post("cancel", form="x", words="secret words")
    token = page.url.rpartition("/")[2]
    for name in ("access", "nginx", "meetlink"):
        assert token not in own.logged(name) and "secret words" not in own.logged(name)
    assert "/m/***" in own.logged("access") and "/m/{}" in own.logged("meetlink")


# ---- what it does ----


def test_looking_changes_nothing(own: Stack, people: Parties) -> None:
    request = people.accepted()
    own.settle(request["id"])
    before = raw(own, request)
    for who in ("client", "lawyer"):
        page = Page(people, who, request)
        for act in ("", *ACTS, "nothing", "utm_source=mail"):
            assert page.get(act).status_code == 200
            assert page.visitor.head(f"{page.url}?{act}").status_code == 200
    assert raw(own, request) == before


def test_the_client_cancels(own: Stack, people: Parties) -> None:
    request = people.accepted()
    page = Page(people, "client", request)
    form = page.form("cancel")
    answers = at_once([lambda: page.post("cancel", form=form, words="Fell\r\nill")] * 4)
    assert {answer.status_code for answer in answers} <= {303, 409}
    assert 303 in {answer.status_code for answer in answers}
    seen = people.lawyer.request(request["id"])
    assert seen["status"] == "cancelled" and seen["meeting"]["ended_reason"] == "Fell\nill"
    (event,) = events(people, request, "request.cancelled")
    assert event["source"] == "gate"
    assert event["actor"] == {"id": people.client_id, "role": "client"}
    assert "You cancelled it" in page.text()


def test_the_client_asks_for_another_time(own: Stack, people: Parties) -> None:
    request = in_utc(people)
    page = Page(people, "client", request)
    when = local(own, days=6)
    page.act("propose", when=when, minutes="30", words="In court")
    proposal = people.lawyer.request(request["id"])["proposal"]
    assert proposal["starts_at"][:16] == when and proposal["duration_minutes"] == 30
    assert "In court" in page.text() and "?propose" not in page.text()
    page.act("withdraw")
    assert people.lawyer.request(request["id"])["proposal"] is None
    assert [e["source"] for e in events(people, request, "meeting.proposed")] == ["gate"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"when": "2027-03-28T02:30"},  # the clock of Berlin never shows that
        {"when": "2020-01-01T10:00"},
        {"when": "soon"},
        {"when": ""},
        {"minutes": "4"},
        {"minutes": "1e3"},
        {"minutes": ""},
        {"words": "x" * 2001},
        {"words": "\u202eturned"},
    ],
)
def test_what_was_typed_is_not_lost(own: Stack, people: Parties, wrong: dict) -> None:
    request = people.accepted(client=people.person("client", timezone="Europe/Berlin"))
    page = Page(people, "client", request)
    typed = {"when": local(own, days=6), "minutes": "45", "words": "In\n<court>"} | wrong
    answer = page.post("propose", **typed)
    assert answer.status_code == 422 and 'role="alert"' in answer.text
    fields = re.findall(r'name="(\w+)"[^>]* value="([^"]*)"', answer.text)
    fields += re.findall(r'<textarea name="(\w+)"[^>]*>\n([^<]*)<', answer.text)
    shown = {name: html.unescape(value) for name, value in fields}
    assert {name: shown[name] for name in typed} == typed | {"words": typed["words"].strip("\u202e")}
    assert people.client.request(request["id"])["proposal"] is None


def test_words_that_are_far_too_long(people: Parties) -> None:
    answer = Page(people, "client", people.accepted()).post("cancel", words='"' * 20000)
    assert answer.status_code == 422 and html.escape('"' * 20000) in answer.text


@pytest.mark.parametrize(
    "starts_at",
    [
        "2027-10-31T01:30:00Z",  # the second 02:30 of that day in Berlin
        "2027-10-31T00:30:00Z",
        "2027-05-03T10:20:42Z",
    ],
)
def test_a_time_that_was_not_edited_stays(own: Stack, people: Parties, starts_at: str) -> None:
    answer = own.service().post("/api/requests", people.draft(starts_at=starts_at))
    request = answer.json()
    page = Page(people, "lawyer", request)
    (when,) = re.findall(r'name="when" value="([^"]+)"', page.text("accept"))
    page.act("accept", when=when, minutes="45")
    assert people.client.request(request["id"])["starts_at"] == starts_at
    page.act("move", when=when, minutes="30")
    seen = people.client.request(request["id"])
    assert (seen["starts_at"], seen["duration_minutes"]) == (starts_at, 30)


def test_who_tries_again_does_the_same_thing(own: Stack, people: Parties) -> None:
    """Under the same key, so that what was done after all is done once."""
    page = Page(people, "client", in_utc(people))
    form = page.form("propose")
    own.advance(60)
    answer = page.post("propose", form=form, when="2020-01-01T10:00", minutes="30")
    assert answer.status_code == 422
    assert set(re.findall(r'name="form" value="([\w-]{32})"', answer.text)) == {form}


def test_what_is_changed_too_often(own: Stack, people: Parties) -> None:
    done(own.admin().put(POLICY, {"max_changes_per_hour": 1}))
    try:
        request = people.accepted()
        page = Page(people, "lawyer", request)
        words = []
        for language in ("en", "de", "fr"):
            answer = page.post("renew", words="Leaked", headers={"Accept-Language": language})
            assert answer.status_code == 429
            assert 0 < int(answer.headers["Retry-After"]) <= 3601
            words += re.findall(r'role="alert">([^<]*)<', answer.text)
        assert "too often" in words[0] and len(set(words)) == 3
        assert people.client.request(request["id"])["meeting"]["generation"] == 1
    finally:
        done(own.admin().put(POLICY, {"max_changes_per_hour": 30}))


def test_a_form_that_was_open_for_too_long(own: Stack, people: Parties) -> None:
    request = in_utc(people)
    page = Page(people, "client", request)
    form, when = page.form("propose"), local(own, days=6)
    own.advance(3600)
    answer = page.post("propose", form=form, when=when, minutes="30", words="In <court>")
    assert answer.status_code == 403 and "Refresh" not in answer.headers
    assert "In &lt;court&gt;" in answer.text and f'value="{when}"' in answer.text
    assert people.client.request(request["id"])["proposal"] is None
    fresh = re.search(r'name="form" value="([\w-]{32})"', answer.text)[1]
    answer = page.post("propose", form=fresh, when=when, minutes="30", words="In <court>")
    assert answer.status_code == 303
    assert people.client.request(request["id"])["proposal"]["message"] == "In <court>"


def test_forms_of_others(own: Stack, people: Parties) -> None:
    request, other = people.accepted(), own.parties()
    page = Page(people, "client", request)
    own.settle(request["id"])
    before = raw(own, request)
    strangers = [
        Page(people, "lawyer", request).form("cancel"),
        Page(other, "client", other.accepted()).form("cancel"),
        "",
        "x" * 32,
    ]
    for form in strangers:
        assert page.post("cancel", form=form, words="x").status_code == 403
    form = page.form("cancel")
    for site in ("cross-site", "same-site"):
        answer = page.post("cancel", form=form, headers={"Sec-Fetch-Site": site})
        assert answer.status_code == 403
    for options in (
        {"data": b'{"form": "x"}', "headers": {"Content-Type": "application/json"}},
        {"data": b"form=%zz", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
        {"data": b"form=" + b"x" * 70000},
    ):
        answer = page.visitor.call("POST", f"{page.url}?cancel", **options)
        assert answer.status_code in (400, 413) and "text/html" in answer.headers["Content-Type"]
    assert page.visitor.call("POST", page.url, data={"form": form}).status_code == 404
    assert raw(own, request) == before


def test_each_to_their_own(own: Stack, people: Parties) -> None:
    request = in_utc(people)
    done(people.client.command(request["id"], "propose", starts_at=own.at(days=6)))
    own.settle(request["id"])
    before = raw(own, request)
    allowed = {
        "client": {"cancel", "withdraw"},
        "lawyer": {"cancel", "move", "renew", "take", "refuse"},
    }
    of_role = {
        "client": {"cancel", "propose", "withdraw"},
        "lawyer": set(ACTS) - {"propose", "withdraw"},
    }
    for who, may in allowed.items():
        page = Page(people, who, request)
        form = page.form("cancel")
        for act in set(ACTS) - may:
            answer = page.post(act, form=form, when=local(own, days=7), minutes="30")
            assert answer.status_code == (409 if act in of_role[who] else 403), act
            assert 'role="alert"' in answer.text
    assert raw(own, request) == before


def test_the_lawyer_answers(own: Stack, people: Parties) -> None:
    answer = own.service().post(
        "/api/requests", people.draft(timezone="UTC", lawyer=people.person("lawyer"))
    )
    request, when = answer.json(), local(own, days=7)
    page = Page(people, "lawyer", request)
    page.act("accept", when=when, minutes="20", words="See you")
    seen = people.client.request(request["id"])
    assert (seen["status"], seen["message"]) == ("accepted", "See you")
    assert seen["starts_at"][:16] == when and seen["meeting"]["status"] == "ready"
    (event,) = events(people, request, "request.accepted")
    assert (event["source"], event["actor"]["role"]) == ("gate", "lawyer")
    page.act("move", when=local(own, days=8), minutes="25")
    assert people.client.request(request["id"])["duration_minutes"] == 25
    form = page.form("renew")
    for _ in range(2):
        assert page.post("renew", form=form, words="Leaked").status_code == 303
    assert people.client.request(request["id"])["meeting"]["generation"] == 2, "once"

    declined = own.service().post("/api/requests", people.draft()).json()
    Page(people, "lawyer", declined).act("decline", words="Not my field")
    assert people.client.request(declined["id"])["status"] == "declined"


def test_a_lawyer_whose_address_nobody_confirmed(people: Parties) -> None:
    request = people.create(lawyer=people.person("lawyer"), timezone="UTC")
    page = Page(people, "lawyer", request)
    answer = page.post("accept", when=request["starts_at"][:16], minutes="45")
    assert answer.status_code == 422 and "sign in" in answer.text
    assert people.client.request(request["id"])["status"] == "open"


def test_the_lawyer_decides(own: Stack, people: Parties) -> None:
    taken = own.at(days=6)
    people.accepted(starts_at=taken)
    request = people.accepted()
    page = Page(people, "lawyer", request)
    done(people.client.command(request["id"], "propose", starts_at=taken))
    answer = page.post("take")
    assert answer.status_code == 409 and 'name="overlap"' in answer.text
    page.act("refuse", words="Busy then")
    assert people.client.request(request["id"])["proposal"]["answer"] == "Busy then"
    assert "Busy then" in Page(people, "client", request).text()
    Page(people, "client", request).act("withdraw")
    done(people.client.command(request["id"], "propose", starts_at=taken))
    page.act("take", overlap="1")
    assert people.client.request(request["id"])["starts_at"] == taken
    again = page.post("take", form=page.form("cancel"))
    assert again.status_code == 409 and "changed in the meantime" in again.text


def test_how_it_went(own: Stack, people: Parties) -> None:
    request = people.accepted(starts_at=own.at(minutes=5))
    page = Page(people, "lawyer", request)
    assert "How did it go?" not in page.text()
    own.advance(6 * 60)
    form = page.form()
    for act, words in (
        ("client_no_show", "the client did not come"),
        ("held", "the meeting took place"),
    ):
        page.act(act, form=form)
        assert people.lawyer.request(request["id"])["meeting"]["outcome"] == act
        assert f"You have noted: {words}" in page.text()
    assert "You have noted" not in Page(people, "client", request).text()


# ---- policy ----


def test_pages_for_looking_only(own: Stack, people: Parties) -> None:
    request = people.accepted()
    page = Page(people, "client", request)
    form = page.form("cancel")
    done(own.admin().put(POLICY, {"page_links": "view"}))
    try:
        for act in ("", "cancel"):
            assert "<form" not in page.text(act) and "?cancel" not in page.text(act)
        answer = page.post("cancel", form=form)
        assert answer.status_code == 403 and "sign in" in answer.text
        assert people.client.request(request["id"])["status"] == "accepted"
    finally:
        done(own.admin().put(POLICY, {"page_links": "act"}))


def test_shortly_before_the_start(own: Stack, people: Parties) -> None:
    done(own.admin().put(POLICY, {"change_until_minutes_before": 120}))
    try:
        request = people.accepted(starts_at=own.at(hours=3))
        own.settle(request["id"])
        page = Page(people, "client", request)
        own.advance(3000)
        form = page.form("cancel")
        own.advance(700)
        shown = page.text()
        assert "please call Lawyer Ex" in shown
        assert "?cancel" not in shown and "?propose" not in shown
        answer = page.post("cancel", form=form)
        assert answer.status_code == 409 and "Please call Lawyer Ex" in plain(answer.text)
        assert people.client.request(request["id"])["status"] == "accepted"
        assert "?cancel" in Page(people, "lawyer", request).text()
    finally:
        done(own.admin().put(POLICY, {"change_until_minutes_before": 0}))


def test_the_marketplace_has_pages_of_its_own(
    tmp_path_factory: pytest.TempPathFactory, mongodb_uri: str
) -> None:
    pages = {"PUBLIC_REQUEST_URL": "https://market.example/requests/{id}"}
    with Stack(tmp_path_factory.mktemp("market"), mongodb_uri, **pages) as stack:
        people = stack.parties()
        request = people.accepted()
        url = f"https://market.example/requests/{request['id']}"
        assert people.client.request(request["id"])["links"]["page_url"] == url
        stack.settle(request["id"])
        for mail in stack.mails.of(request["id"]):
            assert url in mail.text() and "/m/" not in mail.text()
