"""Nights: manifests by themselves, one budget over kills, a window, and night.json."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.night.receiver import Receiver, serving
from tests.system.harness import invariants, sheets
from tests.system.harness.api import Api, wait_for
from tests.system.harness.product import Product


def named(folder: Path, name: str, count: int, **cells: str) -> Path:
    """Write a manifest whose wording is its own."""
    wording = f"{folder.name} {name}"
    return sheets.write(folder / name, sheets.rows(count, prompt=f"{wording} {{}}", **cells))


def told(product: Product) -> dict[str, Any]:
    """What night.json says."""
    found: dict[str, Any] = json.loads((product.folder / "outputs" / "night.json").read_text())
    return found


def ordered(product: Product, api: Api) -> Counter[str]:
    """How many submissions of this test's manifests were accepted, by manifest."""
    words = [one["prompt"].split(" ") for one in api.records()["submissions"]]
    return Counter(one[1] for one in words if one[0] == product.folder.name)


def window(begins: timedelta, ends: timedelta) -> dict[str, str]:
    """A window around this moment."""
    now = datetime.now(UTC)
    return {
        "night.window": f"{now + begins:%H:%M}-{now + ends:%H:%M}",
        "night.timezone": "UTC",
    }


def test_a_night_over_several_manifests(product: Product, api: Api) -> None:
    """Failed rows are tried again in it, and one that cannot be found keeps no other waiting."""
    large, small = named(product.folder, "large.csv", 8), named(product.folder, "small.csv", 2)
    api.faults("query_failed_error@internal_error")
    sets = {
        "night.manifests": "[large.csv, {path: small.csv, share: 3}, gone.csv, 'no/*.csv']",
        "retry.wait_s": "0.3",
        "limits.outstanding": "4",
        "budget.price_per_second": "0.1",
    }
    night = product.start("night", sets=sets)
    log = product.folder / "outputs" / "large" / "run.log"
    wait_for("a failure", lambda: log.exists() and "TaskFailed" in log.read_text("utf-8"))
    api.faults()
    ended = product.end(night)
    assert ended.code == 1, ended.err
    assert "no manifest matches no/*.csv" in ended.err
    record = told(product)
    assert (record["schema"], record["state"], record["exit_code"]) == (1, "ended", 1)
    assert record["states"] == {"done": 10}
    sent = ordered(product, api).total()
    assert sent > 10
    assert record["submitted"] == sent
    spend = {"videos": sent, "video_seconds": 6 * sent, "money": pytest.approx(0.6 * sent)}
    assert record["spend"] == spend
    codes = {one["manifest"]: one["exit_code"] for one in record["manifests"]}
    assert codes == {"large.csv": 0, "small.csv": 0, "gone.csv": 2, "no/*.csv": 2}
    assert "gone.csv" in next(one["error"] for one in record["manifests"] if one["error"])
    for manifest in (large, small):
        out = product.folder / "outputs" / manifest.stem
        invariants.hold(api, product, manifest, out, manifest.read_bytes())
        assert 0 < sheets.summary(out)["elapsed_s"] < 120
    assert product("night", large, small, sets=sets).code == 0
    assert ordered(product, api).total() == sent


def test_a_night_that_is_killed_and_started_again_has_no_new_budget(
    product: Product, api: Api
) -> None:
    """night.json and summary.json begin with it, and after the kill say that it has no end."""
    manifest = named(product.folder, "a.csv", 12)
    sets = {
        "budget.per_night.videos": "5",
        "limits.outstanding": "2",
        "night.manifests": "a.csv",
    }
    api.faults("query_never_finishing")
    night = product.start("night", sets=sets)
    wait_for("two orders", lambda: ordered(product, api).total() == 2)
    begun = told(product)
    assert (begun["state"], begun["pid"], begun["exit_code"]) == ("running", night.pid, None)
    summary = sheets.summary(product.folder / "outputs" / "a")
    assert (summary["rows"], summary["finished_at"], summary["exit_code"]) == (12, None, None)
    second = product("night", sets=sets)
    assert second.code == 75, second.err
    assert told(product)["pid"] == night.pid
    os.kill(night.pid, signal.SIGKILL)
    night.communicate()
    api.faults()
    assert (told(product)["state"], told(product)["ended_at"]) == ("running", None)
    again = product("night", sets=sets)
    assert again.code == 4, again.err
    assert "did not end: it was killed" in again.err
    assert "budget.per_night.videos is 5" in again.err
    assert ordered(product, api) == {"a.csv": 5}
    out = product.folder / "outputs" / "a"
    invariants.hold(api, product, manifest, out, manifest.read_bytes())
    ended = told(product)
    assert (ended["state"], ended["exit_code"]) == ("ended", 4)
    assert "budget.per_night" in ended["stopped_by"]
    # A run by day is no night: its caps are those of the run and of the day.
    assert product("run", manifest).code == 0


