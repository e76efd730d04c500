"""Name the rows that end badly while a run goes on, with why: a person may see a pattern at once.

Tested in tests/runner/test_mishaps.py.
"""

from __future__ import annotations

from collections.abc import Callable

from pipeline.checker.check import CheckedManifest
from pipeline.events import Declined, Event, LinkLost, PictureRefused, TaskFailed, TaskLost
from pipeline.model import State, shown_key
from pipeline.refusals import say_failed

_MOST = 20
"""So many are named in a run; the results have them all."""

_STATES: dict[type[Event], State] = {
    PictureRefused: State.REFUSED,
    Declined: State.REFUSED,
    TaskFailed: State.FAILED,
    LinkLost: State.EXPIRED,
    TaskLost: State.MISSING,
}


class Mishaps:
    """Names rows as they end badly; `say` shows a line."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._told = 0

    def note(self, event: Event, checked: CheckedManifest) -> None:
        """Take in an event of a manifest."""
        state = _STATES.get(type(event))
        if state is None or self._told > _MOST:
            return
        self._told += 1
        if self._told > _MOST:
            self._say("More rows end badly: result_error in the results says why of each.")
            return
        self._say(f"{_place_of(event.key, checked)}: {state}: {_why(event)}")


def _place_of(key: str, checked: CheckedManifest) -> str:
    """Return where a row stands, as editors jump to it; by its key if it has left the manifest."""
    path = checked.manifest.path
    try:
        number = checked.manifest.rows[checked.keys.index(key)].number
    except ValueError:
        return f"{path}: {shown_key(key)}"
    return f"{path}:{number}: {shown_key(key)}"


def _why(event: Event) -> str:
    if isinstance(event, TaskFailed):
        return say_failed(event.code, event.message)
    if isinstance(event, Declined | PictureRefused | LinkLost):
        shown = f" ({event.code})" if event.code and event.code not in event.message else ""
        return f"{event.message}{shown}"
    return event.message if isinstance(event, TaskLost) else ""
