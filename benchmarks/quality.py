"""What the measures of videos find and wrongly find, and what they cost.

Two sets of labelled clips, drawn and encoded by `clipset`: the rules were chosen on one, and the
other was made afterwards. A clip with a fault counts as found if its fault is among what is said of
it; a good one as wrongly flagged if anything is.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from benchmarks import makespan
from benchmarks.clipset.listing import GOOD, Clip, chosen, write
from benchmarks.clipset.moves import Frames, Shape, pan
from benchmarks.clipset.scenes import scene
from benchmarks.clipset.unseen import unseen
from benchmarks.figures import Figure, at_least, at_most, beside
from benchmarks.processes import ROOT, workplace
from pipeline.downloader.gauge import Gauge
from pipeline.downloader.verification import MEASURER, Decoders
from pipeline.errors import BadVideo
from pipeline.review.quality import findings, of_likeness

PAGE = ROOT / "docs" / "quality.md"
LABELS = (
    GOOD, "stands still", "flickers", "bars", "blank", "black", "damaged", "no sound", "silent",
    "distorted", "does not begin with the picture", "colour differs",
)  # fmt: skip
SETS: dict[str, Callable[[Path], Iterator[Clip]]] = {"chosen": chosen, "unseen": unseen}
LEAST_FOUND, MOST_FALSE = 90.0, 5.0
_CALM_MS, _MS_A_MB, _MORE = 150.0, 110.0, 1.2
_ROWS = 150


@dataclass(frozen=True)
class Judged:
    """A clip and what was said of it."""

    label: str
    said: tuple[str, ...]


def judge(clips: Iterable[Clip]) -> list[Judged]:
    """Measure clips as the product does, and say what follows."""
    return asyncio.run(_judge(list(clips)))


async def _judge(clips: Sequence[Clip]) -> list[Judged]:
    async with Decoders(processes=2, program=MEASURER) as decoders:
        return list(await asyncio.gather(*(_judged(clip, decoders) for clip in clips)))


async def _judged(clip: Clip, decoders: Decoders) -> Judged:
    try:
        figures = await decoders.measure(clip.path)
    except BadVideo as error:
        return Judged(clip.label, findings({"fault": error.message}))
    said = findings(figures)
    if clip.picture is not None:
        said += of_likeness(await decoders.compare(figures["start"], clip.picture))
    return Judged(clip.label, said)


def confusion(judged: Sequence[Judged]) -> list[str]:
    """Return a table in Markdown: a line for each label, a column for all that was said."""
    columns = (*LABELS[1:], "nothing")
    lines = [_line(("is", "clips", *columns)), _line(("---",) * (len(columns) + 2))]
    for label in LABELS:
        of_label = [one for one in judged if one.label == label]
        counts = Counter(said for one in of_label for said in one.said or ("nothing",))
        shown = [str(counts[name]) if counts[name] else "" for name in columns]
        lines.append(_line((label, str(len(of_label)), *shown)))
    return lines


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def shares(judged: Sequence[Judged]) -> tuple[float, float]:
    """Return in percent how many faults were found, and how many good clips wrongly flagged."""
    good = [one for one in judged if one.label == GOOD]
    bad = [one for one in judged if one.label != GOOD]
    found = sum(one.label in one.said for one in bad) / len(bad) * 100
    return found, sum(bool(one.said) for one in good) / len(good) * 100


tables: dict[str, list[str]] = {}
"""The tables of confusion of what was measured last, by the name of the set."""


def measure(*, long: bool = False) -> Iterator[Figure]:
    """Measure what is found, and what it costs."""
    _ = long
    with workplace() as folder:
        for name, clips in SETS.items():
            place = folder / name
            place.mkdir()
            judged = judge(clips(place))
            tables[name] = confusion(judged)
            found, wrong = shares(judged)
            yield beside(f"{name} clips", str(len(judged)))
            yield at_least(f"faults found, {name} clips", found, LEAST_FOUND, " %")
            yield at_most(f"good clips flagged, {name} clips", wrong, MOST_FALSE, " %")
        yield from _cost(folder)
        yield from _nights(folder)


_RATES = {"0.2 MB/s": 1_750_000, "5 Mbit/s": 5_000_000}


def _cost(folder: Path) -> Iterator[Figure]:
    """Measure the processor's time for clips like those of the provider."""
    for name, rate in _RATES.items():
        path = _typical(folder, name.replace("/", "-"), rate)
        spent = min(_measured_ms(path) for _ in range(5))
        size = path.stat().st_size / 1_000_000
        limit = round((_CALM_MS + _MS_A_MB * size) * _MORE)
        yield at_most(f"CPU to measure 6 s of 720p, {size:.1f} MB", spent, limit, " ms", ".0f")


def _typical(folder: Path, name: str, rate: int) -> Path:
    """Return a clip with something of everything: a move, texture and some grain."""
    shape = Shape()
    draw = random.Random(name)  # noqa: S311 - no secret
    path = folder / f"typical {name}.mp4"

    def film() -> Frames:
        rng = np.random.default_rng(1)
        for frame in pan(draw, scene(draw, shape.size, "wood"), shape):
            noise = rng.normal(0, rate / 800_000, (*frame.shape[:2], 1))
            yield np.clip(frame + noise, 0, 255).astype(np.uint8)

    write(path, film(), shape, ("libx264", {"preset": "medium"}, rate), None)
    return path


def _measured_ms(path: Path) -> float:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        began = time.process_time()
        Gauge(container, stream, 6.0).see_all(container)
        return (time.process_time() - began) * 1000


def _nights(folder: Path) -> Iterator[Figure]:
    """Measure a night of which every video is decoded, with the measures and without."""
    video = _typical(folder, "night", 300_000)
    for on in (False, True):
        further = {"output.verify": "first_frame", "review.quality": on}
        night, spent, _ = makespan.of_product(
            _ROWS, "exact", video_bytes=0, video=video, further=further
        )
        said = f"{night}, {spent.elapsed_s:.1f} s in all"
        yield beside(f"a night of {_ROWS} rows {'with' if on else 'without'} measures", said)
