"""Settings for all tests: the same cases every time, and no process from a test that says none.

`HYPOTHESIS_PROFILE=longer python -m pytest` looks for new cases, ten times as many.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Self

import pytest
from hypothesis import settings

from pipeline.reader.workbook import apart
from pipeline.reader.workbook.worker import answer
from tests.system.harness.bucket import bucket, bucket_server, faults

settings.register_profile("same", derandomize=True, deadline=None, database=None)
settings.register_profile("longer", max_examples=1000, deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

__all__ = ("bucket", "bucket_server", "faults")
"""The fixtures of others that all tests may use."""

HERE = Path(__file__).parent
MANY_CASES = 2
"""More cases of a test than these are too many for the gate, where each is a whole run."""
OF_PROCESSES = ("system", "upgrade")
"""Folders in which every test starts processes."""
OF_THE_PACKAGE = ("cli",)
"""Folders of tests that need what a wheel may lack: data, templates, commands."""
WITH_THE_PACKAGE = (
    "test_examples",
    "test_lock",
    "test_main_job",
    "test_packaging",
    "test_reelsheet",
    "test_rehearsal",
)
"""Modules of whole commands, and of the package as others use it, that are tried on it too."""

_alone: list[str] = []
"""The test that runs now, if it is not marked as one that starts processes."""


def share_of_examples(share: float) -> int:
    """Return how many examples a costly property gets, as a share of what the profile says."""
    return round(settings().max_examples * share)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what starts processes, for `make quick`, and what is tried again on the wheel.

    Of a test of whole runs that has many cases the gate tries one; `.ci/long` tries the others.
    """
    for cases in _cases_of_whole_runs(items):
        if len(cases) > MANY_CASES and not any(one.get_closest_marker("long") for one in cases):
            for item in cases[1:]:
                item.add_marker(pytest.mark.long)
    for item in items:
        room = item.path.relative_to(HERE).parts[0]
        starts = {"session_api", "bucket_server"}.intersection(getattr(item, "fixturenames", ()))
        if room in OF_PROCESSES or starts:
            item.add_marker(pytest.mark.process)
        if item.path.stem in WITH_THE_PACKAGE or room in OF_THE_PACKAGE:
            item.add_marker(pytest.mark.packaged)


def _cases_of_whole_runs(items: list[pytest.Item]) -> Iterable[list[pytest.Item]]:
    """Return the cases of each test under system/, in their order."""
    cases: dict[str, list[pytest.Item]] = {}
    for item in items:
        if item.path.relative_to(HERE).parts[0] == "system":
            cases.setdefault(item.nodeid.partition("[")[0], []).append(item)
    return cases.values()


def pytest_xdist_auto_num_workers() -> int:
    """Return how many workers `-n auto` means: tests of processes wait for them now and then."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(autouse=True)
def _own_state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each test a folder for state of its own: the account's book lies there."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)


class ChildHere:
    """Reads a workbook as its child does, over the same lines, but in this process."""

    def __init__(self, _program: str, *, limit_s: float, starved_s: float) -> None:
        assert 0 < limit_s < starved_s
        self._order: dict[str, object] = {}
        self._data = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._data = b""

    def give(self, order: bytes, data: bytes) -> None:
        self._order, self._data = json.loads(order), data

    def lines(self, most_bytes: int) -> Iterator[bytes]:
        for line in answer(self._order, self._data):
            assert len(line) < most_bytes
            yield line


@pytest.fixture(autouse=True)
def _read_workbooks_here(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read workbooks in this process in tests that start none: a child would take most of it."""
    if request.node.get_closest_marker("process") is None:
        monkeypatch.setattr(apart, "Child", ChildHere)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Remember a test that may start no process."""
    if item.get_closest_marker("process") is None:
        _alone.append(item.nodeid)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown() -> None:
    """Forget it."""
    _alone.clear()


def _forbid_processes(event: str, _: tuple[object, ...]) -> None:
    if event == "subprocess.Popen" and _alone:
        raise RuntimeError(f"{_alone[-1]} starts a process: mark it with pytest.mark.process")


sys.addaudithook(_forbid_processes)
