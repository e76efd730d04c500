"""Texts that a spreadsheet could run."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.manifest.formulas import guard, unguard


@pytest.mark.parametrize("start", list("=+-@\t\r\uff1d\uff0b\uff0d\uff20"))
def test_what_could_run_is_guarded(start: str) -> None:
    """A starter of a formula gets a leading apostrophe."""
    assert guard(start + "A1") == f"'{start}A1"


def test_harmless_text_stays() -> None:
    """Nothing else is touched, except that a leading apostrophe is doubled."""
    assert [guard(text) for text in ("", "a=1", "'x")] == ["", "a=1", "''x"]


@pytest.mark.parametrize("number", ["-5", "+4.5", "-0,75", "-10%", "+49 170 1234567"])
def test_numbers_are_data(number: str) -> None:
    """A negative number or a telephone number runs nothing, and stays as it is."""
    assert guard(number) == number
    assert guard(f"{number}-1") == f"'{number}-1"


@given(st.text(alphabet="'=+-@\t\r\n ab\uff1d") | st.text())
def test_unguard_undoes_guard(text: str) -> None:
    """Every text comes back exactly."""
    assert unguard(guard(text)) == text
