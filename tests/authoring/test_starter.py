"""The starter folder: a newcomer can check it, rehearse it, and loses nothing by asking again."""

from __future__ import annotations

import io
from pathlib import Path

import openpyxl
import pytest
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet
from typer.testing import CliRunner

from pipeline.authoring.newmanifest import looks_in
from pipeline.authoring.rulespage import NOTES
from pipeline.authoring.starter import (
    OUTPUTS_FOLDER,
    PICTURES_FOLDER,
    STARTER_CONFIG,
    STARTER_MANIFEST,
    make_starter,
    starter_headers,
)
from pipeline.checker import rules
from pipeline.checker.check import check_manifest
from pipeline.cli.app import app
from pipeline.config.catalogue import sample
from pipeline.config.loading import load
from pipeline.config.settings import Config
from pipeline.errors import UsageError
from pipeline.manifest.columns import FIELDS
from pipeline.manifest.examples import NEEDED_STYLE
from pipeline.manifest.videolooks import built_in
from pipeline.manifest.wording import letters_of
from pipeline.models.shelf import known_sheets
from pipeline.pictures.accepted import LARGEST_BYTES


def products(folder: Path) -> Worksheet:
    return openpyxl.load_workbook(folder / STARTER_MANIFEST).worksheets[0]


def test_everything_is_made(tmp_path: Path) -> None:
    """The folder holds a manifest, the configuration, and both folders."""
    lines = make_starter(tmp_path / "new")
    assert (tmp_path / "new" / STARTER_MANIFEST).is_file()
    assert (tmp_path / "new" / PICTURES_FOLDER).is_dir()
    assert (tmp_path / "new" / OUTPUTS_FOLDER).is_dir()
    assert (tmp_path / "new" / STARTER_CONFIG).read_text(encoding="utf-8") == sample()
    assert len([line for line in lines if line.startswith("created ")]) == 4


def test_the_template_has_no_problem(tmp_path: Path) -> None:
    """The examples pass the check with the configuration beside them, without a warning."""
    make_starter(tmp_path)
    config = load(tmp_path / STARTER_CONFIG, environ={}, overrides=())
    found = check_manifest(tmp_path / STARTER_MANIFEST, config, cache_dir=None)
    assert found.problems == ()
    assert found.valid == len(found.manifest.rows) == 3
    assert not found.pictures


def test_what_is_there_is_left_alone(tmp_path: Path) -> None:
    """A second call changes no byte and says so."""
    make_starter(tmp_path)
    (tmp_path / STARTER_CONFIG).write_text("provider: rehearsal\n", encoding="utf-8")
    before = (tmp_path / STARTER_MANIFEST).read_bytes()
    lines = make_starter(tmp_path)
    assert (tmp_path / STARTER_CONFIG).read_text(encoding="utf-8") == "provider: rehearsal\n"
    assert (tmp_path / STARTER_MANIFEST).read_bytes() == before
    assert sum("left alone" in line for line in lines) == 2
    assert not [line for line in lines if line.startswith("created ")]


def test_the_last_three_lines_say_what_to_do(tmp_path: Path) -> None:
    """Three lines, in the order of doing: fill in, check, run."""
    lines = make_starter(tmp_path / "my videos")[-3:]
    assert [line[:2] for line in lines] == ["1.", "2.", "3."]
    assert f'cd "{tmp_path / "my videos"}"' in lines[0]
    assert "reelsheet check" in lines[1]
    assert "reelsheet run" in lines[2]


def test_a_file_in_the_way(tmp_path: Path) -> None:
    """A file where the folder should be is named, and nothing is overwritten."""
    (tmp_path / "taken").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="in the way"):
        make_starter(tmp_path / "taken")
    assert (tmp_path / "taken").read_text(encoding="utf-8") == "mine"


