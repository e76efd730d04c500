"""Small copies of the pictures that a sheet names by web addresses: only where a person asks.

They lie beside those of local pictures. Where there is none, a card shows the address.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from pipeline.checker.check import CheckedManifest
from pipeline.disk.folder import OutputFolder
from pipeline.manifest.wording import count
from pipeline.network import DIRECT, Network
from pipeline.review.drawing import Drawing
from pipeline.review.posters import names_in, web_picture_name

Draw = Callable[[Drawing], Awaitable[str | None]]
"""Draws a still and puts it in its place; returns why it could not."""


def web_pictures_missing(
    sources: Sequence[tuple[CheckedManifest, OutputFolder]],
) -> dict[str, list[Drawing]]:
    """Return the small copies that are not there yet, by the addresses of the pictures.

    Their source is not known before the picture is here.
    """
    missing: dict[str, list[Drawing]] = {}
    for checked, folder in sources:
        there = names_in(folder.small_pictures)
        urls = dict.fromkeys(url for images in checked.images.values() for url in images)
        for url in urls:
            name = web_picture_name(url)
            if url.startswith(("http://", "https://")) and name not in there:
                target = folder.small_pictures / name
                missing.setdefault(url, []).append(
                    Drawing(Path(), target, checked.manifest.path, is_picture=True)
                )
    return missing


async def fetch_stills(
    missing: dict[str, list[Drawing]],
    draw: Draw,
    *,
    network: Network = DIRECT,
    allow_private: bool = False,
) -> str:
    """Fetch pictures and make small copies of them; return a sentence that says how many.

    Args:
        missing: the copies by the addresses of the pictures.
        draw: draws each.
        network: the way out.
        allow_private: whether addresses may lead into private networks.

    """
    from pipeline.downloader.webcopies import fetch_pictures  # noqa: PLC0415 - loads aiohttp

    with tempfile.TemporaryDirectory(prefix="reelsheet-") as folder:

        async def keep(url: str, content: bytes) -> str | None:
            file = Path(folder, web_picture_name(url))
            await asyncio.to_thread(file.write_bytes, content)
            try:
                for one in missing[url]:
                    if await draw(one.of(file)) is not None:
                        return "No small copy can be made of what stands at the address."
            finally:
                await asyncio.to_thread(file.unlink)
            return None

        faults = await fetch_pictures(missing, keep, network=network, allow_private=allow_private)
    return _tell(len(missing), faults)


def _tell(number: int, faults: dict[str, str]) -> str:
    fetched = f"{count(number - len(faults), 'web picture')} fetched"
    if not faults:
        return f"{fetched}."
    url, sentence = next(iter(faults.items()))
    return f"{fetched}, {len(faults):,} not; first {url}: {sentence}"
