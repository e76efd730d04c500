"""Writes the locks anew: `run.txt` to run, `cloud.txt` to run with buckets, `dev.txt` to test.

`fleet.txt` is to run with workers, `notify.txt` nights that tell by mail and other services.

`orchestrators.txt` is for the recipes of docs/nights.md, in an environment of their own.
Called by `make lock`. Versions that still fit pyproject.toml are kept unless `--upgrade` is given.
Hashes cover the files of every platform and of every Python that the package takes.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
EXTRAS = {
    "run.txt": [],
    "cloud.txt": ["--extra", "cloud"],
    "fleet.txt": ["--extra", "fleet"],
    "notify.txt": ["--extra", "notify"],
    "dev.txt": [
        *("--extra", "cloud", "--extra", "fleet", "--extra", "notify"),
        *("--extra", "test", "--extra", "lint"),
    ],
    "orchestrators.txt": ["--extra", "orchestrators"],
}
TITLE = """\
# Exact versions with hashes for Python 3.11 to 3.14 on Linux, macOS and Windows.
# Made from pyproject.toml by `make lock`; do not edit.
"""
OPTIONS = (
    "--universal --python-version 3.11 --generate-hashes --no-header --no-annotate"
    " --no-emit-index-url --no-emit-find-links --no-config --quiet"
)


def compile_lock(python: Path, name: str, options: list[str]) -> None:
    """Resolve one lock; the others keep to the versions of run.txt."""
    run = HERE / "run.txt"
    constraint = ["-c", str(run)] if name != run.name and run.exists() else []
    command = [str(python), "-m", "uv", "pip", "compile", "pyproject.toml"]
    command += ["requirements/build.in", *OPTIONS.split(), *EXTRAS[name], *constraint, *options]
    command += ["-o", f"requirements/{name}"]
    subprocess.run(command, cwd=HERE.parent, check=True)
    lock = HERE / name
    lock.write_text(TITLE + lock.read_text("utf-8"), "utf-8", newline="\n")


def main(options: list[str]) -> None:
    """Resolve the locks with uv, which lives in a temporary environment of its own."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = next(p for p in Path(folder).glob("*/python*") if p.stem == "python")
        subprocess.run([python, "-m", "pip", "install", "--quiet", "uv"], check=True)
        for name in EXTRAS:
            compile_lock(python, name, options)


if __name__ == "__main__":
    main(sys.argv[1:])
