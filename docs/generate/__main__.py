"""Brings the generated parts of README.md and docs/*.md up to date.

`python -m docs.generate` from the repository's root. Nothing is random: run twice, it changes
nothing the second time. tests/test_docs.py fails while a page says something else than the code.
"""

from __future__ import annotations

import sys

from .pages import FILES, ROOT, pages, refreshed


def main() -> None:
    """Write every page whose generated parts have changed, and say which."""
    made = {ROOT / path: write() for path, write in FILES.items()}
    made |= {page: refreshed(page.read_text(encoding="utf-8")) for page in pages()}
    for page, new in made.items():
        if not page.is_file() or page.read_text(encoding="utf-8") != new:
            page.write_text(new, encoding="utf-8", newline="\n")
            sys.stdout.write(f"written {page.relative_to(ROOT).as_posix()}\n")


if __name__ == "__main__":
    main()
