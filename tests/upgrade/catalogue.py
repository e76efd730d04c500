"""What the cases are: for each a folder as a user would have it, and what was done in it.

To be used with the version of 22 November alone, see make.py. The builders of workbooks are that
version's, and are looked for when they are needed.
"""

from __future__ import annotations

import importlib
import io
import shutil
from collections.abc import Sequence
from datetime import date
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Font

from tests.upgrade.make import BASE_URL, LIVE, Making

_HERE = f"api.base_url={BASE_URL}"
_QUICK = ("--set", "polling.first_s=0.2", "--set", "polling.interval_s=0.1")
_WEB = "https://pictures.example.com"
_LRM, _ZWSP, _NBSP, _VS16, _ZWJ, _BOM = "\u200e", "\u200b", "\u00a0", "\ufe0f", "\u200d", "\ufeff"
_HEART, _FAMILY = f"\u2764{_VS16}", f"\U0001f469{_ZWJ}\U0001f469{_ZWJ}\U0001f467"
_SHOE, _FLAG = "\U0001f45f", "\U0001f1e9\U0001f1ea"


def _corpus(module: str) -> Any:
    return importlib.import_module(f"tests.corpus.{module}")


def _book(*sheets: tuple[str, Sequence[Sequence[Any]]], hidden: Sequence[str] = ()) -> Workbook:
    """A workbook of sheets with these rows; a pair of value and text is a number and its format."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets:
        sheet = book.create_sheet(name)
        for at, cells in enumerate(rows, 1):
            for column, cell in enumerate(cells, 1):
                value, code = cell if isinstance(cell, tuple) else (cell, None)
                place = sheet.cell(at, column, value)
                if code:
                    place.number_format = code
                if at == 1:
                    place.font = Font(bold=True)
        if name in hidden:
            sheet.sheet_state = "hidden"
    book.active = next(at for at, (name, _) in enumerate(sheets) if name not in hidden)
    return book


def _saved(book: Workbook) -> bytes:
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def keyed(shop: Making) -> None:
    """Rows with a key, with every kind of picture; a column id beside sku, and key beside both."""
    shop.config()
    shop.picture("manifests/photos/front.jpg", 10)
    shop.picture("manifests/photos/back side.png", 60)
    shop.picture("manifests/photos/detail.webp", 120)
    shop.picture("manifests/photos/old.bmp", 180, (64, 36))
    shop.table(
        "manifests/shop.csv",
        ("sku", "note", "prompt", "image_1", "image_2", "image_3", "duration", "aspect_ratio",
         "resolution"),
        ("A-1", "no picture", "A mug turns slowly.", "", "", "", "4", "16:9", "1080p"),
        ("A-2", "one", "A bag on a chair.", "photos/front.jpg", "", "", "", "", ""),
        ("A-3", "three", "Shoes, seen from above.", "photos\\back side.png",
         '"photos/detail.webp"', f"{_WEB}/c.jpg?v=123&w=800", "4s", "portrait", "720"),
        ("A-4", "sent as a copy", "A lamp.", "photos/old.bmp", "", "", "10 sec", "16x9", "1080 p"),
        ("A-5", "from the web", "A chair.", f"{_WEB}/chair.jpg", "", "", "6.0", "16:09", ""),
    )  # fmt: skip
    shop.made("manifests/shop.csv")
    shop.table(
        "manifests/id-and-sku.csv",
        ("sku", "id", "prompt", "seconds", "ratio"),
        ("same", "1", "A cup.", "4", "9:16"),
        ("same", "2", "A plate.", "6", "16:9"),
    )
    shop.made("manifests/id-and-sku.csv")
    shop.table(
        "manifests/key-and-id.csv",
        ("id", "Key", "Video Prompt"),
        ("", "007", "A spoon."),
        ("", "7", "A fork."),
        ("", "7.0", "A knife."),
    )
    shop.made("manifests/key-and-id.csv")
    shop.table(
        "manifests/names.csv",
        ("sku", "prompt"),
        *(
            (key, f"Of {key}.")
            for key in (
                "a",
                "A",
                "B/1",
                "B:1",
                "con",
                "shoe",
                "shoe-2",
                ".hidden",
                "-rf",
                "x.mp4",
                "=1+1",
                "\u00df" * 70,
            )
        ),
    )
    shop.made("manifests/names.csv")


def unkeyed(shop: Making) -> None:
    """Rows without a key, told apart by their contents; equal ones; pictures in one column."""
    shop.config()
    shop.picture("manifests/a.jpg", 10)
    shop.picture("manifests/b.png", 90)
    shop.picture("manifests/c.webp", 170)
    shop.table(
        "manifests/equal.csv",
        ("note", "prompt", "duration"),
        ("first", "A red mug.", "4"),
        ("second", "A red mug.", "4"),
        ("other seconds", "A red mug.", "6"),
        ("third, with blanks", "  A  red mug. ", " 4"),
        ("the same otherwise", "A red mug.", "4s"),
    )
    shop.made("manifests/equal.csv")
    shop.table(
        "manifests/equal-keyed.csv",
        ("sku", "prompt", "duration"),
        ("E1", "A red mug.", "4"),
        ("E2", "A red mug.", "4"),
        ("E3", "A red mug.", "4"),
    )
    shop.made("manifests/equal-keyed.csv")
    shop.table(
        "manifests/separated.csv",
        ("prompt", "images", "resolution"),
        ("Bars.", f"a.jpg|b.png | {_WEB}/c.jpg", "1080p"),
        ("Semicolons.", "a.jpg; b.png;c.webp", ""),
        ("Lines.", f"a.jpg\n{_WEB}/b.jpg\r\nc.webp\n", ""),
        ("One.", "./b.png", ""),
        ("None.", "", ""),
    )
    shop.made("manifests/separated.csv")


def foreign(shop: Making) -> None:
    """Headers in German, named in the configuration, in a file of cp1252 with semicolons."""
    shop.config(
        manifest={
            "key": "Artikelnummer",
            "encoding": "cp1252",
            "columns": {
                "Videotext": "prompt",
                "Bild vorne": "image_1",
                "Länge": "duration",
                "Format": "aspect_ratio",
                "Auflösung": "resolution",
            },
        }
    )
    shop.picture("manifests/grün.jpg", 80)
    rows = (
        ("Artikelnummer", "Größe", "Videotext", "Bild vorne", "Länge", "Format", "Auflösung"),
        ("00042", "M", "Ein grüner Becher für Tee \u2013 schön.", "grün.jpg", "4", "16:9", "1080p"),
        ("Ä-7", "L", "Schuhe aus Straßburg, 49,90 €.", "", "6", "9:16", ""),
    )
    shop.table("manifests/waren.csv", *rows, delimiter=";", encoding="cp1252")
    shop.made("manifests/waren.csv")
    columns = {"Videotext": "prompt", "Länge": "duration", "Format": "aspect_ratio"}
    shop.config(name="without-key.yaml", manifest={"encoding": "cp1252", "columns": columns})
    shop.table("manifests/ohne.csv", *rows, delimiter=";", encoding="cp1252")
    shop.made("manifests/ohne.csv", "--config", "without-key.yaml")
    shop.config(
        name="japanese.yaml",
        manifest={"columns": {"動画の説明": "prompt", "秒": "duration", "商品番号": "key"}},
    )
    shop.table(
        "manifests/japanese.csv",
        ("商品番号", "動画の説明", "秒"),
        ("茶碗-1", "木の机の上の青い茶碗。", "\uff14"),
        ("靴-2", "赤い靴がゆっくり回る。", "\uff16"),
        encoding="utf-16",
    )
    shop.made("manifests/japanese.csv", "--config", "japanese.yaml")


_LATER = (
    "look", "video_look", "review", "review_note", "new_prompt", "audio", "seed", "model",
    "video_model", "negative_prompt",
)  # fmt: skip
_OTHERS = (
    "Look", "Seed", "Audio", "Model", "Video Model", "take", "result", "decision", "approved",
    "reason", "comment", "series", "variant", "style", "camera", "watermark", "image_4",
    "reference_image", "first_frame", "last_frame", "generation_type", "quality", "fps", "voice",
)  # fmt: skip


def later_words(shop: Making) -> None:
    """Columns of the user's own whose names mean something to later versions."""
    shop.config()
    first = ("turntable", "macro", "approved", "too dark", "A blue mug, better.", "true", "42",
             "MUG-2026", "veo3.1-fast", "no text")  # fmt: skip
    second = ("push-in", "in use", "rejected", "", "", "false", "7", "M 2", "grok-video-1.5",
              "blurred, low quality")  # fmt: skip
    empty = ("",) * len(_LATER)
    shop.table(
        "manifests/keyed.csv",
        ("sku", "prompt", *_LATER),
        ("L1", "A blue mug.", *first),
        ("L2", "A green mug.", *second),
        ("L3", "A white mug.", *empty),
    )
    shop.made("manifests/keyed.csv")
    shop.table(
        "manifests/unkeyed.csv",
        ("prompt", *_LATER, "duration"),
        ("A blue mug.", *first, "4"),
        ("A blue mug.", *second, "4"),
        ("A blue mug.", *empty, "4"),
        ("A green mug.", *second, "6"),
    )
    shop.made("manifests/unkeyed.csv")
    # One header for each meaning: as they are compared, Seed and seed would be the same twice.
    shop.table(
        "manifests/unkeyed-others.csv",
        ("prompt", *_OTHERS),
        ("A cap.", *(f"{name} 1" for name in _OTHERS)),
        ("A cap.", *(f"{name} 2" for name in _OTHERS)),
    )
    shop.made("manifests/unkeyed-others.csv")
    book = _book((
        "Mugs",
        (("prompt", *_LATER), ("A mug of tin.", *first[:5], True, 42, 2026, *first[8:]),
         ("A mug of tin.", *empty)),
    ))  # fmt: skip
    shop.data("manifests/unkeyed-book.xlsx", _saved(book))
    shop.made("manifests/unkeyed-book.xlsx")


