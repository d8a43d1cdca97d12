"""schemathesis against a stack: all its checks, as every role and as nobody."""

import json
import os
import pathlib
import subprocess

import described
from caller import Caller
from providers import Providers
from stack import ROOT, Stack
from support import tool

HERE = ROOT / "tests/system"
PHASES = "examples,coverage,fuzzing,stateful"
ROLES = ("client", "lawyer", "admin", "service", None)
POLICY = {"default_provider": "jitsi", "lawyer_addresses": "any", "max_changes_per_hour": 1000}
SETTINGS = {"WEBHOOKS_ALLOW": "127.0.0.1"}


def generated(schema: object) -> object:
    """What the description says, with formats for the patterns of instants, so that they lie ahead,
    and of texts: strings of thousands of characters are not made by a regular expression within any
    useful time. test_openapi.py has the patterns."""
    if isinstance(schema, list):
        return [generated(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    said = {name: generated(one) for name, one in schema.items()}
    for begins, name in {"^[\\u00": "words", "^(19": "instant"}.items():
        if str(said.get("pattern", "")).startswith(begins):
            said = said | {"format": name}
            del said["pattern"]
    return said


class Fuzz:
    """`providers` have the POLICY and SETTINGS above; their people have something to act on."""

    def __init__(self, providers: Providers, folder: pathlib.Path):
        self.stack: Stack = providers.stack
        self.folder = folder
        self.parties = self.stack.parties()
        self.document = folder / "openapi.json"
        self.document.write_text(json.dumps(generated(described.closed())))
        self.requests = [self.parties.create()["id"] for _ in range(6)]
        self.requests += [self.parties.accepted()["id"] for _ in range(6)]
        self.parties.client.cancel(self.requests[-1])

    def caller(self, role: str | None) -> Caller:
        if role in ("client", "lawyer"):
            return getattr(self.parties, role)
        return getattr(self.stack, role or "anyone")()

    def calls(self) -> int:
        """So many have reached nginx."""
        return self.stack.logged("access").count("\n")

    def run(self, role: str | None, phases: str, examples: int, seed: int | None = None) -> None:
        """One run of it, without a seed always with the same draws; what it finds is in the
        assertion."""
        token = self.caller(role).token
        command = [tool("schemathesis"), "--config-file", HERE / "schemathesis.toml"]
        command += ["run", self.document, "--url", self.stack.url, "--phases", phases]
        command += ["--max-examples", examples, "--workers", 1, "--no-color"]
        if seed is None:
            command += ["--generation-deterministic"]
        else:
            command += ["--seed", seed, "--generation-database", "none"]
        command += [
            "--checks",
            "all",
            "--no-shrink",
            "--warnings",
            "off",
            "--suppress-health-check",
            "all",
        ]
        command += ["--continue-on-failure", "--request-timeout", 60, "--output-sanitize", "false"]
        command += ["--header", f"Authorization: Bearer {token}"] if token else []
        done = subprocess.run(
            list(map(str, command)),
            env=os.environ
            | {
                "PYTHONPATH": str(HERE),
                "SCHEMATHESIS_HOOKS": "schemathesis_hooks",
                "SCHEMATHESIS_CLIENT": self.parties.client_id,
                "SCHEMATHESIS_LAWYER": self.parties.lawyer_id,
                "SCHEMATHESIS_REQUESTS": " ".join(self.requests),
            },
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=1800,
        )
        (self.folder / f"{role}-{seed}.txt").write_text(done.stdout + done.stderr)
        assert done.returncode == 0, f"as {role}, seed {seed}:\n{done.stdout[-9000:]}{done.stderr}"
