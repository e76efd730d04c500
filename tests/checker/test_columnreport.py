"""Columns that are not read: none is left out silently, and what was meant is offered."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from pipeline.checker.check import CheckedManifest, check_manifest
from pipeline.checker.columnreport import ColumnsRead, column_warnings
from pipeline.config.loading import load
from pipeline.manifest.earlier import NEW, Reading
from pipeline.manifest.languages import EARLIEST


def _check(folder: Path, text: str, *overrides: str, known: Reading = NEW) -> CheckedManifest:
    path = folder / "shop.csv"
    path.write_text(text, encoding="utf-8")
    config = load(None, environ={}, overrides=overrides)
    return check_manifest(path, config, cache_dir=None, known=known)


def _warned(checked: CheckedManifest) -> dict[str | None, str]:
    found = [one for one in checked.problems if one.code == "column_not_read"]
    return {one.column: one.message for one in found}


def test_a_line_says_what_is_read_and_what_is_not(tmp_path: Path) -> None:
    """In the order of the sheet; results of earlier runs are ours and are not named."""
    checked = _check(
        tmp_path, "sku,prompt,Foto,Season,Notes,result_state\nA,A red mug turns,,spring,x,done\n"
    )
    assert list(checked.columns.lines()) == [
        "read: sku = key, prompt, Foto = image_1 · not read: Season, Notes"
    ]
    assert checked.columns.document() == {
        "read": {"sku": "key", "prompt": "prompt", "Foto": "image_1"},
        "not_read": ["Season", "Notes"],
    }
    assert not checked.problems


def test_what_templates_use_is_read(tmp_path: Path) -> None:
    """A column that only a template names is not called unread."""
    checked = _check(
        tmp_path,
        "sku;Title;Colour\nA;A mug;red\n",
        "manifest.prompt_template=Product video of {{ title }}",
        "output.name={key}-{colour}",
    )
    assert list(checked.columns.lines()) == [
        "read: sku = key, Title in manifest.prompt_template, Colour in output.name"
    ]


@pytest.mark.parametrize(
    ("header", "cells", "field"),
    [
        ("Ansicht vorn", ("a.jpg", "b/c.PNG"), "image_1"),
        ("Link", ("https://a.example/1.webp?w=8", "https://a.example/2.webp"), "image_1"),
        ("Ansichten", ("a.jpg|b.jpg|c.jpg", "d.jpg; e.jpg; f.jpg"), "images"),
        ("Clip", ("6 s", "10 s"), "duration"),
        ("Clip", ("6", "10"), "duration"),
        ("Länge", ("6", "6"), "duration"),
        ("Länge", ("5", "8"), "duration"),
        ("Form", ("16:9", "16:9"), "aspect_ratio"),
        ("Format", ("9:16", "1:1"), "aspect_ratio"),
        ("Ausgabe", ("720p", "1080p"), "resolution"),
    ],
)  # fmt: skip
def test_cells_that_look_like_ours_are_warned_of(
    tmp_path: Path, header: str, cells: tuple[str, str], field: str
) -> None:
    """The warning has the option that reads the column, and it does when it is given."""
    text = f"prompt,{header}\nA red mug turns,{cells[0]}\nA blue mug turns,{cells[1]}\n"
    checked = _check(tmp_path, text)
    message = _warned(checked)[header]
    option, value = shlex.split(message[message.index("--column") :].partition(";")[0])
    assert (option, value) == ("--column", f"{header}={field}")
    assert field not in checked.fields
    assert column_warnings(checked.problems) == [message]
    assert _check(tmp_path, text, f"manifest.columns.{value}").fields[field] == 1


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("Länge", ("120 cm", "80 cm")),
        ("Format", ("A4", "A5")),
        ("Menge", ("6", "6")),
        ("Notes", ("see a.jpg later", "no")),
        ("Website", ("https://shop.example/p/1", "https://shop.example/p/2")),
        ("Dauer", ("2 Wochen", "3 Wochen")),
        ("Auflösung", ("3840 x 2160", "2560 x 1440")),
    ],
)
def test_other_cells_are_not_warned_of(tmp_path: Path, header: str, cells: tuple[str, str]) -> None:
    """A measure, a paper size and a quantity are the user's own, and are not read."""
    checked = _check(
        tmp_path, f"prompt,{header}\nA red mug turns,{cells[0]}\nA blue mug turns,{cells[1]}\n"
    )
    assert not checked.problems
    assert checked.valid == 2
    assert checked.columns.not_read == (header,)