def unread_words(shop: Making) -> None:
    """Columns that nobody read on 22 November, though they are called nearly like a field."""
    shop.config()
    names = (
        "Artikelnummer", "Art.-Nr.", "handle", "EAN", "Bild", "Foto", "picture_url", "photo_url",
        "img", "images_list", "pictures_url", "length", "Dauer", "format", "orientation", "quality",
        "text", "description", "title", "video text", "beschreibung",
    )  # fmt: skip
    first = ("00042", "A/7", "blue-mug", "4006381333931", "blau.jpg", "blau.png", f"{_WEB}/1.jpg",
             f"{_WEB}/2.jpg", "3.jpg", "a.jpg|b.jpg|c.jpg", f"{_WEB}/4.jpg", "10", "10", "9:16",
             "portrait", "1080p", "Buy now!", "A fine mug.", "Mug, blue", "Another text.",
             "Ein Becher.")  # fmt: skip
    second = ("00043", *first[1:])
    shop.table("manifests/keyed.csv", ("id", "prompt", *names), ("U1", "A mug.", *first),
               ("U2", "A mug.", *second))  # fmt: skip
    shop.made("manifests/keyed.csv")
    shop.table("manifests/unkeyed.csv", ("prompt", *names), ("A mug.", *first),
               ("A mug.", *second), ("A jug.", *second))  # fmt: skip
    shop.made("manifests/unkeyed.csv")


