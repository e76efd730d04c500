"""Rows that stand for a whole sheet: spread over it, and over the kinds of rows in it."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pipeline.model import Request
from pipeline.planner.spread import Candidate, candidates_of, choose


def request(
    *, duration: int = 6, frame: str = "16:9", resolution: str = "720P", images: str = ""
) -> Request:
    return Request("film", tuple(images.split()), duration, frame, resolution, "m", "hash")


def candidates(*kinds: str, own: str = "") -> list[Candidate]:
    """A row for each text: words are its kinds, one of each of several columns."""
    return [
        Candidate(f"r{place}", place, frozenset(enumerate_kinds(text)))
        for place, text in enumerate((*kinds, *own.split()))
    ]


def enumerate_kinds(text: str) -> list[tuple[str, str]]:
    return [(f"column {number}", word) for number, word in enumerate(text.split())]


def kinds_of(rows: list[Candidate], keys: list[str]) -> list[str]:
    by_key = {row.key: row for row in rows}
    return [" ".join(word for _, word in sorted(by_key[key].kinds)) for key in keys]


def places(keys: list[str]) -> list[int]:
    return [int(key[1:]) for key in keys]


def test_rows_without_kinds_are_spread_over_the_sheet() -> None:
    """From a stretch each, not the first rows."""
    rows = candidates(*[""] * 60)
    assert sorted(places(choose(rows, 5, length=60))) == [5, 17, 29, 41, 53]


def test_every_kind_comes_before_any_is_repeated() -> None:
    """Of a column whose rarest value has one row of a hundred."""
    rows = candidates(*["mug"] * 70, *["bag"] * 25, "tea", *["hat"] * 4)
    chosen = kinds_of(rows, choose(rows, 4, length=100))
    assert sorted(chosen) == ["bag", "hat", "mug", "tea"]
    assert sorted(kinds_of(rows, choose(rows, 5, length=100)))[:4] != ["mug"] * 4


def test_where_kinds_outnumber_the_pilot_the_common_ones_come_first() -> None:
    """Five strange articles would say nothing of the other hundred."""
    rows = candidates(*["mug"] * 40, *["bag"] * 40, *["cap"] * 3, "a", "b", "c", "d", "e", "f")
    assert sorted(kinds_of(rows, choose(rows, 3, length=89))) == ["bag", "cap", "mug"]


def test_a_row_of_a_rare_kind_stands_for_a_common_one_too() -> None:
    """Five collections and a duration of one row among fifty: five rows have them all."""
    rows = candidates(*(f"c{number % 5} {'10' if number == 13 else '6'}" for number in range(50)))
    chosen = choose(rows, 5, length=50)
    assert "r13" in chosen
    assert len({text.split()[0] for text in kinds_of(rows, chosen)}) == 5


def test_kinds_come_a_second_time_in_turn() -> None:
    """Six of three kinds are two each."""
    rows = candidates(*["a"] * 20, *["b"] * 20, *["c"] * 20)
    assert sorted(kinds_of(rows, choose(rows, 6, length=60))) == ["a", "a", "b", "b", "c", "c"]


def test_rows_that_are_chosen_already_count() -> None:
    """Their kinds and their stretch of the sheet have come."""
    rows = candidates(*["a"] * 30, *["b"] * 30)
    known = [rows[3], rows[10]]
    more = choose(rows[11:], 3, known, length=60)
    assert kinds_of(rows, more) == ["b"]
    assert choose(rows, 2, known, length=60) == []


def test_the_user_s_columns_that_group_rows_are_kinds_and_others_are_not() -> None:
    """A type of product is; titles, one of each, and a column with one value are not."""
    headers = ("Title", "Type", "Shop", "Price")
    types = ("Mug", " mug ", "BAG", "") * 3
    cells = [(f"Mug {n}", one, "north", f"{n}.90") for n, one in enumerate(types)]
    rows = [(f"k{n}", one, request()) for n, one in enumerate(cells)]
    found = candidates_of(headers, range(4), rows)
    own = {kind for row in found for kind in row.kinds if kind[0].startswith("column")}
    assert own == {("column Type", "mug"), ("column Type", "bag")}


def test_a_column_with_very_many_values_is_no_kind() -> None:
    """Prices of a long sheet, though each comes several times."""
    rows = [(f"k{n}", (f"{n % 51}.90", f"shelf {n % 50}"), request()) for n in range(1000)]
    kinds = {kind for row in candidates_of(("Price", "Shelf"), (0, 1), rows) for kind in row.kinds}
    assert {name for name, _ in kinds if name.startswith("column")} == {"column Shelf"}


def test_what_differs_in_requests_are_kinds() -> None:
    """Duration, frame, resolution, how many pictures, and whether they are local or on the web."""
    requests = [
        request(),
        request(duration=10),
        request(frame="9:16"),
        request(resolution="1080p"),
        request(images="sha256:aa"),
        request(images="https://x.example/a.jpg"),
        request(images="sha256:aa sha256:bb https://x.example/a.jpg"),
    ]
    rows = [(f"k{n}", (), requests[n] if n < 7 else request()) for n in range(200)]
    found = candidates_of((), (), rows)
    kinds = set().union(*(row.kinds for row in found))
    assert {("pictures from", "local"), ("pictures from", "web"), ("pictures", "3")} <= kinds
    chosen = choose(found, 7, length=200)
    covered = set().union(*(row.kinds for row in found if row.key in chosen))
    assert covered == kinds


def test_rows_that_break_a_rule_are_not_chosen() -> None:
    rows = [("k0", ("a",), None), ("k1", ("a",), request()), ("k2", ("b",), request())]
    assert [row.key for row in candidates_of(("Type",), (0,), rows)] == ["k1", "k2"]


KINDS = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from("xyz"), st.booleans()), max_size=40
)


@given(KINDS, st.integers(1, 12))
def test_any_sheet_gives_the_same_rows_again(
    sheet: list[tuple[str, str, bool]], number: int
) -> None:
    """No chance is in it, no row comes twice, and what it chose once it does not choose anew."""
    rows = candidates(*(f"{first} {second}" for first, second, _ in sheet))
    chosen = choose(rows, number, length=len(rows))
    assert chosen == choose(list(rows), number, length=len(rows))
    assert len(set(chosen)) == len(chosen) == min(number, len(rows))
    known = [row for row in rows if row.key in chosen]
    assert (
        choose([row for row in rows if row.key not in chosen], number, known, length=len(rows))
        == []
    )


@given(KINDS, st.integers(1, 6))
def test_no_column_repeats_a_kind_while_another_of_it_is_missing(
    sheet: list[tuple[str, str, bool]], number: int
) -> None:
    """In any sheet whose rows differ in one column."""
    rows = candidates(*(first for first, _, _ in sheet))
    chosen = kinds_of(rows, choose(rows, number, length=max(1, len(rows))))
    kinds = {text for row in rows for _, text in row.kinds}
    assert len(set(chosen)) == min(len(kinds), len(chosen))


def test_a_pilot_is_spread_within_its_kinds() -> None:
    """Ten rows of one kind are not ten neighbours."""
    rows = candidates(*["a"] * 1000)
    found = sorted(places(choose(rows, 10, length=1000)))
    assert len(found) == 10
    assert all(second - first > 50 for first, second in pairwise(found))
