"""Who is noted as a worker beside an output folder."""

from __future__ import annotations

import json
from pathlib import Path

from pipeline.disk.folder import OutputFolder
from pipeline.runner.manning import workers_of


def test_only_what_can_be_read_is_told(tmp_path: Path) -> None:
    """Whatever lies there, status goes on."""
    folder = OutputFolder(tmp_path)
    assert workers_of(folder) == []
    note = folder.cache / "workers.json"
    note.parent.mkdir(parents=True)
    for text, told in (
        ("{", []),
        ('{"pid": 1}', []),
        (json.dumps([{"pid": 1, "slots": 8}, 3]), [{"pid": 1, "slots": 8}]),
    ):
        note.write_text(text)
        assert workers_of(folder) == told
