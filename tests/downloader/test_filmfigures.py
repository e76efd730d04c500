"""The figures of a video: gathered in one pass, in a process that gives way to all others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest

from pipeline.downloader.filmfigures import FilmFigures, shrink, sides
from pipeline.downloader.soundfigures import SoundFigures
from pipeline.downloader.verification import MEASURER, Decoders
from pipeline.errors import BadVideo, StoreError

Pixels = npt.NDArray[np.uint8]
RATE = 24


def frame_of(pixels: Pixels, at: int, kind: str = "yuv420p") -> av.VideoFrame:
    """A film frame as a decoder gives it."""
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format=kind)
    frame.pts, frame.time_base = at, Fraction(1, RATE)
    return frame


def grey(level: int, size: tuple[int, int] = (320, 180)) -> Pixels:
    """A film frame of one level."""
    return np.full((size[1], size[0], 3), level, np.uint8)


def moving(count: int) -> Iterator[Pixels]:
    """A light square that goes to the right over a dark ground."""
    for at in range(count):
        pixels = grey(40)
        pixels[60:120, 20 + at : 80 + at] = (230, 60, 60)
        yield pixels


def write(path: Path, frames: Iterator[Pixels], *, sound: bool = True) -> None:
    """Encode film frames, with a tone."""
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        track = container.add_stream("aac", rate=48_000) if sound else None
        for pixels in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
        for at in range(0, 48_000 if track else 0, 1024):
            tone = np.sin(np.arange(at, at + 1024) / 20).astype(np.float32)[None] * 0.5
            piece = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
            piece.sample_rate, piece.pts, piece.time_base = 48_000, at, Fraction(1, 48_000)
            assert track is not None
            container.mux(track.encode(piece))
        if track is not None:
            container.mux(track.encode(None))


def test_every_film_frame_and_a_sample_each_quarter_of_a_second() -> None:
    """Whatever the range of levels and the depth of the colours in the file."""
    for kind in ("yuv420p", "yuvj420p", "yuv420p10le", "yuv444p"):
        film = FilmFigures(2.0)
        for at in range(2 * RATE):
            film.see(frame_of(grey(100 + at), at, kind))
        found = film.report()
        assert found["frames"] == 2 * RATE
        assert len(found["luma"]) == 2 * RATE
        assert found["luma"][10] == pytest.approx(1100, abs=15), kind
        assert found["at_s"] == [0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75]
        assert max(found["spread"]) <= 2
        assert found["highest"][0] == pytest.approx(1000, abs=15), kind
        assert found["moved"] == pytest.approx([2400] * 4, abs=150)


def test_a_short_and_a_long_video_have_figures() -> None:
    """One film frame is enough, and hours do not make more samples."""
    film = FilmFigures(0.04)
    film.see(frame_of(grey(50), 0))
    assert film.report()["moved"] == []
    long = FilmFigures(3600.0)
    for at in range(0, 3600 * RATE, RATE * 3):
        long.see(frame_of(grey(50, (32, 18)), at))
    found = long.report()
    assert len(found["at_s"]) <= 241
    assert len(json.dumps(found)) < 60_000


def test_a_small_thing_that_moves_is_seen_in_its_blocks() -> None:
    """And grain is not, nor is a spark."""
    rng = np.random.default_rng(3)
    films = {"moves": FilmFigures(2.0), "grain": FilmFigures(2.0), "spark": FilmFigures(2.0)}
    for at, pixels in enumerate(moving(48)):
        films["moves"].see(frame_of(pixels, at))
        if not at % 6:
            noise = grey(90, (1280, 720)) + rng.normal(0, 4, (720, 1280, 1))
            films["grain"].see(frame_of(np.clip(noise, 0, 255).astype(np.uint8), at))
        spark = grey(90)
        spark[10:20, 10:20] = 90 + at
        films["spark"].see(frame_of(spark, at))
    moved = {name: max(film.report()["moved"]) for name, film in films.items()}
    assert moved["moves"] > 1000
    assert moved["grain"] < 80
    assert moved["spark"] < 20


def test_areas_of_any_size() -> None:
    """Each value is the mean of its area, also where sides are no multiples."""
    plane = np.arange(7 * 11, dtype=np.uint8).reshape(7, 11)
    assert shrink(plane, 1, 1)[0, 0] == pytest.approx(plane.mean())
    assert shrink(plane, 7, 11).tolist() == plane.tolist()
    assert shrink(plane, 14, 22).shape == (14, 22)
    assert sides(1280, 720, 160, 10) == (90, 160)
    assert sides(720, 1280, 160, 10) == (160, 90)
    assert sides(4000, 16, 160, 10) == (10, 160)


def test_sound_is_measured_in_any_form() -> None:
    """Whole numbers or fractions; nothing heard has no figures."""
    assert SoundFigures().report() is None
    for kind, pieces in (("fltp", [0.0, 0.5, -1.0, 1.0]), ("s16p", [0, 16_384, -32_768, 32_767])):
        sound = SoundFigures()
        whole = np.asarray([pieces * 256], np.int16)
        samples = np.asarray([pieces * 256], np.float32) if kind == "fltp" else whole
        piece = av.AudioFrame.from_ndarray(samples, format=kind, layout="mono")
        piece.sample_rate = 48_000
        sound.hear(piece)
        found = sound.report()
        assert found is not None
        assert found["peak_db"] == pytest.approx(0, abs=0.1)
        assert found["cut_off"] == pytest.approx(0.5)
        assert found["length_s"] == pytest.approx(1024 / 48_000, abs=0.01)


@pytest.mark.process
async def test_a_process_that_gives_way_measures(tmp_path: Path) -> None:
    """Damaged film frames are counted, what is no video is refused, what is gone is no verdict.

    A full verification gives the same figures by the way.
    """
    path, bad = tmp_path / "größe 38.mp4", tmp_path / "bad.mp4"
    write(path, moving(48))
    content = bytearray(path.read_bytes())
    at = content.find(b"mdat") + 1_500
    content[at : at + 600] = bytes(600)
    bad.write_bytes(content)
    (tmp_path / "none.mp4").write_bytes(b"no video")
    async with Decoders(processes=1, program=MEASURER) as decoders:
        found = await decoders.measure(path)
        footage, by_the_way = await decoders.examine_and_measure(path)
        assert (found, footage.width) == (by_the_way, 320)
        assert found["damaged"] == 0
        assert found["sound"]["peak_db"] == pytest.approx(-7, abs=2)
        assert (await decoders.measure(bad))["damaged"] > 0
        with pytest.raises(BadVideo, match="refuses it"):
            await decoders.measure(tmp_path / "none.mp4")
        with pytest.raises(StoreError):
            await decoders.measure(tmp_path / "gone.mp4")
        assert (await decoders.measure(path))["frames"] == 48
