"""Rows that nobody means to pay for are held, each with the way to let it through."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.checker.check import CheckedManifest, check_manifest
from pipeline.config.loading import load
from pipeline.errors import ConfigError
from pipeline.manifest.examples import EXAMPLES
from pipeline.model import Severity

LIVE = "provider=toapis"


def check(folder: Path, text: str, *settings: str) -> CheckedManifest:
    path = folder / "shop.csv"
    path.write_text(text, encoding="utf-8")
    return check_manifest(path, load(None, environ={}, overrides=settings), cache_dir=None)


def errors(checked: CheckedManifest) -> list[tuple[int | None, str | None, str]]:
    return [(one.row, one.column, one.code) for one in checked.errors]


SHEET = """sku,prompt,duration,note
A1,A mug turns on a table,6,
A2,TODO,6,TODO
A3,A film of {{ title }} on oak,6,
A4,#N/A,6,#N/A
#REF!,A lamp turns slowly,6,
sku,prompt,duration,note
Total,5,30,
"""
ALL = "prompt_placeholder,prompt_todo,error_text,header_row,totals_row"


def test_each_is_an_error_of_its_cell(tmp_path: Path) -> None:
    """The row is held, the others go on, and cells that are not read do not matter."""
    checked = check(tmp_path, SHEET)
    assert errors(checked) == [
        (3, "prompt", "prompt_todo"),
        (4, "prompt", "prompt_placeholder"),
        (5, "prompt", "error_text"),
        (6, "sku", "error_text"),
        (7, "prompt", "header_row"),
        (8, "prompt", "totals_row"),  # and not that 30 s are too long
    ]
    assert list(checked.requests) == [2]
    assert list(checked.with_held().requests) == [2, 3, 4, 5, 6]


def test_a_code_lets_its_rows_through(tmp_path: Path) -> None:
    """The message has the code in both ways, with those that are allowed already."""
    todo, *_ = check(tmp_path, SHEET).errors
    assert "manifest.allow: [prompt_todo] in the configuration" in todo.message
    assert todo.message.endswith("--set manifest.allow=prompt_todo")
    checked = check(tmp_path, SHEET, "manifest.allow=prompt_todo,error_text")
    assert list(checked.requests) == [2, 3, 5, 6]
    warnings = [one.message for one in checked.problems if one.severity is Severity.WARNING]
    assert "1 row (row 3) is let through by manifest.allow: prompt_todo." in warnings
    assert "2 rows (rows 5 and 6) are let through by manifest.allow: error_text." in warnings
    assert checked.errors[0].message.endswith(
        "--set manifest.allow=prompt_todo,error_text,prompt_placeholder"
    )


def test_what_breaks_a_rule_is_not_let_through(tmp_path: Path) -> None:
    """A totals row that is allowed has a duration all the same."""
    checked = check(tmp_path, SHEET, f"manifest.allow={ALL}")
    assert errors(checked) == [(7, "duration", "duration_not_allowed"),
                               (8, "duration", "duration_not_allowed")]  # fmt: skip


@pytest.mark.parametrize(
    ("headers", "second"),
    [
        ("sku,prompt", "Article number,What the video shows"),
        ("key,prompt", "Schlüssel,Prompt-Text"),
        ("key,prompt,Saison", "Artikelnummer,Beschreibung,"),
        ("key,prompt,Preis", "(Text),(Text),(Zahl)"),
        ("id,prompt,name", "Pflichtfeld,Pflichtfeld,optional"),
        ("key,prompt", "商品番号,説明"),
    ],
)
def test_a_second_row_of_headers(tmp_path: Path, headers: str, second: str) -> None:
    """What belongs into the columns, in other words, is no product."""
    more = "," * headers.count(",")
    rows = [headers, second, f"A,A mug turns on oak{more[1:]}", f"B,Text{more[1:]}"]
    assert errors(check(tmp_path, "\n".join(rows))) == [(2, "prompt", "header_row")]


@pytest.mark.parametrize("text", ["[prompt_todo, totals_row]", "prompt_todo, totals_row"])
def test_codes_are_a_list_or_a_text(text: str) -> None:
    """A shell has a meaning for brackets, so that commas do."""
    config = load(None, environ={"REELSHEET_MANIFEST__ALLOW": text})
    assert config.manifest.allow == ("prompt_todo", "totals_row")
    assert load(None, environ={}, overrides=["manifest.allow="]).manifest.allow == ()


def test_an_unknown_code_is_refused() -> None:
    """With the list of those that there are."""
    with pytest.raises(ConfigError) as caught:
        load(None, environ={}, overrides=["manifest.allow=[todo]"])
    (fault,) = caught.value.lines[1:]
    assert "manifest.allow" in fault
    assert "must be a list of prompt_placeholder, prompt_todo, error_text, example_row" in fault


def test_an_example_row_is_refused_in_a_live_run(tmp_path: Path) -> None:
    """A rehearsal of the template is what it is there for."""
    prompt = EXAMPLES[0]["prompt"]
    text = f'sku,prompt\nMINE,A mug turns on oak\nMUG,"{prompt}"\n'
    assert check(tmp_path, text).problems == ()
    assert errors(check(tmp_path, text, LIVE)) == [(3, "prompt", "example_row")]
    assert check(tmp_path, text, LIVE, "manifest.allow=example_row").valid == 2


def test_a_made_prompt_is_judged_by_its_cells(tmp_path: Path) -> None:
    """An unwritten title is in the middle of an innocent sentence."""
    text = "sku,title,colour\nA,Mug,red\nB,TODO,red\nC,Bag,#N/A\nD,{{ name }},red\n"
    template = "manifest.prompt_template=A film of {{ title }} in {{ colour }} light"
    assert errors(check(tmp_path, text, template)) == [
        (3, "title", "prompt_todo"),
        (4, None, "error_text"),
        (5, None, "prompt_placeholder"),
    ]


def test_few_among_many(tmp_path: Path) -> None:
    """A bundle of prompts without a sign is passed over; one with a sign is not."""
    rows = [f"K{number},A mug number {number} turns on a table" for number in range(3000)]
    rows[1500] = "K1500,A mug of the colour tbd turns on a table"
    rows[2999] = "K2999,TODO"
    checked = check(tmp_path, "\n".join(["sku,prompt", *rows]))
    assert [one.row for one in checked.errors] == [1502, 3001]
    assert checked.valid == 2998
