"""A supplemental feed for Google Merchant Center: `id` and `video_link`, separated by tabs.

An address has at most 2,000 characters, ASCII alone (RFC 3986), and leads to the file itself;
several of one product are separated by commas, up to ten. A video has 6 to 240 seconds and at most
500 MB. An id has at most 50 characters. Source: support.google.com/merchants/answer/15216925 (video
link) and 6324405 (id), read in November 2026.
"""

from __future__ import annotations

from collections import defaultdict

from pipeline.export.mediatable import Medium, write_table
from pipeline.export.tables import Table, TableFormat, TableOrder, sort_out, unfit_name
from pipeline.manifest.wording import count

_MOST_OF_PRODUCT = 10
_LONGEST_ID, _LONGEST_LINK = 50, 2_000
_SHORTEST_S, _LONGEST_S = 6, 240
_MOST_BYTES = 500 * 1000 * 1000
_ROUNDED_S = 0.05
"""A video of "6 seconds" may end a film frame early."""


def _write(order: TableOrder) -> Table:
    links: defaultdict[str, list[str]] = defaultdict(list)

    def why_not(one: Medium) -> str | None:
        if len(one.product) > _LONGEST_ID:
            return f"its id has more than {_LONGEST_ID} characters"
        if len(one.url) > _LONGEST_LINK:
            return f"its address has more than {_LONGEST_LINK:,} characters"
        if (unfit := unfit_name(one.product)) is not None:
            return unfit
        if len(links[one.product]) == _MOST_OF_PRODUCT:
            return f"its product has {_MOST_OF_PRODUCT} videos already, as many as Google takes"
        links[one.product].append(_one_link(one.url))
        return None

    found = sort_out(order.media, FORMAT.name, why_not)
    path = write_table(
        order.approved / FORMAT.file,
        ("id", "video_link"),
        ((product, ",".join(some)) for product, some in links.items() if some),
        order.manifest,
        delimiter="\t",
        mark="",
    )
    doubtful = sum(map(_is_doubtful, found.taken))
    notes = (
        f"{count(doubtful, 'video')}: Google shows videos of {_SHORTEST_S} to {_LONGEST_S} seconds "
        f"and at most {_MOST_BYTES // 1_000_000} MB, and may leave these out."
    )
    return Table(path, tuple(found.left), (notes,) if doubtful else ())


def _one_link(url: str) -> str:
    """Return an address in which no comma separates it from the next."""
    return url.replace(",", "%2C")


def _is_doubtful(one: Medium) -> bool:
    video = one.delivered.take.video
    fits = _SHORTEST_S - _ROUNDED_S <= video.duration_s <= _LONGEST_S
    return not fits or video.size_bytes > _MOST_BYTES


FORMAT = TableFormat("google", "google.tsv", _write)
