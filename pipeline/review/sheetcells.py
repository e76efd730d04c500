"""What a person typed into the columns of decisions in a results file becomes decisions. Pure.

A cell that is not what was written last was typed by a person. What was written last is known by
the last decision that there was at that time, and by the cells that differed from it already then.
Where both the cell and the page changed, the page's stands, and the cell is told of.

Tested in tests/review/test_sheetcells.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pipeline.manifest.resultcolumns import DECISION_COLUMNS, NEW_PROMPT, NOTE, REVIEW
from pipeline.manifest.wording import shorten
from pipeline.model import Decision
from pipeline.review.takes import TakeFile
from pipeline.review.verdicts import (
    APPROVE,
    REJECT,
    TAKEN_BACK,
    Take,
    UnfitDecision,
    clean,
    content_of,
    latest_of,
)

Cells = Mapping[str, str]
"""What the columns of decisions say in a row, by the columns' short names."""

_WORDS = {
    APPROVE: ("approve", "ok", "yes", "y", "ja", "oui", "si", "sí", "1", "✓", "✔"),
    REJECT: ("reject", "no", "n", "nein", "non", "0", "✗", "✘"),
    TAKEN_BACK: ("",),
}
_VERDICT_OF = {word: verdict for verdict, words in _WORDS.items() for word in words}
_BETWEEN = ": "
_VARIATION = "\ufe0f"
"""Makes a picture of the sign before it."""


def shown(decision: Decision | None) -> dict[str, str]:
    """Return what the columns say of a decision."""
    if decision is None:
        return dict.fromkeys(DECISION_COLUMNS, "")
    note = _BETWEEN.join(filter(None, (decision.reason, decision.note)))
    return {REVIEW: decision.verdict, NOTE: note, NEW_PROMPT: decision.prompt}


def verdict_of(text: str) -> str | None:
    """Return the verdict that a word stands for; None if it stands for none."""
    return _VERDICT_OF.get(text.replace(_VARIATION, "").strip().rstrip(".!").casefold())


@dataclass(frozen=True, slots=True)
class TypedRow:
    """A row of a results file: which take its cells are about, what they say, and where they are.

    `before` is what they said when the file was written or read last, where that is not what the
    journal said then; `unread` are those of them that were not understood. `take` is None where
    there is no video. `prompt_hash` is that of the text in the manifest.
    """

    name: str
    entry: str
    take: TakeFile | None
    cells: Cells
    places: Mapping[str, str]
    prompt_hash: str = ""
    before: Cells = field(default_factory=dict)
    unread: Cells = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReadCells:
    """What was read of a file.

    `decisions` are new. `lines` tell of cells that do not count, `unread` are those that were not
    understood, by the names of their rows; they stay as they are. `lossy` says that something typed
    is overruled by what stands.
    """

    decisions: tuple[Decision, ...] = ()
    lines: tuple[str, ...] = ()
    unread: Mapping[str, Cells] = field(default_factory=dict)
    lossy: bool = False


def read_cells(
    rows: Iterable[TypedRow], existing: Sequence[Decision], seen: int, at: float
) -> ReadCells:
    """Return what the cells of a results file say that was not known before.

    Args:
        rows: the rows of the file.
        existing: all decisions of the journal.
        seen: the place of the last one when the file was written, or read, last.
        at: the time in Unix seconds.

    """
    reader = _Reader(existing, seen, at)
    for row in rows:
        reader.read(row)
    return ReadCells(tuple(reader.decisions), tuple(reader.lines), reader.unread, reader.lossy)


