"""What is said, and logged, while calls fail."""

from __future__ import annotations

from pipeline.engine.rows import Wait
from pipeline.runner.patience import Patience

WALL = 1_800_000_000.0
WAIT = Wait("the provider to be reached again", "the connection was refused.", 1_500.0)


class Heard:
    """Keeps what is said and logged."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.logged: list[tuple[str, dict[str, object]]] = []

    def log(self, title: str, /, **details: object) -> None:
        """Keep a line."""
        self.logged.append((title, details))


def test_it_is_said_once_with_its_end_and_again_when_it_is_over() -> None:
    """The progress goes on saying it."""
    heard = Heard()
    patience = Patience(heard.said.append, heard.log)
    for now in (0.0, 10.0, 20.0):
        told = patience.tell_waits([WAIT], now, WALL + now, ending=False)
        assert told is not None
        assert told.startswith("waiting for the provider to be reached again, until ")
    assert len(heard.said) == len(heard.logged) == 1
    assert heard.said[0].endswith(": the connection was refused.")
    assert heard.logged[0][0] == "waiting"
    assert heard.logged[0][1]["until"] == "2027-01-15T08:25:00Z"
    assert patience.tell_waits([], 30.0, WALL + 30, ending=False) is None
    assert heard.said[1] == "Over: the run waited for the provider to be reached again."
    assert heard.logged[1][0] == "waiting_over"


def test_a_run_that_stops_does_not_say_that_all_is_well() -> None:
    """Nothing that was waited for has come."""
    heard = Heard()
    patience = Patience(heard.said.append, heard.log)
    patience.tell_waits([WAIT], 0.0, WALL, ending=False)
    patience.tell_waits([], 1500.0, WALL + 1500, ending=True)
    assert len(heard.said) == 1


def test_an_end_on_another_day_has_its_date() -> None:
    """An hour alone would be read as one of today."""
    heard = Heard()
    far = Wait("answers to queries", "HTTP 503", 3 * 86_400.0)
    told = Patience(heard.said.append, heard.log).tell_waits([far], 0.0, WALL, ending=False)
    assert told is not None
    assert "2027-01-18" in told
