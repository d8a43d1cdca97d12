"""`meetlink check`: what is wrong is said before anything is started, in words."""

import os
import pathlib
import secrets
import subprocess
from collections.abc import Callable

import pytest
from stack import PROGRAM, ROOT

Check = Callable[..., str]


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
            [PROGRAM, "check"], env=others | own, capture_output=True, text=True, timeout=60
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
