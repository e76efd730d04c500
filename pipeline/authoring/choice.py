"""Which of a product's pictures go into its video: the first ones, as many as are possible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.checker import rules


@dataclass(frozen=True, slots=True)
class Choice:
    """The pictures taken and those left, both in the product's own order."""

    taken: tuple[str, ...]
    left: tuple[str, ...]

    @property
    def note(self) -> str:
        """Why only one of two was taken; empty where nothing needs a person's eye."""
        if len(self.taken) > 1 or not self.left:
            return ""
        found = len(self.taken) + len(self.left)
        return (
            f"{found} pictures found; a video takes {rules.BY_FIELD['image_urls'].sentence}, so "
            "only the first is used. Add a third to use all."
        )


def choose(pictures: Sequence[str]) -> Choice:
    """Take as many of the first pictures as a request may have; the same one only once."""
    distinct = tuple(dict.fromkeys(pictures))
    count = max(n for n in _possible() if n <= len(distinct))
    return Choice(distinct[:count], distinct[count:])


def _possible() -> tuple[int, ...]:
    return tuple(int(n) for n in rules.BY_FIELD["image_urls"].allowed)
