"""Texts that nobody means to pay for are told from prompts that only look like them."""

from __future__ import annotations

from typing import get_args

import pytest

from pipeline.checker import unmeant
from pipeline.checker.unmeant import (
    ERROR_TEXT,
    EXAMPLE_ROW,
    PLACEHOLDER,
    TODO,
    is_totals_row,
    judge_prompt,
)
from pipeline.config.values import AllowedCode

UNMEANT = {
    PLACEHOLDER: """
        A video of {{ title }} on a table
        {{title}}
        {% if colour %}red{% endif %} mug
        A ${product} turns
        Video of {title} on oak
        Video of {product name}, slowly
        Video of {0}
        [[title]] turns
        {"scene": "a {product} turns"}
        Video of %s on oak
        Video of %1$s
        Video of %(title)s
        A %PRODUCT% turns
        A __PRODUCT__ turns
        A <PRODUCT> turns slowly
        A <PRODUCT NAME> turns
        A <your product> turns
        A <insert colour> mug
        [insert product] turns
        [Your product here] turns
        Lorem ipsum dolor sit amet
        Video von [Produktname]
        [PRODUKTNAME] auf Eiche
        A video of [product name] on oak
        A [color] mug
        Video von [Name des Produkts]
        Vidéo de [nom du produit]
        Vídeo de [nombre del producto]
        Film o [nazwa produktu]
        [Produkt einfügen] dreht sich
        A video of (insert product here)
        【商品名】の動画
        【商品名】的视频
        A $PRODUCT on oak
        A film of #NAME# on oak
        ##name## turns
        @@name@@ turns
        «Produktname» turns
        *|NAME|* turns
        <%= name %> turns
        &lt;name&gt; turns
        A video of ______ on oak
        _____ turns slowly
        A film of {{ title
        A film of title }}
        {{#title}}x{{/title}}
    """,
    EXAMPLE_ROW: """
        z.B. Eine Tasse dreht sich
        e.g. a mug turns
        Beispiel: Eine Tasse dreht sich
        Example 1: a mug turns
        例：茶碗が回る
        Por ejemplo una taza gira
    """,
    TODO: """
        TODO
        todo
        Todo.
        TODO: write
        todo: ask Anna
        TODO write prompt
        A mug, colour TODO
        A mug (todo)
        TBD
        tbd
        A mug, colour TBD, on oak
        xxx
        XXX
        xxxx
        A mug in xxx on oak
        ???
        FIXME
        to be defined
        Placeholder
        Your prompt here
        à compléter
        noch offen
        por definir
        待定
        T.B.D.
        TODO – Text
        -
        ...
        n.n.
        folgt
        Text folgt
        Prompt fehlt noch
        hier Prompt eintragen
        Bitte hier den Prompt eintragen
        Insert text here
        Escribe aquí el texto
        à rédiger
        por hacer
        a fazer
        in arrivo
        nog te bepalen
        do zrobienia
        後で記入
        уточнить
        x x x
    """,
    ERROR_TEXT: """
        #N/A
        #REF!
        Video of #N/A on oak
        #NV
        #BEZUG!
        #WERT!
        #¡REF!
        #VALEUR!
        #N/D
        #ИМЯ?
        Err:502
        #####
        #NAME?
        #DIV/0!
        #SPILL!
        #HODNOTA!
        #DEĞER!
        #YOK
        #I/T
        #ÉRTÉK!
        #VÄRDEFEL!
        #NOMBRE?
    """,
}
MEANT = """
    A mug turns
    x
    xx
    NA
    N/A
    None
    Todo el año, una taza gira
    TODO EL CONJUNTO GIRA
    Un jarrón en TODO su esplendor
    {"scene": "a mug", "light": {"soft": true}}
    {"a":{}}
    {scene: a mug, light: soft}
    [WIDE SHOT] A mug turns
    [Product] A mug
    <scene>A mug turns</scene>
    <PRODUCT>A mug</PRODUCT> turns
    <p>A mug<br>turns</p>
    <B>bold</B> mug
    A mug at 50% off
    50%sale of everything
    100 %, wool
    A T-shirt in XXL and XXXL
    A T-shirt, size 3XL
    #Wow! a mug
    #1 mug turns
    #BBC
    Style: {warm|cold}
    A mug <3 tea
    Prices 3 < 5 > 2
    xxx.example is written on it
    A person asks what??? and smiles
    Total darkness, a lamp lights up
    The sum of all parts, slowly put together
    Sizes XS, XL and XXX on hangers
    A xxx-large shirt waves
    [Close-up] A mug turns
    [Front view] A mug turns
    [Title] The mug of dreams
    [Insert shot of a hand] A mug turns
    A mug (very blue) turns
    Une tasse «Paris» tourne
    「桜」の茶碗が回る
    【名入れ】茶碗が回る
    $5 mugs turn
    $TSLA on a ticker
    #OOTD# a dress
    **bold** mug turns
    Kamera folgt
    Falta poco: una taza gira
    Text on the mug says hello
    Write on the board: a hand writes
    Missing tiles fall into place
    Examples of mugs stand in a row
    Muster-Teppich rollt sich aus
    A piano _and_ a mug
"""


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.strip().splitlines()]


