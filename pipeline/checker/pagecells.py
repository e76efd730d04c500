"""The cells that link to pages instead of pictures, each with the address that works.

That there are such links, and of what, is remarked once for all of them (see `remarks`); a single
one is named there.

Tested in tests/checker/test_remarks.py.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from pipeline.checker.drafts import problem_at, split_images
from pipeline.checker.remarks import PAGE_LINK
from pipeline.checker.rules import IMAGE_FIELDS
from pipeline.manifest.pagelinks import page_at, short
from pipeline.model import Manifest, Problem, Severity

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence


def name_addresses(
    manifest: Manifest, keys: Sequence[str], fields: Mapping[str, int], rows: Collection[int]
) -> Iterator[Problem]:
    """Yield a warning for each cell of several whose link leads to a page, if a better is known.

    Args:
        manifest: the rows.
        keys: their keys, in order.
        fields: the index of each field's column.
        rows: the numbers of the rows that can be sent.

    """
    found: defaultdict[str, list[Problem]] = defaultdict(list)
    columns = [fields[name] for name in IMAGE_FIELDS if name in fields]
    for row, key in zip(manifest.rows, keys, strict=True):
        for index in columns if row.number in rows else ():
            for url in split_images(row.cells[index]):
                link = page_at(url)
                if link is not None and link.direct is not None:
                    message = (
                        f"{short(url)} leads to {link.page}. The picture itself is at {link.direct}"
                    )
                    problem = problem_at(
                        manifest,
                        row.number,
                        index,
                        key,
                        code=PAGE_LINK,
                        message=message,
                        severity=Severity.WARNING,
                    )
                    found[link.page].append(problem)
    for several in found.values():
        yield from several if len(several) > 1 else ()
