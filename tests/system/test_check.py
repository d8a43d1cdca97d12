"""`meetlink check`: what is wrong is said before anything is started, in words."""

import os
import pathlib
import secrets
import shutil
import subprocess
from collections.abc import Callable

import pytest
from stack import PROGRAM, ROOT

Check = Callable[..., str]

# The driver warns when a killed process has left its counters under the number of a new one.
QUIET = {"MONGOC_DISABLE_SHM": "1"}


@pytest.fixture
def check(tmp_path: pathlib.Path) -> Check:
    """Runs it with these settings; what it complains of, "" when that is only the database."""
    key = tmp_path / "master.key"
    key.write_text(f"k1:{secrets.token_hex(32)}\n")
    key.chmod(0o600)
    usual = {
        "KEY_FILE": key,
        "TEMPLATES_DIR": ROOT / "templates",
        "PUBLIC_URL": "https://meetings.example.org",
        "JWT_SECRET": secrets.token_hex(32),
        "MAIL_FROM": "Meetings <meetings@example.org>",
        "MONGODB_URI": "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=50",
    }

    def run(**settings: object) -> str:
        own = {f"MEETLINK_{name}": str(value) for name, value in (usual | settings).items()}
        others = {k: v for k, v in os.environ.items() if not k.startswith("MEETLINK_")}
        done = subprocess.run(
            [PROGRAM, "check"], env=others | QUIET | own, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 1
        if done.stdout == "configuration, keys, templates, providers: ok\n":
            return ""
        assert done.stdout == ""
        return done.stderr

    return run


@pytest.mark.parametrize(
    ("url", "valid"),
    [
        ("https://meetings.example.org", True),
        ("https://meetings.example.org:8443/law", True),
        ("http://meetings.intern", True),
        ("https://meetings.example.org/", False),
        ("https://meetings.example.org?a=b", False),
        ("https://meetings.example.org/law#a", False),
        ("https://user:pw@meetings.example.org", False),
        ('https://meetings.example.org/"', False),
        ("https:///law", False),
        ("meetings.example.org", False),
    ],
)
def test_the_public_url(check: Check, url: str, valid: bool) -> None:
    words = (
        "meetlink: public.url must be http(s)://host, without credentials, query, fragment or a "
        "slash at its end.\n"
    )
    assert check(PUBLIC_URL=url) == ("" if valid else words)


@pytest.mark.parametrize(
    ("url", "valid"),
    [
        ("https://login.example/{tenant}/token", True),
        ("https://login.example/token", True),
        ("https://login.example/{tenent}/token", False),
        ("https://login.example/{tenant}/token?a=b", False),
        ("http://login.example/{tenant}/token", False),
    ],
)
def test_an_interface(check: Check, url: str, valid: bool) -> None:
    said = check(TEAMS_TOKEN_URL=url)
    assert said.startswith("meetlink: teams.token_url must begin with https://") != valid


@pytest.fixture
def templates(tmp_path: pathlib.Path) -> pathlib.Path:
    return shutil.copytree(ROOT / "templates", tmp_path / "templates")


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("ics/event.ics", "organizer.name"),
        ("text/en/date.txt", "month_13"),
        ("text/en/instant.txt", "end_date"),
        ("text/de/join.txt", "join_url"),
        ("pages/en/gate.html", "join_url"),
        ("pages/de/gate.html", "provider_title"),
        ("pages/style.html", "colour"),
        ("mail/en/meeting_ready.subject", "recipient.nmae"),
        ("mail/de/meeting_ready.txt", "moved_from"),
        ("mail/en/meeting_updated.html", "cancelled_by.other"),
        ("mail/de/meeting_cancelled.html", "asked.when"),
        ("mail/en/request_declined.txt", "provider_title"),
        ("mail/de/footer.txt", "recipient.phone"),
        ("mail/when.html", "opens_at"),
    ],
)
def test_a_name_that_a_template_cannot_hold(
    check: Check, templates: pathlib.Path, file: str, name: str
) -> None:
    text = (templates / file).read_text().removesuffix("\n")
    (templates / file).write_text(f"{text}{{{{{name}}}}}\n")
    line = text.count("\n") + 1
    words = f"meetlink: {file} line {line}: there is no value named {name} here.\n"
    assert check(TEMPLATES_DIR=templates) == words


@pytest.mark.parametrize(
    "file",
    [
        "ics/event.ics",
        "text/en/date.txt",
        "pages/en/gate.html",
        "mail/en/meeting_ready.subject",
        "mail/en/request_declined.html",
    ],
)
def test_a_template_that_is_missing(check: Check, templates: pathlib.Path, file: str) -> None:
    (templates / file).unlink()
    assert check(TEMPLATES_DIR=templates) == f"meetlink: {file}: there is no such template.\n"


def test_templates_of_ones_own(check: Check, templates: pathlib.Path) -> None:
    shutil.rmtree(templates / "mail/de")
    (templates / "mail/en/meeting_ready.txt").write_text("{{title}}{{> own/foot.txt}}\n")
    (templates / "own").mkdir()
    (templates / "own/foot.txt").write_text("{{#recipient}}{{name}}, {{other.name}}{{/recipient}}")
    (templates / "own/unused.txt").write_text("{{whatever}}")
    (templates / "own/empty.txt").touch()
    assert check(TEMPLATES_DIR=templates) == ""
