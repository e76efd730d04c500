"""The export formats that are understood; a further one is one more file and one more line here."""

from __future__ import annotations

import difflib

from pipeline.authoring.shops import shopify, woocommerce
from pipeline.authoring.shops.exportformat import ExportFormat
from pipeline.errors import UsageError

FORMATS = {one.name: one for one in (shopify.FORMAT, woocommerce.FORMAT)}


def find(name: str) -> ExportFormat:
    """The format of this name; raises UsageError, which lists them all, if there is none."""
    plain = name.strip().casefold()
    if plain in FORMATS:
        return FORMATS[plain]
    near = difflib.get_close_matches(plain, FORMATS, n=1, cutoff=0.5)
    raise UsageError(
        f"--from {name}: no such export format.",
        action=(f"Did you mean {near[0]}? " if near else "")
        + f"Understood are {' and '.join(FORMATS)}.",
    )
