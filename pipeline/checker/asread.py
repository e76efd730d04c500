"""A manifest as the settings have it read, and what is wrong with its headers, by its sheet.

Tested in tests/checker/test_check.py and tests/reader/test_sheets.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.reader.reading import read

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.config.settings import Config
    from pipeline.manifest.asbefore import Reading
    from pipeline.model import Manifest


def read_as_set(path: Path, config: Config, origin: Path | None, kept: Reading | None) -> Manifest:
    """Read a manifest into rows of texts; nothing is interpreted yet.

    Args:
        path: the manifest.
        config: the settings; those of `manifest` count.
        origin: the manifest whose run wrote this one; None if none did.
        kept: how it was read in earlier runs; None if it is new.

    Raises:
        ManifestError: the file is no table.

    """
    settings = config.manifest
    # The file of the failed rows has a single sheet, which is not called as the manifest's is.
    failed = origin is not None and path.stem.casefold().startswith("failed")
    return read(
        path,
        sheet=None if failed else settings.sheet,
        encoding=settings.encoding,
        hidden_rows=settings.hidden_rows,
        fill_merged=settings.fill_merged,
        kept=kept,
    )
