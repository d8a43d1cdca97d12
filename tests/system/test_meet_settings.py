"""Who may enter at Google: set through the Meet API where it was granted, else said."""

import pytest
from caller import done
from providers import Providers, provide, unique  # noqa: F401
from sim import Fault
from support import until

SCOPE = "https://www.googleapis.com/auth/meetings.space.settings"
# What neither API has.
NEVER = ["mute_on_entry", "passcode_required"]
SIX_HOURS = 6 * 3600


class Meet:
    """A stack whose account leaves every meeting open by default."""

    def __init__(self, providers: Providers, granted: bool = True):
        self.providers, self.stack = providers, providers.stack
        self.google = providers["google_meet"]
        self.google.defaults["accessType"] = "OPEN"
        if granted:
            self.google.grant_meet()
        self.parties = self.stack.parties()

    def accepted(self) -> dict:
        request = self.parties.accept(self.parties.create(title=unique("Advice")))
        self.providers.until_status(request["id"], "ready")
        self.providers.finish(request["id"])
        return self.parties.lawyer.request(request["id"])

    def config(self, request: dict) -> dict:
        _, live = self.providers.the_meeting(request)
        return self.google.space(live.join_url).config

    def warned(self, request: dict) -> list[str]:
        meeting = self.parties.lawyer.request(request["id"])["meeting"]
        codes = {warning["code"] for warning in meeting["warnings"]}
        assert codes <= {"setting_not_granted"}
        return [warning["detail"].partition(":")[0] for warning in meeting["warnings"]]

    def compare(self) -> None:
        """The next comparison, and what comes of it."""
        self.stack.advance(SIX_HOURS + 1)

        def is_compared() -> bool:
            """What follows from it is stored with the next one."""
            effects = [e for d in self.stack.requests.find() for e in d["effects"]]
            now = self.stack.now().replace(tzinfo=None)  # after what is owed was
            return all(
                e["due"] > now and not e.get("lease")
                for e in effects
                if e["kind"] == "meeting.verify"
            )

        until(is_compared, "it is compared")
        self.providers.finish_all()

    def drifts(self, request: dict) -> int:
        events = self.stack.document(request["id"])["events"]
        return [event["action"] for event in events].count("provider.drift_repaired")

    def validate(self, **body: object) -> dict:
        return done(self.stack.admin().post("/api/config/providers/google_meet/validate", body))


@pytest.fixture
def providers(provide) -> Providers:  # noqa: F811
    return provide(names=["google_meet"])


def test_a_meeting_and_its_next_link_are_closed_to_strangers(providers: Providers) -> None:
    meet = Meet(providers)
    request = meet.accepted()
    assert meet.config(request)["accessType"] == "TRUSTED"
    assert meet.config(request)["moderation"] == "ON"
    assert meet.warned(request) == NEVER
    meet.compare()
    assert meet.drifts(request) == 0
    done(meet.parties.lawyer.command(request["id"], "regenerate", reason="Lost"))
    providers.until_status(request["id"], "ready")
    providers.finish(request["id"])
    assert meet.config(request)["accessType"] == "TRUSTED" and len(meet.google.spaces) == 2


@pytest.mark.parametrize("fault", ["GET", "PATCH"])
def test_a_meeting_is_there_whatever_the_meet_api_says(providers: Providers, fault: str) -> None:
    """And is closed to strangers by the next comparison."""
    meet = Meet(providers)
    meet.google.script(Fault(f"{fault} /v2/spaces/*", status=503, times=None))
    request = meet.accepted()
    assert meet.config(request)["accessType"] == "OPEN"
    assert "waiting_room" in meet.warned(request)
    health = providers.health("google_meet")
    assert health["state"] == "ok", health
    meet.google.calm()
    meet.compare()
    assert meet.config(request)["accessType"] == "TRUSTED"
    assert meet.warned(request) == NEVER and meet.drifts(request) == 1


def test_a_slow_meet_api_costs_an_accept_little(providers: Providers) -> None:
    """The link is there within the time that accepting may take."""
    meet = Meet(providers)
    meet.google.script(Fault("GET /v2/spaces/*", hang=True))
    request = meet.parties.accept(meet.parties.create(title=unique("Advice")))
    assert request["meeting"]["status"] == "ready" and request["meeting"]["join_url"]
    assert "waiting_room" in meet.warned(request)


def test_what_somebody_opens_there_is_closed_again(providers: Providers) -> None:
    meet = Meet(providers)
    request = meet.accepted()
    meet.config(request)["accessType"] = "OPEN"
    meet.compare()
    assert meet.config(request)["accessType"] == "TRUSTED" and meet.drifts(request) == 1


def test_what_the_administrator_forbids_is_said_once(providers: Providers) -> None:
    meet = Meet(providers)
    meet.google.refuses = {"config.accessType", "config.moderation"}
    request = meet.accepted()
    assert meet.warned(request) == ["waiting_room", "waiting_room", *NEVER]
    meet.compare()
    assert meet.drifts(request) == 0


def test_without_the_scope_it_is_as_it_was(providers: Providers) -> None:
    """Nobody asks the Meet API, and what is granted later is used by the next comparison."""
    meet = Meet(providers, granted=False)
    request = meet.accepted()
    assert meet.warned(request) == NEVER and not meet.google.seen("*", "/v2/spaces/*")
    checks = {check["name"]: check for check in meet.validate()["checks"]}
    assert checks["meet_settings"]["ok"] and SCOPE in checks["meet_settings"]["detail"]
    assert meet.validate(deep=True)["ok"]
    meet.google.grant_meet()
    checks = {check["name"]: check for check in meet.validate()["checks"]}
    assert SCOPE not in checks["meet_settings"]["detail"]
    meet.compare()
    assert meet.config(request)["accessType"] == "TRUSTED"


def test_trying_it_out_says_what_is_not_granted(providers: Providers) -> None:
    meet = Meet(providers)
    meet.google.meet_enabled = False
    result = meet.validate(deep=True)
    (create,) = [check for check in result["checks"] if check["name"] == "create"]
    assert result["ok"] and "waiting_room: Google does not let it be set" in create["detail"]
    assert meet.google.live() == []
