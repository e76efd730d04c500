"""A large manifest is checked as a small one is: its rows stay packed, and nothing else differs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.checker.check import CheckedManifest, check_manifest
from pipeline.checker.packeddrafts import (
    PackedDrafts,
    count_forms,
    drafts_of,
    drafts_without,
    keys_with_prompts,
    prompts_of,
)
from pipeline.config.settings import Config
from pipeline.disk.folder import OutputFolder
from pipeline.manifest.packedrows import PackedRows
from pipeline.planner.planner import plan_manifest, price
from pipeline.planner.selection import Selection
from pipeline.reader.text import delimited

ROWS = [
    "sku,prompt,duration,image_1,title,",
    "A-1,A slow turn around a mug on linen,6,,Mug,",
    ",,,,,",
    "A-2,A slow turn around a bowl on linen,,https://shop.example/b.jpg,Bowl,",
    "A-3,,4,,No prompt,",
    "A-4,A slow turn around a cup on linen,99,,Too long,",
    "A-1,A key that stands twice over here,6,,Twice,",
    "A-5,Film of {{ title }} in soft light,6,,Never filled in,",
    "A-6,A slow turn around a mug on linen,6,,The same as the first,",
    ",,8,,,",
    "A-9,A slow turn around a jug on linen,6,\u00a0,A picture cell of a blank,",
    'A-7,"Two lines\nof a prompt that is long",10,,Lines,',
    "A-8,\u00a0Ein langsamer Schwenk \u00fcber Geschirr\u00a0,6,,Umlaut,",
    "TOTAL,25,,,,",
]


def _check(folder: Path, monkeypatch: pytest.MonkeyPatch, *, many: bool) -> CheckedManifest:
    path = folder / "night.csv"
    path.write_text("\n".join(ROWS) + "\n", encoding="utf-8")
    monkeypatch.setattr(delimited, "_MANY_LINES", 0 if many else 10**9)
    return check_manifest(path, Config(), cache_dir=None)


@pytest.fixture
def both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[CheckedManifest, ...]:
    """The same manifest, its rows kept one by one and packed."""
    found = [_check(tmp_path, monkeypatch, many=many) for many in (False, True)]
    assert isinstance(found[1].manifest.rows, PackedRows)
    assert isinstance(found[1].drafts, PackedDrafts)
    return tuple(found)


def test_all_that_is_found_is_the_same(both: tuple[CheckedManifest, ...]) -> None:
    """Rows, keys, drafts, held rows, problems, requests: each in the same order."""
    plain, packed = both
    assert [*packed.manifest.rows] == [*plain.manifest.rows]
    assert (packed.keys, packed.problems, packed.held) == (plain.keys, plain.problems, plain.held)
    assert {*plain.problems, *plain.held}  # there is something to compare
    assert [*packed.drafts.items()] == [*plain.drafts.items()]
    assert [*packed.requests.items()] == [*plain.requests.items()]
    assert [*packed.requests_by_key.items()] == [*plain.requests_by_key.items()]
    assert packed.requests_by_hash == plain.requests_by_hash
    assert [*packed.validity()] == [*plain.validity()]
    assert packed.with_held().drafts == plain.with_held().drafts
    numbers = [row.number for row in plain.manifest.rows]
    assert [packed.sheet_prompt(one) for one in numbers] == [*map(plain.sheet_prompt, numbers)]


def test_each_draft_and_request_is_there_by_its_name(both: tuple[CheckedManifest, ...]) -> None:
    """What is asked for one by one is what a walk gives; nothing else is there."""
    plain, packed = both
    assert len(packed.drafts) == len(packed.requests) == len(plain.drafts)
    for number in range(30):
        assert packed.drafts.get(number) == plain.drafts.get(number)
        assert packed.requests.get(number) == plain.requests.get(number)
    for key in (*plain.keys, "Z-9"):
        assert packed.requests_by_key.get(key) == plain.requests_by_key.get(key)
    some = [*plain.drafts][::2]
    left = drafts_without(packed.drafts, {*some, 999})
    assert left == drafts_without(plain.drafts, some)
    assert [*prompts_of(left)] == [(number, one.prompt) for number, one in left.items()]
    assert len(left) == len(plain.drafts) - len(some)
    keys = {"A-2", "A-7", "A-9", "none"}
    assert drafts_of(left, keys) == drafts_of({**left}, keys)
    for drafts in (packed.drafts, left, drafts_of(packed.drafts, keys)):
        assert count_forms(drafts) == count_forms({**drafts})
        prompts = {hash(prompt) for prompt in ("A slow turn around a jug on linen", "?")}
        assert keys_with_prompts(drafts, prompts) == keys_with_prompts({**drafts}, prompts)


def test_the_plan_and_its_price_are_the_same(
    both: tuple[CheckedManifest, ...], tmp_path: Path
) -> None:
    """A plan of new rows needs no request, and its price no row by itself."""
    plain, packed = both
    folder = OutputFolder(tmp_path / "outputs")
    found = [plan_manifest(one, {}, folder, Selection()) for one in (plain, packed)]
    assert found[0] == found[1]
    config = replace_price(Config())
    keys = [step.key for step in found[0].steps if step.group == "new"]
    assert price(keys, plain, config) == price(keys, packed, config)


def replace_price(config: Config) -> Config:
    """Settings with a price."""
    return config.model_copy(update={"budget": config.budget.model_copy(
        update={"price_per_second": 0.1})})  # fmt: skip


def test_results_lose_the_guards_of_their_cells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Results of a large manifest are a manifest again, as those of a small one are."""
    path = tmp_path / "results.csv"
    path.write_text("sku,prompt,result_state\n'=A,'+ a film of tea on linen,\n", encoding="utf-8")
    found = []
    for many in (10**9, 0):
        monkeypatch.setattr(delimited, "_MANY_LINES", many)
        found.append(check_manifest(path, Config(), cache_dir=None))
    assert [*found[0].manifest.rows] == [*found[1].manifest.rows]
    assert replace(found[0].manifest, rows=()) == replace(found[1].manifest, rows=())
