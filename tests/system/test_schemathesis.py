"""schemathesis finds nothing: a bounded run of bench/schemathesis. What is drawn is the same each time; ids and
times are not."""

import pathlib
from collections.abc import Iterator

import pytest
from fuzz import PHASES, POLICY, ROLES, SETTINGS, Fuzz
from providers import Providers


@pytest.fixture(scope="module")
def fuzz(tmp_path_factory: pytest.TempPathFactory, mongodb_uri: str) -> Iterator[Fuzz]:
    folder: pathlib.Path = tmp_path_factory.mktemp("schemathesis")
    with Providers(folder / "stack", mongodb_uri, policy=POLICY, **SETTINGS) as providers:
        yield Fuzz(providers, folder)


@pytest.mark.parametrize("role", ROLES)
def test_it_finds_nothing(fuzz: Fuzz, role: str | None) -> None:
    """What is wrong in one place at a time, as the one who may most; what is drawn, and the ways
    along the links, as everybody."""
    before, whole = fuzz.calls(), role == "admin"
    fuzz.run(role, PHASES if whole else "examples,fuzzing,stateful", examples=2)
    assert fuzz.calls() - before > (1500 if whole else 50)