def test_lists_come_from_the_rules(tmp_path: Path) -> None:
    """Duration, aspect ratio and resolution offer exactly what the rules allow."""
    make_starter(tmp_path)
    sheet = products(tmp_path)
    offered = {
        sheet[f"{str(choice.sqref).split(':', maxsplit=1)[0][0]}1"].value: choice.formula1
        for choice in sheet.data_validations.dataValidation
    }
    assert offered == {
        name: '"' + ",".join(map(str, rules.BY_FIELD[name].allowed)) + '"'
        for name in ("duration", "aspect_ratio", "resolution")
    } | {"video_look": '"' + ",".join(built_in().names) + '"'}


def test_a_ratio_stays_a_text(tmp_path: Path) -> None:
    """Cells of the aspect ratio are text, also those that a person fills in later."""
    make_starter(tmp_path)
    sheet = products(tmp_path)
    column = starter_headers().index("aspect_ratio") + 1
    assert sheet.cell(2, column).value == "16:9"
    assert sheet.cell(2, column).number_format == "@"
    letter = get_column_letter(column)
    assert sheet.column_dimensions[letter].number_format == "@"


def test_the_header_explains_itself(tmp_path: Path) -> None:
    """Every field of the template has a note, and the header and key stay in sight."""
    make_starter(tmp_path)
    sheet = products(tmp_path)
    for cell in sheet[1]:
        assert (cell.comment is not None) == (cell.value in {*FIELDS, "video_look"}), cell.value
    assert sheet.freeze_panes == "C2"


def test_the_rules_sheet_tells_every_rule(tmp_path: Path) -> None:
    """Each field has a line with what is allowed, what empty means, and its other names."""
    make_starter(tmp_path)
    sheet = openpyxl.load_workbook(io.BytesIO((tmp_path / STARTER_MANIFEST).read_bytes()))["Rules"]
    lines = {line[0]: line for line in sheet.iter_rows(min_row=2, values_only=True) if line[0]}
    assert set(FIELDS) - {"images"} <= set(lines)
    assert lines["duration"][2:4] == ("4, 6, 10", "6")
    assert "720P or 1080p" in str(lines["resolution"][1])
    assert "only with 16:9" in str(lines["resolution"][1])
    assert set(NOTES) <= set(lines)
    assert any("A row with two pictures is refused." in note for note in NOTES)
    assert str(lines["video_model"][2]).split(", ") == list(known_sheets())
    told = "\n".join(map(str, lines))
    assert "video_model grok-video-1.5: duration a whole number from 1 to 15 seconds;" in told
    for model in known_sheets().values():
        if "gemini_omni_flash" not in model.head.models:
            assert all(rule.say in told for rule in model.rules), model.head.models


@pytest.mark.parametrize("first", ["Start here", "Rules"])
def test_a_sheet_that_explains_is_never_read(tmp_path: Path, first: str) -> None:
    """Moved to the front, shown first and with rows added to the table: nothing is said of it."""
    make_starter(tmp_path)
    book = openpyxl.load_workbook(tmp_path / STARTER_MANIFEST)
    assert book.sheetnames == ["Products", "Start here", "Rules"]
    book.worksheets[0]["A5"], book.worksheets[0]["C5"] = "CUP", "A cup turns."
    book.move_sheet(first, -len(book.sheetnames))
    book.active = 0
    book.save(tmp_path / "moved.xlsx")
    found = check_manifest(tmp_path / "moved.xlsx", Config(), cache_dir=None)
    assert found.manifest.sheet == "Products"
    assert (found.problems, found.manifest.notes, found.valid) == ((), (), 4)


def test_the_guide_shows_what_cells_of_pictures_hold(tmp_path: Path) -> None:
    """None, one, three, and one from the web; and which columns must be filled in."""
    make_starter(tmp_path)
    sheet = openpyxl.load_workbook(tmp_path / STARTER_MANIFEST)["Start here"]
    said = {str(cell.value) for row in sheet.iter_rows() for cell in row if cell.value}
    assert {"pictures/mug.jpg", "https://shop.example.com/mug.jpg", "key, prompt"} <= said
    assert any("reelsheet check manifests/products.xlsx" in text for text in said)
    assert not {"prompt", "key"} & said, "no cell of it may be taken for a header"


