"""`reelsheet review` as a process: it prints its address, serves until Ctrl-C, and ends with 0."""

from __future__ import annotations

import shlex
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from pipeline.journal.decisions import read_decisions
from tests.review.shop import make_shop
from tests.system.harness.api import wait_for
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


def test_the_browser_gets_the_address_and_no_key(tmp_path: Path) -> None:
    """It is a program that goes on when the page has ended, and all that it starts inherits."""
    make_shop(tmp_path).make("MUG")
    (tmp_path / "config.yaml").write_text("api: {key_env: SHOP_KEY}\n", "utf-8")
    opened = tmp_path / "opened.txt"
    browser = tmp_path / "browser.py"
    browser.write_text(
        "import os, sys\nfrom pathlib import Path\n"
        f"part = Path({str(opened)!r} + '.part')\n"
        "part.write_text('\\n'.join([*sys.argv[1:], *os.environ, *os.environ.values()]))\n"
        f"part.rename({str(opened)!r})\n"
    )
    key = "sk-that-no-browser-needs"
    line = [sys.executable, "-m", "pipeline", "review", "shop.csv"]
    with subprocess.Popen(
        line,
        cwd=tmp_path,
        env=environment(
            SHOP_KEY=key, DISPLAY=":9", BROWSER=shlex.join([sys.executable, str(browser), "%s"])
        ),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            wait_for("the browser", opened.exists)
        finally:
            process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    seen = opened.read_text()
    assert seen.splitlines()[0] == address
    assert "BROWSER" in seen
    assert key not in seen


@pytest.mark.long
def test_web_pictures_are_fetched_only_where_a_person_asks(tmp_path: Path) -> None:
    """By a run and by the page; what cannot be had is said, and changes no exit code."""
    Path(tmp_path, "shop.csv").write_text(
        "sku,prompt,image_1,duration\nMUG,A mug turns slowly.,https://127.0.0.1/x.png,4\n"
    )

    def run(*words: str) -> str:
        ended = subprocess.run(
            [sys.executable, "-m", "pipeline", *words],
            cwd=tmp_path,
            env=environment(),
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        return ended.stderr

    told = "0 web pictures fetched, 1 not; first https://127.0.0.1/x.png: "
    assert told in run("run", "shop.csv", "--fetch-pictures")
    assert "web picture" not in run("review", "shop.csv", "--static")
    assert told in run("review", "shop.csv", "--static", "--fetch-pictures")
