"""Number formats: what a person sees of a number beyond the number."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.reader.workbook.formats import (
    UNREADABLE,
    Timing,
    apply_mask,
    has_lost_digits,
    is_exact,
    mask_of,
    timing_of,
    too_large,
)


@pytest.mark.parametrize(
    ("code", "text", "shown"),
    [
        ("00000", "42", "00042"),
        ("00000", "123456", "123456"),
        ("00000", "4.5", "4.5"),
        ("00000", "-42", "-00042"),
        ("00000", "a text", "a text"),
        ('"SKU-"00000', "42", "SKU-00042"),
        (r"\S\K\U\-00000", "42", "SKU-00042"),
        ('0000"-A"', "7", "0007-A"),
        ('0" s"', "4", "4 s"),
        ("0%", "0.5", "50%"),
        ("0.0 %", "0.125", "12.5 %"),
        ("0%", "0.125", "13%"),
        ('0"%"', "5", "5%"),
        ('#,##0.00 "€"', "1234.5", "1234.50 €"),
        ("#,##0.00\\ [$€-407];[Red]-#,##0.00\\ [$€-407]", "-4", "-4.00 €"),
        ('_-* #,##0.00 "€"_-;-* #,##0.00 "€"_-;_-* "-"?? "€"_-;_-@_-', "4", "4.00 €"),
        ("$0.00", "4", "$4.00"),
        ("[$USD] 0", "4", "USD 4"),
        ("0.00 %", "9" * 40, "9" * 40),
        ("000-000", "42", "000-042"),
        ("00 000", "42", "00 042"),
        ("0000 0000 0000", "12345678", "0000 1234 5678"),
        ("000-000", "123456789", "123456-789"),
        (r"000\/000", "42", "000/042"),
        (r"000\.000", "42", "000.042"),
        ('0000"-"00"-"00', "20261105", "2026-11-05"),
        ("000,000", "42", "000,042"),
        ("0,000", "1234567", "1,234,567"),
        ("#,##0.00 $", "1234.5", "1234.50 $"),
        ("(###) ###-####", "5551234567", "(555) 123-4567"),
        ("[Red]00000", "42", "00042"),
        ("[Color 10][$-407]00000", "42", "00042"),
        ("#00000", "123456", "123456"),
        ("000.00", "4.5", "004.50"),
        ("00000;-00000", "-42", "-00042"),
        ("000;(000)", "-42", "(042)"),
        ("0;(0)", "-42", "(42)"),
        ("0;(0)", "4.5", "4.5"),
        ('00000;"neg"', "-42", "-00042"),
        ("00000;;;@", "0", "00000"),
        ("h:mm", "16:09:30", "16:09"),
        ("hh:mm AM/PM", "16:09:00", "16:09"),
        ("[h]:mm", "40:30:00", "40:30"),
        ("h:mm:ss", "14:30:00", "14:30:00"),
        ("h:mm", "0.5", "0.5"),
    ],
)
def test_numbers_as_their_format_shows_them(code: str, text: str, shown: str) -> None:
    """Zeros, words, shares and currencies are part of what is seen."""
    assert apply_mask(text, mask_of(code)) == shown


@pytest.mark.parametrize(
    "code",
    ["General", "", "0", "0.00", "#,##0", "#,##0.00", "@", "0.00E+00", "# ?/?", "0,", "0.0#",
     "# ##0", "yyyy-mm-dd", "yyyy-mm-dd h:mm", "h:mm:ss", "mm:ss", "[>5]0", "0;-0",
     "0.00;[Red]0.00", "0000E+00", "[<10]0;0.0", ";;;", '0.0,,"M"', '0;-0;"none"', "0" * 300],
)  # fmt: skip
def test_other_formats_add_nothing(code: str) -> None:
    """4.0 is 4, however many decimals are shown."""
    assert not mask_of(code)


@pytest.mark.parametrize(
    "code",
    ["[>100]000;00000", "00/00/0000", "00.00.00", "000?", "000,", "[DBNum1]000", "000,000-0",
     "# 00/00"],
)  # fmt: skip
def test_zeros_that_are_not_understood_are_told(code: str) -> None:
    """No zero that a person sees is dropped in silence."""
    assert mask_of(code) == UNREADABLE


@pytest.mark.parametrize(
    ("code", "timing"),
    [
        ("h:mm", Timing.MOMENT),
        ("d. mmmm yyyy", Timing.MOMENT),
        ("[$-409]m/d/yy h:mm AM/PM;@", Timing.MOMENT),
        ("[h]:mm:ss", Timing.SPAN),
        ("[mm]:ss", Timing.SPAN),
        ("General", None),
        ('0 "days"', None),
        (r"0\h", None),
        ("[Red]0.00", None),
        ("0;[h]", None),
    ],
)
def test_which_formats_show_a_time(code: str, timing: Timing | None) -> None:
    """Letters in words, colours and later sections show none."""
    assert timing_of(code) is timing


@given(
    st.lists(
        st.one_of(
            st.floats(),
            st.integers(),
            st.sampled_from([1e15, -1e15, 10**400, math.nan, math.inf, 0.0]),
        )
    )
)
def test_a_column_of_numbers_is_exact_if_each_is(numbers: list[float]) -> None:
    """All at once as one by one, wherever in the column the one that is not stands."""
    assert is_exact(numbers) is not any(has_lost_digits(one) or too_large(one) for one in numbers)
