"""The recipes of docs/nights.md: files of docs/nights/, shown as they stand there."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "nights"

FILES = {
    "recipe for cron": ("crontab", "text"),
    "recipe for a service": ("reelsheet.service", "ini"),
    "recipe for a timer": ("reelsheet.timer", "ini"),
    "recipe for the task scheduler": ("task-scheduler.xml", "xml"),
    "recipe for an image": ("Dockerfile", "dockerfile"),
    "recipe for compose": ("compose.yaml", "yml"),
    "recipe for a cronjob": ("cronjob.yaml", "yml"),
    "recipe for a workflow": ("github.yaml", "yml"),
    "recipe for airflow": ("airflow_night.py", "py"),
    "recipe for prefect": ("prefect_night.py", "py"),
}
"""What each part shows, and how it is highlighted; `yml`, as `yaml` is a piece of ours."""


def recipes() -> dict[str, Callable[[], str]]:
    """Return the parts of the page by name."""
    return {part: partial(_shown, name, language) for part, (name, language) in FILES.items()}


def _shown(name: str, language: str) -> str:
    text = (FOLDER / name).read_text(encoding="utf-8")
    return f"[{name}](nights/{name}):\n\n```{language}\n{text}```\n"
