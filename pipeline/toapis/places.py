"""Where the address of a finished video may stand in an answer. Pure.

First come the places of docs/contract.md, "Queries"; then any other that speaks of a video. The
downloader sees whether it is one.

Tested in tests/toapis/test_places.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.toapis.bodies import Body, object_in

_OF_OTHERS = re.compile(
    "image|picture|photo|thumb|cover|poster|preview|frame|gif|audio|avatar|input|source|refer"
    "|callback|webhook|notif|help|doc|error|message|request|prompt|support|query|status|poll|cancel"
)
"""In the name of what is no video of ours, or not yet."""
_OF_VIDEOS = re.compile("video|download|output|result|content|media|file|data|url|work")
_SUFFIXES = (".mp4", ".mov", ".webm", ".m4v")
_DEEPEST = 6


def named_places(body: Body) -> tuple[object, ...]:
    """Return what stands in the places that are for the address of a video alone."""
    result, data = object_in(body, "result"), object_in(body, "data")
    listed = (*listed_urls(result.get("data")), *listed_urls(body.get("data")))
    return (body.get("video_url"), *listed, result.get("video_url"), data.get("video_url"))


def listed_urls(value: object) -> list[object]:
    """Return what stands under `url` in the entries of a list."""
    entries = value if isinstance(value, list) else []
    return [entry.get("url") for entry in entries if isinstance(entry, dict)]


def other_places(body: Body, *, videos_only: bool) -> list[str]:
    """Return the addresses in all other places, files of videos first.

    Nothing is named where pictures, pages of help or what was asked for stand.

    Args:
        body: The object that shows the task.
        videos_only: Whether to leave out what is not called like the file of a video.

    """
    found = list(_texts(body, 0))
    files = [text for text in found if _is_file(text)]
    return files if videos_only else [*files, *(text for text in found if text not in files)]


def _texts(value: object, depth: int, *, told: bool = False) -> Iterator[str]:
    if isinstance(value, str):
        if told and value.strip().lower().startswith(("http://", "https://")):
            yield value
    elif depth == _DEEPEST:
        return
    elif isinstance(value, list):
        for entry in value:
            yield from _texts(entry, depth + 1, told=told)
    elif isinstance(value, dict):
        for name, entry in value.items():
            folded = str(name).lower()
            if not _OF_OTHERS.search(folded):
                named = told or _OF_VIDEOS.search(folded) is not None
                yield from _texts(entry, depth + 1, told=named)


def _is_file(address: str) -> bool:
    return re.split(r"[?#]", address.strip(), maxsplit=1)[0].lower().endswith(_SUFFIXES)
