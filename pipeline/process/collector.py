"""Keep Python's cycle collector from walking again and again through objects that stay."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_MADE_BETWEEN = 10_000
"""After so many new objects the collector looks for cycles among them; Python's own number is 700.

A run makes few cycles, and small ones.
"""


_ours = False
"""Whether this process is a command of ours. In another program the collector is the program's."""


def relax_collector() -> None:
    """Have the collector look less often, and never again at what the start of the process made.

    Both are for a process of our own: they took an eighth of the time of `--help`.
    """
    global _ours  # noqa: PLW0603 - what it says is true of the process
    _ours = True
    gc.freeze()
    gc.set_threshold(_MADE_BETWEEN)


@contextmanager
def pause_collector() -> Iterator[None]:
    """Pause the collector; afterwards a command excludes from it all objects that exist by then.

    Otherwise it walks through all rows again and again: a third of the 8 seconds that a run over
    100,000 done rows took. Rows refer to nothing that refers back, so they need no collector. It
    never walks through the excluded objects again, in the hours of work that may follow.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        if _ours:
            gc.freeze()
        gc.enable()
