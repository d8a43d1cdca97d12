"""schemathesis against a stack: all its checks, as every role and as nobody."""

import json
import os
import pathlib
import shutil
import subprocess

import described
from caller import Caller
from providers import Providers
from stack import ROOT, Stack

HERE = ROOT / "tests/system"
ROLES = ("client", "lawyer", "admin", "service", None)
POLICY = {"default_provider": "jitsi", "lawyer_addresses": "any", "max_changes_per_hour": 1000}
SETTINGS = {"WEBHOOKS_ALLOW": "127.0.0.1"}


class Fuzz:
    """`providers` have the POLICY and SETTINGS above; their people have something to act on."""

    def __init__(self, providers: Providers, folder: pathlib.Path):
        self.stack: Stack = providers.stack
        self.folder = folder
        self.parties = self.stack.parties()
        self.document = folder / "openapi.json"
        self.document.write_text(json.dumps(described.closed()))
        for _ in range(3):
            self.parties.create()
            self.parties.accepted()
        self.parties.client.cancel(self.parties.accepted()["id"])

    def caller(self, role: str | None) -> Caller:
        if role in ("client", "lawyer"):
            return getattr(self.parties, role)
        return getattr(self.stack, role or "anyone")()

    def calls(self) -> int:
        """So many have reached nginx."""
        return self.stack.logged("access").count("\n")

    def run(self, role: str | None, seed: int, examples: int, phases: str) -> None:
        """One run of it; what it finds is in the assertion."""
        token = self.caller(role).token
        command = [shutil.which("schemathesis"), "--config-file", HERE / "schemathesis.toml"]
        command += ["run", self.document, "--url", self.stack.url, "--phases", phases]
        command += ["--max-examples", examples, "--seed", seed, "--workers", 1, "--no-color"]
        command += ["--generation-deterministic", "--no-shrink"]
        command += ["--checks", "all", "--warnings", "off", "--suppress-health-check", "all"]
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
            },
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        (self.folder / f"{role}-{seed}.txt").write_text(done.stdout + done.stderr)
        assert done.returncode == 0, f"as {role}, seed {seed}:\n{done.stdout[-20000:]}{done.stderr}"
