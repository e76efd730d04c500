"""Which workers are there, which of them are fit, how many slots they have, and who is to go.

A worker that fails three times in a row for a reason of its own (scratch folder, place, decoder,
version) is retired: it fails fast, so it would get most of the work and be done with none of it.
As long as nobody else is fit the reason may be everybody's, and is passed on as it is.

All of it is decided here, without a clock and a network. Tested in tests/fleet/test_roster.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

STRIKES = 3
"""After so many faults of its own in a row a worker is retired."""

_BASE_S = 600.0
_LEAST_BYTES_PER_S = 20_000
"""What a transfer is expected to have over its whole length; slower ones are tried elsewhere."""
_MEASURE_S = 240.0


def deadline_s(most_bytes: int) -> float:
    """Return how long a worker may have a video of so many bytes, from its order to its place."""
    return _BASE_S + most_bytes / _LEAST_BYTES_PER_S + _MEASURE_S


class Verdict(StrEnum):
    """What follows from a fault of a worker's own.

    `AGAIN`: the video is tried again. `RETIRE`: also, and the worker gets no more of them.
    `PASS_ON`: the fault is everybody's, and the engine is told.
    """

    AGAIN = "again"
    RETIRE = "retire"
    PASS_ON = "pass_on"  # noqa: S105 - no password


@dataclass(slots=True)
class Worker:
    """A worker: its slots, and the process that it is. `fit` is None as long as nobody asked."""

    address: str
    slots: int
    pid: int = 0
    node: str = ""
    fit: bool | None = None
    strikes: int = 0


class Roster:
    """The workers that the scheduler knows."""

    def __init__(self) -> None:
        self._workers: dict[str, Worker] = {}
        self._retired: set[str] = set()

    def see(self, present: Mapping[str, int]) -> tuple[list[str], list[Worker]]:
        """Take in who is there, by address, with their slots; return newcomers, and who is gone."""
        gone = [one for address, one in self._workers.items() if address not in present]
        for one in gone:
            del self._workers[one.address]
        new = [
            address
            for address, slots in present.items()
            if slots > 0 and address not in self._workers and address not in self._retired
        ]
        for address in new:
            self._workers[address] = Worker(address, present[address])
        return new, gone

    def admit(self, address: str, pid: int, node: str) -> None:
        """Take note that a worker is fit, and which process it is."""
        if (one := self._workers.get(address)) is not None:
            one.fit, one.pid, one.node = True, pid, node

    def refuse(self, address: str) -> None:
        """Take note that a worker is not fit; it is not asked again."""
        self._workers.pop(address, None)
        self._retired.add(address)

    def note_success(self, address: str) -> None:
        """Take note that a worker has done its part, whatever came of the video."""
        if (one := self._workers.get(address)) is not None:
            one.strikes = 0

    def note_fault(self, address: str) -> Verdict:
        """Take note of a fault of a worker's own, and say what follows."""
        one = self._workers.get(address)
        if one is None:
            return Verdict.AGAIN
        one.strikes += 1
        if one.strikes < STRIKES:
            return Verdict.AGAIN
        others = (other for other in self.fit if other.address != address)
        if any(other.strikes < STRIKES for other in others):
            self.refuse(address)
            return Verdict.RETIRE
        return Verdict.PASS_ON

    @property
    def fit(self) -> list[Worker]:
        """The workers that are fit, in the order in which they came."""
        return [one for one in self._workers.values() if one.fit]

    @property
    def addresses(self) -> list[str]:
        """The addresses of those that are fit."""
        return [one.address for one in self.fit]

    @property
    def slots(self) -> int:
        """The slots of those that are fit."""
        return sum(one.slots for one in self.fit)

    def any_of(self, addresses: Iterable[str]) -> bool:
        """Return whether any of these is there and fit."""
        return not set(self.addresses).isdisjoint(addresses)
