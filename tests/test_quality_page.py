"""The page about what is odd holds what the benchmark writes, and what it promises."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks import quality
from benchmarks.clipset.listing import GOOD
from benchmarks.quality import LABELS, LEAST_FOUND, MOST_FALSE, Judged, confusion, shares
from pipeline.review import quality as rules

PAGE = Path(quality.PAGE).read_text(encoding="utf-8")


def table_of(name: str) -> list[str]:
    """The lines of a table of the page."""
    found = re.search(rf"<!-- figures:{name} -->\n(.*?)<!-- /figures:{name} -->", PAGE, re.DOTALL)
    assert found is not None
    return [line for line in found[1].splitlines() if line.startswith("|")]


def cells_of(line: str) -> list[str]:
    """The cells of a line."""
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_the_table_is_what_is_said_of_clips() -> None:
    """A line for each label, a column for each chip; a clip may have several."""
    judged = [
        Judged(GOOD, ()),
        Judged(GOOD, ("black", "silent")),
        Judged("black", ("black",)),
        Judged("bars", ()),
    ]
    assert shares(judged) == (50.0, 50.0)
    head, _, good, *others = map(cells_of, confusion(judged))
    said = dict(zip(head, good, strict=True))
    assert said["clips"] == "2"
    assert [name for name in head if said[name] == "1"] == ["black", "silent", "nothing"]
    assert [one[0] for one in others] == list(LABELS[1:])


@pytest.mark.parametrize("name", list(quality.SETS))
def test_the_page_keeps_the_promise(name: str) -> None:
    """Its tables have the form of the benchmark, all labels, and figures within the targets."""
    head, rule, *lines = map(cells_of, table_of(name))
    assert [head, rule] == [cells_of(line) for line in confusion([])[:2]]
    assert [line[0] for line in lines] == list(LABELS)
    counts = {line[0]: dict(zip(head[1:], line[1:], strict=True)) for line in lines}
    good = counts.pop(GOOD)
    assert int(good["clips"]) >= 50
    assert 1 - int(good["nothing"]) / int(good["clips"]) <= MOST_FALSE / 100
    total = sum(int(one["clips"]) for one in counts.values())
    found = sum(int(one[label] or 0) for label, one in counts.items())
    assert total >= 50
    assert found / total >= LEAST_FOUND / 100


def test_every_chip_is_a_label_and_is_explained() -> None:
    """None of the rules is left untried."""
    chips = {
        rules.DAMAGED, rules.BLACK, rules.BLANK, rules.STILL, rules.FLICKERS, rules.BARS,
        rules.NO_SOUND, rules.SILENT, rules.DISTORTED, rules.OTHER_START, rules.OTHER_COLOUR,
    }  # fmt: skip
    assert chips == set(LABELS[1:])
    assert all(f"`{chip}`" in PAGE for chip in chips)
