"""schemathesis finds nothing: a bounded run of bench/schemathesis, the same each time."""

import pathlib
from collections.abc import Iterator

import pytest
from fuzz import POLICY, ROLES, SETTINGS, Fuzz
from providers import Providers


@pytest.fixture(scope="module")
def fuzz(tmp_path_factory: pytest.TempPathFactory, mongodb_uri: str) -> Iterator[Fuzz]:
    folder: pathlib.Path = tmp_path_factory.mktemp("schemathesis")
    with Providers(folder / "stack", mongodb_uri, policy=POLICY, **SETTINGS) as providers:
        yield Fuzz(providers, folder)


@pytest.mark.parametrize("role", ROLES)
def test_it_finds_nothing(fuzz: Fuzz, role: str | None) -> None:
    before = fuzz.calls()
    fuzz.run(role, seed=1, examples=3, phases="examples,coverage,fuzzing,stateful")
    assert fuzz.calls() - before > 100
