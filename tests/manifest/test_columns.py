"""Columns: headers of all sorts find their field, and what is unclear is said."""

from __future__ import annotations

import pytest

from pipeline.manifest.columns import ALIASES, FIELDS, fold_header, match_columns
from pipeline.manifest.resultcolumns import RESULT_COLUMNS, names_beside, our_columns
from pipeline.model import Severity


def test_the_plain_headers() -> None:
    """Every field is found by its own name, in any order of the columns."""
    headers = tuple(reversed(FIELDS))
    found, problems = match_columns(headers)
    assert not problems
    assert {headers[index]: field for field, index in found.items()} == dict(
        zip(FIELDS, FIELDS, strict=True)
    )


def test_every_alias_finds_its_field() -> None:
    """Each name of the table works, in capitals, with blanks and with invisible characters."""
    for field, aliases in ALIASES.items():
        for alias in aliases:
            for written in (alias, f" {alias.upper().replace('_', ' ')}\u00a0", f"\ufeff{alias}"):
                found, _ = match_columns(["prompt", written] if field != "prompt" else [written])
                assert found[field] == (0 if field == "prompt" else 1), written


def test_no_alias_stands_for_two_fields() -> None:
    """The table is unambiguous, and its names are folded already."""
    names = [alias for aliases in ALIASES.values() for alias in aliases]
    assert len(names) == len(set(names))
    assert all(fold_header(name) == name for name in names)


def test_the_order_of_the_table_decides() -> None:
    """With key, id and sku present the key column is key, whatever comes first in the sheet."""
    found, problems = match_columns(["sku", "id", "prompt", "key"])
    assert found["key"] == 3
    assert not problems
    assert match_columns(["sku", "id", "prompt"])[0]["key"] == 1


def test_several_candidates_are_said() -> None:
    """Two columns that could be the picture: the first of the table, and a warning."""
    found, problems = match_columns(["prompt", "image_url", "image_1"])
    assert found["image_1"] == 2
    assert [problem.severity for problem in problems] == [Severity.WARNING]
    assert '"image_1" (column 3) is used, "image_url" (column 2) not' in problems[0].message


@pytest.mark.parametrize("header", ["text", "description", "title", "Video text"])
def test_the_prompt_is_not_guessed(header: str) -> None:
    """A description is no prompt; the problem lists what is there and how to say it."""
    found, problems = match_columns(["sku", header])
    assert "prompt" not in found
    assert [problem.code for problem in problems] == ["no_prompt_column"]
    assert f'"sku", "{header}"' in problems[0].message
    assert "manifest.columns" in problems[0].message


def test_mapping_wins() -> None:
    """manifest.columns and manifest.key win over the table."""
    found, problems = match_columns(
        ["prompt", "Video text", "sku", "Art. no."],
        mapping={"video TEXT ": "prompt", "sku": "key"},
        key="art. no.",
    )
    assert not problems
    assert (found["prompt"], found["key"]) == (1, 3)


def test_a_mapped_header_that_is_not_there() -> None:
    """It is a problem with a suggestion, or with the headers seen."""
    _, problems = match_columns(
        ["prompt", "Video text"], mapping={"Vidéo texte": "image_1"}, key="nr"
    )
    assert [problem.code for problem in problems] == ["no_such_column"] * 2
    assert 'Did you mean "Video text"?' in problems[0].message
    assert 'manifest.key names a column "nr"' in problems[1].message
    assert 'Its headers are "prompt", "Video text".' in problems[1].message


def test_a_mapped_column_is_no_longer_guessed() -> None:
    """A column has one field: mapped to the prompt, `ratio` is not the aspect ratio too."""
    found, problems = match_columns(["ratio"], mapping={"ratio": "prompt"})
    assert found == {"prompt": 0}
    assert not problems


def test_result_columns_are_ignored() -> None:
    """A results file is a manifest: its own columns are no fields and no candidates."""
    found, problems = match_columns(["prompt", *RESULT_COLUMNS])
    assert found == {"prompt": 0}
    assert not problems


def test_a_column_of_the_users_own_is_never_ours() -> None:
    """Beside a `Review` of the manifest ours is `result_review`, also in the results' results."""
    own = ["sku", "prompt", "Review"]
    names = names_beside(own)
    assert names[-4:] == ("result_take", "result_review", "review_note", "new_prompt")
    written = [*own, *names]
    assert names_beside(written) == names
    assert our_columns(written) == {*range(3, len(written))}
    plain = ["prompt", *RESULT_COLUMNS]
    assert names_beside(plain) == RESULT_COLUMNS
    assert our_columns(plain) == {*range(1, len(plain))}
    earlier = ["prompt", *RESULT_COLUMNS[:-4], "review"]
    assert names_beside(earlier)[-3] == "result_review"
    assert len(earlier) - 1 not in our_columns(earlier)


def test_no_headers_at_all() -> None:
    """An empty header row is named as such."""
    _, problems = match_columns(["", " "])
    assert "Row 1 holds no headers." in problems[0].message


def test_a_misspelled_header_is_said() -> None:
    """A column that nobody reads, and is nearly called like one that is missing, gets a warning."""
    columns, problems = match_columns(["key", "prompt", "durration", "colour", "seconds left"])
    assert "duration" not in columns
    assert [(one.code, one.column, one.severity) for one in problems] == [
        ("column_not_read", "durration", Severity.WARNING)
    ]
    assert 'Did you mean "duration"?' in problems[0].message
    assert match_columns(["key", "prompt", "duration", "durations"])[1] == ()


def test_a_file_of_decisions_is_no_manifest() -> None:
    """It has keys and prompts, and would be paid for again."""
    _, problems = match_columns(["key", "entry", "number", "sha256", "verdict", "prompt"])
    assert [problem.code for problem in problems] == ["file_of_decisions"]
    assert "no manifest" in problems[0].message
