"""An order that the provider takes, and how it says no.

Tested in tests/emulator/test_pages.py and tests/emulator/test_submit.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

_4K_LINES = 2160


@dataclass(frozen=True, slots=True)
class Order:
    """A submission that obeys every rule, with its defaults filled in.

    `asked` is the body as it came, of models other than the first. `row` is what a rehearsal calls
    the row that it is for.
    """

    model: str
    prompt: str
    duration_s: int
    aspect_ratio: str
    resolution: str
    image_urls: tuple[str, ...]
    client_business_id: str
    asked: Mapping[str, Any] | None = None
    row: str = ""

    @property
    def clip_kind(self) -> tuple[int, tuple[int, int]]:
        """All that tells one plain clip from another."""
        return self.duration_s, self.frame

    @property
    def frame(self) -> tuple[int, int]:
        """Width and height of the video asked for: the lines are those of the shorter side."""
        lines = _4K_LINES if self.resolution == "4k" else int(self.resolution[:-1])
        wide, high = map(int, self.aspect_ratio.split(":"))
        longer = round(lines * Fraction(max(wide, high), min(wide, high)) / 2) * 2
        return (longer, lines) if wide >= high else (lines, longer)

    def document(self) -> dict[str, Any]:
        """Return it as the JSON object it may have come as."""
        if self.asked is not None:
            return dict(self.asked)
        document: dict[str, Any] = {
            "model": self.model,
            "prompt": self.prompt,
            "duration": self.duration_s,
            "aspect_ratio": self.aspect_ratio,
            "resolution": self.resolution,
        }
        if self.image_urls:
            document["image_urls"] = list(self.image_urls)
        if self.client_business_id:
            document["client_business_id"] = self.client_business_id
        return document


class RefusedError(Exception):
    """The provider says no to this request."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        shape: str = "error",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.shape = shape
        self.headers = dict(headers or {})
