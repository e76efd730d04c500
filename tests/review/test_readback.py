"""What a person has put into the results comes back, and survives every later write."""

from __future__ import annotations

import contextlib
import csv
import io
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.styles import PatternFill

from pipeline.journal.decisions import DecisionTable, read_decisions
from pipeline.journal.journal import Journal
from pipeline.journal.reading import read_entries, read_id
from pipeline.model import Decision, State
from pipeline.review.readback import read_back
from pipeline.review.verdicts import latest_of
from pipeline.runner.publishing import publish_results
from pipeline.writer.layout import Result
from tests.review.shop import Shop, make_shop

Sheet = list[list[str]]


@pytest.fixture(params=["csv", "xlsx"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Shop:
    """Three rows, two of which have videos, as text and as a workbook; results are written."""
    if request.param == "xlsx":
        return book_of(tmp_path)
    return made_of(make_shop(tmp_path, folder="out"))


def book_of(tmp_path: Path) -> Shop:
    """Make the shop of a workbook."""
    made = make_shop(tmp_path, folder="out")
    rows = list(csv.reader(io.StringIO(made.manifest.read_text(encoding="utf-8"))))
    book = Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(row)
    book.save(tmp_path / "shop.xlsx")
    return made_of(Shop(tmp_path / "shop.xlsx", made.folder))


def made_of(made: Shop) -> Shop:
    made.make("MUG")
    made.make("BAG")
    publish(made)
    return made


def publish(shop: Shop, *edits: Callable[[], None]) -> tuple[str, ...]:
    """Write the results, which a person may edit meanwhile; return what is told."""
    checked = shop.check()
    states = [State.DONE if key in {"MUG", "BAG"} else State.WAITING for key in checked.keys]
    results = [
        Result(row.number, state, task_id=f"task-{key}-1", take=1 if state is State.DONE else None)
        for row, state, key in zip(checked.manifest.rows, states, checked.keys, strict=True)
    ]
    looked_through = SavedMeanwhile(results, edits)
    return publish_results(checked, looked_through, shop.folder, None).notes


def path_of(shop: Shop) -> Path:
    return shop.folder.root / f"results{shop.manifest.suffix}"


def table(path: Path) -> Sheet:
    if path.suffix == ".csv":
        text = path.read_text(encoding="utf-8")
        return list(csv.reader(io.StringIO(text), delimiter=";" if text[3:4] == ";" else ","))
    sheet = load_workbook(path).worksheets[0]
    return [["" if c is None else str(c) for c in row] for row in sheet.iter_rows(values_only=True)]


def row_of(path: Path, key: str) -> dict[str, str]:
    head, *rows = table(path)
    return dict(zip(head, next(row for row in rows if row[0] == key), strict=True))


def edit(shop: Shop, change: Callable[[Sheet], Sheet]) -> None:
    """Have a person change the cells of the sheet and save it."""
    path = path_of(shop)
    sheet = change(table(path))
    if path.suffix == ".csv":
        text = io.StringIO()
        csv.writer(text, delimiter=";").writerows(sheet)
        path.write_text(text.getvalue(), encoding="cp1252", newline="")  # as Excel does it
        return
    book = load_workbook(path)
    cells = book.worksheets[0]
    cells.delete_rows(1, cells.max_row)
    for row in sheet:
        cells.append(row)
    book.save(path)


def typed(**cells: tuple[str, str]) -> Callable[[Sheet], Sheet]:
    """Return what types a text into a column of the rows with these keys."""

    def change(sheet: Sheet) -> Sheet:
        for row in sheet[1:]:
            if row[0] in cells:
                name, text = cells[row[0]]
                row[sheet[0].index(name)] = text
        return sheet

    return change


def verdicts(shop: Shop) -> dict[str, str]:
    return {
        entry: one.verdict
        for (entry, _), one in latest_of(read_decisions(shop.folder.journal)).items()
    }


def before(shop: Shop) -> list[str]:
    return [one.name for one in shop.folder.root.glob("results.before-*")]


def test_decisions_are_read_back_and_written_again(shop: Shop) -> None:
    """Once each, from a file that a spreadsheet program saved in its own way."""
    edit(
        shop,
        typed(
            MUG=("review", "Nein"), BAG=("review", "✓" if "xlsx" in path_of(shop).name else "ja")
        ),
    )
    assert read_back(shop.check(), shop.folder).lines == ()
    assert verdicts(shop) == {"MUG": "reject", "BAG": "approve"}
    number = len(read_decisions(shop.folder.journal))
    assert read_back(shop.check(), shop.folder).lines == ()
    publish(shop)
    read_back(shop.check(), shop.folder)
    assert len(read_decisions(shop.folder.journal)) == number
    assert {one.source for one in read_decisions(shop.folder.journal)} == {"sheet"}
    assert row_of(path_of(shop), "MUG")["review"] == "reject"
    assert "reject" in (shop.folder.root / "decisions.csv").read_text(encoding="utf-8-sig")
    assert before(shop) == []


@pytest.mark.parametrize(("encoding", "title"), [("cp1252", "Größe"), ("cp1251", "Чашка")])
def test_a_file_in_the_code_page_of_a_country(tmp_path: Path, encoding: str, title: str) -> None:
    """The manifest's own texts tell which it is."""
    made = make_shop(tmp_path, folder="out")
    text = made.manifest.read_text(encoding="utf-8")
    made.manifest.write_text(text.replace("The MUG", title), encoding="utf-8")
    made.make("MUG")
    publish(made)
    rows = table(path_of(made))
    rows[1][rows[0].index("review_note")] = f"{title}!"
    said = io.StringIO()
    csv.writer(said, delimiter=";", quoting=csv.QUOTE_ALL).writerows(rows)
    path_of(made).write_text(said.getvalue(), encoding=encoding, newline="")
    assert publish(made) == ()
    assert row_of(path_of(made), "MUG")["review_note"] == f"{title}!"


def test_own_columns_survive_every_write(shop: Shop) -> None:
    """By key: also after the rows were sorted, left out and doubled."""

    def change(sheet: Sheet) -> Sheet:
        head, mug, bag, _ = sheet
        wide = [[*head, "Boss"], [*bag, "no hurry"], [*mug, "it, = nice"], [*mug, "it, = nice"]]
        wide[1][head.index("review_note")] = "lovely"
        return wide

    edit(shop, change)
    for _ in range(3):
        publish(shop)
        assert [row[0] for row in table(path_of(shop))] == ["sku", "MUG", "BAG", "TEA"]
        assert row_of(path_of(shop), "BAG")["Boss"] == "no hurry"
        assert row_of(path_of(shop), "MUG")["Boss"] == "it, = nice"
        assert row_of(path_of(shop), "BAG")["review_note"] == "lovely"


def test_what_cannot_be_joined_is_saved_first(shop: Shop) -> None:
    """A changed prompt is told of and the manifest stands; a row of nobody's is told of, too."""

    def change(sheet: Sheet) -> Sheet:
        sheet[1][1] = "Another mug."
        return [*sheet, ["CUP", *[""] * (len(sheet[0]) - 1)]]

    edit(shop, change)
    said = " ".join(read_back(shop.check(), shop.folder).lines)
    assert "'prompt' is not as in" in said
    assert "1 row (5) belongs to no row" in said
    assert any("was saved as results.before-" in one for one in publish(shop))
    (saved,) = before(shop)
    assert [
        table_of_any(shop.folder.root / saved)[-1][0],
        table_of_any(shop.folder.root / saved)[1][1],
    ] == ["CUP", "Another mug."]
    assert row_of(path_of(shop), "MUG")["prompt"] == "A MUG."
    publish(shop)
    assert len(before(shop)) == 1


def table_of_any(path: Path) -> Sheet:
    if path.suffix == ".xlsx":
        return table(path)
    return list(csv.reader(io.StringIO(path.read_text(encoding="cp1252")), delimiter=";"))


def test_what_is_not_understood_stays(shop: Shop) -> None:
    """It is told of with its cell, and is there after later writes, too."""
    edit(shop, typed(MUG=("review", "maybe"), TEA=("new_prompt", "A tea.")))
    said = "\n".join(read_back(shop.check(), shop.folder).lines)
    assert '"maybe" does not count' in said
    assert (
        "results.xlsx, cell P2" if shop.manifest.suffix == ".xlsx" else "line 2, column review"
    ) in said
    for _ in range(2):
        publish(shop)
        assert row_of(path_of(shop), "MUG")["review"] == "maybe"
        assert row_of(path_of(shop), "TEA")["new_prompt"] == "A tea."
    assert verdicts(shop) == {}


def test_the_page_stands_against_the_cell(shop: Shop) -> None:
    """Both changed: the cell is told of, and the file that said so is kept."""
    video = shop.folder.videos / "MUG.mp4"
    assert video.is_file()
    with DecisionTable(shop.folder.journal) as decisions:
        decisions.add((), lambda _: [Decision("MUG", 1, sha_of(shop, "MUG"), "approve", at=1.0)])
    edit(shop, typed(MUG=("review", "reject"), BAG=("review", "ok")))
    (line,) = read_back(shop.check(), shop.folder).lines
    assert line.endswith('"approve" was decided elsewhere meanwhile; the latter stands')
    publish(shop)
    assert verdicts(shop) == {"MUG": "approve", "BAG": "approve"}
    assert row_of(path_of(shop), "MUG")["review"] == "approve"
    assert len(before(shop)) == 1


def sha_of(shop: Shop, key: str) -> str:
    video = read_entries(shop.folder.journal)[key].video
    assert video is not None
    return video.sha256


def test_killed_between_reading_and_writing(shop: Shop) -> None:
    """What was recorded is not recorded again, and nothing is wiped: before and after the write."""
    edit(shop, typed(MUG=("review", "reject")))
    read_back(shop.check(), shop.folder)
    publish(shop)
    written = path_of(shop).read_bytes()
    with DecisionTable(shop.folder.journal) as decisions:  # the write was never noted
        decisions.note({f"results_written/{path_of(shop).name}": NOTED_BEFORE})
    assert read_back(shop.check(), shop.folder).lines == ()
    assert verdicts(shop) == {"MUG": "reject"}
    assert len(read_decisions(shop.folder.journal)) == 1
    assert path_of(shop).read_bytes() == written


NOTED_BEFORE = (
    '{"sha256": "of an earlier file", "seen": 0, "headers": [], "touched": false, "lossy": false, '
    '"cells": {}, "unread": {}}'
)


class SavedMeanwhile(list[Result]):
    """Results that a person edits the file of, while they are looked through."""

    def __init__(self, results: Sequence[Result], edits: Sequence[Callable[[], None]]) -> None:
        super().__init__(results)
        self.edits = [*edits]

    def __iter__(self) -> Iterator[Result]:
        if self.edits:
            self.edits.pop(0)()
        return super().__iter__()


def test_a_file_that_is_saved_while_it_is_written_over(shop: Shop) -> None:
    """It is read back once more, before anything takes its place."""
    changes = [typed(MUG=("review", "reject")), typed(BAG=("review_note", "late"))]
    with DecisionTable(shop.folder.journal) as decisions:  # so that the results are looked through
        decisions.add((), lambda _: [Decision("MUG", 1, sha_of(shop, "MUG"), "", note="x")])
    publish(shop, *(partial(edit, shop, change) for change in changes))
    assert row_of(path_of(shop), "MUG")["review"] == "reject"
    assert row_of(path_of(shop), "BAG")["review_note"] == "late"


@pytest.mark.parametrize("lock", ["~${}", ".~lock.{}#"])
def test_a_file_that_is_open_is_left_alone(shop: Shop, lock: str) -> None:
    """Results go beside it; what is saved then is read from it, and counts."""
    path = path_of(shop)
    beside = path.with_name(lock.format(path.name))
    beside.touch()
    as_it_was = path.read_bytes()
    (note,) = publish(shop)
    assert "is open in another program" in note
    assert path.read_bytes() == as_it_was
    edit(shop, typed(MUG=("review", "reject")))
    publish(shop)
    assert verdicts(shop) == {"MUG": "reject"}
    assert row_of(path.with_name(f"results-2{path.suffix}"), "MUG")["review"] == "reject"
    beside.unlink()
    publish(shop)
    assert row_of(path, "MUG")["review"] == "reject"
    assert before(shop) == []


def test_results_of_before_are_not_read_as_typed(shop: Shop) -> None:
    """A journal that notes nothing, and a file without the columns: nothing is recorded."""

    def older(sheet: Sheet) -> Sheet:
        return [
            [*row[: sheet[0].index("result_take")], mine]
            for row, mine in zip(sheet, "zabc", strict=True)
        ]

    edit(shop, older)
    with DecisionTable(shop.folder.journal) as decisions:
        decisions._connection.execute("DELETE FROM meta WHERE name LIKE 'results_written%'")
    assert read_back(shop.check(), shop.folder).lines == ()
    assert verdicts(shop) == {}
    publish(shop)
    assert row_of(path_of(shop), "MUG")["z"] == "a"


def test_decisions_have_one_set_of_columns_under_the_names_in_the_file(shop: Shop) -> None:
    """Whether a person deleted `result_take`, or calls them as beside a column of their own."""

    def without_take(sheet: Sheet) -> Sheet:
        at = sheet[0].index("result_take")
        return [[*row[:at], *row[at + 1 :]] for row in sheet]

    edit(shop, without_take)
    publish(shop)
    head = table(path_of(shop))[0]
    assert sorted(head) == sorted({*head})
    assert "result_take" in head
    assert not [
        name for name in head if name.startswith("result_re") or name == "result_new_prompt"
    ]

    def renamed(sheet: Sheet) -> Sheet:
        head = [f"result_{one}" if one in ("review", "new_prompt") else one for one in sheet[0]]
        return typed(MUG=("result_review", "no"), BAG=("result_new_prompt", "Red."))(
            [head, *sheet[1:]]
        )

    edit(shop, renamed)
    publish(shop)
    assert verdicts(shop)["MUG"] == "reject"
    assert latest_of(read_decisions(shop.folder.journal))["BAG", 1].prompt == "Red."
    publish(shop)
    row = row_of(path_of(shop), "MUG")
    assert [row[one] for one in ("review", "result_review") if one in row] == ["reject"]
    assert before(shop) == []


def test_of_two_sets_of_columns_one_counts_and_it_is_said(tmp_path: Path) -> None:
    """Workbooks that earlier versions left so: nothing in the other one is wiped."""
    shop = book_of(tmp_path)

    def doubled(sheet: Sheet) -> Sheet:
        return [[*sheet[0], "result_review"], *([*row, ""] for row in sheet[1:])]

    edit(shop, doubled)
    edit(shop, typed(MUG=("result_review", "no"), BAG=("review", "yes")))
    assert any("into result_review counts" in one for one in publish(shop))
    assert verdicts(shop) == {"MUG": "reject"}
    assert row_of(path_of(shop), "MUG")["result_review"] == "reject"
    assert row_of(path_of(shop), "BAG")["review"] == "yes"


def test_a_column_of_the_manifests_own_is_not_ours(tmp_path: Path) -> None:
    """What a shop writes into its column `review` says nothing of videos."""
    made = make_shop(tmp_path, folder="out")
    text = made.manifest.read_text(encoding="utf-8")
    lines = [f"{line},{'review' if line.startswith('sku') else 'reject'}" for line in text.split()]
    made.manifest.write_text("sku,prompt,review\nMUG,A MUG.,reject\n", encoding="utf-8")
    assert lines
    made.make("MUG")
    publish(made)
    head = table(path_of(made))[0]
    assert head[-3:] == ["result_review", "review_note", "new_prompt"]
    edit(made, typed(MUG=("result_review", "ok")))
    publish(made)
    assert verdicts(made) == {"MUG": "approve"}
    assert row_of(path_of(made), "MUG")["review"] == "reject"


def test_a_workbook_keeps_its_sheets_and_formats(tmp_path: Path) -> None:
    """Also by a report, and with rows that the manifest has more by now."""
    made = make_shop(tmp_path, folder="out")
    book = Workbook()
    assert book.active is not None
    for line in made.manifest.read_text(encoding="utf-8").splitlines():
        book.active.append(line.split(","))
    book.save(tmp_path / "shop.xlsx")
    made = Shop(tmp_path / "shop.xlsx", made.folder)
    made.make("MUG")
    publish(made)
    path = path_of(made)
    mine = load_workbook(path)
    mine.create_sheet("Mine")["A1"] = "to do"
    mine.worksheets[0]["A2"].fill = PatternFill("solid", fgColor="FFFF00")
    mine.worksheets[0]["T1"], mine.worksheets[0]["T2"] = "Sum", "=1+1"
    mine.save(path)
    book.active.append(["CUP", "A CUP.", "north", "The CUP"])
    book.active["B3"] = "A better BAG."
    book.save(tmp_path / "shop.xlsx")
    for _ in range(2):
        assert publish(made) == ()
        again = load_workbook(path)
        assert again["Mine"]["A1"].value == "to do"
        sheet = again.worksheets[0]
        assert sheet["A2"].fill.fgColor.rgb == "00FFFF00"
        assert sheet["T2"].value == "=1+1"
        assert [sheet.cell(row, 2).value for row in (3, 5)] == ["A better BAG.", "A CUP."]
        (lists,) = sheet.data_validations.dataValidation
        assert lists.formula1 == '"approve,reject"'


def test_many_rows_are_read_back_quickly_and_only_once(tmp_path: Path) -> None:
    """A file that is as it was left is not read."""
    keys = [f"K{number}" for number in range(2_000)]
    made = make_shop(tmp_path, " ".join(keys), folder="out")
    made.make_all(keys)
    path = path_of(made)
    checked = made.check()
    results = [Result(row.number, State.DONE, take=1) for row in checked.manifest.rows]
    publish_results(checked, results, made.folder, None)
    found = read_back(checked, made.folder).main
    assert found is not None
    assert found.joined is None
    edit(made, typed(K7=("review", "no")))
    for was_read in (True, False):
        found = read_back(checked, made.folder).main
        assert found is not None
        assert (found.joined is not None) is was_read
    assert path == found.path
    assert verdicts(made) == {"K7": "reject"}


def test_decisions_come_back_where_the_journal_was_lost(shop: Shop) -> None:
    edit(shop, typed(MUG=("review", "reject"), BAG=("review", "approve")))
    rejected = Decision("MUG", 1, "", "reject", reason="wrong colour", reviewer="ana", at=1e9)
    publish(shop)
    video = read_entries(shop.folder.journal)["MUG"].video
    assert video is not None
    with DecisionTable(shop.folder.journal) as table:
        table.add((), lambda _: [replace(rejected, sha256=video.sha256)])
    publish(shop)
    known = latest_of(read_decisions(shop.folder.journal))
    lost = read_id(shop.folder.journal)
    assert lost is not None
    for one in shop.folder.root.glob("journal.db*"):
        one.unlink()
    with contextlib.closing(Journal(shop.folder.journal)) as journal:
        journal.take_over_id(lost)
    early = read_back(shop.check(), shop.folder).lines  # no take is there yet
    assert not any("decisions.csv" in one for one in early)
    shop.make("MUG")
    shop.make("BAG")

    lines = read_back(shop.check(), shop.folder).lines
    said = "decisions.csv: the journal did not know of 2 decisions, which are taken over"
    assert lines == (said,)
    found = latest_of(read_decisions(shop.folder.journal))
    assert {take: (one.verdict, one.reason) for take, one in found.items()} == {
        take: (one.verdict, one.reason) for take, one in known.items()
    }
    assert (found["MUG", 1].reviewer, found["MUG", 1].at) == ("ana", 1e9)
    publish(shop)
    assert not [*shop.folder.root.glob("decisions.before-*")]


def test_decisions_of_another_journal_are_saved_and_not_taken_over(shop: Shop) -> None:
    edit(shop, typed(BAG=("review", "approve")))
    publish(shop)
    path = shop.folder.root / "decisions.csv"
    theirs = path.read_text(encoding="utf-8-sig").replace("approve", "reject")
    other = read_id(shop.folder.journal)
    assert other is not None
    with sqlite3.connect(shop.folder.journal) as journal:
        journal.execute("DELETE FROM meta WHERE name = 'results_written/decisions.csv'")
    path.write_text(theirs.replace(other, "another"), encoding="utf-8")

    (line,) = publish(shop)
    assert line.startswith("decisions.csv says what the journal does not know, and was saved as ")
    assert verdicts(shop)["BAG"] == "approve"
