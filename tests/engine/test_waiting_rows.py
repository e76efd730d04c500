"""Rows that wait: counted from the start, made when their turn is near, each of them once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.engine.commands import Submit, Upload
from pipeline.engine.engine import AHEAD, Engine
from pipeline.engine.rows import Reach, Stop
from pipeline.errors import ExitCode, Refused, Throttled
from pipeline.events import Requeued
from pipeline.model import Attempt, Entry, State, Video
from tests.engine.night import SETTINGS, VIDEO, Night, Provider, attempt, attempts, enqueue, night

SLOTS = replace(SETTINGS, outstanding=20)


class Made:
    """Rows of a night, and which of them the engine has asked for so far."""

    def __init__(self, rows: list[Attempt], before: dict[str, Entry] | None = None) -> None:
        self.rows = {row.key: row for row in rows}
        self.before = before or {}
        self.asked: list[str] = []

    def new(self, key: str) -> tuple[Attempt, Entry | None]:
        self.asked.append(key)
        return self.rows[key], self.before.get(key)

    def night(self, provider: Provider, now: float = 0.0) -> Night:
        engine = Engine(SLOTS, now)
        engine.enqueue(0, self.rows, self.new)
        return Night(engine, provider, list(self.rows.values()), SLOTS, now)


def with_pictures(rows: int) -> list[Attempt]:
    return [attempt(f"row{n:06}", images=(f"sha256:{n}",)) for n in range(rows)]


@pytest.mark.parametrize("rows", [attempts(1000), with_pictures(1000)], ids=["plain", "pictures"])
def test_few_rows_are_made_ahead(rows: list[Attempt]) -> None:
    """Of rows that wait only AHEAD are held, beside those that leave, however many there are."""
    made, provider = Made(rows), Provider()

    def near(*_: object) -> None:
        leaving = SLOTS.submits_in_flight
        assert len(made.asked) <= len(provider.submits) + leaving + AHEAD

    def upload(said: Upload, *_: object) -> str:
        near()
        return f"https://files.example/{said.sha256}.jpg"

    provider.on_submit, provider.on_upload = near, upload
    done = made.night(provider).run()
    assert done.states() == {State.DONE: 1000}
    assert done.peak_outstanding == 20


def test_rows_that_are_not_made_yet_are_counted() -> None:
    """The screen shows them as waiting, and the run is not over before they are through."""
    made = Made(attempts(1000))
    begun = made.night(Provider())
    assert made.asked == []
    assert begun.engine.states == {State.WAITING: 1000}
    assert not begun.engine.finished
    begun.run(until=30)
    assert begun.engine.states.total() == 1000
    assert +begun.engine.states == begun.states()
    assert not begun.engine.finished


def test_rows_go_out_in_their_order_and_are_made_once() -> None:
    """The order is the manifest's, also when some had to go again after a 429."""
    made = Made(attempts(300))
    provider = Provider(
        on_submit=lambda said, times, _: (
            Throttled("429") if times == 1 and said.attempt.key.endswith("7") else None
        )
    )
    begun = made.night(provider)
    begun.keeps_sent = True
    done = begun.run()
    keys = [said.attempt.key for said, _ in done.sent if isinstance(said, Submit)]
    assert list(dict.fromkeys(keys)) == made.asked == list(made.rows)
    assert done.states() == {State.DONE: 300}
    assert set(provider.accepted.values()) == {1}


@pytest.mark.parametrize("reach", list(Reach))
def test_a_stop_leaves_the_others_as_they_were(reach: Reach) -> None:
    """Nothing is made, or written to the journal, of rows whose turn did not come."""
    made, provider = Made(attempts(500)), Provider()
    begun = made.night(provider).run(until=10)
    begun.engine.stop(Stop(ExitCode.INTERRUPTED, "enough", reach))
    made_by_then = len(made.asked)
    left = begun.run()
    assert left.engine.finished
    assert len(made.asked) == made_by_then < 500
    assert set(left.entries()) == set(provider.submits)
    assert (
        left.states()[State.WAITING]
        == left.engine.states[State.WAITING]
        == 500 - len(provider.submits)
    )


def test_the_attempt_before_is_closed_when_its_turn_has_come() -> None:
    """A row that ended badly is closed together with its next attempt, and not before."""
    first = night(200, Provider(on_submit=lambda *_: Refused("no", status=403)), SLOTS).run()
    before = first.entries()
    assert 0 < len(before) < 200
    rows = [attempt(key, number=2) for key in before] + attempts(200)[len(before) :]
    made = Made(rows, before)
    again = made.night(Provider(), first.now)
    again.journal = list(first.journal)
    decision = again.engine.tell((), again.now)
    closed = [event.key for event in decision.events if isinstance(event, Requeued)]
    sent = [said.attempt.key for said in decision.commands if isinstance(said, Submit)]
    assert closed == [key for key in sent if key in before]
    assert closed


def test_rows_that_wait_for_their_download_hold_little() -> None:
    """What the answers on the way showed is forgotten when a task has ended."""
    slow = replace(SLOTS, downloads=1)
    begun = night(60, Provider(), slow)
    most = 0

    def fetch(*_: object) -> Video:
        nonlocal most
        ready = [row for row in begun.engine._rows.values() if row.state is State.READY]
        assert not any(row._watch for row in ready)
        most = max(most, len(ready))
        return VIDEO

    begun.provider.on_download, begun.provider.round_trip_s = fetch, 30
    assert begun.run().states() == {State.DONE: 60}
    assert most > 1


def test_rows_are_queued_once() -> None:
    """No second maker takes the place of the one that rows still wait for."""
    begun = night(500, Provider(), SLOTS)
    begun.engine.tell((), 0.0)
    with pytest.raises(ValueError, match="earlier call"):
        enqueue(begun.engine, attempt("later"))
