"""Nights on disks that are too small: what is paid for comes first, and no link is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from pipeline.engine.commands import Download
from pipeline.engine.engine import Engine
from pipeline.engine.room import Disk, Share, Sizes, worded_bytes
from pipeline.errors import DownloadError, ExitCode, Unfinished
from pipeline.model import State, Video
from tests.engine.night import (
    SETTINGS,
    VIDEO,
    Night,
    Provider,
    attempts,
    enqueue,
    night,
    resume,
)

MB = 1e6
SEEN = [replace(VIDEO, size_bytes=2_000_000)]
"""A video of 2 MB: with the margin 2.2 MB are expected of the next one."""


@dataclass
class Shelf:
    """A disk that fills with each video that comes."""

    size: int
    disk: Disk = field(default_factory=lambda: Disk("outputs/shop", 1 * MB))
    free: float = 9 * MB

    def __post_init__(self) -> None:
        """Let the engine see what is free."""
        self.disk.free_bytes = self.free

    def take(self, _: Download, __: int, ___: float) -> Video | DownloadError | Unfinished:
        """Put a video down, if there is room for it."""
        if self.free < self.size:
            return Unfinished("the disk is full")
        self.free -= self.size
        self.disk.free_bytes = self.free
        return replace(VIDEO, size_bytes=self.size)


def keep(begun: Night, *disks: Disk, seen: Sequence[Video] = ()) -> None:
    """Let the lanes of a night write to these disks."""
    begun.engine.room.keep([[Share(disk)] for disk in disks], Sizes(seen))


def on(shelf: Shelf, rows: int = 100, seen: list[Video] | None = None) -> Night:
    begun = night(rows, Provider(on_download=shelf.take))
    keep(begun, shelf.disk, seen=SEEN if seen is None else seen)
    return begun


def test_what_fits_is_ordered_and_comes_home() -> None:
    """Three videos of 2.2 MB fit between 9 MB free and 1 MB to stay free; no fourth is ordered."""
    ended = on(Shelf(2_200_000)).run()
    assert ended.states() == {State.DONE: 3, State.WAITING: 97}
    (stop,) = ended.engine.stops
    assert stop.exit_code is ExitCode.UNFINISHED
    assert stop.reason == (
        "outputs/shop has 2.4 MB free and needs 3.4 MB: 0 kB for videos that are paid for and not "
        "yet home, 2.4 MB for the next one, 0 kB for records and results, and 1.0 MB that stay "
        "free (disk.min_free_mb)"
    )


def test_videos_that_are_smaller_than_expected_make_room_for_more() -> None:
    """The run goes on with what it learns from the first ones."""
    shelf = Shelf(100_000)
    ended = on(shelf).run()
    assert ended.states()[State.DONE] > 60
    assert shelf.free >= 1 * MB
    assert State.READY not in ended.states()


def test_without_any_video_seen_a_size_is_assumed() -> None:
    """Half a megabyte a second at 720P: two of six seconds, and then it is known better."""
    shelf = Shelf(1_000_000)
    begun = on(shelf, seen=[])
    begun.run(until=5.0)
    assert begun.provider.submits.total() == 2
    assert begun.run().states()[State.DONE] == 7


def test_six_nights_order_what_fits_and_lose_no_link() -> None:
    """Each of them brings home all that it ordered; made room for, the next ones order more."""
    shelf = Shelf(500_000)
    first = on(shelf)
    last = first.run()
    for _ in range(5):
        assert State.READY not in last.states()
        assert last.states()[State.DONE] + last.states()[State.WAITING] == 100
        shelf.free += 4 * MB
        shelf.disk.free_bytes = shelf.free
        again = resume(last, after_s=86_400)
        keep(again, shelf.disk, seen=[replace(VIDEO, size_bytes=500_000)])
        before = last.states()[State.DONE]
        last = again.run()
        assert last.states()[State.DONE] > before
        assert shelf.free >= 1 * MB
    assert set(last.provider.accepted.values()) == {1}


def test_a_disk_of_which_nothing_is_known_keeps_nothing_back() -> None:
    """As on a file system that does not tell what is free."""
    assert Disk("outputs/shop", 1 * MB).holds(1e15, Sizes())
    assert not Disk("outputs/shop", 1 * MB, 9 * MB).holds(1e15, Sizes())


def test_what_is_paid_for_is_counted_first() -> None:
    """A night begins with as much ordered as there is room for: nothing more is ordered."""
    shelf = Shelf(2_200_000)
    begun = on(shelf).run(until=1.0)
    assert begun.states()[State.RUNNING] == 3
    later = resume(begun, after_s=10)
    keep(later, shelf.disk, seen=SEEN)
    later.run(until=begun.now + 11)
    assert later.provider.submits.total() == 3
    assert later.run().states() == {State.DONE: 3, State.WAITING: 97}


def test_lanes_on_one_disk_share_its_room() -> None:
    """And one on a disk of its own has that."""
    shelf = Shelf(2_200_000)
    rows = [*attempts(10), *attempts(10, lane=1)]
    engine = Engine(SETTINGS, 0.0)
    enqueue(engine, *rows, weights=(1, 1))
    both = Night(engine, Provider(on_download=shelf.take), rows, weights=(1, 1))
    keep(both, shelf.disk, shelf.disk, seen=SEEN)
    assert both.run().states() == {State.DONE: 3, State.WAITING: 17}


@pytest.mark.parametrize(("free", "fit"), [(9 * MB, 3), (2 * MB, 0)])
def test_a_full_disk_keeps_no_lane_waiting_that_writes_elsewhere(free: float, fit: int) -> None:
    """One lane stops where its disk ends; the other one's rows are all ordered and come home.

    Also if those wait for their pictures while nothing else is under way.
    """
    small, large = Shelf(2_200_000, free=free), Shelf(2_200_000, free=100 * MB)
    small.disk.folder = "outputs/small"
    shelves = (small, large)
    rows = [*attempts(10), *attempts(10, lane=1, images=("sha256:slow",))]
    engine = Engine(SETTINGS, 0.0)
    enqueue(engine, *rows, weights=(1, 1))
    provider = Provider(on_download=lambda what, *when: shelves[what.row.lane].take(what, *when))
    both = Night(engine, provider, rows, weights=(1, 1))
    keep(both, small.disk, large.disk, seen=SEEN)
    assert both.run().states() == {State.DONE: 10 + fit, State.WAITING: 10 - fit}
    assert engine.states_of(0)[State.DONE] == fit
    (stop,) = engine.stops
    assert stop.exit_code is ExitCode.UNFINISHED
    assert stop.reason.startswith("outputs/small has 2.")


def test_each_lane_is_told_of_its_own_disk() -> None:
    """Where both are full; of one that several manifests write to, this is said."""
    disks = [Disk("outputs/a", 1 * MB, 2 * MB), Disk("outputs/b", 1 * MB, 1 * MB)]
    disks[1].manifests = 3
    rows = [*attempts(2), *attempts(2, lane=1)]
    engine = Engine(SETTINGS, 0.0)
    enqueue(engine, *rows, weights=(1, 1))
    both = Night(engine, Provider(), rows, weights=(1, 1))
    keep(both, *disks, seen=SEEN)
    assert both.run().states() == {State.WAITING: 4}
    (stop,) = engine.stops
    own = dict(stop.own)
    assert own[0].reason.startswith("outputs/a has 2.0 MB free and needs 3.2 MB: ")
    assert own[1].reason.startswith("outputs/b has 1.0 MB free and needs 3.2 MB: ")
    assert own[1].reason.endswith("(disk.min_free_mb); 3 manifests share that disk")
    assert own[0].reason.endswith("(disk.min_free_mb)")


def test_each_disk_that_a_lane_writes_to_is_looked_at() -> None:
    """The one with the account's book is full: nothing is ordered, and the stop names it."""
    videos, book = Disk("outputs/shop", 0, 9 * MB), Disk("state", 1 * MB, 1 * MB)
    begun = night(5)
    shares = [Share(videos), Share(book, videos=False, row_bytes=2000)]
    begun.engine.room.keep([shares], Sizes(SEEN))
    assert begun.run().states() == {State.WAITING: 5}
    (stop,) = begun.engine.stops
    assert stop.reason.startswith("state has 1.0 MB free and needs 1.0 MB: ")
    assert stop.action is not None
    assert stop.action.startswith("Make room on the disk of state, or lower disk.min_free_mb")