def invisible(shop: Making) -> None:
    """Characters that nobody sees, in and around prompts, keys, headers and values; emoji."""
    shop.config()
    shop.picture("manifests/photos/a.jpg", 30)
    prompts = (
        f"{_LRM}A mug{_LRM} on a table.{_LRM}",
        f"{_NBSP}A{_NBSP}bag,{_ZWSP} seen from{_ZWSP} above.{_NBSP}",
        f"{_BOM}A lamp{_BOM}.",
        f"I {_HEART} shoes {_SHOE}, {_FAMILY} and {_FLAG}.{_VS16}",
        f"{_ZWJ}A cap\u00ad with a soft hy\u00adphen{_ZWJ}.",
        "Cafe\u0301 noir, \ufb01ne, \uff21.",
        "\u202bA scarf\u202c \u2068in\u2069 wool\u2060.\u200f",
    )
    keys = (f"{_LRM}K1{_LRM}", f"K{_ZWSP}2", f"{_NBSP}K{_NBSP}3 ", f"K4 {_HEART}", f"{_SHOE}",
            "Cafe\u0301", f"K7\u2060 {_FAMILY}")  # fmt: skip
    forms = ("4", f"{_LRM}4", f"4{_ZWSP}", f"{_NBSP}6{_NBSP}", "\uff14", "6\u00ad", "4 s\u200f")
    frames = ("16:9", f"{_LRM}16:9{_LRM}", "9\uff1a16", "", "16\u00d79", f"{_ZWSP}", "9:16\ufeff")
    images = ("", f"{_LRM}photos/a.jpg", "", f"{_WEB}/\u00e4.jpg", "", f"photos/a.jpg{_ZWSP}", "")
    rows = list(zip(prompts, forms, frames, images, strict=True))
    heads = (f"{_LRM}prompt{_LRM}", f"dur{_ZWSP}ation", f"Aspect{_NBSP}Ratio", f"{_BOM}image_1")
    shop.table(
        "manifests/keyed.csv",
        (f"{_BOM}S{_LRM}KU", *heads),
        *((key, *row) for key, row in zip(keys, rows, strict=True)),
        encoding="utf-8-sig",
    )
    shop.made("manifests/keyed.csv")
    shop.table("manifests/unkeyed.csv", heads, *rows)
    shop.made("manifests/unkeyed.csv")
    # The same to the eye, so that they are equal rows.
    shop.table("manifests/equal.csv", ("prompt",), ("A mug.",), (f"A{_LRM} mug.",),
               (f"A{_NBSP}mug.{_ZWSP}",), (f"A mug.{_VS16}",))  # fmt: skip
    shop.made("manifests/equal.csv")
    book = _book((
        f"Tabelle{_NBSP}1",
        ((f"sku{_LRM}", f"prompt{_NBSP}", f"{_LRM}duration"),
         (f"X1{_LRM}", f"{_LRM}A mug {_HEART}.", f"{_LRM}4"),
         (f"X{_ZWJ}2", f"A bag {_FAMILY}.{_NBSP}", 6.0)),
    ))  # fmt: skip
    shop.data("manifests/book.xlsx", _saved(book))
    shop.made("manifests/book.xlsx")


