"""What people do on the pages, and what becomes of it when something is in the way."""

import datetime
import secrets
import threading
import time
import zoneinfo

import pytest
from browsers import CHROMIUM, DRIVER, PATIENCE, Browser, Door, Host
from caller import Parties, mint
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support import expected_conditions
from selenium.webdriver.support.ui import WebDriverWait
from stack import Stack
from support import until

pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="there is no Chromium with its driver"
)


@pytest.fixture
def people(pages: Stack) -> Parties:
    mark = secrets.token_hex(4)
    return Parties(
        pages,
        *(
            pages.caller(
                role,
                f"{name.lower()}-{mark}",
                name=name,
                email=f"{name.lower()}-{mark}@example.com",
            )
            for role, name in (("client", "Clara"), ("lawyer", "Lena"))
        ),
    )


def asked(people: Parties, **changes: object) -> dict:
    return people.create(client=people.person("client"), lawyer=people.person("lawyer"), **changes)


def card(request: dict) -> str:
    return f"#r-{request['id']}"


def test_from_a_request_to_the_door(
    pages: Stack, door: Door, one: Browser, two: Browser, people: Parties
) -> None:
    """Two people, two browsers, and nobody reloads."""
    two.open(door, people.lawyer.token)
    one.open(door, people.client.token)
    one.press("[data-act=file]")
    one.type("dialog [name=title]", "Tenancy")
    one.type("dialog [name=description]", "The landlord keeps the deposit.")
    one.type("dialog [name='lawyer.name']", "Lena")
    one.type("dialog [name='lawyer.email']", people.person("lawyer")["email"])
    one.type("dialog [name='lawyer.id']", people.lawyer_id)
    soon = pages.now() + datetime.timedelta(minutes=12)
    one.fill("dialog [name=starts_at]", zoned(soon))
    one.press("dialog button.primary")
    one.sees("#note", "has been sent")
    one.sees(".card", "Waits for an answer")

    two.sees(".card .reasons", "waits for your answer")
    two.press(".card [data-act=accept]")
    two.type("dialog [name=message]", "Bring the lease.")
    two.press("dialog button.primary")
    two.sees("#note", "the meeting is ready")
    two.sees(".card a.primary", "Join")

    link = one.sees(".card a.primary", "Join")
    assert "/join/" in link.get_attribute("href")
    one.press(".card summary")
    one.sees(".card dd", "Bring the lease.")

    one.press(".card [data-act=cancel]")
    one.type("dialog [name=reason]", "It is settled.")
    one.press("dialog button.danger")
    one.sees(".card .state", "Cancelled")
    two.sees(".card .state", "Cancelled")
    (request,) = people.client.fetch("/api/requests")["items"]
    assert (request["status"], request["title"]) == ("cancelled", "Tenancy")


def zoned(moment: datetime.datetime) -> str:
    """By a clock in Berlin, where the browsers of the tests are."""
    return moment.astimezone(zoneinfo.ZoneInfo("Europe/Berlin")).strftime("%Y-%m-%dT%H:%M")


def test_a_session_ends_in_the_middle_of_a_form(door: Door, one: Browser, people: Parties) -> None:
    request = asked(people)
    one.open(door, people.lawyer.token)
    one.press(f"{card(request)} [data-act=decline]")
    one.type("dialog [name=message]", "I am away that week.")
    with door.moody(lambda method, path: 401 if path.startswith("/api/") else None):
        one.press("dialog button.danger")
        one.sees("dialog.sign-in", "What you have typed is kept")
    first = one.driver.current_window_handle
    one.driver.switch_to.new_window("tab")
    fresh = mint(people.stack.secret, sub=people.lawyer_id, role="lawyer", name="Lena")
    one.driver.get(f"{door.url}/app/#token={fresh}")
    one.sees("h1")
    one.driver.close()
    one.driver.switch_to.window(first)
    one.sees("#note", "Declined")
    until(lambda: people.client.request(request["id"])["status"] == "declined", "it was sent")
    assert people.client.request(request["id"])["message"] == "I am away that week."


