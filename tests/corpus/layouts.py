"""One workbook with its parts at other places, under other names, or named in another way."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, fields, replace

from tests.corpus.workbooks import HEAD, MAIN, OFFICE, PACKAGE


@dataclass(frozen=True)
class Layout:
    """Names of parts in the zip file, and the targets by which they are named."""

    relations: str = "_rels/.rels"
    workbook: str = "xl/workbook.xml"
    its_relations: str = "xl/_rels/workbook.xml.rels"
    sheet: str = "xl/worksheets/sheet1.xml"
    strings: str = "xl/sharedStrings.xml"
    styles: str = "xl/styles.xml"
    to_workbook: str = "xl/workbook.xml"
    to_sheet: str = "worksheets/sheet1.xml"
    to_strings: str = "sharedStrings.xml"
    to_styles: str = "styles.xml"

    def changed(self, old: str, new: str) -> Layout:
        """The layout with all names in the zip file changed; targets stay."""
        named = [one.name for one in fields(self) if not one.name.startswith("to_")]
        return replace(self, **{name: getattr(self, name).replace(old, new) for name in named})


USUAL = Layout()
_NAMES = [one.name for one in fields(Layout)]
LAYOUTS = {
    "usual": USUAL,
    "capitals": replace(USUAL, **{n: getattr(USUAL, n).upper() for n in _NAMES if n[:3] != "to_"}),
    "targets in capitals": replace(
        USUAL, to_workbook="XL/WorkBook.xml", to_sheet="/XL/Worksheets/SHEET1.XML",
        to_strings="SHAREDSTRINGS.xml", to_styles="Styles.XML",
    ),
    "backslashes": USUAL.changed("/", "\\"),
    "targets with backslashes": replace(
        USUAL, to_workbook="xl\\workbook.xml", to_sheet="worksheets\\sheet1.xml",
        to_strings="\\xl\\sharedStrings.xml",
    ),
    "from the root": replace(
        USUAL, to_workbook="/xl/workbook.xml", to_sheet="/xl/worksheets/sheet1.xml",
        to_strings="/xl/sharedStrings.xml", to_styles="/xl/styles.xml",
    ),
    "from the root, without saying so": replace(
        USUAL, to_sheet="xl/worksheets/sheet1.xml", to_strings="xl/sharedStrings.xml",
        to_styles="xl/styles.xml",
    ),
    "up and down": replace(
        USUAL, to_workbook="./xl/workbook.xml", to_sheet="../xl/./worksheets/sheet1.xml",
        to_strings="../xl/sharedStrings.xml",
    ),
    "beside the workbook's folder": replace(
        USUAL, sheet="sheets/first.xml", to_sheet="../sheets/first.xml", strings="texts.xml",
        to_strings="../texts.xml", styles="looks.xml", to_styles="../looks.xml",
    ),
    "at the root of the archive": replace(
        USUAL, workbook="workbook.xml", its_relations="_rels/workbook.xml.rels",
        sheet="sheet1.xml", strings="sharedStrings.xml", styles="styles.xml",
        to_workbook="workbook.xml", to_sheet="sheet1.xml",
    ),
    "another folder": replace(
        USUAL, workbook="Excel/book.xml", its_relations="Excel/_rels/book.xml.rels",
        sheet="Excel/s/1.xml", strings="Excel/t.xml", styles="Excel/l.xml",
        to_workbook="/Excel/book.xml", to_sheet="s/1.xml", to_strings="t.xml", to_styles="l.xml",
    ),
    "a slash before every name": replace(
        USUAL, **{n: f"/{getattr(USUAL, n)}" for n in _NAMES if n[:3] != "to_"}
    ),
}  # fmt: skip


def laid_out(layout: Layout) -> bytes:
    """A workbook of one row: A with the prompt `00007`, which is a number in its format."""
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"><Override'
        f' PartName="/{layout.workbook}" ContentType="application/xml"/></Types>',
        layout.relations: _relations(a=("officeDocument", layout.to_workbook)),
        layout.workbook: f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>'
        '<sheet name="Shop" sheetId="1" r:id="s"/></sheets></workbook>',
        layout.its_relations: _relations(
            s=("worksheet", layout.to_sheet),
            t=("sharedStrings", layout.to_strings),
            l=("styles", layout.to_styles),
        ),
        layout.sheet: f'<worksheet xmlns="{MAIN}"><sheetData><row r="1"><c r="A1" t="s"><v>0</v>'
        '</c><c r="B1" t="s"><v>1</v></c></row><row r="2"><c r="A2" t="s"><v>2</v></c>'
        '<c r="B2" s="1"><v>7</v></c></row></sheetData></worksheet>',
        layout.strings: f'<sst xmlns="{MAIN}"><si><t>key</t></si><si><t>prompt</t></si>'
        "<si><t>A</t></si></sst>",
        layout.styles: f'<styleSheet xmlns="{MAIN}"><numFmts><numFmt numFmtId="164"'
        ' formatCode="00000"/></numFmts><fonts><font/></fonts><fills><fill/></fills><cellXfs>'
        '<xf numFmtId="0"/><xf numFmtId="164"/></cellXfs></styleSheet>',
    }
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as package:
        for name, part in parts.items():
            package.writestr(zipfile.ZipInfo(name), HEAD + part)
    return target.getvalue()


def _relations(**targets: tuple[str, str]) -> str:
    listed = "".join(
        f'<Relationship Id="{name}" Type="{OFFICE}/{kind}" Target="{target}"/>'
        for name, (kind, target) in targets.items()
    )
    return f'<Relationships xmlns="{PACKAGE}/relationships">{listed}</Relationships>'