def workbooks(shop: Making) -> None:
    """Workbooks with several sheets, and with keys, dates and seconds as numbers in formats."""
    shop.config()
    head = ("sku", "prompt", "duration", "aspect_ratio", "price")
    formats = (
        head,
        ((42, "00000"), "A mug.", (4, '0 "s"'), (0.672916666666667, "h:mm"), (4, '0.00 "€"')),
        ((42, '"SKU-"00000'), "A bag.", 4.0, "9:16", 4.5),
        ((date(2026, 11, 22), "yyyy-mm-dd"), "A cap.", (6, "0.0"), (0.386111111111, "hh:mm"), 1),
        ((0.5, "0%"), "A lamp.", "10", None, None),
        ("00042a", "A shoe.", None, None, None),
        (42, "A scarf.", 4, None, None),
        ((12345.678, "#,##0.00"), "A glove.", 4, None, None),
        (True, "A hat.", 4, None, None),
    )
    others = (head, ("B1", "From another sheet.", 4, None, None))
    notes = (("something else",), ("nothing of ours",))
    sheets = (("Notes", notes), ("Frühjahr 2026", formats), ("Herbst", others))
    shop.data("manifests/formats.xlsx", _saved(_book(*sheets, hidden=("Notes",))))
    shop.made("manifests/formats.xlsx")
    shop.data("manifests/autumn.xlsx", _saved(_book(*sheets, hidden=("Notes",))))
    shop.config(name="by-name.yaml", manifest={"sheet": "Herbst"})
    shop.made("manifests/autumn.xlsx", "--config", "by-name.yaml")
    shop.data("manifests/third.xlsx", _saved(_book(*sheets)))
    shop.config(name="by-number.yaml", manifest={"sheet": 3})
    shop.made("manifests/third.xlsx", "--config", "by-number.yaml")
    unkeyed = tuple(row[1:] for row in formats[:5])
    shop.data("manifests/unkeyed.xlsx", _saved(_book(("Tabelle1", unkeyed), ("Other", others))))
    shop.made("manifests/unkeyed.xlsx")


def _sheets() -> tuple[Any, Any, Any]:
    """A sheet of formats, one with hidden rows, and one without keys."""
    sheet = _corpus("sheet")
    number, formula = sheet.Number, sheet.Formula
    head = ["sku", "prompt", "duration", "aspect_ratio", "resolution"]
    formats = sheet.Sheet([
        head,
        [number(7.0, "00000"), "A mug.", number(4.0, '0 "s"'), number(0.672916666666667, "h:mm")],
        [number(42.0, '"SKU-"00000'), "A b\u00e4g \u2764\ufe0f.", 4.0, "9:16", "720"],
        [42.0, "A cap.", formula(6.0), number(0.386111111111111, "h:mm")],
        [number(0.5, "0%"), formula("A lamp."), "10", None, 1080.0],
        [number(42.0, "000-000"), "A shoe."],
    ], name="Products")  # fmt: skip
    hidden = sheet.Sheet(
        [head, ["H1", "Shown.", 4.0], ["H2", "Hidden.", 4.0], ["H3", "Shown, too.", 6.0]],
        name="Products", hidden=(3,),
    )  # fmt: skip
    unkeyed = sheet.Sheet([
        ["prompt", "duration", "stock"],
        ["A mug.", number(4.0, "0.0"), 3.0],
        ["A mug.", 4.0, 4.0],
        ["A mug.", "4", 5.0],
        [f"A bag{_LRM}.", 10.0, number(0.25, "0 %")],
    ], name="Products")  # fmt: skip
    return formats, hidden, unkeyed


def older_workbooks(shop: Making) -> None:
    """Workbooks of Excel 97: formats of numbers, hidden rows, a hidden sheet before, no keys."""
    xls, notes = (
        _corpus("biffbooks").xls,
        _corpus("sheet").Sheet([["x"], ["1"]], "Notes", shown=False),
    )
    formats, hidden, unkeyed = _sheets()
    shop.config()
    shop.config(name="skip.yaml", manifest={"hidden_rows": "skip", "sheet": "Products"})
    shop.config(name="include.yaml", manifest={"hidden_rows": "include"})
    shop.data("manifests/formats.xls", xls(notes, formats))
    shop.made("manifests/formats.xls")
    shop.data("manifests/hidden.xls", xls(notes, hidden))
    shop.made("manifests/hidden.xls", "--config", "skip.yaml")
    shop.data("manifests/all-rows.xls", xls(hidden))
    shop.made("manifests/all-rows.xls", "--config", "include.yaml")
    shop.data("manifests/unkeyed.xls", xls(unkeyed))
    shop.made("manifests/unkeyed.xls")


