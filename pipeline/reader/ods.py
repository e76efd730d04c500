"""OpenDocument spreadsheets: one table with all that there is to see.

ODF 1.2 part 1, chapter 9: rows and cells are elements of `content.xml`, each with a count of how
often it repeats; a cell has its value in attributes and what it shows as paragraphs.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.parsers import expat

from pipeline.reader.damage import Damage, explained, protected
from pipeline.reader.gathered import Gathered
from pipeline.reader.odsstyles import OdsStyles
from pipeline.reader.odstable import Table
from pipeline.reader.package import MAX_SMALL_PART_BYTES, chunks
from pipeline.reader.sheets import SheetPart, chosen

if TYPE_CHECKING:
    import zipfile
    from pathlib import Path

    from pipeline.reader.grid import Grid

_CONTENT, _STYLES, _MANIFEST = "content.xml", "styles.xml", "META-INF/manifest.xml"
_TABLE = re.compile(rb"""<table:table(?:\s+[\w:.-]+\s*=\s*(?:"[^"]*"|'[^']*'))*\s*/?>""")
# What LibreOffice keeps of other files that formulas point to.
_LINKED = re.compile(r"'.*'#")


def ods_grid(
    path: Path, size_bytes: int, package: zipfile.ZipFile, wanted: str | int | None
) -> Grid:
    """Read the table `wanted` of the .ods file at `path`. Raises ManifestError."""
    with explained(path.name):
        if _is_encrypted(package):
            raise protected(path.name)
        styles = OdsStyles()
        if _STYLES in package.namelist():
            styles.parser().Parse(_small(package, _STYLES), True)
        sheets = _sheets(package, styles)
    sheet = chosen(path.name, sheets, wanted)
    with explained(path.name):
        gathered = Gathered(path, size_bytes)
        _read(package, Table(sheet.at, styles, gathered))
    return gathered.grid(sheet.name)


def _is_encrypted(package: zipfile.ZipFile) -> bool:
    """ODF 1.2 part 3, 3.4.1: an encrypted part has its key's data in the manifest."""
    names = package.namelist()
    if _CONTENT not in names:
        return True
    return _MANIFEST in names and b"encryption-data" in _small(package, _MANIFEST)


def _small(package: zipfile.ZipFile, part: str) -> bytes:
    if package.getinfo(part).file_size > MAX_SMALL_PART_BYTES:
        raise Damage(f"{part} is too large")
    return package.read(part)


def _sheets(package: zipfile.ZipFile, styles: OdsStyles) -> list[SheetPart]:
    """The tables, each with its place among all of them; `styles` is told of what comes before."""
    parser = styles.parser()
    found: list[SheetPart] = []
    count = 0
    rest = b""
    with package.open(_CONTENT) as stream:
        for chunk in chunks(stream):
            rest += chunk
            end = 0
            for tag in _TABLE.finditer(rest):
                if not count:
                    parser.Parse(rest[: tag.start()], False)
                attributes = _attributes(tag[0])
                name = attributes.get("table:name", "")
                if not _LINKED.match(name):
                    visible = attributes.get("table:style-name", "") not in styles.hidden_tables
                    found.append(SheetPart(name, visible, at=count))
                count += 1
                end = tag.end()
            cut = max(end, rest.rfind(b"<"))
            if not count:
                parser.Parse(rest[:cut], False)
            rest = rest[cut:]
    if not count:
        parser.Parse(rest, True)
    return found


def _attributes(tag: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda _, attributes: found.update(attributes)
    parser.Parse(tag if tag.endswith(b"/>") else tag[:-1] + b"/>", True)
    return found


def _read(package: zipfile.ZipFile, table: Table) -> None:
    with package.open(_CONTENT) as stream:
        for chunk in chunks(stream):
            table.feed(chunk)
            if table.ended:
                return
    raise Damage("a table does not end")
