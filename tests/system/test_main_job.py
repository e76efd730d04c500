"""The main job: one sheet with every kind of row and every broken rule, as CSV and as XLSX."""

from __future__ import annotations

import os
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.system.harness import invariants, sheets
from tests.system.harness.api import KEY, Api
from tests.system.harness.product import Product

GOOD = ("TEXT", "ONE", "THREE", "URLS", "TALL", "HUGE", "OTHER", "WIDE")
BROKEN = {
    "TWO": "image",
    "HIGH": "resolution",
    "FIVE": "duration",
    "SILENT": "prompt",
    "GONE": "image",
    "NOPIC": "image",
}
TWINS = ("TWIN", "TWIN")
SUMMARY_KEYS = [
    "schema",
    "run_id",
    "manifest",
    "provider",
    "rows",
    "states",
    "submitted",
    "downloaded",
    "bytes",
    "video_seconds",
    "started_at",
    "finished_at",
    "elapsed_s",
    "exit_code",
    "stopped_by",
    "balance_before",
    "balance_after",
]
UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def lines(folder: Path) -> list[dict[str, str]]:
    """Return the rows, with their pictures made."""
    photos = folder / "photos"
    front, side, top = (
        f"photos/{sheets.picture(photos / name, hue=60 * n).name}"
        for n, name in enumerate(("front.jpg", "side.png", "top.webp"))
    )
    noise = Image.frombytes("RGB", (2000, 1900), os.urandom(2000 * 1900 * 3))
    noise.save(photos / "huge.png", compress_level=0)  # a good picture of 11.4 MB
    sheets.picture(photos / "other.bmp")
    (photos / "letter.jpg").write_text("Dear customer", encoding="utf-8")
    url = "https://shop.example/a.jpg"
    return [
        sheets.row("TEXT", note="00123"),
        sheets.row("ONE", image_1=front, duration="4"),
        sheets.row("TWO", image_1=front, image_2=side),
        sheets.row("THREE", image_1=front, image_2=side, image_3=top, duration="10"),
        sheets.row("HIGH", resolution="1080p", aspect_ratio="9:16"),
        sheets.row("URLS", image_1=url, image_2=url + "?2", image_3=url + "?3", note="NA"),
        sheets.row("FIVE", duration="5"),
        sheets.row("TALL", aspect_ratio="9:16", image_1=front, note='say "hi", ok'),
        sheets.row("SILENT", prompt=""),
        sheets.row("GONE", image_1="photos/nowhere.jpg"),
        sheets.row("HUGE", image_1="photos/huge.png"),
        sheets.row("OTHER", image_1="photos/other.bmp"),
        sheets.row("NOPIC", image_1="photos/letter.jpg"),
        sheets.row("WIDE", resolution="1080p", aspect_ratio="16:9"),
        *(sheets.row(key, prompt=f"twin {n}") for n, key in enumerate(TWINS)),
    ]


@pytest.fixture(params=["csv", "xlsx"])
def manifest(request: pytest.FixtureRequest, product: Product) -> Path:
    """The sheet, in both formats."""
    return sheets.write(product.folder / f"shop.{request.param}", lines(product.folder))


def test_good_rows_become_videos_and_broken_ones_are_never_sent(
    product: Product, api: Api, manifest: Path
) -> None:
    """Exit 1, results and summary as designed; run again: no call at all, the same exit code."""
    before, mark = manifest.read_bytes(), api.mark()
    first = product("run", manifest)
    assert first.code == 1, first.err
    out = product.folder / "outputs" / "shop"
    invariants.hold(api, product, manifest, out, before)
    _results_hold(manifest, out)
    assert len(api.calls("submit", since=mark)) == len(GOOD)
    assert len(api.calls("upload", since=mark)) == 5, "one upload for each picture"
    for upload in api.records()["uploads"][-5:]:
        assert upload["size_bytes"] <= 10_000_000, "pictures that are too large are made fit"
        assert upload["mime_type"] in {"image/jpeg", "image/png", "image/webp"}, upload
    _bodies_hold(api)
    _summary_holds(out, manifest, submitted=len(GOOD))

    mark = api.mark()
    second = product("run", manifest)
    assert second.code == 1
    assert api.calls(since=mark) == []
    _summary_holds(out, manifest, submitted=0)
    invariants.hold(api, product, manifest, out, before)


def _results_hold(manifest: Path, out: Path) -> None:
    head, _ = sheets.read(out / f"results{manifest.suffix}")
    assert head == [*sheets.COLUMNS, *sheets.RESULTS]
    by_key = {one["sku"]: one for one in sheets.results(out)}
    for key in GOOD:
        one = by_key[key]
        assert one["result_state"] == "done", one
        assert one["result_attempts"] == "1"
        assert UTC.fullmatch(one["result_submitted_at"])
        assert UTC.fullmatch(one["result_finished_at"])
        assert one["result_seconds"] == (one["duration"] or "6")
        assert one["result_error"] == one["result_action"] == ""
    for key in (*BROKEN, *TWINS):
        one = by_key[key]
        assert one["result_state"] == "invalid", one
        assert one["result_error"], "says what is wrong"
        assert one["result_action"], "says what to do"
        assert one["result_video"] == one["result_task_id"] == ""


