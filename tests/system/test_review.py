"""`reelsheet review` as a process: it prints its address, serves until Ctrl-C, and ends with 0."""

from __future__ import annotations

import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from pipeline.journal.decisions import read_decisions
from tests.review.shop import make_shop
from tests.system.harness.product import ROOT, environment

pytestmark = pytest.mark.process


def test_the_page_is_served_until_ctrl_c(tmp_path: Path) -> None:
    """In a folder with blanks and umlauts; the address is all that stands on standard output."""
    folder = tmp_path / "Größe 38"
    folder.mkdir()
    shop = make_shop(folder)
    shop.make("MUG")
    line = [sys.executable, "-m", "pipeline", "review", "shop.csv", "--no-browser"]
    with subprocess.Popen(
        line,
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        try:
            assert address.startswith("http://127.0.0.1:")
            for name in ("", "review/page.js", "review/data.js", "videos/MUG.mp4"):
                with urllib.request.urlopen(address + name, timeout=30) as reply:  # noqa: S310
                    assert reply.status == 200
        finally:
            process.send_signal(signal.SIGINT)
        rest, said = process.communicate(timeout=60)
    assert (process.returncode, rest) == (0, "")
    assert "1 take to judge" in said
    assert str(ROOT) not in said
    assert read_decisions(shop.folder.journal) == []
    assert not shop.folder.journal.with_name("journal.db-wal").exists()
