"""A plan is held against the past: what was bought before, in this output folder or elsewhere.

Which rows are repeats, and which manifest looks like another edition of a table, are pure decisions
(`planner.repeats`, `planner.editions`). Here is what they need to know, from journal, book and
disk, and how a person is told.

Tested in tests/runner/test_reuse.py and tests/system/test_repeats.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain

from pipeline.account.submission import COUNTING, Submission
from pipeline.checker.check import CheckedManifest
from pipeline.checker.rules import content_of
from pipeline.config.settings import Config
from pipeline.disk.folder import OutputFolder
from pipeline.disk.sqlitefile import text_of
from pipeline.errors import UsageError
from pipeline.journal.ownership import read_notes
from pipeline.manifest.invocation import Invocation
from pipeline.manifest.wording import agree, count
from pipeline.model import Entry, Request
from pipeline.planner.editions import LEAST_ROWS, SameTable, Sibling, keys_to_ask_for, widen
from pipeline.planner.plan import Action, Plan, Step, limit_submissions
from pipeline.planner.planner import (
    can_download_again,
    own_attempts,
    plan_manifest,
    price,
)
from pipeline.planner.repeats import Compared, History, Repeats, find_repeats
from pipeline.planner.selection import Selection
from pipeline.runner import takes
from pipeline.runner.piloting import describe_price, note_of, with_pilot
from pipeline.runner.sametable import alike, editions_elsewhere, find_edition, find_way_on, followed
from pipeline.storage.storedfiles import StoredFile
from pipeline.writer.advice import list_keys
from pipeline.writer.outcome import say_unmet

_SERIES_FROM = "series_from"
"""The name under which the journal of a series notes the journals whose rows it took over."""

_OWN_TABLE = "own_table"
"""The name under which a journal notes that its manifest is no edition of another's table."""

_SUSPECT = "looks_like_edition"
"""The name under which it notes that the manifest looks like one, and that some rows were bought.

The rest is asked about however few rows are left.
"""


def _wants_video(step: Step) -> bool:
    """Return whether a row would take a video, be it only one that costs nothing."""
    return step.action is Action.SUBMIT or step.past_help is not None


