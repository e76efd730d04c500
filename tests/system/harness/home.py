"""A working folder as a user has it for the nights: a configuration, manifests, and a program."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.system.harness import sheets
from tests.system.harness.api import Api
from tests.system.harness.product import FAST, ROOT


def working_folder(
    folder: Path, api: Api, *, sets: Mapping[str, str] | None = None, **rows: int
) -> Path:
    """Write config.yaml, and manifests of so many rows by name; every wording is its own.

    Args:
        folder: The folder; it is made.
        api: What it is tied to.
        sets: More settings.
        rows: Names of manifests, without `.csv`, with how many rows they have.

    """
    settings: dict[str, Any] = {"night": {"manifests": ["manifests"]}}
    given = {**FAST, "api.base_url": api.base_url, "limits.outstanding": "4", **(sets or {})}
    for name, value in given.items():
        section, _, key = name.rpartition(".")
        part = settings.setdefault(section, {}) if section else settings
        part[key] = yaml.safe_load(value)
    for name, count in rows.items():
        path = folder / "manifests" / f"{name}.csv"
        sheets.write(path, sheets.rows(count, prompt=f"{folder} {name} {{}}"))
    (folder / "config.yaml").write_text(yaml.safe_dump(settings), "utf-8")
    return folder


def install(path: Path) -> None:
    """Put the program there, as an installer of packages does."""
    line = f"exec env PYTHONPATH={shlex.quote(str(ROOT))} {shlex.quote(sys.executable)}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/bin/sh\n{line} -m pipeline "$@"\n', "utf-8")
    path.chmod(0o755)


def night_of(folder: Path) -> dict[str, Any]:
    """Return what night.json says; it is empty before the first night."""
    path = folder / "outputs" / "night.json"
    found: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {"states": {}}
    return found


def accepted(api: Api, folder: Path) -> list[str]:
    """Return the prompts of this folder that the API took, in order."""
    taken = [one["prompt"] for one in api.records()["submissions"]]
    return [one for one in taken if one.startswith(f"{folder} ")]
