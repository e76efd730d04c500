"""Settings for all tests: property tests try the same cases every time, more on demand.

`HYPOTHESIS_PROFILE=longer python -m pytest` looks for new cases, ten times as many.
"""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("same", derandomize=True, deadline=None, database=None)
settings.register_profile("longer", max_examples=1000, deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


def share_of_examples(share: float) -> int:
    """Return how many examples a costly property gets, as a share of what the profile says."""
    return round(settings().max_examples * share)
