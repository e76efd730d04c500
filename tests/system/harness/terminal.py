"""A terminal at which a person sits, and what stands on its screen."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import pytest


@contextlib.contextmanager
def terminal() -> Iterator[tuple[int, int]]:
    """A pseudo-terminal: the person's side, and the program's."""
    pty = pytest.importorskip("pty")
    person, program = pty.openpty()
    try:
        yield person, program
    finally:
        os.close(person)
        os.close(program)


class Seen:
    """What stands on the person's screen so far."""

    def __init__(self, person: int) -> None:
        os.set_blocking(person, False)
        self._person = person
        self.text = ""

    def __call__(self, words: str) -> bool:
        with contextlib.suppress(BlockingIOError):
            self.text += os.read(self._person, 65536).decode(errors="replace")
        return words in self.text
