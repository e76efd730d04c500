"""Whether a row asks for something else than was sent, or only its model's sheet does. Pure.

Tested in tests/planner/test_plan.py.
"""

from __future__ import annotations

from pipeline.checker.rules import same_content
from pipeline.model import Entry, Request, State

_UNPAID_ENDS = frozenset({State.FAILED, State.REFUSED})


def is_edited(request: Request, entry: Entry) -> bool:
    """Return whether a row asks for something else than its latest attempt did.

    A model that is spelled in another way is the same one; but a row may have been refused since
    the provider did not take the first spelling.
    """
    sent = entry.attempt.request
    corrected = entry.state in _UNPAID_ENDS and request.model != sent.model
    return corrected or not same_content(request, sent)


def say_sheet_changed(*, done: bool) -> str:
    """Say of a row that is left alone that its model's sheet was changed, and what it needs."""
    needs = "--redo changed" if done else "--retry, or --redo and its key"
    return f"the sheet of its model was changed since it was sent, not the row; needs {needs}"
