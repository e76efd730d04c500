"""One row is followed through few modules, and docs/architecture.md names them."""

from __future__ import annotations

import os
import subprocess
import sys

from docs.generate.pages import ROOT
from docs.generate.way import MOST, PAGE, SET_UP, written


def test_the_page_names_the_modules_that_a_row_enters() -> None:
    """A row is rehearsed and traced anew; no more modules than the limit, and just those named."""
    # A test before it may have started the program, which keeps its children from this folder.
    env = {name: text for name, text in os.environ.items() if name != "PYTHONSAFEPATH"}
    traced = subprocess.run(
        [sys.executable, "-m", "docs.generate.way"],
        cwd=ROOT,
        env=env,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert traced.returncode == 0, traced.stderr
    page = written(PAGE.read_text("utf-8"))
    assert set(traced.stdout.splitlines()) == set(page.splitlines()), (
        "run: python -m docs.generate.way --write"
    )
    assert len(_modules(page)) <= MOST


def _modules(page: str) -> list[str]:
    listed = page.partition("```text\n")[2].partition("```")[0].split()
    assert not set(listed) & set(SET_UP)
    return listed