@dataclass
class Comparison:
    """A plan, and the past that its rows are held against.

    `entries` is what the journal knows, by the keys that the rows have now, `notes` what it keeps
    besides. `begins_with` are the journals that a series took over. The whole plan is that of a
    selection which nothing narrows. `typed` is what the user named.
    """

    checked: CheckedManifest
    entries: Mapping[str, Entry]
    config: Config
    selection: Selection
    folder: OutputFolder
    purchases: takes.Purchases
    _plan: Plan
    _whole: Plan
    _history: History
    _files: takes.TakeFiles
    _requests: Mapping[str, Request] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    begins_with: Sequence[str] = ()
    siblings: Sequence[Sibling] = ()
    typed: Invocation | None = None

    @classmethod
    def of(
        cls,
        checked: CheckedManifest,
        entries: Mapping[str, Entry],
        folder: OutputFolder,
        selection: Selection,
        *,
        config: Config,
        purchases: takes.Purchases,
        renamed: Mapping[str, str] | None = None,
        siblings: Sequence[Sibling] = (),
        wall: float | None = None,
        typed: Invocation | None = None,
        adopt: bool = False,
    ) -> Comparison:
        """Plan a manifest, and gather what its rows are compared with.

        Args:
            checked: The manifest with its keys and requests.
            entries: What the journal knows, by the keys that the rows have now.
            folder: The output folder.
            selection: What the run is asked to do.
            config: The configuration.
            purchases: What the account bought.
            renamed: The earlier keys of renamed rows, by their keys now.
            siblings: The manifests that the same run buys for, too.
            wall: The time of the plan in Unix seconds; None: now.
            typed: What the user named, for a message.
            adopt: Whether the user says that the manifest is an edition of one that is gone.

        Raises:
            StoreError: Journal or book cannot be read.

        """
        # Repeats are no submissions, so the limit is for what is left without them.
        unlimited = replace(selection, limit=None)
        plan = plan_manifest(checked, entries, folder, unlimited, renamed=renamed, wall=wall)
        wide, whole = widen(selection), plan
        if wide != unlimited:
            whole = plan_manifest(checked, entries, folder, wide, renamed=renamed, wall=wall)
        both = plan if whole is plan else Plan((*plan.steps, *whole.steps))
        requests = checked.requests_by_key
        present = frozenset(checked.keys if entries else ())
        if folder.holds_part_of_rows(checked.manifest.path):
            present |= entries.keys()  # its other rows are in the manifest that it was made of
        own = own_attempts(both, entries, folder, checked.manifest.path, present)
        near = takes.rows_alike(purchases, checked, own)
        wanted = (step for step in both.steps if near is None or step.key in near)
        asked_for = (requests[step.key] for step in wanted if _wants_video(step))
        elsewhere = takes.bought_elsewhere(purchases, asked_for)
        notes = read_notes(folder.journal)
        begins_with = notes.get(_SERIES_FROM, "").split()
        if config.manifest.series is not None:
            asked = keys_to_ask_for(whole, entries, ())
            editions = editions_elsewhere(asked, folder, purchases, least=1)
            path = text_of(checked.manifest.path.resolve())
            found = [one for one in editions if one.manifest == path]
            is_new = not begins_with and not any(one.submissions for one in entries.values())
            called = config.manifest.series if is_new else None
            found += followed(asked, editions, called, adopt=adopt)
            begins_with = [*dict.fromkeys((*begins_with, *(one.journal_id for one in found)))]
        bought = chain.from_iterable(map(purchases.bought_for, begins_with))
        earlier = {one.key: one for one in bought if one.state in COUNTING}
        known = (*chain(*elsewhere.values()), *chain(*own.values()), *earlier.values())
        files = takes.TakeFiles(known, purchases.copies_of)
        again = (one for one in known if one.journal_id and one.reference in files.unusable)
        fetchable = frozenset(one.reference for one in again if can_download_again(one, wall))
        judged = takes.judged_elsewhere(known)
        history = History(
            elsewhere, own, earlier, present, files.unusable, fetchable, *judged, alike=near
        )
        return cls(
            checked,
            entries,
            config,
            selection,
            folder,
            purchases,
            plan,
            whole,
            history,
            files,
            requests,
            notes,
            begins_with,
            alike(checked, config, siblings),
            typed,
        )

    def compare(self) -> Compared:
        """Return the plan with its repeats, within its pilot and the limit of the selection."""
        compared = with_pilot(
            self._find_repeats(self._plan, self.selection),
            self.checked,
            self._requests,
            self.entries,
            folder=self.folder,
            selection=self.selection,
            config=self.config,
            notes=self.notes,
        )
        return replace(compared, plan=limit_submissions(compared.plan, self.selection.limit))

    def _find_repeats(self, plan: Plan, selection: Selection) -> Compared:
        return find_repeats(
            plan,
            self._requests,
            self.entries,
            self._history,
            selection=selection,
            setting=Repeats(self.config.repeats),
        )

    @cached_property
    def _asked(self) -> tuple[str, ...]:
        """The keys of all new rows that are to be paid for, however few the selection names."""
        return self._keys_to_ask_for(self._find_repeats(self._whole, widen(self.selection)))

    def _keys_to_ask_for(self, compared: Compared) -> tuple[str, ...]:
        """Leave out the rows whose very request was bought before, or is for a sibling."""
        bought = {content for one in self.siblings for content in one.contents.values()}
        if self.config.repeats == "pay":
            bought.update(self._history.elsewhere)
        keys = keys_to_ask_for(compared.plan, self.entries, compared.named)
        if not bought:
            return keys
        return tuple(key for key in keys if content_of(self._requests[key]) not in bought)

    @cached_property
    def _same_table(self) -> SameTable | None:
        """Why the manifest looks like another edition of a table; None if it does not."""
        least = 1 if _SUSPECT in self.notes else LEAST_ROWS
        return find_edition(self._asked, self.folder, self.purchases, self.siblings, least)

    def as_sibling(self, plan: Plan) -> Sibling:
        """Return what the manifests that are run with this one must know of what it buys."""
        submits = (step.key for step in plan.of(Action.SUBMIT))
        contents = {key: content_of(self._requests[key]) for key in submits}
        path = self.checked.manifest.path.resolve()
        return Sibling(text_of(self.folder.root.resolve()), text_of(path), contents)

    def coming(self, plan: Plan) -> list[Submission]:
        """Return what a run will buy by a plan, as if it were being submitted."""
        manifest = self.checked.manifest.path.resolve()
        return takes.coming_by(plan, self._requests, self.folder.root.resolve(), manifest)

    def refuse_edition(self, compared: Compared) -> UsageError | None:
        """Return why the manifest should not be paid for before somebody has looked at it.

        None where it does not look like another edition of a table, see `planner.editions`, and
        where nothing would be paid for but what `--pay-again` names.

        Args:
            compared: The plan with its repeats.

        Raises:
            StoreError: The book cannot be read.

        """
        if _OWN_TABLE in self.notes or not compared.plan.of(Action.SUBMIT):
            return None
        if self._same_table is None or not self._keys_to_ask_for(compared):
            return None
        return self._refusal(self._same_table)

    def new_notes(self, compared: Compared) -> dict[str, str]:
        """Return what the journal is to note before anything of the plan is done.

        Once it is settled that a manifest is a table of its own it is not asked again: a run that
        was cut short goes on as it is. An order for some of its rows settles nothing for the rest.
        """
        part = self.folder.holds_part_of_rows(self.checked.manifest.path)
        noted = {} if part else note_of(compared.pilot, self.entries)
        if self.begins_with:
            noted[_SERIES_FROM] = "\n".join(self.begins_with)
        ordered = {step.key for step in compared.plan.of(Action.SUBMIT)}
        if not ordered or _OWN_TABLE in self.notes:
            pass
        elif not ordered.issuperset(self._asked):
            if self._same_table is not None:
                noted[_SUSPECT] = "yes"
        elif (
            self.selection.pay_again_all or len(self._asked) >= LEAST_ROWS or _SUSPECT in self.notes
        ):
            noted[_OWN_TABLE] = "yes"
        return {name: text for name, text in noted.items() if self.notes.get(name) != text}

    def _refusal(self, found: SameTable) -> UsageError:
        manifest = self.checked.manifest.path
        seconds, costs = price(found.known, self.checked, self.config)
        edition = found.edition
        bought = "this run buys" if edition.now else "were bought before"
        when = "once this run has ended, " if edition.now else ""
        typed = self.typed or Invocation(manifest)
        way = find_way_on(typed, self.config.manifest.series, self.folder, edition)
        return UsageError(
            f"{len(found.known):,} of the {len(found.asked):,} rows of {manifest} that would be "
            f"paid for have keys that {bought} in other words, most of them for "
            f"{edition.manifest}: {describe_price(seconds, costs, self.config)}.",
            action=f"If it is another edition of that table, {when}{way.sentences} Rows that were "
            "edited since keep their videos then. To pay for all of them: "
            f"{typed.command('run', '--pay-again', 'all')}.",
        )

    def describe_paid_again(self, compared: Compared) -> str | None:
        """Say what `--pay-again` and `--redo` pay for that was bought before; None if nothing."""
        keys, selection = compared.paid_again, self.selection
        if not keys:
            return None
        asked = {
            "--pay-again": selection.pay_again_all or selection.pay_again,
            "--redo": selection.redo_changed or selection.redone,
        }
        words = ", ".join(word for word, given in asked.items() if given)
        seconds, costs = price(keys, self.checked, self.config)
        return (
            f"{count(len(keys), 'row')} bought before {agree(len(keys), 'is', 'are')} paid for "
            f"again ({words}): {describe_price(seconds, costs, self.config)}"
        )

    def warnings(self, compared: Compared) -> tuple[str, ...]:
        """Return what should be read before a plan is paid for; raises StoreError."""
        edition = self.refuse_edition(compared)
        asked = None if edition is None else f"{edition.message} {edition.action}"
        found = (asked, self.describe_paid_again(compared))
        told = tuple(one for one in found if one is not None)
        return (*told, *say_unmet(compared.plan.steps), *self._say_beyond(compared))

    def asked_by_key(self, compared: Compared) -> list[str]:
        """Return the keys of the rows that are to be bought since they are named, in order.

        They are those of the plan without its limit.
        """
        asked = compared.named & (self.selection.redo | self.selection.pay_again)
        return [step.key for step in compared.plan.steps if step.key in asked] if asked else []

    def _say_beyond(self, compared: Compared) -> tuple[str, ...]:
        """Say which rows that are named are beyond the limit, or not of the pilot."""
        asked = frozenset(self.asked_by_key(compared))
        submits = {step.key for step in compared.plan.of(Action.SUBMIT) if step.key in asked}
        beyond = [key for key in self.asked_by_key(compared) if key not in submits]
        if not beyond:
            return ()
        are = agree(len(beyond), "is", "are")
        rows, pilot = count(len(beyond), "row"), compared.pilot
        waits = pilot is not None and (pilot.holds or pilot.terms.alone)
        why = "not of the pilot" if waits else "beyond --limit"
        return (f"{rows} asked for by key {are} {why}: {list_keys(beyond)}",)

    def file_of(self, bought: Submission) -> StoredFile:
        """Return the file from which the video of a submission is to be copied."""
        return self._files.file_of(bought)

    def pass_over(self, bought: Submission) -> None:
        """Take it from now on that the file of a submission is not its video; raises StoreError.

        Where there is no other one, its video cannot be had.
        """
        self._files.pass_over(bought)
        self._history = replace(self._history, unusable=self._files.unusable)
