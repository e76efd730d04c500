"""Nights and runs as they are seen from outside: history, summaries, metrics, and JSON lines."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from pathlib import Path
from typing import Any

from tests.night.test_metrics import parsed, value
from tests.system.harness import loglines, sheets
from tests.system.harness.api import Api, wait_for
from tests.system.harness.product import Product


def manifest_of(product: Product, name: str, rows: int) -> Path:
    prompt = f"{product.folder.name} {name} {{}}"
    return sheets.write(product.folder / name, sheets.rows(rows, prompt))


def past(product: Product, *words: str) -> list[dict[str, Any]]:
    ended = product("history", "--json", *words)
    assert ended.code == 0, ended.err
    found: list[dict[str, Any]] = ended.json["history"]
    return found


def test_a_night_that_goes_on_and_one_that_was_killed(product: Product, api: Api) -> None:
    """Everywhere is the truth: while it goes on, after SIGKILL, and after the next night."""
    manifest = manifest_of(product, "a.csv", 6)
    prom = product.folder / "node exporter" / "ü.prom"
    sets = {
        "metrics.textfile": str(prom),
        "limits.outstanding": "2",
        "budget.price_per_second": "0.5",
        "log.rotate_mb": "0.004",
    }
    api.faults("query_never_finishing")
    night = product.start("night", manifest, "--log-format", "json", sets=sets)
    out = product.folder / "outputs" / "a"
    wait_for("a summary", (out / "summary.json").exists)
    wait_for("two orders in it", lambda: sheets.summary(out)["submitted"] == 2)

    def ordered() -> float | None:
        samples = parsed(prom.read_text("utf-8"))
        return value(samples, "submissions_total", manifest=str(manifest))

    wait_for("them in the metrics", lambda: ordered() == 2)
    (going_on,) = past(product)
    assert (going_on["state"], going_on["submitted"], going_on["money"]) == ("running", 2, 6.0)
    os.kill(night.pid, signal.SIGKILL)
    _, err = night.communicate()
    loglines.hold(line for line in err.split("\n")[:-1])
    (killed,) = past(product)
    assert (killed["state"], killed["ended_at"], killed["exit_code"]) == ("killed", None, None)
    assert (killed["submitted"], killed["money"], killed["command"]) == (2, 6.0, "night")
    summary = sheets.summary(out)
    assert (summary["finished_at"], summary["exit_code"], summary["submitted"]) == (None, None, 2)
    assert summary["states"] == {"running": 2, "waiting": 4}
    samples = parsed(prom.read_text("utf-8"))
    assert (value(samples, "up"), value(samples, "exit_code")) == (1, None)
    assert value(samples, "money", manifest=str(manifest), currency="USD") == 6.0
    assert value(samples, "oldest_paid_age_seconds", manifest=str(manifest)) != 0

    api.faults()
    ended = product("night", manifest, "--log-format", "json", sets=sets)
    assert ended.code == 0, ended.err
    lines = loglines.hold(ended.err.splitlines())
    (end,) = [one for one in lines if one["event"] == "end"]
    summary = sheets.summary(out)
    assert (end["run_id"], end["exit_code"]) == (summary["run_id"], 0)
    assert end["states"] == summary["states"] == {"done": 6}
    assert {one["run_id"] for one in lines if one["event"] == "progress"} == {summary["run_id"]}
    assert "was killed" in " ".join(one.get("message", "") for one in lines)
    samples = parsed(prom.read_text("utf-8"))
    assert (value(samples, "up"), value(samples, "exit_code")) == (0, 0)
    assert value(samples, "submissions_total", manifest=str(manifest)) == 4
    assert value(samples, "downloaded_bytes_total", manifest=str(manifest)) == summary["bytes"]
    assert value(samples, "oldest_paid_age_seconds", manifest=str(manifest)) == 0
    assert (value(samples, "polls_total", manifest=str(manifest)) or 0) >= 6
    first, second = past(product)
    assert (first["state"], first["submitted"], first["done"]) == ("killed", 2, 0)
    assert (second["submitted"], second["done"], second["exit_code"]) == (4, 6, 0)
    told = Counter(one["event"] for one in loglines.in_folder(out))
    assert (told["Intended"], told["Downloaded"], told["begin"], told["end"]) == (6, 6, 2, 1)
    assert (out / "run.log.1").exists()


def test_runs_and_what_was_refused(product: Product, api: Api) -> None:
    """A run into a folder of its own is listed there; a night without a key ended with 2."""
    manifest = manifest_of(product, "b.csv", 2)
    api.faults("query_failed_error@content_policy_violation*all")
    assert product("run", manifest, "--log-format=json").code == 1
    api.faults()
    own = product.folder / "own"
    assert product("run", manifest, "--out", own, "--set", "repeats=pay").code == 0
    keyless = Product(product.folder, product.base_url, None)
    refused = keyless("night", manifest_of(product, "c.csv", 1), "--log-format=json")
    assert refused.code == 2, refused.err
    (told,) = [one for one in loglines.hold(refused.err.splitlines()) if one["level"] == "error"]
    run, night = past(product)
    assert (run["command"], run["exit_code"], run["failed"]) == ("run", 1, 2)
    assert (night["command"], night["exit_code"], night["submitted"]) == ("night", 2, 0)
    assert "TOAPIS_API_KEY" in night["stopped_by"]
    assert [one["exit_code"] for one in past(product, "--limit", "1")] == [2]
    summary = sheets.summary(product.folder / "outputs" / "b")
    assert summary["exit_code"] == 1, "of the run: the night was over another manifest"
    summary = sheets.summary(product.folder / "outputs" / "c")
    assert (summary["exit_code"], summary["states"]) == (2, {"waiting": 1})
    assert "TOAPIS_API_KEY" in summary["stopped_by"]
    record = json.loads((product.folder / "outputs" / "night.json").read_text("utf-8"))
    assert (record["exit_code"], record["state"]) == (2, "ended")
    assert "TOAPIS_API_KEY" in told["message"]
    table = product("history", "outputs", own)
    assert "run" in table.out
    assert table.out.count("b.csv") == 2
    assert product("history", "nowhere").out.startswith("no night and no run has been in nowhere")
