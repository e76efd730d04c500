"""One run in figures, for machines: `summary.json`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pipeline.disk.place import place

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.model import Summary

NAME = "summary.json"
KEYS = (
    "schema",
    "run_id",
    "manifest",
    "provider",
    "rows",
    "states",
    "submitted",
    "downloaded",
    "bytes",
    "video_seconds",
    "started_at",
    "finished_at",
    "elapsed_s",
    "exit_code",
    "stopped_by",
    "balance_before",
    "balance_after",
)


def write_summary(summary: Summary, folder: Path) -> Path:
    """Write `summary.json` into `folder` with its keys in their documented order.

    Raises StoreError when the folder does not take it.
    """
    record = {key: getattr(summary, key) for key in KEYS}
    record["states"] = {str(state): count for state, count in summary.states.items()}
    # ASCII on purpose: a path with a byte that is no UTF-8 stays readable JSON.
    data = json.dumps(record, indent=2).encode("ascii") + b"\n"
    path, _ = place(folder / NAME, lambda file: file.write(data))
    return path
