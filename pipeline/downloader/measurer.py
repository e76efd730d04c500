"""Measure what videos show, when nothing else wants the processor: a program of its own.

It does what `examiner` does, in a process that all others go before: what has once given way cannot
take it back.

Tested in tests/downloader/test_filmfigures.py.
"""

from __future__ import annotations

from pipeline.downloader import examiner
from pipeline.process.confinement import give_way


def serve() -> None:
    """Carry out orders until the input ends."""
    give_way()
    examiner.serve()
