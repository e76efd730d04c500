"""JPEGs read by a strict decoder, where `images.strict` asks for it: damage in the middle.

Programs that show pictures pass over missing and garbled data and show stripes of grey, and Pillow
does. A video would be made of that. FFmpeg's decoder, told to be strict, stops there. What it stops
at is a warning: the picture opens. As it opens files that it does not trust, it works in children.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.disk.openfile import read_regular
from pipeline.pictures.accepted import FORMAT_OF, LARGEST_SOURCE_BYTES
from pipeline.process.children import Child, Died, NotStarted, TookTooLong
from pipeline.process.confinement import READY, confine, end_with_input

if TYPE_CHECKING:
    from av import VideoCodecContext

_PROGRAM = "pipeline.pictures.strictly"
_TOGETHER = 100
"""So many pictures are read by one child."""
_PICTURE_S, _START_S = 3.0, 10.0
"""How long a picture may take on average, and what comes on top."""
_MOST_SAID_BYTES = 1_000_000
_MEMORY_BYTES = 2 * 1024**3
_STRICT = {"err_detect": "crccheck+bitstream+buffer+explode", "threads": "1"}
_HEAD_BYTES = 32


def find_faults(paths: Sequence[Path], workers: int) -> dict[Path, str]:
    """Return a sentence for each JPEG that a strict decoder does not read to its end.

    Args:
        paths: files of any kind; those that are no JPEG, or cannot be read, are passed over.
        workers: how many children read side by side.

    """
    jpegs = [path for path in paths if _is_jpeg(path)]
    parts = [jpegs[at : at + _TOGETHER] for at in range(0, len(jpegs), _TOGETHER)]
    with ThreadPoolExecutor(workers, thread_name_prefix="strict") as executor:
        return {
            path: f"A strict reader does not get to the end of {path.name}: a part of it may be "
            "damaged, although it opens. Look at it, or copy it again from its source."
            for some in executor.map(_look, parts)
            for path in some
        }


def _is_jpeg(path: Path) -> bool:
    with suppress(OSError), path.open("rb") as file:
        return FORMAT_OF["JPEG"].begins(file.read(_HEAD_BYTES))
    return False


def _look(paths: Sequence[Path]) -> list[Path]:
    """Return the faulty ones; of a child that dies over a picture the next takes up the rest."""
    faulty: list[Path] = []
    left = list(paths)
    while left:
        try:
            for fault in _answers(left):
                path = left.pop(0)
                faulty += [path] if fault else []
        except (Died, TookTooLong):
            faulty.append(left.pop(0))
        except NotStarted:
            break
    return faulty


def _answers(paths: Sequence[Path]) -> Iterator[bool]:
    with Child(_PROGRAM, limit_s=_START_S + _PICTURE_S * len(paths)) as child:
        child.give(json.dumps([os.fsencode(path).hex() for path in paths]).encode() + b"\n")
        lines = child.lines(_MOST_SAID_BYTES)
        for _ in paths:
            yield next(lines) != b"\n"


def serve() -> None:
    """Read the pictures of one order: a line for each, empty for a sound one."""
    import av  # noqa: PLC0415 - only the child needs it

    confine(memory_bytes=_MEMORY_BYTES)
    sys.stdout.buffer.write(READY)
    sys.stdout.buffer.flush()
    order: Iterable[str] = json.loads(sys.stdin.buffer.readline())
    end_with_input()
    for one in order:
        fault = ""
        try:
            context = av.CodecContext.create("mjpeg", "r")
            context.options = _STRICT
            _read(
                context, read_regular(Path(os.fsdecode(bytes.fromhex(one))), LARGEST_SOURCE_BYTES)
            )
        except (av.error.PatchWelcomeError, OSError):
            pass  # a kind of JPEG that it does not know, or a file that is gone: others say so
        except (av.error.FFmpegError, ValueError) as error:
            fault = type(error).__name__
        sys.stdout.buffer.write(f"{fault}\n".encode())
        sys.stdout.buffer.flush()


def _read(context: VideoCodecContext, data: bytes) -> None:
    import av  # noqa: PLC0415 - only the child needs it

    if not [*context.decode(av.Packet(data)), *context.decode(None)]:
        raise ValueError("no picture")
