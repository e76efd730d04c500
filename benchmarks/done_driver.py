"""Make a manifest, its journal and its videos as a whole night leaves them: every row done.

    python -m benchmarks.done_driver FOLDER ROWS SETTING…

The videos hold one byte each; the journal says so.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from benchmarks.product import manifest
from pipeline.checker import naming
from pipeline.checker.check import check_manifest
from pipeline.config.loading import load
from pipeline.disk.folder import OutputFolder
from pipeline.events import Accepted, Completed, Downloaded, Intended
from pipeline.journal.journal import Journal
from pipeline.model import Attempt, Video


def main(folder: Path, rows: int, overrides: list[str]) -> None:
    """Make it."""
    path = manifest(folder, rows)
    config = load(None, environ={}, overrides=overrides)
    place = OutputFolder.of(path, outputs=str(folder / "outputs"), out=None, rehearsal=False)
    checked = check_manifest(path, config, cache_dir=None)
    named = dict(zip(checked.keys, checked.manifest.rows, strict=True))
    bases = naming.video_names(named.items(), checked.manifest.headers, config.output.name, {})
    place.videos.mkdir(parents=True)
    journal = Journal(place.journal)
    journal.claim(path, adopt=False)
    journal.begin_run("a night", "run", time.time())
    for number, (key, row) in enumerate(named.items()):
        name = naming.attempt_name(bases[key], 1)
        reference = naming.reference(journal.id, key, 1)
        attempt = Attempt(key, 1, reference, checked.requests[row.number], name)
        video = Video(name, 1, f"{number:064x}", 6.0, 1280, 720)
        place.videos.joinpath(name).write_bytes(b"x")
        journal.append(
            (
                Intended(key, 1, attempt),
                Accepted(key, 1, f"video_01{number:024}"),
                Completed(key, 1, 60.0),
                Downloaded(key, 1, video),
            ),
            time.time(),
        )
    journal.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
