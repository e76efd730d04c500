"""The attempts of a run: their numbers, references and names."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.checker.check import CheckedManifest, check_manifest
from pipeline.checker.naming import reference
from pipeline.config.settings import Config
from pipeline.model import Attempt, Entry, State
from pipeline.runner.attempts import Attempts


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


def renamed(first: Attempt) -> dict[str, Entry]:
    """The row `old` as it is known after it was called `new` for a while, with a later attempt."""
    later = replace(first, key="old", number=3, video_name="new-3.mp4", identity="new")
    return {"old": Entry("old", State.FAILED, later, submitted_at=1.0)}


def test_a_renamed_row_goes_on_under_its_identity(checked: CheckedManifest) -> None:
    """Its references and its file names are those that it began with."""
    first = attempts(checked, {}).new("new")
    entries = renamed(first)
    identities = {"old": "new", "new": "new\x1f2"}
    again = Attempts(checked, Config(), "journal", entries, identities.__getitem__)
    one = again.new("old")
    assert (one.key, one.identity, one.number, one.video_name) == ("old", "new", 4, "new-4.mp4")
    assert one.client_business_id == reference("journal", "new", 4)


def test_a_key_that_comes_back_has_references_and_names_of_its_own(
    checked: CheckedManifest,
) -> None:
    """Though nobody owns the plain name in the journal any more, its file may be there."""
    first = attempts(checked, {}).new("new")
    identities = {"old": "new", "new": "new\x1f2"}
    again = Attempts(checked, Config(), "journal", renamed(first), identities.__getitem__)
    one = again.new("new")
    assert (one.key, one.identity, one.number) == ("new", "new\x1f2", 1)
    assert one.client_business_id not in {reference("journal", "new", n) for n in range(9)}
    assert re.fullmatch(r"new-[0-9a-f]{8}\.mp4", one.video_name)
    third = Attempts(checked, Config(), "journal", {}, lambda key: f"{key}\x1f3").new("new")
    assert third.video_name not in {one.video_name, "new.mp4"}
