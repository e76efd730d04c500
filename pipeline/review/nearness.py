"""Which of many long numbers differ in few bits.

All pairs are compared: thousands of numbers make millions of pairs, for which numpy takes a second
and Python itself twenty.

Tested in tests/review/test_doubles.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

BITS = 768
"""So long the numbers may be."""
_FEW = 400
"""So many are compared before numpy would be loaded."""


def near_pairs(numbers: Sequence[int], most: int) -> Iterator[tuple[int, int]]:
    """Yield the places of all pairs of numbers that differ in so many bits at most."""
    if len(numbers) <= _FEW:
        for place, number in enumerate(numbers):
            for other in range(place + 1, len(numbers)):
                if (number ^ numbers[other]).bit_count() <= most:
                    yield place, other
        return
    import numpy as np  # noqa: PLC0415 - most runs need none

    data = b"".join(number.to_bytes(BITS // 8, "little") for number in numbers)
    words = np.frombuffer(data, dtype="<u8").reshape(len(numbers), -1).T.copy()
    for place in range(len(numbers) - 1):
        apart = np.zeros(len(numbers) - place - 1, dtype=np.uint16)
        for word in words:
            apart += np.bitwise_count(word[place + 1 :] ^ word[place])
        for other in np.flatnonzero(apart <= most).tolist():
            yield place, place + 1 + other
