"""The loads of bench/first_view."""

import pathlib
import statistics
import sys
import tempfile

from browsers import Browser
from stack import Database, Stack
from support import until

# When the first card stands in the document; asked for before anything of the page runs.
WATCH = """
new MutationObserver((_, watcher) => {
	if (!document.querySelector(".card")) return;
	watcher.disconnect();
	requestAnimationFrame(() => setTimeout(() => { window.shown = performance.now(); }));
}).observe(document, { childList: true, subtree: true });
"""
TIMES = """
const api = performance.getEntriesByType("resource").find((e) => e.name.includes("/api/dashboard"));
return window.shown ? [api.duration, window.shown] : null;
"""


def main() -> None:
    loads, latency_ms, megabits = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
    with tempfile.TemporaryDirectory(prefix="meetlink-first-view-") as name:
        folder = pathlib.Path(name)
        database = Database(folder)
        browser = Browser(folder / "profile")
        try:
            with Stack(folder / "stack", database.uri) as stack:
                measure(stack, browser, loads, latency_ms, megabits)
        finally:
            browser.stop()
            database.stop()


def hold_back(browser: Browser, latency_ms: float, rate: float) -> None:
    """How far away all is, and how many bytes a second come from there; -1: as many as there are."""
    browser.cdp(
        "Network.emulateNetworkConditions",
        offline=False, latency=latency_ms, downloadThroughput=rate, uploadThroughput=rate,
    )  # fmt: skip


def measure(
    stack: Stack, browser: Browser, loads: int, latency_ms: float, megabits: float
) -> None:
    parties = stack.parties()
    for hours in range(30, 40):
        parties.accepted(starts_at=stack.at(hours=hours))
        parties.create(starts_at=stack.at(hours=hours + 40))
    rate = megabits * 1e6 / 8
    browser.cdp("Network.enable")
    browser.cdp("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
    api, shown = [], []
    for _ in range(loads):
        browser.forget(stack.url)
        browser.cdp("Network.clearBrowserCache")
        hold_back(browser, latency_ms, rate)
        browser.driver.get(f"{stack.url}/app/#token={parties.client.token}")
        browser.sees(".card")
        times = until(lambda: browser.run(TIMES), "it is drawn")
        api.append(times[0])
        shown.append(times[1])
        hold_back(browser, 0, -1)
    ratios = [whole / part for whole, part in zip(shown, api, strict=True)]
    print(
        f"{loads} first views of a dashboard, nothing cached, {latency_ms:g} ms and {megabits:g}"
        f" Mbit/s away: its answer took {statistics.median(api):.0f} ms, the view"
        f" {statistics.median(shown):.0f} ms; ratio {statistics.median(ratios):.2f}"
    )


main()
