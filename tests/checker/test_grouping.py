"""Many problems are few mistakes: each kind is shown once, and none is lost."""

from __future__ import annotations

from pipeline.checker.grouping import MOST_SINGLY, group_problems, shown_groups
from pipeline.model import Problem, Severity

MISSING = "56 pictures are missing; all of them lie in photos/: set manifest.image_root: photos"


def empty(row: int) -> Problem:
    """A prompt that is empty."""
    message = "The prompt is empty."
    return Problem("prompt_empty", message, row=row, cell=f"B{row}", column="prompt")


def test_a_kind_is_one_line_with_its_number_and_its_first_cells() -> None:
    """How many, which column, the first five cells, and the sentence that all of them share."""
    problems = [empty(row) for row in range(2, 42)]
    (group,) = shown_groups(problems)
    assert group.summary == (
        "40 problems, cells B2, B3, B4, B5, B6 …, column prompt: The prompt is empty."
    )
    assert group.problems == tuple(problems)


def test_a_text_file_has_rows_in_place_of_cells() -> None:
    """And where the sentences differ, that of the first stands for them."""
    problems = [
        Problem("duration_not_allowed", f'"{row}" is not possible.', row=row, column="duration")
        for row in range(2, 32)
    ]
    (group,) = shown_groups(problems)
    assert group.summary == (
        "30 problems, rows 2, 3, 4, 5, 6 and 25 more, column duration, for example: "
        '"2" is not possible.'
    )


def test_problems_of_one_cause_are_one_sentence() -> None:
    """Even where there are few of them, and in whatever columns they are."""
    problems = [
        Problem("picture_missing", f"{row} is missing", row=row, column=column, together=MISSING)
        for row, column in ((2, "image_1"), (2, "image_2"), (3, "image_1"))
    ]
    (group,) = shown_groups([*problems, empty(3)])
    assert group.summary == f"rows 2 and 3: {MISSING}"


def test_few_problems_stand_alone() -> None:
    """As many as a person reads: each in its own line, and a pair among many, too."""
    assert shown_groups([empty(row) for row in range(2, 2 + MOST_SINGLY)]) == ()
    pair = [Problem("odd", "It is odd.", row=row, column="image_1") for row in (2, 3)]
    shown = shown_groups([*pair, *(empty(row) for row in range(2, 30))])
    assert [group.first.code for group in shown] == ["prompt_empty"]


def test_errors_come_before_warnings_and_the_largest_group_first() -> None:
    """The whole file stands before all, each of its problems by itself."""
    small = [Problem("a", "A", row=row) for row in range(2, 5)]
    large = [Problem("b", "B", row=row) for row in range(2, 9)]
    warnings = [Problem("c", "C", Severity.WARNING, row=row) for row in range(2, 40)]
    whole = [Problem("w", "W"), Problem("w", "W")]
    groups = group_problems([*small, *warnings, *large, *whole])
    assert [group.first.code for group in groups] == ["w", "w", "b", "a", "c"]
    assert sum(len(group.problems) for group in groups) == 50
