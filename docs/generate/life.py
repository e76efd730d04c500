"""The life of a row: its states, its events, and the diagram of both."""

from __future__ import annotations

from pipeline import lifecycle
from pipeline.model import State
from pipeline.writer.advice import advise

from .tables import first_line, table

_MEANING = {
    State.INVALID: "The row breaks a rule and is never sent.",
    State.WAITING: "The row will be submitted.",
    State.SUBMITTING: "The intent is in the journal, and the submission is on its way.",
    State.IN_DOUBT: "The row was submitted and no clear answer came: the money may be spent.",
    State.RUNNING: "The provider is working on it; its task id is known.",
    State.READY: "The provider has finished the video; it is not on disk yet.",
    State.DONE: "The video is verified and in place.",
    State.REFUSED: "The provider refused the submission, or one of the row's pictures.",
    State.FAILED: "The provider's task failed.",
    State.MISSING: "The provider has not known the task for longer than `api.missing_grace_s`.",
    State.EXPIRED: "The video was made and paid for, but no link to it works any more.",
}


def diagram() -> str:
    """Return the life of a row as a Mermaid state diagram, made from the table of moves."""
    lines = ["stateDiagram-v2", "    [*] --> waiting", "    [*] --> invalid"]
    lines.append("    invalid --> waiting: corrected in the sheet")
    for kind, move in lifecycle.MOVES.items():
        lines += [
            f"    {source} --> {move.target}: {kind.__name__}" for source in sorted(move.sources)
        ]
    return "\n".join(["```mermaid", *lines, "```\n"])


def states() -> str:
    """Return what each state means, what can follow it, and what a person does about it."""
    rows = [(f"`{state}`", _MEANING[state], _next(state), _do(state)) for state in State]
    return table(("state", "what it means", "next", "what to do"), rows)


def events() -> str:
    """Return every event with the states that it leads from and to."""
    rows = [
        (kind.__name__, _named(move.sources), f"`{move.target}`", first_line(kind.__doc__))
        for kind, move in lifecycle.MOVES.items()
    ]
    rows += [
        (kind.__name__, "any", "the same", first_line(kind.__doc__)) for kind in lifecycle.STAYS
    ]
    return table(("event", "from", "to", "what happened"), rows)


def _next(state: State) -> str:
    if state is State.INVALID:
        return "`waiting`"
    targets = {move.target for move in lifecycle.MOVES.values() if state in move.sources}
    return _named(targets)


def _do(state: State) -> str:
    advice = advise(state)
    return advice.action if advice else "Nothing."


def _named(states: set[State] | frozenset[State]) -> str:
    return ", ".join(f"`{state}`" for state in State if state in states)
