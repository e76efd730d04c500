"""Quick clips: one tiny plain video per length and frame, made unique for each task."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from av.video.frame import VideoFrame

from pipeline.emulator.encode import FRAMES_PER_S, write_video
from pipeline.emulator.mp4 import free_box

_OPTIONS = {"preset": "ultrafast", "crf": "30", "g": "1000", "bf": "0"}
_LUMA, _CB, _CR = 96, 150, 104  # a quiet blue

ClipKind = tuple[int, tuple[int, int]]

# Encoding one takes a tenth of a second or more; a test session starts hundreds of emulators.
_encoded: dict[ClipKind, bytes] = {}
_lock = threading.Lock()


def plain_clip(duration_s: int, frame_size: tuple[int, int], folder: Path | None = None) -> bytes:
    """Return a plain clip, from memory, from ``folder``, or encoded now (in any thread)."""
    kind = (duration_s, frame_size)
    with _lock:
        if kind not in _encoded:
            _encoded[kind] = _from_disk(kind, folder)
        return _encoded[kind]


def clip_at_hand(duration_s: int, frame_size: tuple[int, int]) -> bytes | None:
    """Return the clip if it needs no work."""
    return _encoded.get((duration_s, frame_size))


def stamp(task_id: str) -> bytes:
    """Return the box that makes a task's clip differ from all others."""
    return free_box(task_id.encode())


def _from_disk(kind: ClipKind, folder: Path | None) -> bytes:
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="emulator-clip-") as temporary:
            return _made(kind, Path(temporary))
    folder.mkdir(parents=True, exist_ok=True)
    return _made(kind, folder)


def _made(kind: ClipKind, folder: Path) -> bytes:
    duration_s, (width, height) = kind
    path = folder / f"plain-{duration_s}s-{width}x{height}.mp4"
    if not path.exists():
        # Two emulators may share a folder: each encodes beside and renames.
        own = folder / f"plain-{os.getpid()}-{duration_s}s-{width}x{height}.mp4"
        write_video(own, _plain_frames(kind), kind[1], _OPTIONS)
        own.replace(path)
    return path.read_bytes()


def _plain_frames(kind: ClipKind) -> Iterator[VideoFrame]:
    duration_s, (width, height) = kind
    frame = VideoFrame(width, height, "yuv420p")
    for plane, level in zip(frame.planes, (_LUMA, _CB, _CR), strict=True):
        plane.update(bytes([level]) * plane.buffer_size)
    for _ in range(duration_s * FRAMES_PER_S):
        yield frame