def _bodies_hold(api: Api) -> None:
    sent = {one["prompt"]: one["body"] for one in api.records()["submissions"]}
    assert len(sent["shot of THREE"]["image_urls"]) == 3
    assert len(sent["shot of ONE"]["image_urls"]) == 1
    assert not sent["shot of TEXT"].get("image_urls")
    assert sent["shot of WIDE"]["resolution"] == "1080p"
    assert sent["shot of TALL"]["aspect_ratio"] == "9:16"
    assert sent["shot of ONE"]["duration"] == 4


def _summary_holds(out: Path, manifest: Path, *, submitted: int) -> None:
    said = sheets.summary(out)
    assert list(said) == SUMMARY_KEYS
    assert said["schema"] == 1
    assert said["provider"] == "toapis"
    assert Path(said["manifest"]).name == manifest.name
    assert said["rows"] == len(GOOD) + len(BROKEN) + len(TWINS)
    assert said["states"] == {"done": len(GOOD), "invalid": len(BROKEN) + len(TWINS)}
    assert said["submitted"] == said["downloaded"] == submitted
    assert (said["bytes"] > 0) == (submitted > 0)
    assert said["video_seconds"] == 4 + 10 + 6 * 6
    assert UTC.fullmatch(said["started_at"])
    assert UTC.fullmatch(said["finished_at"])
    assert (said["exit_code"], said["stopped_by"]) == (1, None)


def test_what_the_read_only_commands_say_before_and_after(product: Product, api: Api) -> None:
    """`check`, `plan` and `status` print one JSON document as designed, and call nobody."""
    manifest = sheets.write(product.folder / "shop.xlsx", lines(product.folder))
    mark = api.mark()
    checked = product("check", manifest, "--json")
    assert checked.code == 2
    _check_holds(checked.json, manifest)
    planned = product("plan", manifest, "--json", sets={"budget.price_per_second": "0.5"})
    assert planned.code == 0
    said = planned.json
    assert list(said) == [
        "manifest", "rows", "groups", "video_seconds", "cost", "cost_saved", "eta_s",
    ]  # fmt: skip
    assert said["rows"] == 16
    assert set(said["groups"]) == {
        "new", "changed", "renamed", "repeat", "invalid", "waiting", "in_doubt", "running", "ready",
        "done", "refused", "failed", "missing", "expired",
    }  # fmt: skip
    assert {name: n for name, n in said["groups"].items() if n} == {"new": 8, "invalid": 8}
    assert (said["video_seconds"], said["cost"]) == (50, {"amount": 25.0, "currency": "USD"})
    assert said["cost_saved"] == {"amount": 0.0, "currency": "USD"}
    status = product("status", manifest, "--json")
    assert status.code == 0
    assert list(status.json) == ["manifest", "states", "rows"]
    assert status.json["states"] == {"waiting": 8, "invalid": 8}
    assert all(
        list(one) == ["key", "row", "state", "task_id", "video", "error"]
        for one in status.json["rows"]
    )
    assert [one["row"] for one in status.json["rows"]] == list(range(2, 18))
    assert api.calls(since=mark) == []
    assert not (product.folder / "outputs" / "shop" / "journal.db").exists()


def _check_holds(said: dict[str, Any], manifest: Path) -> None:
    assert list(said) == ["manifest", "rows", "valid", "problems"]
    assert said["manifest"] == str(manifest)
    assert (said["rows"], said["valid"]) == (16, 8)
    for one in said["problems"]:
        assert list(one) == ["row", "cell", "column", "key", "code", "severity", "message"]
        assert one["severity"] in {"error", "warning"}
        assert one["code"]
        assert one["message"]
    errors = [one for one in said["problems"] if one["severity"] == "error"]
    assert Counter(one["row"] for one in errors).keys() == {4, 6, 8, 10, 11, 14, 16, 17}
    by_key = {one["key"]: one for one in errors}
    for key, column in BROKEN.items():
        assert column in str(by_key[key]["column"]), by_key[key]
        assert by_key[key]["cell"], by_key[key]
    assert by_key["FIVE"]["cell"] == "G8"


def test_the_key_is_in_no_command_line(product: Product, api: Api) -> None:
    """While it works, the list of processes shows the key nowhere."""
    manifest = sheets.write(product.folder / "shop.csv", sheets.rows(4))
    api.faults("submit_slow@0.4")
    process = product.start("run", manifest, "-q", sets={"output.verify": "first_frame"})
    seen: set[str] = set()
    while process.poll() is None:
        seen |= invariants.command_lines()
    assert product.end(process).code == 0
    assert not any(KEY in line for line in seen)
