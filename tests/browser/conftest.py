"""One stack, one door and two browsers for all tests of the pages."""

from collections.abc import Iterator

import pytest
from browsers import Browser, Door, Host
from stack import Stack


@pytest.fixture(scope="session")
def host() -> Iterator[Host]:
    host = Host()
    yield host
    host.shutdown()
    host.server_close()


@pytest.fixture(scope="session")
def pages(
    tmp_path_factory: pytest.TempPathFactory, mongodb_uri: str, host: Host
) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("pages")
    with Stack(folder, mongodb_uri, sign_in=host.url, WEBHOOKS_ALLOW="127.0.0.1") as stack:
        yield stack


@pytest.fixture(scope="session")
def door(pages: Stack) -> Iterator[Door]:
    door = Door(pages.port)
    yield door
    door.stop()


@pytest.fixture(scope="session")
def browsers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Browser]]:
    pair = []
    try:
        pair += [Browser(tmp_path_factory.mktemp(name)) for name in ("one", "two")]
        yield pair
    finally:
        for browser in pair:
            browser.stop()


@pytest.fixture
def one(browsers: list[Browser]) -> Iterator[Browser]:
    yield from ready(browsers[0])


@pytest.fixture
def two(browsers: list[Browser]) -> Iterator[Browser]:
    yield from ready(browsers[1])


def ready(browser: Browser) -> Iterator[Browser]:
    """Nothing is left of the test before; nothing runs, and nobody else is asked."""
    browser.driver.get("about:blank")
    browser.look()
    browser.requests(), browser.complaints()
    yield browser
    hosts = {url.split("/")[2].split(":")[0] for url in browser.requests()}
    complaints = browser.complaints()
    browser.driver.get("about:blank")  # nobody asks for anything during the next test
    assert hosts <= {"127.0.0.1"}, hosts
    assert complaints == []