def test_what_others_bring_home_and_the_records_of_a_row_take_room() -> None:
    """Twelve seconds of other manifests are 4.4 MB here, and each row has records."""
    disk = Disk("outputs/shop", 1 * MB, 9 * MB)
    disk.elsewhere = {"720P": 12.0}
    shelf = Shelf(2_200_000, disk)
    begun = night(10, Provider(on_download=shelf.take))
    begun.engine.room.keep([[Share(disk)]], Sizes(SEEN))
    assert begun.run().states() == {State.DONE: 1, State.WAITING: 9}
    request = attempts(1)[0].request
    share = Share(disk, videos=False, row_bytes=1000, texts=2)
    assert share.expected_bytes(request, Sizes()) == 1000 + 2 * len(request.prompt)


def test_an_unknown_disk_keeps_nothing_back() -> None:
    """Where nobody can tell what is free, the night goes on as ever."""
    free = night(50)
    keep(free, Disk("outputs/shop", 1e12))
    assert free.run().states() == {State.DONE: 50}


def test_sizes_are_learned_for_each_resolution() -> None:
    """Large ones say nothing of small ones, and nothing of what has no length."""
    full = replace(VIDEO, size_bytes=12_000_000, width=1920, height=1080)
    sizes = Sizes([full, replace(VIDEO, duration_s=0.0)])
    assert round(sizes.expected_bytes("1080p", 10)) == 22_000_000
    assert sizes.expected_bytes("720P", 10) == 5_000_000


def test_sizes_are_told_as_people_read_them() -> None:
    """In the unit that leaves few digits."""
    assert [worded_bytes(size) for size in (900, 4.2e6, 2.5e9)] == ["1 kB", "4.2 MB", "2.5 GB"]
