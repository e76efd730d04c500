"""Editions of one table: what looks like one is asked about, and nothing else is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model import Attempt, Entry, Request, State
from pipeline.planner.editions import (
    Edition,
    are_called_alike,
    begins_series,
    find_same_table,
    keys_to_ask_for,
    series_of,
    widen,
)
from pipeline.planner.plan import decide
from pipeline.planner.selection import Mode, Selection

REQUEST = Request("a mug", (), 6, "16:9", "720P", "gemini_omni_flash", "hash")


def edition(*keys: str, name: str = "monday") -> Edition:
    return Edition(name, f"/shop/outputs/{name}", f"/shop/{name}.csv", frozenset(keys))


def numbered(rows: int) -> tuple[str, ...]:
    return tuple(f"C{number}" for number in range(rows))


@given(
    rows=st.integers(0, 60), monday=st.integers(0, 60), sunday=st.integers(0, 60), others=st.text()
)
def test_ten_rows_and_half_of_them_make_an_edition(
    rows: int, monday: int, sunday: int, others: str
) -> None:
    """Whichever manifests they were bought for; the one with most of them is named."""
    asked = numbered(rows)
    there = [edition(*numbered(monday), others), edition(*numbered(sunday), name="sunday")]
    found = find_same_table(asked, there)
    known = min(rows, max(monday, sunday))
    assert (found is not None) == (known >= 10 and 2 * known >= rows)
    if found is not None:
        assert len(found.known) == known
        assert found.asked == asked
        assert found.edition == there[sunday > monday and monday < rows]


def test_nothing_was_bought() -> None:
    """An account that bought nothing asks nothing."""
    assert find_same_table(numbered(50), []) is None


def test_rows_that_were_sent_before_or_are_paid_for_on_purpose_are_not_asked_about() -> None:
    """What was begun is gone on with, and what a person named is done."""
    keys = numbered(20)
    plan = decide([(key, REQUEST) for key in keys], {}, Selection())
    assert keys_to_ask_for(plan, {}, ()) == keys
    assert keys_to_ask_for(plan, {}, keys[:5]) == keys[5:]
    assert keys_to_ask_for(plan, {}, keys) == ()
    sent = Entry("C0", State.FAILED, Attempt("C0", 1, "rs", REQUEST, "C0.mp4"), submitted_at=1.0)
    entries = {"C0": sent}
    retried = decide(
        [(key, REQUEST) for key in keys], entries, Selection(retry=frozenset({State.FAILED}))
    )
    assert keys_to_ask_for(retried, entries, ()) == keys[1:]
    unsent = {"C0": replace(sent, state=State.WAITING, submitted_at=None)}
    again = decide([(key, REQUEST) for key in keys], unsent, Selection())
    assert keys_to_ask_for(again, unsent, ()) == keys


KEYS = st.frozensets(st.sampled_from(numbered(20)))


@given(only=KEYS | st.none(), limit=st.integers(0, 20) | st.none(), paid=KEYS, redo=KEYS)
def test_a_narrower_order_is_asked_about_as_the_whole_is(
    only: frozenset[str] | None, limit: int | None, paid: frozenset[str], redo: frozenset[str]
) -> None:
    """Whatever an order leaves out or names, it takes no row from those that are counted."""
    rows = [(key, REQUEST) for key in numbered(20)]
    order = Selection(only=only, limit=limit, pay_again=paid, redo=redo, redo_changed=True)
    whole = decide(rows, {}, widen(order))
    assert keys_to_ask_for(whole, {}, ()) == numbered(20)


def test_what_is_not_narrower_stays() -> None:
    """The mode, the states to retry and the most attempts."""
    order = Selection(Mode.RETRY, frozenset({State.FAILED}), attempts=7, pay_again_all=True)
    assert widen(order) == replace(order, pay_again_all=False)


@pytest.mark.parametrize(
    ("one", "two", "series"),
    [
        ("products-2026-11-27", "products-2026-11-26", "products"),
        ("products", "products v2", "products"),
        ("Products_2", "products_1", "Products"),
        ("shoes", "bags", "bags"),
        ("shoes", "socks", "socks"),
        ("2026-11-27", "2026-11-26", "2026-11-26"),
        ("27.11.2026 Käse", "26.11.2026 Käse", "Käse"),
        ("27-11-2026_Käse", "26-11-2026_Käse", "Käse"),
        ("products-2026-11-27-de", "products-2026-11-26-de", "products-de"),
        ("20261127", "-20261126", "20261126"),
        ("Bob's $list_20261127_0231", "Bob's $list_20261126_0230", "Bob's $list"),
        ("catalogue (2)", "catalogue (10)", "catalogue"),
    ],
)
def test_a_series_is_called_what_its_editions_have_in_common(
    one: str, two: str, series: str
) -> None:
    """Without the dates and numbers that tell them apart; else after the one that was bought."""
    assert series_of(one, two) == series


@pytest.mark.parametrize(
    ("series", "name", "begins"),
    [
        ("products", "products-2026-11-26", True),
        ("Käse", "26.11.2026 käse", True),
        ("Käse", "20261126 Käse", True),
        ("2026-11-26", "2026-11-26", True),
        ("tuesday", "monday", False),
        ("Käse", "Wein 26.11.2026", False),
    ],
)
def test_an_edition_is_called_like_its_series(series: str, name: str, *, begins: bool) -> None:
    """But for the date, before or after the name."""
    assert begins_series(series, edition(name=name)) is begins


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("m/products-2026-11-26.csv", "m/products-2026-11-27.csv"),
        ("m/20261126 products.xlsx", "m/20261127 Products.csv"),
        ("m/products 26.11.2026.csv", "m/products 27.11.2026.csv"),
        ("m/products.xlsx", "m/products v2.xlsx"),
        ("m/products.csv", "m/products-2026-11-27.csv"),
        ("m/products.csv", "m/products (2).csv"),
        ("2026-11-26/products.csv", "2026-11-27/products.csv"),
    ],
)
def test_files_that_are_called_like_editions(one: str, other: str) -> None:
    """They differ in a date, or the one has words after the name of the other."""
    assert are_called_alike(PurePath(one), PurePath(other))
    assert are_called_alike(PurePath(other), PurePath(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("m/shoes.csv", "m/bags.csv"),
        ("m/night0.csv", "m/night1.csv"),
        ("m/part 1.csv", "m/part 12.csv"),
        ("shoes/products.csv", "bags/products.csv"),
        ("m/shoes-2026-11-26.csv", "m/bags-2026-11-26.csv"),
    ],
)
def test_files_that_are_not(one: str, other: str) -> None:
    """Tables that number their rows from 1 are run together every day."""
    assert not are_called_alike(PurePath(one), PurePath(other))
    assert not are_called_alike(PurePath(other), PurePath(one))
