"""H.264 in MP4, as the provider delivers it, and its boxes: walked, added, damaged on purpose.

24 pictures a second, ``moov`` in front. Quick clips are one tiny plain video per length and shape,
made unique for each task.

Tested in tests/emulator/test_files.py.
"""

from __future__ import annotations

import os
import struct
import tempfile
import threading
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from pipeline.emulator.private import make_file, make_folder, read_private, refuse_link

_HEADER = struct.Struct(">I4s")


def free_box(payload: bytes) -> bytes:
    """Return a ``free`` box, which every player skips."""
    return _HEADER.pack(_HEADER.size + len(payload), b"free") + payload


def _boxes(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Give kind, start and end of each top-level box."""
    at = 0
    while at + _HEADER.size <= len(data):
        size, kind = _HEADER.unpack_from(data, at)
        if size < _HEADER.size:
            return
        yield kind, at, min(at + size, len(data))
        at += size


def zero_media(data: bytes) -> bytes:
    """Return the file with all media data zero and every box as it was."""
    damaged = bytearray(data)
    for kind, start, end in _boxes(data):
        if kind == b"mdat":
            first = start + _HEADER.size
            damaged[first:end] = bytes(end - first)
    return bytes(damaged)


def corrupt_head(data: bytes, size_bytes: int = 64) -> bytes:
    """Return the file with its first bytes turned over."""
    return bytes(byte ^ 0xFF for byte in data[:size_bytes]) + data[size_bytes:]


FRAMES_PER_S = 24
"""The frame rate of every clip."""
_SAMPLES_PER_S = 48_000
_AAC_SAMPLES = 1024


def write_video(
    path: Path,
    frames: Iterable[VideoFrame],
    frame_size: tuple[int, int],
    options: dict[str, str],
    *,
    sound: bool = False,
) -> None:
    """Encode ``frames`` into ``path``, which comes into being when it is whole.

    Args:
        path: of the finished file.
        frames: in order; one object may come again as often as it stands still.
        frame_size: width and height.
        options: for the x264 encoder.
        sound: whether a silent sound track goes with it; most real videos have one.
    """
    part = path.with_suffix(".part")
    make_file(part)
    with av.open(str(part), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=FRAMES_PER_S, options=options)
        _shape(stream, frame_size)
        silence = _Silence(container) if sound else None
        for number, frame in enumerate(frames):
            frame.pts = number
            frame.time_base = Fraction(1, FRAMES_PER_S)
            container.mux(stream.encode(frame))
            if silence is not None:
                silence.until(number + 1)
        container.mux(stream.encode(None))
        if silence is not None:
            silence.end()
    part.replace(path)


class _Silence:
    """A sound track with nothing on it, written alongside the pictures."""

    def __init__(self, container: OutputContainer) -> None:
        self._container = container
        self._stream: AudioStream = container.add_stream("aac", rate=_SAMPLES_PER_S)
        self._stream.codec_context.layout = "stereo"
        self._written = 0

    def until(self, frames: int) -> None:
        """Write as much as belongs to the first ``frames`` pictures."""
        while self._written < frames * _SAMPLES_PER_S // FRAMES_PER_S:
            frame = AudioFrame(format="fltp", layout="stereo", samples=_AAC_SAMPLES)
            for plane in frame.planes:
                plane.update(bytes(plane.buffer_size))
            frame.sample_rate = _SAMPLES_PER_S
            frame.pts = self._written
            frame.time_base = Fraction(1, _SAMPLES_PER_S)
            self._container.mux(self._stream.encode(frame))
            self._written += _AAC_SAMPLES

    def end(self) -> None:
        """Write what the encoder has kept back."""
        self._container.mux(self._stream.encode(None))


def _shape(stream: VideoStream, frame_size: tuple[int, int]) -> None:
    stream.width, stream.height = frame_size
    stream.pix_fmt = "yuv420p"
    stream.time_base = Fraction(1, FRAMES_PER_S)
    # Two renderers share two cores with the program that is rehearsed.
    stream.codec_context.thread_count = 1


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
            return _make_clip(kind, Path(temporary))
    make_folder(folder)
    return _make_clip(kind, folder)


def _make_clip(kind: ClipKind, folder: Path) -> bytes:
    duration_s, (width, height) = kind
    path = folder / f"plain-{duration_s}s-{width}x{height}.mp4"
    refuse_link(path)
    if not path.exists():
        # Two emulators may share a folder: each encodes beside and renames.
        own = folder / f"plain-{os.getpid()}-{duration_s}s-{width}x{height}.mp4"
        write_video(own, _plain_frames(kind), kind[1], _OPTIONS)
        own.replace(path)
    return read_private(path)


def _plain_frames(kind: ClipKind) -> Iterator[VideoFrame]:
    duration_s, (width, height) = kind
    frame = VideoFrame(width, height, "yuv420p")
    for plane, level in zip(frame.planes, (_LUMA, _CB, _CR), strict=True):
        plane.update(bytes([level]) * plane.buffer_size)
    for _ in range(duration_s * FRAMES_PER_S):
        yield frame