@pytest.mark.parametrize(
    ("bound", "most"),
    [({"pilot.gate": "true", "pilot.rows": "1"}, 4), ({"night.min_rows": "9"}, 2)],
)
def test_what_a_night_may_not_order_it_does_not_try_again_either(
    product: Product, api: Api, bound: dict[str, str], most: int
) -> None:
    """Two rows are under way and fail: one is the pilot, and gets its three attempts."""
    named(product.folder, "a.csv", 2)
    sets = {"night.manifests": "a.csv", "retry.wait_s": "0.1"}
    api.faults("query_never_finishing")
    night = product.start("night", sets=sets)
    wait_for("two orders", lambda: ordered(product, api).total() == 2)
    os.kill(night.pid, signal.SIGKILL)
    night.communicate()
    api.faults("query_failed_error@internal_error")
    product("night", sets=sets | bound)
    assert ordered(product, api) == {"a.csv": most}


def test_a_doubt_is_settled_in_the_night_in_which_it_came_up(product: Product, api: Api) -> None:
    """Looked up again while other rows go on, at no cost: paid once, brought home, exit 0."""
    manifest = named(product.folder, "a.csv", 60)
    api.faults("submit_answer_lost*1", "query_lookup_unsupported")
    sets = {"api.lookup_s": "0.3", "retry.wait_s": "0.5", "limits.outstanding": "2"}
    night = product.start("night", manifest, sets=sets)
    log = product.folder / "outputs" / "a" / "run.log"
    wait_for("a lost answer", lambda: log.exists() and "AnswerLost" in log.read_text("utf-8"))
    sent = ordered(product, api).total()
    wait_for("others to go on", lambda: ordered(product, api).total() >= sent + 10)
    api.faults()
    ended = product.end(night)
    assert ended.code == 0, ended.err
    assert told(product)["states"] == {"done": 60}
    assert ordered(product, api)["a.csv"] == 60
    out = product.folder / "outputs" / "a"
    invariants.hold(api, product, manifest, out, manifest.read_bytes())


def test_nothing_is_ordered_outside_the_window(product: Product, api: Api) -> None:
    """What is paid for comes home; the rest waits, also rows that fail meanwhile."""
    manifest = named(product.folder, "a.csv", 4)
    api.faults("query_failed_error@internal_error")
    run = product.start("run", manifest, "--limit", "2")
    wait_for("two orders", lambda: ordered(product, api).total() == 2)
    os.kill(run.pid, signal.SIGKILL)
    run.communicate()
    before = ordered(product, api)
    outside = {**window(timedelta(hours=4), timedelta(hours=8)), "retry.wait_s": "0"}
    ended = product("night", manifest, sets=outside)
    assert ended.code == 5, ended.err
    assert "Nothing is ordered: the window of the night begins at" in ended.err
    assert ordered(product, api) == before
    assert "the window of the night begins at" in told(product)["stopped_by"]
    assert told(product)["states"] == {"failed": 2, "waiting": 2}
    api.faults()
    inside = {**window(-timedelta(hours=1), timedelta(hours=8)), "retry.wait_s": "0"}
    ended = product("night", manifest, sets=inside)
    assert ended.code == 0, ended.err
    assert told(product)["states"] == {"done": 4}
    assert ordered(product, api)["a.csv"] == 6


