"""Which export format a table has: by the name that the user gives it, or by its columns.

Tested in tests/cli/test_exports.py.
"""

from __future__ import annotations

import csv
import difflib
from dataclasses import replace
from pathlib import Path

from pipeline.authoring.shops import google, magento, prestashop, shopify, woocommerce
from pipeline.authoring.shops.exportformat import ExportFormat
from pipeline.checker.checked import CheckedManifest
from pipeline.errors import UsageError
from pipeline.manifest.columns import NO_PROMPT
from pipeline.manifest.invocation import Invocation
from pipeline.manifest.wording import quote_name
from pipeline.model import Manifest, Severity

_BEGIN = "The manifest has no prompt column."
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


def point_at_conversion(checked: CheckedManifest, typed: Invocation) -> CheckedManifest:
    """Say, of an export without prompts, how it becomes a manifest.

    Args:
        checked: What was named as the manifest.
        typed: What was typed beside it.

    """
    missing = [one for one in checked.problems if one.code == NO_PROMPT]
    found = recognise(checked.manifest)
    if found is None:
        return checked
    hint = (
        f"It looks like an export of {found.shop}. This makes a manifest of it: "
        f"{conversion_command(found.name, typed)}"
    )
    problems = tuple(
        # The ways without it would lose pictures, or make each variant a product.
        replace(one, message=f"{one.message.partition(_BEGIN)[0]}{_BEGIN} {hint}")
        if one in missing
        else one
        for one in checked.problems
    )
    if any(one.severity is Severity.ERROR for one in missing):
        return replace(checked, problems=problems)
    # Its lines are no videos, even if each has a picture and its model needs no prompt.
    refused = [
        replace(one, severity=Severity.ERROR) if one.code == NO_PROMPT else one
        for one in problems
        if one.row is None
    ]
    return replace(checked, problems=tuple(refused), drafts={}, images={}, held={})


def conversion_command(name: str, typed: Invocation, output: Path | None = None) -> str:
    """Return the command that makes a manifest of an export.

    Args:
        name: The export format.
        typed: The export, and what was typed beside it.
        output: The manifest to write; None for one beside the export.

    """
    source = typed.manifest
    made = output or _free(source)
    words = ["reelsheet", "init", "--from", name, str(source), "--output", str(made)]
    if typed.config is not None:
        words += ["--config", str(typed.config)]
    for text in typed.sets:
        if not text.strip().startswith("manifest.columns."):
            words += ["--set", text]
    return " ".join(map(quote_name, words))


def _free(source: Path) -> Path:
    """Return a name beside the export that nothing has yet."""
    names = (f"{source.stem}-videos{number}.xlsx" for number in ("", *map(str, range(2, 1000))))
    return next(one for name in names if not (one := source.with_name(name)).exists())


def recognise_file(path: Path, start: bytes) -> ExportFormat | None:
    """Return the format of which a text file is an export, by how it begins; None for any other.

    A table that has prompts is none: it is a manifest already.
    """
    first = start.decode("utf-8-sig", "replace").partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        headers = next(csv.reader([first.rstrip("\r")], delimiter=delimiter), [])
    except csv.Error:  # a word that is longer than any header
        return None
    if any("prompt" in header.casefold() for header in headers):
        return None
    return recognise(Manifest(path, tuple(headers), ()))
