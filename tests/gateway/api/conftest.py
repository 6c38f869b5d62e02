"""One served house a module of tests, and a client for each role."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from gateway.people import ROLES
from tests.gateway.api.house import House, client, serving


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("data"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def base(house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(house, tmp_path_factory.mktemp("static")) as address:
        yield address


@pytest.fixture(scope="module")
def as_role(house: House, base: str) -> Iterator[Callable[[str], httpx.Client]]:
    """`as_role("duty")` is a client signed in with that role."""
    clients = {role: client(base, house.person(role)) for role in ROLES}
    yield clients.__getitem__
    for one in clients.values():
        one.close()


@pytest.fixture
def anyone(base: str) -> Iterator[httpx.Client]:
    with client(base) as one:
        yield one


__all__ = ["Path", "as_role", "base", "house"]
