"""Read a manifest: any kind of table becomes headers and rows of text."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.process.collector import pause_collector
from pipeline.reader.content import is_text, load_file
from pipeline.reader.text.delimited import read_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipeline.manifest.earlier import FoundOut
    from pipeline.model import Manifest


def read(
    path: Path,
    *,
    sheet: str | int | None = None,
    encoding: str | None = None,
    hidden_rows: str | None = None,
    fill_merged: bool = False,
    prompts: Sequence[str] | None = None,
    kept: FoundOut | None = None,
) -> Manifest:
    """Read the CSV, TSV, text, Excel or OpenDocument table at `path`, every cell as text.

    Args:
        path: the manifest.
        sheet: the name of a sheet of a workbook, or its number from 1; default the first visible.
        encoding: is tried for text that is not UTF-8.
        hidden_rows: "include" or "skip"; without it a sheet with hidden or filtered rows is
            refused.
        fill_merged: whether every cell of a merged range gets the value of its first.
        prompts: headers that stand for the prompt, beside the usual ones; if the first sheet has no
            prompt column, the others are looked at. None: no column is needed.
        kept: how it was read when it was run before, which is how it is read now; None if it never
            was run, so that its encoding and its sheet may be found out.

    Raises:
        ManifestError: it cannot be read; the message names the file and the line or row.

    """
    data = load_file(path)
    sha256 = hashlib.sha256(data).hexdigest()
    with pause_collector():
        if is_text(path, data):
            passed_on = [data]
            del data  # of a large table each copy less counts
            manifest = read_text(path, passed_on.pop(), encoding=encoding, kept=kept)
        else:
            # Text needs none of it.
            from pipeline.reader.workbook.apart import read_apart  # noqa: PLC0415

            manifest = read_apart(
                path,
                data,
                sheet=sheet,
                hidden_rows=hidden_rows,
                fill_merged=fill_merged,
                prompts=prompts,
                kept=kept,
            )
        return replace(manifest, sha256=sha256)