def test_the_host_application_signs_people_in(
    door: Door, host: Host, one: Browser, people: Parties
) -> None:
    """By a message to the window that it opened, and on its own page."""
    request = asked(people)
    host.token = people.lawyer.token
    one.forget(door.url)  # a window that is opened gets a copy
    one.driver.get(host.url)
    first = one.driver.current_window_handle
    one.run("window.open(arguments[0])", f"{door.url}/app/")
    (second,) = set(one.driver.window_handles) - {first}
    one.driver.switch_to.window(second)
    one.sees(card(request))
    one.driver.close()
    one.driver.switch_to.window(first)
    one.driver.get(f"{door.url}/app/")
    one.run("sessionStorage.clear()")
    one.driver.refresh()
    one.sees("dialog.sign-in", "opened from the marketplace")
    one.press("dialog.sign-in a", "Sign in")
    one.sees("#who", "Lena")
    for handle in set(one.driver.window_handles) - {first}:
        one.driver.switch_to.window(handle)
        one.driver.close()
    one.driver.switch_to.window(first)
    one.sees(card(request))


def test_another_person_takes_over_no_form(door: Door, one: Browser, people: Parties) -> None:
    """A token of somebody else's begins anew, once one has said so, and nothing of the one before is
    left."""
    request = asked(people, title="For Lena alone")
    one.open(door, people.lawyer.token)
    one.sees(card(request), "For Lena alone")
    stranger = people.stack.caller("lawyer", f"stranger-{secrets.token_hex(4)}", name="Stranger")
    asks = expected_conditions.alert_is_present()
    for answer, name in (("dismiss", "Lena"), ("accept", "Stranger")):
        one.run("setTimeout((hash) => location.hash = hash, 0, arguments[0])", f"token={stranger.token}")
        question = WebDriverWait(one.driver, PATIENCE).until(asks)
        assert "You are Lena here" in question.text and "Stranger" in question.text
        getattr(question, answer)()
        one.sees("#who", name)
    one.misses(card(request))


# By a message to the page itself, and returns when what comes after it has been looked at too.
TELL = """
const [token, done] = arguments;
addEventListener("message", async () => {
    const signin = await import(new URL("/app/signin.js", location.href));
    await signin.told({origin: "https://elsewhere.example", data: {token}});
    done();
}, {once: true});
postMessage({type: "meetlink.token", token}, "*");
"""


def test_what_comes_from_elsewhere_is_not_believed(
    door: Door, one: Browser, people: Parties
) -> None:
    """A message with a token from a window that is not the host application's."""
    one.open(door, people.client.token)
    stranger = people.stack.client("mallory").token
    one.driver.execute_async_script(TELL, stranger)
    assert people.client.token == one.run("return sessionStorage.getItem('meetlink.token')")
    assert one.find("#who", "Clara")


def test_a_slow_and_a_failing_server(door: Door, one: Browser, people: Parties) -> None:
    """What is old is said to be, and comes right by itself; what was sent is done once."""
    request = asked(people)
    one.open(door, people.lawyer.token)
    one.sees(card(request))
    with door.moody(lambda method, path: 503 if path.startswith("/api/") else None):
        one.sees("#stale", "may be out of date")
        assert one.find(card(request)), "what was known is still shown"
    one.misses("#stale", "may be out of date")
    before = len(door.seen)
    deaf = iter(["deaf", "cut"])
    with door.moody(lambda method, path: next(deaf, None) if method == "POST" else 3.0):
        one.press(f"{card(request)} [data-act=accept]")
        one.sees("dialog [name=message]")
        one.press("dialog button.primary")
        one.sees("#note", "ready")
    sent = [path for method, path in door.seen[before:] if method == "POST"]
    assert len(sent) == 3, "it was not repeated"
    accepted = [e for e in people.client.audit(request["id"]) if e["action"] == "request.accepted"]
    assert len(accepted) == 1