def other_workbooks(shop: Making) -> None:
    """The same in OpenDocument sheets and in Excel's binary workbooks."""
    ods, xlsb = _corpus("opendocuments").ods, _corpus("biff12books").xlsb
    notes = _corpus("sheet").Sheet([["x"], ["1"]], "Notes", shown=False)
    formats, hidden, unkeyed = _sheets()
    shop.config()
    shop.config(name="skip.yaml", manifest={"hidden_rows": "skip"})
    shop.data("manifests/formats.ods", ods(notes, formats))
    shop.made("manifests/formats.ods")
    shop.data("manifests/unkeyed.ods", ods(unkeyed))
    shop.made("manifests/unkeyed.ods")
    shop.data("manifests/hidden.ods", ods(hidden))
    shop.made("manifests/hidden.ods", "--config", "skip.yaml")
    shop.data("manifests/binary.xlsb", xlsb(notes, formats))
    shop.made("manifests/binary.xlsb")


def texts(shop: Making) -> None:
    """Text files as programs write them: tabs, bars, sep=, UTF-16, line breaks in cells."""
    shop.config()
    shop.text("manifests/tabs.tsv", "sku\tprompt\tduration", "T1\tA mug, blue.\t4",
              'T2\t"A bag\twith a tab."\t6')  # fmt: skip
    shop.made("manifests/tabs.tsv")
    shop.text("manifests/bars.txt", "prompt|ratio", "A mug.|9:16", "A mug.|16/9", end="\r\n")
    shop.made("manifests/bars.txt")
    shop.text("manifests/sep.csv", "sep=;", "sku;prompt;duration", "S1;A mug, of tin;4,0",
              "", " S2 ;  A bag  ;4", ";;")  # fmt: skip
    shop.made("manifests/sep.csv")
    shop.table(
        "manifests/breaks.csv",
        ("prompt", "note"),
        ("Two\nlines.", "a"),
        ("Two\r\nlines.", "b"),
        ('A 5" mug, "blue".', "c"),
        ("'=1+1 as a prompt", "d"),
        encoding="utf-8-sig",
    )
    shop.made("manifests/breaks.csv")
    shop.table("manifests/wide.csv", ("id", "prompt"), ("W1", "Größe"), ("W2", "红色的鞋子"),
               delimiter="\t", encoding="utf-16")  # fmt: skip
    shop.made("manifests/wide.csv")


_PROMPT = (
    "Product video of {{ title | lower }}{% if colour %} in {{ colour }}{% endif %}. "
    "{{ row['Body (HTML)'] | striphtml | truncate(60) }}"
)


def templates(shop: Making) -> None:
    """Prompts made of other columns, and names of videos from both kinds of template."""
    shop.config(manifest={"prompt_template": _PROMPT}, output={"name": "{key}-{colour}"})
    rows = (
        ("Title", "Colour", "Body (HTML)", "prompt"),
        (
            "Mug",
            "Red",
            "<p>Fine &amp; <b>soft</b> clay from Limoges, fired twice.</p><p>Dry</p>",
            "",
        ),
        ("Mug", "", "<ul><li>Light</li><li>Strong</li></ul>", ""),
        ("Bag", "Blue/Green", "Plain.", "A prompt of its own."),
        ("Bag", "Blue", f"Plain{_NBSP}{_HEART}.", f" {_NBSP}"),
    )
    keys = ("SKU", "M 1", "M 2", "B:3", "B 4")
    shop.table("manifests/keyed.csv", *((key, *row) for key, row in zip(keys, rows, strict=True)))
    shop.made("manifests/keyed.csv")
    shop.config(name="unkeyed.yaml", manifest={"prompt_template": _PROMPT})
    shop.table("manifests/unkeyed.csv", *rows)
    shop.made("manifests/unkeyed.csv", "--config", "unkeyed.yaml")
    name = "{{ title | lower | replace(' ', '-') | truncate(12) }}_{{ key }}"
    shop.config(
        name="no-prompt.yaml",
        manifest={"prompt_template": "{{ title }} at {{ price | default('a fair price') }}"},
        output={"name": name},
    )
    book = _book((
        "P",
        (("key", "Title", "Price", "duration"), ((7, "000"), "Long Tall Mug", (4, '0.00 "€"'), 4),
         ("8", "Bag", (0.125, "0.0 %"), None), ("9", "Cap", None, None)),
    ))  # fmt: skip
    shop.data("manifests/no-prompt.xlsx", _saved(book))
    shop.made("manifests/no-prompt.xlsx", "--config", "no-prompt.yaml")


