"""Texts from templates: prompts and names of rows, or a problem at the cell that is to blame."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.checker.rowtexts import (
    RowPrompts,
    _bind,
    _CellNeeded,
    _word,
    bind_prompts,
    name_problem,
    name_template,
)
from pipeline.errors import ConfigError
from pipeline.manifest.templates import TemplateFault, compile_template
from pipeline.model import Manifest, Problem, Row, Severity

HEADERS = ("sku", "prompt", "Title", "Colour")
FIELDS = {"key": 0, "prompt": 1}


def sheet(*rows: tuple[str, ...]) -> Manifest:
    numbered = tuple(Row(number, cells) for number, cells in enumerate(rows, start=2))
    return Manifest(Path("shop.xlsx"), HEADERS, numbered, sheet="Sheet1")


def bound(text: str, manifest: Manifest) -> RowPrompts:
    template, problems = bind_prompts(text, manifest, FIELDS)
    assert template is not None
    assert problems == ()
    return template


def test_a_prompt_is_made_only_where_the_cell_is_empty() -> None:
    """It is one line; a prompt of the row's own, also a long one, stays."""
    manifest = sheet(("A", " ", "Shoe", "red"), ("B", "A bag", "Bag", ""))
    template = bound("A {{ colour }}\n  {{ title }}", manifest)
    first, second = manifest.rows
    assert template.make(first, "A") == "A red Shoe"
    assert template.make(second, "B") is None


def test_a_missing_cell_is_a_problem_of_that_cell() -> None:
    """The problem names the setting, the column and a way to do without the cell."""
    manifest = sheet(("A", "", "Shoe", ""))
    problem = bound("{{ colour }} {{ title }}", manifest).make(manifest.rows[0], "A")
    assert isinstance(problem, Problem)
    assert (problem.code, problem.cell, problem.key) == ("template_cell_empty", "D2", "A")
    assert "manifest.prompt_template" in problem.message
    assert "{{ colour | default('…') }}" in problem.message


def test_an_empty_prompt_is_a_problem_of_the_prompt() -> None:
    """A template may leave out every cell; a row without a prompt is never sent."""
    manifest = sheet(("A", "", "", ""))
    problem = bound("{{ title | default('') }}", manifest).make(manifest.rows[0], "A")
    assert isinstance(problem, Problem)
    assert (problem.code, problem.cell) == ("prompt_empty", "B2")


def test_a_column_that_is_not_there_is_one_problem_of_the_file() -> None:
    """No row repeats it; a text that is no template is a fault of the configuration."""
    template, (problem,) = bind_prompts("{{ titel }}", sheet(("A", "", "", "")), FIELDS)
    assert template is None
    assert (problem.code, problem.row, problem.severity) == (
        "template_column",
        None,
        Severity.ERROR,
    )
    assert 'Did you mean "Title"?' in problem.message
    with pytest.raises(ConfigError, match=r"manifest\.prompt_template"):
        bind_prompts("{{ title", sheet(), FIELDS)


def test_rows_without_keys_are_told_apart_by_the_template() -> None:
    """That is a warning, and only where a prompt is made."""
    made, own = sheet(("", "", "Shoe", "")), sheet(("", "A shoe", "Shoe", ""))
    _, (problem,) = bind_prompts("{{ title }}", made, {"prompt": 1})
    assert (problem.code, problem.severity) == ("keys_from_template", Severity.WARNING)
    assert "include the column that manifest.prompt_template uses" in problem.message
    assert bind_prompts("{{ title }}", own, {"prompt": 1})[1] == ()


def test_a_row_whose_video_would_have_no_name_is_told() -> None:
    """The problem stands at the cell that `output.name` needs."""
    manifest = sheet(("A", "x", "Shoe", ""), ("B", "x", "Bag", "red"))
    names = name_template("{{ title }}-{{ colour }}", HEADERS)
    problem = name_problem(names, manifest, manifest.rows[0], "A")
    assert problem is not None
    assert (problem.code, problem.cell) == ("template_cell_empty", "D2")
    assert problem.message.startswith('output.name needs "Colour"')
    assert name_problem(names, manifest, manifest.rows[1], "B") is None


def test_columns_are_found_by_word_and_by_header() -> None:
    """Case, blanks and signs do not count; what could be two columns has to be said."""
    headers = ("SKU", "Body (HTML)", "Price EUR", "price-eur (net)", "a b", "a-b", "result_state")
    row = Row(2, ("1", "text", "3", "2", "x", "y", "done"))
    template = _bind(compile_template("{{ sku }} {{ body_html }} {{ Price_EUR }}"), headers)
    assert template.text(row) == "1 text 3"
    assert template.columns == (0, 1, 2)
    assert _bind(compile_template("{{ row['a-b'] }}"), headers).text(row) == "y"
    assert _word("Body (HTML)") == "body_html"
    with pytest.raises(TemplateFault, match=r'row\["a b"\] or row\["a-b"\]'):
        _bind(compile_template("{{ a_b }}"), headers)
    with pytest.raises(TemplateFault, match='Did you mean "Body'):
        _bind(compile_template("{{ body_htm }}"), headers)
    with pytest.raises(TemplateFault, match="Its headers are"):
        _bind(compile_template("{{ result_state }}"), headers)


def test_an_empty_cell_is_named_by_its_column() -> None:
    """A cell of blanks is as empty as one of nothing."""
    template = _bind(compile_template("{{ title }}"), ("sku", "Title"))
    with pytest.raises(_CellNeeded) as caught:
        template.text(Row(2, ("1", " \u00a0\u200b")))
    assert caught.value.place == 1