def test_it_looks_the_same_in_every_program(tmp_path: Path) -> None:
    """Fonts have names, texts wrap and begin at the top, rows are high, a page is as wide."""
    make_starter(tmp_path)
    for sheet in openpyxl.load_workbook(tmp_path / STARTER_MANIFEST).worksheets:
        cells = [cell for row in sheet.iter_rows() for cell in row if cell.value]
        assert {cell.font.name for cell in cells} == {"Calibri"}
        assert (sheet.page_setup.fitToWidth, sheet.page_setup.orientation) == (1, "landscape")
        assert sheet.sheet_properties.pageSetUpPr == PageSetupProperties(fitToPage=True)
        for cell in cells:
            width = sheet.column_dimensions[cell.column_letter].width
            if cell.alignment.wrap_text and cell.coordinate not in sheet.merged_cells:
                assert cell.alignment.vertical == "top"
                lines = len(str(cell.value)) / width
                assert (sheet.row_dimensions[cell.row].height or 15) >= 15 * lines, cell.coordinate
    table = products(tmp_path)
    needed = {cell.value for cell in table[1] if cell.style == NEEDED_STYLE}
    assert needed == {"key", "prompt"}
    assert table.auto_filter.ref == table.dimensions
    assert table.print_title_rows == "$1:$1"


def test_a_gap_is_marked_unless_other_cells_fill_it(tmp_path: Path) -> None:
    """A row with a title and a look has its prompt made of them."""
    make_starter(tmp_path)
    table = products(tmp_path)
    at = {cell.value: letters_of(number) for number, cell in enumerate(table[1], start=1)}
    gaps = {
        str(found.sqref)[0]: rule.formula[0]
        for found in table.conditional_formatting
        for rule in found.rules
    }
    assert gaps.keys() == {at["key"], at["prompt"]}
    assert f"LEN(TRIM(${at['video_look']}2))=0" in gaps[at["prompt"]]
    assert f"LEN(TRIM(${at['title']}2))=0" in gaps[at["prompt"]]
    assert at["title"] not in gaps[at["key"]]


def test_the_list_of_looks_has_the_teams_own(tmp_path: Path) -> None:
    """As many as there are: what a formula cannot hold is a list on another sheet."""
    (tmp_path / "looks").mkdir()
    text = '["brick wall"]\nwords = "Before a wall."\n["a, b"]\nwords = "Both."\n'
    (tmp_path / "looks" / "ours.toml").write_text(text, encoding="utf-8")
    make_starter(tmp_path)
    book = openpyxl.load_workbook(tmp_path / STARTER_MANIFEST)
    lists = {one.formula1 for one in book["Products"].data_validations.dataValidation}
    place = next(one for one in lists if str(one).startswith("Rules!"))
    cells = book["Rules"][str(place).partition("!")[2].replace("$", "")]
    assert [cell.value for (cell,) in cells] == [*built_in().names, "brick wall", "a, b"]
    (tmp_path / "looks" / "ours.toml").write_text("no look", encoding="utf-8")
    assert looks_in(tmp_path / "looks").names == built_in().names
    assert looks_in(None).names == built_in().names


def test_the_pictures_of_the_guide_are_those_that_are_sent() -> None:
    """The size that the Rules sheet names is the one that the program holds to."""
    assert f"at most {LARGEST_BYTES // 1_000_000} MB" in " ".join(NOTES)


def test_the_command(tmp_path: Path) -> None:
    """`reelsheet init DIR` says what it made; `-q` says nothing."""
    told = CliRunner().invoke(app, ["init", str(tmp_path / "a")])
    assert told.exit_code == 0
    assert "created " in told.stdout
    quiet = CliRunner().invoke(app, ["init", str(tmp_path / "b"), "-q"])
    assert (quiet.exit_code, quiet.stdout) == (0, "")
    assert check_manifest(tmp_path / "b" / STARTER_MANIFEST, Config(), cache_dir=None).valid == 3