def merged(shop: Making) -> None:
    """Merged cells that are filled, with and without keys."""
    shop.config(manifest={"fill_merged": True})
    rows = (
        ("sku", "prompt", "duration", "image_1"),
        ("M1", "A mug for all three.", 4, f"{_WEB}/mug.jpg"),
        ("M2", None, 6, None),
        ("M3", None, None, f"{_WEB}/other.jpg"),
    )
    for name, first in (("keyed", 0), ("unkeyed", 1)):
        book = _book(("Sheet1", tuple(row[first:] for row in rows)))
        book.worksheets[0].merge_cells("A2:A4" if first else "B2:B4")
        book.worksheets[0].merge_cells("C2:C3" if first else "D2:D3")
        shop.data(f"manifests/{name}.xlsx", _saved(book))
        shop.made(f"manifests/{name}.xlsx")


def settings(shop: Making) -> None:
    """A configuration in which nearly everything is set, `api.in_doubt: hold` among it."""
    shop.config(
        api={
            "base_url": f"{BASE_URL}/v1",
            "model": "gemini-omni-flash",
            "submit_timeout_s": 60,
            "lookup_s": 5,
            "in_doubt": "hold",
            "missing_grace_s": 5,
            "upload_age_h": 10,
            "client_reference": True,
        },
        limits={"outstanding": 20, "submits_in_flight": 4, "submits_per_minute": 600,
                "polls_per_minute": 6000, "uploads": 2, "downloads": 2, "attempts": 2},
        polling={"first_s": 0.2, "interval_s": 0.1, "floor_s": 0.1, "deadline_s": 60},
        manifest={"image_root": "studio", "images_outside": True, "hidden_rows": "include"},
        images={"prepare": "off"},
        defaults={"duration": 10, "aspect_ratio": "9:16", "resolution": "720P"},
        output={"dir": "outputs", "name": "{key}", "verify": "full"},
        budget={"videos": 10, "video_seconds": 100, "money": 5, "price_per_second": 0.02,
                "currency": "EUR", "per_day": {"videos": 30, "video_seconds": 300, "money": 9}},
    )  # fmt: skip
    shop.picture("studio/a.jpg", 200)
    shop.picture("elsewhere/b.png", 220)
    rows = (
        ("prompt", "image_1", "duration"),
        ("A mug.", "a.jpg", ""),
        ("A bag.", "../elsewhere/b.png", "4"),
        ("A cap.", "", ""),
    )
    shop.table("manifests/unkeyed.csv", *rows)
    shop.made("manifests/unkeyed.csv")
    keys = ("sku", "D1", "D2", "D3")
    shop.table("manifests/keyed.csv", *((key, *row) for key, row in zip(keys, rows, strict=True)))
    shop.made("manifests/keyed.csv")


def starter(shop: Making) -> None:
    """The folder that `init` makes, with its own configuration; only the provider was changed."""
    shop.do("init", ".")
    config = shop.folder / "config.yaml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("\nprovider: rehearsal\n", "\nprovider: toapis\n"), "utf-8")
    shop.run("manifests/products.xlsx", "--set", _HERE, *_QUICK)
    shop.ask("manifests/products.xlsx")


def rehearsed(shop: Making) -> None:
    """Rehearsals, with the configuration that `init` writes and without any."""
    shop.do("init", ".")
    shutil.rmtree(shop.folder / "manifests")
    (shop.folder / "config.yaml").rename(shop.folder / "as-made.yaml")
    shop.table(
        "manifests/shop.csv",
        ("sku", "prompt", "duration", "seed"),
        ("R1", "A mug.", "4", "1"),
        ("R2", "A bag. [fault:query_failed_error]", "4", "2"),
        ("R3", "A cap. [fault:submit_422*all]", "4", "3"),
    )
    shop.run("manifests/shop.csv", "--config", "as-made.yaml", *_QUICK, code=1)
    shop.ask("manifests/shop.csv", "--config", "as-made.yaml")
    shop.table("manifests/unkeyed.csv", ("prompt", "duration", "look"), ("A mug.", "4", "macro"))
    shop.run("manifests/unkeyed.csv", *_QUICK)
    shop.ask("manifests/unkeyed.csv")


