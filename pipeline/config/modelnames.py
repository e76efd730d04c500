"""The two names of the provider's model, and in what the pages behind them differ. Pure.

The older page is the user's own and the default; the newer one calls the same model by another name
(docs/contract.md, "Changes since"). What is sent is what the page of the chosen name says; what a
row asks for, and its hash, are the same under both.

Tested in tests/checker/test_drafts.py, tests/toapis/test_submit.py and tests/system/test_models.py.
"""

from __future__ import annotations

OLDER_NAME = "gemini_omni_flash"
"""The default."""
NEWER_NAME = "gemini-omni-flash"
"""The name on the newer page."""


def picture_counts(model: str) -> tuple[int, ...]:
    """Return how many pictures a video of this model takes."""
    return (0, 1, 2, 3) if model == NEWER_NAME else (0, 1, 3)


def written_resolution(resolution: str, model: str) -> str:
    """Return a resolution as the page of this model writes it."""
    return resolution.lower() if model == NEWER_NAME else resolution


def is_our_model(name: str) -> bool:
    """Tell whether a name is one of the two, however it is spelt."""
    return plain_name(name) == OLDER_NAME


def plain_name(name: str) -> str:
    """Return what all spellings of a model's name have in common."""
    return name.casefold().replace("-", "_")
