"""An emulator of its own for the runs that are called as a program calls them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.system.harness.api import Api, emulator


@pytest.fixture(scope="session")
def session_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The emulator: tasks of a fraction of a second, tiny clips."""
    with emulator(tmp_path_factory.mktemp("emulator"), median_s=0.1) as api:
        yield api


@pytest.fixture
def api(session_api: Api) -> Iterator[Api]:
    """The emulator without any fault in force."""
    session_api.faults()
    yield session_api
    session_api.faults()
