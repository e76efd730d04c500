"""New prompts of rejected takes are part of their rows, until the manifest's text is changed."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.checker.check import CheckedManifest
from pipeline.checker.rules import make_request
from pipeline.journal.reading import read_all
from pipeline.model import Decision, Entry, Request
from pipeline.planner.plan import Action
from pipeline.planner.planner import plan_manifest
from pipeline.planner.selection import Selection
from pipeline.review.cards import hash_of
from pipeline.review.newprompts import Judged, takes_of, with_decisions
from tests.review.shop import Shop, make_shop

OLD, NEW = "A MUG.", "A red mug."


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    made = make_shop(tmp_path, folder="out")
    made.make("MUG")
    return made


def rejected(number: int = 1, prompt: str = NEW, **more: object) -> Decision:
    """A take that was rejected, with a new prompt for the text of the manifest."""
    made = Decision("MUG", number, "", "reject", "", "", prompt, hash_of(OLD), seq=number)
    return replace(made, **more)  # type: ignore[arg-type]


def attempts_of(shop: Shop, *prompts: str) -> list[Entry]:
    """The attempts in the journal, as if they had been made of these prompts."""
    _, found = read_all(shop.folder.journal)
    return [
        made_of(one, replace(one.attempt.request, prompt=text))
        for one, text in zip(found, prompts, strict=True)
    ]


def made_of(entry: Entry, request: Request) -> Entry:
    return replace(entry, attempt=replace(entry.attempt, request=request))


def judged(shop: Shop, attempts: Sequence[Entry], *said: Decision) -> CheckedManifest:
    """The manifest with what was decided."""
    entries = {one.key: one for one in attempts}
    return with_decisions(shop.check(), Judged(entries, takes_of(attempts), said))


def prompt_of(checked: CheckedManifest) -> str:
    return checked.requests[checked.manifest.rows[0].number].prompt


def test_a_rejected_take_gives_its_row_the_new_prompt(shop: Shop) -> None:
    """Only a rejected one, and only from the text that it was given for."""
    attempts = attempts_of(shop, OLD)
    found = judged(shop, attempts, rejected())
    assert prompt_of(found) == NEW
    assert found.sheet_prompt(2) == OLD
    assert found.rejected == found.wanted == frozenset({"MUG"})
    assert prompt_of(judged(shop, attempts, rejected(verdict="approve"))) == OLD
    assert prompt_of(judged(shop, attempts, rejected(), rejected(verdict="", seq=9))) == OLD
    assert prompt_of(judged(shop, attempts, rejected(prompt=""))) == OLD


def test_the_row_does_not_count_as_edited_afterwards(shop: Shop) -> None:
    """Whatever is decided about either take; so --redo changed never pays for the old text."""
    shop.make("MUG", 2)
    attempts = attempts_of(shop, OLD, NEW)
    first = rejected()
    for later in (
        (),
        (replace(first, number=2, verdict="approve", prompt="", seq=8),),
        (replace(first, number=2, prompt="", seq=8),),
        (replace(first, verdict="approve", prompt="", seq=9),),
        (replace(first, verdict="", prompt="", seq=9),),
    ):
        assert prompt_of(judged(shop, attempts, first, *later)) == NEW
    third = replace(first, number=2, prompt="A blue mug.", seq=8)
    assert prompt_of(judged(shop, attempts, first, third)) == "A blue mug."


@pytest.mark.parametrize("used", [False, True])
def test_a_changed_manifest_wins_and_it_is_said(shop: Shop, used: bool) -> None:
    """Before the new take was made and after it."""
    if used:
        shop.make("MUG", 2)
    text = shop.manifest.read_text(encoding="utf-8")
    shop.manifest.write_text(text.replace(OLD, "A tall mug."), encoding="utf-8")
    found = judged(shop, attempts_of(shop, OLD, *([NEW] if used else [])), rejected())
    assert prompt_of(found) == "A tall mug."
    (problem,) = found.problems_of(2)
    assert problem.message.startswith("The new prompt that was given for take 1 is not used: ")
    shop.manifest.write_text(text.replace(OLD, NEW), encoding="utf-8")
    same = judged(shop, attempts_of(shop, OLD, *([NEW] if used else [])), rejected())
    assert (prompt_of(same), same.problems) == (NEW, ())


def test_line_breaks_and_accents_edit_nothing() -> None:
    """A spreadsheet program writes them in its own way."""
    assert hash_of("Caf\u00e9\r\nbar") == hash_of("Cafe\u0301\nbar")


def test_a_prompt_that_nobody_means_is_not_paid_for(shop: Shop) -> None:
    """It is said, and the row is not made again of the old one either."""
    found = judged(shop, attempts_of(shop, OLD), rejected(prompt="A mug in {{ colour }}."))
    assert prompt_of(found) == OLD
    assert found.wanted == frozenset()
    assert "does not count" in found.problems_of(2)[0].message


def test_a_row_under_a_new_key_keeps_the_new_prompt(shop: Shop) -> None:
    """So it is known as renamed, and nothing is bought again; a row with another picture is not."""
    shop.make("MUG", 2)
    found = shop.check()
    draft = found.drafts[2]._replace(prompt=NEW)
    attempts = attempts_of(shop, OLD, NEW)
    attempts[1] = made_of(attempts[1], make_request(draft, (), found.model))
    text = shop.manifest.read_text(encoding="utf-8")
    shop.manifest.write_text(text.replace("\nMUG,", "\nCUP,"), encoding="utf-8")
    assert prompt_of(judged(shop, attempts, rejected())) == NEW
    attempts[1] = made_of(attempts[1], make_request(draft, ("https://a/b.jpg",), found.model))
    assert prompt_of(judged(shop, attempts, rejected())) == OLD


def test_the_file_of_a_rejected_take_is_not_fetched_again(shop: Shop) -> None:
    """Nor is its row lost: it stays done until another take is asked for."""
    found = judged(shop, attempts_of(shop, OLD), rejected(prompt=""))
    entries = {one.key: one for one in attempts_of(shop, OLD)}
    with contextlib.suppress(FileNotFoundError):
        (shop.folder.videos / "MUG.mp4").unlink()
    entries["MUG"] = made_of(entries["MUG"], found.requests[2])
    step = plan_manifest(found, entries, shop.folder, Selection(), wall=1764230402.0).steps[0]
    assert (step.action, step.group) == (Action.LEAVE, "done")
    redo = Selection(redo_rejected=True).for_rejected(found.wanted)
    step = plan_manifest(found, entries, shop.folder, redo, wall=1764230402.0).steps[0]
    assert step.action is Action.SUBMIT
