"""An emulator of its own, and whole runs inside of the test's process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.security.shop import Shop
from tests.system.harness.api import KEY, Api, emulator


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


@pytest.fixture
def shop(tmp_path: Path, api: Api, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A shop of three rows, tied to the emulator, the key in its variable."""
    monkeypatch.setenv("TOAPIS_API_KEY", KEY)
    return Shop(tmp_path, api)
