"""Naming: keys that last, references that repeat, and file names that every system takes."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pathvalidate import is_valid_filename

from pipeline.checker.naming import (
    attempt_name,
    base_name,
    normalise_key,
    reference,
    row_keys,
    safe_name,
    video_names,
)
from pipeline.checker.rowtexts import name_template
from pipeline.config.loading import load
from pipeline.errors import ConfigError
from pipeline.model import Manifest, Row


def _manifest(*cells: tuple[str, ...], headers: tuple[str, ...] = ("sku", "prompt")) -> Manifest:
    rows = tuple(Row(number, one) for number, one in enumerate(cells, start=2))
    return Manifest(Path("shop.csv"), headers, rows)


def _setting(name: str) -> str:
    """Return `output.name` as the checker gets it."""
    return load(None, environ={}, overrides=[f"output.name={name}"]).output.name


def _names(*keys: str, taken: dict[str, str] | None = None) -> dict[str, str]:
    rows = [(key, Row(number, (key,))) for number, key in enumerate(keys, start=2)]
    return video_names(rows, ["sku"], _setting("{key}"), taken)


def test_keys_are_the_texts_of_the_key_column() -> None:
    """Blanks, NBSP, zero-width characters and Unicode forms do not make another row."""
    manifest = _manifest((" A-1\u00a0", "x"), ("cafe\u0301\u200b", "y"), ("b\u00a0 c", "z"))
    keys, problems = row_keys(manifest, {"key": 0, "prompt": 1})
    assert keys == ["A-1", "café", "b c"]
    assert not problems


def test_keys_without_a_key_column_are_of_the_contents() -> None:
    """Equal rows are told apart by their ordinal; the row number and other columns do not count."""
    fields = {"prompt": 0, "duration": 1}
    first = _manifest(("a", "", "1"), ("b", "", "2"), (" a ", "", "3"), headers=("p", "d", "stock"))
    second = _manifest(("new", "", ""), ("b", "", "9"), ("a", "", ""), headers=("p", "d", "stock"))
    keys, problems = row_keys(first, fields)
    assert not problems
    assert re.fullmatch(r"row-[0-9a-f]{12}", keys[0])
    assert keys[2] == f"{keys[0]}-2"
    again, _ = row_keys(second, fields)
    assert again[1:] == [keys[1], keys[0]]


def test_an_empty_column_changes_no_key() -> None:
    """Adding an empty duration column leaves every row what it was."""
    plain, _ = row_keys(_manifest(("a",), headers=("prompt",)), {"prompt": 0})
    wider, _ = row_keys(
        _manifest(("a", " "), headers=("prompt", "d")), {"prompt": 0, "duration": 1}
    )
    filled, _ = row_keys(
        _manifest(("a", "6"), headers=("prompt", "d")), {"prompt": 0, "duration": 1}
    )
    assert plain == wider != filled


def test_double_and_empty_keys_are_problems() -> None:
    """Both rows of a double key name each other; all get a key by which they can be reported."""
    manifest = _manifest(("A", "x"), ("", "y"), ("A ", "x"), ("B", "z"), ("\u200b", "y"))
    keys, problems = row_keys(manifest, {"key": 0, "prompt": 1})
    assert [(one.row, one.code) for one in problems] == [
        (2, "key_twice"), (3, "key_empty"), (4, "key_twice"), (6, "key_empty"),
    ]  # fmt: skip
    assert "also the key of row 4" in problems[0].message
    assert "also the key of row 2" in problems[2].message
    assert len(set(keys)) == 5
    assert keys[3] == "B"
    assert "A" not in keys
    assert row_keys(manifest, {"key": 0, "prompt": 1})[0] == keys


def test_a_made_key_never_meets_a_given_one() -> None:
    """A key cell that looks like a made key keeps its key, the made one gives way."""
    fields = {"key": 0, "prompt": 1}
    made = row_keys(_manifest(("", "x")), fields)[0][0]
    keys, _ = row_keys(_manifest(("", "x"), (made, "y")), fields)
    assert keys == [f"{made}-2", made]


def test_references() -> None:
    """The same attempt has the same reference; key, number and journal all count."""
    one = reference("j1", "A", 1)
    assert re.fullmatch(r"rs-[0-9a-f]{40}", one)
    assert one == reference("j1", "A", 1)
    assert (
        len({one, reference("j2", "A", 1), reference("j1", "A", 2), reference("j1A", "", 1)}) == 4
    )


def test_later_attempts_have_names_of_their_own() -> None:
    """The first has the plain name, later ones a number."""
    assert [attempt_name("shoe", number) for number in (1, 2, 10)] == [
        "shoe.mp4", "shoe-2.mp4", "shoe-10.mp4",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("AB-1001", "AB-1001"), ("..", ""), ("-rf", "rf"), (".hidden", "hidden"), ("A/B", "A_B"),
        ("../../etc", "_.._etc"), ("CON", "_CON"), ("com1", "_com1"), ("a. ", "a"),
        ("x\x00\u202ey", "xy"), ("a\nb", "a b"), ("日本/語", "日本_語"), ("", ""), ("--", ""),
    ],
)  # fmt: skip
def test_safe_names(text: str, expected: str) -> None:
    """Paths, options, devices and invisible characters become plain names."""
    assert safe_name(text) == expected


@given(st.text(max_size=300))
def test_every_name_is_safe(text: str) -> None:
    """Whatever a key holds, its name is a valid one on every system, short and visible."""
    name = safe_name(text)
    assert len(name.encode()) <= 125
    assert not name or is_valid_filename(f"{name}.mp4", platform="universal")
    assert not name.startswith((".", "-"))
    assert not {unicodedata.category(char) for char in name} & {"Cc", "Cf", "Cs"}


@given(
    st.lists(
        st.text("aA-23./\u00e9e\u0301", max_size=5).map(normalise_key), unique=True, max_size=12
    )
)
def test_names_never_meet(keys: list[str]) -> None:
    """No two rows share a file name now or in a later attempt, and their order does not matter."""
    names = _names(*keys)
    assert names == _names(*reversed(keys))
    files = [
        unicodedata.normalize("NFC", attempt_name(base, number).casefold())
        for base in names.values()
        for number in range(1, 12)
    ]
    assert len(files) == len(set(files))


def test_names_that_would_meet_get_a_hash() -> None:
    """Case, Unicode forms, replaced characters and later attempts are told apart; others stay."""
    names = _names("A/B", "A:B", "shoe", "shoe-2", "CAFÉ", "cafe\u0301", "plain", "AB-1001")
    assert names["plain"] == "plain"
    assert names["AB-1001"] == "AB-1001"
    assert names["shoe"] == "shoe"
    for key, start in (("A/B", "A_B"), ("A:B", "A_B"), ("shoe-2", "shoe-2"), ("CAFÉ", "CAFÉ")):
        assert re.fullmatch(rf"{start}-[0-9a-f]{{8}}", names[key])


def test_names_in_the_journal_are_left_to_their_owners() -> None:
    """A row keeps its own name; another row's file, or its later attempt, is never met."""
    taken = {"a.mp4": "a", "b.mp4": "old", "c-2.mp4": "old", "d-2.mp4": "d"}
    names = _names("a", "b", "c", "d", taken=taken)
    assert (names["a"], names["d"]) == ("a", "d")
    assert re.fullmatch(r"b-[0-9a-f]{8}", names["b"])
    assert re.fullmatch(r"c-[0-9a-f]{8}", names["c"])


