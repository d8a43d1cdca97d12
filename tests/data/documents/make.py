"""Makes the documents in this folder anew, with the program of $MEETLINK_BUILD: see README.md."""

import concurrent.futures
import pathlib
import shutil
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests/system"), str(ROOT / "tests/sim")]

from bson.codec_options import CodecOptions  # noqa: E402
from caller import Parties, done  # noqa: E402
from former import (  # noqa: E402
    FOLDER,
    NAMES,
    PUBLIC_URL,
    ROLES,
    people,
    place,
    save,
    save_shown,
    state_of,
)
from mailbox import SmtpServer  # noqa: E402
from providers import Providers  # noqa: E402
from sim import Fault  # noqa: E402
from stack import Database, end  # noqa: E402
from support import until  # noqa: E402

NO = {"status": 400, "body": {"code": 300, "message": "Validation Failed."}}
CREATE = "POST /users/*/meetings"
WAIT_S = 300
RETRY = {"Retry-After": str(WAIT_S)}
MINUTE = 60


class Maker:
    def __init__(self, providers: Providers, smtp: SmtpServer):
        self.providers, self.stack, self.smtp = providers, providers.stack, smtp
        self.zoom, self.teams = providers["zoom"], providers["teams"]
        self.ids: dict[str, str] = {}
        self.extra: dict[str, dict] = {}  # what else is to be kept with what is shown

    # ---- steps ----

    def parties(self, name: str) -> Parties:
        return people(self.stack, name)

    def ask(self, name: str, **changes: object) -> dict:
        changes = {"title": f"Advice: {name}"} | changes
        request = self.parties(name).create(**changes)
        self.ids[name] = request["id"]
        return request

    def accept(self, name: str, **changes: object) -> dict:
        """Asked and accepted, at Zoom unless the policy of the moment says otherwise."""
        request = self.ask(name, **changes)
        return self.parties(name).accept(request, message="Until then.")

    def told(self, name: str, **changes: object) -> dict:
        """The same, and both have their invitation."""
        request = self.accept(name, **changes)
        assert request["meeting"]["status"] == "ready", request["meeting"]
        self.providers.finish(request["id"])
        return request

    def click(self, request: dict) -> None:
        name = request["title"].removeprefix("Advice: ")
        for role in ROLES:
            caller = getattr(self.parties(name), role)
            link = caller.request(request["id"])["meeting"]["join_url"]
            assert self.stack.anyone().get(place(link)).status_code == 302

    def command(self, name: str, command: str, **fields: object) -> dict:
        return done(self.parties(name).lawyer.command(self.ids[name], command, **fields))

    # ---- what is over, or waits for nobody ----

    def settled(self) -> None:
        stack, providers = self.stack, self.providers
        request = self.told("completed", starts_at=stack.at(minutes=30), duration_minutes=30)
        stack.advance(20 * MINUTE)
        self.click(request)
        stack.advance(15 * MINUTE)
        self.command("completed", "outcome", outcome="held")
        stack.advance(2 * 60 * MINUTE)
        until(lambda: stack.document(request["id"])["status"] == "completed", "it is over")
        providers.finish(request["id"])

        request = self.told("joined", starts_at=stack.at(minutes=60), duration_minutes=60)
        stack.advance(50 * MINUTE)
        self.click(request)
        for name in ("ready-told", "update-owed", "cancelled", "meeting-cancelled", "regenerated"):
            self.told(name)

        self.told("deletion-failed")
        self.zoom.script(Fault("DELETE *", times=None, **NO))
        done(self.parties("deletion-failed").client.cancel(self.ids["deletion-failed"]))
        providers.finish(self.ids["deletion-failed"])
        self.zoom.calm()

        self.zoom.script(Fault(CREATE, **NO))
        assert self.accept("failed")["meeting"]["status"] == "failed"
        providers.finish(self.ids["failed"])

        self.told("erased")
        answer = stack.admin().post("/api/people/client-erased/erase")
        assert done(answer)["requests"] == 1, answer.text
        providers.finish(self.ids["erased"])

        # The last one: what was refused for the moment is tried again before long.
        self.smtp.answers["client-mail-failed@example.com"] = "550 No such person"
        self.smtp.answers["lawyer-mail-failed@example.com"] = "451 Greylisted"
        request = self.accept("mail-failed")

        def tried() -> bool:
            mails = [e for e in stack.owed(request["id"]) if e["kind"] == "mail.meeting_ready"]
            return {mail["state"] for mail in mails if "last_error" in mail} == {"due", "failed"}

        until(tried, "both mails are refused")

    # ---- what is owed: nobody delivers ----

    def owed(self) -> None:
        stack, providers = self.stack, self.providers
        parties = self.parties("open")
        client = parties.person("client", locale="de", timezone="Europe/Berlin")
        body = parties.draft(title="Advice: open", client=client, description="Two\nlines, ä.")
        key = {"Idempotency-Key": "asked-once"}
        answer = parties.client.post("/api/requests", body, headers=key)
        assert answer.status_code == 201, answer.text
        self.ids["open"] = answer.json()["id"]
        self.extra["open"] = {"path": "/api/requests", "body": body, "answer": answer.json()}

        request = self.ask("declined")
        answer = self.parties("declined").lawyer.respond(request["id"], "decline", message="No.")
        done(answer)

        providers.policy(inline_wait_ms=0)
        assert self.accept("creation-owed")["meeting"]["status"] == "pending"
        providers.policy(inline_wait_ms=5000)

        request = self.ask("ready-mails-owed")
        path, body = f"/api/requests/{request['id']}/respond", {"decision": "accept"}
        lawyer = self.parties("ready-mails-owed").lawyer
        answer = done(lawyer.post(path, body, headers={"Idempotency-Key": "accepted-once"}))
        assert answer["meeting"]["status"] == "ready"
        self.extra["ready-mails-owed"] = {"path": path, "body": body, "answer": answer}

        self.command(
            "update-owed",
            "reschedule",
            starts_at=stack.at(days=4),
            duration_minutes=30,
            reason="A hearing",
        )
        done(self.parties("cancelled").client.cancel(self.ids["cancelled"], reason="Ill"))
        self.command("meeting-cancelled", "cancel", reason="Not by video")
        self.command("regenerated", "regenerate", reason="The link leaked")
        stack.advance(2 * MINUTE)

    def failed_over(self) -> None:
        """Zoom may have made it and asks to be left alone. So may Teams: in one case the time of
        who waited was over then, in the other it asks for that as well, and the round is over."""
        wait_ms, spare_ms = 1500, 150
        self.providers.policy(failover=["teams"], inline_wait_ms=wait_ms)
        for name, headers in (("creation-failed-over", {}), ("creation-waits", RETRY)):
            self.zoom.script(Fault(CREATE, status=504, when="after", headers=RETRY))
            late = {"delay": (wait_ms - spare_ms) / 1000, "headers": headers}
            self.teams.script(Fault("POST */createOrGet", status=504, when="after", **late))
            assert self.accept(name)["meeting"]["status"] == "pending"
        over, waits = (
            self.stack.document(self.ids[name])["effects"][0]
            for name in ("creation-failed-over", "creation-waits")
        )
        assert over["tried"] == ["zoom"] and over["left"] and over["begun"] and over["hope"], over
        assert over["tries"] == 1 and "lease" not in over, over
        assert waits["left"] and waits["begun"] and waits["wait_s"] == WAIT_S, waits
        assert waits["due"] > self.stack.now().replace(tzinfo=None), waits
        self.providers.policy(inline_wait_ms=5000)

    def leased(self) -> None:
        """While somebody waits for Teams, which has made it already, as Zoom may have."""
        name = "creation-leased"
        request = self.ask(name)
        self.stack.advance(MINUTE + 1)
        self.zoom.script(Fault(CREATE, status=504, when="after", headers=RETRY))
        self.teams.script(Fault("POST */createOrGet", hang=True, when="after"))
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(self.parties(name).accept, request)
            until(lambda: len(self.providers.live_of(request)) == 2, "Teams has made it")
            create = self.stack.document(request["id"])["effects"][0]
            assert create["lease"] and create["wait_s"] == WAIT_S and create["tried"], create
            self.keep_world()
            self.keep(name)
            self.teams.release()
            waiting.result()

    # ---- files ----

    def keep_world(self) -> None:
        database = self.stack.requests.database
        world = {"now": self.stack.now()}
        world |= {name: state_of(sim) for name, sim in self.providers.sims.items()}
        save("world", world | {"tokens": list(database["tokens"].find())})
        (document,) = database["config"].find()
        save("config", document)

    def keep(self, name: str) -> None:
        request_id = self.ids[name]
        # All numbers of the program are int64; so are those that are read here.
        options = CodecOptions(tz_aware=True)
        requests = self.stack.requests.with_options(options)
        document = requests.find_one({"_id": request_id})
        now = self.stack.now()
        # What is over is of no use to anybody, and leaves with the next write.
        document["answers"] = [one for one in document["answers"] if one["until"] > now]
        save(name, document)
        parties, said, lists = self.parties(name), {}, {}
        for role in ROLES:
            caller = getattr(parties, role)
            said[role] = caller.request(request_id)
            dashboard = caller.fetch("/api/dashboard")
            lists[role] = [
                where
                for where in ("needs_action", "upcoming", "recent")
                if request_id in [row["id"] for row in dashboard[where]]
            ]
        assert requests.find_one({"_id": request_id})["rev"] == document["rev"], "it has changed"
        save_shown(name, said | {"lists": lists} | self.extra.get(name, {}))


def main() -> None:
    folder = pathlib.Path(tempfile.mkdtemp(prefix="meetlink-documents-"))
    database, smtp = Database(folder / "database"), SmtpServer()
    settings = {"names": ["zoom", "teams"], "PUBLIC_URL": PUBLIC_URL}
    with Providers(folder / "stack", database.uri, smtp, **settings) as providers:
        maker = Maker(providers, smtp)
        maker.settled()
        stack = providers.stack
        assert end(stack.program) == 0
        stack.settings["SERVER_DISPATCHERS"] = 0
        stack.start_program()
        until(stack.is_ready, "it is back", 30)
        maker.owed()
        maker.failed_over()
        maker.leased()
        for name in NAMES:
            if name != "creation-leased":
                maker.keep(name)
        (FOLDER / "master.key").write_text((stack.folder / "master.key").read_text())
    smtp.stop()
    database.stop()
    shutil.rmtree(folder)
    print(f"{len(NAMES)} requests, {sum(f.stat().st_size for f in FOLDER.iterdir())} bytes")


if __name__ == "__main__":
    main()
