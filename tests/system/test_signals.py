"""Ctrl-C and its like, sent to the whole process group as a terminal does."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.model import State
from tests.system.harness import invariants, sheets
from tests.system.harness.api import Api, wait_for
from tests.system.harness.product import Ended, Product, interrupt
from tests.system.harness.terminal import Seen, terminal

FEW = {"limits.outstanding": "6", "limits.submits_in_flight": "3"}


@pytest.fixture
def manifest(product: Product) -> Path:
    """A sheet of forty rows."""
    return sheets.write(product.folder / "shop.csv", sheets.rows(40))


def out_of(product: Product) -> Path:
    return product.folder / "outputs" / "shop"


def calls_come(api: Api, kind: str, since: int, count: int = 1) -> None:
    wait_for(f"{count} {kind}", lambda: len(api.calls(kind, since=since)) >= count)


def stopped_hold(product: Product, api: Api, manifest: Path, ended: Ended) -> None:
    """Hold that a gentle stop left nothing in doubt and wrote the results."""
    out = out_of(product)
    invariants.hold(api, product, manifest, out, manifest.read_bytes())
    states = sheets.states(out)
    assert len(states) == 40
    assert not {"in_doubt", "submitting"} & set(states.values())
    assert "waiting" in states.values(), "it was stopped before its end"
    assert sheets.summary(out)["exit_code"] == ended.code
    assert sheets.summary(out)["stopped_by"]


@pytest.mark.parametrize(
    ("number", "code"),
    [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 143)],
    ids=["ctrl-c", "terminated", "hung up"],
)
def test_a_first_signal_awaits_the_answers(
    product: Product, api: Api, manifest: Path, number: str, code: int
) -> None:
    """Nothing new goes out after it, no answer is lost, results are written; then it goes on."""
    if not hasattr(signal, number):
        pytest.skip(f"has no {number}")
    api.faults("submit_slow@1.5")
    mark = api.mark()
    process = product.start("run", manifest, sets=FEW)
    calls_come(api, "submit", mark, count=4)
    interrupt(process, signal.Signals[number])
    ended = product.end(process)
    assert ended.code == code, ended.err
    # At most what was on its way when the signal came: three in flight, none after them.
    assert len(api.calls("submit", since=mark)) <= 4 + 3
    stopped_hold(product, api, manifest, ended)
    if number == "SIGINT":
        api.faults()
        assert product("run", manifest, "-q").code == 0
        assert len(api.calls("submit", since=mark)) == 40
        invariants.hold(api, product, manifest, out_of(product), manifest.read_bytes())


@pytest.mark.skipif(sys.platform == "win32", reason="has no SIGHUP")
def test_nohup_is_heeded(product: Product, api: Api) -> None:
    """A run started with nohup goes on when its terminal is closed."""
    manifest = sheets.write(product.folder / "shop.csv", sheets.rows(4))
    api.faults("submit_slow@0.5")
    mark = api.mark()
    process = product.start("run", manifest, before="trap '' HUP")
    calls_come(api, "submit", mark)
    interrupt(process, signal.SIGHUP)
    assert product.end(process).code == 0
    assert set(sheets.states(out_of(product)).values()) == {"done"}


def test_a_second_one_drops_the_downloads(product: Product, api: Api, manifest: Path) -> None:
    """Hanging downloads are given up by the second Ctrl-C; their rows are fetched later."""
    api.faults("download_stall")
    mark = api.mark()
    process = product.start("run", manifest, sets=FEW)
    calls_come(api, "download", mark)
    interrupt(process)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(1)
    interrupt(process)
    ended = product.end(process)
    assert ended.code == 130, ended.err
    stopped_hold(product, api, manifest, ended)
    assert "ready" in sheets.states(out_of(product)).values()
    api.faults()
    assert product("fetch", manifest, "-q").code == 0
    invariants.hold(api, product, manifest, out_of(product), manifest.read_bytes())


def test_a_second_one_ends_the_run(product: Product, api: Api, manifest: Path) -> None:
    """It does not wait for answers that hang; the next run looks them up."""
    api.faults("submit_stall*3")
    mark = api.mark()
    process = product.start("run", manifest, sets={**FEW, "stop.grace_s": "3600"})
    calls_come(api, "submit", mark, count=3)
    interrupt(process)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.5)
    interrupt(process)
    ended = product.end(process)
    assert ended.code == 130, ended.err
    hung_hold(product, api, manifest, mark)


@pytest.mark.parametrize("number", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_an_answer_that_hangs_is_awaited_for_the_grace(
    product: Product, api: Api, manifest: Path, number: str
) -> None:
    """Without a terminal Ctrl-C comes from the system, too; nothing new is asked by then."""
    if not hasattr(signal, number):
        pytest.skip(f"has no {number}")
    api.faults("submit_stall*3")
    mark = api.mark()
    process = product.start("run", manifest, sets={**FEW, "stop.grace_s": "1.5"})
    calls_come(api, "submit", mark, count=3)
    asked = len(api.calls("balance", since=mark))
    interrupt(process, signal.Signals[number])
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.7)
    ended = product.end(process)
    assert ended.code == (130 if number == "SIGINT" else 143), ended.err
    assert "Send another signal to end the run at once." in ended.err
    assert "Press Ctrl-C" not in ended.err
    assert "awaited for 1.5 s at most" in ended.err
    assert len(api.calls("balance", since=mark)) == asked, "the closing balance is not asked for"
    hung_hold(product, api, manifest, mark)


def hung_hold(product: Product, api: Api, manifest: Path, mark: int) -> None:
    """Hold that what hung is in doubt, results were written, and nothing is sent twice."""
    out = out_of(product)
    invariants.hold(api, product, manifest, out, manifest.read_bytes())
    assert sorted(set(sheets.states(out).values())) == ["in_doubt", "waiting"]
    assert list(sheets.states(out).values()).count("in_doubt") == 3
    api.faults()
    assert product("run", manifest, "-q").code == 0
    assert len(api.calls("submit", since=mark)) == 40
    invariants.hold(api, product, manifest, out, manifest.read_bytes())


@pytest.mark.skipif(sys.platform == "win32", reason="has no pseudo-terminals")
@pytest.mark.parametrize("presses", [1, 2])
def test_ctrl_c_typed_at_a_terminal(
    product: Product, api: Api, manifest: Path, presses: int
) -> None:
    """The first one waits as long as the answers take, whatever the grace; the second ends it."""
    api.faults("submit_slow@2.5" if presses == 1 else "submit_stall*3")
    mark = api.mark()
    with terminal() as (person, program):
        process = start_at(program, product, manifest, {"stop.grace_s": "0.2"})
        seen = Seen(person)
        calls_come(api, "submit", mark, count=3)
        for number, words in enumerate(("Stopping: ", "Ending the run: ")[:presses]):
            asked = len(api.calls(since=mark))
            os.write(person, b"\x03")
            wait_for(words, lambda words=words: seen(words))
            if number == 0:
                assert "are awaited. Press Ctrl-C again to end the run at once." in seen.text
        wait_for("the end", lambda: seen("\0never") or process.poll() is not None)
    assert process.returncode == 130, seen.text
    new = [call for call in api.calls(since=mark)[asked:] if call["kind"] != "download"]
    assert new == [], "nothing new is asked, the closing balance included"
    if presses == 1:
        stopped_hold(product, api, manifest, Ended(130, "", seen.text))
    else:
        hung_hold(product, api, manifest, mark)


@pytest.mark.skipif(sys.platform == "win32", reason="has no pseudo-terminals")
@pytest.mark.parametrize("number", ["SIGTERM", "SIGHUP"])
@pytest.mark.long
def test_a_terminal_makes_no_difference_to_other_signals(
    product: Product, api: Api, manifest: Path, number: str
) -> None:
    """They wait for stop.grace_s at most; closing the terminal is one of them."""
    api.faults("submit_stall*3")
    mark = api.mark()
    with terminal() as (person, program):
        process = start_at(program, product, manifest, {"stop.grace_s": "1"})
        seen = Seen(person)
        calls_come(api, "submit", mark, count=3)
        asked = len(api.calls("balance", since=mark))
        interrupt(process, signal.Signals[number])
        wait_for("the end", lambda: seen("\0never") or process.poll() is not None)
    assert process.returncode == 143, seen.text
    assert "are awaited for 1 s at most" in seen.text
    assert len(api.calls("balance", since=mark)) == asked
    hung_hold(product, api, manifest, mark)


def start_at(
    program: int, product: Product, manifest: Path, sets: dict[str, str]
) -> subprocess.Popen[str]:
    """Start a run whose own terminal this is, so that what is typed there ends it."""
    return product.start(
        "run",
        manifest,
        "--yes",
        sets={**FEW, **sets},
        before=f"exec 3<>{os.ttyname(program)}",
        stdin=program,
        stdout=program,
        stderr=program,
    )


@pytest.mark.long
def test_a_third_one_leaves_at_once(product: Product, api: Api, manifest: Path) -> None:
    """It does not even wait for what is written; the next run finds all of it."""
    api.faults("submit_stall")
    mark = api.mark()
    process = product.start("run", manifest, sets=FEW)
    calls_come(api, "submit", mark, count=3)
    for _ in range(3):
        with contextlib.suppress(ProcessLookupError):
            interrupt(process)
    ended = product.end(process)
    assert ended.code in {130, -2}, ended.err
    entries = invariants.journal_holds(out_of(product))
    assert {one.state for one in entries.values()} <= {State.SUBMITTING, State.IN_DOUBT}
    api.faults()
    assert product("run", manifest, "-q").code == 0
    assert len(api.calls("submit", since=mark)) == 40
    invariants.hold(api, product, manifest, out_of(product), manifest.read_bytes())


def test_decoders_and_emulator_outlive_ctrl_c(rehearsing: Product) -> None:
    """In a rehearsal the videos under way are still decoded and kept after Ctrl-C."""
    manifest = sheets.write(rehearsing.folder / "shop.csv", sheets.rows(3, duration="4"))
    out = out_of(rehearsing).with_suffix(".rehearsal")
    often = {"polling.first_s": "0.2", "polling.interval_s": "0.2"}
    process = rehearsing.start("run", manifest, sets=often)
    wait_for("a video", lambda: any((out / "videos").glob("*.mp4")))
    interrupt(process)
    ended = rehearsing.end(process)
    assert ended.code in {0, 130}, ended.err
    states = set(sheets.states(out).values())
    assert states <= {"done", "running", "ready"}, (states, ended.err)
    assert rehearsing("run", manifest, "-q").code == 0
