"""What an upload through Shopify's Admin API needs, a line of JSON for each video.

Shopify takes videos by staged uploads alone: `stagedUploadsCreate` with `stagedUploadInput` gives
an address, the file goes there, and its `resourceUrl` becomes the `originalSource` of `fileCreate`
or of the product's media. `fileSize` is needed for videos; it is an UnsignedInt64, which JSON has
as a text. Sources: shopify.dev, StagedUploadInput and FileCreateInput of the Admin API, and
"Manage media for products" (250, 1,000 or 5,000 videos a store by its plan), read in November 2026.
A video has at most 1 GB and ten minutes (help.shopify.com, product media types); 1,000 new ones a
week are taken. Nothing is uploaded here.
"""

from __future__ import annotations

import json

from pipeline.disk.place import place_unless_same
from pipeline.export.mediatable import Medium
from pipeline.export.tables import Table, TableFormat, TableOrder, sort_out
from pipeline.manifest.wording import count

_MOST_BYTES, _LONGEST_S = 10**9, 600
_OF_PLANS = ((250, "Basic"), (1_000, "Shopify (now Grow)"), (5_000, "Advanced"))
_A_WEEK = 1_000


def _write(order: TableOrder) -> Table:
    found = sort_out(order.media, FORMAT.name, _why_not)
    lines = [json.dumps(_document(one), ensure_ascii=False) for one in found.taken]
    data = "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")
    path = place_unless_same(order.approved / FORMAT.file, data, copy_of=order.manifest)
    return Table(path, tuple(found.left), tuple(_notes(len(found.taken))))


def _why_not(one: Medium) -> str | None:
    video = one.delivered.take.video
    if video.size_bytes > _MOST_BYTES:
        return "Shopify takes videos of at most 1 GB"
    return "Shopify takes videos of at most 10 minutes" if video.duration_s > _LONGEST_S else None


def _document(one: Medium) -> dict[str, object]:
    name = one.file.rpartition("/")[2]
    return {
        "key": one.key,
        "product": one.product,
        "file": one.file,
        "sha256": one.delivered.take.video.sha256,
        "stagedUploadInput": {
            "resource": "VIDEO",
            "filename": name,
            "mimeType": "video/mp4",
            "fileSize": str(one.delivered.take.video.size_bytes),
            "httpMethod": "POST",
        },
        "fileCreateInput": {"alt": one.alt, "contentType": "VIDEO", "filename": name},
    }


def _notes(videos: int) -> list[str]:
    fits = [name for most, name in _OF_PLANS if videos <= most]
    notes = []
    if len(fits) < len(_OF_PLANS):
        by_plan = ", ".join(f"{most:,} ({name})" for most, name in _OF_PLANS)
        notes.append(f"{count(videos, 'video')}: a store on Shopify holds {by_plan}.")
    if videos > _A_WEEK:
        notes.append(f"Shopify takes {_A_WEEK:,} new videos a week.")
    return notes


FORMAT = TableFormat("shopify", "shopify.jsonl", _write, needs_address=False)
