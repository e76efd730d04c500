"""Some ways of many: the gate tries a few of them, `.ci/long` all."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def few_of(ways: Iterable[Any], *few: Any, ids: Iterable[str] | None = None) -> list[Any]:
    """Return the ways as parameters of a test.

    Args:
        ways: All of them.
        few: Those that the gate tries; the others are marked `long`. With `ids`, some of these.
        ids: What the ways are called, if not by themselves.
    """
    all_ways = list(ways)
    names = all_ways if ids is None else list(ids)
    assert set(few) <= set(names), "no such way"
    return [
        pytest.param(
            way,
            id=None if ids is None else name,
            marks=() if name in few else (pytest.mark.long,),
        )
        for way, name in zip(all_ways, names, strict=True)
    ]
