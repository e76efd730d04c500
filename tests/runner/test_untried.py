"""Models of which nothing came home yet, and a team's own ones, whose rules nothing has checked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline import events as ev
from pipeline.account.reading import models_made
from pipeline.checker.rowmodels import say_unchecked
from pipeline.model import Entry, State
from pipeline.models.shelf import put_up, sheet_of
from pipeline.runner.untried import say_untried, untried_models
from tests.account.accounts import ACCOUNT, VIDEO, lane, opened
from tests.engine.night import attempt

TRIED, NEVER = "gemini_omni_flash", "viduq3-pro"


@pytest.fixture(autouse=True)
def _nothing_stays() -> Iterator[None]:
    yield
    put_up({})


def entry(model: str, state: State) -> Entry:
    return Entry("a", state, attempt("a", model=model))


def test_a_model_is_tried_until_a_video_of_it_came_home() -> None:
    """The default needs no trial; what failed is no video."""
    models = [TRIED, NEVER, "veo3.1-lite", NEVER]
    failed = [entry(NEVER, State.FAILED), entry(TRIED, State.DONE)]
    assert untried_models(models, failed, None) == [NEVER, "veo3.1-lite"]
    assert untried_models(models, [entry(NEVER, State.DONE)], None) == ["veo3.1-lite"]


def test_the_account_knows_what_other_runs_have_made(tmp_path: Path) -> None:
    """Also those of other manifests; what was only sent does not count."""
    path = tmp_path / "book.db"
    with opened(path) as book, lane(book, tmp_path / "shop") as shop:
        shop.intend("a", "b")
        assert models_made(path, ACCOUNT) == set()
        for event in (
            ev.Accepted("a", 1, "video_1"), ev.Completed("a", 1, 6.0), ev.Downloaded("a", 1, VIDEO),
        ):  # fmt: skip
            shop.tell([event])
        assert models_made(path, ACCOUNT) == {TRIED}
        assert models_made(path, "another") == set()
        account = path, ACCOUNT
        assert untried_models([NEVER], [], account) == [NEVER]
        # A sheet of the team's own for the default, which says nothing of having been run.
        sheet = sheet_of(TRIED)
        put_up({TRIED: sheet._replace(head=sheet.head._replace(verified=False))})
        assert untried_models([TRIED], [], account) == []
        assert untried_models([TRIED], [], None) == [TRIED]


def test_what_is_said() -> None:
    """Of each model on trial, and of those whose rules come from a sheet of the team's alone."""
    (line,) = say_untried([NEVER])
    assert line.startswith("The sheet of the model viduq3-pro was never run: one row goes first,")
    assert say_unchecked([TRIED, NEVER], rehearses=True) == ()
    put_up({"clip-2": sheet_of(NEVER)})
    (line,) = say_unchecked([TRIED, "clip-2"], rehearses=True)
    assert "The rules of clip-2 come from a sheet of yours alone: they were not checked" in line
    assert "The emulator believes what is sent." in line
    (line,) = say_unchecked(["clip-2"], rehearses=False)
    assert "emulator" not in line