def states(shop: Making) -> None:
    """Rows in every state in which a run can leave them; attempts and takes of several numbers."""
    shop.config(
        api={**LIVE["api"], "lookup_s": 0.4, "missing_grace_s": 0.4, "in_doubt": "hold"},
        polling={**LIVE["polling"], "deadline_s": 3},
    )
    shop.picture("manifests/a.jpg", 30)
    shop.picture("manifests/refused.jpg", 90)
    rows = (
        ("sku", "prompt", "image_1", "duration"),
        ("DONE", "A mug.", "a.jpg", "4"),
        ("REDONE", "A bag.", "", "4"),
        ("RETRIED", "A cap. (first it failed)", "", "4"),
        ("FAILED", "A lamp. [fault:query_failed_error]", "", "4"),
        ("REFUSED", "A shoe. [fault:submit_422*all]", "", "4"),
        ("PICTURE", "A sock.", "refused.jpg", "4"),
        ("DOUBT", "A hat. [fault:submit_answer_lost] [fault:query_lookup_unsupported]", "", "4"),
        ("FOUND", "A rug. [fault:submit_answer_lost] [fault:query_lookup_unsupported]", "", "4"),
        ("MISSING", "A cup. [fault:query_not_found]", "", "4"),
        ("BACK", "A pot. [fault:query_not_found]", "", "4"),
        ("EXPIRED", "A pan. [fault:query_no_url*all]", "", "4"),
        ("RUNNING", "A jug. [fault:query_never_finishing]", "", "4"),
        ("LEFT", "A vase. [fault:query_never_finishing]", "", "4"),
        ("INVALID", "A tray.", "", "5"),
        ("NOFILE", "A fan.", "nowhere.jpg", "4"),
    )
    shop.table("manifests/shop.csv", *rows[:4])
    shop.faults("query_failed_error")
    shop.run("manifests/shop.csv", "--only", "RETRIED", code=1)
    shop.faults()
    shop.run("manifests/shop.csv", "--only", "DONE,REDONE")
    shop.do("retry", "manifests/shop.csv")
    shop.run("manifests/shop.csv", "--redo", "REDONE")
    shop.run("manifests/shop.csv", "--redo", "REDONE")
    shop.table("manifests/shop.csv", *rows)
    shop.faults("upload_400")
    shop.run("manifests/shop.csv", "--only", "PICTURE", code=1)
    shop.faults()
    shop.run("manifests/shop.csv", code=3)
    shop.do("retry", "manifests/shop.csv", "--only", "FAILED", code=1)
    shop.table("manifests/shop.csv", *(row for row in rows if row[0] != "LEFT"))
    shop.ask("manifests/shop.csv")
    shop.finish(
        "outputs/shop", "FOUND", "BACK", "RUNNING", "LEFT", clip="outputs/shop/videos/DONE.mp4"
    )


def killed(shop: Making) -> None:
    """A run that was killed: a submission on its way, rows under way, the journal in two files."""
    shop.config(api={**LIVE["api"], "lookup_s": 0.4})
    rows = (
        ("prompt", "sku", "duration"),
        ("A mug.", "K-DONE", "4"),
        ("A bag. [fault:query_never_finishing]", "K-RUNNING", "4"),
        ("A cap. [fault:download_stall*all]", "K-READY", "4"),
        ("A hat. [fault:submit_stall]", "K-SENT", "4"),
    )
    shop.table("manifests/shop.csv", *rows)
    states = {"K-DONE": "done", "K-RUNNING": "running", "K-READY": "ready", "K-SENT": "submitting"}
    shop.killed("run", "manifests/shop.csv", states=states)
    shop.ask("manifests/shop.csv")
    shop.finish(
        "outputs/shop", "K-RUNNING", "K-READY", "K-SENT", clip="outputs/shop/videos/K-DONE.mp4"
    )


def waiting(shop: Making) -> None:
    """Rows that a next run has to submit: they are planned, and not run."""
    shop.config(api={**LIVE["api"], "lookup_s": 0.2})
    shop.table(
        "manifests/shop.csv",
        ("sku", "prompt", "duration"),
        ("W1", "A mug.", "4"),
        ("W2", "A bag. [fault:submit_answer_lost] [fault:query_lookup_unsupported]", "4"),
    )
    shop.run("manifests/shop.csv", code=3)
    shop.do("resolve", "manifests/shop.csv", "W2", "--not-sent")
    shop.ask("manifests/shop.csv", run=False)


def edited(shop: Making) -> None:
    """Manifests that were edited since: what is no input counts for nothing, the rest is said."""
    shop.config()
    keyed = [
        ["sku", "note", "prompt", "duration"],
        ["E1", "a", "A mug.", "4"],
        ["E2", "b", "A bag.", "4"],
        ["E3", "c", "A cap.", "4"],
        ["E4", "d", "A hat.", "4"],
    ]
    shop.table("manifests/edited.csv", *keyed)
    shop.run("manifests/edited.csv")
    shop.table("manifests/reordered.csv", *keyed)
    shop.run("manifests/reordered.csv")
    shop.table("manifests/unkeyed.csv", *(row[1:] for row in keyed), keyed[1][1:])
    shop.run("manifests/unkeyed.csv")
    shop.table("manifests/edited.csv", keyed[0], ["E1", "a", "A mug of tin.", "4"],
               ["E2", "b", "A bag.", "5"], ["E4", "!", "A hat.", "4"])  # fmt: skip
    shop.ask("manifests/edited.csv")
    turned = [keyed[at] for at in (4, 2, 3, 1)]
    shop.table(
        "manifests/reordered.csv",
        ("look", "duration", "prompt", "sku", "seed"),
        *(("macro", row[3], row[2], row[0], str(at)) for at, row in enumerate(turned)),
        delimiter=";",
        encoding="utf-8-sig",
    )
    shop.ask("manifests/reordered.csv")
    shop.table(
        "manifests/unkeyed.csv",
        ("seed", "duration", "prompt"),
        *((str(at), row[3], row[2]) for at, row in enumerate((*turned, keyed[1]))),
    )
    shop.ask("manifests/unkeyed.csv")


