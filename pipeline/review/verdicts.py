"""What counts of what people said about takes: pure, without a disk or a clock.

The latest decision about a take counts, whoever made it. A new take is open again, since no
decision is about it. Nobody's word is overruled unseen: whoever saves says which decision they had
before them, and of two files of decisions the later one does not overrule the earlier.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from pipeline.model import Decision

APPROVE, REJECT, TAKEN_BACK = "approve", "reject", ""
VERDICTS = (APPROVE, REJECT, TAKEN_BACK)
"""What can be said of a take; the last one takes back what was said."""
MOST_CHARACTERS = {"reason": 200, "note": 4_000, "prompt": 20_000, "reviewer": 80, "entry": 1_000}
"""How long what a person types can be."""
_HASH_CHARACTERS = 128
_MOST_NUMBER = 1_000_000

Take: TypeAlias = tuple[str, int]
"""A take of an entry: the entry's identity and the number of the attempt."""
Content: TypeAlias = tuple[str, str, str, str, str]


class UnfitDecision(ValueError):
    """A decision breaks a rule; the text says which."""


def clean(decision: Decision) -> Decision:
    """Return a decision without control characters; raises UnfitDecision if it breaks a rule."""
    if decision.verdict not in VERDICTS:
        raise UnfitDecision(f"the verdict {decision.verdict[:40]!r} is none of approve and reject")
    if not 0 < decision.number <= _MOST_NUMBER:
        raise UnfitDecision(f"{decision.number} is no number of a take")
    texts = {
        name: _printable(getattr(decision, name), lines=name in {"note", "prompt"})
        for name in ("reason", "note", "prompt", "reviewer")
    }
    for name, text in (*texts.items(), ("entry", decision.entry)):
        if len(text) > MOST_CHARACTERS[name]:
            most = MOST_CHARACTERS[name]
            raise UnfitDecision(f"the {name} has {len(text):,} characters, more than {most:,}")
    if max(len(decision.sha256), len(decision.prompt_of)) > _HASH_CHARACTERS:
        raise UnfitDecision("a hash is too long")
    return replace(
        decision,
        reason=texts["reason"],
        note=texts["note"],
        prompt=texts["prompt"],
        prompt_of=decision.prompt_of if texts["prompt"] else "",
        reviewer=texts["reviewer"],
    )


def _printable(text: str, *, lines: bool) -> str:
    """Drop control characters and halves of characters; line breaks stay where lines are meant."""
    unified = text.replace("\r\n", "\n").replace("\r", "\n")
    if not lines:
        unified = " ".join(unified.split("\n"))
    kept = (
        one for one in unified if one == "\n" or unicodedata.category(one) not in {"Cc", "Cs", "Cn"}
    )
    return "".join(kept).strip()


def take_of(decision: Decision) -> Take:
    """Return which take a decision is about."""
    return decision.entry, decision.number


def latest_of(decisions: Iterable[Decision]) -> dict[Take, Decision]:
    """Return the decision that counts about each take: the last one in the journal's order."""
    return {take_of(one): one for one in sorted(decisions, key=lambda one: one.seq)}


# Of a row's takes one is chosen, the newest approved one. Where none is approved, what is handed
# over passes a rejected take by; the results show the newest take with what was said of it.


def number_to_hand_over(numbers: Collection[int], verdicts: Mapping[int, str]) -> int | None:
    """Return the number of the take that can be handed over; None without any take.

    It is the newest approved one, else the newest that is not rejected, else the newest.
    """
    open_ones = [one for one in numbers if verdicts.get(one) != REJECT]
    return max(_approved(numbers, verdicts) or open_ones or numbers, default=None)


def number_in_results(numbers: Collection[int], verdicts: Mapping[int, str]) -> int:
    """Return the number of the take that the results show, of at least one.

    It is the newest approved one, else the newest, also if that was rejected.
    """
    return max(_approved(numbers, verdicts) or numbers)


def _approved(numbers: Collection[int], verdicts: Mapping[int, str]) -> list[int]:
    return [one for one in numbers if verdicts.get(one) == APPROVE]


def standing_of(numbers: Sequence[int], verdicts: Mapping[int, str]) -> str | None:
    """Return the verdict about a row with these takes; None without a take, "" if it is open.

    A new take is open again. A rejected one does not undo an earlier one that was approved.
    """
    if not numbers:
        return None
    verdict = verdicts.get(numbers[-1], TAKEN_BACK)
    return APPROVE if verdict == REJECT and _approved(numbers, verdicts) else verdict


