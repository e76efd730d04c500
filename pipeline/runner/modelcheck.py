"""Whether the key may use the models of a run: asked before its first submission.

The call is free. A failure of it stops nothing, and neither does a list without a name that a sheet
knows as an alias: the default is a name that only some channels of the provider have.
"""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from pipeline.engine.rows import Reach, Stop
from pipeline.errors import ExitCode, ProviderError
from pipeline.manifest.columns import MODEL_COLUMN
from pipeline.models.shelf import known_sheets, plain_name

_LIMIT_S = 10
"""How long a run waits for the list, which it can do without."""
_MOST_NAMED = 8
_SETTING = "api.model"
"""What names a model, beside the column of a manifest."""


class _ModelTeller(Protocol):
    """Knows the models: the provider."""

    async def video_models(self) -> tuple[str, ...]:
        """Return the names of the models that the key may use; raises ProviderError."""


async def look_at_models(
    teller: _ModelTeller,
    models: Sequence[str],
    warn: Callable[[str], None],
    note_answer: Callable[[], None] = lambda: None,
    *,
    setting: str,
) -> Stop | None:
    """Ask for the models, and return why nothing is to be submitted under these names, if so.

    Args:
        teller: the provider.
        models: those of the rows that are to be submitted.
        warn: shows a line.
        note_answer: is called if the provider answers, whatever it says.
        setting: the model of the settings; all others are named by rows.

    """
    names = [_Named(model, _SETTING if model == setting else MODEL_COLUMN) for model in models]
    shown = " and ".join(f"{one.model} ({one.origin})" for one in names)
    many = "models" if len(names) > 1 else "model"
    try:
        async with asyncio.timeout(_LIMIT_S):
            listed = await teller.video_models()
        note_answer()
    except ProviderError as error:
        if error.status is not None:
            note_answer()
        warn(f"Whether the key may use the {many} {shown} is not known: {error.message}")
        return None
    except TimeoutError:
        failure = f"no answer came within {_LIMIT_S} s."
        warn(f"Whether the key may use the {many} {shown} is not known: {failure}")
        return None
    unknown = []
    for one in names:
        if (doubt := _explain_doubt(one, listed)) is not None:
            warn(doubt)
        elif one.model not in listed:
            unknown.append(one)
    return _stop(unknown, listed) if unknown else None


class _Named(NamedTuple):
    """A model, and what names it: the setting, or the column of the manifest."""

    model: str
    origin: str


def _explain_doubt(named: _Named, listed: Sequence[str]) -> str | None:
    """Say that the list has the model under another name, or lacks a name that only some have."""
    model, origin = named
    if model in listed:
        return None
    aliases, known_as = _other_names(model)
    plain = {plain_name(one) for one in (model, *aliases, *known_as)}
    other = next((name for name in listed if plain_name(name) in plain), None)
    if other is not None:
        return (
            f"The provider lists the model for this key as {other}, not as {model} ({origin}), "
            "which may be a name that only some of its channels have. Should it refuse rows with "
            f"model_not_found, set {origin}: {other}; nothing is bought again by that."
        )
    if known_as or not listed:
        return (
            f"The provider does not list the model {model} ({origin}) for this key; it lists "
            f"{_some(listed)}. Should it refuse rows with model_not_found, set {origin} to a name "
            "that it lists, or ask the provider to open the model for the key."
        )
    return None


def _other_names(model: str) -> tuple[set[str], set[str]]:
    """Return the aliases of a model's sheet, and the models whose sheets have it as an alias."""
    sheets, plain = known_sheets(), plain_name(model)
    own = (sheet.head.aliases for name, sheet in sheets.items() if plain_name(name) == plain)
    theirs = {
        name for name, sheet in sheets.items() if plain in map(plain_name, sheet.head.aliases)
    }
    return set[str]().union(*own), theirs


def _stop(unknown: Sequence[_Named], listed: Sequence[str]) -> Stop:
    near = dict.fromkeys(
        name
        for one in unknown
        for name in difflib.get_close_matches(one.model, listed, n=2, cutoff=0.5)
    )
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    origin, names = unknown[0].origin, " or ".join(one.model for one in unknown)
    name_it = f"Set {origin} to" if origin == _SETTING else f"Write into the column {origin}"
    return Stop(
        ExitCode.USAGE,
        f"{origin}: the key may use no model called {names}{hint}",
        Reach.SUBMITTING,
        f"{name_it} a name that the provider lists: {_some(listed)}.",
    )


def _some(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMED
    shown = ", ".join(names[:_MOST_NAMED]) or "none"
    return f"{shown} and {more} more" if more > 0 else shown