def test_another_time_is_agreed_on(
    door: Door, one: Browser, two: Browser, people: Parties
) -> None:
    """Asked for, withdrawn although no answer comes, asked for again and taken; moved by the lawyer,
    and given another link."""
    request = people.accept(asked(people))
    one.open(door, people.client.token)
    two.open(door, people.lawyer.token)

    def propose(days: int) -> str:
        start = people.stack.at(days=days)[:16] + ":00Z"
        one.press(f"{card(request)} [data-act=propose]")
        one.fill("dialog [name=starts_at]", zoned(datetime.datetime.fromisoformat(start)))
        one.type("dialog [name=message]", f"Better in {days} days.")
        one.press("dialog button.primary")
        one.sees("#note", "has been asked")
        one.sees(f"{card(request)} .box", f"Better in {days} days.")
        return start

    propose(5)
    deaf = iter(["deaf"])
    with door.moody(lambda method, path: next(deaf, None) if method == "DELETE" else None):
        one.press(f"{card(request)} [data-act=withdraw]")
        one.press("dialog button.danger")
        one.sees("#note", "Withdrawn")
    one.misses(f"{card(request)} .box")
    start = propose(6)
    two.sees(f"{card(request)} .reasons", "Another time")
    two.press(f"{card(request)} [data-act=proposal_accept]")
    two.press("dialog button.primary")
    two.sees("#note", "Accepted and moved")
    assert people.client.request(request["id"])["starts_at"] == start

    later = people.stack.at(days=7)[:16] + ":00Z"
    two.press(f"{card(request)} [data-act=reschedule]")
    two.fill("dialog [name=starts_at]", zoned(datetime.datetime.fromisoformat(later)))
    two.press("dialog button.primary")
    two.sees("#note", "Moved")
    before = people.client.request(request["id"])
    assert before["starts_at"] == later
    two.press(f"{card(request)} [data-act=regenerate]")
    two.press("dialog button.primary")
    two.misses("dialog")

    def renewed() -> dict | None:
        meeting = people.client.request(request["id"])["meeting"]
        return meeting if (meeting["generation"], meeting["status"]) == (2, "ready") else None

    after = until(renewed, "there is a new link", PATIENCE)
    assert after["join_url"] != before["meeting"]["join_url"]


def test_who_comes_second_is_told(door: Door, one: Browser, people: Parties) -> None:
    """The form is open, and the request is withdrawn meanwhile."""
    request = asked(people)
    one.open(door, people.lawyer.token)
    one.press(f"{card(request)} [data-act=accept]")
    one.type("dialog [name=message]", "Gladly.")
    assert people.client.cancel(request["id"]).status_code == 200
    one.press("dialog button.primary")
    one.sees("dialog [role=alert]", "no longer possible")
    assert one.sees("dialog [name=message]").get_attribute("value") == "Gladly."
    one.keys(Keys.ESCAPE)
    one.sees(f"{card(request)} .state", "Cancelled")


def test_an_overlap_is_asked_about(door: Door, one: Browser, people: Parties) -> None:
    people.accept(asked(people, title="Already there"))
    second = asked(people, title="At the same time")
    one.open(door, people.lawyer.token)
    one.press(f"{card(second)} [data-act=accept]")
    one.sees("dialog", "You also have")
    one.press("dialog button.primary")
    one.sees("dialog [role=alert]", "same time")
    one.press("dialog [name=allow_overlap]")
    one.press("dialog button.primary")
    one.sees(f"{card(second)} .state", "Ready")


def test_by_keyboard_alone(door: Door, one: Browser, people: Parties) -> None:
    request = asked(people)
    one.open(door, people.lawyer.token)
    one.sees(card(request))
    one.run("document.activeElement.blur()")
    one.tab_to("Skip")
    one.keys(Keys.ENTER)
    one.tab_to("Decline")
    one.keys(Keys.ENTER)
    one.sees("dialog")
    one.keys("No time.", Keys.ESCAPE)
    one.misses("dialog")
    assert one.run("return document.activeElement.dataset.act") == "decline"
    one.keys(Keys.ENTER)
    one.sees("dialog")
    assert one.run("return document.activeElement.value") == "No time.", "it was kept"
    one.tab_to("Decline")
    one.keys(Keys.ENTER)
    one.sees("#note", "Declined")
    assert people.client.request(request["id"])["message"] == "No time."


