"""Fixtures of the system tests and the properties: everything they meet is real."""

import os
import pathlib
from collections.abc import Callable, Iterator
from mailbox import SmtpServer

import hypothesis
import pytest
from caller import Parties
from stack import Database, Stack

# Examples are whole stories over HTTP: few, without a deadline, and repeatable.
hypothesis.settings.register_profile(
    "stack",
    deadline=None,
    max_examples=30,
    derandomize=True,
    database=None,
    phases=(hypothesis.Phase.generate, hypothesis.Phase.shrink),
    suppress_health_check=list(hypothesis.HealthCheck),
)
hypothesis.settings.load_profile("stack")


# Those that take minutes, longest first: who runs tests side by side ends with short ones.
LONG = (
    "life", "fault_matrix", "lanes", "notices", "property_10_audit_trail", "many_accepts", "receive",
    "property_7_error_handling", "schemathesis", "meeting_page", "journeys", "views", "subscribers",
    "transport", "audit", "chores", "one_meeting", "secrets", "config", "token_sharing", "archives",
    "golden_mails", "sudden_death", "outages", "run", "failover", "outbox",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    order = {f"test_{name}": place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: order.get(item.path.stem, len(LONG)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo) -> Iterator[None]:
    """Shows the end of the logs of every running stack when a test fails."""
    report = yield
    if report.failed:
        for stack in Stack.running:
            for name in ("meetlink", "nginx"):
                end = stack.logged(name).splitlines()[-60:]
                report.sections.append((f"the end of {stack.log(name)}", "\n".join(end)))
    return report


@pytest.fixture(scope="session")
def mongodb_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The database that most tests share, each stack with a database name of its own."""
    if uri := os.environ.get("MEETLINK_MONGODB_URI"):
        yield uri
        return
    database = Database(tmp_path_factory.mktemp("database"))
    yield database.uri
    database.stop()


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory, mongodb_uri: str) -> Iterator[Stack]:
    """The stack of all tests that leave it as it is. It delivers mail by SMTP."""
    smtp = SmtpServer()
    with Stack(tmp_path_factory.mktemp("stack"), mongodb_uri, smtp) as stack:
        yield stack
    smtp.stop()


@pytest.fixture
def parties(stack: Stack) -> Parties:
    return stack.parties()


@pytest.fixture
def smtp() -> Iterator[SmtpServer]:
    server = SmtpServer()
    yield server
    server.stop()


@pytest.fixture
def start(tmp_path: pathlib.Path, mongodb_uri: str) -> Iterator[Callable[..., Stack]]:
    """Starts a stack of the test's own; arguments as those of Stack."""
    stacks = []

    def start_stack(
        smtp: SmtpServer | None = None, uri: str = mongodb_uri, **options: object
    ) -> Stack:
        stacks.append(Stack(tmp_path / f"stack{len(stacks)}", uri, smtp, **options))
        return stacks[-1]

    yield start_stack
    for stack in stacks:
        if stack in Stack.running:
            stack.stop()


@pytest.fixture
def database(tmp_path: pathlib.Path) -> Iterator[Database]:
    """A database that the test may take away."""
    database = Database(tmp_path / "own", durable=True)
    yield database
    if database.process.poll() is None:
        database.stop()
