"""SIGKILL at each named point between a row's first intent and its results."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.model import State
from tests.system.harness import invariants, sheets
from tests.system.harness.api import Api, wait_for
from tests.system.harness.deadly import Moment, arguments
from tests.system.harness.product import Product
from tests.system.harness.sampling import few_of

ROWS = 5
FEW = {"limits.outstanding": "3", "limits.submits_in_flight": "2", "api.lookup_s": "1"}


def committing(kind: str) -> Moment:
    """Events of this kind are written, and their transaction is not committed."""
    return Moment("journal.writing", "EventWriter._write_events", "return", kind)


COMMITTED = Moment("journal.writing", "EventWriter.conclude")
"""The journal has committed, and the book was not told yet."""
BOOKING = Moment("account.book", "_Writer._take", "return")
"""The book has written what the journal committed, and its transaction is not committed."""
BOOKED = Moment("account.book", "_Writer.conclude")
"""The book has committed, and nothing was begun that follows from it."""
POINTS: dict[str, tuple[Moment, ...]] = {
    "before the intent": (Moment("journal.journal", "Journal.append", kind="Intended"),),
    "in the intent's transaction": (committing("Intended"),),
    "between the intent's two commits": (committing("Intended"), COMMITTED),
    "in the intent's transaction of the book": (committing("Intended"), COMMITTED, BOOKING),
    "after the intent's commits": (committing("Intended"), COMMITTED, BOOKING, BOOKED),
    "before the POST": (Moment("toapis.client", "ToAPIs.submit", turn=2),),
    "before the answer is written": (Moment("journal.journal", "Journal.append", kind="Accepted"),),
    "in the answer's transaction": (committing("Accepted"),),
    "between the answer's two commits": (committing("Accepted"), COMMITTED),
    "in the answer's transaction of the book": (committing("Accepted"), COMMITTED, BOOKING),
    "after the answer's commits": (committing("Accepted"), COMMITTED, BOOKING, BOOKED),
    "after the upload": (Moment("journal.journal", "Journal.remember_upload"),),
    "an empty part file": (Moment("downloader.transfer", "PartFile.start_over", "return", turn=2),),
    "a part file": (Moment("downloader.transfer", "PartFile.write", "return", turn=2),),
    "before the video's rename": (Moment("downloader.transfer", "PartFile.settle", turn=2),),
    "after the video's rename": (Moment("disk.place", "sync_folder", turn=2),),
    "in the video's transaction": (committing("Downloaded"),),
    "between the video's two commits": (committing("Downloaded"), COMMITTED),
    "in the video's transaction of the book": (committing("Downloaded"), COMMITTED, BOOKING),
    "after the video's commits": (committing("Downloaded"), COMMITTED, BOOKING, BOOKED),
    "before the results": (Moment("writer.publish", "publish"),),
    "before the results' rename": (Moment("disk.place", "_rename"),),
    "after the results' rename": (Moment("disk.place", "_rename", "return"),),
    "before the run's end is noted": (Moment("journal.journal", "Journal.end_run"),),
}


@pytest.fixture
def manifest(product: Product) -> Path:
    """A sheet of a few rows, the second with a local picture."""
    lines = sheets.rows(ROWS, duration="4")
    lines[1]["image_1"] = sheets.picture(product.folder / "p.jpg").name
    return sheets.write(product.folder / "shop.csv", lines)


def run_again(product: Product, api: Api, manifest: Path) -> set[str]:
    """Hold the promises after a kill and after the run that follows; return the rows in doubt."""
    out = product.folder / "outputs" / "shop"
    invariants.submissions_hold(api, out, invariants.journal_holds(out))
    ended = product("run", manifest, sets=FEW)
    invariants.hold(api, product, manifest, out, manifest.read_bytes())
    states = sheets.states(out)
    doubtful = {key for key, state in states.items() if state == State.IN_DOUBT.value}
    assert len(states) == ROWS
    assert set(states.values()) <= {State.DONE.value, State.IN_DOUBT.value}
    assert ended.code == (3 if doubtful else 0), ended.err
    # What the look-up did not find was never there: each row was accepted once, or not at all.
    own = invariants.attempts(out)
    references = [one["client_business_id"] for one in api.records()["submissions"]]
    accepted = [own[reference][0] for reference in references if reference in own]
    assert sorted([*accepted, *doubtful]) == sorted(states)
    assert not [path for path in (out / "videos").iterdir() if path.suffix != ".mp4"]
    return doubtful


@pytest.mark.parametrize(
    "point",
    few_of(
        POINTS,
        "after the intent's commits",
        "in the answer's transaction of the book",
        "between the video's two commits",
        "after the results' rename",
    ),
)
def test_killed_at(product: Product, api: Api, manifest: Path, point: str) -> None:
    """Nothing is paid twice and nothing lost; the run that follows does what is left."""
    process = product.start("run", manifest, sets=FEW, program=arguments(POINTS[point]))
    ended = product.end(process)
    assert ended.code == -signal.SIGKILL, (ended.code, ended.err)
    doubtful = run_again(product, api, manifest)
    # A doubt that no look-up ends is left where a POST was intended, and did not go out any more.
    assert len(doubtful) <= int(FEW["limits.submits_in_flight"])
    if "intent's" in point and point != "after the intent's commits":
        assert not doubtful, "what only the journal knows was never sent"
    if point == "after the intent's commits":
        assert doubtful, "they were never sent"
        settle(product, api, manifest, doubtful)


def settle(product: Product, api: Api, manifest: Path, doubtful: set[str]) -> None:
    """Close each row in doubt as not sent; then it is sent, for the first time."""
    mark = api.mark()
    for key in sorted(doubtful):
        assert product("resolve", manifest, key, "--not-sent").code == 0
    assert run_again(product, api, manifest) == set()
    assert len(api.calls("submit", since=mark)) == len(doubtful)


CALLS = {
    "submit_stall": ("submit", 2),
    "upload_stall": ("upload", 1),
    "query_stall": ("query", 1),
    "download_stall": ("download", 2),
}


@pytest.mark.parametrize("fault", few_of(CALLS, "submit_stall"))
def test_killed_during(product: Product, api: Api, manifest: Path, fault: str) -> None:
    """While a call is under way: what was accepted is found again, and its video fetched."""
    kind, count = CALLS[fault]
    api.faults(fault)
    mark = api.mark()
    process = product.start("run", manifest, sets=FEW)
    came: Callable[[], bool] = lambda: len(api.calls(kind, since=mark)) >= count  # noqa: E731
    wait_for(f"{count} {kind}", came)
    if kind == "download":
        videos = product.folder / "outputs" / "shop" / "videos"
        wait_for("a part", lambda: any(one.stat().st_size for one in videos.glob(".*.part")))
    process.kill()
    assert product.end(process).code == -signal.SIGKILL
    api.faults()
    doubtful = run_again(product, api, manifest)
    # Other rows go on beside the call that hangs: a POST that the kill overtook never went out.
    assert len(doubtful) <= int(FEW["limits.submits_in_flight"])
    if doubtful:
        settle(product, api, manifest, doubtful)
    assert len(api.calls("submit", since=mark)) == ROWS