def test_all_of_many(door: Door, one: Browser, people: Parties) -> None:
    """An endless list, a filter, and a search in what is loaded."""
    for i in range(23):
        asked(people, title=f"Case #{i:02}", starts_at=people.stack.at(days=3, hours=i))
    one.open(door, people.client.token, "all")
    one.sees(".card", "Case #22")
    wanted, held = threading.Event(), threading.Event()

    def hold(method: str, path: str) -> None:
        if "cursor=" in path:
            wanted.set()
            held.wait(PATIENCE)

    with door.moody(hold):  # a page of one filter comes when there is another
        one.run("window.scrollTo(0, document.body.scrollHeight)")
        assert wanted.wait(PATIENCE)
        one.fill("[name=status]", "declined")
        one.sees("main [role=status]", "0 of 0")
        held.set()
        disabled = "return document.querySelector('main > div > button').disabled"
        until(lambda: not one.run(disabled), "it has come", PATIENCE)
        assert one.find("main [role=status]", "0 of 0")
        one.fill("[name=status]", "")
        one.sees(".card", "Case #22")
    one.run("window.scrollTo(0, document.body.scrollHeight)")
    one.sees("main [role=status]", "23 of 23")
    one.type("[name=search]", "clara #07")
    one.sees("main [role=status]", "1 of 23")
    one.run("document.querySelector('[name=search]').value = ''")
    one.fill("[name=status]", "declined")
    one.sees("main [role=status]", "0 of 0")


def test_who_saves_second_sees_what_is_so(pages: Stack, door: Door, one: Browser) -> None:
    """The form is open while somebody else saves: nothing of theirs is written over."""
    admin = pages.admin()
    policy, zoom = "/api/config/meetings", "/api/config/providers/zoom"
    mail = "[name='settings.host_user']"
    try:
        one.open(door, admin.token, "policy")
        one.fill("[name=opens_minutes_before]", "21")
        assert admin.put(policy, {"expires_minutes_after": 61}).status_code == 200
        one.press("form button.primary")
        one.sees("form [role=alert]", "changed meanwhile")
        assert one.find("[name=expires_minutes_after]").get_attribute("value") == "61"
        assert one.find("[name=opens_minutes_before]").get_attribute("value") == "15"
        one.fill("[name=opens_minutes_before]", "21")
        one.press("form button.primary")
        one.sees("#note", "Saved")
        found = admin.fetch(policy)
        assert (found["opens_minutes_before"], found["expires_minutes_after"]) == (21, 61)

        one.go("providers")
        one.press("summary", "Zoom")
        one.fill(f"details[open] {mail}", "mine@example.org")
        theirs = {"enabled": False, "settings": {"host_user": "theirs@example.org"}}
        assert admin.put(zoom, theirs).status_code == 200
        one.press("details[open] button.primary")
        one.sees("details[open] [role=alert]", "changed meanwhile")
        assert one.find(f"details[open] {mail}").get_attribute("value") == "theirs@example.org"
        one.fill(f"details[open] {mail}", "mine@example.org")
        one.press("details[open] button.primary")
        until(lambda: admin.fetch(zoom)["settings"] == {"host_user": "mine@example.org"}, "it is saved")
    finally:
        admin.put(policy, {"opens_minutes_before": 15, "expires_minutes_after": 60})
        admin.delete(zoom)


def test_a_clock_that_is_ahead_locks_nobody_out(door: Door, one: Browser, people: Parties) -> None:
    request = asked(people)
    ahead = "const now = Date.now; Date.now = () => now() + 864e5;"
    script = one.cdp("Page.addScriptToEvaluateOnNewDocument", source=ahead)["identifier"]
    try:
        one.open(door, people.lawyer.token)
        one.sees(card(request))
        assert not one.find("dialog.sign-in")
        assert not one.find("#stale", "may be out of date")
    finally:
        one.cdp("Page.removeScriptToEvaluateOnNewDocument", identifier=script)


def test_a_token_that_is_refused_is_not_asked_for_at_once_again(
    door: Door, host: Host, one: Browser, people: Parties
) -> None:
    """The host application answers each time, and each token of its is refused."""
    host.token = people.lawyer.token
    one.forget(door.url)
    one.driver.get(host.url)
    first = one.driver.current_window_handle
    one.run("window.open(arguments[0])", f"{door.url}/app/")
    (second,) = set(one.driver.window_handles) - {first}
    one.driver.switch_to.window(second)
    one.sees("#who", "Lena")
    calls = []

    def refuse(method: str, path: str) -> int | None:
        if not path.startswith("/api/"):
            return None
        calls.append(time.monotonic())
        return 401

    with door.moody(refuse):
        until(lambda: len(calls) >= 4, "it is asked for again", PATIENCE)
    one.driver.close()
    one.driver.switch_to.window(first)
    assert calls[3] - calls[1] > 2, "a second, and then three"


