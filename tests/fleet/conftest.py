"""The host of videos that the tests of the downloader have."""

from __future__ import annotations

from tests.downloader.conftest import host, sha256, video

__all__ = ("host", "sha256", "video")
