"""Cells as people fill them in: values in many spellings, keys that only look different."""

from __future__ import annotations

from tests.corpus.case import Case, lines


def _column(name: str, header: str, good: dict[str, object], bad: list[str], says: str) -> Case:
    """A file whose rows spell one value: all `good` ones are understood, no bad one is."""
    cells = [*good, *bad]
    place = {"duration": 0, "aspect_ratio": 1, "resolution": 2}[header]
    sent = {}
    for row, value in enumerate(good.values(), 2):
        form: list[object] = [6, "16:9", "720P"]
        form[place] = value
        sent[row] = tuple(form)
    rows = range(len(good) + 2, len(cells) + 2)
    return Case(
        name,
        lines(f"sku;prompt;{header}", *(f'{i};x;"{c.replace(chr(34), chr(34) * 2)}"'
                                       for i, c in enumerate(cells))),
        problems=tuple((row, header, f"{header}_not_allowed") for row in rows),
        valid=tuple(range(2, len(good) + 2)),
        says=(says,) if bad else (),
        sent=sent,  # type: ignore[arg-type]  # the kinds of value of one column
    )  # fmt: skip


TEMPLATE = "Video of {{ title | lower }}. {{ row['Body (HTML)'] | striphtml }}"
CASES = (
    _column("durations", "duration",
            {"4": 4, "4s": 4, "4 sec": 4, "4 seconds": 4, "10S": 10, "4.0": 4, "4,0": 4, "04": 4,
             "\uff16": 6, "\uff11\uff10 s": 10, '4"': 4, "": 6, "\u00a04\u200b": 4},
            ["5", "four", "4.5", "4-6", "-4", "0", "00:00:04", "4m", "1e1", "44"],
            "Write 4, 6 or 10 seconds"),
    _column("frames", "aspect_ratio",
            {"16:9": "16:9", "9:16": "9:16", "16\u00d79": "16:9", "16x9": "16:9", "9X16": "9:16",
             "16/9": "16:9", "16 : 9": "16:9",
             "\uff11\uff16\uff1a\uff19": "16:9", "portrait": "9:16",
             "Landscape": "16:9", "16:09": "16:9", "16:09:00": "16:9",
             "09:16": "9:16", "9:16:00": "9:16", "4:09 PM": "16:9",
             "0.672916666666667": "16:9", "0,386111111": "9:16", "1899-12-31T16:09:00": "16:9"},
            ["1:1", "square", "4:3", "16:10", "9:09", "0.5", "16.9", "wide", "969"],
            "Write 16:9 or 9:16"),
    _column("resolutions", "resolution",
            {"720": "720P", "720p": "720P", "1080": "1080p", "1080P": "1080p", " 1080 p": "1080p",
             "\uff17\uff12\uff10": "720P"},
            ["4k", "2160", "1920x1080", "HD", "720i", "72"],
            "Write 720P or 1080p"),
    Case("portrait-in-1080p", lines("sku,prompt,aspect_ratio,resolution", "A,x,9:16,1080p",
         "B,x,16:9,1080p"), problems=((2, "resolution", "resolution_needs_frame"),), valid=(3,)),
    Case("everything-wrong-at-once", lines("sku,prompt,duration,aspect_ratio,resolution",
         ",,5,1:1,8k", "B,y,4,16:9,720P"),
         problems=((2, "sku", "key_empty"), (2, "prompt", "prompt_empty"),
                   (2, "duration", "duration_not_allowed"),
                   (2, "aspect_ratio", "aspect_ratio_not_allowed"),
                   (2, "resolution", "resolution_not_allowed")), valid=(3,)),
    Case("keys-with-blanks", lines("sku,prompt", "A 1 ,x", "\u00a0A\u00a01,y", "A2,z"),
         problems=((2, "sku", "key_twice"), (3, "sku", "key_twice")), valid=(4,),
         says=("also the key of row 3", "also the key of row 2")),
    Case("keys-with-invisible-characters", lines("sku,prompt", "A1,x", "A\u200b1\ufeff,y", "B,z"),
         problems=((2, "sku", "key_twice"), (3, "sku", "key_twice")), valid=(4,)),
    Case("keys-composed-and-not", lines("sku,prompt", "Caf\u00e9,x", "Cafe\u0301,y", "cafe,z"),
         problems=((2, "sku", "key_twice"), (3, "sku", "key_twice")), valid=(4,)),
    Case("keys-that-differ", lines("sku,prompt", "a,x", "A,y", "\uff21,z", "01,x", "1,x"),
         valid=(2, 3, 4, 5, 6), keys=("a", "A", "\uff21", "01", "1")),
    Case("keys-of-nothing-visible", lines("sku,prompt", "\u200b\u00a0,x", "A,y"),
         problems=((2, "sku", "key_empty"),), valid=(3,)),
    Case("prompts-of-nothing-visible", lines("sku,prompt", "A,\u200b\u00a0 ", "B,y"),
         problems=((2, "prompt", "prompt_empty"),), valid=(3,)),
    Case("equal-rows-without-keys", lines("prompt", "x", "x", "y"), valid=(2, 3, 4)),
    Case("template-fills-empty-prompts",
         lines("sku,Title,Body (HTML),prompt", 'A,Shoe,"<p>Fine &amp; soft</p>",', "B,Bag,,Own",
               "C,Hat,,", "D,,<b></b>,"),
         settings=(f'manifest.prompt_template="{TEMPLATE}"',),
         problems=((4, "Body (HTML)", "template_cell_empty"), (5, "Title", "template_cell_empty")),
         valid=(2, 3), sent={2: "Video of shoe. Fine & soft", 3: "Own"}),
    Case("template-without-a-prompt-column", lines("sku,Title", "A,Shoe", "B,{{ 7 * 7 }}"),
         settings=('manifest.prompt_template="Video of {{ title }}"',), valid=(2, 3),
         sent={2: "Video of Shoe", 3: "Video of {{ 7 * 7 }}"}),
    Case("template-of-a-column-that-is-not-there", lines("sku,Title", "A,Shoe"),
         settings=('manifest.prompt_template="Video of {{ titel }}"',),
         problems=((None, None, "template_column"),), says=('Did you mean "Title"?',)),
    Case("template-without-keys", lines("Title", "Shoe", "Bag"), valid=(2, 3),
         settings=('manifest.prompt_template="Video of {{ title }}"',),
         problems=((None, None, "keys_from_template"),)),
    Case("name-of-an-empty-column", lines("sku,prompt,colour", "A,x,red", "B,y,"), valid=(2,),
         settings=('output.name="{{ key }}-{{ colour }}"',),
         problems=((3, "colour", "template_cell_empty"),)),
)  # fmt: skip
