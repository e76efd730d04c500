"""The balance before and after a run: told, asked about, never in the way."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from pipeline.errors import ExitCode, ProviderError, Throttled, Unauthorized, Unreachable
from pipeline.journal.reading import RunRecord
from pipeline.model import Balance, BalanceOf
from pipeline.runner.balance import BalanceWatch, Expected, expect, unexplained
from pipeline.runner.offer import Offer, explain_shortage, goes_on_unasked, learn_price
from tests.account.accounts import ACCOUNT, DAY, lane, opened
from tests.engine.night import attempt


@dataclass
class Bank:
    """A provider that knows nothing but the balance; it says what it is told to."""

    answers: list[float | ProviderError | None]
    of_account: float | ProviderError | None = field(
        default_factory=lambda: Unreachable("no such path")
    )

    async def balance(self, of: BalanceOf = "key") -> Balance:
        answer = self.answers.pop(0) if of == "key" else self.of_account
        if isinstance(answer, ProviderError):
            raise answer
        return Balance(answer, 0.0)


@dataclass
class Heard:
    """What the person heard and what was kept."""

    agrees: bool = True
    warned: list[str] = field(default_factory=list)
    noted: list[tuple[float | None, float | None]] = field(default_factory=list)
    shown: list[Offer] = field(default_factory=list)

    def account(self) -> BalanceWatch:
        return BalanceWatch(
            warn=self.warned.append,
            note=lambda before, after: self.noted.append((before, after)),
            consent=self._consent,
        )

    def _consent(self, offer: Offer) -> bool:
        self.shown.append(offer)
        return self.agrees


def offer(money: float | None, currency: str = "USD") -> Offer:
    """Return an offer of two videos."""
    return Offer(rows=2, video_seconds=12, money=money, currency=currency)


async def test_enough_is_no_word() -> None:
    """A balance that covers the run is kept, before and after, and the offer shows it."""
    heard = Heard()
    account, bank = heard.account(), Bank([12.6, 0.0])
    assert await account.look_before(bank, offer(12.6)) is None
    await account.look_after(bank)
    assert (account.before, account.after) == (12.6, 0.0)
    assert heard.noted == [(12.6, None), (12.6, 0.0)]
    assert heard.warned == []
    assert heard.shown == [replace(offer(12.6), remaining=12.6)]


@pytest.mark.parametrize("agrees", [True, False])
async def test_too_little_is_said_and_asked(agrees: bool) -> None:
    """A no keeps the run from submitting, exit 4; what is paid for is fetched all the same."""
    heard = Heard(agrees)
    stop = await heard.account().look_before(Bank([3.2]), offer(12.6))
    assert heard.warned == ["The account holds 3.20 USD, and this run needs 12.60 USD."]
    assert [one.remaining for one in heard.shown] == [3.2]
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
    assert await account.look_before(bank, offer(5.0)) is None
    await account.look_after(bank)
    assert (account.before, account.after) == (None, None)
    assert [error.message in one for one in heard.warned] == [True, True]
    assert [one.short for one in heard.shown] == [None]


async def test_a_refused_key_stops_the_run() -> None:
    """401 on the first look: nothing is sent; on the last one the run has ended anyway."""
    heard = Heard()
    stop = await heard.account().look_before(Bank([Unauthorized("bad key")]), offer(None))
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
    assert await account.look_before(Bank([21.5]), offer(12.6)) is None
    (line,) = heard.warned
    assert "6.50 USD less than its book explains" in line


async def test_a_full_key_of_an_empty_account_is_too_little() -> None:
    """The least of both counts; an unlimited key does not hide what the account holds."""
    for of_key in (99.0, None):
        heard = Heard(agrees=False)
        bank = Bank([of_key], of_account=0.0)
        assert await heard.account().look_before(bank, offer(1.0)) is not None
        assert heard.warned == ["The account holds 0.00 USD, and this run needs 1.00 USD."]


async def test_a_no_to_a_price_stops_submitting_alone() -> None:
    """What is paid for is fetched all the same."""
    stop = await Heard(agrees=False).account().look_before(Bank([50.0]), offer(1.0))
    assert stop is not None
    assert (stop.exit_code, stop.reach.name) == (ExitCode.STOPPED, "SUBMITTING")
    assert stop.reason == "nobody agreed to what it costs"


@pytest.mark.parametrize(
    ("remaining", "needed", "currency", "short"),
    [
        (10.0, 5.0, "USD", False),
        (9.99, 5.0, "USD", True),
        (5.0, None, "USD", True),
        (5.01, None, "USD", False),
        (5.0, None, "EUR", False),
        (None, 5.0, "USD", False),
    ],
)
def test_what_is_to_be_left_in_the_account(
    remaining: float | None, needed: float | None, currency: str, short: bool
) -> None:
    """budget.min_balance counts as needed, in the currency of the balance alone."""
    told = explain_shortage(remaining, needed, currency, 5.0)
    assert (told is not None) == short
    assert told is None or "budget.min_balance keeps 5.00" in told


def test_an_offer_is_a_sentence() -> None:
    """Videos, seconds, money, balance; a learned price is called learned."""
    priced = Offer(20, 120, 2.4, remaining=99.52)
    assert priced.sentence == "20 videos, 120 s, about 2.40 USD; the account holds 99.52 USD"
    learned = Offer(1, 6, learned=0.02, remaining=1.0)
    assert learned.sentence == (
        "1 video, 6 s, about 0.12 USD (0.0200 a second, learned from an earlier balance); the "
        "account holds 1.00 USD"
    )
    assert Offer(2, 12).sentence == "2 videos, 12 s; what the account holds is not known"
    assert Offer(2, 12, unlimited=True).sentence == "2 videos, 12 s; the account has no limit"


@pytest.mark.parametrize("when_short", ["ask", "stop", "go_on"])
def test_what_is_done_where_nobody_can_be_asked(when_short: str) -> None:
    """Enough: it goes on. Too little: only with --yes, or as the setting says."""
    enough, short = Offer(1, 6), Offer(1, 6, short="too little")
    assert goes_on_unasked(enough, when_short=when_short, yes=False)
    assert goes_on_unasked(short, when_short=when_short, yes=True)
    assert goes_on_unasked(short, when_short=when_short, yes=False) == (when_short == "go_on")


def test_a_price_is_learned_from_the_latest_run_that_tells(tmp_path: Path) -> None:
    """What the balance fell by over the seconds that the account sent meanwhile."""
    runs = [
        RunRecord("1", DAY - 90, DAY - 80, 50.0, 40.0),
        RunRecord("2", DAY - 20, DAY - 10, 40.0, 37.6),
        RunRecord("3", DAY - 8, DAY - 7, 37.6, 37.6),
        RunRecord("4", DAY - 5),
    ]
    book = tmp_path / "book.db"
    with opened(book) as made, lane(made, tmp_path / "shoes") as shoes:
        shoes.intend("before", at=DAY - 85, cost=9.0)
        shoes.intend("a", "b", at=DAY - 15, cost=1.0)
    seconds = 2 * attempt("a").request.duration
    assert learn_price(runs, book, ACCOUNT) == pytest.approx(2.4 / seconds)
    assert learn_price(runs[2:], book, ACCOUNT) is None
    assert learn_price([], book, ACCOUNT) is None
