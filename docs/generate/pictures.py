"""Makes the pictures of docs/review.md anew: `python -m docs.generate.pictures`.

They are what the tests of the page see in their browser (tests/review/test_pictures.py). They are
not part of `python -m docs.generate`: a browser draws letters as its machine does.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

from .pages import ROOT

PICTURES = ROOT / "docs" / "pictures"
SHOWN = (
    "wall-light-wide",
    "one-light-wide",
    "reasons-dark-wide",
    "takes-light-wide",
    "again-light-wide",
    "one-light-narrow",
)
_TESTS = "tests/review/test_pictures.py"
_QUALITY = 80


def main() -> None:
    """Run the tests that go through all screens, and keep those that the page shows."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pytest", "-q", "-m", "long", _TESTS]
        environment = {**os.environ, "REVIEW_PICTURES": folder}
        subprocess.run(command, cwd=ROOT, env=environment, check=True)  # noqa: S603 - our own tests
        for name in SHOWN:
            target = PICTURES / f"review-{name}.webp"
            with Image.open(Path(folder, f"{name}.png")) as shot:
                shot.convert("RGB").save(target, "WEBP", quality=_QUALITY, method=6)
            sys.stdout.write(f"{target.relative_to(ROOT)}: {target.stat().st_size:,} bytes\n")


if __name__ == "__main__":
    main()
