"""No text ends a run: answers of every shape, rows and products of every text, as processes."""

from __future__ import annotations

import csv
import itertools
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.system.harness.hostile import Call, Said, hostile_api, tied_to
from tests.system.harness.product import Product
from tests.test_any_text import LONG, NASTY

pytestmark = pytest.mark.process

OFF = "<![ 20 % off ]>"
NUMBERS: tuple[object, ...] = (10**400, 1732690000000, -1, 1e308, "1e999", [], {}, None, True, LONG)


def bodies() -> list[object]:
    """Answers to a query: each text and number in each place where a task says something."""
    made: list[object] = [[], None, "x", {"data": []}, {"data": [{"status": "failed"}]}]
    for text in NASTY:
        made.append({"status": "failed", "error": {"code": text, "message": text}})
        made.append({"status": "completed", "video_url": text})
        made.append({"status": text, "progress": text, "created_at": text, "expires_at": text})
    for number in NUMBERS:
        times = dict.fromkeys(("created_at", "completed_at", "expires_at"), number)
        made.append({"status": "failed", "error": number, "progress": number, **times})
        made.append({"status": "completed", "url": number, "data": number, **times})
    return made


class Answers:
    """Accepts all, answers two queries of each task oddly, and then says the end."""

    def __init__(self) -> None:
        self.odd: Sequence[object] = bodies()
        self._count = itertools.count()
        self._asked: Counter[str] = Counter()

    def __call__(self, call: Call) -> Said:
        if call.method == "POST":
            return _soon({"id": f"task_{next(self._count)}", "status": "queued"})
        number = call.path.rpartition("/task_")[2]
        if not number.isdigit():
            return _soon({"error": {"message": OFF}}, 404)
        self._asked[number] += 1
        if self._asked[number] <= 2:
            return _soon(self.odd[int(number) % len(self.odd)])
        return _soon({"id": f"task_{number}", "status": "failed", "error": {"code": OFF}})


def _soon(body: object, status: int = 200) -> Said:
    return Said(body, status, {"Retry-After": "soon"})


def test_whatever_the_api_says_of_a_task_its_row_ends(tmp_path: Path) -> None:
    """Hundreds of tasks, each with an answer of its own: all rows end, and all can be shown."""
    answers = Answers()
    with hostile_api(answers) as api, tied_to(api, tmp_path) as told:
        _all_rows_end(told, len(answers.odd))


def _all_rows_end(told: Product, rows: int) -> None:
    lines = "".join(f"K{number},A mug {number}.,4\n" for number in range(rows))
    (told.folder / "m.csv").write_text(f"sku,prompt,duration\n{lines}", encoding="utf-8")
    ended = told("run", "m.csv", "--yes")
    assert ended.code == 1, ended.err
    states = told("status", "m.csv", "--json").json["states"]
    assert set(states) <= {"failed", "expired"}
    assert sum(states.values()) == rows
    for command in (("status", "m.csv", "--rows"), ("report", "m.csv"), ("account",)):
        assert told(*command).code == 0


def test_an_empty_answer_gives_no_row_a_task_and_is_told(tmp_path: Path) -> None:
    """Neither a doubt, of which a person names the task, nor a running row, at its deadline."""

    def say(call: Call) -> Said:
        if call.method == "POST":
            return Said({"success": True} if b"doubt" in call.body else {"id": "task_1"})
        return Said({"code": 200, "data": []})

    with hostile_api(say) as api, tied_to(api, tmp_path) as told:
        lines = "sku,prompt,duration\nA,a doubt,4\nB,a mug,4\n"
        (told.folder / "m.csv").write_text(lines, encoding="utf-8")
        short = {"api.lookup_s": "0.3", "polling.deadline_s": "1"}
        ended = told("run", "m.csv", "--yes", sets=short)
        assert ended.code == 3, ended.err
        named = told("resolve", "m.csv", "A", "--task-id", "task_7")
        assert (named.code, "says nothing of the task task_7" in named.err) == (2, True), named.err
        states = {
            row["key"]: row["state"] for row in told("status", "m.csv", "--json").json["rows"]
        }
        assert states == {"A": "in_doubt", "B": "running"}
        with (tmp_path / "outputs" / "m" / "results.csv").open(encoding="utf-8-sig") as file:
            warnings = {row["sku"]: row["result_warnings"] for row in csv.DictReader(file)}
        assert "named no status, which ends nothing" in warnings["B"]


@pytest.mark.long
def test_good_rows_go_on_beside_a_price_in_brackets(rehearsing: Product) -> None:
    """`striphtml` over every nasty text: the manifest is read, and the good row can be sent."""
    with (rehearsing.folder / "m.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["sku", "prompt", "body", "image"])
        table.writerow(["GOOD", "", "<p>A mug</p>", ""])
        table.writerow(["OFF", "", f"<p>A tea</p>{OFF}", ""])
        for number, text in enumerate(NASTY):
            plain = text.replace("\0", "").encode("utf-8", "replace").decode()
            table.writerow([f"N{number}", "", f"A tin {plain}", plain])
    template = 'manifest.prompt_template={{ row["body"] | striphtml }}'
    checked = rehearsing("check", "m.csv", "--show-prompts", "2", "--json", "--set", template)
    assert checked.code == 2, checked.err
    prompts = [one["prompt"] for one in checked.json["prompts"]]
    assert prompts == ["A mug", f"A tea; {OFF}"]
    assert checked.json["rows"] == len(NASTY) + 2
    assert rehearsing("plan", "m.csv", "--set", template).code == 0


@pytest.mark.parametrize("shop", ["shopify", "woocommerce"])
def test_an_export_with_a_price_in_brackets_becomes_a_manifest(
    rehearsing: Product, shop: str
) -> None:
    """Whatever stands in a description, `init --from` makes a row of the product."""
    headers = ["Handle", "Title", "Body (HTML)"], ["SKU", "Name", "Description"]
    with (rehearsing.folder / "export.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(headers[shop == "woocommerce"])
        table.writerow(["A", "Mug", f"<p>Sale</p>{OFF}"])
        table.writerow(["B", f"Tea &#{LONG};", f"&#{LONG}; <b>tea</b>"])
    ended = rehearsing("init", "--from", shop, "export.csv", "--output", "made.csv")
    assert ended.code == 0, ended.err
    made = (rehearsing.folder / "made.csv").read_text("utf-8")
    assert f"Sale; {OFF}" in made
    assert rehearsing("check", "made.csv").code == 0
