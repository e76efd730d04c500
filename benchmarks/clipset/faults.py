"""What goes wrong with a clip: film frames, sound or bytes that are changed on purpose."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from benchmarks.clipset.moves import Frames, Pixels, Shape

Sound = npt.NDArray[np.float32]
SAMPLES_PER_S = 48_000
Change = Callable[[random.Random, Frames, Shape], Frames]


def _times(frame: Pixels, gain: float) -> Pixels:
    lit: Pixels = np.clip(frame.astype(np.float32) * gain, 0, 255).astype(np.uint8)
    return lit


# Good ones.


def faded(draw: random.Random, frames: Frames, shape: Shape) -> Frames:
    """Fade in from black or white, out, or both: for at most a second each."""
    ground = draw.choice((0.0, 0.0, 255.0))
    ends = draw.choice(((1.0, 0.0), (0.0, 1.0), (0.8, 0.8)))
    for at, frame in enumerate(frames):
        second, left = at / shape.rate, (shape.count - 1 - at) / shape.rate
        part = min(second / ends[0] if ends[0] else 1.0, left / ends[1] if ends[1] else 1.0, 1.0)
        yield (frame * part + ground * (1 - part)).astype(np.uint8)


def grained(draw: random.Random, frames: Frames, shape: Shape) -> Frames:
    """Put film grain over all."""
    rng = np.random.default_rng(draw.randrange(1 << 30))
    strength = draw.uniform(4, 12)
    wide, high = shape.size
    grain = rng.normal(0, strength, (high + 64, wide + 64, 1)).astype(np.float32)
    for frame in frames:
        x, y = rng.integers(0, 64, 2)
        yield np.clip(frame + grain[y : y + high, x : x + wide], 0, 255).astype(np.uint8)


def darkened(draw: random.Random, frames: Frames, shape: Shape) -> Frames:
    """Make an evening of it."""
    _ = shape
    gain = draw.uniform(0.25, 0.4)
    for frame in frames:
        yield _times(frame, gain)


# Faults of what is seen.


def frozen(draw: random.Random, frames: Frames, shape: Shape) -> Frames:
    """Stop moving at the beginning, at the end or in the middle, for more than half of the clip."""
    share = draw.choice((1.0, 0.75, 0.6))
    begin = 0 if share == 1 else round(shape.count * draw.choice((0.0, (1 - share) / 2, 1 - share)))
    still: Pixels | None = None
    for at, frame in enumerate(frames):
        if begin <= at < begin + share * shape.count:
            still = frame if still is None else still
            yield still
        else:
            yield frame


def flickering(draw: random.Random, frames: Frames, shape: Shape) -> Frames:
    """Get brighter and darker: every other frame, in waves, or by chance."""
    kind, strength = draw.choice(("other", "wave", "chance")), draw.uniform(0.08, 0.2)
    for at, frame in enumerate(frames):
        wave = math.sin(2 * math.pi * 6 * at / shape.rate)
        gains = {"other": 1 - 2 * (at % 2), "wave": wave, "chance": draw.gauss(0, 0.7)}
        yield _times(frame, 1 + strength * gains[kind])


def flashing(draw: random.Random, frames: Frames, shape: Shape) -> Frames:
    """Lose single film frames to black or to white."""
    lost = set(draw.sample(range(4, shape.count - 4, 6), 4))
    level = draw.choice((0, 255))
    for at, frame in enumerate(frames):
        yield np.full_like(frame, level) if at in lost else frame


def barred(draw: random.Random, frames: Frames, shape: Shape) -> Frames:
    """Shrink between bars: above and below, left and right, or both."""
    wide, high = shape.size
    kind = draw.choice(("above", "beside", "around"))
    part = draw.uniform(0.6, 0.88)
    inner = (
        wide if kind == "above" else round(wide * part),
        high if kind == "beside" else round(high * part),
    )
    level = draw.choice((0, 0, 0, 255))
    left, top = (wide - inner[0]) // 2, (high - inner[1]) // 2
    for frame in frames:
        whole = np.full_like(frame, level)
        small = Image.fromarray(frame).resize(inner, Image.Resampling.BILINEAR)
        whole[top : top + inner[1], left : left + inner[0]] = np.asarray(small)
        yield whole


def _gone(draw: random.Random, frames: Frames, shape: Shape, colour: tuple[int, ...]) -> Frames:
    """Show one colour for all of the clip, or for its second half."""
    begin = draw.choice((0, shape.count // 2))
    for at, frame in enumerate(frames):
        yield np.full_like(frame, colour) if at >= begin else frame


def blank(draw: random.Random, frames: Frames, shape: Shape) -> Frames:
    """Show nothing but a colour."""
    colours = ((255, 255, 255), (128, 128, 128), (0, 60, 200), (0, 177, 64), (240, 232, 220))
    return _gone(draw, frames, shape, draw.choice(colours))


def black(draw: random.Random, frames: Frames, shape: Shape) -> Frames:
    """Show nothing but black."""
    return _gone(draw, frames, shape, draw.choice(((0, 0, 0), (9, 9, 9))))


# Sound.


def music(draw: random.Random, shape: Shape) -> Sound:
    """Return a quiet chord with some noise, in stereo."""
    second = np.arange(shape.seconds * SAMPLES_PER_S, dtype=np.float32) / SAMPLES_PER_S
    sound = np.zeros_like(second)
    for tone in draw.sample((220.0, 277.2, 329.6, 440.0, 554.4), 3):
        sound += np.sin(2 * np.pi * tone * second) * draw.uniform(0.05, 0.12)
    noise = np.random.default_rng(draw.randrange(1 << 30)).normal(0, 0.004, (2, len(second)))
    return (sound * (0.7 + 0.3 * np.sin(second * 2.2)) + noise).astype(np.float32)


def hushed(sound: Sound) -> Sound:
    """Return silence."""
    return np.zeros_like(sound)


def cut_off(sound: Sound) -> Sound:
    """Return sound so loud that its tops are cut off."""
    return np.clip(sound * 14, -1, 1)


# Bytes.


def corrupt(draw: random.Random, path: Path) -> None:
    """Damage the media data of a file, behind its first film frame."""
    content = bytearray(path.read_bytes())
    begin = content.find(b"mdat") + 4
    end = len(content) if content.find(b"moov") < begin else content.find(b"moov") - 4
    begin += (end - begin) // 4
    kind, times = draw.choice(("bits", "zeros", "noise")), draw.randint(2, 8)
    for _ in range(times):
        at = draw.randrange(begin, end - 2_000)
        if kind == "bits":
            content[at] ^= 1 << draw.randrange(8)
        else:
            lost = draw.randrange(300, 2_000)
            content[at : at + lost] = bytes(lost) if kind == "zeros" else draw.randbytes(lost)
    path.write_bytes(content)


def looped(frames: Frames, count: int) -> Iterator[Pixels]:
    """Return so many film frames."""
    return itertools.islice(frames, count)
