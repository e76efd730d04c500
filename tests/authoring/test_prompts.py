"""Prompt templates: what they can do, what they cannot, and how a mistake in one is said."""

from __future__ import annotations

import pytest

from pipeline.authoring.newmanifest import ProductPrompts
from pipeline.errors import UsageError
from pipeline.manifest.templates import FILTERS

NAMES = ("title", "description")
VALUES = {
    "title": "Mug",
    "description": "<p>A <b>big</b> mug</p><ul><li>Blue</li></ul>",
    "Price": "9",
}


def filled(text: str, longest: int = 200) -> tuple[str, bool]:
    template = ProductPrompts(text, names=NAMES, longest=longest, columns=["Price"])
    return template.prompt(VALUES, about="mug")


def test_values_and_filters() -> None:
    """Values, conditions, columns and filters; the prompt comes on one line."""
    text = (
        "{{ title | upper }}\n{% if title %}costs {{ row['Price'] }}.{% endif %} "
        "{{ description | striphtml | sentence }}"
    )
    assert filled(text) == ("MUG costs 9. A big mug; Blue.", False)


def test_every_listed_filter_exists() -> None:
    """Each filter that the messages name can be used."""
    for name in FILTERS:
        arguments = "('a', 'b')" if name == "replace" else ""
        assert filled(f"x{{{{ title | {name}{arguments} }}}}")[0]


def test_a_long_prompt_is_cut_between_words() -> None:
    """The cap holds, and the cut is reported."""
    text, cut = filled("{{ title }} " * 30, longest=20)
    assert (text, cut) == ("Mug Mug Mug Mug\u2026", True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{ titel }}", "titel, which is not a value"),
        ("{{ title", "cannot be used"),
        ("{{ title | shout }}", "shout"),
        ("{{ row['Colour'] }}", "Colour"),
        ("{{ title * 300000000 }}", "multiplying"),
        ("{{ title.upper() }}", "cannot be used"),
    ],
)
def test_a_mistake_is_a_sentence(text: str, said: str) -> None:
    """What is wrong is said, with the values and filters that there are."""
    with pytest.raises(UsageError, match="prompt template cannot be used") as raised:
        filled(text)
    assert said in raised.value.message
    assert 'title, description, and each column as row["Its Header"]' in str(raised.value.action)
    assert "striphtml" in str(raised.value.action)


def test_an_endless_text_is_refused() -> None:
    """A value without measure ends with a message that names the product."""
    template = ProductPrompts("{{ title }}", names=("title",), longest=50)
    with pytest.raises(UsageError, match="for mug: "):
        template.prompt({"title": "x" * 1_000_000}, about="mug")
