"""The older and the open format: whatever holds for .xlsx holds for them as well."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from io import BytesIO

from tests.corpus.biffbooks import xls
from tests.corpus.case import Case, lines
from tests.corpus.opendocuments import ods
from tests.corpus.sheet import Error, Formula, Number, Sheet
from tests.corpus.workbooks import compound, row, xlsx, zipped

MAKERS: dict[str, Callable[..., bytes]] = {"xls": xls, "ods": ods}
HEADER = ["sku", "prompt", "duration", "aspect_ratio"]
GOOD = Sheet([HEADER, ["A", "A shoe", 4.0, "16:9"], ["B", "A bag", 5.0, "9:16"]], name="Products")
BAD = ((3, "duration", "duration_not_allowed"),)
OTHER = Sheet([["something else"], ["1"]], name="Notes")
SECRET = Sheet([["something else"], ["1"]], name="Notes", shown=False)
HIDDEN = Sheet([HEADER, ["A", "x", 5.0], ["B", "y", 4.0]], hidden=(2,))
FILTERED = Sheet([HEADER, ["A", "x", 5.0], ["B", "y", 4.0], ["C", "z", 6.0]], flat=(2, 4))
MERGED = Sheet([HEADER, ["A", "x", 4.0], ["B", None, 4.0], ["C", "z", 4.0]], merges=((2, 1, 3, 1),))
FRAMES = Sheet([
    HEADER,
    ["A", "x", 4.0, Number(0.672916666666667, "h:mm")],
    ["B", "x", 4.0, Number(0.386111111111111, "h:mm")],
    ["C", "x", 4.0, 0.672916666666667],
    ["D", "x", 4.0, Number(0.5, "h:mm")],
])  # fmt: skip
PADDED = Sheet([
    ["sku", "prompt", "duration", "off", "price"],
    [Number(7.0, "00000"), None, 4.0, Number(0.5, "0%"), Number(4.0, '0.00 "€"')],
    [Number(42.0, '"SKU-"00000'), None, Number(6.0, '0 "s"'), Number(0.125, "0.0 %"), 4.5],
])  # fmt: skip
PADDED_TEMPLATE = 'manifest.prompt_template="{{ off }} off, {{ price }}"'
ZEROS = Sheet([
    ["sku", "Title"],
    [Number(42.0, "000-000"), Number(0.672916666666667, "h:mm")],
    [Number(42.0, "000,000"), Number(0.604166666666667, "h:mm")],
    [Number(42.0, "[Red]00000"), Number(0.604513888888889, "h:mm:ss")],
    [Number(-42.0, "000;(000)"), Number(-7.0, "[Red]00000")],
    [Number(42.0, "[>100]000;00000"), "x"],
])  # fmt: skip
TITLED = Sheet([["Spring 2026"], HEADER, ["A", "x", 4.0]], merges=((1, 0, 1, 3),))
ERRORS = Sheet([
    [*HEADER, "note"],
    ["A", Error("#N/A"), 4.0],
    ["B", "y", Error("#DIV/0!")],
    ["C", "z", 4.0, None, Error("#REF!")],
])  # fmt: skip
CACHED = Sheet([HEADER, ["A", Formula("A shoe"), Formula(4.0)], ["B", "y", 5.0]])
NEVER = Sheet([HEADER, ["A", Formula(None), 4.0], ["B", "y", 4.0]])
EMPTY_TEXT = Sheet([[*HEADER, "image_1"], ["A", "x", 4.0, None, Formula("")]])
# A package whose workbook is no XML, and nothing of it is ever looked at.
BINARY = zipped({"xl/workbook.bin": "?"})
AS_XLSX = "save it as an Excel workbook (.xlsx)"
LONG = Sheet([HEADER, [123456789012345678.0, "x", 4.0], ["B", "y", 4.0]])


def _cut(data: bytes) -> bytes:
    return data[: len(data) * 2 // 3]


def _of(suffix: str) -> list[Case]:
    """One file for each rule."""
    make, file = MAKERS[suffix], f"shop.{suffix}"
    hidden = "1 row is hidden or filtered out"
    return [
        Case(f"{suffix}", make(GOOD), file, problems=BAD, valid=(2,), sent={2: "A shoe"}),
        Case(f"{suffix}-first-visible-sheet", make(SECRET, GOOD), file, problems=BAD, valid=(2,)),
        Case(f"{suffix}-sheet-by-name", make(OTHER, GOOD), file, problems=BAD, valid=(2,),
             settings=("manifest.sheet=products",)),
        Case(f"{suffix}-sheet-by-number", make(OTHER, GOOD), file, problems=BAD, valid=(2,),
             settings=("manifest.sheet=2",)),
        Case(f"{suffix}-sheet-that-is-not-there", make(OTHER, GOOD), file,
             settings=("manifest.sheet=Prodcts",), refused="no sheet 'Prodcts'",
             says=("1 'Notes', 2 'Products'",)),
        Case(f"{suffix}-empty-sheet", make(Sheet([])), file, refused="'Sheet1' is empty"),
        Case(f"{suffix}-hidden-rows", make(HIDDEN), file, refused=hidden,
             says=("manifest.hidden_rows", "(row 2)")),
        Case(f"{suffix}-hidden-rows-included", make(HIDDEN), file, valid=(3,),
             settings=("manifest.hidden_rows=include",),
             problems=((2, "duration", "duration_not_allowed"),)),
        Case(f"{suffix}-hidden-rows-skipped", make(HIDDEN), file, valid=(3,),
             settings=("manifest.hidden_rows=skip",)),
        Case(f"{suffix}-filtered-rows", make(FILTERED), file,
             refused="2 rows are hidden or filtered out", says=("(rows 2 and 4)",)),
        Case(f"{suffix}-merged-cells", make(MERGED), file, valid=(2, 4),
             problems=((3, "prompt", "merged_cell"),), says=("B3", "Unmerge")),
        Case(f"{suffix}-merged-cells-filled", make(MERGED), file, valid=(2, 3, 4),
             settings=("manifest.fill_merged=true",), sent={3: "x"}),
        Case(f"{suffix}-frames-as-times", make(FRAMES), file, valid=(2, 3, 4),
             problems=((5, "aspect_ratio", "aspect_ratio_not_allowed"),),
             sent={2: (4, "16:9", "720P"), 3: (4, "9:16", "720P"), 4: (4, "16:9", "720P")}),
        Case(f"{suffix}-padded", make(PADDED), file, keys=("00007", "SKU-00042"), valid=(2, 3),
             settings=(PADDED_TEMPLATE,),
             sent={2: "50% off, 4.00 €", 3: "12.5 % off, 4.5"}),
        Case(f"{suffix}-zeros-and-times", make(ZEROS), file, valid=(2, 3, 4, 5),
             keys=("000-042", "000,042", "00042", "(042)", "42"),
             problems=((6, "sku", "format_not_understood"),), says=("A6 holds 42", "as Text"),
             settings=('manifest.prompt_template="At {{ title }}"',),
             sent={2: "At 16:09", 3: "At 14:30", 4: "At 14:30:30", 5: "At -00007"}),
        Case(f"{suffix}-title-above-the-headers", make(TITLED), file,
             refused="row 2 looks like the headers", says=("'Spring 2026'", "Delete row 1")),
        Case(f"{suffix}-that-is-nothing", bytes(range(256)) * 2, file,
             refused="it is not a spreadsheet at all"),
        Case(f"{suffix}-digits-lost", make(LONG), file, valid=(3,),
             problems=((2, "sku", "digits_lost"),), says=("A2 is a number of 18 digits",)),
        Case(f"{suffix}-error-values", make(ERRORS), file, valid=(4,),
             problems=((2, "prompt", "error_value"), (3, "duration", "error_value")),
             says=("B2 holds the error value #N/A", "C3 holds the error value #DIV/0!")),
        Case(f"{suffix}-formulas-with-values", make(CACHED), file, problems=BAD, valid=(2,),
             sent={2: "A shoe"}),
        Case(f"{suffix}-formulas-never-calculated", make(NEVER), file, valid=(3,),
             problems=((2, "prompt", "formula_not_calculated"),), says=("B2",)),
        # Only .ods shows the formula itself, and this one does not say that it may be empty.
        Case(f"{suffix}-formula-of-an-empty-text", make(EMPTY_TEXT), file,
             valid=() if suffix == "ods" else (2,),
             problems=((2, "image_1", "formula_empty" + ("" if suffix == "ods" else "_meant")),)),
        Case(f"{suffix}-cut-off", _cut(make(GOOD)), file, refused="damaged or incomplete"),
        Case(f"{suffix}-no-bytes", b"", file, refused="0 bytes"),
        Case(f"{suffix}-lock-file", b"\x05Someone", f"~${file}", refused="lock file"),
        Case(f"{suffix}-that-is-text", lines("sku,prompt", "A,x"), file,
             refused="it is a text file", says=("shop.csv",)),
        *(_renamed(suffix, other) for other in MAKERS if other != suffix),
        Case(f"{suffix}-called-xlsx", make(GOOD), "shop.xlsx", refused="named .xlsx, but it is",
             says=(f"Rename it to {file}",)),
        Case(f"{suffix}-called-csv", make(GOOD), "shop.csv", refused="named .csv, but it is",
             says=(f"Rename it to {file}",)),
        Case(f"xlsx-called-{suffix}", xlsx(row(1, "sku", "prompt")), file,
             refused=f"named .{suffix}, but it is an Excel workbook",
             says=("Rename it to shop.xlsx",)),
    ]  # fmt: skip


def _renamed(suffix: str, other: str) -> Case:
    return Case(
        f"{suffix}-called-{other}",
        MAKERS[suffix](GOOD),
        f"shop.{other}",
        refused=f"named .{other}, but it is",
        says=(f"Rename it to shop.{suffix}",),
    )


def _bomb(data: bytes, part: str, filler: bytes) -> bytes:
    """The package with a part that goes on and on."""
    parts = {}
    with zipfile.ZipFile(BytesIO(data)) as package:
        for name in package.namelist():
            content = package.read(name)
            parts[name] = content + filler * (60_000_000 // len(filler)) * (name == part)
    target = BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as copy:
        for name, content in parts.items():
            copy.writestr(name, content)
    return target.getvalue()


CASES = (
    *_of("xls"),
    *_of("ods"),
    Case("xls-password", xls(GOOD, password=True), "shop.xls", refused="protected by a password"),
    Case("xlsb", BINARY, "shop.xlsb", refused="a binary Excel workbook", says=(AS_XLSX,)),
    Case("xlsb-password", compound(b"x", "EncryptedPackage"), "shop.xlsb",
         refused="a binary Excel workbook", says=(AS_XLSX,)),
    Case("xlsb-called-xlsx", BINARY, "shop.xlsx", refused="a binary Excel workbook",
         says=(AS_XLSX,)),
    Case("xlsb-called-csv", BINARY, "shop.csv", refused="a binary Excel workbook",
         says=(AS_XLSX,)),
    Case("ods-password", ods(GOOD, password=True), "shop.ods", refused="protected by a password"),
    Case("ods-password-as-a-whole", zipped({"mimetype": "x", "encrypted-package": "?"}),
         "shop.ods", refused="protected by a password"),
    Case("xls-of-excel-4", b"\x09\x04\x06\x00\x00\x00\x10\x00\x00\x00", "shop.xls",
         refused="before 5.0"),
    Case("doc-called-xls", compound(b"x", "WordDocument"), "shop.xls", refused="no workbook"),
    Case("ods-bomb", _bomb(ods(GOOD), "content.xml", b" " * 60), "shop.ods",
         refused="would unpack"),
)  # fmt: skip
