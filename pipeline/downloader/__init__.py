"""A URL becomes a whole, verified file at its final name."""

from pipeline.downloader.fetching import Downloader
from pipeline.downloader.verification import verify_file

__all__ = ["Downloader", "verify_file"]
