"""Files of decisions, from one person to another: JSON, and CSV for a spreadsheet program.

Both hold the same columns. The CSV names the journal in each line, the JSON once. `key` is there
for people; what counts is the entry, because a row may be called otherwise by now.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

from pipeline.disk.openfile import read_regular
from pipeline.errors import UsageError
from pipeline.manifest.plaintext import guard_within, unguard_within
from pipeline.model import Decision, shown_key
from pipeline.review.verdicts import UnfitDecision, clean

_KIND = "reelsheet decisions"
_SCHEMA = 1
_TEXTS = (
    "entry",
    "sha256",
    "verdict",
    "reason",
    "note",
    "prompt",
    "prompt_of",
    "reviewer",
)
COLUMNS = ("key", "entry", "number", *_TEXTS[1:], "at")
"""The columns of a decision in both kinds of files."""
_CSV_COLUMNS = (*COLUMNS, "journal")
_MOST_BYTES = 200 * 1024 * 1024
_UNPLAIN = re.compile(r"[^\w.-]+")
_FROM_PAGE = "Save the decisions in the page again."


@dataclass(frozen=True, slots=True)
class DecisionsFile:
    """What a file of decisions says, by the journals it says it of; `unfit` are about bad ones.

    A file of a page that shows several manifests has decisions of several journals.
    """

    parts: Mapping[str, tuple[Decision, ...]]
    unfit: tuple[str, ...]

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """All of them."""
        return tuple(one for part in self.parts.values() for one in part)

    @property
    def journal(self) -> str:
        """The id of the only journal; empty where there are several, or none is named."""
        return next(iter(self.parts), "") if len(self.parts) < 2 else ""  # noqa: PLR2004


def name_of_file(manifest: Path) -> str:
    """Return what the file of all decisions about a manifest is called."""
    return f"decisions-{_UNPLAIN.sub('_', manifest.stem).strip('._') or '_'}.json"


def write_json(journal: str, manifest: str, decisions: Iterable[tuple[str, Decision]]) -> str:
    """Return decisions as JSON.

    Args:
        journal: the id of the journal.
        manifest: the name of the manifest.
        decisions: each with the key that its row has now.

    """
    document = {
        "kind": _KIND,
        "schema": _SCHEMA,
        "journal": journal,
        "manifest": manifest,
        "decisions": [_values(key, one) for key, one in decisions],
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def write_csv(journal: str, decisions: Iterable[tuple[str, Decision]]) -> str:
    """Return decisions as CSV, with a mark by which Excel knows that it is UTF-8.

    `journal` is its id; each decision comes with the key that its row has now.
    """
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow(_CSV_COLUMNS)
    for key, one in decisions:
        values = {**_values(key, one), "journal": journal}
        lines.writerow([guard_within(str(values[name])) for name in _CSV_COLUMNS])
    return "\ufeff" + text.getvalue()


def _values(key: str, decision: Decision) -> dict[str, object]:
    texts = {name: getattr(decision, name) for name in _TEXTS}
    return {
        "key": shown_key(key),
        "entry": texts.pop("entry"),
        "number": decision.number,
        **texts,
        "at": datetime.fromtimestamp(decision.at, UTC).isoformat(timespec="milliseconds"),
    }


def read_file(path: Path) -> DecisionsFile:
    """Read a file of decisions, JSON or CSV; raises UsageError where it is none."""
    try:
        content = read_regular(path, _MOST_BYTES)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}.") from error
    if len(content) > _MOST_BYTES:
        raise UsageError(f"{path} has more than {_MOST_BYTES:,} bytes: it holds no decisions.")
    return parse(path, content)


def parse(path: Path, content: bytes) -> DecisionsFile:
    """Understand the content of a file of decisions; raises UsageError where it is none."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{path} is not UTF-8 text, as a file of decisions is.",
            action="In Excel save it as `CSV UTF-8 (comma delimited)`.",
        ) from error
    named, found = _read_json(path, text) if text.lstrip()[:1] == "{" else _read_csv(path, text)
    return _understand(path, named, found)


_Found: TypeAlias = tuple[Sequence[str], Sequence[Mapping[str, object]]]
"""The journals that a file names for all of its decisions, and the decisions."""


def _read_json(path: Path, text: str) -> _Found:
    try:
        document: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not whole: {error}.", action=_FROM_PAGE) from error
    listed = document.get("decisions")
    if document.get("kind") != _KIND or not isinstance(listed, list):
        raise UsageError(f"{path} holds no decisions of reelsheet.", action=_FROM_PAGE)
    if document.get("schema") != _SCHEMA:
        raise UsageError(
            f"{path} was written by a newer version of reelsheet.", action="Update reelsheet."
        )
    journal = str(document.get("journal", ""))
    decisions = [{"journal": journal, **one} for one in listed if isinstance(one, dict)]
    return ([journal] if journal else []), decisions


def _read_csv(path: Path, text: str) -> _Found:
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        lines = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise UsageError(f"{path} cannot be read as CSV: {error}.") from error
    head = [name.strip() for name in next(csv.reader([first], delimiter=delimiter), [])]
    missing = [name for name in ("entry", "number", "sha256", "verdict") if name not in head]
    if missing:
        raise UsageError(
            f"{path} holds no decisions of reelsheet: there is no column {', '.join(missing)}.",
            action="Name a file that the page or `reelsheet review --export` wrote.",
        )
    return [], [
        {str(name).strip(): unguard_within(text) for name, text in line.items() if text is not None}
        for line in lines
        if None not in line
    ]


def _understand(
    path: Path, named: Sequence[str], found: Sequence[Mapping[str, object]]
) -> DecisionsFile:
    parts: dict[str, list[Decision]] = {name: [] for name in named}
    unfit = []
    for number, values in enumerate(found, start=1):
        try:
            decision = clean(_decision(values))
            parts.setdefault(str(values.get("journal", "")), []).append(decision)
        except (ValueError, OverflowError, OSError) as error:
            unfit.append(f"{path}, decision {number}: {error}.")
    return DecisionsFile({name: tuple(part) for name, part in parts.items()}, tuple(unfit))


def _decision(values: Mapping[str, object]) -> Decision:
    texts = {name: values.get(name) or "" for name in _TEXTS}
    wrong = [name for name, text in texts.items() if not isinstance(text, str)]
    if wrong:
        raise UnfitDecision(f"{wrong[0]} is no text")
    said = {name: str(text) for name, text in texts.items()}
    number, at = int(str(values.get("number", "0"))[:20]), seconds_of(values.get("at"))
    decision = Decision(said["entry"], number, said["sha256"], said["verdict"], at=at)
    return replace(
        decision,
        reason=said["reason"],
        note=said["note"],
        prompt=said["prompt"],
        prompt_of=said["prompt_of"],
        reviewer=said["reviewer"],
        source="file",
    )


def seconds_of(moment: object) -> float:
    """Return a time, ISO 8601 or Unix seconds, in Unix seconds; 0 where none is said."""
    if moment in (None, ""):
        return 0.0
    try:
        at = float(str(moment))
    except ValueError:
        at = datetime.fromisoformat(str(moment)).timestamp()
    if not (math.isfinite(at) and 0 <= at < 1e11):  # noqa: PLR2004 - the year 5138
        raise UnfitDecision(f"{str(moment)[:40]!r} is no time")
    return at
