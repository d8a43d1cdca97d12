"""A client that openapi-python-client makes of the description does the main job."""

import importlib
import subprocess
import sys
from collections.abc import Iterator
from types import ModuleType

import described
import pytest
from caller import Caller
from stack import Stack
from support import tool, until


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    folder = tmp_path_factory.mktemp("client")
    (folder / "openapi.json").write_text(described.printed())
    command = [tool("openapi-python-client"), "generate", "--path", folder / "openapi.json"]
    command += ["--meta", "none", "--output-path", folder / "made_client", "--fail-on-warning"]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    sys.path.insert(0, str(folder))
    yield importlib.import_module("made_client")
    sys.path.remove(str(folder))


class Person:
    """Calls the API with the client, as somebody."""

    def __init__(self, made: ModuleType, caller: Caller):
        self.made = made
        self.client = made.AuthenticatedClient(
            base_url=caller.url, token=caller.token, raise_on_unexpected_status=True
        )

    def __enter__(self) -> "Person":
        self.client.__enter__()
        return self

    def __exit__(self, *why: object) -> None:
        self.client.__exit__(*why)

    def call(self, operation: str, *arguments: object, **options: object) -> object:
        tag = operation.split("_")[1]
        module = importlib.import_module(f"{self.made.__name__}.api.{tag}.{operation}")
        return module.sync_detailed(*arguments, client=self.client, **options)

    def model(self, name: str) -> type:
        return getattr(importlib.import_module(f"{self.made.__name__}.models"), name)


def do_the_main_job(stack: Stack, asker: Person, lawyer: Person, wanted: dict) -> None:
    draft = asker.model("RequestDraft").from_dict(wanted)
    filed = asker.call("post_requests", body=draft)
    assert filed.status_code == 201
    request = filed.parsed
    assert (request.status, request.title) == ("open", "Advice on a contract")

    yes = lawyer.model("RequestResponse").from_dict({"decision": "accept"})
    accepted = lawyer.call("post_requests_respond", request.id, body=yes)
    assert (accepted.status_code, accepted.parsed.status) == (200, "accepted")
    until(
        lambda: asker.call("get_requests_meeting", request.id).parsed.status == "ready",
        "the meeting is ready",
    )
    meeting = asker.call("get_requests_id", request.id).parsed.meeting
    assert meeting.join_url.startswith(f"{stack.url}/join/")

    calendar = asker.call("get_requests_calendar_ics", request.id)
    assert calendar.status_code == 200
    assert "BEGIN:VEVENT" in calendar.parsed

    cancelled = asker.call("post_requests_cancel", request.id)
    assert (cancelled.status_code, cancelled.parsed.status) == (200, "cancelled")
    again = lawyer.call("post_requests_respond", request.id, body=yes)
    assert (again.status_code, again.parsed.code) == (409, "already_decided")


def test_a_made_client_does_the_main_job(client: ModuleType, stack: Stack) -> None:
    pair = stack.parties()
    with Person(client, pair.client) as asker, Person(client, pair.lawyer) as lawyer:
        do_the_main_job(stack, asker, lawyer, pair.draft())
