"""A look at the pictures on the web that a manifest names: `check --fetch`.

Tested in tests/checker/test_webchecks.py.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from pipeline.checker.check import CheckedManifest
from pipeline.checker.webchecks import web_addresses, with_web_pictures
from pipeline.downloader.webpictures import WebPicture, look_at_pictures
from pipeline.manifest.wording import count
from pipeline.network import read_network
from pipeline.runner.target import Target


@dataclass(frozen=True, slots=True)
class WebLook:
    """How many addresses were looked at, and at how many of them a picture was found."""

    addresses: int
    pictures: int

    @property
    def sentence(self) -> str:
        """Both figures in words."""
        looked = f"{count(self.addresses, 'web picture')} looked at"
        if self.pictures == self.addresses:
            return f"{looked}, all there."
        return f"{looked}: {self.pictures:,} there, {self.addresses - self.pictures:,} not."


def look_at_web(
    target: Target,
    checked: CheckedManifest,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[CheckedManifest, WebLook]:
    """Look at the pictures on the web that a manifest names; return it with what was found.

    Args:
        target: The manifest with its settings.
        checked: The same, checked.
        progress: Is told how many addresses of how many were asked.

    Raises:
        ConfigError: A proxy, or the file of certificates, cannot be used.

    """
    network = read_network(target.config, os.environ)
    found = look_at_pictures(web_addresses(checked), network=network, progress=progress)
    pictures = sum(isinstance(one, WebPicture) and one.head.format is not None
                   for one in found.values())  # fmt: skip
    return with_web_pictures(checked, found), WebLook(len(found), pictures)
