"""Which sign parts the cells of a text file: found in its header, held against its first lines."""

from __future__ import annotations

import csv
import io
import re
from itertools import islice

DELIMITERS = (",", ";", "\t", "|")
_SAMPLE_CHARACTERS = 200_000
_SAMPLE_RECORDS = 200
# Excel's own first line, `sep=;`, names the delimiter; some tools put it into quotes.
_SEP_LINE = re.compile(r"\"?sep=(?P<delimiter>[^\r\n])\"?[,;\t|]*(?:\r\n|\n|\r|\Z)", re.IGNORECASE)


def stated_delimiter(text: str) -> tuple[str, int] | None:
    """The delimiter that a `sep=` line names, and how many characters that line takes."""
    found = _SEP_LINE.match(text)
    return (found["delimiter"], found.end()) if found else None


def find_delimiter(text: str, suffix: str) -> str:
    """The delimiter that splits the header, and after it most of the first records alike.

    A header of one cell has no delimiter: it is a comma then, or a tab by the suffix `.tsv`.
    """
    usual = "\t" if suffix in {".tsv", ".tab"} else ","
    order = (usual, *(sign for sign in DELIMITERS if sign != usual))
    scores = {sign: _score(text[:_SAMPLE_CHARACTERS], sign) for sign in order}
    best = max(order, key=scores.__getitem__)
    return best if scores[best] > (0.0, 1) else usual


def _score(sample: str, delimiter: str) -> tuple[float, int]:
    """The share of the records that have as many cells as the header, and how many that are."""
    widths: list[int] = []
    try:
        records = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
        widths.extend(len(r) for r in islice(records, _SAMPLE_RECORDS) if any(map(str.strip, r)))
    except csv.Error:
        # A cell past the csv module's size limit: what came before it is sample enough here, and
        # the full pass names it.
        widths.append(0)
    if not widths or widths[0] <= 1:
        return (0.0, 0)
    alike = sum(width == widths[0] for width in widths[:-1]) + 1
    return (alike / len(widths), widths[0])