def test_a_renamed_row_keeps_its_names() -> None:
    """They are nobody else's, whatever that row is called and whatever its key would give."""
    rows = [(key, Row(number, (key,))) for number, key in enumerate("abc", start=2)]
    kept = {"b": "a", "left": "c"}
    names = video_names(rows, ["sku"], _setting("{key}"), {"a-2.mp4": "b"}, kept=kept)
    assert (names["b"], names["c"]) == ("a", "c")
    assert re.fullmatch("a-[0-9a-f]{8}", names["a"])


def test_a_row_whose_key_was_anothers_gets_a_hash_of_its_identity() -> None:
    """Each of those that have had the key one of its own, and nobody else another name."""
    rows = [(key, Row(number, (key,))) for number, key in enumerate("ab", start=2)]
    made = [
        video_names(rows, ["sku"], _setting("{key}"), identities={"a": f"a\x1f{number}"})
        for number in range(2, 9)
    ]
    assert len({names["a"] for names in made}) == len(made)
    assert all(re.fullmatch("a-[0-9a-f]{8}", names["a"]) for names in made)
    assert {names["b"] for names in made} == {"b"}


@pytest.mark.parametrize("number", [1, 2, 30])
@pytest.mark.parametrize("base", ["shoe", "shoe-2", "x.mp4", "shoe-30"])
def test_the_base_of_a_name_is_found_again(base: str, number: int) -> None:
    """Whatever it looks like."""
    assert base_name(attempt_name(base, number), number) == base


