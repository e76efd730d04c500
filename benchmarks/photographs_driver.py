"""Look at all photographs of a folder once, and print what that cost.

python -m benchmarks.photographs_driver full|eighth|strict FOLDER
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from PIL import JpegImagePlugin

from pipeline.model import Picture
from pipeline.pictures.shelf import PictureShelf


def main(name: str, folder: Path) -> None:
    """Do it once and print what it cost, in this process and in its children."""
    if name == "full":
        JpegImagePlugin.JpegImageFile.draft = lambda *_: None  # type: ignore[method-assign]
    began, began_cpu = time.perf_counter(), os.times()
    with PictureShelf(None, strict=name == "strict") as shelf:
        found = shelf.inspect(sorted(folder.glob("*.jpg")))
    ended_cpu, elapsed_s = os.times(), time.perf_counter() - began
    cpu_s = sum(ended_cpu[:4]) - sum(began_cpu[:4])
    pictures = [one for one in found.values() if isinstance(one, Picture)]
    assert len(pictures) == len(found)
    warned = sum(bool(one.warnings) for one in pictures)
    print(json.dumps({"cpu_s": cpu_s, "elapsed_s": elapsed_s, "warned": warned}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
