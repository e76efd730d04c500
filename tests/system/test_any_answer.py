"""No text ends a run: answers of every shape, rows and products of every text, as processes."""

from __future__ import annotations

import csv
import itertools
import json
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from tests.system.harness.api import KEY
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


class Answers(BaseHTTPRequestHandler):
    """An API that accepts all, answers two queries of each task oddly, and then says the end."""

    odd: Sequence[object] = bodies()
    count = itertools.count()
    asked: ClassVar[Counter[str]] = Counter()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._answer({"id": f"task_{next(self.count)}", "status": "queued"})

    def do_GET(self) -> None:
        number = self.path.rpartition("/task_")[2]
        if not number.isdigit():
            self._answer({"error": {"message": OFF}}, 404)
            return
        self.asked[number] += 1
        if self.asked[number] <= 2:
            self._answer(self.odd[int(number) % len(self.odd)])
        else:
            self._answer({"id": f"task_{number}", "status": "failed", "error": {"code": OFF}})

    def _answer(self, body: object, status: int = 200) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in (("Retry-After", "soon"), ("Content-Length", str(len(data)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Product]:
    """The product tied to such an API."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    product = Product(tmp_path, f"http://127.0.0.1:{server.server_port}", KEY)
    yield product
    product.close()
    server.shutdown()
    server.server_close()


def test_whatever_the_api_says_of_a_task_its_row_ends(told: Product) -> None:
    """Hundreds of tasks, each with an answer of its own: all rows end, and all can be shown."""
    rows = len(Answers.odd)
    lines = "".join(f"K{number},A mug {number}.,4\n" for number in range(rows))
    (told.folder / "m.csv").write_text(f"sku,prompt,duration\n{lines}", encoding="utf-8")
    ended = told("run", "m.csv", "--yes")
    assert ended.code == 1, ended.err
    states = told("status", "m.csv", "--json").json["states"]
    assert set(states) <= {"failed", "expired"}
    assert sum(states.values()) == rows
    for command in (("status", "m.csv", "--rows"), ("report", "m.csv"), ("account",)):
        assert told(*command).code == 0


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
