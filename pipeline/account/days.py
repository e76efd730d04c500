"""The days of a budget, from midnight to midnight in the zone that `budget.timezone` names.

Tested in tests/account/test_days.py.
"""

from __future__ import annotations

from datetime import date, datetime, time, tzinfo
from zoneinfo import ZoneInfo

LOCAL = "local"
"""The zone of this machine."""


class Days:
    """Tells which day a moment belongs to, and when that day began."""

    def __init__(self, zone: str = LOCAL) -> None:
        """Take the name of a zone as the configuration has checked it."""
        self._zone: tzinfo | None = None if zone == LOCAL else ZoneInfo(zone)

    def number_of(self, at: float) -> int:
        """Return the number of the day of a Unix second; a later day has a greater one."""
        return self._day(at).toordinal()

    def start_of(self, at: float) -> float:
        """Return the Unix second at which the day of another began.

        Where clocks are put forward at midnight, that is the moment in which they are.
        """
        return datetime.combine(self._day(at), time.min, self._zone).timestamp()

    def _day(self, at: float) -> date:
        return datetime.fromtimestamp(at, self._zone).date()
