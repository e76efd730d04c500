"""Files made to harm, given to whole commands: exit code 2, one sentence, and the machine stays.

Each command has the limits of the system: 6 GB of memory and 30 seconds of a processor. What
passes either of them is killed, and does not end with 2.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.errors import ManifestError
from reelsheet import Reelsheet
from tests.corpus.opendocuments import document
from tests.corpus.workbooks import row, xlsx, zipped
from tests.reader.test_linear import parts_of, with_strings
from tests.system.harness.product import Product

pytestmark = pytest.mark.process
LIMITS = "ulimit -v 6291456 -t 30"
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="needs limits of the system")
TABLE = row(1, "sku", "prompt") + row(2, "A", "A red shoe")


def _markup() -> bytes:
    """A sheet that opens its rows over and over, and never closes them."""
    parts = parts_of(xlsx(TABLE))
    sheet = parts["xl/worksheets/sheet1.xml"]
    head = sheet[: sheet.index("<sheetData")]
    parts["xl/worksheets/sheet1.xml"] = head + "<sheetData><row>" * 200_000 + "</worksheet>"
    return zipped(parts)


def _blanks() -> bytes:
    """Two billion blanks, counted, in a text of three kilobytes."""
    blanks = '<text:s text:c="100000"/>' * 20_000
    rows = "".join(
        f'<table:table-row><table:table-cell office:value-type="string"><text:p>{said}</text:p>'
        "</table:table-cell></table:table-row>"
        for said in ("prompt", blanks)
    )
    return document("", f'<table:table table:name="S">{rows}</table:table>')


def _announced() -> bytes:
    """A workbook that announces more strings than there is memory: the library aborts."""
    parts = parts_of(with_strings("x", 1))
    parts["xl/sharedStrings.xml"] = parts["xl/sharedStrings.xml"].replace(
        "<sst>", '<sst count="4294967295" uniqueCount="4294967295">'
    )
    return zipped(parts)


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "markup.xlsx": (_markup, "is damaged"),
    "merged.xlsx": (
        lambda: xlsx(TABLE, after="<!--" + '<mergeCell ref="A1:B2"/>' * 100_000 + "-->"),
        "a comment of",
    ),
    "strings.xlsx": (lambda: with_strings("x" * 3_000_000, 2000), "100,000,000 characters"),
    "blanks.ods": (_blanks, "a text without end"),
    "announced.xlsx": (_announced, "makes the library fail"),
}


@on_linux
@pytest.mark.parametrize(
    ("command", "name"), [*(("check", name) for name in HOSTILE), ("run", "announced.xlsx")]
)
def test_a_hostile_file_ends_with_2_and_one_sentence(
    tmp_path: Path, command: str, name: str
) -> None:
    """Nothing is sent; what to do stands below."""
    make, said = HOSTILE[name]
    (tmp_path / name).write_bytes(make())
    product = Product(tmp_path, None, None)
    ended = product(command, name, before=LIMITS)
    assert (ended.code, ended.out) == (2, "")
    first, *more = ended.err.splitlines()[-2:]
    assert first.startswith(f"error: {name} ")
    assert said in first
    assert len(more) == 1
    assert not list(tmp_path.glob("outputs/*/journal.db"))


READS = """
import sys
from pipeline.reader.text import delimited
whole = delimited._table_of

def told(*given, **named):
    print("reading", flush=True)
    return whole(*given, **named)

delimited._table_of = told
from pipeline.cli.app import main
sys.argv[0] = "reelsheet"
main()
"""


def test_a_command_is_ended_while_it_reads_a_text(tmp_path: Path) -> None:
    """SIGTERM is heeded at once, and not when the whole table was looked at."""
    manifest = tmp_path / "shop.csv"
    manifest.write_text("sku,prompt\n" + "A,A red shoe\n" * 1_000_000, encoding="utf-8")
    product = Product(tmp_path, None, None)
    running = product.start("run", manifest, program=("-P", "-c", READS))
    assert running.stdout is not None
    assert running.stdout.read(8) == "reading\n"
    running.send_signal(signal.SIGTERM)
    ended = product.end(running)
    assert ended.code == 143
    assert "Terminated; nothing is lost" in ended.err
    assert "problem" not in ended.out + ended.err


async def test_workbooks_are_read_inside_a_running_loop(tmp_path: Path) -> None:
    """From the loop and from a thread of it; a hostile one raises its sentence there, too."""
    (tmp_path / "shop.xlsx").write_bytes(xlsx(TABLE))
    shop = Reelsheet(tmp_path / "shop.xlsx", out=tmp_path / "out")
    assert shop.check().valid == 1
    assert (await asyncio.to_thread(shop.plan)).submits == 1
    assert shop.status().rows
    (tmp_path / "merged.xlsx").write_bytes(HOSTILE["merged.xlsx"][0]())
    with pytest.raises(ManifestError, match="a comment of"):
        Reelsheet(tmp_path / "merged.xlsx").check()
    with pytest.raises(ManifestError, match="a comment of"):
        await Reelsheet(tmp_path / "merged.xlsx").arun()
