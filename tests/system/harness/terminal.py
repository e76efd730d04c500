"""A terminal at which a person sits, and what stands on its screen."""

from __future__ import annotations

import contextlib
import os
import re
import struct
import unicodedata
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


def resize(program: int, columns: int, lines: int) -> None:
    """Give a terminal another size."""
    fcntl = pytest.importorskip("fcntl")
    termios = pytest.importorskip("termios")
    fcntl.ioctl(program, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))


class Screen:
    """What a terminal of so many columns shows of what was written to it, its history included."""

    def __init__(self, columns: int) -> None:
        self._columns = columns
        self._lines: list[list[str]] = [[]]
        self._row = self._column = 0

    @property
    def lines(self) -> list[str]:
        """The lines, without blanks at their ends."""
        return ["".join(line).rstrip() for line in self._lines]

    def write(self, text: str) -> None:
        """Show a text, and do what it asks a terminal to do; raises ValueError if it asks more."""
        for piece in re.findall(r"\x1b\[\d*[A-Za-z]|[^\x1b]|\x1b", text):
            self._put(piece)

    def _put(self, piece: str) -> None:
        if piece == "\r":
            self._column = 0
        elif piece == "\n":
            self._down()
        elif piece == "\x1b[A":
            self._row = max(0, self._row - 1)
        elif piece == "\x1b[J":
            del self._lines[self._row + 1 :]
            del self._lines[self._row][self._column :]
        elif not piece.isprintable():
            raise ValueError(repr(piece))
        else:
            cells = [piece, ""] if unicodedata.east_asian_width(piece) in "WF" else [piece]
            if self._column + len(cells) > self._columns:
                self._column = 0
                self._down()
            line = self._lines[self._row]
            line += " " * (self._column + len(cells) - len(line))
            line[self._column : self._column + len(cells)] = cells
            self._column += len(cells)

    def _down(self) -> None:
        self._row += 1
        if self._row == len(self._lines):
            self._lines.append([])
