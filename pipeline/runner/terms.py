"""The terms of work that nobody watches: between which times, and what is left alone.

Tested in tests/runner/test_turns.py.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pipeline.engine.rows import Stop
from pipeline.errors import ExitCode
from pipeline.manifest.wording import count
from pipeline.planner.heldback import Hold
from pipeline.planner.plan import NEW, Action, Plan
from pipeline.writer.advice import LOOK_AT_MANIFEST


@dataclass(frozen=True, slots=True)
class Terms:
    """When an order may be carried out, and what a night does by itself; times in Unix seconds.

    `opens_at` is None where the window is not near: then nothing is ordered, and `ends` says so.
    `closes_at` is None without an end; `ends` says what it is. `is_night` says that failed rows are
    tried again and that results are written meanwhile. Caps per night count from `night_since`;
    None: from the first start. `share` and `priority` are those of the manifest beside others.
    Nothing is ordered from a manifest with fewer than `min_rows` rows or more than `max_new` new
    ones: it is `held`.
    """

    opens_at: float | None = 0.0
    closes_at: float | None = None
    ends: str = ""
    is_night: bool = False
    night_since: float | None = None
    share: float = 1.0
    priority: int = 0
    min_rows: int = 0
    max_new: int | None = None
    held: bool = False

    @property
    def tries_again(self) -> bool:
        """Whether rows that fail are tried again."""
        return self.is_night and not self.held and self.opens_at is not None

    def is_early(self, now: float) -> bool:
        """Return whether the window is yet to open, for which the work waits."""
        return self.opens_at is not None and self.opens_at > now

    def until_opening(self) -> Terms:
        """Return the terms of what is done before the window opens: nothing is ordered."""
        ends = "the window of the night opens"
        return replace(self, opens_at=None, closes_at=self.opens_at, ends=ends)

    def within(
        self, opens_at: float | None, closes_at: float | None, ends: str, *, since: float | None
    ) -> Terms:
        """Return the same terms between two times.

        Args:
            opens_at: From when something may be ordered.
            closes_at: When it must be home.
            ends: What ends then.
            since: From when caps per night count.

        """
        return replace(self, opens_at=opens_at, closes_at=closes_at, ends=ends, night_since=since)

    def hold(self, plan: Plan, rows: int) -> tuple[Plan, Stop | None]:
        """Return a plan without what these terms forbid to order, and why, if that is anything.

        Args:
            plan: The plan.
            rows: How many rows the manifest has.

        """
        submits = plan.of(Action.SUBMIT)
        if not submits:
            return plan, None
        if self.opens_at is None:
            reason = f"nothing is ordered now: {self.ends}"
            held = plan.without({step.key for step in submits}, self.ends)
            return held, Stop(ExitCode.UNFINISHED, reason, action="Run again within the window.")
        # A pilot is no way into a broken export: what waits for it is new, too.
        waiting = [step for step in plan.of(Action.LEAVE) if step.hold is Hold.PILOT]
        new = sum(step.group == NEW for step in (*submits, *waiting))
        broken = self._why_broken(rows, new)
        if broken is None:
            return plan, None
        steps = (
            step._replace(action=Action.LEAVE, reason=broken, counts=False, hold=Hold.BROKEN)
            if step.action is Action.SUBMIT
            else step
            for step in plan.steps
        )
        held = replace(plan, steps=tuple(steps))
        code = ExitCode.NEEDS_USER if held.of(Action.TAKE_UP) else ExitCode.USAGE
        reason = f"nothing was ordered: {broken}"
        return held, Stop(code, reason, action=LOOK_AT_MANIFEST.action)

    def has_too_few(self, rows: int) -> bool:
        """Return whether a manifest of so many rows looks like a broken export."""
        return rows < self.min_rows

    def _why_broken(self, rows: int, new: int) -> str | None:
        """Return why the manifest looks like a broken export; None if it does not."""
        if self.has_too_few(rows):
            return f"the manifest has {count(rows, 'row')}, and night.min_rows is {self.min_rows}"
        if self.max_new is not None and new > self.max_new:
            return f"{count(new, 'row')} would be new, and night.max_new is {self.max_new}"
        return None


AT_ANY_TIME = Terms()
"""Those of a run that a person starts."""
