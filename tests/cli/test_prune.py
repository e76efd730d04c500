"""`reelsheet prune`: what it says of its options."""

from __future__ import annotations

import pytest

from pipeline.cli.options import read_duration_s
from pipeline.errors import UsageError


@pytest.mark.parametrize("text", ["3", "3x", "-1d", "", "1e3d", "nan"])
def test_a_time_that_is_none_is_told_how_to_write_it(text: str) -> None:
    """Of a number alone its unit is missing, and the action says what would be pasted for days."""
    with pytest.raises(UsageError) as raised:
        read_duration_s("--older-than", text)
    assert f"--older-than {text}: write a time as 90s, 15m, 24h or 2d." in raised.value.message
    action = "For 3 days: --older-than 3d" if text == "3" else None
    assert raised.value.action == action
