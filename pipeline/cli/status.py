"""`reelsheet status`: where rows stand, of one manifest or of all, and whether the night is well.

Tested in tests/cli/test_status.py and tests/system/test_nights.py.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.columns import Column
from pipeline.cli.look import pick
from pipeline.cli.options import (
    ConfigPath,
    JsonOfEach,
    Out,
    Quiet,
    Series,
    Set,
    Verbose,
    check_and_show,
    read_duration_s,
)
from pipeline.cli.screen import is_read, print_line, print_table, say
from pipeline.cli.several import (
    Targets,
    end_reading,
    print_documents,
    resolve_several,
    show_each,
)
from pipeline.errors import ExitCode, UsageError
from pipeline.manifest.wording import count

if TYPE_CHECKING:
    from pipeline.checker.check import CheckedManifest
    from pipeline.runner.reports import StatusReport
    from pipeline.runner.rowresults import RowResult
    from pipeline.runner.target import Refused, Target

_GONE = ("key", "state", "submitted_at", "client_business_id", "task_id", "video_seconds", "cost")
_STATUS = ("key", "row", "state", "task_id", "video", "error")

_WATCH_S = 5.0
"""With --watch, seconds between two looks, or ten times as long as a look takes."""

_Manifests = Annotated[
    list[Path] | None,
    typer.Argument(metavar="[MANIFEST…]", help="As for `run`; not with --all or --health."),
]
_All = Annotated[
    bool,
    typer.Option(
        "--all", help="All manifests that have an output folder in the folder of outputs."
    ),
]
_Watch = Annotated[
    bool,
    typer.Option("--watch", help="Show it again every few seconds as long as a run works on it."),
]
_Health = Annotated[
    bool,
    typer.Option(
        "--health",
        help="Only say whether the night goes on, or ended well: exit 0, else 1. For supervisors.",
    ),
]
_MaxAge = Annotated[
    str | None,
    typer.Option(
        "--max-age",
        metavar="TIME",
        help="With --health: how long ago the night was heard of at most, as 10m (default: 10m for "
        "one that goes on; any time for one that has ended).",
    ),
]


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("status", short_help="Show the states of the rows.")(_status)


def _status(
    manifests: _Manifests = None,
    config: ConfigPath = None,
    out: Out = None,
    sets: Set = None,
    series: Series = None,
    columns: Column = None,
    rows: Annotated[bool, typer.Option("--rows", help="Show each row.")] = False,
    everything: _All = False,
    watch: _Watch = False,
    health: _Health = False,
    max_age: _MaxAge = None,
    as_json: JsonOfEach = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Show how many rows are in which state, from the sheet and the journal; sends nothing."""
    from pipeline.runner.target import work_on_each

    if max_age is not None and not health:
        raise UsageError("--max-age says how old the news may be that --health goes by.")
    if health:
        _say_health(config, out, sets, max_age)
        return
    named = _all_in(config, out, sets) if everything else manifests or []
    if not named:
        raise UsageError(
            "no manifest is named.", action="Name one or several, or use --all for all of them."
        )
    state_of = partial(_state_of, show=not (quiet or as_json))
    while True:
        began = time.monotonic()
        targets = resolve_several(named, config, out, sets, series=series, columns=columns)
        found = work_on_each(targets.all, state_of)
        _show(targets, found, rows=rows or verbose, as_json=as_json)
        if not (watch and _is_worked_on(targets)):
            break
        _pause(max(_WATCH_S, 10 * (time.monotonic() - began)))
        print_line()
        if not is_read():
            break
    end_reading(found)


def _pause(seconds: float) -> None:
    """Wait for the next look; a Ctrl-C ends the watching alone."""
    try:
        time.sleep(seconds)
    except KeyboardInterrupt:
        say("No longer watching; the run goes on.")
        raise typer.Exit(ExitCode.INTERRUPTED) from None


def _show(
    targets: Targets, found: Sequence[_Stated | Refused], *, rows: bool, as_json: bool
) -> None:
    if as_json:
        print_documents(targets, found, _Stated.document)
        return
    show_each(targets, found, lambda stated: stated.show(rows=rows))
    stated = [one for one in found if isinstance(one, _Stated)]
    if targets.several and stated:
        _show_all_states(stated)


def _is_worked_on(targets: Targets) -> bool:
    from pipeline.disk.lock import why_locked
    from pipeline.runner.target import Target

    known = [one for one in targets.all if isinstance(one, Target)]
    return any(why_locked(one.folder.lock) is not None for one in known)


