"""Which export format a table has: by the name that the user gives it, or by its columns.

Tested in tests/cli/test_exports.py and tests/authoring/shops.
"""

from __future__ import annotations

import difflib

from pipeline.authoring.shops import google, magento, prestashop, shopify, woocommerce
from pipeline.authoring.shops.exportformat import ExportFormat
from pipeline.errors import UsageError
from pipeline.model import Manifest

_SURE = 7
"""So many columns of a format are more than a sheet has that was made by hand."""
EXPORT_FORMATS = {
    known.name: known
    for known in (
        shopify.FORMAT, woocommerce.FORMAT, google.FORMAT, magento.FORMAT, prestashop.FORMAT,
    )
}  # fmt: skip
"""The supported export formats by name; another one is one more file and one more entry here."""


def likeliest(table: Manifest) -> list[ExportFormat]:
    """Return the formats that lose nothing of the table, the one with most of its columns first."""
    fit = [one for one in EXPORT_FORMATS.values() if not one.why_not(table)]
    return sorted(fit, key=lambda one: (-len(one.marks_in(table)), -one.known_in(table)))


def recognise(table: Manifest) -> ExportFormat | None:
    """Return the format of which a table is an export as it stands; None for any other table."""
    for one in likeliest(table):
        if one.marks_in(table) or one.known_in(table) >= _SURE:
            return one
    return None


def find(name: str) -> ExportFormat:
    """Return the export format of this name; raise UsageError, which lists them, if none has it."""
    plain = name.strip().casefold()
    if plain in EXPORT_FORMATS:
        return EXPORT_FORMATS[plain]
    near = difflib.get_close_matches(plain, EXPORT_FORMATS, n=1, cutoff=0.5)
    raise UsageError(
        f"--from {name}: there is no such export format.",
        action=(f"Did you mean {near[0]}? " if near else "")
        + f"Supported formats: {', '.join(EXPORT_FORMATS)}.",
    )
