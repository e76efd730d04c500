"""All tasks in memory: found by either name, counted while unfinished, paid and refunded."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator

from pipeline.emulator.tasks import FAILED, Stage, Task

_RECHECK_S = 0.05


class TaskBook:
    """The accepted tasks and the sums over them, each kept in O(log n) per task."""

    def __init__(self, balance_usd: float, stage_of: Callable[[Task], Stage]) -> None:
        """Begin empty; ``stage_of`` tells where a task stands now."""
        self._balance_usd = balance_usd
        self._stage_of = stage_of
        self._tasks: dict[str, Task] = {}
        self._by_reference: dict[str, Task] = {}
        self._ends: list[tuple[float, int, Task]] = []
        self._spent_usd = 0.0
        self.peak_outstanding = 0

    def __len__(self) -> int:
        """Count accepted tasks."""
        return len(self._tasks)

    def __iter__(self) -> Iterator[Task]:
        """Go through the tasks in the order of acceptance."""
        return iter(self._tasks.values())

    def add(self, task: Task) -> None:
        """Take in an accepted task."""
        self._tasks[task.task_id] = task
        if task.order.client_business_id:
            self._by_reference[task.order.client_business_id] = task
        self._spent_usd += task.cost_usd
        heapq.heappush(self._ends, (task.due_at, task.number, task))

    def by_id(self, task_id: str) -> Task | None:
        """Return the task with this id."""
        return self._tasks.get(task_id)

    def by_reference(self, reference: str) -> Task | None:
        """Return the newest task with this ``client_business_id``."""
        return self._by_reference.get(reference)

    def outstanding(self, now: float) -> int:
        """Count tasks that have not ended at ``now`` (Unix seconds)."""
        waiting = []
        while self._ends and self._ends[0][0] <= now:
            _, number, task = heapq.heappop(self._ends)
            stage = self._stage_of(task)
            if not stage.finished:
                waiting.append((number, task))
            elif stage.status == FAILED:
                self._spent_usd -= task.cost_usd
        # The more wait for their videos, the more seldom they are all looked at.
        pause_s = _RECHECK_S * max(1.0, len(waiting) / 100)
        for number, task in waiting:
            heapq.heappush(self._ends, (now + pause_s, number, task))
        return len(self._ends)

    def note_peak(self, now: float) -> None:
        """Take the present count into the peak."""
        self.peak_outstanding = max(self.peak_outstanding, self.outstanding(now))

    def money(self, now: float) -> tuple[float, float]:
        """Return what remains and what is used, in USD, failed tasks refunded."""
        self.outstanding(now)
        return self._balance_usd - self._spent_usd, self._spent_usd
