"""The labelled clips: which there are, and their files.

On these the rules were chosen. `unseen` holds those that were made afterwards.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, cast

import av
import numpy as np
from PIL import Image

from benchmarks.clipset import faults
from benchmarks.clipset.faults import SAMPLES_PER_S, Change, Sound
from benchmarks.clipset.moves import MOVES, Frames, Shape, push, start_of
from benchmarks.clipset.scenes import Scene, scene

if TYPE_CHECKING:
    from av.video.stream import VideoStream

GOOD = "good"
_SHAPES = (
    Shape(),
    Shape((720, 1280)),
    Shape((1280, 720), 25, 4),
    Shape((1280, 720), 30),
    Shape((1920, 1080), 24, 4),
    Shape((720, 1280), 24, 10),
)
Encoder = tuple[str, dict[str, str], int | None]
"""The name of an encoder, its options, and bits per second."""
_ENCODERS: tuple[Encoder, ...] = (
    ("libx264", {"preset": "veryfast", "crf": "23"}, None),
    ("libx264", {"preset": "faster", "crf": "30"}, None),
    ("libx264", {"preset": "veryfast"}, 4_000_000),
    ("libx264", {"preset": "ultrafast", "crf": "28", "g": "48"}, None),
    ("libx264", {"preset": "veryfast", "bf": "0"}, 900_000),
)


@dataclass(frozen=True)
class Clip:
    """A clip: what is wrong with it, what it shows, and its picture, if it is to begin with one."""

    name: str
    label: str
    kind: str
    path: Path
    picture: Path | None


Film = Callable[[random.Random, Scene, Shape], Frames]
_GROUNDS = ("white", "black", "studio", "wood", "room", "lights")
_MIDDLING = ("studio", "wood", "room")


@dataclass
class Studio:
    """Draws and encodes the clips of a set into a folder; each is decided by seed and number."""

    folder: Path
    seed: str
    shapes: tuple[Shape, ...] = _SHAPES
    encoders: tuple[Encoder, ...] = _ENCODERS
    stage: Callable[[random.Random, tuple[int, int], str], Scene] = scene
    made: int = 0

    def shoot(
        self,
        label: str,
        kind: str,
        film: Film,
        *,
        grounds: tuple[str, ...] = _GROUNDS,
        picture: Callable[[random.Random, Scene, Shape], Scene] | None = None,
        sound: Callable[[Sound], Sound] | None = lambda sound: sound,
    ) -> Clip:
        """Return a clip, made unless it is there.

        Args:
            label: what is wrong with it.
            kind: how it came to be.
            film: its film frames.
            grounds: what its product may stand on.
            picture: what its picture shows; None for no picture.
            sound: what becomes of its sound; None for no sound track.

        """
        self.made += 1
        draw = random.Random(f"{self.seed} {self.made}")  # noqa: S311 - no secret
        shape, encoder = draw.choice(self.shapes), draw.choice(self.encoders)
        shown = self.stage(draw, shape.size, draw.choice(grounds))
        path = self.folder / f"{self.made:03}-{label}-{kind}.mp4".replace(" ", "_")
        still = None if picture is None else path.with_suffix(".jpg")
        if not path.exists():
            if still is not None and picture is not None:
                start_of(picture(draw, shown, shape), shape).save(still, quality=90)
            music = None if sound is None else sound(faults.music(draw, shape))
            part = path.with_suffix(".part")
            write(part, film(draw, shown, shape), shape, encoder, music)
            if label == "damaged":
                faults.corrupt(draw, part)
            part.replace(path)
        return Clip(path.stem, label, kind, path, still)


_MOVING = ("push", "pan", "shake", "turn", "float", "two shots")
_SEEN: tuple[tuple[str, tuple[Change, ...], tuple[str, ...]], ...] = (
    ("stands still", (faults.frozen,), _GROUNDS),
    ("flickers", (faults.flickering, faults.flashing), _GROUNDS),
    ("bars", (faults.barred,), _MIDDLING),
    ("blank", (faults.blank,), _GROUNDS),
    ("black", (faults.black,), _GROUNDS),
)
_HEARD: tuple[tuple[str, Callable[[Sound], Sound] | None], ...] = (
    ("no sound", None),
    ("silent", faults.hushed),
    ("distorted", faults.cut_off),
)


def write(
    path: Path,
    frames: Frames,
    shape: Shape,
    encoder: Encoder,
    sound: Sound | None,
) -> None:
    """Encode a clip.

    Args:
        path: of the file.
        frames: its film frames.
        shape: size, rate and length.
        encoder: the name of the encoder, its options, and bits per second.
        sound: in stereo; None for no sound track.

    """
    name, options, rate = encoder
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream = cast("VideoStream", container.add_stream(name, shape.rate, options=options))
        stream.width, stream.height = shape.size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.thread_count = 1
        if rate is not None:
            stream.bit_rate = rate
        track = None if sound is None else container.add_stream("aac", SAMPLES_PER_S)
        if track is not None:
            track.codec_context.layout = "stereo"
        for pixels in frames:
            shown = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
            container.mux(stream.encode(shown))
        container.mux(stream.encode(None))
        if track is not None and sound is not None:
            for at in range(0, sound.shape[1] - 1024, 1024):
                piece = av.AudioFrame.from_ndarray(
                    np.ascontiguousarray(sound[:, at : at + 1024]), format="fltp", layout="stereo"
                )
                piece.sample_rate, piece.pts = SAMPLES_PER_S, at
                piece.time_base = Fraction(1, SAMPLES_PER_S)
                container.mux(track.encode(piece))
            container.mux(track.encode(None))


def changed(change: Change, moves: tuple[str, ...] = _MOVING) -> Film:
    """Return film of something that moves, changed.

    `moves` are those of which one is taken.
    """

    def film(draw: random.Random, made: Scene, shape: Shape) -> Frames:
        return change(draw, MOVES[draw.choice(moves)](draw, made, shape), shape)

    return film


def pushed(by: float) -> Film:
    """Return film that goes nearer by so much."""
    return lambda draw, made, shape: push(draw, made, shape, by)


def chosen(folder: Path) -> Iterator[Clip]:
    """Yield the clips on which the rules were chosen."""
    studio = Studio(folder, "chosen")
    yield from _good(studio)
    yield from _faulty(studio)
    yield from _with_pictures(studio)


def _good(studio: Studio) -> Iterator[Clip]:
    for number in range(44):
        move = sorted(MOVES)[number % len(MOVES)]
        yield studio.shoot(GOOD, move, MOVES[move])
    for by in (0.01, 0.01, 0.01, 0.02, -0.02, -0.05):
        yield studio.shoot(GOOD, f"push {by:+.0%}", pushed(by))
    for change in (faults.faded, faults.grained):
        for _ in range(6):
            yield studio.shoot(GOOD, change.__name__, changed(change))
    for _ in range(6):
        yield studio.shoot(GOOD, "darkened", changed(faults.darkened), grounds=_MIDDLING)
    for ground in ("black", "white"):
        for move in ("turn", "push", "float", "sweep"):
            yield studio.shoot(GOOD, f"{move} on {ground}", MOVES[move], grounds=(ground,))


def _faulty(studio: Studio) -> Iterator[Clip]:
    for label, changes, grounds in _SEEN:
        for number in range(9):
            change = changes[number % len(changes)]
            yield studio.shoot(label, change.__name__, changed(change), grounds=grounds)
    for _ in range(6):
        yield studio.shoot("damaged", "bytes", push)
    for label, sound in _HEARD:
        for _ in range(3):
            yield studio.shoot(label, "sound", push, sound=sound)


def _with_pictures(studio: Studio) -> Iterator[Clip]:
    """Yield clips that begin with their picture, that do not, and that have another colour."""
    for number in range(12):
        move = ("push", "turn", "float", "shake", "pan", "sweep")[number % 6]
        yield studio.shoot(
            GOOD, f"{move} from its picture", MOVES[move], picture=lambda _, made, __: made
        )
    for _ in range(8):
        yield studio.shoot(
            "does not begin with the picture", "another product", push, picture=another
        )
    for _ in range(6):
        yield studio.shoot(
            "colour differs", "another colour", push, picture=recoloured, grounds=_MIDDLING
        )


def another(draw: random.Random, made: Scene, shape: Shape) -> Scene:
    """Return a scene with another product, which may stand on the same ground."""
    other = scene(draw, shape.size, draw.choice(("studio", "white", "wood")))
    ground = draw.choice((made.ground, other.ground))
    return Scene(ground, other.product, other.at)


def recoloured(draw: random.Random, made: Scene, shape: Shape) -> Scene:
    """Return the same scene with the product in another colour."""
    _ = shape
    red, green, blue, alpha = made.product.split()
    planes = draw.choice(((blue, red, green), (green, blue, red)))
    return Scene(made.ground, Image.merge("RGBA", (*planes, alpha)), made.at)
