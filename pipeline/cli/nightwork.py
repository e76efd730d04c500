"""A night at work: what is done before its window opens, and in it; and who is told how it ended.

A night may be started before its window. Then it brings home what is paid for, waits, and begins
with the manifests as they are by then: an export that came meanwhile counts.

Tested in tests/runner/test_early_nights.py and tests/system/test_nights.py.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

from pipeline.cli.ending import say_several_ends
from pipeline.cli.problemlist import check_to_begin
from pipeline.cli.run import carry_out, part
from pipeline.cli.screen import say
from pipeline.cli.several import Targets
from pipeline.config.settings import Config
from pipeline.errors import ExitCode, ReelsheetError
from pipeline.manifest.invocation import Invocation
from pipeline.night.notice import Ended, compose
from pipeline.night.outside import Recording
from pipeline.night.record import NightRecord
from pipeline.night.switch import listening
from pipeline.night.telling import Telling, tell_end
from pipeline.planner.selection import Mode, Selection
from pipeline.runner.offer import Offer, goes_on_unasked
from pipeline.runner.order import NIGHT, Order, place_orders, select
from pipeline.runner.reports import RunReport, with_before
from pipeline.runner.signals import Brake, heed_signals
from pipeline.runner.target import Refused
from pipeline.runner.terms import Terms
from pipeline.runner.watching import RunProgress


class Sharing(Protocol):
    """The manifests of a night, by what each of them gets of it."""

    def share_of(self, order: Order, terms: Terms) -> Order:
        """Return an order with the terms of the night, its share and its priority."""


Found: TypeAlias = tuple[Sharing, Targets]
_Outcomes: TypeAlias = list[tuple[Order, RunReport | ReelsheetError]]
_Worked: TypeAlias = tuple[_Outcomes, list[Refused]]

_LOOK_EVERY_S = 0.5
"""So often a waiting night looks at the clock, and whether it is told to end."""


@dataclass(frozen=True)
class Night:
    """A night that is alone in its folder of outputs.

    `select` makes a selection of rows as the options ask for it, by a manifest and what is asked.
    """

    record: NightRecord
    terms: Terms
    select: Callable[..., Selection]
    outputs: Path
    yes: bool
    quiet: bool
    wall: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep

    def work(self, find: Callable[[], Found], places: Sharing, targets: Targets) -> int:
        """Work through the manifests; return the exit code.

        Args:
            find: Finds the manifests again, as they are when the window opens.
            places: The manifests.
            targets: The same with their output folders.

        """
        config = targets.first.config
        with _telling(config, self.record, self.outputs) as told:
            worked, before = None, dict[Path, RunReport]()
            if self.terms.is_early(self.wall()):
                brake = Brake(say)
                paid = select(targets.first, Mode.FETCH)
                early = self._work(places, targets, self.terms.until_opening(), paid, brake)
                if brake.presses:
                    worked = early
                else:
                    told.extend(_all(*early))
                    before = _reports(early[0])
                    self.record.note([*before.items()], through=False)
                    self._await_opening(config, brake)
                    self.record.take_over(before)
                    places, targets = find()
                    told.clear()  # not before: an error here is told with what came home
            if worked is None:
                chosen = self.select(targets.first, retry="failed")
                worked = self._work(places, targets, self.terms, chosen)
            ended, refused = worked
            ended = [(order, _added(order, one, before)) for order, one in ended]
            codes = [one.error.exit_code for one in refused]
            code = say_several_ends(ended, codes, quiet=self.quiet)
            self.record.end(code, [(order.checked.manifest.path, one) for order, one in ended])
            told.extend(_all(ended, refused))
            if self.quiet and code is not ExitCode.DONE:  # cron mails what is printed, not codes
                notice = compose(code, told, None, hindrance=self.record.hindrance)
                say(f"{notice.title} ({code:d}); {self.record.path} says more")
        return code

    def _work(
        self,
        places: Sharing,
        targets: Targets,
        terms: Terms,
        selection: Selection,
        brake: Brake | None = None,
    ) -> _Worked:
        """Work through the manifests as they are, within some terms."""
        config = targets.first.config
        self.record.begin([one.manifest for one in targets.all])
        placing = place_orders(
            targets.all,
            selection,
            command=NIGHT,
            consent=lambda offer: _consent(offer, config, yes=self.yes, quiet=self.quiet),
            trust=lambda _: self.yes,
            check=lambda target: check_to_begin(target, show=False, strict=False),
        )
        with placing as placed:
            orders, refused = part(placed)
            for one in refused:
                self.record.refuse(one.manifest, one.error)
            ended = carry_out(
                [places.share_of(order, terms) for order in orders],
                refused,
                lambda shown: Recording(self.record, shown),
                outputs=self.outputs,
                several=True,
                quiet=self.quiet,
                brake=brake,
            )
        return ended, refused

    def _await_opening(self, config: Config, brake: Brake) -> None:
        """Wait until the window opens; raises ReelsheetError if it is told to end before."""
        opens_at = self.terms.opens_at or 0.0
        with heed_signals(brake, config.stop.grace_s), listening(self.outputs, brake):
            while not brake.presses and (left := opens_at - self.wall()) > 0:
                self.record.update(RunProgress({}))
                self.sleep(min(left, _LOOK_EVERY_S))
        if brake.interruption is not None:
            raise brake.interruption


def _reports(ended: _Outcomes) -> dict[Path, RunReport]:
    found = ((order.checked.manifest.path, outcome) for order, outcome in ended)
    return {path: one for path, one in found if isinstance(one, RunReport)}


def _added(
    order: Order, outcome: RunReport | ReelsheetError, before: Mapping[Path, RunReport]
) -> RunReport | ReelsheetError:
    """Return how a manifest ended with what came home before the window opened."""
    early = before.get(order.checked.manifest.path)
    if early is None or isinstance(outcome, ReelsheetError):
        return outcome
    return with_before(outcome, early)


def _all(ended: _Outcomes, refused: Sequence[Refused]) -> list[Ended]:
    each = ((order, str(order.checked.manifest.path), outcome) for order, outcome in ended)
    told = [Ended(name, outcome, order.invocation) for order, name, outcome in each]
    return told + of_refused(refused)


def of_refused(refused: Sequence[Refused]) -> list[Ended]:
    """Return how manifests ended that cannot be worked on."""
    return [Ended(str(one.manifest), one.error, Invocation(one.manifest)) for one in refused]


@contextlib.contextmanager
def _telling(config: Config, record: NightRecord, outputs: Path) -> Iterator[list[Ended]]:
    """Tell others that a night begins, and how it ended: by what is added to the list."""
    telling = Telling.by(config, os.environ, say)
    ended: list[Ended] = []
    action = None
    telling.begin()
    try:
        yield ended
    except BaseException as error:
        record.fail(error)
        action = error.action if isinstance(error, ReelsheetError) else None
        raise
    finally:
        tell_end(telling, config, record, ended, (outputs, time.time()), action=action)


def _consent(offer: Offer, config: Config, *, yes: bool, quiet: bool) -> bool:
    """Say what is about to be bought; nobody is there to be asked."""
    if offer.short or not quiet:
        say(f"{offer.sentence}.")
    return goes_on_unasked(offer, when_short=config.budget.when_short, yes=yes)
