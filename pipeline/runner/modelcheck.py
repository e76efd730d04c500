"""Whether the key may use the model of the settings: asked before the first submission of a run.

The call is free. A failure of it stops nothing, and neither does a list without our own model: the
default is a name that only some channels of the provider have.
"""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Callable, Sequence
from typing import Protocol

from pipeline.engine.rows import Reach, Stop
from pipeline.errors import ExitCode, ProviderError
from pipeline.models.shelf import is_known, plain_name

_LIMIT_S = 10
"""How long a run waits for the list, which it can do without."""
_MOST_NAMED = 8


class _ModelTeller(Protocol):
    """Knows the models: the provider."""

    async def video_models(self) -> tuple[str, ...]:
        """Return the names of the models that the key may use; raises ProviderError."""


async def look_at_models(
    teller: _ModelTeller,
    model: str,
    warn: Callable[[str], None],
    note_answer: Callable[[], None] = lambda: None,
) -> Stop | None:
    """Ask for the models, and return why nothing is to be submitted under this name, if so.

    Args:
        teller: the provider.
        model: that of the settings.
        warn: shows a line.
        note_answer: is called if the provider answers, whatever it says.

    """
    try:
        async with asyncio.timeout(_LIMIT_S):
            listed = await teller.video_models()
        note_answer()
    except ProviderError as error:
        if error.status is not None:
            note_answer()
        warn(f"Whether the key may use the model {model} (api.model) is not known: {error.message}")
        return None
    except TimeoutError:
        failure = f"no answer came within {_LIMIT_S} s."
        warn(f"Whether the key may use the model {model} (api.model) is not known: {failure}")
        return None
    if (doubt := explain_doubt(model, listed)) is not None:
        warn(doubt)
        return None
    return None if model in listed else _stop(model, listed)


def explain_doubt(model: str, listed: Sequence[str]) -> str | None:
    """Say that the list has the model under another name, or lacks ours; None if it does not."""
    if model in listed:
        return None
    other = next((name for name in listed if plain_name(name) == plain_name(model)), None)
    if other is not None:
        return (
            f"The provider lists the model for this key as {other}, not as {model} (api.model), "
            "which may be a name that only some of its channels have. Should it refuse rows with "
            f"model_not_found, set api.model: {other}; nothing is bought again by that."
        )
    if is_known(model) or not listed:
        return (
            f"The provider does not list the model {model} (api.model) for this key; it lists "
            f"{_some(listed)}. Should it refuse rows with model_not_found, set api.model to a name "
            "that it lists, or ask the provider to open the model for the key."
        )
    return None


def _stop(model: str, listed: Sequence[str]) -> Stop:
    near = difflib.get_close_matches(model, listed, n=2, cutoff=0.5)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    return Stop(
        ExitCode.USAGE,
        f"api.model: the key may use no model called {model}{hint}",
        Reach.SUBMITTING,
        f"Set api.model to a name that the provider lists: {_some(listed)}.",
    )


def _some(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMED
    shown = ", ".join(names[:_MOST_NAMED]) or "none"
    return f"{shown} and {more} more" if more > 0 else shown
