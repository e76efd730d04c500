"""What is known of how tasks go, by their kind, and what this run adds to it for the next one.

Of tonight's tasks everything counts that the rules of `learned` and `bars` keep; what was known
before gives way to it. For the next run only as much is handed on as fits into a line of the
account's book.

Tested in tests/engine/test_experience.py.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from pipeline.engine.bars import PARTS, Bar, Ratios, ratios_of
from pipeline.engine.learned import Durations, mix, thin
from pipeline.engine.rows import Kind, Watch

_ENOUGH = 30
"""The durations of a kind are used once this many of its tasks have ended."""
_DURATIONS, _RATIOS = 200, 16
"""So many durations, and ratios for each part of a bar, are handed on to the next run."""
_LATEST = 2000
"""The durations handed on are spread as those of so many latest tasks: the last to end in a run
are its longest, and would pass for all.
"""

_NONE: Ratios = ((),) * PARTS


@dataclass(frozen=True, slots=True)
class Known:
    """How tasks of one kind went: some durations, their bars' ratios; see `Bar` for `heeded`.

    The durations are spread as those of so many `tasks`.
    """

    kind: Kind
    durations_s: tuple[float, ...] = ()
    tasks: int = 0
    by_pace: Ratios = _NONE
    by_speed: Ratios = _NONE
    heeded: float = 0.0

    def with_news(self, news: Known) -> Known:
        """Return this with what came later; of what it is too much of, the later is kept."""
        before = max(0, min(self.tasks, _LATEST - news.tasks))
        tasks = before + news.tasks
        share = min(1.0, _DURATIONS / max(1, tasks))
        ours = thin(self.durations_s, int(before * share))
        return Known(
            self.kind,
            (*ours, *thin(news.durations_s, _DURATIONS - len(ours))),
            tasks,
            _mixed(self.by_pace, news.by_pace),
            _mixed(self.by_speed, news.by_speed),
            news.heeded,
        )


class _News:
    """What was learned of one kind since it was asked for last."""

    def __init__(self) -> None:
        self.durations_s: deque[float] = deque(maxlen=_LATEST)
        self.ratios: defaultdict[tuple[bool, int], deque[float]] = defaultdict(
            partial(deque, maxlen=_RATIOS)
        )

    def as_known(self, kind: Kind, heeded: float) -> Known:
        """Return it as it is handed on."""
        by_pace, by_speed = (
            tuple(tuple(self.ratios.get((speed, part), ())) for part in range(PARTS))
            for speed in (False, True)
        )
        durations_s = thin(self.durations_s, _DURATIONS)
        return Known(kind, durations_s, len(self.durations_s), by_pace, by_speed, heeded)


class Experience:
    """Durations and bars of each kind, and of all kinds of a model together."""

    def __init__(self) -> None:
        self._of: dict[Kind, tuple[Durations, Bar]] = {}
        self._news: defaultdict[Kind, _News] = defaultdict(_News)

    def know(self, before: Iterable[Known]) -> None:
        """Take in what earlier runs have learned."""
        for known in before:
            for kind in (known.kind, _any(known.kind)):
                durations, bar = self._enter(kind)
                durations.know(known.durations_s)
                bar.know(known.by_pace, known.by_speed, known.heeded)

    def note_running(self, watch: Watch) -> None:
        """Take in that a task was seen unfinished."""
        for kind in (watch.kind, _any(watch.kind)):
            self._enter(kind)[0].running.add(watch)

    def learn(self, watch: Watch, duration_s: float, *, heeded: bool) -> None:
        """Take in a task that ended: how long it took, and whether its bar was heeded."""
        for kind in (watch.kind, _any(watch.kind)):
            durations, bar = self._enter(kind)
            durations.running.discard(watch)
            durations.learn(duration_s)
            bar.learn(watch.sightings, duration_s, heeded=heeded)
        news = self._news[watch.kind]
        news.durations_s.append(duration_s)
        for by_speed, part, ratio in ratios_of(watch.sightings, duration_s):
            news.ratios[by_speed, part].append(ratio)

    def note_bet(self, kind: Kind, *, won: bool) -> None:
        """Take note whether a task had ended when its bar said so."""
        for one in (kind, _any(kind)):
            self._enter(one)[1].note_bet(won=won)

    def find(self, kind: Kind) -> tuple[Durations, Bar] | None:
        """Return what enough tasks of this kind, or of all kinds of its model, have taught."""
        for one in (kind, _any(kind)):
            learned = self._of.get(one)
            if learned is not None and len(learned[0]) >= _ENOUGH:
                return learned
        return None

    @property
    def longest_s(self) -> float | None:
        """The longest duration of any kind; None if nothing is known."""
        known = [durations.longest_s for durations, _ in self._of.values() if len(durations)]
        return max(known, default=None)

    def take_news(self) -> list[Known]:
        """Return what was learned since this was called last, for the next run."""
        news = [one.as_known(kind, self._of[kind][1].heeded) for kind, one in self._news.items()]
        self._news.clear()
        return news

    def _enter(self, kind: Kind) -> tuple[Durations, Bar]:
        if kind not in self._of:
            self._of[kind] = Durations(), Bar()
        return self._of[kind]


def _any(kind: Kind) -> Kind:
    """Return what stands for all kinds of tasks of a model."""
    return (kind[0], 0, "", 0)


def _mixed(before: Ratios, news: Ratios) -> Ratios:
    return tuple(mix(*both, _RATIOS) for both in zip(before, news, strict=True))
