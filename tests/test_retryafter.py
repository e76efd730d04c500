"""`Retry-After`: seconds and dates are understood, anything else is no wait."""

from __future__ import annotations

import pytest

from pipeline.retryafter import retry_after_s

TEN = "Sun, 01 Nov 2026 10:00:00 GMT"
TEN_S = 1_793_527_200.0


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"Retry-After": ""}, None),
        ({"Retry-After": " 7 "}, 7),
        ({"Retry-After": "0"}, 0),
        ({"Retry-After": "1.5"}, 1.5),
        ({"Retry-After": "-3"}, 0),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "9" * 5000}, None),
        ({"Retry-After": "Sun, 01 Nov 2026 10:00:30 GMT", "Date": TEN}, 30),
        ({"Retry-After": "Sun, 01 Nov 2026 09:00:00 GMT", "Date": TEN}, 0),
        ({"Retry-After": "Sun, 01 Nov 2026 10:00:30 -0000", "Date": TEN}, 30),
        ({"Retry-After": "Sun, 01 Nov 2026 10:01:00 GMT"}, 55),
        ({"Retry-After": "Sun, 01 Nov 2026 10:01:00 GMT", "Date": "today"}, 55),
        ({"Retry-After": "Sun, 01 Nov 99999 10:01:00 GMT"}, None),
    ],
)
def test_the_wait(headers: dict[str, str], expected: float | None) -> None:
    """A date is told by the server's own clock; ours, five seconds past ten, stands in."""
    assert retry_after_s(headers, TEN_S + 5) == expected
