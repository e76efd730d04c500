"""Exports made by code, and manifests read back as a person sees them."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from pipeline.authoring.newmanifest import write
from pipeline.authoring.shops.conversion import Conversion, convert
from pipeline.authoring.shops.recognition import find
from pipeline.checker.check import check_manifest
from pipeline.config.settings import Config

SaveExport = Callable[[Sequence[str], Sequence[dict[str, str]]], Path]


@pytest.fixture
def save(tmp_path: Path) -> SaveExport:
    """Write lines of cells as a shop's CSV file."""

    def written(headers: Sequence[str], lines: Sequence[dict[str, str]]) -> Path:
        path = tmp_path / "products_export.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, headers, restval="")
            table.writeheader()
            table.writerows(lines)
        return path

    return written


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., tuple[list[dict[str, str]], Conversion]]:
    """Convert an export, write it, check it with the program's own check, and give its rows."""

    def rows(
        path: Path, name: str, *, suffix: str = ".csv", template: str | None = None,
        only_active: bool = False, variants: bool = False,
    ) -> tuple[list[dict[str, str]], Conversion]:  # fmt: skip
        made = convert(
            path, find(name), template=template, only_active=only_active, variants=variants
        )
        target = tmp_path / f"made{suffix}"
        target.unlink(missing_ok=True)
        write(made.manifest, target)
        found = check_manifest(target, Config(), cache_dir=None)
        assert found.problems == ()
        headers = found.manifest.headers
        return [dict(zip(headers, row.cells, strict=True)) for row in found.manifest.rows], made

    return rows
