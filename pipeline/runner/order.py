"""What a run is asked to do, and the guards that an order must pass.

Every order goes through `place_order`, from the command line and from a program alike: it holds all
guards that come before the journal is opened. The journal's own guard follows in `run`.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias, TypedDict, Unpack

from pipeline.checker.check import CheckedManifest
from pipeline.checker.naming import normalise_key
from pipeline.config.key import secret_of
from pipeline.config.settings import Config
from pipeline.disk.folder import OutputFolder
from pipeline.disk.openfile import is_gone
from pipeline.disk.rights import mode_of_joint_copy
from pipeline.errors import ManifestError, ReelsheetError, UsageError
from pipeline.fleet.choice import refuse_unfit_settings
from pipeline.manifest.invocation import Invocation
from pipeline.manifest.wording import count
from pipeline.model import Problem, State
from pipeline.planner.plan import ENDED_BADLY
from pipeline.planner.selection import Mode, Selection, unknown_keys
from pipeline.runner.checking import check_target
from pipeline.runner.offer import Offer
from pipeline.runner.target import Refused, Target, refuse_folder, refuse_to_begin
from pipeline.runner.terms import AT_ANY_TIME, Terms
from pipeline.runner.unchanged import check_copied, snapshot
from pipeline.storage.opening import place_for
from pipeline.storage.places import Place
from pipeline.writer.summary import tell_refused

NIGHT = "night"
"""The command whose runs nobody watches."""

Several: TypeAlias = str | Iterable[str]
"""A single text, or several."""


class RowsInvalid(ManifestError):
    """A strict run was asked for, and rows break a rule: `problems` are theirs."""

    def __init__(self, typed: Invocation, problems: tuple[Problem, ...]) -> None:
        super().__init__(
            f"{typed.manifest} has {count(len(problems), 'problem')}; nothing was sent.",
            action=f"See them with: {typed.command('check')}",
        )
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Order:
    """What to run: the checked manifest, where to, how, and which rows.

    `source` is the file into whose copy the results are written: for an .xlsx or .xlsm manifest a
    copy made just before it was checked, else the manifest itself. `consent` is shown what is about
    to be bought and says whether to submit it, `go_on_with` whether to submit in spite of a refusal
    that only a person can judge. `typed` is what the user named. `terms` bound what is ordered.
    `fetch_pictures` has small copies of web pictures made. `idle` says that it is for what was
    ordered before, and nothing ever was: no copy is made, and it is not to be run.
    """

    checked: CheckedManifest
    config: Config
    folder: OutputFolder
    selection: Selection
    command: str = "run"
    adopt: bool = False
    consent: Callable[[Offer], bool] = lambda _: True
    go_on_with: Callable[[UsageError], bool] = lambda _: False
    source: Path | None = None
    typed: Invocation | None = None
    terms: Terms = AT_ANY_TIME
    fetch_pictures: bool = False
    idle: bool = False

    @property
    def invocation(self) -> Invocation:
        """What commands are called with that work on the same."""
        return self.typed or Invocation(self.checked.manifest.path)

    @property
    def secret(self) -> str:
        """The key, to be kept out of every text; it need not be one that can be used."""
        return secret_of(self.config, os.environ)

    @property
    def place(self) -> Place | None:
        """Where its videos go; None for `videos/` of the output folder. Raises ConfigError."""
        return place_for(self.config, self.folder)

    @property
    def video_mode(self) -> int:
        """The rights of videos: they show what is in the manifest and in its pictures."""
        sources = (self.checked.manifest.path, *self.checked.files)
        return mode_of_joint_copy(sources, self.folder.videos)


def select(
    target: Target,
    mode: Mode = Mode.RUN,
    *,
    retry: Several | None = None,
    redo: Several | None = None,
    only: Several | None = None,
    limit: int | None = None,
    pay_again: Several | None = None,
    pilot: int | None = None,
    sheets: bool = True,
) -> Selection:
    """Return the selection that a person, or a program, asks for in words.

    Args:
        target: The manifest, whose configuration limits the attempts of a row.
        mode: What the command is asked to do.
        retry: Names of states whose unchanged rows get a new attempt.
        redo: Keys, or "changed" for done rows that were edited since, "rejected" for those whose
            take was rejected: they get a new take.
        only: The keys that count; None for all.
        limit: The most rows to submit; None for no limit.
        pay_again: Keys of rows to buy a video for although it was bought before, or "all" for every
            row that would be submitted.
        pilot: How many rows to make first, and nothing else; True for as many as the settings say.
        sheets: Whether a row is edited, too, of which only its model's sheet was changed.

    Raises:
        UsageError: A state cannot be retried, a number of rows is none, or a key is not a text.

    """
    if limit is not None and type(limit) is not int:
        raise UsageError(f"the limit is {limit!r}, which is not a whole number of rows.")
    if limit is not None and limit < 0:
        raise UsageError(f"the limit is {limit}, and no run submits fewer than 0 rows.")
    pilot = target.config.pilot.rows if pilot is True else pilot
    if pilot is not None and (type(pilot) is not int or pilot < 1):
        raise UsageError(f"the pilot is {pilot!r}, which is not a whole number of rows from 1.")
    redo_keys, paid_keys = visible_keys(redo), visible_keys(pay_again)
    return Selection(
        mode=mode,
        retry=frozenset(_state(name) for name in _list(retry)),
        redo_changed="changed" in redo_keys,
        redo_rejected="rejected" in redo_keys,
        redo=redo_keys - {"changed", "rejected"},
        only=None if only is None else visible_keys(only),
        limit=limit,
        attempts=target.config.limits.attempts,
        pay_again=paid_keys - {"all"},
        pay_again_all="all" in paid_keys,
        pilot=pilot,
        redo_sheets=sheets,
    )


def _list(several: Several | None) -> Iterable[str]:
    if several is not None and not isinstance(several, Iterable):
        raise UsageError(f"{several!r} is neither a text nor a list of texts.")
    return [several] if isinstance(several, str) else several or ()


def visible_keys(keys: Several | None) -> frozenset[str]:
    """Return keys as they are compared; raises UsageError where one is not a text."""
    listed = list(_list(keys))
    for key in listed:
        if not isinstance(key, str):
            raise UsageError(f"the key {key!r} is not a text; keys are compared as texts.")
    return frozenset(map(normalise_key, listed))


def _state(name: object) -> State:
    known = {state.value: state for state in ENDED_BADLY}
    if not isinstance(name, str) or name.casefold() not in known:
        raise UsageError(
            f"rows in the state {name!r} cannot be retried.",
            action=f"Give one or more of {', '.join(sorted(known))}, separated by commas.",
        )
    return known[name.casefold()]


class Placing(TypedDict, total=False):
    """What an order may be placed with beside its selection; see `place_orders`."""

    command: str
    strict: bool
    adopt: bool
    consent: Callable[[Offer], bool]
    go_on_with: Callable[[UsageError], bool]
    trust: Callable[[UsageError], bool]
    check: Callable[[Target], CheckedManifest]


@contextlib.contextmanager
def place_order(target: Target, selection: Selection, **terms: Unpack[Placing]) -> Iterator[Order]:
    """Check the manifest and yield the order for a run; it is good as long as the context lasts.

    Args:
        target: The manifest with its configuration and output folder.
        selection: What the run is asked to do.
        **terms: As for `place_orders`.

    Raises:
        UsageError: A guard refuses the run; nothing was made or sent.
        RowsInvalid: Rows break a rule and `strict` was asked for.
        StoreError: The output folder does not take a copy of the manifest.

    """
    with place_orders([target], selection, **terms) as (order,):
        if isinstance(order, Refused):
            raise order.error
        yield order


@contextlib.contextmanager
def place_orders(
    targets: Sequence[Target | Refused],
    selection: Selection,
    *,
    command: str = "run",
    strict: bool = False,
    adopt: bool = False,
    consent: Callable[[Offer], bool] = lambda _: True,
    go_on_with: Callable[[UsageError], bool] = lambda _: False,
    trust: Callable[[UsageError], bool] = lambda _: False,
    check: Callable[[Target], CheckedManifest] = check_target,
) -> Iterator[list[Order | Refused]]:
    """Check manifests and yield their orders, as `place_order` does; refused ones stay so.

    Args:
        targets: The manifests with their configuration and output folders.
        selection: What the run is asked to do; a key belongs to every manifest that has it.
        command: The name of the command, for journal and log.
        strict: Refuse a whole manifest if a row of it breaks a rule.
        adopt: Take over the journals of manifests that were moved.
        consent: Shown what is about to be bought; says whether to submit it.
        go_on_with: Asked whether to submit in spite of a refusal that only a person can judge.
        trust: Asked whether the key may go where it never went before.
        check: Checks a manifest, as `check_target` does.

    Raises:
        UsageError: None of the manifests has a row with a key that is named.

    """
    with contextlib.ExitStack() as stack:
        orders: list[Order | Refused] = []
        for target in targets:
            if isinstance(target, Refused):
                orders.append(target)
                continue
            try:
                refuse_folder(target)
            except ReelsheetError as error:
                orders.append(Refused(target.manifest, error))
                continue
            try:
                # Nobody sees what a night says: it begins, so that its files tell of the key.
                refuse_to_begin(target, trust, keyless=command == NIGHT)
                refuse_unfit_settings(target.config)
                idle = selection.mode is not Mode.RUN and is_gone(target.folder.journal)
                source, checked = check_copied(
                    target.manifest,
                    partial(snapshot, target.manifest, None if idle else target.folder.cache),
                    partial(check, target),
                    stack,
                )
                refuse_broken(target.invocation, checked, strict=strict)
            except ReelsheetError as error:
                if command == NIGHT:  # whoever runs it by hand is told
                    tell_refused(target.folder, target.manifest, error, time.time())
                orders.append(Refused(target.manifest, error))
                continue
            orders.append(
                Order(
                    checked=checked,
                    config=target.config,
                    folder=target.folder,
                    selection=selection.for_rejected(checked.wanted),
                    command=command,
                    adopt=adopt or target.moved,
                    consent=consent,
                    go_on_with=go_on_with,
                    source=source,
                    typed=target.invocation,
                    idle=idle,
                )
            )
        placed = [order for order in orders if isinstance(order, Order)]
        if placed:
            all_checked = [order.checked for order in placed]
            refuse_unknown_keys(selection, all_checked, placed[0].invocation)
        yield orders


def refuse_broken(typed: Invocation, checked: CheckedManifest, *, strict: bool) -> None:
    """Raise ManifestError if a manifest, or with `strict` a row of it, breaks a rule.

    Args:
        typed: What the user named.
        checked: The manifest.
        strict: Whether rows count.

    """
    broken = checked.file_errors
    if broken:
        column = f", column {broken[0].column}" if broken[0].column else ""
        raise ManifestError(
            "; ".join(problem.message for problem in broken),
            action=f"Correct {typed.manifest}{column}.",
        )
    if strict and checked.errors:
        raise RowsInvalid(typed, checked.errors)


def refuse_unknown_keys(
    selection: Selection, checked: Sequence[CheckedManifest], first: Invocation
) -> None:
    """Raise UsageError if a key is named, maybe misspelt, that no row of these manifests has.

    `first` is what the user named the first of them with.
    """
    unknown = unknown_keys(selection, (key for one in checked for key in one.keys))
    if unknown:
        raise UsageError(
            f"no row has the key {', '.join(unknown)}.",
            action=f"Look up the keys with: {first.command('status', '--rows')}",
        )
