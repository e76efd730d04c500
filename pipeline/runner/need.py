"""What a plan needs on the disks, and how many of its rows will find room.

Tested in tests/system/test_small_disks.py and tests/cli/test_plan.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from pipeline.checker.packeddrafts import bundles_of, count_forms, drafts_of
from pipeline.checker.rules import Draft
from pipeline.engine.room import Asked, Several, Share, Sizes, bytes_of
from pipeline.model import Entry
from pipeline.planner.plan import Action, Plan
from pipeline.runner.storage import Storage


@dataclass(frozen=True, slots=True)
class Need:
    """What a manifest needs on the disk of its videos, or on the one that is short, in bytes.

    `order_bytes` are for what is ordered or copied, `paid_bytes` for what is paid for and not yet
    home, `other_bytes` for both of these of other manifests; `kept_bytes` stay free or are for
    records and results. Of its `rows` to be ordered so many will fit: `fits`. `folder` names the
    disk; `free_bytes` is None if it is not known. Sizes are `assumed` where none were seen yet.
    """

    folder: str
    free_bytes: int | None
    order_bytes: int
    paid_bytes: int
    other_bytes: int
    kept_bytes: int
    rows: int
    fits: int
    assumed: bool


def need_of(
    storage: Storage,
    shares: Sequence[Share],
    plan: Plan,
    *,
    entries: Mapping[str, Entry],
    drafts: Mapping[int, Draft],
    sizes: Sizes,
) -> Need | None:
    """Return what a plan needs beside the plans before; None where no disk is looked at.

    Args:
        storage: The disks.
        shares: What the rows take, as `storage.add` says.
        plan: The plan.
        entries: What the journal knows, by key.
        drafts: What the rows ask for.
        sizes: How large videos are.

    """
    if not shares:
        return None
    paid = [entries[step.key].attempt.request for step in plan.of(Action.TAKE_UP)]
    submits = drafts_of(drafts, {step.key for step in plan.of(Action.SUBMIT)})
    ordered = _add_up(submits)
    copies = [one.repeat_of.video for one in plan.of(Action.REUSE) if one.repeat_of is not None]
    copied = sum(one.size_bytes for one in copies if one is not None)
    storage.look()
    others = [share.disk.coming_bytes(sizes) for share in shares]
    for request in paid:
        _expect(shares, request)
    if not shares[0].videos:
        copied = 0  # they go to a bucket
    shares[0].disk.overhead_bytes += copied
    fits, at = _fit(shares, ordered, submits.values(), sizes)
    disk, share = shares[at].disk, shares[at]
    there = copied if disk is shares[0].disk else 0
    return Need(
        folder=disk.folder,
        free_bytes=None if disk.free_bytes is None else round(disk.free_bytes),
        order_bytes=round(there + share.expected_bytes_of(ordered, sizes)),
        paid_bytes=round(sum(share.expected_bytes(one, sizes) for one in paid)),
        other_bytes=round(others[at]),
        kept_bytes=round(disk.min_free_bytes + disk.overhead_bytes - there),
        rows=ordered.rows,
        fits=fits,
        assumed=not all(map(sizes.knows, ordered.seconds)),
    )


def _add_up(drafts: Mapping[int, Draft]) -> Several:
    """Return what rows ask for, as far as their size depends on it."""
    seconds: Counter[str] = Counter()
    for form, rows in count_forms(drafts).items():
        seconds[form.resolution] += form.duration * rows
    texts = ("".join(prompt for _, prompt in bundle) for bundle in bundles_of(drafts))
    prompt_bytes = sum(map(bytes_of, texts))
    return Several(len(drafts), prompt_bytes, seconds)


def _fit(
    shares: Sequence[Share], ordered: Several, one_by_one: Iterable[Draft], sizes: Sizes
) -> tuple[int, int]:
    """Expect what will fit of some rows; return how many, and which disk is short after them."""
    more: Counter[int] = Counter()
    for share in shares:
        more[id(share.disk)] += ceil(share.expected_bytes_of(ordered, sizes))
    if all(share.disk.holds(more[id(share.disk)], sizes) for share in shares):
        for share in shares:
            share.disk.expect_all(share, ordered)
        return ordered.rows, 0
    fits = 0
    for one in one_by_one:
        lacks = (at for at, share in enumerate(shares) if share.shortage(one, sizes))
        if (short := next(lacks, None)) is not None:
            return fits, short
        _expect(shares, one)
        fits += 1
    return fits, 0


def _expect(shares: Sequence[Share], request: Asked) -> None:
    for share in shares:
        share.disk.expect(share, request, 1)
