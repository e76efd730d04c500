"""The recipes of docs/nights.md and docs/scale.md: files beside them, shown as they stand there."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "nights"
FLEET_FOLDER = FOLDER.parent / "fleet"

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
FLEET_FILES = {
    "recipe for kubernetes": ("kubernetes.yaml", "yml"),
    "recipe for a queue": ("slurm_fleet.py", "py"),
    "recipe for ssh": ("ssh.sh", "sh"),
}
"""Likewise those of docs/scale.md."""


def recipes() -> dict[str, Callable[[], str]]:
    """Return the parts of docs/nights.md by name."""
    return _parts(FOLDER, FILES)


def fleet_recipes() -> dict[str, Callable[[], str]]:
    """Return the parts of docs/scale.md by name."""
    return _parts(FLEET_FOLDER, FLEET_FILES)


def _parts(folder: Path, files: dict[str, tuple[str, str]]) -> dict[str, Callable[[], str]]:
    shown = files.items()
    return {part: partial(_shown, folder / name, language) for part, (name, language) in shown}


def _shown(file: Path, language: str) -> str:
    text = file.read_text(encoding="utf-8")
    return f"[{file.name}]({file.parent.name}/{file.name}):\n\n```{language}\n{text}```\n"
