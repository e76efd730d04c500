"""The takes of the rows, in the rows' order."""

from __future__ import annotations

from pathlib import Path

from pipeline.model import State
from pipeline.review.takes import rows_with_takes, videos_of
from tests.review.shop import make_shop


def test_every_row_and_every_take(tmp_path: Path) -> None:
    """Also rows that were never sent; the earliest take first, all of them known by their hash."""
    shop = make_shop(tmp_path)
    first, second = shop.make("BAG"), shop.make("BAG", 2)
    rows = rows_with_takes(shop.check(), shop.folder)
    assert [(row.row, row.key, row.entry, row.state) for row in rows] == [
        (2, "MUG", "", None),
        (3, "BAG", "BAG", State.DONE),
        (4, "TEA", "", None),
    ]
    assert [take.video for take in rows[1].takes] == [first, second]
    assert videos_of(rows) == {("BAG", 1): first.sha256, ("BAG", 2): second.sha256}


def test_without_a_journal_there_is_none(tmp_path: Path) -> None:
    """And none is made."""
    shop = make_shop(tmp_path)
    assert not any(row.takes for row in rows_with_takes(shop.check(), shop.folder))
    assert not shop.folder.root.exists()
