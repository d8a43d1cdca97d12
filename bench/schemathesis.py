"""The calls of bench/schemathesis."""

import pathlib
import sys
import tempfile
import time

from fuzz import PHASES, POLICY, ROLES, SETTINGS, Fuzz
from providers import Providers
from stack import Database


def main() -> None:
    wanted, seed = int(sys.argv[1]), int(sys.argv[2])
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="meetlink-schemathesis-") as name:
        folder = pathlib.Path(name)
        database = Database(folder)
        try:
            with Providers(folder / "stack", database.uri, policy=POLICY, **SETTINGS) as providers:
                fuzz, began = Fuzz(providers, folder), time.monotonic()
                while fuzz.calls() < wanted:
                    for role in ROLES:
                        fuzz.run(role, PHASES, 25, seed)
                        seconds = time.monotonic() - began
                        print(f"{fuzz.calls()} calls, {seconds:.0f} s, {role}", flush=True)
                    seed += 1
        finally:
            database.stop()
    print("0 findings")


main()
