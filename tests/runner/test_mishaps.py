"""Rows that end badly are named while the run goes on."""

from __future__ import annotations

from pathlib import Path

from pipeline.checker.check import CheckedManifest
from pipeline.events import Completed, Declined, LinkLost, TaskFailed, TaskLost
from pipeline.model import Manifest, Row
from pipeline.runner.mishaps import Mishaps

MANIFEST = Manifest(Path("shop.csv"), ("sku",), (Row(2, ("A",)), Row(5, ("B",))))
CHECKED = CheckedManifest(MANIFEST, {}, ("A", "B"), {}, {}, "model", {}, ())


def test_each_is_named_with_its_place_and_why() -> None:
    """As editors jump to it; what goes well says nothing."""
    said: list[str] = []
    mishaps = Mishaps(said.append)
    for event in (
        Completed("A", 1, None),
        TaskFailed("B", 1, "E7", "no light"),
        Declined("A", 1, "bad_size", "too large"),
        LinkLost("gone", 1, "gone_410", "the link is dead"),
        TaskLost("A", 1, "nobody knows it"),
    ):
        mishaps.note(event, CHECKED)
    assert said[0].startswith("shop.csv:5: B: failed: The provider could not make the video")
    assert "no light" in said[0]
    assert said[1:] == [
        "shop.csv:2: A: refused: too large (bad_size)",
        "shop.csv: gone: expired: the link is dead (gone_410)",
        "shop.csv:2: A: missing: nobody knows it",
    ]


def test_a_night_in_which_all_fail_is_no_flood() -> None:
    """After twenty the results have the others."""
    said: list[str] = []
    mishaps = Mishaps(said.append)
    for _ in range(50):
        mishaps.note(TaskFailed("A", 1, None, "no"), CHECKED)
    assert len(said) == 21
    assert "result_error" in said[-1]
