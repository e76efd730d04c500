"""The attempts of a run: their numbers, references and names."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.checker.check import CheckedManifest, check_manifest
from pipeline.config.settings import Config
from pipeline.model import Attempt, Entry, State
from pipeline.runner.engine_setup import Attempts


@pytest.fixture
def checked(tmp_path: Path) -> CheckedManifest:
    """A row that is new and one that may be known already."""
    path = tmp_path / "shop.csv"
    path.write_text("key,prompt\nnew,a mug\nold,a bag\n", encoding="utf-8")
    return check_manifest(path, Config(), cache_dir=None)


def attempts(checked: CheckedManifest, entries: dict[str, Entry]) -> Attempts:
    return Attempts(checked, Config(), "journal", entries, lambda key: key)


def test_a_new_row_begins_with_number_one(checked: CheckedManifest) -> None:
    """What nothing is known of is sent as number one, under its own name."""
    one = attempts(checked, {}).new("new")
    assert (one.key, one.number, one.video_name) == ("new", 1, "new.mp4")


def test_a_row_that_failed_goes_again_under_the_next_number(checked: CheckedManifest) -> None:
    """Another number, reference and file name; the same request."""
    first = attempts(checked, {}).new("old")
    before = Attempt("old", 1, first.client_business_id, checked.requests[3], "old.mp4")
    entries = {"old": Entry("old", State.FAILED, before, submitted_at=1.0)}
    second = attempts(checked, entries).new("old")
    assert (second.number, second.video_name, second.request) == (2, "old-2.mp4", first.request)
    assert second.client_business_id != first.client_business_id
