"""What a person is told of what a journal got back from the account's book."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline import events as ev
from pipeline.account.reconcile import Standing
from pipeline.events import Event
from pipeline.runner.forgotten import tell_recovery
from pipeline.runner.runlog import RunLog
from tests.account.test_reconcile import SENT, Past, together
from tests.journal.lives import VIDEO

HOME = [*SENT, ev.Completed("a", 1, None), ev.Downloaded("a", 1, VIDEO)]


@pytest.mark.parametrize(
    ("known", "standing", "told"),
    [
        ([], Standing.OTHER_BOOK, "did not know of 1 submission that"),
        (SENT, Standing.JOURNAL_OLDER, "knew more of 1 submission than the journal of"),
        (HOME, Standing.TOGETHER, None),
    ],
)
def test_what_was_unknown_is_told_from_what_had_gone_on(
    tmp_path: Path, known: list[Event], standing: Standing, told: str | None
) -> None:
    """After a kill the book may know more of rows; that is no loss of what was sent."""
    found = together(Past(known), Past(HOME).book, standing)
    said: list[str] = []
    with RunLog(tmp_path / "run.log", "r1", lambda: 0.0) as log:
        tell_recovery(found, Path("shop.csv"), said.append, log)
    assert len(said) == (told is not None)
    assert told is None or told in said[0]
