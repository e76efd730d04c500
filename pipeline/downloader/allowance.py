"""How many bytes a video may have: a few times what its seconds justify, or what a setting allows.

Without it, whoever gives the link could fill the disk and the line with gigabytes for ten seconds.
A video above it is not taken, but nothing is lost: the provider keeps it, and a person may want it.
"""

from __future__ import annotations

from math import ceil

from pipeline.errors import VideoTooLarge

_BYTES_PER_S = {"720p": 800_000, "1080p": 1_800_000, "4k": 7_200_000}
"""The most that a second of video was measured to take (docs/contract.md, "The video"); 1080p has
2.25 times the pixels of 720p, and 4k four times those of 1080p."""
_UNKNOWN = _BYTES_PER_S["1080p"]

_TIMES_LARGER = 5
"""A video may have so many times the bytes that its seconds justify."""

_ALWAYS_BYTES = 25_000_000
"""A video may have as much as this, however short it is."""

_GENEROUS = 10
"""Where nobody knows how large a video is, this many times the limit is suggested as the next."""

_MB = 1_000_000


def most_bytes(duration_s: int, resolution: str) -> int:
    """Return how many bytes a video of so many seconds may have, for example 40 MB for 10 s."""
    per_s = _BYTES_PER_S.get(resolution.lower(), _UNKNOWN)
    return max(_ALWAYS_BYTES, _TIMES_LARGER * per_s * duration_s)


def video_too_large(max_bytes: int, announced_bytes: int | None = None) -> VideoTooLarge:
    """Say that a video has more bytes than it may, and how it is taken nevertheless."""
    size = "more" if announced_bytes is None else f"{announced_bytes / _MB:,.0f} MB, more"
    enough_mb = ceil((announced_bytes or _GENEROUS * max_bytes) / _MB)
    return VideoTooLarge(
        f"The video has {size} than the {max_bytes / _MB:,.0f} MB that it may have.",
        action="It is paid for, and the provider keeps it, mostly for a day. To take it as it is: "
        f"reelsheet fetch MANIFEST --set output.max_video_mb={enough_mb}",
    )