def test_what_a_night_refuses(product: Product, api: Api) -> None:
    """To rehearse by accident, and to order from a broken export; night.json says so."""
    manifest = named(product.folder, "a.csv", 3)
    (product.folder / "outputs").mkdir()
    refused = product("night", manifest, sets={"provider": "rehearsal"})
    assert refused.code == 2
    assert "--rehearse" in refused.err
    assert told(product)["exit_code"] == 2
    assert "provider is rehearsal" in told(product)["stopped_by"]
    few = product("night", manifest, "--min-rows", "4")
    assert few.code == 2, few.err
    assert "nothing was ordered: the manifest has 3 rows, and night.min_rows is 4" in few.err
    many = product("night", manifest, "--max-new", "2")
    assert many.code == 2, many.err
    assert "3 rows would be new, and night.max_new is 2" in told(product)["stopped_by"]
    assert ordered(product, api).total() == 0
    rehearsed = product("night", manifest, "--rehearse", "--min-rows", "4")
    assert rehearsed.code == 2, rehearsed.err
    assert (product.folder / "outputs" / "night.rehearsal.json").exists()
    assert "3 rows would be new" in told(product)["stopped_by"]


def test_a_night_of_a_pilot_and_of_its_rejected_rows(product: Product, api: Api) -> None:
    """As a run takes these options: nothing but the pilot, then a new take of it, and no more."""
    manifest = named(product.folder, "a.csv", 6)
    ended = product("night", manifest, "--pilot", "2")
    assert "the rest would be 4 rows" in ended.err
    done = [key for key, state in sheets.states(product.folder / "outputs" / "a").items()
            if state == "done"]  # fmt: skip
    assert len(done) == ordered(product, api)["a.csv"] == 2
    assert product("review", manifest, "--reject", done[0]).code == 0
    ended = product("night", manifest, "--pilot", "2", "--redo", "rejected")
    assert ended.code == 0, ended.err
    assert ordered(product, api)["a.csv"] == 3
    assert told(product)["submitted"] == 1


@pytest.mark.parametrize("command", ["night", pytest.param("run", marks=pytest.mark.long)])
def test_it_ends_by_itself(product: Product, api: Api, command: str) -> None:
    """After --max-runtime nothing is ordered, what is paid for is home, and the rest waits."""
    manifest = named(product.folder, "a.csv", 200)
    ended = product(command, manifest, "--max-runtime", "4s", sets={"limits.outstanding": "3"})
    assert ended.code == 5, ended.err
    assert "--max-runtime" in ended.err
    states = sheets.summary(product.folder / "outputs" / "a")["states"]
    assert set(states) == {"done", "waiting"}
    assert states["done"] == ordered(product, api)["a.csv"] > 3


@pytest.mark.skipif(os.name == "nt", reason="no sockets of the file system")
def test_a_night_is_reached_from_another_process(product: Product, api: Api) -> None:
    """It keeps to another limit, and ends when it is asked to, with its results written."""
    manifest = named(product.folder, "a.csv", 200)
    night = product.start("night", manifest, sets={"limits.outstanding": "6"})
    wait_for("orders", lambda: ordered(product, api).total() >= 8)
    limited = product("limits", "--set", "limits.outstanding=1")
    assert (limited.code, limited.out) == (0, f"process {night.pid}: keeps to it\n")
    mark = ordered(product, api).total()
    wait_for("more orders", lambda: ordered(product, api).total() >= mark + 3)
    assert told(product)["state"] == "running"
    assert product("status", "--health", "--max-age", "1m").code == 0
    watching = product.start("status", "--all", "--watch")
    stopped = product("stop")
    assert stopped.code == 0, stopped.err
    ended = product.end(night)
    assert ended.code == 5, ended.err
    assert "limits.outstanding is 1 from now on" in ended.err
    assert "stopped by `reelsheet stop`" in str(told(product)["stopped_by"])
    states = sheets.summary(product.folder / "outputs" / "a")["states"]
    assert states["done"] > 0
    assert set(states) <= {"done", "waiting", "running", "ready"}
    watched = product.end(watching)
    assert watched.code == 0, watched.err
    assert watched.out.count("done") >= 1
    health = product("status", "--health")
    assert (health.code, "the night ended at" in health.out) == (0, True)
    nobody = product("stop")
    assert nobody.code == 2
    assert "no night or run of this user works in outputs" in nobody.err
    assert product("limits", "--set", "limits.attempts=2").code == 2