def _all_in(config: Path | None, out: Path | None, sets: list[str] | None) -> list[Path]:
    """Return the manifests whose journals lie in the folder of outputs."""
    from pipeline.journal.ownership import find_manifest
    from pipeline.runner.target import load_settings

    loaded, _ = load_settings(config, sets)
    outputs = out or Path(loaded.output.dir)
    ends = ".rehearsal"
    found = []
    for journal in sorted(outputs.glob("*/journal.db")):
        if journal.parent.name.endswith(ends) == loaded.rehearses:
            manifest = find_manifest(journal)
            if manifest is not None:
                found.append(manifest)
    if not found:
        raise UsageError(f"no manifest has an output folder in {outputs}.")
    return list(dict.fromkeys(found))


def _say_health(
    config: Path | None, out: Path | None, sets: list[str] | None, max_age: str | None
) -> None:
    from pipeline.night.health import look_at_night
    from pipeline.runner.target import load_settings

    loaded, _ = load_settings(config, sets)
    age_s = None if max_age is None else read_duration_s("--max-age", max_age)
    well, said = look_at_night(out or Path(loaded.output.dir), age_s, time.time())
    print_line(said)
    if not well:
        raise typer.Exit(ExitCode.NEEDS_USER)


def _state_of(target: Target, *, show: bool) -> _Stated:
    from pipeline.review.takes import count_verdicts
    from pipeline.runner.foresight import status_report

    checked: list[CheckedManifest] = []

    def check(target: Target) -> CheckedManifest:
        checked.append(check_and_show(target, show=show))
        return checked[0]

    report = status_report(target, check)
    return _Stated(target, report, count_verdicts(checked[0], target.folder))


@dataclass(frozen=True)
class _Stated:
    """Where the rows of a manifest stand; `verdicts` is None as long as nothing was decided."""

    target: Target
    report: StatusReport
    verdicts: Mapping[str, int] | None = None

    def _rows(self) -> list[tuple[RowResult, str | None]]:
        folder = self.target.folder.root.absolute()
        return [(row, _shown(row, folder)) for row in self.report.rows]

    def document(self) -> dict[str, object]:
        listed = [pick(row, _STATUS) | {"video": video} for row, video in self._rows()]
        gone = [pick(one, _GONE) for one in self.report.gone]
        workers = self._workers()
        return {
            "manifest": str(self.target.manifest),
            "states": self.report.states,
            **({"workers": workers} if workers else {}),
            "rows": listed,
            **({"gone": gone} if gone else {}),
            **({"review": self.verdicts} if self.verdicts else {}),
        }

    def _workers(self) -> list[dict[str, object]]:
        """Return the workers of the run that works on it, if one with workers does."""
        from pipeline.disk.lock import why_locked
        from pipeline.runner.manning import workers_of

        folder = self.target.folder
        return workers_of(folder) if why_locked(folder.lock) is not None else []

    def show(self, *, rows: bool) -> None:
        if rows:
            print_table(
                [
                    (row.row, row.key, row.state, video or row.error or "")
                    for row, video in self._rows()
                ]
            )
        print_table([(number, state) for state, number in sorted(self.report.states.items())])
        if not self.report.rows:
            print_line("no rows")
        if workers := self._workers():
            from pipeline.cli.progress import say_workers

            slots = sum(found for one in workers if isinstance(found := one.get("slots"), int))
            print_line(say_workers((len(workers), slots)))
        if self.verdicts:
            from pipeline.review.takes import say_verdicts

            for line in say_verdicts(self.verdicts, self.report.states):
                print_line(line)
        for one in self.report.gone:
            print_line(
                f"no longer in the manifest: {one.key}, {one.state}, submitted {one.submitted_at} "
                f"(UTC) as {one.client_business_id}"
            )
        if self.report.gone:
            print_line(f"to settle them: {self.target.invocation.command('resolve', '--all')}")


def _show_all_states(stated: Sequence[_Stated]) -> None:
    states: Counter[str] = Counter()
    for one in stated:
        states.update(one.report.states)
    print_line(f"{count(len(stated), 'manifest')} together:")
    print_table([(number, state) for state, number in sorted(states.items())])


def _shown(row: RowResult, folder: Path) -> str | None:
    """Return where a video lies: below the output folder, or its path or address elsewhere."""
    video = row.video
    if video is None:
        return row.video_address
    return (video.relative_to(folder) if video.is_relative_to(folder) else video).as_posix()
