"""What the engine is told about limits and times, of one run."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.engine.polling.schedule import Pace


@dataclass(frozen=True, slots=True)
class Caps:
    """Caps on what one run, or one day, may reserve; None means no cap.

    Money is in the budget's currency.
    """

    videos: int | None = None
    video_seconds: float | None = None
    money: float | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """Limits and times of one run; the meaning of each is in `config`."""

    pace: Pace
    outstanding: int = 50
    submits_in_flight: int = 8
    submits_per_minute: float = 300
    polls_per_minute: float = 3000
    polls_in_flight: int = 64
    uploads: int = 4
    downloads: int = 8
    deadline_s: float = 1800
    lookup_s: float = 120
    missing_grace_s: float = 600
    outage_s: float = 300
    client_reference: bool = True
    resend: bool = False
    caps: Caps = Caps()
    caps_per_day: Caps = Caps()
