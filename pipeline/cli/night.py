"""`reelsheet night`: several manifests by themselves, within their window and their budget.

Tested in tests/cli/test_night.py and tests/system/test_nights.py.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.columns import Column
from pipeline.cli.jsonlines import TEXT, LogFormat
from pipeline.cli.options import (
    Adopt,
    ConfigPath,
    MaxRuntime,
    Out,
    PayAgain,
    Pilot,
    Quiet,
    Redo,
    Series,
    Set,
    Until,
    read_runtime_s,
    select_rows,
    with_named,
)
from pipeline.cli.screen import is_terminal, say
from pipeline.cli.several import Targets, find_manifests, say_notes
from pipeline.errors import ReelsheetError, RunLocked, UsageError
from pipeline.manifest.wording import agree

if TYPE_CHECKING:
    from pipeline.config.settings import Config
    from pipeline.night.record import NightRecord
    from pipeline.runner.order import Order
    from pipeline.runner.terms import Terms

_Manifests = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="[MANIFEST|FOLDER|GLOB…]",
        help="As for `run`. Without any: those of the setting night.manifests.",
    ),
]
_Rehearse = Annotated[
    bool,
    typer.Option("--rehearse", help="Rehearse the night: nothing is sent and nothing is paid."),
]
_MinRows = Annotated[
    int | None,
    typer.Option(
        "--min-rows",
        metavar="N",
        min=0,
        help="Order nothing from a manifest with fewer rows (setting night.min_rows).",
    ),
]
_MaxNew = Annotated[
    int | None,
    typer.Option(
        "--max-new",
        metavar="N",
        min=0,
        help="Order nothing from a manifest with more new rows (setting night.max_new).",
    ),
]
_Yes = Annotated[
    bool,
    typer.Option(
        "--yes",
        "-y",
        help="Submit even if the balance is too low for all rows or the key goes to a host for the "
        "first time.",
    ),
]


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("night", short_help="Work through manifests by itself, every night.")(_night)


def _night(
    manifests: _Manifests = None,
    config: ConfigPath = None,
    out: Out = None,
    sets: Set = None,
    series: Series = None,
    columns: Column = None,
    redo: Redo = None,
    pay_again: PayAgain = None,
    pilot: Pilot = None,
    until: Until = None,
    max_runtime: MaxRuntime = None,
    min_rows: _MinRows = None,
    max_new: _MaxNew = None,
    rehearse: _Rehearse = False,
    yes: _Yes = False,
    adopt: Adopt = False,
    quiet: Quiet = False,
    _log_format: LogFormat = TEXT,
) -> None:
    """Work through manifests by itself: one process, one set of limits and one budget over all.

    What is paid for comes home first; then new rows are made, then the takes that night.redo, or
    --redo in its place, allows, then new attempts of rows that failed, retry.wait_s after they did.
    Rows that were paid for and have expired wait for you. Nothing is ordered outside night.window,
    nor so late that it would not be here before the end. Nothing is asked. A manifest that cannot
    be used keeps no other from its turn, and counts as 1 in the exit code. How far the night is
    stands in night.json in the folder of outputs; a second night there ends with 75. See
    docs/nights.md.
    """
    from pipeline.cli.nightwork import Night
    from pipeline.night.telling import WANTED
    from pipeline.runner.destination import refuse_without_key
    from pipeline.runner.target import load_settings, load_settings_in_part

    outputs, loaded, targets = out or Path("outputs"), None, None
    named: list[str] = []
    with contextlib.ExitStack() as night:
        try:
            named += with_named(sets, series, columns, config) or []
            given = {"provider": "rehearsal" if rehearse else None, "night.min_rows": min_rows}
            given |= {"night.max_new": max_new}
            named += [f"{name}={value}" for name, value in given.items() if value is not None]
            loaded, _ = load_settings(config, named)
            outputs = out or Path(loaded.output.dir)
            _refuse_rehearsal(loaded, rehearse=rehearse)
            terms = _terms(loaded, until, max_runtime, quiet=quiet)
            find = partial(_find, manifests or [], config, named, out=out, adopt=adopt)
            places, targets = find(loaded)
            load = partial(load_settings, config, named)
            anew = partial(find_anew, find, load, loaded, out, rehearse=rehearse)
            _ = targets.first  # there is one that can be worked on
            if is_terminal(sys.stderr):
                _refuse_missing(targets)
            if terms.is_early(time.time()):
                refuse_without_key(loaded)
            record = night.enter_context(_alone(outputs, targets))
        except RunLocked:  # another night goes on here, and is told of
            raise
        except ReelsheetError as error:
            if not is_terminal(sys.stderr):  # else whoever has mistyped it reads it
                used = loaded or load_settings_in_part(config, named, WANTED)
                outputs = out or Path(used.output.dir)
                _tell_refusal(error, used, targets, outputs, rehearse=rehearse)
            raise
        sheets, redo = bool(redo), redo or ",".join(targets.first.config.night.redo) or None

        chosen = partial(select_rows, redo=redo, pay_again=pay_again, pilot=pilot, sheets=sheets)
        night_of = Night(record, terms, chosen, outputs, yes=yes, quiet=quiet)
        code = night_of.work(anew, places, targets)
    raise typer.Exit(code)


def _refuse_rehearsal(loaded: Config, *, rehearse: bool) -> None:
    if loaded.rehearses and not rehearse:
        raise UsageError(
            "provider is rehearsal: a night that nobody watches would make nothing.",
            action="Set provider: toapis, or rehearse the night on purpose with --rehearse.",
        )


def find_anew(
    find: Callable[..., tuple[NightManifests, Targets]],
    load: Callable[[], tuple[Config, object]],
    before: Config,
    out: Path | None = None,
    *,
    rehearse: bool,
) -> tuple[NightManifests, Targets]:
    """Return the manifests as they are when the window opens, by the settings as they are then.

    Some settings the night has acted upon by then: it keeps to them, and says so.

    Args:
        find: Finds the manifests by some settings, below another folder of outputs if it is told.
        load: Reads the settings.
        before: The settings as the night began.
        out: The folder of outputs that was named.
        rehearse: Whether it may rehearse.

    """
    loaded, _ = load()
    _refuse_rehearsal(loaded, rehearse=rehearse)
    kept = {
        "night.window": before.night.window != loaded.night.window,
        "night.timezone": before.night.timezone != loaded.night.timezone,
        "night.redo": before.night.redo != loaded.night.redo,
        "notify": before.notify != loaded.notify,
        "metrics": before.metrics != loaded.metrics,
        "output.dir": out is None and before.output.dir != loaded.output.dir,
    }
    if changed := [name for name, differs in kept.items() if differs]:
        said = agree(len(changed), "was changed and counts", "were changed and count")
        say(f"note: {', '.join(changed)} {said} from the next night on; all else counts now.")
    return find(loaded, out=Path(before.output.dir)) if kept["output.dir"] else find(loaded)


def _find(
    manifests: Sequence[Path],
    config: Path | None,
    named: list[str],
    loaded: Config,
    *,
    out: Path | None,
    adopt: bool,
) -> tuple[NightManifests, Targets]:
    """Return the manifests as they are now, with their folders."""
    places = NightManifests(manifests, loaded)
    return places, places.targets(config, out, named, adopt=adopt)


def _terms(config: Config, until: str | None, max_runtime: str | None, *, quiet: bool) -> Terms:
    from pipeline.night.hours import read_until, say_hours, terms_of_night

    now = time.time()
    terms = terms_of_night(
        config, now, until=read_until(until), max_runtime_s=read_runtime_s(max_runtime)
    )
    told = say_hours(config, terms, now)
    if told is not None and not quiet:
        say(told)
    return terms


class NightManifests:
    """The manifests of a night: those that are named, else those of the configuration."""

    def __init__(self, named: Sequence[Path], config: Config) -> None:
        self._found: dict[Path, Path] = {}
        self._refused: dict[Path, ReelsheetError] = {}
        self._shares: dict[Path, tuple[float, int]] = {}
        known = [(Path(one.path), one.share, one.priority) for one in config.night.manifests]
        if not named and not known:
            raise UsageError(
                "no manifest is named, and night.manifests is empty.",
                action="Name manifests or folders, or list them under night.manifests.",
            )
        for path, share, priority in known:
            for real in self._look(path, wanted=not named):
                self._shares.setdefault(real, (share, priority))
        for path in named:
            self._look(path, wanted=True)

    def _look(self, path: Path, *, wanted: bool) -> list[Path]:
        """Find the manifests of a path; what cannot be found keeps no other from its turn."""
        try:
            found = {file.resolve(): file for file in find_manifests([path]).manifests}
        except UsageError as error:
            if wanted:
                self._refused[path] = error
            return []
        if wanted:
            for real, file in found.items():
                self._found.setdefault(real, file)
        return list(found)

    def targets(
        self, config: Path | None, out: Path | None, sets: list[str], *, adopt: bool
    ) -> Targets:
        """Return the manifests with their output folders, and those that cannot be found."""
        from pipeline.runner.target import Refused, resolve_targets

        targets = resolve_targets(list(self._found.values()), config, out, sets, adopt=adopt)
        say_notes(targets)
        refused = [Refused(path, error) for path, error in self._refused.items()]
        return Targets([*targets, *refused], several=True)

    def share_of(self, order: Order, terms: Terms) -> Order:
        """Return an order with the terms of the night, its share and its priority."""
        share, priority = self._shares.get(order.checked.manifest.path.resolve(), (1.0, 0))
        return replace(order, terms=replace(terms, share=share, priority=priority))


def _refuse_missing(targets: Targets) -> None:
    """Raise UsageError if not one of the manifests is there: none of them begins a night."""
    from pipeline.disk.openfile import is_gone
    from pipeline.reader.content import explain_missing

    if all(is_gone(one.manifest) for one in targets.all):
        raise explain_missing(targets.first.manifest)


def _tell_refusal(
    error: ReelsheetError,
    config: Config,
    targets: Targets | None,
    outputs: Path,
    *,
    rehearse: bool,
) -> None:
    """Have night.json, and others, told of a night that ended before it began."""
    from pipeline.cli.nightwork import of_refused
    from pipeline.night.outside import Outside
    from pipeline.night.record import note_refusal
    from pipeline.night.telling import Telling, tell_end
    from pipeline.runner.target import Refused

    # What the settings say of it may be what is wrong: a night rehearses only if it is asked to.
    config = config.model_copy(update={"provider": "rehearsal" if rehearse else "toapis"})
    refused = [one for one in targets.all if isinstance(one, Refused)] if targets else []
    each = [(one.manifest, one.error) for one in refused]
    seen = Outside(config, outputs, "night", say)
    record = note_refusal(outputs, error, each, rehearses=rehearse, outside=seen)
    if record is not None:
        telling, where = Telling.by(config, os.environ, say), (outputs, time.time())
        tell_end(telling, config, record, of_refused(refused), where, action=error.action)


@contextlib.contextmanager
def _alone(outputs: Path, targets: Targets) -> Iterator[NightRecord]:
    """Keep a second night out, and a record of this one; say if the one before was killed."""
    from pipeline.disk.lock import run_lock
    from pipeline.night.outside import Outside
    from pipeline.night.record import NightRecord, lock_of, path_of_record, say_killed

    rehearses = targets.first.config.rehearses
    with run_lock(lock_of(outputs), targets.first.manifest):
        path = path_of_record(outputs, rehearses=rehearses)
        killed = say_killed(path)
        if killed is not None:
            say(killed)
        outside = Outside(targets.first.config, outputs, "night", say)
        with NightRecord(path, outside=outside, killed=killed) as record:
            yield record