def test_the_desk_draws_what_happens(door: Door, one: Browser, people: Parties) -> None:
    """A look is compared with the one before; where the service has started since, with nothing."""

    def shown(name: str) -> str:
        return one.text(f"[data-figure={name}] .number")

    def look() -> None:
        one.go("outbox")
        one.go("health")

    one.open(door, people.stack.admin().token, "health")
    one.sees("[data-figure=open]")
    people.accepted()
    look()
    one.sees("[data-figure=meetings_made] .number", "1")
    assert (shown("provider_calls_failed"), shown("requests_failed")) == ("0", "0")
    assert float(shown("requests")) > 0 and float(shown("latency")) > 0
    points = "return document.querySelector('[data-figure=meetings_made] polyline').points.length"
    drawn = one.run(points)
    one.run(
        """const real = window.fetch;
        window.fetch = async (url, ...more) => {
            const answer = await real(url, ...more);
            if (!url.endsWith("/api/figures")) return answer;
            const now = Date.parse((await answer.json()).at);
            const at = new Date(now + 60000).toISOString();
            const started_at = new Date(now + 30000).toISOString();
            return Response.json({ at, started_at, requests: 10, requests_failed: 2,
                requests_us: 45000, meetings_made: 3, provider_calls_failed: 4, mails_sent: 5,
                mails_failed: 6 }, answer);
        };"""
    )
    look()
    one.sees("[data-figure=latency] .number", "4.5")
    assert shown("requests") == "20", "ten in half a minute"
    names = ("requests_failed", "meetings_made", "provider_calls_failed", "mails_failed")
    assert [shown(name) for name in names] == ["2", "4", "4", "6"]
    assert one.run(points) > drawn


def test_the_desk(pages: Stack, door: Door, one: Browser, people: Parties) -> None:
    request_id = people.accepted(title="Seen by the desk")["id"]
    admin = pages.admin()
    one.open(door, admin.token, "policy")
    try:
        one.fill("[name=opens_minutes_before]", "20")
        one.fill("[name=reply_to]", "nobody")
        one.press("form button.primary")
        one.sees("[data-field=reply_to] .wrong")
        one.fill("[name=reply_to]", "from")
        one.press("form button.primary")
        one.sees("#note", "Saved")
        policy = admin.fetch("/api/config/meetings")
        assert (policy["opens_minutes_before"], policy["reply_to"]) == (20, "from")
    finally:
        admin.put("/api/config/meetings", {"opens_minutes_before": 15, "reply_to": "other_party"})
    one.go("providers")
    one.press("summary", "Jitsi")
    one.press("details[open] button", "Test")
    one.sees("details[open] [role=status]", "Everything works")
    one.go("audit")
    one.sees(".trail li", "request.created")
    one.type("[name=action]", "meeting.ready")
    one.press("form button.primary")
    one.misses(".trail li", "request.created")
    one.sees(".trail li", "meeting.ready")
    one.misses("button", "Verify this trail")
    one.type("[name=request_id]", request_id)
    one.press("form button.primary")
    one.press("button", "Verify this trail")
    one.sees("main [role=status]", "The trail is whole")
    until(pages.is_idle, "nobody else writes it")
    first = "events.0.action"
    pages.requests.update_one({"_id": request_id}, {"$set": {first: "request.declined"}})
    one.press("button", "Verify this trail")
    one.sees("main [role=status]", "event 0: does not follow")
    pages.requests.update_one({"_id": request_id}, {"$set": {first: "request.created"}})
    one.go("outbox")
    one.sees("main [role=status]", "given up:")
    one.go("webhooks")
    one.press("button", "New webhook")
    one.type("dialog [name=url]", "https://127.0.0.1:9/desk")
    one.press("dialog button.primary")
    one.sees("dialog", "shown once")
    one.press("dialog button.primary")
    one.sees("td", "127.0.0.1:9/desk")
