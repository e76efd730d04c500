"""Workbooks as people and programs leave them."""

from __future__ import annotations

from tests.corpus.case import Case, lines
from tests.corpus.workbooks import compound, number, row, text, xlsx, zipped

FILE = "shop.xlsx"
HEADER = row(1, "sku", "prompt", "duration")
GOOD = HEADER + row(2, "A", "A shoe", 4) + row(3, "B", "A bag", 5)
BAD = ((3, "duration", "duration_not_allowed"),)
OTHER = row(1, "something else") + row(2, "1")
HIDDEN = HEADER + row(2, "A", "x", 5, attributes=' hidden="1"') + row(3, "B", "y", 4)
FILTERED = HEADER + row(2, "A", "x", 5, attributes=' ht="0" customHeight="1"') + row(3, "B", "y", 4)
MERGED = HEADER + row(2, "A", "x", 4) + row(3, "B", None, 4) + row(4, "C", "z", 4)
MERGE = '<mergeCells count="1"><mergeCell ref="B2:B3"/></mergeCells>'


def _cells(name: str, *rows: str, formats: tuple[str, ...] = (), **expected: object) -> Case:
    header = row(1, "sku", "prompt", "duration", "aspect_ratio", "note")
    data = xlsx(header + "".join(rows), formats=formats)
    return Case(name, data, FILE, **expected)  # type: ignore[arg-type]  # fields of Case


def _formula(address: str, formula: str, value: str = "", kind: str = "") -> str:
    typed = f' t="{kind}"' if kind else ""
    return f'<c r="{address}"{typed}><f>{formula}</f>{f"<v>{value}</v>" if value else ""}</c>'


def _error(address: str, name: str) -> str:
    return f'<c r="{address}" t="e"><v>{name}</v></c>'


