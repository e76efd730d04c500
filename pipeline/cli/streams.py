"""Standard output and error that may be closed or lose their reader without harm to the run."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from pipeline.errors import StoreError

if TYPE_CHECKING:
    from typing_extensions import Buffer


class _Lasting(io.FileIO):
    """A stream of which, after the first failure, everything is dropped.

    A reader that went away is no failure of ours. A full disk is said once, as StoreError, where
    `results` are written; on the way there it must not stop a run.
    """

    def __init__(self, number: int, *, results: bool) -> None:
        super().__init__(number, "w", closefd=False)
        self._results = results
        self._lost = False

    def write(self, data: Buffer, /) -> int:
        try:
            if not self._lost:
                return super().write(data)
        except OSError as error:
            self._lost = True
            if self._results and not isinstance(error, BrokenPipeError):
                raise StoreError(
                    f"standard output cannot be written: {error.strerror}",
                    action="The work itself is done and kept; run again to read what it says.",
                ) from error
        return memoryview(data).nbytes


def outlive_readers() -> None:
    """Have both streams drop what nobody reads any more.

    Whoever has enough of the output has no say in the work: a run goes on, and the process ends
    with the code that the work deserves.
    """
    sys.stdout = _lasting(sys.stdout, results=True)
    sys.stderr = _lasting(sys.stderr, results=False)


def _lasting(stream: TextIO | None, *, results: bool) -> TextIO:
    if stream is None:
        # Closed by who started us. This takes its number, too, so that no file of ours gets it.
        return Path(os.devnull).open("w", encoding="utf-8")
    # A terminal is left alone: Windows' consoles are no plain files.
    if not isinstance(stream, io.TextIOWrapper) or stream.isatty():
        return stream
    stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(_Lasting(stream.fileno(), results=results)),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering,
    )
