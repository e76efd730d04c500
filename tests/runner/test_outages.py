"""A name of a host that is not known: at the beginning of a run, and after its first answer."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import ExitCode
from pipeline.runner.api import Reelsheet
from pipeline.runner.watching import RunProgress
from tests.system.harness import sheets
from tests.system.harness.api import KEY, Api
from tests.system.harness.product import FAST

_LOOK_UP = socket.getaddrinfo


class _Names:
    """What the system says of names: all of them are known for the first so many questions."""

    def __init__(self, known: int) -> None:
        self.known = known
        self.asked = 0

    def __call__(self, host: Any, *more: Any, **options: Any) -> Any:
        if host == "localhost":
            self.asked += 1
            if self.asked > self.known:
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return _LOOK_UP(host, *more, **options)


def _sheet(api: Api, folder: Path, patience_s: float) -> Reelsheet:
    manifest = sheets.write(folder / "shop.csv", sheets.rows(3))
    settings = {
        **FAST,
        "api.base_url": api.base_url.replace("127.0.0.1", "localhost"),
        "outage.patience_s": patience_s,
    }
    return Reelsheet(manifest, settings=settings)


@pytest.mark.parametrize("known", [0, 1], ids=["before", "after"])
def test_a_name_that_is_not_known(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: int
) -> None:
    """Before the first answer it ends the run at once; after it the run waits, and says so.

    A run looks the name up for its free calls, and once more for its submissions.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TOAPIS_API_KEY", KEY)
    monkeypatch.setattr(socket, "getaddrinfo", _Names(known))
    told: list[RunProgress] = []
    sheet = _sheet(api, tmp_path, 1.5 if known else 100_000)
    report = sheet.run(on_progress=told.append)
    assert report.exit_code is ExitCode.UNFINISHED
    assert report.states == {"waiting": 3}
    (stop,) = report.stops
    assert "the name of the host cannot be resolved" in stop.reason
    waited = {one.waits_for for one in told if one.waits_for}
    if known:
        assert stop.reason.startswith("the provider does not answer submissions")
        assert any("the provider to be reached again, until " in one for one in waited)
    else:
        assert stop.reason.startswith("the provider cannot be reached, and never was in this run")
        assert not waited
