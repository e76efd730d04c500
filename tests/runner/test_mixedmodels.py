"""Live runs over rows of several models: what is sent, what it may cost, what is bought again."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipeline.checker.check import check_manifest
from pipeline.config.loading import load
from pipeline.errors import ConfigError
from pipeline.journal.reading import read_entries
from pipeline.models.body import body_of
from pipeline.models.shelf import shipped_sheets
from pipeline.runner.api import Reelsheet
from tests.system.harness import sheets
from tests.system.harness.api import KEY, Api
from tests.system.harness.product import FAST

EXAMPLES = Path(__file__).parents[1] / "examples"
OLDER, NEWER, GROK = "gemini_omni_flash", "gemini-omni-flash", "grok-video-1.5"
PICTURE = "https://files.example/1.jpg"
FAILS = "query_failed_error@internal_error"
COLUMNS = (
    "sku", "prompt", "images", "video_model", "duration", "aspect_ratio", "resolution", "audio",
    "seed",
)  # fmt: skip


@dataclass
class Shop:
    """A working folder whose manifests mix models, tied to the emulator."""

    folder: Path
    api: Api

    def write(self, *lines: Mapping[str, object], name: str = "mixed") -> Path:
        path = self.folder / f"{name}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, COLUMNS)
            table.writeheader()
            table.writerows(lines)
        return path

    def sheet(self, name: str = "mixed", /, **settings: object) -> Reelsheet:
        dotted = {key.replace("__", "."): value for key, value in settings.items()}
        book = self.folder / "book.db"  # what other tests have bought counts for no cap
        fast = {**FAST, "api.base_url": self.api.base_url, "account.book": str(book)}
        return Reelsheet(self.folder / f"{name}.csv", settings={**fast, **dotted})

    def sent(self, mark: int) -> list[dict[str, Any]]:
        """Return the bodies that were accepted since a mark, without our reference."""
        numbers = {call["number"] for call in self.api.calls("submit", since=mark)}
        told = [
            one["body"] for one in self.api.records()["submissions"] if one["number"] in numbers
        ]
        return [{key: one[key] for key in one if key != "client_business_id"} for one in told]

    def states(self, name: str = "mixed") -> dict[str, str]:
        return sheets.states(self.folder / "outputs" / name)

    def entries(self) -> dict[str, Any]:
        return dict(read_entries(self.folder / "outputs" / "mixed" / "journal.db"))


@pytest.fixture
def shop(tmp_path: Path, api: Api, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TOAPIS_API_KEY", KEY)
    return Shop(tmp_path, api)


def row(sku: str, model: str = "", **cells: object) -> dict[str, object]:
    return {"sku": sku, "prompt": f"shot of {sku}", "video_model": model, **cells}


def text_of(body: object) -> str:
    return json.dumps(body, sort_keys=True)


def texts(bodies: Sequence[object]) -> list[str]:
    return sorted(map(text_of, bodies))


@pytest.mark.parametrize("live", [False, pytest.param(True, marks=pytest.mark.long)])
def test_every_request_of_every_page_is_sent_as_the_page_prints_it(shop: Shop, live: bool) -> None:
    """From the cells of one manifest to the body, in its wire types; live to what arrives."""
    lines, printed = [], []
    for model in shipped_sheets():
        document = json.loads((EXAMPLES / f"{model}.json").read_text("utf-8"))
        for at, request in enumerate(document["requests"]):
            cells = {name: str(value).lower() for name, value in request["row"].items()}
            cells |= {"prompt": request["row"].get("prompt", "")}
            cells["images"] = "|".join(request["row"].get("pictures", []))
            cells.pop("pictures", None)
            lines.append({"sku": f"{model}-{at}", "video_model": model, **cells})
            printed.append(request["body"])
    path = shop.write(*lines)
    assert len(printed) >= len(shipped_sheets()) * 2
    if live:
        mark = shop.api.mark()
        report = shop.sheet().run()
        assert report.exit_code == 0, report.notes
        assert texts(shop.sent(mark)) == texts(printed)
        assert shop.sheet().run().submitted == 0
        return
    checked = check_manifest(path, load(None, environ={}), cache_dir=None)
    assert checked.errors == ()
    made = [body_of(one, one.prompt, one.images) for one in checked.requests.values()]
    assert [*map(text_of, made)] == [*map(text_of, printed)]


def test_a_retry_has_the_model_that_the_row_names_now(shop: Shop) -> None:
    """Under a new number and reference; what is done under the first model is left alone."""
    shop.write(row("A", images=PICTURE), row("B", images=PICTURE))
    shop.api.faults(f"{FAILS}*2")
    assert shop.sheet(limits__attempts=2).run(only="A").exit_code == 1
    shop.api.faults()
    assert shop.sheet().run(only="B").exit_code == 0
    first = shop.entries()["A"].attempt
    shop.write(row("A", GROK, images=PICTURE), row("B", GROK, images=PICTURE))
    mark = shop.api.mark()
    assert shop.sheet().run(retry="failed").exit_code == 0
    (body,) = shop.sent(mark)
    assert (body["model"], body["prompt"], body["duration"]) == (GROK, "shot of A", 8)
    again = shop.entries()["A"].attempt
    assert (again.number, again.request.model) == (first.number + 1, GROK)
    assert again.client_business_id != first.client_business_id
    assert shop.entries()["B"].attempt.request.model == OLDER
    mark = shop.api.mark()
    assert shop.sheet().run(redo="changed").exit_code == 0
    assert [(one["model"], one["prompt"]) for one in shop.sent(mark)] == [(GROK, "shot of B")]
    shop.write(row("A", GROK, images=PICTURE), row("B", images=PICTURE))
    mark = shop.api.mark()
    shop.sheet().run(redo="changed")
    assert shop.sent(mark) == [], "the take of the first model is there, and free"
    assert set(shop.states().values()) == {"done"}


def test_pay_again_pays_for_the_model_that_is_named(shop: Shop) -> None:
    """The same words under another model are no repeat; the very request is, and is asked for."""
    shop.write(row("A", images=PICTURE))
    assert shop.sheet().run().exit_code == 0
    shop.write(row("A", GROK, images=PICTURE), name="other")
    mark = shop.api.mark()
    assert shop.sheet("other").run().submitted == 1, "with the key and the prompt of another model"
    shop.write(row("A", GROK, images=PICTURE), name="third")
    assert shop.sheet("third").run().submitted == 0, "it was bought for the manifest before"
    shop.write(row("A", GROK, images=PICTURE), name="fourth")
    assert shop.sheet("fourth").run(pay_again="A").submitted == 1
    assert [one["model"] for one in shop.sent(mark)] == [GROK, GROK]


def test_a_field_of_the_model_makes_another_request(shop: Shop) -> None:
    """Also in a new manifest, where another column would be read as when its rows were bought."""
    vidu: dict[str, object] = {"api__model": "viduq3-pro"}
    (shop.folder / "mixed.csv").write_text("sku,prompt\nA,a mug\n", "utf-8")
    assert shop.sheet(**vidu).run().exit_code == 0
    (shop.folder / "other.csv").write_text("sku,prompt,audio\nA,a mug,no\n", "utf-8")
    mark = shop.api.mark()
    assert shop.sheet("other", **vidu).run().submitted == 1
    assert [one["audio"] for one in shop.sent(mark)] == [False]


def test_a_cap_of_money_counts_each_model_by_its_own_price(shop: Shop) -> None:
    """Of a run and of a day: 8 s of the one cost 0.08, 4 s of the others 4 by the settings."""
    shop.write(
        row("A", GROK, images=PICTURE), row("B", duration=4), row("C", duration=4),
        row("D", NEWER, duration=4),
    )  # fmt: skip
    priced: dict[str, object] = {"budget__price_per_second": 1}
    report = shop.sheet(budget__money=8.1, **priced).run()
    assert report.exit_code == 4
    assert shop.states() == {"A": "done", "B": "done", "C": "done", "D": "waiting"}
    assert report.spend.money == pytest.approx(8.08)
    day: dict[str, object] = {"budget__per_day__money": 8.2, **priced}
    assert shop.sheet(**day).run().submitted == 0, "the account has 0.12 left of its day"
    shop.write(row("F", GROK, images=PICTURE), row("G", GROK, images=PICTURE), name="other")
    assert shop.sheet("other", **day).run().exit_code == 4, "8.08 + 0.08 are within 8.2"
    assert shop.states("other") == {"F": "done", "G": "waiting"}


def test_a_cap_of_money_needs_no_setting_where_the_sheets_have_prices(shop: Shop) -> None:
    """Where one row has none it does, and that row is named; nothing is sent before."""
    shop.write(*(row(key, GROK, images=PICTURE) for key in "ABC"))
    capped: dict[str, object] = {"budget__money": 0.2}
    assert shop.sheet(**capped).plan().submits == 2
    report = shop.sheet(**capped).run()
    assert (report.exit_code, report.submitted) == (4, 2)
    assert report.spend.money == pytest.approx(0.16)
    shop.write(row("A", GROK, images=PICTURE), row("B", NEWER), row("C"))
    mark = shop.api.mark()
    for call in (shop.sheet(**capped).check, shop.sheet(**capped).plan, shop.sheet(**capped).run):
        with pytest.raises(ConfigError) as refused:
            call()
        assert str(refused.value) == (
            "budget.money is a cap that needs price_per_second: no price in USD is known of "
            f"{NEWER} and {OLDER} (rows 3 and 4)."
        )
        assert "Set budget.price_per_second" in str(refused.value.action)
    assert shop.api.calls("submit", since=mark) == []
    shop.write(row("A", GROK, images=PICTURE))
    with pytest.raises(ConfigError, match=f"no price in EUR is known of {GROK} "):
        shop.sheet(budget__currency="EUR", **capped).plan()
    assert shop.sheet(budget__price_per_second=1, **capped).check().ok
