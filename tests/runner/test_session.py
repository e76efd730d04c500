"""The balance before and after a run: told, asked about, never in the way."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from pipeline.errors import ExitCode, ProviderError, Throttled, Unauthorized, Unreachable
from pipeline.model import Balance
from pipeline.runner.session import BalanceWatch, explain_shortage


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
