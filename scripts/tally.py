#!/usr/bin/env python3
"""tally.py BUILD STATUS JUNIT…: sums up what `make check`, which ended with STATUS, left in BUILD,
and pytest's JUnit files.

Says what failed and what was skipped, and ends with `N passed, N failed`; fails if something did,
or if nothing was tested.
"""

import pathlib
import re
import sys
import xml.etree.ElementTree

CUNIT = re.compile(r"^ +tests +\d+ +\d+ +(\d+) +(\d+) +\d+$", re.MULTILINE)


def unit_results(build):
    """(name, passed, failed, what was skipped and why) for each test program."""
    for result in sorted((build / "tests").glob("*.trs")):
        word = re.search(r"^:test-result: (\w+)", result.read_text(), re.MULTILINE)[1]
        text = result.with_suffix(".log").read_text(errors="replace")
        counted = CUNIT.search(text)
        passed, failed = map(int, counted.groups()) if counted else (int(word == "PASS"), 0)
        if word not in ("PASS", "SKIP"):
            failed = max(failed, 1)
        reason = text.partition("\n")[0].removeprefix("skipped: ")
        skipped = [f"{result.stem}: {reason}"] if word == "SKIP" else []
        yield result.stem, passed, failed, skipped


def pytest_results(path):
    if not path.exists():
        yield path.stem, 0, 1, []
        return
    for case in xml.etree.ElementTree.parse(path).iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}"
        skip = case.find("skipped")
        bad = case.find("failure") is not None or case.find("error") is not None
        skipped = [] if skip is None else [f"{name}: {skip.get('message')}"]
        yield name, int(not bad and skip is None), int(bad), skipped


def main(build, status, *reports):
    results = list(unit_results(pathlib.Path(build)))
    if status != "0" and not any(failed for _, _, failed, _ in results):
        results.append(("make check: a test program could not be built", 0, 1, []))
    for report in reports:
        results += pytest_results(pathlib.Path(report))
    for name, _, failed, skipped in results:
        if failed:
            print(f"failed: {name}")
        for line in skipped:
            print(f"skipped: {line}")
    passed = sum(result[1] for result in results)
    failed = sum(result[2] for result in results)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
