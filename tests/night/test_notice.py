"""The notice of a night, as somebody reads it who was asleep; and when it is sent."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.errors import ReelsheetError, StoreError, UsageError
from pipeline.manifest.invocation import Invocation
from pipeline.model import State
from pipeline.night.notice import Ended, Hindrance, compose, count_waiting, is_due
from pipeline.planner.heldback import Hold
from pipeline.planner.plan import CHANGED, NEW, REPEAT, Action, Step
from pipeline.runner.reports import RunReport
from pipeline.runner.waits import Waits, count_waits
from pipeline.writer.layout import Result
from tests.night.ended import AT_A_CAP, report

ANOTHER = "Take another picture."
ALONE = "For this row alone, add --only k3."


def ended(name: str, outcome: RunReport | ReelsheetError) -> Ended:
    return Ended(name, outcome, Invocation(Path(name)))


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
    assert is_due(on, code, submitted, waiting=3) is (due or on == "attention")


def test_a_manifest_that_could_not_be_worked_on_says_what_to_do() -> None:
    """With what ended the night early, when and where it was."""
    gone = UsageError("gone.csv does not exist.", action="Look for it.")
    notice = compose(
        2, [ended("gone.csv", gone)], "the key was refused", action="Set it.", at=["Tonight, here"]
    )
    assert notice.title == "Reelsheet: the night could do nothing"
    assert notice.text.splitlines() == [
        "Tonight, here",
        "Stopped: the key was refused",
        "  Set it.",
        "",
        "gone.csv: gone.csv does not exist.",
        "  Look for it.",
        "",
        "The exit code of the night is 2.",
    ]


def test_what_came_of_each_manifest_what_it_cost_and_what_went_wrong_most(tmp_path: Path) -> None:
    """Equal errors of several rows are told once, with what to do; so is what ended the run."""
    (tmp_path / "review.html").touch()
    shop = report(
        tmp_path,
        Result(2, State.DONE),
        Result(3, State.FAILED, error="'k1' is too dark", action="Take another picture."),
        Result(4, State.REFUSED, error="no such voice"),
        Result(5, State.FAILED, error="'k3' is too dark", action=f"{ANOTHER} {ALONE}"),
        money=2.5,
        notes=("one picture was made smaller", "2 rows with a warning; see result_warnings"),
        stops=(AT_A_CAP, AT_A_CAP),
    )
    shop = replace(
        shop,
        failed_file=tmp_path / "failed.csv",
        summary=replace(shop.summary, balance_after=1234.5),
    )
    other = replace(
        report(tmp_path / "other", Result(2, State.DONE)),
        failure=StoreError("results.csv cannot be written: the disk is full."),
        results_file=None,
    )
    notice = compose(4, [ended("shop.csv", shop), ended("other.csv", other)], "a cap is reached")
    assert notice.title == "Reelsheet: the night was stopped"
    assert notice.text.splitlines() == [
        "Stopped: a cap is reached",
        "  Raise the cap, or run again tomorrow.",
        "Ordered: 5 videos, for at least 2.50 USD.",
        "Brought home: 2 videos.",
        "Left on the account: 1,234.50.",
        "",
        "shop.csv: 1 done, 2 failed, 1 refused",
        "  one picture was made smaller",
        f"  results: {tmp_path / 'results.csv'}",
        f"  rows that need you: {tmp_path / 'failed.csv'}",
        f"  to judge the videos: {tmp_path / 'review.html'}",
        "",
        "other.csv: 1 done",
        "  results.csv cannot be written: the disk is full.",
        "",
        "What went wrong most:",
        "2 rows: a row is too dark",
        "  Take another picture.",
        "1 row: no such voice",
        "",
        "The exit code of the night is 4.",
    ]


def test_an_error_of_several_manifests_has_the_command_of_each(tmp_path: Path) -> None:
    each = [
        Result(
            2, State.FAILED, error="it broke", action=f"For all: reelsheet retry {name}. {ALONE}"
        )
        for name in ("a.csv", "b.csv")
    ]
    told = [ended(f"{n}.csv", report(tmp_path / n, one)) for n, one in zip("ab", each, strict=True)]
    lines = compose(1, told, None).text.splitlines()
    at = lines.index("2 rows: it broke")
    assert lines[at + 1 : at + 3] == [
        "  For all: reelsheet retry a.csv.",
        "  For all: reelsheet retry b.csv.",
    ]


def test_new_videos_that_nobody_has_judged_are_counted_with_where_to_judge_them(
    tmp_path: Path,
) -> None:
    """Not where none came; by themselves they make nobody be told."""
    shop = report(tmp_path, Result(2, State.DONE), waits=Waits(unjudged=2))
    command = 'reelsheet review "shoes 1.csv"'
    page = tmp_path / "review.html"

    def told(one: RunReport) -> list[str]:
        lines = compose(0, [ended("shoes 1.csv", one)], None).text.splitlines()
        return [line for line in lines if "verdict" in line or "judge" in line]

    assert told(shop) == [f"  2 new videos wait for your verdict: {command}"]
    page.touch()
    assert told(shop) == [f"  2 new videos wait for your verdict: {page}, or with: {command}"]
    assert told(replace(shop, waits=Waits())) == [f"  to judge the videos: {page}"]
    assert count_waiting([ended("a.csv", shop)]) == 0


def test_what_waits_for_a_person_comes_with_what_to_do(tmp_path: Path) -> None:
    """Each command works as it is pasted."""
    rows = [
        Result(2, State.INVALID),
        Result(3, State.EXPIRED),
        Result(4, State.IN_DOUBT),
        Result(5, State.MISSING),
        Result(6, State.RUNNING),
        Result(7, State.READY),
    ]
    waits = Waits(1, 2, 1, 2, 3, (("its sides are cut off", 2),))
    shop = replace(report(tmp_path, *rows, waits=waits), results_file=None)
    one = ended("Größe 1.csv", shop)
    notice = compose(3, [one], None)
    assert notice.title == "Reelsheet: 2 rows may be paid for and are in doubt"
    assert notice.text.splitlines()[2:-2] == [
        "Größe 1.csv: 1 expired, 1 in_doubt, 1 invalid, 1 missing, 1 ready, 1 running",
        '  1 row breaks a rule, so nothing was sent of it: reelsheet check "Größe 1.csv"',
        (
            "  2 rows may be paid for, and no answer says so. To look them up, free: "
            'reelsheet resolve "Größe 1.csv" --look-up'
        ),
        (
            "  2 videos are paid for and not home yet: the next night brings them, or now, free: "
            'reelsheet fetch "Größe 1.csv"'
        ),
        (
            "  1 row was paid for, and its video is not here and can no longer be downloaded. "
            'No night pays for a row again: reelsheet retry "Größe 1.csv" --states expired'
        ),
        (
            "  1 row waits, as its video was bought before for other rows: "
            "see result_action in the results"
        ),
        '  2 rows wait until you have judged the pilot: reelsheet review "Größe 1.csv"',
        (
            "  1 done row was edited and keeps its video, as night.redo does not name changed. "
            'For new takes: reelsheet run "Größe 1.csv" --redo changed'
        ),
        (
            "  2 done rows were rejected and keep their videos, as night.redo does not name "
            'rejected. For new takes: reelsheet run "Größe 1.csv" --redo rejected'
        ),
        "  3 rows were ordered in spite of a warning; see result_warnings in the results:",
        "    2 rows: its sides are cut off",
    ]
    assert count_waiting([one]) == 9
    assert compose(1, [one], None).title == "Reelsheet: 11 rows need you"


@pytest.mark.parametrize(
    ("code", "title"),
    [
        (0, "the night ended well"),
        (5, "not all is done; the next night goes on"),
        (70, "the night met an internal error"),
        (75, "another run had the manifests"),
        (143, "the night was interrupted"),
        (1, "something needs you"),
    ],
)
def test_the_title_says_what_came_of_it(code: int, title: str) -> None:
    assert compose(code, [], None).title == f"Reelsheet: {title}"


def test_rows_whose_attempts_are_used_up_are_counted(tmp_path: Path) -> None:
    """More than those that night.redo does not name; a command makes one more take of them."""
    waits = Waits(edited=1, used_up=2, attempts=3, redo="rejected")
    one = ended("a.csv", report(tmp_path, Result(2, State.DONE), waits=waits))
    notice = compose(1, [one], None)
    assert notice.title == "Reelsheet: 3 rows need you"
    assert (
        "  2 done rows keep their videos, as limits.attempts allows no new takes. For one more: "
        "reelsheet run a.csv --redo rejected --set limits.attempts=4"
    ) in notice.text.splitlines()


def test_a_disk_in_the_way_needs_somebody() -> None:
    """Unless more than that is at stake; and `failure` tells of every night that was hindered."""
    needs = "a disk is full, or a file cannot be used: this needs you"
    assert compose(5, [], None, hindrance=Hindrance.DISK).title == f"Reelsheet: {needs}"
    said = compose(4, [], None, hindrance=Hindrance.DISK).title
    assert said == "Reelsheet: the night was stopped"
    assert is_due("failure", 5, 0, well=False)
    assert is_due("failure", 1, 0, well=False)
    assert not is_due("failure", 5, 0, well=True)


def test_it_says_what_a_rehearsal_was_and_which_manifests_were_none(tmp_path: Path) -> None:
    rehearsed = report(tmp_path, Result(2, State.DONE))
    rehearsed = replace(rehearsed, summary=replace(rehearsed.summary, provider="rehearsal"))
    both = [ended("a.csv", rehearsed), ended("b.csv", UsageError("b.csv is empty."))]
    notice = compose(1, both, None)
    also = "1 manifest could not be worked on"
    assert notice.title == f"Reelsheet: something needs you; {also}"
    assert notice.text.startswith("It was a rehearsal: nothing was paid.")


def test_of_many_manifests_the_first_are_told(tmp_path: Path) -> None:
    """A message of a telephone is short."""
    many = [ended(f"{number}.csv", report(tmp_path, Result(2, State.DONE))) for number in range(23)]
    assert "and 3 more manifests" in compose(0, many, None).text.splitlines()


def test_what_is_left_is_counted_by_why() -> None:
    """Rows whose attempts are used up do not wait for night.redo; what is ordered may be warned."""
    steps = [
        Step("a", Action.LEAVE, CHANGED, "edited", edited=True),
        Step("b", Action.LEAVE, CHANGED, "3 attempts made", spent=3),
        Step("c", Action.LEAVE, "done", "done"),
        Step("d", Action.LEAVE, REPEAT, "bought before", hold=Hold.SETTING),
        Step("e", Action.LEAVE, NEW, "waits", hold=Hold.PILOT),
        Step("f", Action.SUBMIT, NEW, "never sent"),
        Step("g", Action.SUBMIT, NEW, "never sent"),
        Step("h", Action.LEAVE, CHANGED, "edited", edited=True),
    ]
    results = [Result(number, State.DONE, attempts=1) for number in range(2, 10)]
    results[5] = replace(results[5], warnings=("'f' is dark", "'f' is dark"))
    results[6] = replace(results[6], attempts=0, state=State.WAITING, warnings=("'g' is dark",))
    assert count_waits(steps, results, {"c", "h", "b"}) == Waits(
        repeats=1,
        pilot=1,
        edited=1,
        rejected=2,
        ordered_warned=1,
        warnings=(("a row is dark", 1),),
        used_up=1,
        attempts=3,
        redo="rejected",
    )
