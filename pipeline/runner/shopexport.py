"""A shop's export in the place of a manifest: the command that makes a manifest of it.

Tested in tests/cli/test_exports.py.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pipeline.checker.checked import CheckedManifest
from pipeline.manifest.invocation import Invocation
from pipeline.manifest.wording import quote_name

_NO_PROMPT = "no_prompt_column"
_BEGIN = "The manifest has no prompt column."


def point_at_conversion(checked: CheckedManifest, typed: Invocation) -> CheckedManifest:
    """Say, of an export without prompts, how it becomes a manifest.

    Args:
        checked: What was named as the manifest.
        typed: What was typed beside it.

    """
    missing = [one for one in checked.problems if one.code == _NO_PROMPT]
    if not missing:
        return checked
    # Only who names an export needs to know the formats of shops.
    from pipeline.authoring.shops.recognition import recognise  # noqa: PLC0415

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
    return replace(checked, problems=problems)


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
