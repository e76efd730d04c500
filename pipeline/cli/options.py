"""Options that several commands share, and the target and check made from them.

Tested in tests/cli/test_app.py and tests/system/test_stems.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.columns import column_settings
from pipeline.cli.screen import say
from pipeline.errors import UsageError

if TYPE_CHECKING:
    from pipeline.checker.check import CheckedManifest
    from pipeline.planner.selection import Mode, Selection
    from pipeline.runner.target import Target

_PART = re.compile(r'\s*(?:"((?:[^"]|"")*)"\s*(?=,|$)|([^,]*))(?:,|$)')
"""A part of a list, and the comma after it."""

_DURATION = re.compile(r"(\d+(?:\.\d+)?)([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}

PILOT_WITHOUT_NUMBER = "auto"
"""What --pilot is given where no number follows it."""

ManifestPath = Annotated[
    Path,
    typer.Argument(
        metavar="MANIFEST", help="The CSV, Excel or OpenDocument file with a row per video."
    ),
]
ManifestPaths = Annotated[
    list[Path],
    typer.Argument(
        metavar="MANIFEST…",
        help="CSV, Excel or OpenDocument files with a row per video. A folder stands for those in "
        "it (without results*, failed*, problems* and decisions*), a quoted pattern as 'a/*.xlsx' "
        "for those that match.",
    ),
]
ConfigPath = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="The configuration file (default: config.yaml in the working folder, if it exists).",
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="DIR",
        help="The output folder of this manifest (default: outputs/<name of the manifest>, or one "
        "beside it if that belongs to another manifest of the name). With several manifests: the "
        "folder in which each gets an output folder (instead of outputs).",
    ),
]
OutputsOut = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="DIR",
        help="The folder of outputs, as it was named for the runs (default: the setting "
        "output.dir, which is outputs).",
    ),
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Override a setting, as in limits.outstanding=20; can be given several times.",
    ),
]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Show more detail.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Show only errors and warnings.")]
Json = Annotated[
    bool, typer.Option("--json", help="Print a single JSON document on standard output.")
]
JsonOfEach = Annotated[
    bool,
    typer.Option(
        "--json",
        help="Print a single JSON document on standard output; with several manifests, or a folder "
        'or a pattern, a document with theirs in the list "manifests".',
    ),
]
Retry = Annotated[
    str | None,
    typer.Option(
        "--retry",
        metavar="STATE,…",
        help="Also make new attempts for unchanged rows in these states: failed, refused, expired.",
    ),
]
Redo = Annotated[
    str | None,
    typer.Option(
        "--redo",
        metavar="changed|rejected|KEY,…",
        help="Make a new take of done rows that were edited since, of those whose take was "
        "rejected (with its new prompt, if it has one), or of the rows with these keys. "
        "The old video is kept, and stays in the results until the new one is done.",
    ),
]
Only = Annotated[
    str | None,
    typer.Option(
        "--only",
        metavar="KEY,…",
        help="Only the rows with these keys; a key with a comma in double quotes.",
    ),
]
Limit = Annotated[
    int | None, typer.Option("--limit", metavar="N", min=0, help="Submit at most N rows.")
]
Pilot = Annotated[
    str | None,
    typer.Option(
        "--pilot",
        metavar="[N]",
        help="Make only N rows of each manifest, to be judged before the rest: spread over the "
        "sheet, over your own columns that group rows, and over the kinds of request. Rows that "
        "are made already count. Without a number: as many as the setting pilot.rows says.",
    ),
]
PayAgain = Annotated[
    str | None,
    typer.Option(
        "--pay-again",
        metavar="KEY,…|all",
        help="Buy a video for the rows with these keys, or for all rows that would be submitted, "
        "although the account has bought the very same request before.",
    ),
]
Series = Annotated[
    str | None,
    typer.Option(
        "--series",
        metavar="NAME",
        help="The series that this manifest is an edition of, such as a nightly export: all of its "
        "editions share the output folder outputs/NAME (setting manifest.series).",
    ),
]
Until = Annotated[
    str | None,
    typer.Option(
        "--until",
        metavar="HH:MM",
        help="End at this time (in night.timezone), today's or tomorrow's. What would not be here "
        "by then is not ordered; how long that takes is learned.",
    ),
]
MaxRuntime = Annotated[
    str | None,
    typer.Option(
        "--max-runtime",
        metavar="90s|15m|8h",
        help="End after this time, likewise.",
    ),
]
Strict = Annotated[
    bool,
    typer.Option("--strict", help="Start only if no row breaks a rule; otherwise exit with 2."),
]
FetchPictures = Annotated[
    bool,
    typer.Option(
        "--fetch-pictures",
        help="Also fetch the pictures that the sheet names by web addresses, and keep small copies "
        "of them for the review page, which shows their addresses otherwise. The videos of a "
        "rehearsal show them, too; otherwise key and prompt.",
    ),
]
Adopt = Annotated[
    bool,
    typer.Option(
        "--adopt",
        help="Use the output folder of a manifest that was moved or renamed.",
    ),
]


def resolve_options(
    manifest: Path,
    config: Path | None,
    out: Path | None,
    sets: list[str] | None,
    *,
    adopt: bool = False,
    series: str | None = None,
    columns: list[str] | None = None,
) -> Target:
    """Resolve the shared options, and say what the user may not expect; see `runner.target`."""
    from pipeline.runner import target

    sets = with_named(sets, series, columns, config)
    resolved = target.resolve_target(manifest, config, out, sets, adopt=adopt)
    for note in resolved.notes:
        say(f"note: {note}")
    return resolved


def read_duration_s(option: str, text: str) -> float:
    """Return seconds from a text such as 90s, 15m, 24h or 2d; raises UsageError."""
    found = _DURATION.fullmatch(text.strip().casefold())
    if found is None:
        alone = re.fullmatch(r"\s*(\d{1,9})\s*", text)
        action = f"For {alone[1]} days: {option} {alone[1]}d" if alone else None
        raise UsageError(f"{option} {text}: write a time as 90s, 15m, 24h or 2d.", action=action)
    return float(found[1]) * _SECONDS[found[2]]


def read_runtime_s(text: str | None) -> float | None:
    """Return the seconds that --max-runtime names; raises UsageError."""
    return None if text is None else read_duration_s("--max-runtime", text)


def with_named(
    sets: list[str] | None,
    series: str | None,
    columns: list[str] | None,
    config: Path | None = None,
) -> list[str] | None:
    """Return the settings of the command line with those that other options stand for.

    Args:
        sets: those given with --set.
        series: the value of --series.
        columns: the values of --column.
        config: the configuration file, beside which sheets of models may lie.

    """
    named = column_settings(columns, _own_fields(config) if columns else ())
    sets = [*(sets or []), *named] if named else sets
    if series is None:
        return sets
    quoted = json.dumps(series, ensure_ascii=False)  # else null or A #1 would be something in YAML
    return [*(sets or []), f"manifest.series={quoted}"]


def _own_fields(config: Path | None) -> tuple[str, ...]:
    from pipeline.config.ownsheets import put_up_own_sheets
    from pipeline.models.shelf import own_fields

    put_up_own_sheets(Path() if config is None else config.parent)
    return own_fields()


def check_and_show(target: Target, *, show: bool = True) -> CheckedManifest:
    """Check the manifest and show progress over its pictures; raise ManifestError, ConfigError."""
    from pipeline.cli.progress import picture_progress
    from pipeline.runner.checking import check_target

    with picture_progress(show=show) as progress:
        checked = check_target(target, progress)
    for note in checked.manifest.notes:
        say(f"note: {note}")
    return checked


def select_rows(
    target: Target,
    mode: Mode | None = None,
    *,
    retry: str | None = None,
    redo: str | None = None,
    only: str | None = None,
    limit: int | None = None,
    pay_again: str | None = None,
    pilot: str | None = None,
    sheets: bool = True,
) -> Selection:
    """Return the selection that the options ask for; see `runner.order.select`."""
    from pipeline.planner.selection import Mode
    from pipeline.runner.order import select

    return select(
        target,
        mode or Mode.RUN,
        retry=split_list(retry),
        redo=split_list(redo),
        only=split_list(only),
        limit=limit,
        pay_again=split_list(pay_again),
        pilot=None if pilot is None else _read_pilot(pilot),
        sheets=sheets,
    )


def with_numbers(words: Sequence[str], options: Mapping[str, str]) -> list[str]:
    """Return the words of a command, with a word behind some options where no number follows.

    Args:
        words: as they were typed.
        options: the word for each option that may stand without its number.

    """
    found: list[str] = []
    for place, word in enumerate(words):
        found.append(word)
        if word == "--":
            return [*found, *words[place + 1 :]]
        follows = words[place + 1] if place + 1 < len(words) else ""
        if word in options and not follows.lstrip("-").isdecimal():
            found.append(options[word])
    return found


def _read_pilot(text: str) -> int:
    """Return of how many rows a pilot is to be; True for as many as the settings say."""
    if text == PILOT_WITHOUT_NUMBER:
        return True
    if not (text.isascii() and text.isdecimal() and int(text) > 0):
        raise UsageError(f"--pilot {text}: give a whole number of rows from 1, or no number.")
    return int(text)


def split_list(text: str | None) -> list[str] | None:
    """Return the parts of an option that takes several, separated by commas; None as it is.

    A part with a comma in it stands in double quotes, as in CSV.
    """
    if text is None:
        return None
    parts = [
        plain.strip() if quoted is None else quoted.replace('""', '"')
        for quoted, plain in (found.group(1, 2) for found in _PART.finditer(text))
    ]
    return [part for part in parts if part]
