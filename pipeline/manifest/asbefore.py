"""How a manifest was read in its earlier runs, where the reader had to find that out.

Tested in tests/reader/test_encodings.py and tests/system/test_readings.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.model import Manifest

_UNICODE = ("utf-", "utf_")


@dataclass(frozen=True, slots=True)
class Reading:
    """What was found out once, and is kept from then on: a better reading would edit rows.

    `encoding` is that of a text that is not Unicode, `sheet` the one that was chosen of several.
    """

    encoding: str | None = None
    sheet: str | None = None


def reading_of(manifest: Manifest) -> Reading:
    """Return what is to be kept of how a manifest was read."""
    dialect = manifest.dialect
    regional = dialect is not None and not dialect.encoding.lower().startswith(_UNICODE)
    return Reading(
        dialect.encoding if dialect is not None and regional else None,
        manifest.sheet if manifest.sheet_found else None,
    )
