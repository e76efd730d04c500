"""Downloads that break, links that die, disks that fill: a paid video is not given up lightly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pipeline.engine.commands import Download, RowId
from pipeline.engine.engine import Engine
from pipeline.engine.outstanding import Outstanding
from pipeline.engine.queries import Sweep
from pipeline.engine.rows import Tracked
from pipeline.engine.videos import Videos
from pipeline.errors import (
    BadVideo,
    DownloadError,
    ExitCode,
    HostDown,
    LinkDead,
    StoreError,
    TransferBroken,
    Unfinished,
)
from pipeline.model import Phase, State, TaskView, Video
from tests.engine.night import SETTINGS, VIDEO, Night, Provider, attempt, night, resume


class _PlaceDown(HostDown):
    what = "the place"
    serves_all = True


Outcome = Video | DownloadError | Unfinished
Hook = Callable[[Download, int, float], Outcome]


def first_times(times: int, error: DownloadError) -> Hook:
    return lambda _, turn, __: error if turn <= times else VIDEO


def test_a_done_row_whose_file_is_gone_is_downloaded_again() -> None:
    """It is taken up like a row under way: nothing is submitted."""
    first = night(3).run()
    engine = Engine(SETTINGS, first.now)
    for entry in first.entries().values():
        engine.take_up(0, entry, first.now)
    assert +engine.states_of(0) == {State.READY: 3}
    again = Night(
        engine, first.provider, first.rows, now=first.now, journal=list(first.journal)
    ).run()
    assert again.states() == {State.DONE: 3}
    assert set(first.provider.downloads.values()) == {2}
    assert set(first.provider.submits.values()) == {1}


def test_a_dead_link_gets_a_fresh_one() -> None:
    """A refused URL leads to a query and to another try with what that says."""
    provider = Provider(on_download=first_times(2, LinkDead("403")))
    done = night(50, provider).run()
    assert done.states() == {State.DONE: 50}
    assert set(provider.downloads.values()) == {3}
    assert set(provider.submits.values()) == {1}


def test_every_download_after_a_dead_link_follows_a_query() -> None:
    """The dead URL itself is not tried again: a query comes first."""
    asked: dict[str, list[int]] = {}
    provider = Provider()

    def hook(said: Download, turn: int, _: float) -> Outcome:
        asked.setdefault(said.attempt.key, []).append(provider.queries[said.attempt.key])
        return LinkDead("404") if turn < 4 else VIDEO

    provider.on_download = hook
    night(20, provider).run()
    assert [len(set(queries)) for queries in asked.values()] == [4] * 20


def test_links_that_are_dead_for_ever_expire_the_row() -> None:
    """Six fresh URLs refused: the row is expired, by name, and not submitted again."""
    provider = Provider(on_download=lambda *_: LinkDead("410"))
    done = night(20, provider).run()
    assert done.states() == {State.EXPIRED: 20}
    assert {one.error_code for one in done.entries().values()} == {"link_dead"}
    assert set(provider.downloads.values()) == {6}
    assert set(provider.submits.values()) == {1}


def test_broken_transfers_are_taken_up_again() -> None:
    """Nine breaks of one transfer end in a video."""
    done = night(20, Provider(on_download=first_times(9, TransferBroken("reset")))).run()
    assert done.states() == {State.DONE: 20}


def test_a_transfer_that_always_breaks_leaves_the_row_ready() -> None:
    """The run ends, the row stays paid and ready, and the next run fetches it."""
    provider = Provider(on_download=lambda *_: TransferBroken("reset"))
    left = night(10, provider).run()
    assert left.states() == {State.READY: 10}
    provider.on_download = lambda *_: VIDEO
    assert resume(left).run().states() == {State.DONE: 10}
    assert set(provider.submits.values()) == {1}


def test_a_bad_video_stays_ready_after_three_tries() -> None:
    """A whole body that is no video is fetched three times; a bad file never counts as done."""
    provider = Provider(on_download=lambda *_: BadVideo("no moov"))
    left = night(10, provider).run()
    assert left.states() == {State.READY: 10}
    assert set(provider.downloads.values()) == {3}


def test_a_bad_video_may_come_good() -> None:
    """The third try counts as well as the first."""
    provider = Provider(on_download=first_times(2, BadVideo("zeroes")))
    assert night(10, provider).run().states() == {State.DONE: 10}


def test_a_wait_that_the_download_host_asks_for_is_kept() -> None:
    """Retry-After of the download host holds for this row."""
    at: list[float] = []

    def hook(_: Download, turn: int, now: float) -> Outcome:
        at.append(now)
        return TransferBroken("503", retry_after_s=90) if turn == 1 else VIDEO

    assert night(1, Provider(on_download=hook)).run().states() == {State.DONE: 1}
    assert at[1] - at[0] >= 90


def test_a_host_that_is_down_is_waited_for_as_long_as_an_outage_may_take() -> None:
    """It is told from the first failure, with its end; then the rows stay for the next run."""
    down = HostDown("The download host answered with HTTP 503 instead of the video.")
    provider = Provider(on_download=lambda *_: down)
    begun = night(3, provider, replace(SETTINGS, outage_s=40))
    waits: list[float] = []

    def look(_: Download, __: int, now: float) -> Outcome:
        waits.extend(wait.until - now for wait in begun.engine.waits(now))
        return down

    provider.on_download = look
    assert begun.run().states() == {State.READY: 3}
    assert {one.message for one in begun.engine.undelivered(0).values()} == {down.message}
    assert waits
    assert max(waits) <= 40
    assert begun.engine.waits(begun.now) == []
    later = Provider(on_download=lambda _, __, now: down if now < 1200 else VIDEO)
    assert night(3, later).run().states() == {State.DONE: 3}


def test_a_place_that_is_down_for_longer_ends_ordering() -> None:
    """No video comes home without it: what is ordered is tried once more, the rest stays."""
    down = _PlaceDown("The bucket does not answer.")
    provider = Provider(on_download=lambda _, __, now: VIDEO if now < 200 else down)
    ended = night(2000, provider, replace(SETTINGS, outage_s=60)).run()
    (stop,) = ended.engine.stops
    assert stop.exit_code is ExitCode.UNFINISHED
    assert "the place was waited for" in stop.reason
    assert max(provider.submit_times) < 200 + 60 + 60
    assert set(ended.states()) == {State.DONE, State.READY, State.WAITING}
    assert set(provider.submits.values()) == {1}


def test_how_long_it_was_down_before_counts() -> None:
    """A request may take a minute until it is known that nothing comes."""
    down = _PlaceDown("The bucket does not answer.")
    down.down_s = 60
    provider = Provider(on_download=lambda *_: down)
    night(3, provider, replace(SETTINGS, outage_s=60)).run()
    assert set(provider.downloads.values()) == {1}


def test_a_full_disk_stops_everything() -> None:
    """Nothing is submitted any more once videos cannot be kept; it is said once."""
    provider = Provider(
        on_download=lambda *said: StoreError("disk full") if said[2] > 150 else VIDEO,
        round_trip_s=1.0,
    )
    stopped = night(1000, provider).run()
    assert [stop.exit_code for stop in stopped.engine.stops] == [ExitCode.UNFINISHED]
    last = stopped.journal[-1][1]
    assert last < 160
    assert max(provider.submit_times) < 155
    assert State.EXPIRED not in stopped.states()
    provider.on_download = lambda *_: VIDEO
    assert resume(stopped).run().states() == {State.DONE: 1000}
    assert set(provider.submits.values()) == {1}


def test_downloads_keep_to_their_cap() -> None:
    """No more transfers at once than allowed, however many videos wait."""
    provider = Provider(round_trip_s=20)
    done = night(200, provider, replace(SETTINGS, downloads=3)).run()
    assert done.peaks[Download] == 3
    assert done.states() == {State.DONE: 200}


def test_the_link_that_dies_first_is_fetched_first() -> None:
    """Waiting videos go by the time at which their URL dies; those without one come last."""
    sweep = Sweep(SETTINGS, 0.0)
    videos = Videos(1, sweep, Outstanding(SETTINGS, sweep))
    for key, expires_at in (("c", 300.0), ("z", None), ("a", 100.0), ("b", 200.0), ("y", None)):
        url = f"https://files.example/{key}"
        view = TaskView(key, Phase.COMPLETED, video_url=url, expires_at=expires_at)
        videos.link(Tracked(RowId(0, key), attempt(key), State.READY, 0.0), view, 0.0)
    assert videos.waiting == 5
    order = []
    while (link := videos.start()) is not None:
        order.append(link[0].key)
        assert videos.start() is None
        videos.in_flight -= 1
    assert order == ["a", "b", "c", "z", "y"]


def test_as_many_downloads_as_there_are_slots() -> None:
    """Workers come and go while the run goes on; whoever is told of more slots fills them."""
    first = night(6).run()
    engine = Engine(replace(SETTINGS, downloads=1), first.now)
    for entry in first.entries().values():
        engine.take_up(0, entry, first.now)
    engine.download_at_once(6)
    again = Night(
        engine, first.provider, first.rows, now=first.now, journal=list(first.journal)
    ).run()
    assert again.states() == {State.DONE: 6}
    assert again.peaks[Download] == 6
