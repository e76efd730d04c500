"""A shop whose videos were made: a manifest, its journal, and files in the place of videos."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline import events as ev
from pipeline.checker.check import CheckedManifest, check_manifest
from pipeline.config.settings import Config
from pipeline.disk.folder import OutputFolder
from pipeline.journal.journal import Journal
from pipeline.model import Attempt, Request, Video

HEAD = "sku,prompt,shop,title\n"


@dataclass(frozen=True)
class Shop:
    """A manifest with its output folder."""

    manifest: Path
    folder: OutputFolder

    def check(self) -> CheckedManifest:
        """The manifest as it is now."""
        return check_manifest(self.manifest, Config(), cache_dir=None)

    def make(
        self,
        key: str,
        number: int = 1,
        content: bytes = b"film",
        name: str = "",
        place: str = "",
    ) -> Video:
        """Have a take been made of a row, and its file be here, also of one that is in a bucket."""
        return self.make_all([key], number, content, name, place)[0]

    def make_all(
        self,
        keys: Sequence[str],
        number: int = 1,
        content: bytes = b"film",
        name: str = "",
        place: str = "",
    ) -> list[Video]:
        """Have the same take been made of many rows."""
        self.folder.videos.mkdir(parents=True, exist_ok=True)
        steps: list[ev.Event] = []
        videos = []
        for key in keys:
            file = name or (f"{key}.mp4" if number == 1 else f"{key}-{number}.mp4")
            mark = key.encode() + bytes([number])
            film = content + (len(mark) + 8).to_bytes(4, "big") + b"free" + mark
            (self.folder.videos / file).write_bytes(film)
            sha256 = hashlib.sha256(film).hexdigest()
            video = Video(file, len(film), sha256, 6.04, 1280, 720, place=place)
            request = Request(f"A {key}.", (), 6, "16:9", "720P", "m", f"hash-{key}-{number}")
            attempt = Attempt(key, number, f"rs-{key}-{number}", request, file)
            steps += [
                *([ev.Requeued(key, number - 1)] if number > 1 else []),
                ev.Intended(key, number, attempt),
                ev.Accepted(key, number, f"task-{key}-{number}"),
                ev.Completed(key, number, 30.0),
                ev.Downloaded(key, number, video),
            ]
            videos.append(video)
        with contextlib.closing(Journal(self.folder.journal)) as journal:
            journal.claim(self.manifest, adopt=False)
            journal.append(steps, 1764230400.0 + number).result(60)
        return videos

    def rename(self, key: str, new_key: str) -> None:
        """Have a row called otherwise, in the manifest and in the journal."""
        text = self.manifest.read_text(encoding="utf-8")
        self.manifest.write_text(text.replace(f"\n{key},", f"\n{new_key},"), encoding="utf-8")
        with contextlib.closing(Journal(self.folder.journal)) as journal:
            journal.append([ev.Renamed(key, 1, new_key)], 1764230500.0).result(10)


def make_shop(
    root: Path, keys: str = "MUG BAG TEA", folder: str = "outputs/shop.rehearsal"
) -> Shop:
    """Make a manifest of these keys in a folder; nothing is made of it yet."""
    manifest = root / "shop.csv"
    lines = [f"{key},A {key}.,{'north' if n % 2 else 'south'},The {key}" for n, key in
             enumerate(keys.split())]  # fmt: skip
    manifest.write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")
    return Shop(manifest, OutputFolder(root / folder))
