"""What the journal says of a day's spend, and of the money that a run found and left."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline import events as ev
from pipeline.journal.journal import Journal
from pipeline.journal.reading import RunRecord, read_runs
from tests.journal.lives import attempt, intended

SENT = intended("a")


def submitted(
    path: Path, *batches: Sequence[ev.Event], since: float = 1.0
) -> list[tuple[str, int]]:
    """Write batches at the seconds 1, 2, 3…; return key and number of what counts since then."""
    with contextlib.closing(Journal(path)) as journal:
        for at, batch in enumerate(batches, 1):
            journal.append(batch, float(at))
        journal.append([], 0.0).result(10)
        return [(one.key, one.number) for one in journal.submitted_since(since)]


@pytest.mark.parametrize(
    ("events", "counts"),
    [
        ([SENT], True),
        ([SENT, ev.Accepted("a", 1, "t")], True),
        ([SENT, ev.AnswerLost("a", 1, "lost")], True),
        ([SENT, ev.Interrupted("a", 1)], True),
        ([SENT, ev.AnswerLost("a", 1, "lost"), ev.NotFound("a", 1)], True),
        ([SENT, ev.Accepted("a", 1, "t"), ev.TaskFailed("a", 1, None, "no")], True),
        ([SENT, ev.NotAccepted("a", 1)], False),
        ([SENT, ev.Declined("a", 1, None, "no")], False),
        ([SENT, ev.Declined("a", 1, None, "no"), ev.Requeued("a", 1)], False),
        ([SENT, ev.AnswerLost("a", 1, "lost"), ev.ClosedUnsent("a", 1)], False),
        ([ev.PictureRefused("a", 1, attempt("a", 1), None, "no")], False),
        ([SENT, ev.NotAccepted("a", 1), SENT], True),
    ],
)
def test_only_a_provable_no_is_not_counted(
    tmp_path: Path, events: list[ev.Event], counts: bool
) -> None:
    """A submission counts unless it never left, was refused, or a person closed it as unsent."""
    assert submitted(tmp_path / "journal.db", events) == ([("a", 1)] if counts else [])


def test_every_attempt_of_the_day_counts_by_itself(tmp_path: Path) -> None:
    """Earlier attempts of a row count beside the latest; those of yesterday do not."""
    batches = [
        [intended("b"), ev.Accepted("b", 1, "t0")],
        [SENT, ev.AnswerLost("a", 1, "lost"), ev.NotFound("a", 1)],
        [intended("a", 2), ev.Accepted("a", 2, "t2")],
    ]
    assert submitted(tmp_path / "journal.db", *batches, since=2.0) == [("a", 1), ("a", 2)]


def test_an_attempt_comes_back_with_what_it_costs(tmp_path: Path) -> None:
    """Its seconds and its price are those that were committed with the intent."""
    with contextlib.closing(Journal(tmp_path / "journal.db")) as journal:
        journal.append([intended("a"), ev.Declined("a", 1, None, "no")], 1.0)
        journal.append([ev.Requeued("a", 1), intended("a", 2)], 1.0).result(10)
        assert journal.submitted_since(0.0) == [attempt("a", 2)]


def test_balances_are_kept_with_their_run(tmp_path: Path) -> None:
    """What a run found and what it left; None while it is not known."""
    path = tmp_path / "journal.db"
    with contextlib.closing(Journal(path)) as journal:
        journal.begin_run("r2", "run", 3.0)
        journal.begin_run("r1", "run", 1.0)
        journal.note_balance("r1", 10.5, None)
        journal.note_balance("r1", 10.5, 9.25)
        journal.end_run("r1", 2.0, 0)
    assert read_runs(path) == [RunRecord("r1", 1.0, 2.0, 10.5, 9.25), RunRecord("r2", 3.0)]
    assert read_runs(tmp_path / "none.db") == []
