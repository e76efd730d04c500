"""The modules of pipeline/: along the way of a row, and by layer."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pipeline

from .tables import first_line, table

ROOT = Path(__file__).resolve().parents[2]
# As it is installed: the tests of the wheel have no sources beside them.
PACKAGE = Path(pipeline.__file__).parent

# Where a row passes, in this order. A module that is not named here is listed at the end.
_WAY = {
    "A person types a command": "__main__ cli config authoring",
    "The sheet becomes rows": "reader manifest process",
    "A row becomes a request, or problems": "checker pictures",
    "What is to be done with it": "planner lifecycle events",
    "It is submitted and polled": "runner scheduler engine toapis emulator",
    "What happened is kept": "journal disk",
    "The video comes home": "downloader",
    "The results are written": "writer",
    "People judge the videos": "review export",
    "Something is in the way": "errors concealment",
    "The words all of them share": "model",
}
_MORE = "Besides"


def names() -> list[str]:
    """Return the modules and folders of pipeline/, in order."""
    found = [path.stem for path in PACKAGE.glob("*.py") if path.stem != "__init__"]
    found += [path.parent.name for path in PACKAGE.glob("*/__init__.py")]
    return sorted(found)


def way_of_a_row() -> str:
    """Return every module with the first line of its docstring, along the way of a row."""
    left = set(names())
    lines = []
    for title, said in _WAY.items():
        here = [name for name in said.split() if name in left]
        left -= set(here)
        lines += [f"# {title}", *map(_line, here)] if here else []
    if left:
        lines += [f"# {_MORE}", *map(_line, sorted(left))]
    return "```text\n" + "\n".join(lines) + "\n```\n"


def layers() -> str:
    """Return the layers that import-linter checks, from the top, with what is in each."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    # The others keep the order inside of one room.
    (found,) = (one["layers"] for one in contracts if one.get("containers") == ["pipeline"])
    known = set(names())
    here = [[n for n in re.findall(r"\w+", layer) if n in known] for layer in found]
    rows = [", ".join(f"`{name}`" for name in layer) for layer in here if layer]
    return table(("layer", "modules"), [(str(len(rows) - i), row) for i, row in enumerate(rows)])


def _line(name: str) -> str:
    folder = PACKAGE / name / "__init__.py"
    source = folder if folder.is_file() else PACKAGE / f"{name}.py"
    about = first_line(ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))))
    shown = f"{name}/" if source == folder else f"{name}.py"
    return f"{shown:15} {about}"
