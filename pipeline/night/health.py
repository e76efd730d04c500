"""Whether the night of a folder of outputs goes on, or ended well: for supervisors.

Tested in tests/night/test_health.py.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline.disk.lock import was_left
from pipeline.engine.rows import say_wait
from pipeline.night.notice import ended_well
from pipeline.night.record import FILE_NAME, lock_of, read_record

_GOES_ON_S = 600.0
"""One that goes on is heard of more often than this."""


def look_at_night(outputs: Path, max_age_s: float | None, now: float) -> tuple[bool, str]:
    """Return whether the night is well, and one line about it.

    Args:
        outputs: The folder of outputs.
        max_age_s: How long ago it was heard of at most; None: ten minutes, if it goes on.
        now: The Unix second.

    """
    path = outputs / FILE_NAME
    record = read_record(path)
    if record is None:
        return False, f"no night has been in {outputs}: there is no {path}"
    heard = _seconds(record.get("updated_at"))
    running = record.get("state") == "running"
    if running and was_left(lock_of(outputs)):
        return False, f"the night that began at {record.get('started_at')} was killed"
    most_s = max_age_s if max_age_s is not None else _GOES_ON_S if running else None
    if most_s is not None and (heard is None or now - heard > most_s):
        ago = "never" if heard is None else f"{say_wait(round(now - heard))} ago"
        return False, f"the night was last heard of {ago}, and at most {say_wait(most_s)} is well"
    if running:
        return True, f"the night goes on: {_counts(record)}"
    code, why = record.get("exit_code"), record.get("stopped_by") or _errors(record)
    told = f"the night ended at {record.get('ended_at')} with {code}: {_counts(record)}"
    well = isinstance(code, int) and ended_well(code) and record.get("well") is not False
    return well, f"{told}; {why}" if why else told


def _errors(record: dict[str, Any]) -> str:
    """Return what kept manifests from being worked on, where nothing stopped the night itself."""
    told = record.get("manifests")
    each = told if isinstance(told, list) else []
    found = [one.get("error") for one in each if isinstance(one, dict)]
    return "; ".join(dict.fromkeys(one for one in found if isinstance(one, str)))


def _seconds(text: object) -> float | None:
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except (ValueError, OverflowError, OSError):  # years that no clock here counts to
        return None


def _counts(record: dict[str, Any]) -> str:
    states = record.get("states")
    if not isinstance(states, dict) or not states:
        return "no rows yet"
    return ", ".join(f"{number} {state}" for state, number in sorted(states.items()))
