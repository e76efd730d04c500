"""Read one workbook: the program of the process in which that happens (see `apart`).

It reads its order, a line of JSON and the bytes of the file, and answers in the lines of `wire`.

Tested in tests/reader/test_apart.py.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import ManifestError
from pipeline.process.collector import pause_collector
from pipeline.process.confinement import READY, confine, end_with_input
from pipeline.reader.workbook.choosing import Wanted, read_workbook
from pipeline.reader.workbook.wire import line_of, lines_of

if TYPE_CHECKING:
    from collections.abc import Iterator

MEMORY_BYTES = 1024**3
"""The most memory that a workbook is read with."""
CPU_S = 20
"""The most seconds of a processor that a workbook is read in."""
CLOCK_S = 25
"""The most seconds that pass meanwhile."""
STARVED_S = 120
"""The most seconds that pass where other processes take the processor nearly all the time."""


def serve() -> None:
    """Read the workbook and say what is in it."""
    confine(memory_bytes=MEMORY_BYTES, cpu_s=CPU_S, clock_s=STARVED_S + 1)
    with open(1, "wb") as parent:  # the pipe that the parent reads
        parent.write(READY)
        parent.flush()
        order = json.loads(sys.stdin.buffer.readline())
        data = sys.stdin.buffer.read(order["size_bytes"])
        end_with_input()
        parent.writelines(answer(order, data))


def answer(order: dict[str, Any], data: bytes) -> Iterator[bytes]:
    """Yield what is said of the workbook `data`: its manifest, or why there is none."""
    try:
        with pause_collector():
            wanted = Wanted(**{name: order[name] for name in Wanted.__slots__})
            manifest = read_workbook(Path(order["path"]), data, wanted)
            yield from lines_of(manifest)
    except ManifestError as error:
        yield line_of("error", (error.message, error.action))
    except MemoryError:
        yield line_of("memory", None)
    except ImportError as error:
        yield line_of("broken", str(error))
    except Exception as error:  # noqa: BLE001 - whatever a library makes of a crafted file
        yield line_of("fault", type(error).__name__)
