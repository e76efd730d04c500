"""Writes the example anew: both tables, and the named pictures or `all` of them.

`python -m manifests.make_example [all | NAME ...]` from the repository's root. Nothing is random:
the same versions of the libraries give the same bytes. A picture takes about half a minute.
"""

from __future__ import annotations

import sys
from pathlib import Path

from .shots import SHOTS
from .studio import photograph
from .tables import write_csv, write_workbook

FOLDER = Path(__file__).resolve().parents[1]


def write_picture(name: str) -> None:
    """Draw one picture and save it in the format that its name says."""
    picture = photograph(SHOTS[name]())
    path = FOLDER / "pictures" / name
    if path.suffix == ".png":
        picture.crop((280, 0, 1000, 960)).save(path, optimize=True)  # portrait
    else:
        picture.save(path, quality=84, optimize=True)


def main(names: list[str]) -> None:
    """Write the tables, then the pictures asked for."""
    write_csv(FOLDER / "example.csv")
    write_workbook(FOLDER / "example.xlsx")
    for name in SHOTS if names == ["all"] else names:
        write_picture(name)


if __name__ == "__main__":
    main(sys.argv[1:])
