"""One emulator for all tests here; each test has a working folder of its own."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.harness.api import KEY, Api, emulator
from tests.system.harness.product import Product


@pytest.fixture(autouse=True, scope="session")
def ignored_signals() -> Iterator[None]:
    """Signals that these tests were told to ignore, as by nohup, are not ignored by the product.

    A process hands on to its children what it ignores, but no handler.
    """
    names = ("SIGINT", "SIGTERM", "SIGHUP")
    known = [one for one in signal.Signals if one.name in names]
    ignored = [one for one in known if signal.getsignal(one) is signal.SIG_IGN]
    for one in ignored:
        signal.signal(one, lambda *_: None)
    yield
    for one in ignored:
        signal.signal(one, signal.SIG_IGN)


@pytest.fixture(scope="session")
def session_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The emulator: tasks of about 0.3 s, clips that differ by task."""
    with emulator(tmp_path_factory.mktemp("emulator")) as api:
        yield api


@pytest.fixture
def api(session_api: Api) -> Iterator[Api]:
    """The emulator without any fault in force."""
    session_api.faults()
    yield session_api
    session_api.faults()


@pytest.fixture
def product(tmp_path: Path, api: Api) -> Iterator[Product]:
    """The product in an empty folder, tied to the emulator."""
    tied = Product(tmp_path, api.base_url, KEY)
    yield tied
    tied.close()


@pytest.fixture
def rehearsing(tmp_path: Path) -> Iterator[Product]:
    """The product in an empty folder as it is installed: no provider, no key, no settings."""
    alone = Product(tmp_path, None, None)
    yield alone
    alone.close()
