"""A starter folder for a new user."""

from __future__ import annotations

from pathlib import Path


def make_starter(folder: Path) -> list[str]:
    """Make the starter folder; returns what to say."""
    raise NotImplementedError(folder)
