"""`reelsheet prune`: remove what nobody needs any more, never the only copy of what was paid for.

Tested in tests/system/test_prune.py.
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.options import (
    ConfigPath,
    Json,
    Set,
    check_and_show,
    read_duration_s,
)
from pipeline.cli.screen import print_json, print_line, print_table, say
from pipeline.cli.several import resolve_several, say_error_of, say_notes
from pipeline.errors import ExitCode, ReelsheetError, UsageError
from pipeline.manifest.wording import agree, count

if TYPE_CHECKING:
    from pipeline.disk.folder import OutputFolder
    from pipeline.runner.pruning import Kind, Pruning
    from pipeline.runner.target import Target

_Out = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="DIR",
        help="The output folder of the manifest that is named; of several, or of none, the folder "
        "in which their output folders are (default: the setting output.dir, which is outputs).",
    ),
]
_Manifests = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="[MANIFEST|FOLDER…]",
        help="Manifests, folders of them, or their output folders. Without any: all that have an "
        "output folder in the folder of outputs.",
    ),
]
_OlderThan = Annotated[
    str,
    typer.Option("--older-than", metavar="TIME", help="Keep all that is not older, as 12h or 90d."),
]
_Kinds = Annotated[
    str | None,
    typer.Option(
        "--kinds",
        metavar="KIND,…",
        help="Only these: rehearsals, parts (of downloads that broke), takes (in whose place a "
        "later one was chosen), handed-over (what export has copied), logs (all but the last).",
    ),
]


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("prune", short_help="Remove old rehearsals, takes, parts and logs.")(_prune)


def _prune(
    manifests: _Manifests = None,
    older_than: _OlderThan = "30d",
    kinds: _Kinds = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Remove it; without this it is only shown.")
    ] = False,
    config: ConfigPath = None,
    out: _Out = None,
    sets: Set = None,
    as_json: Json = False,
) -> None:
    """Show what nobody needs any more, and remove it with --yes.

    It finds old rehearsals, parts of downloads that broke, takes in whose place a later one was
    chosen, videos in `videos` whose copy in `approved` is whole, and old logs. It never removes the
    only copy of what was paid for, approved takes that are not handed over, journals, decisions or
    results. What was typed into the results is read back first. Rows stay done, and nothing of it
    is bought again. No link is followed, and nothing outside the output folders is touched. A
    folder in which a run works is left alone (75).
    """
    from pipeline.runner.pruning import Kind
    from pipeline.writer.outcome import code_of_several

    before = time.time() - read_duration_s("--older-than", older_than)
    wanted = _read_kinds(kinds, list(Kind))
    folders, named, refused = _folders(manifests or [], config, out, sets)
    found: list[Pruning] = []
    codes = [error.exit_code for _, error in refused]
    for path, error in refused:
        say_error_of(path, error)
    for folder in folders:
        try:
            if Kind.TAKES in wanted:
                _read_back(folder, named.get(folder.root), config, sets)
            found.append(_work_on(folder, wanted, before, yes=yes))
        except ReelsheetError as error:
            say_error_of(folder.root, error)
            codes.append(error.exit_code)
    if as_json:
        print_json(_document(found, wanted, removed=yes))
    else:
        _show(found, wanted, removed=yes)
    code = code_of_several([ExitCode.DONE for _ in found], codes)
    if code is not ExitCode.DONE:
        raise typer.Exit(code)


def _read_kinds(text: str | None, known: Sequence[Kind]) -> list[Kind]:
    named = [part.strip() for part in (text or "").split(",") if part.strip()]
    unknown = [one for one in named if one not in known]
    if unknown or (text is not None and not named):
        raise UsageError(
            f"--kinds {text}: there is no kind {', '.join(unknown) or 'named'}.",
            action=f"The kinds are: {', '.join(known)}.",
        )
    return [kind for kind in known if kind in named or text is None]


def _folders(
    named: Sequence[Path], config: Path | None, out: Path | None, sets: list[str] | None
) -> tuple[list[OutputFolder], dict[Path, Target], list[tuple[Path, ReelsheetError]]]:
    """Return the output folders that are meant, the manifests named for them, and what is none."""
    from pipeline.disk.folder import OutputFolder
    from pipeline.disk.openfile import is_gone
    from pipeline.reader.content import explain_missing
    from pipeline.runner.target import Refused, load_settings

    found: list[Path] = []
    named_for: dict[Path, Target] = {}
    refused: list[tuple[Path, ReelsheetError]] = []
    manifests = []
    for path in named:
        if (path / "journal.db").is_file():
            found.append(path)
        else:
            manifests.append(path)
    if manifests:
        targets = resolve_several(manifests, config, out, sets)
        say_notes(targets.all)
        for one in targets.all:
            if isinstance(one, Refused):
                refused.append((one.manifest, one.error))
            elif is_gone(one.folder.root) and is_gone(one.manifest):
                refused.append((one.manifest, explain_missing(one.manifest)))
            else:
                found.append(one.folder.root)
                named_for[one.folder.root.resolve()] = one
    if not named:
        loaded, _ = load_settings(config, sets)
        outputs = out or Path(loaded.output.dir)
        found = [journal.parent for journal in sorted(outputs.glob("*/journal.db"))]
    live = (_with_live(one) for one in found)
    folders = {one.resolve(): OutputFolder(one) for one in live}
    of_folder = {folders[at].root: one for at, one in named_for.items() if at in folders}
    return [*folders.values()], of_folder, refused


def _with_live(root: Path) -> Path:
    """Return the folder of live runs beside one of rehearsals, which is looked at with it."""
    from pipeline.disk.folder import REHEARSAL

    beside = root.with_name(root.name.removesuffix(REHEARSAL))
    return beside if (beside / "journal.db").is_file() else root


def _read_back(
    folder: OutputFolder, target: Target | None, config: Path | None, sets: list[str] | None
) -> None:
    """Read back what was typed into the results of a folder, and say why where that cannot be."""
    from pipeline.disk.lock import is_locked
    from pipeline.journal.ownership import find_manifest
    from pipeline.review.writtenfiles import unread_results
    from pipeline.runner.target import resolve_target

    if is_locked(folder.lock) or not unread_results(folder):
        return
    why = "its manifest has errors"
    try:
        manifest = find_manifest(folder.journal)
        if target is None and manifest is not None:
            target = resolve_target(manifest, config, folder.root, sets)
        if target is not None:
            check_and_show(target, show=False)
    except ReelsheetError as error:
        why = error.message.rstrip(".")
    report = "reelsheet report MANIFEST" if target is None else target.invocation.command("report")
    for path in unread_results(folder):
        say(
            f"note: {path} was changed, and is not read back: {why}. Takes that may be approved in "
            f"it are kept until `{report}` has read it."
        )


def _work_on(folder: OutputFolder, kinds: Sequence[Kind], before: float, *, yes: bool) -> Pruning:
    """Look at an output folder, and with `yes` remove what was found; raises RunLocked."""
    from pipeline.disk.lock import run_lock, why_locked
    from pipeline.runner.pruning import look, remove

    locked = why_locked(folder.lock)
    if locked is not None:
        raise locked
    found = look(folder, kinds, before)
    if not (yes and found.items):
        return found
    with contextlib.ExitStack() as stack:
        if any(one.path != folder.root for one in found.items):
            stack.enter_context(run_lock(folder.lock))
            found = look(folder, kinds, before)  # a run may have been here in between
        remove(found, time.time())
    return found


def _totals(found: Sequence[Pruning], kind: Kind) -> tuple[int, int]:
    items = [one for each in found for one in each.items if one.kind is kind]
    return sum(one.files for one in items), sum(one.size_bytes for one in items)


def _kept(found: Sequence[Pruning], kind: Kind) -> list[tuple[str, int, int]]:
    counts: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for each in found:
        for (of, why), number in each.kept.items():
            if of is kind:
                counts[why] += number
                sizes[why] += each.kept_bytes[of, why]
    return [(why, number, sizes[why]) for why, number in sorted(counts.items())]


def _show(found: Sequence[Pruning], kinds: Sequence[Kind], *, removed: bool) -> None:
    from pipeline.disk.folder import REHEARSAL
    from pipeline.runner.pruning import Kind, in_words

    rows: list[tuple[str, ...]] = []
    for kind in kinds:
        files, size_bytes = _totals(found, kind)
        what = "removed" if removed else "would go"
        if files:
            rows.append((f"{files:,}", in_words(size_bytes), what, kind))
        rows += [
            (f"{number:,}", in_words(kept), "kept", f"{kind}: {why}")
            for why, number, kept in _kept(found, kind)
        ]
    print_table(rows, ("files", "size", "", ""))
    files = sum(_totals(found, kind)[0] for kind in kinds)
    size = in_words(sum(_totals(found, kind)[1] for kind in kinds))
    where = count(len(found), "output folder")
    if removed:
        print_line(f"{count(files, 'file')} removed, {size}, from {where}")
    elif files:
        print_line(f"{count(files, 'file')}, {size}, in {where}; --yes removes them")
    else:
        print_line(f"nothing to remove in {where}")
    whole = sum(each.folder.root.name.endswith(REHEARSAL) for each in found)
    if whole and Kind.REHEARSALS not in kinds:
        print_line(
            f"{count(whole, 'folder')} of rehearsals {agree(whole, 'is', 'are')} left alone: "
            f"{agree(whole, 'it goes', 'they go')} only as a whole, with --kinds rehearsals"
        )


def _document(
    found: Sequence[Pruning], kinds: Sequence[Kind], *, removed: bool
) -> dict[str, object]:
    return {
        "schema": 1,
        "removed": removed,
        "files": sum(_totals(found, kind)[0] for kind in kinds),
        "bytes": sum(_totals(found, kind)[1] for kind in kinds),
        "folders": [
            {
                "folder": str(each.folder.root),
                "kinds": {
                    kind.value: {
                        "files": _totals([each], kind)[0],
                        "bytes": _totals([each], kind)[1],
                        "paths": [str(one.path) for one in each.items if one.kind is kind],
                        "kept": [
                            {"why": why, "files": number, "bytes": kept}
                            for why, number, kept in _kept([each], kind)
                        ],
                    }
                    for kind in kinds
                },
            }
            for each in found
        ],
    }
