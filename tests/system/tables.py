"""The code's own tables, as `meetlink check tables` prints them."""

import functools
import subprocess

from stack import PROGRAM

ROLES = ("client", "lawyer", "admin", "service")
Table = dict[str, dict[str, str]]  # row -> column -> cell


@functools.cache
def printed() -> str:
    done = subprocess.run([PROGRAM, "check", "tables"], capture_output=True, timeout=30, check=True)
    return done.stdout.decode()


def lines_of(heading: str) -> list[list[str]]:
    """The cells of the table under a heading, its own first."""
    text = printed().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len(lines) > 2, f"no table under {heading!r}"
    del lines[1]
    return [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in lines]


def routes() -> dict[str, set[str]]:
    """THE ROUTE TABLE: "GET /path" -> who may; "no token" for everybody."""
    (_, _, *callers, _turn, _), *rows = lines_of("Who may call what")
    assert callers == [*ROLES, "no token"]
    found = {}
    for method, path, *cells, _turn, _ in rows:
        assert set(cells) <= {"yes", "–"}
        found[f"{method} {path}"] = {c for c, cell in zip(callers, cells, strict=True) if cell == "yes"}
    return found


def transitions(heading: str) -> Table:
    """THE COMMANDS: command -> status -> "yes" or the code that refuses it. Both answers to a
    request are one command."""
    (_, *statuses), *rows = lines_of(heading)
    return {
        command: dict(zip(statuses, cells, strict=True))
        for row, *cells in rows
        for command in (("accept", "decline") if row == "respond" else (row,))
    }


def of_requests() -> Table:
    return transitions("What may be done to a request, by its status")


def of_meetings() -> Table:
    return transitions("And by the status of its meeting")
