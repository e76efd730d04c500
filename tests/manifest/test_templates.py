"""Templates: what they may hold, what an empty value does, and that a slip costs only a message."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.manifest.templates import (
    _LONGEST,
    FILTERS,
    TemplateFault,
    ValueNeeded,
    compile_template,
    from_shorthand,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A {{ title | lower }} of {{ vendor }}", "A shoe of Acme & Co"),
        ("{{ html | striphtml | sentence }}", "Fine & soft; warm."),
        ("{{ long | truncate(12) }}", "a nice…"),
        ("{{ gone | default('white') }} {{ gone or vendor }}", "white Acme & Co"),
        ("{% if gone %}x{% elif title == 'SHOE' %}y{% else %}z{% endif %}", "y"),
        ("{{ 'in' if 'x' in gone else 'out' }}{{ gone | length }}", "out0"),
        ("{{ title if title is defined else '' }}{{ gone is defined }}", "SHOEFalse"),
        ("{{ title | replace('S', 'Z') | title ~ '!' }}", "Zhoe!"),
        ("{{ row['Price (EUR)'] }} {{ self }}", "3 me"),
        ("{# a note #}{{ number }}", "3"),
        ("no values", "no values"),
    ],
)
def test_what_a_template_says(text: str, expected: str) -> None:
    """Values, conditions, filters and joins work; a cell's markup is a value, never a template."""
    values: dict[str, object] = {
        "title": "SHOE", "vendor": "Acme & Co", "html": "<p>Fine &amp; soft</p><p>warm",
        "long": "a nice long thing", "gone": None, "Price (EUR)": "3", "self": "me", "number": 3,
    }  # fmt: skip
    assert compile_template(text).fill(values) == expected


def test_values_are_not_read_as_templates() -> None:
    """Text of a cell that looks like a template stays text."""
    assert compile_template("{{ a }}").fill({"a": "{{ 7 * 7 }}"}) == "{{ 7 * 7 }}"


@pytest.mark.parametrize(
    "text", ["{{ a }}", "{{ a | lower }}", "{{ a ~ 'x' }}", "{{ a | striphtml }}", "{{ a | join }}"]
)
def test_an_empty_value_is_not_written(text: str) -> None:
    """What would leave a hole in a sentence is told by its name."""
    with pytest.raises(ValueNeeded) as caught:
        compile_template(text).fill({"a": None})
    assert caught.value.name == "a"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{{ 'a' * 300000000 }}", "multiplying"),
        ("{{ 2 ** 2 ** 99 }}", "a power"),
        ("{{ '%999999999d' % 1 }}", "operator %"),
        ("{{ range(10 ** 9) }}", "calling"),
        ("{% for x in a %}{% endfor %}", "a loop"),
        ("{% set a = 1 %}", "set"),
        ("{% include 'x' %}", "include"),
        ("{% macro m() %}{% endmacro %}", "macro"),
        ("{{ a.__class__ }}", "a dot"),
        ("{{ a[0] }}", "brackets"),
        ("{{ row[a] }}", "in quotes"),
        ("{{ row }}", "needs the header"),
        ("{{ a | attr('x') }}", 'no filter "attr"'),
        ("{{ a is divisibleby(3) }}", 'no test "divisibleby"'),
        ("{{ a", "end of"),
        ("{% if a %}x", "end of"),
        ("{{ " + "(" * 900 + "a" + ")" * 900 + " }}", "nested"),
        ("x" * 30_000, "longer than"),
    ],
)
def test_what_a_template_may_not_hold(text: str, says: str) -> None:
    """Whatever could run away, or is not meant for a sentence, is refused when it is read."""
    with pytest.raises(TemplateFault, match=says):
        compile_template(text)


@pytest.mark.parametrize(
    "text",
    [
        "{{ a | replace('x', a) }}",
        "{{ a | replace('x', a) | length }}",
        "{{ a | join(a) }}",
        "{{ a | join(a) | length }}",
        "{{ a ~ a }}" * 9,
    ],
)
def test_texts_do_not_grow_without_end(text: str) -> None:
    """Also what filters make of long cells is bounded."""
    with pytest.raises(TemplateFault, match=f"{_LONGEST:,}"):
        compile_template(text).fill({"a": "x" * 32_767})


def test_slips_while_filling_in_are_faults() -> None:
    """A wrong argument is a sentence, not a traceback."""
    with pytest.raises(TemplateFault):
        compile_template("{{ a | truncate('x') }}").fill({"a": "long"})


def test_every_filter_is_there() -> None:
    """The list that messages show is the list that works."""
    for name in FILTERS:
        argument = "('a', 'b')" if name == "replace" else ""
        compile_template(f"{{{{ a | {name}{argument} }}}}").fill({"a": "abc"})


def test_the_shorthand_writes_nothing_for_an_empty_value() -> None:
    """It is translated, and a second translation changes nothing."""
    jinja = from_shorthand("{key}-{ Colour }")
    assert from_shorthand(jinja) == jinja
    template = compile_template(jinja)
    assert template.names == ("key", "Colour")
    assert template.needs_nothing
    assert template.fill({"key": "A", "Colour": None}) == "A-"


_HEADERS = st.text(alphabet="ab \"'\\()|.-\u00e9\u3164", min_size=1).map(str.strip)
_LITERALS = st.text(alphabet="ab -_.#%\"'\\}\u00e9")


@given(st.lists(st.tuples(_LITERALS, _HEADERS)), _LITERALS, st.booleans())
def test_the_shorthand_gives_the_same_texts_as_ever(
    pieces: list[tuple[str, str]], end: str, filled: bool
) -> None:
    """Names of files stay what they were, whatever a header is made of."""
    text = "".join(f"{literal.replace('}', '}}')}{{{name}}}" for literal, name in pieces)
    text += end.replace("}", "}}")
    value = "x{{ y }}" if filled else None
    template = compile_template(from_shorthand(text))
    assert template.needs_nothing
    expected = "".join(f"{literal}{value or ''}" for literal, _ in pieces) + end
    assert template.fill({name: value for _, name in pieces}) == expected


@pytest.mark.parametrize(
    ("text", "needs_nothing"),
    [("a", True), ("{{ a }}", False), ("{{ a | default('') }}", True),
     ("{{ a | default('') | upper }}", False), ("{% if a %}b{% endif %}", False)],
)  # fmt: skip
def test_a_template_knows_whether_it_needs_a_value(text: str, needs_nothing: bool) -> None:
    """What cannot fail needs no look at each row."""
    assert compile_template(text).needs_nothing == needs_nothing