def test_a_night_that_is_told_to_end_leaves_nothing_in_doubt(product: Product, api: Api) -> None:
    """SIGTERM to the one process, as a supervisor sends it, within `stop.grace_s`."""
    manifest = named(product.folder, "a.csv", 200)
    night = product.start("night", manifest, sets={"limits.outstanding": "6"})
    wait_for("orders", lambda: ordered(product, api).total() >= 8)
    night.send_signal(signal.SIGTERM)
    ended = product.end(night)
    assert ended.code == 143, ended.err
    record = told(product)
    assert (record["state"], record["exit_code"]) == ("ended", 143)
    assert record["stopped_by"] == "interrupted by SIGTERM"
    assert "in_doubt" not in record["states"]
    assert record["states"] == sheets.summary(product.folder / "outputs" / "a")["states"]
    assert record["submitted"] == ordered(product, api).total()


APART = ("unshare", "--pid", "--fork", "--kill-child")


def test_the_first_process_of_a_container_is_told_to_end(product: Product, api: Api) -> None:
    """The system has it ignore what it does not handle."""
    if shutil.which("unshare") is None or subprocess.run([*APART, "true"], check=False).returncode:
        pytest.skip("no process can be the first one of its own here")
    manifest = named(product.folder, "a.csv", 200)
    api.faults("submit_slow@0.5")
    outer = product.start("night", manifest, before=f'exec {" ".join(APART)} "$@"')
    wait_for("orders", lambda: ordered(product, api).total() >= 4)
    (inner,) = Path(f"/proc/{outer.pid}/task/{outer.pid}/children").read_text().split()
    os.kill(int(inner), signal.SIGTERM)
    ended = product.end(outer)
    assert ended.code == 143, ended.err
    assert told(product)["stopped_by"] == "interrupted by SIGTERM"
    assert told(product)["pid"] == 1
    states = sheets.summary(product.folder / "outputs" / "a")["states"]
    assert told(product)["states"] == states
    assert "in_doubt" not in states


def test_somebody_is_told_in_the_morning(product: Product, api: Api) -> None:
    """Counts, money, the commonest errors with what to do, and where the results are."""
    manifest = named(product.folder, "a.csv", 3)
    api.faults("query_failed_error@content_policy_violation*all")
    with Receiver() as receiver, serving(receiver):
        sets = {
            "notify.webhook": receiver.address,
            "notify.ping": receiver.address,
            "notify.urls_env": "TELL",
            "budget.price_per_second": "0.5",
        }
        env = {"TELL": f"json://127.0.0.1:{receiver.server_port}/apprise"}
        ended = product("night", manifest, "--quiet", sets=sets, env=env)
        assert ended.code == 1, ended.err
        assert "warning" not in ended.err
        record = Path("outputs") / "night.json"
        last = f"Reelsheet: 3 rows need you (1); {record} says more"
        assert last in ended.err, "cron mails what is printed, and not the exit code"
        api.faults()
        ways = [(method, path) for method, path, _ in receiver.got]
        assert ways[0] == ("GET", "/abc/start")
        assert sorted(ways[1:]) == [("GET", "/abc"), ("POST", "/abc"), ("POST", "/apprise")]
        told = {path: body for method, path, body in receiver.got if method == "POST"}
        again = product("night", manifest, "--quiet", sets=sets, env=env)
        assert again.code == 1
        for line in ("done", "edited"):
            receiver.got.clear()
            rows = sheets.rows(3, prompt=f"{product.folder.name} a.csv, {line} {{}}")
            sheets.write(manifest, rows)
            ended = product("night", manifest, "--quiet", sets=sets)
            assert ended.code == 0, ended.err
            assert "TELL is not set" in ended.err
            assert "says more" not in ended.err
    document = told["/abc"]
    assert (document["exit_code"], document["states"]) == (1, {"failed": 3})
    assert document["title"] == told["/apprise"]["title"] == "Reelsheet: 3 rows need you"
    text = told["/apprise"]["message"]
    assert document["text"].endswith(text)
    assert "a.csv: 3 failed" in text
    assert "Ordered: 3 videos, for 9.00 USD." in text
    assert "3 rows: " in text
    assert "results.csv" in text
    [(_, _, left)] = [one for one in receiver.got if one[0] == "POST"][-1:]
    assert left["title"] == "Reelsheet: 3 rows need you", "rows that keep their earlier videos"
    assert f"For new takes: reelsheet run {manifest}" in left["text"]
    assert "--redo changed" in left["text"]
    assert "notify" not in left["text"], "addresses may be secrets"


