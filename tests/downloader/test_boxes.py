"""The box walk finds every truncation and takes every sound file."""

from __future__ import annotations

import io
import struct
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.downloader.boxes import BoxFault, Footage, has_sound, walk_boxes


def look(data: bytes) -> Footage:
    return walk_boxes(io.BytesIO(data), len(data))


def test_sound_video(video: bytes) -> None:
    """A sound video says its frame size and length."""
    footage = look(video)
    assert (footage.width, footage.height) == (192, 108)
    assert footage.duration_s == pytest.approx(1, abs=0.001)


def test_every_truncation(video: bytes) -> None:
    """No file cut at any byte of its head, and at any of many bytes of its media, passes."""
    cuts = [*range(4000), *range(4000, len(video), 997), *range(len(video) - 50, len(video))]
    for cut in cuts:
        with pytest.raises(BoxFault):
            look(video[:cut])


def test_truncation_of_the_media_is_told_as_such(video: bytes) -> None:
    """Bytes missing at the end are told apart from damage."""
    with pytest.raises(BoxFault) as caught:
        look(video[:-1])
    assert caught.value.truncated


def test_media_up_to_the_end(video: bytes) -> None:
    """A media box of size 0 reaches to the end of the file; a cut one is still found."""
    at = video.index(b"mdat") - 4
    open_ended = video[:at] + bytes(4) + video[at + 4 :]
    assert look(open_ended) == look(video)
    with pytest.raises(BoxFault) as caught:
        look(open_ended[:-100])
    assert caught.value.truncated


def test_media_with_a_wide_size(video: bytes) -> None:
    """A 64-bit box size is understood (the offsets of the samples stay inside the file)."""
    at = video.index(b"mdat") - 4
    (size,) = struct.unpack_from(">I", video, at)
    wide = video[:at] + struct.pack(">I4sQ", 1, b"mdat", size + 8) + video[at + 8 :]
    assert look(wide) == look(video)


@pytest.mark.parametrize("kind", [b"ftyp", b"moov", b"mdat", b"stco", b"stsz", b"stsc", b"trak"])
def test_missing_box(video: bytes, kind: bytes) -> None:
    """Each box that a player needs must be there."""
    with pytest.raises(BoxFault):
        look(video.replace(kind, b"free", 1))


def test_bytes_at_the_end(video: bytes) -> None:
    """Anything after the last box is a fault."""
    for rest in (b"\0", bytes(8), bytes(100), b"</html>\n\n"):
        with pytest.raises(BoxFault):
            look(video + rest)


@pytest.mark.parametrize(
    "data", [b"", b"\0", b"<html></html>", bytes(64), b"\xff" * 64, b"\0\0\0\1ftyp" + b"\xff" * 8]
)
def test_no_video_at_all(data: bytes) -> None:
    """What is no MP4 is a fault with a sentence."""
    with pytest.raises(BoxFault):
        look(data)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 1400), byte=st.integers(0, 255))
def test_damage_never_raises_anything_else(video: bytes, at: int, byte: int) -> None:
    """Whatever one byte of the head becomes, the answer is footage or a BoxFault."""
    damaged = bytearray(video)
    damaged[at] = byte
    with suppress(BoxFault):
        assert look(bytes(damaged)).duration_s >= 0


@pytest.mark.parametrize(
    "flags",
    ["", "faststart", "frag_keyframe+empty_moov", "frag_keyframe+empty_moov+default_base_moof"],
)
@pytest.mark.parametrize("audio", [False, True])
def test_layouts(tmp_path: Path, flags: str, audio: bool) -> None:
    """Index behind or in front, fragments, with and without sound: all sound files pass."""
    path = tmp_path / "layout.mp4"
    with av.open(str(path), "w", options={"movflags": flags} if flags else {}) as container:
        stream = container.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.time_base = Fraction(1, 24)
        sound = container.add_stream("aac", rate=48000) if audio else None
        for _ in range(12):
            container.mux(stream.encode(av.VideoFrame(64, 48, "yuv420p")))
        container.mux(stream.encode())
        if sound is not None:
            for at in range(0, 24 * 1024, 1024):
                silence = np.zeros((2, 1024), dtype=np.float32)
                samples = av.AudioFrame.from_ndarray(silence, format="fltp", layout="stereo")
                samples.sample_rate, samples.pts = 48000, at
                container.mux(sound.encode(samples))
            container.mux(sound.encode())
    data = path.read_bytes()
    footage = look(data)
    assert (footage.width, footage.height) == (64, 48)
    with pytest.raises(BoxFault):
        look(data[:-3])


def test_whether_there_is_sound(video: bytes) -> None:
    """By the kinds of its tracks."""
    silent = video.replace(b"soun", b"hint")
    assert not has_sound(io.BytesIO(silent), len(silent))
    spoken = silent.replace(b"vide", b"soun", 1)
    assert has_sound(io.BytesIO(spoken), len(spoken))
    with pytest.raises(BoxFault):
        has_sound(io.BytesIO(video[:40]), 40)
