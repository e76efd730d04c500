"""What the list of the provider's models means for the model of the settings."""

from __future__ import annotations

import pytest

from pipeline.engine.rows import Reach
from pipeline.errors import ExitCode, Unauthorized, Unreachable
from pipeline.runner.modelcheck import look_at_models

OLDER, NEWER = "gemini_omni_flash", "gemini-omni-flash"


class Teller:
    def __init__(self, answer: tuple[str, ...] | Exception) -> None:
        self.answer = answer

    async def video_models(self) -> tuple[str, ...]:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.mark.parametrize(
    ("model", "answer", "warning"),
    [
        (OLDER, (OLDER,), None),
        (OLDER, ("veo3.1-fast", NEWER, OLDER), None),
        (NEWER, (NEWER,), None),
        ("veo3.1-fast", ("veo3.1-fast",), None),
        (OLDER, ("veo3.1-fast", NEWER), f"set api.model: {NEWER};"),
        (NEWER, (OLDER,), f"set api.model: {OLDER};"),
        ("Veo3.1_Fast", ("veo3.1-fast",), "set api.model: veo3.1-fast;"),
        (OLDER, ("veo3.1-fast", "viduq3-pro"), "it lists veo3.1-fast, viduq3-pro."),
        (OLDER, tuple(f"m{number}" for number in range(10)), "m7 and 2 more."),
        (NEWER, (), "it lists none."),
        ("another", (), "it lists none."),
        (OLDER, Unreachable("HTTP 404"), "is not known: HTTP 404"),
        ("another", Unauthorized("HTTP 401"), "is not known: HTTP 401"),
    ],
)
async def test_one_word_at_most_and_no_stop(
    model: str, answer: tuple[str, ...] | Exception, warning: str | None
) -> None:
    """Our own model goes out whatever the list says; so does any where there is no list."""
    told: list[str] = []
    assert await look_at_models(Teller(answer), model, told.append) is None
    assert len(told) == (warning is not None)
    assert warning is None or warning in told[0]
    assert warning is None or "api.model" in told[0]


async def test_a_name_that_nobody_knows_is_not_sent() -> None:
    """Neither the list nor we: near names are offered, and the row's money is kept."""
    told: list[str] = []
    listed = ("gemini-omni-flash", "veo3.1-fast")
    stop = await look_at_models(Teller(listed), "gemini_omni_flsh", told.append)
    assert stop is not None
    assert (stop.exit_code, stop.reach) == (ExitCode.USAGE, Reach.SUBMITTING)
    assert "did you mean gemini-omni-flash" in stop.reason
    assert "gemini-omni-flash, veo3.1-fast" in (stop.action or "")
    assert told == []