def test_a_field_that_is_read_already_is_not_offered(tmp_path: Path) -> None:
    """A second column of seconds is the user's own."""
    checked = _check(tmp_path, "prompt,Videolänge,Länge\nA red mug turns,6,10\n")
    assert not checked.problems
    assert checked.requests[2].duration == 6


def test_a_number_that_is_no_duration_is_an_error(tmp_path: Path) -> None:
    """Seconds that the provider does not make are said, not replaced by the default."""
    checked = _check(tmp_path, "prompt,Dauer\nA red mug turns,5\n")
    assert [one.code for one in checked.problems] == ["duration_not_allowed"]


def test_numbers_of_articles_are_keys_where_they_tell_rows_apart(tmp_path: Path) -> None:
    """Two rows of one article are not refused: such a column is no key."""
    text = "Artikelnummer,prompt\n{},A red mug turns\n{},A blue mug turns\n"
    assert _check(tmp_path, text.format("A", "B")).keys == ("A", "B")
    checked = _check(tmp_path, text.format("A", "A"))
    assert checked.valid == 2
    assert not checked.problems


def test_names_are_offered_as_keys(tmp_path: Path) -> None:
    """Name and Titel are never taken: a line has the option, and a missing prompt says it."""
    checked = _check(tmp_path, "Name,prompt\nMug,A red mug turns\nBag,A bag hangs\n")
    assert list(checked.columns.lines())[1] == "could be read: --column Name=key"
    assert "key" not in checked.fields
    problems = _check(tmp_path, "sku,Beschreibung\nA,A red mug turns\n").problems
    assert [one.code for one in problems] == ["no_prompt_column"]
    assert "add --column Beschreibung=prompt" in problems[0].message


def test_a_manifest_from_before_keeps_its_reading_and_is_told(tmp_path: Path) -> None:
    """By the earliest names nothing is read that was not, and the option is named."""
    text = "prompt,Bild 1,Dauer\nA red mug turns,mug.jpg,10\n"
    checked = _check(tmp_path, text, known=Reading(EARLIEST))
    assert (checked.requests[2].images, checked.requests[2].duration) == ((), 6)
    warned = _warned(checked)
    assert '--column "Bild 1=image_1"' in warned["Bild 1"]
    assert "was run before" in warned["Bild 1"]
    assert "--column Dauer=duration" in warned["Dauer"]
    assert checked.reading.names == EARLIEST
    asked = ("manifest.columns.Dauer=duration",)
    again = _check(tmp_path, text, *asked, known=checked.reading)
    assert again.requests[2].duration == 10
    assert _check(tmp_path, text, known=again.reading).requests[2].duration == 10


def test_a_column_can_be_ignored(tmp_path: Path) -> None:
    """It is not read and not spoken of, now and in the runs to come."""
    text = "prompt,Bild 1\nA red mug turns,none\n"
    checked = _check(tmp_path, text, "manifest.columns.Bild 1=ignore")
    assert checked.valid == 1
    assert not checked.problems
    assert _check(tmp_path, text, known=checked.reading).valid == 1


def test_a_wide_sheet_stays_one_line() -> None:
    """Many columns, and long or broken headers, are cut."""
    columns = ColumnsRead((("prompt", "prompt"),), ("a\nb", "x" * 100, *map(str, range(98))))
    (line,) = columns.lines()
    assert "not read: a b, " in line
    assert line.endswith(" and 70 more")
    assert len(line) < 400