def test_long_names_are_cut_between_characters() -> None:
    """Two long keys with one beginning are still two names."""
    first, second = _names("é" * 100 + "1", "é" * 100 + "2").values()
    assert first != second
    assert max(len(first.encode()), len(second.encode())) <= 120


def test_a_made_prompt_tells_rows_apart() -> None:
    """Without keys, rows with empty prompts are told apart by the columns of the template."""
    headers = ("prompt", "Title", "note")
    one = _manifest(("", "Shoe", "a"), ("", "Bag", "b"), ("own", "Hat", "c"), headers=headers)
    two = _manifest(("", "Bag", "x"), ("own", "Cap", "c"), ("", "Shoe", "a"), headers=headers)
    keys, _ = row_keys(one, {"prompt": 0}, (1,))
    again, _ = row_keys(two, {"prompt": 0}, (1,))
    assert len(set(keys)) == 3
    assert again == [keys[1], keys[2], keys[0]]
    assert keys[2] == row_keys(one, {"prompt": 0})[0][2], (
        "a prompt of its own needs no other column"
    )


def test_thousands_of_equal_keys_are_told_at_once() -> None:
    """A column that is no key after all costs no time that grows with its square."""
    manifest = _manifest(*[("same", "x")] * 30_000)
    _, problems = row_keys(manifest, {"key": 0, "prompt": 1})
    assert len(problems) == 30_000
    assert "rows 3, 4, 5, 6, 7 and 29994 more" in problems[0].message


def test_templates_take_columns() -> None:
    """Any column may be part of the name; equal names get a hash."""
    rows = [("1", Row(2, ("1", "red"))), ("2", Row(3, ("2", "red"))), ("3", Row(4, ("3", "blue")))]
    for template in ("a {colour}", "a {Colour}", "a {{ colour }}", "a {{ row['Colour'] | lower }}"):
        names = video_names(rows, ["sku", "Colour"], _setting(template), {})
        assert names["3"] == "a blue"
        assert names["1"].startswith("a red-")
        assert names["1"] != names["2"]


@pytest.mark.parametrize(
    "template",
    [
        "{size}",
        "{key",
        "key}",
        "{key.__class__}",
        "{key[0]}",
        "{key!r}",
        "{key:>5}",
        "{}",
        "{{ size }}",
        "{{ key",
        "{{ key.upper() }}",
        "{{ key * 9 }}",
        "{% for k in key %}",
    ],
)
def test_templates_are_nothing_but_columns(template: str) -> None:
    """An unknown column, an attribute, an index or a format is a fault of the configuration."""
    with pytest.raises(ConfigError, match=r"output\.name") as caught:
        name_template(_setting(template), ["sku"])
    assert "{key}-{colour}" in f"{caught.value} {caught.value.action}"
