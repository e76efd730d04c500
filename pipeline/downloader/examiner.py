"""Decode videos and say what they show: the program that runs in a decoding process.

A damaged video can hang or crash the decoder, so `verification` starts this as a process of its
own, with limits on memory and time. It reads a JSON order per line, `{"path": …, "full": …}` to
verify (with `"figures": true` the figures of a full pass come along), `{"still": …}` for a still of
a video, `{"picture": …}` for a small copy of a picture, `{"figures_of": …}` for the figures of a
video, `{"start": …, "like": …}` to compare its beginning with a picture, and replies to each with a
line of JSON. It ends when its input ends, also when the process that started it is killed.

Tested in tests/downloader/test_verification.py.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, BinaryIO

from pipeline.downloader.gauge import Gauge
from pipeline.downloader.likeness import compare
from pipeline.downloader.stills import draw_still, shrink_picture
from pipeline.process.confinement import confine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av.container import InputContainer
    from av.video.stream import VideoStream

# Only local files: a crafted file must not make the decoder open an address.
_OPEN_OPTIONS = {"protocol_whitelist": "file", "enable_drefs": "0"}
# A video may announce frames of any size; 8K is far above anything asked for.
_MAX_PIXELS = 7680 * 4320
# A decoder of 4K keeps up to 17 film frames of 12 MB.
_MEMORY_BYTES = 2 * 1024**3


def _carry_out(order: dict[str, Any]) -> dict[str, Any]:
    """Return the reply to an order; of a faulty file it is `{"fault": sentence}`."""
    if "picture" in order:
        return shrink_picture(order["picture"])
    if "start" in order:
        return compare(order["start"], order["like"])
    if "figures_of" in order:
        return _with_video(order["figures_of"], _gauge)
    if "still" in order:
        return _with_video(
            order["still"],
            lambda container, stream: draw_still(container, stream, _length_s(container, stream)),
        )
    full, figures = order["full"], bool(order.get("figures"))
    return _with_video(
        order["path"],
        lambda container, stream: _measure(container, stream, full=full, figures=figures),
    )


def _with_video(
    path: str, look: Callable[[InputContainer, VideoStream], dict[str, Any]]
) -> dict[str, Any]:
    """Open the video at `path` and return what `look` makes of its first video track."""
    import av  # noqa: PLC0415  (`serve` reports a failed import before any order is taken)

    try:
        # The format is named, so that the content cannot choose another reader (a playlist).
        with (
            _as_decoder_takes_it(path) as place,
            av.open(place, "r", format="mp4", options=_OPEN_OPTIONS) as container,
        ):
            if not container.streams.video:
                return {"fault": "it holds no video track"}
            return look(container, container.streams.video[0])
    except (av.error.FFmpegError, ValueError) as error:
        fault = f"the decoder refuses it ({type(error).__name__})"
        return {"fault": fault, "unread": isinstance(error, OSError)}


def _too_many_pixels(stream: VideoStream) -> dict[str, Any] | None:
    if stream.width * stream.height > _MAX_PIXELS:
        return {"fault": f"{stream.width}x{stream.height} pixels are far too many"}
    return None


def _gauge(container: InputContainer, stream: VideoStream) -> dict[str, Any]:
    """Return the figures of a video."""
    gauge = Gauge(container, stream, _length_s(container, stream))
    return _too_many_pixels(stream) or gauge.see_all(container)


@contextlib.contextmanager
def _as_decoder_takes_it(path: str) -> Iterator[str | BinaryIO]:
    """Give the name of a file to the decoder, if it is UTF-8 as it takes names; else the file."""
    name = path.encode("utf-8", "surrogateescape")
    if name.decode("utf-8", "ignore") == path:
        yield f"file:{path}"
    else:
        with open(name, "rb") as file:  # noqa: PTH123
            yield file


def _measure(
    container: InputContainer, stream: VideoStream, *, full: bool, figures: bool
) -> dict[str, Any]:
    """Decode the first frame of the video, or with `full` all; return size and length."""
    if (refused := _too_many_pixels(stream)) is not None:
        return refused
    # With several threads the decoder hides errors and frames.
    stream.codec_context.thread_count = 1
    announced = stream.frames
    length_s = _length_s(container, stream)
    gauge = Gauge(container, stream, length_s) if full and figures else None
    frames, damaged, size = 0, 0, (0, 0)
    for packet in container.demux(gauge.tracks if gauge else stream):
        if gauge is not None and packet.stream is not stream:
            gauge.hear(packet)
            continue
        for frame in stream.decode(packet):
            frames += 1
            damaged += frame.is_corrupt
            size = size if frames > 1 else (frame.width, frame.height)
            if gauge is not None:
                gauge.see(frame)
        if frames and not full:
            break
    if not frames or damaged:
        return {
            "fault": "some frames of the video are damaged"
            if frames
            else "no frame of the video can be decoded"
        }
    # An edit list may leave out one or two.
    if full and frames + 2 < announced:
        return {"fault": f"only {frames} of the {announced} frames of the video can be decoded"}
    shown = {"width": size[0], "height": size[1], "duration_s": length_s}
    return shown if gauge is None else {**shown, "figures": gauge.report()}


def _length_s(container: InputContainer, stream: VideoStream) -> float:
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return (container.duration or 0) / 1_000_000


def _listen(orders: SimpleQueue[dict[str, Any]]) -> None:
    """Take orders until the input ends; then end the process, even in the middle of an order."""
    for line in sys.stdin:
        orders.put(json.loads(line))
    os._exit(0)


def _reply(reply: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(reply) + "\n")
    sys.stdout.flush()


def serve() -> None:
    """Carry out orders until the input ends."""
    confine(memory_bytes=_MEMORY_BYTES)
    try:
        import av.logging  # noqa: PLC0415  (a broken installation is a reply, not a traceback)
    except ImportError as error:
        _reply({"ready": False, "error": str(error)})
        return
    av.logging.set_level(None)
    _reply({"ready": True})
    orders: SimpleQueue[dict[str, Any]] = SimpleQueue()
    threading.Thread(target=_listen, args=(orders,), daemon=True).start()
    while True:
        _reply(_carry_out(orders.get()))
