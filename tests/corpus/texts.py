"""Text files as shops, scripts and spreadsheet programs in many countries write them."""

from __future__ import annotations

from tests.corpus.case import Case, lines

GOOD = ("sku,prompt,duration", "A,A shoe,4", "B,A bag,6")
BAD_LAST = (*GOOD, "C,A hat,5")
BAD = ((4, "duration", "duration_not_allowed"),)


def _spelled(name: str, delimiter: str, file: str = "shop.csv") -> Case:
    data = lines(*(line.replace(",", delimiter) for line in BAD_LAST), end="\r\n")
    return Case(name, data, file, problems=BAD, valid=(2, 3))


def _encoded(name: str, encoding: str, mark: bytes = b"", *settings: str) -> Case:
    data = mark + lines("sku,prompt,duration", "A,Größe für Mädchen,4", "B,x,5", encoding=encoding)
    return Case(
        name,
        data,
        problems=((3, "duration", "duration_not_allowed"),),
        valid=(2,),
        settings=settings,
        sent={2: "Größe für Mädchen"},
    )


CASES = (
    Case("title-above-the-headers", lines("Spring 2026,,", "sku,prompt,duration", "A,x,4"),
         refused="line 2 looks like the headers", says=("'Spring 2026'", "Delete line 1")),
    Case("title-above-the-headers-in-german", lines("Herbst,,", ",,", "Foto 1,Dauer,Text", "a,4,x"),
         refused="line 3 looks like the headers", says=("'Herbst'", "Delete line 1")),
    Case("one-header-above-a-line-of-headers", lines("prompt,,", "sku,prompt,duration"),
         refused="column 2 has no header"),
    _spelled("delimiter-comma", ","),
    _spelled("delimiter-semicolon", ";"),
    _spelled("delimiter-tab", "\t", "shop.tsv"),
    _spelled("delimiter-tab-in-csv", "\t"),
    _spelled("delimiter-bar", "|", "shop.txt"),
    _encoded("utf-8-with-mark", "utf-8", b"\xef\xbb\xbf"),
    _encoded("utf-16-little", "utf-16-le", b"\xff\xfe"),
    _encoded("utf-16-big", "utf-16-be", b"\xfe\xff"),
    _encoded("utf-16-without-mark", "utf-16-le"),
    _encoded("cp1252-named", "cp1252", b"", "manifest.encoding=cp1252"),
    Case(
        "encoding-not-named",
        lines("sku,prompt", "A,x", "B,\xf0", encoding="cp1252"),
        refused="line 3 cannot be read as UTF-8",
        says=("manifest.encoding",),
    ),
    Case(
        "cp1252-not-named",
        lines("sku,prompt", "A,Eine schöne Tasse", "B,Die Größe der Kanne", encoding="cp1252"),
        valid=(2, 3),
        sent={2: "Eine schöne Tasse"},
    ),
    Case(
        "gb18030-named",
        lines("sku,prompt", "A,红色的鞋子", encoding="gb18030"),
        valid=(2,),
        settings=("manifest.encoding=gb18030",),
        sent={2: "红色的鞋子"},
    ),
    Case("sep-line", lines("sep=|", *(one.replace(",", "|") for one in BAD_LAST)),
         problems=((5, "duration", "duration_not_allowed"),), valid=(3, 4)),
    Case("sep-line-in-quotes", lines('"sep=;"', "sku;prompt", "A;x"), valid=(3,)),
    Case("quoted-line-breaks", lines("sku,prompt,duration", 'A,"two\nlines\r\nand three",4',
         "B,x,5"), problems=((5, "duration", "duration_not_allowed"),), valid=(2,)),
    Case("too-many-cells", lines("sku,prompt", "A,x", "B,red, green", "C,z"),
         refused="line 3 has 3", says=("header has 2 cells",)),
    Case("too-few-cells", lines("sku,prompt,duration", "A,x,4", "B,y"), refused="line 3 has 2"),
    Case("blank-lines", lines("", "sku,prompt,duration", "", "A,x,5", " ", "B,y,4", ""),
         problems=((4, "duration", "duration_not_allowed"),), valid=(6,)),
    Case("lines-of-delimiters", lines("sku,prompt,duration", ",,", "A,x,4", ",,"), valid=(3,)),
    Case("header-twice", lines("sku,prompt,Prompt ", "A,x,y"),
         refused="which column 2 already has"),
    Case("padded-headers", lines("  SKU , Prompt\u00a0,ASPECT  Ratio", "A,x,9:16", "B,y,1:1"),
         problems=((3, "ASPECT  Ratio", "aspect_ratio_not_allowed"),), valid=(2,),
         sent={2: (6, "9:16", "720P")}),
    Case("cells-without-header", lines("sku,prompt,", "A,x,", "B,y,note"),
         refused="column 3 has no header", says=("line 3",)),
    Case("quote-never-closed", lines("sku,prompt", "A,x", 'B,"never closed', "C,z"),
         refused="line 3 is never closed"),
    Case("quote-closed-in-a-cell", lines("sku,prompt", 'A,"big" shoe', "B,y"),
         refused="in the middle of a cell", says=("line 2",)),
    Case("quote-inside-a-cell", lines("sku,prompt", 'A,a 5" shoe', "B,y"), valid=(2, 3),
         sent={2: 'a 5" shoe'}),
    Case("nul-character", b"sku,prompt\nA,x\nB,y\0z\n", refused="line 3 holds a NUL"),
    Case("no-bytes", b"", refused="0 bytes"),
    Case("only-blank-lines", b"\n \n\n", refused="no header line"),
    Case("only-a-header", lines("sku,prompt"), problems=((None, None, "no_rows"),)),
    Case("line-ends-of-old-macs", lines(*BAD_LAST, end="\r"), problems=BAD, valid=(2, 3)),
    Case("no-line-end-at-the-end", b"sku,prompt\nA,x", valid=(2,)),
    Case("one-column", lines("prompt", "A shoe", "A bag"), valid=(2, 3)),
    Case("delimiters-inside-quotes", lines("sku,prompt", 'A,"red; blue; green"', 'B,"a;b"'),
         valid=(2, 3), sent={2: "red; blue; green"}),
    Case("decimal-commas", lines("sku;prompt;price;duration", "A;x;1,50;4,0", "B;y;2,00;5,0"),
         problems=((3, "duration", "duration_not_allowed"),), valid=(2,)),
    Case("cell-longer-than-a-reader-takes", lines("sku,prompt", f'A,"{"x" * 140_000}"', "B,y"),
         refused="line 2 is longer"),
    Case("no-prompt-column", lines("sku,description", "A,x"),
         problems=((None, None, "no_prompt_column"),), says=("prompt_template",)),
    # Texts that a spreadsheet program would run, and what our own results do to them.
    Case("formulas-are-texts", lines("sku,prompt", "=1+1,=HYPERLINK(A1)", "-5,@SUM(A1)", "'a,'b"),
         valid=(2, 3, 4), keys=("=1+1", "-5", "'a"), sent={2: "=HYPERLINK(A1)", 4: "'b"}),
    Case("results-as-a-manifest",
         lines("sku,prompt,result_state,result_error", "'=1,'=x,done,", "''a,'-y,failed,'-3"),
         valid=(2, 3), keys=("=1", "'a"), sent={2: "=x", 3: "-y"}),
    Case("control-characters", lines("sku,prompt", "A\x07,a\x0bb\x1fc", "B,y"), valid=(2, 3),
         keys=("A", "B")),
    Case("longest-cell-of-a-workbook", lines("sku,prompt", f"A,{'x' * 32_767}"), valid=(2,),
         problems=((2, "prompt", "prompt_long"),)),
    Case("half-a-pair", b"sku,prompt\nA,\xed\xa0\x80\n", refused="line 2 cannot be read as UTF-8"),
)  # fmt: skip