def fed_back(shop: Making) -> None:
    """What a run wrote, as a manifest: in its place, and as a manifest of its own."""
    shop.config()
    rows = (
        ("sku", "prompt", "duration"),
        ("F1", "A mug.", "4"),
        ("F2", "A bag. [fault:query_failed_error]", "4"),
        ("F3", "A cap. [fault:submit_422*all]", "4"),
        ("F4", "A hat.", "5"),
    )
    shop.table("manifests/keyed.csv", *rows)
    shop.table("manifests/unkeyed.csv", *(row[1:] for row in rows))
    shop.data("manifests/book.xlsx", _saved(_book(("Data", rows))))
    for name in ("keyed.csv", "unkeyed.csv", "book.xlsx"):
        stem, _, suffix = name.rpartition(".")
        shop.run(f"manifests/{name}", code=1)
        shop.ask(f"manifests/{name}")
        shop.ask(f"outputs/{stem}/failed.{suffix}")
        if stem != "book":
            shop.ask(f"outputs/{stem}/results.{suffix}")
    for stem, suffix in (("keyed", "csv"), ("book", "xlsx")):
        content = (shop.folder / f"outputs/{stem}/results.{suffix}").read_bytes()
        again = f"manifests/again-{stem}.{suffix}"
        shop.data(again, content)
        shop.run(again, code=1)
        shop.ask(again)


def imported(shop: Making) -> None:
    """Manifests that `init` made: of a shop's export, and of a folder of pictures."""
    shop.config()
    shop.table(
        "export.csv",
        ("Handle", "Title", "Body (HTML)", "Vendor", "Type", "Tags", "Published", "Variant SKU",
         "Variant Price", "Image Src", "Image Position", "Variant Image", "Status"),
        ("mug", "Mug, blue", "<p>Fine clay.</p>", "Us", "Mugs", "a, b", "true", "M-1", "9.00",
         f"{_WEB}/mug-1.jpg", "1", "", "active"),
        ("bag", "Bag", "<p>Soft &amp; light</p>", "Us", "Bags", "", "true", "B-1", "19.50",
         f"{_WEB}/bag-1.jpg", "1", "", "active"),
        ("bag", "", "", "", "", "", "", "B-2", "19.50", f"{_WEB}/bag-2.jpg", "2", "", ""),
        ("bag", "", "", "", "", "", "", "", "", f"{_WEB}/bag-3.jpg", "3", "", ""),
    )  # fmt: skip
    shop.do("init", "--from", "shopify", "export.csv", "--output", "manifests/shop.xlsx")
    shop.made("manifests/shop.xlsx")
    shop.picture("manifests/photos/SKU123_front.jpg", 10)
    shop.picture("manifests/photos/SKU123-2.jpg", 40)
    shop.picture("manifests/photos/SKU123-3.png", 70)
    shop.picture("manifests/photos/Mug 7/1.webp", 110)
    prompt = "A slow turn of {{ title }}, {{ pictures }} pictures."
    photos = ("--from-images", "manifests/photos", "--output", "manifests/photos.csv")
    shop.do("init", *photos, "--prompt-template", prompt)
    shop.made("manifests/photos.csv")


def files_gone(shop: Making) -> None:
    """Videos that somebody removed, and a journal all of whose other files are gone."""
    shop.config()
    rows = (("sku", "prompt", "duration"), ("G1", "A mug.", "4"), ("G2", "A bag.", "4"))
    shop.table("manifests/one-gone.csv", *rows)
    shop.run("manifests/one-gone.csv")
    (shop.folder / "outputs/one-gone/videos/G2.mp4").unlink()
    shop.ask("manifests/one-gone.csv", exact=False)
    shop.table("manifests/journal-alone.csv", *(row[1:] for row in rows))
    shop.run("manifests/journal-alone.csv")
    for path in (shop.folder / "outputs/journal-alone").iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != "journal.db":
            path.unlink()
    shop.ask("manifests/journal-alone.csv", exact=False)


RECIPES = (
    keyed, unkeyed, foreign, later_words, unread_words, invisible, workbooks, older_workbooks,
    other_workbooks, texts, templates, merged, settings, starter, rehearsed, states, killed,
    waiting, edited, fed_back, imported, files_gone,
)  # fmt: skip
