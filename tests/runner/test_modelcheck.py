"""What the list of the provider's models means for the model of the settings."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from pipeline.config.ownsheets import put_up_own_sheets
from pipeline.engine.rows import Reach
from pipeline.errors import ExitCode, Unauthorized, Unreachable
from pipeline.models.copying import write_sheet_like
from pipeline.models.shelf import put_up, sheet_of
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
    assert await look_at_models(Teller(answer), [model], told.append, setting=model) is None
    assert len(told) == (warning is not None)
    assert warning is None or warning in told[0]
    assert warning is None or "api.model" in told[0]


async def test_a_name_that_nobody_knows_is_not_sent() -> None:
    """Neither the list nor we: near names are offered, and the row's money is kept."""
    told: list[str] = []
    listed = ("gemini-omni-flash", "veo3.1-fast")
    stop = await look_at_models(
        Teller(listed), ["gemini_omni_flsh"], told.append, setting="gemini_omni_flsh"
    )
    assert stop is not None
    assert (stop.exit_code, stop.reach) == (ExitCode.USAGE, Reach.SUBMITTING)
    assert "did you mean gemini-omni-flash" in stop.reason
    assert "gemini-omni-flash, veo3.1-fast" in (stop.action or "")
    assert told == []


async def test_each_model_of_the_rows_is_looked_for() -> None:
    """A shipped sheet is no leave to use its model; rows are told apart from the setting."""
    told: list[str] = []
    models = [OLDER, "veo3.1-lite", "grok-video-1.5", "viduq3-pro"]
    listed = (NEWER, "veo3.1-lite", "grok-video-2")
    stop = await look_at_models(Teller(listed), models, told.append, setting=OLDER)
    assert stop is not None
    assert stop.exit_code is ExitCode.USAGE
    assert stop.reason == (
        "video_model: the key may use no model called grok-video-1.5 or viduq3-pro; did you mean "
        "grok-video-2?"
    )
    assert (stop.action or "").startswith("Write into the column video_model a name that")
    assert len(told) == 1
    assert f"set api.model: {NEWER};" in told[0]


async def test_a_list_that_does_not_come_is_one_warning() -> None:
    """For all models together."""
    told: list[str] = []
    models = [OLDER, "veo3.1-lite"]
    teller = Teller(Unreachable("HTTP 500"))
    assert await look_at_models(teller, models, told.append, setting=OLDER) is None
    both = "gemini_omni_flash (api.model) and veo3.1-lite (video_model)"
    assert told == [f"Whether the key may use the models {both} is not known: HTTP 500"]


async def test_an_alias_in_a_sheet_of_ones_own(tmp_path: Path) -> None:
    """Its names are known as those of the program's sheets are."""
    (tmp_path / "models").mkdir()
    text = write_sheet_like(
        sheet_of("veo3.1-lite"), "veo3.1-lite", "clip-2", today=date(2026, 11, 22), replaces=False
    )
    text = text.replace("source =", 'aliases = ["clip_two"]\nsource =', 1)
    (tmp_path / "models" / "clip-2.toml").write_text(text, "utf-8")
    told: list[str] = []
    put_up_own_sheets(tmp_path)
    try:
        for listed in (("clip_two",), ("other",)):
            look = look_at_models(Teller(listed), ["clip-2"], told.append, setting=OLDER)
            stop = await look
            assert (stop is None) is (listed == ("clip_two",))
    finally:
        put_up({})
    assert "lists the model for this key as clip_two, not as clip-2 (video_model)" in told[0]
    assert len(told) == 1
