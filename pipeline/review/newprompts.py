"""New prompts of rejected takes are part of their rows. Pure.

A row has the new prompt of its newest take, if that was rejected with one. Otherwise it has the one
that its latest attempt was made of, whatever was decided after that: so the row does not count as
edited, and nobody pays for the old text again. A new prompt replaces one text of the manifest. Once
that was changed, the manifest's text counts, and it is said.

Tested in tests/review/test_newprompts.py.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pipeline.checker.check import CheckedManifest
from pipeline.checker.rules import Draft, content_of, make_request
from pipeline.checker.unmeant import judge_prompt
from pipeline.lifecycle import PAID
from pipeline.manifest.blank import strip_blanks
from pipeline.model import Decision, Entry, Problem, Severity
from pipeline.process.collector import pause_collector
from pipeline.review.cards import hash_of
from pipeline.review.verdicts import APPROVE, REJECT, latest_of


@dataclass(frozen=True, slots=True)
class Judged:
    """A journal's entries, by the keys that their rows have now, and what was decided.

    `takes` are the numbers of the takes of an entry, in order, by its identity.
    """

    entries: Mapping[str, Entry]
    takes: Mapping[str, Sequence[int]]
    decisions: Sequence[Decision]


def takes_of(attempts: Iterable[Entry]) -> dict[str, list[int]]:
    """Return the numbers of the attempts with videos, by the identities of their entries."""
    takes: defaultdict[str, list[int]] = defaultdict(list)
    for one in attempts:
        if one.video is not None:
            takes[one.identity].append(one.attempt.number)
    return takes


@pause_collector()
def with_decisions(
    checked: CheckedManifest, judged: Judged, allowed: Collection[str] = ()
) -> CheckedManifest:
    """Return a manifest with the new prompts of its rows, and what else was decided about them.

    Args:
        checked: the manifest as it was read.
        judged: what was decided.
        allowed: the codes of texts that are meant although they look as if they were not.

    """
    work = _Work(checked, judged, allowed)
    for key, row in zip(checked.keys, checked.manifest.rows, strict=True):
        entry = judged.entries.get(key)
        draft = checked.drafts.get(row.number)
        if entry is not None:
            work.judge(key, entry, draft)
        elif draft is not None and work.of_gone:
            work.follow(draft)
    problems = [*checked.problems, *work.problems]
    return replace(
        checked,
        drafts={number: work.drafts.get(number, one) for number, one in checked.drafts.items()},
        sheet_prompts={number: checked.drafts[number].prompt for number in work.drafts},
        problems=tuple(sorted(problems, key=lambda one: one.row or 0)),
        rejected=frozenset(work.rejected),
        wanted=frozenset(work.wanted),
    )


@dataclass
class _Work:
    checked: CheckedManifest
    judged: Judged
    allowed: Collection[str]
    drafts: dict[int, Draft] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    rejected: set[str] = field(default_factory=set)
    wanted: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Sort what was decided by entries."""
        latest = latest_of(self.judged.decisions)
        self._latest: defaultdict[str, dict[int, Decision]] = defaultdict(dict)
        for (entry, number), one in latest.items():
            self._latest[entry][number] = one
        self._with_prompts: defaultdict[str, list[Decision]] = defaultdict(list)
        for one in self.judged.decisions:
            if one.prompt:
                self._with_prompts[one.entry].append(one)
        keys = {*self.checked.keys}
        gone = (one for key, one in self.judged.entries.items() if key not in keys)
        self.of_gone = [*self._made_of_new(gone)]

    def _made_of_new(self, entries: Iterable[Entry]) -> Iterable[tuple[Decision, Entry]]:
        """Yield the entries whose latest attempt was made of a new prompt, with the decision."""
        for entry in entries:
            for one in self._with_prompts.get(entry.identity, ()):
                if hash_of(strip_blanks(one.prompt)) == hash_of(entry.attempt.request.prompt):
                    yield one, entry

    def judge(self, key: str, entry: Entry, draft: Draft | None) -> None:
        """Take in what was decided about the takes of a row."""
        said = self._latest.get(entry.identity, {})
        takes = self.judged.takes.get(entry.identity, ())
        newest = said.get(takes[-1]) if takes else None
        if newest is not None and newest.verdict == REJECT:
            self.rejected.add(key)
            approved = any(said[number].verdict == APPROVE for number in takes if number in said)
            if not approved and entry.state not in PAID:
                self.wanted.add(key)
        if draft is None:
            return
        if newest is not None and newest.verdict == REJECT and newest.prompt:
            self._take_new(key, draft, newest)
            return
        used = [one for one, _ in self._made_of_new([entry])]
        self._take_used(draft, used, entry)

    def _take_new(self, key: str, draft: Draft, decision: Decision) -> None:
        prompt = strip_blanks(decision.prompt)
        if hash_of(prompt) == hash_of(draft.prompt):
            return
        unmeant = judge_prompt(prompt)
        if unmeant is not None and unmeant.code not in self.allowed:
            self.wanted.discard(key)
            self._warn(draft, decision, f"does not count. {unmeant.sentence}")
        elif _replaces(decision, draft):
            self.drafts[draft.row] = draft._replace(prompt=prompt)
        else:
            self._warn(draft, decision, _OUTDATED)

    def _take_used(self, draft: Draft, used: Sequence[Decision], entry: Entry) -> None:
        made_of = entry.attempt.request.prompt
        if not used or hash_of(made_of) == hash_of(draft.prompt):
            return
        if any(_replaces(one, draft) for one in used):
            self.drafts[draft.row] = draft._replace(prompt=made_of)
        else:
            self._warn(draft, used[-1], _OUTDATED)

    def follow(self, draft: Draft) -> None:
        """Give a row of another key the new prompt with which its request was an entry's."""
        for decision, entry in self.of_gone:
            if not _replaces(decision, draft):
                continue
            new = draft._replace(prompt=entry.attempt.request.prompt)
            images = self.checked.images.get(draft.row, ())
            request = make_request(new, images, self.checked.model)
            if content_of(request) == content_of(entry.attempt.request):
                self.drafts[draft.row] = new
                return

    def _warn(self, draft: Draft, decision: Decision, what: str) -> None:
        message = f"The new prompt that was given for take {decision.number} {what}"
        at = self.checked.fields.get("prompt")
        self.problems.append(
            Problem(
                "new_prompt_left_out",
                message,
                Severity.WARNING,
                row=draft.row,
                column=None if at is None else self.checked.manifest.headers[at],
                key=draft.key,
            )
        )


_OUTDATED = (
    "is not used: the prompt in the manifest was changed after that, and counts. Give a new prompt "
    "again if it should stand in its place."
)


def _replaces(decision: Decision, draft: Draft) -> bool:
    """Return whether a new prompt was given in the place of what the manifest says."""
    return decision.prompt_of in {"", hash_of(draft.prompt)}