def content_of(decision: Decision) -> Content:
    """Return what was said, whoever said it and when."""
    return (
        decision.verdict,
        decision.reason,
        decision.note,
        decision.prompt,
        decision.prompt_of,
    )


# Saving one by one, as the page does.


@dataclass(frozen=True, slots=True)
class Save:
    """A decision and the place of the one that its author had before them, 0 if there was none."""

    decision: Decision
    seen: int = 0


@dataclass(frozen=True, slots=True)
class Conflict:
    """A decision that does not count, because another one stands."""

    wanted: Decision
    stands: Decision


def weigh_saves(
    existing: Sequence[Decision], saves: Sequence[Save]
) -> tuple[list[Decision], list[Conflict]]:
    """Return the decisions to add, and those that another person's newer, other verdict forbids.

    What says the same as the one that counts is not added again.
    """
    counts = latest_of(existing)
    added: list[Decision] = []
    conflicts = []
    for save in saves:
        wanted = save.decision
        stands = counts.get(take_of(wanted))
        if stands is None:
            if content_of(wanted) == ("", "", "", "", ""):
                continue
        elif content_of(stands) == content_of(wanted):
            continue
        elif (
            stands.seq > save.seen
            and stands.reviewer != wanted.reviewer
            and stands.verdict != wanted.verdict
        ):
            conflicts.append(Conflict(wanted, stands))
            continue
        added.append(wanted)
        counts[take_of(wanted)] = wanted
    return added, conflicts


# A file of decisions.


@dataclass(frozen=True, slots=True)
class Import:
    """What becomes of the decisions of a file.

    `added` are new, `known` were there already or say the same. `skipped` pairs each that cannot be
    taken with the reason. `conflicts` do not count, or with `prefer` overrule what stood.
    """

    added: tuple[Decision, ...] = ()
    known: int = 0
    skipped: tuple[tuple[Decision, str], ...] = ()
    conflicts: tuple[Conflict, ...] = ()


def weigh_import(
    existing: Sequence[Decision],
    incoming: Sequence[Decision],
    videos: Mapping[Take, str],
    *,
    prefer: bool = False,
) -> Import:
    """Decide what of a file counts; importing it twice changes nothing.

    Args:
        existing: the decisions of the journal.
        incoming: those of the file, in their order.
        videos: the sha256 of each take's video.
        prefer: whether the file overrules what stands.

    """
    made = {(take_of(one), content_of(one), one.reviewer, round(one.at, 3)) for one in existing}
    counts = latest_of(existing)
    added: list[Decision] = []
    skipped, conflicts, known = [], [], 0
    last = {take_of(one): one for one in sorted(incoming, key=lambda one: one.at)}
    for take, wanted in last.items():
        reason = _why_not(wanted, videos)
        if reason is not None:
            skipped.append((wanted, reason))
            continue
        stands = counts.get(take)
        said = (take, content_of(wanted), wanted.reviewer, round(wanted.at, 3))
        if said in made or (stands is None and not any(content_of(wanted))):
            known += 1
            continue
        merged = wanted if stands is None else _merge(stands, wanted)
        if stands is not None and merged is None:
            conflicts.append(Conflict(wanted, stands))
            merged = wanted if prefer else None
        if merged is None:
            continue
        if stands is not None and content_of(merged) == content_of(stands):
            known += 1
            continue
        added.append(merged)
    return Import(tuple(added), known, tuple(skipped), tuple(conflicts))


def _why_not(wanted: Decision, videos: Mapping[Take, str]) -> str | None:
    video = videos.get(take_of(wanted))
    if video is None:
        return "there is no such take here"
    return None if video == wanted.sha256 else "it was made about another file"


def _merge(stands: Decision, wanted: Decision) -> Decision | None:
    """Return what both say together; None where they contradict each other.

    Who said something later may say something else. What was said before the one that stands, by
    the same person, is that one.
    """
    if stands.reviewer == wanted.reviewer:
        return wanted if wanted.at > stands.at else stands
    if stands.verdict != wanted.verdict and stands.verdict and wanted.verdict:
        return None
    texts = {}
    for name in ("verdict", "reason", "note", "prompt", "prompt_of"):
        mine, theirs = getattr(stands, name), getattr(wanted, name)
        if mine and theirs and mine != theirs:
            return None
        texts[name] = mine or theirs
    return replace(wanted, **texts)
