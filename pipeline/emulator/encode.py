"""H.264 in MP4, as the provider delivers it: 24 frames a second, ``moov`` in front."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

FRAMES_PER_S = 24
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
    with av.open(str(part), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=FRAMES_PER_S, options=options)
        _shape(stream, frame_size)
        silence = Silence(container) if sound else None
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


class Silence:
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
