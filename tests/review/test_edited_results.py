"""Results that a person has edited in every way come again, in the order of the manifest."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.comments import Comment
from openpyxl.styles import PatternFill
from openpyxl.workbook.workbook import Workbook as Book

from pipeline.checker.check import CheckedManifest
from pipeline.journal.decisions import read_decisions
from pipeline.model import State
from pipeline.review.verdicts import latest_of
from pipeline.runner.publishing import publish_results
from pipeline.writer.layout import Result
from pipeline.writer.summary import Summary
from tests.review.shop import Shop, make_shop
from tests.writer.tables import summary

KEYS = ["MUG", "BAG", "TEA", "CUP"]
Lines = list[list[str]]


@pytest.fixture(params=["csv", "xlsx"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Shop:
    """Four rows with videos, as text and as a workbook; a run has written its results."""
    made = make_shop(tmp_path, " ".join(KEYS), folder="out")
    if request.param == "xlsx":
        made = Shop(tmp_path / "shop.xlsx", made.folder)
    write(made, [[key, f"A {key}.", "north", f"The {key}"] for key in KEYS])
    for key in KEYS:
        made.make(key)
    publish(made, summary())
    return made


def write(shop: Shop, rows: Lines, head: str = "sku,prompt,shop,title") -> None:
    """Write the manifest."""
    if shop.manifest.suffix == ".csv":
        text = io.StringIO()
        csv.writer(text).writerows([head.split(","), *rows])
        shop.manifest.write_text(text.getvalue(), encoding="utf-8")
        return
    book = Workbook()
    assert book.active is not None
    for row in [head.split(","), *rows]:
        book.active.append(row)
    book.save(shop.manifest)


def publish(shop: Shop, ran: Summary | None = None) -> tuple[str, ...]:
    """Write the results as a run does, or as `report`, which has no figures of a run."""
    checked = shop.check()
    return publish_results(checked, results_of(checked), shop.folder, ran).notes


def results_of(checked: CheckedManifest) -> list[Result]:
    return [
        Result(row.number, State.DONE, task_id=f"task-{key}-1", take=1)
        for row, key in zip(checked.manifest.rows, checked.keys, strict=True)
    ]


def path_of(shop: Shop) -> Path:
    return shop.folder.root / f"results{shop.manifest.suffix}"


def lines_of(shop: Shop) -> Lines:
    path = path_of(shop)
    if path.suffix == ".csv":
        return list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"))))
    sheet = load_workbook(path).worksheets[0]
    return [["" if c is None else str(c) for c in row] for row in sheet.iter_rows(values_only=True)]


def cells_of(shop: Shop, column: str) -> dict[str, str]:
    head, *rows = lines_of(shop)
    return {row[head.index("sku")]: row[head.index(column)] for row in rows}


def before(shop: Shop) -> list[Path]:
    return [*shop.folder.root.glob("results.before-*")]


def edit(shop: Shop) -> None:
    """Have a person edit the results in five ways, and sort and filter them."""
    head, mug, bag, tea, cup = lines_of(shop)
    mug[head.index("review")], mug[head.index("review_note")] = "approve", "as it should be"
    bag[head.index("review")], bag[head.index("new_prompt")] = "reject", "A red bag."
    cup[head.index("title")] = "Another title"
    lines = [[*head, "Boss"], [*cup, "c"], [*bag, "b"], [*tea, "t"], [*mug, "m"]]
    path = path_of(shop)
    if path.suffix == ".csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(lines)
        return
    book = load_workbook(path)
    sheet = book.worksheets[0]
    sheet.delete_rows(1, sheet.max_row)
    for line in lines:
        sheet.append(line)
    last = sheet.max_column + 1
    sheet.cell(1, last, "Length")
    for row in range(2, 6):
        sheet.cell(row, last, f"=LEN(D{row})")
    sheet["A5"].fill = PatternFill("solid", fgColor="FFFF00")  # the mug
    sheet["A5"].comment = Comment("ask Eve", "Bob")
    sheet.auto_filter.ref = "A1:R5"
    sheet.row_dimensions[3].hidden = True  # the bag
    book.create_sheet("Mine")["B2"] = "call the shop"
    book.save(path)


def look(book: Book, last: int) -> None:
    """See that all that a person did in the workbook stands at its rows."""
    sheet = book.worksheets[0]
    at = {str(sheet.cell(row, 1).value): row for row in range(2, last + 1)}
    assert book["Mine"]["B2"].value == "call the shop"
    assert "Summary" in book.sheetnames
    assert sheet.cell(at["MUG"], 1).fill.fgColor.rgb == "00FFFF00"
    assert [c.coordinate for row in sheet for c in row if c.comment] == [f"A{at['MUG']}"]
    assert [row for row in at.values() if sheet.row_dimensions[row].hidden] == [at["BAG"]]
    head = [cell.value for cell in sheet[1]]
    for key in ("MUG", "BAG"):
        there = sheet.cell(at[key], head.index("Length") + 1).value
        assert there == f"=LEN(D{at[key]})"


def test_five_ways_between_two_runs(shop: Shop) -> None:
    """Own column, own sheet, decisions, other order and a changed cell, by runs and reports."""
    edit(shop)
    for ran in (None, summary(), None):
        publish(shop, ran)
        assert [row[0] for row in lines_of(shop)] == ["sku", *KEYS]
        assert cells_of(shop, "Boss") == dict(zip(KEYS, "mbtc", strict=True))
        assert cells_of(shop, "review") == dict(
            zip(KEYS, ["approve", "reject", "", ""], strict=True)
        )
        assert cells_of(shop, "review_note")["MUG"] == "as it should be"
        assert cells_of(shop, "new_prompt")["BAG"] == "A red bag."
        assert cells_of(shop, "title")["CUP"] == "The CUP"
        if shop.manifest.suffix == ".xlsx":
            look(load_workbook(path_of(shop)), 5)
    decided = latest_of(read_decisions(shop.folder.journal)).values()
    assert {one.entry: one.verdict for one in decided} == {"MUG": "approve", "BAG": "reject"}
    (saved,) = before(shop)  # for the changed cell
    assert "Another title" in str(table_in(saved))


def table_in(path: Path) -> object:
    if path.suffix == ".csv":
        return path.read_text(encoding="utf-8")
    return [*load_workbook(path).worksheets[0].iter_rows(values_only=True)]


def test_what_is_typed_over_our_sentences_is_kept_in_a_copy(shop: Shop) -> None:
    """With a sentence that names the cell; saved again without it, a file is no reason for one."""
    edit(shop)
    publish(shop)
    (changed,) = before(shop)
    changed.unlink()
    path = path_of(shop)
    if path.suffix == ".csv":
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("\n", "\r\n"), encoding="utf-8-sig")
    else:
        load_workbook(path).save(path)
    publish(shop)
    assert not before(shop)
    head, *rows = lines_of(shop)
    rows[1][head.index("result_action")] = "ask Eve about this one"
    if path.suffix == ".csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([head, *rows])
    else:
        book = load_workbook(path)
        book.worksheets[0].cell(3, head.index("result_action") + 1, "ask Eve about this one")
        book.save(path)
    said = " ".join(publish(shop))
    assert "result_action is written anew, and what is typed there is kept in a copy" in said
    (saved,) = before(shop)
    assert "ask Eve about this one" in str(table_in(saved))
    publish(shop)
    assert len(before(shop)) == 1


@pytest.mark.parametrize(
    ("column", "typed"),
    [("result_state", "failed"), ("result_attempts", "7"), ("result_task_id", "see Eve")],
)
def test_nothing_of_ours_is_changed_without_a_copy(shop: Shop, column: str, typed: str) -> None:
    """Whichever column it is, a number or a state that could be ours as well."""
    head, *rows = lines_of(shop)
    rows[1][head.index(column)] = typed
    path = path_of(shop)
    if path.suffix == ".csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([head, *rows])
    else:
        book = load_workbook(path)
        book.worksheets[0].cell(3, head.index(column) + 1, typed)
        book.save(path)
    said = " ".join(publish(shop, summary()))
    assert "is written anew, and what is typed there is kept in a copy of the file alone" in said
    (saved,) = before(shop)
    assert typed in str(table_in(saved))
    assert publish(shop, summary()) == ()


@pytest.mark.parametrize("shop", ["xlsx"], indirect=True)
def test_what_is_typed_beside_our_summary_comes_again(shop: Shop) -> None:
    """Whoever writes the workbook next."""
    book = load_workbook(path_of(shop))
    book["Summary"]["D2"] = "checked by Eve"
    book["Summary"]["C70"] = "=1+1"
    book.save(path_of(shop))
    for ran in (None, summary(), None, summary()):
        assert publish(shop, ran) == ()
        there = load_workbook(path_of(shop))["Summary"]
        assert (there["D2"].value, there["C70"].value) == ("checked by Eve", "=1+1")
        assert there["A1"].value == "Reelsheet run"
    assert not before(shop)


@pytest.mark.parametrize("shop", ["xlsx"], indirect=True)
def test_what_is_typed_over_our_summary_is_kept_in_a_copy(shop: Shop) -> None:
    """Saved again as it was, it is no reason for one."""
    load_workbook(path_of(shop)).save(path_of(shop))
    assert publish(shop) == ()
    book = load_workbook(path_of(shop))
    book["Summary"]["B3"] = "the old shop"
    book.save(path_of(shop))
    assert "in the sheet Summary, columns A and B, a text is written" in " ".join(publish(shop))
    (saved,) = before(shop)
    assert load_workbook(saved)["Summary"]["B3"].value == "the old shop"


@pytest.mark.parametrize("ran", [None, summary()])
def test_the_manifest_comes_into_another_order(shop: Shop, ran: Summary | None) -> None:
    """With a row more in between, one less, a column more and one under another name."""
    edit(shop)
    publish(shop)
    rows = [[key, "new", f"A {key}.", "south"] for key in ("TEA", "PEN", "BAG", "MUG")]
    write(shop, rows, "sku,colour,prompt,store")
    publish(shop, ran)
    assert [row[0] for row in lines_of(shop)] == ["sku", "TEA", "PEN", "BAG", "MUG"]
    assert cells_of(shop, "Boss") == {"TEA": "t", "PEN": "", "BAG": "b", "MUG": "m"}
    assert cells_of(shop, "review")["MUG"] == "approve"
    assert set(cells_of(shop, "colour").values()) == {"new"}
    assert set(cells_of(shop, "store").values()) == {"south"}
    if shop.manifest.suffix == ".xlsx":
        look(load_workbook(path_of(shop)), 5)
    assert any("Another title" in str(table_in(one)) for one in before(shop))
    publish(shop, ran)
    assert cells_of(shop, "Boss")["MUG"] == "m"


def test_a_workbook_that_cannot_be_written_into_is_saved_once(tmp_path: Path) -> None:
    """What is not understood in it: then its columns alone come again."""
    made = make_shop(tmp_path, "MUG BAG", folder="out")
    made = Shop(tmp_path / "shop.xlsx", made.folder)
    write(made, [["MUG", "A MUG."], ["BAG", "A BAG."]], "sku,prompt")
    made.make("MUG")
    made.make("BAG")
    publish(made, summary())
    book = load_workbook(path_of(made))
    sheet = book.worksheets[0]
    book.create_sheet("Mine")["A1"] = "mine"
    sheet.cell(1, sheet.max_column + 1, "Boss")
    sheet.cell(2, sheet.max_column, "m")
    sheet.merge_cells("Z2:Z3")  # over two rows that are about to change places
    book.save(path_of(made))
    write(made, [["BAG", "A BAG."], ["MUG", "A MUG."]], "sku,prompt")
    said = publish(made)
    (saved,) = before(made)
    assert sum("was saved as" in line for line in said) == 1
    assert "Mine" in load_workbook(saved).sheetnames
    assert cells_of(made, "Boss") == {"BAG": "", "MUG": "m"}