def test_who_is_told_of_a_night_that_never_began(product: Product, api: Api) -> None:
    """Whatever kept it, where the settings say who is told; not of a second night beside one."""
    manifest = named(product.folder, "a.csv", 3)
    with Receiver() as receiver, serving(receiver):
        telling = f"notify: {{ping: '{receiver.address}', webhook: '{receiver.address}'}}"
        product.folder.joinpath("config.yaml").write_text(
            f"{telling}\noutput: {{dir: videos}}\nnight: {{window: at night}}\nno_setting: 1\n"
        )
        (product.folder / "videos").mkdir()
        refused = product("night", manifest)
        assert refused.code == 2, refused.err
        assert [(way, path) for way, path, _ in sorted(receiver.got, key=lambda one: one[0])] == [
            ("GET", "/abc/fail"),
            ("POST", "/abc"),
        ]
        [document] = [body for way, _, body in receiver.got if way == "POST"]
        assert "night.window" in document["text"]
        record = json.loads((product.folder / "videos" / "night.json").read_text())
        assert (record["exit_code"], record["state"]) == (2, "ended")
        product.folder.joinpath("config.yaml").write_text(telling)
        [line] = product("history", "videos", "--json").json["history"]
        assert (line["exit_code"], line["submitted"], line["rehearsal"]) == (2, 0, False)
        assert "night.window" in line["stopped_by"]
        receiver.got.clear()
        assert product("night", "no/*.csv").code == 2
        told = [body["text"] for way, _, body in receiver.got if way == "POST"]
        assert "no/*.csv: no manifest matches no/*.csv" in told[0]
        api.faults("query_never_finishing")
        night = product.start("night", manifest)
        wait_for("an order", lambda: ordered(product, api).total() > 0)
        receiver.got.clear()
        assert product("night", manifest).code == 75
        assert product("night", "no/*.csv").code == 2
        assert receiver.got == [], "the one that goes on is well"
        night.kill()
        night.communicate()


@pytest.mark.parametrize("command", ["night", pytest.param("run", marks=pytest.mark.long)])
def test_a_video_that_somebody_removed_is_a_warning_of_its_row(
    product: Product, api: Api, command: str
) -> None:
    """It is done, every night again, whether its link has expired before or dies in the night."""
    manifest = named(product.folder, "a.csv", 3)
    out = product.folder / "outputs" / "a"
    assert product("night", manifest, sets={"night.max_new": "3"}).code == 0
    (out / "videos" / "P0001.mp4").unlink()
    sheets.long_ago(out)
    for _ in range(2):
        ended = product(command, manifest)
        assert ended.code == 0, ended.err
        gone, *others = sheets.results(out)
        assert gone["result_state"] == "done"
        assert "the video file is missing, and its link has expired" in gone["result_warnings"]
        assert (gone["result_video"], gone["result_error"]) == ("", "")
        assert not any(one["result_warnings"] for one in others)
    assert ordered(product, api).total() == 3