class _Reader:
    def __init__(self, existing: Sequence[Decision], seen: int, at: float) -> None:
        self._now = latest_of(existing)
        self._then = latest_of(one for one in existing if one.seq <= seen)
        self._later: dict[Take, list[dict[str, str]]] = {}
        for one in existing:
            if one.seq > seen:
                self._later.setdefault((one.entry, one.number), []).append(shown(one))
        self._at = at
        self.decisions: list[Decision] = []
        self.lines: list[str] = []
        self.unread: dict[str, dict[str, str]] = {}
        self.lossy = False

    def read(self, row: TypedRow) -> None:
        number = row.take.number if row.take else 0
        then = {**shown(self._then.get((row.entry, number))), **row.before}
        typed = {name: text for name, text in row.cells.items() if not _is_same(text, then[name])}
        # What was not understood before stays, and is told of once.
        kept = {name: text for name, text in row.unread.items() if name not in typed}
        if kept:
            self.unread.setdefault(row.name, {}).update(kept)
        if row.take is None:
            self._leave(row, typed, "the row has no video yet")
            return
        now = self._now.get((row.entry, number))
        typed = dict(self._not_known(row, number, typed))
        decided = self._decide(row, row.take, now, typed)
        if decided is not None:
            self.decisions.append(decided)

    def _not_known(
        self, row: TypedRow, number: int, typed: Mapping[str, str]
    ) -> Iterator[tuple[str, str]]:
        """Yield the cells that say something new, and tell of those that stand against the page."""
        take = (row.entry, number)
        now, then = shown(self._now.get(take)), shown(self._then.get(take))
        for name, text in typed.items():
            said = text
            if name == REVIEW and (verdict := verdict_of(text)) is not None:
                said = verdict
            if _is_same(said, now[name]):
                continue
            if now[name] == then[name]:
                yield name, text
                continue
            if any(_is_same(said, one[name]) for one in self._later.get(take, ())):
                continue  # it was said, and something else after that
            self.lossy = True
            self.lines.append(
                f"{row.places[name]}: {_quote(text)} was typed here, and {_quote(now[name])} was "
                "decided elsewhere meanwhile; the latter stands"
            )

    def _decide(
        self, row: TypedRow, take: TakeFile, now: Decision | None, typed: Mapping[str, str]
    ) -> Decision | None:
        """Return the decision that stands and what was typed together; None if nothing counts."""
        stands = now or Decision(row.entry, take.number, take.video.sha256, TAKEN_BACK)
        said = replace(
            stands, sha256=take.video.sha256, source="sheet", reviewer="", at=self._at, seq=0
        )
        counts = {}
        for name, text in typed.items():
            if name == REVIEW and verdict_of(text) is None:
                self._leave(row, {name: text}, "it is neither approve nor reject")
            else:
                counts[name] = text
        if not counts:
            return None
        if REVIEW in counts:
            verdict = verdict_of(counts[REVIEW]) or TAKEN_BACK
            said = replace(said, verdict=verdict, reason=said.reason if verdict == REJECT else "")
        if NOTE in counts:
            said = _with_note(said, counts[NOTE].strip())
        if NEW_PROMPT in counts:
            said = replace(said, prompt=counts[NEW_PROMPT].strip(), prompt_of=row.prompt_hash)
        try:
            said = clean(said)
        except UnfitDecision as error:
            self._leave(row, counts, str(error))
            return None
        return None if content_of(said) == content_of(stands) else said

    def _leave(self, row: TypedRow, cells: Cells, why: str) -> None:
        """Leave cells as they are, and tell of them.

        A word that would be a verdict does not stay: it would look as if the video to come had it.
        """
        for name, text in cells.items():
            if not text.strip():
                continue
            self.lines.append(f"{row.places[name]}: {_quote(text)} does not count: {why}")
            if name == REVIEW and verdict_of(text) is not None:
                self.lossy = True
            else:
                self.unread.setdefault(row.name, {})[name] = text


def _with_note(decision: Decision, text: str) -> Decision:
    """Take the reason from the beginning of a note, where it still stands there."""
    reason = decision.reason
    if reason and (text == reason or text.startswith(reason + _BETWEEN)):
        return replace(decision, note=text[len(reason) :].removeprefix(_BETWEEN).strip())
    return replace(decision, reason="", note=text)


def _is_same(one: str, other: str) -> bool:
    return " ".join(one.split()) == " ".join(other.split())


def _quote(text: str) -> str:
    plain = shorten(" ".join(text.split()))
    return f'"{plain}"' if plain else "nothing"
