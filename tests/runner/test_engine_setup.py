"""The attempts of a run: their numbers and names, and which doubts may go again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.checker.check import CheckedManifest, check_manifest
from pipeline.config.settings import Config
from pipeline.model import Attempt, Entry, State
from pipeline.planner.plan import Mode, Selection, decide
from pipeline.runner.engine_setup import Attempts


@pytest.fixture
def checked(tmp_path: Path) -> CheckedManifest:
    """Three rows: new, in doubt since earlier, edited since it was in doubt."""
    path = tmp_path / "shop.csv"
    path.write_text("key,prompt\nnew,a mug\nold,a bag\nedited,a tin\n", encoding="utf-8")
    return check_manifest(path, Config(), cache_dir=None)


def entries_of(checked: CheckedManifest) -> dict[str, Entry]:
    """What the journal knows of them, and of one that left the manifest."""
    known = {}
    for key, row in (("old", 3), ("edited", 4), ("gone", 3)):
        request = checked.requests[row]
        if key == "edited":
            request = replace(request, prompt="as it was", request_hash="as-it-was")
        attempt = Attempt(key, 1, f"rs-{key}", request, f"{key}.mp4")
        known[key] = Entry(key, State.IN_DOUBT, attempt, submitted_at=1.0)
    return known


def attempts(checked: CheckedManifest, entries: dict[str, Entry], selection: Selection) -> Attempts:
    rows = zip(checked.keys, checked.manifest.rows, strict=True)
    plan = decide(
        ((key, checked.requests.get(row.number)) for key, row in rows), entries, selection
    )
    return Attempts(checked, Config(), "journal", plan, entries)


def test_a_new_row_begins_with_number_one(checked: CheckedManifest) -> None:
    """What nothing is known of is sent as number one, under its own name."""
    one = attempts(checked, entries_of(checked), Selection()).new("new")
    assert (one.key, one.number, one.video_name) == ("new", 1, "new.mp4")


def test_the_next_attempt_has_everything_of_its_own(checked: CheckedManifest) -> None:
    """Another number, reference and file name; the same request."""
    made = attempts(checked, entries_of(checked), Selection())
    first = made.new("new")
    second = made.after(first, Selection())
    assert second is not None
    assert (second.number, second.video_name, second.request) == (2, "new-2.mp4", first.request)
    assert second.client_business_id != first.client_business_id


def test_attempts_are_bounded_over_all_runs(checked: CheckedManifest) -> None:
    """What was submitted before counts, new rows and old doubts alike."""
    entries = entries_of(checked)
    selection = Selection(attempts=3)
    made = attempts(checked, entries, selection)
    for first in (made.new("new"), entries["old"].attempt):
        second = made.after(first, selection)
        assert second is not None
        third = made.after(second, selection)
        assert third is not None
        assert made.after(third, selection) is None
    same = entries["old"].attempt.request.request_hash
    entries["old"] = replace(entries["old"], earlier=(same, same))
    assert attempts(checked, entries, selection).after(entries["old"].attempt, selection) is None


def test_what_changed_is_for_a_person(checked: CheckedManifest) -> None:
    """A row that was edited or left the manifest is not sent again by itself."""
    entries = entries_of(checked)
    made = attempts(checked, entries, Selection())
    assert made.after(entries["edited"].attempt, Selection()) is None
    assert made.after(entries["gone"].attempt, Selection()) is None


@pytest.mark.parametrize(
    "selection", [Selection(mode=Mode.FETCH), Selection(mode=Mode.RETRY), Selection(limit=5)]
)
def test_an_old_doubt_goes_again_only_in_a_whole_run(
    checked: CheckedManifest, selection: Selection
) -> None:
    """`fetch` submits nothing, `retry` only what ended badly, --limit no more than it says."""
    entries = entries_of(checked)
    made = attempts(checked, entries, selection)
    assert made.after(entries["old"].attempt, selection) is None


def test_a_row_that_failed_goes_again_under_the_next_number(checked: CheckedManifest) -> None:
    """Its earlier submissions count when its new one stays in doubt, too."""
    entries = entries_of(checked)
    before = Attempt("new", 1, "rs-new", checked.requests[2], "new.mp4")
    entries["new"] = Entry("new", State.FAILED, before, submitted_at=1.0)
    selection = Selection(mode=Mode.RETRY, retry=frozenset({State.FAILED}), attempts=3)
    made = attempts(checked, entries, selection)
    second = made.new("new")
    assert (second.number, second.video_name) == (2, "new-2.mp4")
    third = made.after(second, selection)
    assert third is not None
    assert made.after(third, selection) is None
