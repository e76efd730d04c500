"""Every command that is suggested can be pasted: it works in the folder of the run that said it."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.system.harness import sheets
from tests.system.harness.api import Api
from tests.system.harness.product import Ended, Product

COMMAND = re.compile(r"reelsheet ((?:journal )?[a-z]+ .*?)(?=\.(?: |$)|`|, |  +|$)", re.MULTILINE)


@dataclass
class Shop:
    """A sheet in a folder with a space, and what names its work beside it."""

    product: Product
    api: Api
    manifest: Path
    out: Path
    options: tuple[str, ...]
    mark: int

    def __call__(self, *command: str) -> Ended:
        """Carry out a command as the user types it."""
        return self.product(*command, self.manifest, *self.options)

    def write(self, *lines: dict[str, str]) -> None:
        """Write the sheet."""
        sheets.write(self.product.folder / self.manifest, lines)

    def prompt(self, text: str) -> str:
        """A prompt that no other test has."""
        return f"{self.product.folder.name} {text}"

    def paste(self, text: str, verb: str, *more: str) -> Ended:
        """Carry out the suggested command; it names what the user named, and works there."""
        found = [one for one in COMMAND.findall(text) if one.startswith(verb)]
        assert len(set(found)) == 1, text
        words = shlex.split(found[0])
        for word in (str(self.manifest), *self.options):
            assert word in words
        before = self.folders
        ended = self.product(*words, *more)
        assert ended.code != 2 or verb == "check", ended.err
        assert self.folders == before, "no other output folder is begun"
        return ended

    @property
    def folders(self) -> set[Path]:
        """The output folders."""
        return {one.parent for one in self.product.folder.rglob("journal.db")}

    @property
    def actions(self) -> dict[str, str]:
        """What is to be done, by SKU."""
        return {one["sku"]: one["result_action"] for one in sheets.results(self.out)}

    @property
    def submitted(self) -> Counter[str]:
        """What was submitted since this was asked last."""
        before, self.mark = self.mark, self.api.mark()
        calls = self.api.calls("submit", since=before)
        prefix = f"{self.product.folder.name} "
        return Counter(
            prompt.removeprefix(prefix)
            for prompt in (
                one["prompt"] for one in self.api.records()["submissions"][-len(calls) :]
            )
            if calls
        )


NAMED = [
    (("--out", "special place"), "special place"),
    (("--series", "night"), "outputs/night"),
    (("--out", "special", "--config", "my settings.yaml"), "special"),
]


@pytest.fixture(params=NAMED, ids=["out", "series", "config"])
def shop(product: Product, api: Api, request: pytest.FixtureRequest) -> Shop:
    """A sheet that was not run yet."""
    options, out = request.param
    (product.folder / "my settings.yaml").write_text("limits: {outstanding: 3}\n")
    return Shop(
        product, api, Path("my shop/p 1.csv"), product.folder / out, options, mark=api.mark()
    )


def test_what_results_and_endings_suggest(shop: Shop) -> None:
    """Nothing but the rows that the command names is bought, each in the folder it is in."""
    failing = "[fault:query_failed_error@upstream_timeout] fails"
    rows = [sheets.row("OK", shop.prompt("ok")), sheets.row("EDIT", shop.prompt("before"))]
    odd = [
        sheets.row("BAD", shop.prompt("bad"), duration="99"),
        sheets.row("F", shop.prompt(failing)),
    ]
    shop.write(*rows, *odd)
    ran = shop("run")
    assert ran.code == 1, ran.err
    assert "duration" in shop.paste(ran.out, "check").out
    unknown = shop("run", "--only", "NOBODY")
    assert "EDIT" in shop.paste(unknown.err, "status").out
    rows[1]["prompt"] = shop.prompt("after")
    shop.write(*rows, *odd)
    assert shop("report").code == 0
    assert sum(shop.submitted.values()) == 3

    shop.paste(shop.actions["EDIT"], "run")
    assert set(shop.submitted) == {"after"}
    assert sheets.states(shop.out)["EDIT"] == "done"
    shop.paste(shop.actions["F"], "retry", "--limit", "0")
    assert not shop.submitted


def test_what_is_suggested_about_a_journal(shop: Shop) -> None:
    """A video that is gone, and a file that is damaged: nothing is bought."""
    shop.write(sheets.row("OK", shop.prompt("one")), sheets.row("TWO", shop.prompt("two")))
    assert shop("run").code == 0
    assert len(shop.submitted) == 2
    assert shop("journal", "backup").code == 0
    assert shop("journal", "verify").code == 0
    next((shop.out / "videos").iterdir()).unlink()
    assert shop.paste(shop("journal", "verify").out, "fetch").code == 0
    assert shop("journal", "verify").code == 0
    journal = shop.out / "journal.db"
    journal.write_bytes(journal.read_bytes()[:8192])
    assert shop.paste(shop("journal", "verify").out, "journal rebuild", "--yes").code == 0
    assert shop("run").code == 0
    assert set(sheets.states(shop.out).values()) == {"done"}
    assert not shop.submitted


def test_what_is_suggested_about_rows_in_doubt(shop: Shop) -> None:
    """They are listed, and one is settled where it is."""
    shop.product.sets = {**shop.product.sets, "api.lookup_s": "0.3"}
    shop.write(sheets.row("LOST", shop.prompt("lost")))
    shop.api.faults("submit_answer_lost", "query_lookup_unsupported")
    ran = shop("run")
    shop.api.faults()
    assert ran.code == 3, ran.err
    assert len(shop.submitted) == 1
    assert "LOST" in shop.actions
    assert "LOST --task-id ID" in shop.actions["LOST"]
    listed = shop.paste(ran.out, "resolve")
    assert "LOST" in listed.out
    lines = [
        line.replace("KEY", "LOST") for line in listed.out.splitlines() if "--not-sent" in line
    ]
    assert shop.paste(lines[0], "resolve").code == 0
    assert not shop.submitted