@pytest.mark.parametrize(
    ("code", "prompt"), [(code, one) for code, text in UNMEANT.items() for one in lines(text)]
)
def test_what_nobody_means(code: str, prompt: str) -> None:
    """It is told by its kind, and quoted in the sentence."""
    found = judge_prompt(prompt)
    assert found is not None
    assert found.code == code
    assert any(word in found.sentence for word in (*prompt.split(), '"'))


def test_the_signs_of_examples_are_those_that_all_of_them_have() -> None:
    """What begins as an example is found among the lines of many prompts."""
    examples = [*lines(UNMEANT[EXAMPLE_ROW]), "PAR EXEMPLE une tasse", "Zum Beispiel eine Tasse"]
    assert all(unmeant.begins_as_example(f"A mug turns\n{one}") for one in examples)
    assert not unmeant.begins_as_example("A mug turns\nA bag on oak")


@pytest.mark.parametrize("prompt", lines(MEANT))
def test_what_may_be_meant(prompt: str) -> None:
    """A prompt that is unusual is not refused."""
    assert judge_prompt(prompt) is None


@pytest.mark.parametrize(
    ("prompt", "label", "total"),
    [
        ("", "Total", True),
        ("25", "Summe:", True),
        ("60 s", "Grand total", True),
        ("Total", "", True),
        ("TOTAL: 12 videos", "", True),
        ("合計", "", True),
        ("Gesamtdauer", "", True),
        ("Summe Videos", "", True),
        ("Sum of duration: 144 s", "", True),
        ("Łącznie", "", True),
        ("Összesen", "", True),
        ("Total Look", "", False),
        ("Total product experience", "", False),
        ("Итого: 5", "", True),
        ("25", "Average", True),
        ("25", "Anna", False),
        ("", "Anna", False),
        ("Total darkness", "", False),
        ("A lamp turns", "Total", False),
        ("media", "", False),
    ],
)
def test_a_row_of_totals(prompt: str, label: str, total: bool) -> None:
    """Its label says so, and its prompt is none: a product called Total is a product."""
    assert is_totals_row(prompt, [label, "100", prompt]) is total


def test_every_code_can_be_allowed() -> None:
    """The setting lists what the checker finds, and nothing else."""
    found = {getattr(unmeant, name) for name in (
        "PLACEHOLDER", "TODO", "ERROR_TEXT", "EXAMPLE_ROW", "HEADER_ROW", "TOTALS_ROW"
    )}  # fmt: skip
    cells = {"formula_empty", "picture_formula"}  # of the reader
    assert found | cells == set(get_args(AllowedCode))


@pytest.mark.parametrize("unit", ["{", "{{", "<", "[[", "%", "x", "TODO ", "#", "__A", "{a "])
def test_a_long_text_takes_no_time(unit: str) -> None:
    """Whatever is repeated in it."""
    judge_prompt(unit * (32_000 // len(unit)))