# Error values younger than most that read workbooks.
YOUNG = ("#SPILL!", "#CALC!", "#GETTING_DATA", "#ERROR!", "#FIELD!", "#BLOCKED!", "#BUSY!")
CASES = (
    Case("plain", xlsx(GOOD), FILE, problems=BAD, valid=(2,)),
    Case("with-macros", xlsx(GOOD), "shop.xlsm", problems=BAD, valid=(2,)),
    Case("first-visible-sheet", xlsx(OTHER, GOOD, states=("hidden", "visible")), FILE,
         problems=BAD, valid=(2,)),
    Case("sheet-by-name", xlsx(OTHER, GOOD, names=("Notes", "Products")), FILE,
         settings=("manifest.sheet=products",), problems=BAD, valid=(2,)),
    Case("sheet-by-number", xlsx(OTHER, GOOD), FILE, settings=("manifest.sheet=2",),
         problems=BAD, valid=(2,)),
    Case("sheet-that-is-not-there", xlsx(OTHER, GOOD), FILE, settings=("manifest.sheet=Prodcts",),
         refused="no sheet 'Prodcts'", says=("1 'Sheet 1', 2 'Sheet 2'",)),
    Case("empty-sheet", xlsx(""), FILE, refused="'Sheet 1' is empty"),
    Case("wrong-dimension", xlsx(GOOD, before='<dimension ref="A1:XFD1048576"/>'), FILE,
         problems=BAD, valid=(2,)),
    Case("too-small-dimension", xlsx(GOOD, before='<dimension ref="A1"/>'), FILE,
         problems=BAD, valid=(2,)),
    Case("styled-blank-tail", xlsx(GOOD + "".join(f'<row r="{n}" s="0"><c r="A{n}" s="0"/></row>'
         for n in range(4, 3000))), FILE, problems=BAD, valid=(2,)),
    Case("a-blank-in-the-last-row", xlsx(GOOD + row(1_048_576, " ")), FILE,
         problems=BAD, valid=(2,)),
    Case("table-in-the-middle", xlsx(row(4, None, "sku", "prompt", "duration")
         + row(6, None, "A", "x", 4) + row(7, None, "B", "y", 5)), FILE,
         problems=((7, "duration", "duration_not_allowed"),), valid=(6,), says=()),
    _cells("frames-as-times", row(2, "A", "x", 4, number("D2", 0.672916666666667, 1)),
           row(3, "B", "x", 4, number("D3", 0.386111111111111, 1)),
           row(4, "C", "x", 4, number("D4", 0.672916666666667)),
           row(5, "D", "x", 4, number("D5", 0.5, 1)), formats=("h:mm",),
           problems=((5, "aspect_ratio", "aspect_ratio_not_allowed"),), valid=(2, 3, 4),
           sent={2: (4, "16:9", "720P"), 3: (4, "9:16", "720P"), 4: (4, "16:9", "720P")}),
    _cells("numbers", row(2, 4.0, "x", 4.0), row(3, 123456789012345, "y", 6.5),
           keys=("4", "123456789012345"), valid=(2,),
           problems=((3, "duration", "duration_not_allowed"),)),
    _cells("digits-lost", row(2, number("A2", "123456789012345678"), "x", 4), row(3, "B", "y", 4),
           problems=((2, "sku", "digits_lost"),), valid=(3,)),
    _cells("digits-lost-elsewhere", row(2, "A", "x", 4, None, number("E2", "123456789012345678")),
           valid=(2,)),
    _cells("zero-padding", row(2, number("A2", 7, 1), "x", 4), row(3, number("A3", 12345, 1), "y"),
           formats=("00000",), keys=("00007", "12345"), valid=(2, 3)),
    _cells("word-padding", row(2, number("A2", 7, 1), "x", number("C2", 4, 2)), formats=(
           '"SKU-"0000', '0" s"'), keys=("SKU-0007",), valid=(2,)),
    Case("shares-and-prices", xlsx(row(1, "sku", "off", "price") + row(2, "A", number("B2", 0.5, 1),
         number("C2", 4, 2)) + row(3, "B", number("B3", 0.125, 3), number("C3", -1234.5, 4)),
         formats=("0%", '#,##0.00 "€"', "0.0 %", "[$$-409]#,##0.00;[Red]-[$$-409]#,##0.00")), FILE,
         valid=(2, 3), settings=('manifest.prompt_template="{{ off }} off, {{ price }}"',),
         sent={2: "50% off, 4.00 €", 3: "12.5 % off, -$1234.50"}),
    _cells("zeros-in-a-format-not-understood", row(2, number("A2", 7, 1), "x", number("C2", 4, 1)),
           row(3, "B", "y", '<c r="C3" s="1"/>'), formats=("[>100]000;00000",), valid=(3,),
           problems=((2, "sku", "format_not_understood"),
                     (2, "duration", "format_not_understood")), says=("A2 holds 7",)),
    _cells("zeros-not-understood-elsewhere", row(2, "A", "x", 4, None, number("E2", 7, 1)),
           formats=("[>100]000;00000",), valid=(2,)),
    _cells("a-number-beyond-all", row(2, number("A2", "1e999"), "x", 4), row(3, "B", "y", 4),
           problems=((2, "sku", "number_too_large"),), valid=(3,), says=("too large",)),
    _cells("keys-that-are-error-values", row(2, _error("A2", "#N/A"), "x", 5),
           row(3, _formula("A3", "A9"), "y", 4), row(4, None, "z", 4), row(5, "A", "x", 4),
           problems=((2, "sku", "error_value"), (2, "duration", "duration_not_allowed"),
                     (3, "sku", "formula_not_calculated"), (4, "sku", "key_empty")), valid=(5,)),
    _cells("younger-error-values", row(2, "A", _error("B2", "#SPILL!"), 4),
           row(3, "B", "y", _error("C3", "Err:502")), row(5, "C", "z", 4, None,
           _error("E5", "#BUSY!")), problems=((2, "prompt", "error_value"),
           (3, "duration", "error_value")), valid=(5,), says=("#SPILL!", "C3 holds", "Err:502")),
    _cells("younger-error-values-elsewhere", *(row(n, f"K{n}", "x", 4, None, _error(f"E{n}", name))
           for n, name in enumerate(YOUNG, 2)), valid=tuple(range(2, len(YOUNG) + 2))),
    Case("as-wide-as-a-sheet-can-be", xlsx(row(1, "sku", "prompt", text("XFD1", "note"))
         + row(2, "A", "x", text("XFD2", "y"))), FILE, valid=(2,)),
    Case("title-above-the-headers", xlsx(row(1, "Spring 2026") + row(2, "sku", "prompt", "duration")
         + row(3, "A", "x", 4)), FILE, refused="row 2 looks like the headers",
         says=("Delete row 1",)),
    _cells("formulas-with-values", row(2, "A", _formula("B2", "A9&amp;A8", "A shoe", "str"), 4),
           valid=(2,), sent={2: "A shoe"}),
    _cells("formulas-never-calculated", row(2, "A", _formula("B2", "A9"), 4), row(3, "B", "y", 4),
           problems=((2, "prompt", "formula_not_calculated"),), valid=(3,), says=("B2",)),
    _cells("error-values", row(2, "A", '<c r="B2" t="e"><v>#N/A</v></c>', 4),
           row(3, "B", "y", _formula("C3", "1/0", "#DIV/0!", "e")), row(4, "C", "z", 4),
           problems=((2, "prompt", "error_value"), (3, "duration", "error_value")), valid=(4,),
           says=("#N/A", "#DIV/0!", "C3")),
    _cells("error-values-elsewhere", row(2, "A", "x", 4, None, '<c r="E2" t="e"><v>#REF!</v></c>'),
           valid=(2,)),
    Case("error-values-under-a-padded-header", xlsx(row(1, "sku", "prompt", " Duration ")
         + row(2, "A", "x", '<c r="C2" t="e"><v>#REF!</v></c>') + row(3, "B", "y", 4)), FILE,
         problems=((2, "Duration", "error_value"),), valid=(3,)),
    Case("error-values-in-a-template", xlsx(row(1, "sku", "Title") + row(2, "A",
         '<c r="B2" t="e"><v>#REF!</v></c>') + row(3, "B", "Shoe")), FILE, valid=(3,),
         settings=('manifest.prompt_template="Video of {{ title }}"',),
         problems=((2, "Title", "error_value"),)),
    Case("merged-cells", xlsx(MERGED, after=MERGE), FILE, valid=(2, 4),
         problems=((3, "prompt", "merged_cell"),), says=("B3", "Unmerge")),
    Case("merged-cells-filled", xlsx(MERGED, after=MERGE), FILE, valid=(2, 3, 4),
         settings=("manifest.fill_merged=true",), sent={3: "x"}),
    Case("hidden-rows", xlsx(HIDDEN), FILE, refused="1 row is hidden or filtered out",
         says=("manifest.hidden_rows", "row 2")),
    Case("hidden-rows-included", xlsx(HIDDEN), FILE, settings=("manifest.hidden_rows=include",),
         problems=((2, "duration", "duration_not_allowed"),), valid=(3,)),
    Case("hidden-rows-skipped", xlsx(HIDDEN), FILE, settings=("manifest.hidden_rows=skip",),
         valid=(3,)),
    Case("rows-of-no-height", xlsx(FILTERED), FILE, refused="1 row is hidden or filtered out"),
    Case("password", compound(b"", "EncryptedPackage"), FILE, refused="protected by a password"),
    Case("text-called-xlsx", lines("sku,prompt", "A,x"), FILE, refused="it is a text file",
         says=("shop.csv",)),
    Case("workbook-called-csv", xlsx(GOOD), "shop.csv", refused="it is an Excel workbook",
         says=("shop.xlsx",)),
    Case("page-called-xls", b"<html><table><tr><td>sku</td></tr></table></html>", "shop.xls",
         refused="it is a web page"),
    Case("pdf-called-xlsx", b"%PDF-1.7\n", FILE, refused="it is a PDF document"),
    Case("unknown-suffix", lines("sku,prompt", "A,x"), "a.docx", refused="a manifest is a table"),
    Case("cut-off", xlsx(GOOD)[:-200], FILE, refused="damaged or incomplete"),
    Case("no-bytes", b"", FILE, refused="0 bytes"),
    Case("lock-file", b"\x05Someone", "~$shop.xlsx", refused="lock file", says=("shop.xlsx",)),
    Case("lock-file-of-libreoffice", b",someone,", ".~lock.shop.xlsx#", refused="lock file that "
         "LibreOffice", says=("Name the workbook itself: shop.xlsx",)),
    Case("random-bytes", bytes(range(256)), FILE, refused="it is not a spreadsheet at all"),
    Case("empty-zip", zipped({}), FILE, refused="it is not a spreadsheet at all"),
    Case("zip-bomb", xlsx(HEADER + row(2, "A", "x" * 60_000_000)), FILE, refused="would unpack"),
    Case("any-zip", zipped({"readme.txt": "hello"}), FILE, refused="no workbook that can be read"),
    Case("no-sheet-part", zipped({"xl/workbook.xml": "<workbook/>"}), FILE, refused="damaged"),
    Case("open-document-without-content", zipped({"content.xml": "<a/>"}), "shop.ods",
         refused="shop.ods"),
)  # fmt: skip
