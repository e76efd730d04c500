"""All figures of a video in one pass over its film frames and its sound.

A film frame that cannot be decoded is counted: what else there is to see is still measured.

Tested in tests/downloader/test_filmfigures.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.downloader.filmfigures import RECIPE, FilmFigures
from pipeline.downloader.soundfigures import SoundFigures

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream


class Gauge:
    """Measures a video while it is decoded.

    Args:
        container: the video, open at its beginning.
        stream: its video track.
        length_s: its length in seconds.

    """

    def __init__(self, container: InputContainer, stream: VideoStream, length_s: float) -> None:
        """Begin."""
        sounds = container.streams.audio[:1]
        self._track = sounds[0] if sounds else None
        self.tracks: list[Stream] = [stream, *sounds]
        self._stream = stream
        self._film, self._sound = FilmFigures(length_s), SoundFigures() if sounds else None
        self._length_s = length_s
        self._damaged = self._seen = 0

    def hear(self, packet: Packet[Any]) -> None:
        """Take in sound; what of it cannot be decoded is left out."""
        import av  # noqa: PLC0415 - the process that decodes has loaded it

        assert self._sound is not None  # noqa: S101 - only then there are such packets
        assert self._track is not None  # noqa: S101 - likewise
        try:
            for frame in self._track.decode(packet):
                self._sound.hear(frame)
        except av.error.FFmpegError:
            return

    def see(self, frame: VideoFrame) -> None:
        """Take in a film frame."""
        self._seen += 1
        self._damaged += frame.is_corrupt
        self._film.see(frame)

    def see_all(self, container: InputContainer) -> dict[str, Any]:
        """Decode all that is left; return the figures as a reply, or a fault."""
        import av  # noqa: PLC0415 - likewise

        # With several threads the decoder hides errors.
        self._stream.codec_context.thread_count = 1
        for packet in container.demux(self.tracks):
            if packet.stream is not self._stream:
                self.hear(packet)
                continue
            try:
                frames = self._stream.decode(packet)
            except av.error.FFmpegError:
                self._damaged += 1
                continue
            for frame in frames:
                self.see(frame)
        return {"figures": self.report()} if self._seen else {"fault": "no frame can be decoded"}

    def report(self) -> dict[str, Any]:
        """Return the figures."""
        rate = self._stream.average_rate or self._stream.guessed_rate
        return {
            "recipe": RECIPE,
            "width": self._stream.width,
            "height": self._stream.height,
            "length_s": round(self._length_s, 3),
            "rate": round(float(rate), 3) if rate else 0.0,
            "announced": self._stream.frames,
            "damaged": self._damaged,
            **self._film.report(),
            "sound": self._sound and self._sound.report(),
        }
