"""The notice of a night, as somebody reads it who was asleep; and when it is sent."""

from __future__ import annotations

import pytest

from pipeline.errors import UsageError
from pipeline.night.notice import compose, is_due


@pytest.mark.parametrize(
    ("on", "code", "submitted", "due"),
    [
        ("always", 0, 0, True),
        ("attention", 0, 9, False),
        ("attention", 1, 0, True),
        ("attention", 5, 0, True),
        ("failure", 1, 0, False),
        ("failure", 5, 0, False),
        ("failure", 4, 0, True),
        ("failure", 143, 0, True),
        ("money", 4, 0, False),
        ("money", 0, 1, True),
    ],
)
def test_nothing_to_say_nothing_sent(on: str, code: int, submitted: int, *, due: bool) -> None:
    assert is_due(on, code, submitted) is due


def test_a_manifest_that_could_not_be_worked_on_says_what_to_do() -> None:
    """With what ended the night early."""
    gone = UsageError("gone.csv does not exist.", action="Look for it.")
    text = compose(2, [("gone.csv", gone)], "the key was refused")
    assert text.splitlines() == [
        "Reelsheet: the night ended with 2.",
        "Stopped: the key was refused",
        "gone.csv: gone.csv does not exist.",
        "  Look for it.",
    ]
