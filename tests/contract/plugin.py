"""Fixtures for every test that talks to the Atoms API, real or emulated."""

from collections.abc import Iterator

import pytest

from tests.contract.referee import Referee, Wrap, refereeing


@pytest.fixture(scope="session")
def referee() -> Referee:
    return Referee()


@pytest.fixture
def refereed(referee: Referee) -> Iterator[Wrap]:
    with refereeing(referee) as wrap:
        yield wrap
