"""The notice of a night: what came of it, what waits for a person, and what to do.

Tested in tests/night/test_notice.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pipeline.errors import ExitCode, ReelsheetError
from pipeline.manifest.wording import count
from pipeline.runner.reports import RunReport

_COMMONEST = 5
_MOST_NOTES = 20
_WELL = {ExitCode.DONE, ExitCode.NEEDS_USER, ExitCode.UNFINISHED}
"""How a night ends that needs nobody at once: what is unfinished comes with the next one."""


def ended_well(code: int) -> bool:
    """Return whether a night with this exit code needs nobody at once."""
    return code in _WELL


def is_due(on: str, code: int, submitted: int) -> bool:
    """Return whether anybody is to be told of a night.

    Args:
        on: The setting notify.on.
        code: Its exit code.
        submitted: What it ordered.

    """
    if on == "always":
        return True
    if on == "money":
        return submitted > 0
    return not ended_well(code) if on == "failure" else code != ExitCode.DONE


def compose(
    code: int, outcomes: Sequence[tuple[str, RunReport | ReelsheetError]], why: str | None
) -> str:
    """Return the message: manifests, money, the commonest errors, what waits, and where it is.

    Args:
        code: The exit code of the night.
        outcomes: How each manifest ended, by its name.
        why: What ended the night early; None if nothing did.

    """
    reports = [(name, one) for name, one in outcomes if isinstance(one, RunReport)]
    lines = [f"Reelsheet: the night ended with {code}."]
    if why:
        lines.append(f"Stopped: {why}")
    for name, outcome in outcomes:
        lines += _of_manifest(name, outcome)
    lines += _of_money([one for _, one in reports])
    lines += _commonest([one for _, one in reports])
    return "\n".join(lines)


def _of_manifest(name: str, outcome: RunReport | ReelsheetError) -> list[str]:
    if isinstance(outcome, ReelsheetError):
        return [f"{name}: {outcome.message}", *([f"  {outcome.action}"] if outcome.action else [])]
    states = ", ".join(f"{number:,} {state}" for state, number in sorted(outcome.states.items()))
    lines = [f"{name}: {states or 'no rows'}"]
    lines += [f"  {note}" for note in outcome.notes[:_MOST_NOTES]]
    if outcome.failure is not None:
        lines.append(f"  {outcome.failure.message}")
    if outcome.results_file is not None:
        lines.append(f"  results: {outcome.results_file}")
    page = outcome.folder / "review.html"
    if page.is_file():
        lines.append(f"  to judge the videos: {page}")
    lines += [f"  {one}" for one in dict.fromkeys(stop.action for stop in outcome.stops) if one]
    return lines


def _of_money(reports: Sequence[RunReport]) -> list[str]:
    submitted = sum(one.submitted for one in reports)
    money = [one.spend.money for one in reports if one.spend.money is not None]
    spent = f", for {sum(money):,.2f} {reports[0].spend.currency}" if money else ""
    return [f"Ordered: {count(submitted, 'video')}{spent}."] if reports else []


def _commonest(reports: Sequence[RunReport]) -> list[str]:
    """Return the commonest errors in plain words, each with what to do about it."""
    seen: Counter[str] = Counter()
    actions: dict[str, str] = {}
    for report in reports:
        for row in report.results:
            if row.error:
                said = row.error.replace(repr(row.key), "a row")
                seen[said] += 1
                actions.setdefault(said, row.action or "")
    lines = []
    for said, number in seen.most_common(_COMMONEST):
        lines.append(f"{count(number, 'row')}: {said}")
        if actions[said]:
            lines.append(f"  {actions[said]}")
    return lines
