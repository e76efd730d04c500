"""The balance before and after a run: told, asked about, never in the way."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pipeline.errors import ExitCode, ProviderError, Throttled, Unauthorized, Unreachable
from pipeline.journal.reading import RunRecord
from pipeline.model import Balance
from pipeline.runner.balance import BalanceWatch, Expected, expect, explain_shortage, unexplained
from tests.account.accounts import ACCOUNT, DAY, lane, opened


@dataclass
class Bank:
    """A provider that knows nothing but the balance; it says what it is told to."""

    answers: list[float | ProviderError | None]

    async def balance(self) -> Balance:
        answer = self.answers.pop(0)
        if isinstance(answer, ProviderError):
            raise answer
        return Balance(answer, 0.0)


@dataclass
class Heard:
    """What the person heard and what was kept."""

    agrees: bool = True
    warned: list[str] = field(default_factory=list)
    noted: list[tuple[float | None, float | None]] = field(default_factory=list)
    asked: int = 0

    def account(self) -> BalanceWatch:
        return BalanceWatch(
            warn=self.warned.append,
            note=lambda before, after: self.noted.append((before, after)),
            go_on=self._go_on,
        )

    def _go_on(self) -> bool:
        self.asked += 1
        return self.agrees


async def test_enough_is_no_word() -> None:
    """A balance that covers the run is kept, before and after, and nobody is bothered."""
    heard = Heard()
    account, bank = heard.account(), Bank([12.6, 0.0])
    assert await account.look_before(bank, 12.6, "USD") is None
    await account.look_after(bank)
    assert (account.before, account.after) == (12.6, 0.0)
    assert heard.noted == [(12.6, None), (12.6, 0.0)]
    assert (heard.warned, heard.asked) == ([], 0)


@pytest.mark.parametrize("agrees", [True, False])
async def test_too_little_is_said_and_asked(agrees: bool) -> None:
    """A no keeps the run from submitting, exit 4; what is paid for is fetched all the same."""
    heard = Heard(agrees)
    stop = await heard.account().look_before(Bank([3.2]), 12.6, "USD")
    assert heard.warned == ["The account holds 3.20 USD and this run needs 12.60 USD."]
    assert heard.asked == 1
    if agrees:
        assert stop is None
    else:
        assert stop is not None
        assert (stop.exit_code, stop.reach.name) == (ExitCode.STOPPED, "SUBMITTING")


@pytest.mark.parametrize("error", [Unreachable("no answer"), Throttled("slower")])
async def test_a_failed_look_is_said_and_stops_nothing(error: ProviderError) -> None:
    """The run does not depend on a figure."""
    heard = Heard()
    account, bank = heard.account(), Bank([error, error])
    assert await account.look_before(bank, 5.0, "USD") is None
    await account.look_after(bank)
    assert (account.before, account.after) == (None, None)
    assert [error.message in one for one in heard.warned] == [True, True]
    assert not heard.asked


async def test_a_refused_key_stops_the_run() -> None:
    """401 on the first look: nothing is sent; on the last one the run has ended anyway."""
    heard = Heard()
    stop = await heard.account().look_before(Bank([Unauthorized("bad key")]), None, "USD")
    assert stop is not None
    assert (stop.exit_code, stop.reach.name) == (ExitCode.STOPPED, "EVERYTHING")
    account = heard.account()
    await account.look_after(Bank([Unauthorized("bad key")]))
    assert account.after is None


@pytest.mark.parametrize(
    ("remaining", "needed", "currency", "short"),
    [
        (None, 5.0, "USD", False),
        (5.0, 5.0, "USD", False),
        (0.3, 0.1 + 0.2, "USD", False),
        (4.99, 5.0, "USD", True),
        (0.0, None, "USD", True),
        (-1.0, None, "USD", True),
        (0.01, None, "USD", False),
        (1.0, 5.0, "EUR", False),
        (0.0, 5.0, "EUR", True),
    ],
)
def test_when_a_balance_is_short(
    remaining: float | None, needed: float | None, currency: str, short: bool
) -> None:
    """With a price in dollars the sum decides, else only an empty account."""
    assert (explain_shortage(remaining, needed, currency) is not None) == short


def test_a_balance_that_the_book_explains_is_no_word(tmp_path: Path) -> None:
    """What it held after the last run, less what every manifest has spent since."""
    runs = [
        RunRecord("1", DAY - 90, DAY - 80, 50.0, 40.0),
        RunRecord("2", DAY - 20, DAY - 10, 40.0, 30.0),
        RunRecord("3", DAY - 5),
    ]
    book = tmp_path / "book.db"
    with opened(book) as made, lane(made, tmp_path / "shoes") as shoes:
        shoes.intend("before", at=DAY - 50, cost=9.0)
        shoes.intend("a", "b", at=DAY, cost=1.0)
    expected = expect(runs, book, ACCOUNT, price=0.5, currency="USD")
    assert expected == Expected(30.0, 2.0, DAY - 10)
    assert unexplained(28.0, expected) is None
    assert unexplained(99.0, expected) is None, "somebody topped it up"
    assert unexplained(None, expected) is None
    assert expect(runs[:0], book, ACCOUNT, price=0.5, currency="USD") is None
    assert expect(runs, book, ACCOUNT, price=None, currency="USD") is None
    assert expect(runs, book, ACCOUNT, price=0.5, currency="EUR") is None


async def test_less_than_the_book_explains_is_said() -> None:
    """Before anything is submitted, with the figures; it stops nothing by itself."""
    heard = Heard()
    account = heard.account()
    account.expected = Expected(30.0, 2.0, 0.0)
    assert await account.look_before(Bank([21.5]), 12.6, "USD") is None
    (line,) = heard.warned
    assert "6.50 USD less than its book explains" in line
    assert not heard.asked
