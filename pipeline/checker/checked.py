"""A manifest and everything that a check found out about it.

Tested in tests/checker/test_check.py.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from pipeline.checker import rules
from pipeline.checker.columnreport import NOTHING_READ, ColumnsRead
from pipeline.checker.packeddrafts import KeyedRequests, PackedDrafts, PackedRequests
from pipeline.manifest.columns import MODEL_COLUMN
from pipeline.manifest.earlier import NEW, Reading
from pipeline.manifest.packedrows import numbers_of
from pipeline.model import Manifest, Picture, Problem, Request, Row, Severity
from pipeline.process.collector import pause_collector

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


@dataclass(frozen=True)
class CheckedManifest:
    """A manifest and everything that a check found out about it.

    `fields` maps each field with a column to its index in the headers, `keys` has a key for a row.
    `drafts` has the valid rows by their physical row number, `images` the pictures sent with each
    (URLs and `sha256:<hex>`), `pictures` the local ones by their `sha256`, `files` their files;
    `held` are rows that break no rule but are certainly not meant to be paid for: they are not
    sent. `problems` are sorted, those of the whole file first; `columns` says what is read,
    `reading` how runs to come read it. `sheet_prompts` are the prompts of the manifest where a new
    one from a review stands in their place, `rejected` the keys of rows whose latest take was,
    `wanted` of those of them that have no approved one either.
    """

    manifest: Manifest
    fields: dict[str, int]
    keys: tuple[str, ...]
    drafts: Mapping[int, rules.Draft]
    images: dict[int, tuple[str, ...]]
    model: str
    pictures: dict[str, Picture]
    problems: tuple[Problem, ...]
    files: tuple[Path, ...] = ()
    held: Mapping[int, rules.Draft] = field(default_factory=dict)
    columns: ColumnsRead = NOTHING_READ
    reading: Reading = NEW
    sheet_prompts: dict[int, str] = field(default_factory=dict)
    rejected: frozenset[str] = frozenset()
    wanted: frozenset[str] = frozenset()

    @cached_property
    def requests(self) -> Mapping[int, Request]:
        """The requests of the valid rows, by their physical row number; a check makes none."""
        if isinstance(self.drafts, PackedDrafts):
            return PackedRequests(self.drafts, self.images, self.model)
        with pause_collector():
            return {
                number: rules.make_request(draft, self.images.get(number, ()), self.model)
                for number, draft in self.drafts.items()
            }

    @property
    def models(self) -> tuple[str, ...]:
        """The models that rows have, each once."""
        if MODEL_COLUMN not in self.reading.read.values():
            return (self.model,)
        return tuple(dict.fromkeys(one.form.model or self.model for one in self.drafts.values()))

    def validity(self) -> Iterator[tuple[str, bool]]:
        """Return the key of each row, and whether the row could be sent."""
        drafts = self.drafts
        if isinstance(drafts, PackedDrafts):
            return zip(self.keys, drafts.validity(), strict=True)
        numbers = numbers_of(self.manifest.rows)
        return ((key, one in drafts) for key, one in zip(self.keys, numbers, strict=True))

    def with_held(self) -> CheckedManifest:
        """Return the same with all that the rows ask for, also those that are held."""
        if not self.held:
            return self
        return replace(self, drafts=dict(sorted({**self.drafts, **self.held}.items())), held={})

    @cached_property
    def requests_by_key(self) -> Mapping[str, Request]:
        """The same requests by the keys of their rows; rows that break a rule have none."""
        requests = self.requests
        if isinstance(requests, PackedRequests):
            return KeyedRequests(requests)
        rows = zip(self.keys, self.manifest.rows, strict=True)
        return {key: requests[row.number] for key, row in rows if row.number in requests}

    @cached_property
    def requests_by_hash(self) -> dict[str, Request]:
        """The same requests by their hashes, by which the journal knows them."""
        return {request.request_hash: request for request in self.requests.values()}

    def sheet_prompt(self, row: int) -> str:
        """Return the prompt of a row as the manifest has it, be the row valid or not."""
        if row in self.sheet_prompts:
            return self.sheet_prompts[row]
        draft = self.drafts.get(row) or self.held.get(row)
        if draft is not None:
            return draft.prompt
        at = self.fields.get("prompt")
        return "" if at is None else self._rows[row].cells[at].strip()

    @cached_property
    def _rows(self) -> dict[int, Row]:
        return {row.number: row for row in self.manifest.rows}

    @property
    def valid(self) -> int:
        """How many rows could be sent."""
        return len(self.drafts)

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that keep a row, or the whole file, from being sent."""
        return tuple(filter(is_error, self.problems))

    @property
    def file_errors(self) -> tuple[Problem, ...]:
        """The errors of the whole file: as long as there are any, no row can be sent."""
        return tuple(filter(is_error, self.problems_of(None)))

    def problems_of(self, row: int | None) -> tuple[Problem, ...]:
        """Return the problems of a physical row number; None for those of the whole file."""
        return self._by_row.get(row, ())

    @cached_property
    def _by_row(self) -> dict[int | None, tuple[Problem, ...]]:
        rows: defaultdict[int | None, list[Problem]] = defaultdict(list)
        for problem in self.problems:
            rows[problem.row].append(problem)
        return {row: tuple(problems) for row, problems in rows.items()}


def is_error(problem: Problem) -> bool:
    """Tell whether a problem keeps a row, or the whole file, from being sent."""
    return problem.severity is Severity.ERROR
